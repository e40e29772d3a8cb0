// Package jsonpath evaluates JSONPath (RFC 9535) at a bounded cost, whatever the path and the document. It knows how paths are
// written and what their evaluation costs, and nothing about responses.
//
// Paths are parsed by github.com/theory/jsonpath, and evaluated here, where each visited node is counted.
package jsonpath

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/theory/jsonpath/parser"
	"github.com/theory/jsonpath/registry"
)

const (
	mostDescents = 2   // descendant segments (..) in a path
	mostPattern  = 100 // instructions of a pattern in match or search
)

// Error says why a path is refused, as what follows the path in a sentence, and what to write instead.
type Error struct {
	Problem, Hint string
}

func (e *Error) Error() string { return e.Problem }

// Path is a compiled path. It is safe for concurrent use.
type Path struct {
	query query
}

// Compile compiles a path. Besides what RFC 9535 has, a leading $. can be left out, and names after a dot need brackets only for
// characters that have a meaning in paths: error.retry-after is $.error['retry-after']. Refused are, for their cost: $ elsewhere than
// at the beginning, patterns from the document, patterns that are too large, and more than two descendant segments. The
// error is an *Error.
func Compile(text string) (*Path, error) {
	tokens := lex(rooted(text))
	if err := checkTokens(tokens); err != nil {
		return nil, err
	}
	tokens = standard(tokens)
	if _, err := parser.Parse(registry.New(), join(tokens)); err != nil {
		return nil, syntaxError(text, join(tokens), err)
	}
	var f functions
	parsed, err := parser.Parse(f.registry(), rewrite(tokens))
	if err == nil {
		return &Path{compile(parsed)}, nil
	}
	if known, ok := errors.AsType[*Error](f.fault); ok {
		return nil, known
	}
	return nil, syntaxError(text, join(tokens), err)
}

// Select returns the nodes that the path selects in a document, which is of the types of encoding/json, with numbers as
// json.Number: array elements in their order, members of objects in the order of their names. It is false where that costs more
// than the budget, or the context ended first.
func (p *Path) Select(ctx context.Context, document any) (nodes []any, ok bool) {
	defer func() {
		if recover() != nil { // in the parser's functions; no document is worth a crash
			nodes, ok = nil, false
		}
	}()
	e := evaluation{left: steps, err: ctx.Err}
	nodes = e.query(p.query, document)
	return nodes, !e.stopped
}

// rooted adds the beginning that may be left out.
func rooted(text string) string {
	switch {
	case strings.HasPrefix(text, "$"):
		return text
	case strings.HasPrefix(text, "["), strings.HasPrefix(text, ".."):
		return "$" + text
	}
	return "$." + text
}

// checkTokens refuses what costs too much.
func checkTokens(tokens []token) error {
	descents := 0
	for i, t := range tokens {
		if t.text == ".." {
			descents++
		}
		if t.text == "$" && i > 0 {
			return &Error{"has $ elsewhere than at the beginning", "compare with @ and literals, and write names with $ in brackets and quotation marks"}
		}
	}
	if descents > mostDescents {
		return &Error{"searches all levels more than twice", "name the levels"}
	}
	return nil
}

// syntaxError tells what the parser found, and how the text was read where that differs.
func syntaxError(text, read string, err error) error {
	problem := "is not a JSONPath: " + strings.TrimPrefix(err.Error(), parser.ErrPathParse.Error()+": ")
	if read != text {
		problem += fmt.Sprintf(" of %s", read)
	}
	return &Error{problem, "write one such as error.code or errors[*].code"}
}
