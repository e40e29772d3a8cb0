package jwtbearer

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/dial"
)

func TestRoundTripNeverModifiesTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := replies(fakeReply(503, ""), fakeReply(401, ""), fakeReply(429, "", "Retry-After", "1"), fakeReply(200, "ok"))
		c := dialFake(t, api, func(conn *Connection) {
			conn.HTTPHeaders = map[string]string{"X-Of-Ours": "1", "X-Both": "ours"}
			conn.Placement = []Placement{{In: "header", Scheme: "Bearer", Name: "Authorization"}, {In: "query", Name: "jwt"},
				{In: "cookie", Name: "session"}}
		})
		body := &trackedBody{Reader: strings.NewReader("a=1")}
		req, err := http.NewRequestWithContext(t.Context(), "PUT", "https://api.example.com/x?jwt=old&y=%20#f", body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"Authorization": {"Basic x"}, "Cookie": {"session=old; a=b"}, "X-Both": {"theirs"}, "lower": {"v"}}
		req.Host = "virtual.example.com"
		req.ContentLength = 3
		req.TransferEncoding = []string{"identity"}
		req.Trailer = http.Header{"X-Sum": nil}
		req.Form = url.Values{"f": {"1"}}
		before, header, address := *req, req.Header.Clone(), *req.URL

		resp, err := c.RoundTrip(req)
		if err != nil || resp.StatusCode != 200 || api.count() != 4 {
			t.Fatalf("RoundTrip = %v, %v after %d attempts, want 200 after 4", resp, err, api.count())
		}
		if req.Body != io.ReadCloser(body) || req.GetBody != nil {
			t.Error("Body or GetBody was replaced")
		}
		before.Body, req.Body = nil, nil // a reader changes by being read
		if !reflect.DeepEqual(&before, req) || !reflect.DeepEqual(header, req.Header) || !reflect.DeepEqual(&address, req.URL) {
			t.Errorf("the request became\n%+v with %v, %v\nwant\n%+v with %v, %v", req, req.Header, req.URL, &before, header, &address)
		}
		for i, got := range api.requests() {
			if want := "a=1"; got.body != want {
				t.Errorf("attempt %d sent body %q, want %q", i+1, got.body, want)
			}
			if got, want := got.header.Get("X-Both"), "theirs"; got != want {
				t.Errorf("attempt %d sent X-Both %q, want the caller's %q", i+1, got, want)
			}
		}
	})
}

func TestRoundTripClosesTheBodyOnEveryPath(t *testing.T) {
	broken := errors.New("connection broke")
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	tests := []struct {
		name   string
		api    *fakeAPI
		change func(*Connection)
		ctx    context.Context
		url    string
		mangle func(*http.Request)
		fails  bool
	}{
		{name: "success", api: replies(fakeReply(200, "ok"))},
		{name: "success after a retry", api: replies(fakeReply(503, ""), fakeReply(200, ""))},
		{name: "no retry left", api: replies(fakeReply(503, ""), fakeReply(503, ""), fakeReply(503, ""), fakeReply(503, ""))},
		{name: "transport error", api: failing(broken), fails: true},
		{name: "transport that reads nothing", fails: true, api: &fakeAPI{lazy: true,
			handle: func(int, *http.Request) (*http.Response, error) { return nil, broken }}},
		{name: "neither answer nor error", api: always(func() *http.Response { return nil }), fails: true},
		{name: "error in line", fails: true, change: func(c *Connection) {
			c.Limiter = limiterFunc(func(context.Context) error { return broken })
		}},
		{name: "context cancelled before", ctx: cancelled, fails: true},
		{name: "foreign origin", url: "https://elsewhere.example.com/", fails: true},
		{name: "no host", mangle: func(r *http.Request) { r.URL.Host = "" }, fails: true},
		{name: "no URL", mangle: func(r *http.Request) { r.URL = nil }, fails: true},
		{name: "bad method", mangle: func(r *http.Request) { r.Method = "A B" }, fails: true},
		{name: "bad header", mangle: func(r *http.Request) { r.Header.Set("X", "a\nb") }, fails: true},
		{name: "minting fails", change: func(c *Connection) {
			c.Payload = `{"h":"{{bodySHA256}}"}`
			c.Retry.BufferLimit = 2
		}, fails: true},
		{name: "placement fails", change: func(c *Connection) { c.Placement = []Placement{{In: "form", Name: "jwt"}} }, fails: true},
		{name: "redirect from https to http", url: "http://elsewhere.example.com/", mangle: func(r *http.Request) {
			r.Response = &http.Response{Request: httptest.NewRequest("POST", "https://api.example.com/", nil)}
		}, fails: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := test.api
				if api == nil {
					api = replies()
				}
				c := dialFake(t, api, func(conn *Connection) {
					conn.Retry.Always = true
					if test.change != nil {
						test.change(conn)
					}
				})
				body := &trackedBody{Reader: strings.NewReader(`{"a":1}`)}
				req := fakeRequest(t, "POST", body)
				if test.url != "" {
					req.URL, _ = url.Parse(test.url)
				}
				if test.ctx != nil {
					req = req.WithContext(test.ctx)
				}
				if test.mangle != nil {
					test.mangle(req)
				}
				resp, err := c.RoundTrip(req)
				if (err != nil) != test.fails || (resp == nil) != test.fails {
					t.Errorf("RoundTrip = %v, %v, want an error: %v", resp, err, test.fails)
				}
				if resp != nil {
					resp.Body.Close()
				}
				if got := body.closed.Load(); got != 1 {
					t.Errorf("the body was closed %d times, want 1", got)
				}
			})
		})
	}
}

func TestRoundTripClosesTheBodyWhenTheGateIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := replies(fakeReply(429, "", "Retry-After", "3600"))
		c := dialFake(t, api, nil)
		if resp, err := c.RoundTrip(fakeRequest(t, "GET", nil)); err != nil || resp.StatusCode != 429 {
			t.Fatalf("RoundTrip = %v, %v, want the 429", resp, err)
		}
		body := &trackedBody{Reader: strings.NewReader("x")}
		resp, err := c.RoundTrip(fakeRequest(t, "POST", body))
		throttled, ok := errors.AsType[*ThrottledError](err)
		if resp != nil || !ok || throttled.Attempts != 0 || throttled.StatusCode != 0 || api.count() != 1 {
			t.Errorf("RoundTrip = %v, %#v, %d sent, want a *ThrottledError with Attempts 0 and 1 sent", resp, err, api.count())
		}
		if got := body.closed.Load(); got != 1 {
			t.Errorf("the body was closed %d times, want 1", got)
		}
	})
}

func TestRoundTripClosesTheBodyWhenCancelledMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := dialFake(t, &fakeAPI{handle: func(_ int, req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, context.Cause(req.Context())
		}}, nil)
		why := errors.New("the user left")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(why) })
		body := &trackedBody{Reader: strings.NewReader("x")}
		began := time.Now()
		resp, err := c.RoundTrip(fakeRequest(t, "PUT", body).WithContext(ctx))
		if resp != nil || !errors.Is(err, context.Canceled) || !errors.Is(err, why) {
			t.Errorf("RoundTrip = %v, %v, want context.Canceled and its cause", resp, err)
		}
		if got, want := time.Since(began), time.Second; got != want {
			t.Errorf("RoundTrip took %v, want %v", got, want)
		}
		if got := body.closed.Load(); got != 1 {
			t.Errorf("the body was closed %d times, want 1", got)
		}
	})
}

func TestRoundTripReturnsEveryStatusWithoutAnError(t *testing.T) {
	for status := 200; status < 600; status++ {
		c := dialFake(t, replies(fakeReply(status, "body")), func(conn *Connection) { conn.Retry.MaxAttempts = 1; conn.Token = "t" })
		req, _ := http.NewRequest("GET", "https://api.example.com/", nil)
		resp, err := c.RoundTrip(req)
		if status == 429 {
			continue // waits; see TestThrottle…
		}
		if err != nil || resp.StatusCode != status {
			t.Fatalf("status %d: RoundTrip = %v, %v", status, resp, err)
		}
		if got := readAll(t, resp); got != "body" {
			t.Errorf("status %d: body %q, want it whole", status, got)
		}
	}
}

func TestRoundTripIgnoresAnAnswerBesideAnError(t *testing.T) {
	broken := errors.New("broken")
	c := dialFake(t, &fakeAPI{handle: func(int, *http.Request) (*http.Response, error) { return fakeReply(200, ""), broken }},
		func(conn *Connection) { conn.Retry.MaxAttempts = 1 })
	resp, err := c.RoundTrip(fakeRequest(t, "GET", nil))
	if resp != nil || !errors.Is(err, broken) {
		t.Errorf("RoundTrip = %v, %v, want the error alone", resp, err)
	}
}

func TestRoundTripHandsOnABadLocation(t *testing.T) {
	c := dialFake(t, replies(fakeReply(302, "", "Location", "https://%zz/")), nil)
	resp, err := c.RoundTrip(fakeRequest(t, "GET", nil))
	if err != nil || resp.StatusCode != 302 {
		t.Errorf("RoundTrip = %v, %v, want the 302", resp, err)
	}
}

func TestAnswerHasTheCallersRequestWithoutAToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := dialFake(t, replies(fakeReply(503, ""), fakeReply(200, "")), func(conn *Connection) {
			conn.Placement = []Placement{{}, {In: "query", Name: "jwt"}, {In: "cookie", Name: "jwt"}}
		})
		req := fakeRequest(t, "GET", nil)
		resp, err := c.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Request != req {
			t.Errorf("resp.Request is %p, want the caller's %p", resp.Request, req)
		}
		if len(req.Header) != 0 || req.URL.RawQuery != "" {
			t.Errorf("the request carries %v and %q, want nothing", req.Header, req.URL.RawQuery)
		}
	})
}

func TestContextReachesTheTransport(t *testing.T) {
	type key struct{}
	var value any
	var got1xx, gotConn, wrote atomic.Bool
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</a.css>")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusOK)
	}))
	defer srv.Close()
	c := dialServer(t, srv, func(conn *Connection) {
		next := conn.Transport
		conn.Transport = transportFunc(func(r *http.Request) (*http.Response, error) {
			value = r.Context().Value(key{})
			return next.RoundTrip(r)
		})
	})
	ctx := httptrace.WithClientTrace(context.WithValue(t.Context(), key{}, "v"), &httptrace.ClientTrace{
		GotConn:      func(httptrace.GotConnInfo) { gotConn.Store(true) },
		WroteRequest: func(httptrace.WroteRequestInfo) { wrote.Store(true) },
		Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
			got1xx.Store(code == http.StatusEarlyHints)
			return nil
		},
	})
	req, _ := http.NewRequestWithContext(ctx, "GET", srv.URL, nil)
	resp, err := c.RoundTrip(req)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("RoundTrip = %v, %v, want the 200 after the 103", resp, err)
	}
	resp.Body.Close()
	if value != "v" || !gotConn.Load() || !wrote.Load() || !got1xx.Load() {
		t.Errorf("value %v, GotConn %v, WroteRequest %v, Got1xxResponse %v, want all", value, gotConn.Load(), wrote.Load(), got1xx.Load())
	}
}

func TestSwitchedConnectionCanBeWritten(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		line, _ := rw.ReadString('\n')
		io.WriteString(conn, "echo "+line)
	}))
	defer srv.Close()
	c := dialServer(t, srv, func(conn *Connection) { conn.Timeout = 20 * time.Millisecond })
	req, _ := http.NewRequestWithContext(t.Context(), "GET", srv.URL, nil)
	req.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"echo"}}
	resp, err := c.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	conn, ok := resp.Body.(io.ReadWriteCloser)
	if !ok {
		t.Fatalf("the body of a 101 is %T, want an io.ReadWriteCloser", resp.Body)
	}
	time.Sleep(40 * time.Millisecond) // a silence longer than Timeout
	io.WriteString(conn, "hello\n")
	if got, err := bufio.NewReader(conn).ReadString('\n'); got != "echo hello\n" {
		t.Errorf("read %q, %v, want the echo", got, err)
	}
	if got := c.Stats().InFlight; got != 1 {
		t.Errorf("InFlight = %d while the connection is open, want 1", got)
	}
	conn.Close()
	if got := c.Stats().InFlight; got != 0 {
		t.Errorf("InFlight = %d after Close, want 0", got)
	}
}

func TestAnswersComeAsTheServerSentThem(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/none":
				w.WriteHeader(http.StatusNoContent)
			case "/head":
				w.Header().Set("Content-Length", "1000")
			default:
				w.Header().Set("Trailer", "X-Sum")
				io.WriteString(w, "chunk")
				http.NewResponseController(w).Flush()
				w.Header().Set("X-Sum", "42")
			}
		}))
		srv.EnableHTTP2 = http2
		srv.StartTLS()
		c := dialServer(t, srv, nil)
		for _, test := range []struct {
			method, path, body, sum string
			status                  int
			length                  int64
		}{
			{"GET", "/none", "", "", 204, 0},
			{"HEAD", "/head", "", "", 200, 1000},
			{"GET", "/trailer", "chunk", "42", 200, -1},
		} {
			req, _ := http.NewRequestWithContext(t.Context(), test.method, srv.URL+test.path, nil)
			resp, err := c.RoundTrip(req)
			if err != nil {
				t.Fatalf("%s %s: %v", test.method, test.path, err)
			}
			body := readAll(t, resp)
			if resp.StatusCode != test.status || resp.ContentLength != test.length || body != test.body || resp.Trailer.Get("X-Sum") != test.sum {
				t.Errorf("HTTP/2 %v: %s %s = %d, length %d, body %q, trailer %v, want %d, %d, %q, %q", http2, test.method, test.path,
					resp.StatusCode, resp.ContentLength, body, resp.Trailer, test.status, test.length, test.body, test.sum)
			}
			if got, want := resp.ProtoMajor == 2, http2; got != want {
				t.Errorf("%s %s: HTTP/2 %v, want %v", test.method, test.path, got, want)
			}
		}
		if got := c.Stats().InFlight; got != 0 {
			t.Errorf("InFlight = %d after all answers, want 0", got)
		}
		srv.Close()
	}
}

func TestAThousandRequestsUseAsManyTokensAndFewConnections(t *testing.T) {
	const requests, workers = 1000, 32
	goroutines := runtime.NumGoroutine()
	var mu sync.Mutex
	tokens, served := make(map[string]bool), 0
	var dialled, dialledLate, done atomic.Int64
	var all sync.WaitGroup
	all.Add(workers)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		jti := verifiedID(r.Header.Get("Authorization"))
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		tokens[jti] = true
		served++
		first, flaky := served <= workers, served%50 == 0
		mu.Unlock()
		if first {
			all.Done()
			all.Wait() // while answers come before dials end, net/http dials more than it needs
		}
		switch {
		case jti == "" || string(body) != `{"n":1}`:
			w.WriteHeader(http.StatusBadRequest)
		case flaky:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			w.Header().Set("Content-Type", "application/json")
			w.Write(body)
		}
	}))
	transport := dial.New()
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		dialled.Add(1)
		if done.Load() >= 200 {
			dialledLate.Add(1)
		}
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	c := dialServer(t, srv, func(conn *Connection) {
		conn.Transport = transport
		conn.Retry = Retry{Always: true, MinBackoff: time.Millisecond, MaxBackoff: 2 * time.Millisecond, MaxAttempts: 10}
		conn.RateLimit.Fixed = true // the first requests are held until all have arrived, which adaptation would not let them
	})
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for done.Add(1) <= requests {
				req, err := c.NewRequest(t.Context(), "POST", "/x", map[string]int{"n": 1})
				if err != nil {
					t.Error(err)
					return
				}
				var out struct{ N int }
				if _, err := c.Do(req, &out); err != nil || out.N != 1 {
					t.Errorf("Do = %v, %+v", err, out)
				}
			}
		})
	}
	wg.Wait()
	stats := c.Stats()
	if got, want := len(tokens), int(stats.Attempts); got != want || stats.Minted != stats.Attempts {
		t.Errorf("%d distinct tokens and %d minted in %d attempts, want as many", got, stats.Minted, want)
	}
	if stats.Calls != requests || stats.Attempts <= requests || stats.InFlight != 0 || stats.Waiting != 0 {
		t.Errorf("%+v, want %d calls, more attempts, nothing left", stats, requests)
	}
	if dialled.Load() > 40 || dialledLate.Load() > 0 {
		t.Errorf("%d connections dialled, %d of them after 200 requests, want at most 40 and none", dialled.Load(), dialledLate.Load())
	}
	c.CloseIdleConnections()
	srv.Close()
	waitFor(t, func() bool { return runtime.NumGoroutine() <= goroutines }, "goroutines are left")
}
