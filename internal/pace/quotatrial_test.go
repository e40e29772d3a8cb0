package pace

import (
	"testing"
	"time"
)

// usedUp gives p a quota that is used up for so long.
func usedUp(p *controller, now time.Time, wait time.Duration) {
	p.quota(now, quotaReading{name: "q", remaining: 0, reset: now.Add(wait)})
}

func TestAQuotaIsTriedOnceHalfWayToItsReset(t *testing.T) {
	p := newController(false, 0)
	usedUp(p, at(0), 10*time.Second)
	renewed := at(10000).Add(resetMargin)
	wantNext(t, p, at(0), 1, renewed, true) // something is in flight
	half := at(5001)
	wantNext(t, p, at(0), 0, half, true)
	wantNext(t, p, half, 0, half, true)
	p.leave(half)
	wantNext(t, p, half, 0, renewed, true)
	if p.throttled(half, half, 5*time.Second, true); p.row != 0 {
		t.Error("the throttle of a trial was taken for one of the pace")
	}
	for i := range trialPause {
		now := at(20000 * (i + 1))
		usedUp(p, now, 10*time.Second)
		wantNext(t, p, now, 0, now.Add(10*time.Second+resetMargin), true)
	}
	now := at(20000 * (trialPause + 1))
	usedUp(p, now, 10*time.Second)
	wantNext(t, p, now, 0, now.Add(5*time.Second+resetMargin/2), true)
}

func TestAQuotaThatIsNoWindowIsIgnoredAfterATrial(t *testing.T) {
	p := newController(false, 0)
	usedUp(p, at(0), time.Second)
	half, _ := p.next(at(0), 0)
	p.leave(half)
	p.accepted(half, half.Add(time.Millisecond))
	wantNext(t, p, half, 0, half, true)
	usedUp(p, half, time.Second)
	wantNext(t, p, half, 0, half, true)
	told := []Reading{{Name: "q", Reset: time.Second}}
	if !p.trials.doubts(time.Second, told) || p.trials.doubts(2*time.Second, told) || p.trials.doubts(time.Second, nil) {
		t.Error("a wait is doubted that is not the reset of the ignored quota, or that one is not")
	}
}

func TestSomeQuotasAreNeverTried(t *testing.T) {
	for name, tt := range map[string]struct {
		p     *controller
		wait  time.Duration
		asked bool
	}{
		"a fixed pace":             {newController(true, 0), 10 * time.Second, false},
		"a reserve is left over":   {newController(false, 5), 10 * time.Second, false},
		"a reset far away":         {newController(false, 0), longestTrial + time.Second, false},
		"a wait that is asked for": {newController(false, 0), 10 * time.Second, true},
	} {
		tt.p.quota(at(0), quotaReading{name: "q", remaining: 0, reset: at(0).Add(tt.wait), asked: tt.asked})
		if got, _ := tt.p.next(at(0), 0); !got.Equal(at(0).Add(tt.wait + resetMargin)) {
			t.Errorf("%s: the next attempt leaves after %v, want %v", name, got.Sub(at(0)), tt.wait)
		}
	}
}
