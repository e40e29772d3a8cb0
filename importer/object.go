package importer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

// object reads the members of a foreign object, and remembers which were read, so that the others get a note.
type object struct {
	*importing
	path string

	members []jsontext.Member
	read    map[string]bool
}

func (im *importing) object(path string, v jsontext.Value) *object {
	return &object{importing: im, path: path, members: v.Members, read: make(map[string]bool)}
}

// at is the path of a member.
func (o *object) at(name string) string { return joinPath(o.path, name) }

// Paths stay short, however long names and however deep documents are: there may be a note for each member.
const (
	longestName = 80
	longestPath = 400
)

func joinPath(object, name string) string {
	if len(name) > longestName {
		name = strings.ToValidUTF8(name[:longestName], "") + "…"
	}
	if len(object) > longestPath {
		object = "…" + strings.ToValidUTF8(object[len(object)-longestPath/2:], "")
	}
	if object == "" {
		return name
	}
	return object + "." + name
}

// get returns a member, if it is there and says something: null is what foreign documents write for absent.
func (o *object) get(name string) (jsontext.Value, bool) {
	i := slices.IndexFunc(o.members, func(m jsontext.Member) bool { return m.Name == name })
	if i < 0 {
		return jsontext.Value{}, false
	}
	o.read[name] = true
	v := o.members[i].Value
	return v, v.Kind != jsontext.Literal || v.Text != "null"
}

// holds reports whether a member is there at all.
func (o *object) holds(name string) bool {
	return slices.ContainsFunc(o.members, func(m jsontext.Member) bool { return m.Name == name })
}

// has reports whether a member is there and says something.
func (o *object) has(name string) bool {
	return slices.ContainsFunc(o.members, func(m jsontext.Member) bool { return m.Name == name && !saysNothing(m.Value) })
}

// ignore passes over members that have no meaning outside their platform.
func (o *object) ignore(names ...string) {
	for _, name := range names {
		o.read[name] = true
	}
}

// rest notes all members that nobody read and that say something.
func (o *object) rest(text string) {
	for _, m := range o.members {
		if !o.read[m.Name] && !saysNothing(m.Value) {
			o.dropped(o.at(m.Name), "%s", text)
		}
	}
}

// saysNothing reports whether v is null or empty, as the members are that a platform keeps for other kinds of connections.
func saysNothing(v jsontext.Value) bool {
	switch v.Kind {
	case jsontext.Literal:
		return v.Text == "null"
	case jsontext.String:
		return v.Text == ""
	case jsontext.Array:
		return !slices.ContainsFunc(v.Elems, func(e jsontext.Value) bool { return !saysNothing(e) })
	case jsontext.Object:
		return !slices.ContainsFunc(v.Members, func(m jsontext.Member) bool { return !saysNothing(m.Value) })
	}
	return false
}

// mismatch notes a member that is not what it should be.
func (o *object) mismatch(name, want string) {
	o.dropped(o.at(name), "is not %s; ignored", want)
}

// scalar returns the text of a member that is no array or object.
func (o *object) scalar(name string) string {
	v, ok := o.get(name)
	switch {
	case !ok:
		return ""
	case v.Kind == jsontext.Array || v.Kind == jsontext.Object:
		o.mismatch(name, "a text, a number or true or false")
		return ""
	}
	return v.Text
}

// text returns a string member. One that a connection file would take for a reference to a secret is ignored.
func (o *object) text(name string) string {
	text := o.scalar(name)
	if isReference(text) {
		o.dropped(o.at(name), looksLikeReference)
		return ""
	}
	return text
}

// word returns a text member in lower case, if it is one of known.
func (o *object) word(name string, known ...string) string {
	text := o.text(name)
	word := strings.ToLower(strings.TrimSpace(text))
	if text != "" && !slices.Contains(known, word) {
		o.mismatch(name, "one of "+strings.Join(known, ", "))
		return ""
	}
	return word
}

// whole returns a member that is a whole number from least to most, or the text of one.
func (o *object) whole(name string, least, most int64) (int64, bool) {
	v, ok := o.get(name)
	if !ok || v.Kind == jsontext.String && v.Text == "" {
		return 0, false
	}
	n, err := strconv.ParseInt(v.Text, 10, 64)
	if err != nil || n < least || n > most || v.Kind != jsontext.Number && v.Kind != jsontext.String {
		o.mismatch(name, fmt.Sprintf("a whole number from %d to %d", least, most))
		return 0, false
	}
	return n, true
}

// flag returns a member that is true or false; set says whether it is there.
func (o *object) flag(name string) (value, set bool) {
	v, ok := o.get(name)
	if !ok || v.Kind == jsontext.String && v.Text == "" {
		return false, false
	}
	switch v.Text {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	o.mismatch(name, "true or false")
	return false, false
}

// texts returns a member that is a list of texts, or one text with commas.
func (o *object) texts(name string) []string {
	v, ok := o.get(name)
	if !ok {
		return nil
	}
	var list []string
	if v.Kind == jsontext.String {
		for item := range strings.SplitSeq(v.Text, ",") {
			list = append(list, strings.TrimSpace(item))
		}
	}
	for _, e := range v.Elems {
		list = append(list, e.Text)
	}
	simple := func(e jsontext.Value) bool { return e.Kind != jsontext.Array && e.Kind != jsontext.Object }
	if v.Kind != jsontext.String && v.Kind != jsontext.Array ||
		slices.ContainsFunc(v.Elems, func(e jsontext.Value) bool { return !simple(e) }) ||
		slices.ContainsFunc(list, isReference) {
		o.mismatch(name, "a list of texts")
		return nil
	}
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}

// object returns a member that is an object; it has no members where there is none.
func (o *object) object(name string) *object {
	v, ok := o.get(name)
	if ok && v.Kind != jsontext.Object {
		o.mismatch(name, "an object")
		v = jsontext.Value{}
	}
	return o.importing.object(o.at(name), v)
}

// objects returns the elements of a member that is a list of objects.
func (o *object) objects(name string) []*object {
	v, ok := o.get(name)
	if !ok {
		return nil
	}
	if v.Kind != jsontext.Array {
		o.mismatch(name, "a list")
		return nil
	}
	var list []*object
	for i, e := range v.Elems {
		path := fmt.Sprintf("%s[%d]", o.at(name), i)
		if e.Kind != jsontext.Object {
			o.dropped(path, "is not an object; ignored")
			continue
		}
		list = append(list, o.importing.object(path, e))
	}
	return list
}
