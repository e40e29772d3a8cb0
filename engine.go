package jwtbearer

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// An engine drives the attempts of a call after the first one. go-retryablehttp decides nothing and sees nothing of the
// request: it is given one of its own without a body, its transport makes the next attempt of the call and gives back an
// empty answer, and CheckRetry and Backoff read the call. That keeps its habits (it would replace the caller's body, write
// into the caller's headers, follow redirects, close idle connections and name the query in errors) out of the
// RoundTripper contract.
type engine struct{}

// drive makes attempts until nothing follows. The first one was made already.
func (engine) drive(k *call) {
	d := &driver{call: k}
	client := &retryablehttp.Client{
		HTTPClient: &http.Client{
			Transport:     d,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		RetryMax:   math.MaxInt,
		CheckRetry: d.checkRetry,
		Backoff:    d.backoff,
	}
	req, err := retryablehttp.NewRequestWithContext(k.ctx, http.MethodGet, "http://attempt.invalid/", nil)
	if err != nil {
		k.fail(err)
		return
	}
	if resp, err := client.Do(req); err == nil {
		resp.Body.Close()
	}
	if k.next != nextNone {
		k.fail(contextError(k.ctx)) // the wait between two attempts was cancelled
	}
}

// A driver is what go-retryablehttp sees of a call.
type driver struct {
	call  *call
	begun bool
}

// RoundTrip makes the next attempt. The outcome is in the call, whatever it is.
func (d *driver) RoundTrip(req *http.Request) (*http.Response, error) {
	if d.begun {
		d.call.attempt()
	}
	d.begun = true
	return &http.Response{StatusCode: http.StatusNoContent, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
}

func (d *driver) checkRetry(context.Context, *http.Response, error) (bool, error) {
	if d.call.next == nextNone {
		return false, nil
	}
	return d.call.rest(), nil
}

func (d *driver) backoff(_, _ time.Duration, _ int, _ *http.Response) time.Duration {
	return d.call.pause
}
