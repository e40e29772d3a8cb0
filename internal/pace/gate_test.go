package pace

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestClosedGateHoldsEverybodyAndRefusesTheImpatient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, began := testLine(t, Settings{MaxWait: time.Minute}), time.Now()
		enter(t, l, 1).Throttled(Throttle{Class: "throttled", Rule: "rules[0]", Wait: 10 * time.Second, Told: true}, Observation{})

		soon, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		for name, impatient := range map[string]func() error{
			"a deadline before the gate opens": func() error { err := l.Enter(soon, 2, Patience{}, new(Slot)); return err },
			"no time for the gate":             func() error { err := l.Enter(t.Context(), 2, Patience{Gate: -1}, new(Slot)); return err },
			"less time than the gate needs": func() error {
				err := l.Enter(t.Context(), 2, Patience{Gate: 9 * time.Second}, new(Slot))
				return err
			},
			"a latest time before it opens": func() error {
				err := l.Enter(t.Context(), 2, Patience{Latest: began.Add(time.Second)}, new(Slot))
				return err
			},
		} {
			gate, ok := errors.AsType[*Refusal](impatient())
			if !ok || gate.Wait < 10*time.Second || gate.Rule != "rules[0]" || time.Since(began) != 0 {
				t.Errorf("%s: %+v after %v, want a Refusal at once", name, gate, time.Since(began))
			}
		}

		enter(t, l, 3)
		if got := time.Since(began); got < 10*time.Second || got > 10500*time.Millisecond {
			t.Errorf("an attempt leaves the closed gate after %v, want 10s and a little", got)
		}
	})
}

func TestGateThatClosesReachesThoseWhoWaitAlready(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, began := testLine(t, Settings{Fixed: true, Interval: time.Second, MaxWait: time.Minute}), time.Now()
		first := enter(t, l, 1)
		var wg sync.WaitGroup
		for seq := range uint64(3) {
			wg.Go(func() {
				err := l.Enter(t.Context(), 2+seq, Patience{Gate: time.Minute}, new(Slot))
				if _, ok := errors.AsType[*Refusal](err); !ok || time.Since(began) != 500*time.Millisecond {
					t.Errorf("waiter %d: %v after %v, want a Refusal after 500ms", seq, err, time.Since(began))
				}
			})
		}
		time.Sleep(500 * time.Millisecond)
		first.Throttled(Throttle{Class: Exhausted, Wait: time.Hour, Told: true}, Observation{})
		wg.Wait()
	})
}

func TestExhaustedQuotaWithoutAnEndIsWaitedForByNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := testLine(t, Settings{MaxWait: time.Minute})
		enter(t, l, 1).Throttled(Throttle{Class: Exhausted}, Observation{})
		err := l.Enter(t.Context(), 2, Patience{Gate: time.Minute}, new(Slot))
		if _, ok := errors.AsType[*Refusal](err); !ok {
			t.Errorf("enter gives %v, want a Refusal", err)
		}
	})
}

func TestQuotaIsWaitedForOnlyWhenNothingIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, began := testLine(t, Settings{Reserve: 2}), time.Now()
		left := func(n int64) Observation {
			return Observation{Readings: []Reading{{Name: "q", Remaining: n, Reset: 30 * time.Second}}}
		}
		enter(t, l, 1).Accepted(left(3))
		enter(t, l, 2).Accepted(left(2))
		if got := time.Since(began); got != 0 {
			t.Errorf("with something left an attempt waited %v", got)
		}
		enter(t, l, 3)
		if got := time.Since(began); got < 30*time.Second || got > 31*time.Second {
			t.Errorf("at the reserve an attempt leaves after %v, want the reset after 30s", got)
		}
	})
}

func TestQuotaWhoseResetIsBeyondMaxWaitRefusesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, began := testLine(t, Settings{}), time.Now()
		none := Observation{Readings: []Reading{{Name: "daily", Reset: 5 * time.Hour}}}
		enter(t, l, 1).Accepted(none)
		err := l.Enter(t.Context(), 2, Patience{Gate: time.Minute}, new(Slot))
		gate, ok := errors.AsType[*Refusal](err)
		if !ok || gate.Wait < 5*time.Hour || gate.Class != Exhausted || time.Since(began) != 0 {
			t.Errorf("enter gives %v (%+v) after %v, want to be refused at once for 5h", err, gate, time.Since(began))
		}
	})
}
