// Package throttle knows which responses are throttles, how long they ask to wait, and what is left of quotas, by settings and by the
// profiles of known APIs. It must never know what waits, nor when the next attempt may leave: that is package pace.
package throttle

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/waits"
)

// The classes of a throttle (Rule.Class). What follows from each is in the documentation of the root, section Throttling.
const (
	Throttled   = "throttled"
	Concurrency = "concurrency"
	Exhausted   = "exhausted"
	Overload    = "overload"
	Token       = "token"
)

const (
	defaultMaxWait = 5 * time.Minute // MaxWait where it is not set
	wantedWait     = time.Hour       // after a wait beyond reason, where MaxWait has no bound
)

// A Judge is a compiled RateLimit: it finds throttles, and what is left of quotas. It does not change after Compile, and is safe for
// concurrent use.
type Judge struct {
	Pace Pace // read only

	defaultWait time.Duration // zero: the adaptation decides
	minWait     time.Duration

	rules   Rules
	origin  string // of the rules: "", "default " or the profile's name and a space
	waits   []extract
	longest bool // the longest of the waits that are found counts, not the first
	quotas  []quota
}

// A Verdict is what a throttled response asks for.
type Verdict struct {
	Class string        // one of the classes above
	Rule  string        // that matched, such as rules[2], github rules[0] or default rules[1]
	Wait  time.Duration // zero: none is known; at least MinWait
	Told  bool          // the response says how long; otherwise Wait comes from the settings
}

// Compile compiles the RateLimit of the field at path, and reports its problems. Paths of the connection's own are compiled for kind,
// those of profiles and defaults for JSON and XML.
func Compile(path string, rl RateLimit, kind media.Kind, report problem.Report) *Judge {
	checkRateLimit(path, rl, report)
	base, defaults := profileSettings(path+".Profile", rl.Profile, report), defaultSettings()
	all := overlay(base, rl)
	j := &Judge{
		Pace: Pace{Limits: slices.Clone(all.Limits), Interval: all.Interval, Concurrency: all.Concurrency, Reserve: all.Reserve,
			Fixed: all.Fixed, MaxWait: boundOf(cmp.Or(all.MaxWait, defaultMaxWait))},
		defaultWait: all.DefaultWait,
		minWait:     all.MinWait,
		longest:     all.Combine == "longest",
	}
	rules := choose(rl.Profile, kind, rl.Rules, base.Rules, defaults.Rules)
	j.rules, j.origin = CompileRules(path+".Rules", rules.list, rules.kind, report), rules.origin
	wait := choose(rl.Profile, kind, rl.Wait, base.Wait, defaults.Wait)
	j.waits = compileWaits(path+".Wait", wait.list, wait.kind, report)
	quotas := choose(rl.Profile, kind, rl.Quota, base.Quota, defaults.Quota)
	j.quotas = compileQuotas(path+".Quota", quotas.origin, quotas.list, quotas.kind, report)
	return j
}

// boundOf is MaxWait as it is compiled: one that no wait within reason reaches is none.
func boundOf(maxWait time.Duration) time.Duration {
	if maxWait < 0 || maxWait > waits.Longest {
		return 0
	}
	return maxWait
}

// choice is a list of settings and whose they are.
type choice[T any] struct {
	list   []T
	origin string     // "" for the connection, "github " for a profile, "default "
	kind   media.Kind // that its paths are for
}

// choose takes the first list that is set.
func choose[T any](profile string, kind media.Kind, own, base, fallback []T) choice[T] {
	switch {
	case len(own) > 0:
		return choice[T]{own, "", kind}
	case len(base) > 0:
		return choice[T]{base, profile + " ", ""}
	}
	return choice[T]{fallback, "default ", ""}
}

// defaultSettings are Rules, Wait and Quota where neither the connection nor its profile has any.
func defaultSettings() RateLimit {
	return RateLimit{
		Rules: []Rule{
			{Status: []int{429}},
			{Status: []int{503}, Header: "Retry-After", Class: Overload},
		},
		Wait:  []Extract{{Header: "Retry-After"}, {Header: "RateLimit"}, {Header: "RateLimit-Reset"}, {Header: "X-RateLimit-Reset"}},
		Quota: []Quota{{Remaining: Extract{Header: "RateLimit"}}},
	}
}

// overlay is base with all that over sets.
func overlay(base, over RateLimit) RateLimit {
	return RateLimit{
		Profile:     over.Profile,
		Limits:      firstSet(over.Limits, base.Limits),
		Interval:    cmp.Or(over.Interval, base.Interval),
		Concurrency: cmp.Or(over.Concurrency, base.Concurrency),
		Rules:       firstSet(over.Rules, base.Rules),
		Wait:        firstSet(over.Wait, base.Wait),
		Combine:     cmp.Or(over.Combine, base.Combine),
		DefaultWait: cmp.Or(over.DefaultWait, base.DefaultWait),
		MinWait:     cmp.Or(over.MinWait, base.MinWait),
		MaxWait:     cmp.Or(over.MaxWait, base.MaxWait),
		Quota:       firstSet(over.Quota, base.Quota),
		Reserve:     cmp.Or(over.Reserve, base.Reserve),
		Fixed:       over.Fixed || base.Fixed,
	}
}

func firstSet[T any](lists ...[]T) []T {
	for _, list := range lists {
		if len(list) > 0 {
			return list
		}
	}
	return nil
}

// checkRateLimit reports numbers that make no sense.
func checkRateLimit(path string, rl RateLimit, report problem.Report) {
	for i, limit := range rl.Limits {
		field := fmt.Sprintf("%s.Limits[%d]", path, i)
		if limit.Requests < 1 {
			report(field+".Requests", fmt.Sprintf("%d requests would let nothing through", limit.Requests), "set 1 or more")
		}
		if limit.Per <= 0 {
			report(field+".Per", fmt.Sprintf("%v is not a time in which to count", limit.Per), "set it above zero, such as time.Minute")
		}
		problem.NotNegative(report, field+".Burst", limit.Burst)
	}
	problem.NotNegative(report, path+".Interval", rl.Interval)
	problem.NotNegative(report, path+".Concurrency", rl.Concurrency)
	problem.NotNegative(report, path+".DefaultWait", rl.DefaultWait)
	problem.NotNegative(report, path+".MinWait", rl.MinWait)
	problem.NotNegative(report, path+".Reserve", rl.Reserve)
	if rl.Combine != "" && rl.Combine != "first" && rl.Combine != "longest" {
		report(path+".Combine", fmt.Sprintf("%q is not a way to combine waits", rl.Combine), "use first or longest")
	}
	if longest := cmp.Or(rl.MaxWait, defaultMaxWait); longest > 0 && rl.MinWait > longest {
		report(path+".MinWait", fmt.Sprintf("%v is longer than MaxWait, %v: every throttle would be refused", rl.MinWait, longest),
			"lower it or raise MaxWait")
	}
}

// Judge reports whether a response is a throttle and, if so, which and for how long.
//
// The wait is the first that is found, or the longest; else the latest reset of the quotas that the response calls used up; else
// MaxWait, if there are only waits beyond reason, since a wait was asked for; else DefaultWait; else, for the class exhausted, the
// longest Window of a quota that may be used up. MinWait bounds all of them.
func (j *Judge) Judge(v *View) (Verdict, bool) {
	i := j.rules.Match(&v.Response)
	if i < 0 {
		return Verdict{}, false
	}
	th := Verdict{Class: j.rules[i].class, Rule: fmt.Sprintf("%srules[%d]", j.origin, i)}
	var absurd bool
	th.Wait, th.Told, absurd = j.toldWait(v)
	switch {
	case th.Told:
	case absurd:
		th.Wait = cmp.Or(j.Pace.MaxWait, wantedWait)
	default:
		th.Wait = j.defaultWait
	}
	if th.Wait == 0 && !th.Told && th.Class == Exhausted {
		th.Wait = j.usedUpFor(v)
	}
	th.Wait = max(th.Wait, j.minWait)
	return th, true
}

// toldWait is the wait that a response asks for. Absurd says that one beyond reason was ignored.
func (j *Judge) toldWait(v *View) (wait time.Duration, told, absurd bool) {
	for i := range j.waits {
		found, beyond := j.waits[i].durations(v)
		absurd = absurd || beyond
		if len(found) == 0 {
			continue
		}
		if !j.longest {
			return found[0], true, absurd
		}
		wait, told = max(wait, slices.Max(found)), true
	}
	if told {
		return wait, true, absurd
	}
	for _, r := range j.Readings(v) {
		if !r.HasRemaining || r.Remaining > 0 {
			continue
		}
		absurd = absurd || r.Absurd
		if r.HasReset {
			wait, told = max(wait, r.Reset), true
		}
	}
	return wait, told, absurd
}

// usedUpFor estimates how long a quota stays exhausted where neither response nor settings say it: at most its window.
func (j *Judge) usedUpFor(v *View) time.Duration {
	var wait time.Duration
	for _, r := range j.Readings(v) {
		if !r.HasRemaining || r.Remaining == 0 {
			wait = max(wait, r.Window)
		}
	}
	if wait > 0 {
		return wait
	}
	for _, q := range j.quotas {
		wait = max(wait, q.window)
	}
	return wait
}
