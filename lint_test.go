package jwtbearer

import (
	"crypto/elliptic"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// lintOf gives the warnings of the rules alone, also for an Exchange.
func lintOf(t *testing.T, conn *Connection) []Warning {
	t.Helper()
	direct := *conn
	direct.Exchange = nil
	core, err := build(&direct)
	if err != nil {
		t.Fatalf("%s: %v", conn.BaseURI, err)
	}
	core.warnings = nil
	b := &setup{conn: conn, core: core, p: new(problems)}
	b.lint()
	return core.warnings
}

func TestLintFindsWhatIsNotMeant(t *testing.T) {
	noise := base64.StdEncoding.EncodeToString([]byte("\xff\xfe\xfd0123456789abcdefghijklmnopqrstuvw"))
	const hexSecret = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for _, test := range []struct {
		name   string
		change func(*Connection)
		field  string
		say    string
	}{
		{"no exp", func(c *Connection) { c.Lifetime = 0 }, "Payload", "has no exp"},
		{"no payload", func(c *Connection) { c.Lifetime, c.Payload = 0, "" }, "Payload", "has no exp"},
		{"literal exp", func(c *Connection) { c.Payload = `{"exp":1900000000}` }, "Payload", "exp is a literal: no token will be valid after 2030-03-17"},
		{"exp from Fields", func(c *Connection) {
			c.Fields, c.Payload = map[string]string{"e": "1900000000"}, `{"exp":"{{int .Fields.e}}"}`
		}, "Payload", "exp is a literal"},
		{"exp of four digits", func(c *Connection) { c.Payload = `{"exp":3600}` }, "Payload", "exp is 3600, a time in the year 1970"},
		{"exp before iat", func(c *Connection) { c.Payload = `{"exp":"{{now}}","iat":"{{now 300}}"}` }, "Payload", "exp is not after iat"},
		{"exp before nbf", func(c *Connection) { c.Payload = `{"exp":"{{now 60}}","nbf":"{{now 300}}"}` }, "Payload", "exp is not after nbf"},
		{"exp in milliseconds", func(c *Connection) { c.Payload = `{"exp":"{{nowMillis 300}}"}` }, "Payload", "exp is in milliseconds"},
		{"iat in milliseconds", func(c *Connection) { c.Payload = `{"iat":"{{nowMillis}}"}` }, "Payload", "iat is in milliseconds"},
		{"GitHub", func(c *Connection) { c.BaseURI, c.Lifetime = "https://api.github.com", 11*time.Minute }, "Lifetime", "lets a token live 11m0s, but GitHub refuses more than 10m0s"},
		{"App Store Connect", func(c *Connection) {
			c.BaseURI, c.Payload = "https://api.appstoreconnect.apple.com/v1", `{"exp":"{{now 1201}}"}`
		}, "Payload", "more than 20m0s"},
		{"Box, by aud", func(c *Connection) {
			c.Payload, c.Lifetime = `{"aud":"https://api.box.com/oauth2/token"}`, 2*time.Minute
		}, "Lifetime", "Box refuses more than 1m0s"},
		{"SMART, by scope", func(c *Connection) {
			c.Exchange, c.Lifetime = &Exchange{Params: `{"scope":"system/*.rs"}`}, 6*time.Minute
		}, "Lifetime", "SMART Backend Services refuses more than 5m0s"},
		{"Coinbase", func(c *Connection) { c.BaseURI, c.Lifetime = "https://api.coinbase.com", 3*time.Minute }, "Lifetime", "more than 2m0s"},
		{"Ghost", func(c *Connection) { c.Payload, c.Lifetime = `{"aud":"/admin/"}`, 6*time.Minute }, "Lifetime", "Ghost refuses more than 5m0s"},
		{"DocuSign", func(c *Connection) { c.Payload, c.Lifetime = `{"aud":"account-d.docusign.com"}`, 2*time.Hour }, "Lifetime", "DocuSign refuses more than 1h0m0s"},
		{"Google, by token endpoint", func(c *Connection) {
			c.Exchange, c.Lifetime = &Exchange{TokenURL: "https://oauth2.googleapis.com/token"}, 2*time.Hour
		}, "Lifetime", "Google refuses"},
		{"aud as a list", func(c *Connection) { c.Payload = `{"aud":["https://api.box.com/oauth2/token"]}` }, "Payload", "Box wants a string"},
		{"no typ", func(c *Connection) {
			c.BaseURI, c.JWTHeaders = "https://api.appstoreconnect.apple.com", `{"typ":null}`
		}, "JWTHeaders", "has no typ"},
		{"APNs without reuse", func(c *Connection) { c.BaseURI, c.Lifetime = "https://api.push.apple.com", 0 }, "TokenReuse", "20 to 60 minutes"},
		{"APNs with a short reuse", func(c *Connection) { c.RateLimit.Profile, c.Lifetime, c.TokenReuse = "apns", 0, time.Minute }, "TokenReuse", "is 1m0s"},
		{"reuse of what serves once", func(c *Connection) {
			c.BaseURI, c.Payload, c.TokenReuse = "https://acme.zendesk.com", `{"jti":"{{uuid}}"}`, time.Minute
		}, "TokenReuse", "Zendesk takes each token once"},
		{"a shell's variable", func(c *Connection) { c.Secret, c.AllowWeakKey = "$API_SECRET_OF_THE_PRODUCTION_SYSTEM", true }, "Secret", "looks like an unresolved variable"},
		{"a template", func(c *Connection) { c.Secret = "{{.Secrets.signing_key_of_production}}" }, "Secret", "looks like an unresolved variable"},
		{"hex as text", func(c *Connection) { c.Secret = hexSecret }, "Secret", "looks like hex"},
		{"base64 as text", func(c *Connection) { c.Secret = Secret(noise) }, "Secret", "looks like base64"},
		{"Ghost's pair", func(c *Connection) { c.Secret = "65a0f2b3c4d5e6f708192a3b:" + hexSecret }, "Secret", "a name, a colon"},
		{"hex as base64", func(c *Connection) { c.Secret, c.SecretEncoding = hexSecret, SecretBase64 }, "Secret", "looks like hex"},
		{"text as base64url", func(c *Connection) {
			c.Secret, c.SecretEncoding = "nobody-knows-that-it-is-this-and-that-it-is-so-long-", SecretBase64URL
		}, "Secret", "one case only"},
		{"base path twice", func(c *Connection) { c.Ping.RelativeURI = "/v2/users?x=1" }, "Ping.RelativeURI", "the request would go to /v2/v2/users"},
		{"paths that run into one another", func(c *Connection) { c.Ping.RelativeURI = "things?x=1" }, "Ping.RelativeURI", "the request would go to /v2things"},
		{"two slashes", func(c *Connection) { c.BaseURI, c.Ping.RelativeURI = "https://api.example.com/v2/", "/things" }, "Ping.RelativeURI", "the request would go to /v2//things"},
		{"two slashes without a path", func(c *Connection) { c.BaseURI, c.Ping.RelativeURI = "https://api.example.com/", "/things" }, "Ping.RelativeURI", "would go to //things"},
		{"a token endpoint that runs into the base", func(c *Connection) { c.Exchange = &Exchange{TokenURL: "token"} }, "Exchange.TokenURL", "the request would go to /v2token"},
		{"a header in milliseconds", func(c *Connection) { c.RateLimit.Wait = []Extract{{Header: "X-Reset-Ms"}} }, "RateLimit.Wait[0].As", "says milliseconds"},
		{"a header in lower case", func(c *Connection) { c.RateLimit.Wait = []Extract{{Path: "a"}, {Header: "x-reset-ms"}} }, "RateLimit.Wait[1].As", "says milliseconds"},
		{"a member in milliseconds", func(c *Connection) { c.RateLimit.Wait = []Extract{{Path: "error.retryAfterMs"}} }, "RateLimit.Wait[0].As", "says milliseconds"},
		{"a member in brackets", func(c *Connection) { c.RateLimit.Wait = []Extract{{Path: "$.error['retry_after_millis']"}} }, "RateLimit.Wait[0].As", "says milliseconds"},
		{"a quota in milliseconds", func(c *Connection) {
			c.RateLimit.Quota = []Quota{{Remaining: Extract{Header: "X-Left"}, Reset: Extract{Header: "X-Reset-Milliseconds"}}}
		}, "RateLimit.Quota[0].Reset.As", "says milliseconds"},
		{"exp as text", func(c *Connection) { c.Payload = `{"exp":"{{now 300}} "}` }, "Payload", "exp is a text, but must be a number"},
		{"iat as text", func(c *Connection) { c.Payload = `{"iat":"now"}` }, "Payload", "iat is a text"},
		{"nbf as text", func(c *Connection) { c.Payload = `{"nbf":"{{string now}}"}` }, "Payload", "nbf is a text"},
		{"exp as null", func(c *Connection) { c.Payload = `{"exp":null}` }, "Payload", "exp is null"},
		{"sub as a number", func(c *Connection) { c.Payload = `{"sub":987654}` }, "Payload", "sub is a number, but must be a string"},
		{"iss as a number, from Fields", func(c *Connection) {
			c.Payload, c.Fields = `{"iss":"{{int .Fields.app}}"}`, map[string]string{"app": "1234"}
		}, "Payload", "iss is a number"},
		{"aud as true", func(c *Connection) { c.Payload = `{"aud":true}` }, "Payload", "aud is true"},
		{"aud with a number in it", func(c *Connection) { c.Payload = `{"aud":["a",7]}` }, "Payload", "aud[1] is a number"},
		{"jti as an object", func(c *Connection) { c.Payload = `{"jti":{}}` }, "Payload", "jti is an object"},
		{"kid as a number", func(c *Connection) { c.JWTHeaders = `{"kid":17}` }, "JWTHeaders", "kid is a number"},
		{"cty as a list", func(c *Connection) { c.JWTHeaders = `{"cty":["JWT"]}` }, "JWTHeaders", "cty is a list"},
		{"one attempt", func(c *Connection) { c.Retry.MaxAttempts, c.RateLimit.Rules = 1, []Rule{{Status: []int{403}}} }, "Retry.MaxAttempts", "sent again"},
	} {
		c := validConnection()
		c.Lifetime = time.Minute
		test.change(c)
		got := lintOf(t, c)
		if len(got) != 1 || got[0].Field != test.field || !strings.Contains(got[0].Problem, test.say) || got[0].Hint == "" {
			t.Errorf("%s: Lint gave %v; want one warning of %s, %q", test.name, got, test.field, test.say)
		}
		if text := fmt.Sprint(got); strings.Contains(text, hexSecret[:16]) || strings.Contains(text, noise[:16]) {
			t.Errorf("%s: the warning shows the secret: %s", test.name, text)
		}
	}
}

func TestLintPassesOverPathsAndNamesThatAreMeant(t *testing.T) {
	for _, change := range []func(*Connection){
		func(c *Connection) { c.Ping.RelativeURI = "/things" },
		func(c *Connection) { c.Ping.RelativeURI = "?x=1" },
		func(c *Connection) { c.Ping.RelativeURI = ":status" },
		func(c *Connection) { c.Ping.RelativeURI = "https://api.example.com/things" },
		func(c *Connection) { c.BaseURI, c.Ping.RelativeURI = "https://api.example.com/v2/", "things" },
		func(c *Connection) {
			c.RateLimit.Wait = []Extract{{Header: "X-Params"}, {Path: "items"}, {Header: "X-Reset-Ms", As: "millis"}}
		},
		func(c *Connection) {
			c.Payload = `{"sub":"987654","aud":["a","b"],"iat":"{{now}}","jti":"{{uuid}}","iss":"{{.Request.Host}}","n":1}`
		},
		func(c *Connection) {
			c.Exchange = &Exchange{TokenURL: "https://login.microsoftonline.com/t/oauth2/v2.0/token"}
		}, // with a secret
	} {
		c := validConnection()
		c.Lifetime = time.Minute
		change(c)
		if got := lintOf(t, c); len(got) > 0 {
			t.Errorf("Lint gave %v; want no warning", got)
		}
	}
}

func TestLintKnowsWhoWantsAThumbprint(t *testing.T) {
	for header, want := range map[JSON]bool{"": true, `{"kid":"k"}`: true, `{"x5t#S256":"abc"}`: false, `{"x5t":"abc"}`: false} {
		c := validConnection()
		c.SignatureMethod, c.Secret, c.PrivateKey = ES256, "", privatePEM(t, newECKey(t, elliptic.P256()))
		c.Lifetime, c.JWTHeaders, c.Exchange = time.Minute, header, &Exchange{TokenURL: "https://login.microsoftonline.com/t/oauth2/v2.0/token"}
		got := lintOf(t, c)
		if warned := len(got) == 1 && got[0].Field == "JWTHeaders" && strings.Contains(got[0].Hint, "x5t#S256"); warned != want || !want && len(got) > 0 {
			t.Errorf("%s: Lint gave %v; want a warning: %t", header, got, want)
		}
	}
}

func TestLintTellsOfAnExpiredReadyMadeToken(t *testing.T) {
	c := &Connection{BaseURI: "https://h", Token: "e30.eyJleHAiOjEwMDAwMDAwMDB9.c"}
	if got := c.Lint(); len(got) != 1 || got[0].Field != "Token" || !strings.Contains(got[0].Problem, "2001-09-09") {
		t.Errorf("Lint gave %v; want a warning of Token", got)
	}
	c.Token = "opaque"
	if got := c.Lint(); len(got) != 0 {
		t.Errorf("Lint of an opaque token gave %v", got)
	}
}

// TestLintHasNoFalseAlarms describes what vendors ask for, as their pages say it.
func TestLintHasNoFalseAlarms(t *testing.T) {
	ec, rsa := privatePEM(t, newECKey(t, elliptic.P256())), privatePEM(t, keyFor(RS256))
	signed := func(method SignatureMethod, base string, payload JSON, change ...func(*Connection)) *Connection {
		c := &Connection{Name: base, BaseURI: base, SignatureMethod: method, Payload: payload}
		switch method[:2] {
		case "HS":
			c.Secret = testSecret
		case "ES":
			c.PrivateKey = ec
		default:
			c.PrivateKey = rsa
		}
		for _, f := range change {
			f(c)
		}
		return c
	}
	header := func(text JSON) func(*Connection) { return func(c *Connection) { c.JWTHeaders = text } }
	reuse := func(d time.Duration) func(*Connection) { return func(c *Connection) { c.TokenReuse = d } }
	token := func(url string, params JSON) func(*Connection) {
		return func(c *Connection) { c.Exchange = &Exchange{TokenURL: url, Params: params} }
	}
	for _, c := range []*Connection{
		signed(ES256, "https://api.appstoreconnect.apple.com/v1", `{"iss":"u","iat":"{{now}}","exp":"{{now 1200}}","aud":"appstoreconnect-v1","scope":["GET /v1/apps"]}`,
			header(`{"kid":"ABCDEFGHIJ"}`), reuse(15*time.Minute)),
		signed(ES256, "https://api.appstoreconnect.apple.com", `{"iss":"u","exp":"{{now 15552000}}","aud":"appstoreconnect-v1","scope":["GET /v1/ciProducts"]}`),
		signed(ES256, "https://api.storekit.itunes.apple.com/inApps", `{"iss":"u","iat":"{{now}}","exp":"{{now 300}}","aud":"appstoreconnect-v1","bid":"com.example"}`),
		signed(ES256, "https://api.push.apple.com", `{"iss":"DEF123GHIJ","iat":"{{now}}"}`, header(`{"kid":"ABC123DEFG","typ":null}`), reuse(50*time.Minute),
			func(c *Connection) { c.RateLimit.Profile = "apns" }),
		signed(ES256, "https://maps-api.apple.com", `{"iss":"T","iat":"{{now}}","exp":"{{now 1800}}"}`),
		signed(ES256, "https://api-business.apple.com", `{"iss":"c","sub":"c","aud":"https://account.apple.com/auth/oauth2/v2/token","iat":"{{now}}","exp":"{{now 15552000}}","jti":"{{uuid}}"}`),
		signed(RS256, "https://api.github.com", `{"iat":"{{now -60}}","exp":"{{now 540}}","iss":"123456"}`, func(c *Connection) { c.RateLimit.Profile = "github" }),
		signed(RS256, "https://storage.googleapis.com", `{"iss":"e","scope":"s","aud":"https://oauth2.googleapis.com/token","iat":"{{now}}","exp":"{{now 3600}}"}`,
			token("https://oauth2.googleapis.com/token", "")),
		signed(RS256, "https://xy.snowflakecomputing.com", `{"iss":"A.B","sub":"A","iat":"{{nowMillis}}","exp":"{{nowMillis 3600}}"}`),
		signed(RS256, "https://login.salesforce.com", `{"iss":"c","sub":"u","aud":"https://login.salesforce.com","exp":"{{nowMillis 300}}"}`),
		signed(RS256, "https://demo.docusign.net/restapi", `{"iss":"k","sub":"u","aud":"account-d.docusign.com","iat":"{{now}}","exp":"{{now 3600}}","scope":"signature impersonation"}`,
			token("https://account-d.docusign.com/oauth/token", "")),
		signed(RS512, "https://api.box.com/2.0", `{"iss":"c","sub":"e","box_sub_type":"enterprise","aud":"https://api.box.com/oauth2/token","jti":"{{uuid}}","exp":"{{now 60}}"}`,
			token("https://api.box.com/oauth2/token", `{"client_id":"x"}`)),
		signed(RS256, "https://x.adobe.io", `{"exp":"{{now 60}}","iss":"a@AdobeOrg","https://ims-na1.adobelogin.com/s/x":true,"aud":"https://ims-na1.adobelogin.com/c/k","jti":"{{now}}"}`),
		signed(HS256, "https://api.zoom.us/v2", `{"iss":"k","iat":"{{now}}","exp":"{{nowMillis 3600}}"}`),
		signed(HS256, "https://acme.zendesk.com/access", `{"jti":"{{uuid}}","iat":"{{now}}","exp":"{{now 60}}","email":"a@example.com"}`),
		signed(HS256, "https://acme.atlassian.net", `{"iss":"app","iat":"{{now}}","exp":"{{now 180}}","qsh":"{{qsh}}"}`),
		signed(ES256, "https://api.cdp.coinbase.com/platform", `{"sub":"k","iss":"cdp","nbf":"{{now}}","exp":"{{now 120}}","aud":["x"],"uris":["{{.Request.Method}} {{.Request.Host}}{{.Request.Path}}"]}`,
			header(`{"kid":"k","nonce":"{{randomHex 16}}"}`)),
		signed(RS256, "https://api.nexmo.com", `{"application_id":"a","iat":"{{now}}","jti":"{{uuid}}","exp":"{{now 86400}}"}`, reuse(time.Hour)),
		signed(PS256, "https://a.suitetalk.api.netsuite.com", `{"iss":"c","scope":"restlets, rest_webservices","aud":"https://a.suitetalk.api.netsuite.com/t","iat":"{{now}}","exp":"{{now 3540}}"}`),
		signed(PS256, "https://graph.microsoft.com", `{"aud":"https://login.microsoftonline.com/t/oauth2/v2.0/token","iss":"c","sub":"c","jti":"{{uuid}}","nbf":"{{now}}","iat":"{{now}}","exp":"{{now 600}}"}`,
			header(`{"x5t#S256":"c2hhMjU2"}`)),
		signed(RS256, "https://idcs.example.com", `{"sub":"c","iss":"c","aud":["https://identity.oraclecloud.com/","https://idcs.example.com"],"iat":"{{now}}","exp":"{{now 600}}"}`),
		signed(RS256, "https://acme.okta.com", `{"iss":"c","sub":"c","aud":"https://acme.okta.com/oauth2/v1/token","exp":"{{now 3600}}","jti":"{{uuid}}"}`),
		signed(RS384, "https://fhir.example.com", `{"iss":"c","sub":"c","aud":"https://fhir.example.com/token","exp":"{{now 300}}","jti":"{{uuid}}"}`, header(`{"kid":"k"}`),
			token("https://fhir.example.com/token", `{"scope":"system/*.rs"}`)),
		signed(HS256, "https://chat.stream-io-api.com", `{"server":true}`),
		signed(HS256, "https://video.twilio.com", `{"jti":"SK-{{now}}","iss":"SK","sub":"AC","nbf":"{{now}}","exp":"{{now 3600}}"}`, header(`{"cty":"twilio-fpa;v=1"}`)),
		signed(HS256, "https://blog.example.com/ghost/api/admin", `{"iat":"{{now}}","exp":"{{now 300}}","aud":"/admin/"}`, header(`{"kid":"65a0"}`), func(c *Connection) {
			c.Secret, c.SecretEncoding = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", SecretHex
		}),
		signed(RS256, "https://acme.service-now.com", `{"iss":"c","aud":"c","sub":"u","jti":"{{uuid}}","iat":"{{now}}","exp":"{{now 300}}"}`),
	} {
		if got := lintOf(t, c); len(got) != 0 {
			t.Errorf("%s: Lint gave %v; want nothing", c.Name, got)
		}
	}
}

func TestEveryVendorHasASourceAndAMark(t *testing.T) {
	var names []string
	for _, v := range vendors {
		if v.source == "" || len(v.hosts) == 0 && v.aud == "" && v.scope == "" {
			t.Errorf("%+v has no source or no mark", v)
		}
		names = append(names, v.name)
	}
	if slices.Sort(names); len(slices.Compact(names)) != len(vendors) {
		t.Errorf("a vendor is there twice: %v", names)
	}
}
