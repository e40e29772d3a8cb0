package jwtbearer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
)

// scrub takes the token, Secrets, and the query of u or of the URL that the error names out of an error of the transport.
func (c *core) scrub(err error, u *url.URL, token string) error {
	before := err.Error()
	text := before
	if u.RawQuery != "" {
		text = strings.ReplaceAll(text, "?"+u.RawQuery, "")
	}
	if named, ok := errors.AsType[*url.Error](err); ok {
		text = strings.ReplaceAll(text, named.URL, withoutQuery(named.URL))
	}
	if c.hop != nil {
		text = withoutResponseText(text)
	}
	text = c.censor(text, token)
	if escaped := url.QueryEscape(token); escaped != token {
		text = scrubText(text, escaped)
	}
	if text == before {
		return err
	}
	return &scrubbedError{text: text, is: err}
}

// A scrubbedError is an error whose own text held a secret. It answers errors.Is and the questions of a net.Error as that one
// does, but does not give it away.
type scrubbedError struct {
	text string
	is   error
}

func (e *scrubbedError) Error() string        { return e.text }
func (e *scrubbedError) Is(target error) bool { return errors.Is(e.is, target) }

// behind returns err together with the error that it replaces, for questions of its type. What it prints may hold a secret.
func behind(err error) error {
	if s, ok := errors.AsType[*scrubbedError](err); ok {
		return errors.Join(err, s.is)
	}
	return err
}

// Format implements fmt.Formatter for all verbs, of which some would look behind the text.
func (e *scrubbedError) Format(f fmt.State, _ rune) { io.WriteString(f, e.text) }

// Timeout implements net.Error.
func (e *scrubbedError) Timeout() bool {
	n, ok := errors.AsType[net.Error](e.is)
	return ok && n.Timeout()
}

// Temporary implements net.Error, which deprecates it: nothing is.
func (e *scrubbedError) Temporary() bool { return false }

// contextError is why a context ended: its error, and the cause that its owner gave.
func contextError(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, ctx.Err()) {
		return errors.Join(ctx.Err(), cause)
	}
	return ctx.Err()
}

func withoutQuery(text string) string {
	if i := strings.IndexAny(text, "?#"); i >= 0 {
		return text[:i]
	}
	return text
}
