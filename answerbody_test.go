package jwtbearer

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
)

func TestShortRefusedAnswersKeepTheConnection(t *testing.T) {
	tests := []struct {
		size  int
		dials int64
	}{{0, 1}, {5 << 10, 1}, {5 << 20, 2}}
	for _, test := range tests {
		var n, dials atomic.Int64
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1) == 1 {
				w.Header().Set("Content-Length", strconv.Itoa(test.size))
				w.WriteHeader(http.StatusServiceUnavailable)
				io.WriteString(w, strings.Repeat("x", test.size))
			}
		}))
		srv.Config.ConnState = countNew(&dials)
		srv.Start()
		c := dialServer(t, srv, func(conn *Connection) { conn.Retry = Retry{MinBackoff: time.Millisecond, MaxBackoff: time.Millisecond} })
		req, _ := http.NewRequestWithContext(t.Context(), "GET", srv.URL, nil)
		resp, err := c.RoundTrip(req)
		if err != nil || resp.StatusCode != 200 || dials.Load() != test.dials {
			t.Errorf("%d bytes: %v, %v over %d connections, want 200 over %d", test.size, resp, err, dials.Load(), test.dials)
		}
		c.CloseIdleConnections()
		srv.Close()
	}
}

func TestBrokenAnswersEndWithAnErrorAndFreeTheSlot(t *testing.T) {
	tests := map[string]string{
		"truncated chunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
		"truncated length": "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel",
	}
	for name, text := range tests {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			io.WriteString(conn, text)
			conn.Close()
		}))
		c := dialServer(t, srv, nil)
		req, _ := http.NewRequestWithContext(t.Context(), "GET", srv.URL, nil)
		resp, err := c.RoundTrip(req)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := io.ReadAll(resp.Body); string(got) != "hel" || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: read %q, %v, want what came and io.ErrUnexpectedEOF", name, got, err)
		}
		if got := c.Stats().InFlight; got != 0 {
			t.Errorf("%s: InFlight = %d, want 0", name, got)
		}
		if _, err := c.Do(req, new(string)); err == nil {
			t.Errorf("%s: Do gives no error", name)
		}
		srv.Close()
	}
}

func TestResetHTTP2StreamIsRepeated(t *testing.T) {
	var n atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 1 {
			panic(http.ErrAbortHandler)
		}
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	c := dialServer(t, srv, func(conn *Connection) { conn.Retry = Retry{MinBackoff: time.Millisecond, MaxBackoff: time.Millisecond} })
	req, _ := http.NewRequestWithContext(t.Context(), "PUT", srv.URL, strings.NewReader("body"))
	resp, err := c.RoundTrip(req)
	if err != nil || resp.StatusCode != 200 || n.Load() != 2 {
		t.Errorf("RoundTrip = %v, %v after %d attempts, want 200 after 2", resp, err, n.Load())
	}
}

func TestConcurrencyIsFreedWhenTheBodyEnds(t *testing.T) {
	for name, end := range map[string]func(*http.Response){
		"read":   func(r *http.Response) { io.Copy(io.Discard, r.Body) },
		"closed": func(r *http.Response) { r.Body.Close() },
	} {
		synctest.Test(t, func(t *testing.T) {
			c := dialFake(t, replies(fakeReply(200, "body")), func(conn *Connection) { conn.RateLimit.Concurrency = 1 })
			resp, err := c.RoundTrip(fakeRequest(t, "GET", nil))
			if err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(time.Minute, func() { end(resp) })
			began := time.Now()
			c.Do(fakeRequest(t, "GET", nil), nil)
			if got, want := time.Since(began), time.Minute; got != want {
				t.Errorf("%s: the next call ended after %v, want %v", name, got, want)
			}
		})
	}
}

func TestAnswerThatWasDroppedForAnotherAttemptSaysSo(t *testing.T) {
	tests := []struct {
		name string
		body io.Reader
		want error
	}{
		{"short", strings.NewReader("body"), nil},
		{"long", strings.NewReader(strings.Repeat("x", body.KeepBytes+1)), body.ErrDropped},
		{"broken", io.MultiReader(strings.NewReader("bo"), iotest.ErrReader(io.ErrUnexpectedEOF)), io.ErrUnexpectedEOF},
		{"slow", nil, body.ErrDropped},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			c := dialFake(t, &fakeAPI{handle: func(_ int, r *http.Request) (*http.Response, error) {
				resp := fakeReply(503, "")
				resp.Body = io.NopCloser(test.body)
				if test.body == nil {
					resp.Body = io.NopCloser(&slowReader{left: 10, pause: time.Second, ctx: r.Context()})
				}
				return resp, nil
			}}, func(conn *Connection) {
				gone := false
				conn.Limiter = limiterFunc(func(context.Context) error {
					if gone {
						return errors.New("no second turn")
					}
					gone = true
					return nil
				})
			})
			resp, err := c.RoundTrip(fakeRequest(t, "GET", nil))
			if err != nil || resp.StatusCode != 503 {
				t.Fatalf("%s: RoundTrip = %v, %v, want the 503", test.name, resp, err)
			}
			if _, err := io.ReadAll(resp.Body); err != test.want {
				t.Errorf("%s: the body ended with %v, want %v", test.name, err, test.want)
			}
		})
	}
}

// countNew counts the connections that a server accepts.
func countNew(n *atomic.Int64) func(net.Conn, http.ConnState) {
	return func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			n.Add(1)
		}
	}
}
