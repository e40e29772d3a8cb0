package jwtbearer

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
	"github.com/seed-363d07a3/jwtbearer/internal/diagnose"
	"github.com/seed-363d07a3/jwtbearer/internal/httpfield"
	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/origin"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/redact"
	"github.com/seed-363d07a3/jwtbearer/internal/response"
	"github.com/seed-363d07a3/jwtbearer/internal/throttle"
)

var (
	// ErrForeignOrigin says that a request was not addressed to the origin (scheme, host and port) of BaseURI nor to one of
	// TrustedOrigins, so that the token must not go there. Nothing was sent.
	ErrForeignOrigin = origin.ErrForeign

	// ErrBodyNotReplayable says that an attempt was due to be repeated and could not be: the request's body had no GetBody
	// and was longer than Retry.BufferLimit, so it could be sent only once.
	ErrBodyNotReplayable = body.ErrNotReplayable
)

// ConfigError is one thing that is wrong with a Connection. Validate and NewClient join all that they find.
type ConfigError struct {
	Field   string // path of the field in Connection: BaseURI, RateLimit.Limits[0].Per
	Problem string // what was found, without any secret
	Hint    string // what to do

	cause error
}

// Unwrap returns what is behind the problem, such as a *KeyError, if anything.
func (e *ConfigError) Unwrap() error { return e.cause }

func (e *ConfigError) Error() string {
	return "jwtbearer: " + problem.Sentence(e.Field, e.Problem, e.Hint)
}

// Warning is something about a Connection that is legal but probably not meant.
type Warning struct {
	Field   string // path of the field in Connection
	Problem string
	Hint    string
}

func (w Warning) String() string { return problem.Sentence(w.Field, w.Problem, w.Hint) }

// KeyError tells why a private key could not be read. It never holds a part of what was read.
type KeyError struct {
	Found   string // what was pasted: "certificate", "encrypted PKCS#8 private key", "public key", ...
	Problem string
	Hint    string
	Line    int // line of the input, from 1; zero: not known, or the input as a whole
}

func (e *KeyError) Error() string {
	return "jwtbearer: private key: " + problem.Sentence(e.subject(), e.Problem, e.Hint)
}

// subject is what was found, and where.
func (e *KeyError) subject() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s in line %d", cmp.Or(e.Found, "text"), e.Line)
	}
	return e.Found
}

// AuthError is an answer by which the API refused the token (Connection.AuthFailure), after one more try with a new one.
type AuthError struct {
	StatusCode int
	Scheme     string // of the WWW-Authenticate challenge, such as "Bearer"
	Code       string // its error parameter: invalid_token, insufficient_scope, ... (RFC 6750, section 3.1)
	Message    string // the API's own words
	Hint       string // what to do, where the answer tells enough
}

func (e *AuthError) Error() string {
	return "jwtbearer: token refused: " + problem.Sentence(status(e.StatusCode), words(e.Code, e.Message), e.Hint)
}

// TokenError is an answer by which a token endpoint refused an assertion (RFC 6749, section 5.2), or in which it gave no token.
// Since a body may hold a token whatever its status and Content-Type say, no text of it is kept but what its members for errors say;
// of a 2xx answer nothing but a Code that is known.
type TokenError struct {
	StatusCode  int
	Code        string // invalid_grant, invalid_client, ...
	Description string // what the endpoint says; where it says nothing, what came, in words of this package
	URI         string // of a page about the error
	Hint        string // what to do
}

func (e *TokenError) Error() string {
	return "jwtbearer: token endpoint: " + problem.Sentence(status(e.StatusCode), words(e.Code, e.Description), e.Hint)
}

// ThrottledError says that the API asked for a longer wait than the call may take. The question that most programs have is
// answered by RetryAfter.
type ThrottledError struct {
	Class      string        // throttled, concurrency, exhausted, overload or token
	RetryAfter time.Duration // from now; zero: the API did not say
	Rule       string        // the rule that matched, such as rules[2], or the quota that is used up, such as quota[0]
	Attempts   int           // how often the request was sent
	StatusCode int           // of the last answer; zero: the request was not sent, since the gate was closed
}

func (e *ThrottledError) Error() string {
	var b strings.Builder
	b.WriteString("jwtbearer: throttled")
	if e.Class != "" && e.Class != throttle.Throttled {
		fmt.Fprintf(&b, " (%s)", e.Class)
	}
	if e.StatusCode == 0 {
		b.WriteString(": not sent")
	} else {
		fmt.Fprintf(&b, ": %s after %s", status(e.StatusCode), problem.Times(e.Attempts, "attempt"))
	}
	if e.Rule != "" {
		fmt.Fprintf(&b, " by %s", e.Rule)
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, "; retry after %s", e.RetryAfter.Round(time.Millisecond))
	}
	return b.String()
}

// ResponseError is any other answer that is not a success.
type ResponseError struct {
	StatusCode int
	Code       string // the API's own code, where the body tells one
	Message    string // the API's own words, where the body tells them
	Body       []byte // at most the first 64 KiB
	Attempts   int    // how often the request was sent
}

func (e *ResponseError) Error() string {
	s := "jwtbearer: " + problem.Sentence(status(e.StatusCode), words(e.Code, e.Message), "")
	if e.Attempts > 1 {
		s += " after " + problem.Times(e.Attempts, "attempt")
	}
	return s
}

// RetryAfter tells how long to wait before the call that failed with err is worth another try. It is false where err is not
// a throttle or the API did not say.
func RetryAfter(err error) (time.Duration, bool) {
	t, ok := errors.AsType[*ThrottledError](err)
	if !ok || t.RetryAfter <= 0 {
		return 0, false
	}
	return t.RetryAfter, true
}

func words(code, message string) string {
	if code != "" && message != "" {
		return code + ": " + message
	}
	return cmp.Or(code, message)
}

func status(code int) string {
	if text := http.StatusText(code); text != "" {
		return fmt.Sprintf("%d %s", code, text)
	}
	return fmt.Sprint(code)
}

const errorBytes = 64 << 10 // of the body of a refused answer are kept

// responseError is the typed form of an answer that is not a success. It reads the body, from which the token is taken out.
func (c *core) responseError(resp *http.Response, attempts int, token string) *ResponseError {
	readText(resp, token)
	code, message := response.New(resp, media.Kind(c.errorMedia), time.Now()).Words(c.ping.errorPath)
	body, _ := io.ReadAll(io.LimitReader(resp.Body, int64(errorBytes+len(token)))) // what came counts
	body = []byte(c.censor(string(body), token))
	return &ResponseError{StatusCode: resp.StatusCode, Code: c.censor(code, token), Message: c.censor(message, token),
		Body: body[:min(len(body), errorBytes)], Attempts: attempts}
}

// readText reads the text of a refused answer, as much of it as anybody looks at, and no longer than body.TextTime: what came counts. It
// stays in the body's place.
func readText(resp *http.Response, token string) {
	if resp.Body == http.NoBody {
		return
	}
	var text bytes.Buffer
	rest := resp.Body
	_, err := body.ReadWithin(&text, rest, int64(max(response.MostRaw, errorBytes+len(token))), body.TextTime)
	resp.Body = body.Rejoin(&text, rest, err)
}

// authError is the typed form of an answer that refuses the token.
func (c *core) authError(resp *http.Response, token string) *AuthError {
	readText(resp, token)
	code, message := response.New(resp, media.Kind(c.errorMedia), time.Now()).Words(c.ping.errorPath)
	told := bestChallenge(resp.Header)
	e := &AuthError{StatusCode: resp.StatusCode, Scheme: c.censor(problem.OneLine(told.Scheme), token)}
	e.Code = c.censor(problem.OneLine(cmp.Or(told.Params["error"], code)), token)
	e.Message = c.censor(problem.OneLine(cmp.Or(told.Params["error_description"], message)), token)
	if ahead := c.skew.Get(); ahead != 0 {
		e.Hint = diagnose.ClockHint(ahead)
	} else if e.Code == "insufficient_scope" {
		e.Hint = "the token is valid but may not do this"
		if scope := told.Params["scope"]; scope != "" {
			e.Hint += ": it needs the scope " + c.censor(problem.OneLine(scope), token)
		}
	}
	return e
}

// bestChallenge returns the challenge that says what is wrong with the token: the first with an error, else the first for
// Bearer, else the first.
func bestChallenge(header http.Header) httpfield.Challenge {
	all := httpfield.Challenges(strings.Join(httpfield.Values(header, "WWW-Authenticate"), ", "))
	for _, fits := range []func(httpfield.Challenge) bool{
		func(c httpfield.Challenge) bool { return c.Params["error"] != "" },
		func(c httpfield.Challenge) bool { return strings.EqualFold(c.Scheme, "Bearer") },
		func(httpfield.Challenge) bool { return true },
	} {
		if i := slices.IndexFunc(all, fits); i >= 0 {
			return all[i]
		}
	}
	return httpfield.Challenge{}
}

// joined is errors.Join that leaves a single error as it is.
func joined(err, more error) error {
	if more == nil {
		return err
	}
	return errors.Join(err, more)
}

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
