package jwtbearer

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
	"github.com/seed-363d07a3/jwtbearer/internal/diagnose"
	"github.com/seed-363d07a3/jwtbearer/internal/grant"
	"github.com/seed-363d07a3/jwtbearer/internal/httpfield"
	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/origin"
	"github.com/seed-363d07a3/jwtbearer/internal/pace"
	"github.com/seed-363d07a3/jwtbearer/internal/place"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/redact"
	"github.com/seed-363d07a3/jwtbearer/internal/response"
	"github.com/seed-363d07a3/jwtbearer/internal/skew"
	"github.com/seed-363d07a3/jwtbearer/internal/template"
)

const (
	mostHops  = 8                // of an exchange: more are a ring
	tokenTime = 10 * time.Second // for reading the response of a token endpoint
)

// The values of Exchange.Encoding.
const (
	encodingForm = "form"
	encodingJSON = "json"
	encodingNone = "none"
)

// A hop is one token endpoint and how it is asked. Its core is like that of an API, with a queue, a gate and a budget of its
// own: the same attempts are made, so each of them carries an assertion of its own.
type hop struct {
	core     *core
	field    string // its path in Connection
	method   string
	url      *url.URL
	encoding string
	params   *template.Object
	reads    grant.Reader
}

// An exchanged is what the hops so far gave.
type exchanged struct {
	token *minted // nil: none yet
	base  string  // the base URI as the response told it; empty: it did not

	// For reports.
	assertion *minted       // the last that was sent to the first hop; nil: none was
	unminted  bool          // there was none
	over      string        // the path at which the response says that the token has expired already; empty: none
	ahead     time.Duration // of the endpoint's clock; zero: not known, or less than can be measured
}

// tellsBase reports whether a response of the token endpoint tells the base URI.
func (x *Exchange) tellsBase() bool {
	for n := 0; x != nil && n <= mostHops; x, n = x.Next, n+1 {
		if x.BaseURIPath != "" {
			return true
		}
	}
	return false
}

// buildExchange makes the token endpoints of a connection.
func (b *setup) buildExchange() {
	if b.conn.Exchange == nil {
		return
	}
	a := &accessTokens{core: b.core, tells: b.conn.Exchange.tellsBase(), plain: b.conn.AllowPlainHTTP}
	field := "Exchange"
	for x := b.conn.Exchange; x != nil; x = x.Next {
		if len(a.hops) == mostHops {
			b.p.add("Exchange.Next", fmt.Sprintf("leads on after %d hops", mostHops), "end the chain")
			break
		}
		a.hops = append(a.hops, b.buildHop(field, x, len(a.hops) == 0))
		field += ".Next"
	}
	if a.tells {
		a.path = b.pathAfterBase()
	}
	if b.p.found.Len() == 0 && b.core.minter.needs()&template.NeedBody != 0 {
		b.p.add("Payload", "looks at the body of the token request, which holds the token itself", "use other values")
	}
	b.core.access, b.core.typed = a, len(b.conn.Placement) == 0
	b.core.minter.skew = &a.hops[0].core.skew
}

// pathAfterBase is BaseURI where the token endpoint tells what it is appended to.
func (b *setup) pathAfterBase() string {
	text, err := b.templates.URI(b.conn.BaseURI)
	if err != nil {
		return "" // a problem is noted
	}
	if text != "" && (text[0] != '/' || strings.HasPrefix(text, "//") || strings.Contains(text, "#") || origin.HasDotSegment(text)) {
		b.p.add("BaseURI", "is not a path, but the token endpoint tells what it is appended to (BaseURIPath)",
			"leave it empty, or write a path such as /v2")
	}
	return text
}

// buildHop makes the token endpoint of the Exchange at field.
func (b *setup) buildHop(field string, x *Exchange, first bool) *hop {
	h := &hop{field: field, method: cmp.Or(x.Method, http.MethodPost),
		reads: grant.Reader{Field: field, Life: x.ExpiresIn, Keeps: !first && x.TokenPath == ""}}
	if !httpfield.IsToken(h.method) {
		b.p.add(field+".Method", "is not a method (RFC 9110, section 9.1)", "use GET, POST or another word")
	}
	problem.NotNegative(b.p.add, field+".ExpiresIn", x.ExpiresIn)
	h.url = b.tokenURL(field+".TokenURL", x.TokenURL)
	h.encoding = oneOf(b.p, field+".Encoding", cmp.Or(x.Encoding, encodingForm), encodingForm, encodingJSON, encodingNone)
	h.core = b.endpointCore(h, x, first)
	h.params = b.compileParams(h, x)
	b.compilePaths(h, x)
	return h
}

// tokenURL evaluates TokenURL, which is absolute or appended to BaseURI.
func (b *setup) tokenURL(field, text string) *url.URL {
	if text == "" {
		b.p.add(field, "is empty", "set the https address of the token endpoint")
		return nil
	}
	text, err := b.templates.URI(text)
	if err != nil {
		b.p.addError(field, err)
		return nil
	}
	if path, _, _ := strings.Cut(text, "?"); origin.IsAbsolute(path) {
		return b.parseURI(field, text)
	}
	api := b.core.address.Load()
	switch {
	case b.conn.Exchange.tellsBase():
		b.p.add(field, "is not absolute, but BaseURI is known only after the exchange", "write it as https://host/path")
		return nil
	case api == nil:
		return nil // a problem is noted
	}
	u, err := api.Resolve(text)
	if err != nil {
		b.p.add(field, err.Error(), "write it as https://host/path, or as a path after BaseURI")
	}
	return u
}

// endpointCore makes the core of a token endpoint, which shares settings with that of the API, but no state.
func (b *setup) endpointCore(h *hop, x *Exchange, first bool) *core {
	c := &core{name: b.core.name, retry: b.core.retry, silence: b.core.silence, log: b.core.log, transport: b.core.transport, ownDials: b.core.ownDials,
		secrets: b.core.secrets, hop: h, typed: true, minter: &minter{ready: new(minted)}, budget: newBudget(b.core.retry.Budget)}
	c.retry.Always = true // no attempt repeats the assertion of another
	if first {
		c.minter = b.core.minter
	}
	if x.Bearer {
		c.placements = place.Compile(nil, b.p.add)
	}
	c.headers = b.compileHeaders(h.field+".Headers", x.Headers, c.placements)
	c.throttling = b.compileThrottling(h.field+".RateLimit", x.RateLimit, "")
	c.authFailure = b.compileRules(h.field, assertionRefused, "")
	if b.p.found.Len() == 0 {
		c.line = pace.New(paceSettings(c.throttling.Pace))
	}
	return c
}

// assertionRefused are the responses after which another assertion can help: its time may be corrected, or its jti was used up
// by an attempt whose response got lost.
var assertionRefused = []Rule{
	{Status: []int{http.StatusUnauthorized}},
	{Status: []int{4}, Path: "error", Values: []string{"invalid_grant", "invalid_client", "invalid_assertion"}},
}

// compileParams compiles the parameters: those of the grant, then Params, which can replace them.
func (b *setup) compileParams(h *hop, x *Exchange) *template.Object {
	checkGrant(h.field+".Grant", x.Grant, b.p)
	given, err := b.templates.Object(string(x.Params), template.ScopeRequest)
	if err != nil {
		b.p.addError(h.field+".Params", err)
		return nil
	}
	if given.Needs()&template.NeedBody != 0 {
		b.p.add(h.field+".Params", "looks at the body, which it is itself", "use other values")
	}
	placed := x.Bearer || given.Needs()&template.NeedToken != 0 ||
		slices.ContainsFunc(h.core.headers, func(t headerTemplate) bool { return t.value.Needs()&template.NeedToken != 0 })
	auto, err := b.templates.Object(string(grant.Params(x.Grant, placed)), template.ScopeRequest)
	if err != nil {
		b.p.addError(h.field+".Grant", err)
		return nil
	}
	params := template.Join(auto.Without(given), given).WithoutNulls()
	b.checkParams(h, x, params, placed)
	h.core.secrets = redact.New(b.secretParams(params))
	return params
}

// secretParams are the secrets of the connection, and the parameters that are secrets by their names, since a server may
// repeat them in its error.
func (b *setup) secretParams(params *template.Object) map[string]string {
	secrets := maps.Clone(b.templates.Secrets)
	for _, m := range params.Members() {
		if !secretParam.MatchString(m.Name) {
			continue
		}
		if _, fixed := m.Constant(); !fixed {
			continue // what is new for each request is no secret of the connection
		}
		if text, err := m.Text(&template.Env{}); err == nil {
			secrets["."+m.Name] = text // no name of Secrets in a template can begin so
		}
	}
	return secrets
}

var secretParam = regexp.MustCompile(`(?i)secret|password|passphrase|refresh_token|api_?key`)

// checkParams refuses parameters that cannot be sent, and a token that is not sent at all.
func (b *setup) checkParams(h *hop, x *Exchange, params *template.Object, placed bool) {
	bodyless := h.method == http.MethodGet || h.method == http.MethodHead
	switch some := len(params.Members()) > 0; {
	case some && h.encoding == encodingNone:
		b.p.add(h.field+".Encoding", "is none, but there are parameters to send", "use form or json, or leave Grant and Params empty")
	case some && bodyless && h.encoding == encodingJSON:
		b.p.add(h.field+".Encoding", "is json, but a "+h.method+" has no body", "use POST, or form, which goes into the query")
	case !placed && params.Needs()&template.NeedToken == 0:
		b.p.add(h.field, "sends the JWT nowhere", "set Grant or Bearer, or put {{.Token}} into Params")
	}
}

// compilePaths compiles where the response tells what.
func (b *setup) compilePaths(h *hop, x *Exchange) {
	path := func(name, text, standard string) *response.Path {
		if text = cmp.Or(text, standard); text == "" {
			return nil
		}
		return response.CompilePath(h.field+"."+name, text, "", b.p.add)
	}
	h.reads.Token = path("TokenPath", x.TokenPath, "access_token")
	h.reads.Kind = path("TokenTypePath", x.TokenTypePath, "token_type")
	h.reads.In = path("ExpiresInPath", x.ExpiresInPath, "expires_in")
	h.reads.At = path("ExpiresAtPath", x.ExpiresAtPath, "expires_at")
	h.reads.Base = path("BaseURIPath", x.BaseURIPath, "")
}

// request is the token request without its parameters.
func (h *hop) request() *http.Request {
	req := &http.Request{Method: h.method, URL: h.url, Host: h.url.Host, Header: make(http.Header)}
	if !h.core.setsHeader("Accept") {
		req.Header.Set("Accept", "application/json")
	}
	return req
}

// values are what templates see of the token request; nil where none looks at it.
func (h *hop) values() *template.Request {
	if h.core.looks&template.NeedRequest == 0 {
		return nil
	}
	return h.core.requestValues(h.request(), nil)
}

// compose puts the parameters into an outgoing token request: into the query of a GET, and else into the body.
func (h *hop) compose(out *http.Request, values *template.Request, token string) error {
	if len(h.params.Members()) == 0 {
		return nil
	}
	object, err := h.params.Render(nil, &template.Env{Now: h.core.skew.Now(), Request: values, Token: token})
	if err != nil {
		return &prefixed{h.field + ".Params", err}
	}
	contentType := "application/json"
	if h.encoding == encodingForm {
		contentType = media.FormType
		if object, err = jsontext.Form(object); err != nil {
			return err
		}
	}
	if h.method == http.MethodGet || h.method == http.MethodHead {
		out.URL.RawQuery = origin.JoinQuery(out.URL.RawQuery, string(object))
		return nil
	}
	if !h.core.setsHeader("Content-Type") {
		out.Header.Set("Content-Type", contentType)
	}
	out.ContentLength = int64(len(object))
	out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(object)), nil }
	out.Body, _ = out.GetBody()
	if values != nil {
		values.SetBody(out.GetBody)
	}
	return nil
}

// run asks the token endpoint. shut is called when its gate closes.
func (h *hop) run(ctx context.Context, before exchanged, probe bool, shut func()) (exchanged, error) {
	k := &call{c: h.core, ctx: ctx, req: h.request().WithContext(ctx), probe: probe, seq: h.core.stats.calls.Add(1),
		ticket: before.token, throttled: shut}
	resp, err := k.run()
	got := before
	if got.unminted = k.unminted; k.token != nil && before.token == nil {
		got.assertion = k.token
	}
	if k.resp != nil {
		if d, precision, ok := skew.Measure(k.resp.Header, k.sent, k.answered); ok && d.Abs() > precision {
			got.ahead = d.Round(time.Second)
		}
	}
	if err != nil {
		return got, &prefixed{"token endpoint", err}
	}
	defer body.Finish(resp.Body)
	return h.read(k, got)
}

// keep reads the whole response, so that one that breaks off, or does not end in time, counts as an attempt that failed.
func (h *hop) keep(resp *http.Response) error {
	limit, isText := tokenTime, resp.StatusCode >= 300
	if isText {
		limit = body.TextTime
	}
	var kept bytes.Buffer
	_, err := body.ReadWithin(&kept, resp.Body, grant.MostBody+1, limit)
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(kept.Bytes()))
	if _, slow := errors.AsType[*body.SlowError](err); err == io.EOF || slow && isText { // of a text what came counts
		return nil
	}
	return err
}

// read takes from a response what it gives.
func (h *hop) read(k *call, got exchanged) (exchanged, error) {
	switch {
	case k.throttle != nil:
		return got, &prefixed{"token endpoint", k.throttledError()}
	case k.refused || k.resp.StatusCode >= 300:
		return got, h.refusal(k, nil)
	}
	given, missing := h.reads.Read(h.view(k), k.sent)
	if missing != nil {
		return got, h.refusal(k, missing)
	}
	if !h.reads.Keeps {
		got.over = given.Over
		got.token = &minted{value: given.Token, until: given.Until,
			grant: &grantFacts{scheme: given.Scheme, expiry: given.Expiry, renew: given.Renew}}
	}
	if h.reads.Base != nil {
		got.base = given.Base
	}
	return got, nil
}

// view is the whole response.
func (h *hop) view(k *call) *response.Response {
	data, _ := io.ReadAll(k.resp.Body) // from memory
	k.resp.Body = io.NopCloser(bytes.NewReader(data))
	return response.NewRead(k.resp, data, grant.MostBody, k.answered)
}

// refusal is the typed form of a response that gives no token. missing is nil where the status says so. Neither the assertion nor a
// secret of the connection is in it.
func (h *hop) refusal(k *call, missing *grant.Lack) error {
	said := h.reads.Refuse(h.view(k), missing)
	e := &TokenError{StatusCode: k.resp.StatusCode, Code: said.Code, Description: said.Description, URI: said.URI, Hint: said.Hint}
	for _, text := range []*string{&e.Code, &e.Description, &e.URI} {
		*text = problem.OneLine(h.core.censor(*text, k.token.value))
	}
	if k.refused || e.StatusCode >= 500 {
		ahead, precision, ok := skew.Measure(k.resp.Header, k.sent, k.answered)
		if ok && ahead.Abs() > precision+skew.Noticed {
			e.Hint = diagnose.ClockHint(ahead)
		}
	}
	return e
}
