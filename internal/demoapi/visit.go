package demoapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A Visit is one request that came, and what became of it.
type Visit struct {
	Time   time.Time // when it came, by the clock of the machine
	Method string
	URL    *url.URL
	Header http.Header
	Body   []byte // at most 1 MiB of it

	Token        string          // in the place where it is looked for; empty: none
	JOSE, Claims json.RawMessage // of a token that is a JWT
	Grant        bool            // it came to the token endpoint

	Refused   Reason // what is wrong with the token; empty: nothing
	Status    int    // of the answer; zero: there is none, or none yet
	Answer    string // what a script made of the request; empty: nothing
	Throttled bool
	Wait      time.Duration // of the throttle
}

// Visits returns the requests in the order in which they came. It is empty without Config.Record.
func (a *API) Visits() []Visit {
	a.mu.Lock()
	defer a.mu.Unlock()
	visits := make([]Visit, len(a.visits))
	for i, v := range a.visits {
		visits[i] = *v
	}
	return visits
}

// A call is a request that is being answered.
type call struct {
	api      *API
	w        *writer
	r        *http.Request
	token    string
	wrong    Reason // with the request, before the token is looked at
	atGrants bool   // it is for the token endpoint
	visit    *Visit // the API's mutex guards it; nil: nobody records
}

// claimsKey is where the context of a request has its jwt.MapClaims.
type claimsKey struct{}

// arrive begins a call.
func (a *API) arrive(w http.ResponseWriter, r *http.Request) *call {
	c := &call{api: a, r: r, atGrants: a.grants.match(r)}
	c.w = &writer{ResponseWriter: w, call: c}
	came := time.Now()
	var body []byte
	seen := a.config.Record || a.config.Check != nil
	if seen || c.atGrants {
		body = c.readBody()
	}
	if c.atGrants {
		tokens, wrong := a.grants.look(r, body)
		c.takeToken(tokens)
		c.wrong = cmp.Or(wrong, c.wrong)
	} else {
		c.takeToken(a.config.Token(c.r))
	}
	if seen {
		c.visit = &Visit{Time: came, Method: r.Method, URL: new(*r.URL), Header: r.Header.Clone(), Body: body,
			Token: c.token, JOSE: Segment(c.token, 0), Claims: Segment(c.token, 1), Grant: c.atGrants}
	}
	if a.config.Record {
		a.record(c.visit)
	}
	return c
}

// takeToken takes the first of the tokens where they should be.
func (c *call) takeToken(tokens []string) {
	if len(tokens) > 0 {
		c.token = tokens[0]
	}
	if len(tokens) > 1 {
		c.wrong = Several
	}
}

// record keeps a visit. Who sends its body slowly came before those who were quicker with theirs.
func (a *API) record(v *Visit) {
	a.mu.Lock()
	defer a.mu.Unlock()
	at := len(a.visits)
	for at > 0 && a.visits[at-1].Time.After(v.Time) {
		at--
	}
	a.visits = slices.Insert(a.visits, at, v)
}

// readBody reads the beginning of the body, which the request keeps whole.
func (c *call) readBody() []byte {
	body, err := io.ReadAll(io.LimitReader(c.r.Body, maxBody))
	rest := io.Reader(c.r.Body)
	if err != nil {
		rest = failing{err}
	}
	r := c.r.WithContext(c.r.Context())
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), rest), c.r.Body}
	c.r = r
	return body
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// admit returns what is wrong with the token.
func (c *call) admit() Reason {
	if c.wrong != "" {
		return c.wrong
	}
	if c.api.grants != nil && !c.atGrants {
		return c.api.grants.check(c.token, c.api.now())
	}
	claims, reason := c.api.verifier.verify(c.token, c.check)
	if reason == "" {
		c.r = c.r.WithContext(context.WithValue(c.r.Context(), claimsKey{}, claims))
	}
	return reason
}

// check asks Config.Check.
func (c *call) check() error {
	if c.api.config.Check == nil {
		return nil
	}
	c.api.mu.Lock()
	seen := *c.visit
	c.api.mu.Unlock()
	return c.api.config.Check(seen)
}

// amend changes the record of the call.
func (c *call) amend(f func(*Visit)) {
	if c.visit == nil {
		return
	}
	c.api.mu.Lock()
	defer c.api.mu.Unlock()
	f(c.visit)
}

func (c *call) note(answer string)        { c.amend(func(v *Visit) { v.Answer = answer }) }
func (c *call) noteRefusal(reason Reason) { c.amend(func(v *Visit) { v.Refused = reason }) }
func (c *call) noteWait(wait time.Duration) {
	c.amend(func(v *Visit) { v.Throttled, v.Wait = true, wait })
}

// A writer notes the status before anybody can see it.
type writer struct {
	http.ResponseWriter
	call  *call
	wrote bool
}

func (w *writer) WriteHeader(status int) {
	if !w.wrote && status >= 200 {
		w.wrote = true
		w.call.amend(func(v *Visit) { v.Status = status })
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *writer) Write(p []byte) (int, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// Flush implements http.Flusher, as the writers of net/http do.
func (w *writer) Flush() {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	http.NewResponseController(w.ResponseWriter).Flush() // who cannot flush sends later
}

// end notes the status of who wrote nothing.
func (w *writer) end() {
	if !w.wrote {
		w.call.amend(func(v *Visit) { v.Status = http.StatusOK })
	}
}

func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Segment decodes the JSON of a part of a JWT; nil where there is none.
func Segment(token string, i int) json.RawMessage {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[i])
	if err != nil || !json.Valid(data) {
		return nil
	}
	return data
}
