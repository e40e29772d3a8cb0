package demoapi

import (
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// The wire forms are those of the pages that profiles.json of package jwtbearer names. A client with each of the profiles meets
// these dialects in package jwtbearertest.
func TestProfilesTellAThrottleAsTheirAPIsDo(t *testing.T) {
	now := time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC)
	script := Throttle{Wait: 2500 * time.Millisecond, Reset: now.Add(2500 * time.Millisecond), Now: now}
	limit := Throttle{Wait: 40 * time.Second, Limit: 60, Remaining: 0, Reset: now.Add(40 * time.Second), Per: time.Minute, Now: now}
	for _, tt := range []struct {
		profile string
		given   Throttle
		status  int
		header  map[string]string
		body    string
	}{
		{"", script, 429, map[string]string{"Retry-After": "3"},
			`{"error":{"code":"too_many_requests","message":"too many requests, slow down"}}`},
		{"github", script, 403, map[string]string{"Retry-After": "3"}, `"message":"You have exceeded a secondary rate limit.`},
		{"github", limit, 403, map[string]string{"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "0", "X-RateLimit-Used": "60",
			"X-RateLimit-Reset": "1735689640", "X-RateLimit-Resource": "core", "Retry-After": ""},
			`"message":"API rate limit exceeded for`},
		{"app-store-server", script, 429, map[string]string{"Retry-After": "1735689602500"},
			`{"errorCode":4290000,"errorMessage":"Rate limit exceeded."}`},
		{"apns", script, 429, map[string]string{"Retry-After": ""}, `{"reason":"TooManyRequests"}`},
		{"shopify-graphql", script, 200, nil,
			`{"errors":[{"extensions":{"code":"THROTTLED","documentation":"https://shopify.dev/api/usage/rate-limits"},"message":"Throttled"}]}`},
		{"shopify-graphql", limit, 200, nil, `"throttleStatus":{"currentlyAvailable":0,"maximumAvailable":60,"restoreRate":1}`},
		{"salesforce", script, 403, nil,
			`[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"ConcurrentRequests (Concurrent API Requests) Limit exceeded."}]`},
		{"salesforce", limit, 403, map[string]string{"Sforce-Limit-Info": "api-usage=60/60"},
			`[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"TotalRequests Limit exceeded."}]`},
		{"google-cloud", script, 429, nil, `{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"2.5s"}`},
		{"discord", script, 429, map[string]string{"Retry-After": "3", "X-RateLimit-Scope": "user"},
			`{"global":false,"message":"You are being rate limited.","retry_after":2.5}`},
		{"discord", limit, 429, map[string]string{"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "0",
			"X-RateLimit-Reset": "1735689640.000", "X-RateLimit-Reset-After": "40"}, `"retry_after":40`},
		{"ietf", script, 429, map[string]string{"RateLimit": `"default";r=0;t=3`, "Content-Type": "application/problem+json"},
			`"type":"https://iana.org/assignments/http-problem-types#quota-exceeded"`},
		{"ietf", limit, 429, map[string]string{"RateLimit": `"default";r=0;t=40`, "RateLimit-Policy": `"default";q=60;w=60`},
			`"violated-policies":["default"]`},
	} {
		d, err := Profile(tt.profile)
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		if tt.given.Limit > 0 {
			d.quota(w.Header(), tt.given)
		}
		d.throttle(w, tt.given)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.body) {
			t.Errorf("%s: %d %s, want %d %s", tt.profile, w.Code, w.Body, tt.status, tt.body)
		}
		for _, name := range slices.Sorted(maps.Keys(tt.header)) {
			if got := w.Header().Get(name); got != tt.header[name] {
				t.Errorf("%s: %s is %q, want %q", tt.profile, name, got, tt.header[name])
			}
		}
	}
}

func TestUnknownProfileIsRefusedWithTheKnownOnes(t *testing.T) {
	_, err := Profile("githab")
	const want = `"githab": use one of apns, app-store-server, discord, github, google-cloud, ietf, salesforce, shopify-graphql`
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Profile(githab): %v, want the names of the profiles", err)
	}
}
