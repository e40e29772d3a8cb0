package text

import (
	"bytes"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// characters replaces what editors, terminals, word processors and web pages put in place of plain ASCII, and lone
// carriage returns. CRLF becomes LF silently.
func characters(t *text) *text {
	w := rewriter{from: t}
	for i := 0; i < len(t.b); {
		c := t.b[i]
		if c >= ' ' && c < 0x7f || c == '\n' || c == '\t' {
			i++
			continue
		}
		n, with, fix := character(t.b[i:])
		if n > 0 {
			w.replace(i, i+n, with, fix)
			i += n
			continue
		}
		_, size := utf8.DecodeRune(t.b[i:])
		i += size
	}
	return w.text()
}

// character says how many bytes at the start of b are to be replaced, and by what. Zero: keep.
func character(b []byte) (n int, with string, fix Fix) {
	switch c := b[0]; {
	case c == '\r':
		return carriageReturn(b)
	case c == 0x1b:
		return escapeCode(b), "", fixEscapeCodes
	case c == '\v' || c == '\f':
		return 1, "\n", fixLineMarks
	case c < ' ' || c == 0x7f:
		return 1, "", fixControl
	}
	if bytes.HasPrefix(b, []byte(doubleBOM)) {
		return len(doubleBOM), "", fixBOM
	}
	r, size := utf8.DecodeRune(b)
	if with, fix = plain(r); fix != none {
		return size, with, fix
	}
	return 0, "", none
}

func carriageReturn(b []byte) (int, string, Fix) {
	n := 1
	for n < len(b) && b[n] == '\r' && n < 4 {
		n++
	}
	if n < len(b) && b[n] == '\n' {
		return n, "", none
	}
	return 1, "\n", fixCR
}

// escapeCode returns the length of a terminal control sequence (ECMA-48, section 5.4) at the start of b.
func escapeCode(b []byte) int {
	if len(b) < 2 || b[1] != '[' {
		return 1
	}
	for i := 2; i < len(b) && i < 32; i++ {
		if b[i] >= 0x40 && b[i] <= 0x7e {
			return i + 1
		}
	}
	return 1
}

// plain returns the ASCII text for which r stands, and the fix; none: r stays.
func plain(r rune) (string, Fix) {
	switch r {
	case 0xfeff:
		return "", fixBOM
	case 0x85, 0x2028, 0x2029, '¶', '↵', '⏎', '␊', '␍', '␤':
		return "\n", fixLineMarks
	case '·', '→', '⇥', 0x2800:
		return " ", fixSpaces
	case '−', '⁃', '˗', '─', '━', 'ー', '﹘', '－':
		return "-", fixDashes
	case '"', '„', '“', '”', '«', '»', '″', '＂', '‟':
		return `"`, fixQuotes
	case '‘', '’', '‚', '‹', '›', '′', '´', '＇', '‛':
		return "'", fixQuotes
	case '…':
		return "...", fixInvisible
	case 0x115f, 0x1160, 0x3164, 0x34f, 0x180e:
		return "", fixInvisible
	}
	switch {
	case r >= 0xff01 && r <= 0xff5e:
		return string(r - 0xfee0), fixFullWidth
	case unicode.Is(unicode.Zs, r):
		return " ", fixSpaces
	case unicode.Is(unicode.Pd, r):
		return "-", fixDashes
	case unicode.Is(unicode.Cf, r) || r >= 0xfe00 && r <= 0xfe0f:
		return "", fixInvisible
	case unicode.Is(unicode.Cc, r):
		return "", fixControl
	}
	return "", none
}

// doubleBOM is a byte order mark whose UTF-8 was once taken for Windows-1252.
const doubleBOM = "ï»¿"

// fromUTF16 converts UTF-16 text, with or without a byte order mark, as Windows tools write it.
func fromUTF16(b []byte) ([]byte, bool) {
	if len(b) < 4 {
		return nil, false
	}
	little := b[0] == 0xff && b[1] == 0xfe || b[1] == 0 && b[3] == 0 && b[0] != 0 && b[2] != 0
	big := b[0] == 0xfe && b[1] == 0xff || b[0] == 0 && b[2] == 0 && b[1] != 0 && b[3] != 0
	if little == big {
		return nil, false
	}
	units := make([]uint16, 0, len(b)/2)
	for i := 0; i+1 < len(b); i += 2 {
		hi, lo := b[i], b[i+1]
		if little {
			hi, lo = lo, hi
		}
		units = append(units, uint16(hi)<<8|uint16(lo))
	}
	out := make([]byte, 0, len(units)+16)
	for _, r := range utf16.Decode(units) {
		if r != 0xfeff {
			out = utf8.AppendRune(out, r)
		}
	}
	return out, true
}
