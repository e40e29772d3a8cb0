package jwtbearer

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
	"weak"
)

// A watch ends an attempt in which nothing moves for too long. It runs while the peer is expected to do something: to take
// the next bytes of the request, to answer, or to send more of a body that somebody is reading. Minting the token is none of
// that. net/http may keep the context for longer than the attempt lasts, so that no watch serves twice.
type watch struct {
	dog   *watchdog
	ctx   lateContext // the attempt's own
	trace *connTrace  // nil: what it tells would change nothing

	began    time.Time
	sending  atomic.Int64 // since when the peer may take more of the request or answer, see stamp; zero: it need not
	reading  atomic.Int64 // the same of the answer's body
	answered atomic.Bool  // sending does not count any more

	on         bool // in the list of dog.watches, whose lock guards this and the next two
	prev, next *watch
}

// begin makes the context of the attempt. Its time stands still before start.
func (w *watch) begin(ctx context.Context, dog *watchdog) {
	w.dog, w.ctx.parent = dog, ctx
}

// start says that the request is sent now. A time without a monotonic reading is one of a synctest bubble, whose timers are for
// what happens in it alone.
func (w *watch) start(now time.Time) {
	if now == now.Round(0) {
		w.dog = &watchdog{limit: w.dog.limit}
	}
	w.began = now
	w.sending.Store(stamp(0))
	w.dog.add(w)
}

// stamp is how a time since the request was sent is kept. It is never zero.
func stamp(passed time.Duration) int64 { return int64(passed) + 1 }

// send starts the time for the request anew, read that for the answer's body. It goes on until sent or paused.
func (w *watch) send()   { w.sending.Store(stamp(time.Since(w.began))) }
func (w *watch) sent()   { w.sending.Store(0) }
func (w *watch) read()   { w.reading.Store(stamp(time.Since(w.began))) }
func (w *watch) paused() { w.reading.Store(0) }

// gotAnswer says that the answer came: from now on only reading its body counts.
func (w *watch) gotAnswer() { w.answered.Store(true) }

// left is for how long the peer might be silent still at that time, which was read before: else a goroutine that is held up here
// would take the delay for silence.
func (w *watch) left(now time.Time) time.Duration {
	since := &w.sending
	if w.answered.Load() {
		since = &w.reading
	}
	if began := since.Load(); began != 0 {
		return w.dog.limit - time.Duration(stamp(now.Sub(w.began))-began)
	}
	return w.dog.limit
}

// end ends the attempt and frees its context.
func (w *watch) end() {
	w.dog.remove(w)
	w.ctx.end(nil)
}

// A watchdog looks after the watches of one client, whose limits are the same, with one timer for all: it fires when the first
// of them can be over, and once in vain after the last. So an attempt, of which nearly none is too long, costs no timer of its own.
type watchdog struct {
	limit time.Duration // zero: none

	mu    sync.Mutex
	first *watch
	timer *time.Timer // nil: none yet
	armed bool        // it will fire
}

// add takes a watch under guard, whose request is sent now.
func (d *watchdog) add(w *watch) {
	if d.limit <= 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	w.on = true
	if w.next = d.first; w.next != nil {
		w.next.prev = w
	}
	d.first = w
	if !d.armed { // else it fires before this one can be over
		d.arm(d.limit)
	}
}

// arm sets the timer. It does not keep the client in memory: who waits for an attempt does.
func (d *watchdog) arm(wait time.Duration) {
	d.armed = true
	if d.timer != nil {
		d.timer.Reset(wait)
		return
	}
	self := weak.Make(d)
	d.timer = time.AfterFunc(wait, func() {
		if d := self.Value(); d != nil {
			d.look()
		}
	})
}

// remove ends the guard over a watch.
func (d *watchdog) remove(w *watch) {
	if d.limit <= 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unlink(w)
}

func (d *watchdog) unlink(w *watch) {
	if !w.on {
		return
	}
	w.on = false
	if w.next != nil {
		w.next.prev = w.prev
	}
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		d.first = w.next
	}
	w.prev, w.next = nil, nil
}

// look ends the attempts whose time is over.
func (d *watchdog) look() {
	for _, w := range d.over() {
		w.ctx.end(&timeoutError{limit: d.limit})
	}
}

// over takes out the watches whose time is over, and sets the timer for the others: the more there are to look at, the less often.
func (d *watchdog) over() (over []*watch) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now, soonest, looks := time.Now(), d.limit, time.Duration(0)
	for w := d.first; w != nil; looks++ {
		next := w.next
		if left := w.left(now); left > 0 {
			soonest = min(soonest, left)
		} else {
			d.unlink(w)
			over = append(over, w)
		}
		w = next
	}
	if d.armed = d.first != nil; d.armed {
		d.arm(max(soonest, looks*time.Microsecond))
	}
	return over
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
	b.watch.sent()
	n, err := b.ReadCloser.Read(p)
	b.watch.send()
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
