package demoapi

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limit is a bucket or a fixed window.
type Limit struct {
	// Rate is how many requests per second refill the bucket, and Burst its size, at least 1.
	Rate  float64
	Burst int

	// Window, which excludes Rate, is a time in which so many Requests are taken. Windows begin at multiples of it on the
	// clock, in UTC.
	Window   time.Duration
	Requests int
}

// Throttle is the state of a limit after a request.
type Throttle struct {
	Wait      time.Duration // until a request would be taken; zero: this one was
	Limit     int           // how many are taken in all
	Remaining int
	Reset     time.Time     // when all of them are taken again
	Per       time.Duration // in which Limit are taken
	Now       time.Time     // by the clock of the API
}

// Until is when a request would be taken.
func (t Throttle) Until() time.Time { return t.Now.Add(t.Wait) }

// A limiter takes requests or does not.
type limiter interface{ take(now time.Time) Throttle }

func (l Limit) limiter() (limiter, error) {
	switch {
	case l == Limit{}:
		return nil, nil
	case l.Rate > 0 && l.Burst > 0 && l.Window == 0 && l.Requests == 0:
		return &bucket{limit: l, tokens: rate.NewLimiter(rate.Limit(l.Rate), l.Burst)}, nil
	case l.Window > 0 && l.Requests > 0 && l.Rate == 0 && l.Burst == 0:
		return &window{limit: l}, nil
	}
	return nil, errors.New("demoapi: Limit wants Rate and Burst, or Window and Requests")
}

type bucket struct {
	limit  Limit
	mu     sync.Mutex // a reservation is given back whole only while there is no other
	tokens *rate.Limiter
}

func (b *bucket) take(now time.Time) Throttle {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.tokens.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	left := max(b.tokens.TokensAt(now), 0)
	full := time.Duration((float64(b.limit.Burst) - left) / b.limit.Rate * float64(time.Second))
	per := time.Duration(float64(b.limit.Burst) / b.limit.Rate * float64(time.Second))
	return Throttle{Wait: wait, Limit: b.limit.Burst, Remaining: int(left), Reset: now.Add(full), Per: per, Now: now}
}

type window struct {
	limit Limit
	mu    sync.Mutex
	start time.Time
	taken int
}

func (w *window) take(now time.Time) Throttle {
	w.mu.Lock()
	defer w.mu.Unlock()
	if start := now.Truncate(w.limit.Window); start.After(w.start) {
		w.start, w.taken = start, 0
	}
	t := Throttle{Limit: w.limit.Requests, Reset: w.start.Add(w.limit.Window), Per: w.limit.Window, Now: now}
	if w.taken == w.limit.Requests {
		t.Wait = t.Reset.Sub(now)
		return t
	}
	w.taken++
	t.Remaining = w.limit.Requests - w.taken
	return t
}

// Dialect is how an API tells that it throttles.
type Dialect struct {
	Status int                             // of a throttled answer
	Header func(h http.Header, t Throttle) // sets the fields of a throttled answer; nil: none
	Body   func(t Throttle) any            // gives the JSON of a throttled answer; nil: none
	Quota  func(h http.Header, t Throttle) // sets the fields of every answer where there is a limit; nil: none

	// Serve writes the whole of a throttled answer instead of Status, Header and Body. Nil: they do.
	Serve func(w http.ResponseWriter, t Throttle)
}

// Bare is 429 and nothing else.
func Bare() Dialect { return Dialect{Status: http.StatusTooManyRequests} }

// RetryAfter is 429 with Retry-After in seconds (RFC 9110, section 10.2.3).
func RetryAfter() Dialect {
	return Dialect{
		Status: http.StatusTooManyRequests,
		Header: func(h http.Header, t Throttle) { h.Set("Retry-After", strconv.Itoa(ceil(t.Wait, time.Second))) },
		Body:   errorBody("too_many_requests"),
	}
}

// MillisHeader is 403 with an error code in the body, and the wait in milliseconds in X-Retry-After-Ms.
func MillisHeader() Dialect {
	return Dialect{
		Status: http.StatusForbidden,
		Header: func(h http.Header, t Throttle) {
			h.Set("X-Retry-After-Ms", strconv.Itoa(ceil(t.Wait, time.Millisecond)))
		},
		Body: errorBody("rate_limit_exceeded"),
	}
}

// RateLimitReset is 403, with the quota in the X-RateLimit fields of every answer. X-RateLimit-Reset is the Unix time when a
// request would be taken again or, before the quota is used up, when it is whole.
func RateLimitReset() Dialect {
	return Dialect{
		Status: http.StatusForbidden,
		Body:   errorBody("quota_exceeded"),
		Quota: func(h http.Header, t Throttle) {
			reset := t.Reset
			if t.Wait > 0 {
				reset = t.Until()
			}
			h.Set("X-RateLimit-Limit", strconv.Itoa(t.Limit))
			h.Set("X-RateLimit-Remaining", strconv.Itoa(t.Remaining))
			h.Set("X-RateLimit-Reset", epoch(reset))
		},
	}
}

// OKWithCode is 200 with an error code and the wait in milliseconds in the body.
func OKWithCode() Dialect {
	return Dialect{
		Status: http.StatusOK,
		Body: func(t Throttle) any {
			return map[string]any{"ok": false, "code": "THROTTLED", "retryAfterMs": ceil(t.Wait, time.Millisecond)}
		},
	}
}

// CodeOnly is 400 with an error code in the body, which does not tell how long to wait.
func CodeOnly() Dialect {
	return Dialect{Status: http.StatusBadRequest, Body: errorBody("REQUEST_LIMIT_EXCEEDED")}
}

func errorBody(code string) func(Throttle) any {
	return func(Throttle) any {
		return map[string]any{"error": map[string]any{"code": code, "message": "too many requests, slow down"}}
	}
}

// ceil rounds up, so that who waits as long as it was told is taken.
func ceil(d, unit time.Duration) int { return int(math.Ceil(float64(d) / float64(unit))) }

// epoch is the first whole second since 1970 that is not before t.
func epoch(t time.Time) string { return strconv.FormatInt(t.Add(time.Second-1).Unix(), 10) }

func (d Dialect) quota(h http.Header, t Throttle) {
	if d.Quota != nil {
		d.Quota(h, t)
	}
}

func (d Dialect) throttle(w http.ResponseWriter, t Throttle) {
	if d.Serve != nil {
		d.Serve(w, t)
		return
	}
	if d.Header != nil {
		d.Header(w.Header(), t)
	}
	if d.Body == nil {
		w.WriteHeader(d.Status)
		return
	}
	writeJSON(w, d.Status, d.Body(t))
}
