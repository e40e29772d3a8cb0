package jwtbearer

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"time"
)

const probeTimeout = 30 * time.Second // for a whole Test

// ping is the compiled Connection.Ping.
type ping struct {
	method    string
	ref, body *textTemplate
	headers   []headerTemplate
	success   []rule
	fail      []rule
	errorPath *bodyPath
}

// buildPing compiles Ping.
func (b *setup) buildPing() {
	c := b.conn.Ping
	p := ping{method: cmp.Or(c.Method, http.MethodGet)}
	if !isToken(p.method) {
		b.p.add("Ping.Method", "is not a method (RFC 9110, section 9.1)", "use GET, POST or another word")
	}
	p.ref, _ = b.compileText("Ping.RelativeURI", c.RelativeURI, scopeRequest)
	p.body, _ = b.compileText("Ping.Body", c.Body, scopeRequest)
	p.headers = b.compileHeaders("Ping.Headers", c.Headers)
	p.success = compileRules("Ping.Success", c.Success, b.conn.ErrorMediaType, b.p)
	p.fail = compileRules("Ping.Fail", c.Fail, b.conn.ErrorMediaType, b.p)
	if c.ErrorPath != "" {
		p.errorPath = compilePath("Ping.ErrorPath", c.ErrorPath, b.conn.ErrorMediaType, b.p)
	}
	b.core.ping = p
}

// Test tries the connection: it makes a Client of it, and that Client's Test. What it opened it closes. A Connection that
// NewClient refuses gives a report too. The error is non-nil whenever the report is not OK.
func (c *Connection) Test(ctx context.Context) (*Report, error) {
	client, err := NewClient(c)
	if err != nil {
		return refusedReport(err), err
	}
	defer client.CloseIdleConnections()
	return client.Test(ctx)
}

// refusedReport reports what NewClient refused.
func refusedReport(err error) *Report {
	r := &Report{Kind: KindBadConfig}
	key, _ := errors.AsType[*KeyError](err)
	if problem, ok := errors.AsType[*ConfigError](err); key != nil && ok && problem.cause != nil {
		r.Kind = KindBadKey
		r.add(Step{Name: "config", Status: StatusOK})
		r.add(Step{Name: "key", Status: StatusFailed, Detail: problem.Problem, Hint: problem.Hint})
		r.skip("token", "exchange", "resolve", "connect", "tls", "request")
	} else {
		for _, problem := range configErrors(err) {
			r.add(Step{Name: "config", Status: StatusFailed, Detail: sentence(problem.Field, problem.Problem, ""), Hint: problem.Hint})
		}
		r.skip("key", "token", "exchange", "resolve", "connect", "tls", "request")
	}
	r.add(Step{Name: "verdict", Status: StatusFailed, Detail: string(r.Kind)})
	return r
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
	return p.report, err
}

// A probe is one Test under way.
type probe struct {
	core   *core
	report *Report
	trace  netTrace
	resp   *http.Response
	call   *call
}

// describe reports what is known before anything is sent.
func (p *probe) describe() {
	p.report.add(Step{Name: "config", Status: StatusOK, Detail: p.core.base.Redacted()})
	for _, w := range p.core.warnings {
		p.report.add(Step{Name: "config", Status: StatusWarning, Detail: sentence(w.Field, w.Problem, ""), Hint: w.Hint})
	}
	if p.core.minter.signer == nil {
		p.report.add(Step{Name: "key", Status: StatusSkipped, Detail: "the token is ready-made"})
		return
	}
	p.report.add(Step{Name: "key", Status: StatusOK, Detail: p.core.minter.signer.describe()})
}

// describe tells method and key of a signer.
func (s *Signer) describe() string {
	switch pub := s.public().(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("%s with an RSA key of %d bits", s.method(), pub.N.BitLen())
	case *ecdsa.PublicKey:
		return fmt.Sprintf("%s with an EC key on %s", s.method(), pub.Curve.Params().Name)
	case ed25519.PublicKey:
		return fmt.Sprintf("%s with an Ed25519 key", s.method())
	}
	return string(s.method()) + " with a secret"
}

// request sends the ping and reports the steps on the way.
func (p *probe) request(ctx context.Context) error {
	req, err := p.newRequest(httptrace.WithClientTrace(ctx, p.trace.hooks()))
	if err != nil {
		p.report.add(Step{Name: "token", Status: StatusSkipped})
		p.report.skip("exchange", "resolve", "connect", "tls")
		p.report.add(Step{Name: "request", Status: StatusFailed, Detail: err.Error(), Hint: "see Connection.Ping"})
		p.report.Kind = KindBadConfig
		return err
	}
	last := &lastCall{core: p.core, probe: true}
	client := http.Client{Transport: last}
	began := time.Now()
	p.resp, err = client.Do(req)
	took := time.Since(began)
	p.call = last.call
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	p.token(err)
	p.report.skip("exchange")
	p.network()
	if err == nil {
		defer p.resp.Body.Close()
		p.report.StatusCode = p.resp.StatusCode
		err = p.judge(last)
	}
	p.answer(req, err, took)
	return err
}

// newRequest makes the request that Ping describes.
func (p *probe) newRequest(ctx context.Context) (*http.Request, error) {
	e := &env{now: p.core.skew.now()}
	ref, err := p.core.ping.ref.text(e)
	if err != nil {
		return nil, err
	}
	text, err := p.core.ping.body.text(e)
	if err != nil {
		return nil, err
	}
	var body any
	if text != "" {
		body = text
	}
	client := Client{p.core}
	req, err := client.NewRequest(ctx, p.core.ping.method, ref, body)
	if err != nil {
		return nil, err
	}
	for _, h := range p.core.ping.headers {
		value, err := h.value.text(e)
		if err != nil {
			return nil, err
		}
		req.Header.Set(h.name, value)
	}
	return req, nil
}

// token reports the token that was used.
func (p *probe) token(err error) {
	if p.call == nil || p.call.token == nil {
		step := Step{Name: "token", Status: StatusSkipped}
		if p.call != nil && p.call.unminted {
			step.Status, step.Detail = StatusFailed, detailOf(err)
			p.report.Kind = KindBadConfig
		}
		p.report.add(step)
		return
	}
	p.report.decode(p.call.token.value)
	detail := fmt.Sprintf("%d bytes", len(p.call.token.value))
	if expiry := expiryOf(p.call.token.value); !expiry.IsZero() {
		detail += fmt.Sprintf(", expires in %s", time.Until(expiry).Round(time.Second))
	}
	p.report.add(Step{Name: "token", Status: StatusOK, Detail: detail})
}

// network reports name resolution, connection and TLS.
func (p *probe) network() {
	p.trace.mu.Lock()
	defer p.trace.mu.Unlock()
	p.report.add(p.trace.resolve.step("resolve"))
	p.report.add(p.trace.connect.step("connect"))
	step := p.trace.tls.step("tls")
	if state := p.trace.state; step.Status == StatusOK && state != nil {
		step.Detail = tls.VersionName(state.Version)
		if len(state.PeerCertificates) > 0 {
			step.Detail += ", certificate until " + state.PeerCertificates[0].NotAfter.Format(time.DateOnly)
		}
	}
	p.report.add(step)
}

// judge says whether the answer is a success.
func (p *probe) judge(last *lastCall) error {
	if p.call != nil {
		received := p.call.sent.Add(p.trace.latency())
		if d, precision, ok := measureSkew(p.resp.Header, p.call.sent, received); ok && d.Abs() > precision {
			p.report.Skew = d.Round(time.Second)
		}
	}
	p.report.Latency = p.trace.latency()
	if err := last.failure(p.resp); err != nil {
		return err
	}
	a := newAnswer(p.resp, p.core.errorMedia, time.Now())
	failed := matchAny(p.core.ping.fail, a) >= 0
	wanted := len(p.core.ping.success) == 0 || matchAny(p.core.ping.success, a) >= 0
	if failed || !wanted {
		token := ""
		if p.call != nil {
			token = p.call.token.value
		}
		return p.core.responseError(p.resp, 1, token)
	}
	return nil
}

// answer reports the request itself.
func (p *probe) answer(req *http.Request, err error, took time.Duration) {
	step := Step{Name: "request", Status: StatusOK, Took: took, Detail: req.Method + " " + req.URL.EscapedPath()}
	if p.resp != nil {
		step.Detail += ": " + status(p.resp.StatusCode)
	}
	if err != nil {
		step.Status = StatusFailed
		if p.resp == nil {
			step.Detail = detailOf(err)
		}
	}
	p.report.add(step)
}

// verdict sums up.
func (p *probe) verdict(err error) {
	r := p.report
	if r.Kind == "" {
		r.Kind = kindOf(err)
	}
	r.OK = r.Kind == KindOK
	if t, ok := errors.AsType[*ThrottledError](err); ok {
		r.RetryAfter = t.RetryAfter
	}
	step := Step{Name: "verdict", Status: StatusOK, Detail: "the connection works"}
	if !r.OK {
		step.Status, step.Detail, step.Hint = StatusFailed, string(r.Kind)+": "+detailOf(err), p.hint()
	}
	r.add(step)
}

// kindOf classifies the outcome of a Test.
func kindOf(err error) Kind {
	if err == nil {
		return KindOK
	}
	if _, ok := errors.AsType[*ThrottledError](err); ok {
		return KindThrottled
	}
	if _, ok := errors.AsType[*AuthError](err); ok {
		return KindAuthRejected
	}
	if answer, ok := errors.AsType[*ResponseError](err); ok {
		switch code := answer.StatusCode; {
		case code == http.StatusUnauthorized || code == http.StatusForbidden:
			return KindAuthRejected
		case code == http.StatusNotFound || code == http.StatusGone:
			return KindNotFound
		case code >= 500:
			return KindServerError
		}
		return KindUnexpectedAnswer
	}
	if isTLSVerdict(err) {
		return KindTLSFailed
	}
	return KindUnreachable
}

// hint says what to do about the verdict.
func (p *probe) hint() string {
	switch p.report.Kind {
	case KindThrottled:
		return "the API is reachable and refuses for now: try again later"
	case KindAuthRejected:
		if skew := p.report.Skew; skew.Abs() > skewNoticed {
			return fmt.Sprintf("the API's clock differs from this one by %s: set this machine's clock", skew)
		}
		return "compare header and claims with what the API asks for, and the key with the one it has"
	case KindNotFound:
		return "check BaseURI and Ping.RelativeURI: the request went to " + p.core.base.Host
	case KindUnreachable:
		return "check BaseURI, the network and the proxy settings"
	case KindTLSFailed:
		return "see Connection.TLS: CA for a private authority, Certificate and PrivateKey for a client certificate"
	}
	return ""
}

func detailOf(err error) string {
	if err == nil {
		return ""
	}
	return strings.TrimPrefix(err.Error(), "jwtbearer: ")
}

// A netTrace times what net/http tells of a request. Its hooks run in several goroutines.
type netTrace struct {
	mu                    sync.Mutex
	resolve, connect, tls phase
	state                 *tls.ConnectionState
	wrote, first          time.Time
}

// A phase is a step that net/http tells the beginning and the end of.
type phase struct {
	begun time.Time
	took  time.Duration
	done  bool
	err   error
}

func (p *phase) begin() { *p = phase{begun: time.Now()} }

func (p *phase) end(err error) { p.took, p.done, p.err = time.Since(p.begun), true, err }

func (p *phase) step(name string) Step {
	switch {
	case p.begun.IsZero() || !p.done:
		return Step{Name: name, Status: StatusSkipped}
	case p.err != nil:
		return Step{Name: name, Status: StatusFailed, Detail: detailOf(p.err), Took: p.took}
	}
	return Step{Name: name, Status: StatusOK, Took: p.took}
}

func (t *netTrace) hooks() *httptrace.ClientTrace {
	locked := func(f func()) {
		t.mu.Lock()
		defer t.mu.Unlock()
		f()
	}
	return &httptrace.ClientTrace{
		DNSStart:          func(httptrace.DNSStartInfo) { locked(t.resolve.begin) },
		DNSDone:           func(i httptrace.DNSDoneInfo) { locked(func() { t.resolve.end(i.Err) }) },
		ConnectStart:      func(string, string) { locked(t.connect.begin) },
		ConnectDone:       func(_, _ string, err error) { locked(func() { t.connect.end(err) }) },
		TLSHandshakeStart: func() { locked(t.tls.begin) },
		TLSHandshakeDone: func(state tls.ConnectionState, err error) {
			locked(func() {
				t.tls.end(err)
				t.state = &state
			})
		},
		WroteRequest:         func(httptrace.WroteRequestInfo) { locked(func() { t.wrote = time.Now() }) },
		GotFirstResponseByte: func() { locked(func() { t.first = time.Now() }) },
	}
}

// latency is the time between the request and the first byte of the answer.
func (t *netTrace) latency() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.wrote.IsZero() || t.first.IsZero() {
		return 0
	}
	return max(0, t.first.Sub(t.wrote))
}
