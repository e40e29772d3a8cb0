package jwtbearer

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/dial"
)

func TestEveryAttemptHasItsOwnTokenMintedAfterTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := replies(fakeReply(429, "", "Retry-After", "20"), fakeReply(503, ""), fakeReply(401, ""))
		c := dialFake(t, api, func(conn *Connection) { conn.Payload = `{"jti":"{{uuid}}","at":"{{now}}"}` })
		if _, err := c.RoundTrip(fakeRequest(t, "GET", nil)); err != nil {
			t.Fatal(err)
		}
		var ids []string
		for i, got := range api.requests() {
			token := strings.TrimPrefix(got.header.Get("Authorization"), "Bearer ")
			if exp, want := expiryOf(token), got.at.Add(time.Minute); exp.Sub(want).Abs() > time.Second {
				t.Errorf("attempt %d at %v: exp %v, want %v", i+1, got.at, exp, want)
			}
			ids = append(ids, token)
		}
		slices.Sort(ids)
		if got := len(slices.Compact(ids)); got != 4 || c.Stats().Minted != 4 {
			t.Errorf("%d distinct tokens, %d minted, want 4", got, c.Stats().Minted)
		}
	})
}

func TestRefusedTokenIsReplacedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refuse := true
		api := &fakeAPI{handle: func(int, *http.Request) (*http.Response, error) {
			if refuse {
				return fakeReply(401, "no"), nil
			}
			return fakeReply(200, ""), nil
		}}
		c := dialFake(t, api, nil)
		call := func(wantStatus, wantSent int) {
			t.Helper()
			before := api.count()
			resp, err := c.RoundTrip(fakeRequest(t, "POST", strings.NewReader("body")))
			if err != nil || resp.StatusCode != wantStatus || api.count()-before != wantSent {
				t.Errorf("RoundTrip = %v, %v after %d attempts, want %d after %d", resp, err, api.count()-before, wantStatus, wantSent)
			}
		}
		call(401, 2)
		call(401, 1) // no call mints anew for a minute
		time.Sleep(59 * time.Second)
		call(401, 1)
		time.Sleep(time.Second)
		call(401, 2)
		refuse = false
		call(200, 1) // one succeeds
		refuse = true
		call(401, 2)
		if got, want := c.Stats().Refused, uint64(8); got != want {
			t.Errorf("Refused = %d, want %d", got, want)
		}
	})
}

func TestRefusedTokenIsNotReplacedWhereNoOtherCanBeHad(t *testing.T) {
	for name, change := range map[string]func(*Connection){
		"ready-made token":      func(c *Connection) { c.Token = "t" },
		"body not replayable":   func(c *Connection) { c.Retry.BufferLimit = 1 },
		"another status is one": func(c *Connection) { c.AuthFailure = []Rule{{Status: []int{403}}} },
	} {
		api := always(func() *http.Response { return fakeReply(401, "") })
		c := dialFake(t, api, change)
		req := fakeRequest(t, "POST", strings.NewReader("body"))
		req.GetBody = nil
		if resp, err := c.RoundTrip(req); err != nil || resp.StatusCode != 401 || api.count() != 1 {
			t.Errorf("%s: %v, %v after %d attempts, want 401 after 1", name, resp, err, api.count())
		}
	}
}

func TestRefusalDropsAReusedTokenOnlyIfItIsStillTheOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		bad := ""
		api := &fakeAPI{handle: func(_ int, r *http.Request) (*http.Response, error) {
			time.Sleep(time.Second) // so that all calls are refused together
			mu.Lock()
			defer mu.Unlock()
			if bad == "" {
				bad = r.Header.Get("Authorization")
			}
			if bad == r.Header.Get("Authorization") {
				return fakeReply(401, ""), nil
			}
			return fakeReply(200, ""), nil
		}}
		c := dialFake(t, api, func(conn *Connection) { conn.TokenReuse, conn.Lifetime = time.Hour, 2*time.Hour })
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if resp, err := c.RoundTrip(fakeRequest(t, "GET", nil)); err != nil || resp.StatusCode != 200 {
					t.Errorf("RoundTrip = %v, %v, want 200", resp, err)
				}
			})
		}
		wg.Wait()
		if got, want := c.Stats().Minted, uint64(2); got != want {
			t.Errorf("Minted = %d, want %d: one refused, one for all", got, want)
		}
	})
}

func TestWrongClockIsCorrectedInTheReplacement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ahead = 10 * time.Minute
		date := func() string { return time.Now().Add(ahead).UTC().Format(http.TimeFormat) }
		api := &fakeAPI{handle: func(_ int, r *http.Request) (*http.Response, error) {
			exp := expiryOf(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
			if exp.Before(time.Now().Add(ahead)) {
				return fakeReply(401, "", "Date", date()), nil
			}
			return fakeReply(200, "", "Date", date()), nil
		}}
		c := dialFake(t, api, nil)
		resp, err := c.RoundTrip(fakeRequest(t, "GET", nil))
		if err != nil || resp.StatusCode != 200 || api.count() != 2 {
			t.Fatalf("RoundTrip = %v, %v after %d attempts, want 200 after 2", resp, err, api.count())
		}
		if got := c.Stats().Skew; (got - ahead).Abs() > 2*time.Second {
			t.Errorf("Skew = %v, want about %v", got, ahead)
		}
		if c.RoundTrip(fakeRequest(t, "GET", nil)); api.count() != 3 {
			t.Errorf("the next call made %d attempts, want 1", api.count()-2)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		api := always(func() *http.Response {
			return fakeReply(401, "", "Date", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
		})
		c := dialFake(t, api, nil)
		c.RoundTrip(fakeRequest(t, "GET", nil))
		if got := c.Stats().Skew; got != 0 || api.count() != 2 {
			t.Errorf("Skew = %v after %d attempts, want the correction taken back after 2", got, api.count())
		}
	})
}

func TestErrorsBeforeAConnectionAreTransientForEveryMethod(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := listener.Addr().String()
	listener.Close()
	dropped := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, _ := http.NewResponseController(w).Hijack()
		conn.Close()
	}))
	defer dropped.Close()
	selfSigned := httptest.NewUnstartedServer(nil)
	selfSigned.Config.ErrorLog = discardLog
	selfSigned.StartTLS()
	defer selfSigned.Close()
	mutual := httptest.NewUnstartedServer(nil)
	mutual.Config.ErrorLog = discardLog
	mutual.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12} // 1.3 tells it too late
	mutual.StartTLS()
	defer mutual.Close()
	plain := httptest.NewUnstartedServer(nil)
	plain.Config.ErrorLog = discardLog
	plain.Start()
	defer plain.Close()
	tests := []struct {
		name, base, method string
		transport          http.RoundTripper
		want               int64 // attempts
	}{
		{"dial refused", "http://" + refused, "POST", dial.New(), 3},
		{"dropped POST", dropped.URL, "POST", dial.New(), 1},
		{"dropped GET", dropped.URL, "GET", dial.New(), 3},
		{"certificate of an unknown authority", selfSigned.URL, "GET", dial.New(), 1},
		{"certificate wanted from the client", mutual.URL, "GET", mutual.Client().Transport, 1},
		{"no TLS there", strings.Replace(plain.URL, "http:", "https:", 1), "GET", dial.New(), 1},
		{"DNS", "http://localhost", "POST", &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.DNSError{Err: "no such host", Name: "localhost", IsNotFound: true}
		}}, 3},
		{"handshake cut", "https://localhost", "POST", &http.Transport{DialTLSContext: func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.New("EOF")
		}}, 3},
	}
	for _, test := range tests {
		var sent atomic.Int64
		c := dialFake(t, transportFunc(func(r *http.Request) (*http.Response, error) {
			sent.Add(1)
			return test.transport.RoundTrip(r)
		}), func(conn *Connection) {
			conn.BaseURI = test.base
			conn.Retry = Retry{MaxAttempts: 3, MinBackoff: time.Millisecond, MaxBackoff: time.Millisecond}
		})
		req, _ := http.NewRequestWithContext(t.Context(), test.method, test.base, strings.NewReader("body"))
		if resp, err := c.RoundTrip(req); err == nil || sent.Load() != test.want {
			t.Errorf("%s: %v, %v after %d attempts, want an error after %d", test.name, resp, err, sent.Load(), test.want)
		}
	}
}

var discardLog = log.New(io.Discard, "", 0)
