package jwtbearer

import (
	"context"
	"errors"
	"time"
)

// patience is how long an attempt may wait.
type patience struct {
	latest time.Time     // an attempt that cannot leave by then does not wait; zero: no bound
	gate   time.Duration // for a closed gate; zero: no bound, negative: not at all
}

// within returns a patience that ends with ctx at the latest.
func (p patience) within(ctx context.Context) patience {
	if deadline, ok := ctx.Deadline(); ok && (p.latest.IsZero() || deadline.Before(p.latest)) {
		p.latest = deadline
	}
	return p
}

// errTooLate says that an attempt could not leave by its latest time.
var errTooLate = errors.New("jwtbearer: no turn before the deadline")

// A gateError says that the gate is closed for longer than an attempt may wait.
type gateError struct {
	throttle throttle
	wait     time.Duration
}

func (e *gateError) Error() string {
	return "jwtbearer: the API asked for a longer wait than the call may take"
}

// refusal tells whether the gate is closed for longer than an attempt may wait that did not join the line.
func (l *line) refusal(p patience) *gateError {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err, ok := errors.AsType[*gateError](l.refuse(&waiter{patience: p}, time.Now())); ok {
		return err
	}
	return nil
}

// reopened waits until the gate is open or a probe is due, for an attempt that has left the line already with s, which then is
// the probe. Without s nothing is taken.
func (l *line) reopened(ctx context.Context, p patience, s *slot) error {
	w := &waiter{patience: p.within(ctx)}
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

// untilOpen tells how long an attempt outside the line has to wait before it asks again; zero: it may go on.
func (l *line) untilOpen(w *waiter, s *slot) (time.Duration, error) {
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

// refuse tells whether the gate is closed for longer than w may wait, and no probe is due.
func (l *line) refuse(w *waiter, now time.Time) error {
	until, why := l.shut(now)
	wait := until.Sub(now)
	if wait <= 0 || l.probes.due(now) {
		return nil
	}
	if w.gate < 0 || w.gate > 0 && wait > w.gate || !w.latest.IsZero() && until.After(w.latest) {
		return &gateError{throttle: why, wait: wait}
	}
	return nil
}

// shut tells until when nobody may leave, and why: the gate, or a quota that is used up.
func (l *line) shut(now time.Time) (until time.Time, why throttle) {
	until = l.control.gate()
	renewed, name := l.control.quotas.usedUp(now, 0)
	switch {
	case !renewed.After(until):
		return until, l.closed
	case until.After(now) && renewed.Sub(until) <= spread(renewed.Sub(now)): // both are of one refusal, whose rule says more
		return renewed, l.closed
	}
	return renewed, throttle{class: classExhausted, rule: name}
}

// followGate takes note of how long the gate is closed, for the probes.
func (l *line) followGate(now time.Time) {
	until, _ := l.shut(now)
	l.probes.follow(now, until)
}

// beforeGate is at, which is when the pace lets the next attempt leave, or when the next probe is due, if that is sooner. Probe
// says that the attempt leaves as one, now.
func (l *line) beforeGate(now, at time.Time) (_ time.Time, probe bool) {
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

// wakeRefused wakes the head and, where the gate is closed, those who will not wait that long.
func (l *line) wakeRefused(now time.Time) {
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

// closing tells until when the gate is closed, and by which rule or quota. Zero: it is open.
func (l *line) closing() (until time.Time, by string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	until, why := l.shut(now)
	if !until.After(now) {
		return time.Time{}, ""
	}
	return until, why.rule
}
