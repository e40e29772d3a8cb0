// Package regex compiles regular expressions whose cost on hostile text is bounded. It knows how large a compiled
// expression is, and nothing about rules or paths.
package regex

import (
	"fmt"
	"regexp"
	"regexp/syntax"
)

// SizeError says that an expression compiles to a program that is too large. Go's engine is linear in the text, but each byte
// can cost a step for each instruction.
type SizeError struct {
	Size int // in instructions
	Most int // what is accepted
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("it compiles to %d steps; at most %d are accepted", e.Size, e.Most)
}

// Compile compiles an expression in the syntax of package regexp, and returns the size of its program in instructions. One
// larger than most is a *SizeError.
func Compile(expression string, most int) (compiled *regexp.Regexp, size int, err error) {
	tree, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil, 0, err
	}
	return compile(expression, tree, most)
}

// CompileIRegexp compiles an expression as RFC 9485 has it, where a dot is any character but a line feed and a carriage
// return (section 5). If whole, it must match all of a text, whichever of its alternatives it is. The syntax of package regexp
// that I-Regexp lacks, such as \d, is accepted.
func CompileIRegexp(expression string, whole bool, most int) (compiled *regexp.Regexp, size int, err error) {
	tree, err := syntax.Parse(expression, syntax.Perl|syntax.DotNL)
	if err != nil {
		return nil, 0, err
	}
	narrowDots(tree)
	if whole {
		anchored, err := syntax.Parse(`\A(?:`+tree.String()+`)\z`, syntax.Perl)
		if err != nil {
			return nil, 0, err
		}
		tree = anchored
	}
	return compile(tree.String(), tree, most)
}

// compile compiles text, which was parsed to tree.
func compile(text string, tree *syntax.Regexp, most int) (*regexp.Regexp, int, error) {
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, 0, err
	}
	size := len(program.Inst)
	if size > most {
		return nil, size, &SizeError{Size: size, Most: most}
	}
	compiled, err := regexp.Compile(text)
	return compiled, size, err
}

// narrowDots turns each dot into [^\n\r].
func narrowDots(tree *syntax.Regexp) {
	if tree.Op == syntax.OpAnyChar {
		*tree = syntax.Regexp{Op: syntax.OpCharClass, Rune: []rune{0, '\n' - 1, '\n' + 1, '\r' - 1, '\r' + 1, '\U0010FFFF'}}
	}
	for _, part := range tree.Sub {
		narrowDots(part)
	}
}
