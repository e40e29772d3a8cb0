package pace

import (
	"context"
	"errors"
	"time"
)

// Patience is how long an attempt may wait. The zero value waits without a bound.
type Patience struct {
	Latest time.Time     // an attempt that cannot leave by then does not wait; zero: no bound
	Gate   time.Duration // for a closed gate; zero: no bound, negative: not at all
}

// Within returns p, ended by the deadline of ctx at the latest.
func (p Patience) Within(ctx context.Context) Patience {
	if deadline, ok := ctx.Deadline(); ok && (p.Latest.IsZero() || deadline.Before(p.Latest)) {
		p.Latest = deadline
	}
	return p
}

// ErrTooLate says that an attempt could not leave by its latest time.
var ErrTooLate = errors.New("no turn before the deadline")

// A Refusal is the error of an attempt that may not wait until the gate opens.
type Refusal struct {
	Class string // of the throttle that closed the gate, or Exhausted
	Rule  string // what found that throttle, or the name of the quota
	Wait  time.Duration
}

func (e *Refusal) Error() string {
	return "the API asked for a longer wait than the call may take"
}

// Refusal returns why an attempt outside the queue may not wait until the gate opens; nil: it may, or a probe is due.
func (l *Line) Refusal(p Patience) *Refusal {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err, ok := errors.AsType[*Refusal](l.refuse(&waiter{Patience: p}, time.Now())); ok {
		return err
	}
	return nil
}

// AwaitGate waits until the gate is open or a probe is due, for an attempt that has left the queue already with s, which then is
// the probe. With a nil s nothing is taken. The error is a *Refusal or that of ctx.
func (l *Line) AwaitGate(ctx context.Context, p Patience, s *Slot) error {
	w := &waiter{Patience: p.Within(ctx)}
	for {
		wait, err := l.untilOpen(w, s)
		if err != nil || wait <= 0 {
			return err
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// untilOpen returns how long an attempt outside the queue has to wait before it asks again; zero: it may go on.
func (l *Line) untilOpen(w *waiter, s *Slot) (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	until, _ := l.shut(now)
	switch {
	case !until.After(now) || s != nil && s.probe:
		return 0, nil
	case l.probes.due(now):
		if s != nil {
			s.becomeProbe(now)
		}
		return 0, nil
	}
	if due, ok := l.probes.next(); ok && due.Before(until) {
		until = due
	}
	return until.Sub(now), l.refuse(w, now)
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// refuse returns a *Refusal if the gate is closed for longer than w may wait and no probe is due.
func (l *Line) refuse(w *waiter, now time.Time) error {
	until, why := l.shut(now)
	wait := until.Sub(now)
	if wait <= 0 || l.probes.due(now) {
		return nil
	}
	if w.Gate < 0 || w.Gate > 0 && wait > w.Gate || !w.Latest.IsZero() && until.After(w.Latest) {
		return &Refusal{Class: why.Class, Rule: why.Rule, Wait: wait}
	}
	return nil
}

// shut returns until when nobody may leave, and why: the gate, or a quota that is used up.
func (l *Line) shut(now time.Time) (until time.Time, why Throttle) {
	until = l.control.gate()
	renewed, name := l.control.quotas.usedUp(now, 0)
	switch {
	case !renewed.After(until):
		return until, l.closed
	case until.After(now) && renewed.Sub(until) <= spread(renewed.Sub(now)): // both come from one response, whose rule says more
		return renewed, l.closed
	}
	return renewed, Throttle{Class: Exhausted, Rule: name}
}

// followGate notes until when the gate is closed, for the probes.
func (l *Line) followGate(now time.Time) {
	until, _ := l.shut(now)
	l.probes.follow(now, until)
}

// beforeGate returns at, when the controller lets the next attempt leave, or when the next probe is due, if that is sooner. With
// probe the attempt leaves as one, now.
func (l *Line) beforeGate(now, at time.Time) (_ time.Time, probe bool) {
	due, ok := l.probes.next()
	if until, _ := l.shut(now); !ok || !until.After(now) || !due.Before(at) {
		return at, false
	}
	if due.After(now) {
		return due, false
	}
	if l.control.inFlight.full(l.unanswered) {
		return at, false
	}
	return now, true
}

// wakeImpatient wakes the head and, where the gate is closed, those who may not wait that long.
func (l *Line) wakeImpatient(now time.Time) {
	if l.queue.Len() == 0 {
		return
	}
	if until, _ := l.shut(now); !until.After(now) {
		l.wakeHead()
		return
	}
	for e := l.queue.Front(); e != nil; e = e.Next() {
		if w := e.Value.(*waiter); l.refuse(w, now) != nil {
			w.poke()
		}
	}
	l.wakeHead()
}

// Closed returns until when the gate is closed, and by which rule or quota. Zero: it is open.
func (l *Line) Closed() (until time.Time, by string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	until, why := l.shut(now)
	if !until.After(now) {
		return time.Time{}, ""
	}
	return until, why.Rule
}
