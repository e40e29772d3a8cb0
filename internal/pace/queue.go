package pace

import (
	"container/list"
	"context"
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
type Line struct {
	interval    time.Duration
	concurrency int           // zero: no limit
	longest     time.Duration // longest wait for the gate, with the jitter on top of it; zero: no bound

	mu         sync.Mutex
	queue      list.List // of *waiter, by seq
	control    *controller
	probes     gateProbes
	buckets    []*tokenBucket
	windows    []*window
	clock      serverClock   // to which windows are aligned
	quickest   time.Duration // the shortest time to an answer; zero: there was none
	left       time.Time     // when the last attempt left
	unanswered int           // attempts whose answer did not come yet
	inFlight   int           // the same, and those whose answer's body is not at its end
	closed     Throttle      // what closed the gate last
}

// A waiter is one attempt that stands in line.
type waiter struct {
	seq uint64
	Patience
	wake  chan struct{} // has room for one: something changed, or the waiter became the head
	place *list.Element
}

// New makes the line of one connection from its settings.
func New(set Settings) *Line {
	longest := set.MaxWait + spread(set.MaxWait)
	l := &Line{interval: set.Interval, concurrency: set.Concurrency, longest: longest, control: newController(set.Fixed, set.Reserve),
		probes: newGateProbes(set.MaxWait, longest)}
	clock := &l.clock
	if set.Fixed {
		clock = nil
	}
	for _, limit := range set.Limits {
		if limit.Burst > 0 {
			l.buckets = append(l.buckets, newBucket(limit, set.Fixed))
		} else {
			l.windows = append(l.windows, newWindow(limit.Requests, limit.Per, clock))
		}
	}
	return l
}

// MaxWait is the longest wait for a closed gate, with the jitter on top of it; zero: no bound.
func (l *Line) MaxWait() time.Duration { return l.longest }

// Enter waits until the attempt of call seq may leave, and takes a slot for it, in s. The error is a *Refusal, ErrTooLate,
// or that of ctx; then nothing was taken.
func (l *Line) Enter(ctx context.Context, seq uint64, p Patience, s *Slot) error {
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
	w := &waiter{seq: seq, Patience: p.Within(ctx), wake: make(chan struct{}, 1)}
	l.join(w)
	l.mu.Unlock()
	return l.stand(ctx, w, s)
}

// stand waits in line as w. It always leaves the line.
func (l *Line) stand(ctx context.Context, w *waiter, s *Slot) error {
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

// turn lets w leave with s if it may, and else tells how long to wait before asking again; zero: until woken.
func (l *Line) turn(w *waiter, s *Slot) (left bool, wait time.Duration, err error) {
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
	if wait > 0 && !w.Latest.IsZero() && now.Add(wait).After(w.Latest) {
		l.quit(w)
		if until, why := l.shut(now); until.After(now) { // a probe is due, and something else holds it up
			return false, 0, &Refusal{Class: why.Class, Rule: why.Rule, Wait: until.Sub(now)}
		}
		return false, 0, ErrTooLate
	}
	return false, wait, nil
}

// tryLeave takes a slot, in s, if everything permits it now, and else tells after which time to ask again; zero: when woken.
func (l *Line) tryLeave(now time.Time, s *Slot) (left bool, wait time.Duration) {
	if l.concurrency > 0 && l.inFlight >= l.concurrency {
		return false, 0
	}
	at, ok := l.control.next(now, l.unanswered)
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
	*s = Slot{line: l, sent: now, before: l.left, open: true}
	for _, b := range l.buckets {
		b.leave(now, l.unanswered)
	}
	for _, w := range l.windows {
		w.leave(now)
	}
	l.control.leave(now)
	l.left = now
	l.unanswered++
	l.inFlight++
	if probe {
		s.becomeProbe(now)
	}
	return true, 0
}

// join puts w into the line, behind all older calls. A new call is newer than nearly all that wait, a retry older than most.
func (l *Line) join(w *waiter) {
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
func (l *Line) quit(w *waiter) {
	l.queue.Remove(w.place)
	l.wakeHead()
}

func (l *Line) wakeHead() {
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

// Stats tells how many attempts stand in line and how many are in flight, and the pace.
func (l *Line) Stats() (waiting, inFlight int, perSecond float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.queue.Len(), l.inFlight, l.control.rate(time.Now())
}
