package jwtbearer

import (
	"context"
	"sync"
	"time"
)

// A lateContext is the caller's context until somebody waits for it, and then one of its own that is derived from it. A transport
// that never waits, since it answers from memory, costs no context; for any other it is the one of package context, so that
// what is derived from it needs no goroutine. It is safe for concurrent use.
type lateContext struct {
	parent context.Context

	mu     sync.Mutex
	own    context.Context // nil: nobody has waited
	cancel context.CancelCauseFunc
	over   bool // it ended before anybody waited, without a cause
}

// derived returns the context of its own.
func (c *lateContext) derived() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.derive()
	return c.own
}

// derive makes it, with the lock held.
func (c *lateContext) derive() {
	if c.own != nil {
		return
	}
	c.own, c.cancel = context.WithCancelCause(c.parent)
	if c.over {
		c.cancel(nil)
	}
}

// end cancels it. Only the first cause counts.
func (c *lateContext) end(cause error) {
	c.mu.Lock()
	if cause != nil {
		c.derive() // where context.Cause looks for it
	}
	c.over = true
	cancel := c.cancel
	c.mu.Unlock()
	if cancel != nil {
		cancel(cause)
	}
}

func (c *lateContext) Done() <-chan struct{}       { return c.derived().Done() }
func (c *lateContext) Deadline() (time.Time, bool) { return c.parent.Deadline() }
func (c *lateContext) Value(key any) any           { return c.now().Value(key) }
func (c *lateContext) Err() error                  { return c.now().Err() }

// now is the context that it is at present. One that is over has to be its own, so that it stays what it is: its parent may end
// later, of another cause.
func (c *lateContext) now() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		c.derive()
	}
	if c.own == nil {
		return c.parent
	}
	return c.own
}
