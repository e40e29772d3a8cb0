package jwtbearer

import (
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/pace"
	"github.com/seed-363d07a3/jwtbearer/internal/throttle"
)

// RateLimit says how an API throttles and how fast it may be called. The zero value understands 429, Retry-After and the
// common RateLimit fields, and adapts to limits that are not stated.
type RateLimit struct {
	// Profile names a built-in set of these settings for a known API. What is set besides overrides it. Empty means none.
	Profile string `json:"profile,omitzero"`

	// Limits are kept all at once. Empty means none.
	Limits []Limit `json:"limits,omitzero"`

	// Interval is the least time between two requests. Zero means none.
	Interval time.Duration `json:"interval,omitzero"`

	// Concurrency is how many attempts may be in flight: until the body is read to its end or closed. Zero means no limit.
	Concurrency int `json:"concurrency,omitzero"`

	// Rules say which responses are throttles. Empty means 429, and 503 with Retry-After.
	Rules []Rule `json:"rules,omitzero"`

	// Wait says where a throttled response says how long to wait; the first that is found counts, unless Combine says otherwise. Empty
	// means Retry-After, then the RateLimit fields of the IETF draft, then X-RateLimit-Reset.
	Wait []Extract `json:"wait,omitzero"`

	// Combine is first (the default) or longest, of the waits that are found.
	Combine string `json:"combine,omitzero"`

	// DefaultWait is the wait where the response says none. Zero leaves it to the adaptation.
	DefaultWait time.Duration `json:"defaultWait,omitzero"`

	// MinWait is the least wait. Zero means none.
	MinWait time.Duration `json:"minWait,omitzero"`

	// MaxWait is the longest wait that a call waits for; a longer one is refused at once, and the API is then asked by one call
	// now and then, first after MaxWait. Zero means 5 minutes, negative no bound.
	MaxWait time.Duration `json:"maxWait,omitzero"`

	// Quota says where responses say what is left. Empty means the RateLimit fields of the IETF draft.
	Quota []Quota `json:"quota,omitzero"`

	// Reserve is the remainder of a quota at which calls wait for its reset. Zero uses it up.
	Reserve int `json:"reserve,omitzero"`

	// Fixed turns adaptation off: only what is set here limits the pace. Without it a new client also starts slowly, with two
	// requests at once and twice as many with each round trip or 200 ms, until the API first throttles or all are at work.
	Fixed bool `json:"fixed,omitzero"`
}

// Limit is so many requests in so much time.
type Limit struct {
	// Requests is how many, at least 1.
	Requests int `json:"requests,omitzero"`

	// Per is the time.
	Per time.Duration `json:"per,omitzero"`

	// Burst above zero makes the limit a bucket (golang.org/x/time/rate) of that size, refilled at Requests per Per. Zero
	// makes it a sliding window: never more than Requests in any Per, each counted until its response arrives, plus Per. Unless
	// RateLimit.Fixed, the window follows the server's clock where Date gives it, and a bucket keeps one token in reserve.
	Burst int `json:"burst,omitzero"`
}

// Rule recognises a response. All that is set must hold; a rule in which nothing is set is an error.
type Rule struct {
	// Status lists the status codes; 4 and 5 stand for 4xx and 5xx. Empty: any.
	Status []int `json:"status,omitzero"`

	// Header must be present. With Values or Match, it is its value that they look at. Only 64 lines and 8 KiB of it are read.
	Header string `json:"header,omitzero"`

	// Path must be present in the body: a JSONPath (RFC 9535; a leading $. is optional, and $ cannot stand elsewhere), or a path
	// of elements in XML. With Values or Match, it is its value that they look at. In a body over 64 KiB, and in
	// one in which the path costs too much, it is not found.
	Path string `json:"path,omitzero"`

	// Values are compared exactly with the text of a scalar, or with any element of an array.
	Values []string `json:"values,omitzero"`

	// Match is a regular expression on the value of Header or Path, or on the body where neither is set. One with large counts,
	// such as .{900}, is refused for its cost.
	Match string `json:"match,omitzero"`

	// Class says what kind of throttle it is; see the package documentation. Empty means throttled. It has no meaning outside
	// RateLimit.Rules.
	Class string `json:"class,omitzero"`
}

// Extract says where a response has a value, and how it is written.
type Extract struct {
	// Header is the field to read. Empty: the body.
	Header string `json:"header,omitzero"`

	// Path leads to the value in the body, as in Rule.
	Path string `json:"path,omitzero"`

	// Match is a regular expression on that text, whose first group is the value. Empty: the text itself.
	Match string `json:"match,omitzero"`

	// As is the form: auto, seconds, millis, minutes, epoch, epochMillis, httpDate, iso8601, duration, int or decimal. Empty means
	// auto for a wait and int for a count.
	As string `json:"as,omitzero"`
}

// Quota says where responses say what is left of a limit. What is left is the least that a response gave since the last reset,
// less what is in flight: a response that says nothing changes nothing.
type Quota struct {
	Limit     Extract `json:"limit,omitzero"`     // how many in all
	Remaining Extract `json:"remaining,omitzero"` // how many are left
	Used      Extract `json:"used,omitzero"`      // how many are used, where Remaining is not given
	Reset     Extract `json:"reset,omitzero"`     // when it is renewed

	// Window is how often the quota is renewed, where Reset is not given.
	Window time.Duration `json:"window,omitzero"`
}

// compileThrottling compiles the RateLimit of a field. Paths in bodies are read as kind says.
func (b *setup) compileThrottling(field string, rl RateLimit, kind MediaType) *throttle.Judge {
	return throttle.Compile(field, rl.settings(), media.Kind(kind), b.p.add)
}

// compileRules compiles the rules of a field.
func (b *setup) compileRules(field string, rules []Rule, kind MediaType) throttle.Rules {
	return throttle.CompileRules(field, ruleSettings(rules), media.Kind(kind), b.p.add)
}

// settings is rl as package throttle takes it.
func (rl RateLimit) settings() throttle.RateLimit {
	s := throttle.RateLimit{Profile: rl.Profile, Interval: rl.Interval, Concurrency: rl.Concurrency, Rules: ruleSettings(rl.Rules),
		Combine: rl.Combine, DefaultWait: rl.DefaultWait, MinWait: rl.MinWait, MaxWait: rl.MaxWait, Reserve: rl.Reserve, Fixed: rl.Fixed}
	for _, l := range rl.Limits {
		s.Limits = append(s.Limits, throttle.Limit(l))
	}
	for _, e := range rl.Wait {
		s.Wait = append(s.Wait, throttle.Extract(e))
	}
	for _, q := range rl.Quota {
		s.Quota = append(s.Quota, throttle.Quota{Limit: throttle.Extract(q.Limit), Remaining: throttle.Extract(q.Remaining),
			Used: throttle.Extract(q.Used), Reset: throttle.Extract(q.Reset), Window: q.Window})
	}
	return s
}

func ruleSettings(rules []Rule) []throttle.Rule {
	var settings []throttle.Rule
	for _, r := range rules {
		settings = append(settings, throttle.Rule(r))
	}
	return settings
}

// paceSettings is a pace as package pace takes it.
func paceSettings(p throttle.Pace) pace.Settings {
	limits := make([]pace.Limit, len(p.Limits))
	for i, limit := range p.Limits {
		limits[i] = pace.Limit(limit)
	}
	return pace.Settings{Limits: limits, Interval: p.Interval, Concurrency: p.Concurrency, Reserve: p.Reserve, Fixed: p.Fixed, MaxWait: p.MaxWait}
}
