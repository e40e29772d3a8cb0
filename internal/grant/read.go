// Package grant knows what the response of a token endpoint gives, and why it gives nothing (RFC 6749, section 5). It must never know
// who asks, send anything, nor show a text that may hold a token.
package grant

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/httpfield"
	"github.com/seed-363d07a3/jwtbearer/internal/response"
	"github.com/seed-363d07a3/jwtbearer/internal/waits"
)

// MostBody is how much of a response is read, in bytes.
const MostBody = 1 << 20

const (
	tokenPath = "TokenPath"                // the field
	longLife  = 64_000_000                 // seconds, two years: more is in milliseconds, as Adobe's are
	renewMost = 5 * time.Minute            // before it expires, a token is renewed
	unbounded = 100 * 365 * 24 * time.Hour // how long a token serves that does not expire
)

// A Reader knows where in the response of a token endpoint what stands. Its paths are never nil but for base.
type Reader struct {
	Field string        // the path of its Exchange in the connection, for hints
	Life  time.Duration // of a token where the response does not say; zero: until it is refused
	Keeps bool          // the response need not have a token: that of the endpoint before serves on

	Token, Kind, In, At *response.Path
	Base                *response.Path // nil: the response does not tell the base URI
}

// A Token is what a response gives.
type Token struct {
	Token  string    // empty: it need not be there
	Scheme string    // the type; empty: not told
	Until  time.Time // how long the token serves
	Expiry time.Time // zero: not known
	Renew  time.Time // from when on it is to be renewed while it still serves
	Over   string    // the field at whose path the response says that the token has expired already; empty: none
	Base   string    // the base URI; empty: it is not looked for
}

// A Lack is what is wrong with a response that is a success.
type Lack struct{ Problem, Field string }

// Read takes from a response what it gives. sent is when the request was sent: a token lives from some time after that on.
func (r *Reader) Read(a *response.Response, sent time.Time) (g Token, missing *Lack) {
	if !r.Keeps {
		if missing = r.readToken(a, &g); missing != nil {
			return g, missing
		}
		r.readLife(a, &g, sent.Round(0))
	}
	if r.Base == nil {
		return g, nil
	}
	g.Base, _ = a.Scalar(r.Base)
	if g.Base == "" {
		return g, &Lack{"the answer has no base URI at BaseURIPath", "BaseURIPath"}
	}
	if scheme, _, _ := strings.Cut(g.Base, ":"); !strings.EqualFold(scheme, "https") && !strings.EqualFold(scheme, "http") {
		return g, &Lack{"what the answer has at BaseURIPath is no http or https URI", "BaseURIPath"}
	}
	return g, nil
}

// readToken reads the token and its type.
func (r *Reader) readToken(a *response.Response, g *Token) *Lack {
	found, _ := a.Scalar(r.Token)
	switch {
	case found == "" || found == "null":
		return &Lack{"the answer has no token at TokenPath: it is " + describe(a), tokenPath}
	case strings.ContainsFunc(found, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return &Lack{"the token in the answer holds a character that no header may carry", tokenPath}
	}
	g.Token = found
	if kind, ok := a.Scalar(r.Kind); ok {
		g.Scheme = schemeOf(kind)
	}
	return nil
}

// readLife reads how long the token serves.
func (r *Reader) readLife(a *response.Response, g *Token, sent time.Time) {
	life, ok := r.lifetime(a)
	if !ok {
		g.Until = sent.Add(unbounded)
		g.Renew, g.Over = g.Until, r.over(a)
		return
	}
	g.Until = sent.Add(life)
	g.Expiry, g.Renew = g.Until, g.Until.Add(-min(life/5, renewMost))
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
func (r *Reader) lifetime(a *response.Response) (time.Duration, bool) {
	if told := a.Values(r.In); len(told) > 0 {
		if life, ok := expiresIn(told[0]); ok {
			return life, true
		}
	}
	if told := a.Values(r.At); len(told) > 0 {
		if life, ok := waits.Parse(told[0], unitOf(told[0]), a.Now()); ok && life > 0 {
			return min(life, unbounded), true
		}
	}
	return r.Life, r.Life > 0
}

// over is the field whose path leads to a lifetime that is over. The lifetime is not known.
func (r *Reader) over(a *response.Response) string {
	if told := a.Values(r.In); len(told) > 0 {
		if n, err := strconv.ParseFloat(strings.TrimSpace(told[0]), 64); err == nil && n < 0 {
			return r.Field + ".ExpiresInPath"
		}
	}
	if told := a.Values(r.At); len(told) > 0 {
		if _, ok := waits.Parse(told[0], unitOf(told[0]), a.Now()); ok { // else it would be known
			return r.Field + ".ExpiresAtPath"
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
