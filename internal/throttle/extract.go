package throttle

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/httpfield"
	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/response"
	"github.com/seed-363d07a3/jwtbearer/internal/waits"
)

// extract is a compiled Extract: a place in a response, and how what stands there is written.
type extract struct {
	header string // empty: path, or the body as a whole
	path   *response.Path
	match  *regexp.Regexp
	as     waits.Unit
	fields bool // the structured field RateLimit, which says several things at once
}

func compileWaits(path string, list []Extract, kind media.Kind, report problem.Report) []extract {
	compiled := make([]extract, 0, len(list))
	for i, e := range list {
		field := fmt.Sprintf("%s[%d]", path, i)
		if e == (Extract{}) {
			report(field, "nothing is set", "set Header, Path or Match, or leave it out")
			continue
		}
		compiled = append(compiled, compileExtract(field, e, kind, report))
	}
	return compiled
}

func compileExtract(field string, e Extract, kind media.Kind, report problem.Report) extract {
	checkHeaderName(field+".Header", e.Header, report)
	if e.Header != "" && e.Path != "" {
		report(field, "Header and Path are both set", "leave one out: each is a place of its own")
	}
	as := waits.Unit(e.As)
	if !as.Valid() {
		report(field+".As", fmt.Sprintf("%q is not a form", e.As), "use one of "+unitNames(waits.Units()))
	}
	compiled := extract{
		header: http.CanonicalHeaderKey(e.Header),
		match:  compileMatch(field+".Match", e.Match, report),
		as:     as,
		fields: isRateLimitField(e),
	}
	if e.Path != "" {
		compiled.path = response.CompilePath(field+".Path", e.Path, kind, report)
	}
	return compiled
}

// compileCount is compileExtract for a number of requests. The zero Extract is nil.
func compileCount(field string, e Extract, kind media.Kind, report problem.Report) *extract {
	if e == (Extract{}) {
		return nil
	}
	switch as := waits.Unit(e.As); as {
	case "", waits.Int, waits.Decimal, waits.Auto:
	default:
		if as.Valid() {
			report(field+".As", fmt.Sprintf("%q is the form of a wait, and this is a count", e.As), "use int or decimal")
		}
	}
	return new(compileExtract(field, e, kind, report))
}

// isRateLimitField reports whether e names the field RateLimit as a whole.
func isRateLimitField(e Extract) bool {
	return strings.EqualFold(e.Header, "RateLimit") && e.Match == "" && (e.As == "" || e.As == string(waits.Auto))
}

func unitNames(units []waits.Unit) string {
	names := make([]string, len(units))
	for i, u := range units {
		names[i] = string(u)
	}
	return strings.Join(names, ", ")
}

// texts are what stands at the place, each as Match cuts it: one a line of a header field or a value in the body.
func (e *extract) texts(resp *response.Response) []string {
	var found []string
	switch {
	case e.header != "":
		found = resp.Fields(e.header)
	case e.path != nil:
		found = resp.Values(e.path)
	default:
		if body, _, ok := resp.Body(); ok {
			found = []string{string(body)}
		}
	}
	if e.match == nil {
		return found
	}
	var cut []string
	for _, text := range found {
		if groups := e.match.FindStringSubmatch(text); groups != nil {
			cut = append(cut, groups[min(1, len(groups)-1)])
		}
	}
	return cut
}

// durations are all waits that stand at the place, in their order. A line of a header field that is not a wait as a
// whole, as when a proxy has joined several, is taken in pieces, up to httpfield.MostLines of them. Waits beyond reason are left out;
// absurd says that there was one.
func (e *extract) durations(v *View) (found []time.Duration, absurd bool) {
	switch {
	case e.fields:
		return rateLimitWait(v)
	case e.header == "":
		return e.parse(&v.Response)
	case len(v.Fields(e.header)) == 0:
		return nil, false
	}
	return v.waitsOf(e)
}

func (e *extract) parse(resp *response.Response) (found []time.Duration, absurd bool) {
	now, pieces := resp.Now(), httpfield.MostLines
	for _, text := range e.texts(resp) {
		wait, what := waits.Ask(text, e.as, now)
		if what == waits.Nothing && e.header != "" {
			wait, what, pieces = firstOf(text, e.as, now, pieces)
		}
		absurd = absurd || what == waits.BeyondReason
		if what == waits.Found {
			found = append(found, wait)
		}
	}
	return found, absurd
}

// firstOf is the first wait in a list, of which so many pieces are looked at, and how many are left.
func firstOf(list string, as waits.Unit, now time.Time, pieces int) (time.Duration, waits.Finding, int) {
	best := waits.Nothing
	for piece := range strings.SplitSeq(list, ",") {
		if pieces == 0 {
			break
		}
		pieces--
		wait, what := waits.Ask(piece, as, now)
		if what == waits.Found {
			return wait, what, pieces
		}
		best = max(best, what)
	}
	return 0, best, pieces
}

// moment is the first wait that stands at the place, where it is written as a time; else zero.
func (e *extract) moment(resp *response.Response) time.Time {
	for _, text := range e.texts(resp) {
		if _, what := waits.Ask(text, e.as, resp.Now()); what == waits.Found {
			at, _ := waits.Moment(text, e.as)
			return at
		}
	}
	return time.Time{}
}

// count is the first count that stands at the place, or the number with which its text begins: "100, 100;w=60" is 100.
func (e *extract) count(resp *response.Response) (float64, bool) {
	if e == nil {
		return 0, false
	}
	for _, text := range e.texts(resp) {
		if n, ok := waits.Count(text, e.as); ok {
			return n, true
		}
		if i := strings.IndexAny(text, ",;"); i >= 0 && e.header != "" {
			if n, ok := waits.Count(text[:i], e.as); ok {
				return n, true
			}
		}
	}
	return 0, false
}
