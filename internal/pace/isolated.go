package pace

import "time"

const (
	// A throttle is isolated once clearAfter attempts that were sent with it or later were accepted, and clearPerEcho more for each
	// further one that was throttled: an empty bucket or window throttles nearly all of them.
	clearAfter   = 3
	clearPerEcho = 4

	// isolatedMemory is over how many accepted attempts the score of isolated throttles falls to a third. With 50, 1 % of random
	// throttles are forgotten between two of them; 200 is no better.
	isolatedMemory = 100

	// Isolated throttles up to a score of bornScore, which is what 5 % of random throttles reach, are ignored. Where that is doubled,
	// it takes bornMemory accepted attempts to forget it.
	bornScore  = 5
	bornMemory = 2000

	// oftenScore is the score from which the order of responses counts for attempts sent in one instant. With 1, workers in step on a
	// bucket are refused 5 to 30 %; without it, 500/s with waits in whole seconds has half the speed.
	oftenScore = 2

	// recentSends is how many accepted attempts are remembered, since responses overtake each other.
	recentSends = 64
)

// isolation tells throttles that the pace causes from those that come at random or from one node of many. Both come with a wait for
// all, but an API that says "nobody for a second" and accepts what was sent after the throttled attempt contradicts itself.
//
// The attempts that count are those in flight when the first throttle comes, since the gate is closed after it. Where there are too
// few, nothing can be told, and the throttle is obeyed by all.
type isolation struct {
	recent [recentSends]time.Time // when the last accepted attempts were sent
	next   int                    // of recent

	suspect time.Time // when the attempt was sent whose throttle closed the gate
	after   int       // accepted attempts that were sent then or later
	echoes  int       // further throttles while the gate is closed

	score float64 // isolated throttles of late
	born  float64 // the score that is ignored
}

// suspectOf begins to examine the throttle of an attempt sent then. Of attempts sent in the same instant, those whose responses came before
// count as sent later only where several throttles were isolated of late: workers in step have emptied many a bucket together.
func (s *isolation) suspectOf(sent time.Time) {
	s.suspect, s.after, s.echoes = sent, 0, 0
	often := s.score >= oftenScore
	for _, t := range s.recent {
		if t.After(sent) || often && t.Equal(sent) {
			s.after++
		}
	}
}

// accepted takes in an accepted attempt, and whether a throttle is being examined. Of attempts sent in the same instant, as by workers
// that run in step, a bucket may have served those whose responses come later: they count only where throttles were isolated of late.
func (s *isolation) accepted(sent time.Time, examining bool) {
	s.recent[s.next] = sent
	s.next = (s.next + 1) % recentSends
	s.score *= 1 - 1./isolatedMemory
	s.born = bornScore + (max(s.born, bornScore)-bornScore)*(1-1./bornMemory)
	if examining && (sent.After(s.suspect) || s.random() && sent.Equal(s.suspect)) {
		s.after++
	}
}

// isolated reports whether the API contradicts the throttle.
func (s *isolation) isolated() bool { return s.after >= clearAfter+clearPerEcho*s.echoes }

// drove reports whether most of what was in flight was throttled.
func (s *isolation) drove() bool { return s.echoes >= 2 && s.after < s.echoes }

// random reports whether throttles have been isolated of late.
func (s *isolation) random() bool { return s.score >= 1 }

// count takes in that the examined throttle is ignored unless it teaches something, which it returns: there are more of them than
// are ignored, or it is the first while the pace was rising, and so the limit was met. If there are too many though the pace was
// not rising, the pace is not the cause, and more of them are ignored from now on.
func (s *isolation) count(rising, quiet bool) (learn bool) {
	s.born = max(s.born, bornScore)
	learn = s.score+1 > s.born || rising && !s.random()
	s.score += 1 + float64(s.echoes)
	if learn && quiet {
		s.born *= 2
		return false
	}
	return learn
}

// suspect begins to examine the throttle of an attempt sent then.
func (p *controller) suspect(sent, now time.Time) {
	p.pending = true
	p.began = now
	p.before = closing{p.until, p.closed}
	p.brief = p.until
	p.flew = p.seen + 1
	p.row++
	if p.row == 1 {
		p.model.throttledAt = p.middle(sent, now)
	}
	p.isolation.suspectOf(sent)
}

// verdictTime is how long the gate is closed at least after a throttle that gives no wait, since the time of one token is over before
// the responses have come that tell what it was. It is no longer than half a burst takes. While no rate is known, the first guess is
// long enough.
func (p *controller) verdictTime() time.Duration {
	if p.fixed || p.model.rate == 0 {
		return 0
	}
	return min(p.trip*5/4, duration(p.model.burst/p.model.rate/2), longestVerdict)
}

// judge opens the gate where the API contradicts the throttle that closed it, and shortens a closing that only waits for that where
// the API confirms it.
func (p *controller) judge(now time.Time) {
	switch {
	case p.fixed || !p.pending:
	case p.row <= 1 && p.isolation.isolated():
		p.pardon(now)
	case p.isolation.drove() && p.brief.Before(p.until):
		p.until = p.brief
	}
}

// pardon opens the gate as it was before a throttle that was isolated. Attempts that were sent before do not become old by that:
// another one that is throttled is examined as well.
func (p *controller) pardon(now time.Time) {
	p.until, p.closed = p.before.until, p.before.closed
	p.pending = false
	p.row = 0
	p.passed += p.isolation.after
	if p.teaches() {
		p.learn(now, p.seen)
	}
}

// teaches reports whether an isolated throttle teaches something about the limit.
func (p *controller) teaches() bool {
	if p.trial.free > 0 {
		p.isolation.count(false, true)
		return false
	}
	rising := p.model.throttledAt >= p.model.quiet
	return p.isolation.count(p.model.throttled && rising, p.model.rate > 0 && !rising)
}
