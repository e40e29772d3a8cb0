package jwtbearer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/diagnose"
	"github.com/seed-363d07a3/jwtbearer/internal/dial"
	"github.com/seed-363d07a3/jwtbearer/internal/httpfield"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/redact"
	"github.com/seed-363d07a3/jwtbearer/internal/response"
	"github.com/seed-363d07a3/jwtbearer/internal/skew"
	"github.com/seed-363d07a3/jwtbearer/internal/throttle"
)

// diagnose looks for the cause of a failure.
func (p *probe) diagnose(err error) diagnose.Diagnosis {
	if _, ok := errors.AsType[*ThrottledError](err); ok || err == nil || p.advice != "" {
		return diagnose.Diagnosis{}
	}
	d := diagnose.Cause(redact.Behind(err), p.facts(err))
	d.Hint = p.core.hide(d.Hint)
	return d
}

// facts are what is known of the attempt that failed with err.
func (p *probe) facts(err error) *diagnose.Facts {
	f := &diagnose.Facts{AddressField: p.addressField(), BasePath: p.core.apiBase().EscapedPath(), NoTurn: p.noTurn(err),
		Stage: p.trace.Stage(), StoppedBeforeTLS: p.trace.StoppedBeforeTLS(), Unanswered: p.trace.Unanswered(),
		ClientCertificate: p.hasClientCertificate(), OwnTransport: !p.core.ownDials, Silence: p.core.silence, Limit: probeTimeout,
		Skew: p.report.Skew, Token: p.sentToken()}
	if u := p.proxy(); u != nil {
		f.Proxy = u.Scheme + "://" + u.Host
	}
	if p.sent != nil {
		f.PlainHTTP = p.sent.URL.Scheme == "http"
	}
	if k := p.call; k != nil && k.attempts == 0 {
		f.Unsent = &diagnose.Unsent{Unminted: k.unminted, KeyFailed: k.unminted && p.report.Kind == KindBadKey, Minted: k.token != nil,
			Limited: p.core.limiter != nil}
	}
	if p.resp != nil {
		f.Response = p.response(err)
	}
	return f
}

// response is what the response to the ping says.
func (p *probe) response(err error) *diagnose.Response {
	r := &diagnose.Response{Status: p.resp.StatusCode, Header: p.resp.Header, URL: p.resp.Request.URL, Challenge: p.challenge(), Broken: p.broken}
	if e, ok := errors.AsType[*AuthError](err); ok {
		r.Refused, r.Texts = true, append(r.Texts, e.Code, e.Message)
	}
	if e, ok := errors.AsType[*ResponseError](err); ok {
		r.Texts = append(r.Texts, e.Code, e.Message, string(e.Body[:min(len(e.Body), 2048)]))
	}
	return r
}

// sentToken is what is known of the token.
func (p *probe) sentToken() diagnose.Token {
	t := diagnose.Token{Header: string(p.report.Header), Claims: string(p.report.Claims), Exchanged: p.core.access != nil,
		Ready: p.core.minter.signer == nil, Reused: p.core.minter.reuse > 0, Now: p.core.skew.Now()}
	for _, place := range p.core.placements {
		t.Places = append(t.Places, strings.TrimSpace(place.In+" "+place.Name+" "+place.Scheme))
	}
	return t
}

// challenge is what the answer to the ping says of the token, read once.
func (p *probe) challenge() httpfield.Challenge {
	if p.challenged == nil {
		p.challenged = new(bestChallenge(p.resp.Header))
	}
	return *p.challenged
}

// blame marks the step of the network that a failure belongs to, where that showed only later: with TLS 1.3 a server refuses
// the client's certificate after the handshake (RFC 8446, section 4.4.2.4), and a proxy refuses on a connection that works.
func (p *probe) blame(err error) {
	name := p.diagnose(err).Step
	for i, s := range p.report.Steps {
		if s.Name == name && s.Status != StatusFailed {
			p.report.Steps[i].Status, p.report.Steps[i].Detail = StatusFailed, problem.Sentence(s.Detail, p.shown(err), "")
		}
	}
}

// addressField is the setting that the address of a failed connection came from.
func (p *probe) addressField() string {
	if p.report.Kind == KindExchangeFailed {
		return "Exchange.TokenURL"
	}
	return "BaseURI"
}

func (p *probe) hasClientCertificate() bool {
	t, ok := p.core.transport.(*http.Transport)
	return ok && t.TLSClientConfig != nil && (len(t.TLSClientConfig.Certificates) > 0 || t.TLSClientConfig.GetClientCertificate != nil)
}

// proxy is the one that the request went through; nil: none, or it is not known.
func (p *probe) proxy() *url.URL {
	t, ok := p.core.transport.(*http.Transport)
	if !ok || t.Proxy == nil || p.sent == nil {
		return nil
	}
	u, err := t.Proxy(p.sent)
	if err != nil {
		return nil
	}
	return u
}

// apiBase is the address that pings are appended to; empty while only the token endpoint could tell it.
func (c *core) apiBase() *url.URL {
	if a := c.address.Load(); a != nil {
		return a.Base
	}
	return new(url.URL)
}

// verdict sums up.
func (p *probe) verdict(err error) {
	r := p.report
	if r.Kind == "" {
		r.Kind = p.kindOf(err)
	}
	r.OK = r.Kind == KindOK
	throttled, ok := errors.AsType[*ThrottledError](err)
	if ok {
		r.RetryAfter = throttled.RetryAfter
	}
	step := Step{Name: "verdict", Status: StatusOK, Detail: "the connection works"}
	if !r.OK {
		step.Status, step.Detail, step.Hint = StatusFailed, p.shown(err), p.hint(err)
		if throttled == nil { // which says so itself
			step.Detail = string(r.Kind) + ": " + step.Detail
		}
	}
	r.add(step)
}

// kindOf classifies the outcome of a Test.
func (p *probe) kindOf(err error) Kind {
	if err == nil {
		return KindOK
	}
	if p.noTurn(err) {
		return KindThrottled
	}
	if _, ok := errors.AsType[*ThrottledError](err); ok {
		return KindThrottled
	}
	if _, ok := errors.AsType[*TokenError](err); ok || p.denied {
		return KindExchangeFailed
	}
	if _, ok := errors.AsType[*AuthError](err); ok {
		return KindAuthRejected
	}
	if kind := p.diagnose(err).Kind; kind != "" {
		return Kind(kind)
	}
	if answer, ok := errors.AsType[*ResponseError](err); ok {
		switch code := answer.StatusCode; {
		case p.advice != "":
			return KindUnexpectedAnswer
		case code == http.StatusUnauthorized || code == http.StatusForbidden:
			return KindAuthRejected
		case code == http.StatusNotFound || code == http.StatusGone:
			return KindNotFound
		case code >= 500:
			return KindServerError
		}
		return KindUnexpectedAnswer
	}
	err = redact.Behind(err)
	if op, ok := errors.AsType[*net.OpError](err); dial.IsTLSVerdict(err) || errors.Is(err, http.ErrSchemeMismatch) ||
		ok && op.Op == "remote error" { // an alert of the peer, such as that it wants a certificate
		return KindTLSFailed
	}
	return KindUnreachable
}

// noTurn reports whether the connection's own pace left no time to send the request.
func (p *probe) noTurn(err error) bool {
	return p.call != nil && p.call.attempts == 0 && !p.call.unminted && errors.Is(err, context.DeadlineExceeded)
}

// hint says what to do about the verdict.
func (p *probe) hint(err error) string {
	if hint := hintOf(err); hint != "" {
		return p.core.hide(hint)
	}
	if hint := p.diagnose(err).Hint; hint != "" {
		return hint
	}
	switch p.report.Kind {
	case KindBadConfig, KindBadKey:
		return "correct the failed step above"
	case KindUnexpectedAnswer:
		return cmp.Or(p.advice, diagnose.Unexpected(p.report.StatusCode))
	case KindServerError:
		return "the API itself failed: try again later, and tell its operator if that lasts"
	case KindThrottled:
		if p.noTurn(err) {
			return "RateLimit, or Limiter, left no turn in time: try again when fewer requests wait"
		}
		return "the API is reachable and refuses for now: try again later"
	case KindAuthRejected:
		if ahead := p.report.Skew; ahead.Abs() > skew.Noticed {
			return diagnose.ClockHint(ahead) + ": correct one of them"
		}
		if p.report.StatusCode == http.StatusForbidden {
			return "the token was understood, but may not do this: give its iss (or sub) the permission, or ask for a scope in Payload"
		}
		return "compare JWTHeaders and Payload with what the API asks for, and PrivateKey or Secret with the key that it has"
	case KindNotFound:
		u := p.resp.Request.URL
		return "check BaseURI and Ping.RelativeURI: the request went to " + p.core.hide(u.Host+u.EscapedPath())
	case KindExchangeFailed:
		if _, ok := errors.AsType[*TokenError](err); ok {
			return "" // the error says it
		}
		return "check Exchange.TokenURL, the network, TLS and the proxy settings"
	case KindUnreachable:
		return "check BaseURI, the network and the proxy settings"
	case KindTLSFailed:
		return diagnose.InTransport("see Connection.TLS: CA for a private authority, Certificate and PrivateKey for a client certificate", !p.core.ownDials)
	}
	return ""
}

func detailOf(err error) string {
	if err == nil {
		return ""
	}
	text := strings.TrimPrefix(err.Error(), "jwtbearer: ")
	return strings.ReplaceAll(text, "readLoopPeekFailLocked: ", "") // net/http adds the name of its function now and then
}

// An observation is what an answer to the ping tells beside its status.
type observation struct {
	quota string // the throttle headers that were understood
	empty bool   // it has no body where there might be one
	said  string // the error that the body of a success tells of
}

// observe looks at an answer before anybody else reads its body.
func (p *probe) observe(r *response.Response) observation {
	var o observation
	var quotas []string
	for _, q := range p.core.throttling.Readings(throttle.NewView(r)) {
		quotas = append(quotas, q.String())
	}
	o.quota = strings.Join(quotas, "; ")
	o.empty = r.IsEmpty()
	if member, code, message := r.ErrorInSuccess(p.core.ping.errorPath); member != "" {
		o.said = cmp.Or(words(code, message), "see its member "+member)
	}
	return o
}

// misplaced tells that a success is a page for people where an API answers programs, and what to do.
func (p *probe) misplaced(r *response.Response) (what, advice string) {
	const login = "is BaseURI the API's address, and does Placement put the token where it looks for it?"
	if r.ContentType() != "text/html" || p.core.successMedia == MediaPlaintext {
		return "", ""
	}
	final := p.resp.Request.URL
	switch {
	case p.sent != nil && !samePlace(final, p.sent.URL):
		return "the API redirected to the page " + p.core.hide(final.EscapedPath()) + ", which looks like a login", login
	}
	return "the answer is an HTML page, not what an API tells programs",
		"correct BaseURI or Ping.RelativeURI, or say with Ping.Success that this is right"
}

func samePlace(a, b *url.URL) bool { return a.Host == b.Host && a.EscapedPath() == b.EscapedPath() }

// remark adds what was observed to the step of the request, as a warning where a success is doubtful.
func (p *probe) remark(step *Step) {
	if p.resp == nil {
		return
	}
	o, ok := p.seen, step.Status == StatusOK
	if p.call != nil && p.call.reminted && step.Status != StatusFailed {
		step.Detail += " after a first token was refused"
	}
	if o.empty {
		step.Detail += "; empty body"
	}
	if o.quota != "" {
		step.Detail += "; " + o.quota
	}
	ruled := len(p.core.ping.success) > 0 || len(p.core.ping.fail) > 0
	switch {
	case !ok || ruled:
	case o.said != "":
		step.Status = StatusWarning
		step.Detail += "; but the body tells of an error: " + p.core.censor(o.said, p.tokenValue())
		step.Hint = "say with Ping.Fail which answers are failures in spite of their status"
	case o.empty && p.core.successMedia != "" && p.core.successMedia != MediaPlaintext && p.resp.StatusCode == http.StatusOK:
		step.Status = StatusWarning
		step.Hint = fmt.Sprintf("SuccessMediaType is %s, but there is nothing to decode: compare Ping.RelativeURI", p.core.successMedia)
	}
}

// tokenValue is the token that the answer may show again.
func (p *probe) tokenValue() string {
	if p.call == nil || p.call.token == nil {
		return ""
	}
	return p.call.token.value
}
