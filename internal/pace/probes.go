package pace

import "time"

// RarestProbe is the longest time between two probes of a closed gate.
const RarestProbe = time.Hour

// gateProbes decides when one attempt may leave though the gate is closed, so that no response stops a client for as long as it says:
// the wait may come from a wrong clock, or the quota may be renewed early. Probes begin where the gate is closed for longer than
// MaxWait. The first is due after MaxWait, the next after twice that, and so on, at most RarestProbe apart. One is in flight at a
// time. A probe that ends without a verdict gives the right back, so that the next attempt is the probe.
//
// It is arithmetic over the times that it is given; the Line calls it under its lock.
type gateProbes struct {
	beyond time.Duration // a gate that is closed for longer is probed
	first  time.Duration // the wait before the first probe

	wait time.Duration // before the next probe; zero: the gate is not closed for so long
	from time.Time     // when that wait began
	out  bool          // a probe is in flight
}

// newGateProbes returns the probes for a longest wait; zero: no bound. longest is the same with its jitter.
func newGateProbes(maxWait, longest time.Duration) gateProbes {
	if maxWait == 0 {
		return gateProbes{beyond: RarestProbe, first: RarestProbe}
	}
	return gateProbes{beyond: longest, first: maxWait}
}

// follow takes in until when the gate is closed.
func (p *gateProbes) follow(now, until time.Time) {
	switch {
	case !until.After(now):
		p.wait = 0
	case p.wait == 0 && until.Sub(now) > p.beyond:
		p.wait, p.from = p.first, now
	}
}

// next returns when the next probe is due; ok is false where none will be, or not before the one in flight has ended.
func (p *gateProbes) next() (at time.Time, ok bool) { return p.from.Add(p.wait), p.wait > 0 && !p.out }

// due reports whether an attempt may leave as a probe now.
func (p *gateProbes) due(now time.Time) bool {
	at, ok := p.next()
	return ok && !now.Before(at)
}

// leave takes the right to probe.
func (p *gateProbes) leave() { p.out = true }

// giveBack ends a probe that got no verdict.
func (p *gateProbes) giveBack() { p.out = false }

// concerns reports whether a probe sent then was one of the gate as it is closed now, and not of an earlier closing.
func (p *gateProbes) concerns(sent time.Time) bool { return p.wait > 0 && !sent.Before(p.from) }

// answered ends a probe that got a verdict. follow has to take in next until when the gate is closed now.
func (p *gateProbes) answered(sent, now time.Time) {
	p.out = false
	if p.concerns(sent) {
		p.wait, p.from = min(2*p.wait, RarestProbe), now
	}
}
