package pace

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// crowd lets n attempts leave, a millisecond apart, and returns when each did.
func crowd(p *controller, n int, now time.Time) (sent []time.Time) {
	for i := range n {
		p.next(now, i)
		p.leave(now)
		sent = append(sent, now)
		now = now.Add(time.Millisecond)
	}
	return sent
}

func TestAThrottleThatTheAPIContradictsBindsOnlyItsCall(t *testing.T) {
	p := newController(false, 0)
	start := accept(p, 20, at(0))
	sent := crowd(p, 12, start)
	now := sent[11].Add(20 * time.Millisecond)
	if own := p.throttled(sent[2], now, time.Second, true); own != time.Second {
		t.Errorf("the throttled call waits %v, want the 1s that it was told", own)
	}
	wantNext(t, p, now, 11, now.Add(time.Second), true)
	p.accepted(sent[0], now) // left before the throttled one, and says nothing
	for _, s := range sent[3:5] {
		p.accepted(s, now)
	}
	wantNext(t, p, now, 8, now.Add(time.Second), true)
	p.accepted(sent[5], now)
	wantNext(t, p, now, 7, now, true)
	if p.model.throttled || p.rate() != 0 {
		t.Errorf("one isolated throttle was learnt from: %+v", p.model)
	}
}

func TestAThrottleOfMostInFlightIsObeyedByAll(t *testing.T) {
	p := newController(false, 0)
	sent := crowd(p, 12, accept(p, 20, at(0)))
	now := sent[11].Add(20 * time.Millisecond)
	for i, s := range sent {
		if i%3 != 2 {
			p.throttled(s, now, time.Second, true)
		} else {
			p.accepted(s, now)
		}
	}
	wantNext(t, p, now, 0, now.Add(time.Second), true)
	wantNext(t, p, now.Add(time.Second), 0, now.Add(time.Second), true)
	if !p.model.throttled {
		t.Error("nothing was learnt from throttles of most attempts in flight")
	}
}

// Responses overtake each other: those of attempts that left later may have come before the throttle.
func TestResponsesThatOvertakeAThrottleContradictIt(t *testing.T) {
	p := newController(false, 0)
	sent := crowd(p, 8, accept(p, 20, at(0)))
	now := sent[7].Add(20 * time.Millisecond)
	for _, s := range sent[4:] {
		p.accepted(s, now)
	}
	p.throttled(sent[1], now, time.Minute, true)
	wantNext(t, p, now, 3, now, true)
}

func TestAFixedControllerObeysEveryThrottle(t *testing.T) {
	p := newController(true, 0)
	sent := crowd(p, 12, at(0))
	now := at(50)
	p.throttled(sent[0], now, time.Second, true)
	for _, s := range sent[1:] {
		p.accepted(s, now)
	}
	wantNext(t, p, now, 0, now.Add(time.Second), true)
}

// A pardon opens the gate as it was before: what else closed it goes on to hold.
func TestAPardonKeepsWhatElseClosedTheGate(t *testing.T) {
	p := newController(false, 0)
	sent := crowd(p, 12, accept(p, 20, at(0)))
	now := sent[11].Add(20 * time.Millisecond)
	p.throttled(sent[0], now, time.Minute, true)
	p.close(now.Add(10 * time.Second))
	for _, s := range sent[1:6] {
		p.accepted(s, now)
	}
	wantNext(t, p, now, 3, now.Add(10*time.Second), true)
}

func TestMoreIsolatedThrottlesThanAreIgnoredTeach(t *testing.T) {
	var s isolation
	for i := range bornScore {
		if s.count(false, false) {
			t.Fatalf("isolated throttle %d teaches, want more than %d to", i+1, bornScore)
		}
	}
	if !s.count(false, false) {
		t.Errorf("isolated throttle %d teaches nothing", bornScore+1)
	}
	if s.count(false, true) || s.born != 2*bornScore {
		t.Errorf("with a pace that does not rise it teaches, or %v are ignored from now on, want %d", s.born, 2*bornScore)
	}
	for range 10 * bornMemory {
		s.accepted(at(0), false)
	}
	if s.random() || s.born > bornScore+0.1 {
		t.Errorf("after %d accepted attempts the score is %v and %v are ignored, want it forgotten", 10*bornMemory, s.score, s.born)
	}
	if !s.count(true, false) {
		t.Error("the first throttle of a rising pace teaches nothing: it met the limit")
	}
}

// A throttled call waits as it was told even where the gate opens for the others.
func TestAThrottledCallWaitsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, began := testLine(t, Settings{}), time.Now()
		for range 8 {
			enter(t, l, 1).Accepted(Observation{})
			time.Sleep(time.Millisecond)
		}
		slots := make([]*Slot, 6)
		for i := range slots {
			slots[i] = enter(t, l, uint64(i+2))
			time.Sleep(time.Millisecond)
		}
		_, own := slots[0].Throttled(Throttle{Wait: time.Second, Told: true}, Observation{})
		after := time.Now().Add(own)
		for _, s := range slots[1:] {
			s.Accepted(Observation{})
		}
		if !l.Random() {
			t.Error("an isolated throttle does not seem random")
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := l.Enter(t.Context(), 2, Patience{After: after}, new(Slot)); err != nil || time.Now().Before(after) {
				t.Errorf("the throttled call leaves after %v with %v, want not before %v", time.Since(began), err, after.Sub(began))
			}
		})
		synctest.Wait()
		now := time.Now()
		enter(t, l, 9)
		if waited := time.Since(now); waited > 0 {
			t.Errorf("a call behind the throttled one waits %v", waited)
		}
		wg.Wait()
	})
}
