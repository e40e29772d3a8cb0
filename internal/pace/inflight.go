package pace

import (
	"cmp"
)

// recoveryResponses is how many accepted attempts it takes to let one more be in flight: 2 % of them at most are then throttled.
const recoveryResponses = 50

// inFlightLimit bounds the number of attempts in flight where an API throttles for that: one less with each such throttle, one more
// after every recoveryResponses. The zero value is no limit.
type inFlightLimit struct {
	limit    int
	answered int // since the limit changed last
}

func (c *inFlightLimit) full(inflight int) bool { return c.limit > 0 && inflight >= c.limit }

// lower takes in that so many were too many.
func (c *inFlightLimit) lower(inflight int) {
	c.limit = max(1, min(inflight, cmp.Or(c.limit, inflight))-1)
	c.answered = 0
}

func (c *inFlightLimit) accepted() {
	if c.answered++; c.limit > 0 && c.answered >= recoveryResponses {
		c.limit++
		c.answered = 0
	}
}
