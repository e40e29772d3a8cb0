package throttle

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/response"
	"github.com/seed-363d07a3/jwtbearer/internal/response/responsetest"
)

// A field that changes after it was read shows whether it is read again.
func TestAViewReadsEachFieldOnce(t *testing.T) {
	var p problem.List
	throttled := Compile("RateLimit", RateLimit{
		Rules: []Rule{{Header: "X-Left", Values: []string{"0"}}, {Header: "Ratelimit"}},
		Wait:  []Extract{{Header: "X-Reset", As: "seconds"}, {Header: "RateLimit"}, {Header: "Retry-After"}},
		Quota: []Quota{{Remaining: Extract{Header: "X-Left"}, Reset: Extract{Header: "X-Reset", As: "seconds"}}, {Remaining: Extract{Header: "RateLimit"}}},
	}, "", p.Add)
	if p.Len() > 0 {
		t.Fatal(p.Entries())
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, first := range map[string]http.Header{
		"plain":      {"X-Left": {"0"}, "X-Reset": {"30"}, "Date": {now.Format(http.TimeFormat)}},
		"structured": {"Ratelimit": {`"a";r=0;t=30`}},
		"dictionary": {"Ratelimit": {"limit=9, remaining=0, reset=30"}},
		"a time":     {"X-Left": {"0"}, "Retry-After": {now.Add(30 * time.Second).Format(http.TimeFormat)}, "Date": {now.Format(http.TimeFormat)}},
	} {
		resp := responsetest.Raw("200")
		resp.Header = first
		a := NewView(response.New(resp, "", now.Add(time.Hour)))
		readings := throttled.Readings(a)
		before, ok := throttled.Judge(a)
		if !ok || before.Wait != 30*time.Second || len(readings) == 0 {
			t.Fatalf("%s: judged as %+v, %v with %v; want a wait of 30s and a quota", name, before, ok, readings)
		}
		for field := range first {
			first[field] = []string{"7"}
		}
		if after, ok := throttled.Judge(a); !ok || after != before || !slices.Equal(throttled.Readings(a), readings) {
			t.Errorf("%s: the second time it is judged as %+v, %v with %v; want %+v with %v, as the fields were read", name, after, ok,
				throttled.Readings(a), before, readings)
		}
	}
}
