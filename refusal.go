package jwtbearer

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

const errorBytes = 64 << 10 // of the body of a refused answer are kept

// responseError is the typed form of an answer that is not a success. It reads the body, from which the token is taken out.
func (c *core) responseError(resp *http.Response, attempts int, token string) *ResponseError {
	code, message := newAnswer(resp, c.errorMedia, time.Now()).words(c.ping.errorPath)
	body, _ := io.ReadAll(io.LimitReader(resp.Body, errorBytes)) // what came counts
	e := &ResponseError{StatusCode: resp.StatusCode, Code: scrubText(code, token), Message: scrubText(message, token),
		Body: body, Attempts: attempts}
	if token != "" {
		e.Body = bytes.ReplaceAll(body, []byte(token), []byte(redacted))
	}
	return e
}

// authError is the typed form of an answer that refuses the token.
func (c *core) authError(resp *http.Response, token string) *AuthError {
	code, message := newAnswer(resp, c.errorMedia, time.Now()).words(c.ping.errorPath)
	scheme, params := challenge(resp.Header.Get("WWW-Authenticate"))
	e := &AuthError{StatusCode: resp.StatusCode, Scheme: scheme, Code: params["error"], Message: params["error_description"]}
	if e.Code == "" {
		e.Code = code
	}
	if e.Message == "" {
		e.Message = message
	}
	e.Code, e.Message = scrubText(e.Code, token), scrubText(e.Message, token)
	if skew := c.skew.get(); skew != 0 {
		e.Hint = "the API's clock differs from this one by " + skew.Round(time.Second).String()
	}
	return e
}

// challenge reads the first challenge of a WWW-Authenticate field (RFC 9110, section 11.6.1): its scheme and its parameters.
func challenge(field string) (scheme string, params map[string]string) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(field), " ")
	params = make(map[string]string)
	for rest != "" {
		name, after, ok := strings.Cut(rest, "=")
		if !ok {
			break
		}
		value, after := challengeValue(strings.TrimSpace(after))
		params[strings.ToLower(strings.Trim(name, " \t,"))] = value
		rest = strings.TrimLeft(after, " \t,")
	}
	return scheme, params
}

// challengeValue reads a token or a quoted string, and returns what follows it.
func challengeValue(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		value, rest, _ = strings.Cut(s, ",")
		return strings.TrimSpace(value), rest
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

// scrubText takes the token out of a text.
func scrubText(text, token string) string {
	if token == "" {
		return text
	}
	return strings.ReplaceAll(text, token, redacted)
}

// joined is errors.Join that leaves a single error as it is.
func joined(err, more error) error {
	if more == nil {
		return err
	}
	return errors.Join(err, more)
}
