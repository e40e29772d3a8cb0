package pace

import (
	"slices"
	"time"
)

const (
	// startInFlight is how many requests more than were answered may fly before the first refusal. From there the
	// number doubles with every round trip: a burst of 10 is found with 8 refusals rather than with as many as there
	// are workers.
	startInFlight = 2

	// startPatience is how long a slow start waits for an answer before twice as many may fly. An API that holds answers
	// back for long, or for ever, is not held back with them.
	startPatience = 200 * time.Millisecond

	// firstGuess is the wait after a refusal that tells none, while the rate is unknown.
	firstGuess = 100 * time.Millisecond

	// longestGuess bounds every wait that nobody told.
	longestGuess = time.Minute

	// From secondsRow refusals in a row on, a wait that nobody told ends on a whole second, since the windows of
	// servers do, and from patientRow on it doubles, lest a window of an hour is asked every second.
	secondsRow = 3
	patientRow = 10
)

// pace decides when the next attempt may leave towards an API that does not tell its limits. It is arithmetic over the
// times and answers that it is given; time does not run backwards, but may stand still.
//
// While nothing was ever refused there is no pacing, only a slow start: no more than two requests plus one for each
// answer so far may fly, and twice as many whenever no answer comes for a while. That delays the first calls of a client
// and nobody later: 32 workers are all at work after four round trips, or a second at most.
//
// A refusal closes the gate for all, as long as it asks for or, where it does not tell, for a guess that grows with the
// refusals in a row. Refusals of requests that were sent before the gate opened last are echoes: they may close it for
// longer but teach nothing. When it opens, the twin, a copy of the server's bucket, learns from the episode once and
// paces what follows. A request refused right after the gate opened says that the wait was too short, not that the rate
// was wrong; then the gate opens for one request at first and for two more with each that is accepted, up to a burst.
//
// A fixed pace has no twin: the gate opens with that slow start every time, and nothing else holds anybody up.
//
// A pace is not safe for concurrent use: the line calls it under its lock.
type controller struct {
	fixed    bool
	reserve  int64
	model    bucketModel
	quotas   quotas
	doubted  []string // quotas that were told to be used up while the API served a probe
	inFlight inFlightLimit

	base time.Time // what the twin's seconds count from

	until   time.Time // the gate is closed until then
	closed  bool      // the gate has not opened since it closed last
	opened  time.Time // when it opened last; zero: never closed
	began   time.Time // when the refusal came that closed it
	pending bool      // that refusal has not been learnt from
	row     int       // refusals since the last acceptance, echoes not counted

	left    time.Time // when the last attempt left
	lead    int       // how many may fly beyond those accepted since the gate opened, while the start is slow
	flowing int       // accepted since the gate opened
	slow    int       // how many are still to leave slowly; negative: no end
}

// noEnd is a slow start that lasts until the gate closes again.
const noEnd = -1

// newPace gives a pace for a new client. A fixed one only obeys the gate and the quotas, of which reserve is left over.
func newController(fixed bool, reserve int) *controller {
	p := &controller{fixed: fixed, reserve: int64(reserve)}
	if !fixed {
		p.lead, p.slow = startInFlight, noEnd
	}
	return p
}

// gate is when the gate opens or opened. Zero: it was never closed.
func (p *controller) gate() time.Time { return p.until }

// close closes the gate until then, if it is not closed for longer. Nothing is learnt from it.
func (p *controller) close(until time.Time) {
	if until.After(p.until) {
		p.until = until
		p.closed = true
	}
}

// reopen opens the gate before its time, since the API served an attempt that left all the same.
func (p *controller) reopen(now time.Time) {
	p.giveWay(now)
	p.doubted = append(p.doubted, p.quotas.dropUsedUp(now, -p.reserve)...)
	p.doubted = p.doubted[max(0, len(p.doubted)-maxQuotas):]
	p.quotas.dropUsedUp(now, 0)
}

// giveWay ends what the gate is closed for, of which an answer told anew.
func (p *controller) giveWay(now time.Time) {
	if p.until.After(now) {
		p.until = now
	}
}

// next tells when the head of the line may leave: at a time, which is now or past if it may leave at once, or, if ok is
// false, not before another answer has arrived. inflight counts the attempts that left and are not yet answered. The
// time holds until the next call of any other method.
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

// nextSlowly is when the next may leave in a slow start.
func (p *controller) nextSlowly(now time.Time, inflight int) time.Time {
	if inflight < p.lead+p.flowing {
		return now
	}
	if at := p.left.Add(startPatience); now.Before(at) {
		return at
	}
	p.lead = max(2*p.lead, inflight-p.flowing+1)
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

// accepted takes in an answer that is not a throttle.
func (p *controller) accepted(sent, now time.Time) {
	p.inFlight.accepted()
	if !p.fixed {
		p.model.remember(p.middle(sent, now))
	}
	if p.pending || sent.Before(p.opened) {
		return
	}
	p.row = 0
	p.flowing++
	if p.slow == 0 {
		p.model.climb()
	}
}

// refused takes in a throttle that closes the gate, and the wait that it told, which is obeyed in full. No wait at all
// is believed once.
func (p *controller) refused(sent, now time.Time, wait time.Duration, told bool) {
	if !p.pending && !sent.Before(p.opened) {
		p.pending = true
		p.began = now
		p.row++
		if p.row == 1 {
			p.model.refusal = p.middle(sent, now)
		}
	}
	if !told || wait <= 0 && p.row > 1 {
		wait = p.guess(now)
	}
	p.closed = true
	p.doubted = nil
	p.close(now.Add(wait))
}

// guess is the wait after a refusal that tells none: the time of one token, twice that, and then up to whole seconds.
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

// failed takes in that an attempt got no answer. Whether the server counted it is not known, so that its token stays
// taken and nothing is learnt.
func (p *controller) failed(sent, now time.Time) {}

// crowded takes in a refusal because too many requests were in flight: inflight, with the refused one.
func (p *controller) tooMany(_ time.Time, inflight int) { p.inFlight.refused(inflight) }

// quota takes in what an answer told to be left of a quota. One that served a probe while it was told to be used up is not
// believed in that until it tells that something is left, or the API refuses.
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
// overflows, or it is a window, the twin's rate only says how fast a burst may come.
func (p *controller) rate(time.Time) float64 {
	if p.model.costly {
		return 0
	}
	return p.model.rate
}

// open opens the gate, and lets the twin learn why it was closed. If it was closed for another reason than a refusal, a
// twin that knows the API goes on as before.
func (p *controller) open(now time.Time, inflight int) {
	learn := p.pending && !p.fixed
	p.closed, p.pending = false, false
	if !learn && p.model.refused {
		return
	}
	p.opened = now
	p.flowing, p.lead = 0, 1
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

// seconds is t as the twin counts.
func (p *controller) seconds(t time.Time) float64 {
	if p.base.IsZero() {
		p.base = t
	}
	return t.Sub(p.base).Seconds()
}

// middle is when the server is likely to have judged the request.
func (p *controller) middle(sent, now time.Time) float64 {
	return (p.seconds(sent) + p.seconds(now)) / 2
}
