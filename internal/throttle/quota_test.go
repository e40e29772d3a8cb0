package throttle

import (
	"math"
	"slices"
	"testing"
	"time"
)

func TestReadingsOfConfiguredQuotas(t *testing.T) {
	header := func(name string) Extract { return Extract{Header: name} }
	for _, tt := range []struct {
		name  string
		quota Quota
		wire  string
		want  []Reading
	}{
		{"remaining", Quota{Remaining: header("R")}, "200\nR: 5", []Reading{{Name: "quota[0]", Remaining: 5, HasRemaining: true}}},
		{"used", Quota{Limit: header("L"), Used: header("U")}, "200\nL: 10\nU: 3", []Reading{
			{Name: "quota[0]", Limit: 10, HasLimit: true, Remaining: 7, HasRemaining: true}}},
		{"more used than allowed", Quota{Limit: header("L"), Used: header("U")}, "200\nL: 10\nU: 13", []Reading{
			{Name: "quota[0]", Limit: 10, HasLimit: true, HasRemaining: true}}},
		{"remaining wins over used", Quota{Limit: header("L"), Used: header("U"), Remaining: header("R")},
			"200\nL: 10\nU: 3\nR: 1", []Reading{
				{Name: "quota[0]", Limit: 10, HasLimit: true, Remaining: 1, HasRemaining: true}}},
		{"reset", Quota{Remaining: header("R"), Reset: Extract{Header: "T", As: "epoch"}, Window: time.Hour},
			"200\nR: 0\nT: 1735689610.5", []Reading{
				{Name: "quota[0]", HasRemaining: true, Reset: 10500 * time.Millisecond, HasReset: true,
					Renewed: time.Unix(1735689610, 500e6), Window: time.Hour}}},
		{"reset by a skewed clock", Quota{Remaining: header("R"), Reset: header("T")},
			"200\nDate: Wed, 01 Jan 2025 03:00:00 GMT\nR: 0\nT: 1735700410", []Reading{
				{Name: "quota[0]", HasRemaining: true, Reset: 10 * time.Second, HasReset: true,
					Renewed: time.Unix(1735700410, 0)}}},
		{"first number", Quota{Limit: header("L"), Remaining: header("R")}, "200\nL: 100, 100;w=60\nR: 9", []Reading{
			{Name: "quota[0]", Limit: 100, HasLimit: true, Remaining: 9, HasRemaining: true}}},
		{"a/b", Quota{Limit: Extract{Header: "C", Match: `/(\d+)`}, Used: Extract{Header: "C", Match: `(\d+)/`}},
			"200\nC: 32/40", []Reading{
				{Name: "quota[0]", Limit: 40, HasLimit: true, Remaining: 8, HasRemaining: true}}},
		{"rate per second", Quota{Limit: Extract{Header: "L", As: "decimal"}, Window: time.Second}, "200\nL: 0.5", []Reading{
			{Name: "quota[0]", Limit: 1, HasLimit: true, Window: 2 * time.Second}}},
		{"tiny rate", Quota{Limit: Extract{Header: "L", As: "decimal"}, Window: time.Hour}, "200\nL: 1e-300", []Reading{
			{Name: "quota[0]", Limit: 1, HasLimit: true}}},
		{"a limit of zero is another's matter", Quota{Limit: header("L"), Remaining: header("R")}, "429\nL: 0\nR: 0", nil},
		{"negative and nonsense", Quota{Limit: header("L"), Remaining: header("R")}, "200\nL: lots\nR: -1", nil},
		{"overflow", Quota{Remaining: header("R")}, "200\nR: 99999999999999999999", []Reading{
			{Name: "quota[0]", Remaining: math.MaxInt64, HasRemaining: true}}},
		{"absent", Quota{Remaining: header("R")}, "200", nil},
	} {
		got := testThrottling(t, RateLimit{Quota: []Quota{tt.quota}}).Readings(testView(tt.wire))
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: readings = %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestAReadingSaysWhatIsLeft(t *testing.T) {
	for want, r := range map[string]Reading{
		"quota: 3 of 10 left in 1m0s":  {Limit: 10, HasLimit: true, Remaining: 3, HasRemaining: true, Window: time.Minute},
		"quota: 3 left, renewed in 8s": {Remaining: 3, HasRemaining: true, Reset: 7600 * time.Millisecond, HasReset: true},
		"quota of 10":                  {Limit: 10, HasLimit: true},
		"quota, renewed in 1s":         {Reset: time.Second, HasReset: true},
		"quota: 0 left, renewed in more than 366 days, which is ignored": {HasRemaining: true, Absurd: true},
	} {
		if got := r.String(); got != want {
			t.Errorf("%+v says %q; want %q", r, got, want)
		}
	}
}
