// Package jsontext reads a JSON text (RFC 8259) and writes it again without losing what a decoder into Go values loses: the
// order of members, the text of numbers, and unpaired surrogates. It is strict: names that occur twice, invalid UTF-8 and
// nesting beyond MaxDepth are errors, and no error shows a piece of a value.
package jsontext

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxDepth is how deep arrays and objects may be nested.
const MaxDepth = 500

// A Kind is the kind of a Value.
type Kind uint8

const (
	Literal Kind = iota // null, true or false
	Number
	String
	Array
	Object
)

// A Value is a JSON value.
type Value struct {
	Kind Kind

	// Text is a literal or a number as it was written, and a string without quotes and escapes. An unpaired surrogate in a
	// string is kept as the three bytes that UTF-8 would need for it, so that such a string is not valid UTF-8.
	Text string

	Elems   []Value  // of an Array
	Members []Member // of an Object, in their order; no two have the same name
}

// A Member is a member of an object. Its name is kept as Value.Text is.
type Member struct {
	Name  string
	Value Value
}

// SyntaxError tells where a text is not what Parse accepts.
type SyntaxError struct {
	Offset  int // in bytes, from 0
	Line    int // from 1
	Column  int // in characters, from 1
	Problem string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Problem)
}

// AtBraces reports whether the text, which gave the error, goes on with {{ there: what begins an action of a template, and needs
// quotes in JSON.
func (e *SyntaxError) AtBraces(text string) bool {
	return strings.HasPrefix(text[max(0, e.Offset-1):], "{{") || strings.HasPrefix(text[e.Offset:], "{{")
}

// Sort puts the members of all objects in v into the order of their names, compared by UTF-16 code units as ECMAScript's
// Array.prototype.sort and RFC 8785, section 3.2.3, do. It reorders in place.
func (v Value) Sort() {
	for _, e := range v.Elems {
		e.Sort()
	}
	for _, m := range v.Members {
		m.Value.Sort()
	}
	slices.SortFunc(v.Members, func(a, b Member) int { return compareUTF16(a.Name, b.Name) })
}

// compareUTF16 differs from the order of bytes only where one string has a character beyond U+FFFF, and the other a
// surrogate or one beyond them.
func compareUTF16(a, b string) int {
	beyond := func(r rune) bool { return r >= 0xd800 }
	if strings.IndexFunc(a, beyond) < 0 || strings.IndexFunc(b, beyond) < 0 {
		return strings.Compare(a, b)
	}
	return slices.Compare(units(a), units(b))
}

func units(s string) []uint16 {
	var u []uint16
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if half, ok := surrogate(s); ok {
			r, size = half, 3
		}
		if r > 0xffff {
			high, low := utf16.EncodeRune(r)
			u = append(u, uint16(high), uint16(low))
		} else {
			u = append(u, uint16(r))
		}
		s = s[size:]
	}
	return u
}

// surrogate returns the unpaired surrogate that s begins with.
func surrogate(s string) (r rune, ok bool) {
	if len(s) < 3 || s[0] != 0xed || s[1] < 0xa0 || s[1] > 0xbf || s[2]&0xc0 != 0x80 {
		return 0, false
	}
	return 0xd000 | rune(s[1]&0x3f)<<6 | rune(s[2]&0x3f), true
}
