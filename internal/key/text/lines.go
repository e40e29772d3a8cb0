package text

import (
	"bytes"
	"strings"
)

// cleanLines takes from each line what is not part of it: indentation, quotes and operators of source code, comment marks,
// line-end marks. Blanks inside stay.
func cleanLines(raw []byte) ([]byte, fixSet) {
	var fixes fixSet
	out := make([]byte, 0, len(raw))
	for len(raw) > 0 {
		line, rest, more := bytes.Cut(raw, []byte{'\n'})
		raw = rest
		line, fix := cleanLine(line)
		fixes |= fix
		out = append(out, line...)
		if more {
			out = append(out, '\n')
		}
	}
	return bytes.Trim(out, "\n"), fixes
}

func cleanLine(line []byte) ([]byte, fixSet) {
	var fixes fixSet
	if isBare(line) {
		return line, 0
	}
	line = bytes.TrimRight(line, " \t")
	bare := bytes.TrimLeft(line, " \t")
	if len(bare) < len(line) && len(bare) > 0 {
		fixes.add(fixIndent)
	}
	if bytes.ContainsAny(bare, "\"'`") {
		bare = literal(bare)
		fixes.add(fixQuotes)
	}
	bare = trimRight(bare, &fixes)
	return trimLeft(bare, &fixes), fixes
}

// isBare reports whether a line has nothing but base64, so that there is nothing to take off.
func isBare(line []byte) bool {
	for _, c := range line {
		if !isBase64(c) && c != '=' {
			return false
		}
	}
	return len(line) > 1
}

// literal returns the content of the string literal in a line of source code: the longest piece between quotes, or between
// one and the end, that is base64.
func literal(line []byte) []byte {
	var best []byte
	for next := 0; next < len(line); {
		end := len(line)
		if i := bytes.IndexAny(line[next:], "\"'`"); i >= 0 {
			end = next + i
		}
		piece := bytes.Trim(line[next:end], " \t")
		next = end + 1
		bare := bytes.TrimRight(piece, "=\\,;$")
		if len(piece) > len(best) && bytes.IndexFunc(bare, func(r rune) bool { return r > 0x7f || !isBase64(byte(r)) && r != ' ' }) < 0 {
			best = piece
		}
	}
	if len(best) == 1 && bytes.IndexByte([]byte("+._&-"), best[0]) >= 0 {
		return nil // an operator
	}
	return best
}

// trimRight takes off closing quotes and what follows them in source code, and the marks of cat -A.
func trimRight(line []byte, fixes *fixSet) []byte {
	for len(line) > 0 {
		last := line[len(line)-1]
		rest := bytes.TrimRight(line[:len(line)-1], " \t")
		switch last {
		case '"', '\'', '`':
			fixes.add(fixQuotes)
		case ',', ';', ')', '\\', '|', '$', ']', '}':
			fixes.add(fixResidue)
		case 'M':
			if !bytes.HasSuffix(rest, []byte("^")) {
				return line
			}
			rest = rest[:len(rest)-1]
			fixes.add(fixResidue)
		case '+', '.', '&', '_', '<', '~':
			apart := len(rest) == 0 || len(rest) < len(line)-1 || strings.IndexByte("\"'`", rest[len(rest)-1]) >= 0
			if !apart {
				return line
			}
			fixes.add(fixResidue)
		default:
			return line
		}
		line = rest
	}
	return line
}

// trimLeft takes off comment, quotation and list marks.
func trimLeft(line []byte, fixes *fixSet) []byte {
	for len(line) > 0 {
		rest := bytes.TrimLeft(line[1:], " \t")
		switch line[0] {
		case '>', '|', '#', '*', ':', ';', '%', ',', '(', '[', '{', '!', '~':
		case '+', '.', '&', '-':
			if len(rest) == len(line)-1 && len(rest) > 0 {
				return line
			}
		case '/':
			after, ok := bytes.CutPrefix(line, []byte("// "))
			if !ok {
				return line
			}
			rest = after
		default:
			return line
		}
		fixes.add(fixPrefix)
		line = rest
	}
	return line
}

// withoutPrefix takes from every line the prefix that the BEGIN line has too: the same text, or a line number.
func withoutPrefix(raw, prefix []byte) ([]byte, bool) {
	prefix = bytes.TrimRight(prefix, " \t")
	if len(bytes.TrimSpace(prefix)) == 0 || len(prefix) > 200 || bytes.IndexByte(raw, '\n') < 0 {
		return nil, false
	}
	numbered := linePrefix(prefix) == len(prefix)
	out := make([]byte, 0, len(raw))
	_, raw, _ = bytes.Cut(raw, []byte{'\n'})
	for len(raw) > 0 {
		line, rest, more := bytes.Cut(raw, []byte{'\n'})
		raw = rest
		switch {
		case numbered && linePrefix(line) > 0:
			line = line[linePrefix(line):]
		case !numbered && bytes.HasPrefix(line, prefix):
			line = line[len(prefix):]
		case len(bytes.TrimSpace(line)) > 0 && more:
			return nil, false
		}
		out = append(append(out, line...), '\n')
	}
	// The last piece is what stands before the END line: the prefix alone.
	return out, true
}

// linePrefix returns the length of a line number with its mark, "12:" or "  12  ", at the start of a line.
func linePrefix(line []byte) int {
	i := len(line) - len(bytes.TrimLeft(line, " \t"))
	digits := i
	for i < len(line) && line[i] >= '0' && line[i] <= '9' {
		i++
	}
	if i == digits || i-digits > 7 {
		return 0
	}
	if i == len(line) {
		return i
	}
	if strings.IndexByte(":.)|]-", line[i]) >= 0 {
		i++
	} else if line[i] != ' ' && line[i] != '\t' {
		return 0
	}
	rest := bytes.TrimLeft(line[i:], " \t")
	if after, ok := bytes.CutPrefix(rest, []byte{'|'}); ok { // as compilers show source
		rest = bytes.TrimLeft(after, " \t")
	}
	return len(line) - len(rest)
}

// pemHeaders takes the headers of RFC 1421 from the start of a body, also where newlines and spaces between them are lost.
func pemHeaders(raw []byte) (dek string, rest []byte, fixes fixSet) {
	head := raw[:min(len(raw), 1024)]
	if i := indexFold(head, "DEK-INFO:"); i >= 0 {
		if dek, n := dekInfo(raw[i+len("DEK-INFO:"):]); n > 0 {
			rest, fixes = headerEnd(raw[i+len("DEK-INFO:")+n:])
			if hasEmptyLine(raw[:i]) {
				fixes.add(fixEmpty)
			}
			return dek, rest, fixes
		}
	}
	return "", textHeaders(raw), 0
}

// headerEnd takes the empty line that ends the headers (RFC 1421, section 4.4) from what follows the last of them. Without it
// OpenSSL takes the first line of the key for a header.
func headerEnd(after []byte) (rest []byte, fixes fixSet) {
	line, rest, found := bytes.Cut(after, []byte{'\n'})
	switch {
	case len(bytes.TrimSpace(line)) > 0:
		fixes.add(fixNewlines)
		return after, fixes
	case !found:
		return nil, 0
	}
	empty, body, _ := bytes.Cut(rest, []byte{'\n'})
	if len(bytes.TrimSpace(empty)) > 0 {
		fixes.add(fixHeaderEnd)
		return rest, fixes
	}
	return body, 0
}

// hasEmptyLine reports whether a line of nothing but spaces stands between two others. RFC 7468, section 2, allows none within a
// body, and OpenSSL reads none.
func hasEmptyLine(raw []byte) bool {
	for line := range bytes.Lines(bytes.TrimSpace(raw)) {
		if len(bytes.TrimSpace(line)) == 0 {
			return true
		}
	}
	return false
}

// emptyAtEdge reports whether such a line stands directly below the BEGIN line or above the END line, whose newlines raw includes.
func emptyAtEdge(raw []byte) bool {
	isSpace := func(r rune) bool { return r == ' ' || r == '\t' || r == '\n' }
	start := raw[:len(raw)-len(bytes.TrimLeftFunc(raw, isSpace))]
	end := raw[len(bytes.TrimRightFunc(raw, isSpace)):]
	return bytes.Count(start, []byte{'\n'}) > 1 || bytes.Count(end, []byte{'\n'}) > 1
}

// dekInfo reads the value of DEK-Info (RFC 1421, section 4.6.1.3), perhaps broken into several lines as a narrow terminal does. The
// cipher says how long the hexadecimal digits of its initialisation vector are, which separates them from a body that follows at
// once. n is the length of what was read; zero: there is no such value.
func dekInfo(b []byte) (value string, n int) {
	i := 0
	take := func(most int, fits func(byte) bool) string {
		var taken []byte
		for i += softBreak(b[i:]); i < len(b) && len(taken) < most; {
			gap := softBreak(b[i:])
			if i+gap == len(b) || !fits(b[i+gap]) {
				break
			}
			taken = append(taken, b[i+gap])
			i += gap + 1
		}
		return strings.ToUpper(string(taken))
	}
	cipher := take(24, func(c byte) bool { return isLetter(c) || c >= '0' && c <= '9' || c == '-' })
	if i += softBreak(b[i:]); i == len(b) || b[i] != ',' {
		return "", 0
	}
	i++
	return cipher + "," + take(2*blockSize(cipher), isHex), i
}

// softBreak is the length of the spaces at the start of b, with one newline among them at most.
func softBreak(b []byte) int {
	newlines := 0
	for i, c := range b {
		if c == '\n' {
			newlines++
		}
		if c != ' ' && c != '\t' && c != '\n' || newlines > 1 {
			return i
		}
	}
	return len(b)
}

// blockSize returns that of the cipher with which a DEK-Info value begins.
func blockSize(dek string) int {
	for _, short := range []string{"DES", "BF", "CAST", "RC2", "IDEA", "RC5"} {
		if strings.HasPrefix(dek, short) {
			return 8
		}
	}
	return 16
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }

// textHeaders takes other "Name: value" lines from the start of a body, with their continuation lines (RFC 4716, section 3.3).
func textHeaders(raw []byte) []byte {
	for range 1000 {
		trimmed := bytes.TrimLeft(raw, " \t\n")
		line, rest, found := bytes.Cut(trimmed, []byte{'\n'})
		name, _, ok := bytes.Cut(line, []byte{':'})
		if !ok || !found || !isName(name) {
			return raw
		}
		for bytes.HasSuffix(bytes.TrimRight(line, " \t"), []byte{'\\'}) {
			line, rest, _ = bytes.Cut(rest, []byte{'\n'})
		}
		raw = rest
	}
	return raw
}

// isName reports whether b may be the name of a header or a variable.
func isName(b []byte) bool {
	if len(b) == 0 || len(b) > 64 || !isLetter(b[0]) && b[0] != '_' {
		return false
	}
	for _, c := range b {
		if !isLetter(c) && (c < '0' || c > '9') && strings.IndexByte("_-.", c) < 0 {
			return false
		}
	}
	return true
}
