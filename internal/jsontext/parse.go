package jsontext

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Parse reads text, which must be one JSON value and nothing else. Its errors are *SyntaxError.
func Parse(text string) (Value, error) {
	p := parser{text: text}
	v, ok := p.value(0)
	if p.space(); ok && p.pos < len(text) {
		p.fail("expected the end of the text")
	}
	if p.err != nil {
		return Value{}, p.err
	}
	return v, nil
}

// parser stands at text[pos]. Its methods return false once err is set.
type parser struct {
	text string
	pos  int
	err  *SyntaxError
}

func (p *parser) fail(problem string) bool { return p.failAt(p.pos, problem) }

func (p *parser) failAt(pos int, problem string) bool {
	if p.err == nil {
		line, column := Position(p.text, pos)
		p.err = &SyntaxError{Offset: pos, Line: line, Column: column, Problem: problem}
	}
	return false
}

// Position converts a byte offset of text to a line and a column in characters, both from 1.
func Position(text string, offset int) (line, column int) {
	before := text[:offset]
	start := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[start:]) + 1
}

func (p *parser) space() {
	for p.pos < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.pos]) >= 0 {
		p.pos++
	}
}

// peek skips space and returns the next byte, 0 at the end.
func (p *parser) peek() byte {
	p.space()
	if p.pos == len(p.text) {
		return 0
	}
	return p.text[p.pos]
}

// take skips space and the byte c, if that is next.
func (p *parser) take(c byte) bool {
	if p.peek() != c || p.pos == len(p.text) {
		return false
	}
	p.pos++
	return true
}

func (p *parser) value(depth int) (v Value, ok bool) {
	switch c := p.peek(); {
	case c == '{' || c == '[':
		if depth == MaxDepth {
			return v, p.fail("nested too deep")
		}
		p.pos++
		if c == '{' {
			return p.object(depth + 1)
		}
		return p.array(depth + 1)
	case c == '"':
		v.Kind = String
		v.Text, ok = p.string()
		return v, ok
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	}
	for _, literal := range []string{"null", "true", "false"} {
		if strings.HasPrefix(p.text[p.pos:], literal) {
			p.pos += len(literal)
			return Value{Kind: Literal, Text: literal}, true
		}
	}
	return v, p.fail("expected a value")
}

func (p *parser) array(depth int) (v Value, ok bool) {
	v.Kind = Array
	if p.take(']') {
		return v, true
	}
	for {
		e, ok := p.value(depth)
		if !ok {
			return v, false
		}
		v.Elems = append(v.Elems, e)
		if p.take(']') {
			return v, true
		}
		if !p.take(',') {
			return v, p.fail("expected a comma or ]")
		}
	}
}

func (p *parser) object(depth int) (v Value, ok bool) {
	v.Kind = Object
	if p.take('}') {
		return v, true
	}
	seen := make(map[string]struct{})
	for {
		m, ok := p.member(depth, seen)
		if !ok {
			return v, false
		}
		v.Members = append(v.Members, m)
		if p.take('}') {
			return v, true
		}
		if !p.take(',') {
			return v, p.fail("expected a comma or }")
		}
	}
}

func (p *parser) member(depth int, seen map[string]struct{}) (m Member, ok bool) {
	if p.peek() != '"' {
		return m, p.fail(`expected a member name in double quotes`)
	}
	start := p.pos
	if m.Name, ok = p.string(); !ok {
		return m, false
	}
	if _, twice := seen[m.Name]; twice {
		return m, p.failAt(start, "the name "+string(AppendString(nil, m.Name))+" occurs twice in one object")
	}
	seen[m.Name] = struct{}{}
	if !p.take(':') {
		return m, p.fail("expected a colon")
	}
	m.Value, ok = p.value(depth)
	return m, ok
}

func (p *parser) number() (v Value, ok bool) {
	rest := p.text[p.pos:]
	n := numberLen(rest)
	if n == 0 {
		return v, p.fail("a number that JSON does not know")
	}
	p.pos += n
	return Value{Kind: Number, Text: rest[:n]}, true
}

// numberLen returns how many bytes at the start of s are a number, and 0 where it is not well formed.
func numberLen(s string) int {
	n := 0
	digits := func() bool {
		start := n
		for n < len(s) && '0' <= s[n] && s[n] <= '9' {
			n++
		}
		return n > start
	}
	next := func(set string) bool {
		if n == len(s) || strings.IndexByte(set, s[n]) < 0 {
			return false
		}
		n++
		return true
	}
	next("-")
	if zero := next("0"); zero && n < len(s) && '0' <= s[n] && s[n] <= '9' || !zero && !digits() {
		return 0
	}
	if next(".") && !digits() {
		return 0
	}
	if next("eE") {
		next("+-")
		if !digits() {
			return 0
		}
	}
	return n
}

// string reads a string, whose opening quote is next.
func (p *parser) string() (string, bool) {
	start := p.pos
	p.pos++
	var b []byte
	for from := p.pos; p.pos < len(p.text); {
		switch c := p.text[p.pos]; {
		case c == '"':
			p.pos++
			if b == nil {
				return p.text[from : p.pos-1], true
			}
			return string(append(b, p.text[from:p.pos-1]...)), true
		case c == '\\':
			b = append(b, p.text[from:p.pos]...)
			r, ok := p.escape()
			if !ok {
				return "", false
			}
			b = appendRune(b, r)
			from = p.pos
		case c < ' ':
			return "", p.fail("a control character in a string must be escaped")
		case c < utf8.RuneSelf:
			p.pos++
		default:
			r, size := utf8.DecodeRuneInString(p.text[p.pos:])
			if r == utf8.RuneError && size == 1 {
				return "", p.fail("not valid UTF-8")
			}
			p.pos += size
		}
	}
	return "", p.failAt(start, "a string without its closing quote")
}

const (
	escaped = `"\/bfnrt`
	meant   = "\"\\/\b\f\n\r\t"
)

// escape reads an escape sequence, and both halves where it is a surrogate pair.
func (p *parser) escape() (rune, bool) {
	rest := p.text[p.pos+1:]
	if rest != "" {
		if i := strings.IndexByte(escaped, rest[0]); i >= 0 {
			p.pos += 2
			return rune(meant[i]), true
		}
	}
	r, ok := unicodeEscape(p.text[p.pos:])
	if !ok {
		return 0, p.fail("an escape sequence that JSON does not know")
	}
	p.pos += 6
	if low, ok := unicodeEscape(p.text[p.pos:]); ok {
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			p.pos += 6
			return pair, true
		}
	}
	return r, true
}

// unicodeEscape reads \uXXXX at the start of s.
func unicodeEscape(s string) (r rune, ok bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[2:6], 16, 32)
	return rune(n), err == nil
}

// appendRune appends r in UTF-8, and an unpaired surrogate as UTF-8 would encode it if it could.
func appendRune(b []byte, r rune) []byte {
	if utf16.IsSurrogate(r) {
		return append(b, 0xed, 0x80|byte(r>>6)&0x3f, 0x80|byte(r)&0x3f)
	}
	return utf8.AppendRune(b, r)
}
