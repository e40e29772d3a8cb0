package importer

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

// postmanRequest is what a connection wants to know of a request.
type postmanRequest struct {
	path    string
	source  *object
	auth    *postmanAuth // nil: none
	method  string
	address *postmanAddress // nil: none
	headers []postmanHeader
}

type postmanHeader struct{ path, name, value string }

// postmanGroup is the requests of one auth to one origin.
type postmanGroup struct {
	requests []*postmanRequest
}

func (g *postmanGroup) host() string {
	if len(g.requests) == 0 {
		return ""
	}
	_, host, _ := strings.Cut(g.requests[0].address.origin, "://")
	return cmp.Or(host, g.requests[0].address.variable)
}

// request reads a request of the item at path, but for its address.
func (p *postmanImport) request(o *object, scope postmanScope, path string) {
	o.ignore("body", "description", "id", "name", "uid", "responses", "createdAt", "updatedAt", "owner", "dataMode",
		"data", "rawModeData")
	auth := p.auth(o, scope)
	if auth != nil && auth.own == "" {
		auth.own = scope.name
	}
	for _, name := range []string{"proxy", "certificate"} {
		if o.has(name) {
			o.ignore(name)
			p.dropped(o.at(name), "belongs to one request, but a connection has one for all: set tls, or HTTPS_PROXY in the "+
				"environment")
		}
	}
	p.requests = append(p.requests, &postmanRequest{path: path, source: o, auth: auth,
		method: strings.ToUpper(cmp.Or(o.text("method"), "GET")), headers: p.headers(o)})
}

// locate reads the address of a request, once all variables are known, and puts it with the others of its auth.
func (p *postmanImport) locate(r *postmanRequest) {
	r.address = p.address(r.source)
	r.source.rest(postmanOther)
	if r.auth == nil || r.address == nil {
		return
	}
	g, ok := r.auth.byOrigin[r.address.origin]
	switch {
	case ok:
		g.requests = append(g.requests, r)
	case len(r.auth.groups) == mostOrigins:
		p.dropped(r.path, "goes to one more origin with the same auth, of which %d make connections", mostOrigins)
	default:
		g = &postmanGroup{requests: []*postmanRequest{r}}
		r.auth.groups, r.auth.byOrigin[r.address.origin] = append(r.auth.groups, g), g
	}
}

// mostOrigins is how many connections one auth makes.
const mostOrigins = 32

// headers reads a list of headers, or a text of lines.
func (p *postmanImport) headers(o *object) []postmanHeader {
	v, _ := o.get("header")
	var list []postmanHeader
	if v.Kind == jsontext.String {
		for line := range strings.Lines(v.Text) {
			name, value, ok := strings.Cut(line, ":")
			if ok {
				list = append(list, postmanHeader{o.at("header"), strings.TrimSpace(name), strings.TrimSpace(value)})
			}
		}
		return list
	}
	for _, h := range o.objects("header") {
		h.ignore("description", "type", "name", "system", "warning", "uuid", "id", "enabled")
		header := postmanHeader{h.path, strings.TrimSpace(h.text("key")), h.scalar("value")}
		if off, _ := h.flag("disabled"); !off && header.name != "" {
			p.others.uses(header.value)
			list = append(list, header)
		}
		h.rest(postmanOther)
	}
	return list
}

// calls takes over what requests have in common.
func (t *postmanTexts) calls(a *postmanAuth, g *postmanGroup) {
	if len(g.requests) == 0 {
		t.dropped(a.path, "no request goes with it: set baseURI")
		return
	}
	base := g.base()
	t.BaseURI = t.baseURI(g, base)
	ping := g.ping(base)
	t.headers(g, ping)
	first := g.requests[0].path
	if ping == nil {
		t.assumed(first, "there is no GET without variables that could try the connection: set ping, or it requests baseURI")
	} else {
		t.assumed(ping.path, "this request became the ping that tries the connection")
		t.Ping.RelativeURI = t.relative(ping, base)
	}
	t.dropped(first, "requests, %d in all, are calls that a program makes: only what is said of them here became part of "+
		"the connection", len(g.requests))
}

// headers takes over those that all requests have, and for the ping its own.
func (t *postmanTexts) headers(g *postmanGroup, ping *postmanRequest) {
	noted := make(map[string]bool)
	count := make(map[string]int) // requests with this header and value
	for _, r := range g.requests {
		seen := make(map[string]bool)
		for _, h := range r.headers {
			if key := strings.ToLower(h.name) + "\x00" + h.value; !seen[key] {
				seen[key] = true
				count[key]++
			}
		}
	}
	for _, r := range g.requests {
		for _, h := range r.headers {
			lower := strings.ToLower(h.name)
			switch {
			case lower == "authorization" && (len(t.Placement) == 0 || t.Placement[0].In == "header"):
				t.noteHeader(noted, h, "Postman replaces it by the token, and so does this client")
			case lower == "content-type" || lower == "content-length" || lower == "host":
				t.noteHeader(noted, h, "follows from mediaType, the body and the address of each request")
			case isEncodings(h.name):
				t.noteHeader(noted, h, droppedEncodings)
			case count[lower+"\x00"+h.value] == len(g.requests):
				if r == g.requests[0] {
					t.setHeader(h.path, h.name, t.header(h))
				}
			case r == ping:
				t.Ping.Headers[h.name] = t.header(h)
			default:
				t.noteHeader(noted, h, "not all requests have it with this value, so a program has to set it where it is wanted")
			}
		}
	}
}

func (t *postmanTexts) noteHeader(noted map[string]bool, h postmanHeader, why string) {
	if key := strings.ToLower(h.name) + why; !noted[key] {
		noted[key] = true
		t.dropped(h.path, "the header %s: %s", quote(h.name), why)
	}
}

// header translates the value of a header. One that is likely a secret becomes a reference.
func (t *postmanTexts) header(h postmanHeader) string {
	return t.headerValue(h.path, h.name, h.value, t.text(h.path, h.value))
}

// base is the folder of paths that all requests have in common.
func (g *postmanGroup) base() string {
	first := g.requests[0].address
	lead := func(r *postmanRequest) bool { return r.address.leads && r.address.lead == first.lead }
	if first.leads && !slices.ContainsFunc(g.requests, func(r *postmanRequest) bool { return !lead(r) }) {
		return first.lead
	}
	if len(g.requests) == 1 {
		return ""
	}
	common := first.folder()
	for _, r := range g.requests[1:] {
		for folder := r.address.folder(); !strings.HasPrefix(folder+"/", common+"/"); {
			common = common[:max(0, strings.LastIndexByte(common, '/'))]
		}
	}
	return common
}

// ping is the first GET whose address is known.
func (g *postmanGroup) ping(base string) *postmanRequest {
	for _, r := range g.requests {
		if _, ok := r.address.known(base); ok && r.method == "GET" {
			return r
		}
	}
	return nil
}

// baseURI is the template of the origin and the path base of g.
func (t *postmanTexts) baseURI(g *postmanGroup, base string) string {
	first := g.requests[0]
	a := first.address
	if a.variable != "" {
		env := t.p.env(a.variable)
		t.assumed(first.path, "the address begins with %s, which is not in this document: put it into the environment "+
			"variable %s, or into baseURI",
			quote(a.variable), env)
		if base == "" {
			return "${env:" + env + "}"
		}
		return "{{" + t.unknown(first.path, a.variable) + "}}" + base
	}
	if a.schemeless {
		t.assumed(first.path, "the address has no scheme: https was assumed, where Postman assumes http")
	}
	uri := t.join(first.path, a.marked.split(a.shown+base))
	t.noteAddress(first.path, uri, a.userinfo)
	return uri
}

// relative is the address of the ping after base, without a parameter for the token.
func (t *postmanTexts) relative(r *postmanRequest, base string) string {
	uri, _ := r.address.known(base)
	separator := "?"
	for param := range strings.SplitSeq(r.address.query, "&") {
		name, _, _ := strings.Cut(param, "=")
		plain, _ := url.QueryUnescape(name)
		token := len(t.Placement) > 0 && t.Placement[0] == (jwtbearer.Placement{In: "query", Name: plain})
		if param != "" && !token {
			uri += separator + param
			separator = "&"
		}
	}
	return t.hideInQuery(r.path, escape(uri))
}
