package importer

import (
	"errors"
	"slices"
	"strings"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

// texts translates the texts of one connection that hold foreign expressions.
type texts struct {
	*connection

	// split takes a text apart, and eval says what the expression in a part gives. Where it has no counterpart, eval returns
	// why, and what names it.
	split func(text string) []textPart
	eval  func(path string, part textPart) (v value, what string, err error)
}

// text translates text, which stands at path and is no JSON.
func (t *texts) text(path, text string) string {
	return t.join(path, t.split(text))
}

// join translates parts that make one text.
func (t *texts) join(path string, parts []textPart) string {
	var all value
	for _, part := range parts {
		v := literalValue(part.text)
		if part.action {
			v = t.value(path, part)
		}
		text, ok := v.inText()
		if !ok {
			text = t.noForm(path)
		}
		all.pieces = append(all.pieces, text.pieces...)
	}
	return all.template()
}

// value evaluates an expression. What has no counterpart becomes a field that is not there.
func (t *texts) value(path string, part textPart) value {
	v, what, err := t.eval(path, part)
	if err != nil {
		return actionValue(t.unresolved(path, what, err.Error()))
	}
	return v
}

// noForm is the value of an expression whose form no template of ours can write.
func (t *texts) noForm(path string) value {
	return actionValue(t.unresolved(path, "form", "a value in a form that no template here gives, such as a date in ISO 8601"))
}

// claimsOfTime are numbers by RFC 7519, section 4.1.
var claimsOfTime = [...]string{"exp", "nbf", "iat"}

// object translates a JSON object whose strings hold expressions, or the text of one, in which expressions may also stand
// without quotes. Where claims is set, the members exp, nbf and iat become numbers. Those named by without are left out.
func (t *texts) object(path string, v jsontext.Value, claims bool, without ...string) (jwtbearer.JSON, error) {
	split := t.split
	if v.Kind == jsontext.String {
		if strings.TrimSpace(v.Text) == "" {
			return "", nil
		}
		marked := markParts(t.split(v.Text), true)
		parsed, err := jsontext.Parse(marked.text)
		if err != nil {
			return "", errNoJSON
		}
		v, split = parsed, marked.split
	}
	if v.Kind != jsontext.Object {
		return "", errNoObject
	}
	tree := &tree{texts: t, split: split}
	v.Members = slices.DeleteFunc(slices.Clone(v.Members),
		func(m jsontext.Member) bool { return slices.Contains(without, m.Name) })
	out := tree.members(path, v.Members, claims)
	if len(out.Members) == 0 {
		return "", nil
	}
	return jwtbearer.JSON(out.Append(nil)), nil
}

var (
	errNoJSON   = errors.New("is not JSON, even with values in the place of its expressions; ignored: rewrite it")
	errNoObject = errors.New("is not a JSON object; ignored: rewrite it")
)
