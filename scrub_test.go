package jwtbearer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestTransportErrorsLoseTokenAndQuery(t *testing.T) {
	var token string
	c := dialFake(t, &fakeAPI{handle: func(_ int, r *http.Request) (*http.Response, error) {
		token = r.URL.Query().Get("jwt")
		inner := &url.Error{Op: r.Method, URL: r.URL.String(), Err: errors.Join(context.DeadlineExceeded, errors.New("sent "+token))}
		return nil, fmt.Errorf("wrapped: %w", inner)
	}}, func(conn *Connection) {
		conn.Retry.MaxAttempts = 1
		conn.Placement = []Placement{{In: "query", Name: "jwt"}}
	})
	req := fakeRequest(t, "GET", nil)
	req.URL.RawQuery = "key=s3cret"
	_, err := c.RoundTrip(req)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v is not context.DeadlineExceeded any more", err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
		if text := fmt.Sprintf(verb, err); strings.Contains(text, token) || strings.Contains(text, "s3cret") {
			t.Errorf("%s of the error is %s, want no token and no query", verb, text)
		}
	}
}
