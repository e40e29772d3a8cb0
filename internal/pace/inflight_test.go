package pace

import (
	"testing"
)

func TestInFlightLimitFallsWithEachThrottleAndRecovers(t *testing.T) {
	p := newController(true, 0)
	for inflight := 8; inflight >= 6; inflight-- {
		p.tooMany(inflight)
	}
	wantNext(t, p, at(0), 4, at(0), true)
	wantNext(t, p, at(0), 5, at(0), false)
	if !p.gate().IsZero() {
		t.Errorf("gate = %v, want it open", p.gate())
	}
	accept(p, recoveryResponses, at(0))
	wantNext(t, p, at(0), 5, at(0), true)
	wantNext(t, p, at(0), 6, at(0), false)
	for range 20 {
		p.tooMany(1)
	}
	wantNext(t, p, at(0), 0, at(0), true)
}
