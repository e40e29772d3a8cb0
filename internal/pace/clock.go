package pace

import (
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/waits"
)

// serverClock estimates how far the server's clock is ahead of ours, from the Date of its responses. Date is cut to a whole second and
// was written at some time between sending and receiving, so that a response says: the server's clock, less ours, lies within
// [Date-received, Date+1s-sent]. A few responses narrow that to about a round trip. The zero value knows nothing.
type serverClock struct {
	lo, hi time.Duration
	known  bool
}

// farthestClock is how far apart two clocks may be. A Date beyond that is ignored: sums with it would overflow.
const farthestClock = 100 * waits.Longest

// observe takes in the Date of a response to a request sent and received at these times of our clock. One that contradicts the earlier
// ones starts again: one of the clocks was set.
func (c *serverClock) observe(date, sent, received time.Time) {
	lo, hi := date.Sub(received), date.Add(time.Second).Sub(sent)
	if date.IsZero() || received.Before(sent) || lo < -farthestClock || hi > farthestClock {
		return
	}
	if c.known && max(lo, c.lo) <= min(hi, c.hi) {
		lo, hi = max(lo, c.lo), min(hi, c.hi)
	}
	c.lo, c.hi, c.known = lo, hi, true
}

// offset returns what is known of the server's clock, less ours: it lies between lo and hi.
func (c *serverClock) offset() (lo, hi time.Duration, ok bool) { return c.lo, c.hi, c.known }

// trusted returns the offset, and zero if the clocks may agree: most are set by the network.
func (c *serverClock) trusted() (lo, hi time.Duration, ok bool) {
	if c.known && c.lo <= 0 && c.hi >= 0 {
		return 0, 0, true
	}
	return c.offset()
}

// local returns when our clock shows, at the latest, what the server's shows at t. Where nothing is known the clocks are taken to agree.
func (c *serverClock) local(t time.Time) time.Time {
	lo, _, _ := c.trusted()
	return t.Add(-lo)
}
