// Package problem says what is wrong with a setting and what to do about it, and collects such problems. It must never know which
// settings there are, nor hold the value of one.
package problem

import (
	"errors"
	"strings"
)

// An Error is one problem, without the field that has it. It shows names, but no literal and no value.
type Error struct {
	Problem string // what was found
	Hint    string // what to do; empty: not known
}

// New returns a problem and what to do about it.
func New(problem, hint string) *Error { return &Error{Problem: problem, Hint: hint} }

// Error joins the two: "problem; hint".
func (e *Error) Error() string { return Sentence("", e.Problem, e.Hint) }

// Several are the problems of one setting.
type Several []error

// Join makes one error of those that are not nil, in their order. It is nil where there is none, and the error itself where there is one.
func Join(errs ...error) error {
	var all Several
	for _, err := range errs {
		if more, ok := err.(Several); ok {
			all = append(all, more...)
		} else if err != nil {
			all = append(all, err)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return all
}

// Error joins the errors in one line.
func (s Several) Error() string {
	texts := make([]string, len(s))
	for i, err := range s {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns the errors.
func (s Several) Unwrap() []error { return s }

// A Report takes a problem of a field, whose path is written as in Go: RateLimit.Rules[2].Match.
type Report func(field, problem, hint string)

// An Entry is a problem of a field.
type Entry struct {
	Field, Problem, Hint string

	// Cause is the error behind the problem; nil: there is none.
	Cause error
}

// A List collects problems in the order in which they are found. The zero value is an empty list. It is not safe for concurrent
// use.
type List struct{ entries []Entry }

// Add notes a problem of a field. It is a Report.
func (l *List) Add(field, problem, hint string) {
	l.AddEntry(Entry{Field: field, Problem: problem, Hint: hint})
}

// AddError notes an error as the problem of a field, with its hint where it is an *Error, and each of Several by itself.
func (l *List) AddError(field string, err error) {
	if all, ok := err.(Several); ok {
		for _, err := range all {
			l.AddError(field, err)
		}
		return
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = &Error{Problem: err.Error()}
	}
	l.Add(field, e.Problem, e.Hint)
}

// AddEntry notes a problem that has a cause.
func (l *List) AddEntry(e Entry) { l.entries = append(l.entries, e) }

// Len is the number of problems.
func (l *List) Len() int { return len(l.entries) }

// Entries returns the problems, which must not be changed.
func (l *List) Entries() []Entry { return l.entries }

// Sentence joins what is not empty: "subject: problem; hint".
func Sentence(subject, problem, hint string) string {
	s := subject
	if problem != "" {
		if s != "" {
			s += ": "
		}
		s += problem
	}
	if hint != "" {
		s += "; " + hint
	}
	return s
}
