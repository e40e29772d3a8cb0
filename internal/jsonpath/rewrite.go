package jsonpath

import (
	"strconv"
	"strings"
)

// standard writes tokens as the parser reads them: names that need brackets in brackets, and without the spaces and in the one
// notation of numbers that it does not know everywhere, though RFC 9535 has them.
func standard(tokens []token) []token {
	out := make([]token, 0, len(tokens))
	for i, t := range tokens {
		before, after := token{}, token{}
		if i > 0 {
			before = tokens[i-1]
		}
		if i+1 < len(tokens) {
			after = tokens[i+1]
		}
		switch {
		case t.text == "." && after.kind == name && needsBrackets(after.text):
		case t.kind == name && needsBrackets(t.text):
			out = append(out, token{mark, "["}, token{quoted, "'" + t.text + "'"}, token{mark, "]"})
		case t.kind == space && isNeedless(before, after):
		case t.kind == number:
			out = append(out, token{number, plainNumber(t.text)})
		default:
			out = append(out, t)
		}
	}
	return out
}

func needsBrackets(text string) bool {
	switch text {
	case "true", "false", "null":
		return true
	}
	return isDigit(rune(text[0])) || run(text, isNameChar) < len(text)
}

// isNeedless reports whether spaces between two tokens can be left out: at the sides of a bracket and before a segment.
func isNeedless(before, after token) bool {
	if before.text == "." || before.text == ".." || before.text == "" || before.kind == number {
		return after.text == "]" && before.kind == number
	}
	return before.text == "[" || after.text == "]" || after.text == "[" || after.text == "." || after.text == ".."
}

// plainNumber writes a number with e instead of E, and an integer that has more digits than an int64 with an exponent.
func plainNumber(text string) string {
	text = strings.ReplaceAll(text, "E", "e")
	if strings.TrimLeft(text, "-0123456789") != "" {
		return text
	}
	if _, err := strconv.ParseInt(text, 10, 64); err != nil && text != "-" {
		return text + "e0"
	}
	return text
}

func join(tokens []token) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteString(t.text)
	}
	return b.String()
}

// rewriter writes each comparison of a path that the parser has accepted as a call of the function compare: its operands are
// then seen by our functions, and so are compared as RFC 9535 says and within the budget.
type rewriter struct {
	tokens []token // without spaces
}

// rewrite returns the path in which a < b is compare(a,"<",b,$).
func rewrite(tokens []token) string {
	var r rewriter
	for _, t := range tokens {
		if t.kind != space {
			r.tokens = append(r.tokens, t)
		}
	}
	return r.take() + r.segments()
}

// peek is the text of the next token, empty at the end.
func (r *rewriter) peek() string {
	if len(r.tokens) == 0 {
		return ""
	}
	return r.tokens[0].text
}

func (r *rewriter) take() string {
	text := r.peek()
	if text != "" {
		r.tokens = r.tokens[1:]
	}
	return text
}

// segments reads what follows $ or @.
func (r *rewriter) segments() string {
	var b strings.Builder
	for {
		switch r.peek() {
		case ".", "..":
			b.WriteString(r.take())
			if r.peek() != "[" {
				b.WriteString(r.take())
			}
		case "[":
			b.WriteString(r.bracket())
		default:
			return b.String()
		}
	}
}

func (r *rewriter) bracket() string {
	var b strings.Builder
	for {
		t := r.take()
		b.WriteString(t)
		switch t {
		case "?":
			b.WriteString(r.logical())
		case "]", "":
			return b.String()
		}
	}
}

// logical reads tests that && and || join.
func (r *rewriter) logical() string {
	var b strings.Builder
	for {
		b.WriteString(r.test())
		if next := r.peek(); next != "&&" && next != "||" {
			return b.String()
		}
		b.WriteString(r.take())
	}
}

func (r *rewriter) test() string {
	switch r.peek() {
	case "!":
		return r.take() + r.test()
	case "(":
		return r.take() + r.logical() + r.take()
	}
	left := r.operand()
	switch op := r.peek(); op {
	case "==", "!=", "<", "<=", ">", ">=":
		r.take()
		return compareName + "(" + left + `,"` + op + `",` + r.operand() + ",$)"
	}
	return left
}

// operand reads a literal, a query or a call.
func (r *rewriter) operand() string {
	first := r.take()
	if first == "@" || first == "$" {
		return first + r.segments()
	}
	if r.peek() != "(" {
		return first
	}
	var b strings.Builder
	b.WriteString(first + r.take())
	for r.peek() != ")" && r.peek() != "" {
		b.WriteString(r.operand())
		if r.peek() == "," {
			b.WriteString(r.take())
		}
	}
	return b.String() + r.take()
}
