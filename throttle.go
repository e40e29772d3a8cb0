package jwtbearer

// The classes of a throttle (Rule.Class).
const (
	classThrottled   = "throttled"
	classConcurrency = "concurrency"
	classExhausted   = "exhausted"
	classOverload    = "overload"
	classToken       = "token"
)
