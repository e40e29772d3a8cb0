package jwtbearer

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// A watch ends an attempt in which nothing moves for too long. It runs while the peer is expected to do something: to take
// the next bytes of the request, to answer, or to send more of a body that somebody is reading. Minting the token is none of
// that.
//
// It also holds the body of the answer, which lives as long: one piece of memory instead of two. net/http may keep the context
// for longer than the attempt lasts, so that no watch serves twice.
type watch struct {
	limit  time.Duration   // zero: none
	ctx    context.Context // the attempt's own
	cancel context.CancelCauseFunc
	trace  *connTrace // nil: what it tells would change nothing
	answer answerBody

	mu       sync.Mutex
	timer    *time.Timer // nil: none
	armed    bool        // timer will fire
	running  bool
	began    time.Time
	since    time.Duration // from began until the time began anew, where it is running
	answered bool          // the request's body does not count any more
	ended    bool
}

// newWatch makes the watch over an attempt, and its context. Its time stands still before start.
func newWatch(ctx context.Context, limit time.Duration) *watch {
	w := &watch{limit: limit}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	return w
}

// start says that the request is sent now.
func (w *watch) start(now time.Time) {
	w.mu.Lock() // timer is not set when a very short one fires
	defer w.mu.Unlock()
	w.began = now
	if w.limit > 0 {
		w.running, w.armed = true, true
		w.timer = time.AfterFunc(w.limit, w.fire)
	}
}

// fire ends the attempt if its time is over. To stop and reset the timer at every Read costs more than to let it fire in
// vain once in a while.
func (w *watch) fire() {
	w.mu.Lock()
	left := w.since + w.limit - time.Since(w.began)
	over := w.running && left <= 0
	w.armed = w.running && !over
	if w.armed {
		w.timer.Reset(left)
	}
	w.mu.Unlock()
	if over {
		w.cancel(&timeoutError{limit: w.limit})
	}
}

// run starts the time anew.
func (w *watch) run() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.set(true)
}

// pause stops the time.
func (w *watch) pause() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.set(false)
}

// gotAnswer says that the answer came: from now on only reading its body counts.
func (w *watch) gotAnswer() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answered = true
	w.set(false)
}

// sending runs or stops the time for the request's body, as long as there is no answer.
func (w *watch) sending(run bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.answered {
		w.set(run)
	}
}

// end ends the attempt and frees its context.
func (w *watch) end() {
	w.mu.Lock()
	w.set(false)
	w.ended = true
	if w.timer != nil {
		w.timer.Stop()
	}
	w.mu.Unlock()
	w.cancel(nil)
}

// set starts the time anew or stops it, with the lock held.
func (w *watch) set(run bool) {
	switch {
	case w.timer == nil || w.ended:
	case !run:
		w.running = false
	default:
		w.running, w.since = true, time.Since(w.began)
		if !w.armed {
			w.armed = true
			w.timer.Reset(w.limit)
		}
	}
}

// A watchedBody is a request's body whose bytes the peer is expected to take. The time that the caller's own Read needs does
// not count.
type watchedBody struct {
	io.ReadCloser
	watch *watch
}

// watchBody lets the watch see which bytes of out's body are taken.
func watchBody(out *http.Request, w *watch) {
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
	b.watch.sending(false)
	n, err := b.ReadCloser.Read(p)
	b.watch.sending(true)
	return n, err
}

// A timeoutError is a silence longer than Connection.Timeout. It is a net.Error.
type timeoutError struct{ limit time.Duration }

func (e *timeoutError) Error() string {
	return fmt.Sprintf("jwtbearer: nothing was heard for %s (Timeout)", e.limit)
}
func (e *timeoutError) Timeout() bool   { return true }
func (e *timeoutError) Temporary() bool { return true }

// Is makes a timeout what it is called elsewhere.
func (e *timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }
