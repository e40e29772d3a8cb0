package demoapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// limited returns an API with that limit and dialect, and a function that calls it with a token of its own.
func limited(t *testing.T, l Limit, d Dialect) (*API, func() *httptest.ResponseRecorder) {
	c := config()
	c.Limit, c.Dialect = l, d
	a, n := newAPI(t, c), 0
	return a, func() *httptest.ResponseRecorder {
		n++
		return get(a, sign(t, claims(fmt.Sprint(n), nil)))
	}
}

func TestBucketTakesItsBurstAndThenItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, call := limited(t, Limit{Rate: 20, Burst: 5}, MillisHeader())
		for i := range 5 {
			if w := call(); w.Code != http.StatusOK {
				t.Fatalf("request %d of the burst: %d", i, w.Code)
			}
		}
		for range 3 { // what is refused takes nothing
			if w := call(); w.Code != http.StatusForbidden || w.Header().Get("X-Retry-After-Ms") != "50" {
				t.Errorf("beyond the burst: %d, wait %q; want 403 and 50", w.Code, w.Header().Get("X-Retry-After-Ms"))
			}
		}
		time.Sleep(49 * time.Millisecond)
		if w := call(); w.Code != http.StatusForbidden {
			t.Errorf("1 ms before the wait is over: %d, want 403", w.Code)
		}
		time.Sleep(time.Millisecond)
		if w := call(); w.Code != http.StatusOK {
			t.Errorf("when the wait is over: %d, want 200", w.Code)
		}
		if got := a.Stats(); got.Requests != 10 || got.Accepted != 6 || got.Throttled != 4 {
			t.Errorf("Stats() = %+v; want 10 requests, 6 accepted, 4 throttled", got)
		}
	})
}

func TestWindowIsAlignedToTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, call := limited(t, Limit{Window: time.Minute, Requests: 2}, RetryAfter())
		time.Sleep(50*time.Second + 300*time.Millisecond) // the clock of a bubble begins at midnight
		for i, want := range []int{200, 200, 429} {
			w := call()
			if w.Code != want {
				t.Errorf("request %d in the window: %d, want %d", i, w.Code, want)
			}
			if got := w.Header().Get("Retry-After"); want == 429 && got != "10" {
				t.Errorf("Retry-After %q, 9.7 s before the minute: want 10", got)
			}
		}
		time.Sleep(9700 * time.Millisecond)
		if w := call(); w.Code != http.StatusOK {
			t.Errorf("at the full minute: %d, want 200", w.Code)
		}
	})
}

func TestAThrottledRequestUsesUpItsJTI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, call := limited(t, Limit{Rate: 1, Burst: 1}, Dialect{})
		call()
		token := sign(t, claims("throttled", nil))
		if w := get(a, token); w.Code != http.StatusTooManyRequests {
			t.Fatalf("beyond the burst: %d, want 429", w.Code)
		}
		time.Sleep(time.Second)
		if w := get(a, token); !strings.Contains(w.Body.String(), string(Replayed)) {
			t.Errorf("the same token again: %d %s, want %q", w.Code, w.Body, Replayed)
		}
	})
}

func TestARefusedTokenTakesNothingFromTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, call := limited(t, Limit{Rate: 1, Burst: 1}, Bare())
		get(a, "")
		if w := call(); w.Code != http.StatusOK {
			t.Errorf("after a request without token: %d, want 200", w.Code)
		}
	})
}

func TestDialectsTellAThrottle(t *testing.T) {
	for _, tt := range []struct {
		name    string
		dialect Dialect
		status  int
		header  map[string]string
		body    string
	}{
		{"Bare", Bare(), 429, nil, ""},
		{"RetryAfter", RetryAfter(), 429, map[string]string{"Retry-After": "1"}, `"code":"too_many_requests"`},
		{"MillisHeader", MillisHeader(), 403, map[string]string{"X-Retry-After-Ms": "400"}, `"code":"rate_limit_exceeded"`},
		{"RateLimitReset", RateLimitReset(), 403, map[string]string{"X-RateLimit-Limit": "1", "X-RateLimit-Remaining": "0",
			"X-RateLimit-Reset": "946684801"}, `"code":"quota_exceeded"`},
		{"OKWithCode", OKWithCode(), 200, nil, `{"code":"THROTTLED","ok":false,"retryAfterMs":400}`},
		{"CodeOnly", CodeOnly(), 400, nil, `"code":"REQUEST_LIMIT_EXCEEDED"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, call := limited(t, Limit{Rate: 2.5, Burst: 1}, tt.dialect)
				call()
				w := call()
				if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.body) || tt.body == "" && w.Body.Len() > 0 {
					t.Errorf("throttled: %d %s; want %d %s", w.Code, w.Body, tt.status, tt.body)
				}
				for name, want := range tt.header {
					if got := w.Header().Get(name); got != want {
						t.Errorf("throttled: %s is %q, want %q", name, got, want)
					}
				}
			})
		})
	}
}

func TestRateLimitResetTellsTheQuotaInEveryAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, call := limited(t, Limit{Window: time.Hour, Requests: 3}, RateLimitReset())
		for _, want := range []string{"2", "1", "0"} {
			w := call()
			if got := w.Header().Get("X-RateLimit-Remaining"); w.Code != http.StatusOK || got != want {
				t.Errorf("%d with X-RateLimit-Remaining %q, want 200 with %q", w.Code, got, want)
			}
			nextHour := fmt.Sprint(time.Now().Truncate(time.Hour).Add(time.Hour).Unix())
			if got := w.Header().Get("X-RateLimit-Reset"); got != nextHour {
				t.Errorf("X-RateLimit-Reset %q, want the next full hour, %s", got, nextHour)
			}
		}
	})
}
