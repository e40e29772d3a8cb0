// Package demoapi is the engine of a small API that verifies the token of every request and throttles in a way of its own,
// to try a client on. It answers with an echo of the request.
package demoapi

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
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

	// Token takes the token out of a request. Nil means the header Authorization with the scheme Bearer.
	Token func(*http.Request) string

	// Limit is what throttles. The zero value never does.
	Limit Limit

	// Dialect is how a throttle is told. The zero value is Bare.
	Dialect Dialect
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
	Refused   map[Reason]int // answers with 401, by what was wrong with the token
}

// API is an http.Handler. It is safe for concurrent use.
type API struct {
	config   Config
	verifier *verifier
	limiter  limiter // nil: no limit

	mu    sync.Mutex
	stats Stats
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
	if config.Token == nil {
		config.Token = bearerToken
	}
	if config.Dialect.Status == 0 {
		config.Dialect = Bare()
	}
	config.MaxLifetime = cmp.Or(config.MaxLifetime, time.Hour)
	return &API{config: config, verifier: newVerifier(config), limiter: lim, stats: Stats{Refused: map[Reason]int{}}}, nil
}

// Stats returns the counts so far.
func (a *API) Stats() Stats {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.stats
	s.Refused = maps.Clone(s.Refused)
	return s
}

// ServeHTTP looks at the token first, so that a throttled request has used up its jti as an accepted one does.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	claims, reason := a.verifier.verify(a.config.Token(r))
	if reason != "" {
		a.count(func(s *Stats) { s.Refused[reason]++ })
		refuse(w, reason)
		return
	}
	if a.limiter != nil {
		t := a.limiter.take(time.Now())
		a.config.Dialect.quota(w.Header(), t)
		if t.Wait > 0 {
			a.count(func(s *Stats) { s.Throttled++ })
			a.config.Dialect.throttle(w, t)
			return
		}
	}
	a.count(func(s *Stats) { s.Accepted++ })
	echo(w, r, claims)
}

func (a *API) count(f func(*Stats)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stats.Requests++
	f(&a.stats)
}

func bearerToken(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// refuse answers as RFC 6750, section 3, wants it: without a token there is no error code in the challenge.
func refuse(w http.ResponseWriter, reason Reason) {
	challenge := `Bearer realm="demo"`
	if reason != Missing {
		challenge += fmt.Sprintf(`, error="invalid_token", error_description="%s"`, reason)
	}
	w.Header().Set("WWW-Authenticate", challenge)
	writeJSON(w, http.StatusUnauthorized, map[string]any{"error": "invalid_token", "error_description": reason})
}

// maxBody is how much of a request's body is echoed.
const maxBody = 1 << 20

func echo(w http.ResponseWriter, r *http.Request, claims jwt.MapClaims) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		writeJSON(w, http.StatusRequestEntityTooLarge, map[string]any{"error": "invalid_request",
			"error_description": "the body could not be read, or is longer than 1 MiB"})
		return
	}
	header := r.Header.Clone()
	header.Del("Authorization")
	writeJSON(w, http.StatusOK, map[string]any{
		"method": r.Method, "path": r.URL.Path, "query": r.URL.Query(), "headers": header, "claims": claims, "body": string(body),
	})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.Encode(v) // what fails here is the connection, and then nobody listens
}
