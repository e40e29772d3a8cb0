package jwtbearer

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/media"
)

func TestRetriedBodyIsSentWholeEachTime(t *testing.T) {
	text := strings.Repeat("0123456789", 10_000)
	for _, known := range []bool{true, false} { // whether Content-Length is
		for _, getBody := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				api := replies(fakeReply(503, ""), fakeReply(401, ""), fakeReply(429, "", "Retry-After", "1"))
				c := dialFake(t, api, func(conn *Connection) { conn.Retry.Always = true })
				body := &trackedBody{Reader: strings.NewReader(text)}
				req := fakeRequest(t, "POST", body)
				if known {
					req.ContentLength = int64(len(text))
				}
				if getBody {
					req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
				}
				if resp, err := c.RoundTrip(req); err != nil || resp.StatusCode != 200 || api.count() != 4 {
					t.Fatalf("RoundTrip = %v, %v after %d attempts, want 200 after 4", resp, err, api.count())
				}
				for i, got := range api.requests() {
					if got.body != text || got.length != req.ContentLength {
						t.Errorf("length known %v, GetBody %v: attempt %d sent %d bytes with ContentLength %d, want %d and %d",
							known, getBody, i+1, len(got.body), got.length, len(text), req.ContentLength)
					}
				}
				if got := body.closed.Load(); got != 1 {
					t.Errorf("length known %v, GetBody %v: the body was closed %d times, want 1", known, getBody, got)
				}
			})
		}
	}
}

func TestBodyOverBufferLimitIsSentOnceAndTheErrorSaysSo(t *testing.T) {
	tests := []struct {
		name string
		api  *fakeAPI
		size int
		want int // attempts
	}{
		{"transient status", always(func() *http.Response { return fakeReply(503, "") }), 101, 1},
		{"throttle", always(func() *http.Response { return fakeReply(429, "", "Retry-After", "1") }), 101, 1},
		{"refused token", always(func() *http.Response { return fakeReply(401, "") }), 101, 1},
		{"transport error", failing(errors.New("reset")), 101, 1},
		{"within the limit", always(func() *http.Response { return fakeReply(503, "") }), 100, 4},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			c := dialFake(t, test.api, func(conn *Connection) { conn.Retry = Retry{Always: true, BufferLimit: 100} })
			_, err := c.Do(fakeRequest(t, "POST", io.MultiReader(strings.NewReader(strings.Repeat("x", test.size)))), nil)
			if got, want := errors.Is(err, ErrBodyNotReplayable), test.want == 1; err == nil || got != want || test.api.count() != test.want {
				t.Errorf("%s: %v after %d attempts, want ErrBodyNotReplayable %v after %d", test.name, err, test.api.count(), want, test.want)
			}
		})
	}
}

func TestBodyWithoutBufferIsSentWhole(t *testing.T) {
	text := strings.Repeat("x", 3<<20)
	for _, limit := range []int64{0, -1, 10} {
		api := replies()
		c := dialFake(t, api, func(conn *Connection) { conn.Retry.BufferLimit = limit })
		resp, err := c.RoundTrip(fakeRequest(t, "POST", io.MultiReader(strings.NewReader(text))))
		if err != nil || resp.StatusCode != 200 || api.requests()[0].body != text {
			t.Errorf("BufferLimit %d: %v, %v, %d bytes sent, want %d", limit, resp, err, len(api.requests()[0].body), len(text))
		}
	}
}

func TestContentLengthArrivesAsTheCallerSetIt(t *testing.T) {
	log := new(arrivals)
	srv := httptest.NewServer(log.then(nil))
	defer srv.Close()
	c := dialServer(t, srv, nil)
	tests := []struct {
		name   string
		method string
		body   io.Reader
		length int64
	}{
		{"no body", "GET", nil, 0},
		{"NoBody", "POST", http.NoBody, 0},
		{"known", "POST", strings.NewReader("abc"), 3},
		{"unknown", "POST", io.MultiReader(strings.NewReader("abc")), -1},
	}
	for _, test := range tests {
		log.clear()
		req, _ := http.NewRequestWithContext(t.Context(), test.method, srv.URL, test.body)
		resp, err := c.RoundTrip(req)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		resp.Body.Close()
		if got := log.requests()[0].length; got != test.length {
			t.Errorf("%s: Content-Length %d arrived, want %d", test.name, got, test.length)
		}
	}
}

func TestBodyGoesOnStreamingAfterAnEarlyAnswer(t *testing.T) {
	got := make(chan string, 1)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "early")
		http.NewResponseController(w).Flush()
		data, _ := io.ReadAll(r.Body)
		got <- string(data)
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	c := dialServer(t, srv, nil)
	r, w := io.Pipe()
	req, _ := http.NewRequestWithContext(t.Context(), "POST", srv.URL, r)
	resp, err := c.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, "late")
	w.Close()
	if got, want := <-got, "late"; got != want {
		t.Errorf("the server got %q, want %q", got, want)
	}
	if got, want := readAll(t, resp), "early"; got != want {
		t.Errorf("body %q, want %q", got, want)
	}
}

func TestEarlyRefusalIsRepeatedWithTheWholeBody(t *testing.T) {
	var n atomic.Int64
	got := make(chan string, 4)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 1 {
			io.ReadFull(r.Body, make([]byte, 10))
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		data, _ := io.ReadAll(r.Body)
		got <- string(data)
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	c := dialServer(t, srv, nil)
	text := rand.Text() + strings.Repeat("x", 200_000) + rand.Text()
	r, w := io.Pipe()
	go func() {
		io.WriteString(w, text)
		w.Close()
	}()
	req, _ := http.NewRequestWithContext(t.Context(), "POST", srv.URL, r)
	resp, err := c.RoundTrip(req)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("RoundTrip = %v, %v, want 200", resp, err)
	}
	resp.Body.Close()
	if got := <-got; got != text {
		t.Errorf("the second attempt sent %d bytes, want all %d in order", len(got), len(text))
	}
}

func TestCancellationInterruptsABodyThatBlocks(t *testing.T) {
	tests := map[string]func(*Connection){
		"while it is sent":          nil,
		"while a template reads it": func(c *Connection) { c.Payload = `{"h":"{{bodySHA256}}"}` },
		"while a placement reads it": func(c *Connection) {
			c.Placement = []Placement{{In: "form", Name: "jwt"}}
		},
	}
	for name, change := range tests {
		synctest.Test(t, func(t *testing.T) {
			api := replies()
			c := dialFake(t, transportFunc(func(r *http.Request) (*http.Response, error) {
				defer context.AfterFunc(r.Context(), func() { r.Body.Close() })()
				return api.RoundTrip(r)
			}), change)
			r, w := io.Pipe()
			defer w.Close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			req := fakeRequest(t, "POST", r).WithContext(ctx)
			req.Header.Set("Content-Type", media.FormType)
			began := time.Now()
			_, err := c.RoundTrip(req)
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
				t.Errorf("%s: %v after %v, want context.DeadlineExceeded after 1s", name, err, time.Since(began))
			}
			if got := c.Stats().InFlight; got != 0 {
				t.Errorf("%s: InFlight = %d, want 0", name, got)
			}
		})
	}
}
