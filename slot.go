package jwtbearer

import (
	"cmp"
	"math"
	"math/rand/v2"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/waits"
)

// A slot is the right to make one attempt. It ends in giveBack, where nothing was sent, or in one of accepted, refused and
// failed, and then in Release.
type slot struct {
	line     *line // nil: it was not taken yet
	sent     time.Time
	before   time.Time     // when the attempt before this one left
	waited   time.Duration // for it
	open     bool          // neither an answer came nor was it given back
	released bool
	probe    bool // it left through a closed gate
}

// giveBack ends a slot of which no use was made, if it is open.
func (s *slot) giveBack() {
	l := s.line
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !s.open {
		return
	}
	s.open = false
	now := time.Now()
	for _, b := range l.buckets {
		b.giveBack(now)
	}
	for _, w := range l.windows {
		w.giveBack()
	}
	if l.left.Equal(s.sent) {
		l.left = s.before
	}
	l.unanswered--
	if !s.released {
		s.released = true
		l.inFlight--
	}
	l.pace.giveBack()
	s.giveProbeBack()
	l.wakeHead()
}

// becomeProbe lets s pass the closed gate, and nobody else before it is answered.
func (s *slot) becomeProbe(now time.Time) {
	s.probe = true
	s.line.probes.leave()
	s.line.wakeRefused(now)
}

// giveProbeBack lets another attempt be the probe that s was.
func (s *slot) giveProbeBack() {
	if s.probe {
		s.probe = false
		s.line.probes.giveBack()
	}
}

// A sighting is what an answer tells besides its verdict.
type sighting struct {
	date     time.Time // the server's clock; zero: not told
	readings []reading
}

// accepted says that the answer came and was no throttle.
func (s *slot) accepted(seen sighting) {
	s.line.mu.Lock()
	defer s.line.mu.Unlock()
	if s.tests() {
		s.line.pace.reopen(clockFrom(s.sent))
	}
	now := s.answered(seen)
	s.line.pace.accepted(s.sent, now)
	s.judged(now)
	s.line.wakeRefused(now)
}

// failed says that no answer came, or one that tells nothing about the limits.
func (s *slot) failed(seen sighting) {
	s.line.mu.Lock()
	defer s.line.mu.Unlock()
	now := s.answered(seen)
	s.line.pace.failed(s.sent, now)
	s.giveProbeBack()
	s.line.followGate(now)
	s.line.wakeRefused(now)
}

// refused says that the answer was a throttle. It returns for how long the gate is closed now.
func (s *slot) refused(t throttle, seen sighting) time.Duration {
	l := s.line
	l.mu.Lock()
	defer l.mu.Unlock()
	if t.told {
		seen.readings = nil // the wait that was told wins over the reset of a quota
	}
	now := s.answered(seen)
	for _, w := range l.windows {
		w.refused(now)
	}
	s.close(t, now)
	s.judged(now)
	l.wakeRefused(now)
	until, _ := l.shut(now)
	return max(0, until.Sub(now))
}

// close closes the gate as a throttle asks. The wait that is told to a probe counts in the place of the one before.
func (s *slot) close(t throttle, now time.Time) {
	l := s.line
	before := l.pace.gate()
	switch {
	case t.class == classConcurrency:
		l.pace.failed(s.sent, now)
		l.pace.crowded(now, l.unanswered+1)
	case t.class == classExhausted && t.wait == 0 && !t.told:
		l.pace.failed(s.sent, now)
		l.pace.close(now.Add(l.maxWait + time.Second)) // nobody waits for an end that nobody knows
	default:
		if s.tests() {
			if !t.told { // nothing new: the gate stays closed for as long as it is
				l.pace.refused(s.sent, now, 0, false)
				break
			}
			l.pace.giveWay(now)
			l.pace.quotas.dropUsedUp(now, 0)
		}
		l.pace.refused(s.sent, now, jittered(t.wait), t.told || t.wait > 0)
	}
	if !l.pace.gate().Equal(before) {
		l.closed = t
	}
}

// tests reports whether s is a probe of the gate as it is closed now.
func (s *slot) tests() bool { return s.probe && s.line.probes.concerns(s.sent) }

// judged ends a probe with a verdict, and follows what became of the gate.
func (s *slot) judged(now time.Time) {
	if s.probe {
		s.probe = false
		s.line.probes.answered(s.sent, now)
	}
	s.line.followGate(now)
}

// jittered adds a little to a wait, so that the clients of one API do not come back at the same moment.
func jittered(wait time.Duration) time.Duration {
	if most := spread(wait); most > 0 {
		wait = waits.Add(wait, rand.N(most))
	}
	return wait
}

// spread is the most that jittered adds.
func spread(wait time.Duration) time.Duration { return min(wait/100, 250*time.Millisecond) }

// answered takes note of an answer, with the line's lock held.
func (s *slot) answered(seen sighting) time.Time {
	l, now := s.line, clockFrom(s.sent)
	s.open = false
	if !s.probe {
		l.followGate(now) // it may have opened long ago, with nobody there to see it
	}
	if !seen.date.IsZero() {
		l.clock.observe(seen.date, s.sent, now)
	}
	for _, b := range l.buckets {
		b.answered(s.sent, now, l.quickest)
	}
	for _, w := range l.windows {
		w.answered(s.sent, now)
	}
	l.quickest = min(now.Sub(s.sent), cmp.Or(l.quickest, math.MaxInt64))
	l.unanswered--
	for _, r := range seen.readings {
		if q, ok := l.remaining(r, now); ok {
			l.pace.quota(now, q)
		}
	}
	return now
}

// remaining is a reading as the pace wants it. One that does not tell when the quota is renewed, or a time beyond reason, stops
// nobody. A time is
// better known by the server's clock as many answers tell it than by the Date of one, which is cut to a second.
func (l *line) remaining(r reading, now time.Time) (quotaReading, bool) {
	renewed := now.Add(r.window)
	switch {
	case !r.renewed.IsZero():
		renewed = l.clock.local(r.renewed)
	case r.hasReset:
		renewed = now.Add(r.reset)
	}
	believed := r.hasRemaining && !r.absurd && renewed.After(now) && renewed.Sub(now) <= waits.Longest
	return quotaReading{name: r.name, remaining: r.remaining, reset: renewed}, believed
}

// Release says that the body of the answer is at its end. Only the first call counts.
func (s *slot) Release() {
	s.line.mu.Lock()
	defer s.line.mu.Unlock()
	if !s.released {
		s.released = true
		s.line.inFlight--
		s.line.wakeHead()
	}
}
