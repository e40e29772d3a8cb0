package pace

import (
	"testing"
	"time"
)

func TestProbesComeAfterMaxWaitThenTwiceAsRarelyThenHourly(t *testing.T) {
	for _, tt := range []struct {
		maxWait time.Duration // zero: no bound
		want    []time.Duration
	}{
		{5 * time.Minute, []time.Duration{5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 40 * time.Minute, time.Hour, time.Hour}},
		{40 * time.Minute, []time.Duration{40 * time.Minute, time.Hour, time.Hour}},
		{2 * time.Hour, []time.Duration{2 * time.Hour, time.Hour, time.Hour}},
		{0, []time.Duration{time.Hour, time.Hour}},
	} {
		p, now := newGateProbes(tt.maxWait, tt.maxWait+time.Second), at(0)
		until := now.Add(300 * 24 * time.Hour)
		p.follow(now, until)
		for i, want := range tt.want {
			due, ok := p.next()
			if got := due.Sub(now); !ok || got != want {
				t.Errorf("MaxWait %v: probe %d is due after %v, %v; want %v", tt.maxWait, i, got, ok, want)
			}
			if p.due(due.Add(-1)) || !p.due(due) {
				t.Errorf("MaxWait %v: probe %d may leave before %v, or not then", tt.maxWait, i, want)
			}
			now = due
			p.leave()
			if p.due(now) {
				t.Errorf("MaxWait %v: two probes at once", tt.maxWait)
			}
			p.giveBack()
			if !p.due(now) {
				t.Errorf("MaxWait %v: the right of probe %d was not given back", tt.maxWait, i)
			}
			p.leave()
			p.answered(now, now)
			p.follow(now, until)
		}
		p.follow(until, until)
		if _, ok := p.next(); ok {
			t.Errorf("MaxWait %v: a probe of an open gate is due", tt.maxWait)
		}
	}
}

func TestAGateThatIsWaitedForIsNotProbed(t *testing.T) {
	for _, tt := range []struct{ maxWait, closed time.Duration }{
		{5 * time.Minute, 5*time.Minute + time.Second}, {2 * time.Hour, 2 * time.Hour}, {0, time.Hour},
	} {
		p := newGateProbes(tt.maxWait, tt.maxWait+time.Second)
		p.follow(at(0), at(0).Add(tt.closed))
		if due, ok := p.next(); ok {
			t.Errorf("MaxWait %v: a gate that is closed for %v is probed after %v", tt.maxWait, tt.closed, due.Sub(at(0)))
		}
	}
}
