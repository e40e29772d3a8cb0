package jwtbearer

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// apiFunc answers request number n, from one, which carried that token.
type apiFunc func(token string, n int) *http.Response

// A mintAPI is a transport that answers at once and records the tokens that it saw.
type mintAPI struct {
	answer apiFunc

	mu   sync.Mutex
	seen []string
}

func (a *mintAPI) RoundTrip(req *http.Request) (*http.Response, error) {
	token := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
	if req.Body != nil {
		_, _ = io.Copy(io.Discard, req.Body)
		req.Body.Close()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen = append(a.seen, token)
	resp := a.answer(token, len(a.seen))
	resp.Request = req
	return resp, nil
}

func answerOf(status int, header ...string) *http.Response {
	resp := &http.Response{StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}
	for i := 0; i < len(header); i += 2 {
		resp.Header.Set(header[i], header[i+1])
	}
	return resp
}

func alwaysOK(string, int) *http.Response { return answerOf(200) }

// mintClient is a client of api; what conn leaves out of address, method and key is filled in.
func mintClient(t testing.TB, conn Connection, api apiFunc) (*Client, *mintAPI) {
	t.Helper()
	transport := &mintAPI{answer: api}
	conn.BaseURI, conn.Transport = "https://api.example.com/v1", transport
	if conn.SignatureMethod == "" && conn.Token == "" {
		conn.SignatureMethod, conn.Secret = HS256, Secret(strings.Repeat("k", 32))
	}
	c, err := NewClient(&conn)
	if err != nil {
		t.Fatal(err)
	}
	return c, transport
}

// statusOf makes a GET and returns the status of its answer.
func statusOf(t testing.TB, c *Client) int {
	t.Helper()
	req, err := c.NewRequest(t.Context(), "GET", "/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func minted1(t testing.TB, c *Client) string {
	t.Helper()
	token, err := c.Mint(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func claimsOf(t testing.TB, token string) (claims struct{ Iat, Exp int64 }) {
	t.Helper()
	if err := json.Unmarshal([]byte(payloadOf(t, token)), &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

func payloadOf(t testing.TB, token string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q has %d parts", token, len(parts))
	}
	return string(must(base64.RawURLEncoding.DecodeString(parts[1])))
}

func distinct(tokens []string) int {
	set := make(map[string]bool)
	for _, token := range tokens {
		set[token] = true
	}
	return len(set)
}

// A slowKey is a key in a KMS.
type slowKey struct {
	ed25519.PrivateKey
	sign  func()
	calls *atomic.Int32
}

func newSlowKey(sign func()) slowKey {
	return slowKey{ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), sign, new(atomic.Int32)}
}

func (k slowKey) Sign(r io.Reader, msg []byte, opts crypto.SignerOpts) ([]byte, error) {
	k.calls.Add(1)
	k.sign()
	return k.PrivateKey.Sign(r, msg, opts)
}

func TestEveryAttemptHasAFreshToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, api := mintClient(t, Connection{Payload: `{"iat":"{{now}}","jti":"{{uuid}}"}`}, func(_ string, n int) *http.Response {
			if n < 4 {
				return answerOf(503)
			}
			return answerOf(200)
		})
		if got, want := statusOf(t, c), 200; got != want {
			t.Errorf("status %d, want %d", got, want)
		}
		if got, want := distinct(api.seen), 4; got != want || len(api.seen) != want {
			t.Errorf("%d attempts had %d different tokens, want %d each", len(api.seen), got, want)
		}
		for _, token := range api.seen[1:] {
			if claimsOf(t, token).Iat < claimsOf(t, api.seen[0]).Iat {
				t.Errorf("a later attempt has an older token")
			}
		}
		if got := c.Stats(); got.Minted != 4 || got.Reused != 0 {
			t.Errorf("Stats: %d minted and %d reused, want 4 and 0", got.Minted, got.Reused)
		}
	})
}

func TestATokenIsMintedAfterTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var answered time.Time
		c, api := mintClient(t, Connection{Payload: `{"iat":"{{now}}"}`}, func(_ string, n int) *http.Response {
			if n == 1 {
				return answerOf(429, "Retry-After", "120")
			}
			answered = time.Now()
			return answerOf(200)
		})
		statusOf(t, c)
		if got, want := claimsOf(t, api.seen[1]).Iat, answered.Unix(); got != want {
			t.Errorf("iat %d of a request that left at %d", got, want)
		}
	})
}

func TestOneTokenServesUntil(t *testing.T) {
	tests := []struct {
		name     string
		reuse    time.Duration
		lifetime time.Duration
		payload  JSON
		want     time.Duration
	}{
		{"TokenReuse, where there is no exp", 50 * time.Minute, 0, `{"iat":"{{now}}"}`, 50 * time.Minute},
		{"TokenReuse, where exp is later", 10 * time.Minute, 20 * time.Minute, ``, 10 * time.Minute},
		{"half a minute before exp", time.Hour, 20 * time.Minute, ``, 20*time.Minute - 30*time.Second},
		{"a tenth of a short life before exp", time.Hour, 100 * time.Second, ``, 90 * time.Second},
		{"exp in milliseconds", time.Hour, 0, `{"exp":"{{nowMillis 100}}"}`, 90 * time.Second},
		{"exp as a string", time.Hour, 0, `{"exp":"{{now 100 | string}}"}`, 90 * time.Second},
		{"TokenReuse, where exp is nonsense", time.Minute, 0, `{"exp":"soon"}`, time.Minute},
		{"TokenReuse, where exp is null", time.Minute, 0, `{"exp":null}`, time.Minute},
		{"TokenReuse, where exp is far away", time.Minute, 0, `{"exp":9999999999999999999999}`, time.Minute},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			payload := test.payload
			if payload == "" {
				payload = `{"n":"{{uuid}}"}`
			} else {
				payload = `{"n":"{{uuid}}",` + payload[1:]
			}
			c, _ := mintClient(t, Connection{TokenReuse: test.reuse, Lifetime: test.lifetime, Payload: payload}, alwaysOK)
			first := minted1(t, c)
			time.Sleep(test.want - 1)
			if minted1(t, c) != first {
				t.Errorf("%s: another token after %s, want the same", test.name, test.want-1)
			}
			time.Sleep(time.Nanosecond)
			if minted1(t, c) == first {
				t.Errorf("%s: the same token after %s, want another", test.name, test.want)
			}
		})
	}
}

func TestAnExpiredTokenIsNotReused(t *testing.T) {
	c, _ := mintClient(t, Connection{TokenReuse: time.Hour, Payload: `{"exp":1700000000,"jti":"{{uuid}}"}`}, alwaysOK)
	if a, b := minted1(t, c), minted1(t, c); a == b {
		t.Error("a token that is expired already serves twice")
	}
}

// TestAPNsSeesTwoTokensAnHour has a thousand callers, each with a request every five minutes.
func TestAPNsSeesTwoTokensAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, api := mintClient(t, Connection{TokenReuse: 50 * time.Minute, Payload: `{"iss":"DEF123GHIJ","iat":"{{now}}"}`,
			JWTHeaders: `{"typ":null,"kid":"ABC123DEFG"}`}, alwaysOK)
		var callers sync.WaitGroup
		for range 1000 {
			callers.Go(func() {
				for range 12 {
					statusOf(t, c)
					time.Sleep(5 * time.Minute)
				}
			})
		}
		callers.Wait()
		if got, want := distinct(api.seen), 2; got != want || len(api.seen) != 12000 {
			t.Errorf("%d requests carried %d tokens, want 12000 and %d", len(api.seen), got, want)
		}
		if got := c.Stats(); got.Minted != 2 || got.Reused != 11998 {
			t.Errorf("Stats: %d minted and %d reused, want 2 and 11998", got.Minted, got.Reused)
		}
	})
}

func TestOneSignatureServesAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := newSlowKey(func() { time.Sleep(3 * time.Second) })
		c, _ := mintClient(t, Connection{SignatureMethod: EdDSA, Key: key, TokenReuse: time.Minute, Payload: `{"iat":"{{now}}"}`}, alwaysOK)
		began := time.Now()
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() { minted1(t, c) })
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Mint(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a waiter whose time is over got %v, want %v", err, context.DeadlineExceeded)
		}
		if got, want := time.Since(began), time.Second; got != want {
			t.Errorf("a waiter left after %s, want %s", got, want)
		}
		wg.Wait()
		if got, want := time.Since(began), 3*time.Second; got != want {
			t.Errorf("all had the token after %s, want %s", got, want)
		}
		time.Sleep(57*time.Second - 1) // the token's age counts from its iat
		minted1(t, c)
		if got := key.calls.Load(); got != 1 {
			t.Errorf("%d signatures, want 1", got)
		}
		time.Sleep(time.Nanosecond)
		minted1(t, c)
		if got := key.calls.Load(); got != 2 {
			t.Errorf("%d signatures after a minute, want 2", got)
		}
	})
}

func TestAFailedSignatureReachesAllAndIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failure := errors.New("the HSM is busy")
		key := &failingKey{slowKey: newSlowKey(func() { time.Sleep(time.Second) }), err: failure}
		c, _ := mintClient(t, Connection{SignatureMethod: EdDSA, Key: key, TokenReuse: time.Minute}, alwaysOK)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if _, err := c.Mint(t.Context(), nil); !errors.Is(err, failure) {
					t.Errorf("Mint: %v, want %v", err, failure)
				}
			})
		}
		wg.Wait()
		key.err = nil
		minted1(t, c)
		if got, want := key.calls.Load(), int32(2); got != want {
			t.Errorf("%d signatures were asked for, want %d", got, want)
		}
	})
}

// A failingKey fails as long as it has an error, and then panics where that is errPanic.
type failingKey struct {
	slowKey
	err error
}

var errPanic = errors.New("panic")

func (k *failingKey) Sign(r io.Reader, msg []byte, opts crypto.SignerOpts) ([]byte, error) {
	sig, err := k.slowKey.Sign(r, msg, opts)
	if k.err == errPanic {
		panic(k.err)
	}
	return sig, errors.Join(err, k.err)
}

func TestAPanicOfTheKeyBlocksNobody(t *testing.T) {
	for _, reuse := range []time.Duration{0, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			key := &failingKey{slowKey: newSlowKey(func() { time.Sleep(time.Second) }), err: errPanic}
			c, _ := mintClient(t, Connection{SignatureMethod: EdDSA, Key: key, TokenReuse: reuse,
				RateLimit: RateLimit{Concurrency: 2}}, alwaysOK)
			var panics, failures atomic.Int32
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					defer func() {
						if recover() != nil {
							panics.Add(1)
						}
					}()
					req, _ := c.NewRequest(t.Context(), "GET", "/me", nil)
					if _, err := c.RoundTrip(req); errors.Is(err, errSignerGone) {
						failures.Add(1)
					}
				})
			}
			wg.Wait()
			if panics.Load() == 0 || panics.Load()+failures.Load() != 8 || reuse > 0 && failures.Load() == 0 {
				t.Errorf("reuse %s: %d calls panicked and %d failed, want 8 in all and a panic at least", reuse, panics.Load(), failures.Load())
			}
			key.err = nil
			if got := statusOf(t, c); got != 200 {
				t.Errorf("reuse %s: status %d after the panic, want 200", reuse, got)
			}
			if got := c.Stats().InFlight; got != 0 {
				t.Errorf("reuse %s: %d in flight after all ended, want 0", reuse, got)
			}
		})
	}
}

func TestLifetimeAddsWhatIsMissing(t *testing.T) {
	tests := []struct{ payload, want string }{
		{``, `{"iat":946684800,"exp":946684860}`},
		{`{"iss":"x"}`, `{"iss":"x","iat":946684800,"exp":946684860}`},
		{`{"exp":7,"iss":"x"}`, `{"exp":7,"iss":"x","iat":946684800}`},
		{`{"iat":"{{now -60}}","iss":"x"}`, `{"iat":946684740,"iss":"x","exp":946684860}`},
		{`{"exp":"{{now 9}}","iat":null}`, `{"exp":946684809,"iat":null}`},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			c, _ := mintClient(t, Connection{Payload: JSON(test.payload), Lifetime: time.Minute}, alwaysOK)
			if got := payloadOf(t, minted1(t, c)); got != test.want {
				t.Errorf("Lifetime with Payload %s: %s, want %s", test.payload, got, test.want)
			}
		})
	}
	c, _ := mintClient(t, Connection{Payload: `{"server":true}`}, alwaysOK)
	if got, want := payloadOf(t, minted1(t, c)), `{"server":true}`; got != want {
		t.Errorf("without Lifetime: %s, want %s", got, want)
	}
}

func TestAllActionsOfATokenSeeOneInstant(t *testing.T) {
	c, _ := mintClient(t, Connection{JWTHeaders: `{"at":"{{nowMillis}}"}`, Payload: `{"a":"{{nowMillis}}","b":"{{nowMillis}}"}`}, alwaysOK)
	for range 100 {
		token := minted1(t, c)
		var head, claims map[string]json.Number
		parts := strings.Split(token, ".")
		head = nil
		_ = json.Unmarshal([]byte(strings.Replace(string(must(base64.RawURLEncoding.DecodeString(parts[0]))), `"alg":"HS256","typ":"JWT",`, "", 1)), &head)
		_ = json.Unmarshal([]byte(payloadOf(t, token)), &claims)
		if claims["a"] == "" || claims["a"] != claims["b"] || claims["a"] != head["at"] {
			t.Fatalf("header %v and claims %v, want one instant", head, claims)
		}
	}
}

func TestAReadyTokenIsSentAsItIs(t *testing.T) {
	c, api := mintClient(t, Connection{Token: "ready.made/token=="}, func(string, int) *http.Response { return answerOf(401) })
	if got := statusOf(t, c); got != 401 {
		t.Errorf("status %d, want 401", got)
	}
	if len(api.seen) != 1 || api.seen[0] != "ready.made/token==" {
		t.Errorf("sent %q, want the token once", api.seen)
	}
	if got := c.Stats(); got.Minted != 0 || got.Refused != 1 {
		t.Errorf("Stats: %d minted and %d refused, want 0 and 1", got.Minted, got.Refused)
	}
	if got := minted1(t, c); got != "ready.made/token==" {
		t.Errorf("Mint gives %q", got)
	}
}

func TestTokenTellsTypeAndExpiry(t *testing.T) {
	const expiring = "eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDAwMDB9.x" // {"exp":1700000000}
	tests := []struct {
		name   string
		conn   Connection
		scheme string
		expiry time.Time
	}{
		{"the default", Connection{Payload: `{"exp":1900000000}`}, "Bearer", time.Unix(1900000000, 0)},
		{"no exp", Connection{}, "Bearer", time.Time{}},
		{"another scheme", Connection{Placement: []Placement{{In: "query", Name: "jwt"}, {Scheme: "JWT"}}}, "JWT", time.Time{}},
		{"no header", Connection{Placement: []Placement{{In: "query", Name: "jwt"}}}, "", time.Time{}},
		{"a ready-made token", Connection{Token: expiring}, "Bearer", time.Unix(1700000000, 0)},
		{"a ready-made token that is no JWT", Connection{Token: "opaque"}, "Bearer", time.Time{}},
	}
	for _, test := range tests {
		c, _ := mintClient(t, test.conn, alwaysOK)
		got, err := c.Token(t.Context())
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if got.Type != test.scheme || !got.Expiry.Equal(test.expiry) || got.Value == "" {
			t.Errorf("%s: type %q and expiry %s, want %q and %s", test.name, got.Type, got.Expiry, test.scheme, test.expiry)
		}
	}
	bound, _ := mintClient(t, Connection{Payload: `{"m":"{{.Request.Method}}"}`}, alwaysOK)
	if _, err := bound.Token(t.Context()); err == nil || !strings.Contains(err.Error(), "use Mint") {
		t.Errorf("Token of a connection whose tokens depend on the request: %v, want an error that points to Mint", err)
	}
}

func TestErrorsOfRenderingNameTheirSetting(t *testing.T) {
	const notWhole = "int: its argument is not a whole number"
	for field, change := range map[string]func(*Connection){
		"Payload":               func(c *Connection) { c.Payload = `{"a":"{{.Request.Host | int}}"}` },
		"JWTHeaders":            func(c *Connection) { c.JWTHeaders = `{"a":"{{.Request.Host | int}}"}` },
		"HTTPHeaders[x-a]":      func(c *Connection) { c.HTTPHeaders = map[string]string{"x-a": "{{.Request.Host | int}}"} },
		"Exchange.Params":       func(c *Connection) { c.Exchange.Params = `{"a":"{{.Request.Host | int}}"}` },
		"Exchange.Headers[x-a]": func(c *Connection) { c.Exchange.Headers = map[string]string{"x-a": "{{.Token | int}}"} },
	} {
		client := dialFake(t, replies(), func(c *Connection) {
			if strings.HasPrefix(field, "Exchange") {
				c.Exchange = &Exchange{TokenURL: fakeTokenURL, Grant: "jwt-bearer"}
			}
			change(c)
		})
		_, err := client.RoundTrip(fakeRequest(t, "GET", nil))
		if err == nil || !strings.HasPrefix(err.Error(), "jwtbearer: ") || !strings.Contains(err.Error(), field+": "+notWhole) ||
			strings.Count(err.Error(), "jwtbearer: ") != 1 {
			t.Errorf("%s: %v; want the field and %q, with the package's name once", field, err, notWhole)
		}
	}
	for field, change := range map[string]func(*Ping){
		"Ping.RelativeURI":  func(p *Ping) { p.RelativeURI = "/{{.Token | int}}" },
		"Ping.Body":         func(p *Ping) { p.Method, p.Body = "POST", "{{.Request.Host | int}}" },
		"Ping.Headers[x-a]": func(p *Ping) { p.Headers = map[string]string{"x-a": "{{.Token | int}}"} },
	} {
		report, err := dialFake(t, replies(), func(c *Connection) { change(&c.Ping) }).Test(t.Context())
		if err == nil || !strings.Contains(report.String(), field+": "+notWhole) {
			t.Errorf("%s: %v, and the report says\n%s\nwant %s: %s", field, err, report, field, notWhole)
		}
	}
}
