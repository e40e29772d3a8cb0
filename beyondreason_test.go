package jwtbearer

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"testing"
	"time"
)

// TestWaitBeyondReasonClosesTheGateForMaxWait holds that a throttle whose wait nobody can mean is neither obeyed nor taken for
// one that asks for no wait.
func TestWaitBeyondReasonClosesTheGateForMaxWait(t *testing.T) {
	for _, tt := range []struct {
		name    string
		maxWait time.Duration
		want    time.Duration
	}{{"by default", 0, 5 * time.Minute}, {"a minute", time.Minute, time.Minute}, {"no bound", -1, time.Hour}} {
		for _, text := range []string{"99999999999999999999", "1e300", "9223372036855", "Fri, 31 Dec 9999 23:59:59 GMT", "31622401",
			"2147483647"} {
			in2025(t, tt.name+" "+text, func(t *testing.T) {
				api := replies(fakeReply(429, "", "Retry-After", text))
				c := dialFake(t, api, func(conn *Connection) {
					conn.RateLimit.MaxWait, conn.RateLimit.DefaultWait, conn.Retry.MaxElapsed = tt.maxWait, time.Second, -1
				})
				if _, err := c.Do(fakeRequest(t, "GET", nil), nil); err != nil {
					t.Fatal(err)
				}
				if got := api.waits()[0]; got < tt.want || got > tt.want+time.Second {
					t.Errorf("Retry-After: %s is waited for %v, want %v", text, got, tt.want)
				}
			})
		}
	}
}

// TestNothingOverflowsWhereSettingsAreHuge has the longest durations that can be set.
func TestNothingOverflowsWhereSettingsAreHuge(t *testing.T) {
	const huge = time.Duration(math.MaxInt64)
	for name, rl := range map[string]RateLimit{
		"MaxWait":             {MaxWait: huge},
		"DefaultWait":         {DefaultWait: huge},
		"MinWait":             {MinWait: huge, MaxWait: -1},
		"all":                 {MinWait: huge, DefaultWait: huge, MaxWait: huge},
		"exhausted":           {MaxWait: huge, Rules: []Rule{{Status: on(429), Class: "exhausted"}}},
		"concurrency":         {MaxWait: huge, DefaultWait: huge, Rules: []Rule{{Status: on(429), Class: "concurrency"}}},
		"window of a quota":   {Quota: []Quota{{Remaining: Extract{Header: "R"}, Window: huge}}},
		"window of a limit":   {Limits: []Limit{{Requests: 9, Per: huge}}},
		"bucket of a limit":   {Limits: []Limit{{Requests: 9, Per: huge, Burst: 9}}},
		"fixed pace, MaxWait": {MaxWait: huge, Fixed: true},
	} {
		in2025(t, name, func(t *testing.T) {
			date := time.Now().Format(http.TimeFormat)
			api := replies(fakeReply(429, "", "R", "0", "Date", date), fakeReply(503, "", "R", "0", "Date", date))
			c := dialFake(t, api, func(conn *Connection) {
				conn.RateLimit, conn.Retry = rl, Retry{MaxAttempts: 2, MinBackoff: time.Second, MaxBackoff: huge, MaxElapsed: -1}
			})
			for range 9 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				c.Do(fakeRequest(t, "GET", nil).WithContext(ctx), nil)
				cancel()
				time.Sleep(10 * time.Minute)
			}
			if s := c.Stats(); api.count() < 2 || !s.ClosedUntil.IsZero() && s.ClosedUntil.Before(time.Now()) {
				t.Fatalf("%d requests in more than an hour, %+v; want at least a probe", api.count(), s)
			}
			if waits := api.waits(); max(rl.DefaultWait, rl.MinWait) == huge && waits[0] < 10*time.Minute {
				t.Errorf("after a throttle with a wait of %v the next request comes after %v", huge, waits[0])
			}
		})
	}
}

// TestDateBeyondReasonIsNoClock has servers whose Date is that of another age.
func TestDateBeyondReasonIsNoClock(t *testing.T) {
	for _, date := range []string{"Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:01 GMT",
		"Tue, 19 Jan 2038 03:14:08 GMT"} {
		for name, rl := range map[string]RateLimit{
			"window": {Limits: []Limit{{Requests: 2, Per: time.Minute}}},
			"quota":  {Quota: []Quota{{Remaining: Extract{Header: "R"}, Reset: Extract{Header: "T"}}}},
		} {
			in2025(t, name+" "+date, func(t *testing.T) {
				api := always(func() *http.Response {
					return fakeReply(200, "", "Date", date, "R", "0", "T", fmt.Sprint(time.Now().Add(time.Minute).Unix()))
				})
				c := dialFake(t, api, func(conn *Connection) { conn.RateLimit = rl })
				began := time.Now()
				for i := range 10 {
					if _, err := c.Do(fakeRequest(t, "GET", nil), nil); err != nil {
						t.Fatalf("call %d: %v", i, err)
					}
				}
				if took := time.Since(began); took > 20*time.Minute {
					t.Errorf("10 calls take %v", took)
				}
			})
		}
	}
}

// TestQuotaWithAResetBeyondReasonHoldsNobodyUp has a quota that is used up until a time that nobody can mean. Its Window does not
// count in the place of that.
func TestQuotaWithAResetBeyondReasonHoldsNobodyUp(t *testing.T) {
	for name, window := range map[string]time.Duration{"no window": 0, "a window": time.Minute} {
		in2025(t, name, func(t *testing.T) {
			c := dialFake(t, always(func() *http.Response { return fakeReply(200, "", "R", "0", "T", "99999999999") }), func(conn *Connection) {
				conn.RateLimit.Quota = []Quota{{Remaining: Extract{Header: "R"}, Reset: Extract{Header: "T", As: "seconds"}, Window: window}}
			})
			began := time.Now()
			for range 3 {
				if _, err := c.Do(fakeRequest(t, "GET", nil), nil); err != nil || time.Since(began) != 0 {
					t.Errorf("Do: %v after %v, want no wait", err, time.Since(began))
				}
			}
		})
	}
}
