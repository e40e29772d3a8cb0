package importer

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// postmanVariable is a variable of a collection.
type postmanVariable struct {
	path   string
	name   string
	value  string
	secret bool
	used   bool
}

// declare reads the variables of a collection or folder. The first of a name counts, which is that of the collection.
func (p *postmanImport) declare(o *object) {
	for _, v := range o.objects("variable") {
		v.ignore("description", "system")
		name, id := v.text("key"), v.text("id")
		if name == "" {
			name = id
		}
		kind := strings.ToLower(v.text("type"))
		value := v.scalar("value")
		off, _ := v.flag("disabled")
		if !off {
			off, _ = v.flag("inactive")
		}
		v.ignore("name", "inactive")
		v.rest(postmanOther)
		if name == "" || off {
			p.dropped(v.path, "a variable that is off or has no name")
			continue
		}
		if _, has := p.variables[name]; has {
			p.dropped(v.path, "a second variable of this name: the first counts")
			continue
		}
		variable := &postmanVariable{path: v.at("value"), name: name, value: value, secret: kind == "secret" ||
			namesSecret(name)}
		p.variables[name] = variable
		p.order = append(p.order, variable)
	}
}

func (p *postmanImport) unusedVariables() {
	for _, v := range p.order {
		if !v.used {
			p.dropped(v.path, "the variable %s is used by nothing that was imported", quote(v.name))
		}
	}
}

// postmanVariables matches variables: a name holds no braces.
var postmanVariables = regexp.MustCompile(`\{\{([^{}]+)\}\}`)

// postmanSplit takes text apart, as Postman does.
func postmanSplit(text string) []textPart {
	var parts textParts
	from := 0
	for _, at := range postmanVariables.FindAllStringSubmatchIndex(text, -1) {
		parts.literal(text[from:at[0]])
		parts.add(textPart{text: text[at[2]:at[3]], action: true})
		from = at[1]
	}
	parts.literal(text[from:])
	return parts.done()
}

// postmanDeepest is how often Postman replaces variables in the values of variables.
const postmanDeepest = 19

// postmanLongest bounds what variables within variables may grow to, where they stand once.
const postmanLongest = 64 << 10

// unfold replaces variables by what they hold. It reports whether that came to an end.
func (p *postmanImport) unfold(parts []textPart) ([]textPart, bool) {
	left := min(postmanLongest, p.left)
	before := left
	parts, ok := p.expand(parts, postmanDeepest, &left)
	p.left -= before - max(left, 0)
	return parts, ok
}

// postmanTexts translates texts of one connection.
type postmanTexts struct {
	*texts
	p *postmanImport
}

func (p *postmanImport) texts(c *connection) *postmanTexts {
	t := &postmanTexts{p: p}
	t.texts = &texts{connection: c, split: postmanSplit, eval: t.eval}
	return t
}

// eval says what a variable gives.
func (t *postmanTexts) eval(path string, part textPart) (v value, what string, err error) {
	name := strings.TrimSpace(part.text)
	if dynamic, ok := strings.CutPrefix(name, "$"); ok {
		return t.dynamic(dynamic)
	}
	variable, ok := t.p.variables[name]
	switch {
	case !ok:
		return actionValue(t.unknown(path, name)), "", nil
	case variable.secret:
		variable.used = true
		return actionValue(t.secretField(variable.path, name, t.p.env(name))), "", nil
	case !strings.Contains(variable.value, "{{"):
		variable.used = true
		return actionValue(t.field(variable.path, name, variable.value)), "", nil
	}
	return t.within(path, part)
}

// unknown is a variable that is not in the collection: one of an environment, or one that a script sets.
func (t *postmanTexts) unknown(path, name string) string {
	if namesSecret(name) || strings.HasPrefix(name, "vault:") { // a variable of Postman's vault is secret, whatever its name
		return t.secretField(path, name, t.p.env(name))
	}
	return t.unknownField(path, name, t.p.env(name))
}

var errPostmanDynamic = errors.New("has no counterpart among the functions of templates")

// dynamic says what {{$name}} gives.
func (t *postmanTexts) dynamic(name string) (v value, what string, err error) {
	switch name {
	case "timestamp":
		return value{form: formSeconds}, "", nil
	case "isoTimestamp":
		return value{form: formISO}, "", nil
	case "guid", "randomUUID":
		return actionValue("uuid"), "", nil
	}
	return v, name, fmt.Errorf("the variable %s %w", quote("$"+name), errPostmanDynamic)
}

// within evaluates a variable whose value holds others. It is put in where it stands, since values of Fields are no templates.
func (t *postmanTexts) within(path string, part textPart) (v value, what string, err error) {
	parts, ok := t.p.unfold([]textPart{part})
	if !ok {
		return v, "variable", errors.New("a variable that holds itself, or far too much")
	}
	for _, part := range parts {
		next := literalValue(part.text)
		if part.action {
			if next, what, err = t.eval(path, part); err != nil {
				return v, what, err
			}
		}
		if len(parts) == 1 {
			return next, "", nil
		}
		if next, ok = next.inText(); !ok {
			return v, "form", errors.New("a date in ISO 8601, which no template here gives")
		}
		v.pieces = append(v.pieces, next.pieces...)
	}
	return v, "", nil
}

// expand replaces variables until only such are left that are secret, dynamic or unknown, or left is used up.
func (p *postmanImport) expand(parts []textPart, depth int, left *int) ([]textPart, bool) {
	var out textParts
	for _, part := range parts {
		variable, ok := p.variables[strings.TrimSpace(part.text)]
		if !part.action {
			out.literal(part.text)
			continue
		}
		if !ok || variable.secret {
			out.add(part)
			continue
		}
		variable.used = true
		if *left -= 1 + len(variable.value); depth == 0 || *left < 0 {
			return nil, false
		}
		inner, ok := p.expand(postmanSplit(variable.value), depth-1, left)
		if !ok {
			return nil, false
		}
		for _, part := range inner {
			if part.action {
				out.add(part)
			} else {
				out.literal(part.text)
			}
		}
	}
	return out.done(), true
}

// plain expands text and returns it where nothing is left to evaluate.
func (p *postmanImport) plain(text string) (string, bool) {
	parts, ok := p.unfold(postmanSplit(text))
	switch {
	case !ok || len(parts) > 1 || len(parts) == 1 && parts[0].action:
		return "", false
	case len(parts) == 0:
		return "", true
	}
	return parts[0].text, true
}
