package throttle

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/response"
	"github.com/seed-363d07a3/jwtbearer/internal/response/responsetest"
)

// profileResponse is a documented response of an API, and what its profile makes of it.
type profileResponse struct {
	profile, name, wire string
	throttled           bool
	want                Verdict
	remaining           []int64
}

// profileResponses replays the refusals and quota fields of the pages that profiles.json names.
var profileResponses = []profileResponse{
	{"github", "primary limit",
		"403\nx-ratelimit-limit: 60\nx-ratelimit-remaining: 0\nx-ratelimit-used: 60\nx-ratelimit-reset: 1735691400\nx-ratelimit-resource: core\n\n" +
			`{"message":"API rate limit exceeded for 198.51.100.1.","documentation_url":"https://docs.github.com/rest"}`,
		true, Verdict{Exhausted, "github rules[0]", 30 * time.Minute, true}, []int64{0}},
	{"github", "secondary limit with Retry-After",
		"403\nRetry-After: 60\nx-ratelimit-limit: 5000\nx-ratelimit-remaining: 4999\nx-ratelimit-reset: 1735691400\n\n" +
			`{"message":"You have exceeded a secondary rate limit."}`,
		true, Verdict{Throttled, "github rules[1]", time.Minute, true}, []int64{4999}},
	{"github", "secondary limit without a time",
		"403\nx-ratelimit-limit: 5000\nx-ratelimit-remaining: 4998\nx-ratelimit-reset: 1735691400\n\n" +
			`{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}`,
		true, Verdict{Throttled, "github rules[2]", time.Minute, false}, []int64{4998}},
	{"github", "429", "429\n\n{}", true, Verdict{Throttled, "github rules[3]", time.Minute, false}, nil},
	{"github", "403 that is about permission",
		"403\nx-ratelimit-limit: 5000\nx-ratelimit-remaining: 4997\n\n" + `{"message":"Resource not accessible by integration"}`,
		false, Verdict{}, []int64{4997}},
	{"github", "success", "200\nx-ratelimit-limit: 5000\nx-ratelimit-used: 1\nContent-Type: application/json\n\n{}", false,
		Verdict{}, []int64{4999}},

	{"app-store-server", "Retry-After in ms since 1970",
		"429\nRetry-After: 1735689607500\n\n" + `{"errorCode":4290000,"errorMessage":"Rate limit exceeded."}`,
		true, Verdict{Throttled, "app-store-server rules[0]", 7500 * time.Millisecond, true}, nil},
	{"app-store-server", "the same by a skewed clock",
		"429\nDate: Wed, 01 Jan 2025 02:00:00 GMT\nRetry-After: 1735696805000\n\n" + `{"errorCode":4290000}`,
		true, Verdict{Throttled, "app-store-server rules[0]", 5 * time.Second, true}, nil},
	{"app-store-server", "refused token", "401", false, Verdict{}, nil},

	{"apns", "too many tokens", "429\n\n" + `{"reason":"TooManyProviderTokenUpdates"}`,
		true, Verdict{Token, "apns rules[0]", 0, false}, nil},
	{"apns", "too many for one device", "429\n\n" + `{"reason":"TooManyRequests"}`,
		true, Verdict{Throttled, "apns rules[1]", 0, false}, nil},
	{"apns", "shutdown", "503\n\n" + `{"reason":"Shutdown"}`, true, Verdict{Overload, "apns rules[2]", 0, false}, nil},
	{"apns", "expired token", "403\n\n" + `{"reason":"ExpiredProviderToken"}`, false, Verdict{}, nil},

	{"shopify-graphql", "throttled in a 200",
		"200\nContent-Type: application/json; charset=utf-8\n\n" + `{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}],
			"extensions":{"cost":{"requestedQueryCost":752,"actualQueryCost":null,
			"throttleStatus":{"maximumAvailable":1000.0,"currentlyAvailable":624.0,"restoreRate":50.0}}}}`,
		true, Verdict{Throttled, "shopify-graphql rules[0]", time.Second, false}, []int64{624}},
	{"shopify-graphql", "success",
		"200\nContent-Type: application/json\n\n" + `{"data":{},"extensions":{"cost":{"throttleStatus":{"maximumAvailable":1000,"currentlyAvailable":996.5}}}}`,
		false, Verdict{}, []int64{996}},
	{"shopify-graphql", "another error",
		"200\nContent-Type: application/json\n\n" + `{"errors":[{"message":"Field 'x' doesn't exist"}]}`,
		false, Verdict{}, nil},
	{"shopify-graphql", "429", "429\nRetry-After: 2.0", true, Verdict{Throttled, "shopify-graphql rules[2]",
		2 * time.Second, true}, nil},

	{"salesforce", "daily limit",
		"403\nSforce-Limit-Info: api-usage=15000/15000\nContent-Type: application/json\n\n" +
			`[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]`,
		true, Verdict{Exhausted, "salesforce rules[1]", 24 * time.Hour, false}, []int64{0}},
	{"salesforce", "too many at once",
		"403\nContent-Type: application/json\n\n" + `[{"message":"ConcurrentRequests (Concurrent API Requests) Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]`,
		true, Verdict{Concurrency, "salesforce rules[0]", 0, false}, nil},
	{"salesforce", "403 that is about permission",
		"403\nSforce-Limit-Info: api-usage=18/15000\n\n" + `[{"message":"No concurrent edits","errorCode":"INSUFFICIENT_ACCESS"}]`,
		false, Verdict{}, []int64{14982}},
	{"salesforce", "usage by app",
		"200\nSforce-Limit-Info: api-usage=25/5000; per-app-api-usage=17/250(appName=sample-app)", false, Verdict{},
		[]int64{4975}},

	{"google-cloud", "RetryInfo",
		"429\n\n" + `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[
			{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{}]},
			{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"3.957525076s"}]}}`,
		true, Verdict{Throttled, "google-cloud rules[0]", 3957525076, true}, nil},
	{"google-cloud", "QuotaFailure alone",
		"429\n\n" + `{"error":{"status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure"}]}}`,
		true, Verdict{Exhausted, "google-cloud rules[2]", 0, false}, nil},
	{"google-cloud", "rate of a quota by minute",
		"429\n\n" + `{"error":{"details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure"},
			{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED"}]}}`,
		true, Verdict{Throttled, "google-cloud rules[1]", 0, false}, nil},
	{"google-cloud", "Gmail",
		"403\n\n" + `{"error":{"code":403,"message":"User-rate limit exceeded.  Retry after 2025-01-01T00:00:42.500Z","errors":[{"reason":"userRateLimitExceeded"}]}}`,
		true, Verdict{Throttled, "google-cloud rules[4]", 42500 * time.Millisecond, true}, nil},
	{"google-cloud", "daily quota", "403\n\n" + `{"error":{"errors":[{"reason":"quotaExceeded"}]}}`,
		true, Verdict{Exhausted, "google-cloud rules[5]", 0, false}, nil},
	{"google-cloud", "403 that is about permission",
		"403\n\n" + `{"error":{"errors":[{"reason":"insufficientPermissions"}]}}`, false, Verdict{}, nil},
	{"google-cloud", "unavailable, with a delay",
		"503\n\n" + `{"error":{"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"58s"}]}}`,
		true, Verdict{Overload, "google-cloud rules[6]", 58 * time.Second, true}, nil},

	{"discord", "of a route",
		"429\nRetry-After: 65\nX-RateLimit-Limit: 10\nX-RateLimit-Remaining: 0\nX-RateLimit-Reset: 1735689664.57\nX-RateLimit-Reset-After: 64.57\n" +
			"X-RateLimit-Bucket: abcd1234\nX-RateLimit-Scope: user\n\n" + `{"message":"You are being rate limited.","retry_after":64.57,"global":false}`,
		true, Verdict{Throttled, "discord rules[0]", 64570 * time.Millisecond, true}, []int64{0}},
	{"discord", "by a proxy without a body", "429\nRetry-After: 65\nX-RateLimit-Global: true",
		true, Verdict{Throttled, "discord rules[0]", 65 * time.Second, true}, nil},
	{"discord", "success", "200\nX-RateLimit-Limit: 5\nX-RateLimit-Remaining: 4\nX-RateLimit-Reset-After: 1", false,
		Verdict{}, []int64{4}},

	{"ietf", "quota exceeded",
		"429\nRateLimit-Policy: \"daily\";q=1000;w=86400\nRateLimit: \"daily\";r=0;t=36000\nContent-Type: application/problem+json\n\n" +
			`{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","title":"Quota exceeded","violated-policies":["daily"]}`,
		true, Verdict{Throttled, "ietf rules[1]", 10 * time.Hour, true}, []int64{0}},
	{"ietf", "Retry-After takes precedence", "429\nRetry-After: 20\nRateLimit: \"daily\";r=0;t=36000",
		true, Verdict{Throttled, "ietf rules[2]", 20 * time.Second, true}, []int64{0}},
	{"ietf", "reduced capacity",
		"503\nContent-Type: application/problem+json\n\n" + `{"type":"https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"}`,
		true, Verdict{Overload, "ietf rules[0]", 0, false}, nil},
	{"ietf", "middle form", "429\nRateLimit: default;r=0;t=30\nRateLimit-Policy: default;q=100;w=60",
		true, Verdict{Throttled, "ietf rules[2]", 30 * time.Second, true}, []int64{0}},
	{"ietf", "old form", "200\nRateLimit-Limit: 10, 10;w=1, 50;w=60\nRateLimit-Remaining: 3\nRateLimit-Reset: 1", false,
		Verdict{}, []int64{3}},
}

func TestProfilesUnderstandTheDocumentedResponses(t *testing.T) {
	for _, tt := range profileResponses {
		for _, encoding := range []string{"", "gzip"} {
			a := testView(tt.wire)
			if encoding == "gzip" {
				a = NewView(response.New(responsetest.Zipped(tt.wire), "", responsetest.Now))
			}
			compiled := testThrottling(t, RateLimit{Profile: tt.profile})
			if got, ok := compiled.Judge(a); ok != tt.throttled || got != tt.want {
				t.Errorf("%s: %s (%s): judge = %+v, %v, want %+v, %v", tt.profile, tt.name, encoding, got, ok, tt.want,
					tt.throttled)
			}
			var remaining []int64
			for _, r := range compiled.Readings(a) {
				if r.HasRemaining {
					remaining = append(remaining, r.Remaining)
				}
			}
			if !slices.Equal(remaining, tt.remaining) {
				t.Errorf("%s: %s (%s): remaining = %v, want %v", tt.profile, tt.name, encoding, remaining, tt.remaining)
			}
		}
	}
}

func TestProfilesAreComplete(t *testing.T) {
	profiles, err := loadProfiles()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, known := range profiles {
		names = append(names, known.Name)
		if source, err := url.Parse(known.Source); err != nil || source.Scheme != "https" || known.About == "" {
			t.Errorf("%s: source %q, about %q, want a page and words", known.Name, known.Source, known.About)
		}
		var p problem.List
		checkRateLimit(known.Name, known.RateLimit.settings(), p.Add)
		if p.Len() > 0 {
			t.Error(p.Entries())
		}
		if !slices.ContainsFunc(profileResponses, func(a profileResponse) bool { return a.profile == known.Name && a.throttled }) {
			t.Errorf("%s: no documented refusal is replayed", known.Name)
		}
	}
	want := []string{"github", "app-store-server", "apns", "shopify-graphql", "salesforce", "google-cloud", "discord", "ietf"}
	if !slices.Equal(names, want) {
		t.Errorf("profiles = %q, want %q", names, want)
	}
}
