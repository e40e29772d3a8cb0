package jwtbearer

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/seed-363d07a3/jwtbearer/internal/body"
	"github.com/seed-363d07a3/jwtbearer/internal/dial"
	"github.com/seed-363d07a3/jwtbearer/internal/throttle"
	"github.com/seed-363d07a3/jwtbearer/internal/waits"
)

// afterAnswer follows an answer that is neither a throttle nor refuses the token.
func (k *call) afterAnswer() {
	if k.c.log.Enabled(k.ctx, slog.LevelDebug) { // so that nothing is allocated for nobody
		k.log(slog.LevelDebug, "answered", "status", k.resp.StatusCode)
	}
	if !transientStatus(k.resp.StatusCode) {
		k.c.budget.earn(k.reward())
		return
	}
	k.retryTransient()
}

// reward is what a success gives back to the budget.
func (k *call) reward() int {
	if k.paid {
		return retryCost
	}
	return 1
}

// afterError follows an attempt that got no answer.
func (k *call) afterError(err error) {
	k.log(slog.LevelDebug, "no answer", "error", k.err)
	if k.ctx.Err() != nil {
		return
	}
	switch k.try.trace.Transience(err) {
	case dial.Always:
		k.retry(true)
	case dial.Idempotent:
		k.retryTransient()
	}
}

// retryTransient repeats a transient failure where the request may be repeated at all.
func (k *call) retryTransient() { k.retry(k.mayRepeat()) }

// mayRepeat reports whether the request may be sent again though it may have been served.
func (k *call) mayRepeat() bool { return k.c.retry.Always || isIdempotent(k.req) }

// retry decides on another attempt after a transient failure.
func (k *call) retry(allowed bool) {
	if !allowed || k.probe || k.counted >= k.c.retry.MaxAttempts || !k.canRepeat() || !k.c.budget.spend() {
		return
	}
	k.paid = true
	k.next = nextBackoff
}

// canRepeat reports whether the body can be sent again, and takes note where it cannot.
func (k *call) canRepeat() bool {
	if k.body.Replayable() {
		return true
	}
	k.unsent = ErrBodyNotReplayable
	if k.err != nil {
		k.err = errors.Join(k.err, ErrBodyNotReplayable)
	}
	return false
}

// afterThrottle follows a throttle. The API did not serve the request, so every method may be repeated; all but an overload
// do not count as attempts. Where the gate stays open, the call backs off by itself, so that no throttle is answered by
// another attempt at once.
func (k *call) afterThrottle() {
	k.log(slog.LevelWarn, "throttled", "class", k.throttle.Class, "rule", k.throttle.Rule, "wait", k.shut)
	most := k.c.throttling.Pace.MaxWait
	switch unknown := k.throttle.Wait == 0; {
	case k.probe || most > 0 && k.throttle.Wait > most || k.tooLate(max(k.shut, k.throttle.Wait)):
	case k.throttle.Class == throttle.Exhausted && unknown && !k.after.After(k.answered):
	case k.throttle.Class == throttle.Overload:
		k.retryTransient()
		if k.next == nextBackoff && k.shut > 0 && !unknown {
			k.next = nextAtOnce
		}
	case !k.canRepeat():
	case k.shut == 0 || k.throttle.Class == throttle.Concurrency:
		k.counted--
		k.next = nextBackoff
	default:
		k.counted--
		k.next = nextAtOnce
	}
}

// tooLate reports whether a wait would end after the last attempt has to start.
func (k *call) tooLate(wait time.Duration) bool {
	until := time.Now().Add(wait)
	if latest := k.latest(); !latest.IsZero() && until.After(latest) {
		return true
	}
	deadline, ok := k.ctx.Deadline()
	return ok && until.After(deadline)
}

// backoff is the wait before the next attempt: a random part of a bound that doubles (full jitter), on top of what a throttle
// asks for that leaves the gate open.
func (k *call) backoff() time.Duration {
	r, bound := k.c.retry, k.c.retry.MaxBackoff
	if n := min(k.backoffs, 62); r.MinBackoff <= bound>>n {
		bound = r.MinBackoff << n
	}
	k.backoffs++
	wait := rand.N(bound + 1)
	if k.throttle != nil {
		wait = waits.Add(wait, k.throttle.Wait)
	}
	return wait
}

// rest prepares the wait for the next attempt. It reports whether that is worth beginning: it keeps what is left of a short
// answer, in case no attempt can be made, and gives the connection back.
func (k *call) rest() bool {
	k.pause = 0
	if k.next == nextBackoff {
		k.pause = k.backoff()
		if k.tooLate(k.pause) {
			k.next = nextNone
			return false
		}
	}
	k.log(slog.LevelDebug, "trying again", "backoff", k.pause)
	if k.resp != nil {
		body.Keep(k.resp)
	}
	k.c.stats.wait(k.pause)
	return true
}

// transientStatus reports whether a status may pass by itself. A 5xx that is not known counts as 500 (RFC 9110, section 15), such as
// 520 to 530 of content networks; what the server does not implement it will not implement soon.
func transientStatus(code int) bool {
	switch code {
	case http.StatusRequestTimeout, http.StatusTooEarly:
		return true
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return false
	}
	return code >= 500
}

// isIdempotent reports whether a request may be sent twice (RFC 9110, section 9.2.2).
func isIdempotent(req *http.Request) bool {
	switch cmp.Or(req.Method, http.MethodGet) {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return req.Header.Get("Idempotency-Key") != "" || req.Header.Get("X-Idempotency-Key") != ""
}

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

const retryCost = 14 // tokens for the retry of one transient failure

// A budget bounds the retries of transient failures, so that an API that is down is not stormed: when all fail, retries end
// after a while, and come back as first tries succeed.
type budget struct {
	full   int64 // zero: no bound
	tokens atomic.Int64
}

func newBudget(tokens int) *budget {
	b := &budget{full: int64(tokens)}
	b.tokens.Store(b.full)
	return b
}

// spend pays for one retry, if there is enough left.
func (b *budget) spend() bool { return b.full == 0 || b.add(-retryCost) }

// earn gives tokens back.
func (b *budget) earn(tokens int) { b.add(int64(tokens)) }

// add changes how many tokens there are, which is never less than none or more than all. It reports whether there are enough.
func (b *budget) add(n int64) bool {
	for {
		old := b.tokens.Load()
		sum := min(old+n, b.full)
		if sum < 0 {
			return false
		}
		if sum == old || b.tokens.CompareAndSwap(old, sum) {
			return true
		}
	}
}
