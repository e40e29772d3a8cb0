package dial

import (
	"context"
	"net/http/httptrace"
	"sync/atomic"
)

// A Trace tells whether an attempt that failed had got a connection, where the transport tells that (net/http does).
type Trace struct {
	attempt     context.Context
	hooks       httptrace.ClientTrace
	wanted, got atomic.Bool
	served      atomic.Bool // got, and not wanted again since, as net/http may when it finds the connection broken
}

// traceKey is where a context has its *Trace.
type traceKey struct{}

// NewTrace returns the Trace of an attempt, which has its context.
func NewTrace(attempt context.Context) *Trace { return &Trace{attempt: attempt} }

// Context is that of the attempt with t as its trace.
func (t *Trace) Context() context.Context {
	t.hooks.GetConn = func(string) {
		t.served.Store(false)
		t.wanted.Store(true)
	}
	t.hooks.GotConn = func(httptrace.GotConnInfo) {
		t.got.Store(true)
		t.served.Store(true)
	}
	return httptrace.WithClientTrace(context.WithValue(t.attempt, traceKey{}, t), &t.hooks)
}

// unwanted is why the attempt needs no connection any more; nil: it does, or there is no trace to tell.
func (t *Trace) unwanted() error {
	switch {
	case t == nil:
		return nil
	case t.served.Load():
		return errServed
	}
	return t.attempt.Err()
}

// ended is closed when the attempt ends, from which net/http detaches its dials.
func (t *Trace) ended() <-chan struct{} {
	if t == nil {
		return nil
	}
	return t.attempt.Done()
}
