package jwtbearer

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/diagnose"
	"github.com/seed-363d07a3/jwtbearer/internal/httpfield"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/redact"
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
		Ready: p.core.minter.signer == nil, Reused: p.core.minter.reuse > 0, Now: p.core.skew.now()}
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
