package jwtbearer

import (
	"context"
	"crypto/elliptic"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var allSteps = []string{"config", "key", "token", "exchange", "resolve", "connect", "tls", "request", "verdict"}

// step returns the last step of that name.
func (r *Report) step(name string) Step {
	var found Step
	for _, s := range r.Steps {
		if s.Name == name {
			found = s
		}
	}
	return found
}

// checkReport holds a report to what every report promises.
func checkReport(t *testing.T, r *Report, err error, kind Kind) {
	t.Helper()
	if r == nil {
		t.Fatalf("the report is nil, with %v", err)
	}
	var names []string
	for _, s := range r.Steps {
		names = append(names, s.Name)
	}
	if got := slices.Compact(names); !slices.Equal(got, allSteps) {
		t.Errorf("the steps are %v; want %v", got, allSteps)
	}
	if r.Kind != kind || r.OK != (kind == KindOK) || r.OK != (err == nil) {
		t.Errorf("the report is %s, OK %t, with %v; want %s\n%s", r.Kind, r.OK, err, kind, r)
	}
	verdict := r.step("verdict")
	if !r.OK && (verdict.Status != StatusFailed || verdict.Hint == "" && !strings.Contains(verdict.Detail, ";")) {
		t.Errorf("the verdict is %+v; want a failure with a hint", verdict)
	}
	text, jsonErr := r.MarshalJSON()
	if jsonErr != nil {
		t.Errorf("MarshalJSON: %v", jsonErr)
	}
	for _, shown := range []string{r.String(), string(text), fmt.Sprint(err)} {
		if strings.Contains(shown, "hunter2") {
			t.Errorf("a secret is shown: %s", shown)
		}
	}
}

func answerWith(status int, header, value, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if header != "" {
			w.Header().Set(header, value)
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func TestTestClassifiesAnswers(t *testing.T) {
	const jsonType = "application/json"
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		change  func(*Connection)
		kind    Kind
		say     string // in the table
	}{
		{"200", answerWith(200, "", "", "{}"), nil, KindOK, "200 OK"},
		{"204", answerWith(204, "", "", ""), nil, KindOK, "204"},
		{"401", answerWith(401, "WWW-Authenticate", `Bearer error="invalid_token", error_description="bad signature"`, ""), nil, KindAuthRejected, "bad signature"},
		{"403", answerWith(403, "Content-Type", jsonType, `{"message":"no scope"}`), nil, KindAuthRejected, "no scope"},
		{"404", answerWith(404, "", "", ""), nil, KindNotFound, "/v2"},
		{"410", answerWith(410, "", "", ""), nil, KindNotFound, "410"},
		{"429", answerWith(429, "Retry-After", "1800", ""), nil, KindThrottled, "30m0s"},
		{"500", answerWith(500, "", "", ""), nil, KindServerError, "500"},
		{"405", answerWith(405, "", "", ""), nil, KindUnexpectedAnswer, "405"},
		{"302 without Location", answerWith(302, "", "", ""), nil, KindUnexpectedAnswer, "302"},
		{"302 to nowhere", answerWith(302, "Location", "http://[::1?hunter2", ""), nil, KindUnexpectedAnswer, "Location"},
		{"a Success rule for 404", answerWith(404, "", "", ""), func(c *Connection) { c.Ping.Success = []Rule{{Status: []int{404}}} }, KindOK, "404"},
		{"no Success rule for 200", answerWith(200, "Content-Type", jsonType, `{"up":false}`),
			func(c *Connection) { c.Ping.Success = []Rule{{Path: "up", Values: []string{"true"}}} }, KindUnexpectedAnswer, "Ping.Success"},
		{"a Success rule for 200", answerWith(200, "Content-Type", jsonType, `{"up":true}`),
			func(c *Connection) { c.Ping.Success = []Rule{{Path: "up", Values: []string{"true"}}} }, KindOK, "200"},
		{"a Fail rule for 200", answerWith(200, "Content-Type", jsonType, `{"ok":false,"why":["the account","is closed"]}`), func(c *Connection) {
			c.Ping.Fail = []Rule{{Path: "ok", Values: []string{"false"}}}
			c.Ping.ErrorPath = "why[*]"
		}, KindUnexpectedAnswer, "the account; is closed"},
		{"a Fail rule beats Success", answerWith(200, "Content-Type", jsonType, `{"ok":false}`), func(c *Connection) {
			c.Ping.Success, c.Ping.Fail = []Rule{{Status: []int{200}}}, []Rule{{Path: "ok", Values: []string{"false"}}}
		}, KindUnexpectedAnswer, "Ping.Fail[0]"},
		{"a ready-made token", answerWith(200, "", "", ""), func(c *Connection) {
			*c = Connection{BaseURI: c.BaseURI, Token: "hunter2.hunter2"}
		}, KindOK, "ready-made"},
		{"an AuthFailure rule", answerWith(400, "Content-Type", jsonType, `{"code":"JWT"}`),
			func(c *Connection) { c.AuthFailure = []Rule{{Path: "code", Values: []string{"JWT"}}} }, KindAuthRejected, "JWT"},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := httptest.NewServer(test.handler)
			defer srv.Close()
			c := validConnection()
			c.BaseURI = srv.URL + "/v2?key=hunter2"
			c.Payload, c.Secrets = `{"iss":"me","deep":{"k":["{{.Secrets.k}}"]}}`, map[string]Secret{"k": "hunter2-claim"}
			if test.change != nil {
				test.change(c)
			}
			r, err := c.Test(t.Context())
			checkReport(t, r, err, test.kind)
			if !strings.Contains(r.String(), test.say) {
				t.Errorf("the report does not say %q:\n%s", test.say, r)
			}
			if c.Token == "" && (r.Header != `{"alg":"HS256","typ":"JWT"}` || r.Claims != `{"iss":"me","deep":{"k":["******"]}}`) {
				t.Errorf("the token reported is %s %s; want it without what came from Secrets", r.Header, r.Claims)
			}
			if r.step("connect").Status != StatusOK || r.step("tls").Status != StatusSkipped {
				t.Errorf("the network steps are %+v and %+v", r.step("connect"), r.step("tls"))
			}
		})
	}
}

func TestTestDoesNotWaitWhereThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		c := clientOf(t, "https://h", func(c *Connection) {
			c.Transport = roundTrip(func(req *http.Request) (*http.Response, error) {
				sent++
				return &http.Response{StatusCode: 429, Header: http.Header{"Retry-After": {"20"}}, Body: http.NoBody}, nil
			})
		})
		began := time.Now()
		for i := range 2 { // the second finds the gate closed
			r, err := c.Test(t.Context())
			checkReport(t, r, err, KindThrottled)
			if wait, ok := RetryAfter(err); !ok || wait != r.RetryAfter || wait < 20*time.Second-time.Millisecond || sent != 1 {
				t.Errorf("Test %d gave %v after %d requests, RetryAfter %s; want 20s after one", i, err, sent, r.RetryAfter)
			}
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("the tests took %s; want no wait", took)
		}
	})
}

func TestTestEndsAfter30Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clientOf(t, "https://h", func(c *Connection) {
			c.Timeout = -1
			c.Transport = roundTrip(func(req *http.Request) (*http.Response, error) {
				<-req.Context().Done()
				return nil, req.Context().Err()
			})
		})
		began := time.Now()
		r, err := c.Test(t.Context())
		checkReport(t, r, err, KindUnreachable)
		if took := time.Since(began); took != 30*time.Second || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Test ended after %s with %v; want 30s", took, err)
		}
	})
}

func TestTestTellsThatItsOwnPaceLeftNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clientOf(t, "https://h", func(c *Connection) {
			c.RateLimit.Interval = time.Hour
			c.Transport = roundTrip(func(*http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
			})
		})
		r, err := c.Test(t.Context())
		checkReport(t, r, err, KindOK)
		r, err = c.Test(t.Context())
		checkReport(t, r, err, KindThrottled)
		if hint := r.step("verdict").Hint; !strings.Contains(hint, "RateLimit") {
			t.Errorf("the hint is %q; want it to name RateLimit", hint)
		}
	})
}

func TestTestReportsBadConfigurations(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Connection)
		kind   Kind
		failed []string
	}{
		{"base and method", func(c *Connection) { c.BaseURI, c.SignatureMethod = "", "none" }, KindBadConfig, []string{"config", "config", "verdict"}},
		{"key", func(c *Connection) { c.SignatureMethod, c.Secret, c.PrivateKey = RS256, "", "hunter2" }, KindBadKey, []string{"key", "verdict"}},
		{"wrong key", func(c *Connection) { c.SignatureMethod, c.Secret, c.Key = RS256, "", newECKey(t, elliptic.P256()) }, KindBadKey, []string{"key", "verdict"}},
		{"secret", func(c *Connection) { c.Secret = "hunter2" }, KindBadKey, []string{"key", "verdict"}},
		{"both", func(c *Connection) { c.Secret, c.BaseURI = "hunter2", "" }, KindBadConfig, []string{"config", "key", "verdict"}},
		{"key of elsewhere", func(c *Connection) {
			c.SignatureMethod, c.Secret, c.Key = ES256, "", wrongHalf{newECKey(t, elliptic.P256()).Public()}
		}, KindBadKey, []string{"token", "request", "verdict"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := validConnection()
			c.BaseURI = "http://127.0.0.1:1"
			test.change(c)
			r, err := c.Test(t.Context())
			checkReport(t, r, err, test.kind)
			var failed []string
			for _, s := range r.Steps {
				if s.Status == StatusFailed {
					failed = append(failed, s.Name)
				}
			}
			if !slices.Equal(failed, test.failed) {
				t.Errorf("the failed steps are %v; want %v\n%s", failed, test.failed, r)
			}
		})
	}
}

func TestTestFindsTheStepOfTheNetworkThatFails(t *testing.T) {
	secure := httptest.NewUnstartedServer(answerWith(200, "", "", ""))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	mutual := httptest.NewUnstartedServer(answerWith(200, "", "", ""))
	mutual.Config.ErrorLog = secure.Config.ErrorLog
	mutual.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	mutual.StartTLS()
	defer mutual.Close()
	plain := httptest.NewServer(answerWith(200, "", "", ""))
	defer plain.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}))
	key := newECKey(t, elliptic.P256())
	for _, test := range []struct {
		name   string
		base   string
		change func(*Connection)
		kind   Kind
		failed string // the first step that failed
	}{
		{"no such host", "https://nothing.invalid", nil, KindUnreachable, "resolve"},
		{"refused", closed.URL, nil, KindUnreachable, "connect"},
		{"unknown authority", secure.URL, nil, KindTLSFailed, "tls"},
		{"wrong host", secure.URL, func(c *Connection) { c.TLS = TLS{CA: ca, ServerName: "other.example"} }, KindTLSFailed, "tls"},
		{"plain http on a TLS port", "https://" + plain.Listener.Addr().String(), nil, KindTLSFailed, "tls"},
		{"client certificate missing", mutual.URL, func(c *Connection) { c.TLS.CA = ca }, KindTLSFailed, "tls"},
		{"client certificate", mutual.URL, func(c *Connection) {
			c.TLS = TLS{CA: ca, Certificate: certificateOf(t, key), PrivateKey: privatePEM(t, key)}
		}, KindOK, ""},
		{"known authority", secure.URL, func(c *Connection) { c.TLS = TLS{CA: ca, MinVersion: "1.3"} }, KindOK, ""},
		{"any authority", secure.URL, func(c *Connection) { c.TLS.InsecureSkipVerify = true }, KindOK, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := validConnection()
			c.BaseURI = test.base
			if test.change != nil {
				test.change(c)
			}
			r, err := c.Test(t.Context())
			checkReport(t, r, err, test.kind)
			i := slices.IndexFunc(r.Steps, func(s Step) bool { return s.Status == StatusFailed })
			if failed := i >= 0; failed != (test.failed != "") || failed && r.Steps[i].Name != test.failed {
				t.Errorf("want %q as the first failed step:\n%s", test.failed, r)
			}
			if detail := r.step("tls").Detail; r.OK && !strings.Contains(detail, "TLS 1.3, certificate until ") {
				t.Errorf("the step tls says %q; want version and end of the certificate", detail)
			}
			if warned := strings.Contains(r.String(), "InsecureSkipVerify"); warned != c.TLS.InsecureSkipVerify {
				t.Errorf("the warning of InsecureSkipVerify is there: %t", warned)
			}
		})
	}
}

func TestTestReportsTheClock(t *testing.T) {
	for ahead, say := range map[time.Duration]string{412 * time.Second: " s ahead of this one", -time.Hour: " s behind this one", 0: "the connection works"} {
		refused := 0
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
			if expiry := expiryOf(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")); time.Until(expiry.Add(-ahead)).Abs() > 90*time.Second {
				refused++
				w.WriteHeader(401)
			}
		}, func(c *Connection) { c.Lifetime = time.Minute })
		r, err := c.Test(t.Context())
		checkReport(t, r, err, KindOK)
		if !strings.Contains(r.String(), say) || (r.Skew-ahead).Abs() > 2*time.Second || (refused > 0) != (ahead != 0) {
			t.Errorf("a clock %s ahead gives Skew %s after %d refusals:\n%s", ahead, r.Skew, refused, r)
		}
	}
}

// TestATokenForTheServersTimeHasNotExpired has a server whose clock is an hour behind, so that by the clock here the token that it
// takes was never valid.
func TestATokenForTheServersTimeHasNotExpired(t *testing.T) {
	late := func(token string) int {
		if time.Until(expiryOf(token).Add(time.Hour)).Abs() > 90*time.Second {
			return http.StatusUnauthorized
		}
		return http.StatusOK
	}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		w.Header().Set("Date", httpDate(-time.Hour))
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/token" {
			token = r.FormValue("assertion")
		}
		if token != "at" {
			w.WriteHeader(late(token))
		}
		io.WriteString(w, `{"access_token":"at"}`)
	}))
	defer api.Close()
	for _, exchange := range []*Exchange{nil, {TokenURL: "/token", Grant: "jwt-bearer"}} {
		c := validConnection()
		c.BaseURI, c.Lifetime, c.Exchange = api.URL, time.Minute, exchange
		r, err := c.Test(t.Context())
		checkReport(t, r, err, KindOK)
		if s := r.step("token"); s.Status != StatusOK || !strings.Contains(s.Detail, "expires in 1m0s") && !strings.Contains(s.Detail, "expires in 59s") {
			t.Errorf("with Exchange %+v the step token is %+v; want one that expires in a minute", exchange, s)
		}
	}
}

func TestTestSendsThePing(t *testing.T) {
	var got *http.Request
	var body string
	c := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		got, body = r, string(data)
	}, func(c *Connection) {
		c.Fields, c.TokenReuse = map[string]string{"id": "a7", "empty": ""}, time.Hour
		c.Ping = Ping{RelativeURI: "/users/{{.Fields.id}}?x=1", Method: "POST", Body: `{"t":"{{.Token}}","p":"{{.Request.Path}}"}`,
			Headers: map[string]string{"x-method": "{{.Request.Method}} {{bodySHA256}}", "X-Token": "{{.Token}}"}}
	})
	r, err := c.Test(t.Context())
	checkReport(t, r, err, KindOK)
	token := strings.TrimPrefix(got.Header.Get("Authorization"), "Bearer ")
	if got.URL.RequestURI() != "/v2/users/a7?key=hunter2&x=1" || got.Method != "POST" || body != `{"t":"`+token+`","p":"/v2/users/a7"}` {
		t.Errorf("the ping was %s %s %s", got.Method, got.URL, body)
	}
	if got.Header.Get("X-Token") != token || len(got.Header.Get("X-Method")) != len("POST ")+64 {
		t.Errorf("the headers of the ping were %v", got.Header)
	}
	c = serve(t, nil, func(c *Connection) { c.Ping.RelativeURI = "//evil.com" })
	r, err = c.Test(t.Context())
	checkReport(t, r, err, KindBadConfig)
}

func TestValuesInTheAddressOfAPingAreEscaped(t *testing.T) {
	tests := []struct{ ref, want string }{
		{"/users/{{.Fields.odd}}", "/v2/users/a%2Fb%3Fc=d%20e?key=hunter2"},
		{"/users?x={{.Fields.odd}}&y={{.Secrets.k}}", "/v2/users?key=hunter2&x=a%2Fb%3Fc%3Dd%20e&y=hunter2-claim"},
		{"/{{randomHex 1 | trim | hex | sha256 | upper}}/{{.Fields.odd}}", "/a%2Fb%3Fc=d%20e?key=hunter2"},
		{"{{.Fields.path}}", "/v2/users?key=hunter2&q=1"},
		{"{{.Fields.path}}&x={{.Fields.odd}}", "/v2/users?key=hunter2&q=1&x=a%2Fb%3Fc%3Dd%20e"},
	}
	for _, tt := range tests {
		var got string
		c := serve(t, func(_ http.ResponseWriter, r *http.Request) { got = r.URL.RequestURI() }, func(c *Connection) {
			c.Fields, c.Secrets = map[string]string{"odd": "a/b?c=d e", "path": "/users?q=1"}, map[string]Secret{"k": "hunter2-claim"}
			c.Ping.RelativeURI = tt.ref
		})
		r, err := c.Test(t.Context())
		checkReport(t, r, err, KindOK)
		if !strings.HasSuffix(got, tt.want) {
			t.Errorf("%s: the ping went to %s, want %s", tt.ref, got, tt.want)
		}
	}
	conn := validConnection()
	conn.Fields, conn.Ping.RelativeURI = map[string]string{"x": ".."}, "/users/{{.Fields.x}}"
	if problem := problemOf(conn.Validate(), "Ping.RelativeURI"); problem == nil || !strings.Contains(problem.Problem, "dots") {
		t.Errorf("a value .. in the path: %v, want it refused", conn.Validate())
	}
}

func TestTestTellsOfALoginPageElsewhere(t *testing.T) {
	login := httptest.NewServer(answerWith(200, "Content-Type", "text/html", "<html>"))
	defer login.Close()
	c := serve(t, answerWith(302, "Location", login.URL, ""))
	r, err := c.Test(t.Context())
	checkReport(t, r, err, KindUnexpectedAnswer)
	if !strings.Contains(r.String(), "login") {
		t.Errorf("the report does not tell of the login page:\n%s", r)
	}
}

func TestTestWarnsOfAnExpiredReadyMadeToken(t *testing.T) {
	signer := must(NewSigner(HS256, []byte(testSecret)))
	token := must(signer.Sign([]byte(`{"alg":"HS256"}`), []byte(`{"exp":1000000000}`)))
	c := serve(t, answerWith(401, "", "", ""), func(c *Connection) { *c = Connection{BaseURI: c.BaseURI, Token: Secret(token)} })
	r, err := c.Test(t.Context())
	checkReport(t, r, err, KindAuthRejected)
	if s := r.step("token"); s.Status != StatusWarning || !strings.Contains(s.Detail, "expired") || r.Claims != `{"exp":1000000000}` {
		t.Errorf("the step token is %+v, the claims %s; want a warning", s, r.Claims)
	}
	if signature := token[strings.LastIndex(token, ".")+1:]; strings.Contains(r.String()+string(must(r.MarshalJSON())), signature) {
		t.Error("the report holds the signature")
	}
}

func TestConnectionTestClosesWhatItOpened(t *testing.T) {
	conns := make(chan http.ConnState, 100)
	srv := httptest.NewUnstartedServer(answerWith(200, "", "", strings.Repeat("x", 100<<10)))
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew || state == http.StateClosed {
			conns <- state
		}
	}
	srv.Start()
	defer srv.Close()
	own := &http.Transport{}
	defer own.CloseIdleConnections()
	for _, transport := range []http.RoundTripper{nil, own} {
		c := validConnection()
		c.BaseURI, c.Transport = srv.URL, transport
		r, err := c.Test(t.Context())
		checkReport(t, r, err, KindOK)
		for _, want := range []http.ConnState{http.StateNew, http.StateClosed} {
			select {
			case got := <-conns:
				if got != want {
					t.Errorf("a connection became %s; want %s", got, want)
				}
			case <-time.After(5 * time.Second):
				t.Fatalf("with Transport %T no connection became %s", transport, want)
			}
		}
	}
}

func TestConnectionTestLeavesTheCallersConnectionsOpen(t *testing.T) {
	srv := httptest.NewServer(answerWith(200, "", "", ""))
	defer srv.Close()
	dialled := 0
	own := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		dialled++
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	defer own.CloseIdleConnections()
	c := validConnection()
	c.BaseURI, c.Transport = srv.URL, own
	client := must(NewClient(c))
	for i := range 2 {
		if _, err := get(t, client, "/", nil); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Test(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want := 2 + i; dialled != want {
			t.Errorf("after %d tests %d connections were dialled; want %d", i+1, dialled, want)
		}
	}
}
