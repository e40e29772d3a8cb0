package pace

import (
	"math"
	"slices"
	"time"
)

const (
	// margin is how much slower than the estimate the twin goes: about what the estimate is wrong after a few seconds.
	margin = 0.01

	// After quietTime, or the time of quietTokens if that is longer, but not before quietGrowth times as many were
	// accepted as before the last refusal, the twin begins to go faster: at 50 per second it risks one refusal in 75
	// requests, and after a fall of the rate, whose first measurements rest on little, it tries again soon.
	quietTime   = 1.5
	quietTokens = 25
	quietGrowth = 4

	// quietWaits is how many times the last wait it is quiet at least: waits cost at most 8 % of the time.
	quietWaits = 12

	// probeDoublings is how often the pace doubles in a time as long as the quiet one: from 20 per second to 80 in one
	// second. maxDoublings keeps it finite.
	probeDoublings = 3
	maxDoublings   = 20

	// While the rate is unknown, the pace begins with rampBursts in the time of the first wait and doubles after every
	// rampAnswers.
	rampBursts  = 3
	rampAnswers = 8
	rampTime    = 10 // seconds: a longer wait counts as this, lest the ramp takes hours

	// thinEvidence is how many tokens must have flowed in under observation for a measurement to raise the rate.
	thinEvidence = 1.5

	// maxHistory bounds the acceptances that are remembered between two refusals.
	maxHistory = 1000

	// maxRate and rateSteps bound the search for the rate.
	maxRate   = 1e6
	rateSteps = 60
)

// twin is a copy of the bucket that the server is assumed to keep: burst tokens at most, rate more per second, one for
// each request. It is measured, not steered: a refusal says that the server's bucket was empty then, and the
// acceptances between two refusals say what flowed in meanwhile.
//
//   - The first refusal gives the burst: what was accepted before it, less what flowed in during that time. The rate is unknown
//     yet, and a ramp looks for the second refusal.
//   - Each further refusal gives the rate: the one at which a bucket that was empty at the refusal before (the anchor) would
//     have admitted exactly the requests in between and refused this one. Time in which the bucket was full tells nothing,
//     wherefore it is found by bisection and not by a division. With the second refusal, burst and rate are solved together.
//   - Between refusals the twin keeps margin below the rate, and a token below the burst where a refusal is dear. It is
//     quiet for a time in proportion to what a refusal costs, and then goes faster and faster until the next refusal, which
//     is exact again however far the probe went.
//
// A window that the clock resets is a bucket with a burst as large as the window: the gate finds the reset, and the
// twin lets the burst go.
//
// All times are seconds since the same beginning.
type bucketModel struct {
	refused bool    // ever: the burst is known
	rate    float64 // zero: unknown
	burst   float64
	costly  bool // the wait after the last refusal was so long that the server's bucket overflowed

	tokens float64 // at the time at
	at     float64

	ramp  float64 // requests per second, while the rate is unknown
	quiet float64 // when it begins to go faster
	span  float64 // how long it was quiet

	anchor  float64   // when the bucket was empty: the last refusal that was learnt from
	refusal float64   // the refusal to learn from
	times   []float64 // of the acceptances since the anchor, ascending

	first     float64 // how many were accepted before the first refusal
	firstTime float64 // and in what time
}

// delay is how long from t on the next request has to wait. An estimate can be wrong: it holds nobody up for longer
// than any other guess.
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

// refill lets flow in what is due. While the twin is full nobody is held up, and so nothing is probed: that time does
// not count.
func (m *bucketModel) refill(t float64) {
	speed := m.speed(t)
	m.tokens += (t - m.at) * speed
	m.at = t
	if over := m.tokens - m.size(); over > 0 && speed > 0 {
		m.quiet += over / speed
		m.tokens = m.size()
	}
}

// size is how much the twin holds: a token less than the server's bucket where a refusal is dear, since two that are equal
// are told apart by the jitter of the network.
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

// remember takes in the time of an acceptance. If there are too many, the older half is forgotten; where the bucket
// stood at the new anchor is unknown, but what it holds is little beside so many.
func (m *bucketModel) remember(t float64) {
	if len(m.times) >= maxHistory {
		m.anchor = m.times[maxHistory/2-1]
		m.times = slices.Delete(m.times, 0, maxHistory/2)
	}
	i, _ := slices.BinarySearch(m.times, t)
	m.times = slices.Insert(m.times, i, t)
}

// climb goes up the ramp after an acceptance.
func (m *bucketModel) climb() {
	if m.rate == 0 {
		m.ramp = min(m.ramp*math.Exp2(1./rampAnswers), maxRate)
	}
}

// learn takes in the refusal that closed the gate for wait seconds.
func (m *bucketModel) learn(wait float64) {
	k, _ := slices.BinarySearch(m.times, m.refusal)
	switch {
	case !m.refused:
		m.refused = true
		m.first = float64(len(m.times))
		if len(m.times) > 0 {
			m.firstTime = m.times[len(m.times)-1] - m.anchor
		}
		m.burst = m.burstAt(0)
		m.ramp = rampBursts * m.burst / min(max(wait, resetMargin.Seconds()), rampTime)
	case k > 0:
		m.measure(m.times[:k])
	}
	m.anchor = m.refusal
	m.times = slices.Delete(m.times, 0, k)
	if m.rate > 0 {
		accepted := float64(k)
		m.span = min((quietGrowth*accepted+2)/m.rate, max(quietTime, quietTokens/m.rate))
		m.span = max(m.span, quietWaits*wait)
		m.costly = wait*m.rate > m.burst+1
	}
}

// resume begins anew when the gate opens: what flowed in since the refusal, less what was taken.
func (m *bucketModel) resume(t float64, inflight int) {
	m.at = t
	m.tokens = min(m.size(), m.rate*(t-m.anchor)-float64(len(m.times)+inflight))
	if m.rate == 0 {
		m.tokens = 1
	}
	m.quiet = t + m.span
}

// measure sets the rate by the acceptances between the anchor and the refusal. It falls by half at most.
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

// solve finds the rate at which a bucket, empty at the anchor, admits all these and then refuses. evidence is how many
// tokens flowed in after the bucket was full last.
func (m *bucketModel) solve(times []float64) (rate, evidence float64) {
	low, high := 0.0, maxRate
	for range rateSteps {
		rate = (low + high) / 2
		var level float64
		level, evidence = m.replay(times, rate)
		gap := m.refusal - times[len(times)-1]
		// A bucket that refuses holds less than one token; on average half a token, and the more the longer nobody
		// asked.
		if level > min(0.98, (1+rate*gap)/2) {
			high = rate
		} else {
			low = rate
		}
	}
	return rate, evidence
}

// replay is what a bucket of this rate holds at the refusal.
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
	return min(burst, level+rate*(m.refusal-last)), evidence
}

// burstAt is the burst by what was accepted before the first refusal, if the rate is this. What was left then is less than
// a token, so that the burst is the whole number above. Half of what was accepted is sure: with a round trip of jitter the
// rest may be an error of the rate.
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
