package throttle

import (
	"slices"
	"testing"
	"time"
)

func on(codes ...int) []int { return codes }

// pairQuota reads used/limit out of one header field.
func pairQuota(header string) []Quota {
	return []Quota{{Used: Extract{Header: header, Match: `^(\d+)/`}, Limit: Extract{Header: header, Match: `/(\d+)`}}}
}

// TestDialectsCanBeSaid describes APIs that have no profile, each by settings alone, and replays their responses.
func TestDialectsCanBeSaid(t *testing.T) {
	remaining := func(header, reset string) Quota {
		return Quota{Remaining: Extract{Header: header}, Reset: Extract{Header: reset}}
	}
	appleQuota := []Quota{{
		Limit:     Extract{Header: "X-Rate-Limit", Match: `user-hour-lim:(\d+)`},
		Remaining: Extract{Header: "X-Rate-Limit", Match: `user-hour-rem:(\d+)`},
		Window:    time.Hour,
	}}
	for _, tt := range []struct {
		name  string
		rl    RateLimit
		wire  string
		class string // empty: no throttle
		wait  time.Duration
		left  []int64
	}{
		{"App Store Connect", RateLimit{Quota: appleQuota},
			"429\nX-Rate-Limit: user-hour-lim:3500;user-hour-rem:0;\n\n" + `{"errors":[{"code":"RATE_LIMIT_EXCEEDED"}]}`,
			Throttled, 0, []int64{0}},
		{"App Store Connect with unknown keys", RateLimit{Quota: appleQuota},
			"200\nX-Rate-Limit: user-hour-lim:2500;user-hour-rem:10;hank:dean:venture;rusty:jr;;", "", 0, []int64{10}},
		{"Shopify REST", RateLimit{Quota: pairQuota("X-Shopify-Shop-Api-Call-Limit")},
			"429\nRetry-After: 2.0\nX-Shopify-Shop-Api-Call-Limit: 40/40", Throttled, 2 * time.Second, []int64{0}},
		{"NetSuite RESTlet", RateLimit{Rules: []Rule{{Status: on(400), Path: "error.code",
			Values: []string{"SSS_REQUEST_LIMIT_EXCEEDED"}, Class: Concurrency}}},
			"400\n\n" + `{"error":{"code":"SSS_REQUEST_LIMIT_EXCEEDED","message":"x"}}`, Concurrency, 0, nil},
		{"NetSuite SOAP", RateLimit{Rules: []Rule{{Path: "//code", Values: []string{"WS_REQUEST_BLOCKED"},
			Class: Concurrency}}},
			"500\nContent-Type: text/xml\n\n<e:Envelope xmlns:e=\"urn:e\"><e:Body><e:Fault><detail><p:exceededConcurrentRequestLimitFault xmlns:p=\"urn:p\">" +
				"<p:code>WS_REQUEST_BLOCKED</p:code></p:exceededConcurrentRequestLimitFault></detail></e:Fault></e:Body></e:Envelope>",
			Concurrency, 0, nil},
		{"NetSuite SOAP by the name of the fault", RateLimit{Rules: []Rule{{Path: "//exceededConcurrentRequestLimitFault",
			Class: Concurrency}}},
			"500\n\n<a><p:exceededConcurrentRequestLimitFault xmlns:p=\"urn:p\"/></a>", Concurrency, 0, nil},
		{"HubSpot", RateLimit{Wait: []Extract{{Header: "Retry-After"},
			{Header: "X-HubSpot-RateLimit-Interval-Milliseconds", As: "millis"}},
			Rules: []Rule{{Status: on(429), Path: "policyName", Values: []string{"DAILY"}, Class: Exhausted},
				{Status: on(429)}},
			Quota: []Quota{{Remaining: Extract{Header: "X-HubSpot-RateLimit-Daily-Remaining"}, Window: 24 * time.Hour}}},
			"429\nX-HubSpot-RateLimit-Interval-Milliseconds: 10000\nX-HubSpot-RateLimit-Daily-Remaining: 9\n\n" + `{"policyName":"TEN_SECONDLY_ROLLING"}`,
			Throttled, 10 * time.Second, []int64{9}},
		{"HubSpot, all day", RateLimit{Wait: []Extract{{Header: "Retry-After"}},
			Rules: []Rule{{Status: on(429), Path: "policyName", Values: []string{"DAILY"}, Class: Exhausted},
				{Status: on(429)}},
			Quota: []Quota{{Remaining: Extract{Header: "X-HubSpot-RateLimit-Daily-Remaining"}, Window: 24 * time.Hour}}},
			"429\nX-HubSpot-RateLimit-Daily-Remaining: 0\n\n" + `{"policyName":"DAILY"}`, Exhausted, 24 * time.Hour,
			[]int64{0}},
		{"Slack", RateLimit{Rules: []Rule{{Status: on(429)}, {Status: on(200), Path: "error", Values: []string{"ratelimited"}}}},
			"200\nContent-Type: application/json; charset=utf-8\nRetry-After: 30\n\n" + `{"ok":false,"error":"ratelimited"}`, Throttled, 30 * time.Second, nil},
		{"Amazon SP-API", RateLimit{Quota: []Quota{{Limit: Extract{Header: "x-amzn-RateLimit-Limit", As: "decimal"},
			Window: time.Second}}},
			"429\nx-amzn-RateLimit-Limit: 0.5\n\n" + `{"errors":[{"code":"QuotaExceeded"}]}`, Throttled, 0, nil},
		{"Zendesk", RateLimit{Quota: []Quota{{Limit: Extract{Header: "Zendesk-RateLimit-incremental-exports", Match: `total=(\d+)`},
			Remaining: Extract{Header: "Zendesk-RateLimit-incremental-exports", Match: `remaining=(\d+)`},
			Reset:     Extract{Header: "Zendesk-RateLimit-incremental-exports", Match: `resets=(\d+)`}}}},
			"429\nratelimit-reset: 41\nZendesk-RateLimit-incremental-exports: total=100; remaining=0; resets=41",
			Throttled, 41 * time.Second, []int64{0}},
		{"Jira", RateLimit{Rules: []Rule{{Status: on(429), Header: "RateLimit-Reason", Match: "quota",
			Class: Exhausted}, {Status: on(429)}}},
			"429\nRateLimit-Reason: jira-quota-global-based\nX-RateLimit-Reset: 2025-01-01T01:00Z", Exhausted, time.Hour, nil},
		{"Pipedrive", RateLimit{Quota: []Quota{remaining("x-ratelimit-remaining", "x-ratelimit-reset"),
			{Remaining: Extract{Header: "x-daily-requests-left"}, Window: 24 * time.Hour}}},
			"429\nx-ratelimit-reset: 2\nx-ratelimit-remaining: 0\nx-daily-requests-left: 700", Throttled,
			2 * time.Second, []int64{0, 700}},
		{"DocuSign, of the hour", RateLimit{Quota: []Quota{remaining("X-RateLimit-Remaining", "X-RateLimit-Reset"),
			{Remaining: Extract{Header: "X-BurstLimit-Remaining"}}},
			Rules: []Rule{{Status: on(400, 429), Path: "errorCode", Match: "^HOURLY_", Class: Exhausted},
				{Status: on(400, 429), Path: "errorCode", Match: "^BURST_"}}},
			"400\nX-RateLimit-Reset: 1735693200\nX-RateLimit-Remaining: 0\nX-BurstLimit-Remaining: 450\n\n" + `{"errorCode":"HOURLY_APIINVOCATION_LIMIT_EXCEEDED"}`,
			Exhausted, time.Hour, []int64{0, 450}},
		{"Graph and SharePoint", RateLimit{}, "503\nRetry-After: 120", Overload, 2 * time.Minute, nil},
		{"Stripe, concurrency", RateLimit{Rules: []Rule{
			{Status: on(429), Header: "Stripe-Rate-Limited-Reason", Match: "concurrency$", Class: Concurrency},
			{Status: on(429), Header: "Stripe-Rate-Limited-Reason"}}},
			"429\nStripe-Rate-Limited-Reason: endpoint-concurrency", Concurrency, 0, nil},
		{"Stripe, a 429 that is no limit", RateLimit{Rules: []Rule{{Status: on(429), Header: "Stripe-Rate-Limited-Reason"}}},
			"429\n\n" + `{"error":{"code":"lock_timeout"}}`, "", 0, nil},
		{"Okta, concurrency", RateLimit{Quota: []Quota{{Limit: Extract{Header: "X-Rate-Limit-Limit"},
			Remaining: Extract{Header: "X-Rate-Limit-Remaining"}, Reset: Extract{Header: "X-Rate-Limit-Reset"}}},
			Rules: []Rule{{Status: on(429), Header: "X-Rate-Limit-Limit", Values: []string{"0"}, Class: Concurrency},
				{Status: on(429)}}},
			"429\nX-Rate-Limit-Limit: 0\nX-Rate-Limit-Remaining: 0\nX-Rate-Limit-Reset: 1735689660", Concurrency, 0, nil},
		{"Zoho's token endpoint", RateLimit{Rules: []Rule{{Status: on(400), Path: "error_description",
			Match: "too many requests", Class: Token}}, DefaultWait: 10 * time.Minute},
			"400\n\n" + `{"error":"Access Denied","error_description":"You have made too many requests continuously. Please try again after some time."}`,
			Token, 10 * time.Minute, nil},
		{"QuickBooks, an item of a batch", RateLimit{Rules: []Rule{{Status: on(200),
			Path: "BatchItemResponse[*].Fault.Error[*].code", Values: []string{"3001", "003001"}}}},
			"200\nContent-Type: application/json\n\n" + `{"BatchItemResponse":[{"bId":"1"},{"Fault":{"Error":[{"Message":"ThrottleExceeded","code":"003001"}]}}]}`,
			Throttled, 0, nil},
		{"Reddit", RateLimit{Quota: []Quota{remaining("X-Ratelimit-Remaining", "X-Ratelimit-Reset")}},
			"429\nX-Ratelimit-Used: 101\nX-Ratelimit-Remaining: 0.0\nX-Ratelimit-Reset: 312", Throttled,
			312 * time.Second, []int64{0}},
		{"Coinbase", RateLimit{}, "429\n\n" + `{"errors":[{"id":"rate_limit_exceeded"}]}`, Throttled, 0, nil},
		{"Vonage SMS", RateLimit{Rules: []Rule{{Status: on(200), Path: "messages[*].status", Values: []string{"1"}}}},
			"200\nContent-Type: application/json\n\n" + `{"message-count":"1","messages":[{"status":"1","error-text":"Throughput Rate Exceeded"}]}`,
			Throttled, 0, nil},
		{"Klaviyo", RateLimit{}, "200\nRateLimit-Limit: 150\nRateLimit-Remaining: 149\nRateLimit-Reset: 60", "", 0, []int64{149}},
		{"ServiceNow", RateLimit{},
			"429\nX-RateLimit-Reset: 1735690000\n\n" + `{"error":{"message":"Rate limit exceeded"},"status":"failure"}`,
			Throttled, 400 * time.Second, nil},
		{"Envoy", RateLimit{Quota: []Quota{{Limit: Extract{Header: "x-ratelimit-limit"},
			Remaining: Extract{Header: "x-ratelimit-remaining"}, Reset: Extract{Header: "x-ratelimit-reset"}}}},
			"429\nx-ratelimit-limit: 100, 100;w=60\nx-ratelimit-remaining: 0\nx-ratelimit-reset: 17", Throttled,
			17 * time.Second, []int64{0}},
	} {
		compiled, a := testThrottling(t, tt.rl), testView(tt.wire)
		got, ok := compiled.Judge(a)
		if ok != (tt.class != "") || got.Class != tt.class || got.Wait != tt.wait {
			t.Errorf("%s: judge = %+v, %v, want %q and %v", tt.name, got, ok, tt.class, tt.wait)
		}
		var left []int64
		for _, r := range compiled.Readings(a) {
			if r.HasRemaining {
				left = append(left, r.Remaining)
			}
		}
		if !slices.Equal(left, tt.left) {
			t.Errorf("%s: remaining = %v, want %v", tt.name, left, tt.left)
		}
	}
}
