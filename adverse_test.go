package jwtbearer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
	"github.com/seed-363d07a3/jwtbearer/internal/response"
)

// TestEndlessAnswersAreNotHeldInMemory streams a GiB that begins like a throttle.
func TestEndlessAnswersAreNotHeldInMemory(t *testing.T) {
	const size = 1 << 30
	for _, tt := range []struct {
		name     string
		rule     Rule
		status   int
		attempts int
	}{
		{"a path matches no longer body", Rule{Path: "code", Values: []string{"THROTTLED"}}, 200, 1},
		{"an expression sees the beginning", Rule{Status: on(200), Match: `"code":"THROTTLED"`}, 200, 2},
		{"a refusal is dropped for the next attempt", Rule{Status: on(429)}, 429, 2},
	} {
		endless := &endlessBody{head: []byte(`{"code":"THROTTLED","items":"`), left: size}
		throttled := fakeReply(tt.status, "", "Content-Type", "application/json")
		throttled.Body, throttled.ContentLength = endless, -1
		api := replies(throttled)
		c := dialFake(t, api, func(conn *Connection) {
			conn.RateLimit = RateLimit{Rules: []Rule{tt.rule}, DefaultWait: time.Millisecond}
		})
		before := allocated()
		resp, err := c.RoundTrip(fakeRequest(t, "GET", nil))
		if err != nil || resp.StatusCode != 200 || api.count() != tt.attempts {
			t.Fatalf("%s: %v, %v after %d attempts, want 200 after %d", tt.name, resp, err, api.count(), tt.attempts)
		}
		sum := &countingWriter{}
		io.Copy(sum, resp.Body)
		resp.Body.Close()
		if used := allocated() - before; used > 8<<20 {
			t.Errorf("%s: %d MiB were allocated, want at most 8", tt.name, used>>20)
		}
		if want := int64(size); tt.attempts == 1 && (sum.n != want || !bytes.HasPrefix(sum.head, []byte(`{"code":"THROTTLED"`))) {
			t.Errorf("%s: the caller reads %d bytes that begin with %q, want all %d", tt.name, sum.n, sum.head, want)
		}
		if read := size - endless.left; tt.attempts == 2 && (read > response.MostBody+body.KeepBytes+64<<10 || !endless.closed) {
			t.Errorf("%s: %d bytes of what is dropped were read (closed: %v), want a bound and Close", tt.name, read, endless.closed)
		}
	}
}

// allocated is how much was ever allocated.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// An endlessBody gives its head, and then an x for each byte that is left.
type endlessBody struct {
	head   []byte
	left   int
	closed bool
}

func (b *endlessBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	p = p[:min(len(p), b.left)]
	n := copy(p, b.head)
	b.head = b.head[n:]
	for i := n; i < len(p); i++ {
		p[i] = 'x'
	}
	b.left -= len(p)
	return len(p), nil
}

func (b *endlessBody) Close() error {
	b.closed = true
	return nil
}

type countingWriter struct {
	n    int64
	head []byte
}

func (w *countingWriter) Write(p []byte) (int, error) {
	if w.n == 0 {
		w.head = bytes.Clone(p[:min(len(p), 64)])
	}
	w.n += int64(len(p))
	return len(p), nil
}

func TestTenThousandCallsWaitCheaply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 10_000
		api := replies(fakeReply(429, "", "Retry-After", "60"))
		c := dialFake(t, api, func(conn *Connection) {
			conn.Token, conn.RateLimit = "ready-made", RateLimit{Fixed: true, Interval: time.Millisecond}
		})
		before := memoryInUse()
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		var gone, served atomic.Int64
		began := time.Now()
		req, err := http.NewRequestWithContext(ctx, "GET", "https://api.example.com/", nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			wg.Go(func() {
				mine := req
				if i%2 == 0 {
					mine = req.WithContext(t.Context())
				}
				resp, err := c.RoundTrip(mine)
				switch {
				case err == nil && resp.StatusCode == 200 && i%2 == 0:
					served.Add(1)
				case errors.Is(err, context.Canceled) && i%2 == 1 && time.Since(began) == 10*time.Second:
					gone.Add(1)
				default:
					t.Errorf("call %d ends with %v, %v after %v", i, resp, err, time.Since(began))
				}
			})
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if used := int64(memoryInUse() - before); used > memoryFactor*100<<20 {
			t.Errorf("%d waiting calls take %d MiB, want less than %d", n, used>>20, memoryFactor*100)
		} else {
			t.Logf("%d waiting calls take %d MiB", n, used>>20)
		}
		cancel()
		synctest.Wait()
		if got := c.Stats().Waiting; got != n/2 || gone.Load() != n/2 {
			t.Errorf("%d wait and %d are gone after half were cancelled, want %d and %d", got, gone.Load(), n/2, n/2)
		}
		wg.Wait()
		if got := served.Load(); got != n/2 || api.count() != n/2+1 {
			t.Errorf("%d were served with %d requests, want %d with one more: the cancelled ones send nothing", got, api.count(), n/2)
		}
		if got, most := time.Since(began), 62*time.Second+n/2*time.Millisecond; got > most {
			t.Errorf("the last was served after %v, want at most %v: the gate is open from 1m", got, most)
		}
	})
}

// TestGoAwayLosesNoCall lets an HTTP/2 server say GOAWAY after every few answers.
func TestGoAwayLosesNoCall(t *testing.T) {
	var served, dialled atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if served.Add(1)%5 == 0 {
			w.Header().Set("Connection", "close") // which net/http turns into GOAWAY
		}
		io.Copy(w, r.Body)
	}))
	srv.EnableHTTP2 = true
	srv.Config.ConnState = countNew(&dialled)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that the client gave up
	srv.StartTLS()
	defer srv.Close()
	c := dialServer(t, srv, nil)
	defer c.CloseIdleConnections()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				req, err := c.NewRequest(t.Context(), "POST", "/", strings.Repeat("body", 1000))
				if err != nil {
					t.Error(err)
					return
				}
				resp, err := c.RoundTrip(req)
				if err != nil {
					t.Error(err)
					return
				}
				if got := readAll(t, resp); resp.ProtoMajor != 2 || len(got) != 4000 {
					t.Errorf("HTTP/%d with %d bytes, want HTTP/2 and the body", resp.ProtoMajor, len(got))
				}
			}
		})
	}
	wg.Wait()
	if got := dialled.Load(); got < 2 {
		t.Errorf("%d connections, want more: a GOAWAY ends one", got)
	}
	if got := c.Stats(); got.InFlight != 0 || served.Load() != 80 {
		t.Errorf("%d in flight and %d served in the end, want 0 and 80", got.InFlight, served.Load())
	}
}

// TestResetInABodyReachesTheReader resets the connection within an answer, which a rule may have read ahead of the caller.
func TestResetInABodyReachesTheReader(t *testing.T) {
	const head = `{"ok":true,"items":[`
	for _, tt := range []struct {
		name  string
		rules []Rule
	}{
		{"not looked at", []Rule{{Status: on(429)}}},
		{"read ahead", []Rule{{Path: "code", Values: []string{"THROTTLED"}}}},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/fine" {
				return
			}
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"+head)
			time.Sleep(20 * time.Millisecond) // a reset overtakes what was not read yet
			conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		}))
		c := dialServer(t, srv, func(conn *Connection) { conn.RateLimit = RateLimit{Rules: tt.rules, Concurrency: 1} })
		req, err := c.NewRequest(t.Context(), "GET", "/reset", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.RoundTrip(req)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if got, err := io.ReadAll(resp.Body); string(got) != head || err == nil {
			t.Errorf("%s: read %q, %v; want what came and the reset", tt.name, got, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		fine, err := c.NewRequest(ctx, "GET", "/fine", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Do(fine, nil); err != nil {
			t.Errorf("%s: the next call ends with %v, want the slot of the broken one", tt.name, err)
		}
		cancel()
		c.CloseIdleConnections()
		srv.Close()
	}
}

func memoryInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
