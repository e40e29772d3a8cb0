package diagnose

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/skew"
)

// ofBrokenBody finds that a success did not come whole.
func (f *Facts) ofBrokenBody(error) (Diagnosis, bool) {
	switch {
	case f.Response.Broken == nil:
		return Diagnosis{}, false
	case errors.Is(f.Response.Broken, context.Canceled):
		return Diagnosis{UnexpectedAnswer, "", "the context of Test was cancelled before the answer was whole"}, true
	case IsTimeout(f.Response.Broken):
		hint := "the API began to answer and did not end: set Ping.RelativeURI to what answers in one go"
		if limit := f.Silence; limit > 0 && limit < f.Limit {
			hint += fmt.Sprintf(", or raise Timeout (%s)", limit)
		}
		return Diagnosis{UnexpectedAnswer, "", hint}, true
	}
	return Diagnosis{UnexpectedAnswer, "", "the API, or a proxy before it, ends the connection within the answer: try again, and tell its operator if that lasts"}, true
}

// ofPlainHTTP finds a server for https that answers http in words, as nginx, Go and others do.
func (f *Facts) ofPlainHTTP(err error) (Diagnosis, bool) {
	if f.Response.Status != http.StatusBadRequest || !f.PlainHTTP || !holdsAny(f.Response.words(),
		" plain http request ", " http request to an https ", " speaking plain http ") {
		return Diagnosis{}, false
	}
	return Diagnosis{TLSFailed, "", "this port speaks TLS: write https:// in BaseURI"}, true
}

// ofRefusedLimit finds what looks like a throttle that RateLimit does not describe.
func (f *Facts) ofRefusedLimit(err error) (Diagnosis, bool) {
	code := f.Response.Status
	switch words := f.Response.words(); {
	case code == http.StatusTooManyRequests:
	case code/100 != 4 || code == http.StatusUnauthorized:
		return Diagnosis{}, false
	case f.Response.Header.Get("Retry-After") != "":
	case holdsAny(words, "rate limit", "ratelimit", "too many requests", "throttl", "request limit", "quota exceeded", "quotaexceeded"):
	default:
		return Diagnosis{}, false
	}
	return Diagnosis{Throttled, "", fmt.Sprintf("this looks like a throttle: add Rule{Status: []int{%d}, …} to RateLimit.Rules, "+
		"with a Path or Header that tells it from other answers, or set RateLimit.Profile", code)}, true
}

// ofChallenge finds what the WWW-Authenticate field says in the terms of RFC 6750, section 3.1, where words say no more.
func (f *Facts) ofChallenge(err error) (Diagnosis, bool) {
	told := f.Response.Challenge
	code := told.Params["error"]
	switch {
	case code == "" || f.Response.Status >= 500:
		return Diagnosis{}, false
	case code == "insufficient_scope":
		hint := "the token is valid but may not do this: give its issuer the permission, or ask for it in Payload"
		if scope := problem.OneLine(told.Params["scope"]); scope != "" {
			hint = "the token is valid but may not do this: it needs the scope " + scope + ", in Payload or as a permission of its issuer"
		}
		return Diagnosis{AuthRejected, "", hint}, true
	}
	if d, ok := f.ofWords(err); ok {
		return Diagnosis{AuthRejected, "", d.Hint}, true
	}
	if code == "invalid_request" {
		return Diagnosis{AuthRejected, "", f.hintPlacement()}, true
	}
	return Diagnosis{AuthRejected, "", f.hintSilent()}, true
}

// refusals of a token in the words that APIs have for them. The first that fits counts. Short words stand between blanks.
var refusalWords = []struct {
	words []string
	hint  func(*Facts) string
}{
	{[]string{" alg ", "algorithm", "signing method"}, (*Facts).hintMethod},
	{[]string{" kid ", "key id", "keyid", "unknown key", "key not found", "no matching key", "find the key", "find key", "signing key"}, (*Facts).hintKeyID},
	{[]string{"signature", "jws verification", "could not verify", "cannot verify", "could not be verified"}, (*Facts).hintKey},
	{[]string{"too far in the future", "too long", "lifetime", "longer than", "exceeds the maximum", "maximum expir", "less than 10 min", "valid for more"}, (*Facts).hintLifetime},
	{[]string{"not yet valid", "in the future", " nbf ", "not before", "before issued", "used before", " iat ", "issued at", "clock"}, (*Facts).hintEarly},
	{[]string{"expir", " exp "}, (*Facts).hintExpired},
	{[]string{" aud ", "audience"}, hintClaim("aud")},
	{[]string{" iss ", "issuer"}, hintClaim("iss")},
	{[]string{" sub ", "subject"}, hintClaim("sub")},
	{[]string{" jti ", "replay", "already used", "already been used", "nonce"}, (*Facts).hintOnce},
	{[]string{" scope", "permission"}, hintClaim("scope")},
	{[]string{" typ "}, func(*Facts) string { return "set typ in JWTHeaders to what the API wants, or to null for none" }},
	{[]string{"missing", "no token", "not provided", "no authorization", "not authenticated", "authentication required", "credentials", "malformed",
		"authorization header", "bearer token"}, (*Facts).hintPlacement},
}

// ofWords finds the cause in the API's own words. They tell of the signed token, unless it was exchanged for another one.
func (f *Facts) ofWords(err error) (Diagnosis, bool) {
	if f.Token.Exchanged {
		return Diagnosis{}, false
	}
	code := f.Response.Status
	refused := f.Response.Refused
	if !refused && code != http.StatusBadRequest && code != http.StatusUnauthorized && code != http.StatusForbidden {
		return Diagnosis{}, false
	}
	words := f.Response.words()
	if code == http.StatusBadRequest && !refused && !holdsAny(words, " jwt ", " jws ", "token", " claim", "signature", "audience", "issuer") {
		return Diagnosis{}, false
	}
	for _, row := range refusalWords {
		if holdsAny(words, row.words...) {
			return Diagnosis{Hint: row.hint(f)}, true
		}
	}
	return Diagnosis{}, false
}

// ofStatus finds what the status and the address say.
func (f *Facts) ofStatus(err error) (Diagnosis, bool) {
	sent, refused := f.Response.URL, f.Response.Refused
	switch code := f.Response.Status; {
	case refused || code == http.StatusUnauthorized:
		if f.Skew.Abs() > skew.Noticed {
			return Diagnosis{}, false
		}
		return Diagnosis{Hint: f.hintSilent()}, true
	case code == http.StatusNotFound && f.repeats() != "":
		return Diagnosis{Hint: fmt.Sprintf("the request went to %s, where %s stands twice: take it out of Ping.RelativeURI, or off the end of BaseURI",
			sent.Host+sent.EscapedPath(), f.repeats())}, true
	case code == http.StatusMethodNotAllowed:
		hint := Unexpected(code)
		if allowed := problem.OneLine(f.Response.Header.Get("Allow")); allowed != "" {
			hint = "set Ping.Method to what is allowed here: " + allowed
		}
		return Diagnosis{Hint: hint}, true
	case code == http.StatusProxyAuthRequired:
		return Diagnosis{Unreachable, "", "a proxy wants user and password: set them in HTTP_PROXY and HTTPS_PROXY, or in the Proxy of Transport"}, true
	}
	return Diagnosis{}, false
}

// repeats is the part of the path that stands twice, as in /v1/v1/users.
func (f *Facts) repeats() string {
	path := f.Response.URL.EscapedPath()
	base := strings.TrimRight(f.BasePath, "/")
	rest, ok := strings.CutPrefix(path, base+"/")
	if !ok {
		return ""
	}
	return RepeatedPath(base, "/"+rest)
}

// RepeatedPath is the end of base, from one of its slashes, that ref begins with again.
func RepeatedPath(base, ref string) string {
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

func searchable(text string) string {
	fields := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return " " + strings.Join(fields, " ") + " "
}

func holdsAny(text string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(text, part) })
}

// Unexpected says what to do about a status that is neither a success nor of a kind of its own.
func Unexpected(code int) string {
	switch {
	case code == http.StatusMethodNotAllowed:
		return "set Ping.Method, or Ping.RelativeURI to an address that may be asked with it"
	case code == http.StatusNotModified:
		return "the API takes the request for one about a copy that the caller has: take If-None-Match and If-Modified-Since out of HTTPHeaders and Ping.Headers"
	case code >= 300 && code < 400:
		return "the API redirects: set BaseURI, or Ping.RelativeURI, to the address that it leads to"
	}
	return "the API is reachable and the token was not refused: compare Ping with what this address expects"
}

// words are those of a refusal, for searching: in lower case, each between spaces.
func (r *Response) words() string {
	return searchable(strings.Join(append(slices.Clone(r.Texts), r.Challenge.Params["error"], r.Challenge.Params["error_description"]), " "))
}
