package throttle

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/response"
	"github.com/seed-363d07a3/jwtbearer/internal/response/responsetest"
)

func testThrottling(t *testing.T, rl RateLimit) *Judge {
	t.Helper()
	var p problem.List
	compiled := Compile("RateLimit", rl, "", p.Add)
	if p.Len() > 0 {
		t.Fatalf("Compile(%+v): %v", rl, p.Entries())
	}
	return compiled
}

func TestTheZeroRateLimitUnderstandsTheStandards(t *testing.T) {
	zero := testThrottling(t, RateLimit{})
	for _, tt := range []struct {
		name, wire string
		want       Verdict
	}{
		{"bare", "429", Verdict{Class: Throttled, Rule: "default rules[0]"}},
		{"seconds", "429\nRetry-After: 7", Verdict{Throttled, "default rules[0]", 7 * time.Second, true}},
		{"decimal", "429\nRetry-After: 2.0", Verdict{Throttled, "default rules[0]", 2 * time.Second, true}},
		{"date", "429\nRetry-After: Wed, 01 Jan 2025 00:02:00 GMT", Verdict{Throttled, "default rules[0]",
			2 * time.Minute, true}},
		{"RFC 850 date", "429\nRetry-After: Wednesday, 01-Jan-25 00:02:00 GMT", Verdict{Throttled,
			"default rules[0]", 2 * time.Minute, true}},
		{"asctime", "429\nRetry-After: Wed Jan  1 00:02:00 2025", Verdict{Throttled, "default rules[0]",
			2 * time.Minute, true}},
		{"date with a skewed clock", "429\nDate: Wed, 01 Jan 2025 05:00:00 GMT\nRetry-After: Wed, 01 Jan 2025 05:00:30 GMT",
			Verdict{Throttled, "default rules[0]", 30 * time.Second, true}},
		{"epoch", "429\nRetry-After: 1735689660", Verdict{Throttled, "default rules[0]", time.Minute, true}},
		{"epoch with a skewed clock", "429\nDate: Tue, 31 Dec 2024 23:00:00 GMT\nX-RateLimit-Reset: 1735686010",
			Verdict{Throttled, "default rules[0]", 10 * time.Second, true}},
		{"epoch ms", "429\nRetry-After: 1735689605000", Verdict{Throttled, "default rules[0]", 5 * time.Second, true}},
		{"the past", "429\nRetry-After: 1735689000", Verdict{Throttled, "default rules[0]", 0, true}},
		{"negative", "429\nRetry-After: -5", Verdict{Class: Throttled, Rule: "default rules[0]"}},
		{"nonsense", "429\nRetry-After: soon\nX-RateLimit-Reset: 4", Verdict{Throttled, "default rules[0]",
			4 * time.Second, true}},
		{"overflow", "429\nRetry-After: 99999999999999999999", Verdict{Throttled, "default rules[0]", defaultMaxWait, false}},
		{"beyond reason", "429\nRetry-After: 31622401", Verdict{Throttled, "default rules[0]", defaultMaxWait, false}},
		{"366 days", "429\nRetry-After: 31622400", Verdict{Throttled, "default rules[0]", 366 * 24 * time.Hour, true}},
		{"year 2038", "429\nRetry-After: 2147483647", Verdict{Throttled, "default rules[0]", defaultMaxWait, false}},
		{"date beyond reason", "429\nRetry-After: Fri, 01 Jan 2100 00:00:00 GMT", Verdict{Throttled, "default rules[0]",
			defaultMaxWait, false}},
		{"beyond reason, then the next", "429\nRetry-After: 2147483647\nX-RateLimit-Reset: 7", Verdict{Throttled,
			"default rules[0]", 7 * time.Second, true}},
		{"beyond reason, then another line", "429\nRetry-After: 2147483647\nRetry-After: 7", Verdict{Throttled,
			"default rules[0]", 7 * time.Second, true}},
		{"beyond reason, joined", "429\nRetry-After: 2147483647, 7", Verdict{Throttled, "default rules[0]", 7 * time.Second, true}},
		{"RateLimit beyond reason", "429\nRateLimit: \"a\";r=0;t=2147483647", Verdict{Throttled, "default rules[0]",
			defaultMaxWait, false}},
		{"draft 7 beyond reason", "429\nRateLimit: limit=10, remaining=0, reset=2147483647", Verdict{Throttled,
			"default rules[0]", defaultMaxWait, false}},
		{"RateLimit-Reset beyond reason", "429\nRatelimit-Reset: 2147483647", Verdict{Throttled, "default rules[0]",
			defaultMaxWait, false}},
		{"two lines", "429\nRetry-After: soon\nRetry-After: 3", Verdict{Throttled, "default rules[0]",
			3 * time.Second, true}},
		{"two joined", "429\nRetry-After: 3, 3", Verdict{Throttled, "default rules[0]", 3 * time.Second, true}},
		{"Retry-After wins", "429\nRateLimit: \"a\";r=0;t=60\nRetry-After: 2", Verdict{Throttled, "default rules[0]",
			2 * time.Second, true}},
		{"RateLimit", "429\nRateLimit: \"burst\";r=0;t=5, \"day\";r=9;t=9000", Verdict{Throttled, "default rules[0]",
			5 * time.Second, true}},
		{"RateLimit, nothing used up", "429\nRateLimit: default;r=50;t=30", Verdict{Throttled, "default rules[0]",
			30 * time.Second, true}},
		{"RateLimit-Reset", "429\nRatelimit-Reset: 41", Verdict{Throttled, "default rules[0]", 41 * time.Second, true}},
		{"ISO 8601 without seconds", "429\nX-RateLimit-Reset: 2025-01-01T00:01Z", Verdict{Throttled,
			"default rules[0]", time.Minute, true}},
		{"overload", "503\nRetry-After: 9", Verdict{Overload, "default rules[1]", 9 * time.Second, true}},
	} {
		if got, ok := zero.Judge(testView(tt.wire)); !ok || got != tt.want {
			t.Errorf("%s: judge = %+v, %v, want %+v", tt.name, got, ok, tt.want)
		}
	}
	for _, wire := range []string{"200", "403", "503", "500\nRetry-After: 5", "401"} {
		if got, ok := zero.Judge(testView(wire)); ok {
			t.Errorf("judge(%q) = %+v, want no throttle", wire, got)
		}
	}
	if zero.Pace.MaxWait != 5*time.Minute {
		t.Errorf("MaxWait by default = %v, want 5m", zero.Pace.MaxWait)
	}
}

func TestAnOrdinaryResponseCostsNothing(t *testing.T) {
	for _, profile := range []string{"", "ietf", "app-store-server"} {
		compiled, a := testThrottling(t, RateLimit{Profile: profile}),
			testView("201\nContent-Type: image/png\nDate: Wed, 01 Jan 2025 00:00:00 GMT")
		got := testing.AllocsPerRun(100, func() {
			compiled.Judge(a)
			compiled.Readings(a)
		})
		if got != 0 {
			t.Errorf("profile %q: %v allocations to judge a response that says nothing, want none", profile, got)
		}
	}
}

func TestSeveralGoroutinesJudgeAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	for _, tt := range profileResponses {
		compiled := testThrottling(t, RateLimit{Profile: tt.profile})
		for range 8 {
			wg.Go(func() {
				if got, ok := compiled.Judge(testView(tt.wire)); ok != tt.throttled || got != tt.want {
					t.Errorf("%s: %s: judge = %+v, %v, want %+v", tt.profile, tt.name, got, ok, tt.want)
				}
			})
		}
	}
	wg.Wait()
}

func TestWaits(t *testing.T) {
	const body = "\n\n" + `{"error":{"retryMs":1500,"at":"2025-01-01T00:00:20Z","text":"Retry after 2025-01-01T00:00:30Z please"}}`
	two := []Extract{{Header: "A", As: "seconds"}, {Header: "B", As: "seconds"}}
	for _, tt := range []struct {
		name string
		rl   RateLimit
		wire string
		wait time.Duration
		told bool
	}{
		{"millis in the body", RateLimit{Wait: []Extract{{Path: "error.retryMs", As: "millis"}}}, "429" + body,
			1500 * time.Millisecond, true},
		{"time in the body", RateLimit{Wait: []Extract{{Path: "$.error.at"}}}, "429" + body, 20 * time.Second, true},
		{"time in prose", RateLimit{Wait: []Extract{{Path: "error.text", Match: `after (\S+)`}}}, "429" + body,
			30 * time.Second, true},
		{"regexp on the body", RateLimit{Wait: []Extract{{Match: `"retryMs":(\d+)`, As: "millis"}}}, "429" + body,
			1500 * time.Millisecond, true},
		{"regexp without a group", RateLimit{Wait: []Extract{{Header: "X", Match: `\d+`}}}, "429\nX: in 8 s",
			8 * time.Second, true},
		{"plain text", RateLimit{Wait: []Extract{{As: "seconds"}}}, "429\n\n 12 \n", 12 * time.Second, true},
		{"millis in a header", RateLimit{Wait: []Extract{{Header: "Retry-After-Ms", As: "millis"}}},
			"429\nRetry-After-Ms: 250", 250 * time.Millisecond, true},
		{"first", RateLimit{Wait: two}, "429\nA: 3\nB: 9", 3 * time.Second, true},
		{"the second where the first is none", RateLimit{Wait: two}, "429\nA: never\nB: 9", 9 * time.Second, true},
		{"longest", RateLimit{Wait: two, Combine: "longest"}, "429\nA: 3\nB: 9", 9 * time.Second, true},
		{"longest of one", RateLimit{Wait: two, Combine: "longest"}, "429\nA: 3", 3 * time.Second, true},
		{"default", RateLimit{Wait: two, DefaultWait: time.Minute}, "429", time.Minute, false},
		{"default is not for a told wait", RateLimit{Wait: two, DefaultWait: time.Minute}, "429\nA: 3", 3 * time.Second, true},
		{"a told wait of zero", RateLimit{Wait: two, DefaultWait: time.Minute}, "429\nA: 0", 0, true},
		{"least", RateLimit{Wait: two, MinWait: 5 * time.Second}, "429\nA: 3", 5 * time.Second, true},
		{"least where none is told", RateLimit{Wait: two, MinWait: 5 * time.Second}, "429", 5 * time.Second, false},
		{"none", RateLimit{Wait: two}, "429", 0, false},
	} {
		got, ok := testThrottling(t, tt.rl).Judge(testView(tt.wire))
		if !ok || got.Wait != tt.wait || got.Told != tt.told {
			t.Errorf("%s: judge = %+v, %v, want a wait of %v, told %v", tt.name, got, ok, tt.wait, tt.told)
		}
	}
}

func TestTheLatestUsedUpQuotaTellsTheWait(t *testing.T) {
	rl := RateLimit{Wait: []Extract{{Header: "Retry-After"}}}
	for _, name := range []string{"X-Rate-Limit", "X-App-Limit-24hour", "X-User-Limit-24hour"} {
		rl.Quota = append(rl.Quota, Quota{Remaining: Extract{Header: name + "-Remaining"}, Reset: Extract{Header: name + "-Reset"}})
	}
	x := testThrottling(t, rl)
	const head = "429\nX-Rate-Limit-Remaining: 0\nX-Rate-Limit-Reset: 1735690500\nX-App-Limit-24hour-Remaining: 12\nX-App-Limit-24hour-Reset: 1735776000\n"
	for wire, want := range map[string]time.Duration{
		head + "X-User-Limit-24hour-Remaining: 7\nX-User-Limit-24hour-Reset: 1735776000": 15 * time.Minute,
		head + "X-User-Limit-24hour-Remaining: 0\nX-User-Limit-24hour-Reset: 1735776000": 24 * time.Hour,
		head + "Retry-After: 3": 3 * time.Second,
	} {
		if got, ok := x.Judge(testView(wire)); !ok || got.Wait != want || !got.Told {
			t.Errorf("judge(%q) = %+v, want %v", wire, got, want)
		}
	}
}

func TestAnExhaustedQuotaLastsAtMostItsWindow(t *testing.T) {
	rl := RateLimit{
		Rules: []Rule{{Status: []int{403}, Class: Exhausted}, {Status: []int{429}}},
		Quota: []Quota{
			{Limit: Extract{Header: "L"}, Used: Extract{Header: "U"}, Window: time.Hour},
			{Remaining: Extract{Header: "R"}, Window: 24 * time.Hour},
		},
	}
	for wire, want := range map[string]time.Duration{
		"403\nL: 9\nU: 9\nR: 5": time.Hour,
		"403\nL: 9\nU: 8\nR: 0": 24 * time.Hour,
		"403":                   24 * time.Hour,
		"429\nR: 0":             0,
	} {
		if got, ok := testThrottling(t, rl).Judge(testView(wire)); !ok || got.Wait != want || got.Told {
			t.Errorf("judge(%q) = %+v, want an estimate of %v", wire, got, want)
		}
	}
	rl.DefaultWait = time.Minute
	if got, _ := testThrottling(t, rl).Judge(testView("403")); got.Wait != time.Minute {
		t.Errorf("judge with DefaultWait 1m = %+v, want 1m", got)
	}
}

func TestRulesAreNamedByWhoseTheyAre(t *testing.T) {
	for _, tt := range []struct {
		rl   RateLimit
		want string
	}{
		{RateLimit{Rules: []Rule{{Status: []int{400}}, {Status: []int{429}}}}, "rules[1]"},
		{RateLimit{Profile: "github", Rules: []Rule{{Status: []int{429}}}}, "rules[0]"},
		{RateLimit{Profile: "github"}, "github rules[3]"},
		{RateLimit{}, "default rules[0]"},
	} {
		if got, _ := testThrottling(t, tt.rl).Judge(testView("429")); got.Rule != tt.want {
			t.Errorf("rule of %+v = %q, want %q", tt.rl, got.Rule, tt.want)
		}
	}
}

func TestSettingsOverrideTheProfileOneByOne(t *testing.T) {
	plain, own := testThrottling(t, RateLimit{Profile: "discord"}), testThrottling(t, RateLimit{
		Profile: "discord", Interval: time.Second, Wait: []Extract{{Header: "Wait"}}, MaxWait: -1, Reserve: 3, Fixed: true})
	if want := []Limit{{Requests: 50, Per: time.Second}}; !slices.Equal(plain.Pace.Limits, want) || !slices.Equal(own.Pace.Limits, want) {
		t.Errorf("limits = %v and %v, want the profile's %v", plain.Pace.Limits, own.Pace.Limits, want)
	}
	if own.Pace.Interval != time.Second || own.Pace.MaxWait != 0 || own.Pace.Reserve != 3 || !own.Pace.Fixed || len(own.waits) != 1 {
		t.Errorf("own settings = %+v, want them all kept", own)
	}
	if plain.Pace.Interval != 0 || plain.Pace.MaxWait != 5*time.Minute || plain.Pace.Fixed || len(plain.waits) != 3 {
		t.Errorf("settings of the profile = %+v, want them untouched", plain)
	}
}

func TestARateLimitThatMakesNoSenseIsAProblem(t *testing.T) {
	for _, tt := range []struct {
		rl   RateLimit
		want string
	}{
		{RateLimit{Limits: []Limit{{Requests: 0, Per: 1}}}, "R.Limits[0].Requests"},
		{RateLimit{Limits: []Limit{{Requests: 1}}}, "R.Limits[0].Per"},
		{RateLimit{Limits: []Limit{{Requests: 1, Per: 1, Burst: -1}}}, "R.Limits[0].Burst"},
		{RateLimit{Interval: -1}, "R.Interval"},
		{RateLimit{Concurrency: -1}, "R.Concurrency"},
		{RateLimit{DefaultWait: -1}, "R.DefaultWait"},
		{RateLimit{MinWait: -1}, "R.MinWait"},
		{RateLimit{MinWait: 2, MaxWait: 1}, "R.MinWait"},
		{RateLimit{MinWait: time.Hour}, "R.MinWait"},
		{RateLimit{Reserve: -1}, "R.Reserve"},
		{RateLimit{Combine: "last"}, "R.Combine"},
		{RateLimit{Profile: "gitlab"}, "R.Profile"},
		{RateLimit{Rules: []Rule{{}}}, "R.Rules[0]"},
		{RateLimit{Wait: []Extract{{}}}, "R.Wait[0]"},
		{RateLimit{Wait: []Extract{{Header: "A", Path: "b"}}}, "R.Wait[0]"},
		{RateLimit{Wait: []Extract{{Header: "A", As: "hours"}}}, "R.Wait[0].As"},
		{RateLimit{Wait: []Extract{{Header: "A", Match: "("}}}, "R.Wait[0].Match"},
		{RateLimit{Wait: []Extract{{Path: "a["}}}, "R.Wait[0].Path"},
		{RateLimit{Wait: []Extract{{Header: "A b"}}}, "R.Wait[0].Header"},
		{RateLimit{Quota: []Quota{{}}}, "R.Quota[0]"},
		{RateLimit{Quota: []Quota{{Used: Extract{Header: "A"}}}}, "R.Quota[0]"},
		{RateLimit{Quota: []Quota{{Remaining: Extract{Header: "A", As: "epoch"}}}}, "R.Quota[0].Remaining.As"},
		{RateLimit{Quota: []Quota{{Remaining: Extract{Header: "A"}, Window: -1}}}, "R.Quota[0].Window"},
		{RateLimit{Quota: []Quota{{Remaining: Extract{Header: "A"}, Reset: Extract{Path: "["}}}}, "R.Quota[0].Reset.Path"},
	} {
		var p problem.List
		Compile("R", tt.rl, "", p.Add)
		if got := problemFields(&p); len(got) != 1 || got[0] != tt.want {
			t.Errorf("problems of %+v are of %q, want one of %q", tt.rl, got, tt.want)
		}
	}
}

func TestAnUnknownProfileIsToldApart(t *testing.T) {
	for name, want := range map[string]string{"githbu": `did you mean "github"`, "shopify-graphqI": `"shopify-graphql"`,
		"zzz": "use one of apns, app-store-server,"} {
		var p problem.List
		Compile("RateLimit", RateLimit{Profile: name}, "", p.Add)
		if p.Len() != 1 || !strings.Contains(p.Entries()[0].Hint, want) {
			t.Errorf("profile %q: %v, want %q", name, p.Entries(), want)
		}
	}
}

func TestAProfileServesWhateverErrorMediaTypeIs(t *testing.T) {
	for _, kind := range []media.Kind{"", media.JSON, media.XML, media.Text} {
		var p problem.List
		Compile("RateLimit", RateLimit{Profile: "salesforce"}, kind, p.Add)
		if p.Len() > 0 {
			t.Errorf("ErrorMediaType %q: %v", kind, p.Entries())
		}
	}
}

func testResponse(wire string) *response.Response {
	return response.New(responsetest.Raw(wire), "", responsetest.Now)
}

func testView(wire string) *View { return NewView(testResponse(wire)) }
