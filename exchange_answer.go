package jwtbearer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/origin"
	"github.com/seed-363d07a3/jwtbearer/internal/response"
	"github.com/seed-363d07a3/jwtbearer/internal/waits"
)

const (
	tokenPath  = "TokenPath"                // the field
	mostAnswer = 1 << 20                    // bytes of a token endpoint's answer
	tokenTime  = 10 * time.Second           // for reading them
	longLife   = 64_000_000                 // seconds, two years: more is in milliseconds, as Adobe's are
	unbounded  = 100 * 365 * 24 * time.Hour // how long a token serves that does not expire
)

// keep reads the whole answer, so that one that breaks off, or does not end in time, counts as an attempt that failed.
func (h *hop) keep(resp *http.Response) error {
	limit, isText := tokenTime, resp.StatusCode >= 300
	if isText {
		limit = textTime
	}
	var kept bytes.Buffer
	_, err := readWithin(&kept, resp.Body, mostAnswer+1, limit)
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(kept.Bytes()))
	if _, slow := errors.AsType[*slowBodyError](err); err == io.EOF || slow && isText { // of a text what came counts
		return nil
	}
	return err
}

// read takes from an answer what it gives.
func (h *hop) read(k *call, got grant) (grant, error) {
	switch {
	case k.throttle != nil:
		return got, &prefixed{"token endpoint", k.throttledError()}
	case k.refused || k.resp.StatusCode >= 300:
		return got, h.refusal(k, "", tokenPath)
	}
	a := h.answer(k)
	if !h.keeps {
		value, problem := h.tokenIn(a)
		if problem != "" {
			return got, h.refusal(k, problem, tokenPath)
		}
		got.token, got.over = h.accessToken(k, a, value), h.over(a)
	}
	if h.base != nil {
		base, _ := a.Scalar(h.base)
		if base == "" {
			return got, h.refusal(k, "the answer has no base URI at BaseURIPath", "BaseURIPath")
		}
		if scheme, _, _ := strings.Cut(base, ":"); !strings.EqualFold(scheme, "https") && !strings.EqualFold(scheme, "http") {
			return got, h.refusal(k, "what the answer has at BaseURIPath is no http or https URI", "BaseURIPath")
		}
		got.base = base
	}
	return got, nil
}

// answer views the whole answer.
func (h *hop) answer(k *call) *response.Response {
	data, _ := io.ReadAll(k.resp.Body) // from memory
	k.resp.Body = io.NopCloser(bytes.NewReader(data))
	return response.NewRead(k.resp, data, mostAnswer, k.answered)
}

// tokenIn returns the token, or what is wrong with the answer.
func (h *hop) tokenIn(a *response.Response) (token, problem string) {
	found, _ := a.Scalar(h.token)
	switch {
	case found == "" || found == "null":
		return "", "the answer has no token at TokenPath: it is " + describe(a)
	case strings.ContainsFunc(found, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return "", "the token in the answer holds a character that no header may carry"
	}
	return found, ""
}

// accessToken is the token of an answer, with what that says of it.
func (h *hop) accessToken(k *call, a *response.Response, value string) *minted {
	t := &minted{value: value, grant: new(grantFacts)}
	if kind, ok := a.Scalar(h.kind); ok {
		t.grant.scheme = schemeOf(kind)
	}
	sent := k.sent.Round(0) // it lives from some time after that on
	life, ok := h.lifetime(a)
	if !ok {
		t.until = sent.Add(unbounded)
		t.grant.renew = t.until
		return t
	}
	t.until = sent.Add(life)
	t.grant.expiry, t.grant.renew = t.until, t.until.Add(-min(life/5, renewMost))
	return t
}

// schemeOf is the scheme for a token type (RFC 6749, section 7.1, where case does not matter).
func schemeOf(kind string) string {
	switch {
	case strings.EqualFold(kind, "Bearer") || !isToken(kind) || kind == "N_A": // RFC 8693, section 2.2.1
		return "Bearer"
	case strings.EqualFold(kind, "DPoP"):
		return "DPoP"
	}
	return kind
}

// lifetime tells how long the token of an answer lives (RFC 6749, section 5.1). It is false where nobody says. A time that is over
// counts as not said: a token that came just now has not expired, but some servers write -1 or the year 1 for "never", or a local
// time without its zone. If it has expired all the same, the API refuses it, and it is replaced like any refused token; Exchange's
// ExpiresIn bounds what is kept until then.
func (h *hop) lifetime(a *response.Response) (time.Duration, bool) {
	if told := a.Values(h.in); len(told) > 0 {
		if life, ok := expiresIn(told[0]); ok {
			return life, true
		}
	}
	if told := a.Values(h.at); len(told) > 0 {
		if life, ok := waits.Parse(told[0], unitOf(told[0]), a.Now()); ok && life > 0 {
			return min(life, unbounded), true
		}
	}
	return h.life, h.life > 0
}

// over is the field whose path leads to a lifetime that is over, where nothing else tells how long the token lives.
func (h *hop) over(a *response.Response) string {
	if _, known := h.lifetime(a); known {
		return ""
	}
	if told := a.Values(h.in); len(told) > 0 {
		if n, err := strconv.ParseFloat(strings.TrimSpace(told[0]), 64); err == nil && n < 0 {
			return h.field + ".ExpiresInPath"
		}
	}
	if told := a.Values(h.at); len(told) > 0 {
		if _, ok := waits.Parse(told[0], unitOf(told[0]), a.Now()); ok { // else it would be known
			return h.field + ".ExpiresAtPath"
		}
	}
	return ""
}

// unitOf tells how a point in time is written: in seconds or milliseconds since 1970, or as a date.
func unitOf(text string) waits.Unit {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	switch {
	case err != nil:
		return waits.Auto
	case n > 1e11: // the year 5138
		return waits.EpochMillis
	}
	return waits.Epoch
}

// expiresIn reads a number of seconds. Zero, which some servers give for a token that does not expire, tells nothing.
func expiresIn(text string) (time.Duration, bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(n) || n <= 0 {
		return 0, false
	}
	if n > longLife {
		n /= 1000
	}
	return time.Duration(min(n, unbounded.Seconds()) * float64(time.Second)), true
}

// relocate takes over the base URI that the token endpoint told, with BaseURI after it. Origins that were trusted stay so: a
// caller may hold links to them.
func (a *accessTokens) relocate(got grant) error {
	text := strings.TrimSuffix(got.base, "/") + a.path
	var o origin.Origin
	u, fault := origin.Parse(text)
	if fault == nil {
		o, _ = origin.Of(u) // Parse has checked it
	}
	switch {
	case fault != nil:
	case strings.Contains(got.base, "?"):
		fault = &origin.Fault{Problem: "has a query", Hint: "look at BaseURIPath"}
	case o.Scheme != "https" && o.Scheme != "http":
		fault = &origin.Fault{Problem: fmt.Sprintf("has the scheme %q", o.Scheme), Hint: "look at BaseURIPath"}
	case o.Plain() && !a.plain:
		fault = &origin.Fault{Problem: "is plain http, and its host is not this machine", Hint: "it must be https, or AllowPlainHTTP set"}
	}
	if fault != nil {
		return &TokenError{StatusCode: http.StatusOK, Description: "the base URI in the answer " + fault.Problem, Hint: fault.Hint}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	address := origin.NewAddress(u, text, nil)
	trusted, old := a.core.trusted, a.core.address.Load()
	if old != nil {
		if trusted = old.Trusted; !old.Trusts(u) || old.Origin != address.Origin {
			trusted = append(slices.Clip(trusted), old.Origin)
		}
	}
	address.Trusted = trusted
	a.core.address.Store(address)
	return nil
}
