package text

import (
	"bytes"
	"html"
	"strconv"
	"strings"
)

// unescape takes off the encodings that forms, mail, HTML and string literals put around text.
func unescape(t *text) *text {
	for range 3 {
		if !hasPercent(t.b) {
			break
		}
		t = percent(t)
	}
	t = quotedPrintable(t)
	for range 3 {
		next := characters(backslashes(entities(t)))
		if next == t {
			break
		}
		t = next
	}
	return t
}

// hasPercent reports whether b is percent-encoded, and not merely text with a percent sign somewhere.
func hasPercent(b []byte) bool {
	for i := bytes.IndexByte(b, '%'); i >= 0 && i+2 < len(b); {
		switch strings.ToUpper(string(b[i+1 : i+3])) {
		case "0A", "0D", "2B", "2F", "3D", "20", "2D", "25", "22", "7B":
			return true
		}
		next := bytes.IndexByte(b[i+1:], '%')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return false
}

// percent decodes one layer of percent encoding; where "BEGIN+" shows that the text is that of a form, + is a space.
func percent(t *text) *text {
	form := containsFold(t.b, "BEGIN+")
	w := rewriter{from: t}
	for i := 0; i < len(t.b); i++ {
		switch c := t.b[i]; {
		case c == '%' && i+2 < len(t.b):
			if n, ok := number(t.b[i+1:i+3], 16); ok {
				w.replace(i, i+3, lineEnd(byte(n)), fixPercent)
				i += 2
			}
		case c == '+' && form:
			w.replace(i, i+1, " ", fixPercent)
		case c == '&' && form:
			w.replace(i, i+1, "\n", fixPercent)
		}
	}
	return w.text()
}

// lineEnd drops the carriage returns that an encoding has brought out: where they are, newlines are too.
func lineEnd(c byte) string {
	if c == '\r' {
		return ""
	}
	return string([]byte{c})
}

// quotedPrintable decodes what mail programs write (RFC 2045, section 6.7). Base64 has = only at its end, so that =3D, with
// which that end is written, proves the encoding.
func quotedPrintable(t *text) *text {
	if !isQuotedPrintable(t.b) {
		return t
	}
	w := rewriter{from: t}
	for i := 0; i < len(t.b); i++ {
		if t.b[i] != '=' {
			continue
		}
		if i+1 < len(t.b) && t.b[i+1] == '\n' {
			w.replace(i, i+2, "", fixQuoted)
			i++
			continue
		}
		if i+2 < len(t.b) {
			if n, ok := number(t.b[i+1:i+3], 16); ok {
				w.replace(i, i+3, lineEnd(byte(n)), fixQuoted)
				i += 2
			}
		}
	}
	return w.text()
}

// isQuotedPrintable looks for escapes that base64 cannot have. Soft line breaks alone look like padding; solve knows better.
func isQuotedPrintable(b []byte) bool {
	return bytes.Contains(b, []byte("=3D")) || bytes.Contains(b, []byte("=2B")) || bytes.Contains(b, []byte("=0A")) || bytes.Contains(b, []byte("=2D"))
}

// entities decodes character references, and takes out the tags that stand for line ends or for nothing.
func entities(t *text) *text {
	if bytes.IndexByte(t.b, '&') < 0 && bytes.IndexByte(t.b, '<') < 0 {
		return t
	}
	w := rewriter{from: t}
	for i := 0; i < len(t.b); i++ {
		switch t.b[i] {
		case '&':
			if end := bytes.IndexByte(t.b[i:min(i+12, len(t.b))], ';'); end > 1 {
				ref := string(t.b[i : i+end+1])
				if s := html.UnescapeString(ref); s != ref && len(s) <= 3 {
					w.replace(i, i+end+1, entityText(s), fixEntities)
					i += end
				}
			}
		case '<':
			if end := bytes.IndexByte(t.b[i:min(i+100, len(t.b))], '>'); end > 1 {
				if with, ok := tags[tagName(t.b[i+1:i+end])]; ok {
					w.replace(i, i+end+1, with, fixEntities)
					i += end
				}
			}
		}
	}
	return w.text()
}

// tags has the tags which stand within a text that was copied from a page.
var tags = map[string]string{
	"br": "\n", "p": "\n", "div": "\n", "li": "\n", "pre": "\n", "tr": "\n",
	"wbr": "", "span": "", "code": "", "font": "", "b": "", "i": "", "td": "", "tt": "",
}

func tagName(tag []byte) string {
	name := bytes.TrimLeft(tag, "/")
	for i, c := range name {
		if (c|0x20) < 'a' || (c|0x20) > 'z' {
			name = name[:i]
			break
		}
	}
	if len(name) > 4 {
		return ""
	}
	return strings.ToLower(string(name))
}

func entityText(s string) string {
	switch s {
	case "\r":
		return ""
	case "\u00a0":
		return " "
	case "\u2010", "\u2013", "\u2014":
		return "-"
	}
	return s
}

// backslashes undoes the escapes of string literals, whatever the number of backslashes: JSON, shells, C, YAML, Markdown.
func backslashes(t *text) *text {
	if bytes.IndexByte(t.b, '\\') < 0 {
		return t
	}
	w := rewriter{from: t}
	for i := 0; i < len(t.b); i++ {
		c := t.b[i]
		if c != '\\' {
			continue
		}
		start := i
		for i < len(t.b) && t.b[i] == '\\' {
			i++
		}
		n, with, fix := escaped(t.b[i:])
		w.replace(start, i+n, with, fix)
		i += n - 1
	}
	return w.text()
}

// escaped reads what follows a run of backslashes: how many bytes belong to the escape, and what it stands for.
func escaped(b []byte) (n int, with string, fix Fix) {
	if len(b) == 0 {
		return 0, "", fixEscapes
	}
	switch b[0] {
	case 'n':
		return 1, "\n", fixLiteralN
	case 'r':
		if next := bytes.TrimLeft(b[1:min(len(b), 20)], "\\"); len(next) < len(b)-1 && len(next) > 0 && next[0] == 'n' {
			return 1, "", fixLiteralN
		}
		return 1, "\n", fixLiteralN
	case 't':
		return 1, " ", fixEscapes
	case 'u':
		return numeric(b, 1, 4, 16)
	case 'x':
		return numeric(b, 1, 2, 16)
	case '0', '1':
		return numeric(b, 0, 3, 8)
	}
	return 0, "", fixEscapes // a quote, a slash, a dash or the end of a line stands for itself
}

// number reads digits, all of which must be such.
func number(digits []byte, base int) (n int, ok bool) {
	u, err := strconv.ParseUint(string(digits), base, 31)
	return int(u), err == nil
}

func numeric(b []byte, from, digits, base int) (int, string, Fix) {
	if len(b) < from+digits {
		return 0, "", fixEscapes
	}
	n, ok := number(b[from:from+digits], base)
	switch {
	case !ok || n > 0x7e && base < 16:
		return 0, "", fixEscapes
	case n == '\n':
		return from + digits, "\n", fixLiteralN
	case n == '\r':
		return from + digits, "", fixLiteralN
	case n == 0 || n >= 0xd800 && n < 0xe000:
		return from + digits, "", fixEscapes
	}
	return from + digits, string(rune(n)), fixEscapes
}

// containsFold is bytes.Contains without regard to case, for an upper-case word of ASCII.
func containsFold(b []byte, word string) bool { return indexFold(b, word) >= 0 }

func indexFold(b []byte, word string) int {
	first := word[0]
	for i := 0; i+len(word) <= len(b); i++ {
		if (b[i] == first || b[i] == first|0x20) && equalFold(b[i:i+len(word)], word) {
			return i
		}
	}
	return -1
}

func equalFold(b []byte, word string) bool { return strings.EqualFold(string(b), word) }
