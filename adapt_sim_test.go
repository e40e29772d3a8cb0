package jwtbearer

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// A simulation runs the controller of this package against a server with a limit, in simulated time: no goroutine, no clock, and
// the same figures for the same seed.
type simulation struct {
	server    func(*rand.Rand, time.Time) simServer // built when the run begins
	dialect   dialect
	rtt       func(*rand.Rand) (up, down time.Duration)
	late      time.Duration // how late timers fire at most
	skew      time.Duration // the server's clock, less ours
	calls     int           // in all
	workers   int           // of each client
	clients   int
	newClient func(now time.Time) simPacer // nil: an adapting pace
}

// A simPacer is what stands at the head of a line: a pace or a local limit.
type simPacer interface {
	next(now time.Time, inflight int) (time.Time, bool)
	leave(now time.Time)
	accepted(sent, now time.Time)
	refused(sent, now time.Time, wait time.Duration, told bool)
	quota(now time.Time, r quotaReading)
	dated(date, sent, now time.Time)
}

// A simServer admits or refuses one request.
type simServer interface {
	admit(t time.Time) (ok bool, wait time.Duration)
	left() (remaining int, reset time.Time)
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
	speed    float64   // % of the ideal
	refused  float64   // % of all requests
	episodes int       // refusals, where those within 50 ms count once
	rates    []float64 // what each client got per second
	took     time.Duration
}

func (s simulation) run(seed uint64) simResult {
	rng := rand.New(rand.NewPCG(seed, 1))
	start := time.Unix(1_800_000_000, rng.Int64N(int64(time.Minute)))
	r := &simRun{simulation: s, rng: rng, now: start, server: s.server(rng, start.Add(s.skew)), left: s.calls}
	for range max(1, s.clients) {
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
	left    int // calls nobody took yet
	done    int
	refused int
	lastEnd time.Time
	lastRef time.Time
	rows    int
}

func (r *simRun) after(d time.Duration, do func()) {
	r.seq++
	heap.Push(&r.events, event{r.now.Add(d), r.seq, do})
}

func (r *simRun) result(start time.Time) simResult {
	took := r.now.Sub(start)
	res := simResult{took: took, episodes: r.rows, refused: 100 * float64(r.refused) / float64(r.refused+r.done)}
	if r.done < r.calls {
		res.speed = math.NaN()
		return res
	}
	res.speed = 100 * float64(r.server.ideal(r.calls)) / float64(took)
	for _, c := range r.clients {
		res.rates = append(res.rates, float64(c.got)/took.Seconds())
	}
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
	c := &simClient{simRun: r, waiting: r.workers}
	if r.newClient != nil {
		c.pace = r.newClient(r.now)
	} else {
		c.pace = datedPace{newPace(false), new(serverClock)}
	}
	return c
}

func (c *simClient) pump() {
	for c.waiting > 0 && (c.inflight == 0 || c.inflight < c.workers) && c.left-c.onTheWay() > 0 {
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

func (c *simClient) onTheWay() (n int) {
	for _, o := range c.clients {
		n += o.inflight
	}
	return n
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
	up, down := c.rtt(c.rng)
	c.after(up, func() {
		ok, wait := c.server.admit(c.now.Add(c.skew))
		if !ok {
			c.simRun.refused++
			if c.now.Sub(c.lastRef) > 50*time.Millisecond {
				c.rows++
			}
			c.lastRef = c.now
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
	c.waiting++
	c.pace.dated(date, sent, c.now)
	if c.dialect == quotaHeaders {
		c.pace.quota(c.now, q)
	}
	if ok {
		c.got++
		c.done++
		c.left--
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

// datedPace is a pace with the clock that the line keeps for it.
type datedPace struct {
	*pace
	clock *serverClock
}

func (d datedPace) dated(date, sent, now time.Time) { d.clock.observe(date, sent, now) }

func (d datedPace) quota(now time.Time, r quotaReading) {
	r.reset = d.clock.local(r.reset)
	d.pace.quota(now, r)
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

func (b *simBucket) left() (int, time.Time) {
	full := (b.burst - b.tokens) / b.rate(b.last.Sub(b.start))
	reset := b.last.Add(time.Duration(full * float64(time.Second))).Truncate(time.Second).Add(time.Second)
	return int(b.tokens), reset
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

func (w *simWindow) left() (int, time.Time) {
	return w.requests - w.used, w.window.Add(w.per)
}

func (w *simWindow) ideal(calls int) time.Duration {
	full := time.Duration((calls-1)/w.requests) * w.per
	return w.begin.Truncate(w.per).Add(full).Sub(w.begin)
}

func constantRTT(*rand.Rand) (up, down time.Duration) {
	return 150 * time.Microsecond, 150 * time.Microsecond
}

// jitterRTT is 20 to 100 ms, each way drawn for itself.
func jitterRTT(rng *rand.Rand) (up, down time.Duration) {
	one := func() time.Duration { return 10*time.Millisecond + time.Duration(rng.Int64N(int64(40*time.Millisecond))) }
	return one(), one()
}

// medians runs the simulation with seeds 1 to n and gives the median of each figure, and the worst speed.
func (s simulation) medians(n int) (speed, refused, worst float64) {
	var speeds, refusals []float64
	for seed := range n {
		r := s.run(uint64(seed) + 1)
		speeds, refusals = append(speeds, r.speed), append(refusals, r.refused)
	}
	slices.Sort(speeds)
	slices.Sort(refusals)
	return speeds[n/2], refusals[n/2], speeds[0]
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
