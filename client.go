package jwtbearer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
	"github.com/seed-363d07a3/jwtbearer/internal/httpfield"
	"github.com/seed-363d07a3/jwtbearer/internal/origin"
	"github.com/seed-363d07a3/jwtbearer/internal/pace"
	"github.com/seed-363d07a3/jwtbearer/internal/place"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/redact"
	"github.com/seed-363d07a3/jwtbearer/internal/skew"
	"github.com/seed-363d07a3/jwtbearer/internal/template"
	"github.com/seed-363d07a3/jwtbearer/internal/throttle"
)

// A Client calls the API of one Connection. It is an http.RoundTripper whose requests carry a token that is minted for each
// attempt, wait where the API is throttled, and are tried again where that can help. NewRequest and Do add the encoding of
// bodies and typed errors; HTTPClient is for code that wants an *http.Client.
//
// The path of a request: it is checked to be for one of the connection's origins; it waits in the queue until pace, windows,
// interval, concurrency and gate permit; a token is minted and placed; it is sent; the answer is judged. A throttle closes
// the gate for all, and the request joins the queue again. A transient failure is tried again after a backoff. A refused
// token is replaced once. Whatever the last attempt gave is the result: net/http's rule that a response comes without an
// error holds.
//
// A Client is safe for concurrent use. It need not be closed; its only background goroutine is a running token exchange.
// CloseIdleConnections frees its connections.
type Client struct{ core *core }

// core is the Client behind the pointer, so that no %+v reaches a key.
type core struct {
	name       string
	address    atomic.Pointer[origin.Address] // nil: an access token tells it, and there is none yet
	trusted    []origin.Origin                // TrustedOrigins
	headers    []headerTemplate
	placements []place.Place
	typed      bool // the type of an access token is its scheme
	minter     *minter
	access     *accessTokens  // what calls carry instead of the minter's tokens; nil: those themselves
	hop        *hop           // of which this is the token endpoint; nil: it is an API
	looks      template.Needs // what token and headers look at

	media, successMedia, errorMedia MediaType
	maxResponse                     int64 // zero: no bound
	authFailure                     throttle.Rules
	throttling                      *throttle.Judge
	retry                           Retry         // with defaults filled in; zero: no bound
	silence                         time.Duration // Timeout; zero: none
	ping                            ping
	warnings                        []Warning
	claims, header                  JSON           // the templates of the token, for reports
	secrets                         *redact.Censor // takes out what Secrets hold; nil: nothing

	line      *pace.Line
	limiter   Limiter
	engine    engine
	budget    *budget
	transport http.RoundTripper
	ownDials  bool // transport is that of package dial, whose dials ask what became of their request
	log       *slog.Logger

	skew     skew.Clock
	refusals refusals
	stats    counters
}

// headerTemplate is one of Connection.HTTPHeaders.
type headerTemplate struct {
	name  string // in canonical form
	field string // its path in Connection
	value *template.Text
}

// NewClient checks a Connection, reads its keys once, and returns a Client for it. It signs once as a check where it holds
// the key itself. The Connection is copied: what happens to it later has no influence. The error joins a *ConfigError for
// everything that is wrong; a key that cannot be read is a *KeyError besides.
func NewClient(conn *Connection) (*Client, error) {
	c, err := build(conn)
	if err != nil {
		return nil, err
	}
	if c.minter.signer != nil {
		if err := c.minter.signer.Check(); err != nil {
			p := new(problems)
			p.addError("PrivateKey", err) // of a Secret and of a Key nothing is tried
			return nil, p.err()
		}
	}
	return &Client{core: c}, nil
}

// HTTPClient returns a new *http.Client that sends through c. It follows redirects as http.Client does; the token goes to
// the connection's origins only. It has no Timeout, since waiting for a turn is no failure: bound a call by its context.
func (c *Client) HTTPClient() *http.Client {
	return &http.Client{Transport: c, CheckRedirect: checkRedirect}
}

// RoundTrip implements http.RoundTripper. It sends req with a token, waits and retries as the Connection says, and returns
// the last answer whatever its status. The error is ErrForeignOrigin, a *ThrottledError where the gate is closed for longer
// than the call may wait, a *TokenError where the token endpoint gave no access token, the context's, one of the transport, or
// why no token could be made.
func (c *Client) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, _, err := c.core.roundTrip(req, false)
	return resp, err
}

// CloseIdleConnections closes the connections that no request uses.
func (c *Client) CloseIdleConnections() {
	if t, ok := c.core.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// BaseURI returns the address that NewRequest appends to. Where the token endpoint tells it (Exchange.BaseURIPath), it fetches
// an access token first, unless there was one before.
func (c *Client) BaseURI(ctx context.Context) (*url.URL, error) {
	api, err := c.core.locate(ctx)
	if err != nil {
		return nil, err
	}
	u := *api.Base
	return &u, nil
}

// Mint returns the signed token that req would carry now, without sending anything: a fresh one, or with TokenReuse the one
// that serves. req may be nil where no template looks at the request. Its body is read only where a template needs it, and
// only through GetBody. With Exchange it is the assertion that the token endpoint would get now, and req does not matter.
func (c *Client) Mint(ctx context.Context, req *http.Request) (string, error) {
	values, err := c.core.mintValues(req)
	if err != nil {
		return "", fmt.Errorf("jwtbearer: mint: %w", err)
	}
	m := c.core.minter
	t, err := m.shared(ctx)
	if t == nil && err == nil {
		t = new(minted)
		err = m.mint(t, values, time.Now())
	}
	if err != nil {
		return "", err
	}
	return t.value, nil
}

// mintValues are what the token's templates see of a request that is not sent; nil where they do not look at it.
func (c *core) mintValues(req *http.Request) (*template.Request, error) {
	looks := c.minter.needs()
	switch {
	case looks&template.NeedRequest == 0:
		return nil, nil
	case c.access != nil:
		return c.access.hops[0].values(), nil
	case req == nil:
		return nil, errors.New("the token depends on the request, and there is none: give Mint the request that it is for")
	case req.URL == nil || req.URL.Host == "":
		return nil, errors.New("the token depends on the request, whose URL has no host")
	}
	var source *body.Source
	if req.Body != nil && req.Body != http.NoBody && looks&template.NeedBody != 0 {
		if req.GetBody == nil {
			return nil, errors.New("the token depends on the body, which can be read only once: set GetBody")
		}
		source = body.FromGetBody(req.GetBody)
	}
	out := req.WithContext(req.Context())
	out.URL = new(*req.URL)
	c.finalize(out)
	return c.requestValues(out, source), nil
}

// A Token is what an API gets.
type Token struct {
	Value  Secret
	Type   string    // the scheme before it in a header, such as Bearer
	Expiry time.Time // zero: not known
}

// Token returns what the API gets now: the JWT, or with Exchange the access token, which is fetched where none serves. A JWT
// that depends on the request is an error; see Mint.
func (c *Client) Token(ctx context.Context) (*Token, error) {
	if c.core.access != nil {
		access, err := c.core.access.get(ctx, pace.Patience{})
		if err != nil {
			return nil, err
		}
		return &Token{Value: Secret(access.value), Type: c.core.scheme(access), Expiry: access.grant.expiry}, nil
	}
	if c.core.minter.needs()&template.NeedRequest != 0 {
		return nil, errors.New("jwtbearer: token: it depends on the request: use Mint")
	}
	value, err := c.Mint(ctx, nil)
	if err != nil {
		return nil, err
	}
	return &Token{Value: Secret(value), Type: c.core.scheme(&minted{}), Expiry: expiryOf(value)}, nil
}

// scheme is what stands before a token in the first header that holds it.
func (c *core) scheme(t *minted) string {
	for _, p := range c.placements {
		if p.In == place.Header {
			return c.schemeAt(p, t)
		}
	}
	return ""
}

// roundTrip makes a call. The call is nil for a request that was not ours to judge.
func (c *core) roundTrip(req *http.Request, probe bool) (*http.Response, *call, error) {
	odd, err := checkRequest(req)
	if err != nil {
		closeBody(req)
		return nil, nil, err
	}
	route, err := c.route(req)
	if err != nil {
		closeBody(req)
		return nil, nil, err
	}
	if route == origin.Bare {
		resp, err := c.sendBare(req)
		return resp, nil, err
	}
	k := &call{c: c, ctx: req.Context(), req: req, probe: probe, odd: odd, seq: c.stats.calls.Add(1), body: body.NewSource(req, c.retry.BufferLimit)}
	resp, err := k.run()
	return resp, k, err
}

// checkRequest finds what http.Transport would find too late: after the wait and the signature. It reports whether the name of
// a header is odd: not in canonical form.
func checkRequest(req *http.Request) (odd bool, err error) {
	switch {
	case req.URL == nil:
		return false, errors.New("jwtbearer: the request has no URL")
	case req.URL.Host == "":
		return false, errors.New("jwtbearer: the request's URL has no host")
	case req.Method != "" && !httpfield.IsToken(req.Method):
		return false, errors.New("jwtbearer: the request's method is not a token (RFC 9110, section 9.1)")
	}
	for name, values := range req.Header {
		token, canonical := httpfield.IsName(name)
		if !token || slices.ContainsFunc(values, httpfield.IsBrokenValue) {
			return false, fmt.Errorf("jwtbearer: the request's header %q holds what cannot be sent (RFC 9110, section 5.5)", name)
		}
		odd = odd || !canonical
	}
	return odd, nil
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}

// finalize gives an outgoing request the address that templates see: its host as it is dialled, without the parameter that holds
// the token.
func (c *core) finalize(out *http.Request) {
	out.URL.Host, out.Host = origin.ASCII(out.URL.Host), origin.ASCII(out.Host)
	for _, p := range c.placements {
		if p.In == place.Query {
			out.URL.RawQuery = place.WithoutParam(out.URL.RawQuery, p.Name)
		}
	}
}

// see notes what the templates look at of which an attempt is made.
func (c *core) see() {
	if c.access == nil {
		c.looks = c.minter.needs()
	} else {
		for _, h := range c.access.hops {
			h.core.see()
			h.core.looks |= h.params.Needs()
		}
	}
	for _, h := range c.headers {
		c.looks |= h.value.Needs()
	}
}

// requestValues are what templates see of an outgoing request.
func (c *core) requestValues(out *http.Request, source *body.Source) *template.Request {
	basePath := ""
	if api := c.address.Load(); api != nil {
		basePath = api.Base.EscapedPath()
	}
	return template.NewRequest(out.Method, out.URL, out.Host, basePath, source.Peek)
}

// setHeaders adds the connection's headers to those of the caller, which win.
func (c *core) setHeaders(header http.Header, req *template.Request, token string) error {
	if len(c.headers) == 0 {
		return nil
	}
	e := &template.Env{Now: c.skew.Now(), Request: req, Token: token}
	for _, h := range c.headers {
		if _, set := header[h.name]; set {
			continue
		}
		value, err := h.value.Render(e)
		if err != nil {
			return &prefixed{h.field, err}
		}
		if httpfield.IsBrokenValue(value) {
			return fmt.Errorf("jwtbearer: %s gives a value with a control character, such as a newline: trim it", h.field)
		}
		header[h.name] = []string{value}
	}
	return nil
}

// locate returns the address of the API. Where the token endpoint gives it, there must be an access token first.
func (c *core) locate(ctx context.Context) (*origin.Address, error) {
	if a := c.address.Load(); a != nil {
		return a, nil
	}
	if _, err := c.access.get(ctx, pace.Patience{}); err != nil {
		return nil, err
	}
	return c.address.Load(), nil
}

// relocate takes over the base URI that the token endpoint told, with BaseURI after it. Origins that were trusted stay so: a
// caller may hold links to them.
func (a *accessTokens) relocate(got exchanged) error {
	text := strings.TrimSuffix(got.base, "/") + a.path
	var o origin.Origin
	u, fault := origin.Parse(text)
	if fault == nil {
		o, _ = origin.Of(u) // Parse has checked it
	}
	switch {
	case fault != nil:
	case strings.Contains(got.base, "?"):
		fault = problem.New("has a query", "look at BaseURIPath")
	case o.Scheme != "https" && o.Scheme != "http":
		fault = problem.New(fmt.Sprintf("has the scheme %q", o.Scheme), "look at BaseURIPath")
	case o.Plain() && !a.plain:
		fault = problem.New("is plain http, and its host is not this machine", "it must be https, or AllowPlainHTTP set")
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

// route decides how req is sent. Its error shows no secret.
func (c *core) route(req *http.Request) (origin.Route, error) {
	api, err := c.locate(req.Context())
	if err != nil {
		return 0, err
	}
	route, err := api.Route(req)
	return route, c.hideError(err)
}

// sendBare sends a redirect that left the connection's origins. It carries no token and nothing that may hold one.
func (c *core) sendBare(req *http.Request) (*http.Response, error) {
	w := new(body.Watch)
	w.Begin(req.Context(), c.silence)
	out := req.Clone(w.Context())
	out.Response = nil
	maps.DeleteFunc(out.Header, func(name string, _ []string) bool { return c.staysHome(name) })
	w.Request(out)
	w.Start(time.Now())
	resp, err := c.carry(out)
	if err != nil {
		w.End()
		return nil, c.scrub(err, out.URL, "")
	}
	w.Responded()
	resp.Request = req
	resp.Body = new(body.Answer).Take(resp, w, nil)
	return resp, nil
}

// staysHome reports whether a header is for the connection's origins alone, in whatever case a caller wrote it: one that may hold
// a token, one of the names in HTTPHeaders, whoever set it, and Referer, which net/http fills with the former address, of which
// Secrets may be a part.
func (c *core) staysHome(name string) bool {
	switch name = http.CanonicalHeaderKey(name); name {
	case "Authorization", "Cookie", "Proxy-Authorization", "Referer":
		return true
	}
	return c.setsHeader(name) || place.Has(c.placements, name)
}
