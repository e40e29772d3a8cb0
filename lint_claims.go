package jwtbearer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

// What registered members must be: texts (RFC 7519, sections 4.1.1 to 4.1.3 and 4.1.7; RFC 7515, sections 4.1.4 to 4.1.10), and
// numbers of seconds (RFC 7519, section 2, NumericDate).
var (
	textClaims    = []string{"iss", "sub", "jti"}
	textHeaders   = []string{"kid", "typ", "cty", "x5t", "x5t#S256", "x5u", "jku"}
	numericClaims = []string{"exp", "nbf", "iat"}
)

// claimTypes looks for registered members of a type that servers refuse, most often with words about something else.
func (l *linter) claimTypes() {
	for _, name := range textClaims {
		if name == "jti" && l.vendor.anyJTI {
			continue
		}
		l.wantText("Payload", name, l.claims[name].value)
	}
	for _, name := range textHeaders {
		l.wantText("JWTHeaders", name, l.header[name].value)
	}
	aud := l.claims["aud"].value
	if aud.Kind != jsontext.Array {
		l.wantText("Payload", "aud", aud)
	} else if i := slices.IndexFunc(aud.Elems, func(v jsontext.Value) bool { return v.Kind != jsontext.String }); i >= 0 {
		l.wantText("Payload", fmt.Sprintf("aud[%d]", i), aud.Elems[i])
	}
	for _, name := range numericClaims {
		if v := l.claims[name].value; isKnown(v) && v.Kind != jsontext.Number {
			l.warn("Payload", fmt.Sprintf("%s is %s, but must be a number (NumericDate, RFC 7519, section 2)", name, kindName(v)),
				`write "{{now}}" or "{{now 300}}", with nothing else in the quotes, not even a space`)
		}
	}
}

func (l *linter) wantText(field, name string, v jsontext.Value) {
	if !isKnown(v) || v.Kind == jsontext.String {
		return
	}
	hint := "put it in quotes; in a template put string before it"
	if v.Kind == jsontext.Array || v.Kind == jsontext.Object || v.Text == "null" {
		hint = "write a text in quotes, or leave it out"
	}
	l.warn(field, fmt.Sprintf("%s is %s, but must be a string", name, kindName(v)), hint)
}

// isKnown reports whether a value is there, and known before there is a request.
func isKnown(v jsontext.Value) bool { return v.Kind != jsontext.Literal || v.Text != "" }

// kindName is what a value is, with its article.
func kindName(v jsontext.Value) string {
	switch {
	case v.Kind == jsontext.Literal && v.Text != "":
		return v.Text
	case v.Kind == jsontext.Number:
		return "a number"
	case v.Kind == jsontext.Array:
		return "a list"
	case v.Kind == jsontext.Object:
		return "an object"
	}
	return "a text"
}

// A vendor is a known API, with what its pages say of tokens beyond what all tokens have.
type vendor struct {
	name   string
	hosts  []string // and what is below them: of BaseURI, Exchange.TokenURL and aud
	aud    string   // that marks it on hosts of its customers' own
	scope  string   // in Exchange.Params, that marks it likewise
	source string   // the page, or the client library, that says so

	longest time.Duration // of a token's life; zero: not known
	noExp   bool          // tokens have no exp
	millis  bool          // its pages have times in milliseconds
	oneAud  bool          // aud is a string, not a list
	typ     bool          // the header must have typ
	once    bool          // a token serves once
	anyJTI  bool          // jti may be a number
	thumb   bool          // the header must have the thumbprint of the certificate
}

// vendors holds only what was read at the source; unlisted APIs are checked by what holds for all tokens.
var vendors = []vendor{
	{name: "GitHub", hosts: []string{"api.github.com"}, longest: 10 * time.Minute,
		source: "docs.github.com, generating a JSON web token (JWT) for a GitHub App"},
	{name: "App Store Connect", hosts: []string{"api.appstoreconnect.apple.com"}, longest: 20 * time.Minute, oneAud: true, typ: true,
		source: "developer.apple.com, generating tokens for API requests"},
	{name: "Apple Business Manager", hosts: []string{"account.apple.com"}, longest: 180 * 24 * time.Hour, oneAud: true,
		source: "developer.apple.com, Apple School and Business Manager API"},
	{name: "APNs", hosts: []string{"push.apple.com"}, noExp: true,
		source: "developer.apple.com, establishing a token-based connection to APNs"},
	{name: "Box", hosts: []string{"api.box.com"}, longest: time.Minute, oneAud: true, once: true,
		source: "developer.box.com, JWT without SDK"},
	{name: "SMART Backend Services", scope: "system/", longest: 5 * time.Minute, oneAud: true, typ: true, once: true,
		source: "hl7.org/fhir/smart-app-launch, backend services"},
	{name: "Coinbase", hosts: []string{"api.coinbase.com", "api.cdp.coinbase.com"}, longest: 2 * time.Minute, typ: true, once: true,
		source: "docs.cdp.coinbase.com, JWT authentication"},
	{name: "Ghost", aud: "/admin/", longest: 5 * time.Minute, oneAud: true,
		source: "ghost.org/docs/admin-api"},
	{name: "DocuSign", hosts: []string{"account.docusign.com", "account-d.docusign.com"}, longest: time.Hour, oneAud: true,
		source: "developers.docusign.com, JWT grant"},
	{name: "Google", hosts: []string{"googleapis.com"}, longest: time.Hour, oneAud: true,
		source: "developers.google.com, OAuth 2.0 for server to server applications"},
	{name: "Adobe", hosts: []string{"adobe.io", "adobelogin.com"}, anyJTI: true,
		source: "developer.adobe.com, service account (JWT) authentication"},
	{name: "Entra", hosts: []string{"login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"}, thumb: true,
		source: "learn.microsoft.com, certificate credentials for application authentication"},
	{name: "NetSuite", hosts: []string{"netsuite.com"}, longest: time.Hour, typ: true,
		source: "docs.oracle.com, NetSuite OAuth 2.0 client credentials flow"},
	{name: "Okta", hosts: []string{"okta.com"}, longest: time.Hour, once: true,
		source: "developer.okta.com, build a JWT for client authentication"},
	{name: "Vonage", hosts: []string{"nexmo.com", "vonage.com"}, longest: 24 * time.Hour,
		source: "developer.vonage.com, JWTs"},
	{name: "Zendesk", hosts: []string{"zendesk.com"}, once: true,
		source: "support.zendesk.com, single sign-on with JWT"},
	{name: "Stream", hosts: []string{"stream-io-api.com", "getstream.io"}, noExp: true,
		source: "getstream.io, the client libraries"},
	{name: "Salesforce", hosts: []string{"salesforce.com"}, millis: true,
		source: "github.com/forcedotcom, the CLI's core"},
	{name: "Snowflake", hosts: []string{"snowflakecomputing.com"}, millis: true,
		source: "docs.snowflake.com, authenticating to the server"},
	{name: "Zoom", hosts: []string{"zoom.us"}, millis: true,
		source: "marketplace.zoom.us, JWT with Zoom"},
}

// vendorOf finds the vendor of an API by the hosts that it is known by, its audience and the parameters of its exchange.
func vendorOf(hosts []string, aud, params string) vendor {
	for _, v := range vendors {
		if v.aud != "" && v.aud == aud || v.scope != "" && strings.Contains(params, v.scope) {
			return v
		}
		for _, known := range v.hosts {
			for _, host := range hosts {
				if host == known || strings.HasSuffix(host, "."+known) {
					return v
				}
			}
		}
	}
	return vendor{}
}
