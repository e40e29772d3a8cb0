package jwtbearer

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
	"github.com/seed-363d07a3/jwtbearer/internal/diagnose"
	"github.com/seed-363d07a3/jwtbearer/internal/dial"
	"github.com/seed-363d07a3/jwtbearer/internal/httpfield"
	"github.com/seed-363d07a3/jwtbearer/internal/jws"
	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/place"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/response"
	"github.com/seed-363d07a3/jwtbearer/internal/template"
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

// refusedReport reports what NewClient refused.
func refusedReport(err error) *Report {
	r := &Report{Kind: KindBadConfig}
	key := Step{Name: "key", Status: StatusSkipped}
	for _, found := range configErrors(err) {
		detail := problem.Sentence(found.Field, found.Problem, "")
		switch {
		case !found.ofKey():
			r.add(Step{Name: "config", Status: StatusFailed, Detail: detail, Hint: found.Hint})
		case key.Status == StatusSkipped:
			key.Status, key.Detail, key.Hint = StatusFailed, detail, found.Hint
		default:
			key.Detail += "; " + problem.Sentence("", detail, found.Hint)
		}
	}
	if len(r.Steps) == 0 {
		r.Kind = KindBadKey
		r.add(Step{Name: "config", Status: StatusOK})
	}
	r.add(key)
	r.skip("token", "exchange", "resolve", "connect", "tls", "request")
	r.add(Step{Name: "verdict", Status: StatusFailed, Detail: string(r.Kind) + ": nothing was sent",
		Hint: "correct the failed steps above"})
	return r
}

// ofKey reports whether the problem is about the key that signs, and not that it could not be had.
func (e *ConfigError) ofKey() bool {
	if _, ok := e.cause.(*KeyError); e.cause != nil && !ok {
		return false
	}
	return slices.Contains([]string{"Secret", "PrivateKey", "Passphrase", "Key"}, e.Field)
}

// configErrors returns the problems that Validate joined.
func configErrors(err error) []*ConfigError {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		var problems []*ConfigError
		for _, err := range all.Unwrap() {
			problems = append(problems, configErrors(err)...)
		}
		return problems
	}
	if problem, ok := errors.AsType[*ConfigError](err); ok {
		return []*ConfigError{problem}
	}
	return nil
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

// describe reports what is known before anything is sent.
func (p *probe) describe() {
	where := "the token endpoint tells the base URI"
	if api := p.core.address.Load(); api != nil {
		where = p.core.hide(withoutQuery(api.Base.String()))
	}
	p.report.add(Step{Name: "config", Status: StatusOK, Detail: where})
	for _, w := range p.core.warnings {
		p.report.add(Step{Name: "config", Status: StatusWarning, Detail: problem.Sentence(w.Field, w.Problem, ""), Hint: w.Hint})
	}
	if p.core.minter.signer == nil {
		p.report.add(Step{Name: "key", Status: StatusSkipped, Detail: "the token is ready-made"})
		return
	}
	p.report.add(Step{Name: "key", Status: StatusOK, Detail: describeSigner(p.core.minter.signer)})
}

// describeSigner tells method and key of a signer.
func describeSigner(s *jws.Signer) string {
	switch pub := s.Public().(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("%s with an RSA key of %d bits", s.Name, pub.N.BitLen())
	case *ecdsa.PublicKey:
		return fmt.Sprintf("%s with an EC key on %s", s.Name, pub.Curve.Params().Name)
	case ed25519.PublicKey:
		return fmt.Sprintf("%s with an Ed25519 key", s.Name)
	}
	return s.Name + " with a secret"
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

// describeToken reports a token that was signed at the time of a clock that is so far ahead of this one.
func (p *probe) describeToken(token string, ahead time.Duration) {
	p.report.decode(token, p.core.header, p.core.claims)
	step := Step{Name: "token", Status: StatusOK, Detail: fmt.Sprintf("%d bytes", len(token))}
	if expiry := expiryOf(token); !expiry.IsZero() {
		life := (time.Until(expiry) - ahead).Round(time.Second)
		if step.Detail += fmt.Sprintf(", expires in %s", life); life <= 0 {
			step.Status, step.Hint = StatusWarning, "it has expired: look at the claim exp"
			step.Detail = fmt.Sprintf("%d bytes, expired %s ago", len(token), -life)
		}
	}
	p.report.add(step)
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
	if d, precision, ok := measureSkew(p.resp.Header, sent, received); ok && d.Abs() > precision {
		p.report.Skew = d.Round(time.Second)
	}
}

// answer reports the request itself.
func (p *probe) answer(req *http.Request, err error, took time.Duration) {
	path := cmp.Or(req.URL.EscapedPath(), "/")
	step := Step{Name: "request", Status: StatusOK, Took: took, Detail: p.core.hide(req.Method + " " + path)}
	if p.resp != nil {
		step.Detail += ": " + status(p.resp.StatusCode)
	}
	switch {
	case err != nil && p.resp == nil:
		step.Status, step.Detail = StatusFailed, p.shown(err)
	case p.left != "":
		step.Status, step.Hint = StatusFailed, p.advice
		step.Detail += ": " + p.left
	case err != nil:
		step.Status = StatusFailed // the verdict says why
	case p.report.Skew.Abs() > diagnose.SkewNoticed:
		step.Status, step.Hint = StatusWarning, diagnose.ClockHint(p.report.Skew)
	}
	p.remark(&step)
	p.report.add(step)
}

// shown is an error as a report may show it.
func (p *probe) shown(err error) string {
	text := detailOf(err)
	if hint := hintOf(err); hint != "" {
		text = strings.Replace(text, "; "+hint, "", 1)
	}
	return p.core.hide(text)
}

// hintOf is what a typed error says to do, which has a place of its own in a step.
func hintOf(err error) string {
	if e, ok := errors.AsType[*TokenError](err); ok {
		return e.Hint
	}
	if e, ok := errors.AsType[*AuthError](err); ok {
		return e.Hint
	}
	return ""
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

// describeToken says of which type an access token is, where the type is one that tokens have.
func (c *core) describeToken(t *minted) string {
	scheme := c.scheme(t)
	configured := slices.ContainsFunc(c.placements, func(p place.Place) bool { return p.Scheme == scheme })
	if scheme == "" || !configured && !slices.Contains(knownSchemes, scheme) {
		return "a token"
	}
	return scheme + " token"
}

// knownSchemes are types of tokens that are named in a report.
var knownSchemes = []string{"Bearer", "DPoP", "MAC", "JWT", "Token", "OAuth", "BearerToken"}
