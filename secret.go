package jwtbearer

import (
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/redact"
)

// redacted is what every Secret prints.
const redacted = redact.Mark

// Secret is a string that does not print: fmt with any verb for strings, log/slog, text/template and html/template, and the encoders
// of encoding/json and encoding/xml all give "******" for it. The empty Secret prints as nothing, so that "not set" can be told from
// "set", and a reference, such as ${env:NAME}, prints as it is, since it names a secret without holding one.
//
// Where "******" would be stored in place of the secret without anybody noticing, a Secret is an error instead: encoding/gob (and so
// net/rpc) and database/sql refuse it, and with it a Connection, TLS or Token that holds one. Both read a Secret as they read a string.
//
// Some code looks at the kind of a value and asks it nothing, which no type can prevent: fmt for an unexported field of a struct
// (give that struct a String method) and for the verbs %p and %w (go vet finds them), encoding/json for the key of a map,
// encoding/xml for a field with the option comment, encoding/asn1, and the built-in println.
//
// Convert it with string(s) where the value itself is needed.
type Secret string

// String implements fmt.Stringer. It never gives the secret.
func (s Secret) String() string {
	if ref, ok := reference(string(s)); s == "" || ok && shownReference(ref) == ref {
		return string(s)
	}
	return redacted
}

// Format implements fmt.Formatter for all verbs and flags.
func (s Secret) Format(f fmt.State, verb rune) {
	if verb == 'q' || verb == 'v' && f.Flag('#') {
		fmt.Fprintf(f, "%q", s.String())
		return
	}
	io.WriteString(f, s.String())
}

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON implements json.Marshaler. What it writes cannot be read back as a secret.
func (s Secret) MarshalJSON() ([]byte, error) { return media.Marshal(s.String()) }

// MarshalText implements encoding.TextMarshaler, for encoding/xml and the encoders of other formats.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// errSecretWritten is why a Secret is not written where "******" would be stored in its place.
var errSecretWritten = errors.New("jwtbearer: a Secret is not written by encoding/gob, net/rpc, database/sql and the like: " +
	"convert it with string(s), or leave its field out, if it may be stored there; what is read may be a Secret")

// MarshalBinary implements encoding.BinaryMarshaler, which encoding/gob and the encoders of other binary formats ask. It is always
// an error, so that a program that writes Secrets fails in its first test and not only where they are set.
func (s Secret) MarshalBinary() ([]byte, error) { return nil, errSecretWritten }

// Value implements the Valuer of database/sql/driver, for database/sql. It is an error for the same reason.
func (s Secret) Value() (sqldriver.Value, error) { return nil, errSecretWritten }

// Format implements fmt.Formatter for all verbs: a Client prints as the name of its Connection, since all else in it may have
// been made from secrets.
func (c Client) Format(f fmt.State, _ rune) {
	if c.core == nil {
		io.WriteString(f, "jwtbearer.Client()")
		return
	}
	fmt.Fprintf(f, "jwtbearer.Client(%s)", c.core.name)
}

// reference returns what stands between the braces of a text that is wholly ${scheme:rest} or ${NAME}.
func reference(s string) (ref string, ok bool) {
	if !isPlaceholder(s) {
		return "", false
	}
	ref = s[len("${") : len(s)-len("}")]
	scheme, rest, colon := strings.Cut(ref, ":")
	return ref, strings.TrimSpace(scheme) != "" && (rest != "" || !colon) && !strings.ContainsAny(ref, "${}\n")
}

// isReference reports whether s is wholly a reference, which Connection.Lookup resolves.
func isReference(s string) bool {
	_, ok := reference(s)
	return ok
}

// isPlaceholder reports whether s is wholly ${…}, a reference or not.
func isPlaceholder(s string) bool {
	return len(s) >= len("${}") && strings.HasPrefix(s, "${") && strings.HasSuffix(s, "}")
}

// shellDefault finds where a shell's default value begins, ${NAME:-value}, which may be the secret itself.
var shellDefault = regexp.MustCompile(`:[-=?+]|^[A-Z_][A-Z0-9_]*[-=?+]`)

// shownReference is as much of a reference as an error may show.
func shownReference(ref string) string {
	if at := shellDefault.FindStringIndex(ref); at != nil {
		return ref[:at[0]+len(strings.TrimRight(ref[at[0]:at[1]], ":-=?+"))] + "…"
	}
	return ref
}

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

// A resolver puts values in the place of references.
type resolver struct {
	lookup func(string) (string, error)
	p      *problems
}

// resolve resolves the references in v, which can be set, and copies what it shares.
func (r *resolver) resolve(path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		r.text(path, v)
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

// text resolves one text.
func (r *resolver) text(path string, v reflect.Value) {
	secret := v.Type() == reflect.TypeFor[Secret]()
	text := v.String()
	switch {
	case v.Type() == reflect.TypeFor[JSON]():
		text = strings.TrimPrefix(text, "\ufeff") // which some editors write before all that they save
		v.SetString(text)
		if object, err := jsontext.Parse(text); err == nil { // else it is refused where it is compiled
			r.inJSON(path, "", object)
		}
		return
	case secret && text == redacted:
		r.p.add(path, "is ******, which is how a secret prints, not the secret",
			"set the secret itself, or a reference such as ${env:NAME}")
	case isReference(text):
		if isTemplateField(path) {
			return // it is resolved where the template is compiled
		}
		text = r.value(path, text, secret)
		v.SetString(text)
	default:
		r.inside(path, "", text)
		if !secret && !strings.HasSuffix(path, ".Match") { // Lint looks at Secrets by itself
			r.doubt(path, "", text)
		}
	}
	if secret && isPlaceholder(text) {
		r.p.add(path, "is an unexpanded placeholder, ${…}", "write ${env:NAME} or another reference that "+
			"Connection.Lookup resolves to the secret itself")
	}
}

// inJSON looks at the strings below v, which stands at member.
func (r *resolver) inJSON(path, member string, v jsontext.Value) {
	if v.Kind == jsontext.String && !isReference(v.Text) {
		r.inside(path, "at "+member+": ", v.Text)
		r.doubt(path, "at "+member+": ", v.Text)
	}
	for i, elem := range v.Elems {
		r.inJSON(path, fmt.Sprintf("%s[%d]", member, i), elem)
	}
	for _, m := range v.Members {
		if where := "in the name of a member: "; isReference(m.Name) {
			r.p.add(path, where+"holds a reference, which only a value can be", "write the name itself")
		} else {
			r.inside(path, where, m.Name)
			r.doubt(path, where, m.Name)
		}
		r.inJSON(path, strings.TrimPrefix(member+"."+m.Name, "."), m.Value)
	}
}

// What looks like a reference, or a variable that a shell or another program would replace.
var (
	ownReference    = regexp.MustCompile(`\$\{(env|file):`)
	foreignVariable = regexp.MustCompile(`\$\{\{?[^${}\n]*\}|^\$[A-Z_][A-Z0-9_]+$|^%[A-Z_][A-Z0-9_]+%$`)
)

// quotedAction matches an action of a template that holds a string.
var quotedAction = regexp.MustCompile(`(?s)\{\{[^}]*"(?:[^"\\]|\\.)*"[^}]*\}\}`)

// hintInside is what to do about a reference within a longer text.
const hintInside = "make the reference a value of its own in Fields, and write {{.Fields.x}} where templates are allowed"

// inside refuses a reference within a longer text, where nobody would resolve it.
func (r *resolver) inside(path, where, text string) {
	text = quotedAction.ReplaceAllString(text, "") // in which a string is what it says
	found := ownReference.FindStringSubmatch(text)
	switch {
	case found == nil:
	case isReference(strings.Trim(text, " \t\r\n\"'`")):
		r.p.add(path, where+"holds ${"+found[1]+":…} with spaces or quotation marks around it, and so is no reference", "remove what stands around it")
	default:
		r.p.add(path, where+"holds ${"+found[1]+":…} inside a longer text, where it is not resolved: a reference is the whole text", hintInside)
	}
}

// doubt notes for Lint what may be a reference to another program.
func (r *resolver) doubt(path, where, text string) {
	text = quotedAction.ReplaceAllString(text, "")
	if foreignVariable.MatchString(text) && !ownReference.MatchString(text) {
		r.p.doubts = append(r.p.doubts, Warning{Field: path, Hint: hintInside,
			Problem: where + "holds what looks like a variable, and is sent as it is: nobody puts a value in its place"})
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

// value returns what a reference stands for.
func (r *resolver) value(path, text string, secret bool) string {
	ref, _ := reference(text)
	value, err := lookUp(r.lookup, ref)
	if err != nil {
		hint := "set it, or put the value itself here"
		if errors.Is(err, errNoLookup) {
			hint = "set Lookup, which gives the values of references"
		} else if secret {
			hint = "set it, or write another reference"
		}
		r.p.unresolved = append(r.p.unresolved, &ConfigError{Field: path, cause: err, Hint: hint,
			Problem: fmt.Sprintf("refers to ${%s}, which could not be resolved: %s", shownReference(ref), err)})
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
		return shownReference(ref), value, err
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
	switch shown := shownReference(ref); {
	case err == nil:
		return value, nil
	case value != "" && strings.Contains(err.Error(), value):
		err = errors.New(strings.ReplaceAll(err.Error(), value, redacted))
	case shown != ref && strings.Contains(err.Error(), ref):
		err = errors.New(strings.ReplaceAll(err.Error(), ref, shown))
	}
	return "", err
}
