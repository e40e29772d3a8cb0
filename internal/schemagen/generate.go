package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
)

var connectionType = reflect.TypeFor[jwtbearer.Connection]()

// A generator makes the schema of each struct that a Connection is made of.
type generator struct {
	source *source
	facts  map[string]fact
	used   map[string]bool // of facts
	defs   members
}

// generate returns the schema, as it stands in the file.
func generate(module fs.FS) ([]byte, error) {
	src, err := readSource(module, "connection.go", "ratelimit.go", "signer.go")
	if err != nil {
		return nil, err
	}
	profiles, err := profileNames(module)
	if err != nil {
		return nil, err
	}
	g := &generator{source: src, facts: facts(src, profiles), used: make(map[string]bool)}
	g.define(connectionType)
	if err := g.allUsed(); err != nil {
		return nil, err
	}
	return format(g.document())
}

// allUsed refuses a fact about a field that there is no more.
func (g *generator) allUsed() error {
	for name := range g.facts {
		if !g.used[name] {
			return fmt.Errorf("there is no field %s", name)
		}
	}
	return nil
}

// document is the whole of the schema: a file holds one connection, or a list of named ones.
func (g *generator) document() node {
	slices.SortFunc(g.defs, func(a, b member) int { return bytes.Compare([]byte(a.name), []byte(b.name)) })
	return node{
		Schema:      "https://json-schema.org/draft/2020-12/schema",
		ID:          "https://raw.githubusercontent.com/seed-363d07a3/jwtbearer/main/schema/connection.schema.json",
		Title:       "Connection file of jwtbearer",
		Description: fileDescription,
		If:          &node{Type: "array"},
		Then: &node{Items: &node{Ref: ref("Connection")}, If: &node{MinItems: 2},
			Then: &node{Items: &node{Required: []string{"name"}}}},
		Else:     &node{Ref: ref("Connection")},
		Examples: fileExamples,
		Defs: append(g.defs, member{"reference", reference},
			member{"duration", duration(unsignedDuration)}, member{"durationOrNone", duration(signedDuration)}),
	}
}

func profileNames(module fs.FS) ([]string, error) {
	text, err := fs.ReadFile(module, "internal/throttle/profiles.json")
	if err != nil {
		return nil, err
	}
	var profiles []struct{ Name string }
	if err := json.Unmarshal(text, &profiles); err != nil {
		return nil, err
	}
	names := make([]string, len(profiles))
	for i, p := range profiles {
		names[i] = p.Name
	}
	return names, nil
}

func format(document node) ([]byte, error) {
	text, err := marshal(document)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = json.Indent(&b, text, "", "  ")
	b.WriteByte('\n')
	return b.Bytes(), err
}

func ref(name string) string { return "#/$defs/" + name }

// define adds the schema of a struct, and of those in it, and returns what refers to it.
func (g *generator) define(t reflect.Type) node {
	if slices.ContainsFunc(g.defs, func(m member) bool { return m.name == t.Name() }) {
		return node{Ref: ref(t.Name())}
	}
	at := len(g.defs)
	g.defs = append(g.defs, member{name: t.Name()}) // known from here on: an Exchange holds another
	def := node{Description: g.source.comments[t.Name()], Type: "object", AdditionalProperties: false}
	if t == connectionType {
		def.Description = connectionDescription
		def.Properties = members{{"$schema", schemaProperty}}
	}
	for f := range t.Fields() {
		if f.Tag.Get("json") != "-" {
			def.Properties = append(def.Properties, member{key(f), g.field(t, f)})
		}
	}
	rule := rules[t.Name()]
	def.Required, def.AnyOf, def.AllOf = rule.Required, rule.AnyOf, rule.AllOf
	g.defs[at].value = def
	return node{Ref: ref(t.Name())}
}

// field is the schema of a field: what its type says, and what is known besides.
func (g *generator) field(t reflect.Type, f reflect.StructField) node {
	path := t.Name() + "." + f.Name
	about := g.facts[path]
	g.used[path] = true
	n := g.value(f.Type)
	if about.signed {
		n.Minimum = nil
		if f.Type == durationType {
			n = node{Ref: ref("durationOrNone")}
		}
	}
	if about.instead != nil {
		n = about.instead(n)
	}
	n.Description = g.source.describe(t, f)
	n.Default, n.Examples = about.standard, about.examples
	return n
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	secretType   = reflect.TypeFor[jwtbearer.Secret]()
	jsonType     = reflect.TypeFor[jwtbearer.JSON]()
)

// value is the schema of a type.
func (g *generator) value(t reflect.Type) node {
	switch t {
	case durationType:
		return node{Ref: ref("duration")}
	case secretType:
		return node{Type: textTypes, Not: &node{Const: "******"}}
	case jsonType:
		return node{Type: "object"}
	}
	switch t.Kind() {
	case reflect.String:
		return node{Type: textTypes}
	case reflect.Bool:
		return node{Type: "boolean"}
	case reflect.Int, reflect.Int64:
		return node{Type: "integer", Minimum: new(0)}
	case reflect.Slice:
		return node{Type: "array", Items: new(g.value(t.Elem()))}
	case reflect.Map:
		return node{Type: "object", AdditionalProperties: new(g.value(t.Elem()))}
	case reflect.Pointer:
		return g.value(t.Elem())
	}
	return g.define(t)
}
