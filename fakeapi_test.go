package jwtbearer

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// A fakeAPI answers requests in memory, so that time can stand still around it.
type fakeAPI struct {
	handle func(n int, req *http.Request) (*http.Response, error) // n: of the request, from 1
	lazy   bool                                                   // it closes bodies without reading them

	mu   sync.Mutex
	seen []seenRequest
}

// A seenRequest is what arrived.
type seenRequest struct {
	at     time.Time
	method string
	url    string
	header http.Header
	body   string
	length int64
	err    error // of reading the body
}

func (f *fakeAPI) RoundTrip(req *http.Request) (*http.Response, error) {
	seen := seenRequest{at: time.Now(), method: req.Method, url: req.URL.String(), header: req.Header.Clone(), length: req.ContentLength}
	if req.Body != nil {
		if !f.lazy {
			var data []byte
			data, seen.err = io.ReadAll(req.Body)
			seen.body = string(data)
		}
		req.Body.Close()
	}
	f.mu.Lock()
	f.seen = append(f.seen, seen)
	n := len(f.seen)
	f.mu.Unlock()
	if seen.err != nil {
		return nil, seen.err
	}
	return f.handle(n, req)
}

func (f *fakeAPI) CloseIdleConnections() {}

func (f *fakeAPI) count() int { return len(f.requests()) }

func (f *fakeAPI) requests() []seenRequest {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]seenRequest(nil), f.seen...)
}

// waits are the times between the requests.
func (f *fakeAPI) waits() []time.Duration {
	var waits []time.Duration
	seen := f.requests()
	for i := 1; i < len(seen); i++ {
		waits = append(waits, seen[i].at.Sub(seen[i-1].at))
	}
	return waits
}

// replies answers with these, then with 200.
func replies(answers ...*http.Response) *fakeAPI {
	return &fakeAPI{handle: func(n int, _ *http.Request) (*http.Response, error) {
		if n <= len(answers) {
			return answers[n-1], nil
		}
		return fakeReply(200, ""), nil
	}}
}

// always answers with what make makes.
func always(make func() *http.Response) *fakeAPI {
	return &fakeAPI{handle: func(int, *http.Request) (*http.Response, error) { return make(), nil }}
}

func failing(err error) *fakeAPI {
	return &fakeAPI{handle: func(int, *http.Request) (*http.Response, error) { return nil, err }}
}

// fakeReply makes an answer; fields are names and values in turn.
func fakeReply(status int, body string, fields ...string) *http.Response {
	header := http.Header{"Content-Type": {"text/plain"}}
	for i := 0; i < len(fields); i += 2 {
		header.Set(fields[i], fields[i+1])
	}
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

type limiterFunc func(context.Context) error

func (f limiterFunc) Wait(ctx context.Context) error { return f(ctx) }

// A trackedBody counts how often it is closed.
type trackedBody struct {
	io.Reader
	closed atomic.Int64
}

func (b *trackedBody) Close() error {
	b.closed.Add(1)
	return nil
}

const fakeSecret = "TESTING KEY of thirty-two bytes and more"

// dialFake makes a client of https://api.example.com, which is api.
func dialFake(t *testing.T, api http.RoundTripper, change func(*Connection)) *Client {
	t.Helper()
	conn := &Connection{Name: "fake", BaseURI: "https://api.example.com", SignatureMethod: HS256, Secret: fakeSecret,
		Payload: `{"iss":"me","jti":"{{uuid}}"}`, Lifetime: time.Minute, Transport: api}
	if change != nil {
		change(conn)
	}
	if conn.Token != "" {
		conn.SignatureMethod, conn.Secret, conn.Payload, conn.Lifetime = "", "", "", 0
	}
	c, err := NewClient(conn)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// dialServer makes a client of srv.
func dialServer(t *testing.T, srv *httptest.Server, change func(*Connection)) *Client {
	t.Helper()
	return dialFake(t, srv.Client().Transport, func(conn *Connection) {
		conn.BaseURI = srv.URL
		if change != nil {
			change(conn)
		}
	})
}

// fakeRequest makes a request of dialFake's API.
func fakeRequest(t *testing.T, method string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "https://api.example.com/path", body)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func readAll(t *testing.T, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("reading the answer: %v", err)
	}
	return string(data)
}

// verifiedID returns the jti of a token that golang-jwt verifies, and else nothing.
func verifiedID(authorization string) string {
	claims := new(jwt.RegisteredClaims)
	_, err := jwt.ParseWithClaims(strings.TrimPrefix(authorization, "Bearer "), claims,
		func(*jwt.Token) (any, error) { return []byte(fakeSecret), nil }, jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired())
	if err != nil {
		return ""
	}
	return claims.ID
}

// waitFor waits a few seconds for what happens in the background.
func waitFor(t *testing.T, ok func() bool, what string) {
	t.Helper()
	for end := time.Now().Add(3 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Error(what)
			return
		}
	}
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func on(codes ...int) []int { return codes }
