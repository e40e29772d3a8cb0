package jwtbearer

import (
	"crypto"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// A tokenHop is what a token endpoint must receive, and what it answers.
type tokenHop struct {
	request       string // method and address
	authorization string // empty: none; <jwt>: the assertion
	body          string
	status        int
	answer        string
}

// A tokenVendor is an API with a dialect of its own.
type tokenVendor struct {
	name    string
	conn    Connection
	header  string // JSON of the JOSE header
	claims  string // JSON of the claims, with the times as offsets from now, and <id>
	hops    []tokenHop
	token   string
	scheme  string
	life    time.Duration // zero: not known
	base    string
	carries string // what the API gets in Authorization
}

const (
	grantText     = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
	assertionText = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=<jwt>"
)

func tokenVendors(t *testing.T, rsaKey, p256, p384 crypto.Signer) []tokenVendor {
	certificate := certificateOf(t, rsaKey)
	der, _ := pem.Decode([]byte(certificate))
	sum := sha256.Sum256(der.Bytes)
	thumbprint := base64.RawURLEncoding.EncodeToString(sum[:])
	return []tokenVendor{
		{name: "GitHub Apps",
			conn: Connection{BaseURI: "https://api.github.com", SignatureMethod: RS256, Key: rsaKey, Fields: map[string]string{"installation": "42"},
				Payload: `{"iat":"{{now -60}}","exp":"{{now 540}}","iss":"12345"}`,
				Exchange: &Exchange{TokenURL: "/app/installations/{{.Fields.installation}}/access_tokens", Bearer: true, TokenPath: "token",
					Encoding: "json", Params: `{"permissions":{"issues":"read"}}`, Headers: map[string]string{"Accept": "application/vnd.github+json"}}},
			header: `{"alg":"RS256","typ":"JWT"}`, claims: `{"iat":-60,"exp":540,"iss":"12345"}`,
			hops: []tokenHop{{request: "POST https://api.github.com/app/installations/42/access_tokens", authorization: "Bearer <jwt>",
				body: `{"permissions":{"issues":"read"}}`, status: 201,
				answer: `{"token":"ghs_16C7e42F292c6912E7710c838347Ae178B4a","expires_at":"2000-01-01T01:00:00Z","permissions":{"issues":"read"}}`}},
			token: "ghs_16C7e42F292c6912E7710c838347Ae178B4a", scheme: "Bearer", life: time.Hour, base: "https://api.github.com"},
		{name: "Apple Maps",
			conn: Connection{BaseURI: "https://maps-api.apple.com", SignatureMethod: ES256, Key: p256, JWTHeaders: `{"kid":"ABC"}`, Payload: `{"iss":"TEAM"}`,
				Lifetime: 10 * time.Minute,
				Exchange: &Exchange{TokenURL: "/v1/token", Method: "GET", Bearer: true, TokenPath: "accessToken", ExpiresInPath: "expiresInSeconds"}},
			header: `{"alg":"ES256","typ":"JWT","kid":"ABC"}`, claims: `{"iss":"TEAM","iat":0,"exp":600}`,
			hops: []tokenHop{{request: "GET https://maps-api.apple.com/v1/token", authorization: "Bearer <jwt>", status: 200,
				answer: `{"accessToken":"maps.token","expiresInSeconds":1800}`}},
			token: "maps.token", scheme: "Bearer", life: 30 * time.Minute, base: "https://maps-api.apple.com"},
		{name: "Adobe",
			conn: Connection{BaseURI: "https://mc.adobe.io", SignatureMethod: RS256, Key: rsaKey, Fields: map[string]string{"api_key": "key1"},
				Secrets: map[string]Secret{"client_secret": "p8e-hidden"},
				Payload: `{"exp":"{{now 300}}","iss":"1@AdobeOrg","sub":"2@techacct.adobe.com","aud":"https://ims-na1.adobelogin.com/c/{{.Fields.api_key}}",
					"https://ims-na1.adobelogin.com/s/ent_analytics_bulk_ingest_sdk":true}`,
				HTTPHeaders: map[string]string{"x-api-key": "{{.Fields.api_key}}"},
				Exchange: &Exchange{TokenURL: "https://ims-na1.adobelogin.com/ims/exchange/jwt",
					Params: `{"client_id":"{{.Fields.api_key}}","client_secret":"{{.Secrets.client_secret}}","jwt_token":"{{.Token}}"}`}},
			header: `{"alg":"RS256","typ":"JWT"}`,
			claims: `{"exp":300,"iss":"1@AdobeOrg","sub":"2@techacct.adobe.com","aud":"https://ims-na1.adobelogin.com/c/key1","https://ims-na1.adobelogin.com/s/ent_analytics_bulk_ingest_sdk":true}`,
			hops: []tokenHop{{request: "POST https://ims-na1.adobelogin.com/ims/exchange/jwt", body: "client_id=key1&client_secret=p8e-hidden&jwt_token=<jwt>", status: 200,
				answer: `{"token_type":"bearer","access_token":"adobe","expires_in":86399956}`}},
			token: "adobe", scheme: "Bearer", life: 86399956 * time.Millisecond, base: "https://mc.adobe.io"},
		{name: "Box",
			conn: Connection{BaseURI: "https://api.box.com/2.0", SignatureMethod: RS512, Key: rsaKey, JWTHeaders: `{"kid":"k1"}`, Lifetime: 45 * time.Second,
				Payload: `{"iss":"client","sub":"99","box_sub_type":"enterprise","aud":"https://api.box.com/oauth2/token","jti":"{{randomHex 32}}"}`,
				Secrets: map[string]Secret{"client_secret": "box-hidden"},
				Exchange: &Exchange{TokenURL: "https://api.box.com/oauth2/token", Grant: "jwt-bearer",
					Params: `{"client_id":"client","client_secret":"{{.Secrets.client_secret}}"}`}},
			header: `{"alg":"RS512","typ":"JWT","kid":"k1"}`,
			claims: `{"iss":"client","sub":"99","box_sub_type":"enterprise","aud":"https://api.box.com/oauth2/token","jti":"<id>","iat":0,"exp":45}`,
			hops: []tokenHop{{request: "POST https://api.box.com/oauth2/token", body: grantText + "&assertion=<jwt>&client_id=client&client_secret=box-hidden", status: 200,
				answer: `{"access_token":"box","expires_in":4169,"restricted_to":[],"token_type":"bearer"}`}},
			token: "box", scheme: "Bearer", life: 4169 * time.Second, base: "https://api.box.com/2.0"},
		{name: "Salesforce",
			conn: Connection{BaseURI: "/services/data/v60.0", SignatureMethod: RS256, Key: rsaKey, Lifetime: 3 * time.Minute,
				Payload:  `{"iss":"3MVG9","sub":"user@example.com","aud":"https://login.salesforce.com"}`,
				Exchange: &Exchange{TokenURL: "https://login.salesforce.com/services/oauth2/token", Grant: "jwt-bearer", BaseURIPath: "instance_url"}},
			header: `{"alg":"RS256","typ":"JWT"}`, claims: `{"iss":"3MVG9","sub":"user@example.com","aud":"https://login.salesforce.com","iat":0,"exp":180}`,
			hops: []tokenHop{{request: "POST https://login.salesforce.com/services/oauth2/token", body: grantText + "&assertion=<jwt>", status: 200,
				answer: `{"access_token":"00Dxx!AQ.x","scope":"api","instance_url":"https://my.salesforce.com","id":"https://login.salesforce.com/id/1/2","token_type":"Bearer"}`}},
			token: "00Dxx!AQ.x", scheme: "Bearer", base: "https://my.salesforce.com/services/data/v60.0"},
		{name: "DocuSign",
			conn: Connection{BaseURI: "/restapi/v2.1", SignatureMethod: RS256, Key: rsaKey, Lifetime: time.Hour,
				Payload: `{"iss":"ik","sub":"user","aud":"account-d.docusign.com","scope":"signature impersonation"}`,
				Exchange: &Exchange{TokenURL: "https://account-d.docusign.com/oauth/token", Grant: "jwt-bearer",
					Next: &Exchange{TokenURL: "https://account-d.docusign.com/oauth/userinfo", Method: "GET", Bearer: true, Encoding: "none",
						BaseURIPath: "accounts[?(@.is_default == true)].base_uri"}}},
			header: `{"alg":"RS256","typ":"JWT"}`,
			claims: `{"iss":"ik","sub":"user","aud":"account-d.docusign.com","scope":"signature impersonation","iat":0,"exp":3600}`,
			hops: []tokenHop{{request: "POST https://account-d.docusign.com/oauth/token", body: grantText + "&assertion=<jwt>", status: 200,
				answer: `{"access_token":"docu","token_type":"Bearer","expires_in":3600}`},
				{request: "GET https://account-d.docusign.com/oauth/userinfo", authorization: "Bearer docu", status: 200,
					answer: `{"sub":"user","accounts":[{"account_id":"1","is_default":false,"base_uri":"https://eu.docusign.net"},
						{"account_id":"2","is_default":true,"base_uri":"https://demo.docusign.net"}]}`}},
			token: "docu", scheme: "Bearer", life: time.Hour, base: "https://demo.docusign.net/restapi/v2.1"},
		{name: "ServiceNow",
			conn: Connection{BaseURI: "https://dev1.service-now.com", SignatureMethod: RS256, Key: rsaKey, JWTHeaders: `{"kid":"map1"}`, Lifetime: time.Minute,
				Payload: `{"iss":"cid","aud":"cid","sub":"user@example.com","jti":"{{uuid}}"}`, Secrets: map[string]Secret{"client_secret": "now-hidden"},
				Exchange: &Exchange{TokenURL: "/oauth_token.do", Grant: "jwt-bearer", Params: `{"client_id":"cid","client_secret":"{{.Secrets.client_secret}}"}`}},
			header: `{"alg":"RS256","typ":"JWT","kid":"map1"}`, claims: `{"iss":"cid","aud":"cid","sub":"user@example.com","jti":"<id>","iat":0,"exp":60}`,
			hops: []tokenHop{{request: "POST https://dev1.service-now.com/oauth_token.do", body: grantText + "&assertion=<jwt>&client_id=cid&client_secret=now-hidden",
				status: 200, answer: `{"access_token":"now","scope":"useraccount","token_type":"Bearer","expires_in":1799}`}},
			token: "now", scheme: "Bearer", life: 1799 * time.Second, base: "https://dev1.service-now.com"},
		{name: "NetSuite",
			conn: Connection{BaseURI: "https://1.suitetalk.api.netsuite.com", SignatureMethod: PS256, Key: rsaKey, JWTHeaders: `{"kid":"cert1"}`, Lifetime: time.Hour,
				Payload:  `{"iss":"cid","scope":"restlets,rest_webservices","aud":"https://1.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token"}`,
				Exchange: &Exchange{TokenURL: "/services/rest/auth/oauth2/v1/token", Grant: "client-credentials"}},
			header: `{"alg":"PS256","typ":"JWT","kid":"cert1"}`,
			claims: `{"iss":"cid","scope":"restlets,rest_webservices","aud":"https://1.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token","iat":0,"exp":3600}`,
			hops: []tokenHop{{request: "POST https://1.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token",
				body: "grant_type=client_credentials&" + assertionText, status: 200, answer: `{"access_token":"suite","expires_in":"3600","token_type":"Bearer"}`}},
			token: "suite", scheme: "Bearer", life: time.Hour, base: "https://1.suitetalk.api.netsuite.com"},
		{name: "Entra",
			conn: Connection{BaseURI: "https://graph.microsoft.com/v1.0", SignatureMethod: PS256, Key: rsaKey, Certificate: certificate,
				JWTHeaders: `{"x5t#S256":"{{x5tS256}}"}`, Lifetime: 10 * time.Minute,
				Payload: `{"aud":"{{.Request.URL}}","iss":"cid","sub":"cid","jti":"{{uuid}}","nbf":"{{now}}"}`,
				Exchange: &Exchange{TokenURL: "https://login.microsoftonline.com/tenant/oauth2/v2.0/token", Grant: "client-credentials",
					Params: `{"client_id":"cid","scope":"https://graph.microsoft.com/.default"}`}},
			header: `{"alg":"PS256","typ":"JWT","x5t#S256":"` + thumbprint + `"}`,
			claims: `{"aud":"https://login.microsoftonline.com/tenant/oauth2/v2.0/token","iss":"cid","sub":"cid","jti":"<id>","nbf":0,"iat":0,"exp":600}`,
			hops: []tokenHop{{request: "POST https://login.microsoftonline.com/tenant/oauth2/v2.0/token",
				body:   "grant_type=client_credentials&" + assertionText + "&client_id=cid&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default",
				status: 200, answer: `{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"entra"}`}},
			token: "entra", scheme: "Bearer", life: 3599 * time.Second, base: "https://graph.microsoft.com/v1.0"},
		{name: "Okta",
			conn: Connection{BaseURI: "https://org.okta.com/api/v1", SignatureMethod: ES256, Key: p256, JWTHeaders: `{"kid":"k"}`, Lifetime: 5 * time.Minute,
				Payload:  `{"iss":"cid","sub":"cid","aud":"https://org.okta.com/oauth2/v1/token","jti":"{{uuid}}"}`,
				Exchange: &Exchange{TokenURL: "https://org.okta.com/oauth2/v1/token", Grant: "client-credentials", Params: `{"scope":"okta.users.read"}`}},
			header: `{"alg":"ES256","typ":"JWT","kid":"k"}`, claims: `{"iss":"cid","sub":"cid","aud":"https://org.okta.com/oauth2/v1/token","jti":"<id>","iat":0,"exp":300}`,
			hops: []tokenHop{{request: "POST https://org.okta.com/oauth2/v1/token", body: "grant_type=client_credentials&" + assertionText + "&scope=okta.users.read",
				status: 200, answer: `{"token_type":"DPoP","expires_in":3600,"access_token":"okta","scope":"okta.users.read"}`}},
			token: "okta", scheme: "DPoP", life: time.Hour, base: "https://org.okta.com/api/v1"},
		{name: "SMART Backend Services, ES384",
			conn: Connection{BaseURI: "https://ehr.example.com/fhir", SignatureMethod: ES384, Key: p384, JWTHeaders: `{"kid":"k"}`, Lifetime: 5 * time.Minute,
				Payload:  `{"iss":"cid","sub":"cid","aud":"https://ehr.example.com/token","jti":"{{uuid}}"}`,
				Exchange: &Exchange{TokenURL: "https://ehr.example.com/token", Grant: "client-credentials", Params: `{"scope":"system/*.rs"}`}},
			header: `{"alg":"ES384","typ":"JWT","kid":"k"}`, claims: `{"iss":"cid","sub":"cid","aud":"https://ehr.example.com/token","jti":"<id>","iat":0,"exp":300}`,
			hops: []tokenHop{{request: "POST https://ehr.example.com/token", body: "grant_type=client_credentials&" + assertionText + "&scope=system%2F%2A.rs",
				status: 200, answer: `{"access_token":"smart","token_type":"bearer","expires_in":300,"scope":"system/*.rs"}`}},
			token: "smart", scheme: "Bearer", life: 300 * time.Second, base: "https://ehr.example.com/fhir"},
		{name: "SMART Backend Services, RS384",
			conn: Connection{BaseURI: "https://ehr.example.com/fhir", SignatureMethod: RS384, Key: rsaKey, JWTHeaders: `{"kid":"k"}`, Lifetime: 5 * time.Minute,
				Payload:  `{"iss":"cid","sub":"cid","aud":"https://ehr.example.com/token","jti":"{{uuid}}"}`,
				Exchange: &Exchange{TokenURL: "https://ehr.example.com/token", Grant: "client-credentials", Params: `{"scope":"system/*.rs"}`, ExpiresIn: 5 * time.Minute}},
			header: `{"alg":"RS384","typ":"JWT","kid":"k"}`, claims: `{"iss":"cid","sub":"cid","aud":"https://ehr.example.com/token","jti":"<id>","iat":0,"exp":300}`,
			hops: []tokenHop{{request: "POST https://ehr.example.com/token", body: "grant_type=client_credentials&" + assertionText + "&scope=system%2F%2A.rs",
				status: 200, answer: `{"access_token":"smart","token_type":"bearer","expires_in":null}`}},
			token: "smart", scheme: "Bearer", life: 5 * time.Minute, base: "https://ehr.example.com/fhir"},
		{name: "Revolut, a refresh grant",
			conn: Connection{BaseURI: "https://b2b.revolut.com/api/1.0", SignatureMethod: RS256, Key: rsaKey, Lifetime: 90 * time.Second,
				Payload: `{"iss":"example.com","sub":"cid","aud":"https://revolut.com"}`, Secrets: map[string]Secret{"refresh": "oa_hidden"},
				Exchange: &Exchange{TokenURL: "/auth/token", Grant: "refresh_token",
					Params: `{"refresh_token":"{{.Secrets.refresh}}","client_assertion_type":"urn:ietf:params:oauth:client-assertion-type:jwt-bearer","client_assertion":"{{.Token}}"}`}},
			header: `{"alg":"RS256","typ":"JWT"}`, claims: `{"iss":"example.com","sub":"cid","aud":"https://revolut.com","iat":0,"exp":90}`,
			hops: []tokenHop{{request: "POST https://b2b.revolut.com/api/1.0/auth/token", body: "grant_type=refresh_token&refresh_token=oa_hidden&" + assertionText,
				status: 200, answer: `{"access_token":"oa_prod","token_type":"bearer","expires_in":2399}`}},
			token: "oa_prod", scheme: "Bearer", life: 2399 * time.Second, base: "https://b2b.revolut.com/api/1.0"},
		{name: "an access token in a header without a scheme",
			conn: Connection{BaseURI: "https://api.example.com", SignatureMethod: ES256, Key: p256, Placement: []Placement{{}},
				Exchange: &Exchange{TokenURL: fakeTokenURL, Grant: "jwt-bearer", TokenTypePath: "kind"}},
			header: `{"alg":"ES256","typ":"JWT"}`, claims: `{}`,
			hops: []tokenHop{{request: "POST " + fakeTokenURL, body: grantText + "&assertion=<jwt>", status: 200,
				answer: `{"access_token":"bare","kind":"Custom","expires_at":946688400}`}},
			token: "bare", scheme: "", life: time.Hour, base: "https://api.example.com", carries: "bare"},
		{name: "a chain that exchanges twice",
			conn: Connection{BaseURI: "https://api.example.com", SignatureMethod: ES256, Key: p256,
				Exchange: &Exchange{TokenURL: fakeTokenURL, Grant: "jwt-bearer", Next: &Exchange{TokenURL: "https://sts.example.com/x", Encoding: "json",
					Params: `{"subject":"{{.Token}}"}`, TokenPath: "data.token", ExpiresAtPath: "data.until"}}},
			header: `{"alg":"ES256","typ":"JWT"}`, claims: `{}`,
			hops: []tokenHop{{request: "POST " + fakeTokenURL, body: grantText + "&assertion=<jwt>", status: 200, answer: `{"access_token":"one","expires_in":60}`},
				{request: "POST https://sts.example.com/x", body: `{"subject":"one"}`, status: 200, answer: `{"data":{"token":"two","until":"946688400000"},"token_type":"Federated"}`}},
			token: "two", scheme: "Federated", life: time.Hour, base: "https://api.example.com"},
	}
}

func TestTokenEndpointsOfVendors(t *testing.T) {
	rsaKey, p256, p384 := must(rsa.GenerateKey(rand.Reader, 2048)), newECKey(t, elliptic.P256()), newECKey(t, elliptic.P384())
	for _, v := range tokenVendors(t, rsaKey, p256, p384) {
		t.Run(v.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // where it is midnight of 2000-01-01 UTC
				hops, api := 0, ""
				v.conn.Transport = transportFunc(func(req *http.Request) (*http.Response, error) {
					if hops == len(v.hops) {
						api = req.URL.String() + " " + req.Header.Get("Authorization")
						return fakeReply(200, ""), nil
					}
					hop := v.hops[hops]
					hops++
					v.check(t, hop, req)
					return fakeReply(hop.status, hop.answer, "Content-Type", "application/json", "Date", time.Now().UTC().Format(http.TimeFormat)), nil
				})
				client, err := NewClient(&v.conn)
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				req, err := client.NewRequest(t.Context(), "GET", "/things", nil)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := client.Do(req, nil); err != nil {
					t.Fatal(err)
				}
				token, err := client.Token(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				life := time.Duration(0)
				if !token.Expiry.IsZero() {
					life = token.Expiry.Sub(began)
				}
				if string(token.Value) != v.token || token.Type != v.scheme || life != v.life {
					t.Errorf("Token = %q, type %q, for %v, want %q, %q, %v", string(token.Value), token.Type, life, v.token, v.scheme, v.life)
				}
				carries := v.carries
				if carries == "" {
					carries = v.scheme + " " + v.token
				}
				if got, want := api, v.base+"/things "+carries; got != want {
					t.Errorf("the API got %q, want %q", got, want)
				}
			})
		})
	}
}

// check compares a token request with what the vendor asks for, and verifies the assertion in it.
func (v tokenVendor) check(t *testing.T, hop tokenHop, req *http.Request) {
	t.Helper()
	text := ""
	if req.Body != nil {
		text = readAll(t, &http.Response{Body: req.Body})
	}
	authorization := req.Header.Get("Authorization")
	if got := req.Method + " " + req.URL.String(); got != hop.request {
		t.Errorf("request %q, want %q", got, hop.request)
	}
	if got := withoutJWT(text, "<jwt>"); got != hop.body {
		t.Errorf("body %q, want %q", got, hop.body)
	}
	if got := withoutJWT(authorization, "<jwt>"); got != hop.authorization {
		t.Errorf("Authorization %q, want %q", got, hop.authorization)
	}
	both := text + authorization
	if !strings.Contains(withoutJWT(both, "<jwt>"), "<jwt>") {
		return
	}
	assertion := both[strings.Index(both, "eyJ"):]
	assertion, _, _ = strings.Cut(assertion, "&")
	token, err := jwt.Parse(assertion, func(*jwt.Token) (any, error) { return v.conn.Key.Public(), nil },
		jwt.WithValidMethods([]string{string(v.conn.SignatureMethod)}), jwt.WithoutClaimsValidation())
	if err != nil {
		t.Fatalf("assertion: %v", err)
	}
	claims := maps.Clone(map[string]any(token.Claims.(jwt.MapClaims)))
	for _, name := range []string{"iat", "exp", "nbf"} {
		if n, ok := claims[name].(float64); ok {
			claims[name] = n - float64(time.Now().Unix())
		}
	}
	if id, ok := claims["jti"].(string); ok && len(id) >= 32 {
		claims["jti"] = "<id>"
	}
	for part, want := range map[string]string{"header": v.header, "claims": v.claims} {
		got := map[string]map[string]any{"header": token.Header, "claims": claims}[part]
		if a, b := sortedJSON(t, got), sortedJSON(t, json.RawMessage(want)); a != b {
			t.Errorf("%s of the assertion: %s, want %s", part, a, b)
		}
	}
}

// sortedJSON writes a value with its members in the order of their names.
func sortedJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var plain any
	if err := json.Unmarshal(text, &plain); err != nil {
		t.Fatal(err)
	}
	text, _ = json.Marshal(plain)
	return string(text)
}
