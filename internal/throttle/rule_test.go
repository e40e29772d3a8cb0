package throttle

import (
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/response"
	"github.com/seed-363d07a3/jwtbearer/internal/response/responsetest"
)

// problemFields are the fields of the problems in p.
func problemFields(p *problem.List) []string {
	var fields []string
	for _, e := range p.Entries() {
		fields = append(fields, e.Field)
	}
	return fields
}

func TestAllThatARuleSetsMustHold(t *testing.T) {
	const body = "\n\n" + `{"code":"LIMIT","codes":["A","B"],"message":"Rate limit reached","none":null,"list":[]}`
	for _, tt := range []struct {
		name string
		rule Rule
		wire string
		want bool
	}{
		{"status", Rule{Status: []int{429}}, "429", true},
		{"another status", Rule{Status: []int{429}}, "403", false},
		{"class of statuses", Rule{Status: []int{4}}, "418", true},
		{"another class of statuses", Rule{Status: []int{4}}, "503", false},
		{"two classes of statuses", Rule{Status: []int{4, 5}}, "503", true},
		{"header present", Rule{Header: "retry-after"}, "503\nRetry-After: 1", true},
		{"header present and empty", Rule{Header: "X-Limited"}, "503\nX-Limited:", true},
		{"header absent", Rule{Status: []int{503}, Header: "Retry-After"}, "503", false},
		{"header right, status wrong", Rule{Status: []int{429}, Header: "Retry-After"}, "503\nRetry-After: 1", false},
		{"header value", Rule{Header: "X-Left", Values: []string{"0"}}, "403\nX-Left: 0", true},
		{"header value on the second line", Rule{Header: "X-Left", Values: []string{"0"}}, "403\nX-Left: 5\nX-Left: 0", true},
		{"header value is not a part", Rule{Header: "X-Left", Values: []string{"0"}}, "403\nX-Left: 10", false},
		{"header match", Rule{Header: "X-Reason", Match: "^jira-(burst|quota)"}, "429\nX-Reason: jira-burst-based", true},
		{"header does not match", Rule{Header: "X-Reason", Match: "^burst"}, "429\nX-Reason: jira-burst-based", false},
		{"path present", Rule{Path: "message"}, "200" + body, true},
		{"path absent", Rule{Path: "missing"}, "200" + body, false},
		{"path is null", Rule{Path: "none"}, "200" + body, false},
		{"path is null, and that is asked", Rule{Path: "none", Values: []string{"null"}}, "200" + body, true},
		{"path is an empty list", Rule{Path: "list"}, "200" + body, true},
		{"path value", Rule{Path: "$.code", Values: []string{"X", "LIMIT"}}, "200" + body, true},
		{"path value is compared with case", Rule{Path: "code", Values: []string{"limit"}}, "200" + body, false},
		{"any element of a list", Rule{Path: "codes", Values: []string{"B"}}, "200" + body, true},
		{"no element of a list", Rule{Path: "codes", Values: []string{"C"}}, "200" + body, false},
		{"path match", Rule{Path: "message", Match: "(?i)RATE limit"}, "200" + body, true},
		{"values and match of one text", Rule{Path: "codes", Values: []string{"A"}, Match: "B"}, "200" + body, false},
		{"header and path", Rule{Header: "X-Left", Path: "code", Values: []string{"LIMIT"}}, "200\nX-Left: 0" + body, true},
		{"path without the header", Rule{Header: "X-Left", Path: "code", Values: []string{"LIMIT"}}, "200" + body, false},
		{"body match", Rule{Match: `"code":\s*"LIMIT"`}, "200" + body, true},
		{"body does not match", Rule{Match: "QUOTA"}, "200" + body, false},
		{"body match of a type that is not looked at", Rule{Match: "LIMIT"}, "200\nContent-Type: image/png" + body, false},
		{"body match beyond the bound", Rule{Match: "LIMIT"}, "200\n\n" + strings.Repeat(" ", response.MostBody) + "LIMIT", false},
		{"body match within a longer body", Rule{Match: "LIMIT"}, "200\n\nLIMIT" + strings.Repeat(" ", response.MostBody), true},
		{"path of a longer body", Rule{Path: "code"}, "200\n\n" + `{"code":1}` + strings.Repeat(" ", response.MostBody), false},
		{"gzip", Rule{Path: "code", Values: []string{"LIMIT"}}, "200\nContent-Encoding: gzip\n\n" + responsetest.Zip(body[2:]), true},
	} {
		var p problem.List
		rules := CompileRules("RateLimit.Rules", []Rule{tt.rule}, "", p.Add)
		if p.Len() > 0 {
			t.Errorf("%s: %v", tt.name, p.Entries())
			continue
		}
		if got := rules.Match(testResponse(tt.wire)) == 0; got != tt.want {
			t.Errorf("%s: %+v matches %.60q: %v, want %v", tt.name, tt.rule, tt.wire, got, tt.want)
		}
	}
}

func TestTheFirstRuleThatMatchesCounts(t *testing.T) {
	var p problem.List
	rules := CompileRules("AuthFailure", []Rule{{Status: []int{401}}, {Status: []int{4}}, {Status: []int{403}}}, "", p.Add)
	for wire, want := range map[string]int{"401": 0, "403": 1, "500": -1} {
		if got := rules.Match(testResponse(wire)); got != want {
			t.Errorf("Match of %s = %d, want %d", wire, got, want)
		}
	}
}

func TestARuleThatCannotWorkIsAProblem(t *testing.T) {
	for _, tt := range []struct {
		rule Rule
		want string
	}{
		{Rule{}, "Ping.Fail[1]"},
		{Rule{Class: "overload"}, "Ping.Fail[1]"},
		{Rule{Values: []string{"x"}}, "Ping.Fail[1].Values"},
		{Rule{Status: []int{429, 6}}, "Ping.Fail[1].Status[1]"},
		{Rule{Status: []int{-429}}, "Ping.Fail[1].Status[0]"},
		{Rule{Status: []int{1000}}, "Ping.Fail[1].Status[0]"},
		{Rule{Header: "Retry-After: 5"}, "Ping.Fail[1].Header"},
		{Rule{Path: "a["}, "Ping.Fail[1].Path"},
		{Rule{Match: "("}, "Ping.Fail[1].Match"},
		{Rule{Status: []int{429}, Class: "slow"}, "Ping.Fail[1].Class"},
	} {
		var p problem.List
		CompileRules("Ping.Fail", []Rule{{Status: []int{500}}, tt.rule}, "", p.Add)
		if got := problemFields(&p); len(got) != 1 || got[0] != tt.want {
			t.Errorf("problems of %+v are of %q, want one of %q", tt.rule, got, tt.want)
		}
	}
}
