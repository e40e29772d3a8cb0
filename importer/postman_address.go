package importer

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

// postmanAddress is the address of a request, taken apart. What has to be evaluated is marked in its texts.
type postmanAddress struct {
	marked *markedText

	origin   string // scheme, host and port in lower case, or the variable: the same for all that go to one API
	shown    string // the origin as it is written
	variable string // the variable, not known here, that the address begins with
	path     string // begins with a slash, or is empty
	query    string

	leads  bool              // the address begins with a variable
	lead   string            // the path in that
	values map[string]string // of variables in the path

	schemeless, userinfo bool
}

// address reads the address of a request, a text or an object.
func (p *postmanImport) address(o *object) *postmanAddress {
	v, ok := o.get("url")
	raw, variables := v.Text, map[string]string(nil)
	if v.Kind == jsontext.Object {
		raw, variables = p.assemble(p.object(o.at("url"), v))
	} else if ok && v.Kind != jsontext.String {
		o.mismatch("url", "an address")
		return nil
	}
	if raw == "" {
		p.dropped(o.path, "a request without an address")
		return nil
	}
	a := &postmanAddress{values: variables}
	parts := postmanSplit(raw)
	if parts[0].action {
		if lead, ok := p.plain("{{" + parts[0].text + "}}"); ok {
			parts[0] = textPart{text: lead}
			a.leads = true
			a.lead = lead
		} else if _, known := p.variables[strings.TrimSpace(parts[0].text)]; !known {
			a.variable = strings.TrimSpace(parts[0].text)
			a.leads = true
			parts = parts[1:]
		}
	}
	expanded, ok := p.unfold(parts)
	if !ok {
		p.dropped(o.at("url"), "a variable in it holds itself, or far too much; the request is ignored")
		return nil
	}
	a.cut(expanded)
	return a
}

// cut takes apart what is left of an address after its variables are replaced.
func (a *postmanAddress) cut(parts []textPart) {
	a.marked = markParts(parts, false)
	text, _, _ := strings.Cut(a.marked.text, "#")
	text, a.query, _ = strings.Cut(text, "?")
	if a.variable != "" {
		a.origin, a.shown, a.path = "{{"+a.variable+"}}", a.variable, text
	} else {
		scheme, rest, ok := strings.Cut(text, "://")
		if !ok {
			scheme, rest, a.schemeless = "https", text, true
		}
		host, path, slash := strings.Cut(rest, "/")
		if slash {
			a.path = "/" + path
		}
		if i := strings.LastIndexByte(host, '@'); i >= 0 {
			host, a.userinfo = host[i+1:], true
		}
		a.shown = strings.ToLower(scheme) + "://" + host
		a.origin = strings.ToLower(a.named(a.shown))
		if a.lead != "" {
			a.lead = a.leadPath()
		}
	}
	if a.path != "" && !strings.HasPrefix(a.path, "/") {
		a.path = "/" + a.path
	}
}

// named writes a marked text with the names of its variables.
func (a *postmanAddress) named(text string) string {
	var b strings.Builder
	for _, part := range a.marked.split(text) {
		if part.action {
			part.text = "{{" + part.text + "}}"
		}
		b.WriteString(part.text)
	}
	return b.String()
}

// leadPath is the path in the variable that the address begins with, or, where that holds less or more than origin and path,
// none.
func (a *postmanAddress) leadPath() string {
	_, rest, ok := strings.Cut(a.lead, "://")
	if !ok {
		rest = a.lead
	}
	_, path, slash := strings.Cut(rest, "/")
	if !slash {
		return ""
	}
	path = strings.TrimRight("/"+path, "/")
	if !strings.HasPrefix(a.path+"/", path+"/") {
		return ""
	}
	return path
}

// folder is the path up to its last slash, or up to what is not the same in all requests.
func (a *postmanAddress) folder() string {
	path := a.path[:max(0, strings.LastIndexByte(a.path, '/'))]
	if i := strings.Index(path, "/:"); i >= 0 {
		path = path[:i]
	}
	if i := strings.Index(path, a.marked.mark); i >= 0 {
		path = path[:max(0, strings.LastIndexByte(path[:i], '/'))]
	}
	return path
}

// known returns the path after base with the values of its variables, such as /users/:id, where all are known.
func (a *postmanAddress) known(base string) (string, bool) {
	path, ok := strings.CutPrefix(a.path, base)
	if !ok || strings.Contains(path+a.query, a.marked.mark) || path != "" && path[0] != '/' {
		return "", false
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		name, variable := strings.CutPrefix(segment, ":")
		if !variable || name == "" {
			continue
		}
		value := a.values[name]
		if value == "" {
			return "", false
		}
		segments[i] = url.PathEscape(value)
	}
	return strings.Join(segments, "/"), true
}

// assemble writes the address of which o has the parts, as Postman does, which looks at raw only where there are none. It also
// returns the values of variables in its path.
func (p *postmanImport) assemble(o *object) (string, map[string]string) {
	raw, protocol, host, port := o.text("raw"), o.text("protocol"), o.joined("host", "."), o.scalar("port")
	path, query := o.joined("path", "/"), p.query(o)
	o.ignore("hash", "auth")
	variables := make(map[string]string)
	for _, v := range o.objects("variable") {
		v.ignore("id", "type", "description", "disabled", "name")
		if value, ok := p.plain(v.scalar("value")); ok {
			variables[v.text("key")] = value
		}
		v.rest(postmanOther)
	}
	o.rest(postmanOther)
	if host == "" {
		return raw, variables
	}
	var b strings.Builder
	if protocol != "" {
		b.WriteString(protocol + "://")
	}
	b.WriteString(host)
	if port != "" {
		b.WriteString(":" + port)
	}
	if path != "" {
		b.WriteString("/" + strings.TrimPrefix(path, "/"))
	}
	before, _, _ := strings.Cut(raw, "?")
	if raw != "" && strings.TrimRight(before, "/") != strings.TrimRight(b.String(), "/") {
		p.assumed(o.at("raw"), "differs from the parts of the address, which count")
	}
	if query != "" {
		b.WriteString("?" + query)
	}
	return b.String(), variables
}

// joined returns a list of texts as one, or the text that stands for the list.
func (o *object) joined(name, separator string) string {
	v, _ := o.get(name)
	if v.Kind != jsontext.Array {
		return o.text(name)
	}
	var list []string
	for i, e := range v.Elems {
		if e.Kind == jsontext.Object {
			element := o.importing.object(fmt.Sprintf("%s[%d]", o.at(name), i), e)
			element.ignore("type")
			e.Text = element.scalar("value")
			element.rest(postmanOther)
		} else if e.Kind == jsontext.Array {
			o.dropped(fmt.Sprintf("%s[%d]", o.at(name), i), "is not text; ignored")
		}
		list = append(list, e.Text)
	}
	return strings.Join(list, separator)
}

func (p *postmanImport) query(o *object) string {
	var params []string
	for _, q := range o.objects("query") {
		q.ignore("description", "type", "id", "enabled")
		name, value := q.scalar("key"), q.scalar("value")
		off, _ := q.flag("disabled")
		q.rest(postmanOther)
		switch {
		case off || name == "":
		case value == "":
			params = append(params, name)
		default:
			params = append(params, name+"="+value)
		}
	}
	return strings.Join(params, "&")
}
