package jwtbearer

import (
	"cmp"
	"context"
	"net/http"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
	"github.com/seed-363d07a3/jwtbearer/internal/httpfield"
	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/response"
	"github.com/seed-363d07a3/jwtbearer/internal/template"
	"github.com/seed-363d07a3/jwtbearer/internal/throttle"
)

// ping is the compiled Connection.Ping.
type ping struct {
	method    string
	ref, body *template.Text
	headers   []headerTemplate
	success   throttle.Rules
	fail      throttle.Rules
	errorPath *response.Path
}

// buildPing compiles Ping.
func (b *setup) buildPing() {
	c := b.conn.Ping
	p := ping{method: cmp.Or(c.Method, http.MethodGet)}
	if !httpfield.IsToken(p.method) {
		b.p.add("Ping.Method", "is not a method (RFC 9110, section 9.1)", "use GET, POST or another word")
	}
	p.ref = b.compilePing("Ping.RelativeURI", c.RelativeURI, b.templates.Reference, template.NeedRequest, "it is a part of the request")
	p.body = b.compilePing("Ping.Body", c.Body, b.templates.Text, template.NeedBody, "it is the body")
	p.headers = b.compileHeaders("Ping.Headers", c.Headers, b.core.placements)
	p.success = b.compileRules("Ping.Success", c.Success, b.conn.ErrorMediaType)
	p.fail = b.compileRules("Ping.Fail", c.Fail, b.conn.ErrorMediaType)
	if c.ErrorPath != "" {
		p.errorPath = response.CompilePath("Ping.ErrorPath", c.ErrorPath, media.Kind(b.conn.ErrorMediaType), b.p.add)
	}
	b.core.ping = p
}

// compilePing compiles a template that cannot look at all of the request, since it is made first.
func (b *setup) compilePing(field, text string, compile func(string, template.Scope) (*template.Text, error), not template.Needs, why string) *template.Text {
	t, err := compile(text, template.ScopeRequest)
	if err != nil {
		b.p.addError(field, err)
	} else if t.Needs()&not != 0 {
		b.p.add(field, "looks at what it is used for: "+why, "use other values")
	}
	return t
}

// newRequest makes the request that Ping describes. Its address is made first, then the body, then the headers: each may look
// at what was made before, and at a token, which is not the one that the request itself will carry where each has its own.
func (p *probe) newRequest(ctx context.Context) (*http.Request, error) {
	e, err := p.env(ctx)
	if err != nil {
		return nil, err
	}
	client, ping := Client{p.core}, p.core.ping
	ref, err := ping.ref.Render(e)
	if err != nil {
		return nil, &prefixed{"Ping.RelativeURI", err}
	}
	req, err := client.NewRequest(ctx, ping.method, ref, nil)
	if err != nil {
		return nil, err
	}
	e.Request = p.core.requestValues(req, nil)
	text, err := ping.body.Render(e)
	if err != nil {
		return nil, &prefixed{"Ping.Body", err}
	}
	if text != "" {
		if req, err = client.NewRequest(ctx, ping.method, ref, text); err != nil {
			return nil, err
		}
		e.Request = p.core.requestValues(req, body.FromGetBody(req.GetBody))
	}
	for _, h := range ping.headers {
		value, err := h.value.Render(e)
		if err != nil {
			return nil, &prefixed{h.field, err}
		}
		req.Header.Set(h.name, value)
	}
	return req, nil
}

// env holds what the templates of Ping see, with a token only where one asks for it.
func (p *probe) env(ctx context.Context) (*template.Env, error) {
	e, ping := &template.Env{Now: p.core.skew.now()}, p.core.ping
	looks := ping.ref.Needs() | ping.body.Needs()
	for _, h := range ping.headers {
		looks |= h.value.Needs()
	}
	if looks&template.NeedToken == 0 {
		return e, nil
	}
	client := Client{p.core}
	t, err := client.Token(ctx)
	if err == nil {
		e.Token = string(t.Value)
	}
	return e, err
}
