package jwtbearer

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/httpfield"
	"github.com/seed-363d07a3/jwtbearer/internal/response"
	"github.com/seed-363d07a3/jwtbearer/internal/waits"
)

const (
	tokenPath  = "TokenPath"                // the field
	mostAnswer = 1 << 20                    // bytes of a token endpoint's answer
	longLife   = 64_000_000                 // seconds, two years: more is in milliseconds, as Adobe's are
	renewMost  = 5 * time.Minute            // before it expires, a token is renewed
	unbounded  = 100 * 365 * 24 * time.Hour // how long a token serves that does not expire
)

// A tokenReader knows where in the response of a token endpoint what stands. Its paths are never nil but for base.
type tokenReader struct {
	field string        // the path of its Exchange in the connection, for hints
	life  time.Duration // of a token where the response does not say; zero: until it is refused
	keeps bool          // the response need not have a token: that of the endpoint before serves on

	token, kind, in, at *response.Path
	base                *response.Path // nil: the response does not tell the base URI
}

// A givenToken is what a response gives.
type givenToken struct {
	token  string    // empty: it need not be there
	scheme string    // the type; empty: not told
	until  time.Time // how long the token serves
	expiry time.Time // zero: not known
	renew  time.Time // from when on it is to be renewed while it still serves
	over   string    // the field at whose path the response says that the token has expired already; empty: none
	base   string    // the base URI; empty: it is not looked for
}

// A lack is what is wrong with a response that is a success.
type lack struct{ problem, field string }

// read takes from a response what it gives. sent is when the request was sent: a token lives from some time after that on.
func (r *tokenReader) read(a *response.Response, sent time.Time) (g givenToken, missing *lack) {
	if !r.keeps {
		if missing = r.readToken(a, &g); missing != nil {
			return g, missing
		}
		r.readLife(a, &g, sent.Round(0))
	}
	if r.base == nil {
		return g, nil
	}
	g.base, _ = a.Scalar(r.base)
	if g.base == "" {
		return g, &lack{"the answer has no base URI at BaseURIPath", "BaseURIPath"}
	}
	if scheme, _, _ := strings.Cut(g.base, ":"); !strings.EqualFold(scheme, "https") && !strings.EqualFold(scheme, "http") {
		return g, &lack{"what the answer has at BaseURIPath is no http or https URI", "BaseURIPath"}
	}
	return g, nil
}

// readToken reads the token and its type.
func (r *tokenReader) readToken(a *response.Response, g *givenToken) *lack {
	found, _ := a.Scalar(r.token)
	switch {
	case found == "" || found == "null":
		return &lack{"the answer has no token at TokenPath: it is " + describe(a), tokenPath}
	case strings.ContainsFunc(found, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return &lack{"the token in the answer holds a character that no header may carry", tokenPath}
	}
	g.token = found
	if kind, ok := a.Scalar(r.kind); ok {
		g.scheme = schemeOf(kind)
	}
	return nil
}

// readLife reads how long the token serves.
func (r *tokenReader) readLife(a *response.Response, g *givenToken, sent time.Time) {
	life, ok := r.lifetime(a)
	if !ok {
		g.until = sent.Add(unbounded)
		g.renew, g.over = g.until, r.over(a)
		return
	}
	g.until = sent.Add(life)
	g.expiry, g.renew = g.until, g.until.Add(-min(life/5, renewMost))
}

// schemeOf is the scheme for a token type (RFC 6749, section 7.1, where case does not matter).
func schemeOf(kind string) string {
	switch {
	case strings.EqualFold(kind, "Bearer") || !httpfield.IsToken(kind) || kind == "N_A": // RFC 8693, section 2.2.1
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
func (r *tokenReader) lifetime(a *response.Response) (time.Duration, bool) {
	if told := a.Values(r.in); len(told) > 0 {
		if life, ok := expiresIn(told[0]); ok {
			return life, true
		}
	}
	if told := a.Values(r.at); len(told) > 0 {
		if life, ok := waits.Parse(told[0], unitOf(told[0]), a.Now()); ok && life > 0 {
			return min(life, unbounded), true
		}
	}
	return r.life, r.life > 0
}

// over is the field whose path leads to a lifetime that is over. The lifetime is not known.
func (r *tokenReader) over(a *response.Response) string {
	if told := a.Values(r.in); len(told) > 0 {
		if n, err := strconv.ParseFloat(strings.TrimSpace(told[0]), 64); err == nil && n < 0 {
			return r.field + ".ExpiresInPath"
		}
	}
	if told := a.Values(r.at); len(told) > 0 {
		if _, ok := waits.Parse(told[0], unitOf(told[0]), a.Now()); ok { // else it would be known
			return r.field + ".ExpiresAtPath"
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
