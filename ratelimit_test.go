package jwtbearer

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer/internal/pace"
	"github.com/seed-363d07a3/jwtbearer/internal/throttle"
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

// TestSettingsReachTheirPackagesWhole fills each field and compares what comes out: a field that is added to one side and not to the
// other, or is not carried over, fails.
func TestSettingsReachTheirPackagesWhole(t *testing.T) {
	var rl RateLimit
	fill(reflect.ValueOf(&rl).Elem(), new(int))
	sameFields(t, "RateLimit", reflect.ValueOf(rl), reflect.ValueOf(rl.settings()))
	var p throttle.Pace
	fill(reflect.ValueOf(&p).Elem(), new(int))
	sameFields(t, "Pace", reflect.ValueOf(p), reflect.ValueOf(paceSettings(p)))
	for ours, theirs := range map[string]string{throttle.Concurrency: pace.Concurrency, throttle.Exhausted: pace.Exhausted} {
		if ours != theirs {
			t.Errorf("package throttle says %q where package pace says %q", ours, theirs)
		}
	}
}

// fill sets everything in v to values that differ, with two elements in each slice.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(field, n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.String:
		v.SetString(fmt.Sprint("text ", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	default:
		panic("a field of kind " + v.Kind().String())
	}
}

// sameFields reports where b differs from a, in the names of fields or in values.
func sameFields(t *testing.T, path string, a, b reflect.Value) {
	t.Helper()
	switch {
	case a.Kind() != b.Kind():
		t.Errorf("%s is a %s here and a %s there", path, a.Kind(), b.Kind())
	case a.Kind() == reflect.Struct:
		if a.NumField() != b.NumField() {
			t.Errorf("%s has %d fields here and %d there", path, a.NumField(), b.NumField())
		}
		for i := range a.NumField() {
			name := a.Type().Field(i).Name
			if other := b.FieldByName(name); other.IsValid() {
				sameFields(t, path+"."+name, a.Field(i), other)
			} else {
				t.Errorf("%s.%s is not there", path, name)
			}
		}
	case a.Kind() == reflect.Slice:
		if a.Len() != b.Len() {
			t.Errorf("%s has %d elements here and %d there", path, a.Len(), b.Len())
			return
		}
		for i := range a.Len() {
			sameFields(t, fmt.Sprintf("%s[%d]", path, i), a.Index(i), b.Index(i))
		}
	case !a.Equal(b.Convert(a.Type())):
		t.Errorf("%s is %v here and %v there", path, a, b)
	}
}
