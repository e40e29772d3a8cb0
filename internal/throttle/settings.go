package throttle

import "time"

// The settings of a RateLimit have the fields of the types of the same names in package jwtbearer, which document them.
type (
	RateLimit struct {
		Profile     string
		Limits      []Limit
		Interval    time.Duration
		Concurrency int
		Rules       []Rule
		Wait        []Extract
		Combine     string
		DefaultWait time.Duration
		MinWait     time.Duration
		MaxWait     time.Duration
		Quota       []Quota
		Reserve     int
		Fixed       bool
	}

	Limit struct {
		Requests int
		Per      time.Duration
		Burst    int
	}

	Rule struct {
		Status []int
		Header string
		Path   string
		Values []string
		Match  string
		Class  string
	}

	Extract struct {
		Header string
		Path   string
		Match  string
		As     string
	}

	Quota struct {
		Limit     Extract
		Remaining Extract
		Used      Extract
		Reset     Extract
		Window    time.Duration
	}
)

// A Pace is what a RateLimit, with its profile, says of how fast an API may be called.
type Pace struct {
	Limits      []Limit
	Interval    time.Duration // zero: none
	Concurrency int           // zero: no limit
	Reserve     int
	Fixed       bool
	MaxWait     time.Duration // at most waits.Longest; zero: no bound
}
