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
func pemHeaders(raw []byte) (dek string, rest []byte, joined bool) {
	head := raw[:min(len(raw), 1024)]
	if i := indexFold(head, "DEK-INFO:"); i >= 0 {
		if dek, n := dekInfo(raw[i+len("DEK-INFO:"):]); n > 0 {
			after := raw[i+len("DEK-INFO:")+n:]
			lost := len(after) > 0 && after[0] != '\n' && after[0] != '\r'
			return dek, after, lost
		}
	}
	return "", textHeaders(raw), false
}

// dekInfo reads the value of DEK-Info (RFC 1421, section 4.6.1.3). The cipher says how long the hexadecimal digits of its
// initialisation vector are, which separates them from a body that follows at once.
func dekInfo(b []byte) (string, int) {
	i := 0
	skip := func() {
		for i < len(b) && (b[i] == ' ' || b[i] == '\t') {
			i++
		}
	}
	skip()
	start := i
	for i < len(b) && i < start+24 && (isLetter(b[i]) || b[i] >= '0' && b[i] <= '9' || b[i] == '-') {
		i++
	}
	cipher := strings.ToUpper(string(b[start:i]))
	if skip(); i == len(b) || b[i] != ',' {
		return "", 0
	}
	i++
	skip()
	digits := i
	for i < len(b) && i < digits+2*blockSize(cipher) && isHex(b[i]) {
		i++
	}
	return cipher + "," + strings.ToUpper(string(b[digits:i])), i
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
