package jwtbearertest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/jwtbearertest"
)

func TestExchangeServesTheDialectsOfTokenEndpoints(t *testing.T) {
	for name, x := range map[string]jwtbearer.Exchange{
		"zero":               {},
		"jwt-bearer":         {Grant: "jwt-bearer"},
		"client-credentials": {Grant: "client-credentials", TokenURL: "https://login.example.com/oauth2/v1/token"},
		"a grant type URI":   {Grant: "urn:example:grant"}, "one of the RFC": {Grant: "urn:ietf:params:oauth:grant-type:jwt-bearer"},
		"an own assertion":   {Grant: "jwt-bearer", Params: `{"assertion": "{{.Token}}", "scope": "all"}`},
		"client_credentials": {Grant: "client_credentials", Bearer: true},
		"GitHub Apps": {TokenURL: "/app/installations/{{.Fields.installation}}/access_tokens", Bearer: true, TokenPath: "token",
			ExpiresAtPath: "expires_at"},
		"JSON": {Encoding: "json", Params: `{"auth_token": "{{.Token}}"}`, TokenPath: "data.token",
			ExpiresInPath: "data.ttl"},
		"a host alone":      {TokenURL: "https://{{.Fields.installation}}.example.com"},
		"no slash":          {TokenURL: "login"},
		"query":             {Method: "GET", Params: `{"jwt": "{{.Token}}"}`, TokenPath: "$.token"},
		"address in answer": {Grant: "jwt-bearer", BaseURIPath: "instance_url"},
	} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, jwtbearertest.Config{Exchange: &x, Audience: "the token endpoint"}, func(t *testing.T, srv *jwtbearertest.Server) {
				client := dial(t, srv, func(c *jwtbearer.Connection) {
					quick(c)
					c.Fields = map[string]string{"installation": "678"}
				})
				for range 3 {
					if resp, err := call(t, client, "GET", "/things"); err != nil || resp.StatusCode != http.StatusOK {
						t.Fatalf("GET = %v, %v, want 200", resp, err)
					}
				}
				srv.AssertRequests(3)
				srv.AssertFreshTokens()
				granted := srv.TokenRequests()
				if len(granted) != 1 || granted[0].Claim("aud") != "the token endpoint" || granted[0].Status != http.StatusOK {
					t.Errorf("the token endpoint got %v, want one request with a JWT for it", granted)
				}
				for _, r := range srv.Requests() {
					if r.Token == "" || r.Claims != "" || r.Refused != "" {
						t.Errorf("the API got claims %s and a token %q, want an access token that it takes", r.Claims, r.Refused)
					}
				}
			})
		})
	}
}

func TestTokenEndpointRefusesAWrongGrant(t *testing.T) {
	const form, jwtBearer = "application/x-www-form-urlencoded", "urn:ietf:params:oauth:grant-type:jwt-bearer"
	for _, tt := range []struct {
		name, media, params string // $ stands for the JWT
		want                string
	}{
		{"as it should be", form, "grant_type=" + jwtBearer + "&assertion=$", ""},
		{"another grant_type", form, "grant_type=client_credentials&assertion=$", "unsupported_grant_type"},
		{"no grant_type", form, "assertion=$", "unsupported_grant_type"},
		{"grant_type twice", form, "grant_type=" + jwtBearer + "&grant_type=" + jwtBearer + "&assertion=$", "unsupported_grant_type"},
		{"another parameter", form, "grant_type=" + jwtBearer + "&jwt=$", "no bearer token"},
		{"two assertions", form, "grant_type=" + jwtBearer + "&assertion=$&assertion=$", "more than one token"},
		{"a form that does not say so", "text/plain", "grant_type=" + jwtBearer + "&assertion=$", "unsupported_grant_type"},
	} {
		srv := jwtbearertest.NewServer(t, jwtbearertest.Config{InMemory: true, Exchange: new(jwtbearer.Exchange)})
		token, err := dial(t, srv, func(c *jwtbearer.Connection) { c.Exchange = nil }).Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Transport: srv.Transport()}
		body := strings.ReplaceAll(tt.params, "$", string(token.Value))
		resp, err := client.Post(srv.URL+"/token", tt.media, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if (resp.StatusCode == http.StatusOK) != (tt.want == "") || !strings.Contains(string(answer), tt.want) {
			t.Errorf("%s: %d %s, want %q", tt.name, resp.StatusCode, answer, tt.want)
		}
	}
}

func TestExchangeCanFail(t *testing.T) {
	bothWays(t, jwtbearertest.Config{Exchange: new(jwtbearer.Exchange)}, func(t *testing.T, srv *jwtbearertest.Server) {
		client := dial(t, srv, quick)
		srv.Next(jwtbearertest.Status(503).On("/token"), jwtbearertest.RefuseToken().On("POST /token"), jwtbearertest.RefuseToken())
		if resp, err := call(t, client, "POST", "/things"); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("POST = %v, %v, want 200 in the end", resp, err)
		}
		srv.AssertRequests(2)
		srv.AssertFreshTokens()
		srv.AssertAnswersUsed()
		var got []int
		for _, r := range srv.TokenRequests() {
			got = append(got, r.Status)
		}
		if want := []int{503, 400, 200, 200}; len(got) != 4 || [4]int(got) != [4]int(want) {
			t.Errorf("the token endpoint answered %v, want %v", got, want)
		}
	})
}

func TestTokenEndpointThrottlesInTheDialectOfTheProfile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := jwtbearertest.NewServer(t, jwtbearertest.Config{InMemory: true, Profile: "github", Exchange: new(jwtbearer.Exchange)})
		srv.Next(jwtbearertest.Throttle(20 * time.Second).On("/token"))
		began := time.Now()
		if resp, err := call(t, dial(t, srv, nil), "GET", "/"); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("GET = %v, %v, want 200", resp, err)
		}
		if took := time.Since(began); took < 20*time.Second || took > later(20*time.Second) {
			t.Errorf("GET took %v, want the 20 s that the token endpoint asked for", took)
		}
		srv.AssertAnswersUsed()
		srv.AssertThrottled(0, 0) // the API did not
	})
}

func TestAccessTokensExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := jwtbearertest.Config{InMemory: true, Exchange: new(jwtbearer.Exchange), AccessTokenLife: 10 * time.Minute}
		srv := jwtbearertest.NewServer(t, config)
		client := dial(t, srv, nil)
		token, err := client.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		get := func() *http.Response {
			req, _ := http.NewRequestWithContext(t.Context(), "GET", srv.URL, nil)
			req.Header.Set("Authorization", "Bearer "+string(token.Value))
			resp, err := srv.Transport().RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			return resp
		}
		if got := get().StatusCode; got != http.StatusOK {
			t.Errorf("with an access token: %d, want 200", got)
		}
		time.Sleep(10 * time.Minute)
		late := get()
		if why := late.Header.Get("WWW-Authenticate"); late.StatusCode != http.StatusUnauthorized || !strings.Contains(why, "expired") {
			t.Errorf("ten minutes later: %d, %q, want 401 and that it has expired", late.StatusCode, why)
		}
		if resp, err := call(t, client, "GET", "/"); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("the client, ten minutes later: %v, %v, want 200 with another one", resp, err)
		}
	})
}

func TestExchangeTakesNoJWTAtTheAPI(t *testing.T) {
	srv := jwtbearertest.NewServer(t, jwtbearertest.Config{Exchange: new(jwtbearer.Exchange)})
	client := dial(t, srv, func(c *jwtbearer.Connection) { c.Exchange = nil })
	if resp, err := call(t, client, "GET", "/"); err != nil || resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("GET with the JWT itself = %v, %v, want 401", resp, err)
	}
	if got := srv.Requests()[0].Refused; !strings.Contains(got, "access token") {
		t.Errorf("the JWT is refused since %q, want that it is no access token", got)
	}
}
