package jwtbearer

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/httpfield"
	"github.com/seed-363d07a3/jwtbearer/internal/origin"
	"github.com/seed-363d07a3/jwtbearer/internal/place"
	"github.com/seed-363d07a3/jwtbearer/internal/redact"
	"github.com/seed-363d07a3/jwtbearer/internal/template"
)

// The grant types and assertion types of RFC 7523, sections 2.1 and 2.2.
const (
	grantJWTBearer         = "jwt-bearer"
	grantClientCredentials = "client-credentials"
	jwtBearerType          = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	clientAssertionType    = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
)

const mostHops = 8 // of an exchange: more are a ring

// The values of Exchange.Encoding.
const (
	encodingForm = "form"
	encodingJSON = "json"
	encodingNone = "none"
)

// A hop is one token endpoint and how it is asked. Its core is like that of an API, with a line, a gate and a budget of its
// own: the same attempts are made, so each of them carries an assertion of its own.
type hop struct {
	core     *core
	field    string // its path in Connection
	method   string
	url      *url.URL
	encoding string
	params   *template.Object
	life     time.Duration // of a token where the answer does not say; zero: until it is refused
	keeps    bool          // the token is that of the hop before

	token, kind, in, at, base *bodyPath // base is nil where the answer does not tell it
}

// A grant is what the hops so far gave.
type grant struct {
	token *minted // nil: none yet
	base  string  // the base URI as the answer told it; empty: it did not

	// For reports.
	assertion *minted       // the last that was sent to the first hop; nil: none was
	unminted  bool          // there was none
	over      string        // the path at which the answer says that the token has expired already; empty: none
	ahead     time.Duration // of the endpoint's clock; zero: not known, or less than can be measured
}

// tellsBase reports whether an answer of the token endpoint tells the base URI.
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
	h := &hop{field: field, method: cmp.Or(x.Method, http.MethodPost), life: x.ExpiresIn, keeps: !first && x.TokenPath == ""}
	if !httpfield.IsToken(h.method) {
		b.p.add(field+".Method", "is not a method (RFC 9110, section 9.1)", "use GET, POST or another word")
	}
	notNegative(b.p, field+".ExpiresIn", x.ExpiresIn)
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
	c.throttling = compileThrottling(h.field+".RateLimit", x.RateLimit, "", b.p)
	c.authFailure = compileRules(h.field, assertionRefused, "", b.p)
	if b.p.found.Len() == 0 {
		c.line = newLine(c.throttling)
	}
	return c
}

// assertionRefused are the answers after which another assertion can help: its time may be corrected, or its jti was used up
// by an attempt whose answer got lost.
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
	auto, err := b.templates.Object(string(grantParams(x.Grant, placed)), template.ScopeRequest)
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

// grantParams are the parameters of a grant. A grant of another type sends the JWT as the assertion framework does (RFC 7521,
// section 4.1), unless it is placed elsewhere.
func grantParams(name string, placed bool) JSON {
	switch name {
	case "":
		return ""
	case grantJWTBearer, jwtBearerType:
		return `{"grant_type":"` + jwtBearerType + `","assertion":"{{.Token}}"}`
	case grantClientCredentials, "client_credentials":
		if placed && name != grantClientCredentials {
			return `{"grant_type":"client_credentials"}`
		}
		return `{"grant_type":"client_credentials","client_assertion_type":"` + clientAssertionType + `","client_assertion":"{{.Token}}"}`
	}
	text, _ := marshalJSON(`{{"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"}}`) // literally
	if placed {
		return JSON(`{"grant_type":` + string(text) + `}`)
	}
	return JSON(`{"grant_type":` + string(text) + `,"assertion":"{{.Token}}"}`)
}

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

// compilePaths compiles where the answer tells what.
func (b *setup) compilePaths(h *hop, x *Exchange) {
	path := func(name, text, standard string) *bodyPath {
		if text = cmp.Or(text, standard); text == "" {
			return nil
		}
		return compilePath(h.field+"."+name, text, "", b.p)
	}
	h.token = path("TokenPath", x.TokenPath, "access_token")
	h.kind = path("TokenTypePath", x.TokenTypePath, "token_type")
	h.in = path("ExpiresInPath", x.ExpiresInPath, "expires_in")
	h.at = path("ExpiresAtPath", x.ExpiresAtPath, "expires_at")
	h.base = path("BaseURIPath", x.BaseURIPath, "")
}

// run asks the token endpoint. shut is called when its gate closes.
func (h *hop) run(ctx context.Context, before grant, probe bool, shut func()) (grant, error) {
	k := &call{c: h.core, ctx: ctx, req: h.request().WithContext(ctx), probe: probe, seq: h.core.stats.calls.Add(1),
		ticket: before.token, throttled: shut}
	resp, err := k.run()
	got := before
	if got.unminted = k.unminted; k.token != nil && before.token == nil {
		got.assertion = k.token
	}
	if k.resp != nil {
		if d, precision, ok := measureSkew(k.resp.Header, k.sent, k.answered); ok && d.Abs() > precision {
			got.ahead = d.Round(time.Second)
		}
	}
	if err != nil {
		return got, &prefixed{"token endpoint", err}
	}
	defer finish(resp.Body)
	return h.read(k, got)
}
