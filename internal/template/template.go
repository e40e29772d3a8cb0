// Package template knows settings with actions in braces, such as {{now}}: it compiles them once, refuses what it does not know, and
// renders them by appending to a buffer. It must never know how a token is signed, nor how a request is sent.
package template

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

// A Scope says which values the templates of a setting may use.
type Scope uint8

const (
	ScopeStatic  Scope = iota // BaseURI: .Fields, .Secrets and the helpers only
	ScopeToken                // Payload and JWTHeaders: everything but .Token
	ScopeRequest              // HTTPHeaders, Ping and Exchange: everything
)

// Needs says what a template looks at when it is rendered.
type Needs uint8

const (
	NeedRequest Needs = 1 << iota // method, address or body of the request
	NeedBody                      // its body; comes with NeedRequest
	NeedToken                     // .Token
	NeedTime                      // what is new each time: now, uuid and the like
)

// An Env holds the values of one token or request. All actions of one rendering see the same instant.
type Env struct {
	Now     time.Time
	Request *Request // nil: there is no request
	Token   string
}

// A Set compiles templates that see the same fields, secrets and key. The zero value has none of them.
type Set struct {
	Fields  map[string]string
	Secrets map[string]string
	Key     *Key // nil: there is no key

	// Resolve returns what a text refers to, and its value; an empty ref: it is no reference. Nil: there are none.
	Resolve func(text string) (ref, value string, err error)
}

// A fault is a problem.Error whose place within the string is not yet written out.
type fault struct {
	pos           int // in bytes
	problem, hint string
}

func faultf(pos int, hint, format string, args ...any) *fault {
	return &fault{pos: pos, problem: fmt.Sprintf(format, args...), hint: hint}
}

// in places the fault in text, which is at path.
func (f *fault) in(text, path string) *problem.Error {
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

// placed is what is wrong with text, which is at path: all of it.
func placed(faults []*fault, text, path string) error {
	errs := make([]error, len(faults))
	for i, f := range faults {
		errs[i] = f.in(text, path)
	}
	return problem.Join(errs...)
}

// A Text is a template that gives a text: a header, a part of an address, a body. It is safe for concurrent use.
type Text struct{ program program }

// Text compiles a text. Its errors are *problem.Error, one for each action that cannot be.
func (t *Set) Text(text string, sc Scope) (*Text, error) {
	parts, faults := t.parse(text, sc)
	if faults != nil {
		return nil, placed(faults, text, "")
	}
	var b builder
	for _, p := range parts {
		b.add(p.asText())
	}
	return &Text{b.program()}, nil
}

// Needs says what the text depends on; zero: it is constant.
func (x *Text) Needs() Needs { return x.program.needs }

// Constant returns the text where it is always the same.
func (x *Text) Constant() (string, bool) { return x.program.constant() }

// Render returns the text for one token or request.
func (x *Text) Render(e *Env) (string, error) {
	if s, ok := x.Constant(); ok {
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
	needs Needs
}

type step struct {
	text   string
	action renderFunc // nil only in the last step
}

// renderFunc appends a value to dst.
type renderFunc func(dst []byte, e *Env) ([]byte, error)

func (p *program) constant() (string, bool) {
	switch {
	case len(p.steps) == 0:
		return "", true
	case len(p.steps) == 1 && p.steps[0].action == nil:
		return p.steps[0].text, true
	}
	return "", false
}

func (p *program) append(dst []byte, e *Env) ([]byte, error) {
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
	needs   Needs
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
