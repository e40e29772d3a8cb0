package pace

import "time"

// open opens the gate, and lets the model learn why it was closed. If that was no throttle, a model that knows the API goes on as
// before; and so it does after a throttle where throttles seem to be random, unless most of what was in flight was throttled.
func (p *controller) open(now time.Time, inflight int) {
	learn := p.pending && !p.fixed
	p.closed, p.pending = false, false
	if !learn && p.model.throttled {
		return
	}
	e, wasFree := p.episode(now), p.trial.free > 0
	p.opened = now
	p.passed, p.lead = 0, 1
	switch {
	case !learn:
		p.slow = noEnd
	case p.isolation.random() && !e.drove && !p.teaches():
		p.goOn()
	case p.row == 1 && !p.model.throttled:
		p.trial.first(now, e)
		p.learn(now, inflight)
	case (p.row == 1 || p.trial.free > 0) && p.trial.throttled(now, e):
		p.model.skip()
		p.slow = noEnd
	case p.row == 1 && !wasFree:
		p.learn(now, inflight)
	default:
		p.slow = int(p.model.burst)
		p.model.resume(p.seconds(now), inflight)
	}
}

// episode is what is to be said of the closing that ends now.
func (p *controller) episode(now time.Time) episode {
	opened := latest(p.opened, p.base)
	return episode{accepted: p.passed, flow: p.began.Sub(opened), wait: now.Sub(p.began), drove: p.isolation.drove(),
		quiet: p.model.rate > 0 && p.model.throttledAt < p.model.quiet}
}

// learn lets the model learn why the gate was closed, and go on from there.
func (p *controller) learn(now time.Time, inflight int) {
	p.slow = 0
	p.model.learn(now.Sub(p.began).Seconds())
	p.model.resume(p.seconds(now), inflight)
}

// goOn opens the gate after a throttle that does not change the pace.
func (p *controller) goOn() {
	switch {
	case !p.model.throttled || p.trial.free > 0:
		p.slow, p.lead = noEnd, max(1, p.flew/2)
	case p.row == 1:
		p.slow = 0
	default:
		p.slow = int(p.model.burst)
	}
}
