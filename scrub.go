package jwtbearer

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
	"github.com/seed-363d07a3/jwtbearer/internal/redact"
)

// scrub takes the token, Secrets, and the query of u or of the URL that the error names out of an error of the transport.
func (c *core) scrub(err error, u *url.URL, token string) error {
	text := err.Error()
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
		text = redact.Token(text, escaped)
	}
	return redact.Instead(err, text)
}

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

// censor takes the token and the values of Secrets out of what an API said.
func (c *core) censor(text, token string) string { return c.hide(redact.Token(text, token)) }

// hide takes the values of Secrets out of a text that may have been made from them.
func (c *core) hide(text string) string { return c.secrets.Hide(text) }

// hide takes the values of Secrets out of all that a report shows, whoever said it: a name server, a certificate, the API, a claim
// that is made of the host.
func (r *Report) hide(c *core) {
	for i := range r.Steps {
		s := &r.Steps[i]
		s.Detail, s.Hint = c.hide(s.Detail), c.hide(s.Hint)
	}
	for _, part := range []*JSON{&r.Header, &r.Claims} {
		if v, err := jsontext.Parse(string(*part)); err == nil && *part != "" {
			*part = JSON(c.secrets.HideIn(v).Append(nil))
		}
	}
}

// hideError is err without what Secrets hold. A base URI may have been made from them, in its host too.
func (c *core) hideError(err error) error {
	if err == nil {
		return nil
	}
	return redact.Instead(err, c.hide(err.Error()))
}

// malformedResponse finds what net/http repeats of a response that is none, in its errors.
var malformedResponse = regexp.MustCompile(
	`(malformed (?:HTTP|MIME)[A-Za-z ]*(?:: missing colon)?:? ?|bad Content-Length |unsupported transfer encoding: )(?:"(?:[^"\\]|\\.)*"|[^"\n]+)`)

// withoutResponseText takes out of an error of the transport what it repeats of a response.
func withoutResponseText(text string) string {
	return malformedResponse.ReplaceAllString(text, "${1}"+redacted)
}
