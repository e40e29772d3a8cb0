package jwtbearer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/response"
	"golang.org/x/time/rate"
)

// in2025 runs a test in a bubble whose time tells epochs from waits.
func in2025(t *testing.T, name string, test func(*testing.T)) {
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(time.Until(time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC)))
			test(t)
		})
	})
}

func TestRetryAfterIsUnderstoodInEveryForm(t *testing.T) {
	const none = -1
	now := time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC) // when each answer comes
	in := func(d time.Duration, layout string) string { return now.Add(d).Format(layout) }
	epoch := func(d time.Duration) string { return fmt.Sprint(now.Add(d).Unix()) }
	for _, tt := range []struct {
		name, retryAfter, date string
		want                   time.Duration // none: the adaptation guesses
	}{
		{"seconds", "20", "", 20 * time.Second},
		{"decimal", "2.5", "", 2500 * time.Millisecond},
		{"epoch", epoch(90 * time.Second), "", 90 * time.Second},
		{"epoch in milliseconds", epoch(90*time.Second) + "250", "", 90250 * time.Millisecond},
		{"IMF-fixdate", in(time.Minute, http.TimeFormat), "", time.Minute},
		{"RFC 850 date", in(time.Minute, "Monday, 02-Jan-06 15:04:05 GMT"), "", time.Minute},
		{"asctime", in(time.Minute, time.ANSIC), "", time.Minute},
		{"date by a clock that is 5 h ahead", in(5*time.Hour+time.Minute, http.TimeFormat), in(5*time.Hour, http.TimeFormat),
			time.Minute},
		{"date by a clock that is 5 h behind", in(time.Minute-5*time.Hour, http.TimeFormat), in(-5*time.Hour, http.TimeFormat),
			time.Minute},
		{"epoch by a clock that is 5 h ahead", epoch(5*time.Hour + time.Minute), in(5*time.Hour, http.TimeFormat), time.Minute},
		{"zero", "0", "", 0},
		{"the past", epoch(-time.Hour), "", 0},
		{"negative", "-5", "", none},
		{"words", "in a while", "", none},
		{"empty", "", "", none},
	} {
		in2025(t, tt.name, func(t *testing.T) {
			throttled := fakeReply(429, "", "Retry-After", tt.retryAfter)
			if tt.date != "" {
				throttled.Header.Set("Date", tt.date)
			}
			api := replies(throttled)
			if resp, err := dialFake(t, api, nil).RoundTrip(fakeRequest(t, "GET", nil)); err != nil || resp.StatusCode != 200 {
				t.Fatalf("RoundTrip = %v, %v, want 200 in the end", resp, err)
			}
			least, most := tt.want, tt.want+tt.want/20
			switch tt.want {
			case none:
				least, most = time.Millisecond, time.Second
			case 0: // a backoff all the same
				most = 200 * time.Millisecond
			}
			if got := api.waits()[0]; got < least || got > most {
				t.Errorf("Retry-After: %s is waited for %v, want %v to %v", tt.retryAfter, got, least, most)
			}
		})
	}
}

func TestLyingQuotaStopsNobodyForEver(t *testing.T) {
	tests := map[string]struct {
		status int
		fields []string
		every  bool // answer tells so, not only the first
	}{
		"plenty left, and refused":        {429, []string{"X-Left", "100", "X-Reset", "60"}, false},
		"nothing left, and served":        {200, []string{"X-Left", "0", "X-Reset", "2"}, true},
		"nothing left for years":          {200, []string{"X-Left", "0", "X-Reset", "2147483647"}, true},
		"nothing left, and no clock":      {200, []string{"X-Left", "0", "X-Reset", "1e300"}, true},
		"nothing left until long ago":     {200, []string{"X-Left", "0", "X-Reset", "0"}, true},
		"nothing left until nobody knows": {200, []string{"X-Left", "0"}, true},
		"less than nothing left":          {200, []string{"X-Left", "-3", "X-Reset", "60"}, true},
		"nonsense left":                   {200, []string{"X-Left", "some", "X-Reset", "later"}, true},
	}
	for name, tt := range tests {
		in2025(t, name, func(t *testing.T) {
			api := &fakeAPI{handle: func(n int, _ *http.Request) (*http.Response, error) {
				if n == 1 {
					return fakeReply(tt.status, "", tt.fields...), nil
				}
				if tt.every {
					return fakeReply(200, "", tt.fields...), nil
				}
				return fakeReply(200, ""), nil
			}}
			c := dialFake(t, api, func(conn *Connection) {
				conn.RateLimit.Quota = []Quota{{Remaining: Extract{Header: "X-Left"}, Reset: Extract{Header: "X-Reset"}}}
			})
			began := time.Now()
			for i := range 20 {
				if _, err := c.Do(fakeRequest(t, "GET", nil), nil); err != nil {
					t.Fatalf("call %d: %v", i, err)
				}
			}
			if got, most := time.Since(began), 45*time.Second; got > most {
				t.Errorf("20 calls take %v, want %v at most", got, most)
			}
		})
	}
}

func TestUsedUpQuotaFailsFastAndSaysWhen(t *testing.T) {
	day := 24 * time.Hour
	for _, tt := range []struct {
		name   string
		rl     RateLimit
		answer func() *http.Response
		want   ThrottledError
	}{
		{"salesforce", RateLimit{Profile: "salesforce"}, func() *http.Response {
			return fakeReply(403, `[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"TotalRequests Limit exceeded."}]`,
				"Content-Type", "application/json", "Sforce-Limit-Info", "api-usage=15000/15000")
		}, ThrottledError{Class: "exhausted", RetryAfter: day, Rule: "salesforce rules[1]", Attempts: 1, StatusCode: 403}},
		{"github", RateLimit{Profile: "github"}, func() *http.Response {
			return fakeReply(429, "{}", "X-RateLimit-Remaining", "0", "X-RateLimit-Limit", "60",
				"X-RateLimit-Reset", fmt.Sprint(time.Now().Add(time.Hour).Unix()))
		}, ThrottledError{Class: "exhausted", RetryAfter: time.Hour, Rule: "github rules[0]", Attempts: 1, StatusCode: 429}},
		{"the end is not told", RateLimit{Rules: []Rule{{Status: on(429), Class: "exhausted"}}}, func() *http.Response {
			return fakeReply(429, "")
		}, ThrottledError{Class: "exhausted", Rule: "rules[0]", Attempts: 1, StatusCode: 429}},
	} {
		in2025(t, tt.name, func(t *testing.T) {
			api := always(tt.answer)
			c, began := dialFake(t, api, func(conn *Connection) { conn.RateLimit = tt.rl }), time.Now()
			_, err := c.Do(fakeRequest(t, "POST", nil), nil)
			got, ok := errors.AsType[*ThrottledError](err)
			if !ok || *got != tt.want || api.count() != 1 || time.Since(began) != 0 {
				t.Fatalf("Do gives %#v after %v and %d requests, want %#v at once after 1", err, time.Since(began), api.count(),
					tt.want)
			}
			_, err = c.Do(fakeRequest(t, "GET", nil), nil)
			got, ok = errors.AsType[*ThrottledError](err)
			if !ok || got.Attempts != 0 || got.StatusCode != 0 || api.count() != 1 {
				t.Fatalf("the next call gives %#v after %d requests, want it not sent", err, api.count())
			}
			if got.Class != tt.want.Class || got.Rule != tt.want.Rule || got.RetryAfter < tt.want.RetryAfter {
				t.Errorf("the next call gives %#v, want the same reason and wait", got)
			}
		})
	}
}

func TestQuotaThatIsUsedUpIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := replies(fakeReply(200, "", "RateLimit", `"burst";r=9;t=1, "daily";r=0;t=7200`))
		c := dialFake(t, api, nil)
		if _, err := c.Do(fakeRequest(t, "GET", nil), nil); err != nil {
			t.Fatal(err)
		}
		_, err := c.Do(fakeRequest(t, "GET", nil), nil)
		got, ok := errors.AsType[*ThrottledError](err)
		if want := "RateLimit daily"; !ok || got.Rule != want || got.RetryAfter < 2*time.Hour || api.count() != 1 {
			t.Errorf("Do gives %#v, want a *ThrottledError of 2h by %q, not sent", err, want)
		}
	})
}

func TestRateLimitFieldsOfEveryGenerationAreObeyed(t *testing.T) {
	for _, tt := range []struct {
		name   string
		fields []string
		want   time.Duration // that the next call waits
	}{
		{"draft 6", []string{"RateLimit-Limit", "10, 10;w=60", "RateLimit-Remaining", "0", "RateLimit-Reset", "30"},
			30 * time.Second},
		{"draft 7", []string{"RateLimit", "limit=10, remaining=0, reset=30"}, 30 * time.Second},
		{"bare name", []string{"RateLimit", "default;r=0;t=30", "RateLimit-Policy", "default;q=100;w=60"}, 30 * time.Second},
		{"string name", []string{"RateLimit", `"default";r=0;t=30`}, 30 * time.Second},
		{"two quotas", []string{"RateLimit", `"burst";r=0;t=5, "minute";r=0;t=30`}, 30 * time.Second},
		{"one of two", []string{"RateLimit", `"burst";r=0;t=5, "minute";r=7;t=30`}, 2500 * time.Millisecond}, // near enough to be tried half-way
		{"window for a reset", []string{"RateLimit", `"default";r=0`, "RateLimit-Policy", `"default";q=10;w=30`}, 30 * time.Second},
		{"something left", []string{"RateLimit", `"default";r=1;t=30`}, 0},
		{"malformed", []string{"RateLimit", `"default";r=0;t=`}, 0},
		{"malformed policy", []string{"RateLimit", `"default";r=0;t=30`, "RateLimit-Policy", `"default";q=`},
			30 * time.Second},
		{"bytes", []string{"RateLimit", `"default";r=0;t=30`, "RateLimit-Policy", `"default";q=10;qu="content-bytes"`}, 0},
		{"Retry-After wins", []string{"RateLimit", `"default";r=0;t=30`, "Retry-After", "3"}, 3 * time.Second},
	} {
		in2025(t, tt.name, func(t *testing.T) {
			api := replies(fakeReply(200, "", tt.fields...))
			c := dialFake(t, api, nil)
			for range 2 {
				if _, err := c.Do(fakeRequest(t, "GET", nil), nil); err != nil {
					t.Fatal(err)
				}
			}
			if got := api.waits()[0]; got < tt.want || got > tt.want+10*time.Millisecond {
				t.Errorf("%q: the next call waits %v, want %v", tt.fields, got, tt.want)
			}
		})
	}
}

// TestResetIsKeptByTheServersClock holds that a reset told as a time is neither rounded by a Date, which is cut to a second,
// nor taken for one by a clock that is wrong.
func TestResetIsKeptByTheServersClock(t *testing.T) {
	for _, skew := range []time.Duration{0, 7300 * time.Millisecond, -3 * time.Hour} {
		in2025(t, skew.String(), func(t *testing.T) {
			time.Sleep(700 * time.Millisecond)
			reset := time.Now().Add(skew).Truncate(time.Minute).Add(time.Minute)
			left := 100
			api := always(func() *http.Response {
				left--
				server := time.Now().Add(skew).UTC()
				if !server.Before(reset) {
					left, reset = 99, reset.Add(time.Minute)
				} else if left < 0 {
					t.Errorf("sent %v before the reset", reset.Sub(server))
				}
				return fakeReply(200, "", "X-Left", fmt.Sprint(left), "X-Reset", fmt.Sprint(reset.Unix()),
					"Date", server.Format(http.TimeFormat))
			})
			c := dialFake(t, api, func(conn *Connection) {
				conn.RateLimit.Quota = []Quota{{Remaining: Extract{Header: "X-Left"}, Reset: Extract{Header: "X-Reset"}}}
				conn.RateLimit.Interval = 10 * time.Millisecond // over two seconds of the server's clock
			})
			first := reset
			for range 300 {
				if _, err := c.Do(fakeRequest(t, "GET", nil), nil); err != nil {
					t.Fatal(err)
				}
			}
			late := api.requests()[200].at.Add(skew).Sub(first.Add(time.Minute))
			if late < 0 || late > 30*time.Millisecond {
				t.Errorf("the third hundred begins %v after the second reset, want at most 30ms", late)
			}
		})
	}
}

func TestReserveOfAQuotaIsLeftOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := 10
		api := always(func() *http.Response {
			left--
			return fakeReply(200, "", "RateLimit", fmt.Sprintf(`"default";r=%d;t=40`, left))
		})
		c := dialFake(t, api, func(conn *Connection) { conn.RateLimit.Reserve = 4 })
		for range 7 {
			if _, err := c.Do(fakeRequest(t, "GET", nil), nil); err != nil {
				t.Fatal(err)
			}
		}
		for i, got := range api.waits() {
			if wants := i == 5; (got >= 40*time.Second) != wants {
				t.Errorf("call %d waits %v with %d left; waits: %v", i+2, got, 10-i-1, wants)
			}
		}
	})
}

func TestForbiddenIsNotAThrottleNorTheReverse(t *testing.T) {
	rl := RateLimit{Rules: []Rule{{Status: on(403), Path: "error.code", Values: []string{"quota"}}}, DefaultWait: 20 * time.Second}
	failure := []Rule{{Status: on(401)}, {Status: on(403), Path: "error.code", Values: []string{"bad_token"}}}
	for _, tt := range []struct {
		code     string
		attempts int
		took     time.Duration // at least
		stats    Stats
	}{
		{"quota", 2, 20 * time.Second, Stats{Throttles: 1}},
		{"bad_token", 2, 0, Stats{Refused: 1}},
		{"no_permission", 1, 0, Stats{}},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			api := replies(fakeReply(403, `{"error":{"code":"`+tt.code+`"}}`, "Content-Type", "application/json"))
			c := dialFake(t, api, func(conn *Connection) { conn.RateLimit, conn.AuthFailure = rl, failure })
			resp, err := c.RoundTrip(fakeRequest(t, "GET", nil))
			if err != nil || (resp.StatusCode == 200) != (tt.attempts == 2) || api.count() != tt.attempts {
				t.Errorf("%s: %v, %v after %d attempts, want %d", tt.code, resp, err, api.count(), tt.attempts)
			}
			if got := time.Since(began); got < tt.took || got > tt.took+time.Second {
				t.Errorf("%s: took %v, want %v", tt.code, got, tt.took)
			}
			if got := c.Stats(); got.Throttles != tt.stats.Throttles || got.Refused != tt.stats.Refused {
				t.Errorf("%s: %d throttles and %d refused tokens, want %d and %d", tt.code, got.Throttles, got.Refused,
					tt.stats.Throttles, tt.stats.Refused)
			}
		})
	}
}

func TestNoTokenIsMintedWhileTokensAreThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := replies(fakeReply(429, `{"reason":"TooManyProviderTokenUpdates"}`, "Retry-After", "60"))
		c := dialFake(t, api, func(conn *Connection) { conn.RateLimit.Profile = "apns" })
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { c.Do(fakeRequest(t, "GET", nil), nil) })
		}
		time.Sleep(59 * time.Second)
		minted := c.Stats().Minted
		if minted != uint64(api.count()) {
			t.Errorf("%d tokens minted for %d attempts while the gate is closed, want as many", minted, api.count())
		}
		wg.Wait()
	})
}

func TestGateReleasesTheCallsSpreadOut(t *testing.T) {
	for _, fixed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			const calls, answer = 40, 50 * time.Millisecond
			began := time.Now()
			api := &fakeAPI{handle: func(n int, _ *http.Request) (*http.Response, error) {
				time.Sleep(answer)
				if n == 1 {
					return fakeReply(429, "", "Retry-After", "10"), nil
				}
				return fakeReply(200, ""), nil
			}}
			c := dialFake(t, api, func(conn *Connection) { conn.RateLimit.Fixed = fixed })
			var wg sync.WaitGroup
			for range calls {
				wg.Go(func() {
					if _, err := c.Do(fakeRequest(t, "GET", nil), nil); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			opened, atOnce := time.Time{}, 0
			for _, seen := range api.requests() {
				switch {
				case seen.at.Sub(began) < 10*time.Second:
				case opened.IsZero():
					opened, atOnce = seen.at, 1
				case seen.at.Sub(opened) < answer:
					atOnce++
				}
			}
			if atOnce < 1 || atOnce > 3 {
				t.Errorf("Fixed %v: %d of %d leave within %v when the gate opens, want 1 to 3", fixed, atOnce, calls, answer)
			}
		})
	}
}

func TestLimiterIsWaitedOnAfterTheLineAndTakesNoSecondSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := replies(fakeReply(429, "", "Retry-After", "60"))
		first := true
		c := dialFake(t, api, func(conn *Connection) {
			conn.RateLimit = RateLimit{Fixed: true, Limits: []Limit{{Requests: 2, Per: time.Hour}}}
			conn.Limiter = limiterFunc(func(context.Context) error {
				if first {
					first = false
					time.Sleep(10 * time.Second)
				}
				return nil
			})
		})
		began := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() { // it has a slot, and waits for the Limiter while the gate closes
			resp, err := c.RoundTrip(fakeRequest(t, "GET", nil))
			if got := time.Since(began); err != nil || resp.StatusCode != 200 || got < time.Minute || got > 62*time.Second {
				t.Errorf("the first call ends with %v, %v after %v, want 200 when the gate opens after 1m", resp, err, got)
			}
		})
		synctest.Wait()
		resp, err := c.RoundTrip(fakeRequest(t, "GET", nil))
		if err != nil || resp.StatusCode != 429 {
			t.Errorf("the second call ends with %v, %v, want its 429: there is no third slot within MaxElapsed", resp, err)
		}
		wg.Wait()
	})
}

func TestAttemptsAreCountedNotCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, began := replies(fakeReply(503, ""), fakeReply(503, "")), time.Now()
		c := dialFake(t, api, func(conn *Connection) {
			conn.RateLimit = RateLimit{Fixed: true, Limits: []Limit{{Requests: 3, Per: time.Hour}}}
		})
		for range 2 {
			if _, err := c.Do(fakeRequest(t, "GET", nil), nil); err != nil {
				t.Fatal(err)
			}
		}
		if got := api.requests()[3].at.Sub(began); got < time.Hour {
			t.Errorf("the second call leaves after %v, want 1h: the first one took three attempts", got)
		}
	})
}

func TestClientsShareNothingButTheirLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := replies(fakeReply(429, "", "Retry-After", "200"))
		conn := &Connection{BaseURI: "https://api.example.com", Token: "t", Transport: api}
		var clients []*Client
		for range 2 {
			c, err := NewClient(conn)
			if err != nil {
				t.Fatal(err)
			}
			clients = append(clients, c)
		}
		go clients[0].RoundTrip(fakeRequest(t, "GET", nil))
		synctest.Wait()
		began := time.Now()
		if _, err := clients[1].Do(fakeRequest(t, "GET", nil), nil); err != nil || time.Since(began) != 0 {
			t.Errorf("the other client's call ends with %v after %v, want success at once", err, time.Since(began))
		}
		if got := clients[1].Stats(); got.Throttles != 0 || got.Rate != 0 {
			t.Errorf("%+v, want no trace of the first client's throttle", got)
		}
		time.Sleep(5 * time.Minute)
	})
	synctest.Test(t, func(t *testing.T) {
		shared := rate.NewLimiter(1, 1)
		api, began := replies(), time.Now()
		var wg sync.WaitGroup
		for range 2 {
			c := dialFake(t, api, func(conn *Connection) { conn.Limiter = shared })
			for range 5 {
				wg.Go(func() { c.Do(fakeRequest(t, "GET", nil), nil) })
			}
		}
		wg.Wait()
		if got, want := time.Since(began), 9*time.Second; got != want {
			t.Errorf("ten calls of two clients with a Limiter of one a second take %v, want %v", got, want)
		}
	})
}

func TestStatsTellRateWaitingAndInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := rate.NewLimiter(20, 5)
		api := transportFunc(func(req *http.Request) (*http.Response, error) {
			time.Sleep(2 * time.Millisecond)
			if !server.Allow() {
				return fakeReply(429, ""), nil
			}
			return fakeReply(200, ""), nil
		})
		c := dialFake(t, api, nil)
		if got := c.Stats(); got.Rate != 0 {
			t.Errorf("Rate = %v before any throttle, want 0", got.Rate)
		}
		var wg sync.WaitGroup
		for range 300 {
			wg.Go(func() {
				if _, err := c.Do(fakeRequest(t, "GET", nil), nil); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(5 * time.Second)
		got := c.Stats()
		if got.Rate < 19 || got.Rate > 21 {
			t.Errorf("Rate = %v at 20 a second, want that within 5 %%", got.Rate)
		}
		if done := got.Attempts - got.Throttles - uint64(got.InFlight); got.Waiting+got.InFlight != 300-int(done) || got.Waiting < 150 {
			t.Errorf("%d wait and %d are in flight when %d of 300 are done", got.Waiting, got.InFlight, done)
		}
		wg.Wait()
		if got := c.Stats(); got.Waiting != 0 || got.InFlight != 0 || got.Waited == 0 {
			t.Errorf("in the end %+v, want nobody waiting or in flight", got)
		}
	})
}

func TestThrottledBodyReachesTheCallerWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, size := range []int{0, 100, 5 << 10, response.MostBody, response.MostBody + 1, 5 << 20} {
			body := strings.Repeat("x", size)
			c := dialFake(t, replies(fakeReply(429, body, "Retry-After", "900")), func(conn *Connection) {
				conn.RateLimit.Rules = []Rule{{Status: on(429), Path: "code"}, {Status: on(429), Match: "^y*$"}, {Status: on(429)}}
			})
			resp, err := c.RoundTrip(fakeRequest(t, "GET", nil))
			if err != nil {
				t.Fatal(err)
			}
			if got := readAll(t, resp); got != body {
				t.Errorf("a body of %d bytes arrives with %d", size, len(got))
			}
		}
	})
}

func TestLineIsServedInTheOrderOfCallsThroughTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := replies(fakeReply(429, "", "Retry-After", "5"))
		c := dialFake(t, api, func(conn *Connection) { conn.RateLimit = RateLimit{Fixed: true, Interval: time.Second} })
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				req := fakeRequest(t, "GET", nil)
				req.Header.Set("N", fmt.Sprint(i))
				c.Do(req, nil)
			})
			synctest.Wait()
		}
		wg.Wait()
		var order []string
		for _, seen := range api.requests() {
			order = append(order, seen.header.Get("N"))
		}
		if want := []string{"0", "0", "1", "2", "3", "4", "5"}; !slices.Equal(order, want) {
			t.Errorf("the calls are sent in the order %v, want %v: a retry stands before later calls", order, want)
		}
	})
}
