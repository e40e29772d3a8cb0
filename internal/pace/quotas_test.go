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
		{"enough left", []quotaReading{{remaining: 3, reset: reset}}, 2, at(0)},
		{"all left are in flight", []quotaReading{{remaining: 3, reset: reset}}, 3, reset.Add(resetMargin)},
		{"at the reserve", []quotaReading{{remaining: 0, reset: reset}}, 0, reset.Add(resetMargin)},
		{"below the reserve", []quotaReading{{remaining: -7, reset: reset}}, 0, reset.Add(resetMargin)},
		{"a response overtook", []quotaReading{{remaining: 0, reset: reset}, {remaining: 5, reset: reset}}, 0, reset.Add(resetMargin)},
		{"renewed", []quotaReading{{remaining: 0, reset: reset}, {remaining: 5, reset: reset.Add(time.Hour)}}, 0, at(0)},
		{"a rounded reset", []quotaReading{{remaining: 0, reset: reset}, {remaining: 5, reset: reset.Add(-time.Second)}}, 0, reset.Add(resetMargin)},
		{"a corrected reset", []quotaReading{{remaining: 0, reset: at(1e9)}, {remaining: 5, reset: reset}}, 0, at(0)},
		{"a reset that is over", []quotaReading{{remaining: 0, reset: at(0)}}, 0, at(0)},
		{"the longer of two", []quotaReading{{name: "day", remaining: 0, reset: reset}, {name: "second", remaining: 0, reset: at(500)}}, 0, reset.Add(resetMargin)},
		{"two quotas", []quotaReading{{name: "day", remaining: 0, reset: reset}, {name: "second", remaining: 9, reset: at(500)}}, 0, reset.Add(resetMargin)},
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
