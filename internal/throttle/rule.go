package throttle

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/httpfield"
	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/regex"
	"github.com/seed-363d07a3/jwtbearer/internal/response"
)

// classes lists what Rule.Class can be.
var classes = [...]string{Throttled, Concurrency, Exhausted, Overload, Token}

// rule is a compiled Rule. Where both Header and Path are set, both must be present, and it is Path's value that
// Values and Match look at.
type rule struct {
	status []int
	header string
	path   *response.Path
	values []string
	match  *regexp.Regexp
	class  string
}

// Rules are compiled. They do not change, and several goroutines may use them at once.
type Rules []rule

// CompileRules compiles the rules of the field at path, such as RateLimit.Rules, one for one, problems or not.
func CompileRules(path string, rules []Rule, kind media.Kind, report problem.Report) Rules {
	compiled := make(Rules, 0, len(rules))
	for i, r := range rules {
		compiled = append(compiled, compileRule(fmt.Sprintf("%s[%d]", path, i), r, kind, report))
	}
	return compiled
}

func compileRule(field string, r Rule, kind media.Kind, report problem.Report) rule {
	checkRule(field, r, report)
	compiled := rule{
		status: slices.Clone(r.Status),
		header: http.CanonicalHeaderKey(r.Header),
		values: slices.Clone(r.Values),
		match:  compileMatch(field+".Match", r.Match, report),
		class:  cmp.Or(r.Class, Throttled),
	}
	if r.Path != "" {
		compiled.path = response.CompilePath(field+".Path", r.Path, kind, report)
	}
	return compiled
}

func checkRule(field string, r Rule, report problem.Report) {
	if len(r.Status) == 0 && r.Header == "" && r.Path == "" && r.Match == "" && len(r.Values) == 0 {
		report(field, "nothing is set, so every response would match", "set Status, Header, Path or Match, or leave the rule out")
	}
	if len(r.Values) > 0 && r.Header == "" && r.Path == "" {
		report(field+".Values", "there is nothing to compare them with", "set Header or Path, or use Match to search the body")
	}
	for i, code := range r.Status {
		if (code < 1 || code > 5) && (code < 100 || code > 599) {
			report(fmt.Sprintf("%s.Status[%d]", field, i), fmt.Sprintf("%d is not a status", code),
				"write one such as 429, or 4 for all of 4xx")
		}
	}
	checkHeaderName(field+".Header", r.Header, report)
	if r.Class != "" && !slices.Contains(classes[:], r.Class) {
		report(field+".Class", fmt.Sprintf("%q is not a class", r.Class), "use one of "+strings.Join(classes[:], ", "))
	}
}

// checkHeaderName refuses what is no token (RFC 9110, section 5.6.2).
func checkHeaderName(field, name string, report problem.Report) {
	if name != "" && !httpfield.IsToken(name) {
		report(field, fmt.Sprintf("%q is not the name of a header field", name), "write the name alone, such as X-RateLimit-Reset")
	}
}

// mostMatch is how large the program of a Match may be, in instructions. The worst expression of that size takes half a second
// for a body of 64 KiB; those that people write have less than 100.
const mostMatch = 500

// compileMatch returns nil for the empty expression and, with a problem, for a bad one.
func compileMatch(field, expression string, report problem.Report) *regexp.Regexp {
	if expression == "" {
		return nil
	}
	compiled, _, err := regex.Compile(expression, mostMatch)
	if tooLarge, ok := errors.AsType[*regex.SizeError](err); ok {
		report(field, fmt.Sprintf("the expression is too expensive: %v", tooLarge), "use * or + instead of large counts such as {100}, "+
			"and write several rules instead of many alternatives")
		return nil
	}
	if err != nil {
		report(field, err.Error(), "write it in the syntax of Go's regexp package; case is ignored after (?i)")
		return nil
	}
	return compiled
}

// Match returns the index of the first rule that recognises resp, or -1.
func (rules Rules) Match(resp *response.Response) int {
	for i := range rules {
		if rules[i].matches(resp) {
			return i
		}
	}
	return -1
}

// matches reports whether all that the rule sets holds. It asks for the body last.
func (r *rule) matches(resp *response.Response) bool {
	if !r.matchesStatus(resp.Status()) {
		return false
	}
	var texts []string
	if r.header != "" {
		if texts = resp.Fields(r.header); len(texts) == 0 {
			return false
		}
	}
	if r.path != nil {
		if !r.looks() {
			return resp.Has(r.path)
		}
		if texts = resp.Values(r.path); texts == nil {
			return false
		}
	}
	if !r.looks() {
		return true
	}
	if r.header == "" && r.path == nil {
		body, _, ok := resp.Body()
		return ok && r.match.Match(body)
	}
	return slices.ContainsFunc(texts, r.matchesText)
}

// looks reports whether the rule compares a value.
func (r *rule) looks() bool { return len(r.values) > 0 || r.match != nil }

func (r *rule) matchesStatus(code int) bool {
	return len(r.status) == 0 || slices.Contains(r.status, code) || slices.Contains(r.status, code/100)
}

func (r *rule) matchesText(text string) bool {
	return (len(r.values) == 0 || slices.Contains(r.values, text)) && (r.match == nil || r.match.MatchString(text))
}
