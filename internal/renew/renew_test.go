package renew

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A lease is a value that serves for some time.
type lease struct{ renew, until time.Time }

func (l *lease) Times() (renew, until time.Time) { return l.renew, l.until }

// leaseOf is a lease that is to be renewed and ends so long from now on.
func leaseOf(renew, until time.Duration) *lease {
	return &lease{time.Now().Add(renew), time.Now().Add(until)}
}

var errMaking = errors.New("it could not be made")

// get returns the value that serves, or waits for the next. What begins calls make in a goroutine of its own.
func get(ctx context.Context, c *Cache[*lease], make func() (*lease, error)) (*lease, error) {
	value, run, begun := c.Join()
	if begun {
		go func() { run.End(make()) }()
	}
	if value != nil {
		return value, nil
	}
	return run.Await(ctx, nil)
}

func TestAllWhoWaitShareOneRun(t *testing.T) {
	for name, want := range map[string]error{"that succeeds": nil, "that fails": errMaking} {
		synctest.Test(t, func(t *testing.T) {
			var c Cache[*lease]
			var made atomic.Int32
			make := func() (*lease, error) {
				made.Add(1)
				time.Sleep(time.Second)
				return leaseOf(time.Minute, time.Hour), want
			}
			var all sync.WaitGroup
			values := [8]*lease{}
			for i := range values {
				all.Go(func() {
					var err error
					if values[i], err = get(t.Context(), &c, make); err != want || (values[i] == nil) != (want != nil) {
						t.Errorf("a run %s gave %v, %v to caller %d, want %v", name, values[i], err, i, want)
					}
				})
			}
			all.Wait()
			for _, v := range values {
				if v != values[0] {
					t.Errorf("a run %s gave different values", name)
				}
			}
			if made.Load() != 1 {
				t.Errorf("a run %s: the value was made %d times, want once", name, made.Load())
			}
			_, err := get(t.Context(), &c, make)
			if again := int32(1); want != nil {
				again++
				if made.Load() != again || err != want {
					t.Errorf("an error is kept: made %d times, %v; want it made again", made.Load(), err)
				}
			} else if made.Load() != again || err != nil {
				t.Errorf("a value that serves is made again: %d times, %v", made.Load(), err)
			}
		})
	}
}

func TestWhoGivesUpDoesNotEndTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Cache[*lease]
		make := func() (*lease, error) { time.Sleep(time.Minute); return leaseOf(time.Hour, time.Hour), nil }
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if _, err := get(ctx, &c, make); err != ctx.Err() || err == nil || time.Since(began) != time.Second {
			t.Errorf("the first caller got %v after %s, want %v after a second", err, time.Since(began), context.DeadlineExceeded)
		}
		if value, err := get(t.Context(), &c, make); value == nil || err != nil || time.Since(began) != time.Minute {
			t.Errorf("the second caller got %v, %v after %s, want a value after a minute, which is when the first run ends", value, err, time.Since(began))
		}
	})
}

func TestAValueIsRenewedWhileItServesAndNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Cache[*lease]
		made := 0
		make := func() (*lease, error) {
			made++
			time.Sleep(10 * time.Second)
			return leaseOf(time.Minute, 2*time.Minute), nil
		}
		first, _ := get(t.Context(), &c, make)
		for at, want := range []struct {
			made  int
			fresh bool
		}{{1, true}, {1, true}, {2, false}, {2, true}} { // every 25 seconds; it is renewed after a minute, which takes 10 seconds
			time.Sleep(25 * time.Second)
			began := time.Now()
			_, fresh := c.Fresh()
			value, err := get(t.Context(), &c, make)
			if synctest.Wait(); made != want.made || fresh != want.fresh || value == nil || err != nil || !time.Now().Equal(began) {
				t.Errorf("look %d: made %d times, fresh: %t, %v, %v after %s; want %d times, %t, a value at once", at, made, fresh, value, err,
					time.Since(began), want.made, want.fresh)
			}
			if isFirst := value == first; isFirst != (at < 3) {
				t.Errorf("look %d: the first value serves: %t, want %t", at, isFirst, at < 3)
			}
		}
	})
}

func TestAfterAFailedRenewalTheNextOneWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Cache[*lease]
		c.Store(leaseOf(0, 100*time.Second))
		began := time.Now()
		var times []time.Duration
		make := func() (*lease, error) { times = append(times, time.Since(began)); return nil, errMaking }
		for time.Since(began) < 99*time.Second {
			if value, err := get(t.Context(), &c, make); value == nil || err != nil {
				t.Fatalf("after %s: %v, %v; want the value that serves", time.Since(began), value, err)
			}
			synctest.Wait()
			time.Sleep(500 * time.Millisecond)
		}
		want := []time.Duration{0, 25 * time.Second} // then after a quarter of the 75 seconds that are left, rounded up to the next look
		for i, w := range want {
			if len(times) <= i || times[i] != w {
				t.Fatalf("the renewals began after %v, want %v first", times, want)
			}
		}
		for i := range times[1:] {
			if pause := times[i+1] - times[i]; pause < time.Second {
				t.Errorf("renewal %d began %s after the one before, want a second at least", i+1, pause)
			}
		}
		if n := len(times); n > 20 {
			t.Errorf("%d renewals in 99 seconds, want a few", n)
		}
		time.Sleep(10 * time.Second)
		if _, err := get(t.Context(), &c, make); err != errMaking {
			t.Errorf("where no value serves: %v, want %v at once", err, errMaking)
		}
	})
}

func TestDropForgetsAValueOnce(t *testing.T) {
	var c Cache[*lease]
	first, second := leaseOf(time.Hour, time.Hour), leaseOf(time.Hour, time.Hour)
	c.Drop(first) // there is none
	c.Store(first)
	c.Drop(second)
	if got, ok := c.Serving(); got != first || !ok {
		t.Errorf("after another one was dropped %v, %t serves, want the first", got, ok)
	}
	c.Drop(first)
	if got, ok := c.Serving(); got != nil || ok {
		t.Errorf("after it was dropped %v, %t serves, want none", got, ok)
	}
	c.Store(second)
	c.Drop(first) // late news
	if got, ok := c.Fresh(); got != second || !ok {
		t.Errorf("after the former one was dropped %v, %t serves, want the second", got, ok)
	}
}

func TestAValueThatIsOverDoesNotServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Cache[*lease]
		c.Store(leaseOf(time.Second, 2*time.Second))
		for i, want := range []struct{ fresh, serving bool }{{true, true}, {false, true}, {false, false}} {
			_, fresh := c.Fresh()
			_, serving := c.Serving()
			if fresh != want.fresh || serving != want.serving {
				t.Errorf("after %d s: fresh %t, serving %t; want %t, %t", i, fresh, serving, want.fresh, want.serving)
			}
			time.Sleep(time.Second)
		}
	})
}

func TestWhoWaitsAsksAgainAtEachStir(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Cache[*lease]
		_, run, begun := c.Join()
		if !begun {
			t.Fatal("no run was begun")
		}
		tooLong := errors.New("too long")
		asked, refusal := 0, error(nil)
		outcome := make(chan error, 1)
		go func() {
			_, err := run.Await(t.Context(), func() error { asked++; return refusal })
			outcome <- err
		}()
		synctest.Wait()
		run.Stir()
		synctest.Wait()
		if asked != 2 || len(outcome) != 0 {
			t.Fatalf("asked %d times, outcomes %d; want twice, and the wait going on", asked, len(outcome))
		}
		refusal = tooLong
		run.Stir()
		if err := <-outcome; err != tooLong || asked != 3 {
			t.Errorf("the wait ended with %v after %d questions, want %v after 3", err, asked, tooLong)
		}
		run.End(leaseOf(time.Hour, time.Hour), nil)
		if value, err := run.Await(t.Context(), func() error { return tooLong }); value == nil || err != nil {
			t.Errorf("a run that has ended gives %v, %v; want its value, whatever refuse says", value, err)
		}
	})
}

func TestTheOutcomeCountsMoreThanAContextThatEnded(t *testing.T) {
	var c Cache[*lease]
	_, run, _ := c.Join()
	run.End(leaseOf(time.Hour, time.Hour), nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		if value, err := run.Await(ctx, nil); value == nil || err != nil {
			t.Fatalf("%v, %v; want the value that is there", value, err)
		}
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	var c Cache[*lease]
	c.Store(leaseOf(time.Hour, time.Hour))
	if got := testing.AllocsPerRun(100, func() { c.Fresh(); c.Serving() }); got != 0 {
		t.Errorf("%v allocations, want none", got)
	}
}
