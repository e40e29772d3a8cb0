package jwtbearer

import (
	"cmp"
	"context"
	"net/http"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/response"
	"github.com/seed-363d07a3/jwtbearer/internal/throttle"
)

// ping is the compiled Connection.Ping.
type ping struct {
	method    string
	ref, body *textTemplate
	headers   []headerTemplate
	success   throttle.Rules
	fail      throttle.Rules
	errorPath *response.Path
}

// buildPing compiles Ping.
func (b *setup) buildPing() {
	c := b.conn.Ping
	p := ping{method: cmp.Or(c.Method, http.MethodGet)}
	if !isToken(p.method) {
		b.p.add("Ping.Method", "is not a method (RFC 9110, section 9.1)", "use GET, POST or another word")
	}
	p.ref = b.compilePing("Ping.RelativeURI", c.RelativeURI, b.templates.compileURI, needRequest, "it is a part of the request")
	p.body = b.compilePing("Ping.Body", c.Body, b.templates.compileText, needBody, "it is the body")
	p.headers = b.compileHeaders("Ping.Headers", c.Headers, b.core.placements)
	p.success = b.compileRules("Ping.Success", c.Success, b.conn.ErrorMediaType)
	p.fail = b.compileRules("Ping.Fail", c.Fail, b.conn.ErrorMediaType)
	if c.ErrorPath != "" {
		p.errorPath = response.CompilePath("Ping.ErrorPath", c.ErrorPath, media.Kind(b.conn.ErrorMediaType), b.p.add)
	}
	b.core.ping = p
}

// compilePing compiles a template that cannot look at all of the request, since it is made first.
func (b *setup) compilePing(field, text string, compile func(string, scope) (*textTemplate, error), not needs, why string) *textTemplate {
	t, err := compile(text, scopeRequest)
	if err != nil {
		b.p.addError(field, err)
	} else if t.needs()&not != 0 {
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
	ref, err := ping.ref.text(e)
	if err != nil {
		return nil, err
	}
	req, err := client.NewRequest(ctx, ping.method, ref, nil)
	if err != nil {
		return nil, err
	}
	e.req = p.core.requestValues(req, nil)
	text, err := ping.body.text(e)
	if err != nil {
		return nil, err
	}
	if text != "" {
		if req, err = client.NewRequest(ctx, ping.method, ref, text); err != nil {
			return nil, err
		}
		e.req = p.core.requestValues(req, body.FromGetBody(req.GetBody))
	}
	for _, h := range ping.headers {
		value, err := h.value.text(e)
		if err != nil {
			return nil, err
		}
		req.Header.Set(h.name, value)
	}
	return req, nil
}

// env holds what the templates of Ping see, with a token only where one asks for it.
func (p *probe) env(ctx context.Context) (*env, error) {
	e, ping := &env{now: p.core.skew.now()}, p.core.ping
	looks := ping.ref.needs() | ping.body.needs()
	for _, h := range ping.headers {
		looks |= h.value.needs()
	}
	if looks&needToken == 0 {
		return e, nil
	}
	client := Client{p.core}
	t, err := client.Token(ctx)
	if err == nil {
		e.token = string(t.Value)
	}
	return e, err
}
