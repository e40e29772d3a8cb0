package body

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestAWatchThatDidNotBeginEnds(t *testing.T) {
	w := new(Watch)
	w.End()
	w.End()
}

func TestOnlyTheFirstCauseCounts(t *testing.T) {
	w, first := new(Watch), errors.New("first")
	w.Begin(t.Context(), time.Second)
	w.Start(time.Now())
	w.EndWith(first)
	w.End()
	if got := context.Cause(w.Context()); got != first {
		t.Errorf("the cause is %v, want %v", got, first)
	}
}

// TestSilenceCountsOnlyWhileThePeerHasToDoSomething takes a body with pauses longer than the limit, and a last read without an end.
func TestSilenceCountsOnlyWhileThePeerHasToDoSomething(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := new(Watch)
		w.Begin(t.Context(), time.Second)
		w.Start(time.Now())
		w.Responded()
		for range 5 {
			time.Sleep(3 * time.Second)
			w.Reading()
			time.Sleep(900 * time.Millisecond)
			w.Paused()
		}
		if err := w.Context().Err(); err != nil {
			t.Fatalf("it ended with %v, want no end while nobody reads", context.Cause(w.Context()))
		}
		w.Reading()
		began := time.Now()
		<-w.Context().Done()
		_, timedOut := errors.AsType[*TimeoutError](context.Cause(w.Context()))
		if took := time.Since(began); !timedOut || took != time.Second {
			t.Errorf("%v after %s, want a timeout after 1s", context.Cause(w.Context()), took)
		}
	})
}
