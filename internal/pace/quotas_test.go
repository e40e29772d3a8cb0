package pace

import (
	"testing"
	"time"
)

func TestControllerWaitsForTheResetOfAUsedUpQuota(t *testing.T) {
	reset := at(60_000)
	tests := []struct {
		name     string
		readings []quotaReading
		inflight int
		want     time.Time
	}{
		{"enough left", []quotaReading{{"", 3, reset}}, 2, at(0)},
		{"all left are in flight", []quotaReading{{"", 3, reset}}, 3, reset.Add(resetMargin)},
		{"at the reserve", []quotaReading{{"", 0, reset}}, 0, reset.Add(resetMargin)},
		{"below the reserve", []quotaReading{{"", -7, reset}}, 0, reset.Add(resetMargin)},
		{"a response overtook", []quotaReading{{"", 0, reset}, {"", 5, reset}}, 0, reset.Add(resetMargin)},
		{"renewed", []quotaReading{{"", 0, reset}, {"", 5, reset.Add(time.Hour)}}, 0, at(0)},
		{"a rounded reset", []quotaReading{{"", 0, reset}, {"", 5, reset.Add(-time.Second)}}, 0, reset.Add(resetMargin)},
		{"a corrected reset", []quotaReading{{"", 0, at(1e9)}, {"", 5, reset}}, 0, at(0)},
		{"a reset that is over", []quotaReading{{"", 0, at(0)}}, 0, at(0)},
		{"the longer of two", []quotaReading{{"day", 0, reset}, {"second", 0, at(500)}}, 0, reset.Add(resetMargin)},
		{"two quotas", []quotaReading{{"day", 0, reset}, {"second", 9, at(500)}}, 0, reset.Add(resetMargin)},
	}
	for _, tt := range tests {
		p := newController(true, 100)
		for _, r := range tt.readings {
			r.remaining += 100
			p.quota(at(0), r)
		}
		got, ok := p.next(at(0), tt.inflight)
		if !ok || !got.Equal(tt.want) {
			t.Errorf("%s: %v with %d in flight: next = %v, %v; want %v", tt.name, tt.readings, tt.inflight, got, ok, tt.want)
		}
		if got, _ := p.next(tt.want, 0); got.After(tt.want) {
			t.Errorf("%s: still waiting until %v at %v", tt.name, got, tt.want)
		}
	}
}
