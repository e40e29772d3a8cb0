package jwtbearer

import (
	"context"
	"crypto/elliptic"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// replyWith is what a server answers to every request; fields are names and values in turn.
func replyWith(status int, body string, fields ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(fields); i += 2 {
			w.Header().Set(fields[i], fields[i+1])
		}
		w.WriteHeader(status)
		w.Write([]byte(body))
	}
}

func replyJSON(status int, body string, fields ...string) http.HandlerFunc {
	return replyWith(status, body, append(fields, "Content-Type", "application/json")...)
}

// bearer answers with a challenge (RFC 6750, section 3).
func bearer(status int, params string) http.HandlerFunc {
	return replyWith(status, "", "WWW-Authenticate", "Bearer "+params)
}

// breakOff answers with less than it promised.
func breakOff(status int, part string, fields ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		replyWith(status, part, append(fields, "Content-Length", "100")...)(w, r)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
}

func TestTestTellsWhatToChangeAfterAnAnswer(t *testing.T) {
	none := func(*Connection) {}
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		change  func(*Connection)
		kind    Kind
		hint    string // in the table
	}{
		{"401 invalid_request", bearer(401, `error="invalid_request"`), none, KindAuthRejected, "set Placement"},
		{"400 invalid_request", bearer(400, `error="invalid_request"`), none, KindAuthRejected, "set Placement"},
		{"401 invalid_token", bearer(401, `error="invalid_token"`), none, KindAuthRejected, "Secret (and SecretEncoding)"},
		{"401 invalid_token, in words", bearer(401, `error="invalid_token", error_description="the audience is wrong"`), none, KindAuthRejected, "the token has aud wrong"},
		{"401 insufficient_scope", bearer(401, `error="insufficient_scope", scope="read"`), none, KindAuthRejected, "scope read"},
		{"403 insufficient_scope", bearer(403, `error="insufficient_scope", scope="read write"`), none, KindAuthRejected, "scope read write, in Payload"},
		{"403 insufficient_scope without a scope", bearer(403, `error="insufficient_scope"`), none, KindAuthRejected, "in Payload"},
		{"401 with a challenge only", bearer(401, `realm="x"`), none, KindAuthRejected, "does not say why"},
		{"401 with nothing", replyWith(401, ""), none, KindAuthRejected, "empty body"},
		{"401 for a ready-made token", replyWith(401, ""), func(c *Connection) { *c = Connection{BaseURI: c.BaseURI, Token: "a.b.c"} }, KindAuthRejected, "get a new Token"},
		{"401 expired ready-made token", replyJSON(401, `{"message":"jwt expired"}`), func(c *Connection) {
			*c = Connection{BaseURI: c.BaseURI, Token: "e30.eyJleHAiOjEwMDAwMDAwMDB9.c"}
		}, KindAuthRejected, "Token has expired"},
		{"wrong alg", replyJSON(401, `{"message":"Invalid algorithm"}`), none, KindAuthRejected, "signed by HS256: set SignatureMethod"},
		{"wrong secret", replyJSON(401, `{"error":"invalid signature"}`), none, KindAuthRejected, "SecretEncoding"},
		{"wrong key", replyJSON(401, `{"error":{"code":"BAD_JWT","message":"Signature verification failed"}}`), func(c *Connection) {
			c.SignatureMethod, c.Secret, c.PrivateKey, c.JWTHeaders = ES256, "", testES256(t), `{"kid":"k1"}`
		}, KindAuthRejected, "compare PrivateKey with the public key that is registered there as k1"},
		{"wrong aud", replyJSON(401, `{"error":"invalid_audience"}`), none, KindAuthRejected, "the token has aud wrong: set aud in Payload"},
		{"wrong aud in 400", replyJSON(400, `{"error":"invalid_token","error_description":"jwt audience invalid. expected: x"}`), none, KindUnexpectedAnswer, "set aud in Payload"},
		{"wrong iss", replyJSON(401, `{"message":"Unknown issuer"}`), none, KindAuthRejected, "the token has iss me: set iss in Payload"},
		{"iss from Secrets", replyJSON(401, `{"message":"Unknown issuer"}`), func(c *Connection) {
			c.Secrets, c.Payload = map[string]Secret{"i": "hunter2-iss"}, `{"iss":"{{.Secrets.i}}"}`
		}, KindAuthRejected, "the token has iss ******"},
		{"no sub", replyJSON(401, `{"message":"subject required"}`), none, KindAuthRejected, "the token has no sub: add it to Payload"},
		{"too long-lived", replyJSON(401, `{"message":"'Expiration time' claim ('exp') is too far in the future"}`), func(c *Connection) { c.Lifetime = time.Hour },
			KindAuthRejected, "the token lives 1h0m0s: lower Lifetime"},
		{"no exp", replyJSON(401, `{"message":"exp claim required"}`), none, KindAuthRejected, "the token has no exp: set Lifetime"},
		{"a duration for exp", replyJSON(401, `{"message":"token expired"}`), func(c *Connection) { c.Payload = `{"iat":"{{now}}","exp":300}` }, KindAuthRejected, "exp is a time, as in {{now 300}}"},
		{"not yet valid", replyJSON(401, `{"message":"Token used before issued"}`), none, KindAuthRejected, "{{now -60}}"},
		{"a wrong clock, the token stays refused", replyJSON(401, `{"message":"Token used before issued"}`, "Date", httpDate(-10*time.Minute)), none,
			KindAuthRejected, "s behind this one"},
		{"a wrong clock, without words", replyWith(401, "", "Date", httpDate(412*time.Second)), none, KindAuthRejected, "s ahead of this one: correct one of them"},
		{"a wrong clock, expired", replyJSON(401, `{"message":"token expired"}`, "Date", httpDate(412*time.Second)), none, KindAuthRejected, "s ahead of this one"},
		{"missing kid", replyJSON(401, `{"message":"kid is required"}`), none, KindAuthRejected, `set JWTHeaders to {"kid": "…"}`},
		{"unknown kid", replyJSON(401, `{"message":"Unable to find the key"}`), func(c *Connection) { c.JWTHeaders = `{"kid":"k9"}` }, KindAuthRejected, "the token names the key k9"},
		{"jti used", replyJSON(401, `{"message":"jti already used"}`), func(c *Connection) { c.TokenReuse, c.Payload = time.Hour, `{"jti":"x"}` }, KindAuthRejected, "set TokenReuse to zero"},
		{"jti constant", replyJSON(401, `{"message":"jti already used"}`), func(c *Connection) { c.Payload = `{"jti":"x"}` }, KindAuthRejected, "{{uuid}}"},
		{"jti missing", replyJSON(401, `{"message":"replay"}`), none, KindAuthRejected, `add "jti": "{{uuid}}"`},
		{"wrong typ", replyJSON(401, `{"message":"unexpected typ"}`), none, KindAuthRejected, "typ in JWTHeaders"},
		{"no token found", replyJSON(401, `{"message":"Missing Authentication Token"}`), func(c *Connection) {
			c.Placement = []Placement{{In: "query", Name: "jwt"}}
		}, KindAuthRejected, "goes to query jwt: set Placement"},
		{"403 as permission", replyJSON(403, `{"message":"Forbidden"}`), none, KindAuthRejected, "the token was understood, but may not do this"},
		{"403 as throttle, by a rule", replyJSON(403, `{"reason":"rateLimitExceeded"}`, "Retry-After", "1800"), func(c *Connection) {
			c.RateLimit.Rules = []Rule{{Status: []int{403}, Path: "reason", Values: []string{"rateLimitExceeded"}}}
		}, KindThrottled, "retry after 30m0s"},
		{"403 as throttle, by the profile", replyWith(403, "", "X-Ratelimit-Remaining", "0", "X-Ratelimit-Reset", "4102444800"), func(c *Connection) {
			c.RateLimit.Profile = "github"
		}, KindThrottled, "quota: 0 left"},
		{"403 as throttle, without a rule", replyJSON(403, `{"message":"API rate limit exceeded"}`), none, KindThrottled, "RateLimit.Rules"},
		{"403 with Retry-After", replyWith(403, "", "Retry-After", "5"), none, KindThrottled, "Rule{Status: []int{403}, …}"},
		{"429 that no rule fits", replyWith(429, ""), func(c *Connection) { c.RateLimit.Rules = []Rule{{Status: []int{403}}} }, KindThrottled, "RateLimit.Rules"},
		{"429 at once", replyWith(429, "", "Retry-After", "1800", "RateLimit", `"default";r=0;t=1800`), none, KindThrottled, "quota: 0 left, renewed in 30m0s"},
		{"404", replyWith(404, ""), none, KindNotFound, "check BaseURI and Ping.RelativeURI"},
		{"404 with the base path twice", replyWith(404, ""), func(c *Connection) { c.BaseURI += "/v1"; c.Ping.RelativeURI = "/v1/users" }, KindNotFound,
			"/v1/v1/users, where /v1 stands twice"},
		{"404 with a part of the base path twice", replyWith(404, ""), func(c *Connection) { c.BaseURI += "/api/v1"; c.Ping.RelativeURI = "/v1" }, KindNotFound,
			"where /v1 stands twice"},
		{"405", replyWith(405, "", "Allow", "POST"), none, KindUnexpectedAnswer, "set Ping.Method to what is allowed here: POST"},
		{"405 without Allow", replyWith(405, ""), none, KindUnexpectedAnswer, "set Ping.Method"},
		{"a page", replyWith(200, "<html>", "Content-Type", "text/html; charset=utf-8"), none, KindUnexpectedAnswer, "an HTML page"},
		{"a page that is right", replyWith(200, "<html>", "Content-Type", "text/html"), func(c *Connection) { c.Ping.Success = []Rule{{Status: []int{200}}} }, KindOK, "200"},
		{"a page as text", replyWith(200, "<html>", "Content-Type", "text/html"), func(c *Connection) { c.SuccessMediaType = MediaPlaintext }, KindOK, "200"},
		{"a redirect to a page", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/login" {
				http.Redirect(w, r, "/login", http.StatusFound)
				return
			}
			w.Header().Set("Content-Type", "text/html")
		}, none, KindUnexpectedAnswer, "redirected to the page /login, which looks like a login"},
		{"200 with an error", replyJSON(200, `{"ok":false,"error":"invalid_auth"}`), none, KindOK, "the body tells of an error: invalid_auth"},
		{"200 with a list of errors", replyJSON(200, `{"errors":[{"message":"not you"}]}`), none, KindOK, "Ping.Fail"},
		{"200 without success", replyJSON(200, `{"success":false}`), none, KindOK, "see its member success"},
		{"200 with an error and a rule", replyJSON(200, `{"ok":false,"error":"invalid_auth"}`), func(c *Connection) {
			c.Ping.Fail = []Rule{{Path: "ok", Values: []string{"false"}}}
		}, KindUnexpectedAnswer, "invalid_auth"},
		{"an XML error and a rule", replyWith(200, `<r><ok>false</ok><why>no such user</why></r>`, "Content-Type", "text/xml"), func(c *Connection) {
			c.Ping.Fail, c.Ping.ErrorPath = []Rule{{Path: "//ok", Values: []string{"false"}}}, "//why"
		}, KindUnexpectedAnswer, "no such user"},
		{"an XML refusal by a rule", replyWith(400, `<r><code>JWT</code><why>bad signature</why></r>`, "Content-Type", "text/xml"), func(c *Connection) {
			c.AuthFailure, c.Ping.ErrorPath = []Rule{{Path: "//code", Values: []string{"JWT"}}}, "//why"
		}, KindAuthRejected, "SecretEncoding"},
		{"an XML success", replyWith(200, `<r><up>yes</up></r>`, "Content-Type", "text/xml"), func(c *Connection) {
			c.Ping.Success = []Rule{{Path: "//up", Values: []string{"yes"}}}
		}, KindOK, "200 OK"},
		{"no XML success", replyWith(200, `<r><up>no</up></r>`, "Content-Type", "text/xml"), func(c *Connection) {
			c.Ping.Success = []Rule{{Path: "//up", Values: []string{"yes"}}}
		}, KindUnexpectedAnswer, "matches none of Ping.Success"},
		{"200 empty", replyWith(200, ""), none, KindOK, "empty body"},
		{"200 empty where JSON is decoded", replyWith(200, ""), func(c *Connection) { c.SuccessMediaType = MediaJSON }, KindOK, "SuccessMediaType is json"},
		{"a quota", replyWith(200, "{}", "RateLimit-Limit", "100", "RateLimit-Remaining", "41", "RateLimit-Reset", "17"), none, KindOK, "quota: 41 of 100 left, renewed in 17s"},
		{"304", replyWith(304, ""), none, KindUnexpectedAnswer, "take If-None-Match"},
		{"300", replyWith(300, ""), none, KindUnexpectedAnswer, "the API redirects"},
		{"a body that breaks off", breakOff(200, `{"a":`), none, KindUnexpectedAnswer, "the answer (200 OK) broke off after 5 bytes: unexpected EOF"},
		{"what to do about it", breakOff(200, `{"a":`), none, KindUnexpectedAnswer, "a proxy before it"},
		{"a body that a rule takes and that breaks off", breakOff(201, "x"), func(c *Connection) { c.Ping.Success = []Rule{{Status: []int{201}}} },
			KindUnexpectedAnswer, "the answer (201 Created) broke off"},
		{"a refusal that breaks off", breakOff(403, `{"message":"no`), none, KindAuthRejected, "the token was understood"},
		{"a failure that breaks off", breakOff(200, "x"), func(c *Connection) { c.Ping.Fail = []Rule{{Status: []int{200}}} },
			KindUnexpectedAnswer, "matches Ping.Fail[0]"},
		{"a stream that breaks off", breakOff(200, "data: 1", "Content-Type", "text/event-stream"), none, KindOK, "200 OK"},
		{"500", replyWith(500, ""), none, KindServerError, "the API itself failed"},
		{"503 with Retry-After", replyWith(503, "", "Retry-After", "900"), none, KindThrottled, "15m0s"},
		{"503", replyJSON(503, `{"message":"down for maintenance"}`), none, KindServerError, "down for maintenance"},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := httptest.NewServer(test.handler)
			defer srv.Close()
			c := validConnection()
			c.BaseURI, c.Payload = srv.URL, `{"iss":"me","aud":"wrong"}`
			test.change(c)
			r, err := c.Test(t.Context())
			checkReport(t, r, err, test.kind)
			if !strings.Contains(r.String(), test.hint) {
				t.Errorf("the report does not say %q:\n%s", test.hint, r)
			}
			want := StatusFailed
			if r.OK {
				want = StatusOK
			}
			if got := r.step("request").Status; got != want && got != StatusWarning {
				t.Errorf("the step request is %s; want %s\n%s", got, want, r)
			}
		})
	}
}

func httpDate(ahead time.Duration) string { return time.Now().Add(ahead).UTC().Format(http.TimeFormat) }

// A sluggish body gives its bytes and then nothing, until its request ends.
type sluggishBody struct {
	io.Reader
	ctx context.Context
}

func (b *sluggishBody) Read(p []byte) (int, error) {
	if n, err := b.Reader.Read(p); err == nil {
		return n, nil
	}
	<-b.ctx.Done()
	return 0, b.ctx.Err()
}

func (b *sluggishBody) Close() error { return nil }

func TestTestFindsAnAnswerThatStalls(t *testing.T) {
	for _, test := range []struct {
		contentType string
		timeout     time.Duration
		kind        Kind
		took        time.Duration
	}{
		{"application/json", 5 * time.Second, KindUnexpectedAnswer, 5 * time.Second},
		{"application/octet-stream", 5 * time.Second, KindUnexpectedAnswer, 5 * time.Second},
		{"application/json", -1, KindUnexpectedAnswer, probeTimeout},
		{"text/event-stream", 5 * time.Second, KindOK, 0},
		{"application/json;stream=watch", 5 * time.Second, KindOK, 0},
		{"application/x-ndjson", 5 * time.Second, KindOK, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := validConnection()
			c.BaseURI, c.Timeout = "https://api.example.com", test.timeout
			c.Transport = transportFunc(func(req *http.Request) (*http.Response, error) {
				resp := fakeReply(200, "", "Content-Type", test.contentType)
				resp.Body = &sluggishBody{strings.NewReader(`{"a":`), req.Context()}
				return resp, nil
			})
			began := time.Now()
			r, err := c.Test(t.Context())
			checkReport(t, r, err, test.kind)
			if took := time.Since(began); took != test.took && test.kind != KindOK {
				t.Errorf("%s with Timeout %s: Test took %s; want %s", test.contentType, test.timeout, took, test.took)
			}
			if test.kind == KindOK {
				return
			}
			if verdict := r.step("verdict"); !strings.Contains(verdict.Detail, "the answer (200 OK) stopped after 5 bytes") || strings.Contains(verdict.Hint, "raise Timeout (5s)") != (test.timeout > 0) {
				t.Errorf("%s with Timeout %s: the verdict is %+v", test.contentType, test.timeout, verdict)
			}
			if got := r.step("request").Status; got != StatusFailed || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s with Timeout %s: the step request is %s, the error %v", test.contentType, test.timeout, got, err)
			}
		})
	}
}

func TestTheErrorOfARefusedSuccessSaysWhatWasUnexpected(t *testing.T) {
	for want, change := range map[string]func(*Connection){
		"jwtbearer: 200 OK: the answer matches Ping.Fail[0]":                            func(c *Connection) { c.Ping.Fail = []Rule{{Status: []int{200}}} },
		"jwtbearer: 200 OK: the answer matches none of Ping.Success":                    func(c *Connection) { c.Ping.Success = []Rule{{Status: []int{201}}} },
		"jwtbearer: 200 OK: the answer is an HTML page, not what an API tells programs": func(*Connection) {},
	} {
		c := serve(t, replyWith(200, "<html>", "Content-Type", "text/html"), change)
		r, err := c.Test(t.Context())
		checkReport(t, r, err, KindUnexpectedAnswer)
		answer, ok := errors.AsType[*ResponseError](err)
		if !ok || answer.StatusCode != 200 || err.Error() != want {
			t.Errorf("Test gives the error %v; want %s", err, want)
		}
	}
}

func TestTheVerdictOnAThrottleSaysSoOnce(t *testing.T) {
	for _, row := range []struct {
		rule Rule
		want string
	}{
		{Rule{Status: []int{429}}, "throttled: 429 Too Many Requests after 1 attempt by rules[0]; retry after 30m0s"},
		{Rule{Status: []int{429}, Class: "overload"}, "throttled (overload): 429 Too Many Requests after 1 attempt by rules[0]; retry after 30m0s"},
	} {
		c := serve(t, replyWith(429, "", "Retry-After", "1800"), func(c *Connection) { c.RateLimit.Rules = []Rule{row.rule} })
		r, err := c.Test(t.Context())
		checkReport(t, r, err, KindThrottled)
		if got := r.step("verdict").Detail; got != row.want {
			t.Errorf("the verdict is %q; want %q", got, row.want)
		}
		r, err = c.Test(t.Context()) // the gate is closed
		checkReport(t, r, err, KindThrottled)
		if got := r.step("verdict").Detail; strings.Count(got, "throttled") != 1 {
			t.Errorf("the verdict at a closed gate is %q; want throttled in it once", got)
		}
	}
}

func TestASuccessThatSaysNothingBadIsNotDoubted(t *testing.T) {
	for _, body := range []string{`{}`, `{"error":null,"errors":[],"ok":true}`, `{"error":false}`, `{"error":"","fault":{}}`, `[{"error":"x"}]`, `"error"`, `not JSON`,
		`{"status":"error-free"}`} {
		c := serve(t, replyJSON(200, body))
		r, err := c.Test(t.Context())
		checkReport(t, r, err, KindOK)
		if s := r.step("request"); s.Status != StatusOK {
			t.Errorf("the answer %s gives %+v; want no warning", body, s)
		}
	}
}

func testES256(t *testing.T) Secret { return privatePEM(t, newECKey(t, elliptic.P256())) }
