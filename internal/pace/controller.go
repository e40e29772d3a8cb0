package pace

import (
	"slices"
	"time"
)

const (
	// startInFlight is how many attempts may be in flight before the first response. One more for each response doubles that with
	// every round trip: a burst of 10 is found with 8 throttles rather than with as many as there are workers.
	startInFlight = 2

	// startPatience is how long a slow start waits for a response before it doubles the number all the same, so that an API that
	// responds late or never does not hold back the rest.
	startPatience = 200 * time.Millisecond

	// firstGuess is the wait after a throttle that gives none, while the rate is unknown.
	firstGuess = 100 * time.Millisecond

	// longestGuess bounds every wait that is guessed.
	longestGuess = time.Minute

	// From secondsRow throttles in a row on, a guessed wait ends on a whole second, as the windows of servers do, and from
	// patientRow on it doubles, so that a limit of an hour is not tried every second.
	secondsRow = 3
	patientRow = 10
)

// controller decides when the next attempt may leave for an API whose limits are not known; the package comment says how. It is
// arithmetic over the times and verdicts that it is given. Time must not run backwards, but may stand still.
//
// It is not safe for concurrent use: the Line calls it under its lock.
type controller struct {
	fixed    bool
	reserve  int64
	model    bucketModel
	quotas   quotas
	doubted  []string // quotas that were said to be used up while the API accepted a probe
	inFlight inFlightLimit

	base time.Time // from which the model counts seconds

	until   time.Time // the gate is closed until then
	closed  bool      // the gate has not opened since it closed last
	opened  time.Time // when it opened last; zero: never closed
	began   time.Time // when the throttle came that closed it
	pending bool      // the model has not learnt from that throttle
	row     int       // throttles since the last accepted attempt, without those sent before the gate opened last

	left   time.Time // when the last attempt left
	lead   int       // in a slow start, how many may be in flight beyond those that passed
	passed int       // accepted since the gate opened
	slow   int       // how many are still to leave in a slow start; noEnd: all until the gate closes
}

// noEnd is the length of a slow start that lasts until the gate closes again.
const noEnd = -1

// newController returns the controller of a new Line. A fixed one only obeys the gate and the quotas, of which reserve is left over.
func newController(fixed bool, reserve int) *controller {
	p := &controller{fixed: fixed, reserve: int64(reserve)}
	if !fixed {
		p.lead, p.slow = startInFlight, noEnd
	}
	return p
}

// gate returns when the gate opens or opened. Zero: it was never closed.
func (p *controller) gate() time.Time { return p.until }

// close closes the gate until then, unless it is closed for longer. The model learns nothing from it.
func (p *controller) close(until time.Time) {
	if until.After(p.until) {
		p.until = until
		p.closed = true
	}
}

// reopen opens the gate before its time, since the API accepted a probe.
func (p *controller) reopen(now time.Time) {
	p.giveWay(now)
	p.doubted = append(p.doubted, p.quotas.dropUsedUp(now, -p.reserve)...)
	p.doubted = p.doubted[max(0, len(p.doubted)-maxQuotas):]
	p.quotas.dropUsedUp(now, 0)
}

// giveWay ends the present closing, in favour of what the response to a probe says.
func (p *controller) giveWay(now time.Time) {
	if p.until.After(now) {
		p.until = now
	}
}

// next returns when the head of the queue may leave: now or a past time if it may leave at once. If ok is false, it may not before
// another response. inflight counts the attempts without a verdict. The time holds until the next call of any other method.
func (p *controller) next(now time.Time, inflight int) (at time.Time, ok bool) {
	if now.Before(p.until) {
		return p.until, true
	}
	if renewed, _ := p.quotas.usedUp(now, inflight); now.Before(renewed) {
		return renewed, true
	}
	if p.closed {
		p.open(now, inflight)
	}
	switch {
	case p.inFlight.full(inflight):
		return now, false
	case p.slow != 0:
		return p.nextSlowly(now, inflight), true
	case p.fixed:
		return now, true
	}
	return now.Add(p.model.delay(p.seconds(now))), true
}

// nextSlowly returns when the next attempt may leave in a slow start.
func (p *controller) nextSlowly(now time.Time, inflight int) time.Time {
	if inflight < p.lead+p.passed {
		return now
	}
	if at := p.left.Add(startPatience); now.Before(at) {
		return at
	}
	p.lead = max(2*p.lead, inflight-p.passed+1)
	return now
}

// leave counts an attempt that leaves.
func (p *controller) leave(now time.Time) {
	p.left = now
	p.model.take(p.seconds(now))
	if p.slow > 0 {
		p.slow--
	}
}

// giveBack takes back an attempt that did not leave after all.
func (p *controller) giveBack() {
	p.model.tokens++
	if p.slow > 0 {
		p.slow++
	}
}

// accepted takes in an attempt that was not throttled.
func (p *controller) accepted(sent, now time.Time) {
	p.inFlight.accepted()
	if !p.fixed {
		p.model.remember(p.middle(sent, now))
	}
	if p.pending || sent.Before(p.opened) {
		return
	}
	p.row = 0
	p.passed++
	if p.slow == 0 {
		p.model.climb()
	}
}

// throttled takes in a throttle that closes the gate. A wait that is told is obeyed in full; one of zero is believed once.
func (p *controller) throttled(sent, now time.Time, wait time.Duration, told bool) {
	if !p.pending && !sent.Before(p.opened) {
		p.pending = true
		p.began = now
		p.row++
		if p.row == 1 {
			p.model.throttledAt = p.middle(sent, now)
		}
	}
	if !told || wait <= 0 && p.row > 1 {
		wait = p.guess(now)
	}
	p.closed = true
	p.doubted = nil
	p.close(now.Add(wait))
}

// guess is the wait after a throttle that gives none: the time of one token, twice that, and then up to whole seconds.
func (p *controller) guess(now time.Time) time.Duration {
	wait := firstGuess
	if p.model.rate > 0 {
		wait = duration(1 / p.model.rate)
	}
	if p.row < secondsRow {
		return min(wait<<max(0, p.row-1), longestGuess)
	}
	wait = min(max(wait, time.Second<<min(max(0, p.row-patientRow), 8)), longestGuess)
	return now.Add(wait).Truncate(time.Second).Sub(now)
}

// tooMany takes in a throttle because too many requests were in flight: inflight, with the throttled one.
func (p *controller) tooMany(inflight int) { p.inFlight.lower(inflight) }

// quota takes in a reading. A quota that is said to be used up while the API accepts a probe is ignored until something is left of it,
// or the API throttles.
func (p *controller) quota(now time.Time, r quotaReading) {
	if i := slices.Index(p.doubted, r.name); i >= 0 {
		if r.remaining <= 0 {
			return
		}
		p.doubted = slices.Delete(p.doubted, i, i+1)
	}
	r.remaining -= p.reserve
	p.quotas.read(now, r)
}

// rate is the estimate of what the API admits per second. Zero: not known. Where the waits are so long that the server's bucket
// overflows, or it is a window, the model's rate only says how fast a burst may come.
func (p *controller) rate() float64 {
	if p.model.costly {
		return 0
	}
	return p.model.rate
}

// open opens the gate, and lets the model learn why it was closed. If that was no throttle, a model that knows the API goes on as
// before.
func (p *controller) open(now time.Time, inflight int) {
	learn := p.pending && !p.fixed
	p.closed, p.pending = false, false
	if !learn && p.model.throttled {
		return
	}
	p.opened = now
	p.passed, p.lead = 0, 1
	switch {
	case !learn:
		p.slow = noEnd
		return
	case p.row == 1:
		p.slow = 0
		p.model.learn(now.Sub(p.began).Seconds())
	default:
		p.slow = int(p.model.burst)
	}
	p.model.resume(p.seconds(now), inflight)
}

// seconds is t as the model counts.
func (p *controller) seconds(t time.Time) float64 {
	if p.base.IsZero() {
		p.base = t
	}
	return t.Sub(p.base).Seconds()
}

// middle is when the server is likely to have counted the request.
func (p *controller) middle(sent, now time.Time) float64 {
	return (p.seconds(sent) + p.seconds(now)) / 2
}
