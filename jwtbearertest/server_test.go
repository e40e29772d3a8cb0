package jwtbearertest_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/jwtbearertest"
)

func TestConnectionWorksWithEveryMethod(t *testing.T) {
	for _, method := range []jwtbearer.SignatureMethod{
		"", "HS256", "HS384", "HS512", "RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
	} {
		t.Run("method "+string(method), func(t *testing.T) {
			srv := jwtbearertest.NewServer(t, jwtbearertest.Config{Method: method, Issuer: "me", Audience: `a "quoted" audience`,
				MaxLifetime: 20 * time.Second})
			report, err := srv.Connection().Test(t.Context())
			if err != nil {
				t.Errorf("Test: %v\n%v", err, report)
			}
			want := method
			if want == "" {
				want = "HS256"
			}
			if got := srv.Requests()[0].JOSE; !strings.Contains(string(got), `"alg":"`+string(want)+`"`) {
				t.Errorf("the server saw the header %s, want alg %s", got, want)
			}
		})
	}
}

func TestServerVerifiesWithTheKeyOfTheTest(t *testing.T) {
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	ec, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	const secret = "TESTING KEY of thirty-two bytes and more"
	for _, tt := range []struct {
		method jwtbearer.SignatureMethod
		key    any
		change func(*jwtbearer.Connection)
	}{
		{"HS256", secret, nil},
		{"HS256", []byte(secret), nil},
		{"HS256", jwtbearer.Secret(secret), nil},
		{"ES384", ec, nil},
		{"ES384", ec.Public(), func(c *jwtbearer.Connection) { c.Key = ec }},
		{"EdDSA", ed, nil},
		{"Ed25519", ed.Public(), func(c *jwtbearer.Connection) { c.Key = ed }},
	} {
		srv := jwtbearertest.NewServer(t, jwtbearertest.Config{Method: tt.method, Key: tt.key})
		if resp, err := call(t, dial(t, srv, tt.change), "GET", "/"); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("%s with a %T: %v, %v, want 200", tt.method, tt.key, resp, err)
		}
		other := dial(t, srv, func(c *jwtbearer.Connection) {
			c.SignatureMethod, c.Key, c.Secret, c.PrivateKey = "HS256", nil, "another TESTING KEY of thirty-two bytes", ""
		})
		if resp, err := call(t, other, "GET", "/"); err != nil || resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s with a %T, called with another key: %v, %v, want 401", tt.method, tt.key, resp, err)
		}
	}
}

func TestServerFindsTheTokenWhereItIsPlaced(t *testing.T) {
	for _, p := range []jwtbearer.Placement{
		{}, {In: "header", Scheme: "JWT"}, {In: "header", Name: "X-Token"}, {In: "query", Name: "jwt"}, {In: "cookie", Name: "session"},
		{In: "form", Name: "token"},
	} {
		bothWays(t, jwtbearertest.Config{Placement: p}, func(t *testing.T, srv *jwtbearertest.Server) {
			client := dial(t, srv, func(c *jwtbearer.Connection) { c.MediaType = "urlencoded" })
			req, err := client.NewRequest(t.Context(), "POST", "/things?a=1", map[string]string{"field": "value"})
			if err != nil {
				t.Fatal(err)
			}
			var echo struct{ Body string }
			if _, err := client.Do(req, &echo); err != nil || !strings.Contains(echo.Body, "field=value") {
				t.Errorf("POST with the token in %+v = %q, %v, want the body", p, echo.Body, err)
			}
			r := srv.Requests()[0]
			if r.Token == "" || r.Claim("iss") != "jwtbearertest" || r.URL.Query().Get("a") != "1" {
				t.Errorf("with the token in %+v the record has the token %v, iss %q and query %q", p, r.Token, r.Claim("iss"), r.URL.RawQuery)
			}
			shown := fmt.Sprintf("%v %+v %#v %s %v", r, r, r, r.Body, r.Header)
			if strings.Contains(shown, string(r.Token)) || strings.Contains(shown, "eyJ") {
				t.Errorf("with the token in %+v, the record shows it: %s", p, shown)
			}
		})
	}
}

func TestServerRefusesATokenInTheWrongForm(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	for _, tt := range []struct {
		name  string
		where jwtbearer.Placement
		put   func(r *http.Request, token string)
		want  string
	}{
		{"two fields", jwtbearer.Placement{}, func(r *http.Request, token string) {
			r.Header["Authorization"] = []string{"Bearer " + token, "Bearer " + token}
		}, "more than one"},
		{"two parameters", jwtbearer.Placement{In: "query", Name: "jwt"}, func(r *http.Request, token string) {
			r.URL.RawQuery = "jwt=" + token + "&jwt=" + token
		}, "more than one"},
		{"two cookies", jwtbearer.Placement{In: "cookie", Name: "jwt"}, func(r *http.Request, token string) {
			r.Header.Set("Cookie", "jwt="+token+"; jwt="+token)
		}, "more than one"},
		{"two form fields", jwtbearer.Placement{In: "form", Name: "jwt"}, func(r *http.Request, token string) {
			r.Header.Set("Content-Type", form)
			r.Body = io.NopCloser(strings.NewReader("jwt=" + token + "&jwt=" + token))
		}, "more than one"},
		{"a line break behind it", jwtbearer.Placement{In: "query", Name: "jwt"}, func(r *http.Request, token string) {
			r.URL.RawQuery = "jwt=" + token + "%0A"
		}, "malformed"},
		{"a form that does not say so", jwtbearer.Placement{In: "form", Name: "jwt"}, func(r *http.Request, token string) {
			r.Body = io.NopCloser(strings.NewReader("jwt=" + token))
		}, "no bearer token"},
	} {
		srv := jwtbearertest.NewServer(t, jwtbearertest.Config{InMemory: true, Placement: tt.where})
		token, err := dial(t, srv, func(c *jwtbearer.Connection) { c.Placement = nil }).Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		req, _ := http.NewRequestWithContext(t.Context(), "POST", srv.URL, nil)
		tt.put(req, string(token.Value))
		resp, err := srv.Transport().RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := srv.Requests()[0].Refused; resp.StatusCode != http.StatusUnauthorized || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %d, refused since %q, want 401 and %q", tt.name, resp.StatusCode, got, tt.want)
		}
	}
}

func TestServerIsAsStrictAsItsConfig(t *testing.T) {
	for name, tt := range map[string]struct {
		strict, lax jwtbearertest.Config
		change      func(*jwtbearer.Connection)
		refused     string
	}{
		"a jti twice": {jwtbearertest.Config{}, jwtbearertest.Config{AllowReplay: true},
			func(c *jwtbearer.Connection) { c.Payload = `{"jti":"fixed"}` }, "was used before"},
		"a long life": {jwtbearertest.Config{MaxLifetime: 5 * time.Minute}, jwtbearertest.Config{},
			func(c *jwtbearer.Connection) { c.Lifetime = 20 * time.Minute }, "too far ahead"},
		"another issuer": {jwtbearertest.Config{Issuer: "me"}, jwtbearertest.Config{},
			func(c *jwtbearer.Connection) { c.Payload = `{"iss":"you"}` }, "iss of the token is wrong"},
		"another audience": {jwtbearertest.Config{Audience: "me"}, jwtbearertest.Config{},
			func(c *jwtbearer.Connection) { c.Payload = `{"aud":["you","them"]}` }, "aud of the token is wrong"},
		"no exp": {jwtbearertest.Config{}, jwtbearertest.Config{AllowNoExpiry: true},
			func(c *jwtbearer.Connection) { c.Payload, c.Lifetime = `{"iat":"{{now}}"}`, 0 }, "has no exp"},
	} {
		for _, strict := range []bool{true, false} {
			config, want := tt.lax, ""
			if strict {
				config, want = tt.strict, tt.refused
			}
			srv := jwtbearertest.NewServer(t, config)
			client := dial(t, srv, tt.change)
			for range 2 {
				call(t, client, "GET", "/")
			}
			seen := srv.Requests()
			if got := seen[len(seen)-1].Refused; (got == "") != (want == "") || !strings.Contains(got, want) {
				t.Errorf("%s against %+v is refused since %q, want %q", name, config, got, want)
			}
		}
	}
}

func TestCheckRefusesWhatDependsOnTheRequest(t *testing.T) {
	uriClaim := func(r jwtbearertest.Request) error {
		if want := r.Method + " " + r.URL.Path; r.Claim("uri") != want {
			return fmt.Errorf(`uri is "%s", want "%s"`, r.Claim("uri"), want)
		}
		return nil
	}
	bothWays(t, jwtbearertest.Config{Check: uriClaim}, func(t *testing.T, srv *jwtbearertest.Server) {
		for payload, want := range map[jwtbearer.JSON]int{
			`{"uri":"{{.Request.Method}} {{.Request.Path}}"}`: 200, `{"uri":"GET /"}`: 401,
		} {
			client := dial(t, srv, func(c *jwtbearer.Connection) { c.Payload = payload })
			if resp, err := call(t, client, "GET", "/accounts/7"); err != nil || resp.StatusCode != want {
				t.Errorf("GET with %s = %v, %v, want %d", payload, resp, err, want)
			} else if want == 401 && !strings.Contains(resp.Header.Get("WWW-Authenticate"), "want 'GET /accounts/7'") {
				t.Errorf("the challenge is %q, want it to tell why", resp.Header.Get("WWW-Authenticate"))
			}
		}
	})
}

func TestTokensWithoutExpiryLiveByTheirAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := jwtbearertest.Config{InMemory: true, Profile: "apns", AllowNoExpiry: true, MaxLifetime: time.Hour}
		srv := jwtbearertest.NewServer(t, config)
		client := dial(t, srv, func(c *jwtbearer.Connection) {
			c.Payload, c.Lifetime, c.TokenReuse = `{"iss":"TEAM","iat":"{{now}}"}`, 0, 50*time.Minute
		})
		for range 5 {
			if resp, err := call(t, client, "POST", "/3/device/1"); err != nil || resp.StatusCode != http.StatusOK {
				t.Errorf("POST = %v, %v, want 200", resp, err)
			}
			time.Sleep(25 * time.Minute)
		}
		if stats := client.Stats(); stats.Minted != 3 || stats.Refused != 0 {
			t.Errorf("5 calls in 100 minutes: %+v, want 3 tokens, none of them refused", stats)
		}
		kept := dial(t, srv, func(c *jwtbearer.Connection) {
			c.Payload, c.Lifetime = `{"iss":"TEAM","iat":"{{now -3700}}"}`, 0
		})
		if resp, err := call(t, kept, "POST", "/"); err != nil || resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("POST with a token of more than an hour = %v, %v, want 401", resp, err)
		}
	})
}

func TestThrottledAnswersInADialectOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := jwtbearertest.NewServer(t, jwtbearertest.Config{
			InMemory: true,
			Limit:    jwtbearer.Limit{Requests: 1, Per: 2 * time.Second, Burst: 1},
			Throttled: func(w http.ResponseWriter, wait time.Duration) {
				w.Header().Set("X-Come-Back-In", fmt.Sprint(wait.Milliseconds()))
				w.WriteHeader(420)
			},
		})
		srv.Next(jwtbearertest.Throttle(1500 * time.Millisecond))
		client := dial(t, srv, func(c *jwtbearer.Connection) {
			c.RateLimit = jwtbearer.RateLimit{Fixed: true, Rules: []jwtbearer.Rule{{Status: []int{420}}},
				Wait: []jwtbearer.Extract{{Header: "X-Come-Back-In", As: "millis"}}}
		})
		for range 2 {
			if resp, err := call(t, client, "GET", "/"); err != nil || resp.StatusCode != http.StatusOK {
				t.Fatalf("GET = %v, %v, want 200", resp, err)
			}
		}
		got := gaps(srv)
		for i, want := range []time.Duration{1500 * time.Millisecond, 0, 2 * time.Second} { // throttled, served; throttled, served
			if i >= len(got) || got[i] < want || got[i] > later(want) {
				t.Fatalf("the waits are %v, want the %d. of %v", got, i+1, want)
			}
		}
		srv.AssertThrottled(2, 2)
	})
}

func TestServerServesManyAtOnce(t *testing.T) {
	limit := jwtbearer.Limit{Requests: 500, Per: time.Second, Burst: 20}
	bothWays(t, jwtbearertest.Config{Profile: "google-cloud", Limit: limit}, func(t *testing.T, srv *jwtbearertest.Server) {
		client := dial(t, srv, nil)
		srv.Next(jwtbearertest.Status(503).Times(3), jwtbearertest.RefuseToken(), jwtbearertest.Throttle(0))
		const workers, calls = 8, 12
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for range calls {
					if resp, err := call(t, client, "GET", "/things"); err != nil || resp.StatusCode != http.StatusOK {
						t.Errorf("GET = %v, %v, want 200", resp, err)
					}
					srv.Requests()
				}
			})
		}
		wg.Wait()
		served := 0
		for _, r := range srv.Requests() {
			if r.Status == http.StatusOK {
				served++
			}
		}
		if want := workers * calls; served != want {
			t.Errorf("%d requests were served, want %d", served, want)
		}
		srv.AssertFreshTokens()
		srv.AssertAnswersUsed()
	})
}

func TestHandlerSeesTheWholeRequest(t *testing.T) {
	long := strings.Repeat("0123456789", 300_000) // beyond what is recorded
	read := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %t %v", r.Method, r.Host, string(body) == long, err)
	}
	bothWays(t, jwtbearertest.Config{Handler: http.HandlerFunc(read)}, func(t *testing.T, srv *jwtbearertest.Server) {
		client := dial(t, srv, nil)
		req, err := client.NewRequest(t.Context(), "PUT", "/file", long)
		if err != nil {
			t.Fatal(err)
		}
		var got string
		if _, err := client.Do(req, &got); err != nil || !strings.HasSuffix(got, " true <nil>") {
			t.Errorf("the handler says %q, %v, want that it got the whole body", got, err)
		}
		if got := len(srv.Requests()[0].Body); got != 1<<20 {
			t.Errorf("%d bytes of the body are recorded, want a mebibyte", got)
		}
	})
}

func TestRequestsAreInTheOrderInWhichTheyCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := jwtbearertest.NewServer(t, jwtbearertest.Config{InMemory: true})
		client := dial(t, srv, nil)
		r, w := io.Pipe()
		req, err := client.NewRequest(t.Context(), "POST", "/slow", r)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := client.Do(req, nil); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(time.Second)
		call(t, client, "GET", "/quick")
		w.Close() // the body of the first is at its end after the second was served
		wg.Wait()
		if seen := srv.Requests(); len(seen) != 2 || seen[0].URL.Path != "/slow" || seen[1].URL.Path != "/quick" {
			t.Errorf("the requests are %v, want /slow and then /quick", seen)
		}
	})
}

func TestAHandlerThatWritesNothingAnswers200(t *testing.T) {
	mute := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	bothWays(t, jwtbearertest.Config{Handler: mute}, func(t *testing.T, srv *jwtbearertest.Server) {
		if resp, err := call(t, dial(t, srv, nil), "GET", "/"); err != nil || resp.StatusCode != 200 || srv.Requests()[0].Status != 200 {
			t.Errorf("GET = %v, %v, recorded as %v; want 200", resp, err, srv.Requests()[0])
		}
	})
}

func TestInterimAnswersAreNotTheStatus(t *testing.T) {
	early := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusAccepted)
	})
	bothWays(t, jwtbearertest.Config{Handler: early}, func(t *testing.T, srv *jwtbearertest.Server) {
		resp, err := call(t, dial(t, srv, nil), "GET", "/")
		if err != nil || resp.StatusCode != http.StatusAccepted || srv.Requests()[0].Status != http.StatusAccepted {
			t.Errorf("GET = %v, %v, recorded as %v; want 202", resp, err, srv.Requests()[0])
		}
	})
}

func TestConnectionsOfAServerAreIndependent(t *testing.T) {
	srv := jwtbearertest.NewServer(t, jwtbearertest.Config{Exchange: new(jwtbearer.Exchange)})
	srv.Connection().Exchange.TokenURL = "changed"
	if got := srv.Connection().Exchange.TokenURL; got != srv.URL+"/token" {
		t.Errorf("TokenURL of the next connection is %q, want it unchanged", got)
	}
}

func TestCloseEndsThoseWhoStillWait(t *testing.T) {
	test := func(t *testing.T, memory bool) {
		var failed error
		var wg sync.WaitGroup
		t.Run("server", func(t *testing.T) {
			srv := jwtbearertest.NewServer(t, jwtbearertest.Config{InMemory: memory})
			srv.Next(jwtbearertest.Slow(time.Hour))
			client := dial(t, srv, func(c *jwtbearer.Connection) { c.Timeout, c.Retry.MaxAttempts = -1, 1 })
			req, err := client.NewRequest(context.Background(), "GET", "/", nil) // which ends for no other reason
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() { _, failed = client.RoundTrip(req) })
			for len(srv.Requests()) == 0 {
				time.Sleep(time.Millisecond)
			}
		})
		wg.Wait()
		if failed == nil {
			t.Error("the call was answered, want an error")
		}
	}
	t.Run("sockets", func(t *testing.T) { test(t, false) })
	t.Run("memory", func(t *testing.T) { test(t, true) })
}
