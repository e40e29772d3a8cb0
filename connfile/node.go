package connfile

import (
	"regexp"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

// A node is a value of a connection file, whichever way the file is written.
type node struct {
	kind    nodeKind
	text    string // of a scalar: as it was written, without quotes and escapes
	at      position
	elems   []node       // of a sequence
	members []nodeMember // of a mapping, in their order; a name may occur twice
}

type nodeMember struct {
	name  string
	at    position
	value node
}

// A position is that of a character, from 1.
type position struct{ line, column int }

type nodeKind uint8

const (
	kindNull nodeKind = iota
	kindBool
	kindNumber // as JSON writes it
	kindText
	kindDoubtful // a number to some readers of YAML, and not to JSON
	kindSequence
	kindMapping
)

// String names the kind for errors.
func (k nodeKind) String() string {
	return [...]string{"empty", "true or false", "a number", "text", "a number that JSON does not know", "a list", "a mapping"}[k]
}

// yamlNumber matches what YAML 1.1 or 1.2 reads as a number, once signs and underscores are taken off.
var yamlNumber = regexp.MustCompile(`^(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|\.(inf|Inf|INF|nan|NaN|NAN))$`)

// plainKind is the kind of a scalar without quotes: by the core schema of YAML 1.2, but only those numbers are numbers that
// are JSON's too, so that each keeps its text.
func plainKind(text string) nodeKind {
	switch text {
	case "", "~", "null", "Null", "NULL":
		return kindNull
	case "true", "True", "TRUE", "false", "False", "FALSE":
		return kindBool
	}
	if strings.IndexByte("+-.0123456789", text[0]) < 0 {
		return kindText
	}
	if v, err := jsontext.Parse(text); err == nil && v.Kind == jsontext.Number && v.Text == text {
		return kindNumber
	}
	if yamlNumber.MatchString(strings.ReplaceAll(strings.TrimLeft(text, "+-"), "_", "")) {
		return kindDoubtful
	}
	return kindText
}
