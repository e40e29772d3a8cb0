package jwtbearer

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
	"github.com/seed-363d07a3/jwtbearer/internal/diagnose"
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
	if skew := c.skew.get(); skew != 0 {
		e.Hint = diagnose.ClockHint(skew)
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
