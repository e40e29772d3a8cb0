package jwtbearertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// carry makes a transport to a handler at https://api.test.
func carry(t *testing.T, h http.HandlerFunc) *memory {
	m := newMemory()
	m.hosts = map[string]http.Handler{"api.test": h}
	t.Cleanup(m.close)
	return m
}

// A closeCounter counts how often a body is closed.
type closeCounter struct {
	io.Reader
	closed atomic.Int64
}

func (c *closeCounter) Close() error { c.closed.Add(1); return nil }

func request(ctx context.Context, t *testing.T, method, url string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func echoBody(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }

func TestTransportClosesTheBodyOnEveryPath(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	mute := func(http.ResponseWriter, *http.Request) {}
	broken := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	closed := carry(t, echoBody)
	closed.close()
	for _, tt := range []struct {
		name  string
		m     *memory
		ctx   context.Context
		url   string
		works bool
	}{
		{"an answer", carry(t, echoBody), t.Context(), "https://api.test/", true},
		{"an answer before the body was read", carry(t, mute), t.Context(), "https://api.test/", true},
		{"a broken connection", carry(t, broken), t.Context(), "https://api.test/", false},
		{"an unknown host", carry(t, echoBody), t.Context(), "https://other.test/", false},
		{"a context that has ended", carry(t, echoBody), ended, "https://api.test/", false},
		{"a server that is closed", closed, t.Context(), "https://api.test/", false},
	} {
		body := &closeCounter{Reader: strings.NewReader("body")}
		resp, err := tt.m.RoundTrip(request(tt.ctx, t, "POST", tt.url, body))
		if (err == nil) != tt.works || (resp == nil) == tt.works {
			t.Errorf("%s: RoundTrip = %v, %v", tt.name, resp, err)
		}
		if resp != nil {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		tt.m.calls.Wait() // a transport may close it later
		if got := body.closed.Load(); got != 1 {
			t.Errorf("%s: the body is closed %d times, want once", tt.name, got)
		}
	}
}

func TestTransportDoesNotChangeTheRequest(t *testing.T) {
	m := carry(t, func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("X-Changed", "yes")
		r.URL.Path, r.Host = "/changed", "changed"
	})
	req := request(t.Context(), t, "GET", "https://api.test/a%2Fb?q=1", nil)
	req.Header = http.Header{"X-Mine": {"1"}}
	before := req.Clone(t.Context())
	resp, err := m.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if !reflect.DeepEqual(req.Header, before.Header) || *req.URL != *before.URL || req.Host != before.Host {
		t.Errorf("the request is %v, want it as it was: %v", req, before)
	}
	if resp.Request != req {
		t.Error("Request of the answer is another one")
	}
}

func TestTransportGivesTheHandlerWhatAServerWould(t *testing.T) {
	m := carry(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, r.Method, r.Host, r.RequestURI, r.URL.Path, r.URL.Host == "", r.ContentLength, r.TLS != nil, r.Body != nil,
			r.UserAgent())
	})
	for _, tt := range []struct {
		method string
		body   io.Reader
		want   string
	}{
		{"", nil, "GET api.test /a%2Fb?q=1 /a/b true 0 true true Go-http-client/1.1\n"},
		{"PUT", strings.NewReader("four"), "PUT api.test /a%2Fb?q=1 /a/b true 4 true true Go-http-client/1.1\n"},
		{"PUT", io.MultiReader(strings.NewReader("four")), "PUT api.test /a%2Fb?q=1 /a/b true -1 true true Go-http-client/1.1\n"},
	} {
		req := request(t.Context(), t, tt.method, "https://api.test/a%2Fb?q=1#fragment", tt.body)
		req.Method = tt.method
		resp, err := m.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(got) != tt.want {
			t.Errorf("the handler of a %q got %q, want %q", tt.method, got, tt.want)
		}
	}
}

func TestTransportSendsTheFieldsThatHTTPHas(t *testing.T) {
	m := carry(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%q", r.Header.Values("Authorization")) })
	for _, tt := range []struct{ name, value, want string }{
		{"Authorization", "Bearer a", `["Bearer a"]`},
		{"authorization", " Bearer a\t", `["Bearer a"]`},
		{"Authorization", "Bearer a\n", ""},
		{"Authorization", "Bearer a\r\nX-More: b", ""},
		{"Authorization", "\x00", ""},
		{"X Token", "a", ""},
		{"", "a", ""},
	} {
		req := request(t.Context(), t, "GET", "https://api.test/", nil)
		req.Header[tt.name] = []string{tt.value}
		resp, err := m.RoundTrip(req)
		if err != nil {
			if tt.want != "" || !strings.Contains(err.Error(), "invalid header field") || strings.Contains(err.Error(), "Bearer") {
				t.Errorf("with the field %q: %q, RoundTrip = %v, want %s", tt.name, tt.value, err, tt.want)
			}
			continue
		}
		got, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(got) != tt.want {
			t.Errorf("with the field %q: %q, the handler sees %s, want %q", tt.name, tt.value, got, tt.want)
		}
	}
}

func TestTransportAnswersAsAServerWould(t *testing.T) {
	long := strings.Repeat("x", 3*heldBytes)
	for _, tt := range []struct {
		name, method string
		handler      http.HandlerFunc
		status       int
		length       int64
		body         string
		err          error
	}{
		{"nothing", "GET", func(http.ResponseWriter, *http.Request) {}, 200, 0, "", nil},
		{"short", "GET", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "short") }, 200, 5, "short", nil},
		{"long", "GET", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, long) }, 200, -1, long, nil},
		{"flushed", "GET", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "a")
			w.(http.Flusher).Flush()
			io.WriteString(w, "b")
		}, 200, -1, "ab", nil},
		{"of no content", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(204)
			io.WriteString(w, "lost")
		}, 204, 0, "", nil},
		{"to HEAD", "HEAD", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "7")
			io.WriteString(w, "lost")
		}, 200, 7, "", nil},
		{"of the length that it tells", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "2")
			_, err := io.WriteString(w, "three")
			io.WriteString(w, map[bool]string{true: "ok"}[errors.Is(err, http.ErrContentLength)])
		}, 200, 2, "ok", nil},
		{"that ends early", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			io.WriteString(w, "half")
			w.(http.Flusher).Flush()
		}, 200, 9, "half", io.ErrUnexpectedEOF},
	} {
		resp, err := carry(t, tt.handler).RoundTrip(request(t.Context(), t, tt.method, "https://api.test/", nil))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != tt.status || resp.ContentLength != tt.length || string(body) != tt.body || !errors.Is(err, tt.err) {
			t.Errorf("an answer %s: %d of length %d, %q, %v; want %d of %d, %q, %v", tt.name, resp.StatusCode, resp.ContentLength, body,
				err, tt.status, tt.length, tt.body, tt.err)
		}
		if _, err := resp.Body.Read(make([]byte, 1)); !errors.Is(err, http.ErrBodyReadAfterClose) {
			t.Errorf("an answer %s: Read after Close gives %v", tt.name, err)
		}
	}
}

func TestTransportStreamsBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := carry(t, func(w http.ResponseWriter, r *http.Request) {
			buf := make([]byte, 16)
			for {
				n, err := r.Body.Read(buf)
				w.Write(buf[:n])
				w.(http.Flusher).Flush()
				if err != nil {
					return
				}
			}
		})
		r, w := io.Pipe()
		req := request(t.Context(), t, "POST", "https://api.test/", r)
		go func() {
			for i := range 3 {
				time.Sleep(time.Minute)
				fmt.Fprint(w, i)
			}
			w.Close()
		}()
		began := time.Now()
		resp, err := m.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		buf := make([]byte, 1)
		for i := range 3 {
			if _, err := io.ReadFull(resp.Body, buf); err != nil || string(buf) != fmt.Sprint(i) {
				t.Errorf("piece %d is %q, %v", i, buf, err)
			}
			if got, want := time.Since(began), time.Duration(i+1)*time.Minute; got != want {
				t.Errorf("piece %d comes after %v, want %v", i, got, want)
			}
		}
		if _, err := resp.Body.Read(buf); err != io.EOF {
			t.Errorf("after the last piece: %v, want EOF", err)
		}
	})
}

func TestTransportTellsEachSideThatTheOtherLeft(t *testing.T) {
	reason := errors.New("the caller's reason")
	for _, tt := range []struct {
		name  string
		leave func(cancel context.CancelCauseFunc, resp *http.Response)
		want  error // of reading on
	}{
		{"cancels", func(cancel context.CancelCauseFunc, _ *http.Response) { cancel(reason) }, reason},
		{"closes the body", func(_ context.CancelCauseFunc, resp *http.Response) { resp.Body.Close() }, http.ErrBodyReadAfterClose},
	} {
		synctest.Test(t, func(t *testing.T) {
			noticed := make(chan error, 1)
			m := carry(t, func(w http.ResponseWriter, r *http.Request) {
				w.(http.Flusher).Flush()
				<-r.Context().Done()
				_, err := io.WriteString(w, "too late")
				noticed <- err
			})
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			resp, err := m.RoundTrip(request(ctx, t, "GET", "https://api.test/", nil))
			if err != nil {
				t.Fatal(err)
			}
			tt.leave(cancel, resp)
			if err := <-noticed; err == nil {
				t.Errorf("who %s: the handler could write on", tt.name)
			}
			if _, err := io.ReadAll(resp.Body); !errors.Is(err, tt.want) {
				t.Errorf("who %s: reading gives %v, want %v", tt.name, err, tt.want)
			}
		})
	}
}

func TestTransportEndsAWaitWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := carry(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		resp, err := m.RoundTrip(request(ctx, t, "GET", "https://api.test/", nil))
		if resp != nil || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute {
			t.Errorf("RoundTrip = %v, %v after %v, want the deadline after a minute", resp, err, time.Since(began))
		}
	})
}

func TestTransportFailsAsANetworkDoes(t *testing.T) {
	m := carry(t, func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "never sent")
		panic(http.ErrAbortHandler)
	})
	if _, err := m.RoundTrip(request(t.Context(), t, "GET", "https://api.test/", nil)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a broken connection is %v, want a reset", err)
	}
	_, err := m.RoundTrip(request(t.Context(), t, "GET", "https://other.test/", nil))
	if dns, ok := errors.AsType[*net.DNSError](err); !ok || !dns.IsNotFound || !strings.Contains(err.Error(), "other.test") {
		t.Errorf("an unknown host is %v, want a DNS error with its name", err)
	}
}
