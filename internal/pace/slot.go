package pace

import "time"

// A slot is the right to make one attempt. It ends in giveBack, where nothing was sent, or in one of accepted, refused and
// failed, and then in release.
type Slot struct {
	line     *Line // nil: it was not taken yet
	sent     time.Time
	before   time.Time     // when the attempt before this one left
	waited   time.Duration // for it
	open     bool          // neither an answer came nor was it given back
	released bool
	probe    bool // it left through a closed gate
}

// Sent is when the attempt left the line.
func (s *Slot) Sent() time.Time { return s.sent }

// Waited is for how long it stood there.
func (s *Slot) Waited() time.Duration { return s.waited }

// IsProbe reports whether the attempt left through a closed gate and has no verdict yet.
func (s *Slot) IsProbe() bool { return s.probe }

// Now is the time, at half the price of time.Now.
func (s *Slot) Now() time.Time { return s.sent.Add(time.Since(s.sent)) }

// GiveBack ends a slot of which no use was made, if it is open.
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

// becomeProbe lets s pass the closed gate, and nobody else before it is answered.
func (s *Slot) becomeProbe(now time.Time) {
	s.probe = true
	s.line.probes.leave()
	s.line.wakeRefused(now)
}

// giveProbeBack lets another attempt be the probe that s was.
func (s *Slot) giveProbeBack() {
	if s.probe {
		s.probe = false
		s.line.probes.giveBack()
	}
}

// Release says that the body of the answer is at its end. Only the first call counts.
func (s *Slot) Release() {
	s.line.mu.Lock()
	defer s.line.mu.Unlock()
	if !s.released {
		s.released = true
		s.line.inFlight--
		s.line.wakeHead()
	}
}
