package jwtbearer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
)

// told are the words of a refusal, for searching: in lower case, each between blanks.
func (p *probe) told(err error) string {
	var words []string
	if e, ok := errors.AsType[*AuthError](err); ok {
		words = append(words, e.Code, e.Message)
	}
	if e, ok := errors.AsType[*ResponseError](err); ok {
		words = append(words, e.Code, e.Message, string(e.Body[:min(len(e.Body), 2048)]))
	}
	told := p.challenge()
	return searchable(strings.Join(append(words, told.params["error"], told.params["error_description"]), " "))
}

// challenge is what the answer to the ping says of the token, read once.
func (p *probe) challenge() challenge {
	if p.challenged == nil {
		p.challenged = new(bestChallenge(p.resp.Header))
	}
	return *p.challenged
}

func searchable(text string) string {
	fields := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return " " + strings.Join(fields, " ") + " "
}

func holdsAny(text string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(text, part) })
}

// ofBrokenBody finds that a success did not come whole.
func (p *probe) ofBrokenBody(error) (diagnosis, bool) {
	switch {
	case p.broken == nil:
		return diagnosis{}, false
	case errors.Is(p.broken, context.Canceled):
		return diagnosis{KindUnexpectedAnswer, "", "the context of Test was cancelled before the answer was whole"}, true
	case isTimeout(p.broken):
		hint := "the API began to answer and did not end: set Ping.RelativeURI to what answers in one go"
		if limit := p.core.silence; limit > 0 && limit < probeTimeout {
			hint += fmt.Sprintf(", or raise Timeout (%s)", limit)
		}
		return diagnosis{KindUnexpectedAnswer, "", hint}, true
	}
	return diagnosis{KindUnexpectedAnswer, "", "the API, or a proxy before it, ends the connection within the answer: try again, and tell its operator if that lasts"}, true
}

// ofPlainHTTP finds a server for https that answers http in words, as nginx, Go and others do.
func (p *probe) ofPlainHTTP(err error) (diagnosis, bool) {
	if p.resp.StatusCode != http.StatusBadRequest || p.sent == nil || p.sent.URL.Scheme != "http" || !holdsAny(p.told(err),
		" plain http request ", " http request to an https ", " speaking plain http ") {
		return diagnosis{}, false
	}
	return diagnosis{KindTLSFailed, "", "this port speaks TLS: write https:// in BaseURI"}, true
}

// ofRefusedLimit finds what looks like a throttle that RateLimit does not describe.
func (p *probe) ofRefusedLimit(err error) (diagnosis, bool) {
	code := p.resp.StatusCode
	switch words := p.told(err); {
	case code == http.StatusTooManyRequests:
	case code/100 != 4 || code == http.StatusUnauthorized:
		return diagnosis{}, false
	case p.resp.Header.Get("Retry-After") != "":
	case holdsAny(words, "rate limit", "ratelimit", "too many requests", "throttl", "request limit", "quota exceeded", "quotaexceeded"):
	default:
		return diagnosis{}, false
	}
	return diagnosis{KindThrottled, "", fmt.Sprintf("this looks like a throttle: add Rule{Status: []int{%d}, …} to RateLimit.Rules, "+
		"with a Path or Header that tells it from other answers, or set RateLimit.Profile", code)}, true
}

// ofChallenge finds what the WWW-Authenticate field says in the terms of RFC 6750, section 3.1, where words say no more.
func (p *probe) ofChallenge(err error) (diagnosis, bool) {
	told := p.challenge()
	code := told.params["error"]
	switch {
	case code == "" || p.resp.StatusCode >= 500:
		return diagnosis{}, false
	case code == "insufficient_scope":
		hint := "the token is valid but may not do this: give its issuer the permission, or ask for it in Payload"
		if scope := problem.OneLine(told.params["scope"]); scope != "" {
			hint = "the token is valid but may not do this: it needs the scope " + scope + ", in Payload or as a permission of its issuer"
		}
		return diagnosis{KindAuthRejected, "", hint}, true
	}
	if d, ok := p.ofWords(err); ok {
		return diagnosis{KindAuthRejected, "", d.hint}, true
	}
	if code == "invalid_request" {
		return diagnosis{KindAuthRejected, "", p.hintPlacement()}, true
	}
	return diagnosis{KindAuthRejected, "", p.hintSilent()}, true
}

// refusals of a token in the words that APIs have for them. The first that fits counts. Short words stand between blanks.
var refusalWords = []struct {
	words []string
	hint  func(*probe) string
}{
	{[]string{" alg ", "algorithm", "signing method"}, (*probe).hintMethod},
	{[]string{" kid ", "key id", "keyid", "unknown key", "key not found", "no matching key", "find the key", "find key", "signing key"}, (*probe).hintKeyID},
	{[]string{"signature", "jws verification", "could not verify", "cannot verify", "could not be verified"}, (*probe).hintKey},
	{[]string{"too far in the future", "too long", "lifetime", "longer than", "exceeds the maximum", "maximum expir", "less than 10 min", "valid for more"}, (*probe).hintLifetime},
	{[]string{"not yet valid", "in the future", " nbf ", "not before", "before issued", "used before", " iat ", "issued at", "clock"}, (*probe).hintEarly},
	{[]string{"expir", " exp "}, (*probe).hintExpired},
	{[]string{" aud ", "audience"}, hintClaim("aud")},
	{[]string{" iss ", "issuer"}, hintClaim("iss")},
	{[]string{" sub ", "subject"}, hintClaim("sub")},
	{[]string{" jti ", "replay", "already used", "already been used", "nonce"}, (*probe).hintOnce},
	{[]string{" scope", "permission"}, hintClaim("scope")},
	{[]string{" typ "}, func(*probe) string { return "set typ in JWTHeaders to what the API wants, or to null for none" }},
	{[]string{"missing", "no token", "not provided", "no authorization", "not authenticated", "authentication required", "credentials", "malformed",
		"authorization header", "bearer token"}, (*probe).hintPlacement},
}

// ofWords finds the cause in the API's own words. They tell of the signed token, unless it was exchanged for another one.
func (p *probe) ofWords(err error) (diagnosis, bool) {
	if p.core.access != nil {
		return diagnosis{}, false
	}
	code := p.resp.StatusCode
	_, refused := errors.AsType[*AuthError](err)
	if !refused && code != http.StatusBadRequest && code != http.StatusUnauthorized && code != http.StatusForbidden {
		return diagnosis{}, false
	}
	words := p.told(err)
	if code == http.StatusBadRequest && !refused && !holdsAny(words, " jwt ", " jws ", "token", " claim", "signature", "audience", "issuer") {
		return diagnosis{}, false
	}
	for _, row := range refusalWords {
		if holdsAny(words, row.words...) {
			return diagnosis{hint: row.hint(p)}, true
		}
	}
	return diagnosis{}, false
}

// ofStatus finds what the status and the address say.
func (p *probe) ofStatus(err error) (diagnosis, bool) {
	sent := p.resp.Request.URL
	_, refused := errors.AsType[*AuthError](err)
	switch code := p.resp.StatusCode; {
	case refused || code == http.StatusUnauthorized:
		if p.report.Skew.Abs() > skewNoticed {
			return diagnosis{}, false
		}
		return diagnosis{hint: p.hintSilent()}, true
	case code == http.StatusNotFound && p.repeats() != "":
		return diagnosis{hint: fmt.Sprintf("the request went to %s, where %s stands twice: take it out of Ping.RelativeURI, or off the end of BaseURI",
			sent.Host+sent.EscapedPath(), p.repeats())}, true
	case code == http.StatusMethodNotAllowed:
		hint := unexpectedHint(code)
		if allowed := problem.OneLine(p.resp.Header.Get("Allow")); allowed != "" {
			hint = "set Ping.Method to what is allowed here: " + allowed
		}
		return diagnosis{hint: hint}, true
	case code == http.StatusProxyAuthRequired:
		return diagnosis{KindUnreachable, "", "a proxy wants user and password: set them in HTTP_PROXY and HTTPS_PROXY, or in the Proxy of Transport"}, true
	}
	return diagnosis{}, false
}

// repeats is the part of the path that stands twice, as in /v1/v1/users.
func (p *probe) repeats() string {
	path := p.resp.Request.URL.EscapedPath()
	base := strings.TrimRight(p.core.apiBase().EscapedPath(), "/")
	rest, ok := strings.CutPrefix(path, base+"/")
	if !ok {
		return ""
	}
	return repeatedPath(base, "/"+rest)
}

// apiBase is the address that pings are appended to; empty while only the token endpoint could tell it.
func (c *core) apiBase() *url.URL {
	if a := c.address.Load(); a != nil {
		return a.Base
	}
	return new(url.URL)
}

// repeatedPath is the end of base, from one of its slashes, that ref begins with again.
func repeatedPath(base, ref string) string {
	for base != "" {
		if strings.HasPrefix(ref+"/", base+"/") {
			return base
		}
		next := strings.Index(base[1:], "/")
		if next < 0 {
			return ""
		}
		base = base[1+next:]
	}
	return ""
}

func (p *probe) hintMethod() string {
	return fmt.Sprintf("the token is signed by %s: set SignatureMethod, and a key that fits it, to what the API wants", memberText(p.report.Header, "alg"))
}

func (p *probe) hintKeyID() string {
	if kid := memberText(p.report.Header, "kid"); kid != "" {
		return fmt.Sprintf("the token names the key %s: compare kid in JWTHeaders with the key's name at the API", kid)
	}
	return `the token does not say which key signed it: set JWTHeaders to {"kid": "…"} with the key's name at the API`
}

func (p *probe) hintKey() string {
	if strings.HasPrefix(memberText(p.report.Header, "alg"), "HS") {
		return "the API has another secret: compare Secret with the one that it shows, and SecretEncoding with how that is written (hex, base64 or as it is)"
	}
	hint := "the API has another key: compare PrivateKey with the public key that is registered there"
	if kid := memberText(p.report.Header, "kid"); kid != "" {
		hint += " as " + kid
	}
	return hint
}

// lifetime is exp less iat, or less now where there is no iat.
func (p *probe) lifetime() time.Duration {
	exp, iat := numericDate(memberText(p.report.Claims, "exp")), numericDate(memberText(p.report.Claims, "iat"))
	if exp.IsZero() {
		return 0
	}
	if iat.IsZero() {
		iat = p.core.skew.now()
	}
	return exp.Sub(iat).Round(time.Second)
}

func (p *probe) hintLifetime() string {
	if life := p.lifetime(); life != 0 {
		return fmt.Sprintf("the token lives %s: lower Lifetime, or exp in Payload, to what the API allows", life)
	}
	return "lower Lifetime, or exp in Payload, to what the API allows"
}

func (p *probe) hintEarly() string {
	if p.report.Skew.Abs() > skewNoticed {
		return clockHint(p.report.Skew) + ": correct one of them, or date the token back: iat and nbf as {{now -60}} in Payload"
	}
	return "compare iat and nbf in Payload with the clock: they are whole seconds ({{now}}), and some APIs want them a little in the past ({{now -60}})"
}

func (p *probe) hintExpired() string {
	switch life := p.lifetime(); {
	case p.report.Skew.Abs() > skewNoticed:
		return clockHint(p.report.Skew) + ": correct one of them"
	case life == 0:
		return "the token has no exp: set Lifetime, or add it to Payload"
	case p.core.minter.signer == nil:
		return "Token has expired: get a new one, or describe how to sign it"
	default:
		return fmt.Sprintf("the token lives %s from iat: compare Lifetime, or exp in Payload, with what the API wants; exp is a time, as in {{now 300}}", life)
	}
}

func (p *probe) hintOnce() string {
	if p.core.minter.reuse > 0 {
		return "the API takes each token once: set TokenReuse to zero"
	}
	if memberText(p.report.Claims, "jti") == "" {
		return `the API wants tokens that differ: add "jti": "{{uuid}}" to Payload`
	}
	return `make jti in Payload new for every token: "{{uuid}}"`
}

func hintClaim(name string) func(*probe) string {
	return func(p *probe) string {
		if value := memberText(p.report.Claims, name); value != "" {
			return fmt.Sprintf("the token has %s %s: set %s in Payload to what the API wants", name, value, name)
		}
		return fmt.Sprintf("the token has no %s: add it to Payload", name)
	}
}

func (p *probe) hintPlacement() string {
	var places []string
	for _, place := range p.core.placements {
		places = append(places, strings.TrimSpace(place.In+" "+place.Name+" "+place.Scheme))
	}
	return "the API does not find or understand the token, which goes to " + strings.Join(places, " and ") +
		": set Placement to where and how it wants it"
}

func (p *probe) hintSilent() string {
	if p.core.access != nil {
		return "the API refuses the access token: compare what Exchange.Params asks for (scope, resource, audience) with what this address needs, and Placement"
	}
	if p.core.minter.signer == nil {
		return "the API does not say why: get a new Token, and compare Placement with where the API wants it"
	}
	key := "PrivateKey"
	if strings.HasPrefix(memberText(p.report.Header, "alg"), "HS") {
		key = "Secret (and SecretEncoding)"
	}
	return "the API does not say why: compare Payload, JWTHeaders and Placement with what it asks for, and " + key + " with the key that it has"
}

// memberText is a member of a JSON object as a text; empty: there is none.
func memberText(object JSON, name string) string {
	v, err := jsontext.Parse(string(object))
	if err != nil {
		return ""
	}
	for _, m := range v.Members {
		if m.Name == name {
			return problem.OneLine(cmp.Or(m.Value.Text, string(m.Value.Append(nil))))
		}
	}
	return ""
}
