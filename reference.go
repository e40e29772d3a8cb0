package jwtbearer

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// resolveReferences returns a copy of conn that shares no map or slice with it and in which every string that is a reference
// has the value that Lookup gives. Templates stay as they are: a reference there is resolved when it is compiled, so that its
// value is never read as a template.
func resolveReferences(conn *Connection, p *problems) *Connection {
	r := &resolver{lookup: conn.Lookup, p: p}
	resolved := *conn
	r.resolve("", reflect.ValueOf(&resolved).Elem())
	return &resolved
}

// templateFields are those whose strings are templates. The JSON ones are known by their type.
var templateFields = []string{"BaseURI", "HTTPHeaders", "Ping.RelativeURI", "Ping.Body", "Ping.Headers",
	"Exchange.TokenURL", "Exchange.Headers"}

type resolver struct {
	lookup func(string) (string, error)
	p      *problems
}

// resolve resolves the references in v, which can be set, and copies what it shares.
func (r *resolver) resolve(path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[Secret]() && v.String() == redacted {
			r.p.add(path, "is ******, which is how a secret prints, not the secret",
				"set the secret itself, or a reference such as ${env:NAME}")
		}
		if v.Type() != reflect.TypeFor[JSON]() && !isTemplateField(path) {
			v.SetString(r.value(path, v.String()))
		}
	case reflect.Struct:
		for field, value := range v.Fields() {
			r.resolve(strings.TrimPrefix(path+"."+field.Name, "."), value)
		}
	case reflect.Slice:
		v.Set(cloneSlice(v))
		for i := range v.Len() {
			r.resolve(fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case reflect.Map:
		v.Set(r.resolveMap(path, v))
	case reflect.Pointer:
		if !v.IsNil() && v.Type() == reflect.TypeFor[*Exchange]() && strings.Count(path, ".Next") < mostHops {
			own := reflect.New(v.Type().Elem())
			own.Elem().Set(v.Elem())
			v.Set(own)
			r.resolve(path, own.Elem())
		}
	}
}

func (r *resolver) resolveMap(path string, v reflect.Value) reflect.Value {
	if v.IsNil() {
		return v
	}
	own := reflect.MakeMapWithSize(v.Type(), v.Len())
	byName := func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) }
	for _, key := range slices.SortedFunc(v.Seq(), byName) {
		value := reflect.New(v.Type().Elem()).Elem()
		value.Set(v.MapIndex(key))
		r.resolve(fmt.Sprintf("%s[%s]", path, key), value)
		own.SetMapIndex(key, value)
	}
	return own
}

func cloneSlice(v reflect.Value) reflect.Value {
	if v.IsNil() {
		return v
	}
	own := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
	reflect.Copy(own, v)
	return own
}

func isTemplateField(path string) bool {
	path = strings.ReplaceAll(path, "Exchange.Next.", "Exchange.")
	return slices.ContainsFunc(templateFields, func(f string) bool { return path == f || strings.HasPrefix(path, f+"[") })
}

// unknown stands for a value that could not be resolved while all else is checked. It is not empty, and both a word and a number, so
// that few checks refuse it.
const unknown = "0"

// value returns what a string stands for.
func (r *resolver) value(path, text string) string {
	ref, ok := reference(text)
	if !ok {
		return text
	}
	value, err := lookUp(r.lookup, ref)
	if err != nil {
		r.p.unresolved = append(r.p.unresolved, &ConfigError{Field: path, cause: err, Hint: "set it, or put the value itself here",
			Problem: fmt.Sprintf("refers to %s, which could not be resolved: %s", ref, err)})
		return unknown
	}
	return value
}

// referencesBy makes what templates resolve references with.
func referencesBy(lookup func(string) (string, error)) func(text string) (ref, value string, err error) {
	return func(text string) (ref, value string, err error) {
		ref, ok := reference(text)
		if !ok {
			return "", "", nil
		}
		value, err = lookUp(lookup, ref)
		return ref, value, err
	}
}

// errNoLookup says that there is nobody to ask for the value of a reference.
var errNoLookup = errors.New("Connection.Lookup is nil")

// lookUp resolves one reference. Where it fails, it gives no value, and none in its error either.
func lookUp(lookup func(string) (string, error), ref string) (string, error) {
	if lookup == nil {
		return "", errNoLookup
	}
	value, err := lookup(ref)
	switch {
	case err == nil:
		return value, nil
	case value != "" && strings.Contains(err.Error(), value):
		err = errors.New(strings.ReplaceAll(err.Error(), value, redacted))
	}
	return "", err
}
