package pace

import (
	"slices"
	"time"
)

// quotaReading is a Reading whose reset is by our clock.
type quotaReading struct {
	name      string    // tells the quotas of one API apart
	remaining int64     // how many requests
	reset     time.Time // when it is renewed, by our clock
}

const (
	// resetMargin is how long after its reset a quota counts as renewed: the server's timer may be a little late.
	resetMargin = 2 * time.Millisecond

	// resetJitter is how much earlier than before a reset may be by rounding. A greater difference is a correction.
	resetJitter = 2 * time.Second

	// maxQuotas bounds the quotas that are remembered.
	maxQuotas = 16
)

// quotas keeps, for each quota, the least that was left according to any response before its reset. Responses overtake each other, so
// that the last to come need not be the newest, and attempts in flight may be counted already or not; they are subtracted all the
// same. No attempt waits while something is left.
//
// A server that describes a bucket in these terms, with its reset rounded up to a whole second, looks exactly like a window of a
// second and is treated as one. Only sending too early could show the difference.
type quotas []quotaReading

// read takes in a reading. One whose reset is over says nothing.
func (q *quotas) read(now time.Time, r quotaReading) {
	if !r.reset.After(now) {
		return
	}
	i := slices.IndexFunc(*q, func(known quotaReading) bool { return known.name == r.name })
	if i < 0 {
		q.add(now, r)
		return
	}
	known := &(*q)[i]
	if r.reset.After(known.reset) || r.reset.Before(known.reset.Add(-resetJitter)) {
		*known = r
	}
	known.remaining = min(known.remaining, r.remaining)
}

// add remembers a further quota, in the place of those whose reset is over or, if there are too many, of the one that is renewed
// first.
func (q *quotas) add(now time.Time, r quotaReading) {
	*q = slices.DeleteFunc(*q, func(known quotaReading) bool { return !known.reset.After(now) })
	if len(*q) >= maxQuotas {
		slices.SortFunc(*q, func(a, b quotaReading) int { return a.reset.Compare(b.reset) })
		*q = slices.Delete(*q, 0, 1)
	}
	*q = append(*q, r)
}

// usedUp returns when something is left of every quota again, and the name of the one that is renewed last. Zero: something is left.
func (q quotas) usedUp(now time.Time, inflight int) (renewed time.Time, name string) {
	for _, known := range q {
		at := known.reset.Add(resetMargin)
		if known.remaining <= int64(inflight) && at.After(now) && at.After(renewed) {
			renewed, name = at, known.name
		}
	}
	return renewed, name
}

// dropUsedUp forgets the quotas of which no more than least is left, and returns their names.
func (q *quotas) dropUsedUp(now time.Time, least int64) (names []string) {
	*q = slices.DeleteFunc(*q, func(known quotaReading) bool {
		used := known.remaining <= least && known.reset.After(now)
		if used {
			names = append(names, known.name)
		}
		return used
	})
	return names
}
