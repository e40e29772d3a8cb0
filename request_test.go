package jwtbearer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/redact"
)

// clientOf returns a Client whose base is that.
func clientOf(t testing.TB, base string, change ...func(*Connection)) *Client {
	t.Helper()
	c := validConnection()
	c.BaseURI = base
	for _, f := range change {
		f(c)
	}
	client, err := NewClient(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	return client
}

func TestNewRequestAppendsTheReferenceByteForByte(t *testing.T) {
	for _, test := range []struct{ base, ref, want string }{
		{"https://h/v2", "/me", "https://h/v2/me"},
		{"https://h/v2", "/me?x=1", "https://h/v2/me?x=1"},
		{"https://h/v2", "", "https://h/v2"},
		{"https://h/v2", "?x=1", "https://h/v2?x=1"},
		{"https://h/v2/", "/me", "https://h/v2//me"},
		{"https://h/v2/", "me", "https://h/v2/me"},
		{"https://h/v2", ".json", "https://h/v2.json"},
		{"https://h", "", "https://h"},
		{"https://h", "/me", "https://h/me"},
		{"https://h?k=1", "?x=1", "https://h?k=1&x=1"},
		{"https://h/v2?k=1", "/me?x=1#frag?y", "https://h/v2/me?k=1&x=1"},
		{"https://h/v2?k=1", "/me", "https://h/v2/me?k=1"},
		{"https://h/v2", "/a%2Fb/%e4/c+d", "https://h/v2/a%2Fb/%e4/c+d"},
		{"https://h/a%2Fb", "/c", "https://h/a%2Fb/c"},
		{"https://h/v2", "/me?q=a%20b&q=%C3%A4&empty&c=%26", "https://h/v2/me?q=a%20b&q=%C3%A4&empty&c=%26"},
		{"https://h/v2", "/me?next=https://other/", "https://h/v2/me?next=https://other/"},
		{"https://h/v2", "/a//b", "https://h/v2/a//b"},
		{"https://h/v2", "/...", "https://h/v2/..."},
		{"https://h/v2", "/a..b", "https://h/v2/a..b"},
		{"https://h/v2", "/users:batchGet", "https://h/v2/users:batchGet"},
		{"https://h/v2/", "users:batchGet", "https://h/v2/users:batchGet"},
		{"https://h/v2", "@evil.com", "https://h/v2@evil.com"},
		{"https://h/v2", ":8443/x", "https://h/v2:8443/x"},
		{"https://h/v2", "/a b", "https://h/v2/a%20b"},
		{"https://h/v2?k=1", "https://h/v2/me?page=2", "https://h/v2/me?page=2"},
		{"https://h/v2", "HTTPS://H:443/other?x", "https://H:443/other?x"},
		{"https://h/v2", "https://trusted.example/x", "https://trusted.example/x"},
	} {
		c := clientOf(t, test.base, func(c *Connection) { c.TrustedOrigins = []string{"https://trusted.example"} })
		req, err := c.NewRequest(t.Context(), "GET", test.ref, nil)
		if err != nil {
			t.Errorf("%s + %s: %v", test.base, test.ref, err)
			continue
		}
		if got := req.URL.String(); got != test.want || req.Host != req.URL.Host {
			t.Errorf("%s + %s is %s for host %s; want %s", test.base, test.ref, got, req.Host, test.want)
		}
	}
}

func TestNewRequestRefusesReferencesThatLeadElsewhere(t *testing.T) {
	for _, test := range []struct {
		base, ref string
		foreign   bool
	}{
		{"https://h/v2", "//evil.com/x?hunter2", false},
		{"https://h", "//evil.com", false},
		{"https://h", "@evil.com/", false},
		{"https://h", ".evil.com/", false},
		{"https://h", "evil.com/", false},
		{"https://h", ":8443/x", false},
		{"https://h?k=1", "me", false},
		{"https://h", `\evil.com`, false},
		{"https://h/v2", "/..", false},
		{"https://h/v2", "/../x?hunter2", false},
		{"https://h/v2/", "../x", false},
		{"https://h/v2", "/a/./b", false},
		{"https://h/v2", "/%2e%2E/x", false},
		{"https://h/v2", "/.%2e", false},
		{"https://h/v2", `/a\..\b`, false},
		{"https://h/v2", "/a%2f..%2fb", false},
		{"https://h/v2", "/a%5C..", false},
		{"https://h/v2", "/a\r\nX-Evil: 1?hunter2", false},
		{"https://h/v2", "/a\x00", false},
		{"https://h/v2", "/?q=hunter2 b", false},
		{"https://h/v2", "/%zz?hunter2", false},
		{"https://h/v2", "https://evil.com/?hunter2", true},
		{"https://h/v2", "http://h/v2?hunter2", true},
		{"https://h/v2", "https://h:8443/v2", true},
		{"https://h/v2", "https://h@evil.com/v2", true},
		{"https://h/v2", "https://hunter2:x@h/v2", true},
		{"https://h/v2", "https://h.evil.com/v2", true},
		{"https://h/v2", "ftp://h/", true},
		{"https://h/v2", "https:evil.com", true},
		{"https://h/v2", "https:///v2", true},
	} {
		req, err := clientOf(t, test.base).NewRequest(t.Context(), "GET", test.ref, nil)
		if err == nil {
			t.Errorf("%s + %q is %s; want an error", test.base, test.ref, req.URL)
			continue
		}
		if errors.Is(err, ErrForeignOrigin) != test.foreign {
			t.Errorf("%s + %q gave %v; ErrForeignOrigin: want %t", test.base, test.ref, err, test.foreign)
		}
		if text := err.Error(); strings.Contains(text, "hunter2") || strings.Count(text, "jwtbearer: ") != 1 || !strings.HasPrefix(text, "jwtbearer: new request: ") {
			t.Errorf("%s + %q gave %q; want one prefix and no query", test.base, test.ref, text)
		}
	}
}

func TestNewRequestRefusesWhatNetHTTPRefuses(t *testing.T) {
	c := clientOf(t, "https://h")
	if _, err := c.NewRequest(t.Context(), "GET /", "/", nil); err == nil {
		t.Error("NewRequest took the method \"GET /\"")
	}
	var none context.Context
	if _, err := c.NewRequest(none, "GET", "/", nil); err == nil {
		t.Error("NewRequest took a nil context")
	}
}

// serve starts an API and returns a Client for it that tries everything once.
func serve(t *testing.T, handler http.HandlerFunc, change ...func(*Connection)) *Client {
	t.Helper()
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	return clientOf(t, srv.URL+"/v2?key=hunter2", append([]func(*Connection){func(c *Connection) { c.Retry.MaxAttempts = 1 }}, change...)...)
}

// get calls path and decodes into out.
func get(t *testing.T, c *Client, path string, out any) (*http.Response, error) {
	t.Helper()
	req, err := c.NewRequest(t.Context(), "GET", path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.Do(req, out)
}

func TestDoGivesTypedErrors(t *testing.T) {
	for _, test := range []struct {
		status int
		header []string // names and values
		body   string
		want   error
	}{
		{400, []string{"Content-Type", "application/json"}, `{"error":{"code":"bad_thing","message":"No."}}`,
			&ResponseError{StatusCode: 400, Code: "bad_thing", Message: "No.", Attempts: 1}},
		{404, []string{"Content-Type", "text/plain"}, "not here", &ResponseError{StatusCode: 404, Message: "not here", Attempts: 1}},
		{422, []string{"Content-Type", "application/xml"}, `<f><code>c</code><message>m</message></f>`,
			&ResponseError{StatusCode: 422, Code: "c", Message: "m", Attempts: 1}},
		{500, nil, "", &ResponseError{StatusCode: 500, Attempts: 1}},
		{304, nil, "", &ResponseError{StatusCode: 304, Attempts: 1}},
		{302, nil, "no Location", &ResponseError{StatusCode: 302, Message: "no Location", Attempts: 1}},
		{401, []string{"WWW-Authenticate", `Basic realm="a, b", Bearer realm="x", error="invalid_token", error_description="The token \"t\" expired"`}, "",
			&AuthError{StatusCode: 401, Scheme: "Bearer", Code: "invalid_token", Message: `The token "t" expired`}},
		{401, []string{"WWW-Authenticate", "Bearer"}, "", &AuthError{StatusCode: 401, Scheme: "Bearer"}},
		{401, []string{"WWW-Authenticate", "Negotiate", "WWW-Authenticate", "bearer error=insufficient_scope scope=\"a b\""}, "",
			&AuthError{StatusCode: 401, Scheme: "bearer", Code: "insufficient_scope", Hint: "the token is valid but may not do this: it needs the scope a b"}},
		{401, []string{"Content-Type", "application/json"}, `{"error":"invalid_client","error_description":"who?"}`,
			&AuthError{StatusCode: 401, Code: "invalid_client", Message: "who?"}},
		{429, []string{"Retry-After", "3600"}, "", &ThrottledError{Class: "throttled", Rule: "default rules[0]", Attempts: 1, StatusCode: 429, RetryAfter: time.Hour}},
	} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			for pair := range slices.Chunk(test.header, 2) {
				w.Header().Add(pair[0], pair[1])
			}
			w.WriteHeader(test.status)
			io.WriteString(w, test.body)
		})
		resp, err := get(t, c, "/x?also=hunter2", new(any))
		if resp == nil || resp.StatusCode != test.status {
			t.Errorf("%d: the response is %v; want it besides the error", test.status, resp)
		}
		if answer, ok := errors.AsType[*ResponseError](err); ok {
			if test.status != 304 && string(answer.Body) != test.body {
				t.Errorf("%d: the body kept is %q; want %q", test.status, answer.Body, test.body)
			}
			answer.Body = nil
		}
		if got, want := fmt.Sprintf("%#v", err), fmt.Sprintf("%#v", test.want); got != want {
			t.Errorf("%d %s gave\n%s; want\n%s", test.status, test.body, got, want)
		}
		if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Count(err.Error(), "jwtbearer:") != 1 {
			t.Errorf("%d gave %v; want one prefix and no query", test.status, err)
		}
		if wait, ok := RetryAfter(err); ok != (test.status == 429) || ok && wait != time.Hour {
			t.Errorf("RetryAfter of %v is %s, %t", err, wait, ok)
		}
	}
}

func TestDoKeepsTheResponseOfARedirectThatFails(t *testing.T) {
	for location, say := range map[string]string{"http://[::1?t=hunter2": "Location", "/v2/loop?t=hunter2": "10 redirects"} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", location)
			w.WriteHeader(302)
		})
		resp, err := get(t, c, "/x", nil)
		answer, ok := errors.AsType[*ResponseError](err)
		if resp == nil || resp.StatusCode != 302 || !ok || answer.StatusCode != 302 || !strings.Contains(err.Error(), say) {
			t.Errorf("Location %s gave %v, %v; want the response and a *ResponseError that says %q", location, resp, err, say)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Location %s gave %v, which shows a query", location, err)
		}
	}
}

func TestDoHasNoQueryInErrorsOfTheNetwork(t *testing.T) {
	c := clientOf(t, "https://h.invalid/v2?key=hunter2", func(c *Connection) {
		c.Transport = roundTrip(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })
		c.Retry.MaxAttempts = 1
	})
	resp, err := get(t, c, "/x?y=hunter2", nil)
	if resp != nil || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("Do gave %v, %v; want the error of the transport", resp, err)
	}
	if got, want := err.Error(), "jwtbearer: GET https://h.invalid/v2/x: unexpected EOF"; got != want {
		t.Errorf("the error is %q; want %q", got, want)
	}
}

func TestErrorsHideTheSecretsOfAnAddress(t *testing.T) {
	c := clientOf(t, "https://h.invalid/{{.Secrets.s}}", func(c *Connection) {
		c.Secrets = map[string]Secret{"s": "hunter2 /x"}
		c.Transport = roundTrip(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })
		c.Retry.MaxAttempts = 1
	})
	if _, err := get(t, c, "/x", nil); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("Do gave %v; want an error without the secret", err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// countingBody notes what becomes of a body.
type countingBody struct {
	io.Reader
	read   int
	closed int
}

func (b *countingBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.read += n
	return n, err
}

func (b *countingBody) Close() error { b.closed++; return nil }

func TestDoReadsAndClosesEveryBody(t *testing.T) {
	for _, status := range []int{200, 401, 404, 429, 500} {
		for _, out := range []any{nil, new(any), new(string), new(int)} {
			body := &countingBody{Reader: strings.NewReader(`{"a":1}` + strings.Repeat(" ", 100<<10))}
			c := clientOf(t, "https://h", func(c *Connection) {
				c.Retry.MaxAttempts = 1
				c.Transport = roundTrip(func(*http.Request) (*http.Response, error) {
					header := http.Header{"Content-Type": {"application/json"}, "Retry-After": {"3600"}}
					return &http.Response{StatusCode: status, Header: header, Body: body, ContentLength: -1}, nil
				})
			})
			req := must(c.NewRequest(t.Context(), "POST", "/", io.MultiReader(strings.NewReader("once")))) // no second attempt
			c.Do(req, out)
			if body.closed == 0 || body.read != 100<<10+7 {
				t.Errorf("%d into %T: %d bytes read, closed %d times; want all and once at least", status, out, body.read, body.closed)
			}
		}
	}
}

func TestErrorBodiesAreBoundedAndHoldNoToken(t *testing.T) {
	for name, echo := range map[string]func(token string) string{
		"whole":                      func(token string) string { return "bad token " + token },
		"at the end of what is kept": func(token string) string { return strings.Repeat("x", errorBytes-20) + token + "after" },
		"at the end of words":        func(token string) string { return `{"message":"` + strings.Repeat("x", 280) + token + `"}` },
		"in a code":                  func(token string) string { return `{"code":"` + token + `"}` },
	} {
		for _, status := range []int{400, 401} {
			var token string
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				token = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
				if status == 401 {
					w.Header().Set("WWW-Authenticate", `Bearer error="`+token+`", error_description="`+token+`"`)
				}
				w.WriteHeader(status)
				io.WriteString(w, echo(token))
			})
			_, err := get(t, c, "/", nil)
			shown := fmt.Sprintf("%v %+v", err, err)
			if answer, ok := errors.AsType[*ResponseError](err); ok {
				shown += string(answer.Body)
				if len(answer.Body) > errorBytes {
					t.Errorf("%s: %d bytes are kept; want at most %d", name, len(answer.Body), errorBytes)
				}
			}
			if text, _ := json.Marshal(err); bytes.Contains(text, []byte(token[:redact.LeastPiece])) || strings.Contains(shown, token[:redact.LeastPiece]) {
				t.Errorf("%s, %d: the error shows a piece of the token: %.400s", name, status, shown)
			}
		}
	}
}

func TestThrottledErrorsReadWell(t *testing.T) {
	for want, e := range map[string]*ThrottledError{
		"jwtbearer: throttled: 429 Too Many Requests after 1 attempt by rules[0]; retry after 1.5s": {Class: "throttled", Rule: "rules[0]", Attempts: 1, StatusCode: 429, RetryAfter: 1500 * time.Millisecond},
		"jwtbearer: throttled (exhausted): 403 Forbidden after 2 attempts by github rules[1]":       {Class: "exhausted", Rule: "github rules[1]", Attempts: 2, StatusCode: 403},
		"jwtbearer: throttled: not sent; retry after 1m0s":                                          {Class: "throttled", RetryAfter: time.Minute},
	} {
		if got := e.Error(); got != want {
			t.Errorf("%+v reads\n%s; want\n%s", *e, got, want)
		}
	}
	if _, ok := RetryAfter(fmt.Errorf("wrapped: %w", &ThrottledError{})); ok {
		t.Error("RetryAfter is true where the API did not say")
	}
}
