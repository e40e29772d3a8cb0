package throttle

import (
	"math"
	"slices"
	"time"

	"github.com/dunglas/httpsfv"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/response"
	"github.com/seed-363d07a3/jwtbearer/internal/waits"
)

// The fields of the IETF draft, as http.Header keeps them.
const (
	rateLimitHeader = "Ratelimit"
	policyHeader    = "Ratelimit-Policy"
	limitHeader     = "Ratelimit-Limit"
	remainingHeader = "Ratelimit-Remaining"
	resetHeader     = "Ratelimit-Reset"
)

// rateLimitReadings reads the RateLimit and RateLimit-Policy fields of draft-ietf-httpapi-ratelimit-headers in the
// forms that its versions have had. Retry-After takes precedence over the resets in them.
func rateLimitReadings(v *View) []Reading {
	h := v.Header()
	if len(h[rateLimitHeader])+len(h[remainingHeader])+len(h[resetHeader]) == 0 {
		return nil // as in nearly all responses
	}
	readings := slices.Clone(v.rateLimit())
	if readings == nil {
		readings = rateLimitTriple(v)
	}
	retryAfter := extract{header: "Retry-After"}
	if told, _ := retryAfter.durations(v); len(told) > 0 {
		for i := range readings {
			if readings[i].HasReset {
				readings[i].Reset, readings[i].Renewed, readings[i].Asked = told[0], time.Time{}, true
			}
		}
	}
	return readings
}

// rateLimitWait is the wait that the RateLimit field asks for: the latest reset of the quotas that are used up or do not
// say what is left, else, since the response is a throttle all the same, the latest of all. Resets beyond reason are left out;
// absurd says that there was one.
func rateLimitWait(v *View) (found []time.Duration, absurd bool) {
	var used, all []time.Duration
	for _, r := range v.rateLimit() {
		absurd = absurd || r.Absurd
		if !r.HasReset {
			continue
		}
		all = append(all, r.Reset)
		if !r.HasRemaining || r.Remaining == 0 {
			used = append(used, r.Reset)
		}
	}
	if len(used) > 0 {
		return []time.Duration{slices.Max(used)}, absurd
	}
	if len(all) > 0 {
		return []time.Duration{slices.Max(all)}, absurd
	}
	return nil, absurd
}

// rateLimit are the quotas in the field RateLimit. Nil: it is not there, or malformed.
func (v *View) rateLimit() []Reading {
	if v.wasParsed || len(v.Fields(rateLimitHeader)) == 0 {
		return v.limits
	}
	v.wasParsed, v.limits = true, rateLimitItems(&v.Response)
	if v.limits == nil {
		v.limits = rateLimitDictionary(&v.Response)
	}
	return v.limits
}

// quotaPolicy is an item of RateLimit-Policy.
type quotaPolicy struct {
	limit    int64
	window   time.Duration
	requests bool // it counts requests, not bytes or concurrent requests
}

// rateLimitItems reads the newest forms, lists of items with parameters: "burst";r=50;t=30, and with bare names.
func rateLimitItems(resp *response.Response) []Reading {
	list, err := httpsfv.UnmarshalList(resp.Fields(rateLimitHeader))
	if err != nil {
		return nil
	}
	policies := rateLimitPolicies(resp)
	var readings []Reading
	for _, member := range list {
		item, ok := member.(httpsfv.Item)
		if !ok {
			continue
		}
		name, ok := nameOf(item)
		r := Reading{Name: "RateLimit " + problem.OneLine(name)} // it may end up in a log
		r.Remaining, r.HasRemaining = intParam(item, "r")
		r.Limit, r.HasLimit = intParam(item, "q")
		r.resetIn(intParam(item, "t"))
		if p, known := policies[name]; known {
			if !p.requests {
				continue
			}
			r.Limit, r.HasLimit, r.Window = p.limit, p.limit > 0, p.window
		}
		if ok && (r.HasRemaining || r.HasReset || r.Absurd) {
			readings = append(readings, r)
		}
	}
	return readings
}

// rateLimitPolicies reads "burst";q=100;w=60 by name; a malformed field has none.
func rateLimitPolicies(resp *response.Response) map[string]quotaPolicy {
	list, err := httpsfv.UnmarshalList(resp.Fields(policyHeader))
	if err != nil {
		return nil
	}
	policies := make(map[string]quotaPolicy, len(list))
	for _, member := range list {
		item, ok := member.(httpsfv.Item)
		if !ok {
			continue
		}
		name, ok := nameOf(item)
		if !ok {
			continue
		}
		limit, ok := intParam(item, "q")
		if !ok {
			limit, _ = intParam(item, "l") // an older name
		}
		window, _ := intParam(item, "w")
		unit, told := item.Params.Get("qu")
		policies[name] = quotaPolicy{limit: limit, window: believed(wholeSeconds(window)), requests: !told || unit == "requests"}
	}
	return policies
}

// rateLimitDictionary reads the form of draft 7: limit=100, remaining=50, reset=5, with a policy of 100;w=60.
func rateLimitDictionary(resp *response.Response) []Reading {
	dictionary, err := httpsfv.UnmarshalDictionary(resp.Fields(rateLimitHeader))
	if err != nil {
		return nil
	}
	member := func(name string) (int64, bool) {
		m, _ := dictionary.Get(name)
		item, ok := m.(httpsfv.Item)
		n, isInt := item.Value.(int64)
		return n, ok && isInt && n >= 0
	}
	r := Reading{Name: "RateLimit"}
	r.Limit, r.HasLimit = member("limit")
	r.Remaining, r.HasRemaining = member("remaining")
	r.resetIn(member("reset"))
	if !r.HasRemaining && !r.HasReset && !r.Absurd {
		return nil
	}
	r.Window = windowOf(r.Limit, resp.Fields(policyHeader))
	return []Reading{r}
}

// rateLimitTriple reads the form of drafts up to 6: RateLimit-Limit: 10, 10;w=1, 50;w=60, RateLimit-Remaining,
// RateLimit-Reset.
func rateLimitTriple(v *View) []Reading {
	triple := quota{
		name:      "RateLimit",
		limit:     &extract{header: limitHeader},
		remaining: &extract{header: remainingHeader},
		reset:     &extract{header: resetHeader, as: waits.Auto},
	}
	r := triple.read(v)
	if !r.HasRemaining && !r.HasReset && !r.Absurd {
		return nil
	}
	r.Window = windowOf(r.Limit, slices.Concat(v.Fields(limitHeader), v.Fields(policyHeader)))
	return []Reading{r}
}

// windowOf finds the window of a limit among 10, 10;w=1, 50;w=60.
func windowOf(limit int64, fields []string) time.Duration {
	list, err := httpsfv.UnmarshalList(fields)
	if err != nil {
		return 0
	}
	for _, member := range list {
		if item, ok := member.(httpsfv.Item); ok && item.Value == limit {
			if w, ok := intParam(item, "w"); ok {
				return believed(wholeSeconds(w))
			}
		}
	}
	return 0
}

// nameOf is a string or a token; a quota of any other name is malformed.
func nameOf(item httpsfv.Item) (string, bool) {
	switch v := item.Value.(type) {
	case string:
		return v, true
	case httpsfv.Token:
		return string(v), true
	}
	return "", false
}

// intParam is a parameter that is a whole number and not negative.
func intParam(item httpsfv.Item, name string) (int64, bool) {
	v, _ := item.Params.Get(name)
	n, ok := v.(int64)
	return max(0, n), ok && n >= 0
}

// resetIn takes a reset in seconds from now.
func (r *Reading) resetIn(seconds int64, ok bool) {
	reset := wholeSeconds(seconds)
	r.HasReset, r.Absurd = ok && reset <= waits.Longest, ok && reset > waits.Longest
	if r.HasReset {
		r.Reset = reset
	}
}

func wholeSeconds(n int64) time.Duration {
	if n > int64(math.MaxInt64/time.Second) {
		return math.MaxInt64
	}
	return time.Duration(n) * time.Second
}
