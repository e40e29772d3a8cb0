package pace

import (
	"cmp"
	"time"
)

const (
	// After so many strikes in a row the next trialFreedom throttles are met without a pace. An API that ever throttled most of what was
	// in flight has a limit, so that it takes more strikes.
	trialPatience = 2
	drovePatience = 16
	trialFreedom  = 2
	longestTrials = 64

	// A strike is a throttle that came before strikeGrowth times as many attempts were accepted as between two without a pace, or as
	// leastMean where that is more, while the gate was closed for longer than 1/flowsPerWait of the time it was open, or less than
	// strikePart of what flows without a pace was accepted.
	strikeGrowth = 2
	leastMean    = 8
	flowsPerWait = 2
	strikePart   = 0.75

	// A trial is a success with trialGain times the accepted attempts per second.
	trialGain = 1.5

	meanMemory = 4
)

// paceTrial finds out whether pacing earns its keep. A pace that is held is there to prevent throttles. Where they come all the same
// and cost much of the time, the pace is dropped for a few throttles, and what was accepted per second is compared, waits included.
// So learning is never much worse than only obeying the waits, even where so little is in flight that random throttles cannot be
// told from others.
type paceTrial struct {
	free     int // throttles until the pace is tried again; zero: it is kept
	strikes  int // in a row
	patience int // strikes that begin a trial
	freedom  int // throttles that a trial lasts

	mean  float64 // accepted between two throttles without a pace
	best  float64 // accepted per second without one
	paced float64 // the same with one, before the trial

	since    time.Time // when the strikes or the trial began
	accepted int       // since then
}

// A closing is one time that the gate was closed by a throttle, and the time before it.
type episode struct {
	accepted   int           // since the gate opened before
	flow, wait time.Duration // for how long it was open, and then closed
	quiet      bool          // the pace was not rising
	drove      bool
}

// throttled takes in a closing that ends now, and reports whether there is no pace from now on.
func (t *paceTrial) throttled(now time.Time, e episode) bool {
	t.accepted += e.accepted
	var figure float64 // accepted per second
	if took := now.Sub(t.since); took > 0 {
		figure = float64(t.accepted) / took.Seconds()
	}
	if t.free > 0 {
		t.mean += (float64(e.accepted) - t.mean) / meanMemory
		return t.withoutPace(now, figure, e.drove)
	}
	if e.drove {
		t.patience = max(t.patience, drovePatience)
	}
	if !t.isStrike(e, figure) {
		t.strikes = 0
		t.restart(now)
		return false
	}
	if t.strikes++; t.strikes < cmp.Or(t.patience, trialPatience) {
		return false
	}
	t.strikes, t.paced = 0, figure
	t.free = cmp.Or(t.freedom, trialFreedom)
	t.restart(now)
	return true
}

// first takes in the first closing, before which nothing was paced.
func (t *paceTrial) first(now time.Time, e episode) {
	t.mean = float64(e.accepted)
	if e.drove {
		t.patience = drovePatience
	}
	if took := e.flow + e.wait; took > 0 {
		t.best = float64(e.accepted) / took.Seconds()
	}
	t.restart(now)
}

func (t *paceTrial) isStrike(e episode, figure float64) bool {
	return e.quiet && float64(e.accepted) < strikeGrowth*max(t.mean, leastMean) &&
		(e.wait >= e.flow/flowsPerWait || figure < strikePart*t.best)
}

// withoutPace takes in a throttle during a trial, and reports whether that goes on.
func (t *paceTrial) withoutPace(now time.Time, figure float64, drove bool) bool {
	t.free--
	patience := cmp.Or(t.patience, trialPatience)
	switch {
	case drove:
		t.free = 0
		t.patience = min(max(4*patience, drovePatience), longestTrials)
	case t.free > 0:
		return true
	case figure >= trialGain*t.paced:
		t.best = figure
		if t.freedom = 2 * cmp.Or(t.freedom, trialFreedom); t.freedom <= longestTrials {
			t.free = t.freedom
			t.restart(now)
			return true
		}
		t.freedom = longestTrials
	default:
		t.best = figure
		t.patience = min(2*patience, longestTrials)
	}
	t.restart(now)
	return false
}

func (t *paceTrial) restart(now time.Time) { t.since, t.accepted = now, 0 }
