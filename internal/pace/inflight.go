package pace

import (
	"cmp"
)

// recoveryResponses is how many answers it takes to let one more request fly: at most 2 % of them are then refused.
const recoveryResponses = 50

// inFlightLimit limits the number of requests in flight where an API refuses for that: by one less at each refusal, and one
// more after every recoveryResponses answers. Zero is no limit.
type inFlightLimit struct {
	limit    int
	answered int // since the limit changed last
}

func (c *inFlightLimit) full(inflight int) bool { return c.limit > 0 && inflight >= c.limit }

// refused takes in that so many were too many.
func (c *inFlightLimit) refused(inflight int) {
	c.limit = max(1, min(inflight, cmp.Or(c.limit, inflight))-1)
	c.answered = 0
}

func (c *inFlightLimit) accepted() {
	if c.answered++; c.limit > 0 && c.answered >= recoveryResponses {
		c.limit++
		c.answered = 0
	}
}
