package jwtbearer

import (
	"bytes"
	"context"
	"crypto/elliptic"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTokenErrorTellsWhatTheEndpointSaid(t *testing.T) {
	html := func(status int) *http.Response {
		return fakeReply(status, "<html><title>Sign in</title></html>", "Content-Type", "text/html; charset=utf-8")
	}
	json := func(status int, body string) *http.Response {
		return fakeReply(status, body, "Content-Type", "application/json")
	}
	tests := []struct {
		name   string
		answer func() *http.Response
		want   TokenError // of Hint only a part
	}{
		{"RFC 6749", func() *http.Response {
			return json(400, `{"error":"invalid_scope","error_description":"no such scope","error_uri":"https://e.example.com/1"}`)
		}, TokenError{StatusCode: 400, Code: "invalid_scope", Description: "no such scope", URI: "https://e.example.com/1", Hint: "scopes that the client was granted"}},
		{"wrong aud", func() *http.Response { return refusedWith(400, "invalid_grant", "Invalid audience in the assertion") },
			TokenError{StatusCode: 400, Code: "invalid_grant", Description: "Invalid audience in the assertion", Hint: "aud must be"}},
		{"unknown kid", func() *http.Response { return refusedWith(401, "invalid_client", "no key found for the kid") },
			TokenError{StatusCode: 401, Code: "invalid_client", Description: "no key found for the kid", Hint: "knows no key"}},
		{"replay", func() *http.Response {
			return refusedWith(400, "invalid_grant", "Please check the 'jti' claim. A unique value is needed")
		},
			TokenError{StatusCode: 400, Code: "invalid_grant", Description: "Please check the 'jti' claim. A unique value is needed", Hint: "uuid"}},
		{"signature", func() *http.Response { return refusedWith(400, "invalid_grant", "Invalid JWT Signature.") },
			TokenError{StatusCode: 400, Code: "invalid_grant", Description: "Invalid JWT Signature.", Hint: "SignatureMethod"}},
		{"lifetime", func() *http.Response {
			return refusedWith(400, "invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes)")
		},
			TokenError{StatusCode: 400, Code: "invalid_grant", Description: "Invalid JWT: Token must be a short-lived token (60 minutes)", Hint: "Lifetime"}},
		{"clock", func() *http.Response {
			resp := refusedWith(400, "invalid_grant", "expired")
			resp.Header.Set("Date", time.Now().Add(10*time.Minute).UTC().Format(http.TimeFormat))
			return resp
		}, TokenError{StatusCode: 400, Code: "invalid_grant", Description: "expired", Hint: "the server's clock is 600 s ahead of this one"}},
		{"unauthorized client", func() *http.Response { return refusedWith(400, "unauthorized_client", "") },
			TokenError{StatusCode: 400, Code: "unauthorized_client", Hint: "may not use this grant"}},
		{"consent", func() *http.Response { return json(400, `{"error":"consent_required"}`) },
			TokenError{StatusCode: 400, Code: "consent_required", Hint: "consent"}},
		{"GitHub", func() *http.Response {
			return json(401, `{"message":"'Expiration time' claim ('exp') is too far in the future","documentation_url":"https://docs.github.com/rest"}`)
		}, TokenError{StatusCode: 401, Description: "'Expiration time' claim ('exp') is too far in the future", Hint: "further than the server allows"}},
		{"an object", func() *http.Response { return json(403, `{"error":{"message":"no","status":"DENIED"}}`) },
			TokenError{StatusCode: 403, Code: "DENIED", Description: "no"}},
		{"a page", func() *http.Response { return html(200) },
			TokenError{StatusCode: 200, Description: "the answer has no token at TokenPath: it is text/html of 35 bytes", Hint: "TokenURL"}},
		{"a page that is not there", func() *http.Response { return html(404) }, TokenError{StatusCode: 404, Description: "text/html of 35 bytes", Hint: "TokenURL and Method"}},
		{"no token", func() *http.Response { return json(200, `{"id_token":"hidden","expires_in":1}`) },
			TokenError{StatusCode: 200, Description: "the answer has no token at TokenPath: it is a JSON object with expires_in, id_token", Hint: "TokenPath"}},
		{"null", func() *http.Response { return json(200, `{"access_token":null}`) },
			TokenError{StatusCode: 200, Description: "the answer has no token at TokenPath: it is a JSON object with access_token", Hint: "TokenPath"}},
		{"an error with 200", func() *http.Response { return json(200, `{"error":"bad_verification_code","error_description":"no"}`) },
			TokenError{StatusCode: 200, Description: "the answer has no token at TokenPath: it is a JSON object with error, error_description", Hint: "TokenPath"}},
		{"a known error with 200", func() *http.Response {
			return json(200, `{"error":"invalid_scope","error_description":"no"}`)
		}, TokenError{StatusCode: 200, Code: "invalid_scope", Description: "the answer has no token at TokenPath: it is a JSON object with error, error_description",
			Hint: "scopes that the client was granted"}},
		{"nothing", func() *http.Response { return json(204, "") },
			TokenError{StatusCode: 204, Description: "the answer has no token at TokenPath: it is empty", Hint: "TokenPath"}},
		{"cut", func() *http.Response { return json(200, `{"access_token":"hidden`) },
			TokenError{StatusCode: 200, Description: "the answer has no token at TokenPath: it is application/json of 23 bytes", Hint: "TokenPath"}},
		{"too long", func() *http.Response { return json(200, `{"access_token":"`+strings.Repeat("a", 1<<20)+`"}`) },
			TokenError{StatusCode: 200, Description: "the answer has no token at TokenPath: it is longer than 1048576 bytes", Hint: "TokenPath"}},
		{"a token that no header carries", func() *http.Response { return json(200, `{"access_token":"a\nb"}`) },
			TokenError{StatusCode: 200, Description: "the token in the answer holds a character that no header may carry", Hint: "TokenPath"}},
		{"a redirect", func() *http.Response { return fakeReply(307, "", "Location", "https://elsewhere.example.com/token") },
			TokenError{StatusCode: 307, Hint: "redirects of a token endpoint are not followed"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fakeIssuer{endpoint: always(test.answer)}
				c := dialIssuer(t, f, nil)
				resp, err := c.RoundTrip(fakeRequest(t, "GET", nil))
				got, ok := errors.AsType[*TokenError](err)
				if resp != nil || !ok {
					t.Fatalf("RoundTrip = %v, %v, want a *TokenError", resp, err)
				}
				hint := got.Hint
				want := test.want
				want.Hint = hint
				if *got != want && !(want.Description == "" && got.StatusCode == 307) || !strings.Contains(hint, test.want.Hint) {
					t.Errorf("TokenError = %#v, want %#v", *got, test.want)
				}
				if f.api.count() != 0 {
					t.Errorf("the API was asked %d times without a token", f.api.count())
				}
				req, _ := c.NewRequest(t.Context(), "GET", "/x", nil)
				if _, err := c.Do(req, nil); !errors.As(err, new(*TokenError)) {
					t.Errorf("Do = %v, want a *TokenError", err)
				}
			})
		})
	}
}

func TestNeitherAssertionNorClientSecretIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logs bytes.Buffer
		var sent string
		echo := &fakeAPI{}
		echo.handle = func(n int, req *http.Request) (*http.Response, error) {
			sent = echo.requests()[n-1].body
			if n%3 == 0 {
				return nil, fmt.Errorf("could not send %s", sent)
			}
			return refusedWith(400, "invalid_grant", "cannot accept "+sent), nil
		}
		f := &fakeIssuer{endpoint: echo}
		c := dialIssuer(t, f, func(conn *Connection) {
			conn.Exchange.Params = `{"client_id":"me","client_secret":"in-plain-sight","other":"{{.Secrets.other}}"}`
			conn.Secrets = map[string]Secret{"other": "behind-a-curtain"}
			conn.Logger = slog.New(slog.NewTextHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
			conn.Retry.MaxAttempts = 1
		})
		var shown strings.Builder
		for range 3 {
			_, err := c.RoundTrip(fakeRequest(t, "GET", nil))
			fmt.Fprintf(&shown, "%v %+v %#v ", err, err, err)
			report, err := c.Test(t.Context())
			fmt.Fprintf(&shown, "%v %v %+v %+v", err, report, report, c)
			text, _ := report.MarshalJSON()
			shown.Write(text)
		}
		shown.Write(logs.Bytes())
		form := strings.Split(sent, "assertion=")[1]
		assertion, _, _ := strings.Cut(form, "&")
		signature := assertion[strings.LastIndex(assertion, ".")+1:]
		for _, secret := range []string{"in-plain-sight", "behind-a-curtain", signature, fakeSecret} {
			if strings.Contains(shown.String(), secret) {
				t.Errorf("%q is shown in %s", secret, shown.String())
			}
		}
		if strings.Contains(withoutJWT(shown.String(), "<jwt>"), "<jwt>") {
			t.Errorf("an assertion is shown in %s", shown.String())
		}
	})
}

func TestTokenEndpointRedirectsAreNotFollowed(t *testing.T) {
	asked := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		endpoint := httptest.NewServer(http.RedirectHandler(other.URL, status))
		c := dialServer(t, endpoint, func(conn *Connection) {
			conn.Exchange = &Exchange{TokenURL: "/token", Grant: "jwt-bearer", Params: `{"client_secret":"x"}`}
		})
		_, err := c.Token(t.Context())
		refused, ok := errors.AsType[*TokenError](err)
		if !ok || refused.StatusCode != status || asked != 0 {
			t.Errorf("%d: Token = %v with %d requests elsewhere, want a *TokenError and none", status, err, asked)
		}
		endpoint.Close()
	}
}

func TestBaseURIOfTheAnswer(t *testing.T) {
	tests := []struct {
		name, path, told, want string
		plain                  bool
	}{
		{"alone", "", "https://na1.example.com", "https://na1.example.com", false},
		{"with a slash", "/v2", "https://na1.example.com/", "https://na1.example.com/v2", false},
		{"with a path", "/v2", "https://na1.example.com/org", "https://na1.example.com/org/v2", false},
		{"with a query", "/v2?a=1", "https://na1.example.com", "https://na1.example.com/v2?a=1", false},
		{"template", "/{{.Fields.v}}", "https://na1.example.com", "https://na1.example.com/v%2F2", false},
		{"loopback", "", "http://127.0.0.1:81", "http://127.0.0.1:81", false},
		{"plain http", "", "http://na1.example.com", "", false},
		{"plain http that may be", "", "http://na1.example.com", "http://na1.example.com", true},
		{"another scheme", "", "ftp://na1.example.com", "", false},
		{"user", "", "https://a@na1.example.com", "", false},
		{"query", "", "https://na1.example.com?x=1", "", false},
		{"no host", "", "/relative", "", false},
		{"dots", "", "https://na1.example.com/../x", "", false},
		{"empty", "", "", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := &fakeIssuer{endpoint: always(func() *http.Response { return issued("at", fmt.Sprintf(`,"where":{"url":%q}`, test.told)) })}
			c := dialIssuer(t, f, func(conn *Connection) {
				conn.BaseURI, conn.Exchange.BaseURIPath, conn.AllowPlainHTTP = test.path, "where.url", test.plain
				conn.Fields = map[string]string{"v": "v/2"}
			})
			u, err := c.BaseURI(t.Context())
			if test.want == "" {
				if e, ok := errors.AsType[*TokenError](err); !ok || test.told == "" && !strings.HasSuffix(e.Hint, ".TokenURL and BaseURIPath") {
					t.Errorf("BaseURI = %v, %v, want a *TokenError, whose hint is about BaseURIPath where there is none", u, err)
				}
				return
			}
			if err != nil || u.String() != test.want {
				t.Fatalf("BaseURI = %v, %v, want %s", u, err, test.want)
			}
			req, err := c.NewRequest(t.Context(), "GET", "", nil)
			if err != nil || req.URL.String() != test.want {
				t.Errorf("NewRequest = %v, %v, want %s", req.URL, err, test.want)
			}
			if got := f.endpoint.count(); got != 1 {
				t.Errorf("%d exchanges, want 1", got)
			}
		})
	}
}

func TestBaseURIThatMovesLeavesTheOldOriginTrusted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeIssuer{endpoint: &fakeAPI{handle: func(n int, _ *http.Request) (*http.Response, error) {
			return issued("at", fmt.Sprintf(`,"expires_in":60,"instance_url":"https://na%d.example.com"`, n)), nil
		}}}
		c := dialIssuer(t, f, func(conn *Connection) { conn.BaseURI, conn.Exchange.BaseURIPath = "/v1", "instance_url" })
		send := func(url string) error {
			req, _ := http.NewRequestWithContext(t.Context(), "GET", url, nil)
			resp, err := c.RoundTrip(req)
			if err == nil {
				resp.Body.Close()
			}
			return err
		}
		if err := send("https://na1.example.com/v1/a"); err != nil {
			t.Errorf("the first request, before any exchange: %v", err)
		}
		if err := send("https://na2.example.com/v1/a"); !errors.Is(err, ErrForeignOrigin) {
			t.Errorf("a request elsewhere: %v, want ErrForeignOrigin", err)
		}
		time.Sleep(2 * time.Minute)
		if err := send("https://na1.example.com/v1/b"); err != nil {
			t.Error(err)
		}
		for _, url := range []string{"https://na1.example.com/v1/next-page", "https://na2.example.com/v1/c"} {
			if err := send(url); err != nil {
				t.Errorf("%s after the move: %v", url, err)
			}
		}
		if u, err := c.BaseURI(t.Context()); err != nil || u.Host != "na2.example.com" {
			t.Errorf("BaseURI = %v, %v, want the new one", u, err)
		}
	})
}

func TestExchangeSettingsThatCannotWork(t *testing.T) {
	ring := &Exchange{TokenURL: "/t", Grant: "jwt-bearer"}
	ring.Next = ring
	tests := []struct {
		field, say string
		change     func(*Connection)
	}{
		{"Exchange.TokenURL", "empty", func(c *Connection) { c.Exchange.TokenURL = "" }},
		{"Exchange.TokenURL", "plain http", func(c *Connection) { c.Exchange.TokenURL = "http://login.example.com/t" }},
		{"Exchange.TokenURL", "user name", func(c *Connection) { c.Exchange.TokenURL = "https://a:b@login.example.com/t" }},
		{"Exchange.TokenURL", "fragment", func(c *Connection) { c.Exchange.TokenURL = "https://login.example.com/t#x" }},
		{"Exchange.TokenURL", "lengthen the host", func(c *Connection) { c.Exchange.TokenURL = "t" }},
		{"Exchange.TokenURL", "host", func(c *Connection) {
			c.Exchange.TokenURL, c.Fields = "https://{{.Fields.h}}/t", map[string]string{"h": "evil.example.com/"}
		}},
		{"Exchange.TokenURL", "not absolute", func(c *Connection) {
			c.Exchange.TokenURL, c.Exchange.BaseURIPath, c.BaseURI = "/t", "url", ""
		}},
		{"BaseURI", "not a path", func(c *Connection) { c.Exchange.BaseURIPath = "url" }},
		{"Exchange.Method", "not a method", func(c *Connection) { c.Exchange.Method = "A B" }},
		{"Exchange.Encoding", "unknown", func(c *Connection) { c.Exchange.Encoding = "xml" }},
		{"Exchange.Encoding", "parameters to send", func(c *Connection) { c.Exchange.Encoding = "none" }},
		{"Exchange.Encoding", "has no body", func(c *Connection) { c.Exchange.Encoding, c.Exchange.Method = "json", "GET" }},
		{"Exchange.Params", "invalid JSON", func(c *Connection) { c.Exchange.Params = `{` }},
		{"Exchange.Params", "unknown", func(c *Connection) { c.Exchange.Params = `{"a":"{{.Fields.none}}"}` }},
		{"Exchange.Params", "looks at the body", func(c *Connection) { c.Exchange.Params = `{"a":"{{bodySHA256}}"}` }},
		{"Exchange.Headers[Authorization]", "where the token goes", func(c *Connection) {
			c.Exchange.Bearer, c.Exchange.Headers = true, map[string]string{"Authorization": "Basic x"}
		}},
		{"Exchange.TokenPath", "JSONPath", func(c *Connection) { c.Exchange.TokenPath = "a[" }},
		{"Exchange.ExpiresIn", "negative", func(c *Connection) { c.Exchange.ExpiresIn = -1 }},
		{"Exchange.RateLimit.Profile", "githup", func(c *Connection) { c.Exchange.RateLimit.Profile = "githup" }},
		{"Exchange", "nowhere", func(c *Connection) { c.Exchange.Grant = "" }},
		{"Exchange.Next.TokenURL", "empty", func(c *Connection) { c.Exchange.Next = &Exchange{Bearer: true} }},
		{"Exchange.Next", "end the chain", func(c *Connection) { c.Exchange = ring }},
		{"Payload", "holds the token itself", func(c *Connection) { c.Payload = `{"d":"{{bodySHA256}}"}` }},
		{"TokenReuse", "beside Exchange", func(c *Connection) { c.TokenReuse = time.Minute }},
	}
	for _, test := range tests {
		conn := &Connection{BaseURI: "https://api.example.com", SignatureMethod: ES256, Key: newECKey(t, elliptic.P256()),
			Exchange: &Exchange{TokenURL: "/t", Grant: "jwt-bearer"}}
		test.change(conn)
		err := conn.Validate()
		found := false
		for _, problem := range configErrors(err) {
			found = found || problem.Field == test.field && strings.Contains(problem.Error(), test.say)
		}
		if !found {
			t.Errorf("%s: Validate = %v, want %q", test.field, err, test.say)
		}
	}
}

func TestReportOfAnExchange(t *testing.T) {
	tests := []struct {
		name     string
		endpoint func(n int) (*http.Response, error)
		kind     Kind
		step     Status
		say      string
		hint     string
	}{
		{"ok", func(int) (*http.Response, error) { return issued("at", `,"expires_in":60`), nil }, KindOK, StatusOK, "Bearer token of 2 bytes, expires in 59s", ""},
		{"expires_in of the past", func(int) (*http.Response, error) { return issued("at", `,"expires_in":-1`), nil }, KindOK, StatusWarning,
			"has expired already: it serves until it is refused", ""},
		{"expires_at of the past", func(int) (*http.Response, error) { return issued("at", `,"expires_at":"0001-01-01T00:00:00Z"`), nil }, KindOK, StatusWarning,
			"has expired already: it serves until it is refused", ""},
		{"expires_in of zero", func(int) (*http.Response, error) { return issued("at", `,"expires_in":0`), nil }, KindOK, StatusOK, "Bearer token of 2 bytes", ""},
		{"a past that another member corrects", func(int) (*http.Response, error) {
			return issued("at", `,"expires_in":60,"expires_at":"0001-01-01T00:00:00Z"`), nil
		}, KindOK, StatusOK, "expires in 59s", ""},
		{"refused", func(int) (*http.Response, error) { return refusedWith(400, "invalid_scope", "no"), nil }, KindExchangeFailed, StatusFailed,
			"400 Bad Request: invalid_scope: no", ""},
		{"unreachable", func(int) (*http.Response, error) { return nil, errors.New("connection refused") }, KindExchangeFailed, StatusFailed,
			"connection refused", "Exchange.TokenURL"},
		{"throttled", func(int) (*http.Response, error) { return fakeReply(429, "", "Retry-After", "90"), nil }, KindThrottled, StatusFailed, "throttled", "try again later"},
		{"down", func(int) (*http.Response, error) { return fakeReply(503, ""), nil }, KindExchangeFailed, StatusFailed, "503", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fakeIssuer{endpoint: &fakeAPI{handle: func(n int, req *http.Request) (*http.Response, error) {
					if err := sleep(req.Context(), time.Second); err != nil {
						return nil, err
					}
					return test.endpoint(n)
				}}}
				c := dialIssuer(t, f, nil)
				report, err := c.Test(t.Context())
				var step, token Step
				var names []string
				for _, s := range report.Steps {
					names = append(names, s.Name)
					switch s.Name {
					case "exchange":
						step = s
					case "token":
						token = s
					}
				}
				if report.Kind != test.kind || report.OK != (err == nil) || step.Status != test.step || !strings.Contains(step.Detail, test.say) || step.Took != time.Second {
					t.Errorf("report = %v\n%v, want %s, exchange %s with %q after 1s", report, err, test.kind, test.step, test.say)
				}
				if got, want := strings.Join(names, " "), "config key token exchange resolve connect tls request verdict"; got != want {
					t.Errorf("steps %q, want %q", got, want)
				}
				if hint := report.Steps[len(report.Steps)-1].Hint; !strings.Contains(hint, test.hint) {
					t.Errorf("hint %q, want %q", hint, test.hint)
				}
				if token.Status != StatusOK || !strings.Contains(string(report.Claims), `"iss":"me"`) {
					t.Errorf("token step %v, claims %s, want those of the assertion", token, report.Claims)
				}
				if test.kind == KindThrottled && (report.RetryAfter < 89*time.Second || f.endpoint.count() != 1) {
					t.Errorf("RetryAfter = %v after %d requests, want 90s after 1", report.RetryAfter, f.endpoint.count())
				}
			})
		})
	}
}

func TestTimeoutsHoldAtTheTokenEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeIssuer{endpoint: &fakeAPI{handle: func(n int, req *http.Request) (*http.Response, error) {
			if n == 1 {
				<-req.Context().Done()
				return nil, context.Cause(req.Context())
			}
			return issued("at-2", ""), nil
		}}}
		c := dialIssuer(t, f, func(conn *Connection) { conn.Timeout = 5 * time.Second })
		if got := carried(t, c, f); got != "Bearer at-2" {
			t.Errorf("Authorization = %q, want at-2 after a silence", got)
		}
		if wait := f.endpoint.waits()[0]; wait < 5*time.Second {
			t.Errorf("the second attempt came after %v, want 5s and more", wait)
		}
	})
}

func TestExchangeTakesNothingForATokenThatIsNone(t *testing.T) {
	for body, want := range map[string]string{
		`{"access_token":"AT1","token_type":null,"expires_in":null}`: "Bearer AT1",
		`{"access_token":{"a":1}}`:                                   "",
		`{"access_token":true}`:                                      "",
		`{"access_token":["a","b"]}`:                                 "",
		`{"access_token":null}`:                                      "",
	} {
		synctest.Test(t, func(t *testing.T) {
			var sent string
			c := dialFake(t, &fakeAPI{handle: func(_ int, r *http.Request) (*http.Response, error) {
				if r.URL.Path == "/token" {
					return fakeReply(200, body, "Content-Type", "application/json"), nil
				}
				sent = r.Header.Get("Authorization")
				return fakeReply(200, ""), nil
			}}, func(conn *Connection) {
				conn.Exchange = &Exchange{TokenURL: "https://api.example.com/token", Grant: "jwt-bearer"}
			})
			_, err := c.Do(fakeRequest(t, "GET", nil), nil)
			if _, refused := errors.AsType[*TokenError](err); refused != (want == "") || sent != want {
				t.Errorf("%s: sent %q, error %v, want %q", body, sent, err, want)
			}
			if report, err := c.Test(t.Context()); (err == nil) != (want != "") || want == "" && (report.Kind != KindExchangeFailed || report.Steps[len(report.Steps)-1].Hint == "") {
				t.Errorf("%s: Test gave %v\n%v", body, err, report)
			}
		})
	}
}
