package pace

import "time"

// A Slot is the right to make one attempt. Line.Enter fills it. It ends in GiveBack where nothing was sent; otherwise in one verdict,
// Accepted, Throttled or Failed, and in Release. It has no lock of its own: the methods that change anything take that of the line.
type Slot struct {
	line     *Line // nil: nothing was taken yet
	sent     time.Time
	before   time.Time     // when the previous attempt left
	waited   time.Duration // for it
	open     bool          // no verdict yet, and not given back
	released bool
	probe    bool // it passed the closed gate and has no verdict yet
}

// Sent is when the attempt left the queue.
func (s *Slot) Sent() time.Time { return s.sent }

// Waited is how long it waited there.
func (s *Slot) Waited() time.Duration { return s.waited }

// IsProbe reports whether the attempt passed the closed gate and has no verdict yet.
func (s *Slot) IsProbe() bool { return s.probe }

// Now is time.Now at half the cost: it reads only the monotonic clock.
func (s *Slot) Now() time.Time { return s.sent.Add(time.Since(s.sent)) }

// GiveBack ends a slot that was not used. It does nothing after a verdict, a second time, or where nothing was taken.
func (s *Slot) GiveBack() {
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
	l.control.giveBack()
	s.giveProbeBack()
	l.wakeHead()
}

// becomeProbe lets s pass the closed gate, and nobody else until it has a verdict.
func (s *Slot) becomeProbe(now time.Time) {
	s.probe = true
	s.line.probes.leave()
	s.line.wakeImpatient(now)
}

// giveProbeBack lets another attempt be the probe that s was.
func (s *Slot) giveProbeBack() {
	if s.probe {
		s.probe = false
		s.line.probes.giveBack()
	}
}

// Release says that the response is read to its end or closed. Only the first call counts.
func (s *Slot) Release() {
	s.line.mu.Lock()
	defer s.line.mu.Unlock()
	if !s.released {
		s.released = true
		s.line.inFlight--
		s.line.wakeHead()
	}
}
