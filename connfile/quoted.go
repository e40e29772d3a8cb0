package connfile

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/goccy/go-yaml/token"
)

// soundEscapes reports whether the escape sequences of a double-quoted scalar stand for characters: goccy takes any letters for
// hexadecimal digits, and half a surrogate pair for U+FFFD. Since its columns do not count tabs, any quotation mark to the
// right may be the one that opens the scalar.
func (r *yamlReader) soundEscapes(t *token.Token) bool {
	if !r.numericEscapes {
		return true
	}
	text := r.line(t.Position.Line)
	for i := range strings.Count(t.Origin, "\n") {
		text += "\n" + r.line(t.Position.Line+1+i)
	}
	for range t.Position.Column - 1 {
		_, size := utf8.DecodeRuneInString(text)
		text = text[size:]
	}
	for {
		_, quoted, found := strings.Cut(text, `"`)
		if !found {
			return false
		}
		if value, ok := unquote(quoted); ok && value == t.Value {
			return true
		}
		text = quoted
	}
}

// simpleEscapes are the escape sequences of one character in pairs: how it is written, and what it means (YAML 1.2.2, section 5.7).
var simpleEscapes = strings.NewReplacer("0", "\x00", "a", "\a", "b", "\b", "t", "\t", "\t", "\t", "n", "\n", "v", "\v", "f", "\f",
	"r", "\r", "e", "\x1b", "N", "\u0085", "_", "\u00a0", "L", "\u2028", "P", "\u2029")

// unquote reads a double-quoted scalar, whose opening mark is read already, up to its closing mark.
func unquote(s string) (value string, ok bool) {
	var b strings.Builder
	for s != "" && s[0] != '"' {
		i := strings.IndexAny(s, "\"\\\n")
		switch {
		case i < 0:
			return "", false
		case i > 0 && s[i] == '\n':
			b.WriteString(strings.TrimRight(s[:i], " \t"))
		case i > 0:
			b.WriteString(s[:i])
		}
		switch s = s[i:]; {
		case s[0] == '\n':
			rest := strings.TrimLeft(s, " \t\n")
			if breaks := strings.Count(s[:len(s)-len(rest)], "\n"); breaks > 1 {
				b.WriteString(strings.Repeat("\n", breaks-1))
			} else {
				b.WriteByte(' ')
			}
			s = rest
		case strings.HasPrefix(s, "\\\n"):
			s = strings.TrimLeft(s[2:], " \t")
		case s[0] == '\\':
			r, size := escape(s[1:])
			if size == 0 {
				return "", false
			}
			b.WriteString(r)
			s = s[1+size:]
		}
	}
	return b.String(), s != ""
}

// escape reads what stands behind a backslash, and tells its length; zero is an error.
func escape(s string) (value string, size int) {
	if s == "" {
		return "", 0
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[0]]
	if digits == 0 {
		return simpleEscapes.Replace(s[:1]), 1
	}
	r, ok := hexRune(s[1:], digits)
	size = 1 + digits
	if ok && utf16.IsSurrogate(r) && strings.HasPrefix(s[size:], `\u`) {
		low, _ := hexRune(s[size+2:], 4)
		r, size = utf16.DecodeRune(r, low), size+6
		ok = r != unicode.ReplacementChar
	}
	if !ok || utf16.IsSurrogate(r) || r > unicode.MaxRune {
		return "", 0
	}
	return string(r), size
}

// hexRune reads so many hexadecimal digits at the start of s.
func hexRune(s string, digits int) (rune, bool) {
	if len(s) < digits {
		return 0, false
	}
	n, err := strconv.ParseUint(s[:digits], 16, 31)
	return rune(n), err == nil
}
