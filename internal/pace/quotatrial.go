package pace

import (
	"slices"
	"time"
)

const (
	// longestTrial is how far away the reset of a quota may be that is tried before.
	longestTrial = 15 * time.Second

	// After a trial that was throttled, the next trialPause resets of that quota are obeyed, then so many times that.
	trialPause  = 8
	maxTrialGap = 1 << 20
)

// A quotaTrial is what is known of one quota that was used up: whether it is a window, which nothing refills before its reset, or a
// bucket that is described in the fields of a window, with its reset rounded up to a second. Reading alone cannot tell them apart.
type quotaTrial struct {
	name    string
	reset   time.Time // that is waited for
	at      time.Time // when one attempt may leave before it; zero: none may
	pause   int       // how many resets are still to be obeyed
	gap     int       // how many will be after the next trial that is throttled
	isFalse bool      // an attempt was accepted though nothing was left: the quota is ignored
}

// quotaTrials decides when one attempt may be sent though a quota is used up: half-way to the reset, if that is near and nothing else
// is in flight, so that it costs one request on a true window.
type quotaTrials struct {
	known []quotaTrial
	name  string    // of the quota that is tried now
	sent  time.Time // when the attempt left that tries it; zero: none does
}

func (q *quotaTrials) of(name string) *quotaTrial {
	i := slices.IndexFunc(q.known, func(t quotaTrial) bool { return t.name == name })
	if i < 0 {
		return nil
	}
	return &q.known[i]
}

// next returns when an attempt may leave for a quota that is used up until its reset, with nothing in flight.
func (q *quotaTrials) next(now time.Time, name string, reset time.Time) time.Time {
	t := q.of(name)
	if t == nil {
		q.known = append(q.known[max(0, len(q.known)-maxQuotas+1):], quotaTrial{name: name, gap: trialPause})
		t = &q.known[len(q.known)-1]
	}
	if !t.reset.Equal(reset) {
		t.reset, t.at = reset, time.Time{}
		wait := reset.Sub(now)
		switch {
		case t.pause > 0:
			t.pause--
		case wait <= longestTrial:
			t.at = now.Add(wait / 2)
		}
	}
	if t.at.IsZero() {
		return reset
	}
	return t.at
}

// leave notes that an attempt leaves while a quota is used up, which is a trial of it if one is due.
func (q *quotaTrials) leave(now time.Time, name string) {
	if t := q.of(name); t != nil && !t.at.IsZero() && !now.Before(t.at) {
		q.name, q.sent = name, now
		t.at = time.Time{}
	}
}

// accepted takes in an accepted attempt. If it tried a quota, that is ignored from now on.
func (q *quotaTrials) accepted(sent time.Time, all *quotas) {
	if q.sent.IsZero() || !sent.Equal(q.sent) {
		return
	}
	q.sent = time.Time{}
	if t := q.of(q.name); t != nil {
		t.isFalse = true
		all.drop(q.name)
	}
}

// throttled takes in a throttle, and reports whether it was the answer to a trial.
func (q *quotaTrials) throttled(sent time.Time) bool {
	if q.sent.IsZero() || !sent.Equal(q.sent) {
		return false
	}
	q.sent = time.Time{}
	if t := q.of(q.name); t != nil {
		t.pause, t.gap = t.gap, min(t.gap*trialPause, maxTrialGap)
	}
	return true
}

// ignored reports whether a quota was found to be no window.
func (q *quotaTrials) ignored(name string) bool {
	t := q.of(name)
	return t != nil && t.isFalse
}

// doubts reports whether a wait is the reset of a quota that is ignored.
func (q *quotaTrials) doubts(wait time.Duration, readings []Reading) bool {
	return slices.ContainsFunc(readings, func(r Reading) bool { return r.Reset == wait && r.Remaining <= 0 && q.ignored(r.Name) })
}

// tryQuota returns when an attempt may leave though a quota is used up until its reset.
func (p *controller) tryQuota(now time.Time, inflight int, name string, reset time.Time) time.Time {
	if p.fixed || p.last || p.reserve > 0 || inflight > 0 || p.quotas.isAsked(name) {
		return reset
	}
	return p.trials.next(now, name, reset)
}

// leaveForQuota notes an attempt that leaves though a quota is used up.
func (p *controller) leaveForQuota(now time.Time) {
	if renewed, name := p.quotas.usedUp(now, 0); now.Before(renewed) && !now.Before(p.until) {
		p.trials.leave(now, name)
	}
}
