package pace

import (
	"math"
	"slices"
	"time"
)

const (
	// margin is how far the pace stays below the estimated rate: about the error of the estimate after a few seconds.
	margin = 0.01

	// The pace begins to rise after quietTime, or the time of quietTokens if that is longer, but not before quietGrowth times as many
	// attempts were accepted as before the last throttle. At 50 per second that risks one throttle in 75 attempts; after a fall of
	// the rate, whose first measurements rest on few attempts, it tries again soon.
	quietTime   = 1.5
	quietTokens = 25
	quietGrowth = 4

	// quietWaits is how many times the last wait the pace stays as it is at least, so that waits cost 8 % of the time at most.
	quietWaits = 12

	// probeDoublings is how often a rising pace doubles in a time as long as it stayed as it was: from 20 per second to 80 in one
	// second. maxDoublings keeps it finite.
	probeDoublings = 3
	maxDoublings   = 20

	// While the rate is unknown, the pace begins with rampBursts bursts in the time of the first wait, and doubles with every
	// rampResponses. A wait over rampTime seconds counts as that, so that the ramp does not take hours.
	rampBursts    = 3
	rampResponses = 8
	rampTime      = 10

	// thinEvidence is how many tokens must have flowed in under observation for a measurement to raise the rate.
	thinEvidence = 1.5

	// maxHistory bounds the accepted attempts that are remembered between two throttles.
	maxHistory = 1000

	// maxRate and rateSteps bound the search for the rate.
	maxRate   = 1e6
	rateSteps = 60
)

// bucketModel is a model of the bucket that the server is assumed to keep: it holds burst tokens at most, rate more flow in per
// second, and each request takes one. Both numbers are measured: a throttle says that the server's bucket was empty then, and the
// attempts accepted between two throttles say what flowed in meanwhile.
//
//   - The first throttle gives the burst: what was accepted before it, less what flowed in during that time. The rate is still
//     unknown, and a ramp leads to the second throttle.
//   - Each further throttle gives the rate: the one at which a bucket that was empty at the previous throttle (the anchor) would have
//     admitted exactly the attempts in between and throttled this one. Time in which the bucket was full says nothing, which is why
//     the rate is found by bisection and not by division. The second throttle gives burst and rate together.
//   - Between throttles the pace stays margin below the rate, and a token below the burst where a throttle is costly. It stays so for
//     a time in proportion to what a throttle costs, and then rises until the next throttle, which is measured as well as any other
//     however far the pace had risen.
//
// A window that follows the clock is a bucket whose burst is as large as the window: the gate finds the reset, and the model lets
// the burst through.
//
// All times are seconds from the same start.
type bucketModel struct {
	throttled bool    // ever: the burst is known
	rate      float64 // zero: unknown
	burst     float64
	costly    bool // the wait after the last throttle was so long that the server's bucket overflowed

	tokens float64 // at the time at
	at     float64

	ramp  float64 // requests per second, while the rate is unknown
	quiet float64 // when the pace begins to rise
	span  float64 // how long it stays as it is before that

	anchor      float64   // when the bucket was empty: the last throttle that was learnt from
	throttledAt float64   // the throttle to learn from
	times       []float64 // of the accepted attempts since the anchor, ascending

	first     float64 // how many were accepted before the first throttle
	firstTime float64 // and in what time
}

// delay is how long from t on the next attempt has to wait. An estimate can be wrong, so that this is bounded like any other guess.
func (m *bucketModel) delay(t float64) time.Duration {
	m.refill(t)
	if m.tokens >= 1 {
		return 0
	}
	return min(duration((1-m.tokens)/m.speed(t)), longestGuess)
}

// take takes a token.
func (m *bucketModel) take(t float64) {
	m.refill(t)
	m.tokens--
}

// refill adds the tokens that are due. While the model is full no attempt waits, and so nothing is measured: that time does not count
// against the quiet time.
func (m *bucketModel) refill(t float64) {
	speed := m.speed(t)
	m.tokens += (t - m.at) * speed
	m.at = t
	if over := m.tokens - m.size(); over > 0 && speed > 0 {
		m.quiet += over / speed
		m.tokens = m.size()
	}
}

// size is how many tokens the model holds: one less than the server's bucket where a throttle is costly, since the jitter of the
// network makes two equal buckets differ.
func (m *bucketModel) size() float64 {
	if m.costly {
		return max(1, m.burst-1)
	}
	return m.burst
}

// speed is how many tokens flow in per second.
func (m *bucketModel) speed(t float64) float64 {
	if m.rate == 0 {
		return m.ramp
	}
	doublings := probeDoublings * max(0, t-m.quiet) / m.span
	return m.rate * (1 - margin) * math.Exp2(min(doublings, maxDoublings))
}

// remember takes in the time of an accepted attempt. If there are too many, the older half is forgotten. How full the bucket was at
// the new anchor is then unknown, but that is little beside so many.
func (m *bucketModel) remember(t float64) {
	if len(m.times) >= maxHistory {
		m.anchor = m.times[maxHistory/2-1]
		m.times = slices.Delete(m.times, 0, maxHistory/2)
	}
	i, _ := slices.BinarySearch(m.times, t)
	m.times = slices.Insert(m.times, i, t)
}

// climb goes up the ramp after an accepted attempt.
func (m *bucketModel) climb() {
	if m.rate == 0 {
		m.ramp = min(m.ramp*math.Exp2(1./rampResponses), maxRate)
	}
}

// learn takes in the throttle that closed the gate for wait seconds.
func (m *bucketModel) learn(wait float64) {
	k, _ := slices.BinarySearch(m.times, m.throttledAt)
	switch {
	case !m.throttled:
		m.throttled = true
		m.first = float64(len(m.times))
		if len(m.times) > 0 {
			m.firstTime = m.times[len(m.times)-1] - m.anchor
		}
		m.burst = m.burstAt(0)
		m.ramp = rampBursts * m.burst / min(max(wait, resetMargin.Seconds()), rampTime)
	case k > 0:
		m.measure(m.times[:k])
	}
	m.anchor = m.throttledAt
	m.times = slices.Delete(m.times, 0, k)
	if m.rate > 0 {
		accepted := float64(k)
		m.span = min((quietGrowth*accepted+2)/m.rate, max(quietTime, quietTokens/m.rate))
		m.span = max(m.span, quietWaits*wait)
		m.costly = wait*m.rate > m.burst+1
	}
}

// resume starts again when the gate opens: with what flowed in since the throttle, less what was taken.
func (m *bucketModel) resume(t float64, inflight int) {
	m.at = t
	m.tokens = min(m.size(), m.rate*(t-m.anchor)-float64(len(m.times)+inflight))
	if m.rate == 0 {
		m.tokens = 1
	}
	m.quiet = t + m.span
}

// measure sets the rate by the attempts accepted between the anchor and the throttle. It falls by half at most.
func (m *bucketModel) measure(times []float64) {
	rate, evidence := m.solve(times)
	if m.rate == 0 {
		m.burst = m.burstAt(rate)
		m.rate = rate
		return
	}
	rate = max(rate, m.rate/2)
	if evidence < thinEvidence {
		rate = min(rate, m.rate)
	}
	m.rate = rate
}

// solve finds the rate at which a bucket, empty at the anchor, admits all these and then throttles. evidence is how many tokens
// flowed in after the bucket was last full.
func (m *bucketModel) solve(times []float64) (rate, evidence float64) {
	low, high := 0.0, maxRate
	for range rateSteps {
		rate = (low + high) / 2
		var level float64
		level, evidence = m.replay(times, rate)
		gap := m.throttledAt - times[len(times)-1]
		// A bucket that throttles holds less than one token: half a token on average, and more the longer no attempt came.
		if level > min(0.98, (1+rate*gap)/2) {
			high = rate
		} else {
			low = rate
		}
	}
	return rate, evidence
}

// replay is what a bucket of this rate holds at the throttle.
func (m *bucketModel) replay(times []float64, rate float64) (level, evidence float64) {
	burst := m.burst
	if m.rate == 0 {
		burst = m.burstAt(rate)
	}
	level = 0.5
	last := m.anchor
	for _, t := range times {
		flow := rate * (t - last)
		level += flow
		evidence += flow
		if level > burst {
			level, evidence = burst, 0
		}
		level--
		last = t
	}
	return min(burst, level+rate*(m.throttledAt-last)), evidence
}

// burstAt is the burst by what was accepted before the first throttle, if the rate is this. Less than a token was left then, so that
// the burst is the whole number above. Half of what was accepted is certain: with a round trip of jitter the rest may be an error of
// the rate.
func (m *bucketModel) burstAt(rate float64) float64 {
	return max(1, m.first/2, math.Ceil(m.first-rate*m.firstTime))
}

// duration is a number of seconds, rounded up and bounded, as a time.Duration.
func duration(seconds float64) time.Duration {
	const longest = 365 * 24 * time.Hour
	if !(seconds < longest.Seconds()) {
		return longest
	}
	return time.Duration(math.Ceil(seconds * float64(time.Second)))
}
