package jwtbearer

import (
	"sync/atomic"
	"time"
)

// Stats is what a Client did since it was made.
type Stats struct {
	Calls     uint64 // requests that callers made
	Attempts  uint64 // requests that were sent for them, without redirects to other origins
	Throttles uint64 // answers that were throttles
	Minted    uint64 // tokens signed
	Reused    uint64 // attempts that had a token signed before
	Refused   uint64 // answers that refused the token
	Exchanges uint64 // access tokens fetched

	Waited time.Duration // time that calls waited in the queue or backed off, added up
	Skew   time.Duration // by which the time in tokens is corrected: how far the API's clock is ahead
	Rate   float64       // requests per second that the API seems to allow; zero: not known, no limit was met, or only bursts were seen

	Random bool // whether throttles seem to come whatever the pace, as of a gateway that sheds load: Limits would not prevent them

	InFlight int // attempts under way, until the body of the answer is read to its end or closed
	Waiting  int // attempts that wait in the queue

	ClosedUntil time.Time // until when the API asked to be left alone, by a throttle or a quota that is used up; zero: it did not
	ClosedBy    string    // what says so: a rule such as rules[2], or a quota such as quota[0]; empty where ClosedUntil is zero
}

// counters are the parts of Stats that only grow.
type counters struct {
	calls, attempts, throttles, minted, reused, refused, exchanges atomic.Uint64
	waited                                                         atomic.Int64
}

// wait adds to the time that calls have waited.
func (c *counters) wait(d time.Duration) {
	if d > 0 {
		c.waited.Add(int64(d))
	}
}

// Stats returns what the client did so far. The values are read one by one while requests go on.
func (c *Client) Stats() Stats {
	n := &c.core.stats
	s := Stats{
		Calls: n.calls.Load(), Attempts: n.attempts.Load(), Throttles: n.throttles.Load(),
		Minted: n.minted.Load(), Reused: n.reused.Load(), Refused: n.refused.Load(), Exchanges: n.exchanges.Load(),
		Waited: time.Duration(n.waited.Load()), Skew: c.core.minter.skew.Get(),
	}
	s.Waiting, s.InFlight, s.Rate = c.core.line.Stats()
	s.Random = c.core.line.Random()
	s.ClosedUntil, s.ClosedBy = c.core.line.Closed()
	return s
}
