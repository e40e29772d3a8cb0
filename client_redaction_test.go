package jwtbearer

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

func TestNothingPrintsAKeyOrAToken(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	conn := &Connection{Name: "n", BaseURI: "https://api.example.com", SignatureMethod: RS256, PrivateKey: Secret(text),
		Passphrase: "TESTING pass phrase", Payload: `{"jti":"{{uuid}}"}`, Secrets: map[string]Secret{"s": "TESTING other secret"},
		Transport: replies()}
	c, err := NewClient(conn)
	if err != nil {
		t.Fatal(err)
	}
	token, err := c.Mint(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	made, err := c.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{text[100:140], key.D.String(), token, string(made.Value), "TESTING pass", "TESTING other"}
	values := map[string]any{"Client": *c, "*Client": c, "Connection": *conn, "*Connection": conn, "*Token": made, "Token": *made}
	for name, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			if shown := fmt.Sprintf(verb, value); containsAny(shown, secrets) {
				t.Errorf("%s of %s shows a secret", verb, name)
			}
		}
	}
}

func TestCallsShowNoTokenInErrorsAndLogs(t *testing.T) {
	bearer := func(r *http.Request) string { return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ") }
	echo := func(status int, fields ...string) func(*http.Request) (*http.Response, error) {
		return func(r *http.Request) (*http.Response, error) {
			resp := fakeReply(status, `{"error":"bad","message":"your token `+bearer(r)+` is bad"}`, fields...)
			resp.Header.Set("Content-Type", "application/json")
			resp.Header.Set("WWW-Authenticate", `Bearer error="invalid_token", error_description="`+bearer(r)+`"`)
			return resp, nil
		}
	}
	for name, handle := range map[string]func(*http.Request) (*http.Response, error){
		"server error":   echo(500),
		"bad request":    echo(400),
		"refused token":  echo(401),
		"throttle":       echo(429, "Retry-After", "900"),
		"short throttle": echo(429, "Retry-After", "1"),
		"transport error": func(r *http.Request) (*http.Response, error) {
			return nil, errors.New("cannot send " + bearer(r) + " to " + r.URL.String())
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			var tokens []string
			log := new(capture)
			c := dialFake(t, &fakeAPI{handle: func(_ int, r *http.Request) (*http.Response, error) {
				tokens = append(tokens, bearer(r))
				return handle(r)
			}}, func(conn *Connection) {
				conn.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
				conn.Secrets = map[string]Secret{"tenant": "t3nantpath"}
				conn.BaseURI += "/{{.Secrets.tenant}}"
				conn.Placement = []Placement{{Scheme: "Bearer"}, {In: "query", Name: "jwt"}, {In: "cookie", Name: "jwt"}}
			})
			req, err := c.NewRequest(t.Context(), "GET", "/x?key=s3cret", nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Do(req, nil)
			secrets := append(tokens, fakeSecret, "s3cret", "t3nantpath")
			if err == nil || log.String() == "" {
				t.Fatalf("%s: %v, %q logged, want an error and a record", name, err, log.String())
			}
			if containsAny(log.String(), secrets) {
				t.Errorf("%s: the log shows a token, key or query: %s", name, log)
			}
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
				for e := err; e != nil; e = errors.Unwrap(e) {
					if shown := fmt.Sprintf(verb, e); containsAny(shown, secrets) {
						t.Errorf("%s: %s of the error shows a token, key or query: %s", name, verb, shown)
					}
				}
			}
			if refused, ok := errors.AsType[*ResponseError](err); ok && containsAny(string(refused.Body), secrets) {
				t.Errorf("%s: ResponseError.Body shows a token", name)
			}
		})
	}
}

func TestCancelledCallTellsOfTheLastAnswerWithoutItsToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var token string
		ctx, cancel := context.WithCancel(t.Context())
		c := dialFake(t, &fakeAPI{handle: func(_ int, r *http.Request) (*http.Response, error) {
			token = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			defer cancel()
			return fakeReply(503, "refused "+token), nil
		}}, nil)
		_, err := c.RoundTrip(fakeRequest(t, "GET", nil).WithContext(ctx))
		refused, ok := errors.AsType[*ResponseError](err)
		if !ok || refused.StatusCode != 503 || !errors.Is(err, context.Canceled) {
			t.Fatalf("RoundTrip: %v, want context.Canceled and the 503", err)
		}
		if strings.Contains(string(refused.Body)+err.Error(), token) {
			t.Errorf("%v with body %q shows the token", err, refused.Body)
		}
	})
}

func containsAny(text string, secrets []string) bool {
	for _, secret := range secrets {
		if secret != "" && strings.Contains(text, secret) {
			return true
		}
	}
	return false
}

// capture keeps what is written to it.
type capture struct {
	mu   sync.Mutex
	text strings.Builder
}

func (c *capture) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.Write(p)
}

func (c *capture) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

func TestErrorsHideTheSecretsThatAnAnswerRepeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, status := range []int{400, 401} {
			c := dialFake(t, &fakeAPI{handle: func(int, *http.Request) (*http.Response, error) {
				resp := fakeReply(status, `{"error":"hush-hush","message":"you sent hush-hush"}`)
				resp.Header.Set("Content-Type", "application/json")
				resp.Header.Set("WWW-Authenticate", `Bearer error="hush-hush", error_description="not hush-hush"`)
				return resp, nil
			}}, func(conn *Connection) { conn.Secrets = map[string]Secret{"s": "hush-hush"} })
			_, err := c.Do(fakeRequest(t, "GET", nil), nil)
			text := fmt.Sprintf("%v %+v", err, err)
			if refused, ok := errors.AsType[*ResponseError](err); ok {
				text += string(refused.Body) + refused.Message + refused.Code
			}
			if err == nil || strings.Contains(text, "hush") || !strings.Contains(text, redacted) {
				t.Errorf("status %d: the error is %s", status, text)
			}
		}
	})
}

func TestReportOfASuccessHidesTheTokenThatTheBodyShows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var token string
		c := dialFake(t, &fakeAPI{handle: func(_ int, r *http.Request) (*http.Response, error) {
			token = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			resp := fakeReply(200, `{"error":"bad","message":"your token `+token+` is bad"}`)
			resp.Header.Set("Content-Type", "application/json")
			return resp, nil
		}}, func(*Connection) {})
		report, err := c.Test(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if shown := report.String(); token == "" || strings.Contains(shown, token) || !strings.Contains(shown, "your token ****** is bad") {
			t.Errorf("the report shows the token %q:\n%s", token, shown)
		}
	})
}
