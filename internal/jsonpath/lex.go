package jsonpath

import (
	"strings"
	"unicode/utf8"
)

// kind is that of a token.
type kind byte

const (
	mark   kind = iota // punctuation and operators
	name               // what stands after a dot
	word               // the name of a function, true, false or null
	number             // an index, a part of a slice, or a literal
	quoted             // a string with its quotation marks
	space
)

// token is a piece of a path. The texts of all tokens together are the path.
type token struct {
	kind kind
	text string
}

const spaces = " \t\r\n"

// notInName are the characters that end a name after a dot. All others may stand there without brackets, also those for which
// RFC 9535 wants them (section 2.5.1.1): error.retry-after.
const notInName = spaces + ".[]()'\"/\\*?,=<>$!&|"

// lex cuts a path into tokens. It accepts every text; the parser refuses what is no path.
func lex(text string) []token {
	var tokens []token
	for text != "" {
		k, n := next(text)
		tokens = append(tokens, token{k, text[:n]})
		text = text[n:]
		if last := tokens[len(tokens)-1].text; last != "." && last != ".." {
			continue
		}
		if n := run(text, func(c rune) bool { return !strings.ContainsRune(notInName, c) }); n > 0 {
			tokens = append(tokens, token{name, text[:n]})
			text = text[n:]
		}
	}
	return tokens
}

// next returns the kind and the length of the token with which text begins.
func next(text string) (kind, int) {
	switch c := text[0]; {
	case strings.IndexByte(spaces, c) >= 0:
		return space, run(text, func(c rune) bool { return strings.ContainsRune(spaces, c) })
	case c == '\'' || c == '"':
		return quoted, quotedLength(text)
	case c == '-' || isDigit(rune(c)):
		return number, numberLength(text)
	case isNameChar(rune(c)) || c >= utf8.RuneSelf:
		return word, run(text, isNameChar)
	}
	for _, operator := range []string{"==", "!=", "<=", ">=", "&&", "||", ".."} {
		if strings.HasPrefix(text, operator) {
			return mark, 2
		}
	}
	return mark, 1
}

// quotedLength is that of a string up to its closing quotation mark, or of the rest where there is none.
func quotedLength(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case text[0]:
			return i + 1
		}
	}
	return len(text)
}

// numberLength is that of a number of JSON, whose integer part may also have zeros before it: the parser refuses those.
func numberLength(text string) int {
	n := 1 + run(text[1:], isDigit)
	if strings.HasPrefix(text[n:], ".") {
		if digits := run(text[n+1:], isDigit); digits > 0 {
			n += 1 + digits
		}
	}
	if rest := text[n:]; rest != "" && (rest[0] == 'e' || rest[0] == 'E') {
		sign := run(rest[1:min(2, len(rest))], func(c rune) bool { return c == '+' || c == '-' })
		if digits := run(rest[1+sign:], isDigit); digits > 0 {
			n += 1 + sign + digits
		}
	}
	return n
}

// run is how many bytes at the beginning of text are characters that fit.
func run(text string, fits func(rune) bool) int {
	n := strings.IndexFunc(text, func(c rune) bool { return !fits(c) })
	if n < 0 {
		return len(text)
	}
	return n
}

func isDigit(c rune) bool { return '0' <= c && c <= '9' }

// isNameChar reports whether c can stand in a name without brackets (RFC 9535, section 2.5.1.1).
func isNameChar(c rune) bool {
	return c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' && c < utf8.RuneSelf || isDigit(c) || c >= utf8.RuneSelf
}
