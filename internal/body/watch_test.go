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

// The time may be over before Start returns. The race detector tells whether what ends the attempt then sees all that Start wrote.
func TestALimitThatIsOverAtOnceEndsTheAttempt(t *testing.T) {
	for range 1000 {
		w := new(Watch)
		w.Begin(t.Context(), 1)
		w.Start(time.Now())
		<-w.Context().Done()
		if _, ok := errors.AsType[*TimeoutError](context.Cause(w.Context())); !ok {
			t.Fatalf("the cause is %v, want a *TimeoutError", context.Cause(w.Context()))
		}
		w.End()
	}
}
