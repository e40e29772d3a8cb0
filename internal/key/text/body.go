package text

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// body is what was read between the lines of armour, or of a text that has none.
type body struct {
	data  []byte
	dek   string // the value of DEK-Info
	fixes fixSet
	known bool // data states its length, and it is right
	cut   bool // data states a length that is more than came
	long  bool // data states a length that is less than came
	alien int  // characters that are not base64
	few   bool // so few letters that nothing was ever there
}

// readBody decodes base64 in whatever state. prefix is what stands before the dashes of the BEGIN line.
func readBody(raw, prefix []byte) body {
	if bare, ok := withoutPrefix(raw, prefix); ok {
		if b := readLines(bare); b.known {
			b.fixes.add(fixPrefix)
			return b
		}
	}
	return readLines(raw)
}

func readLines(raw []byte) body {
	dek, raw, fixes := pemHeaders(raw)
	s := spread{dek: dek, raw: raw}
	s.clean, s.fixes = cleanLines(raw)
	b := s.solve()
	b.dek = dek
	b.fixes |= fixes
	if hasEmptyLine(raw) {
		b.fixes.add(fixEmpty)
	}
	return b
}

// spread is base64 text with its spaces, newlines and whatever else stands in it.
type spread struct {
	raw   []byte // as it came
	clean []byte // without what surrounds each line
	dek   string
	fixes fixSet
}

// minLetters is fewer than any key has: Ed25519 in PKCS#8 takes 64.
const minLetters = 36

// maxTries is the longest text of which more than one reading is tried. An RSA key of 16384 bits takes 13 kB.
const maxTries = 128 << 10

// solve finds the reading whose number of letters is the one that the key states. There are few to try.
func (s *spread) solve() body {
	first := squeeze(s.clean)
	if s.dek != "" && len(first.letters) > 3*widths[0] { // three separators in their columns are no chance
		if next, ok := s.withoutSeparators(first.letters); ok {
			return s.accept(next)
		}
	}
	if s.fits(first.letters) {
		return s.accept(first)
	}
	if len(s.raw) > maxTries {
		return s.misfit(first)
	}
	if bare := squeeze(bytes.ReplaceAll(s.clean, []byte{'='}, nil)); len(first.tail) > 0 && s.fits(bare.letters) {
		bare.fixes.add(fixQuoted) // soft line breaks of RFC 2045, section 6.7
		return s.accept(bare)
	}
	for _, try := range []func() squeezed{s.plusInColumns, s.plus} {
		if !bytes.ContainsAny(bytes.TrimLeft(s.raw, " \n"), " \n") {
			break
		}
		if next, ok := s.fitting(try()); ok {
			return s.accept(next)
		}
	}
	if next, ok := s.withoutSeparators(first.letters); ok {
		return s.accept(next)
	}
	return s.misfit(first)
}

// fits reports whether letters are as many as the key in them states, or an encrypted body of whole blocks.
func (s *spread) fits(letters []byte) bool {
	if s.dek != "" {
		size := len(letters) * 3 / 4
		cipher, _, _ := strings.Cut(s.dek, ",")
		blocks := strings.HasSuffix(cipher, "CBC") || strings.HasSuffix(cipher, "ECB") // any length fits a stream cipher
		return size > 0 && len(letters)%4 != 1 && (!blocks || size%blockSize(cipher) == 0)
	}
	n, known, indefinite := stated(letters)
	return known && (indefinite || n == len(letters))
}

// fitting reports whether q fits, with + as its last letters if spaces at its end, which were taken off, may have been such.
// Where no public half would show that it was another letter, other spaces must have been + signs, too.
func (s *spread) fitting(q squeezed) (squeezed, bool) {
	text, n := bytes.TrimRight(s.raw, "\n"), len(q.letters)
	spaces := len(text) - len(bytes.TrimRight(text, " "))
	if spaces == 0 || !q.fixes.has(fixPlus) || s.fits(q.letters) {
		return q, s.fits(q.letters)
	}
	if n+1 < withPublic && (bytes.IndexByte(q.letters, '+') < 0 || bytes.IndexByte(s.raw, '+') >= 0) {
		return q, false
	}
	q.letters = q.letters[:n:n]
	for range min(spaces, 3) {
		if q.letters = append(q.letters, '+'); s.fits(q.letters) {
			return q, true
		}
	}
	return q, false
}

func (s *spread) accept(q squeezed) body {
	b := body{fixes: s.fixes | q.fixes, alien: q.alien, known: true}
	b.data, _ = decode(q.letters)
	if q.padding >= 0 && q.padding != -len(q.letters)&3 {
		b.fixes.add(fixPadding)
	}
	if q.alien > 0 {
		b.fixes.add(fixResidue)
	}
	if len(q.tail) > 0 {
		b.fixes.add(fixTail)
	}
	return b
}

// misfit reads what has another length than it states: more, and the rest is ignored; less, and it is truncated; or none.
func (s *spread) misfit(q squeezed) body {
	n, known, _ := stated(q.letters)
	if s.dek == "" && known && n < len(q.letters) && (n >= withPublic || endsAt(s.clean, n)) {
		q.tail = append(q.letters[n:len(q.letters):len(q.letters)], q.tail...)
		q.letters, q.padding, q.alien = q.letters[:n], -1, 0
		return s.accept(q)
	}
	b := body{alien: q.alien, fixes: s.fixes | q.fixes, cut: s.dek != "" || known && n > len(q.letters), long: known && n < len(q.letters), few: len(q.letters) < minLetters}
	if len(q.tail) > 0 {
		b.fixes.add(fixTail)
	}
	if b.data, _ = decode(q.letters); len(q.letters)%4 == 1 {
		b.cut = b.cut || len(q.letters) > minLetters
	}
	return b
}

// withPublic is the number of letters from which on a key has its public half with it: P-256 in SEC1 takes 162, and P-521
// without a public half 147. In a shorter one a letter too many would go unnoticed and make another key, so that what is
// ignored must stand apart.
const withPublic = 160

// endsAt reports whether the n-th letter of src is the last of its word.
func endsAt(src []byte, n int) bool {
	for i, c := range src {
		if isBase64(c) {
			if n--; n == 0 {
				return i+1 == len(src) || !isBase64(src[i+1])
			}
		}
	}
	return false
}

// decode decodes letters of the standard alphabet, and of a last group that is not whole as much as there is.
func decode(letters []byte) ([]byte, error) {
	if len(letters)%4 == 1 {
		letters = letters[:len(letters)-1]
	}
	data := make([]byte, base64.RawStdEncoding.DecodedLen(len(letters)))
	n, err := base64.RawStdEncoding.Decode(data, letters)
	return data[:n], err
}

// squeezed is the letters of a spread, and what else was there.
type squeezed struct {
	letters []byte
	padding int    // = signs; -1: of no interest
	tail    []byte // letters after them
	alien   int    // characters that are neither letters nor spaces
	fixes   fixSet
}

func squeeze(src []byte) squeezed {
	q := squeezed{letters: make([]byte, 0, len(src))}
	gaps, lines := 0, bytes.IndexByte(src, '\n') >= 0
	for i, c := range src {
		switch {
		case c == '=':
			q.padding++
		case c == ' ' || c == '\t':
			if i > 0 && i+1 < len(src) && isBase64(src[i-1]) && q.padding == 0 {
				gaps++
			}
		case c == '\n':
		case !isBase64(c):
			q.alien++
		case q.padding > 0:
			q.tail = append(q.tail, c)
		case c == '-' || c == '_':
			q.fixes.add(fixURLSafe)
			q.letters = append(q.letters, standard(c))
		default:
			q.letters = append(q.letters, c)
		}
	}
	if gaps > 0 {
		if lines {
			q.fixes.add(fixInner)
		} else {
			q.fixes.add(fixNewlines)
		}
	}
	return q
}

func standard(urlSafe byte) byte {
	if urlSafe == '-' {
		return '+'
	}
	return '/'
}

// plus takes every space for a plus sign, as a form decoder makes them.
func (s *spread) plus() squeezed {
	raw := bytes.Trim(s.raw, "\n")
	if bytes.IndexByte(raw, '\n') < 0 {
		raw = bytes.TrimSpace(raw)
	}
	q := squeeze(bytes.ReplaceAll(raw, []byte{' '}, []byte{'+'}))
	q.fixes.add(fixPlus)
	return q
}

// longestColumn is the width of the widest text that people let an editor wrap.
const longestColumn = 200

// widths are the lengths of line that programs break base64 into.
var widths = [...]int{64, 76, 70, 72, 60}

// plusInColumns reads one long line in which both newlines and plus signs became spaces: those in the right columns are
// newlines, if there is one in each of them.
func (s *spread) plusInColumns() squeezed {
	raw := bytes.TrimSpace(s.raw)
	if bytes.IndexByte(raw, '\n') >= 0 {
		return squeezed{}
	}
	for width := range longestColumn {
		if len(raw) < withPublic && width != widths[0] {
			continue // nothing would show that a newline was taken for a plus sign
		}
		q := squeeze(fromColumns(raw, width))
		q.fixes.add(fixPlus)
		q.fixes.add(fixNewlines)
		if q, ok := s.fitting(q); ok {
			return q
		}
	}
	return squeezed{}
}

// fromColumns takes out the space behind every so many letters, and makes + of the others. It gives
// nothing if a space is missing there.
func fromColumns(raw []byte, width int) []byte {
	if width < 20 || len(raw) <= width || raw[width] != ' ' {
		return nil
	}
	out := make([]byte, 0, len(raw))
	column := 0
	for _, c := range raw {
		switch {
		case column == width && c != ' ':
			return nil
		case column == width:
			column = 0
			continue
		case c == ' ':
			c = '+'
		}
		out = append(out, c)
		column++
	}
	return out
}

// withoutSeparators takes out what is left of literal \n sequences where the backslashes were lost or turned round: an n, or
// /n, after every so many letters.
func (s *spread) withoutSeparators(letters []byte) (squeezed, bool) {
	for _, sep := range []string{"n", "/n", "rn", "/r/n"} {
		bare := letters
		for range 3 { // none, one, or two of them before the first line
			if s.dek != "" || bytes.HasPrefix(bare, []byte("M")) || bytes.HasPrefix(bare, []byte("b3Bl")) {
				if q, ok := s.inColumns(bare, sep); ok {
					return q, true
				}
			}
			bare = bytes.TrimPrefix(bare, []byte(sep))
		}
	}
	return squeezed{}, false
}

func (s *spread) inColumns(letters []byte, sep string) (squeezed, bool) {
	columns := widths[:]
	if s.dek == "" {
		columns = append(columns, len(letters)) // separators around the body alone
	}
	for _, width := range columns {
		if out, ok := dropSeparators(letters, sep, width); ok && s.fits(out) {
			q := squeezed{letters: out, padding: -1}
			q.fixes.add(fixBareN)
			return q, true
		}
	}
	return squeezed{}, false
}

func dropSeparators(letters []byte, sep string, width int) ([]byte, bool) {
	if len(letters) > width && !bytes.HasPrefix(letters[width:], []byte(sep)) {
		return nil, false
	}
	out := make([]byte, 0, len(letters))
	for len(letters) > width {
		out = append(out, letters[:width]...)
		rest, ok := bytes.CutPrefix(letters[width:], []byte(sep))
		if !ok {
			return nil, false
		}
		letters = rest
	}
	return append(out, bytes.TrimSuffix(letters, []byte(sep))...), true
}
