package jsonpath

import (
	"maps"
	"slices"
	"strings"

	"github.com/theory/jsonpath/spec"
)

// What a step is: about 100 to 200 ns of work.
const (
	steps       = 300_000 // for one path in one document
	stepsACall  = 4       // of a call in a filter, and one more for each segment in it
	asked       = 1 << 14 // how many of them are between two looks at the context
	bytesAStep  = 32      // of a string that is compared, or that a pattern of one instruction is tried on
	digitsAStep = 8       // of numbers that are compared
)

// query is a compiled query: its segments, whose filters are opened so that each node that they visit is counted.
type query []segment

type segment struct {
	descendant bool
	selectors  []selector
}

// selector is one of RFC 9535, section 2.3: a filter where plain is nil.
type selector struct {
	plain  spec.Selector
	filter condition
}

// condition holds where all tests of one of its elements do.
type condition [][]test

// test is a query that must select something, a condition in parentheses, or, where both are nil, a call.
type test struct {
	negated bool
	query   *query
	inner   condition
	call    *spec.FilterSelector
	cost    int // steps that call takes, besides those that the functions in it charge
}

func compile(q *spec.PathQuery) query {
	compiled := make(query, 0, len(q.Segments()))
	for _, s := range q.Segments() {
		next := segment{descendant: s.IsDescendant()}
		for _, sel := range s.Selectors() {
			if filter, ok := sel.(*spec.FilterSelector); ok {
				next.selectors = append(next.selectors, selector{filter: compileCondition(filter.LogicalOr)})
			} else {
				next.selectors = append(next.selectors, selector{plain: sel})
			}
		}
		compiled = append(compiled, next)
	}
	return compiled
}

func compileCondition(or spec.LogicalOr) condition {
	compiled := make(condition, 0, len(or))
	for _, and := range or {
		tests := make([]test, 0, len(and))
		for _, expr := range and {
			tests = append(tests, compileTest(expr))
		}
		compiled = append(compiled, tests)
	}
	return compiled
}

func compileTest(expr spec.BasicExpr) test {
	switch expr := expr.(type) {
	case *spec.ExistExpr:
		return test{query: new(compile(expr.PathQuery))}
	case *spec.NonExistExpr:
		return test{query: new(compile(expr.PathQuery)), negated: true}
	case *spec.ParenExpr:
		return test{inner: compileCondition(expr.LogicalOr)}
	case *spec.NotParenExpr:
		return test{inner: compileCondition(expr.LogicalOr), negated: true}
	}
	return test{call: spec.Filter(spec.And(expr)), cost: stepsACall + strings.Count(expr.String(), "[")}
}

// evaluation is one use of a path on one document. Every step is charged; once the budget is spent or the context has ended,
// nothing more is selected and no test holds.
type evaluation struct {
	left    int          // steps
	err     func() error // of the context
	stopped bool
}

// charge takes n steps from the budget, and reports whether the evaluation goes on.
func (e *evaluation) charge(n int) bool {
	before := e.left
	e.left -= n
	if e.left < 0 || before/asked != e.left/asked && e.err() != nil {
		e.stopped = true
	}
	return !e.stopped
}

// query selects nodes, beginning at node.
func (e *evaluation) query(q query, node any) []any {
	nodes := []any{node}
	for _, s := range q {
		var selected []any
		for _, node := range nodes {
			if selected = e.segment(s, node, selected); e.stopped {
				return nil
			}
		}
		nodes = selected
	}
	return nodes
}

// segment appends to selected what s selects in node and, if it is a descendant segment, below it.
func (e *evaluation) segment(s segment, node any, selected []any) []any {
	if !e.charge(1) {
		return selected
	}
	for _, sel := range s.selectors {
		selected = e.selector(sel, node, selected)
	}
	if s.descendant {
		for _, child := range e.children(node) {
			selected = e.segment(s, child, selected)
		}
	}
	return selected
}

func (e *evaluation) selector(s selector, node any, selected []any) []any {
	switch plain := s.plain.(type) {
	case nil:
		for _, child := range e.children(node) {
			if e.charge(1) && e.holds(s.filter, child) {
				selected = append(selected, child)
			}
		}
		return selected
	case spec.WildcardSelector:
		found := e.children(node)
		if !e.charge(len(found)) {
			return selected
		}
		return append(selected, found...)
	case spec.SliceSelector:
		list, _ := node.([]any)
		if !e.charge(len(list)) {
			return selected
		}
		return append(selected, plain.Select(list, nil)...)
	default:
		if !e.charge(1) {
			return selected
		}
		return append(selected, plain.Select(node, nil)...)
	}
}

// children are the elements of an array, or the values of an object in the order of their names.
func (e *evaluation) children(node any) []any {
	switch node := node.(type) {
	case []any:
		return node
	case map[string]any:
		if !e.charge(2 * len(node)) { // they are sorted
			return nil
		}
		values := make([]any, 0, len(node))
		for _, name := range slices.Sorted(maps.Keys(node)) {
			values = append(values, node[name])
		}
		return values
	}
	return nil
}

func (e *evaluation) holds(c condition, node any) bool {
	return slices.ContainsFunc(c, func(tests []test) bool {
		for i := range tests {
			if !e.passes(&tests[i], node) {
				return false
			}
		}
		return true
	})
}

func (e *evaluation) passes(t *test, node any) bool {
	holds := false
	switch {
	case !e.charge(1 + t.cost):
		return false
	case t.query != nil:
		holds = len(e.query(*t.query, node)) > 0
	case t.inner != nil:
		holds = e.holds(t.inner, node)
	default:
		holds = t.call.Eval(node, e)
	}
	return holds != t.negated && !e.stopped
}
