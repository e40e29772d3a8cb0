// Package body knows bodies as they move: a request's that can be sent again, a response's that holds an attempt open, and the
// silence of a peer that ends one. It must never know what is in them, nor tokens, limits or settings.
package body

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"sync/atomic"
	"time"
)

// A Watch ends an attempt in which nothing moves for too long. It runs while the peer is expected to do something: to take
// the next bytes of the request, to respond, or to send more of a body that somebody is reading. Minting the token is none of
// that. net/http may keep the context for longer than the attempt lasts, so that no Watch serves twice.
type Watch struct {
	limit  time.Duration // zero: none
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer // nil: there is no limit, or nothing was sent yet

	began    time.Time
	sending  atomic.Int64 // since when the peer may take more of the request or respond, see stamp; zero: it need not
	reading  atomic.Int64 // the same of the response's body
	answered atomic.Bool  // sending does not count any more
	ended    atomic.Bool
}

// Begin makes the context of the attempt from that of the call. limit is the longest silence; zero: none. Time counts from Start.
func (w *Watch) Begin(ctx context.Context, limit time.Duration) {
	w.limit = limit
	w.ctx, w.cancel = context.WithCancelCause(ctx)
}

// Context is the attempt's own. It ends with the call's, with End, or with a *TimeoutError as its cause.
func (w *Watch) Context() context.Context { return w.ctx }

// Start says that the request is sent now.
func (w *Watch) Start(now time.Time) {
	w.began = now
	w.sending.Store(stamp(0))
	if w.limit > 0 {
		w.timer = time.AfterFunc(math.MaxInt64, w.look)
		w.timer.Reset(w.limit) // look uses timer, which must be there when it runs
	}
}

// stamp is how a time since the request was sent is kept. It is never zero.
func stamp(passed time.Duration) int64 { return int64(passed) + 1 }

// send starts the time for the request anew. It goes on until sent.
func (w *Watch) send() { w.sending.Store(stamp(time.Since(w.began))) }
func (w *Watch) sent() { w.sending.Store(0) }

// Reading says that somebody reads the response's body, which the peer has to send more of until Paused.
func (w *Watch) Reading() { w.reading.Store(stamp(time.Since(w.began))) }

// Paused says that nobody reads at present.
func (w *Watch) Paused() { w.reading.Store(0) }

// Responded says that the response came: from now on only reading its body counts.
func (w *Watch) Responded() { w.answered.Store(true) }

// look ends the attempt if its time is over, and else looks again when it may be.
func (w *Watch) look() {
	left := w.left(time.Now())
	if left <= 0 {
		w.EndWith(&TimeoutError{limit: w.limit})
		return
	}
	w.timer.Reset(left)
	if w.ended.Load() {
		w.timer.Stop()
	}
}

// left is for how long the peer might be silent still at that time, which was read before: else a goroutine that is held up here
// would take the delay for silence.
func (w *Watch) left(now time.Time) time.Duration {
	since := &w.sending
	if w.answered.Load() {
		since = &w.reading
	}
	if began := since.Load(); began != 0 {
		return w.limit - time.Duration(stamp(now.Sub(w.began))-began)
	}
	return w.limit
}

// End ends the attempt and frees its context. It may be called again, also where the attempt did not begin.
func (w *Watch) End() { w.EndWith(nil) }

// EndWith is End with a cause of the context, of which only the first counts.
func (w *Watch) EndWith(cause error) {
	w.ended.Store(true)
	if w.cancel == nil {
		return
	}
	if w.timer != nil {
		w.timer.Stop()
	}
	w.cancel(cause)
}

// A watchedBody is a request's body whose bytes the peer is expected to take. The time that the caller's own Read needs does
// not count.
type watchedBody struct {
	io.ReadCloser
	watch *Watch
}

// Request lets the Watch see which bytes of out's body are taken.
func (w *Watch) Request(out *http.Request) {
	if out.Body == nil || out.Body == http.NoBody {
		return
	}
	out.Body = &watchedBody{ReadCloser: out.Body, watch: w}
	if getBody := out.GetBody; getBody != nil {
		out.GetBody = func() (io.ReadCloser, error) {
			body, err := getBody()
			if err != nil {
				return nil, err
			}
			return &watchedBody{ReadCloser: body, watch: w}, nil
		}
	}
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.watch.sent()
	n, err := b.ReadCloser.Read(p)
	b.watch.send()
	return n, err
}

// Cause replaces the error of an attempt whose context a Watch ended by the reason for it.
func Cause(ctx context.Context, err error) error {
	if timeout, ok := errors.AsType[*TimeoutError](context.Cause(ctx)); ok {
		return timeout
	}
	return err
}

// A TimeoutError is a silence longer than Connection.Timeout. It is a net.Error.
type TimeoutError struct{ limit time.Duration }

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("jwtbearer: nothing was heard for %s (Timeout)", e.limit)
}
func (e *TimeoutError) Timeout() bool   { return true }
func (e *TimeoutError) Temporary() bool { return true }

// Is makes a timeout what it is called elsewhere.
func (e *TimeoutError) Is(target error) bool { return target == context.DeadlineExceeded }
