package jwtbearer

import (
	"cmp"
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
type pace struct {
	fixed   bool
	reserve int64
	twin    twin
	quotas  quotas
	doubted []string // quotas that were told to be used up while the API served a probe
	crowd   limitInFlight

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
func newPace(fixed bool, reserve int) *pace {
	p := &pace{fixed: fixed, reserve: int64(reserve)}
	if !fixed {
		p.lead, p.slow = startInFlight, noEnd
	}
	return p
}

// gate is when the gate opens or opened. Zero: it was never closed.
func (p *pace) gate() time.Time { return p.until }

// close closes the gate until then, if it is not closed for longer. Nothing is learnt from it.
func (p *pace) close(until time.Time) {
	if until.After(p.until) {
		p.until = until
		p.closed = true
	}
}

// reopen opens the gate before its time, since the API served an attempt that left all the same.
func (p *pace) reopen(now time.Time) {
	p.giveWay(now)
	p.doubted = append(p.doubted, p.quotas.dropUsedUp(now, -p.reserve)...)
	p.doubted = p.doubted[max(0, len(p.doubted)-maxQuotas):]
	p.quotas.dropUsedUp(now, 0)
}

// giveWay ends what the gate is closed for, of which an answer told anew.
func (p *pace) giveWay(now time.Time) {
	if p.until.After(now) {
		p.until = now
	}
}

// next tells when the head of the line may leave: at a time, which is now or past if it may leave at once, or, if ok is
// false, not before another answer has arrived. inflight counts the attempts that left and are not yet answered. The
// time holds until the next call of any other method.
func (p *pace) next(now time.Time, inflight int) (at time.Time, ok bool) {
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
	case p.crowd.full(inflight):
		return now, false
	case p.slow != 0:
		return p.nextSlowly(now, inflight), true
	case p.fixed:
		return now, true
	}
	return now.Add(p.twin.delay(p.seconds(now))), true
}

// nextSlowly is when the next may leave in a slow start.
func (p *pace) nextSlowly(now time.Time, inflight int) time.Time {
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
func (p *pace) leave(now time.Time) {
	p.left = now
	p.twin.take(p.seconds(now))
	if p.slow > 0 {
		p.slow--
	}
}

// giveBack takes back an attempt that did not leave after all.
func (p *pace) giveBack() {
	p.twin.tokens++
	if p.slow > 0 {
		p.slow++
	}
}

// accepted takes in an answer that is not a throttle.
func (p *pace) accepted(sent, now time.Time) {
	p.crowd.accepted()
	if !p.fixed {
		p.twin.remember(p.middle(sent, now))
	}
	if p.pending || sent.Before(p.opened) {
		return
	}
	p.row = 0
	p.flowing++
	if p.slow == 0 {
		p.twin.climb()
	}
}

// refused takes in a throttle that closes the gate, and the wait that it told, which is obeyed in full. No wait at all
// is believed once.
func (p *pace) refused(sent, now time.Time, wait time.Duration, told bool) {
	if !p.pending && !sent.Before(p.opened) {
		p.pending = true
		p.began = now
		p.row++
		if p.row == 1 {
			p.twin.refusal = p.middle(sent, now)
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
func (p *pace) guess(now time.Time) time.Duration {
	wait := firstGuess
	if p.twin.rate > 0 {
		wait = duration(1 / p.twin.rate)
	}
	if p.row < secondsRow {
		return min(wait<<max(0, p.row-1), longestGuess)
	}
	wait = min(max(wait, time.Second<<min(max(0, p.row-patientRow), 8)), longestGuess)
	return now.Add(wait).Truncate(time.Second).Sub(now)
}

// failed takes in that an attempt got no answer. Whether the server counted it is not known, so that its token stays
// taken and nothing is learnt.
func (p *pace) failed(sent, now time.Time) {}

// crowded takes in a refusal because too many requests were in flight: inflight, with the refused one.
func (p *pace) crowded(_ time.Time, inflight int) { p.crowd.refused(inflight) }

// quota takes in what an answer told to be left of a quota. One that served a probe while it was told to be used up is not
// believed in that until it tells that something is left, or the API refuses.
func (p *pace) quota(now time.Time, r quotaReading) {
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
func (p *pace) rate(time.Time) float64 {
	if p.twin.dear {
		return 0
	}
	return p.twin.rate
}

// open opens the gate, and lets the twin learn why it was closed. If it was closed for another reason than a refusal, a
// twin that knows the API goes on as before.
func (p *pace) open(now time.Time, inflight int) {
	learn := p.pending && !p.fixed
	p.closed, p.pending = false, false
	if !learn && p.twin.refused {
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
		p.twin.learn(now.Sub(p.began).Seconds())
	default:
		p.slow = int(p.twin.burst)
	}
	p.twin.resume(p.seconds(now), inflight)
}

// seconds is t as the twin counts.
func (p *pace) seconds(t time.Time) float64 {
	if p.base.IsZero() {
		p.base = t
	}
	return t.Sub(p.base).Seconds()
}

// middle is when the server is likely to have judged the request.
func (p *pace) middle(sent, now time.Time) float64 { return (p.seconds(sent) + p.seconds(now)) / 2 }

// quotaReading is what an answer tells to be left of a quota.
type quotaReading struct {
	name      string    // tells the quotas of one API apart
	remaining int64     // how many requests
	reset     time.Time // when it is renewed, by our clock
}

const (
	// resetMargin is how long after its reset a quota counts as renewed: the server's timer may be a little late.
	resetMargin = 2 * time.Millisecond

	// A reset that is told this much earlier than before is not rounding: the server corrects itself.
	resetJitter = 2 * time.Second

	// maxQuotas bounds the names that are remembered.
	maxQuotas = 16
)

// quotas keeps, for each quota, the least that was told to be left before its reset. Answers overtake each other, so
// that the last to come need not be the last word, and whoever is in flight may be counted already or not; they are
// taken off all the same. Nothing is held up before nothing is left.
//
// A server that describes a bucket in these terms, with its reset rounded up to a whole second, looks exactly like a
// window of a second and is treated as one. Nothing but sending too early could tell them apart.
type quotas []quotaReading

// read takes in a reading. One of a reset that is over tells nothing.
func (q *quotas) read(now time.Time, r quotaReading) {
	if !r.reset.After(now) {
		return
	}
	i := slices.IndexFunc(*q, func(known quotaReading) bool { return known.name == r.name })
	if i < 0 {
		q.add(now, r)
		return
	}
	known := &(*q)[i]
	if r.reset.After(known.reset) || r.reset.Before(known.reset.Add(-resetJitter)) {
		*known = r
	}
	known.remaining = min(known.remaining, r.remaining)
}

// add remembers a further quota in the place of those that are over or, if there are too many, of the one that is
// renewed first.
func (q *quotas) add(now time.Time, r quotaReading) {
	*q = slices.DeleteFunc(*q, func(known quotaReading) bool { return !known.reset.After(now) })
	if len(*q) >= maxQuotas {
		slices.SortFunc(*q, func(a, b quotaReading) int { return a.reset.Compare(b.reset) })
		*q = slices.Delete(*q, 0, 1)
	}
	*q = append(*q, r)
}

// usedUp is when something is left of every quota, and the name of the one that is renewed last. Zero: something is now.
func (q quotas) usedUp(now time.Time, inflight int) (renewed time.Time, name string) {
	for _, known := range q {
		at := known.reset.Add(resetMargin)
		if known.remaining <= int64(inflight) && at.After(now) && at.After(renewed) {
			renewed, name = at, known.name
		}
	}
	return renewed, name
}

// dropUsedUp forgets the quotas of which no more than least is left, and returns their names.
func (q *quotas) dropUsedUp(now time.Time, least int64) (names []string) {
	*q = slices.DeleteFunc(*q, func(known quotaReading) bool {
		used := known.remaining <= least && known.reset.After(now)
		if used {
			names = append(names, known.name)
		}
		return used
	})
	return names
}

// crowdRecovery is how many answers it takes to let one more request fly: at most 2 % of them are then refused.
const crowdRecovery = 50

// limitInFlight limits the number of requests in flight where an API refuses for that: by one less at each refusal, and one
// more after every crowdRecovery answers. Zero is no limit.
type limitInFlight struct {
	limit    int
	answered int // since the limit changed last
}

func (c *limitInFlight) full(inflight int) bool { return c.limit > 0 && inflight >= c.limit }

// refused takes in that so many were too many.
func (c *limitInFlight) refused(inflight int) {
	c.limit = max(1, min(inflight, cmp.Or(c.limit, inflight))-1)
	c.answered = 0
}

func (c *limitInFlight) accepted() {
	if c.answered++; c.limit > 0 && c.answered >= crowdRecovery {
		c.limit++
		c.answered = 0
	}
}
