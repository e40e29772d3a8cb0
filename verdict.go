package jwtbearer

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/diagnose"
	"github.com/seed-363d07a3/jwtbearer/internal/dial"
	"github.com/seed-363d07a3/jwtbearer/internal/redact"
)

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
		if skew := p.report.Skew; skew.Abs() > diagnose.SkewNoticed {
			return diagnose.ClockHint(skew) + ": correct one of them"
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
