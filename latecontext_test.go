package jwtbearer

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

type lateKey struct{}

// newLate returns a context and the function that ends its parent.
func newLate(t *testing.T) (*lateContext, context.CancelCauseFunc) {
	parent, cancel := context.WithCancelCause(context.WithValue(t.Context(), lateKey{}, "value"))
	t.Cleanup(func() { cancel(nil) })
	return &lateContext{parent: parent}, cancel
}

func TestLateContextEndsWhoeverBeganToWaitWhenever(t *testing.T) {
	cause := errors.New("why")
	ends := map[string]func(c *lateContext, parent context.CancelCauseFunc){
		"by itself":              func(c *lateContext, _ context.CancelCauseFunc) { c.end(nil) },
		"by itself with a cause": func(c *lateContext, _ context.CancelCauseFunc) { c.end(cause) },
		"with its parent":        func(_ *lateContext, parent context.CancelCauseFunc) { parent(nil) },
	}
	for name, end := range ends {
		for _, early := range []bool{true, false} {
			c, parent := newLate(t)
			if early {
				select {
				case <-c.Done():
					t.Fatalf("%s: it was over before it ended", name)
				default:
				}
			}
			if err := c.Err(); err != nil {
				t.Errorf("%s, waited for early %v: Err() = %v before the end, want nil", name, early, err)
			}
			end(c, parent)
			if err := c.Err(); err != context.Canceled {
				t.Errorf("%s, waited for early %v: Err() = %v after the end, want %v", name, early, err, context.Canceled)
			}
			select {
			case <-c.Done():
			case <-time.After(time.Minute):
				t.Errorf("%s, waited for early %v: Done is not closed after the end", name, early)
			}
		}
	}
}

func TestLateContextTellsTheFirstCause(t *testing.T) {
	first := errors.New("first")
	for _, early := range []bool{true, false} {
		c, _ := newLate(t)
		if early {
			c.Done()
		}
		c.end(first)
		c.end(errors.New("second"))
		c.end(nil)
		if got := context.Cause(c); got != first {
			t.Errorf("waited for early %v: the cause is %v, want %v", early, got, first)
		}
	}
}

// Once Err is not nil, it stays the same.
func TestLateContextEndsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c := &lateContext{parent: parent}
		c.end(nil)
		before := c.Err()
		time.Sleep(2 * time.Second)
		if after := c.Err(); before != context.Canceled || after != before || context.Cause(c) != before {
			t.Errorf("Err() = %v, and %v after its parent ended too (%v), want %v", before, after, context.Cause(c), context.Canceled)
		}
	})
}

func TestLateContextIsItsParentBesides(t *testing.T) {
	parent, cancel := context.WithTimeout(context.WithValue(t.Context(), lateKey{}, "value"), time.Hour)
	defer cancel()
	c := &lateContext{parent: parent}
	for _, when := range []string{"before", "after"} {
		if got := c.Value(lateKey{}); got != "value" {
			t.Errorf("%s somebody waits: Value = %v, want %q", when, got, "value")
		}
		got, ok := c.Deadline()
		if want, _ := parent.Deadline(); !ok || !got.Equal(want) {
			t.Errorf("%s somebody waits: Deadline = %v, %v, want %v", when, got, ok, want)
		}
		c.Done()
	}
}

// A context of a type that package context does not know would cost a goroutine for each context derived from it.
func TestContextsDerivedFromALateContextNeedNoGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := newLate(t)
		child, cancel := context.WithCancel(c)
		defer cancel()
		c.end(nil)
		if child.Err() == nil { // a goroutine would have to run first
			t.Error("the derived context did not end together with the late one")
		}
	})
}
