package text

import (
	"bytes"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// node is a value of JSON, or of what nearly is JSON.
type node struct {
	kind    nodeKind
	text    string // of a string, a number or a word
	names   []string
	values  []*node // members of an object, by names, or elements of an array
	at      int     // where it begins
	cut     bool    // the text ended before it did
	escaped bool
}

type nodeKind uint8

const (
	nodeWord nodeKind = iota // a number, true, false, null
	nodeString
	nodeArray
	nodeObject
)

const (
	maxJSONDepth = 24
	maxJSONNodes = 20000 // a key file has a few dozen; this bounds the memory that a hostile one takes
)

// member returns the first member of an object that has one of the names, without regard to case.
func (n *node) member(names ...string) *node {
	if n == nil || n.kind != nodeObject {
		return nil
	}
	for _, name := range names {
		for i, have := range n.names {
			if strings.EqualFold(have, name) {
				return n.values[i]
			}
		}
	}
	return nil
}

func (n *node) string() string {
	if n == nil || n.kind != nodeString {
		return ""
	}
	return n.text
}

// jsonReader reads JSON and its relatives: Python's repr, JavaScript objects, a comma too many, a tail that is missing. It
// goes over the text once.
type jsonReader struct {
	b       []byte
	at      int
	left    int  // nodes that may still be made
	lenient bool // something was not JSON
	cut     bool // the text ended within a value
	failed  bool
}

// readJSON reads the value that begins at b[at]. ok is false if it makes no sense as JSON or is too large; end is where
// reading stopped.
func readJSON(b []byte, at int) (n *node, end int, lenient, ok bool) {
	r := jsonReader{b: b, at: at, left: maxJSONNodes}
	n = r.value(0)
	return n, r.at, r.lenient || r.cut, !r.failed && n != nil
}

func (r *jsonReader) blanks() {
	for r.at < len(r.b) {
		switch c := r.b[r.at]; {
		case c == ' ' || c == '\n' || c == '\t' || c == '\r':
			r.at++
		case c == '/' && r.at+1 < len(r.b) && r.b[r.at+1] == '/':
			r.lenient = true
			if i := bytes.IndexByte(r.b[r.at:], '\n'); i >= 0 {
				r.at += i
			} else {
				r.at = len(r.b)
			}
		default:
			return
		}
	}
}

func (r *jsonReader) value(depth int) *node {
	r.blanks()
	if r.left--; r.left < 0 || depth > maxJSONDepth || r.failed {
		r.failed = true
		return nil
	}
	if r.at == len(r.b) {
		r.cut = true
		return nil
	}
	switch c := r.b[r.at]; c {
	case '{':
		return r.object(depth)
	case '[':
		return r.array(depth)
	case '"', '\'':
		return r.str()
	}
	return r.word()
}

func (r *jsonReader) object(depth int) *node {
	n := &node{kind: nodeObject, at: r.at}
	for r.at++; ; {
		if r.blanks(); r.at == len(r.b) {
			r.cut, n.cut = true, true
			return n
		}
		switch r.b[r.at] {
		case '}':
			r.at++
			return n
		case ',':
			r.comma(len(n.values))
			continue
		}
		name := r.name()
		if r.blanks(); name == nil || r.at < len(r.b) && r.b[r.at] != ':' {
			r.failed = true
			return n
		}
		r.lenient = r.lenient || name.kind == nodeWord
		if r.at == len(r.b) {
			r.cut, n.cut = true, true
			return n
		}
		r.at++
		value := r.value(depth + 1)
		if value == nil {
			n.cut = true
			return n
		}
		n.names, n.values = append(n.names, name.text), append(n.values, value)
	}
}

// name reads the name of a member, with or without quotes.
func (r *jsonReader) name() *node {
	if c := r.b[r.at]; c == '"' || c == '\'' {
		return r.str()
	}
	return r.word()
}

func (r *jsonReader) array(depth int) *node {
	n := &node{kind: nodeArray, at: r.at}
	for r.at++; ; {
		if r.blanks(); r.at == len(r.b) {
			r.cut, n.cut = true, true
			return n
		}
		switch r.b[r.at] {
		case ']':
			r.at++
			return n
		case ',':
			r.comma(len(n.values))
			continue
		}
		value := r.value(depth + 1)
		if value == nil || r.failed {
			n.cut = true
			return n
		}
		n.values = append(n.values, value)
	}
}

// comma passes a comma, and notes one that has nothing after it or before it.
func (r *jsonReader) comma(before int) {
	r.at++
	r.blanks()
	if before == 0 || r.at < len(r.b) && strings.IndexByte(",]}", r.b[r.at]) >= 0 {
		r.lenient = true
	}
}

func (r *jsonReader) word() *node {
	start := r.at
	for r.at < len(r.b) && (isLetter(r.b[r.at]) || strings.IndexByte("0123456789+-._$", r.b[r.at]) >= 0) && r.at-start < 100 {
		r.at++
	}
	if r.at == start {
		r.failed = true
		return nil
	}
	return &node{kind: nodeWord, text: string(r.b[start:r.at]), at: start}
}

// str reads a string between quotes of either kind. Line breaks in it are let pass.
func (r *jsonReader) str() *node {
	quote := r.b[r.at]
	r.lenient = r.lenient || quote == '\''
	n := &node{kind: nodeString, at: r.at}
	var out []byte
	start := r.at + 1
	for i := start; i < len(r.b); i++ {
		switch r.b[i] {
		case quote:
			n.text = string(append(out, r.b[start:i]...))
			r.at = i + 1
			return n
		case '\n':
			r.lenient = true
		case '\\':
			n.escaped = true
			out = append(out, r.b[start:i]...)
			var size int
			out, size = jsonEscape(out, r.b[i:])
			i += size - 1
			start = i + 1
		}
	}
	n.text = string(append(out, r.b[min(start, len(r.b)):]...))
	n.cut, r.cut, r.at = true, true, len(r.b)
	return n
}

// jsonEscape appends what an escape sequence stands for, and returns its length.
func jsonEscape(out, b []byte) ([]byte, int) {
	if len(b) < 2 {
		return out, 1
	}
	if i := strings.IndexByte("nrtbf", b[1]); i >= 0 {
		return append(out, "\n\r\t\b\f"[i]), 2
	}
	if b[1] != 'u' {
		return append(out, b[1]), 2
	}
	unit, ok := hexUnit(b)
	if !ok {
		return append(out, b[1]), 2
	}
	if low, ok := hexUnit(b[6:]); ok && utf16.IsSurrogate(rune(unit)) {
		return utf8.AppendRune(out, utf16.DecodeRune(rune(unit), rune(low))), 12
	}
	return utf8.AppendRune(out, rune(unit)), 6
}

func hexUnit(b []byte) (uint16, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	n, ok := number(b[2:6], 16)
	return uint16(n), ok
}
