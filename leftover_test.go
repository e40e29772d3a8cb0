package jwtbearer

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
)

// endings are how an API may treat a request.
var endings = []http.HandlerFunc{
	func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) },
	func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("before the body came")) },
	func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
	func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		w.Write(bytes.Repeat([]byte("x"), body.KeepBytes+1))
	},
	func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte("broken"))
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	},
	func(_ http.ResponseWriter, r *http.Request) { // longer than Timeout
		io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	},
}

// uses are what a caller may do with an answer.
var uses = []func(cancel func(), body io.ReadCloser){
	func(_ func(), body io.ReadCloser) { io.Copy(io.Discard, body) },
	func(_ func(), body io.ReadCloser) { body.Close(); body.Close() },
	func(cancel func(), body io.ReadCloser) { cancel(); io.Copy(io.Discard, body) },
	func(_ func(), body io.ReadCloser) {
		var closer sync.WaitGroup
		closer.Go(func() { body.Close() })
		io.Copy(io.Discard, body)
		closer.Wait()
	},
}

// net/http keeps request, context and body of an attempt for longer than the attempt takes, so this wants the race detector.
func TestWhateverEndsARequestLeavesNothingBehind(t *testing.T) {
	for name, h2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			goroutines := runtime.NumGoroutine()
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				endings[int(r.Header.Get("Ending")[0]-'0')](w, r)
			}))
			srv.EnableHTTP2, srv.Config.ErrorLog = h2, discardLog
			if h2 {
				srv.StartTLS()
			} else {
				srv.Start()
			}
			c, err := NewClient(&Connection{BaseURI: srv.URL, SignatureMethod: HS256, Secret: "0123456789abcdef0123456789abcdef",
				Payload: `{"jti":"{{uuid}}"}`, Timeout: 50 * time.Millisecond, TLS: TLS{InsecureSkipVerify: h2},
				Retry:     Retry{MaxAttempts: 2, MinBackoff: time.Millisecond, MaxBackoff: time.Millisecond, Budget: -1},
				RateLimit: RateLimit{Fixed: true, Concurrency: 6}})
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			for i := range 96 {
				wg.Go(func() { endOne(t, c, srv.URL, i) })
			}
			wg.Wait()
			waitFor(t, func() bool { return c.Stats().InFlight == 0 }, "attempts are in flight after all has ended")
			srv.CloseClientConnections()
			srv.Close()
			waitFor(t, func() bool { c.CloseIdleConnections(); return runtime.NumGoroutine() <= goroutines }, "goroutines are left")
		})
	}
}

// endOne makes the i-th request: with each kind of body, ending and use.
func endOne(t *testing.T, c *Client, url string, i int) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var body io.Reader
	switch i / len(endings) / len(uses) % 3 {
	case 1:
		body = strings.NewReader(strings.Repeat("b", 100_000))
	case 2:
		body = io.MultiReader(strings.NewReader(strings.Repeat("b", 2_000_000))) // no GetBody, and too long to be kept
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, url, body)
	if err != nil {
		t.Error(err)
		return
	}
	req.Header.Set("Ending", string(rune('0'+i%len(endings))))
	if resp, err := c.RoundTrip(req); err == nil {
		uses[i/len(endings)%len(uses)](cancel, resp.Body)
		resp.Body.Close()
	}
}
