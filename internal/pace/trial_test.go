package pace

import (
	"testing"
	"time"
)

// noise is a closing of a server that throttles after so many attempts whatever the pace, for a second each time.
func noise(accepted int, flow time.Duration) episode {
	return episode{accepted: accepted, flow: flow, wait: time.Second, quiet: true}
}

func TestThePaceIsDroppedWhereItPreventsNothing(t *testing.T) {
	var tr paceTrial
	now := at(0)
	step := func(e episode) bool {
		now = now.Add(e.flow + e.wait)
		return tr.throttled(now, e)
	}
	now = now.Add(2 * time.Second)
	tr.first(now, noise(50, time.Second))
	if step(noise(50, 2*time.Second)) || !step(noise(50, 2*time.Second)) {
		t.Fatalf("want a trial with strike %d: %+v", trialPatience, tr)
	}
	for range trialFreedom {
		if !step(noise(50, time.Second/4)) {
			t.Fatalf("a trial that is more than twice as fast ends: %+v", tr)
		}
	}
	if tr.free != 2*trialFreedom {
		t.Errorf("it goes on for %d throttles, want %d", tr.free, 2*trialFreedom)
	}
	for range 2*trialFreedom - 1 {
		step(noise(50, 5*time.Second))
	}
	if step(noise(50, 5*time.Second)) || tr.patience != 2*trialPatience {
		t.Errorf("after a trial that was no faster: %+v, want the pace back and twice the patience", tr)
	}
}

func TestALimitIsNoStrike(t *testing.T) {
	for name, e := range map[string]episode{
		"while the pace rose":   {accepted: 5, flow: time.Second, wait: time.Second},
		"many were accepted":    {accepted: 500, flow: time.Second, wait: time.Second, quiet: true},
		"the wait costs little": {accepted: 10, flow: time.Minute, wait: time.Second, quiet: true},
	} {
		tr := paceTrial{mean: 50}
		for i := range 100 {
			if tr.throttled(at(1000*i), e) {
				t.Errorf("%s: the pace is dropped after %d throttles", name, i+1)
				break
			}
		}
	}
}

func TestADroveEndsATrial(t *testing.T) {
	tr := paceTrial{free: 5, freedom: 8}
	e := noise(10, time.Second)
	e.drove = true
	if tr.throttled(at(2000), e) || tr.free != 0 || tr.patience < drovePatience {
		t.Errorf("after a drove: %+v, want the pace back and more patience", tr)
	}
}
