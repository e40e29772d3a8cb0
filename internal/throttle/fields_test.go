package throttle

import (
	"slices"
	"testing"
	"time"
)

func TestReadingsOfTheRateLimitFields(t *testing.T) {
	zero := testThrottling(t, RateLimit{})
	for _, tt := range []struct {
		name, wire string
		want       []Reading
	}{
		{"none", "200", nil},
		{"latest", "200\nRateLimit: \"default\";r=50;t=30", []Reading{
			{Name: "RateLimit default", Remaining: 50, HasRemaining: true, Reset: 30 * time.Second, HasReset: true}}},
		{"latest with policies",
			"200\nRateLimit-Policy: \"burst\";q=100;w=60,\"daily\";q=1000;w=86400\nRateLimit: \"daily\";r=1, \"burst\";r=0;t=7", []Reading{
				{Name: "RateLimit daily", Limit: 1000, HasLimit: true, Remaining: 1, HasRemaining: true, Window: 24 * time.Hour},
				{Name: "RateLimit burst", Limit: 100, HasLimit: true, HasRemaining: true, Reset: 7 * time.Second,
					HasReset: true, Window: time.Minute}}},
		{"split over lines", "200\nRateLimit: \"a\";r=1\nRateLimit: \"b\";r=2", []Reading{
			{Name: "RateLimit a", Remaining: 1, HasRemaining: true}, {Name: "RateLimit b", Remaining: 2, HasRemaining: true}}},
		{"limit in the item", "200\nRateLimit: \"sliding\";q=12;r=6;t=1", []Reading{
			{Name: "RateLimit sliding", Limit: 12, HasLimit: true, Remaining: 6, HasRemaining: true, Reset: time.Second,
				HasReset: true}}},
		{"no r", "200\nRateLimit: \"x\";t=3", []Reading{{Name: "RateLimit x", Reset: 3 * time.Second, HasReset: true}}},
		{"bare token", "200\nRateLimit: default;r=50;t=30\nRateLimit-Policy: default;q=100;w=60", []Reading{
			{Name: "RateLimit default", Limit: 100, HasLimit: true, Remaining: 50, HasRemaining: true,
				Reset: 30 * time.Second, HasReset: true, Window: time.Minute}}},
		{"older name of the limit", "200\nRateLimit: default;r=50\nRateLimit-Policy: default;l=100;w=60", []Reading{
			{Name: "RateLimit default", Limit: 100, HasLimit: true, Remaining: 50, HasRemaining: true, Window: time.Minute}}},
		{"draft 7", "200\nRateLimit: limit=100, remaining=50, reset=5\nRateLimit-Policy: 100;w=60", []Reading{
			{Name: "RateLimit", Limit: 100, HasLimit: true, Remaining: 50, HasRemaining: true, Reset: 5 * time.Second,
				HasReset: true, Window: time.Minute}}},
		{"old triple",
			"200\nRatelimit-Limit: 10, 10;w=1, 50;w=60, 1000;w=3600\nRatelimit-Remaining: 9\nRatelimit-Reset: 1", []Reading{
				{Name: "RateLimit", Limit: 10, HasLimit: true, Remaining: 9, HasRemaining: true, Reset: time.Second,
					HasReset: true, Window: time.Second}}},
		{"old triple without windows", "200\nRateLimit-Limit: 10\nRateLimit-Remaining: 0\nRateLimit-Reset: 41", []Reading{
			{Name: "RateLimit", Limit: 10, HasLimit: true, HasRemaining: true, Reset: 41 * time.Second, HasReset: true}}},
		{"Retry-After wins", "429\nRetry-After: 2\nRateLimit: \"a\";r=0;t=60", []Reading{
			{Name: "RateLimit a", HasRemaining: true, Asked: true, Reset: 2 * time.Second, HasReset: true}}},
		{"bytes are not requests",
			"200\nRateLimit-Policy: \"a\";q=9;qu=\"content-bytes\"\nRateLimit: \"a\";r=0;t=60, \"b\";r=1", []Reading{
				{Name: "RateLimit b", Remaining: 1, HasRemaining: true}}},
		{"malformed field", "200\nRateLimit: \"a\";r=0;t=60,", nil},
		{"malformed items", "200\nRateLimit: \"a\";r=many;t=?1, \"b\";r=-1, 5;r=3, (\"c\");r=1, \"d\";r=1.5", nil},
		{"overflow", "200\nRateLimit: \"a\";r=0;t=999999999999999", []Reading{
			{Name: "RateLimit a", HasRemaining: true, Absurd: true}}},
		{"name with controls", "200\nRateLimit: \"a  b\";r=1", []Reading{{Name: "RateLimit a b", Remaining: 1,
			HasRemaining: true}}},
	} {
		if got := zero.Readings(testView(tt.wire)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: readings = %+v, want %+v", tt.name, got, tt.want)
		}
	}
}
