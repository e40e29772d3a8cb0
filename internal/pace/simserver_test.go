package pace

import (
	"math/rand/v2"
	"time"
)

// A simServer admits or refuses one request.
type simServer interface {
	admit(t time.Time) (ok bool, wait time.Duration)
	left() (remaining int64, reset time.Time)
	ideal(calls int) time.Duration
}

// simBucket is a bucket of burst tokens, whose rate may change with time.
type simBucket struct {
	rate   func(time.Duration) float64
	burst  float64
	tokens float64
	start  time.Time
	last   time.Time
}

func bucket(rate, burst float64) func(*rand.Rand, time.Time) simServer {
	return changingBucket(func(time.Duration) float64 { return rate }, burst)
}

func changingBucket(rate func(time.Duration) float64, burst float64) func(*rand.Rand, time.Time) simServer {
	return func(_ *rand.Rand, now time.Time) simServer {
		return &simBucket{rate: rate, burst: burst, tokens: burst, start: now, last: now}
	}
}

func (b *simBucket) admit(t time.Time) (bool, time.Duration) {
	rate := b.rate(t.Sub(b.start))
	b.tokens = min(b.burst, b.tokens+rate*t.Sub(b.last).Seconds())
	b.last = t
	if b.tokens >= 1-1e-9 {
		b.tokens--
		return true, 0
	}
	return false, max(1, time.Duration((1-b.tokens)/rate*float64(time.Second)))
}

func (b *simBucket) left() (int64, time.Time) {
	full := (b.burst - b.tokens) / b.rate(b.last.Sub(b.start))
	reset := b.last.Add(time.Duration(full * float64(time.Second))).Truncate(time.Second).Add(time.Second)
	return int64(b.tokens), reset
}

func (b *simBucket) ideal(calls int) time.Duration {
	const step = 100 * time.Microsecond
	var at time.Duration
	for n := b.burst; n < float64(calls); at += step {
		n += b.rate(at) * step.Seconds()
	}
	return at
}

// simWindow admits so many in each window of per, aligned to the clock.
type simWindow struct {
	requests int
	per      time.Duration
	begin    time.Time // of the run
	window   time.Time
	used     int
}

func clockWindow(requests int, per time.Duration) func(*rand.Rand, time.Time) simServer {
	return func(_ *rand.Rand, now time.Time) simServer {
		return &simWindow{requests: requests, per: per, begin: now}
	}
}

func (w *simWindow) admit(t time.Time) (bool, time.Duration) {
	if at := t.Truncate(w.per); at.After(w.window) {
		w.window, w.used = at, 0
	}
	if w.used < w.requests {
		w.used++
		return true, 0
	}
	return false, w.window.Add(w.per).Sub(t)
}

func (w *simWindow) left() (int64, time.Time) {
	return int64(w.requests - w.used), w.window.Add(w.per)
}

func (w *simWindow) ideal(calls int) time.Duration {
	full := time.Duration((calls-1)/w.requests) * w.per
	return w.begin.Truncate(w.per).Add(full).Sub(w.begin)
}

func constantRTT(*rand.Rand) (up, down time.Duration) {
	return 150 * time.Microsecond, 150 * time.Microsecond
}

// loopbackRTT is 0.2 to 0.8 ms.
func loopbackRTT(rng *rand.Rand) (up, down time.Duration) {
	const least, most = 100 * time.Microsecond, 400 * time.Microsecond
	return between(rng, least, most), between(rng, least, most)
}

// jitterRTT is 20 to 100 ms, each way drawn for itself.
func jitterRTT(rng *rand.Rand) (up, down time.Duration) {
	return between(rng, 10*time.Millisecond, 50*time.Millisecond), between(rng, 10*time.Millisecond, 50*time.Millisecond)
}

func between(rng *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(rng.Int64N(int64(most-least)))
}
