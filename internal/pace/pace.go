package pace

import "time"

// Settings say what a line keeps to.
type Settings struct {
	Limits      []Limit
	Interval    time.Duration // between two attempts; zero: none
	Concurrency int           // attempts in flight at most; zero: no limit
	Reserve     int           // of a quota, that is left over
	Fixed       bool          // nothing is learnt from refusals
	MaxWait     time.Duration // longest wait for a closed gate; zero: no bound
}

// A Limit allows so many requests in each Per; with a Burst as a bucket, else as a window.
type Limit struct {
	Requests int
	Per      time.Duration
	Burst    int
}

// A Throttle is what an answer asks for that refuses an attempt.
type Throttle struct {
	Class string        // Concurrency, Exhausted, or any other, which is all the same here
	Rule  string        // what found it; it is only given back
	Wait  time.Duration // zero: none is known
	Told  bool          // the API said how long; otherwise Wait comes from the settings
}

// The classes of a Throttle that are treated in their own way.
const (
	Concurrency = "concurrency" // too many requests are in flight
	Exhausted   = "exhausted"   // a quota is used up
)
