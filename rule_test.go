package jwtbearer

import (
	"errors"
	"strings"
	"testing"
)

// problemFields are the fields of the problems in p.
func problemFields(p *problems) []string {
	var fields []string
	for _, err := range p.errs {
		if c, ok := errors.AsType[*ConfigError](err); ok {
			fields = append(fields, c.Field)
		}
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
		{"body match beyond the bound", Rule{Match: "LIMIT"}, "200\n\n" + strings.Repeat(" ", bodyBound) + "LIMIT", false},
		{"body match within a longer body", Rule{Match: "LIMIT"}, "200\n\nLIMIT" + strings.Repeat(" ", bodyBound), true},
		{"path of a longer body", Rule{Path: "code"}, "200\n\n" + `{"code":1}` + strings.Repeat(" ", bodyBound), false},
		{"gzip", Rule{Path: "code", Values: []string{"LIMIT"}}, "200\nContent-Encoding: gzip\n\n" + zipped(body[2:]), true},
	} {
		var p problems
		rules := compileRules("RateLimit.Rules", []Rule{tt.rule}, "", p.add)
		if p.err() != nil {
			t.Errorf("%s: %v", tt.name, p.err())
			continue
		}
		if got := matchAny(rules, testAnswer(tt.wire)) == 0; got != tt.want {
			t.Errorf("%s: %+v matches %.60q: %v, want %v", tt.name, tt.rule, tt.wire, got, tt.want)
		}
	}
}

func TestTheFirstRuleThatMatchesCounts(t *testing.T) {
	var p problems
	rules := compileRules("AuthFailure", []Rule{{Status: []int{401}}, {Status: []int{4}}, {Status: []int{403}}}, "", p.add)
	for wire, want := range map[string]int{"401": 0, "403": 1, "500": -1} {
		if got := matchAny(rules, testAnswer(wire)); got != want {
			t.Errorf("matchAny of %s = %d, want %d", wire, got, want)
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
		var p problems
		compileRules("Ping.Fail", []Rule{{Status: []int{500}}, tt.rule}, "", p.add)
		if got := problemFields(&p); len(got) != 1 || got[0] != tt.want {
			t.Errorf("problems of %+v are of %q, want one of %q", tt.rule, got, tt.want)
		}
	}
}

// Each of these takes a second or more for a body of 64 KiB, one that is made for it.
func TestExpensiveExpressionsAreProblemsOfTheirField(t *testing.T) {
	for _, expression := range []string{"(?:a?){900}a{900}b", ".{0,900}x", "((a{10}){10}){10}"} {
		for field, set := range map[string]func(*Connection){
			"RateLimit.Rules[0].Match": func(c *Connection) { c.RateLimit.Rules = []Rule{{Match: expression}} },
			"RateLimit.Rules[1].Match": func(c *Connection) {
				c.RateLimit.Rules = []Rule{{Status: []int{4}}, {Path: "error.message", Match: expression}}
			},
			"RateLimit.Wait[0].Match": func(c *Connection) { c.RateLimit.Wait = []Extract{{Header: "X-Wait", Match: expression}} },
			"Ping.Success[0].Match":   func(c *Connection) { c.Ping.Success = []Rule{{Header: "X-State", Match: expression}} },
			"Ping.Fail[0].Match":      func(c *Connection) { c.Ping.Fail = []Rule{{Match: expression}} },
		} {
			c := validConnection()
			set(c)
			_, err := NewClient(c)
			e, ok := errors.AsType[*ConfigError](err)
			if !ok || e.Field != field || !strings.Contains(e.Problem, "too expensive") || !strings.Contains(e.Hint, "instead of") {
				t.Errorf("NewClient with %s in %s: %v, want a *ConfigError that refuses it as too expensive", expression, field, err)
			}
		}
	}
}
