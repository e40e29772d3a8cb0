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
	if c.own == nil {
		c.own, c.cancel = context.WithCancelCause(c.parent)
		if c.over {
			c.cancel(nil)
		}
	}
	return c.own
}

// end cancels it. Only the first cause counts.
func (c *lateContext) end(cause error) {
	if cause != nil {
		c.derived() // where context.Cause looks for it
	}
	c.mu.Lock()
	cancel := c.cancel
	c.over = true
	c.mu.Unlock()
	if cancel != nil {
		cancel(cause)
	}
}

func (c *lateContext) Done() <-chan struct{}       { return c.derived().Done() }
func (c *lateContext) Deadline() (time.Time, bool) { return c.parent.Deadline() }
func (c *lateContext) Value(key any) any           { return c.now().Value(key) }

func (c *lateContext) Err() error {
	if err := c.now().Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return context.Canceled
	}
	return nil
}

// now is the context that it is at present.
func (c *lateContext) now() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.own != nil {
		return c.own
	}
	return c.parent
}
