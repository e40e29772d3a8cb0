package jwtbearer

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// A line is where all attempts of one connection stand until they may leave: first come, first served by the number of
// their call, so that a retry stands before calls that began later.
//
// Only the head of the line asks what limits the pace: the gate and the adaptation (pace), the windows, the buckets of
// x/time/rate, the interval and the concurrency. It takes something of them only at the moment it leaves, so a waiter that
// is cancelled has nothing to give back, and a gate that closes or a rate that changes counts for everybody at once. Nothing
// runs in the background: the head sleeps in its own goroutine, and whoever changes something wakes it.
//
// A line is safe for concurrent use.
type line struct {
	interval    time.Duration
	concurrency int           // zero: no limit
	maxWait     time.Duration // longest wait for the gate, with the jitter on top of it; zero: no bound

	mu         sync.Mutex
	queue      list.List // of *waiter, by seq
	pace       *pace
	probes     gateProbes
	buckets    []*tokenBucket
	windows    []*window
	clock      serverClock   // to which windows are aligned
	quickest   time.Duration // the shortest time to an answer; zero: there was none
	left       time.Time     // when the last attempt left
	unanswered int           // attempts whose answer did not come yet
	inFlight   int           // the same, and those whose answer's body is not at its end
	closed     throttle      // what closed the gate last
}

// A waiter is one attempt that stands in line.
type waiter struct {
	seq uint64
	patience
	wake  chan struct{} // has room for one: something changed, or the waiter became the head
	place *list.Element
}

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

// newLine makes the line of one connection from its settings.
func newLine(t *throttling) *line {
	longest := t.maxWait + spread(t.maxWait)
	l := &line{interval: t.interval, concurrency: t.concurrency, maxWait: longest, pace: newPace(t.fixed, t.reserve),
		probes: newGateProbes(t.maxWait, longest)}
	clock := &l.clock
	if t.fixed {
		clock = nil
	}
	for _, limit := range t.limits {
		if limit.Burst > 0 {
			l.buckets = append(l.buckets, newBucket(limit, t.fixed))
		} else {
			l.windows = append(l.windows, newWindow(limit.Requests, limit.Per, clock))
		}
	}
	return l
}

// enter waits until the attempt of call seq may leave, and takes a slot for it, in s. The error is a *gateError, errTooLate,
// or that of ctx; then nothing was taken.
func (l *line) enter(ctx context.Context, seq uint64, p patience, s *slot) error {
	s.waited = 0
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	if l.queue.Len() == 0 {
		if left, _ := l.tryLeave(time.Now(), s); left {
			l.mu.Unlock()
			return nil
		}
	}
	w := &waiter{seq: seq, patience: p.within(ctx), wake: make(chan struct{}, 1)}
	l.join(w)
	l.mu.Unlock()
	return l.stand(ctx, w, s)
}

// stand waits in line as w. It always leaves the line.
func (l *line) stand(ctx context.Context, w *waiter, s *slot) error {
	began := time.Now()
	var timer *time.Timer
	defer func() {
		if timer != nil {
			timer.Stop()
		}
	}()
	for {
		left, wait, err := l.turn(w, s)
		if left || err != nil {
			s.waited = time.Since(began)
			return err
		}
		var due <-chan time.Time
		if wait > 0 {
			if timer == nil {
				timer = time.NewTimer(wait)
			} else {
				timer.Reset(wait)
			}
			due = timer.C
		}
		select {
		case <-due:
		case <-w.wake:
		case <-ctx.Done():
			l.mu.Lock()
			l.quit(w)
			l.mu.Unlock()
			s.waited = time.Since(began)
			return ctx.Err()
		}
	}
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

// turn lets w leave with s if it may, and else tells how long to wait before asking again; zero: until woken.
func (l *line) turn(w *waiter, s *slot) (left bool, wait time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if err := l.refuse(w, now); err != nil {
		l.quit(w)
		return false, 0, err
	}
	if l.queue.Front() != w.place {
		return false, 0, nil
	}
	if left, wait = l.tryLeave(now, s); left {
		l.quit(w)
		return true, 0, nil
	}
	if wait > 0 && !w.latest.IsZero() && now.Add(wait).After(w.latest) {
		l.quit(w)
		if until, why := l.shut(now); until.After(now) { // a probe is due, and something else holds it up
			return false, 0, &gateError{throttle: why, wait: until.Sub(now)}
		}
		return false, 0, errTooLate
	}
	return false, wait, nil
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
	until = l.pace.gate()
	renewed, name := l.pace.quotas.usedUp(now, 0)
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
	if l.pace.crowd.full(l.unanswered) {
		return at, false
	}
	return now, true
}

// tryLeave takes a slot, in s, if everything permits it now, and else tells after which time to ask again; zero: when woken.
func (l *line) tryLeave(now time.Time, s *slot) (left bool, wait time.Duration) {
	if l.concurrency > 0 && l.inFlight >= l.concurrency {
		return false, 0
	}
	at, ok := l.pace.next(now, l.unanswered)
	if !ok {
		return false, 0
	}
	at, probe := l.beforeGate(now, at)
	wait = at.Sub(now)
	if l.interval > 0 && !l.left.IsZero() {
		wait = max(wait, l.left.Add(l.interval).Sub(now))
	}
	for _, w := range l.windows {
		at, ok := w.next(now)
		if !ok {
			return false, 0
		}
		wait = max(wait, at.Sub(now))
	}
	for _, b := range l.buckets {
		wait = max(wait, b.next(now))
	}
	if wait > 0 {
		return false, wait
	}
	*s = slot{line: l, sent: now, before: l.left, open: true}
	for _, b := range l.buckets {
		b.leave(now, l.unanswered)
	}
	for _, w := range l.windows {
		w.leave(now)
	}
	l.pace.leave(now)
	l.left = now
	l.unanswered++
	l.inFlight++
	if probe {
		s.becomeProbe(now)
	}
	return true, 0
}

// join puts w into the line, behind all older calls. A new call is newer than nearly all that wait, a retry older than most.
func (l *line) join(w *waiter) {
	seq := func(e *list.Element) uint64 { return e.Value.(*waiter).seq }
	front, back := l.queue.Front(), l.queue.Back()
	if back == nil {
		w.place = l.queue.PushBack(w)
		return
	}
	if w.seq > seq(front)/2+seq(back)/2 {
		for back != nil && seq(back) > w.seq {
			back = back.Prev()
		}
	} else {
		for back = nil; front != nil && seq(front) <= w.seq; front = front.Next() {
			back = front
		}
	}
	if back == nil {
		w.place = l.queue.PushFront(w)
		return
	}
	w.place = l.queue.InsertAfter(w, back)
}

// quit takes w out of the line and wakes the head, which may be another one now.
func (l *line) quit(w *waiter) {
	l.queue.Remove(w.place)
	l.wakeHead()
}

func (l *line) wakeHead() {
	if front := l.queue.Front(); front != nil {
		front.Value.(*waiter).poke()
	}
}

func (w *waiter) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
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

// stats tells how many attempts stand in line and how many are in flight, and the pace.
func (l *line) stats() (waiting, inFlight int, perSecond float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.queue.Len(), l.inFlight, l.pace.rate(time.Now())
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
