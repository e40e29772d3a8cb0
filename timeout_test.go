package jwtbearer

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
)

func TestTimeoutEndsAnAttemptInWhichTheServerIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &fakeAPI{handle: func(_ int, r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}}
		c := dialFake(t, api, func(conn *Connection) { conn.Timeout = 10 * time.Second; conn.Retry.MaxAttempts = 2 })
		_, err := c.RoundTrip(fakeRequest(t, "GET", nil))
		n, ok := errors.AsType[net.Error](err)
		if !ok || !n.Timeout() || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("RoundTrip: %v, want a net.Error that is a timeout", err)
		}
		if got := api.waits(); len(got) != 1 || got[0] < 10*time.Second || got[0] > 10200*time.Millisecond {
			t.Errorf("the attempts were %v apart, want one wait of 10s and a backoff", got)
		}
	})
}

func TestTimeoutIsSilenceNotLength(t *testing.T) {
	tests := []struct {
		name         string
		upload, down time.Duration // between bytes
		taken        time.Duration // by the caller between its reads
		timeout      bool
	}{
		{name: "an upload that moves", upload: 9 * time.Second},
		{name: "a download that moves", down: 9 * time.Second},
		{name: "a slow caller", taken: time.Minute},
		{name: "a download that stalls", down: 11 * time.Second, timeout: true},
		{name: "an upload whose caller is slow", upload: time.Minute},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := dialFake(t, transportFunc(func(r *http.Request) (*http.Response, error) {
					if _, err := io.ReadAll(r.Body); err != nil {
						return nil, err
					}
					r.Body.Close()
					if err := r.Context().Err(); err != nil {
						return nil, err
					}
					resp := fakeReply(200, "")
					resp.Body = io.NopCloser(&slowReader{left: 5, pause: test.down, ctx: r.Context()})
					return resp, nil
				}), func(conn *Connection) { conn.Timeout = 10 * time.Second })
				resp, err := c.RoundTrip(fakeRequest(t, "POST", &slowReader{left: 5, pause: test.upload, ctx: t.Context()}))
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				for err == nil {
					_, err = resp.Body.Read(make([]byte, 1))
					time.Sleep(test.taken)
				}
				_, timedOut := errors.AsType[*body.TimeoutError](err)
				if timedOut != test.timeout || !timedOut && err != io.EOF {
					t.Errorf("the body ended with %v, want a timeout: %v", err, test.timeout)
				}
				if got := c.Stats().InFlight; got != 0 {
					t.Errorf("InFlight = %d after the end, want 0", got)
				}
			})
		})
	}
}

func TestTimeoutCountsAServerThatTakesNoBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := dialFake(t, transportFunc(func(r *http.Request) (*http.Response, error) {
			r.Body.Read(make([]byte, 2))
			<-r.Context().Done()
			r.Body.Close()
			return nil, context.Cause(r.Context())
		}), func(conn *Connection) { conn.Timeout = 10 * time.Second })
		began := time.Now()
		_, err := c.RoundTrip(fakeRequest(t, "POST", strings.NewReader("body")))
		if _, ok := errors.AsType[*body.TimeoutError](err); !ok || time.Since(began) != 10*time.Second {
			t.Errorf("RoundTrip: %v after %v, want a timeout after 10s", err, time.Since(began))
		}
	})
}

func TestTimeoutDoesNotCountTheMinting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := dialFake(t, &fakeAPI{handle: func(_ int, r *http.Request) (*http.Response, error) {
			if err := r.Context().Err(); err != nil {
				return nil, err
			}
			return fakeReply(200, ""), nil
		}}, func(conn *Connection) {
			conn.SignatureMethod, conn.Secret = EdDSA, ""
			conn.Key = newSlowKey(func() { time.Sleep(time.Minute) })
			conn.Timeout = 10 * time.Second
		})
		if resp, err := c.RoundTrip(fakeRequest(t, "GET", nil)); err != nil || resp.StatusCode != 200 {
			t.Errorf("RoundTrip with a key that takes a minute = %v, %v, want 200", resp, err)
		}
	})
}

func TestNegativeTimeoutWaitsForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := dialFake(t, &fakeAPI{handle: func(_ int, r *http.Request) (*http.Response, error) {
			select {
			case <-r.Context().Done():
				return nil, r.Context().Err()
			case <-time.After(24 * time.Hour):
				return fakeReply(200, ""), nil
			}
		}}, func(conn *Connection) { conn.Timeout = -1 })
		if resp, err := c.RoundTrip(fakeRequest(t, "GET", nil)); err != nil {
			t.Errorf("RoundTrip = %v, %v, want the late answer", resp, err)
		}
	})
}

func TestTimeoutIsExactForEachOfManyAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := dialFake(t, transportFunc(func(r *http.Request) (*http.Response, error) {
			if r.URL.Query().Has("answered") {
				return fakeReply(200, ""), nil
			}
			<-r.Context().Done()
			return nil, context.Cause(r.Context())
		}), func(conn *Connection) {
			conn.Timeout, conn.Retry.MaxAttempts, conn.RateLimit.Fixed = 10*time.Second, 1, true
		})
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 731 * time.Millisecond)
				req := fakeRequest(t, "GET", nil)
				if i%3 == 0 {
					req.URL.RawQuery = "answered"
				}
				began := time.Now()
				resp, err := c.RoundTrip(req)
				if i%3 == 0 {
					if err != nil || resp.StatusCode != 200 {
						t.Errorf("attempt %d = %v, %v, want 200", i, resp, err)
					}
					return
				}
				_, timedOut := errors.AsType[*body.TimeoutError](err)
				if took := time.Since(began); !timedOut || took != 10*time.Second {
					t.Errorf("attempt %d: %v after %s, want a timeout after 10s", i, err, took)
				}
			})
		}
		wg.Wait()
	})
}

// A timer belongs to one bubble of synctest, and a client that tests share does not. All bubbles begin at the same time.
func TestTimeoutHoldsForAClientThatHasSeenAnotherClock(t *testing.T) {
	silent := false
	c := dialFake(t, transportFunc(func(r *http.Request) (*http.Response, error) {
		if !silent {
			return fakeReply(200, ""), nil
		}
		select {
		case <-r.Context().Done():
		case <-time.After(time.Hour):
		}
		return nil, context.Cause(r.Context())
	}), func(conn *Connection) {
		conn.Timeout, conn.Retry.MaxAttempts, conn.RateLimit.Fixed = 10*time.Second, 1, true
	})
	answered := func(t *testing.T) {
		silent = false
		if _, err := c.RoundTrip(fakeRequest(t, "GET", nil)); err != nil { // whose body stays open
			t.Fatal(err)
		}
	}
	answered(t)
	for bubble := range 2 {
		synctest.Test(t, func(t *testing.T) {
			answered(t)
			silent = true
			began := time.Now()
			_, err := c.RoundTrip(fakeRequest(t, "GET", nil))
			if _, ok := errors.AsType[*body.TimeoutError](err); !ok || time.Since(began) != 10*time.Second {
				t.Errorf("bubble %d: RoundTrip: %v after %s, want a timeout after 10s", bubble, err, time.Since(began))
			}
			answered(t)
		})
	}
}

// Clients need no closing, so a program may make one for each of its users.
func TestTimeoutKeepsNoClientInMemory(t *testing.T) {
	for _, limit := range []time.Duration{time.Hour, math.MaxInt64} {
		client := func() weak.Pointer[core] {
			c := dialFake(t, always(func() *http.Response { return fakeReply(200, "") }), func(conn *Connection) { conn.Timeout = limit })
			for range 2 {
				resp, err := c.RoundTrip(fakeRequest(t, "GET", nil))
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
			}
			return weak.Make(c.core)
		}()
		waitFor(t, func() bool { runtime.GC(); return client.Value() == nil }, "a client with a Timeout of "+limit.String()+" is kept after its last request")
	}
}

// A slowReader gives one byte after each pause, unless ctx ends.
type slowReader struct {
	left  int
	pause time.Duration
	ctx   context.Context
}

func (r *slowReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	select {
	case <-time.After(r.pause):
	case <-r.ctx.Done():
		return 0, r.ctx.Err()
	}
	r.left--
	p[0] = 'x'
	return 1, nil
}
