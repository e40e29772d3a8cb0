package demoapi

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// AccessTokenPrefix is what access tokens begin with, so that they can be told in records.
const AccessTokenPrefix = "demo-access-"

// Grant is a token endpoint. Parameters are those of the query, a form or a JSON object.
type Grant struct {
	// Pattern is where it is, as http.ServeMux writes it, such as "POST /token".
	Pattern string

	// Params are parameters that a request must have, and with which value. Nil: none.
	Params map[string]string

	// Assertion is the parameter that has the JWT. Empty: any of them, or the Authorization header.
	Assertion string

	// Life is how long an access token lives. Zero means an hour.
	Life time.Duration

	// Answer gives the JSON of a grant. Nil: that of RFC 6749, section 5.1.
	Answer func(token string, life time.Duration, expiry time.Time) any
}

// grants are the access tokens that were given out. Nil takes no part.
type grants struct {
	config  Grant
	matches func(*http.Request) bool

	mu     sync.Mutex
	expiry map[string]time.Time // by token
}

func newGrants(config *Grant) (*grants, error) {
	if config == nil {
		return nil, nil
	}
	g := &grants{config: *config, expiry: map[string]time.Time{}}
	if g.config.Life == 0 {
		g.config.Life = time.Hour
	}
	if g.config.Answer == nil {
		g.config.Answer = func(token string, life time.Duration, _ time.Time) any {
			return map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": int(life.Seconds())}
		}
	}
	var err error
	g.matches, err = pattern(config.Pattern)
	return g, err
}

// match reports whether r is for the token endpoint.
func (g *grants) match(r *http.Request) bool { return g != nil && g.matches(r) }

// give writes a new access token.
func (g *grants) give(w http.ResponseWriter, now time.Time) {
	token, expiry := AccessTokenPrefix+rand.Text(), now.Add(g.config.Life)
	g.mu.Lock()
	g.expiry[token] = expiry
	g.mu.Unlock()
	w.Header().Set("Cache-Control", "no-store") // RFC 6749, section 5.1
	writeJSON(w, http.StatusOK, g.config.Answer(token, g.config.Life, expiry))
}

// check returns what is wrong with an access token.
func (g *grants) check(token string, now time.Time) Reason {
	if token == "" {
		return Missing
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	expiry, ok := g.expiry[token]
	switch {
	case !ok:
		return UnknownToken
	case !now.Before(expiry):
		return Expired
	}
	return ""
}

// look finds the JWT in a token request, and what is wrong with the parameters.
func (g *grants) look(r *http.Request, body []byte) (tokens []string, wrong Reason) {
	given := params(r, body)
	for name, want := range g.config.Params {
		if !slices.Equal(given[name], []string{want}) {
			wrong = WrongGrant
		}
	}
	if g.config.Assertion != "" {
		return given[g.config.Assertion], wrong
	}
	return []string{assertion(r, given)}, wrong
}

// params are the parameters of a token request, wherever they are.
func params(r *http.Request, body []byte) url.Values {
	all := r.URL.Query()
	switch media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); {
	case media == "application/x-www-form-urlencoded":
		form, _ := url.ParseQuery(string(body)) // what can be read of it
		for name, values := range form {
			all[name] = append(all[name], values...)
		}
	case strings.HasSuffix(media, "json"):
		var object map[string]any
		if json.Unmarshal(body, &object) != nil {
			break
		}
		for name, v := range object {
			if text, ok := v.(string); ok {
				all.Add(name, text)
			}
		}
	}
	return all
}

// assertion finds the JWT among the parameters and in the header. What is none is returned only if there is nothing better.
func assertion(r *http.Request, params url.Values) string {
	candidates := append(InHeader(r, "Authorization", "Bearer"), "")
	for _, name := range slices.Concat([]string{"assertion", "client_assertion"}, slices.Sorted(maps.Keys(params))) {
		candidates = append(candidates, params[name]...)
	}
	if i := slices.IndexFunc(candidates, func(s string) bool { return Segment(s, 0) != nil }); i >= 0 {
		return candidates[i]
	}
	return candidates[0]
}

// pattern returns what tells the requests that a pattern of http.ServeMux matches.
func pattern(p string) (matches func(*http.Request) bool, err error) {
	mux := http.NewServeMux()
	defer func() {
		if problem := recover(); problem != nil { // which is how ServeMux says so
			err = fmt.Errorf("demoapi: the pattern %q cannot be read: %v", p, problem)
		}
	}()
	mux.Handle(p, http.NotFoundHandler())
	return func(r *http.Request) bool {
		_, found := mux.Handler(r)
		return found == p
	}, nil
}
