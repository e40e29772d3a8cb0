package jwtbearer

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
	"github.com/seed-363d07a3/jwtbearer/internal/diagnose"
	"github.com/seed-363d07a3/jwtbearer/internal/dial"
	"github.com/seed-363d07a3/jwtbearer/internal/httpfield"
	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/response"
	"github.com/seed-363d07a3/jwtbearer/internal/skew"
	"github.com/seed-363d07a3/jwtbearer/internal/template"
	"github.com/seed-363d07a3/jwtbearer/internal/throttle"
)

const probeTimeout = 30 * time.Second // for a whole Test

// Test tries the connection: it makes a Client of it, and that Client's Test. What it opened it closes: of an *http.Transport
// it uses a clone. A Connection that NewClient refuses gives a report too. The error is non-nil whenever the report is not OK.
func (c *Connection) Test(ctx context.Context) (*Report, error) {
	if c != nil {
		own := *c
		if t, ok := c.Transport.(*http.Transport); ok && t != nil {
			own.Transport = t.Clone()
		}
		c = &own
	}
	client, err := NewClient(c)
	if err != nil {
		return refusedReport(err), err
	}
	if t, ok := client.core.transport.(*http.Transport); ok {
		defer t.CloseIdleConnections()
	}
	return client.Test(ctx)
}

// Test makes one request, Connection.Ping, and reports how far it came: one attempt, and one more if the token was refused,
// within 30 seconds. It stands in line like any request, but does not wait for a closed gate. The error is non-nil whenever
// the report is not OK: the same that Do would give.
func (c *Client) Test(ctx context.Context) (*Report, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	p := &probe{core: c.core, report: &Report{}}
	p.describe()
	err := p.request(ctx)
	p.verdict(err)
	p.report.hide(p.core)
	return p.report, err
}

// A probe is one Test under way.
type probe struct {
	core   *core
	report *Report
	trace  dial.Phases
	resp   *http.Response
	call   *call
	advice string // what to do about a success that is refused; empty: the answer was not, or no success
	left   string // where resp redirects to, in words, which is not followed; empty: nowhere
	broken error  // resp is a success whose body did not come whole
	denied bool   // the token endpoint gave no access token
	sent   *http.Request
	seen   observation // of resp

	challenged *httpfield.Challenge // see challenge; nil: not read yet
}

// request sends the ping and reports the steps on the way.
func (p *probe) request(ctx context.Context) error {
	if p.core.access != nil {
		if err := p.exchange(ctx); err != nil {
			p.report.skip("resolve", "connect", "tls", "request")
			return err
		}
	}
	req, err := p.newRequest(httptrace.WithClientTrace(ctx, p.trace.Hooks()))
	if err != nil {
		if p.core.access == nil {
			p.report.skip("token", "exchange")
		}
		p.report.skip("resolve", "connect", "tls")
		p.report.add(Step{Name: "request", Status: StatusFailed, Detail: p.shown(err), Hint: "see Connection.Ping"})
		p.report.Kind = KindBadConfig
		return err
	}
	last := &lastCall{core: p.core, probe: true}
	p.sent = req
	began := time.Now()
	p.resp, err = last.do(req)
	took := time.Since(began)
	p.call = last.call
	if p.core.access == nil {
		p.token(err)
		p.report.skip("exchange")
	}
	p.report.network(p.trace.View())
	p.blame(err)
	if err == nil {
		defer body.Finish(p.resp.Body)
		err = p.judge(last)
	} else if last.answered {
		p.resp = last.resp
		p.report.StatusCode = p.resp.StatusCode
	}
	p.answer(req, err, took)
	return err
}

// token reports the token that was used.
func (p *probe) token(err error) {
	if p.call == nil || p.call.token == nil {
		step := Step{Name: "token", Status: StatusSkipped}
		if p.call != nil && p.call.unminted {
			step.Status, step.Detail = StatusFailed, p.shown(err)
			p.report.Kind = p.kindOfMinting()
		}
		p.report.add(step)
		return
	}
	p.describeToken(p.call.token.value, p.call.token.skew)
}

// kindOfMinting says what is to blame where no token could be made: a key that is not in memory can fail at any time, and
// otherwise it is a template.
func (p *probe) kindOfMinting() Kind {
	if m := p.core.minter; m.signer != nil && m.signer.Public() != nil && !m.signer.InMemory() && m.needs()&template.NeedRequest == 0 {
		return KindBadKey
	}
	return KindBadConfig
}

// judge says whether the answer is a success.
func (p *probe) judge(last *lastCall) error {
	p.report.StatusCode = p.resp.StatusCode
	p.report.Latency = p.trace.Latency()
	p.measureSkew()
	broken := p.keepBody()
	a := response.New(p.resp, media.Kind(p.core.errorMedia), time.Now())
	p.seen = p.observe(a)
	if i := p.core.ping.fail.Match(a); i >= 0 {
		return p.unexpected(last, fmt.Sprintf("the answer matches Ping.Fail[%d]", i), "see what it says, or correct that rule")
	}
	accepted := p.core.ping.success.Match(a) >= 0
	if !accepted {
		err := last.failure(p.resp)
		if _, plain := errors.AsType[*ResponseError](err); plain && last.left != nil {
			return p.leaves(last.left, err)
		}
		if err != nil {
			return err
		}
	}
	switch {
	case broken != nil:
		p.broken = broken
		return p.core.callError(p.sent, broken)
	case accepted:
		return nil
	}
	if len(p.core.ping.success) > 0 {
		return p.unexpected(last, "the answer matches none of Ping.Success", "see what it says, or correct these rules")
	}
	if what, advice := p.misplaced(a); what != "" {
		return p.unexpected(last, what, advice)
	}
	return nil
}

// keepBody reads the body as Do would, up to body.KeepBytes, and says how it stalled or broke off. A stream may go on for ever, so it
// is not read. The context of Test ends a success that goes on; a refused answer is waited for no longer than Do would.
func (p *probe) keepBody() error {
	rest, ctx, limit := p.resp.Body, p.sent.Context(), 2*probeTimeout
	if p.resp.StatusCode >= 300 {
		limit = body.TextTime
	}
	if rest == http.NoBody || isStream(httpfield.Value(p.resp.Header, "Content-Type")) || p.resp.StatusCode == http.StatusSwitchingProtocols {
		return nil
	}
	var kept bytes.Buffer
	defer context.AfterFunc(ctx, func() { rest.Close() })()
	n, err := body.ReadWithin(&kept, rest, body.KeepBytes, limit)
	if err != nil && err != io.EOF && ctx.Err() != nil {
		err = contextError(ctx)
	}
	p.resp.Body = body.Rejoin(&kept, rest, err)
	switch {
	case err == nil || err == io.EOF:
		return nil
	case diagnose.IsTimeout(err):
		return fmt.Errorf("the answer (%s) stopped after %s: %w", status(p.resp.StatusCode), problem.Times(int(n), "byte"), err)
	}
	return fmt.Errorf("the answer (%s) broke off after %s: %w", status(p.resp.StatusCode), problem.Times(int(n), "byte"), err)
}

// isStream reports whether a body of that type has no end that anybody waits for, such as text/event-stream,
// application/json;stream=watch and application/x-ndjson.
func isStream(contentType string) bool {
	kind := strings.ToLower(contentType)
	return strings.Contains(kind, "stream") && !strings.Contains(kind, "octet-stream") || strings.Contains(kind, "ndjson") ||
		strings.HasPrefix(kind, "multipart/x-mixed-replace")
}

// unexpected is the error of a success that is none: the rules of Ping refuse it, or it is no answer for programs. A refusal by
// the API counts first.
func (p *probe) unexpected(last *lastCall, what, advice string) error {
	if err := last.failure(p.resp); err != nil {
		return err
	}
	p.advice = advice
	token, attempts := "", 1
	if p.call != nil {
		token, attempts = p.call.token.value, p.call.attempts
	}
	return fmt.Errorf("%w: %s", p.core.responseError(p.resp, attempts, token), what)
}

// measureSkew compares the clocks.
func (p *probe) measureSkew() {
	if p.call == nil {
		return
	}
	sent, received := p.trace.Times()
	if received.IsZero() { // a Transport that tells nothing
		sent, received = p.call.sent, time.Now()
	}
	if d, precision, ok := skew.Measure(p.resp.Header, sent, received); ok && d.Abs() > precision {
		p.report.Skew = d.Round(time.Second)
	}
}

// exchange fetches an access token, whether or not there is one, and reports how that went. The ping carries it.
func (p *probe) exchange(ctx context.Context) error {
	began := time.Now()
	got, err := p.core.access.exchange(ctx, true, func() {})
	took := time.Since(began)
	p.report.Skew = got.ahead
	if got.unminted {
		p.report.add(Step{Name: "token", Status: StatusFailed, Detail: p.shown(err)})
		p.report.skip("exchange")
		p.report.Kind = p.kindOfMinting()
		return err
	}
	if got.assertion == nil {
		p.report.skip("token")
	} else {
		p.describeToken(got.assertion.value, got.assertion.skew)
	}
	step := Step{Name: "exchange", Status: StatusOK, Took: took}
	if err != nil {
		p.denied = true
		step.Status, step.Detail, step.Hint = StatusFailed, p.shown(err), p.core.hide(hintOf(err))
		p.report.add(step)
		return err
	}
	p.core.access.kept.Store(got.token)
	step.Detail = fmt.Sprintf("%s of %d bytes", p.core.describeToken(got.token), len(got.token.value))
	if !got.token.grant.expiry.IsZero() {
		step.Detail += fmt.Sprintf(", expires in %s", time.Until(got.token.grant.expiry).Round(time.Second))
	}
	if got.over != "" {
		step.Status = StatusWarning
		step.Detail += ", of which the answer says that it has expired already: it serves until it is refused"
		step.Hint = "set Exchange.ExpiresIn to how long it lives, or " + got.over + " to where the answer says that"
	}
	p.report.add(step)
	return nil
}

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
	e, ping := &template.Env{Now: p.core.skew.Now()}, p.core.ping
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

// stay is the CheckRedirect of a Test, which does not leave the origins that may have the token: http.Client would carry along what
// Ping added, in the headers, in the body after 307 and 308, and in the Referer, and it may be made of the token and of Secrets.
func (t *lastCall) stay(req *http.Request, via []*http.Request) error {
	if api := t.core.address.Load(); api != nil && !api.Trusts(req.URL) {
		t.left = req.URL
		return http.ErrUseLastResponse
	}
	return checkRedirect(req, via)
}

// leaves is the error of an answer that redirects elsewhere, where err is that of any redirect.
func (p *probe) leaves(to *url.URL, err error) error {
	where := p.core.censor(to.Scheme+"://"+to.Host, p.tokenValue())
	p.left = "it redirects to " + where + ", which is not an origin of the connection, and was not followed"
	p.advice = "set BaseURI to the API's own address, or add " + where + " to TrustedOrigins if it may have the token; " +
		"if that is a login page, compare Placement with where the API looks for the token"
	if to.Scheme == "http" && p.sent.URL.Scheme == "https" {
		p.advice = "the redirect leads from https to http, where anybody on the way could read the token: correct BaseURI or Ping.RelativeURI, " +
			"or have the API's operator correct the redirect"
	}
	return fmt.Errorf("%w: %s", err, p.left)
}
