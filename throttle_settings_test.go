package jwtbearer

import (
	"errors"
	"strings"
	"testing"
)

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
