package connfile

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
	"github.com/seed-363d07a3/jwtbearer/internal/nearest"
)

// A decoder fills Connections from nodes. It goes by the Go types, so that a new field of theirs is a new key here. It goes on
// after a problem, to find them all.
type decoder struct{ errs []*Error }

// connection decodes a whole Connection.
func (d *decoder) connection(n node) *jwtbearer.Connection {
	c := new(jwtbearer.Connection)
	if n.kind != kindMapping {
		d.fail(n.at, "", "is "+n.kind.String()+", not a mapping of settings", "write lines such as baseURI: https://api.example.com")
		return c
	}
	n.members = slices.DeleteFunc(slices.Clone(n.members), func(m nodeMember) bool { return m.name == schemaKey })
	d.decode("", n, reflect.ValueOf(c).Elem())
	return c
}

// schemaKey is where a JSON file names its schema for the benefit of editors.
const schemaKey = "$schema"

func (d *decoder) fail(at position, field, problem, hint string) {
	d.errs = append(d.errs, &Error{Line: at.line, Column: at.column, Field: field, Problem: problem, Hint: hint})
}

// decode sets v, whose path in the file is field, to what n says. Nothing sets it: the field is as if it were not there.
func (d *decoder) decode(field string, n node, v reflect.Value) {
	if n.kind == kindNull {
		return
	}
	switch v.Type() {
	case reflect.TypeFor[jwtbearer.JSON]():
		d.json(field, n, v)
		return
	case reflect.TypeFor[time.Duration]():
		d.duration(field, n, v)
		return
	}
	switch v.Kind() {
	case reflect.String:
		d.string(field, n, v)
	case reflect.Bool:
		d.bool(field, n, v)
	case reflect.Int, reflect.Int64:
		d.int(field, n, v)
	case reflect.Struct:
		d.mapping(field, n, v)
	case reflect.Map:
		d.stringMap(field, n, v)
	case reflect.Slice:
		d.list(field, n, v)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(field, n, v.Elem())
	default:
		panic("connfile: internal error: no way to read a " + v.Type().String())
	}
}

// masked is how a Secret prints, and what Marshal writes for one.
const masked = "******"

const (
	maskedProblem = masked + ", which stands for a secret that was not saved"
	maskedHint    = "write the secret itself, or a reference such as ${env:NAME}"
)

// string takes numbers, true and false as they are written: values: [5, 1.10, true].
func (d *decoder) string(field string, n node, v reflect.Value) {
	switch n.kind {
	case kindText, kindNumber, kindBool:
	case kindDoubtful:
		d.fail(n.at, field, "is "+n.kind.String()+", which readers of YAML take for different values", "put it in quotes")
		return
	default:
		hint := "give one value"
		if n.kind == kindMapping && strings.HasSuffix(strings.ToLower(field), "body") {
			hint = `write it as text: JSON in quotes, '{"a": 1}', or in the lines below a |`
		} else if n.kind == kindMapping {
			hint = "write it as one text, in quotes where it holds JSON"
		}
		d.fail(n.at, field, "is "+n.kind.String()+", not text", hint)
		return
	}
	switch {
	case v.Type() == reflect.TypeFor[jwtbearer.Secret]() && n.text == masked:
		d.fail(n.at, field, "is "+maskedProblem, maskedHint)
	case d.sound(field, n.at, n.text):
		v.SetString(n.text)
	}
}

// sound refuses the text of a JSON string that no Go string holds.
func (d *decoder) sound(field string, at position, text string) bool {
	if !utf8.ValidString(text) {
		d.fail(at, field, "holds half of a surrogate pair, which is no character", "remove it")
		return false
	}
	return true
}

func (d *decoder) bool(field string, n node, v reflect.Value) {
	switch {
	case n.kind == kindBool:
		v.SetBool(strings.EqualFold(n.text, "true"))
	case n.kind == kindText:
		d.fail(n.at, field, "is text, not true or false", "write true or false, without quotes")
	default:
		d.fail(n.at, field, "is "+n.kind.String()+", not true or false", "")
	}
}

func (d *decoder) int(field string, n node, v reflect.Value) {
	i, err := strconv.ParseInt(n.text, 10, v.Type().Bits())
	switch {
	case n.kind == kindText:
		d.fail(n.at, field, "is text, not a whole number", "write digits alone, without quotes")
	case n.kind == kindSequence || n.kind == kindMapping || n.kind == kindBool:
		d.fail(n.at, field, "is "+n.kind.String()+", not a whole number", "")
	case n.kind != kindNumber || err != nil:
		d.fail(n.at, field, "is not a whole number, or a too large one", "write digits alone")
	default:
		v.SetInt(i)
	}
}

func (d *decoder) duration(field string, n node, v reflect.Value) {
	t, err := time.ParseDuration(n.text)
	switch {
	case n.kind == kindNumber && t == 0 && err == nil:
		v.SetInt(0)
	case n.kind == kindNumber:
		d.fail(n.at, field, "is a number without a unit", `write the unit, as in "30s", "1m30s" or "500ms"`)
	case n.kind != kindText:
		d.fail(n.at, field, "is "+n.kind.String()+", not a duration", `write it as "30s", "1m30s" or "500ms"`)
	case err != nil:
		d.fail(n.at, field, "is not a duration", `write it as "30s", "1m30s" or "500ms"; the units are h, m, s, ms, us and ns`)
	default:
		v.SetInt(int64(t))
	}
}

func (d *decoder) mapping(field string, n node, v reflect.Value) {
	if n.kind != kindMapping {
		d.fail(n.at, field, "is "+n.kind.String()+", not a mapping of settings", "write each setting in a line below, as key: value")
		return
	}
	fields := fieldsOf(v.Type())
	for _, m := range d.distinct(field, n) {
		if i, ok := fields.index[m.name]; ok {
			d.decode(join(field, m.name), m.value, v.Field(i))
		} else {
			d.unknown(field, m, v.Type())
		}
	}
}

func (d *decoder) unknown(field string, m nodeMember, t reflect.Type) {
	e := &Error{Line: m.at.line, Column: m.at.column, Field: field,
		Problem: "unknown key " + showKey(m.name), Hint: keyHint(m.name, t)}
	if !hidden(m.name) {
		e.Text = m.name + ": …"
	}
	d.errs = append(d.errs, e)
}

// keyHint suggests what was meant by a key that the struct t does not have.
func keyHint(key string, t reflect.Type) string {
	known := fieldsOf(t).names
	if near := cmp.Or(nearest.Name(key, known), elsewhere[strings.ToLower(key)]); slices.Contains(known, near) {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if owner := ownerOf(key, t); owner != "" {
		return fmt.Sprintf("it is a key of %q: write it there, indented", owner)
	}
	if i := slices.IndexFunc(goOnly, func(name string) bool { return strings.EqualFold(name, key) }); i >= 0 {
		return goOnly[i] + " is set in Go, on the Connection that Load returns"
	}
	if t == reflect.TypeFor[jwtbearer.Connection]() {
		return "remove it, or see jwtbearer schema for the keys"
	}
	return "the keys here are " + strings.Join(known, ", ")
}

// ownerOf returns the first key of the struct t whose value has that key.
func ownerOf(key string, t reflect.Type) string {
	fields := fieldsOf(t)
	for _, name := range fields.names {
		inner := t.Field(fields.index[name]).Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if inner.Kind() != reflect.Struct {
			continue
		}
		if _, ok := fieldsOf(inner).index[key]; ok {
			return name
		}
	}
	return ""
}

// elsewhere has the keys by which other programs know some settings.
var elsewhere = map[string]string{
	"url": "baseURI", "endpoint": "baseURI", "host": "baseURI", "headers": "httpHeaders", "alg": "signatureMethod",
	"algorithm": "signatureMethod", "claims": "payload", "pem": "privateKey", "cert": "certificate", "expiresin": "lifetime",
}

// goOnly are the fields of Connection that have no place in a file.
var goOnly = []string{"Key", "Lookup", "Transport", "Limiter", "Logger"}

func (d *decoder) stringMap(field string, n node, v reflect.Value) {
	if n.kind != kindMapping {
		d.fail(n.at, field, "is "+n.kind.String()+", not a mapping of names to text", "write each in a line below, as name: value")
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, m := range d.distinct(field, n) {
		value := reflect.New(v.Type().Elem()).Elem()
		if !d.sound(field, m.at, m.name) {
			continue
		}
		d.required(element(field, m.name), m.value, value)
		v.SetMapIndex(reflect.ValueOf(m.name), value)
	}
}

func (d *decoder) list(field string, n node, v reflect.Value) {
	if n.kind != kindSequence {
		d.fail(n.at, field, "is "+n.kind.String()+", not a list", listHint(v.Type().Elem()))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.elems), len(n.elems)))
	for i, elem := range n.elems {
		d.required(fmt.Sprintf("%s[%d]", field, i), elem, v.Index(i))
	}
}

// listHint shows how a list of elements of that type is written.
func listHint(t reflect.Type) string {
	if t.Kind() != reflect.Struct {
		return "write it as [a, b], or each in a line below with a dash before it"
	}
	names := fieldsOf(t).names
	return fmt.Sprintf("write each in a line below, with a dash before it and its keys, of %s: - %s: …", strings.Join(names, ", "), names[len(names)-1])
}

// required decodes an element of a list or map, where nothing is no value.
func (d *decoder) required(field string, n node, v reflect.Value) {
	if n.kind == kindNull {
		d.fail(n.at, field, "is empty", `give it a value; for empty text write ""`)
		return
	}
	d.decode(field, n, v)
}

// distinct returns the members of n that have a name of their own.
func (d *decoder) distinct(field string, n node) []nodeMember {
	var members []nodeMember
	first := make(map[string]position, len(n.members))
	for _, m := range n.members {
		if at, twice := first[m.name]; twice {
			d.fail(m.at, field, "the key "+showKey(m.name)+" is there twice",
				fmt.Sprintf("the first is in line %d; remove one", at.line))
			continue
		}
		first[m.name] = m.at
		members = append(members, m)
	}
	return members
}

// json turns nested mappings into the text of a JSON object.
func (d *decoder) json(field string, n node, v reflect.Value) {
	switch n.kind {
	case kindMapping:
		v.SetString(string(d.value(field, n).Append(nil)))
	case kindText:
		d.fail(n.at, field, "is text, not a mapping", "write the object itself, without quotes around it")
	default:
		d.fail(n.at, field, "is "+n.kind.String()+", not a mapping", "write each member in a line below, as name: value")
	}
}

func (d *decoder) value(field string, n node) jsontext.Value {
	v := jsontext.Value{Text: n.text}
	switch n.kind {
	case kindNull:
		v.Text = "null"
	case kindBool:
		v.Text = strings.ToLower(n.text)
	case kindNumber:
		v.Kind = jsontext.Number
	case kindText:
		v.Kind = jsontext.String
	case kindSequence:
		v.Kind = jsontext.Array
		for i, elem := range n.elems {
			v.Elems = append(v.Elems, d.value(fmt.Sprintf("%s[%d]", field, i), elem))
		}
	case kindMapping:
		v.Kind = jsontext.Object
		for _, m := range d.distinct(field, n) {
			v.Members = append(v.Members, jsontext.Member{Name: m.name, Value: d.value(join(field, m.name), m.value)})
		}
	case kindDoubtful:
		d.fail(n.at, field, "is "+n.kind.String(), "write it as JSON does, or put it in quotes if it is text")
	}
	return v
}

// fieldSet is the keys of a struct in their order.
type fieldSet struct {
	names []string
	index map[string]int
}

func fieldsOf(t reflect.Type) fieldSet {
	fields := fieldSet{index: make(map[string]int)}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		fields.names = append(fields.names, name)
		fields.index[name] = i
	}
	return fields
}

// join appends a key to a path.
func join(field, key string) string {
	if hidden(key) {
		key = "…"
	}
	return strings.TrimPrefix(field+"."+key, ".")
}

// element appends the name of an element of a map to a path.
func element(field, name string) string {
	if hidden(name) {
		name = "…"
	}
	return field + "[" + name + "]"
}
