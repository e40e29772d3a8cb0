package jwtbearer

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/demoapi"
)

// TestClientReachesTheBars makes 600 calls from 8 workers through the whole client, in the time of a bubble. bench/throttle
// measures the same over loopback. A bar is in % of the ideal speed at least and % of the requests refused at most.
func TestClientReachesTheBars(t *testing.T) {
	const runs = 5 // of which the median counts
	bucket, window := demoapi.Limit{Rate: 50, Burst: 10}, demoapi.Limit{Window: 3 * time.Second, Requests: 150}
	local := map[demoapi.Limit][]Limit{
		bucket: {{Requests: 50, Per: time.Second, Burst: 10}},
		window: {{Requests: 150, Per: 3 * time.Second}},
	}
	for _, tt := range []struct {
		name           string
		dialect        demoapi.Dialect
		rl             RateLimit
		limit          demoapi.Limit
		told           bool // the limit is set
		speed, refused float64
	}{
		{"bare", demoapi.Bare(), RateLimit{}, bucket, false, 98, 4},
		{"400 and a code", demoapi.CodeOnly(), codeOnly, bucket, false, 98, 4},
		{"200 and ms", demoapi.OKWithCode(), okWithCode, bucket, false, 98, 4},
		{"ms in a header", demoapi.MillisHeader(), millisHeader, bucket, false, 98, 4},
		{"Retry-After", demoapi.RetryAfter(), RateLimit{}, bucket, false, 85, 2},
		{"quota fields", demoapi.RateLimitReset(), resetFields, window, false, 98, .5},
		{"200 and ms", demoapi.OKWithCode(), okWithCode, window, false, 95, 3},
		{"ms in a header", demoapi.MillisHeader(), millisHeader, window, false, 95, 3},
		{"Retry-After", demoapi.RetryAfter(), RateLimit{}, window, false, 85, 3},
		{"bare", demoapi.Bare(), RateLimit{}, window, false, 93, 7},
		{"400 and a code", demoapi.CodeOnly(), codeOnly, window, false, 93, 7},
		{"bare", demoapi.Bare(), RateLimit{}, bucket, true, 99, 0},
		{"Retry-After", demoapi.RetryAfter(), RateLimit{}, bucket, true, 99, 0},
		{"bare", demoapi.Bare(), RateLimit{}, window, true, 98, .5},
		{"Retry-After", demoapi.RetryAfter(), RateLimit{}, window, true, 98, .5},
	} {
		name := tt.name + ", bucket"
		if tt.limit == window {
			name = tt.name + ", window"
		}
		if tt.told {
			tt.rl.Limits = local[tt.limit]
			name += ", limit set"
		}
		t.Run(name, func(t *testing.T) {
			var speeds, refusals []float64
			for range runs {
				synctest.Test(t, func(t *testing.T) {
					speed, refused := runAgainst(t, tt.limit, tt.dialect, tt.rl)
					speeds, refusals = append(speeds, speed), append(refusals, refused)
				})
			}
			slices.Sort(speeds)
			slices.Sort(refusals)
			speed, refused := speeds[runs/2], refusals[runs/2]
			t.Logf("%.1f / %.2f", speed, refused)
			if speed < tt.speed || refused > tt.refused {
				t.Errorf("%.1f %% of the ideal speed, %.2f %% of the requests refused; want %v and %v", speed, refused,
					tt.speed, tt.refused)
			}
		})
	}
}

// runAgainst makes 600 calls from 8 workers and returns the speed in % of the ideal, the least time in which the limit admits
// them, and how many % of the requests were refused.
func runAgainst(t *testing.T, limit demoapi.Limit, dialect demoapi.Dialect, rl RateLimit) (speed, refused float64) {
	const calls, workers = 600, 8
	time.Sleep(time.Until(aDay))
	api := throttlingAPI(t, limit, dialect)
	c := dialFake(t, carriedTo(api), func(conn *Connection) { conn.RateLimit = rl })
	began := time.Now()
	if got := makeCalls(t, c, calls, workers); got != calls {
		t.Errorf("%d of %d calls ended in the API's own answer", got, calls)
	}
	took := time.Since(began)
	ideal := began.Truncate(limit.Window).Add(3 * limit.Window).Sub(began)
	if limit.Window == 0 {
		ideal = time.Duration(float64(calls-limit.Burst) / limit.Rate * float64(time.Second))
	}
	seen := api.Stats()
	return 100 * ideal.Seconds() / took.Seconds(), 100 * float64(seen.Throttled) / float64(seen.Requests)
}

// aDay is when bubbles begin in which epochs matter: what a bubble begins with is too old to be told from a wait.
var aDay = time.Date(2025, time.January, 1, 0, 0, 0, 700e6, time.UTC)

// The dialects of demoapi, described.
var (
	codeOnly   = RateLimit{Rules: []Rule{{Status: []int{400}, Path: "error.code", Values: []string{"REQUEST_LIMIT_EXCEEDED"}}}}
	okWithCode = RateLimit{
		Rules: []Rule{{Status: []int{200}, Path: "code", Values: []string{"THROTTLED"}}},
		Wait:  []Extract{{Path: "retryAfterMs", As: "millis"}},
	}
	millisHeader = RateLimit{
		Rules: []Rule{{Status: []int{403}, Path: "error.code", Values: []string{"rate_limit_exceeded"}}},
		Wait:  []Extract{{Header: "X-Retry-After-Ms", As: "millis"}},
	}
	resetFields = RateLimit{
		Rules: []Rule{{Status: []int{403}, Path: "error.code", Values: []string{"quota_exceeded"}}},
		Quota: []Quota{{
			Limit:     Extract{Header: "X-RateLimit-Limit"},
			Remaining: Extract{Header: "X-RateLimit-Remaining"},
			Reset:     Extract{Header: "X-RateLimit-Reset", As: "epoch"},
		}},
	}
)

// throttlingAPI verifies the tokens of dialFake and throttles.
func throttlingAPI(t *testing.T, limit demoapi.Limit, dialect demoapi.Dialect) *demoapi.API {
	t.Helper()
	api, err := demoapi.New(demoapi.Config{Keys: []demoapi.Key{{Verify: []byte(fakeSecret)}}, Methods: []string{"HS256"},
		RequireJTI: true, Limit: limit, Dialect: dialect})
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// carriedTo is a transport to a handler, a fifth of a millisecond away in each direction, whose answers tell the time.
func carriedTo(h http.Handler) http.RoundTripper {
	const way = 200 * time.Microsecond
	return transportFunc(func(req *http.Request) (*http.Response, error) {
		time.Sleep(way)
		w := httptest.NewRecorder()
		req = req.Clone(req.Context())
		if req.Body == nil {
			req.Body = http.NoBody
		}
		h.ServeHTTP(w, req)
		resp := w.Result()
		resp.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
		time.Sleep(way)
		return resp, nil
	})
}

// makeCalls makes calls and returns how many the API itself answered: demoapi echoes them.
func makeCalls(t *testing.T, c *Client, calls, workers int64) int64 {
	var begun, answered atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for begun.Add(1) <= calls {
				resp, err := c.RoundTrip(fakeRequest(t, "GET", nil))
				if err != nil {
					t.Error(err)
					continue
				}
				body, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				if resp.StatusCode == http.StatusOK && bytes.Contains(body, []byte(`"path":"/path"`)) {
					answered.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return answered.Load()
}
