package throttle

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/waits"
)

// A Reading is what a response says about one quota.
type Reading struct {
	Name         string // the same for the same quota in every response
	Limit        int64
	Remaining    int64
	HasLimit     bool
	HasRemaining bool
	Reset        time.Duration // from the time of the response until the quota is renewed
	HasReset     bool
	Absurd       bool          // the reset is beyond reason, so that nobody knows until when Remaining counts
	Asked        bool          // the reset is that of Retry-After
	Renewed      time.Time     // Reset by the server's clock, where it is written as a time; zero: it is not
	Window       time.Duration // how often it is renewed; zero: not known
}

// String says what is left of a quota.
func (r Reading) String() string {
	var s string
	switch {
	case r.HasRemaining && r.HasLimit:
		s = fmt.Sprintf("quota: %d of %d left", r.Remaining, r.Limit)
	case r.HasRemaining:
		s = fmt.Sprintf("quota: %d left", r.Remaining)
	case r.HasLimit:
		s = fmt.Sprintf("quota of %d", r.Limit)
	default:
		s = "quota"
	}
	if r.Window > 0 {
		s += " in " + r.Window.String()
	}
	switch {
	case r.Absurd:
		s += ", renewed in more than 366 days, which is ignored"
	case r.HasReset:
		s += ", renewed in " + r.Reset.Round(time.Second).String()
	}
	return s
}

// quota is a compiled Quota.
type quota struct {
	name                   string
	limit, remaining, used *extract
	reset                  *extract
	window                 time.Duration
	fields                 bool // the RateLimit fields of the IETF draft, which have several quotas
}

// compileQuotas compiles the quotas of the field at path; origin says whose they are.
func compileQuotas(path, origin string, list []Quota, kind media.Kind, report problem.Report) []quota {
	compiled := make([]quota, 0, len(list))
	for i, q := range list {
		field := fmt.Sprintf("%s[%d]", path, i)
		problem.NotNegative(report, field+".Window", q.Window)
		if q.Remaining == (Extract{}) && q.Limit == (Extract{}) {
			report(field, "it does not say where to find what is left", "set Remaining, or Limit and Used")
		}
		c := quota{
			name:      fmt.Sprintf("%squota[%d]", origin, i),
			limit:     compileCount(field+".Limit", q.Limit, kind, report),
			remaining: compileCount(field+".Remaining", q.Remaining, kind, report),
			used:      compileCount(field+".Used", q.Used, kind, report),
			window:    q.Window,
			fields:    isRateLimitField(q.Remaining),
		}
		if q.Reset != (Extract{}) {
			c.reset = new(compileExtract(field+".Reset", q.Reset, kind, report))
		}
		compiled = append(compiled, c)
	}
	return compiled
}

// Readings are what a response says about quotas. Those that say nothing are left out, and those whose limit is zero, which some
// APIs send where something else is used up.
func (j *Judge) Readings(v *View) []Reading {
	if !v.wasRead {
		v.wasRead, v.readings = true, j.read(v)
	}
	return v.readings
}

func (j *Judge) read(v *View) []Reading {
	var all []Reading
	for i := range j.quotas {
		if j.quotas[i].fields {
			all = append(all, rateLimitReadings(v)...)
		} else {
			all = append(all, j.quotas[i].read(v))
		}
	}
	return slices.DeleteFunc(all, func(r Reading) bool {
		return r.HasLimit && r.Limit == 0 || !r.HasLimit && !r.HasRemaining && !r.HasReset
	})
}

func (q *quota) read(v *View) Reading {
	r := Reading{Name: q.name, Window: q.window}
	limit, hasLimit := q.limit.count(&v.Response)
	remaining, hasRemaining := q.remaining.count(&v.Response)
	if used, ok := q.used.count(&v.Response); ok && !hasRemaining && hasLimit {
		remaining, hasRemaining = max(0, limit-used), true
	}
	if hasLimit && limit > 0 && limit != math.Trunc(limit) && r.Window > 0 {
		// A rate such as 0.5 a second is one in two seconds.
		limit, r.Window = 1, believed(time.Duration(min(float64(r.Window)/limit, math.MaxInt64/2)))
	}
	r.Limit, r.HasLimit = wholeCount(limit), hasLimit
	r.Remaining, r.HasRemaining = wholeCount(remaining), hasRemaining
	if q.reset != nil {
		found, absurd := q.reset.durations(v)
		if len(found) > 0 {
			r.Reset, r.HasReset = found[0], true
			r.Renewed = q.reset.moment(&v.Response)
		}
		r.Absurd = absurd && !r.HasReset
	}
	return r
}

// wholeCount rounds a count down and saturates.
func wholeCount(n float64) int64 {
	if n >= math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(n)
}

// believed is a window that a response gives; zero, which is not known, where it is beyond reason.
func believed(window time.Duration) time.Duration {
	if window > waits.Longest {
		return 0
	}
	return window
}
