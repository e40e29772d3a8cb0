package text

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// node is a JSON value.
type node struct {
	kind   nodeKind
	text   string // of a string
	names  []string
	values []*node // members of an object, by names, or elements of an array
	at     int     // the end of its first token
}

type nodeKind uint8

const (
	nodeOther nodeKind = iota // a number, true or false
	nodeNull
	nodeString
	nodeArray
	nodeObject
)

const (
	maxJSONDepth = 24
	maxJSONNodes = 20000 // a key file has a few dozen; this bounds the memory that a hostile one takes
)

var errLargeJSON = errors.New("more values or deeper ones than a key file has")

// member returns the first member of an object that has one of the names, without regard to case.
func (n *node) member(names ...string) *node {
	if n.kind != nodeObject {
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

// string is the text of a string, or "".
func (n *node) string() string {
	if n == nil {
		return ""
	}
	return n.text
}

// jsonReader reads one value, token by token, so that it knows where each stands and stops at the bounds.
type jsonReader struct {
	decoder *json.Decoder
	start   int // of the decoder's input
	left    int // values that may still be read
}

// readJSON reads the value that begins at b[at]. end is where reading stopped.
func readJSON(b []byte, at int) (n *node, end int, ok bool) {
	r := jsonReader{decoder: json.NewDecoder(bytes.NewReader(b[at:])), start: at, left: maxJSONNodes}
	n, err := r.value(0)
	return n, r.at(), err == nil
}

func (r *jsonReader) at() int { return r.start + int(r.decoder.InputOffset()) }

func (r *jsonReader) value(depth int) (*node, error) {
	token, err := r.decoder.Token()
	if r.left--; r.left < 0 || depth > maxJSONDepth {
		return nil, errLargeJSON
	}
	if err != nil {
		return nil, err
	}
	n := &node{at: r.at()}
	switch token := token.(type) {
	case nil:
		n.kind = nodeNull
	case string:
		n.kind, n.text = nodeString, token
	case json.Delim:
		n.kind = nodeArray
		if token == '{' {
			n.kind = nodeObject
		}
		return n, r.content(n, depth+1)
	}
	return n, nil
}

// content reads what is in an array or an object, and its end.
func (r *jsonReader) content(n *node, depth int) error {
	for r.decoder.More() {
		if n.kind == nodeObject {
			name, err := r.decoder.Token()
			if err != nil {
				return err
			}
			n.names = append(n.names, name.(string))
		}
		value, err := r.value(depth)
		if err != nil {
			return err
		}
		n.values = append(n.values, value)
	}
	_, err := r.decoder.Token()
	return err
}
