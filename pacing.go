package jwtbearer

import "time"

// lineSettings say what a line keeps to.
type lineSettings struct {
	limits      []lineLimit
	interval    time.Duration // between two attempts; zero: none
	concurrency int           // attempts in flight at most; zero: no limit
	reserve     int           // of a quota, that is left over
	fixed       bool          // nothing is learnt from refusals
	maxWait     time.Duration // longest wait for a closed gate; zero: no bound
}

// A lineLimit allows so many requests in each Per; with a Burst as a bucket, else as a window.
type lineLimit struct {
	Requests int
	Per      time.Duration
	Burst    int
}
