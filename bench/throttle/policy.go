package main

import (
	"net/http"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/internal/demoapi"
)

// A policy is what a server admits.
type policy struct {
	name  string
	limit demoapi.Limit     // the server's
	local []jwtbearer.Limit // the same, as a client that was told is configured
}

func policies() []policy {
	return []policy{
		{
			name:  "bucket",
			limit: demoapi.Limit{Rate: 50, Burst: 10},
			local: []jwtbearer.Limit{{Requests: 50, Per: time.Second, Burst: 10}},
		},
		{
			name:  "window",
			limit: demoapi.Limit{Window: 3 * time.Second, Requests: 150},
			local: []jwtbearer.Limit{{Requests: 150, Per: 3 * time.Second}},
		},
	}
}

// ideal is the least time in which the policy admits so many calls, the first of them at begin.
func (p policy) ideal(calls int, begin time.Time) time.Duration {
	if calls == 0 {
		return 0
	}
	if p.limit.Window == 0 {
		return time.Duration(max(0, float64(calls-p.limit.Burst)) / p.limit.Rate * float64(time.Second))
	}
	windows := (calls - 1) / p.limit.Requests
	if windows == 0 {
		return 0
	}
	return begin.Truncate(p.limit.Window).Add(time.Duration(windows) * p.limit.Window).Sub(begin)
}

// start waits for the moment at which the run with this number begins: the runs of a window are spread over its length.
func (p policy) start(run, runs int) {
	if p.limit.Window == 0 {
		return
	}
	phase := p.limit.Window * time.Duration(2*run+1) / time.Duration(2*runs)
	now := time.Now()
	next := now.Truncate(p.limit.Window).Add(phase)
	if next.Before(now) {
		next = next.Add(p.limit.Window)
	}
	time.Sleep(next.Sub(now))
}

// A dialect is how a server tells that it throttles, and how that is described to jwtbearer.
type dialect struct {
	name     string
	server   demoapi.Dialect
	settings jwtbearer.RateLimit
}

func dialects() []dialect {
	millis := demoapi.MillisHeader()
	millis.Status = http.StatusTooManyRequests
	return []dialect{
		{"retry-after", demoapi.RetryAfter(), jwtbearer.RateLimit{}},
		{"bare", demoapi.Bare(), jwtbearer.RateLimit{}},
		{"403-reset", demoapi.RateLimitReset(), jwtbearer.RateLimit{
			Rules: []jwtbearer.Rule{{Status: []int{403}, Path: "error.code", Values: []string{"quota_exceeded"}}},
			Quota: []jwtbearer.Quota{{
				Limit:     jwtbearer.Extract{Header: "X-RateLimit-Limit"},
				Remaining: jwtbearer.Extract{Header: "X-RateLimit-Remaining"},
				Reset:     jwtbearer.Extract{Header: "X-RateLimit-Reset", As: "epoch"},
			}},
		}},
		{"200-ms-body", demoapi.OKWithCode(), jwtbearer.RateLimit{
			Rules: []jwtbearer.Rule{{Status: []int{200}, Path: "code", Values: []string{"THROTTLED"}}},
			Wait:  []jwtbearer.Extract{{Path: "retryAfterMs", As: "millis"}},
		}},
		{"400-code", demoapi.CodeOnly(), jwtbearer.RateLimit{
			Rules: []jwtbearer.Rule{{Status: []int{400}, Path: "error.code", Values: []string{"REQUEST_LIMIT_EXCEEDED"}}},
		}},
		{"429-ms-header", millis, jwtbearer.RateLimit{
			Wait: []jwtbearer.Extract{{Header: "X-Retry-After-Ms", As: "millis"}},
		}},
	}
}
