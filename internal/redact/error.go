package redact

import (
	"errors"
	"fmt"
	"io"
	"net"
)

// An Error is an error whose own text held a secret. It answers errors.Is and the questions of a net.Error as that one
// does, but does not give it away.
type Error struct {
	text string
	is   error
}

// Instead returns err where text is its own, and else an Error with that text.
func Instead(err error, text string) error {
	if text == err.Error() {
		return err
	}
	return &Error{text: text, is: err}
}

func (e *Error) Error() string        { return e.text }
func (e *Error) Is(target error) bool { return errors.Is(e.is, target) }

// Behind returns err together with the error that it replaces, for questions of its type. What it prints may hold a secret.
func Behind(err error) error {
	if s, ok := errors.AsType[*Error](err); ok {
		return errors.Join(err, s.is)
	}
	return err
}

// Format implements fmt.Formatter for all verbs, of which some would look behind the text.
func (e *Error) Format(f fmt.State, _ rune) { io.WriteString(f, e.text) }

// Timeout implements net.Error.
func (e *Error) Timeout() bool {
	n, ok := errors.AsType[net.Error](e.is)
	return ok && n.Timeout()
}

// Temporary implements net.Error, which deprecates it: nothing is.
func (e *Error) Temporary() bool { return false }
