package jwtbearer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestRetryRepeatsWhatIsTransientAndMayBeRepeated(t *testing.T) {
	all := []string{"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "POST", "PATCH"}
	for status := 400; status < 600; status++ {
		if status == 401 || status == 429 {
			continue
		}
		for _, method := range all {
			for _, variant := range []string{"", "key", "always"} {
				attempts := retried(t, method, variant, always(func() *http.Response { return fakeReply(status, "") }))
				transient := status == 408 || status == 425 || status >= 500 && status != 501 && status != 505
				repeatable := variant != "" || method != "POST" && method != "PATCH"
				want := 1
				if transient && repeatable {
					want = 4
				}
				if attempts != want {
					t.Errorf("%s %s, status %d: %d attempts, want %d", method, variant, status, attempts, want)
				}
			}
		}
		switch status { // the rest is like it
		case 430:
			status = 499
		case 530:
			status = 597
		}
	}
	broken := errors.New("connection reset")
	for _, method := range all {
		want := 4
		if method == "POST" || method == "PATCH" {
			want = 1
		}
		if got := retried(t, method, "", failing(broken)); got != want {
			t.Errorf("%s, transport error: %d attempts, want %d", method, got, want)
		}
		if got, want := retried(t, method, "key", failing(broken)), 4; got != want {
			t.Errorf("%s with a key, transport error: %d attempts, want %d", method, got, want)
		}
	}
}

// retried makes a call without body and counts its attempts.
func retried(t *testing.T, method, variant string, api *fakeAPI) int {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := dialFake(t, api, func(conn *Connection) { conn.Token, conn.Retry.Always = "t", variant == "always" })
		req := fakeRequest(t, method, nil)
		if variant == "key" {
			req.Header.Set("Idempotency-Key", "1")
		}
		c.RoundTrip(req)
	})
	return api.count()
}

func TestRetryHandsOnTheLastAnswerWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		c := dialFake(t, always(func() *http.Response { n++; return fakeReply(503, fmt.Sprint("answer ", n), "X-N", fmt.Sprint(n)) }), nil)
		resp, err := c.RoundTrip(fakeRequest(t, "GET", nil))
		if err != nil || resp.StatusCode != 503 || resp.Header.Get("X-N") != "4" {
			t.Fatalf("RoundTrip = %v, %v, want the fourth 503", resp, err)
		}
		if got, want := readAll(t, resp), "answer 4"; got != want {
			t.Errorf("body %q, want %q", got, want)
		}
	})
}

func TestRetryBacksOffWithFullJitter(t *testing.T) {
	longest := make([]time.Duration, 5)
	for range 60 {
		synctest.Test(t, func(t *testing.T) {
			api := always(func() *http.Response { return fakeReply(503, "") })
			c := dialFake(t, api, func(conn *Connection) {
				conn.Retry = Retry{MaxAttempts: 6, MinBackoff: time.Second, MaxBackoff: 6 * time.Second}
			})
			c.RoundTrip(fakeRequest(t, "GET", nil))
			for i, got := range api.waits() {
				bound := min(6*time.Second, time.Second<<i)
				if got > bound {
					t.Errorf("wait %d was %v, want at most %v", i+1, got, bound)
				}
				longest[i] = max(longest[i], got)
			}
		})
	}
	for i, got := range longest {
		if bound := min(6*time.Second, time.Second<<i); got < bound/2 {
			t.Errorf("the longest of 60 waits number %d was %v, want more than half of %v", i+1, got, bound)
		}
	}
}

func TestBackoffOfManyAttemptsStaysWithinItsBound(t *testing.T) {
	for _, r := range []Retry{{MinBackoff: 20 * time.Second, MaxBackoff: time.Hour}, {MinBackoff: 1, MaxBackoff: longestBackoff},
		{MinBackoff: longestBackoff, MaxBackoff: longestBackoff}, Retry{MaxBackoff: math.MaxInt64}.withDefaults()} {
		k := &call{c: &core{retry: r}}
		for range 100 {
			if got := k.backoff(); got < 0 || got > r.MaxBackoff {
				t.Fatalf("%+v: backoff %d was %v", r, k.backoffs, got)
			}
		}
	}
}

func TestRetryEndsWithinMaxElapsedAndTheDeadline(t *testing.T) {
	for name, retry := range map[string]Retry{
		"unbounded attempts": {MaxAttempts: 1000, MaxElapsed: time.Minute, Budget: -1},
		"throttled":          {MaxElapsed: time.Minute},
		"deadline":           {MaxAttempts: 1000, MaxElapsed: -1, Budget: -1},
	} {
		synctest.Test(t, func(t *testing.T) {
			api := always(func() *http.Response {
				if name == "throttled" {
					return fakeReply(429, "last", "Retry-After", "7")
				}
				return fakeReply(503, "last")
			})
			c := dialFake(t, api, func(conn *Connection) { conn.Retry = retry })
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			began := time.Now()
			resp, err := c.RoundTrip(fakeRequest(t, "GET", nil).WithContext(ctx))
			if err != nil || readAll(t, resp) != "last" {
				t.Fatalf("%s: RoundTrip = %v, %v, want the last answer", name, resp, err)
			}
			most := time.Minute
			if name == "deadline" {
				most = 2 * time.Minute
			}
			if got := time.Since(began); got > most || api.count() < 5 {
				t.Errorf("%s: ended after %v and %d attempts, want at most %v and 5 or more", name, got, api.count(), most)
			}
		})
	}
}

func TestRetryRespectsTheBudgetOfAllCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := always(func() *http.Response { return fakeReply(503, "") })
		c := dialFake(t, api, nil)
		const calls = 100
		for range calls {
			c.RoundTrip(fakeRequest(t, "GET", nil))
		}
		if got, want := api.count(), calls+500/14; got != want {
			t.Errorf("%d calls made %d attempts, want %d", calls, got, want)
		}
	})
}

func TestThrottleIsWaitedForInFull(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		synctest.Test(t, func(t *testing.T) {
			var answers []*http.Response
			for range 6 { // more than MaxAttempts: they do not count
				answers = append(answers, fakeReply(429, "", "Retry-After", "20"))
			}
			api := replies(answers...)
			c := dialFake(t, api, nil)
			resp, err := c.RoundTrip(fakeRequest(t, method, strings.NewReader("body")))
			if err != nil || resp.StatusCode != 200 || api.count() != 7 {
				t.Fatalf("%s: RoundTrip = %v, %v after %d attempts, want 200 after 7", method, resp, err, api.count())
			}
			for i, got := range api.waits() {
				if got < 20*time.Second || got > 30*time.Second {
					t.Errorf("%s: wait %d was %v, want 20s and a little", method, i+1, got)
				}
			}
			if got, want := c.Stats().Throttles, uint64(6); got != want {
				t.Errorf("%s: Throttles = %d, want %d", method, got, want)
			}
		})
	}
}

func TestThrottleLongerThanMayBeWaitedForIsRefusedAtOnce(t *testing.T) {
	tests := []struct {
		name, wait string
		change     func(*Connection)
		deadline   time.Duration
		refused    bool
	}{
		{name: "MaxWait by default", wait: "301", refused: true},
		{name: "exactly MaxWait", wait: "300"},
		{name: "MaxWait", wait: "11", change: func(c *Connection) { c.RateLimit.MaxWait = 10 * time.Second }, refused: true},
		{name: "no MaxWait", wait: "500", change: func(c *Connection) { c.RateLimit.MaxWait = -1 }},
		{name: "deadline", wait: "60", deadline: 50 * time.Second, refused: true},
		{name: "later deadline", wait: "60", deadline: 70 * time.Second},
		{name: "MaxElapsed", wait: "60", change: func(c *Connection) { c.Retry.MaxElapsed = 50 * time.Second }, refused: true},
		{name: "MaxElapsed is not MaxWait", wait: "60", change: func(c *Connection) { c.Retry.MaxElapsed = -1 }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := replies(fakeReply(429, "slow down", "Retry-After", test.wait))
				c := dialFake(t, api, test.change)
				ctx, cancel := context.WithCancel(t.Context())
				if test.deadline > 0 {
					ctx, cancel = context.WithTimeout(t.Context(), test.deadline)
				}
				defer cancel()
				began := time.Now()
				var text string
				resp, err := c.Do(fakeRequest(t, "GET", nil).WithContext(ctx), &text)
				throttled, ok := errors.AsType[*ThrottledError](err)
				if ok != test.refused || resp == nil {
					t.Fatalf("Do = %v, %v, want refused: %v", resp, err, test.refused)
				}
				if !ok {
					return
				}
				wait, _ := time.ParseDuration(test.wait + "s")
				if throttled.RetryAfter != wait || throttled.Attempts != 1 || throttled.StatusCode != 429 || time.Since(began) != 0 {
					t.Errorf("%#v after %v, want RetryAfter %v, Attempts 1, StatusCode 429, at once", throttled, time.Since(began), wait)
				}
			})
		})
	}
}

func TestClosedGateStopsOtherCallsBeforeTheyAreSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := replies(fakeReply(429, "", "Retry-After", "900"))
		c := dialFake(t, api, nil)
		c.Do(fakeRequest(t, "GET", nil), nil)
		time.Sleep(100 * time.Second)
		resp, err := c.Do(fakeRequest(t, "GET", nil), nil)
		throttled, ok := errors.AsType[*ThrottledError](err)
		if resp != nil || !ok || throttled.Attempts != 0 || throttled.StatusCode != 0 || api.count() != 1 {
			t.Fatalf("Do = %v, %v, %d sent, want a *ThrottledError with Attempts 0 and nothing sent", resp, err, api.count())
		}
		if got, want := throttled.RetryAfter, 800*time.Second; got < want || got > want+20*time.Second {
			t.Errorf("RetryAfter = %v, want what is left, %v", got, want)
		}
		time.Sleep(600 * time.Second)
		if _, err := c.Do(fakeRequest(t, "GET", nil), nil); err != nil || api.count() != 2 {
			t.Errorf("Do = %v, %d sent, want success once the rest is within MaxWait", err, api.count())
		}
	})
}

func TestThrottleClassesFollowTheirOwnRules(t *testing.T) {
	rule := func(class string) RateLimit { return RateLimit{Rules: []Rule{{Status: []int{420}, Class: class}}} }
	tests := []struct {
		name, class, method, wait string
		attempts                  int
		least, most               time.Duration // between the attempts
	}{
		{"throttled POST waits", "throttled", "POST", "3", 10, 3 * time.Second, 9 * time.Second},
		{"overload counts", "overload", "GET", "3", 4, 3 * time.Second, 9 * time.Second},
		{"overload does not repeat POST", "overload", "POST", "3", 1, 0, 0},
		{"overload without a wait backs off", "overload", "GET", "", 4, 0, 30 * time.Second},
		{"concurrency backs off", "concurrency", "POST", "", 10, 0, 30 * time.Second},
		{"concurrency waits as told", "concurrency", "POST", "3", 10, 3 * time.Second, 33 * time.Second},
		{"exhausted without an end is refused", "exhausted", "GET", "", 1, 0, 0},
		{"exhausted waits", "exhausted", "GET", "3", 10, 3 * time.Second, 9 * time.Second},
		{"token waits", "token", "GET", "3", 10, 3 * time.Second, 9 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := &fakeAPI{handle: func(n int, _ *http.Request) (*http.Response, error) {
					if n == 10 {
						return fakeReply(200, ""), nil
					}
					resp := fakeReply(420, "")
					if test.wait != "" {
						resp.Header.Set("Retry-After", test.wait)
					}
					return resp, nil
				}}
				c := dialFake(t, api, func(conn *Connection) { conn.RateLimit = rule(test.class) })
				if resp, err := c.RoundTrip(fakeRequest(t, test.method, nil)); err != nil || api.count() != test.attempts {
					t.Fatalf("RoundTrip = %v, %v after %d attempts, want %d", resp, err, api.count(), test.attempts)
				}
				for i, got := range api.waits() {
					if got < test.least || got > test.most {
						t.Errorf("wait %d was %v, want %v to %v", i+1, got, test.least, test.most)
					}
				}
			})
		})
	}
}

func TestConcurrencyThrottlesSlowACallDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := always(func() *http.Response { return fakeReply(420, "") })
		c := dialFake(t, api, func(conn *Connection) {
			conn.RateLimit.Rules = []Rule{{Status: []int{420}, Class: "concurrency"}}
		})
		c.RoundTrip(fakeRequest(t, "GET", nil))
		if got, most := api.count(), 200; got > most {
			t.Errorf("%d attempts in 10 minutes of refusals, want a backoff that grows and so at most %d", got, most)
		}
	})
}

func TestCancellationEndsEveryWaitAtOnce(t *testing.T) {
	throttled := func() *http.Response { return fakeReply(429, "", "Retry-After", "60") }
	tests := []struct {
		name      string
		api       *fakeAPI
		change    func(*Connection)
		before    int // calls that are made first
		throttled bool
	}{
		{name: "pacing", api: replies(), before: 1, change: func(c *Connection) { c.RateLimit.Interval = time.Minute }},
		{name: "bucket", api: replies(), before: 1, change: func(c *Connection) {
			c.RateLimit.Limits = []Limit{{Requests: 1, Per: time.Minute, Burst: 1}}
		}},
		{name: "limiter", api: replies(), change: func(c *Connection) {
			c.Limiter = limiterFunc(func(ctx context.Context) error { <-ctx.Done(); return errors.New("untyped") })
		}},
		{name: "backoff", api: always(func() *http.Response { return fakeReply(503, "") }), change: func(c *Connection) {
			c.Retry = Retry{MinBackoff: 1000 * time.Hour, MaxBackoff: 1e6 * time.Hour, MaxElapsed: -1}
		}},
		{name: "cool-down", api: always(throttled), throttled: true},
		{name: "concurrency backoff", api: always(throttled), throttled: true, change: func(c *Connection) {
			c.RateLimit.Rules = []Rule{{Status: []int{429}, Class: "concurrency"}}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := dialFake(t, test.api, test.change)
				for range test.before {
					c.Do(fakeRequest(t, "GET", nil), nil)
				}
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				began := time.Now()
				resp, err := c.RoundTrip(fakeRequest(t, "GET", nil).WithContext(ctx))
				if resp != nil || !errors.Is(err, context.Canceled) || time.Since(began) != time.Second {
					t.Errorf("RoundTrip = %v, %v after %v, want context.Canceled after 1s", resp, err, time.Since(began))
				}
				left, ok := RetryAfter(err)
				if ok != test.throttled || ok && left != 59*time.Second {
					t.Errorf("RetryAfter(%v) = %v, %v, want 59s, %v", err, left, ok, test.throttled)
				}
				if s := c.Stats(); s.InFlight != 0 || s.Waiting != 0 {
					t.Errorf("%+v, want nobody in flight or waiting", s)
				}
			})
		})
	}
}

func TestDeadlineBeforeTheTurnEndsTheCallAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := replies()
		c := dialFake(t, api, func(conn *Connection) { conn.RateLimit.Interval = time.Minute })
		c.RoundTrip(fakeRequest(t, "GET", nil))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		_, err := c.RoundTrip(fakeRequest(t, "GET", nil).WithContext(ctx))
		if !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "jwtbearer: no turn before the deadline\n") {
			t.Errorf("RoundTrip: %v, want context.DeadlineExceeded, joined with why", err)
		}
		if got := time.Since(began); got != 0 || api.count() != 1 {
			t.Errorf("after %v and %d requests, want at once and 1", got, api.count())
		}
	})
}

func TestCancelledCallGivesItsTurnBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := replies()
		c := dialFake(t, api, func(conn *Connection) { conn.RateLimit.Interval = 10 * time.Second })
		began := time.Now()
		c.RoundTrip(fakeRequest(t, "GET", nil))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		c.RoundTrip(fakeRequest(t, "GET", nil).WithContext(ctx))
		c.RoundTrip(fakeRequest(t, "GET", nil))
		if got, want := time.Since(began), 10*time.Second; got != want {
			t.Errorf("the next call was sent after %v, want %v", got, want)
		}
	})
}
