package pace

import (
	"cmp"
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/time/rate"
)

// A simulation runs the controller of this package against a server with a limit, in simulated time: no goroutine, no
// clock, and the same figures for the same seed.
type simulation struct {
	server    func(*rand.Rand, time.Time) simServer // built when the run begins
	dialect   dialect
	rtt       func(*rand.Rand) (up, down time.Duration) // nil: a loopback, with timers up to 1 ms late
	late      time.Duration                             // how late timers fire at most
	skew      time.Duration                             // the server's clock, less ours
	calls     int                                       // in all; 0: 600
	workers   int                                       // in all; 0: 8
	clients   int                                       // 0: 1
	newClient func(now time.Time) simPacer              // nil: an adapting pace
}

// A simPacer is what stands at the head of a line: a pace or a local limit.
type simPacer interface {
	next(now time.Time, inflight int) (time.Time, bool)
	leave(now time.Time)
	accepted(sent, now time.Time)
	refused(sent, now time.Time, wait time.Duration, told bool)
	quota(now time.Time, r quotaReading)
	answered(date, sent, now time.Time, ok bool)
}

// A simServer admits or refuses one request.
type simServer interface {
	admit(t time.Time) (ok bool, wait time.Duration)
	left() (remaining int64, reset time.Time)
	ideal(calls int) time.Duration
}

// dialect is how the server's refusals tell the wait.
type dialect int

const (
	bare         dialect = iota // not at all
	millis                      // in ms
	retryAfter                  // in whole seconds, rounded up
	quotaHeaders                // by limit, remaining and reset, the last in whole seconds since 1970, on every answer
)

func (d dialect) String() string {
	return [...]string{"bare", "ms", "Retry-After s", "quota headers"}[d]
}

// simResult is what a run reached.
type simResult struct {
	speed   float64 // % of the ideal; NaN: it did not end
	refused float64 // % of all requests
	share   float64 // what the slowest client got, of what the fastest got
}

func (s simulation) run(seed uint64) simResult {
	s.calls, s.workers, s.clients = cmp.Or(s.calls, 600), cmp.Or(s.workers, 8), max(1, s.clients)
	if s.rtt == nil {
		s.rtt, s.late = loopbackRTT, time.Millisecond
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	start := time.Unix(1_800_000_000, rng.Int64N(int64(time.Minute)))
	r := &simRun{simulation: s, rng: rng, now: start, server: s.server(rng, start.Add(s.skew))}
	for range s.clients {
		r.clients = append(r.clients, r.newSimClient())
	}
	for _, c := range r.clients {
		c.pump()
	}
	for len(r.events) > 0 && r.done < s.calls {
		e := heap.Pop(&r.events).(event)
		r.now = e.at
		e.do()
	}
	return r.result(start)
}

type simRun struct {
	simulation
	rng     *rand.Rand
	now     time.Time
	server  simServer
	clients []*simClient
	events  events
	seq     int
	flying  int // requests, of all clients
	done    int
	refused int
}

func (r *simRun) after(d time.Duration, do func()) {
	r.seq++
	heap.Push(&r.events, event{r.now.Add(d), r.seq, do})
}

func (r *simRun) result(start time.Time) simResult {
	res := simResult{speed: math.NaN(), refused: 100 * float64(r.refused) / float64(r.refused+r.done)}
	if r.done == r.calls {
		res.speed = 100 * float64(r.server.ideal(r.calls)) / float64(r.now.Sub(start))
	}
	var got []float64
	for _, c := range r.clients {
		got = append(got, float64(c.got))
	}
	res.share = slices.Min(got) / slices.Max(got)
	return res
}

// simClient is a line: whoever waits leaves in the order of arrival, a refused call before them.
type simClient struct {
	*simRun
	pace     simPacer
	waiting  int
	inflight int
	got      int
	timer    int // the one that counts
}

func (r *simRun) newSimClient() *simClient {
	c := &simClient{simRun: r, waiting: r.workers / r.simulation.clients}
	if r.newClient != nil {
		c.pace = r.newClient(r.now)
	} else {
		c.pace = &localPace{controller: newController(false, 0), clock: new(serverClock)}
	}
	return c
}

// pump lets leave who may.
func (c *simClient) pump() {
	for c.waiting > 0 && c.done+c.flying < c.calls {
		at, ok := c.pace.next(c.now, c.inflight)
		if !ok {
			return
		}
		if at.After(c.now) {
			c.sleep(at)
			return
		}
		c.send()
	}
}

// sleep sets the client's one timer.
func (c *simClient) sleep(at time.Time) {
	d := at.Sub(c.now)
	if c.late > 0 {
		d += time.Duration(c.rng.Int64N(int64(c.late)))
	}
	c.timer++
	timer := c.timer
	c.after(d, func() {
		if timer == c.timer {
			c.pump()
		}
	})
}

func (c *simClient) send() {
	sent := c.now
	c.pace.leave(sent)
	c.waiting--
	c.inflight++
	c.flying++
	up, down := c.rtt(c.rng)
	c.after(up, func() {
		ok, wait := c.server.admit(c.now.Add(c.skew))
		if !ok {
			c.simRun.refused++
		}
		remaining, reset := c.server.left()
		date := c.now.Add(c.skew).Truncate(time.Second)
		c.after(down, func() {
			c.answer(sent, date, ok, wait, quotaReading{remaining: remaining, reset: reset})
		})
	})
}

func (c *simClient) answer(sent, date time.Time, ok bool, wait time.Duration, q quotaReading) {
	c.inflight--
	c.flying--
	c.waiting++
	c.pace.answered(date, sent, c.now, ok)
	if c.dialect == quotaHeaders {
		c.pace.quota(c.now, q)
	}
	if ok {
		c.got++
		c.done++
		c.pace.accepted(sent, c.now)
	} else {
		switch c.dialect {
		case bare:
			c.pace.refused(sent, c.now, 0, false)
		case millis:
			c.pace.refused(sent, c.now, roundUp(wait, time.Millisecond), true)
		case retryAfter:
			c.pace.refused(sent, c.now, roundUp(wait, time.Second), true)
		case quotaHeaders:
			c.pace.refused(sent, c.now, max(0, q.reset.Sub(c.now.Add(c.skew))), true)
		}
	}
	for _, o := range c.clients {
		o.pump()
	}
}

func roundUp(d, unit time.Duration) time.Duration { return (d + unit - 1) / unit * unit }

// localPace is a pace with the clock that the line keeps for it, and perhaps a local limit.
type localPace struct {
	*controller
	clock  *serverClock
	bucket *rate.Limiter
	window *window
}

func (l *localPace) next(now time.Time, inflight int) (time.Time, bool) {
	at, ok := l.controller.next(now, inflight)
	if l.bucket != nil {
		r := l.bucket.ReserveN(now, 1)
		at = later(at, now.Add(r.DelayFrom(now)))
		r.CancelAt(now)
	}
	if l.window != nil {
		free, open := l.window.next(now)
		at, ok = later(at, free), ok && open
	}
	return at, ok
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (l *localPace) leave(now time.Time) {
	l.controller.leave(now)
	if l.bucket != nil {
		l.bucket.ReserveN(now, 1)
	}
	if l.window != nil {
		l.window.leave(now)
	}
}

// answered stands for what the line does with every answer, before it is judged.
func (l *localPace) answered(date, sent, now time.Time, ok bool) {
	l.clock.observe(date, sent, now)
	if l.window == nil {
		return
	}
	l.window.answered(sent, now)
	if !ok {
		l.window.refused(now)
	}
}

func (l *localPace) quota(now time.Time, r quotaReading) {
	r.reset = l.clock.local(r.reset)
	l.controller.quota(now, r)
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

type event struct {
	at  time.Time
	seq int
	do  func()
}

// events is a heap: by time, then by age.
type events []event

func (e events) Len() int      { return len(e) }
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e events) Less(i, j int) bool {
	if !e[i].at.Equal(e[j].at) {
		return e[i].at.Before(e[j].at)
	}
	return e[i].seq < e[j].seq
}
func (e *events) Push(x any) { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}
