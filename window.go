package jwtbearer

import "time"

// serverClock tells how far the server's clock is ahead of ours, from the Date of its answers. Date is cut to a whole second and
// was written at some time between sending and receiving, so that an answer says: the server's clock, less ours, lies within
// [Date-received, Date+1s-sent]. A few answers cut that down to about a round trip. The zero value knows nothing.
type serverClock struct {
	lo, hi time.Duration
	known  bool
}

// observe takes in the Date of an answer to a request sent and received at these times of our clock. Answers that contradict
// the earlier ones begin anew: one of the clocks was set.
func (c *serverClock) observe(date, sent, received time.Time) {
	if date.IsZero() || received.Before(sent) {
		return
	}
	lo, hi := date.Sub(received), date.Add(time.Second).Sub(sent)
	if c.known && max(lo, c.lo) <= min(hi, c.hi) {
		lo, hi = max(lo, c.lo), min(hi, c.hi)
	}
	c.lo, c.hi, c.known = lo, hi, true
}

// offset is what is known of the server's clock, less ours: it lies between lo and hi.
func (c *serverClock) offset() (lo, hi time.Duration, ok bool) { return c.lo, c.hi, c.known }

// local is when our clock shows what the server's shows at t: the latest possible time, unless the clocks may well agree, in
// which case they do.
func (c *serverClock) local(t time.Time) time.Time {
	if !c.known || c.lo <= 0 && c.hi >= 0 {
		return t
	}
	return t.Add(-c.lo)
}
