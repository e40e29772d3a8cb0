package jwtbearer

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
)

// Templates have the syntax of text/template and are parsed by text/template/parse, but neither checked nor executed by it:
// its engine looks names up only when it runs, prints every secret for {{.}}, knows nothing of JSON, and takes as long as a
// whole token. Here each template is compiled to runs of bytes with closures between them. Since fields, secrets and the
// public facts of the key are known by then, whatever depends on nothing else is computed once, and what remains appends
// straight to the token. A compiled template is immutable and safe for concurrent use.

// scope says which values the templates of a setting may use.
type scope uint8

const (
	scopeStatic  scope = iota // BaseURI: .Fields, .Secrets and the helpers only
	scopeToken                // Payload and JWTHeaders: everything but .Token
	scopeRequest              // HTTPHeaders, Ping and Exchange: everything
)

// needs says what a template looks at when it is rendered.
type needs uint8

const (
	needRequest needs = 1 << iota // method, address or body of the request
	needBody                      // its body; comes with needRequest
	needToken                     // .Token
	needTime                      // what is new for every token: now, uuid and the like
)

// env holds the values of one token or request. All actions of one rendering see the same instant.
type env struct {
	now   time.Time
	req   *requestValues // nil: there is no request
	token string
}

// templates compiles the templates of one connection.
type templates struct {
	fields  map[string]string
	secrets map[string]string // resolved
	key     *keyFacts         // nil: there is no key

	// resolve returns what a text refers to, and its value; an empty ref: it is no reference. Nil: there are none.
	resolve func(text string) (ref, value string, err error)
}

// templateFault is a problem.Error whose place within the string is not yet written out.
type templateFault struct {
	pos           int // in bytes
	problem, hint string
}

func faultf(pos int, hint, format string, args ...any) *templateFault {
	return &templateFault{pos: pos, problem: fmt.Sprintf(format, args...), hint: hint}
}

// in places the fault in text, which is at path.
func (f *templateFault) in(text, path string) *problem.Error {
	line, column := jsontext.Position(text, min(f.pos, len(text)))
	var place strings.Builder
	if path != "" {
		fmt.Fprintf(&place, "at %s, ", path)
	}
	if strings.Contains(text, "\n") {
		fmt.Fprintf(&place, "line %d, ", line)
	}
	fmt.Fprintf(&place, "column %d: %s", column, f.problem)
	return &problem.Error{Problem: place.String(), Hint: f.hint}
}

// textTemplate is a template that gives a text: a header, a part of an address, a body.
type textTemplate struct{ program program }

// compileText compiles text. Its errors are *problem.Error.
func (t *templates) compileText(text string, sc scope) (*textTemplate, error) {
	parts, err := t.parse(text, sc)
	if err != nil {
		return nil, err.in(text, "")
	}
	var b builder
	for _, p := range parts {
		b.add(p.asText())
	}
	return &textTemplate{b.program()}, nil
}

func (x *textTemplate) needs() needs { return x.program.needs }

// constant returns the text where it is always the same.
func (x *textTemplate) constant() (string, bool) { return x.program.constant() }

// text renders the template.
func (x *textTemplate) text(e *env) (string, error) {
	if s, ok := x.constant(); ok {
		return s, nil
	}
	b, err := x.program.append(make([]byte, 0, 256), e)
	if err != nil {
		return "", err
	}
	return string(b), nil
}

// program is a compiled template: constant bytes, each run of them followed by an action.
type program struct {
	steps []step
	needs needs
}

type step struct {
	text   string
	action renderFunc // nil only in the last step
}

// renderFunc appends a value to dst.
type renderFunc func(dst []byte, e *env) ([]byte, error)

func (p *program) constant() (string, bool) {
	switch {
	case len(p.steps) == 0:
		return "", true
	case len(p.steps) == 1 && p.steps[0].action == nil:
		return p.steps[0].text, true
	}
	return "", false
}

func (p *program) append(dst []byte, e *env) ([]byte, error) {
	for i := range p.steps {
		s := &p.steps[i]
		dst = append(dst, s.text...)
		if s.action == nil {
			break
		}
		var err error
		if dst, err = s.action(dst, e); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// builder collects a program. Constants that follow each other become one run.
type builder struct {
	steps   []step
	pending []byte
	needs   needs
}

func (b *builder) literal(s string) { b.pending = append(b.pending, s...) }

func (b *builder) add(x expr) {
	if x.fixed {
		b.literal(x.value)
		return
	}
	b.steps = append(b.steps, step{text: string(b.pending), action: x.render})
	b.pending = b.pending[:0]
	b.needs |= x.needs
}

// addProgram adds all of p.
func (b *builder) addProgram(p *program) {
	for _, s := range p.steps {
		b.literal(s.text)
		if s.action != nil {
			b.add(expr{render: s.action})
		}
	}
	b.needs |= p.needs
}

func (b *builder) program() program {
	if len(b.pending) > 0 {
		b.steps = append(b.steps, step{text: string(b.pending)})
	}
	return program{steps: b.steps, needs: b.needs}
}
