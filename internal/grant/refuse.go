package grant

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/response"
)

// A Refusal is why a response gives no token, in words that may be shown.
type Refusal struct {
	Code, Description, URI string // see RFC 6749, section 5.2; empty: not told
	Hint                   string // what to do; empty: nothing is known
}

// Refuse says why a response gives no token: its status is no success, or it has a Lack. Of the body no more is in it than said
// allows.
func (r *Reader) Refuse(a *response.Response, missing *Lack) Refusal {
	said, field := r.said(a), tokenPath
	e := Refusal{Code: said.code, Description: said.description, URI: said.uri}
	if missing != nil {
		field = missing.Field
	}
	switch {
	case e.Description != "":
	case missing != nil:
		e.Description = missing.Problem
	case e.Code == "":
		e.Description = describe(a)
	}
	if e.Description == e.Code {
		e.Description = ""
	}
	e.Hint = r.hint(a.Status(), e.Code, cmp.Or(said.hidden, said.description), field)
	return e
}

// definitions are those of invalid_grant and invalid_client in RFC 6749, section 5.2, which some servers put before what they
// have to say.
var definitions = []string{
	"The provided authorization grant (e.g., authorization code, resource owner credentials) or refresh token is invalid, expired, " +
		"revoked, does not match the redirection URI used in the authorization request, or was issued to another client.",
	"Client authentication failed (e.g., unknown client, no client authentication included, or unsupported authentication method).",
}

// withoutDefinition is a description without the definition that stands before what the server has to say itself.
func withoutDefinition(description string) string {
	for _, definition := range definitions {
		if own := strings.TrimSpace(strings.TrimPrefix(description, definition)); own != "" {
			description = own
		}
	}
	return description
}

// hint says what to do about a response with that status, code and words, or about a success that lacks what field tells.
func (r *Reader) hint(status int, code, said, field string) string {
	if hint := codeHints[code]; hint != "" {
		if isOfAssertion(code) {
			return cmp.Or(assertionHint(said), hint)
		}
		return hint
	}
	switch {
	case status >= 300 && status < 400 && status != http.StatusNotModified:
		return "redirects of a token endpoint are not followed: set " + r.Field + ".TokenURL to where it is"
	case status == http.StatusNotFound || status == http.StatusMethodNotAllowed || status == http.StatusGone:
		return "check " + r.Field + ".TokenURL and Method"
	case status == http.StatusUnsupportedMediaType:
		return "check " + r.Field + ".Encoding"
	case status == http.StatusUnauthorized:
		return cmp.Or(assertionHint(said), codeHints["invalid_client"])
	case status < 300:
		return "check " + r.Field + ".TokenURL and " + field
	}
	return assertionHint(said)
}

// isOfAssertion reports whether a code says that something is wrong with the assertion.
func isOfAssertion(code string) bool {
	return code == "invalid_grant" || code == "invalid_client" || code == "invalid_assertion"
}

// codeHints are the usual causes of the errors of RFC 6749, section 5.2.
var codeHints = map[string]string{
	"invalid_grant":           "compare iss, sub and aud with what the server expects, and the key with the one it has",
	"invalid_client":          "compare iss, sub, kid and the client id with what is registered, and the key with the one there",
	"invalid_assertion":       "compare the claims with what the server expects, and the key with the one it has",
	"unauthorized_client":     "the client may not use this grant: permit it where the client is registered",
	"invalid_scope":           "ask only for scopes that the client was granted",
	"unsupported_grant_type":  "check Grant, and Encoding: a server that cannot read the parameters says the same",
	"invalid_request":         "a parameter is missing or not understood: check Params and Encoding",
	"invalid_target":          "check the parameter resource or audience: the server issues no token for it",
	"server_error":            "the token endpoint itself failed: try again later",
	"temporarily_unavailable": "the token endpoint is busy or under maintenance: try again later",
	"access_denied":           "permit the client, or the user in sub, where the client is registered",
	"consent_required":        "the user in sub, or an administrator, has to consent to this client once",
	"interaction_required":    "the user in sub, or an administrator, has to consent to this client once",
}

// assertionHints tell by a server's own words what it has against an assertion; the first that fits counts.
var assertionHints = []struct{ words, hint string }{
	{"jti,replay,already been used,already used,reused,unique", `a server takes each jti once: set "jti": "{{uuid}}"`},
	{"audience,aud claim,'aud','aud'.,\"aud\"", "aud must be what the server calls itself, which is often the address of the token endpoint"},
	{"not yet,issued in the future,nbf,'iat',iat claim", "iat or nbf is ahead of the server's clock: set it some seconds back"},
	{"expir,'exp',exp claim,lifetime,short-lived,too far,too long", "exp must be ahead, and not further than the server allows: set Lifetime"},
	{"kid,jwk,key id,key set,no key,public key,matching key", "the server knows no key for this kid: compare it, and the algorithm, with the key that is registered"},
	{"signature,verif,integrity,alg", "the signature does not fit the key that is registered: compare the key and SignatureMethod"},
	{"issuer,iss claim,'iss'", "compare iss with what is registered"},
	{"subject,sub claim,'sub',user", "compare sub with a user that the client may act for"},
}

// assertionHint looks for the cause in the server's words.
func assertionHint(said string) string {
	said = strings.ToLower(said)
	for _, h := range assertionHints {
		for word := range strings.SplitSeq(h.words, ",") {
			if said != "" && strings.Contains(said, word) {
				return h.hint
			}
		}
	}
	return ""
}
