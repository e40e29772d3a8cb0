package jwtbearer

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/httpfield"
	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/response"
)

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

// readText reads the text of a refused answer, as much of it as anybody looks at, and no longer than textTime: what came counts. It
// stays in the body's place.
func readText(resp *http.Response, token string) {
	if resp.Body == http.NoBody {
		return
	}
	var text bytes.Buffer
	body := resp.Body
	_, err := readWithin(&text, body, int64(max(response.MostRaw, errorBytes+len(token))), textTime)
	rest := io.Reader(body)
	if err != nil {
		rest = errReader{err}
	}
	resp.Body = readCloser{io.MultiReader(&text, rest), body}
}

// authError is the typed form of an answer that refuses the token.
func (c *core) authError(resp *http.Response, token string) *AuthError {
	readText(resp, token)
	code, message := response.New(resp, media.Kind(c.errorMedia), time.Now()).Words(c.ping.errorPath)
	told := bestChallenge(resp.Header)
	e := &AuthError{StatusCode: resp.StatusCode, Scheme: c.censor(problem.OneLine(told.scheme), token)}
	e.Code = c.censor(problem.OneLine(cmp.Or(told.params["error"], code)), token)
	e.Message = c.censor(problem.OneLine(cmp.Or(told.params["error_description"], message)), token)
	if skew := c.skew.get(); skew != 0 {
		e.Hint = clockHint(skew)
	} else if e.Code == "insufficient_scope" {
		e.Hint = "the token is valid but may not do this"
		if scope := told.params["scope"]; scope != "" {
			e.Hint += ": it needs the scope " + c.censor(problem.OneLine(scope), token)
		}
	}
	return e
}

// clockHint tells of a clock that explains a refusal.
func clockHint(skew time.Duration) string {
	where := "ahead of"
	if skew < 0 {
		where = "behind"
	}
	return fmt.Sprintf("the server's clock is %.0f s %s this one", skew.Abs().Seconds(), where)
}

// A challenge says how an API wants to be asked (RFC 9110, section 11.6.1).
type challenge struct {
	scheme string
	params map[string]string // by their names in lower case
}

// bestChallenge returns the challenge that says what is wrong with the token: the first with an error, else the first for
// Bearer, else the first.
func bestChallenge(header http.Header) challenge {
	all := challenges(strings.Join(httpfield.Values(header, "WWW-Authenticate"), ", "))
	for _, fits := range []func(challenge) bool{
		func(c challenge) bool { return c.params["error"] != "" },
		func(c challenge) bool { return strings.EqualFold(c.scheme, "Bearer") },
		func(challenge) bool { return true },
	} {
		if i := slices.IndexFunc(all, fits); i >= 0 {
			return all[i]
		}
	}
	return challenge{}
}

// challenges reads a WWW-Authenticate field: a list of schemes, each followed by a blank and a list of its parameters.
func challenges(field string) []challenge {
	var all []challenge
	for rest := strings.TrimLeft(field, " \t,"); rest != ""; rest = strings.TrimLeft(rest, " \t,") {
		word := rest
		if i := strings.IndexAny(rest, " \t,="); i >= 0 {
			word = rest[:i]
		}
		after := strings.TrimLeft(rest[len(word):], " \t")
		switch {
		case !strings.HasPrefix(after, "="):
			all = append(all, challenge{word, map[string]string{}})
			rest = rest[len(word):]
		case len(all) == 0:
			return nil
		default:
			var value string
			value, rest = challengeValue(strings.TrimLeft(after[1:], " \t"))
			all[len(all)-1].params[strings.ToLower(word)] = value
		}
	}
	return all
}

// challengeValue reads a token or a quoted string, and returns what follows it.
func challengeValue(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		end := len(s)
		if i := strings.IndexAny(s, ", \t"); i >= 0 {
			end = i
		}
		return s[:end], s[end:]
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), ""
}

// scrubText takes the token out of a text, also where the text was cut off within it.
func scrubText(text, token string) string {
	if token == "" {
		return text
	}
	text = strings.ReplaceAll(text, token, redacted)
	cut, wasCut := strings.CutSuffix(text, "…")
	for n := min(len(token), len(cut)); n >= leastPiece; n-- {
		if strings.HasSuffix(cut, token[:n]) {
			text = cut[:len(cut)-n] + redacted
			if wasCut {
				text += "…"
			}
			break
		}
	}
	return text
}

const leastPiece = 8 // bytes of a token that are worth hiding

// joined is errors.Join that leaves a single error as it is.
func joined(err, more error) error {
	if more == nil {
		return err
	}
	return errors.Join(err, more)
}
