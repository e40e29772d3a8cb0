// Package demoapi is the engine of a small API that verifies the token of every request and throttles in a way of its own,
// to try a client on. It answers with an echo of the request, or what a script says. It does not know of package testing.
package demoapi

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Config says what an API accepts and how it throttles.
type Config struct {
	// Keys verify the tokens; there must be one at least.
	Keys []Key

	// Methods are the values of alg that are accepted; there must be one at least.
	Methods []string

	// Issuer and Audience are what iss must be and what aud must hold. Empty: anything.
	Issuer, Audience string

	// Leeway is how far the clocks may differ. Zero means not at all.
	Leeway time.Duration

	// MaxLifetime is how far ahead exp may lie. Zero means one hour.
	MaxLifetime time.Duration

	// RequireJTI refuses tokens without jti.
	RequireJTI bool

	// AllowReplay accepts a jti more than once.
	AllowReplay bool

	// AllowNoExpiry accepts tokens without exp until MaxLifetime after their iat, which they must have then.
	AllowNoExpiry bool

	// Check looks at a request whose token is good so far. Its error is the Reason of a refusal. Nil: nobody looks.
	Check func(Visit) error

	// Token takes the tokens out of a request, of which there should be one. Nil means the header Authorization with the scheme
	// Bearer.
	Token func(*http.Request) []string

	// Grant makes the API take access tokens, which a token endpoint gives for the JWTs. Nil: it takes the JWTs themselves.
	Grant *Grant

	// Handler answers the requests that are accepted. Nil: with an echo.
	Handler http.Handler

	// Limit is what throttles. The zero value never does.
	Limit Limit

	// Dialect is how a throttle is told. The zero value is Bare.
	Dialect Dialect

	// Record keeps every request for Visits, with up to 1 MiB of its body.
	Record bool
}

// A Key verifies tokens: a []byte for HMAC, or an *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey.
type Key struct {
	ID     string // kid of the tokens that it verifies; empty: those without, and those whose kid no other key has
	Verify any
}

// Stats counts what an API has seen.
type Stats struct {
	Requests  int
	Accepted  int
	Throttled int
	Granted   int            // access tokens given
	Refused   map[Reason]int // refused tokens, by what was wrong with them
}

// API is an http.Handler. It is safe for concurrent use.
type API struct {
	config   Config
	verifier *verifier
	limiter  limiter // nil: no limit
	grants   *grants // nil: none
	skew     atomic.Int64

	mu     sync.Mutex
	stats  Stats
	script []Answer
	visits []*Visit
}

// New returns an API. The Config must not be changed afterwards.
func New(config Config) (*API, error) {
	if len(config.Keys) == 0 || len(config.Methods) == 0 {
		return nil, errors.New("demoapi: Keys and Methods must not be empty")
	}
	for _, m := range config.Methods {
		if m != methodEd25519 && (m == jwt.SigningMethodNone.Alg() || jwt.GetSigningMethod(m) == nil) {
			return nil, fmt.Errorf("demoapi: unknown method %q", m)
		}
	}
	lim, err := config.Limit.limiter()
	if err != nil {
		return nil, err
	}
	grants, err := newGrants(config.Grant)
	if err != nil {
		return nil, err
	}
	if config.Token == nil {
		config.Token = func(r *http.Request) []string { return InHeader(r, "Authorization", "Bearer") }
	}
	if config.Handler == nil {
		config.Handler = http.HandlerFunc(echo)
	}
	if config.Dialect.Status == 0 && config.Dialect.Serve == nil {
		config.Dialect = Bare()
	}
	config.MaxLifetime = cmp.Or(config.MaxLifetime, time.Hour)
	a := &API{config: config, limiter: lim, grants: grants, stats: Stats{Refused: map[Reason]int{}}}
	a.verifier = newVerifier(config, a.now)
	return a, nil
}

// Stats returns the counts so far.
func (a *API) Stats() Stats {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.stats
	s.Refused = maps.Clone(s.Refused)
	return s
}

// SetSkew sets how far the clock of the API is ahead: the one by which it judges tokens, dates its answers, tells times and
// limits.
func (a *API) SetSkew(ahead time.Duration) { a.skew.Store(int64(ahead)) }

// now is the time by the clock of the API.
func (a *API) now() time.Time { return time.Now().Add(time.Duration(a.skew.Load())) }

// ServeHTTP looks at the token first, so that a throttled request has used up its jti as an accepted one does.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := a.arrive(w, r)
	c.w.Header().Set("Date", a.now().UTC().Format(http.TimeFormat))
	if reason := c.admit(); reason != "" {
		c.refuse(reason)
		return
	}
	if answer, ok := a.scripted(c); ok {
		c.note(answer.name)
		answer.serve(c)
	} else {
		c.usual(c.w)
	}
	c.w.end()
}

// usual writes what a request gets whose token is good: what the token endpoint gives, a throttle, or what the Handler answers.
func (c *call) usual(w http.ResponseWriter) {
	if c.atGrants {
		c.api.grants.give(w, c.api.now())
		c.count(func(s *Stats) { s.Granted++ })
		return
	}
	if c.api.limiter != nil {
		t := c.api.limiter.take(c.api.now())
		c.api.config.Dialect.quota(w.Header(), t)
		if t.Wait > 0 {
			c.throttle(w, t)
			return
		}
	}
	c.count(func(s *Stats) { s.Accepted++ })
	c.api.config.Handler.ServeHTTP(w, c.r)
}

// throttle writes a throttled answer.
func (c *call) throttle(w http.ResponseWriter, t Throttle) {
	c.count(func(s *Stats) { s.Throttled++ })
	c.noteWait(t.Wait)
	c.api.config.Dialect.throttle(w, t)
}

func (c *call) count(f func(*Stats)) {
	c.api.mu.Lock()
	defer c.api.mu.Unlock()
	c.api.stats.Requests++
	f(&c.api.stats)
}

// InHeader returns the tokens in a header, behind a scheme unless that is empty. What has another scheme is no token, but where
// there are two fields it counts, since it cannot be known which of them others would look at.
func InHeader(r *http.Request, name, scheme string) []string {
	tokens := slices.Clone(r.Header.Values(name))
	if scheme == "" {
		return tokens
	}
	for i, value := range tokens {
		found, token, _ := strings.Cut(value, " ")
		if !strings.EqualFold(found, scheme) {
			token = ""
		}
		tokens[i] = strings.TrimSpace(token)
	}
	return tokens
}

// refuse answers as RFC 6750, section 3, wants it: without a token there is no error code in the challenge. A token endpoint
// answers as RFC 6749, section 5.2.
func (c *call) refuse(reason Reason) {
	c.count(func(s *Stats) { s.Refused[reason]++ })
	c.noteRefusal(reason)
	if c.atGrants {
		code := "invalid_grant"
		if reason == WrongGrant {
			code = "unsupported_grant_type"
		}
		writeJSON(c.w, http.StatusBadRequest, map[string]any{"error": code, "error_description": reason})
		return
	}
	challenge := `Bearer realm="demo"`
	if reason != Missing {
		challenge += fmt.Sprintf(`, error="invalid_token", error_description="%s"`, quotable.Replace(string(reason)))
	}
	c.w.Header().Set("WWW-Authenticate", challenge)
	writeJSON(c.w, http.StatusUnauthorized, map[string]any{"error": "invalid_token", "error_description": reason})
}

// quotable makes text fit for an error_description, whose characters RFC 6750, section 3, restricts.
var quotable = strings.NewReplacer(`"`, "'", `\`, "/", "\n", " ", "\r", " ")

// maxBody is how much of a request's body is echoed and recorded.
const maxBody = 1 << 20

func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		writeJSON(w, http.StatusRequestEntityTooLarge, map[string]any{"error": "invalid_request",
			"error_description": "the body could not be read, or is longer than 1 MiB"})
		return
	}
	header := r.Header.Clone()
	header.Del("Authorization")
	claims, _ := r.Context().Value(claimsKey{}).(jwt.MapClaims)
	writeJSON(w, http.StatusOK, map[string]any{
		"method": r.Method, "path": r.URL.Path, "query": r.URL.Query(), "headers": header, "claims": claims, "body": string(body),
	})
}

// writeJSON writes an answer. A Content-Type that is set stays.
func writeJSON(w http.ResponseWriter, status int, v any) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.Encode(v) // what fails here is the connection, and then nobody listens
}
