// Package pace decides when the next attempt may be sent to one endpoint. It knows times and verdicts only; it must never know
// requests, responses, fields, rules, tokens or the settings of a connection.
//
// # The queue
//
// All attempts of a Line wait in one queue, ordered by the number of their call, so that a retry goes before calls that began later.
// Only the head asks what limits the pace, and takes of it only at the moment it leaves: the gate and the controller, the windows,
// the buckets, the interval and the concurrency. A cancelled waiter therefore has nothing to give back, and a gate that closes or
// a rate that changes counts for everybody at once. Nothing runs in the background. An attempt that leaves holds a Slot, which ends
// in a verdict (Accepted, Throttled, Failed) or is given back unused.
//
// # The gate
//
// A throttle closes the gate for all, for as long as the API asks or, where it does not say, for a guess that grows with the
// throttles in a row. A quota that is used up closes it until its reset. An attempt that may not wait that long gets a Refusal at
// once. Where the gate stays closed for longer than MaxWait, one attempt now and then passes as a probe: if it is accepted, the gate
// opens; if it is throttled, the wait that it is given counts.
//
// # The controller
//
// AIMD raises the rate by a constant with each success and halves it with each throttle. It converges from any start, but it pays
// for that all the time: the rate is a saw tooth below the limit, a throttle is due whenever it reaches the limit, and how often
// that is depends on the constants and not on the server. Here the server is assumed to keep a token bucket, or a window, which is
// a bucket that fills all at once; and so two numbers, rate and burst, are measured rather than searched for (bucketModel):
//
//   - Start. Before the first throttle nothing is known and nothing is paced. Two attempts may be in flight, and one more for each
//     that was accepted: that doubles with each round trip, as slow start does in TCP.
//   - First throttle. The bucket was full at the start and is empty now: what was accepted is the burst. A ramp from a low rate,
//     exponential as well, leads to the second one.
//   - Each further throttle. The bucket was empty at the last throttle and is empty now: what was accepted in between is what flowed
//     in, and that is the rate. It may rise at once by any factor and falls by half at most.
//   - Between throttles the pace stays 1 % below the rate, for a time in proportion to what a throttle costs. Then it rises
//     exponentially until the next throttle, in order to notice a rate that rose. However far it overshot, that measurement is
//     right, so that there is no decrease to recover from.
//   - Several throttles at once are one event. Those of attempts that were sent before the gate last opened may prolong its closing
//     and teach nothing; TCP likewise reduces its window once per round trip.
//   - A throttle right after the gate opened says that the wait was too short, not that the rate was wrong. Then the gate opens for
//     one attempt, and for two more with each that is accepted.
//
// An API that throttles because too many requests are in flight gets a limit on their number (inFlightLimit): one less with each
// such throttle, one more after fifty accepted attempts.
//
// With Settings.Fixed there is no model: every opening of the gate is a slow start, and only what is set limits the pace.
package pace

import "time"

// Settings say what a Line keeps to.
type Settings struct {
	Limits      []Limit       // kept all at once
	Interval    time.Duration // between two attempts; zero: none
	Concurrency int           // attempts in flight at most; zero: no limit
	Reserve     int           // what is left of a quota when attempts begin to wait for its reset
	Fixed       bool          // nothing is learnt from throttles
	MaxWait     time.Duration // longest wait for a closed gate, at most waits.Longest; zero: no bound
}

// A Limit allows so many requests in each Per: as a bucket of that Burst, or as a window where Burst is zero.
type Limit struct {
	Requests int
	Per      time.Duration
	Burst    int
}

// A Throttle is what a response asks for that throttles an attempt.
type Throttle struct {
	Class string        // Concurrency, Exhausted, or any other: all others count the same
	Rule  string        // what recognised it; only passed on, in a Refusal and by Line.Closed
	Wait  time.Duration // zero: not known
	Told  bool          // the API said how long; otherwise Wait comes from the settings
}

// The classes of a Throttle that do not count as all others do.
const (
	Concurrency = "concurrency" // too many requests are in flight: the gate stays open
	Exhausted   = "exhausted"   // a quota is used up
)

// An Observation is what a response says besides its verdict.
type Observation struct {
	Date     time.Time // the server's clock; zero: not known
	Readings []Reading // not kept
}

// A Reading is what a response says is left of one quota.
type Reading struct {
	Name      string // the same for the same quota in every response
	Remaining int64
	Reset     time.Duration // from the response until the quota is renewed; zero, without Renewed: not known
	Renewed   time.Time     // the same by the server's clock, where the response says it so; zero: it does not
}
