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
	if !step(noise(50, time.Second/2)) || step(noise(50, time.Second/2)) {
		t.Fatalf("want a trial of %d throttles: %+v", trialFreedom, tr)
	}
	if tr.freedom != 2*trialFreedom {
		t.Errorf("after a trial that was twice as fast the next one lasts %d throttles, want %d", tr.freedom, 2*trialFreedom)
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
