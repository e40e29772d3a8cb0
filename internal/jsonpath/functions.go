package jsonpath

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/seed-363d07a3/jwtbearer/internal/regex"
	"github.com/theory/jsonpath/registry"
	"github.com/theory/jsonpath/spec"
)

// compareName is the function that comparisons are written as. No path of a user can call it.
const compareName = "compare"

// functions registers the functions of RFC 9535, section 2.4, so that what they do is charged to the budget. What they evaluate
// is known while the path is parsed: there, an argument that the parser would evaluate by itself is put behind a function of
// ours. Each of those has $ as its last argument, whose value is not a document but the *evaluation.
type functions struct {
	fault error // why an argument is refused; else it is the parser's
}

// registry returns the functions.
func (f *functions) registry() *registry.Registry {
	r := registry.New()
	replace := func(name string, prepare func([]spec.FuncExprArg) error, evaluate spec.Evaluator) {
		fn := r.Get(name)
		standard := *fn
		validate := func(args []spec.FuncExprArg) error {
			if err := standard.Validate(args); err != nil {
				return err
			}
			f.fault = errors.Join(f.fault, prepare(args))
			return f.fault
		}
		if evaluate == nil {
			evaluate = standard.Evaluate
		}
		*fn = *spec.Extension(name, standard.ReturnType(), validate, evaluate)
	}
	replace("count", prepareNodes, nil)
	replace("value", prepareNodes, nil)
	replace("length", func(args []spec.FuncExprArg) error { args[0] = charged(args[0], 1); return nil }, nil)
	replace("match", func(args []spec.FuncExprArg) error { return preparePattern(args, true) }, evaluatePattern)
	replace("search", func(args []spec.FuncExprArg) error { return preparePattern(args, false) }, evaluatePattern)
	_ = r.Register(compareName, spec.FuncLogical, prepareComparison, evaluateComparison) // its name is free
	return r
}

var (
	theNode       = spec.SingularQuery(false)
	theEvaluation = spec.SingularQuery(true)
)

// evaluationIn is that of the call with args.
func evaluationIn(args []spec.PathValue) *evaluation {
	e, _ := spec.ValueFrom(args[len(args)-1]).Value().(*evaluation)
	return e
}

// valueOf is the value of an argument, or nothing.
func valueOf(arg spec.PathValue) any {
	if v := spec.ValueFrom(arg); v != nil {
		return v.Value()
	}
	return nothing{}
}

// prepareNodes has the nodes of a query selected by us.
func prepareNodes(args []spec.FuncExprArg) error {
	q, ok := args[0].(*spec.PathQuery)
	if !ok {
		return nil // one node at most
	}
	inner := compile(q)
	nodes := spec.Extension("nodes", spec.FuncNodes, nil, func(values []spec.PathValue) spec.PathValue {
		return spec.Nodes(evaluationIn(values).query(inner, valueOf(values[0]))...)
	})
	args[0] = spec.Function(nodes, theNode, theEvaluation)
	return nil
}

// charged is arg, where looking at each byte of a string costs weight.
func charged(arg spec.FuncExprArg, weight int) spec.FuncExprArg {
	look := spec.Extension("charged", spec.FuncValue, nil, func(values []spec.PathValue) spec.PathValue {
		text, ok := valueOf(values[0]).(string)
		if ok && !evaluationIn(values).charge(1+len(text)*weight/bytesAStep) {
			return nil
		}
		return values[0]
	})
	return spec.Function(look, arg, theEvaluation)
}

// preparePattern compiles the pattern, which must stand in the path: one from the body could cost anything.
func preparePattern(args []spec.FuncExprArg, whole bool) error {
	literal, _ := args[1].(*spec.LiteralArg)
	if literal == nil {
		return &Error{"has a pattern that comes from the body", "write the pattern in the path, in quotation marks"}
	}
	text, ok := literal.Value().(string)
	if !ok {
		return &Error{"has a pattern that is not a string", "write the pattern in quotation marks"}
	}
	compiled, size, err := regex.CompileIRegexp(text, whole, mostPattern)
	if tooLarge, ok := errors.AsType[*regex.SizeError](err); ok {
		return &Error{fmt.Sprintf("has a pattern that is too expensive: %v", tooLarge), "use * or + instead of large counts such as {100}"}
	} else if err != nil {
		return &Error{fmt.Sprintf("has a pattern that cannot be compiled: %v", err), "write it as a regular expression of RFC 9485"}
	}
	args[0] = charged(args[0], size)
	args[1] = spec.Literal(compiled)
	return nil
}

// evaluatePattern is match and search, which differ in the pattern alone.
func evaluatePattern(values []spec.PathValue) spec.PathValue {
	text, ok := valueOf(values[0]).(string)
	compiled, isPattern := valueOf(values[1]).(*regexp.Regexp)
	return spec.Logical(ok && isPattern && compiled.MatchString(text))
}

// prepareComparison writes the numbers of a path as those of a body.
func prepareComparison(args []spec.FuncExprArg) error {
	for i, arg := range args {
		literal, ok := arg.(*spec.LiteralArg)
		if !ok {
			continue
		}
		if digits, ok := digitsOf(literal.Value()); ok {
			args[i] = spec.Literal(json.Number(digits))
		}
	}
	return nil
}

func evaluateComparison(values []spec.PathValue) spec.PathValue {
	op, _ := valueOf(values[1]).(string)
	return spec.Logical(evaluationIn(values).compare(valueOf(values[0]), op, valueOf(values[2])))
}
