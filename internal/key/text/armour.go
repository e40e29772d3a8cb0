package text

import "strings"

// marker is a BEGIN or END line of PEM armour, in whatever state.
type marker struct {
	start, end int // of the whole, dashes included
	begin      bool
	label      string // upper case, single spaces
	fixes      fixSet
	whole      bool // nothing else stands before or behind it in its line
}

// markers finds the BEGIN and END lines of t. At each place where one might be it looks at a bounded number of bytes.
func markers(b []byte) []marker {
	var all []marker
	for i := 0; i+3 <= len(b); i++ {
		word := ""
		switch c := b[i] | 0x20; {
		case c == 'b' && i+5 <= len(b) && equalFold(b[i:i+5], "BEGIN"):
			word = "BEGIN"
		case c == 'e' && equalFold(b[i:i+3], "END"):
			word = "END"
		default:
			continue
		}
		m, ok := markerAt(b, i, word)
		if !ok {
			continue
		}
		if len(all) > 0 {
			m.start = max(m.start, all[len(all)-1].end)
		}
		all = append(all, m)
		i = m.end - 1
	}
	return all
}

const (
	maxDashes = 64 // looked at on either side of a label
	maxLabel  = 44 // bytes; the longest that is known has 27
)

func markerAt(b []byte, at int, word string) (marker, bool) {
	m := marker{begin: word == "BEGIN"}
	if string(b[at:at+len(word)]) != word {
		m.fixes.add(fixCase)
	}
	var left, right int
	var spaced bool
	m.start, left, spaced = dashesBefore(b, at)
	lineStart := onlySpacesBefore(b, m.start)
	label, end := labelAt(b, at+len(word), left > 1)
	m.end, right = dashesAfter(b, end)
	if right == 0 && end < len(b) && b[end] != '\n' && b[end] != '\r' {
		return m, false // text that is no label follows
	}
	if left == 0 && (right < 2 && !lineStart || right == 0 && !m.begin && label == "") {
		return m, false
	}
	m.label = canonicalLabel(label)
	if !plausible(m.label, left, right) {
		return m, false
	}
	trailing := end < len(b) && right > 0 && b[end] == ' '
	if left != 5 || right != 5 || spaced || trailing {
		m.fixes.add(fixDashCount)
	}
	m.spelling(label)
	m.whole = m.start == 0 || b[m.start-1] == '\n'
	return m, true
}

// spelling notes what is unusual about how a label is written.
func (m *marker) spelling(label string) {
	if strings.ToUpper(label) != label {
		m.fixes.add(fixCase)
	}
	if m.label != "" && strings.ToUpper(label) != " "+m.label {
		m.fixes.add(fixLabel)
	}
}

// dashesBefore counts the dashes that end at b[at], perhaps with spaces between.
func dashesBefore(b []byte, at int) (start, count int, spaced bool) {
	start = at
	spaces := 0
	for i := at - 1; i >= 0 && count < maxDashes; i-- {
		switch {
		case b[i] == '-':
			count++
			spaced = spaced || spaces > 0
			start, spaces = i, 0
		case (b[i] == ' ' || b[i] == '\t') && spaces < 2:
			spaces++
		default:
			return start, count, spaced
		}
	}
	return start, count, spaced
}

func dashesAfter(b []byte, at int) (end, count int) {
	end = at
	spaces := 0
	for i := at; i < len(b) && count < maxDashes; i++ {
		switch {
		case b[i] == '-':
			count++
			end, spaces = i+1, 0
		case (b[i] == ' ' || b[i] == '\t') && spaces < 2:
			spaces++
		default:
			return end, count
		}
	}
	return end, count
}

func onlySpacesBefore(b []byte, at int) bool {
	for i := at - 1; i >= 0 && i > at-40; i-- {
		if b[i] == '\n' {
			return true
		}
		if b[i] != ' ' && b[i] != '\t' && b[i] != '#' && b[i] != '>' {
			return false
		}
	}
	return at < 40
}

// labelAt reads a label: up to the dashes, or to the end of the line. A single dash between letters is part of it.
func labelAt(b []byte, at int, dashed bool) (string, int) {
	end := at
	for ; end < len(b) && end < at+maxLabel && b[end] != '\n' && b[end] != '\r'; end++ {
		if b[end] != '-' {
			continue
		}
		if dashed && end > at && end+1 < len(b) && isLetter(b[end-1]) && isLetter(b[end+1]) {
			continue
		}
		break
	}
	for end > at && (b[end-1] == ' ' || b[end-1] == '\t') {
		end--
	}
	return string(b[at:end]), end
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// plausible reports whether a label is one that armour has, or nearly so.
func plausible(label string, left, right int) bool {
	if label == "" {
		return left >= 3 && right >= 3
	}
	if len(strings.Fields(label)) > 6 {
		return false
	}
	for _, part := range []string{"KEY", "PRIV", "CERT", "PUBLIC", "PARAM", "PKCS", "PGP", "REQUEST", "CRL", "OPENSSH", "RSA", "MESSAGE", "SSH2"} {
		if strings.Contains(label, part) {
			return true
		}
	}
	return left >= 4 && right >= 4
}

// canonicalLabel puts a label in upper case with single spaces, also one that has lost them.
func canonicalLabel(label string) string {
	label = strings.Join(strings.FieldsFunc(strings.ToUpper(label), func(r rune) bool {
		return r == ' ' || r == '\t' || r == '-' || r == '_'
	}), " ")
	squeezed := strings.ReplaceAll(label, " ", "")
	for _, known := range knownLabels {
		if strings.ReplaceAll(known, " ", "") == squeezed {
			return known
		}
	}
	return label
}

var knownLabels = []string{
	"PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY", "OPENSSH PRIVATE KEY",
	"PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CERTIFICATE", "CERTIFICATE REQUEST",
	"NEW CERTIFICATE REQUEST", "EC PARAMETERS", "DH PARAMETERS", "DSA PARAMETERS", "X509 CRL", "PKCS7", "PKCS12",
	"PGP PRIVATE KEY BLOCK", "PGP PUBLIC KEY BLOCK", "PGP MESSAGE", "SSH2 PUBLIC KEY", "SSH2 ENCRYPTED PRIVATE KEY",
}

// block is the text between a BEGIN and an END line; one of the two may be missing.
type block struct {
	begin, end *marker
	from, to   int // the body
	fixes      fixSet
}

// span is where a block begins and ends, its lines of armour included.
func (bl *block) span() (start, end int) {
	start, end = bl.from, bl.to
	if bl.begin != nil {
		start = bl.begin.start
	}
	if bl.end != nil {
		end = bl.end.end
	}
	return start, end
}

func (bl *block) label() string {
	if bl.begin != nil && bl.begin.label != "" {
		return bl.begin.label
	}
	if bl.end != nil {
		return bl.end.label
	}
	return ""
}

// blocks pairs markers.
func blocks(b []byte) []block {
	var all []block
	var open *marker
	var carried fixSet // from an armour around another
	last := 0          // where the text begins in which a body without a BEGIN line may stand
	marks := markers(b)
	for i := range marks {
		m := &marks[i]
		switch {
		case m.begin && open == nil:
			open = m
		case m.begin && !hasBody(b[open.end:m.start]):
			carried.add(fixDouble)
			open = m
		case m.begin:
			all = append(all, block{begin: open, from: open.end, to: m.start, fixes: carried})
			open, carried = m, 0
		case open != nil:
			all = append(all, block{begin: open, end: m, from: open.end, to: m.start, fixes: carried})
			open, carried = nil, 0
		case hasBody(b[last:m.start]):
			all = append(all, block{end: m, from: last, to: m.start, fixes: carried})
			carried = 0
		case len(all) > 0:
			all[len(all)-1].fixes.add(fixDouble)
		}
		last = m.end
	}
	if open != nil {
		all = append(all, block{begin: open, from: open.end, to: len(b), fixes: carried})
	}
	return all
}

// hasBody reports whether a stretch of text holds a run of base64 worth reading.
func hasBody(b []byte) bool {
	run := 0
	for _, c := range b {
		if isBase64(c) {
			if run++; run >= 12 {
				return true
			}
			continue
		}
		run = 0
	}
	return false
}

func isBase64(c byte) bool {
	return isLetter(c) || c >= '0' && c <= '9' || c == '+' || c == '/' || c == '-' || c == '_'
}
