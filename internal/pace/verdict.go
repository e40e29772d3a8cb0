package pace

import (
	"cmp"
	"math"
	"math/rand/v2"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/waits"
)

// An Observation is what an answer tells besides its verdict.
type Observation struct {
	Date     time.Time // the server's clock; zero: not told
	Readings []Reading
}

// Accepted says that the answer came and was no throttle.
func (s *Slot) Accepted(seen Observation) {
	s.line.mu.Lock()
	defer s.line.mu.Unlock()
	if s.tests() {
		s.line.control.reopen(s.Now())
	}
	now := s.answered(seen)
	s.line.control.accepted(s.sent, now)
	s.judged(now)
	s.line.wakeRefused(now)
}

// Failed says that no answer came, or one that tells nothing about the limits.
func (s *Slot) Failed(seen Observation) {
	s.line.mu.Lock()
	defer s.line.mu.Unlock()
	now := s.answered(seen)
	s.line.control.failed(s.sent, now)
	s.giveProbeBack()
	s.line.followGate(now)
	s.line.wakeRefused(now)
}

// Throttled says that the answer was a throttle. It returns for how long the gate is closed now.
func (s *Slot) Throttled(t Throttle, seen Observation) time.Duration {
	l := s.line
	l.mu.Lock()
	defer l.mu.Unlock()
	if t.Told {
		seen.Readings = nil // the wait that was told wins over the reset of a quota
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
func (s *Slot) close(t Throttle, now time.Time) {
	l := s.line
	before := l.control.gate()
	switch {
	case t.Class == Concurrency:
		l.control.failed(s.sent, now)
		l.control.tooMany(now, l.unanswered+1)
	case t.Class == Exhausted && t.Wait == 0 && !t.Told:
		l.control.failed(s.sent, now)
		l.control.close(now.Add(l.longest + time.Second)) // nobody waits for an end that nobody knows
	default:
		if s.tests() {
			if !t.Told { // nothing new: the gate stays closed for as long as it is
				l.control.refused(s.sent, now, 0, false)
				break
			}
			l.control.giveWay(now)
			l.control.quotas.dropUsedUp(now, 0)
		}
		l.control.refused(s.sent, now, jittered(t.Wait), t.Told || t.Wait > 0)
	}
	if !l.control.gate().Equal(before) {
		l.closed = t
	}
}

// tests reports whether s is a probe of the gate as it is closed now.
func (s *Slot) tests() bool { return s.probe && s.line.probes.concerns(s.sent) }

// judged ends a probe with a verdict, and follows what became of the gate.
func (s *Slot) judged(now time.Time) {
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
func (s *Slot) answered(seen Observation) time.Time {
	l, now := s.line, s.Now()
	s.open = false
	if !s.probe {
		l.followGate(now) // it may have opened long ago, with nobody there to see it
	}
	if !seen.Date.IsZero() {
		l.clock.observe(seen.Date, s.sent, now)
	}
	for _, b := range l.buckets {
		b.answered(s.sent, now, l.quickest)
	}
	for _, w := range l.windows {
		w.answered(s.sent, now)
	}
	l.quickest = min(now.Sub(s.sent), cmp.Or(l.quickest, math.MaxInt64))
	l.unanswered--
	for _, r := range seen.Readings {
		if q, ok := l.remaining(r, now); ok {
			l.control.quota(now, q)
		}
	}
	return now
}

// A Reading is what an answer tells to be left of one quota.
type Reading struct {
	Name      string // the same for the same quota in every answer
	Remaining int64
	Reset     time.Duration // from the answer until the quota is renewed
	Renewed   time.Time     // the same by the server's clock, where it was told so; zero: it was not
}

// remaining is a reading as the controller wants it. One that does not tell when the quota is renewed, or a time beyond reason, stops
// nobody. A time is
// better known by the server's clock as many answers tell it than by the Date of one, which is cut to a second.
func (l *Line) remaining(r Reading, now time.Time) (quotaReading, bool) {
	renewed := now.Add(r.Reset)
	if !r.Renewed.IsZero() {
		renewed = l.clock.local(r.Renewed)
	}
	believed := renewed.After(now) && renewed.Sub(now) <= waits.Longest
	return quotaReading{name: r.Name, remaining: r.Remaining, reset: renewed}, believed
}
