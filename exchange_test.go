package jwtbearer

import (
	"context"
	"crypto"
	"crypto/elliptic"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/seed-363d07a3/jwtbearer/internal/media"
)

const fakeTokenURL = "https://login.example.com/token"

// A fakeIssuer is a token endpoint and the API beside it.
type fakeIssuer struct {
	endpoint, api *fakeAPI
}

func (f *fakeIssuer) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host == "login.example.com" {
		return f.endpoint.RoundTrip(req)
	}
	return f.api.RoundTrip(req)
}

// issue answers with a token named for the number of the request, after a while.
func issue(after time.Duration, members string) *fakeAPI {
	return &fakeAPI{handle: func(n int, req *http.Request) (*http.Response, error) {
		if err := sleep(req.Context(), after); err != nil {
			return nil, err
		}
		return issued(fmt.Sprintf("at-%d", n), members), nil
	}}
}

func issued(token, members string) *http.Response {
	return fakeReply(200, `{"access_token":"`+token+`","token_type":"bearer"`+members+`}`, "Content-Type", "application/json")
}

func refusedWith(status int, code, description string) *http.Response {
	return fakeReply(status, fmt.Sprintf(`{"error":%q,"error_description":%q}`, code, description), "Content-Type", "application/json")
}

// dialIssuer makes a client whose JWTs are exchanged.
func dialIssuer(t testing.TB, f *fakeIssuer, change func(*Connection)) *Client {
	t.Helper()
	if f.api == nil {
		f.api = replies()
	}
	conn := &Connection{Name: "fake", BaseURI: "https://api.example.com", SignatureMethod: HS256, Secret: fakeSecret,
		Payload: `{"iss":"me","jti":"{{uuid}}"}`, Lifetime: time.Minute, Transport: f,
		Exchange: &Exchange{TokenURL: fakeTokenURL, Grant: "jwt-bearer"}}
	if change != nil {
		change(conn)
	}
	c, err := NewClient(conn)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// carried sends one request to the API and returns the Authorization header that arrived.
func carried(t *testing.T, c *Client, f *fakeIssuer) string {
	t.Helper()
	resp, err := c.RoundTrip(fakeRequest(t, "GET", nil))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	seen := f.api.requests()
	return seen[len(seen)-1].header.Get("Authorization")
}

// assertions are the distinct jti of the assertions that a token endpoint got, each verified.
func assertions(t *testing.T, endpoint *fakeAPI) map[string]bool {
	t.Helper()
	ids := make(map[string]bool)
	for _, seen := range endpoint.requests() {
		form, err := url.ParseQuery(seen.body)
		if err != nil {
			t.Fatal(err)
		}
		claims := new(jwt.RegisteredClaims)
		_, err = jwt.ParseWithClaims(form.Get("assertion"), claims, func(*jwt.Token) (any, error) { return []byte(fakeSecret), nil },
			jwt.WithValidMethods([]string{"HS256"}), jwt.WithTimeFunc(func() time.Time { return seen.at }))
		if err != nil {
			t.Fatalf("assertion in %q: %v", seen.body, err)
		}
		ids[claims.ID] = true
	}
	return ids
}

func TestExchangeServesAllCallsWithOneAccessToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeIssuer{endpoint: issue(time.Second, `,"expires_in":3600`)}
		c := dialIssuer(t, f, nil)
		began := time.Now()
		for range 5 {
			if got, want := carried(t, c, f), "Bearer at-1"; got != want {
				t.Errorf("Authorization = %q, want %q", got, want)
			}
		}
		token, err := c.Token(t.Context())
		if err != nil || token.Value != "at-1" || token.Type != "Bearer" || !token.Expiry.Equal(began.Add(time.Hour)) {
			t.Errorf("Token = %q %q until %v, %v, want at-1, Bearer, an hour after %v", string(token.Value), token.Type, token.Expiry, err, began)
		}
		if stats := c.Stats(); stats.Exchanges != 1 || stats.Minted != 1 || stats.Calls != 5 || stats.Attempts != 5 {
			t.Errorf("Stats = %+v, want 1 exchange, 1 minted, 5 calls and attempts", stats)
		}
		assertion, err := c.Mint(t.Context(), nil)
		if err != nil || verifiedID("Bearer "+assertion) == "" {
			t.Errorf("Mint = %q, %v, want a signed JWT", assertion, err)
		}
	})
}

func TestTokenRequestOfEachGrant(t *testing.T) {
	const jwtPattern = "<jwt>"
	tests := []struct {
		name     string
		exchange Exchange
		method   string
		query    string
		body     string
		kind     string
		bearer   bool
	}{
		{name: "jwt-bearer", exchange: Exchange{Grant: "jwt-bearer", Params: `{"scope":"a b"}`}, method: "POST", kind: media.FormType,
			body: "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=<jwt>&scope=a+b"},
		{name: "client-credentials", exchange: Exchange{Grant: "client-credentials"}, method: "POST", kind: media.FormType,
			body: "grant_type=client_credentials&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=<jwt>"},
		{name: "another grant", exchange: Exchange{Grant: "urn:x:y"}, method: "POST", kind: media.FormType, body: "grant_type=urn%3Ax%3Ay&assertion=<jwt>"},
		{name: "another grant whose JWT is placed", exchange: Exchange{Grant: "urn:x:y", Params: `{"subject_token":"{{.Token}}"}`},
			method: "POST", kind: media.FormType, body: "grant_type=urn%3Ax%3Ay&subject_token=<jwt>"},
		{name: "no grant", exchange: Exchange{Params: `{"jwt_token":"{{.Token}}","n":7,"list":["a",1],"o":{"x":null}}`}, method: "POST", kind: media.FormType,
			body: "jwt_token=<jwt>&n=7&list=a&list=1&o=%7B%22x%22%3Anull%7D"},
		{name: "json", exchange: Exchange{Grant: "jwt-bearer", Encoding: "json", Params: `{"n":7,"grant_type":"g"}`}, method: "POST",
			kind: "application/json", body: `{"assertion":"<jwt>","n":7,"grant_type":"g"}`},
		{name: "a parameter taken away", exchange: Exchange{Grant: "client-credentials", Params: `{"client_assertion_type":null}`}, method: "POST",
			kind: media.FormType, body: "grant_type=client_credentials&client_assertion=<jwt>"},
		{name: "bearer", exchange: Exchange{Bearer: true}, method: "POST", bearer: true},
		{name: "bearer with a body", exchange: Exchange{Bearer: true, Encoding: "json", Params: `{"repositories":["a"]}`}, method: "POST",
			kind: "application/json", body: `{"repositories":["a"]}`, bearer: true},
		{name: "bearer by GET", exchange: Exchange{Bearer: true, Method: "GET", Encoding: "none"}, method: "GET", bearer: true},
		{name: "parameters of a GET", exchange: Exchange{Method: "GET", Params: `{"t":"{{.Token}}","a":"&"}`}, method: "GET", query: "t=<jwt>&a=%26"},
		{name: "what the request is", exchange: Exchange{Grant: "jwt-bearer", Params: `{"u":"{{.Request.Method}} {{.Request.URL}}"}`}, method: "POST",
			kind: media.FormType, body: "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=<jwt>&u=POST+https%3A%2F%2Flogin.example.com%2Ftoken"},
		{name: "headers", exchange: Exchange{Params: `{"t":"{{.Token}}"}`, Headers: map[string]string{"Content-Type": "text/x", "Accept": "a/b"}},
			method: "POST", kind: "text/x", body: "t=<jwt>"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := &fakeIssuer{endpoint: issue(0, "")}
			test.exchange.TokenURL = fakeTokenURL
			c := dialIssuer(t, f, func(conn *Connection) { conn.Exchange = &test.exchange })
			carried(t, c, f)
			got := f.endpoint.requests()[0]
			_, query, _ := strings.Cut(got.url, "?")
			authorization := got.header.Get("Authorization")
			shown := func(s string) string { return withoutJWT(s, jwtPattern) }
			if got.method != test.method || shown(query) != test.query || shown(got.body) != test.body || got.header.Get("Content-Type") != test.kind {
				t.Errorf("the endpoint got %s ?%s %s %q, want %s ?%s %s %q", got.method, shown(query), got.header.Get("Content-Type"), shown(got.body),
					test.method, test.query, test.kind, test.body)
			}
			if bearer := verifiedID(authorization) != ""; bearer != test.bearer || authorization != "" && !test.bearer {
				t.Errorf("Authorization = %q, want a JWT: %v", shown(authorization), test.bearer)
			}
		})
	}
}

// withoutJWT puts mark in the place of each JWT.
func withoutJWT(s, mark string) string {
	for {
		i := strings.Index(s, "eyJ")
		if i < 0 {
			return s
		}
		end := strings.IndexFunc(s[i:], func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r))
		})
		if end < 0 {
			end = len(s) - i
		}
		s = s[:i] + mark + s[i+end:]
	}
}

func TestAccessTokenIsRenewedAheadOfItsExpiryWithoutAnyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const workers, life, exchangeTime = 64, 100 * time.Second, 3 * time.Second
		f := &fakeIssuer{endpoint: issue(exchangeTime, `,"expires_in":100`)}
		c := dialIssuer(t, f, nil)
		carried(t, c, f) // the first one waits
		issuedAt := time.Now().Add(-exchangeTime)
		var slowest atomic.Int64
		var wg sync.WaitGroup
		for i := range workers {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 10 * time.Millisecond)
				for time.Since(issuedAt) < life+20*time.Second {
					began := time.Now()
					resp, err := c.RoundTrip(fakeRequest(t, "GET", nil))
					if err != nil {
						t.Error(err)
						return
					}
					resp.Body.Close()
					slowest.Store(max(slowest.Load(), int64(time.Since(began))))
					time.Sleep(time.Second)
				}
			})
		}
		wg.Wait()
		if got := time.Duration(slowest.Load()); got != 0 {
			t.Errorf("the slowest request waited %v, want none to wait", got)
		}
		if got, want := f.endpoint.count(), 2; got != want {
			t.Errorf("%d exchanges, want %d: the first and one renewal", got, want)
		}
		for _, seen := range f.api.requests() {
			if seen.header.Get("Authorization") == "Bearer at-1" && seen.at.Sub(issuedAt) >= life {
				t.Errorf("the first token was used %v after it was asked for, want less than %v", seen.at.Sub(issuedAt), life)
			}
		}
	})
}

func TestOneExchangeServesAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeIssuer{endpoint: issue(2*time.Second, `,"expires_in":60`)}
		c := dialIssuer(t, f, nil)
		for round := range 2 {
			began := time.Now()
			var wg sync.WaitGroup
			for range 64 {
				wg.Go(func() {
					resp, err := c.RoundTrip(fakeRequest(t, "GET", nil))
					if err != nil {
						t.Error(err)
						return
					}
					resp.Body.Close()
				})
			}
			wg.Wait()
			if got, want := time.Since(began), 2*time.Second; got != want {
				t.Errorf("round %d took %v, want one exchange, %v", round, got, want)
			}
			time.Sleep(time.Hour) // nobody renews what nobody uses
		}
		if got := f.endpoint.count(); got != 2 {
			t.Errorf("%d exchanges, want 2", got)
		}
	})
}

func TestCancelledCallerDoesNotEndTheExchangeOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeIssuer{endpoint: issue(10*time.Second, "")}
		c := dialIssuer(t, f, nil)
		why := errors.New("the user left")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(why) })
		first := make(chan error)
		go func() {
			_, err := c.RoundTrip(fakeRequest(t, "GET", nil).WithContext(ctx))
			first <- err
		}()
		synctest.Wait()
		began := time.Now()
		second := make(chan string)
		go func() { second <- carried(t, c, f) }()
		if err := <-first; !errors.Is(err, context.Canceled) || !errors.Is(err, why) || time.Since(began) != time.Second {
			t.Errorf("the cancelled call gave %v after %v, want context.Canceled and its cause after 1s", err, time.Since(began))
		}
		if got := <-second; got != "Bearer at-1" || time.Since(began) != 10*time.Second {
			t.Errorf("the other call carried %q after %v, want at-1 after 10s", got, time.Since(began))
		}
		if got := f.endpoint.count(); got != 1 {
			t.Errorf("%d exchanges, want 1", got)
		}
	})
}

func TestRefusedAccessTokenIsFetchedOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		revoked := func(req *http.Request) bool { return req.Header.Get("Authorization") == "Bearer at-1" }
		f := &fakeIssuer{endpoint: issue(time.Second, ""), api: &fakeAPI{handle: func(_ int, req *http.Request) (*http.Response, error) {
			if revoked(req) {
				return fakeReply(401, ""), nil
			}
			return fakeReply(200, ""), nil
		}}}
		c := dialIssuer(t, f, nil)
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				resp, err := c.RoundTrip(fakeRequest(t, "GET", nil))
				if err != nil || resp.StatusCode != 200 {
					t.Errorf("RoundTrip = %v, %v, want 200 with the second token", resp, err)
				}
			})
		}
		wg.Wait()
		if got := f.endpoint.count(); got != 2 {
			t.Errorf("%d exchanges for 16 refusals of one token, want 2", got)
		}
		revoked = func(*http.Request) bool { return true }
		for range 5 {
			resp, err := c.RoundTrip(fakeRequest(t, "GET", nil))
			if err != nil || resp.StatusCode != 401 {
				t.Errorf("RoundTrip = %v, %v, want the 401", resp, err)
			}
		}
		if got := f.endpoint.count(); got != 3 {
			t.Errorf("%d exchanges after refusals of fresh tokens too, want 3: one more, then none for a minute", got)
		}
	})
}

func TestThrottleOfTheAPINeverExchanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeIssuer{endpoint: issue(0, `,"expires_in":60`),
			api: replies(fakeReply(429, "", "Retry-After", "120"), fakeReply(403, "", "Retry-After", "1"))}
		c := dialIssuer(t, f, func(conn *Connection) {
			conn.RateLimit.Rules = []Rule{{Status: []int{429, 403}}}
		})
		began := time.Now()
		carried(t, c, f)
		times := f.endpoint.requests()
		if len(times) != 2 {
			t.Fatalf("%d exchanges, want 2: one at first, and one since the token expired while the gate was closed", len(times))
		}
		if after := times[1].at.Sub(began); after < 120*time.Second {
			t.Errorf("the second exchange came after %v, want none while the gate is closed", after)
		}
		for _, seen := range f.api.requests()[1:] {
			if got := seen.header.Get("Authorization"); got != "Bearer at-2" {
				t.Errorf("%q was sent after the first had expired, want at-2", got)
			}
		}
	})
}

func TestEachAttemptAtTheTokenEndpointHasItsOwnAssertion(t *testing.T) {
	lost := errors.New("connection reset")
	tests := []struct {
		name    string
		answers []func() (*http.Response, error)
	}{
		{"5xx", []func() (*http.Response, error){reply(500), reply(503)}},
		{"answers lost", []func() (*http.Response, error){
			func() (*http.Response, error) { return nil, lost },
			func() (*http.Response, error) {
				resp := issued("at-x", "")
				resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"access_`), iotest.ErrReader(lost)))
				return resp, nil
			}}},
		{"throttles", []func() (*http.Response, error){
			func() (*http.Response, error) { return fakeReply(429, "", "Retry-After", "7"), nil },
			func() (*http.Response, error) { return fakeReply(503, "", "Retry-After", "3"), nil }}},
		{"a refusal", []func() (*http.Response, error){
			func() (*http.Response, error) { return refusedWith(400, "invalid_grant", "the jti was used"), nil }}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				endpoint := &fakeAPI{handle: func(n int, _ *http.Request) (*http.Response, error) {
					if n <= len(test.answers) {
						return test.answers[n-1]()
					}
					return issued(fmt.Sprintf("at-%d", n), ""), nil
				}}
				f := &fakeIssuer{endpoint: endpoint}
				want := len(test.answers) + 1
				if got, want := carried(t, dialIssuer(t, f, nil), f), fmt.Sprintf("Bearer at-%d", want); got != want {
					t.Errorf("Authorization = %q, want %q", got, want)
				}
				if got := len(assertions(t, endpoint)); got != want || endpoint.count() != want {
					t.Errorf("%d assertions in %d attempts, want %d in as many", got, endpoint.count(), want)
				}
			})
		})
	}
}

func reply(status int) func() (*http.Response, error) {
	return func() (*http.Response, error) { return fakeReply(status, ""), nil }
}

func TestTokenEndpointHasItsOwnGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeIssuer{endpoint: replies(fakeReply(429, "", "Retry-After", "60"), issued("at-2", ""))}
		c := dialIssuer(t, f, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		_, err := c.RoundTrip(fakeRequest(t, "GET", nil).WithContext(ctx))
		throttled, ok := errors.AsType[*ThrottledError](err)
		if !ok || throttled.RetryAfter < 59*time.Second || time.Since(began) > time.Second {
			t.Errorf("RoundTrip = %v after %v, want a *ThrottledError of 60s at once", err, time.Since(began))
		}
		if _, err := c.Token(ctx); !errors.As(err, new(*ThrottledError)) || time.Since(began) > time.Second {
			t.Errorf("Token = %v after %v while the gate is closed, want a *ThrottledError at once", err, time.Since(began))
		}
		if got := carried(t, c, f); got != "Bearer at-2" || time.Since(began) < time.Minute {
			t.Errorf("Authorization = %q after %v, want at-2 after a minute", got, time.Since(began))
		}
	})
}

func TestAssertionsKeepToTheClockOfTheTokenEndpoint(t *testing.T) {
	for _, refusal := range []func() *http.Response{
		func() *http.Response { return refusedWith(400, "invalid_grant", "expired") },
		func() *http.Response { return fakeReply(500, "") }, // which some give for an assertion that has expired
	} {
		synctest.Test(t, func(t *testing.T) { correctsTheClock(t, refusal) })
	}
}

// correctsTheClock wants the second assertion to have the time of the server that refused the first.
func correctsTheClock(t *testing.T, refusal func() *http.Response) {
	ahead := 10 * time.Minute
	f := &fakeIssuer{endpoint: &fakeAPI{handle: func(n int, _ *http.Request) (*http.Response, error) {
		resp := issued("at", "")
		if n == 1 {
			resp = refusal()
		}
		resp.Header.Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
		return resp, nil
	}}}
	c := dialIssuer(t, f, nil)
	carried(t, c, f)
	form, _ := url.ParseQuery(f.endpoint.requests()[1].body)
	if got, want := time.Until(expiryOf(form.Get("assertion"))), ahead+time.Minute; (got - want).Abs() > 2*time.Second {
		t.Errorf("the second assertion expires in %v, want %v by the server's clock", got, want)
	}
	if got := c.Stats().Skew; (got - ahead).Abs() > time.Second {
		t.Errorf("Skew = %v, want %v", got, ahead)
	}
}

func TestFailedRenewalLeavesTheTokenInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeIssuer{endpoint: replies(issued("at-1", `,"expires_in":100`))}
		f.endpoint.handle = func(n int, _ *http.Request) (*http.Response, error) {
			if n == 1 {
				return issued("at-1", `,"expires_in":100`), nil
			}
			return refusedWith(400, "unauthorized_client", "no more"), nil
		}
		c := dialIssuer(t, f, nil)
		for range 99 {
			if got := carried(t, c, f); got != "Bearer at-1" {
				t.Fatalf("Authorization = %q, want the token that serves", got)
			}
			time.Sleep(time.Second)
		}
		if got := f.endpoint.count(); got < 3 || got > 12 {
			t.Errorf("%d exchanges, want a few: each failed renewal is followed by a pause", got)
		}
		time.Sleep(2 * time.Second)
		_, err := c.RoundTrip(fakeRequest(t, "GET", nil))
		if refused, ok := errors.AsType[*TokenError](err); !ok || refused.Code != "unauthorized_client" || refused.StatusCode != 400 {
			t.Errorf("RoundTrip = %v after the expiry, want the *TokenError", err)
		}
	})
}

func TestAccessTokenThatExpiresInLineIsReplacedBeforeItIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeIssuer{endpoint: issue(0, `,"expires_in":10`)}
		c := dialIssuer(t, f, func(conn *Connection) { conn.RateLimit.Interval = time.Minute })
		carried(t, c, f)
		if got := carried(t, c, f); got != "Bearer at-2" {
			t.Errorf("Authorization = %q after a minute in line, want at-2", got)
		}
		if got := c.Stats().InFlight; got != 0 {
			t.Errorf("InFlight = %d, want 0", got)
		}
	})
}

type panickingKey struct{ crypto.Signer }

func (panickingKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	panic("the HSM is gone")
}

func TestKeyThatPanicsFailsTheExchangeAlone(t *testing.T) {
	f := &fakeIssuer{endpoint: issue(0, "")}
	c := dialIssuer(t, f, func(conn *Connection) {
		conn.SignatureMethod, conn.Secret, conn.Key = ES256, "", panickingKey{newECKey(t, elliptic.P256())}
	})
	for range 2 {
		if _, err := c.Token(t.Context()); err == nil || !strings.Contains(err.Error(), "panicked") || strings.Contains(err.Error(), "HSM") {
			t.Errorf("Token = %v, want an error that says so, without the value", err)
		}
	}
	if _, got, _ := c.core.access.hops[0].core.line.Stats(); got != 0 {
		t.Errorf("%d attempts hold a slot, want none", got)
	}
}

func TestMintGivesTheAssertionOfTheTokenRequest(t *testing.T) {
	f := &fakeIssuer{endpoint: issue(0, "")}
	c := dialIssuer(t, f, func(conn *Connection) { conn.Payload = `{"aud":"{{.Request.URL}}","m":"{{.Request.Method}}"}` })
	for _, req := range []*http.Request{nil, fakeRequest(t, "GET", nil)} {
		token, err := c.Mint(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		claims := jwt.MapClaims{}
		if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err != nil || claims["aud"] != fakeTokenURL || claims["m"] != "POST" {
			t.Errorf("Mint(%v) has the claims %v, %v, want those of the token request", req, claims, err)
		}
	}
	if got := f.endpoint.count() + f.api.count(); got != 0 {
		t.Errorf("Mint sent %d requests, want none", got)
	}
}

func TestReadyMadeTokenIsExchanged(t *testing.T) {
	f := &fakeIssuer{endpoint: issue(0, "")}
	c := dialIssuer(t, f, func(conn *Connection) {
		*conn = Connection{BaseURI: conn.BaseURI, Token: "ready", Exchange: conn.Exchange, Transport: f}
	})
	if got := carried(t, c, f); got != "Bearer at-1" {
		t.Errorf("Authorization = %q, want at-1", got)
	}
	if got, want := f.endpoint.requests()[0].body, grantText+"&assertion=ready"; got != want {
		t.Errorf("the endpoint got %q, want %q", got, want)
	}
}

func TestAccessTokenOfAHopIsNotReplacedByAnother(t *testing.T) {
	f := &fakeIssuer{endpoint: &fakeAPI{}}
	f.endpoint.handle = func(n int, req *http.Request) (*http.Response, error) {
		if req.URL.Path == "/userinfo" {
			return fakeReply(401, ""), nil
		}
		return issued(fmt.Sprintf("at-%d", n), ""), nil
	}
	c := dialIssuer(t, f, func(conn *Connection) {
		conn.BaseURI = ""
		conn.Exchange.Next = &Exchange{TokenURL: "https://login.example.com/userinfo", Method: "GET", Bearer: true, BaseURIPath: "url"}
	})
	_, err := c.BaseURI(t.Context())
	refused, ok := errors.AsType[*TokenError](err)
	if !ok || refused.StatusCode != 401 || f.endpoint.count() != 2 {
		t.Errorf("BaseURI = %v after %d requests, want a *TokenError of the second hop after 2", err, f.endpoint.count())
	}
	if got := f.endpoint.requests()[1].header.Get("Authorization"); got != "Bearer at-1" {
		t.Errorf("the second hop got %q, want the token of the first", got)
	}
}
