package jwtbearer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/pace"
	"github.com/seed-363d07a3/jwtbearer/internal/place"
	"github.com/seed-363d07a3/jwtbearer/internal/response"
	"github.com/seed-363d07a3/jwtbearer/internal/skew"
	"github.com/seed-363d07a3/jwtbearer/internal/throttle"
)

// A call is one request of the caller and all the attempts that are made of it. It holds the truth about them: whoever
// drives the attempts only reads it. One goroutine at a time uses it.
type call struct {
	c     *core
	ctx   context.Context
	req   *http.Request // the caller's, never changed
	body  *body.Source  // nil: no body
	probe bool          // a Test: no retries, no waiting for a closed gate
	odd   bool          // a header's name is not in canonical form
	seq   uint64        // place in the queue
	began time.Time     // when the first attempt left the queue, refused probes not counted; zero: none did

	ticket    *minted // the token that all attempts carry, or the next one where it is an access token; nil: one is minted
	throttled func()  // is called after each throttle; nil: nobody asks

	attempts int  // requests sent
	counted  int  // of them, those that count against MaxAttempts
	reminted bool // a refused token was replaced once
	paid     bool // a retry was paid for from the budget
	backoffs int  // waits of which each doubles the bound of the next

	first attempt  // which most calls have alone
	try   *attempt // the last that began

	// The last attempt that was sent.
	token      *minted
	skewBefore time.Duration // the correction of the token that was replaced
	sent       time.Time
	answered   time.Time // when resp came
	resp       *http.Response
	err        error
	throttle   *throttle.Verdict // resp is one
	refused    bool              // resp refuses the token
	shut       time.Duration     // for how long the gate is closed, where resp is a throttle
	after      time.Time         // before which the API asked this call not to come back; zero: it did not
	unminted   bool              // no token could be made
	next       next
	pause      time.Duration // the backoff before it
	unsent     error         // why a retry that was due could not be made
}

// next says what follows an attempt.
type next int

const (
	nextNone    next = iota
	nextAtOnce       // another attempt, which joins the queue
	nextBackoff      // the same after a backoff
)

// run makes all attempts and returns the outcome: an answer or an error.
func (k *call) run() (*http.Response, error) {
	if k.body != nil {
		defer context.AfterFunc(k.ctx, k.body.Interrupt)()
	}
	done := false
	defer func() {
		if !done { // the caller's Key, Transport, Limiter or Logger panicked
			k.try.abandon()
			k.body.End(true)
		}
	}()
	k.attempt()
	if k.next != nextNone {
		k.c.engine.drive(k)
	}
	done = true
	k.body.End(k.resp == nil)
	if k.resp == nil {
		return nil, k.err
	}
	return k.resp, nil
}

// attempt makes one attempt and decides what follows.
func (k *call) attempt() {
	k.next = nextNone
	a := &k.first
	if k.attempts > 0 {
		a = new(attempt)
	}
	k.try = a
	a.watch.Begin(k.ctx, k.c.silence)
	if err := k.enter(&a.slot); err != nil {
		a.abandon()
		if k.unminted {
			k.miss(err)
		} else {
			k.giveUp(err)
		}
		return
	}
	out, err := k.prepare(a)
	if err != nil {
		a.abandon()
		k.miss(err)
		return
	}
	k.send(out, a)
}

// enter waits for the turn of an attempt. It gets the access token before that, so that no slot is held meanwhile, and once
// more where that expired in the queue.
func (k *call) enter(s *pace.Slot) error {
	if k.c.access == nil {
		return k.stand(s)
	}
	for again := false; ; again = true {
		if err := k.authorize(); err != nil {
			return err
		}
		if err := k.stand(s); err != nil || k.isAuthorized() || again {
			return err
		}
		s.GiveBack()
	}
}

// isAuthorized reports whether the access token still serves. It may have been renewed meanwhile.
func (k *call) isAuthorized() bool {
	if t, ok := k.c.access.kept.Serving(); ok {
		k.ticket = t
	}
	return k.ticket.serves()
}

// authorize gets the access token for the next attempt. None is fetched while the gate is closed.
func (k *call) authorize() (err error) {
	a := k.c.access
	var fresh bool
	if k.ticket, fresh = a.kept.Fresh(); fresh {
		return nil
	}
	if err := k.c.line.AwaitGate(k.ctx, k.patience(), nil); err != nil {
		return err
	}
	if k.ticket, err = a.get(k.ctx, k.patience()); err != nil {
		k.unminted = true
	}
	return err
}

// stand waits for everything that delays an attempt, and tells of it.
func (k *call) stand(s *pace.Slot) error {
	waited, err := k.await(s)
	k.c.stats.wait(waited)
	if waited >= leastTold && k.c.log.Enabled(k.ctx, slog.LevelDebug) {
		k.log(slog.LevelDebug, "waited", "wait", waited)
	}
	return err
}

const leastTold = time.Millisecond // of a wait that is logged

// await waits in the queue, then for the caller's Limiter, then the gate if it closed meanwhile.
func (k *call) await(s *pace.Slot) (time.Duration, error) {
	if k.c.limiter == nil {
		err := k.c.line.Enter(k.ctx, k.seq, k.patience(), s)
		return s.Waited(), err
	}
	began := time.Now()
	if err := k.c.line.Enter(k.ctx, k.seq, k.patience(), s); err != nil {
		return time.Since(began), err
	}
	err := k.c.limiter.Wait(k.ctx)
	if err != nil {
		err = errors.Join(err, k.ctx.Err())
	} else {
		err = k.c.line.AwaitGate(k.ctx, k.patience(), s)
	}
	return time.Since(began), err
}

// latest is when the last attempt may start; zero: no bound. Before the first attempt only the context bounds the wait.
func (k *call) latest() time.Time {
	if k.began.IsZero() || k.c.retry.MaxElapsed == 0 {
		return time.Time{}
	}
	return k.began.Add(k.c.retry.MaxElapsed)
}

// patience is how long an attempt may wait for its turn.
func (k *call) patience() pace.Patience {
	p := pace.Patience{Latest: k.latest(), Gate: k.c.line.MaxWait(), After: k.after, Last: k.probe || !k.body.Replayable()}
	if k.probe {
		p.Gate = -1
	}
	return p
}

// giveUp ends the call where an attempt got no turn. The last answer wins, unless the caller does not want it any more.
func (k *call) giveUp(err error) {
	gate, isGate := errors.AsType[*pace.Refusal](err)
	switch {
	case k.ctx.Err() != nil:
		k.fail(contextError(k.ctx))
	case isGate && k.throttle != nil: // the last answer stands, and another one closed the gate for longer since
		k.throttle.Wait = max(k.throttle.Wait, gate.Wait)
	case k.resp != nil || k.err != nil: // the outcome of the last attempt stands
	case isGate:
		k.fail(throttledBy(gate))
	case errors.Is(err, pace.ErrTooLate):
		k.fail(errors.Join(fmt.Errorf("jwtbearer: %w", err), context.DeadlineExceeded))
	default:
		k.fail(err)
	}
}

// miss ends the call where an attempt could not be made, such as for want of a token. The last answer stands, as after any last
// attempt, unless nobody wants it any more; Do joins err to the error that it makes of it.
func (k *call) miss(err error) {
	if k.resp == nil || k.ctx.Err() != nil || k.c.hop != nil {
		k.fail(err)
		return
	}
	k.log(slog.LevelWarn, "not tried again", "error", err)
	k.unsent = err
	if k.throttle != nil {
		k.throttle.Wait = max(0, k.throttle.Wait-time.Since(k.answered)) // some of it was waited for
	}
}

// fail ends the call with an error, which tells of the last attempt too.
func (k *call) fail(err error) {
	err = k.endedBy(err)
	if k.throttle != nil {
		throttled := k.throttledError()
		throttled.RetryAfter = max(0, throttled.RetryAfter-time.Since(k.answered)) // some of it was waited for
		err = errors.Join(err, throttled)
	} else if k.resp != nil {
		err = errors.Join(err, k.answerError())
	} else if k.err != nil {
		err = errors.Join(err, k.err)
	}
	k.discard()
	k.err = err
}

// answerError is the typed form of the last answer, which is no throttle.
func (k *call) answerError() error {
	if k.c.hop != nil {
		return k.c.hop.refusal(k, nil)
	}
	if k.refused {
		return k.c.authError(k.resp, k.token.value)
	}
	return k.c.responseError(k.resp, k.attempts, k.token.value)
}

// endedBy joins why the context ended, if it did and err does not say so.
func (k *call) endedBy(err error) error {
	if k.ctx.Err() == nil || errors.Is(err, k.ctx.Err()) {
		return err
	}
	return errors.Join(contextError(k.ctx), err)
}

// send makes one attempt and judges its outcome.
func (k *call) send(out *http.Request, a *attempt) {
	w, s := &a.watch, &a.slot
	if k.began.IsZero() {
		k.began = s.Sent()
	}
	k.discard()
	k.attempts++
	k.counted++
	k.throttle, k.refused, k.err, k.unsent = nil, false, nil, nil
	k.sent = s.Now()
	w.Start(k.sent)
	k.c.stats.attempts.Add(1)
	resp, err := k.c.carry(out)
	if err != nil {
		k.err = k.endedBy(k.c.scrub(err, out.URL, k.token.value))
		w.End()
		s.Failed(pace.Observation{})
		s.Release()
		k.afterError(err)
		return
	}
	w.Responded()
	k.answered = s.Now()
	resp.Request = k.req
	resp.Body = a.body.Take(resp, w, s)
	place.Forget(resp.Header, k.c.placements, k.token.value)
	k.resp = resp
	if k.c.hop != nil {
		if err := k.c.hop.keep(resp); err != nil {
			k.resp, k.err = nil, k.endedBy(k.c.scrub(err, out.URL, k.token.value))
			s.Failed(pace.Observation{})
			k.afterError(err)
			return
		}
	}
	k.judge(s)
}

// carry lets the transport carry a request. A nil answer without an error, which is against its contract, is an error here.
func (c *core) carry(out *http.Request) (*http.Response, error) {
	resp, err := c.transport.RoundTrip(out)
	switch {
	case err != nil:
		return nil, body.Cause(out.Context(), err)
	case resp == nil:
		return nil, errors.New("jwtbearer: Transport returned neither an answer nor an error")
	}
	return resp, nil
}

// judge decides what an answer means and what follows it.
func (k *call) judge(s *pace.Slot) {
	a := throttle.NewView(response.New(k.resp, media.Kind(k.c.errorMedia), k.answered))
	var room [4]pace.Reading // for what is left of quotas, without an allocation
	seen := k.c.observe(room[:0], a)
	if t, ok := k.c.throttling.Judge(a); ok {
		k.throttle = new(t) // a copy, so that t itself is not allocated where there is none
		if s.IsProbe() && k.began.Equal(s.Sent()) {
			k.began = time.Time{} // it still waits for its first turn, as it would had it not been the probe
		}
		var own time.Duration
		k.shut, own = s.Throttled(pace.Throttle(t), seen)
		k.after = k.answered.Add(own)
		k.c.stats.throttles.Add(1)
		if k.throttled != nil {
			k.throttled()
		}
		k.afterThrottle()
		return
	}
	if k.c.authFailure.Match(&a.Response) >= 0 {
		s.Accepted(seen)
		k.refused = true
		k.afterRefusal()
		return
	}
	if k.resp.StatusCode >= 500 {
		s.Failed(seen)
		if k.c.hop != nil { // some say so of an assertion that has expired
			k.c.skew.Refused(k.token.skew, k.resp.Header, k.sent, k.answered)
		}
	} else {
		s.Accepted(seen)
		k.c.tokenAccepted(k.resp.Header, k.sent, k.answered)
	}
	k.afterAnswer()
}

// observe is what an answer tells besides, with the readings appended to room. Its Date is read only where a limit or a quota
// is kept by it.
func (c *core) observe(room []pace.Reading, v *throttle.View) pace.Observation {
	readings := c.throttling.Readings(v)
	seen := pace.Observation{Readings: appendReadings(room, readings)}
	if len(c.throttling.Pace.Limits) > 0 || len(readings) > 0 {
		seen.Date = skew.DateOf(v.Header())
	}
	return seen
}

// appendReadings appends what is told to be left of quotas. One that tells no reset is renewed within its window.
func appendReadings(to []pace.Reading, readings []throttle.Reading) []pace.Reading {
	for _, r := range readings {
		if !r.HasRemaining || r.Absurd {
			continue
		}
		reset := r.Window
		if r.HasReset {
			reset = r.Reset
		}
		to = append(to, pace.Reading{Name: r.Name, Remaining: r.Remaining, Reset: reset, Renewed: r.Renewed, Asked: r.Asked})
	}
	return to
}

// discard drops the answer of the last attempt.
func (k *call) discard() {
	if k.resp != nil {
		k.resp.Body.Close()
		k.resp = nil
	}
}

// throttledError is the typed form of the last answer, which is a throttle.
func (k *call) throttledError() *ThrottledError {
	e := &ThrottledError{Class: k.throttle.Class, Rule: k.throttle.Rule, Attempts: k.attempts, RetryAfter: k.throttle.Wait}
	if k.resp != nil {
		e.StatusCode = k.resp.StatusCode
	}
	return e
}

// throttledBy is the typed form of a closed gate that lets no attempt leave.
func throttledBy(gate *pace.Refusal) *ThrottledError {
	return &ThrottledError{Class: gate.Class, Rule: gate.Rule, RetryAfter: gate.Wait}
}

func (k *call) log(level slog.Level, msg string, args ...any) {
	if !k.c.log.Enabled(k.ctx, level) {
		return
	}
	args = append([]any{"connection", k.c.name, "method", k.req.Method, "path", k.c.hide(k.req.URL.EscapedPath()), "attempt", k.attempts}, args...)
	k.c.log.Log(k.ctx, level, "jwtbearer: "+msg, args...)
}
