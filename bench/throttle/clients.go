package main

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/seed-363d07a3/jwtbearer"
)

// A client is one way to call an API that throttles.
type client struct {
	name string
	make func(url, token string, p policy, d dialect) (http.RoundTripper, error)
}

func clients() []client {
	return []client{
		{"jwtbearer", func(url, _ string, _ policy, d dialect) (http.RoundTripper, error) { return ours(url, d.settings) }},
		{"jwtbearer, limit set", func(url, _ string, p policy, d dialect) (http.RoundTripper, error) {
			d.settings.Limits = p.local
			return ours(url, d.settings)
		}},
		{"net/http", func(_, token string, _ policy, _ dialect) (http.RoundTripper, error) {
			return bearer{token, newTransport()}, nil
		}},
		{"go-retryablehttp", func(_, token string, _ policy, _ dialect) (http.RoundTripper, error) {
			return bearer{token, retryable(nil)}, nil
		}},
		{"go-retryablehttp, linear jitter", func(_, token string, _ policy, _ dialect) (http.RoundTripper, error) {
			return bearer{token, retryable(retryablehttp.LinearJitterBackoff)}, nil
		}},
		{"failsafe-go", func(_, token string, _ policy, _ dialect) (http.RoundTripper, error) {
			retry := failsafehttp.NewRetryPolicyBuilder().
				WithBackoff(100*time.Millisecond, 5*time.Second).WithJitterFactor(0.5).WithMaxRetries(20).ReturnLastFailure().Build()
			return bearer{token, failsafehttp.NewRoundTripper(newTransport(), retry)}, nil
		}},
	}
}

func ours(url string, settings jwtbearer.RateLimit) (http.RoundTripper, error) {
	return jwtbearer.NewClient(&jwtbearer.Connection{
		BaseURI:         url,
		SignatureMethod: jwtbearer.HS256,
		Secret:          secret,
		Lifetime:        time.Minute,
		RateLimit:       settings,
		Logger:          slog.New(slog.DiscardHandler),
	})
}

// retryable is go-retryablehttp with its defaults, but for the backoff where one is given, for which its documentation
// recommends waits from 800 to 1200 ms, and for retries until the run ends.
func retryable(backoff retryablehttp.Backoff) http.RoundTripper {
	c := retryablehttp.NewClient()
	c.Logger = nil
	c.HTTPClient.Transport = newTransport()
	c.ErrorHandler = retryablehttp.PassthroughErrorHandler
	if backoff != nil {
		c.Backoff = backoff
		c.RetryWaitMin, c.RetryWaitMax, c.RetryMax = 800*time.Millisecond, 1200*time.Millisecond, 20
	}
	return &retryablehttp.RoundTripper{Client: c}
}

func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 100
	return t
}

// bearer adds a ready-made token.
type bearer struct {
	token string
	next  http.RoundTripper
}

func (b bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", "Bearer "+b.token)
	return b.next.RoundTrip(req)
}
