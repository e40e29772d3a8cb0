package jsonpath

import (
	"cmp"
	"encoding/json"
	"strconv"
)

// nothing is the value of a query that finds no node (RFC 9535, section 2.4.1).
type nothing struct{}

// compare compares two values as RFC 9535, section 2.3.5.2.2, says. It is false once the budget is spent.
func (e *evaluation) compare(left any, op string, right any) bool {
	switch op {
	case "==":
		return e.equal(left, right)
	case "!=":
		return !e.equal(left, right)
	case "<":
		return e.less(left, right)
	case "<=":
		return e.less(left, right) || e.equal(left, right)
	case ">":
		return e.less(right, left)
	case ">=":
		return e.less(right, left) || e.equal(left, right)
	}
	return false
}

// less orders numbers, and strings by their characters; of other values, and of two kinds, none is less.
func (e *evaluation) less(left, right any) bool {
	if a, ok := left.(string); ok {
		b, ok := right.(string)
		return ok && e.charge(min(len(a), len(b))/bytesAStep) && a < b
	}
	order, ok := e.order(left, right)
	return ok && order < 0
}

func (e *evaluation) equal(left, right any) bool {
	if !e.charge(1) {
		return false
	}
	switch a := left.(type) {
	case []any:
		b, ok := right.([]any)
		return ok && e.equalArrays(a, b)
	case map[string]any:
		b, ok := right.(map[string]any)
		return ok && e.equalObjects(a, b)
	case string:
		b, ok := right.(string)
		return ok && len(a) == len(b) && e.charge(len(a)/bytesAStep) && a == b
	case nil, bool, nothing:
		return left == right
	}
	order, ok := e.order(left, right)
	return ok && order == 0
}

func (e *evaluation) equalArrays(a, b []any) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !e.equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

func (e *evaluation) equalObjects(a, b map[string]any) bool {
	if len(a) != len(b) {
		return false
	}
	for name, value := range a {
		if other, ok := b[name]; !ok || !e.equal(value, other) {
			return false
		}
	}
	return true
}

// order is negative where left is less than right, as numbers. It is false where one of them is none. Integers are compared
// exactly, others as IEEE 754 doubles (RFC 9535, section 2.3.5.2.2 with RFC 7493, section 2.2).
func (e *evaluation) order(left, right any) (int, bool) {
	a, ok := digitsOf(left)
	if !ok {
		return 0, false
	}
	b, ok := digitsOf(right)
	if !ok || !e.charge((len(a)+len(b))/digitsAStep) {
		return 0, false
	}
	x, errX := strconv.ParseInt(a, 10, 64)
	y, errY := strconv.ParseInt(b, 10, 64)
	if errX == nil && errY == nil {
		return cmp.Compare(x, y), true
	}
	f, _ := strconv.ParseFloat(a, 64) // out of range: infinite, or zero
	g, _ := strconv.ParseFloat(b, 64)
	return cmp.Compare(f, g), true
}

// digitsOf is a number as JSON writes it.
func digitsOf(v any) (string, bool) {
	switch v := v.(type) {
	case json.Number:
		return string(v), true
	case int:
		return strconv.Itoa(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), true
	}
	return "", false
}
