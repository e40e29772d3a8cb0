package jwtbearer

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
	"github.com/seed-363d07a3/jwtbearer/internal/origin"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
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
