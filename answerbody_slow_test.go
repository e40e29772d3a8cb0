package jwtbearer

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
	"github.com/seed-363d07a3/jwtbearer/internal/diagnose"
)

// A dripBody gives a byte now and then and does not end by itself.
type dripBody struct {
	every time.Duration // zero: it gives nothing
	text  string        // that it begins with
	ends  <-chan struct{}
	close func()
}

func (b *dripBody) Read(p []byte) (int, error) {
	if b.text != "" {
		n := copy(p, b.text)
		b.text = b.text[n:]
		return n, nil
	}
	var tick <-chan time.Time
	if b.every > 0 {
		tick = time.After(b.every)
	}
	select {
	case <-b.ends:
		return 0, errors.New("read of a body that was ended")
	case <-tick:
		p[0] = ' '
		return 1, nil
	}
}

func (b *dripBody) Close() error {
	b.close()
	return nil
}

// drips are the ways in which a body does not end. Transports differ in what ends a Read that blocks.
var drips = map[string]func(ctx context.Context) *dripBody{
	"drips, ended by Close": func(context.Context) *dripBody {
		ends := make(chan struct{})
		return &dripBody{every: 10 * time.Millisecond, ends: ends, close: sync.OnceFunc(func() { close(ends) })}
	},
	"drips, ended by its context": func(ctx context.Context) *dripBody {
		return &dripBody{every: 10 * time.Millisecond, ends: ctx.Done(), close: func() {}}
	},
	"is silent": func(context.Context) *dripBody {
		ends := make(chan struct{})
		return &dripBody{ends: ends, close: sync.OnceFunc(func() { close(ends) })}
	},
	"is silent, ended by its context": func(ctx context.Context) *dripBody {
		return &dripBody{ends: ctx.Done(), close: func() {}}
	},
}

// endless is an answer whose body begins with text and does not end.
func endless(r *http.Request, drip func(context.Context) *dripBody, status int, text string, fields ...string) *http.Response {
	resp := fakeReply(status, "", fields...)
	body := drip(r.Context())
	body.text = text
	resp.Body, resp.ContentLength = body, -1
	return resp
}

func TestNoBodyHoldsACall(t *testing.T) {
	once := Retry{MaxAttempts: 1, MinBackoff: time.Second, MaxBackoff: time.Second}
	isA := func(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }
	none, any := isA(nil), func(err error) bool { return err != nil }
	type drip = func(context.Context) *dripBody
	for name, test := range map[string]struct {
		handle func(n int, r *http.Request, d drip) *http.Response
		change func(*Connection)
		call   func(*Client, *http.Request) error // nil: Do with a nil out
		took   time.Duration
		ok     func(error) bool
	}{
		"a success that nobody wants": {
			handle: func(_ int, r *http.Request, d drip) *http.Response { return endless(r, d, 200, "") },
			took:   body.KeepTime, ok: none},
		"a refused answer": {
			handle: func(_ int, r *http.Request, d drip) *http.Response { return endless(r, d, 404, "no such thing") },
			took:   body.TextTime, ok: func(err error) bool {
				e, ok := errors.AsType[*ResponseError](err)
				return ok && strings.TrimSpace(string(e.Body)) == "no such thing" && e.Message == "no such thing"
			}},
		"a throttle": {
			handle: func(_ int, r *http.Request, d drip) *http.Response {
				return endless(r, d, 429, "", "Retry-After", "3600")
			},
			took: body.KeepTime, ok: func(err error) bool { _, ok := errors.AsType[*ThrottledError](err); return ok }},
		"a refused token, twice": {
			handle: func(_ int, r *http.Request, d drip) *http.Response { return endless(r, d, 401, "{}") },
			took:   body.KeepTime + body.TextTime, ok: func(err error) bool { _, ok := errors.AsType[*AuthError](err); return ok }},
		"an answer that is tried again": {
			handle: func(n int, r *http.Request, d drip) *http.Response {
				if n > 1 {
					return fakeReply(200, "")
				}
				return endless(r, d, 429, "", "Retry-After", "0")
			},
			change: func(c *Connection) {
				c.RateLimit.Fixed, c.Retry.MinBackoff, c.Retry.MaxBackoff = true, time.Millisecond, time.Millisecond
			},
			took: body.KeepTime, ok: none},
		"a redirect": {
			handle: func(n int, r *http.Request, d drip) *http.Response {
				if n > 1 {
					return fakeReply(200, "")
				}
				return endless(r, d, 302, "", "Location", "/other")
			},
			took: body.KeepTime, ok: none},
		"a redirect of HTTPClient": {
			handle: func(n int, r *http.Request, d drip) *http.Response {
				if n > 1 {
					return fakeReply(200, "")
				}
				return endless(r, d, 302, "", "Location", "/other")
			},
			call: func(c *Client, req *http.Request) error { _, err := c.HTTPClient().Do(req); return err },
			took: body.KeepTime, ok: none},
		"a redirect elsewhere, and what it leads to": {
			handle: func(n int, r *http.Request, d drip) *http.Response {
				if n > 1 {
					return endless(r, d, 500, "")
				}
				return endless(r, d, 302, "", "Location", "https://elsewhere.example.com/")
			},
			took: body.KeepTime + body.TextTime, ok: any},
		"a redirect that leads nowhere": {
			handle: func(n int, r *http.Request, d drip) *http.Response {
				return endless(r, d, 302, "", "Location", "/again")
			},
			took: 10 * body.KeepTime, ok: any},
		"a refusal by the token endpoint, of a second assertion too": {
			handle: func(_ int, r *http.Request, d drip) *http.Response {
				return endless(r, d, 400, `{"error":"invalid_grant"} `)
			},
			change: func(c *Connection) { c.Exchange = &Exchange{TokenURL: "/token", Grant: "jwt-bearer"} },
			took:   2 * body.TextTime, ok: func(err error) bool { e, ok := errors.AsType[*TokenError](err); return ok && e.Code == "invalid_grant" }},
		"a token that does not come": {
			handle: func(_ int, r *http.Request, d drip) *http.Response { return endless(r, d, 200, `{"access_token":"`) },
			change: func(c *Connection) { c.Exchange = &Exchange{TokenURL: "/token", Grant: "jwt-bearer"} },
			took:   tokenTime, ok: func(err error) bool { return diagnose.IsTimeout(err) && strings.Contains(err.Error(), "within 10s") }},
		"a refused Test": {
			handle: func(_ int, r *http.Request, d drip) *http.Response { return endless(r, d, 500, "") },
			call:   func(c *Client, req *http.Request) error { _, err := c.Test(req.Context()); return err },
			took:   body.TextTime, ok: func(err error) bool { _, ok := errors.AsType[*ResponseError](err); return ok }},
		"a Test": {
			handle: func(_ int, r *http.Request, d drip) *http.Response { return endless(r, d, 200, "") },
			call:   func(c *Client, req *http.Request) error { _, err := c.Test(req.Context()); return err },
			took:   probeTimeout, ok: isA(context.DeadlineExceeded)},
	} {
		for kind, drip := range drips {
			synctest.Test(t, func(t *testing.T) {
				api := &fakeAPI{}
				api.handle = func(n int, r *http.Request) (*http.Response, error) { return test.handle(n, r, drip), nil }
				c := dialFake(t, api, func(conn *Connection) {
					conn.Timeout, conn.Retry = -1, once
					if test.change != nil {
						test.change(conn)
					}
				})
				call := test.call
				if call == nil {
					call = func(c *Client, req *http.Request) error { _, err := c.Do(req, nil); return err }
				}
				began := time.Now()
				err := call(c, fakeRequest(t, "GET", nil))
				if took := time.Since(began).Round(10 * time.Millisecond); took != test.took || !test.ok(err) {
					t.Errorf("%s that %s: it took %s and gave %v; want %s", name, kind, took, err, test.took)
				}
				if got := c.Stats().InFlight; got != 0 && test.call == nil {
					t.Errorf("%s that %s: %d are in flight afterwards; want none", name, kind, got)
				}
			})
		}
	}
}

// A rule waits for the beginning of a body, but the body is the caller's: what comes later is not lost.
func TestARuleDoesNotHoldACallWhoseBodyIsSlow(t *testing.T) {
	const size = 1000
	for name, rule := range map[string]Rule{"a path": {Path: "code", Values: []string{"x"}}, "an expression": {Match: "y"}} {
		synctest.Test(t, func(t *testing.T) {
			c := dialFake(t, &fakeAPI{handle: func(_ int, r *http.Request) (*http.Response, error) {
				resp := fakeReply(200, "", "Content-Type", "application/json")
				resp.Body, resp.ContentLength = io.NopCloser(&slowReader{left: size, pause: time.Second, ctx: r.Context()}), -1
				return resp, nil
			}}, func(conn *Connection) { conn.RateLimit.Rules = []Rule{rule} })
			began := time.Now()
			resp, err := c.RoundTrip(fakeRequest(t, "GET", nil))
			if took := time.Since(began); err != nil || took != body.TextTime {
				t.Fatalf("%s: RoundTrip gave %v after %s; want the answer after %s", name, err, took, body.TextTime)
			}
			if got := readAll(t, resp); got != strings.Repeat("x", size) {
				t.Errorf("%s: the caller read %d bytes; want all %d", name, len(got), size)
			}
			if took := time.Since(began); took != size*time.Second {
				t.Errorf("%s: the body ended after %s; want %s", name, took, size*time.Second)
			}
		})
	}
}

// A text that comes slowly, but in time, is whole.
func TestTheWordsOfASlowRefusalAreRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := dialFake(t, &fakeAPI{handle: func(_ int, r *http.Request) (*http.Response, error) {
			resp := fakeReply(404, "")
			resp.Body, resp.ContentLength = io.NopCloser(&slowReader{left: 4, pause: time.Second, ctx: r.Context()}), -1
			return resp, nil
		}}, nil)
		_, err := c.Do(fakeRequest(t, "GET", nil), nil)
		if e, ok := errors.AsType[*ResponseError](err); !ok || string(e.Body) != "xxxx" || e.Message != "xxxx" {
			t.Errorf("Do gives %v; want all 4 bytes of the text", err)
		}
	})
}
