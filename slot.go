package jwtbearer

import (
	"cmp"
	"math"
	"math/rand/v2"
	"time"
)

// A slot is the right to make one attempt. It ends in giveBack, where nothing was sent, or in one of accepted, refused and
// failed, and then in release.
type slot struct {
	line     *line // nil: it was not taken yet
	sent     time.Time
	before   time.Time     // when the attempt before this one left
	waited   time.Duration // for it
	open     bool          // neither an answer came nor was it given back
	released bool
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
	l.wakeHead()
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
	now := s.answered(seen)
	s.line.pace.accepted(s.sent, now)
	s.line.wakeRefused(now)
}

// failed says that no answer came, or one that tells nothing about the limits.
func (s *slot) failed(seen sighting) {
	s.line.mu.Lock()
	defer s.line.mu.Unlock()
	now := s.answered(seen)
	s.line.pace.failed(s.sent, now)
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
	switch {
	case t.class == classConcurrency:
		l.pace.failed(s.sent, now)
		l.pace.crowded(now, l.unanswered+1)
	case t.class == classExhausted && t.wait == 0 && !t.told:
		l.pace.failed(s.sent, now)
		l.pace.close(now.Add(l.maxWait + time.Second)) // nobody waits for an end that nobody knows
	default:
		l.pace.refused(s.sent, now, jittered(t.wait), t.told || t.wait > 0)
	}
	l.closed = t
	l.wakeRefused(now)
	until, _ := l.shut(now)
	return max(0, until.Sub(now))
}

// jittered adds a little to a wait, so that the clients of one API do not come back at the same moment.
func jittered(wait time.Duration) time.Duration {
	if most := spread(wait); most > 0 {
		wait += rand.N(most)
	}
	return wait
}

// spread is the most that jittered adds.
func spread(wait time.Duration) time.Duration { return min(wait/100, 250*time.Millisecond) }

// answered takes note of an answer, with the line's lock held.
func (s *slot) answered(seen sighting) time.Time {
	l, now := s.line, clockFrom(s.sent)
	s.open = false
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

// remaining is a reading as the pace wants it. One that does not tell when the quota is renewed stops nobody. A time is
// better known by the server's clock as many answers tell it than by the Date of one, which is cut to a second.
func (l *line) remaining(r reading, now time.Time) (quotaReading, bool) {
	renewed := now.Add(r.window)
	switch {
	case !r.renewed.IsZero():
		renewed = l.clock.local(r.renewed)
	case r.hasReset:
		renewed = now.Add(r.reset)
	}
	return quotaReading{name: r.name, remaining: r.remaining, reset: renewed}, r.hasRemaining && renewed.After(now)
}

// release says that the body of the answer is at its end. Only the first call counts.
func (s *slot) release() {
	s.line.mu.Lock()
	defer s.line.mu.Unlock()
	if !s.released {
		s.released = true
		s.line.inFlight--
		s.line.wakeHead()
	}
}
