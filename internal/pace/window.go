package pace

import (
	"math"
	"slices"
	"time"
)

const (
	// windowGrain bounds the memory of a window: if it admits more requests than this, the responses within one of so many parts of
	// it count as if all had come at the end of that part.
	windowGrain = 1000

	// slidePeriods is for how many periods a window slides after a throttle: where the server does not keep its limit by the clock,
	// following the clock costs one throttle in so many periods.
	slidePeriods = 20
)

// window is a Limit without a burst: never more than so many requests in any time of length per. Each counts from leaving until its
// response arrived, plus per, since it is not known when the server counted it.
//
// With a clock, and as soon as that knows the server's time well enough, the limit is kept for each period of the server's clock
// instead, as most servers keep it: up to twice as many may then leave around the end of a period. A request counts in each period
// in which the server may have seen it. A throttle all the same says that this server does not count so, or that others use the
// same limit, and then the window slides for a while.
//
// A window is not safe for concurrent use: the Line calls it under its lock.
type window struct {
	requests int
	per      time.Duration
	clock    *serverClock // nil: the window always slides

	inflight int
	slots    []windowSlot // ended, and counted until their time plus per; ascending
	used     int          // the sum of slots
	periods  []windowSlot // ended, by the periods of the server's clock in which they may have counted; ascending
	slides   time.Time    // the window slides until then
}

// windowSlot counts requests at a time.
type windowSlot struct {
	at    time.Time
	count int
}

// newWindow returns a window of so many requests. clock is that of the server, which observes every response before answered; nil
// lets the window slide always.
func newWindow(requests int, per time.Duration, clock *serverClock) *window {
	return &window{requests: requests, per: per, clock: clock}
}

// next returns when the head of the queue may leave. If ok is false, it may not before another response.
func (w *window) next(now time.Time) (at time.Time, ok bool) {
	if w.inflight >= w.requests {
		return now, false
	}
	if lo, hi, ok := w.offset(); ok && hi-lo <= w.per/2 && !now.Before(w.slides) {
		return w.nextPeriod(now, lo, hi), true
	}
	w.forget(now)
	if w.inflight+w.used < w.requests {
		return now, true
	}
	return w.slots[0].at.Add(w.per), true
}

// nextPeriod returns when there is room in all periods in which the server's clock, lo to hi ahead of ours, may be.
func (w *window) nextPeriod(now time.Time, lo, hi time.Duration) time.Time {
	at, last := now, now.Add(hi)
	for _, p := range w.periods {
		end := p.at.Add(w.per).Add(resetMargin - lo)
		if !p.at.After(last) && end.After(at) && w.inflight+p.count >= w.requests {
			at = end
		}
	}
	return at
}

// leave counts a request that leaves.
func (w *window) leave() { w.inflight++ }

// giveBack takes back one that was not sent.
func (w *window) giveBack() { w.inflight-- }

// answered takes in that a request has ended, with a response or without.
func (w *window) answered(sent, now time.Time) {
	w.inflight--
	w.forget(now)
	at := now
	if w.requests > windowGrain {
		at = roundedUp(now, w.per/windowGrain)
	}
	w.slots = counted(w.slots, at)
	w.used++
	lo, hi, ok := w.offset()
	if !ok || (hi-lo)/2 > w.per {
		return
	}
	seen := now.Add(lo - resetMargin) // what is over by then need not be counted any more
	if early := sent.Add(lo); early.After(seen) {
		seen = early
	}
	for at := seen.Truncate(w.per); !at.After(now.Add(hi)); at = at.Add(w.per) {
		w.periods = counted(w.periods, at)
	}
}

// throttled takes in that the server throttled a request that the window let leave.
func (w *window) throttled(now time.Time) {
	w.slides = now.Add(slidePeriods * min(w.per, math.MaxInt64/slidePeriods))
}

// forget drops what counts no longer.
func (w *window) forget(now time.Time) {
	n := 0
	for n < len(w.slots) && !w.slots[n].at.Add(w.per).After(now) {
		w.used -= w.slots[n].count
		n++
	}
	w.slots = slices.Delete(w.slots, 0, n)
	if lo, _, ok := w.offset(); ok {
		oldest := now.Add(lo - resetMargin).Truncate(w.per)
		w.periods = slices.DeleteFunc(w.periods, func(p windowSlot) bool { return p.at.Before(oldest) })
	}
}

// offset returns by how much the server's clock is ahead, if the limit is kept by it.
func (w *window) offset() (lo, hi time.Duration, ok bool) {
	if w.clock == nil {
		return 0, 0, false
	}
	return w.clock.trusted()
}

// counted is slots with one more at this time.
func counted(slots []windowSlot, at time.Time) []windowSlot {
	i, ok := slices.BinarySearchFunc(slots, at, func(s windowSlot, at time.Time) int { return s.at.Compare(at) })
	if !ok {
		slots = slices.Insert(slots, i, windowSlot{at: at})
	}
	slots[i].count++
	return slots
}

// roundedUp is the first multiple of unit that is not before t.
func roundedUp(t time.Time, unit time.Duration) time.Time {
	if cut := t.Truncate(unit); cut.Before(t) {
		return cut.Add(unit)
	}
	return t
}
