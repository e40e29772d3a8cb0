package connfile

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

// readJSON reads a document that is JSON.
func readJSON(text string, firstLine int) (node, *Error) {
	v, err := jsontext.Parse(text)
	if bad, ok := errors.AsType[*jsontext.SyntaxError](err); ok {
		e := &Error{Line: bad.Line + firstLine - 1, Column: bad.Column, Problem: jsonProblem(bad.Problem)}
		if bad.AtBraces(text) {
			e.Problem, e.Hint = "{{ without quotes is no JSON, but a template", bracesHint
		}
		return node{}, e
	}
	l := &jsonLocator{text: text, at: position{firstLine, 1}}
	return l.locate(v), nil
}

// jsonProblem leaves out a name that may be a secret.
func jsonProblem(problem string) string {
	if strings.Contains(problem, "twice") {
		return "a name that occurs twice in one object"
	}
	return problem
}

// A jsonLocator goes through a JSON text along with the values that jsontext read from it, to find where each begins.
type jsonLocator struct {
	text string // what is left
	at   position
}

// next goes to the next value or name and returns where that is.
func (l *jsonLocator) next() position {
	l.skip(len(l.text) - len(strings.TrimLeft(l.text, " \t\n,:]}")))
	return l.at
}

func (l *jsonLocator) skip(n int) {
	if lines := strings.Count(l.text[:n], "\n"); lines > 0 {
		l.at.line += lines
		l.at.column = utf8.RuneCountInString(l.text[strings.LastIndexByte(l.text[:n], '\n')+1:n]) + 1
	} else {
		l.at.column += utf8.RuneCountInString(l.text[:n])
	}
	l.text = l.text[n:]
}

func (l *jsonLocator) skipString() {
	n := 1
	for l.text[n] != '"' {
		if l.text[n] == '\\' {
			n++
		}
		n++
	}
	l.skip(n + 1)
}

func (l *jsonLocator) locate(v jsontext.Value) node {
	n := node{at: l.next(), text: v.Text}
	switch v.Kind {
	case jsontext.Literal, jsontext.Number:
		n.kind = plainKind(v.Text)
		l.skip(len(v.Text))
	case jsontext.String:
		n.kind = kindText
		l.skipString()
	case jsontext.Array:
		n.kind = kindSequence
		l.skip(1)
		for _, e := range v.Elems {
			n.elems = append(n.elems, l.locate(e))
		}
	case jsontext.Object:
		n.kind = kindMapping
		l.skip(1)
		for _, m := range v.Members {
			at := l.next()
			l.skipString()
			n.members = append(n.members, nodeMember{name: m.Name, at: at, value: l.locate(m.Value)})
		}
	}
	return n
}
