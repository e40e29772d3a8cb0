package jwtbearer

import (
	"math"
	"slices"
	"testing"
	"time"
)

func TestReadingsOfTheRateLimitFields(t *testing.T) {
	zero := testThrottling(t, RateLimit{})
	for _, tt := range []struct {
		name, wire string
		want       []reading
	}{
		{"none", "200", nil},
		{"latest", "200\nRateLimit: \"default\";r=50;t=30", []reading{
			{name: "RateLimit default", remaining: 50, hasRemaining: true, reset: 30 * time.Second, hasReset: true}}},
		{"latest with policies",
			"200\nRateLimit-Policy: \"burst\";q=100;w=60,\"daily\";q=1000;w=86400\nRateLimit: \"daily\";r=1, \"burst\";r=0;t=7", []reading{
				{name: "RateLimit daily", limit: 1000, hasLimit: true, remaining: 1, hasRemaining: true, window: 24 * time.Hour},
				{name: "RateLimit burst", limit: 100, hasLimit: true, hasRemaining: true, reset: 7 * time.Second,
					hasReset: true, window: time.Minute}}},
		{"split over lines", "200\nRateLimit: \"a\";r=1\nRateLimit: \"b\";r=2", []reading{
			{name: "RateLimit a", remaining: 1, hasRemaining: true}, {name: "RateLimit b", remaining: 2, hasRemaining: true}}},
		{"limit in the item", "200\nRateLimit: \"sliding\";q=12;r=6;t=1", []reading{
			{name: "RateLimit sliding", limit: 12, hasLimit: true, remaining: 6, hasRemaining: true, reset: time.Second,
				hasReset: true}}},
		{"no r", "200\nRateLimit: \"x\";t=3", []reading{{name: "RateLimit x", reset: 3 * time.Second, hasReset: true}}},
		{"bare token", "200\nRateLimit: default;r=50;t=30\nRateLimit-Policy: default;q=100;w=60", []reading{
			{name: "RateLimit default", limit: 100, hasLimit: true, remaining: 50, hasRemaining: true,
				reset: 30 * time.Second, hasReset: true, window: time.Minute}}},
		{"older name of the limit", "200\nRateLimit: default;r=50\nRateLimit-Policy: default;l=100;w=60", []reading{
			{name: "RateLimit default", limit: 100, hasLimit: true, remaining: 50, hasRemaining: true, window: time.Minute}}},
		{"draft 7", "200\nRateLimit: limit=100, remaining=50, reset=5\nRateLimit-Policy: 100;w=60", []reading{
			{name: "RateLimit", limit: 100, hasLimit: true, remaining: 50, hasRemaining: true, reset: 5 * time.Second,
				hasReset: true, window: time.Minute}}},
		{"old triple",
			"200\nRatelimit-Limit: 10, 10;w=1, 50;w=60, 1000;w=3600\nRatelimit-Remaining: 9\nRatelimit-Reset: 1", []reading{
				{name: "RateLimit", limit: 10, hasLimit: true, remaining: 9, hasRemaining: true, reset: time.Second,
					hasReset: true, window: time.Second}}},
		{"old triple without windows", "200\nRateLimit-Limit: 10\nRateLimit-Remaining: 0\nRateLimit-Reset: 41", []reading{
			{name: "RateLimit", limit: 10, hasLimit: true, hasRemaining: true, reset: 41 * time.Second, hasReset: true}}},
		{"Retry-After wins", "429\nRetry-After: 2\nRateLimit: \"a\";r=0;t=60", []reading{
			{name: "RateLimit a", hasRemaining: true, reset: 2 * time.Second, hasReset: true}}},
		{"bytes are not requests",
			"200\nRateLimit-Policy: \"a\";q=9;qu=\"content-bytes\"\nRateLimit: \"a\";r=0;t=60, \"b\";r=1", []reading{
				{name: "RateLimit b", remaining: 1, hasRemaining: true}}},
		{"malformed field", "200\nRateLimit: \"a\";r=0;t=60,", nil},
		{"malformed items", "200\nRateLimit: \"a\";r=many;t=?1, \"b\";r=-1, 5;r=3, (\"c\");r=1, \"d\";r=1.5", nil},
		{"overflow", "200\nRateLimit: \"a\";r=0;t=999999999999999", []reading{
			{name: "RateLimit a", hasRemaining: true, absurd: true}}},
		{"name with controls", "200\nRateLimit: \"a  b\";r=1", []reading{{name: "RateLimit a b", remaining: 1,
			hasRemaining: true}}},
	} {
		if got := zero.readings(testView(tt.wire)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: readings = %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestReadingsOfConfiguredQuotas(t *testing.T) {
	header := func(name string) Extract { return Extract{Header: name} }
	for _, tt := range []struct {
		name  string
		quota Quota
		wire  string
		want  []reading
	}{
		{"remaining", Quota{Remaining: header("R")}, "200\nR: 5", []reading{{name: "quota[0]", remaining: 5, hasRemaining: true}}},
		{"used", Quota{Limit: header("L"), Used: header("U")}, "200\nL: 10\nU: 3", []reading{
			{name: "quota[0]", limit: 10, hasLimit: true, remaining: 7, hasRemaining: true}}},
		{"more used than allowed", Quota{Limit: header("L"), Used: header("U")}, "200\nL: 10\nU: 13", []reading{
			{name: "quota[0]", limit: 10, hasLimit: true, hasRemaining: true}}},
		{"remaining wins over used", Quota{Limit: header("L"), Used: header("U"), Remaining: header("R")},
			"200\nL: 10\nU: 3\nR: 1", []reading{
				{name: "quota[0]", limit: 10, hasLimit: true, remaining: 1, hasRemaining: true}}},
		{"reset", Quota{Remaining: header("R"), Reset: Extract{Header: "T", As: "epoch"}, Window: time.Hour},
			"200\nR: 0\nT: 1735689610.5", []reading{
				{name: "quota[0]", hasRemaining: true, reset: 10500 * time.Millisecond, hasReset: true,
					renewed: time.Unix(1735689610, 500e6), window: time.Hour}}},
		{"reset by a skewed clock", Quota{Remaining: header("R"), Reset: header("T")},
			"200\nDate: Wed, 01 Jan 2025 03:00:00 GMT\nR: 0\nT: 1735700410", []reading{
				{name: "quota[0]", hasRemaining: true, reset: 10 * time.Second, hasReset: true,
					renewed: time.Unix(1735700410, 0)}}},
		{"first number", Quota{Limit: header("L"), Remaining: header("R")}, "200\nL: 100, 100;w=60\nR: 9", []reading{
			{name: "quota[0]", limit: 100, hasLimit: true, remaining: 9, hasRemaining: true}}},
		{"a/b", Quota{Limit: Extract{Header: "C", Match: `/(\d+)`}, Used: Extract{Header: "C", Match: `(\d+)/`}},
			"200\nC: 32/40", []reading{
				{name: "quota[0]", limit: 40, hasLimit: true, remaining: 8, hasRemaining: true}}},
		{"rate per second", Quota{Limit: Extract{Header: "L", As: "decimal"}, Window: time.Second}, "200\nL: 0.5", []reading{
			{name: "quota[0]", limit: 1, hasLimit: true, window: 2 * time.Second}}},
		{"tiny rate", Quota{Limit: Extract{Header: "L", As: "decimal"}, Window: time.Hour}, "200\nL: 1e-300", []reading{
			{name: "quota[0]", limit: 1, hasLimit: true}}},
		{"a limit of zero is another's matter", Quota{Limit: header("L"), Remaining: header("R")}, "429\nL: 0\nR: 0", nil},
		{"negative and nonsense", Quota{Limit: header("L"), Remaining: header("R")}, "200\nL: lots\nR: -1", nil},
		{"overflow", Quota{Remaining: header("R")}, "200\nR: 99999999999999999999", []reading{
			{name: "quota[0]", remaining: math.MaxInt64, hasRemaining: true}}},
		{"absent", Quota{Remaining: header("R")}, "200", nil},
	} {
		got := testThrottling(t, RateLimit{Quota: []Quota{tt.quota}}).readings(testView(tt.wire))
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: readings = %+v, want %+v", tt.name, got, tt.want)
		}
	}
}
