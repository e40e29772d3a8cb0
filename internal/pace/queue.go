package pace

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// A Line is the queue of all attempts at one endpoint, and what limits their pace. Waiters leave in the order of their calls' numbers.
// Only the head asks when it may leave. It waits in its own goroutine, and whoever changes something wakes it; no lock is held over
// a wait.
//
// A Line is safe for concurrent use.
type Line struct {
	interval    time.Duration
	concurrency int           // zero: no limit
	longest     time.Duration // MaxWait and its jitter; zero: no bound

	mu         sync.Mutex
	queue      list.List // of *waiter, by seq
	control    *controller
	probes     gateProbes
	buckets    []*tokenBucket
	windows    []*window
	clock      serverClock   // which windows and resets of quotas follow
	quickest   time.Duration // the shortest time to a response; zero: none came
	left       time.Time     // when the last attempt left
	unanswered int           // attempts without a verdict
	inFlight   int           // attempts that are not released
	closed     Throttle      // what closed the gate last
}

// A waiter is an attempt in the queue.
type waiter struct {
	seq uint64
	Patience
	wake  chan struct{} // has room for one: something changed, or the waiter became the head
	place *list.Element
}

// New returns a Line that keeps to these settings.
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

// MaxWait is Settings.MaxWait with the jitter that is added to a wait: what to give as Patience.Gate. Zero: no bound.
func (l *Line) MaxWait() time.Duration { return l.longest }

// Enter waits until the attempt of call seq may leave, and fills s for it. The error is a *Refusal, ErrTooLate, or that of ctx; then
// nothing was taken.
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
	return l.wait(ctx, w, s)
}

// wait waits in the queue as w, which is not in it afterwards, whatever comes of it.
func (l *Line) wait(ctx context.Context, w *waiter, s *Slot) error {
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

// turn lets w leave with s if it may; otherwise wait is how long to wait before asking again, and zero means until woken.
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
		if until, why := l.shut(now); until.After(now) { // a probe is due, but something else delays it
			return false, 0, &Refusal{Class: why.Class, Rule: why.Rule, Wait: until.Sub(now)}
		}
		return false, 0, ErrTooLate
	}
	return false, wait, nil
}

// tryLeave fills s if everything permits it now; otherwise wait is how long to wait before asking again, and zero means until woken.
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
		w.leave()
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

// join puts w into the queue, behind all older calls. It searches from the end that is nearer: a new call is newer than nearly all
// that wait, a retry older than most.
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

// quit takes w out of the queue and wakes the head, which may be another one now.
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

// Stats returns how many attempts wait in the queue and how many are in flight, and the estimate of what the API admits per second;
// zero: not known.
func (l *Line) Stats() (waiting, inFlight int, perSecond float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.queue.Len(), l.inFlight, l.control.rate()
}
