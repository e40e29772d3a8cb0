package jwtbearer

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/textproto"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/grant"
	"github.com/seed-363d07a3/jwtbearer/internal/httpfield"
	"github.com/seed-363d07a3/jwtbearer/internal/jws"
	"github.com/seed-363d07a3/jwtbearer/internal/nearest"
	"github.com/seed-363d07a3/jwtbearer/internal/origin"
	"github.com/seed-363d07a3/jwtbearer/internal/pace"
	"github.com/seed-363d07a3/jwtbearer/internal/place"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/template"
)

// problems collects what is wrong with a Connection.
type problems struct {
	found      problem.List
	unresolved []*ConfigError // of references
	doubts     []Warning      // for Lint, of texts as they were written
}

// add records a problem of the field at path, which is written as in Go: RateLimit.Rules[2].Match.
func (p *problems) add(path, problem, hint string) {
	p.found.Add(path, problem, hint)
}

// addError records an error that may know its own hint.
func (p *problems) addError(path string, err error) {
	p.found.AddError(path, err)
}

// err joins the problems, but for those that are there only since the value of a field could not be resolved.
func (p *problems) err() error {
	var all []error
	for _, missing := range p.unresolved {
		all = append(all, missing)
	}
	for _, found := range p.found.Entries() {
		e := &ConfigError{Field: found.Field, Problem: found.Problem, Hint: found.Hint, cause: found.Cause}
		if !slices.ContainsFunc(p.unresolved, e.followsFrom) {
			all = append(all, e)
		}
	}
	return errors.Join(all...)
}

// followsFrom reports whether a problem may be none once the value of another field can be had: one of the same field, or of one
// that cannot be read without it.
func (e *ConfigError) followsFrom(missing *ConfigError) bool {
	switch root, _, _ := strings.Cut(missing.Field, "["); {
	case e.Field == missing.Field:
		return true
	case root == "Passphrase":
		return e.Field == "PrivateKey"
	case root == "SecretEncoding":
		return e.Field == "Secret"
	case root == "TLS.Passphrase":
		return e.Field == "TLS.PrivateKey" || e.Field == "TLS.PFX"
	case root == "Fields" || root == "Secrets":
		return e.Field == "BaseURI" || strings.HasSuffix(e.Field, ".TokenURL")
	}
	return false
}

// Validate checks everything that NewClient does, but signs nothing. The error joins a *ConfigError for each problem.
func (c *Connection) Validate() error {
	_, err := build(c)
	return err
}

// Lint tells what is legal but probably not meant: tokens that never expire or live longer than a known API takes, keys that
// had to be repaired, and more. Test reports the same. It is empty where Validate fails.
func (c *Connection) Lint() []Warning {
	core, err := build(c)
	if err != nil {
		return nil
	}
	return core.warnings
}

// build makes the core of a client, or tells all that is wrong with its Connection.
func build(conn *Connection) (*core, error) {
	p := new(problems)
	if conn == nil {
		p.add("Connection", "is nil", "give NewClient a Connection")
		return nil, p.err()
	}
	conn = resolveReferences(conn, p)
	checkDurations("", reflect.ValueOf(conn).Elem(), p)
	b := &setup{conn: conn, p: p, core: &core{
		name: conn.Name, retry: conn.Retry.withDefaults(), silence: orDefault(conn.Timeout, 30*time.Second),
		limiter: conn.Limiter, log: conn.Logger, maxResponse: orDefault(conn.MaxResponse, 64<<20),
	}}
	if b.core.log == nil {
		b.core.log = slog.New(slog.DiscardHandler)
	}
	b.buildMedia()
	b.buildValues()
	b.buildKey()
	b.buildAddresses()
	b.buildHeaders()
	b.buildToken()
	b.buildThrottling()
	b.buildPing()
	b.buildTransport()
	b.buildLimiter()
	b.buildExchange()
	if err := p.err(); err != nil {
		return nil, err
	}
	b.core.see()
	b.lint()
	return b.core, nil
}

// A setup makes a core field by field. It goes on after a problem, to find them all.
type setup struct {
	conn      *Connection
	p         *problems
	core      *core
	templates template.Set
	method    SignatureMethod // empty: it is unknown
	signer    *jws.Signer     // nil: none, or it is wrong
	key       *PrivateKey     // nil: none was parsed
}

func (b *setup) buildMedia() {
	c := b.conn
	b.core.media = oneOf(b.p, "MediaType", cmp.Or(c.MediaType, MediaJSON),
		MediaJSON, MediaXML, MediaURLEncoded, MediaFormData, MediaPlaintext)
	b.core.successMedia = oneOf(b.p, "SuccessMediaType", c.SuccessMediaType, "", MediaJSON, MediaXML, MediaCSV, MediaPlaintext)
	b.core.errorMedia = oneOf(b.p, "ErrorMediaType", c.ErrorMediaType, "", MediaJSON, MediaXML, MediaPlaintext)
}

// oneOf returns value, which must be among the known ones; "" among them means that it may be empty.
func oneOf[T ~string](p *problems, field string, value T, known ...T) T {
	if !slices.Contains(known, value) {
		var names []string
		for _, k := range known {
			if k != "" {
				names = append(names, string(k))
			}
		}
		p.add(field, fmt.Sprintf("%q is unknown", string(value)), "use "+strings.Join(names, ", "))
	}
	return value
}

// buildAddresses reads BaseURI and TrustedOrigins.
func (b *setup) buildAddresses() {
	for i, text := range b.conn.TrustedOrigins {
		field := fmt.Sprintf("TrustedOrigins[%d]", i)
		o, err := origin.ParseOrigin(text)
		if err != nil {
			b.p.add(field, err.Error(), "write scheme, host and port only, such as https://uploads.example.com")
			continue
		}
		b.checkScheme(field, o)
		b.core.trusted = append(b.core.trusted, o)
	}
	if text, ok := b.baseText(); ok && !b.conn.Exchange.tellsBase() {
		if u := b.parseURI("BaseURI", text); u != nil {
			b.core.address.Store(origin.NewAddress(u, text, b.core.trusted))
		}
	}
}

// baseText evaluates BaseURI.
func (b *setup) baseText() (string, bool) {
	if b.conn.BaseURI == "" {
		if b.conn.Exchange.tellsBase() {
			return "", true
		}
		b.p.add("BaseURI", "is empty", "set the https address of the API")
		return "", false
	}
	text, err := b.templates.URI(b.conn.BaseURI)
	if err != nil {
		b.p.addError("BaseURI", err)
	}
	return text, err == nil
}

// parseURI checks what the template in a field gives, which tokens go to.
func (b *setup) parseURI(field, text string) *url.URL {
	u, fault := origin.Parse(text)
	if fault != nil {
		b.p.add(field, fault.Problem, fault.Hint)
		return nil
	}
	o, _ := origin.Of(u) // Parse has checked it
	b.checkScheme(field, o)
	return u
}

// checkScheme refuses to send tokens where others can read them.
func (b *setup) checkScheme(field string, o origin.Origin) {
	switch o.Scheme {
	case "https":
	case "http":
		if o.Plain() && !b.conn.AllowPlainHTTP {
			b.p.add(field, "is plain http, and its host is not this machine: anybody on the way could read the token",
				"use https, or set AllowPlainHTTP")
		} else if o.Plain() {
			b.warn(field, "is plain http: anybody on the way can read the token", "use https")
		}
	default:
		b.p.add(field, fmt.Sprintf("has the scheme %q", o.Scheme), "use https")
	}
}

// compileText compiles the template in a field and notes what is wrong with it.
func (b *setup) compileText(field, text string, sc template.Scope) (*template.Text, error) {
	t, err := b.templates.Text(text, sc)
	if err != nil {
		b.p.addError(field, err)
	}
	return t, err
}

// buildHeaders compiles HTTPHeaders, in the order of their names.
func (b *setup) buildHeaders() {
	b.core.placements = b.compilePlacements()
	b.core.headers = b.compileHeaders("HTTPHeaders", b.conn.HTTPHeaders, b.core.placements)
	if slices.ContainsFunc(b.core.placements, func(p place.Place) bool { return p.In == place.Cookie }) &&
		strings.ContainsAny(string(b.conn.Token), `",;\`) {
		b.p.add("Token", "holds a character that no cookie may carry (RFC 6265, section 4.1.1)", "paste the token alone, or place it elsewhere")
	}
}

// compileHeaders compiles headers beside a token that goes to those placements.
func (b *setup) compileHeaders(field string, headers map[string]string, placements []place.Place) []headerTemplate {
	var compiled []headerTemplate
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		path := fmt.Sprintf("%s[%s]", field, name)
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case !httpfield.IsToken(name):
			b.p.add(path, "is not a header name", "use letters, digits and hyphens")
		case canonical == "Host" || canonical == "Content-Length" || canonical == "Transfer-Encoding":
			b.p.add(path, "is made by net/http from the request", "remove it")
		case slices.ContainsFunc(compiled, func(h headerTemplate) bool { return h.name == canonical }):
			b.p.add(path, "is there twice, in different case", "remove one")
		case place.Has(placements, canonical):
			b.p.add(path, "is where the token goes", "remove it, or move the token with Placement")
		}
		t, err := b.compileText(path, headers[name], template.ScopeRequest)
		if err != nil {
			continue
		}
		if value, fixed := t.Constant(); fixed && httpfield.IsBrokenValue(value) {
			b.p.add(path, "has a value with a line break or another control character", "remove it")
		}
		compiled = append(compiled, headerTemplate{canonical, path, t})
	}
	return compiled
}

// compilePlacements compiles Placement.
func (b *setup) compilePlacements() []place.Place {
	var places []place.Place
	for _, p := range b.conn.Placement {
		places = append(places, place.Place(p))
	}
	return place.Compile(places, b.p.add)
}

// buildLimiter takes over Limiter.
func (b *setup) buildLimiter() {
	if isNil(b.conn.Limiter) {
		b.p.add("Limiter", fmt.Sprintf("is a %T that is nil", b.conn.Limiter), "leave Limiter itself nil where there is none")
	}
}

// isNil reports whether an interface that is not nil holds a nil pointer, which nobody could use.
func isNil(v any) bool {
	r := reflect.ValueOf(v)
	return r.Kind() == reflect.Pointer && r.IsNil()
}

// buildThrottling compiles the rules and makes the line and the budget.
func (b *setup) buildThrottling() {
	c := b.conn
	b.core.throttling = b.compileThrottling("RateLimit", c.RateLimit, c.ErrorMediaType)
	failure := c.AuthFailure
	if len(failure) == 0 {
		failure = []Rule{{Status: []int{http.StatusUnauthorized}}}
	}
	b.core.authFailure = b.compileRules("AuthFailure", failure, c.ErrorMediaType)
	c.Retry.check(b.p)
	if b.p.found.Len() == 0 {
		b.core.line = pace.New(paceSettings(b.core.throttling.Pace))
	}
	b.core.budget = newBudget(b.core.retry.Budget)
}

// longestBackoff keeps the doubling of backoffs within a time.Duration.
const longestBackoff = 365 * 24 * time.Hour

// check refuses settings that mean nothing.
func (r Retry) check(p *problems) {
	problem.NotNegative(p.add, "Retry.MaxAttempts", r.MaxAttempts)
	problem.NotNegative(p.add, "Retry.MinBackoff", r.MinBackoff)
	problem.NotNegative(p.add, "Retry.MaxBackoff", r.MaxBackoff)
	if d := r.withDefaults(); d.MinBackoff > d.MaxBackoff {
		p.add("Retry.MinBackoff", fmt.Sprintf("%s is more than MaxBackoff, %s", d.MinBackoff, d.MaxBackoff), "lower it")
	}
}

// withDefaults fills in what is zero. What is negative becomes zero, which means none from here on.
func (r Retry) withDefaults() Retry {
	r.MaxAttempts = cmp.Or(r.MaxAttempts, 4)
	r.MinBackoff = cmp.Or(r.MinBackoff, min(200*time.Millisecond, cmp.Or(max(0, r.MaxBackoff), time.Hour)))
	r.MaxBackoff = cmp.Or(r.MaxBackoff, max(30*time.Second, r.MinBackoff))
	r.MaxElapsed = orDefault(r.MaxElapsed, 10*time.Minute)
	r.Budget = orDefault(r.Budget, 500)
	r.BufferLimit = orDefault(r.BufferLimit, 1<<20)
	r.MaxBackoff = min(r.MaxBackoff, longestBackoff)
	return r
}

// shortest is the least that a setting of a time can mean. Less is a number without its unit: 30 is 30 ns.
const shortest = time.Millisecond

// checkDurations refuses durations above zero that are shorter than any setting means, wherever they stand in v. Lifetime has a longer
// bound, and 1 is the one way to say that no time may pass between attempts, since MaxElapsed zero is the default.
func checkDurations(path string, v reflect.Value, p *problems) {
	switch {
	case v.Type() == reflect.TypeFor[time.Duration]():
		if d := time.Duration(v.Int()); d > 0 && d < shortest && path != "Lifetime" && (d > 1 || path != "Retry.MaxElapsed") {
			p.add(path, fmt.Sprintf("%s is less than a millisecond", d), fmt.Sprintf("is that %d * time.Second?", int64(d)))
		}
	case v.Kind() == reflect.Struct:
		for field, value := range v.Fields() {
			checkDurations(strings.TrimPrefix(path+"."+field.Name, "."), value, p)
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			checkDurations(fmt.Sprintf("%s[%d]", path, i), v.Index(i), p)
		}
	case v.Type() == reflect.TypeFor[*Exchange]() && !v.IsNil() && strings.Count(path, ".Next") < mostHops:
		checkDurations(path, v.Elem(), p)
	}
}

// grants are the names that Exchange.Grant knows besides grant type URIs: the two of RFC 7523, and those of RFC 6749.
var grants = []string{grant.JWTBearer, grant.ClientCredentials, "client_credentials", "refresh_token", "password", "authorization_code"}

// checkGrant refuses a name that is none: a grant type that is no URI is one of a few (RFC 6749, section 4.5).
func checkGrant(field, name string, p *problems) {
	if name == "" || strings.Contains(name, ":") || slices.Contains(grants, name) {
		return
	}
	hint := "use " + grant.JWTBearer + " or " + grant.ClientCredentials + ", or leave it empty and set grant_type in Params"
	if near := nearest.Name(name, grants); near != "" {
		hint = fmt.Sprintf("did you mean %s? Else leave it empty and set grant_type in Params", near)
	}
	p.add(field, fmt.Sprintf("%q is neither a known name nor a URI", name), hint)
}

// unsafeHeaders are members of the JOSE header with which a token would mean something else than it says.
var unsafeHeaders = map[string]string{
	"b64":  "a JWT must not leave its payload unencoded (RFC 7797, section 7)",
	"crit": "it names extensions that a receiver must know, and none is supported (RFC 7515, section 4.1.11)",
}

// checkJOSEHeader refuses what no JWT can have.
func checkJOSEHeader(header *template.Object, p *problems) {
	for _, m := range header.Members() {
		if why := unsafeHeaders[m.Name]; why != "" {
			p.add("JWTHeaders", "has "+m.Name+": "+why, "remove it")
		}
	}
}

// orDefault returns the default for zero and zero for what is negative.
func orDefault[T ~int | ~int64](value, standard T) T {
	if value == 0 {
		return standard
	}
	return max(0, value)
}
