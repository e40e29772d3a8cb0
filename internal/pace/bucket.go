package pace

import (
	"math"
	"time"

	"golang.org/x/time/rate"
)

// A tokenBucket is a Limit with a burst, kept by x/time/rate. It is a little smaller than the limit, since the jitter of the network
// empties the server's before one that equals it: a token is kept in reserve, or with a burst of one 1 % of the rate.
//
// A full bucket does not fill any further, and the server's begins to refill only when the first request has reached it, perhaps
// after a handshake of some round trips. What flowed into this one meanwhile is dropped when the first response comes; otherwise
// attempts that leave later and arrive sooner find less there than here.
//
// A tokenBucket is not safe for concurrent use: the Line calls it under its lock.
type tokenBucket struct {
	*rate.Limiter
	exact bool      // the limit as it is set, without a reserve
	full  time.Time // when an attempt left with the bucket full and nothing in flight, until its response; zero: none did
	taken float64   // tokens since then
}

// newBucket returns the bucket of a limit.
func newBucket(limit Limit, exact bool) *tokenBucket {
	r, burst := rate.Limit(float64(limit.Requests)/limit.Per.Seconds()), limit.Burst
	switch {
	case exact:
	case burst > 1:
		burst--
	default:
		r *= 0.99
	}
	return &tokenBucket{Limiter: rate.NewLimiter(r, burst), exact: exact}
}

// next is how long to wait for a token.
func (b *tokenBucket) next(now time.Time) time.Duration {
	r := b.ReserveN(now, 1)
	defer r.CancelAt(now)
	return r.DelayFrom(now)
}

// leave takes the token of an attempt, which is there.
func (b *tokenBucket) leave(now time.Time, inflight int) {
	if inflight == 0 && b.TokensAt(now) >= float64(b.Burst()) {
		b.full, b.taken = now, 0
	}
	b.taken++
	b.ReserveN(now, 1)
}

// giveBack takes back an attempt that was not sent. A rate.Reservation gives nothing back once its time has come.
func (b *tokenBucket) giveBack(now time.Time) {
	b.taken--
	b.AllowN(now, -1)
}

// answered takes in that an attempt has ended; quickest is the least time that any took to go and come back.
func (b *tokenBucket) answered(sent, now time.Time, quickest time.Duration) {
	if b.exact || b.full.IsZero() || sent.Before(b.full) {
		return
	}
	held := float64(b.Burst()) - b.taken + float64(b.Limit())*min(quickest, now.Sub(sent)).Seconds()
	for surplus := math.Ceil(b.TokensAt(now) - held - reserved); surplus > 0; surplus-- {
		b.ReserveN(now, 1)
	}
	b.full = time.Time{}
}

// reserved is how many of the tokens that flowed in too soon the reserve makes up for.
const reserved = 0.1
