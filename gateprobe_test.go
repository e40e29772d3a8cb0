package jwtbearer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/throttle"
	"github.com/seed-363d07a3/jwtbearer/internal/waits"
)

// closings are answers that close the gate for a day.
var closings = []struct {
	name   string
	rl     RateLimit
	answer func() *http.Response
	by     string
}{
	{"a throttle", RateLimit{}, dayLong(429, "Retry-After", "86400"), "default rules[0]"},
	{"an overload", RateLimit{}, dayLong(503, "Retry-After", "86400"), "default rules[1]"},
	{"a fixed pace", RateLimit{Fixed: true}, dayLong(429, "Retry-After", "86400"), "default rules[0]"},
	{"a wait from the settings", RateLimit{DefaultWait: 24 * time.Hour}, dayLong(429), "default rules[0]"},
	{"an exhausted quota", RateLimit{Rules: []Rule{{Status: on(403), Class: "exhausted"}}}, dayLong(403, "Retry-After", "86400"), "rules[0]"},
	{"a quota that is used up", RateLimit{}, dayLong(200, "RateLimit", `"daily";r=0;t=86400`), "RateLimit daily"},
	{"a reserve", RateLimit{Reserve: 3}, dayLong(200, "RateLimit", `"daily";r=2;t=86400`), "RateLimit daily"},
}

func dayLong(status int, fields ...string) func() *http.Response {
	return func() *http.Response { return fakeReply(status, "", fields...) }
}

// everyTenSeconds makes calls for a while, each with a deadline of 20 s, and returns when the API was asked.
func everyTenSeconds(t *testing.T, c *Client, api *fakeAPI, over time.Duration) (asked []time.Duration) {
	t.Helper()
	began := time.Now()
	for time.Since(began) < over {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		sent := api.count()
		_, err := c.Do(fakeRequest(t, "GET", nil).WithContext(ctx), nil)
		cancel()
		if e, ok := errors.AsType[*ThrottledError](err); api.count() == sent && (!ok || e.RetryAfter <= 0 || e.Attempts != 0) {
			t.Fatalf("after %v a call that was not sent gives %#v, want a *ThrottledError with the rest of the wait", time.Since(began), err)
		}
		time.Sleep(10 * time.Second)
	}
	for _, r := range api.requests() {
		asked = append(asked, r.at.Sub(began))
	}
	return asked
}

func TestAnAcceptedProbeOpensTheGate(t *testing.T) {
	for _, tt := range closings {
		in2025(t, tt.name, func(t *testing.T) {
			api := replies(tt.answer())
			c := dialFake(t, api, func(conn *Connection) { conn.RateLimit = tt.rl })
			began := time.Now()
			asked := everyTenSeconds(t, c, api, 4*time.Minute)
			if s := c.Stats(); len(asked) != 1 || s.ClosedBy != tt.by || s.ClosedUntil.Sub(began).Round(time.Minute) != 24*time.Hour {
				t.Errorf("asked at %v, closed until %v by %q; want it closed for a day by %q", asked, s.ClosedUntil, s.ClosedBy, tt.by)
			}
			asked = everyTenSeconds(t, c, api, 2*time.Minute)
			if first := asked[1] + 4*time.Minute; first != 5*time.Minute || len(asked) != 1+6 {
				t.Errorf("the gate is probed after %v, and %d calls are sent in 2m; want 5m, and all of the minute after it", first, len(asked)-1)
			}
			if s := c.Stats(); !s.ClosedUntil.IsZero() || s.ClosedBy != "" {
				t.Errorf("closed until %v by %q after a probe was accepted", s.ClosedUntil, s.ClosedBy)
			}
		})
	}
}

func TestARefusedProbeLeavesTheGateClosedAndTheNextComesLater(t *testing.T) {
	for _, tt := range closings {
		if tt.name == "a quota that is used up" {
			continue // a 200 refuses nothing; see TestAQuotaThatLiesIsNotBelievedAfterAProbe
		}
		in2025(t, tt.name, func(t *testing.T) {
			api := always(tt.answer)
			c := dialFake(t, api, func(conn *Connection) { conn.RateLimit = tt.rl })
			asked := everyTenSeconds(t, c, api, 4*time.Hour)
			for i := range asked {
				asked[i] = asked[i].Round(time.Minute)
			}
			m := time.Minute
			if want := []time.Duration{0, 5 * m, 15 * m, 35 * m, 75 * m, 135 * m, 195 * m}; !slices.Equal(asked, want) {
				t.Errorf("asked at %v, want %v", asked, want)
			}
		})
	}
}

func TestTheWaitToldToAProbeCounts(t *testing.T) {
	for name, second := range map[string]string{"shorter": "60", "longer": "172800"} {
		in2025(t, name, func(t *testing.T) {
			api := replies(fakeReply(429, "", "Retry-After", "86400"), fakeReply(429, "", "Retry-After", second))
			c := dialFake(t, api, nil)
			began := time.Now()
			everyTenSeconds(t, c, api, 5*time.Minute+5*time.Second)
			want := map[string]time.Duration{"60": 6 * time.Minute, "172800": 48*time.Hour + 5*time.Minute}[second]
			if got := c.Stats().ClosedUntil.Sub(began); got < want || got > want+time.Minute || api.count() != 2 {
				t.Errorf("closed for %v after %d requests, want %v after the probe", got, api.count(), want)
			}
		})
	}
}

// A quota that is told to be used up in every answer, all of which are served, is not believed after a probe.
func TestAQuotaThatLiesIsNotBelievedAfterAProbe(t *testing.T) {
	in2025(t, "every answer", func(t *testing.T) {
		api := always(dayLong(200, "RateLimit", `"daily";r=0;t=86400`))
		c := dialFake(t, api, nil)
		if got := len(everyTenSeconds(t, c, api, 6*time.Minute)); got != 1+6 {
			t.Errorf("%d requests in 6m, want one, the probe after 5m and all of the minute after it", got)
		}
	})
	in2025(t, "until it tells the truth", func(t *testing.T) {
		api := replies(fakeReply(200, "", "RateLimit", `"daily";r=0;t=86400`), fakeReply(200, ""),
			fakeReply(200, "", "RateLimit", `"daily";r=1;t=86400`), fakeReply(200, "", "RateLimit", `"daily";r=0;t=86400`))
		c := dialFake(t, api, nil)
		if got := len(everyTenSeconds(t, c, api, 9*time.Minute)); got != 4 {
			t.Errorf("%d requests, want 4: after something was left, nothing left is believed again", got)
		}
	})
}

func TestOneProbeIsInFlightAtATime(t *testing.T) {
	in2025(t, "slow", func(t *testing.T) {
		api := &fakeAPI{handle: func(n int, req *http.Request) (*http.Response, error) {
			if n == 1 {
				return fakeReply(429, "", "Retry-After", "86400"), nil
			}
			return fakeReply(200, ""), sleep(req.Context(), 20*time.Second)
		}}
		c := dialFake(t, api, nil)
		c.Do(fakeRequest(t, "GET", nil), nil)
		time.Sleep(5 * time.Minute)
		began := time.Now()
		var mu sync.Mutex
		var refused, served int
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				_, err := c.Do(fakeRequest(t, "GET", nil), nil)
				mu.Lock()
				defer mu.Unlock()
				if e, ok := errors.AsType[*ThrottledError](err); ok && e.Attempts == 0 && time.Since(began) == 0 {
					refused++
				} else if err == nil {
					served++
				}
			})
		}
		wg.Wait()
		if refused != 19 || served != 1 || api.count() != 2 {
			t.Errorf("%d refused at once, %d served, %d requests; want 19, 1 and 2", refused, served, api.count())
		}
		if _, err := c.Do(fakeRequest(t, "GET", nil), nil); err != nil {
			t.Errorf("after the probe: %v", err)
		}
	})
}

func TestAProbeWithoutAVerdictGivesTheRightBack(t *testing.T) {
	gone := errors.New("connection reset")
	for _, tt := range []struct {
		name string
		end  func(ctx context.Context) (*http.Response, error)
		sent int // requests until then
	}{
		{"failed", func(context.Context) (*http.Response, error) { return nil, gone }, 2},
		{"server error", func(context.Context) (*http.Response, error) { return fakeReply(500, ""), nil }, 2},
		{"cancelled", func(ctx context.Context) (*http.Response, error) { return nil, sleep(ctx, time.Hour) }, 2},
		{"not sent", nil, 1},
	} {
		in2025(t, tt.name, func(t *testing.T) {
			api := &fakeAPI{handle: func(n int, req *http.Request) (*http.Response, error) {
				switch {
				case n == 1:
					return fakeReply(429, "", "Retry-After", "86400"), nil
				case n == 2 && tt.end != nil:
					return tt.end(req.Context())
				}
				return fakeReply(200, ""), nil
			}}
			broken := false
			c := dialFake(t, api, func(conn *Connection) {
				conn.Limiter = limiterFunc(func(ctx context.Context) error {
					if broken {
						return gone
					}
					return nil
				})
			})
			do := func() error {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err := c.Do(fakeRequest(t, "POST", nil).WithContext(ctx), nil)
				return err
			}
			do()
			time.Sleep(5 * time.Minute)
			broken = tt.end == nil
			if err := do(); err == nil || api.count() != tt.sent {
				t.Errorf("the probe gives %v after %d requests, want an error after %d", err, api.count(), tt.sent)
			}
			if broken = false; c.Stats().ClosedUntil.IsZero() {
				t.Error("the gate opened for a probe that told nothing")
			}
			if err := do(); err != nil || api.count() != tt.sent+1 {
				t.Errorf("the next call gives %v after %d requests, want it sent as the probe", err, api.count())
			}
			if s := c.Stats(); !s.ClosedUntil.IsZero() {
				t.Errorf("closed until %v after a probe was accepted", s.ClosedUntil)
			}
		})
	}
}

// With no bound calls stand in line for as long as the API says, and the first of them is the probe.
func TestWithoutMaxWaitTheGateIsProbedHourly(t *testing.T) {
	for _, limiter := range []Limiter{nil, limiterFunc(func(context.Context) error { return nil })} {
		in2025(t, fmt.Sprintf("limiter %t", limiter != nil), func(t *testing.T) {
			began := time.Now()
			api := &fakeAPI{handle: func(int, *http.Request) (*http.Response, error) {
				if time.Since(began) < 90*time.Minute {
					return fakeReply(429, "", "Retry-After", "8640000"), nil
				}
				return fakeReply(200, ""), nil
			}}
			c := dialFake(t, api, func(conn *Connection) {
				conn.RateLimit.MaxWait, conn.Retry.MaxElapsed, conn.Limiter = -1, -1, limiter
			})
			var wg sync.WaitGroup
			for range 5 {
				wg.Go(func() {
					if _, err := c.Do(fakeRequest(t, "GET", nil), nil); err != nil {
						t.Errorf("after %v: %v", time.Since(began), err)
					}
				})
			}
			wg.Wait()
			if took := time.Since(began); took < 2*time.Hour || took > 2*time.Hour+time.Minute {
				t.Errorf("served after %v and %v, want 2h: the second probe is accepted", took, api.waits())
			}
		})
	}
}

func TestAttemptThatWaitsForItsLimiterBecomesTheProbe(t *testing.T) {
	in2025(t, "limiter", func(t *testing.T) {
		api := replies(fakeReply(429, "", "Retry-After", "8640000"))
		first := true
		c := dialFake(t, api, func(conn *Connection) {
			conn.RateLimit.MaxWait = -1
			conn.Limiter = limiterFunc(func(ctx context.Context) error {
				if first {
					first = false
					return nil
				}
				return sleep(ctx, time.Minute)
			})
		})
		began := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() { // leaves the line before the gate closes
			time.Sleep(time.Second)
			if _, err := c.Do(fakeRequest(t, "GET", nil), nil); err != nil {
				t.Error(err)
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		api.handle = slowFirst(api.handle, 2*time.Second)
		if _, err := c.Do(fakeRequest(t, "GET", nil).WithContext(ctx), nil); err == nil {
			t.Error("the first call was served")
		}
		wg.Wait()
		if got := time.Since(began); got != time.Hour+2*time.Second || api.count() != 2 {
			t.Errorf("the second call ends after %v with %d requests, want it sent an hour after the refusal", got, api.count())
		}
	})
}

// slowFirst delays the first answer.
func slowFirst(handle func(int, *http.Request) (*http.Response, error), by time.Duration) func(int, *http.Request) (*http.Response, error) {
	return func(n int, req *http.Request) (*http.Response, error) {
		if n == 1 {
			if err := sleep(req.Context(), by); err != nil {
				return nil, err
			}
		}
		return handle(n, req)
	}
}

func TestTheGateOfATokenEndpointIsProbedToo(t *testing.T) {
	in2025(t, "token endpoint", func(t *testing.T) {
		f := &fakeIssuer{endpoint: replies(fakeReply(429, "", "Retry-After", "86400"), issued("at", "")), api: replies()}
		c := dialIssuer(t, f, nil)
		began := time.Now()
		for time.Since(began) < 6*time.Minute {
			c.Do(fakeRequest(t, "GET", nil), nil)
			time.Sleep(10 * time.Second)
		}
		if got := f.endpoint.waits(); len(got) != 1 || got[0] != 5*time.Minute || f.api.count() != 6 {
			t.Errorf("token requests come %v apart, and %d calls are served; want 5m, and all of the minute after it", got, f.api.count())
		}
	})
}

func TestBackoffNeverShortensAWait(t *testing.T) {
	k := &call{c: dialFake(t, replies(), nil).core}
	for _, wait := range []time.Duration{0, 1, time.Second, waits.Longest, math.MaxInt64 - 1, math.MaxInt64} {
		k.throttle = &throttle.Verdict{Wait: wait}
		for range 100 {
			if got := k.backoff(); got < wait {
				t.Fatalf("backoff = %v after a throttle that asks for %v", got, wait)
			}
		}
	}
}

// toldWait makes calls every minute after an answer that tells a wait in every field that is looked at, and checks that the gate is
// never closed until the past, that no call waits for longer than it may, and that the API is asked again within the hour.
func toldWait(t *testing.T, status int, text, date string, maxWait time.Duration) {
	fields := []string{"Retry-After", text, "X-Left", "0", "X-Reset", text, "RateLimit", `"a";r=0;t=` + text, "Date", date}
	api := replies(fakeReply(status, "", fields...))
	c := dialFake(t, api, func(conn *Connection) {
		conn.RateLimit.MaxWait = maxWait
		conn.RateLimit.Quota = []Quota{{Remaining: Extract{Header: "X-Left"}, Reset: Extract{Header: "X-Reset"}},
			{Remaining: Extract{Header: "RateLimit"}}}
	})
	began := time.Now()
	for api.count() < 2 && time.Since(began) < 2*time.Hour {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		_, err := c.Do(fakeRequest(t, "GET", nil).WithContext(ctx), nil)
		cancel()
		if wait, ok := RetryAfter(err); ok && (wait <= 0 || wait > waits.Longest+time.Second) {
			t.Errorf("%d %q, Date %q: the error tells to wait %v", status, text, date, wait)
		}
		if until := c.Stats().ClosedUntil; !until.IsZero() && (!until.After(time.Now()) || time.Until(until) > waits.Longest+time.Second) {
			t.Errorf("%d %q, Date %q: closed until %v, which is in %v", status, text, date, until, time.Until(until))
		}
		time.Sleep(time.Minute)
	}
	most := max(maxWait, 5*time.Minute)
	if maxWait < 0 {
		most = time.Hour
	}
	if asked := api.waits(); len(asked) == 0 || asked[0] > most+2*time.Minute {
		t.Errorf("%d %q, Date %q, MaxWait %v: the API is asked again after %v, want it within %v", status, text, date, maxWait, asked, most)
	}
}

func FuzzAToldWaitNeverStopsTheClientForEver(f *testing.F) {
	for _, text := range []string{"0", "1", "86400", "31622400", "31622401", "2147483647", "9223372036", "9223372037", "1e19", "-1", "1735689601",
		"1767225600", "4102444800", "1e308", "9223372036854775807", "Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 2026 00:00:00 GMT",
		"2025-12-31", "366d", "soon", "", "5, 99999999999"} {
		for _, date := range []string{"", "Wed, 01 Jan 2025 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:01 GMT"} {
			f.Add(text, date, uint8(len(text)))
		}
	}
	f.Fuzz(func(t *testing.T, text, date string, kind uint8) {
		if strings.ContainsAny(text+date, "\r\n\x00") {
			return // net/http hands on no such field
		}
		status := []int{200, 429, 503}[kind%3]
		maxWait := []time.Duration{0, time.Minute, 40 * time.Minute, -1}[kind/3%4]
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(time.Until(time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC)))
			toldWait(t, status, text, date, maxWait)
		})
	})
}
