package text

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

// ppkMark begins every PuTTY private key (PuTTY manual, appendix C).
const ppkMark = "PuTTY-User-Key-File-"

// ppkNames are the fields in the order in which they stand.
var ppkNames = []string{
	ppkMark, "Encryption:", "Comment:", "Public-Lines:", "Key-Derivation:", "Argon2-Memory:", "Argon2-Passes:",
	"Argon2-Parallelism:", "Argon2-Salt:", "Private-Lines:", "Private-MAC:",
}

// ppkAt is where a file begins, or -1.
func ppkAt(b []byte) int { return indexFold(b, strings.ToUpper(ppkMark)) }

// ppkText puts the lines of a PPK file in order, wherever its line ends have gone. end is where the last field ends; missing
// names the first thing that is not there.
func ppkText(b []byte) (out []byte, end int, fixes fixSet, missing string) {
	at, spans := 0, ppkSpans(b)
	var above []byte // the value of the field before
	for i, name := range ppkNames {
		span := spans[i]
		if span == nil {
			continue
		}
		end = at + span[1]
		value := b[span[0]:span[1]]
		switch name {
		case "Public-Lines:", "Private-Lines:":
			lines, fix, ok := ppkBlob(value, name == "Public-Lines:")
			if !ok && missing == "" {
				missing = "lines after " + strings.TrimSuffix(name, ":")
			}
			fixes |= fix
			out = fmt.Appendf(out, "%s %s", name, lines)
		case ppkMark:
			out = fmt.Appendf(out, "%s%s\n", ppkMark, ppkFirst(value))
		case "Comment:":
			out = fmt.Appendf(out, "%s %s\n", name, ppkComment(value, above))
		default:
			out = fmt.Appendf(out, "%s %s\n", name, bareValue(value))
		}
		above = value
	}
	if spans[len(spans)-1] == nil && missing == "" {
		missing = "Private-MAC at the end"
	}
	return out, end, fixes, missing
}

// ppkSpans finds where the value of each field begins and ends.
func ppkSpans(b []byte) [][]int {
	spans := make([][]int, len(ppkNames))
	last := -1
	at := 0
	for i, name := range ppkNames {
		next := indexFold(b[at:], strings.ToUpper(name))
		if next < 0 {
			continue
		}
		if last >= 0 {
			spans[last][1] = at + next
		}
		at += next + len(name)
		spans[i] = []int{at, len(b)}
		last = i
	}
	if mac := spans[len(spans)-1]; mac != nil {
		i := mac[0]
		for i < len(b) && (b[i] == ' ' || b[i] == '\t') {
			i++
		}
		for i < len(b) && isHex(b[i]) {
			i++
		}
		mac[1] = i
	}
	return spans
}

// ppkFirst is the version and the algorithm, of "3: ssh-rsa" or "3:ssh-rsa".
func ppkFirst(value []byte) string {
	version, algorithm, _ := strings.Cut(bareValue(value), ":")
	return version + ": " + strings.TrimSpace(algorithm)
}

// ppkComment is the comment, which counts in the MAC and keeps its spaces where its line is whole: but for those at its end where
// the line above, of Encryption, has the same or is padded to the same width, as copying from a terminal leaves them.
func ppkComment(value, above []byte) string {
	line, _, whole := bytes.Cut(value, []byte{'\n'})
	if !whole {
		return bareValue(value)
	}
	comment := strings.TrimPrefix(string(line), " ")
	above, _, _ = bytes.Cut(above, []byte{'\n'})
	padding := above[len(bytes.TrimRight(above, " \t")):]
	if len(padding) > 0 && len("Encryption:")+len(above) == len("Comment:")+len(line) {
		return strings.TrimRight(comment, " \t")
	}
	return strings.TrimSuffix(comment, string(padding))
}

func bareValue(value []byte) string { return strings.Trim(string(value), " \t\n\"',;+`\\") }

// ppkBlob reads a number of lines and the base64 after it. The blob of the public half states its own length; of the
// private half the number of lines is known.
func ppkBlob(value []byte, public bool) (string, fixSet, bool) {
	count, rest := ppkCount(bytes.TrimLeft(value, " \t"), public)
	clean, _ := cleanLines(rest)
	q := squeeze(clean)
	if len(q.letters)%4 != 0 && (len(q.letters)+q.padding)%4 != 0 && bytes.IndexByte(bytes.TrimSpace(rest), ' ') > 0 {
		s := spread{raw: rest}
		if plus := s.plus(); (len(plus.letters)+plus.padding)%4 == 0 {
			q = plus
		}
	}
	var out strings.Builder
	letters := string(q.letters) + strings.Repeat("=", (4-len(q.letters)%4)%4)
	fmt.Fprintf(&out, "%d\n", count)
	for i := 0; i < len(letters); i += 64 {
		out.WriteString(letters[i:min(i+64, len(letters))])
		out.WriteByte('\n')
	}
	whole := (len(letters)+63)/64 == count && len(q.letters)%4 != 1
	if data, _ := decode(q.letters); public && whole {
		whole = sealed.NewReader(data).Strings() == nil
	}
	q.fixes.drop(fixNewlines)
	return out.String(), q.fixes, whole
}

// ppkCount reads the number of lines. Where nothing separates it from base64 that begins with a digit, the number of letters
// tells where it ends.
func ppkCount(value []byte, public bool) (int, []byte) {
	digits := 0
	for digits < len(value) && digits < 4 && value[digits] >= '0' && value[digits] <= '9' {
		digits++
	}
	apart := digits < len(value) && (bytes.IndexByte([]byte(" \t\n"), value[digits]) >= 0)
	for n := digits; n > 0; n-- {
		count, _ := strconv.Atoi(string(value[:n]))
		if apart || public || (len(value)-n+63)/64 == count {
			return count, value[n:]
		}
	}
	return 0, value
}
