package connfile

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

// Marshal writes a connection as YAML, in the order of its fields, without what is zero. Parse reads it back: all but its
// secrets, since of a Secret only a reference is written, and ****** for any other, which Parse refuses. What Go alone can set
// (Key, Lookup, Transport, Limiter and Logger) is left out.
func Marshal(conn *jwtbearer.Connection) ([]byte, error) {
	if conn == nil {
		return nil, errors.New("connfile: no connection to write: it is nil")
	}
	e := new(encoder)
	n := e.encode("", reflect.ValueOf(conn).Elem())
	if len(e.errs) > 0 {
		return nil, errors.Join(e.errs...)
	}
	text := writeYAML(n)
	if err := readsBack(n, text); err != nil {
		return nil, err
	}
	return []byte(text), nil
}

// readsBack makes sure that what was written says what was meant.
func readsBack(n node, text string) error {
	docs, bad := documents([]byte(text))
	if bad != nil {
		return bad
	}
	again, bad := docs[0].read()
	if bad != nil {
		return bad
	}
	if len(docs) != 1 || len(n.members) > 0 && !same(n, again) {
		return errors.New("connfile: the connection holds text that YAML cannot carry")
	}
	return nil
}

// same reports whether two nodes say the same.
func same(a, b node) bool {
	return a.kind == b.kind && (a.kind == kindNull || a.text == b.text) && slices.EqualFunc(a.elems, b.elems, same) &&
		slices.EqualFunc(a.members, b.members, func(a, b nodeMember) bool { return a.name == b.name && same(a.value, b.value) })
}

// An encoder turns Connections into nodes.
type encoder struct {
	errs  []error
	depth int
}

func (e *encoder) fail(field, problem, hint string) node {
	e.errs = append(e.errs, &Error{Field: field, Problem: problem, Hint: hint})
	return node{}
}

func (e *encoder) encode(field string, v reflect.Value) node {
	switch value := v.Interface().(type) {
	case jwtbearer.Secret:
		return e.text(field, value.String())
	case jwtbearer.JSON:
		return e.json(field, string(value))
	case time.Duration:
		return node{kind: kindText, text: durationText(value)}
	}
	switch v.Kind() {
	case reflect.String:
		return e.text(field, v.String())
	case reflect.Bool:
		return node{kind: kindBool, text: strconv.FormatBool(v.Bool())}
	case reflect.Int, reflect.Int64:
		return node{kind: kindNumber, text: strconv.FormatInt(v.Int(), 10)}
	case reflect.Struct:
		return e.mapping(field, v)
	case reflect.Map:
		return e.stringMap(field, v)
	case reflect.Slice:
		n := node{kind: kindSequence}
		for i := range v.Len() {
			n.elems = append(n.elems, e.encode(fmt.Sprintf("%s[%d]", field, i), v.Index(i)))
		}
		return n
	case reflect.Pointer:
		return e.pointer(field, v)
	}
	panic("connfile: internal error: no way to write a " + v.Type().String())
}

// mostHops bounds the chain of Exchange.Next, which may be a ring.
const mostHops = 50

func (e *encoder) pointer(field string, v reflect.Value) node {
	if e.depth == mostHops {
		return e.fail(field, "is nested too deep", "shorten the chain")
	}
	e.depth++
	defer func() { e.depth-- }()
	return e.encode(field, v.Elem())
}

func (e *encoder) mapping(field string, v reflect.Value) node {
	n := node{kind: kindMapping}
	fields := fieldsOf(v.Type())
	for _, name := range fields.names {
		if value := v.Field(fields.index[name]); !value.IsZero() {
			n.members = append(n.members, nodeMember{name: name, value: e.encode(join(field, name), value)})
		}
	}
	return n
}

func (e *encoder) stringMap(field string, v reflect.Value) node {
	n := node{kind: kindMapping}
	byName := func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) }
	for _, key := range slices.SortedFunc(v.Seq(), byName) {
		field := element(field, key.String())
		n.members = append(n.members, nodeMember{name: e.text(field, key.String()).text, value: e.encode(field, v.MapIndex(key))})
	}
	return n
}

func (e *encoder) text(field, text string) node {
	if !utf8.ValidString(text) {
		return e.fail(field, "holds bytes that are not UTF-8", "put them into a file, and refer to it: ${file:key.der}")
	}
	return node{kind: kindText, text: text}
}

func (e *encoder) json(field, text string) node {
	v, err := jsontext.Parse(text)
	if bad, ok := errors.AsType[*jsontext.SyntaxError](err); ok {
		return e.fail(field, fmt.Sprintf("is not JSON (line %d, column %d: %s)", bad.Line, bad.Column, jsonProblem(bad.Problem)), "")
	}
	if v.Kind != jsontext.Object {
		return e.fail(field, "is not a JSON object", "")
	}
	return e.value(field, v)
}

func (e *encoder) value(field string, v jsontext.Value) node {
	switch v.Kind {
	case jsontext.Number:
		return node{kind: kindNumber, text: v.Text}
	case jsontext.String:
		return e.text(field, v.Text)
	case jsontext.Array:
		n := node{kind: kindSequence}
		for i, elem := range v.Elems {
			n.elems = append(n.elems, e.value(fmt.Sprintf("%s[%d]", field, i), elem))
		}
		return n
	case jsontext.Object:
		n := node{kind: kindMapping}
		for _, m := range v.Members {
			n.members = append(n.members, nodeMember{name: e.text(field, m.Name).text, value: e.value(join(field, m.Name), m.Value)})
		}
		return n
	}
	return node{kind: plainKind(v.Text), text: v.Text}
}

// durationText is the shortest form of d that time.ParseDuration reads.
func durationText(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
