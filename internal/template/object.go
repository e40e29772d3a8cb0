package template

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
)

// An Object is a JSON object whose string values are templates: claims, a JOSE header, parameters. It renders compactly, with its
// members in their order and numbers as they were written. It is safe for concurrent use.
type Object struct {
	members []Member
	program program // of all members, without the braces
}

// A Member is a member of an Object.
type Member struct {
	Name    string
	program program // of the value
}

// Needs says what the value depends on; zero: it is constant.
func (m Member) Needs() Needs { return m.program.needs }

// Constant returns the compact JSON of the value where it is always the same.
func (m Member) Constant() (string, bool) { return m.program.constant() }

// Render appends the JSON of the value.
func (m Member) Render(dst []byte, e *Env) ([]byte, error) { return m.program.append(dst, e) }

// Text is the rendered value as a form field carries it: a string as it is, all else as JSON.
func (m Member) Text(e *Env) (string, error) {
	text, err := m.Render(nil, e)
	if err != nil {
		return "", err
	}
	v, err := jsontext.Parse(string(text))
	if err != nil {
		return "", fmt.Errorf("internal error: the member %q does not render to JSON", m.Name)
	}
	if v.Kind == jsontext.String {
		return v.Text, nil
	}
	return string(text), nil
}

// Object compiles text, which must be a JSON object; the empty text is {}. Its errors are *problem.Error and name the
// member: one for each that cannot be.
func (t *Set) Object(text string, sc Scope) (*Object, error) {
	if text == "" {
		return newObject(nil), nil
	}
	v, err := jsontext.Parse(text)
	if bad, ok := errors.AsType[*jsontext.SyntaxError](err); ok {
		return nil, invalidJSON(text, bad)
	}
	if v.Kind != jsontext.Object {
		return nil, problem.New("not a JSON object", `write {"name": "value"}`)
	}
	var members []Member
	var errs []error
	for _, m := range v.Members {
		path := memberPath("", m.Name)
		var b builder
		errs = append(errs, checkName(m.Name, path), t.compileValue(&b, m.Value, sc, path))
		members = append(members, Member{m.Name, b.program()})
	}
	if err := problem.Join(errs...); err != nil {
		return nil, err
	}
	return newObject(members), nil
}

// invalidJSON also names the most frequent mistakes: a string in an action whose quotes are not escaped, so that they end the JSON
// string, and an action without quotes around it.
func invalidJSON(text string, bad *jsontext.SyntaxError) *problem.Error {
	e := &problem.Error{Problem: fmt.Sprintf("invalid JSON in line %d, column %d: %s", bad.Line, bad.Column, bad.Problem),
		Hint: `write it as {"name": "value", "other": 1}, each name once`}
	before := text[:bad.Offset]
	if bad.AtBraces(text) {
		e.Hint = `put the action in quotes, as in "exp": "{{now 300}}": a number stays one`
		return e
	}
	if strings.LastIndex(before, "{{") > strings.LastIndex(before, "}}") {
		e.Hint = `between {{ and }}, write the quotes of a string as \"`
	}
	return e
}

// checkName refuses names that are not what is meant.
func checkName(name, path string) error {
	switch {
	case !utf8.ValidString(name):
		return errSurrogate(path)
	case strings.Contains(name, "{{"):
		return problem.New("at "+path+": {{ in the name of a member, and only values are templates", "write the name itself")
	}
	return nil
}

func errSurrogate(path string) *problem.Error {
	return problem.New("at "+path+": an unpaired surrogate, which UTF-8 cannot express", `write the character itself, or both halves of its \u escape`)
}

var plainName = regexp.MustCompile(`^[\pL\pN_-]+$`)

// memberPath is the path of a member in messages.
func memberPath(object, name string) string {
	if !plainName.MatchString(name) {
		name = strconv.Quote(name)
	}
	if object == "" {
		return name
	}
	return object + "." + name
}

// compileValue adds the value v, which is at path, to b.
func (t *Set) compileValue(b *builder, v jsontext.Value, sc Scope, path string) error {
	switch v.Kind {
	case jsontext.String:
		return t.compileString(b, v.Text, sc, path)
	case jsontext.Array:
		return t.compileArray(b, v.Elems, sc, path)
	case jsontext.Object:
		return t.compileMembers(b, v.Members, sc, path)
	}
	b.literal(v.Text)
	return nil
}

func (t *Set) compileArray(b *builder, elems []jsontext.Value, sc Scope, path string) error {
	b.literal("[")
	var errs []error
	for i, e := range elems {
		if i > 0 {
			b.literal(",")
		}
		errs = append(errs, t.compileValue(b, e, sc, fmt.Sprintf("%s[%d]", path, i)))
	}
	b.literal("]")
	return problem.Join(errs...)
}

func (t *Set) compileMembers(b *builder, members []jsontext.Member, sc Scope, path string) error {
	b.literal("{")
	var errs []error
	for i, m := range members {
		path := memberPath(path, m.Name)
		if i > 0 {
			b.literal(",")
		}
		b.name(m.Name)
		errs = append(errs, checkName(m.Name, path), t.compileValue(b, m.Value, sc, path))
	}
	b.literal("}")
	return problem.Join(errs...)
}

func (b *builder) name(name string) {
	b.pending = append(jsontext.AppendString(b.pending, name), ':')
}

// compileString adds a string value: of the type of its action where it is a single one, else a JSON string.
func (t *Set) compileString(b *builder, text string, sc Scope, path string) error {
	if !utf8.ValidString(text) {
		return errSurrogate(path)
	}
	parts, faults := t.parse(text, sc)
	if faults != nil {
		return placed(faults, text, path)
	}
	if len(parts) == 1 && (parts[0].kind == kindNumber || parts[0].kind == kindJSON) {
		b.add(parts[0].expr)
		return nil
	}
	b.literal(`"`)
	for _, p := range parts {
		x, err := p.asJSONString()
		if err != nil {
			return faultf(p.pos, errNotUTF8.Hint, "%s", errNotUTF8.Problem).in(text, path)
		}
		b.add(x)
	}
	b.literal(`"`)
	return nil
}

func newObject(members []Member) *Object {
	var b builder
	for i, m := range members {
		if i > 0 {
			b.literal(",")
		}
		b.name(m.Name)
		b.addProgram(&m.program)
	}
	return &Object{members: members, program: b.program()}
}

// Join returns the members of all objects, one after the other. No name may occur twice.
func Join(objects ...*Object) *Object {
	var members []Member
	for _, x := range objects {
		members = append(members, x.members...)
	}
	return newObject(members)
}

// Without returns the members whose names the other object does not have.
func (x *Object) Without(other *Object) *Object {
	return x.filter(func(m Member) bool { return other.member(m.Name) == nil })
}

// WithoutNulls returns the members that are not the literal null.
func (x *Object) WithoutNulls() *Object {
	return x.filter(func(m Member) bool {
		text, fixed := m.Constant()
		return !fixed || text != "null"
	})
}

func (x *Object) filter(keep func(Member) bool) *Object {
	var members []Member
	for _, m := range x.members {
		if keep(m) {
			members = append(members, m)
		}
	}
	return newObject(members)
}

// Needs says what the members depend on; zero: they are constant.
func (x *Object) Needs() Needs { return x.program.needs }

// Members returns the members in their order. They must not be changed.
func (x *Object) Members() []Member { return x.members }

// member returns the member of that name; nil: there is none.
func (x *Object) member(name string) *Member {
	for i := range x.members {
		if m := &x.members[i]; m.Name == name {
			return m
		}
	}
	return nil
}

// Constant returns the whole object where it is always the same.
func (x *Object) Constant() (string, bool) {
	text, fixed := x.program.constant()
	return "{" + text + "}", fixed
}

// Render appends the object. What it appended before an error is of no use.
func (x *Object) Render(dst []byte, e *Env) ([]byte, error) {
	dst, err := x.program.append(append(dst, '{'), e)
	return append(dst, '}'), err
}

// Header compiles the JOSE header {"alg":…,"typ":"JWT"} with the members of text: typ replaces the one in place, null removes a
// member, and alg must be the given one (RFC 7515, section 4.1.1).
func (t *Set) Header(text, alg string) (*Object, error) {
	given, err := t.Object(text, ScopeToken)
	if err != nil {
		return nil, err
	}
	quoted := string(jsontext.AppendString(nil, alg))
	if m := given.member("alg"); m != nil {
		if found, fixed := m.Constant(); !fixed || found != quoted {
			return nil, problem.New("at alg: not the SignatureMethod "+alg, "leave alg out: it always is the method's")
		}
	}
	head, err := t.Object(`{"alg":`+quoted+`,"typ":"JWT"}`, ScopeToken)
	if err != nil {
		return nil, err
	}
	rest := given.Without(head)
	if m := given.member("typ"); m != nil {
		head.members[1] = *m // Join makes a new program of it
	}
	return Join(head, rest).WithoutNulls(), nil
}
