// Package renew keeps one value while it serves, and has it renewed once for all who want it. It knows times and those who wait; it
// must never know what the value is, how it is made or what it costs.
package renew

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// A Value says itself for how long it serves.
type Value interface {
	comparable

	// Times tells from when on the value is renewed though it still serves, and until when it serves. Neither may change.
	Times() (renew, until time.Time)
}

// A Cache keeps one value while it serves. Where none does, or the one that serves is to be renewed, one caller begins a Run, and all
// share what that gives: those who need a value wait for it, and those who have one that serves do not. After a run that failed, a
// value that serves is renewed no earlier than after a quarter of the time for which it still does, and a second at least.
//
// A caller that gives up does not end the run. Who begins one decides in which goroutine it goes on.
//
// The zero Cache is ready for use. It is safe for concurrent use.
type Cache[T Value] struct {
	current atomic.Pointer[T] // nil: none

	mu    sync.Mutex
	run   *Run[T]   // under way; nil: none
	pause time.Time // until then a value that serves is not renewed
}

// Fresh returns the value that serves, if it need not be renewed yet.
func (c *Cache[T]) Fresh() (value T, ok bool) {
	if p := c.current.Load(); p != nil {
		if renew, _ := (*p).Times(); time.Now().Before(renew) {
			return *p, true
		}
	}
	return value, false
}

// Serving returns the value that serves.
func (c *Cache[T]) Serving() (value T, ok bool) {
	if p := c.current.Load(); p != nil {
		if _, until := (*p).Times(); time.Now().Before(until) {
			return *p, true
		}
	}
	return value, false
}

// Store keeps a value that was made without a run.
func (c *Cache[T]) Store(value T) { c.current.Store(&value) }

// Drop forgets a value that turned out not to serve, unless another one has replaced it.
func (c *Cache[T]) Drop(value T) {
	if p := c.current.Load(); p != nil && *p == value {
		c.current.CompareAndSwap(p, nil)
	}
}

// Join returns the value that serves; the zero T: none does. run gives the next one; nil: none is under way, nor due. Where begun is
// true, run is new, and the caller must see to it that its End is called.
func (c *Cache[T]) Join() (value T, run *Run[T], begun bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	value, ok := c.Serving()
	due := !ok
	if ok {
		renew, _ := value.Times()
		now := time.Now()
		due = !now.Before(renew) && !now.Before(c.pause)
	}
	if due && c.run == nil {
		c.run = &Run[T]{cache: c, done: make(chan struct{}), stir: make(chan struct{})}
		begun = true
	}
	return value, c.run, begun
}

// A Run is the making of the next value, which others wait for. It is safe for concurrent use.
type Run[T Value] struct {
	cache *Cache[T]
	done  chan struct{} // is closed when value and err are set
	value T
	err   error

	mu   sync.Mutex
	stir chan struct{} // is closed, and replaced, by Stir
}

// End ends the run with a value, which the cache keeps, or with an error. It is called once.
func (r *Run[T]) End(value T, err error) {
	c := r.cache
	c.mu.Lock()
	c.run = nil
	if err == nil {
		r.value = value
		c.Store(value)
	} else if old, ok := c.Serving(); ok {
		_, until := old.Times()
		c.pause = time.Now().Add(max(time.Second, time.Until(until)/4))
	}
	r.err = err
	c.mu.Unlock()
	close(r.done)
}

// Await waits for the outcome of the run, for no longer than ctx; its error is ctx.Err then. refuse, if not nil, is asked at the
// beginning and after each Stir: its error ends the wait, unless the run has ended.
func (r *Run[T]) Await(ctx context.Context, refuse func() error) (none T, err error) {
	for {
		stir := r.stirred() // before refuse is asked, so that none is missed
		if refuse != nil {
			err = refuse()
		}
		select {
		case <-r.done:
			return r.value, r.err
		default:
		}
		if err != nil {
			return none, err
		}
		select {
		case <-r.done:
			return r.value, r.err
		case <-stir:
		case <-ctx.Done():
			return none, ctx.Err()
		}
	}
}

// Stir lets all who wait ask again whether that is worth it.
func (r *Run[T]) Stir() {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.stir)
	r.stir = make(chan struct{})
}

// stirred is closed by the next Stir.
func (r *Run[T]) stirred() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stir
}
