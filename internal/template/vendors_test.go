package template

import (
	"crypto/ed25519"
	"encoding/hex"
	"testing"
	"time"
)

// TestVendorsTokens renders the claims and headers that vendors ask for, in its order and types.
func TestVendorsTokens(t *testing.T) {
	key := ed25519.PublicKey(fromBase64URL(t, rfc8037X))
	facts, err := NewKey(key, nil)
	if err != nil {
		t.Fatal(err)
	}
	fingerprint := renderFacts(t, facts, "{{keyFingerprint}}")
	tm := &Set{
		Key: facts,
		Fields: map[string]string{
			"issuer": "57246542-96fe-1a63-e053-0824d011072a", "account": "xy12345", "user": "api_user", "key": "abc123",
			"scopes": "restlets, rest_webservices", "grants": `{"identity":"user@example.com","video":{"room":"cool room"}}`,
		},
	}
	tests := []struct{ vendor, method, url, template, want string }{
		{"App Store Connect", "GET", "https://api.appstoreconnect.apple.com/v1/apps/123?x=1",
			`{"iss":"{{.Fields.issuer}}","iat":"{{now}}","exp":"{{now 1200}}","aud":"appstoreconnect-v1",
			  "scope":["{{.Request.Method}} {{.Request.URI}}"]}`,
			`{"iss":"57246542-96fe-1a63-e053-0824d011072a","iat":1700000000,"exp":1700001200,"aud":"appstoreconnect-v1",` +
				`"scope":["GET /v1/apps/123?x=1"]}`},
		{"APNs", "POST", "https://api.push.apple.com/3/device/1", `{"iss":"DEF123GHIJ","iat":"{{now}}"}`, `{"iss":"DEF123GHIJ","iat":1700000000}`},
		{"GitHub Apps", "GET", "https://api.github.com/app", `{"iat":"{{now -60}}","exp":"{{now 540}}","iss":"123456"}`,
			`{"iat":1699999940,"exp":1700000540,"iss":"123456"}`},
		{"Snowflake", "POST", "https://xy12345.snowflakecomputing.com/api/v2/statements",
			`{"iss":"{{upper .Fields.account}}.{{upper .Fields.user}}.{{keyFingerprint}}","sub":"{{upper .Fields.account}}.{{.Fields.user | upper}}",
			  "iat":"{{now}}","exp":"{{now 3540}}"}`,
			`{"iss":"XY12345.API_USER.` + fingerprint + `","sub":"XY12345.API_USER","iat":1700000000,"exp":1700003540}`},
		{"Salesforce, in milliseconds", "POST", "https://login.salesforce.com/services/oauth2/token",
			`{"iss":"c","sub":"u@example.com","aud":"https://login.salesforce.com","exp":"{{nowMillis 300}}"}`,
			`{"iss":"c","sub":"u@example.com","aud":"https://login.salesforce.com","exp":1700000300987}`},
		{"Adobe", "POST", "https://ims-na1.adobelogin.com/ims/exchange/jwt",
			`{"exp":"{{now 60}}","https://ims-na1.adobelogin.com/s/ent_x_sdk":true,"aud":"https://ims-na1.adobelogin.com/c/{{.Fields.key}}","jti":"{{now}}"}`,
			`{"exp":1700000060,"https://ims-na1.adobelogin.com/s/ent_x_sdk":true,"aud":"https://ims-na1.adobelogin.com/c/abc123","jti":1700000000}`},
		{"Atlassian Connect", "GET", "https://h/path", `{"iss":"app","iat":"{{now}}","exp":"{{now 180}}","qsh":"{{qsh}}"}`,
			`{"iss":"app","iat":1700000000,"exp":1700000180,"qsh":"799be84a7fa35570087163c0cd9af3abff7ac05c2c12ba0bb1d7eebc984b3ac2"}`},
		{"Coinbase CDP", "GET", "https://api.cdp.coinbase.com/platform/v2/evm/accounts?x=1",
			`{"sub":"k","iss":"cdp","nbf":"{{now}}","exp":"{{now 120}}","uris":["{{.Request.Method}} {{.Request.Host}}{{.Request.Path}}"]}`,
			`{"sub":"k","iss":"cdp","nbf":1700000000,"exp":1700000120,"uris":["GET api.cdp.coinbase.com/platform/v2/evm/accounts"]}`},
		{"NetSuite", "POST", "https://a.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token",
			`{"scope":"{{.Fields.scopes}}","also":"{{list .Fields.scopes}}","aud":"{{.Request.URL}}"}`,
			`{"scope":"restlets, rest_webservices","also":["restlets","rest_webservices"],` +
				`"aud":"https://a.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token"}`},
		{"Vonage", "GET", "https://api.nexmo.com/", `{"application_id":"a","acl":{"paths":{"/*/users/**":{},"/*/calls/**":{}}}}`, ``},
		{"Stream", "GET", "https://chat.stream-io-api.com/", `{"server":true}`, ``},
		{"Twilio", "GET", "https://h/", `{"jti":"SK1-{{now}}","iss":"SK1","sub":"AC1","nbf":"{{now}}","exp":"{{now 3600}}","grants":"{{json .Fields.grants}}"}`,
			`{"jti":"SK1-1700000000","iss":"SK1","sub":"AC1","nbf":1700000000,"exp":1700003600,` +
				`"grants":{"identity":"user@example.com","video":{"room":"cool room"}}}`},
		{"Ghost", "GET", "https://h/ghost/api/admin/posts/", `{"iat":"{{now}}","exp":"{{now 300}}","aud":"/admin/"}`,
			`{"iat":1700000000,"exp":1700000300,"aud":"/admin/"}`},
		{"DPoP", "POST", "https://h/token?x=1",
			`{"typ":"dpop+jwt","jwk":"{{jwk}}","htm":"{{.Request.Method}}","htu":"{{.Request.Scheme}}://{{.Request.Host}}{{.Request.Path}}"}`,
			`{"typ":"dpop+jwt","jwk":{"kty":"OKP","crv":"Ed25519","x":"` + rfc8037X + `"},"htm":"POST","htu":"https://h/token"}`},
		{"Oracle IDCS", "POST", "https://h/oauth2/v1/token", `{"kid":"{{keyThumbprint | hex}}"}`,
			`{"kid":"` + hex.EncodeToString(fromBase64URL(t, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")) + `"}`},
	}
	for _, tt := range tests {
		want := tt.want
		if want == "" {
			want = tt.template
		}
		e := &Env{Now: time.UnixMilli(1700000000987), Request: NewRequest(tt.method, mustURL(t, tt.url), "", "", nil)}
		if got := renderObject(t, mustObject(t, tm, tt.template, ScopeToken), e); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.vendor, got, want)
		}
	}
}
