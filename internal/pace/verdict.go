package pace

import (
	"cmp"
	"math"
	"math/rand/v2"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/waits"
)

// Accepted says that a response came and did not throttle.
func (s *Slot) Accepted(seen Observation) {
	s.line.mu.Lock()
	defer s.line.mu.Unlock()
	if s.tests() {
		s.line.control.reopen(s.Now())
	}
	now := s.answered(seen)
	s.line.control.accepted(s.sent, now)
	s.judged(now)
	s.line.wakeImpatient(now)
}

// Failed says that no response came, or one that says nothing about the limits. Nothing is learnt from it, and what the attempt
// took of the limits stays taken, since the server may have counted it.
func (s *Slot) Failed(seen Observation) {
	s.line.mu.Lock()
	defer s.line.mu.Unlock()
	now := s.answered(seen)
	s.giveProbeBack()
	s.line.followGate(now)
	s.line.wakeImpatient(now)
}

// Throttled says that a response came and throttled. It returns for how long the gate is closed now.
func (s *Slot) Throttled(t Throttle, seen Observation) time.Duration {
	l := s.line
	l.mu.Lock()
	defer l.mu.Unlock()
	if t.Told {
		seen.Readings = nil // the wait wins over the reset of a quota
	}
	now := s.answered(seen)
	for _, w := range l.windows {
		w.throttled(now)
	}
	s.close(t, now)
	s.judged(now)
	l.wakeImpatient(now)
	until, _ := l.shut(now)
	return max(0, until.Sub(now))
}

// close closes the gate as a throttle asks. The wait that a probe is given replaces the one before.
func (s *Slot) close(t Throttle, now time.Time) {
	l := s.line
	before := l.control.gate()
	switch {
	case t.Class == Concurrency:
		l.control.tooMany(l.unanswered + 1)
	case t.Class == Exhausted && t.Wait == 0 && !t.Told:
		l.control.close(now.Add(l.longest + time.Second)) // nobody waits for a reset that nobody knows
	default:
		if s.tests() {
			if !t.Told { // nothing new: the gate stays closed until the same time
				l.control.throttled(s.sent, now, 0, false)
				break
			}
			l.control.giveWay(now)
			l.control.quotas.dropUsedUp(now, 0)
		}
		l.control.throttled(s.sent, now, jittered(t.Wait), t.Told || t.Wait > 0)
	}
	if !l.control.gate().Equal(before) {
		l.closed = t
	}
}

// tests reports whether s is a probe of the gate as it is closed now.
func (s *Slot) tests() bool { return s.probe && s.line.probes.concerns(s.sent) }

// judged ends a probe that got a verdict, and notes until when the gate is closed now.
func (s *Slot) judged(now time.Time) {
	if s.probe {
		s.probe = false
		s.line.probes.answered(s.sent, now)
	}
	s.line.followGate(now)
}

// jittered adds up to spread to a wait, so that the clients of one API do not come back at the same moment.
func jittered(wait time.Duration) time.Duration {
	if most := spread(wait); most > 0 {
		wait = waits.Add(wait, rand.N(most))
	}
	return wait
}

// spread is the most that jittered adds.
func spread(wait time.Duration) time.Duration { return min(wait/100, 250*time.Millisecond) }

// answered notes that the attempt has ended and what the response said, with the lock held. It returns the time.
func (s *Slot) answered(seen Observation) time.Time {
	l, now := s.line, s.Now()
	s.open = false
	if !s.probe {
		l.followGate(now) // it may have opened long ago, while nobody waited
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

// remaining is a reading with its reset by our clock. One without a reset, or with one that is over or more than waits.Longest
// away, is ignored. A time by the server's clock is converted by all the Dates that were seen, since each is cut to a second.
func (l *Line) remaining(r Reading, now time.Time) (quotaReading, bool) {
	renewed := now.Add(r.Reset)
	if !r.Renewed.IsZero() {
		renewed = l.clock.local(r.Renewed)
	}
	believed := renewed.After(now) && renewed.Sub(now) <= waits.Longest
	return quotaReading{name: r.Name, remaining: r.Remaining, reset: renewed}, believed
}
