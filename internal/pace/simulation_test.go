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
	newClient func(now time.Time) simPacer              // nil: an adapting controller
}

// A simPacer decides when the head of a queue may leave: a controller or a local limit.
type simPacer interface {
	next(now time.Time, inflight int) (time.Time, bool)
	leave(now time.Time)
	accepted(sent, now time.Time)
	throttled(sent, now time.Time, wait time.Duration, told bool)
	quota(now time.Time, r quotaReading)
	answered(date, sent, now time.Time, ok bool)
}

// dialect is how the server's responses give the wait.
type dialect int

const (
	bare         dialect = iota // not at all
	millis                      // in ms
	retryAfter                  // in whole seconds, rounded up
	quotaHeaders                // by limit, remaining and reset, the last in whole seconds since 1970, on every response
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
	rng      *rand.Rand
	now      time.Time
	server   simServer
	clients  []*simClient
	events   events
	seq      int
	underway int // requests, of all clients
	done     int
	refused  int
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

// simClient is a queue: attempts leave in the order of arrival, a throttled call before the others.
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
	for c.waiting > 0 && c.done+c.underway < c.calls {
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
	c.underway++
	up, down := c.rtt(c.rng)
	c.after(up, func() {
		ok, wait := c.server.admit(c.now.Add(c.skew))
		if !ok {
			c.simRun.refused++
		}
		remaining, reset := c.server.left()
		date := c.now.Add(c.skew).Truncate(time.Second)
		c.after(down, func() {
			c.receive(sent, date, ok, wait, quotaReading{remaining: remaining, reset: reset})
		})
	})
}

func (c *simClient) receive(sent, date time.Time, ok bool, wait time.Duration, q quotaReading) {
	c.inflight--
	c.underway--
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
			c.pace.throttled(sent, c.now, 0, false)
		case millis:
			c.pace.throttled(sent, c.now, roundUp(wait, time.Millisecond), true)
		case retryAfter:
			c.pace.throttled(sent, c.now, roundUp(wait, time.Second), true)
		case quotaHeaders:
			c.pace.throttled(sent, c.now, max(0, q.reset.Sub(c.now.Add(c.skew))), true)
		}
	}
	for _, o := range c.clients {
		o.pump()
	}
}

func roundUp(d, unit time.Duration) time.Duration { return (d + unit - 1) / unit * unit }

// localPace is a controller with the clock that the Line keeps for it, and perhaps a local limit.
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
		l.window.leave()
	}
}

// answered is what the Line does with every response before its verdict.
func (l *localPace) answered(date, sent, now time.Time, ok bool) {
	l.clock.observe(date, sent, now)
	if l.window == nil {
		return
	}
	l.window.answered(sent, now)
	if !ok {
		l.window.throttled(now)
	}
}

func (l *localPace) quota(now time.Time, r quotaReading) {
	r.reset = l.clock.local(r.reset)
	l.controller.quota(now, r)
}

type event struct {
	at  time.Time
	seq int
	do  func()
}

// events is a heap: by time, then by age.
type events []event

func (e events) Len() int { return len(e) }

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
