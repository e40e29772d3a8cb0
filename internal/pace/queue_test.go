package pace

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestLineKeepsEveryLimitAtOnce(t *testing.T) {
	tests := []struct {
		name string
		set  Settings
		want []time.Duration // when the attempts leave
	}{
		{"nothing set", Settings{Fixed: true}, []time.Duration{0, 0, 0, 0}},
		{"interval", Settings{Fixed: true, Interval: time.Second}, seconds(0, 1, 2, 3)},
		{"bucket", Settings{Fixed: true, Limits: []Limit{{Requests: 2, Per: time.Second, Burst: 2}}}, seconds(0, 0, .5, 1, 1.5)},
		{"a bucket keeps one token in reserve", Settings{Limits: []Limit{{Requests: 2, Per: time.Second, Burst: 3}}},
			seconds(0, 0, .5, 1, 1.5)},
		{"a bucket of one is 1 % slower", Settings{Limits: []Limit{{Requests: 99, Per: 99 * time.Second, Burst: 1}}},
			seconds(0, 1/.99, 2/.99)},
		{"window", Settings{Fixed: true, Limits: []Limit{{Requests: 3, Per: time.Minute}}}, seconds(0, 0, 0, 60, 60, 60, 120)},
		{"two windows", Settings{Fixed: true, Limits: []Limit{{Requests: 2, Per: time.Second}, {Requests: 3, Per: time.Minute}}},
			seconds(0, 0, 1, 60, 60, 61)},
		{"window, bucket and interval", Settings{Fixed: true, Interval: 100 * time.Millisecond, Limits: []Limit{
			{Requests: 4, Per: 10 * time.Second}, {Requests: 1, Per: time.Second, Burst: 2}}},
			seconds(0, .1, 1, 2, 10, 10.1, 11)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, began := testLine(t, tt.set), time.Now()
				for i, want := range tt.want {
					s := enter(t, l, uint64(i))
					if got := time.Since(began); (got - want).Abs() > time.Microsecond {
						t.Errorf("attempt %d leaves after %v, want %v", i, got, want)
					}
					s.Accepted(Observation{})
					s.Release()
				}
			})
		})
	}
}

func TestWindowCountsAnAttemptUntilItsAnswerPlusPer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, began := testLine(t, Settings{Fixed: true, Limits: []Limit{{Requests: 1, Per: time.Minute}}}), time.Now()
		s := enter(t, l, 1)
		time.Sleep(10 * time.Second) // until the response comes
		s.Accepted(Observation{})
		s.Release()
		enter(t, l, 2)
		if got, want := time.Since(began), 70*time.Second; got != want {
			t.Errorf("the second attempt leaves after %v, want %v", got, want)
		}
	})
}

func TestLineServesInTheOrderOfCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := testLine(t, Settings{Fixed: true, Interval: time.Second})
		enter(t, l, 1).Accepted(Observation{})
		var mu sync.Mutex
		var order []uint64
		var wg sync.WaitGroup
		for _, seq := range []uint64{5, 6, 7, 3, 4, 2} { // retries of older calls come last
			wg.Go(func() {
				s := enter(t, l, seq)
				mu.Lock()
				order = append(order, seq)
				mu.Unlock()
				s.Accepted(Observation{})
			})
			synctest.Wait()
		}
		wg.Wait()
		if want := []uint64{2, 3, 4, 5, 6, 7}; !slices.Equal(order, want) {
			t.Errorf("the calls leave in the order %v, want %v", order, want)
		}
	})
}

func TestCancelledWaiterLeavesAtOnceAndCostsNothing(t *testing.T) {
	limits := map[string]Settings{
		"interval":    {Fixed: true, Interval: time.Second},
		"bucket":      {Fixed: true, Limits: []Limit{{Requests: 1, Per: time.Second, Burst: 1}}},
		"window":      {Fixed: true, Limits: []Limit{{Requests: 1, Per: time.Second}}},
		"both":        {Fixed: true, Interval: time.Second, Limits: []Limit{{Requests: 1, Per: time.Second, Burst: 1}}},
		"no Fixed":    {Interval: time.Second},
		"two buckets": {Fixed: true, Limits: []Limit{{Requests: 1, Per: time.Second, Burst: 1}, {Requests: 9, Per: time.Second, Burst: 9}}},
	}
	for name, set := range limits {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, began := testLine(t, set), time.Now()
				s := enter(t, l, 1)
				s.Accepted(Observation{})
				s.Release()
				ctx, cancel := context.WithCancel(t.Context())
				var wg sync.WaitGroup
				for seq := range uint64(3) { // the head and two behind it
					wg.Go(func() {
						err := l.Enter(ctx, 2+seq, Patience{}, new(Slot))
						if !errors.Is(err, context.Canceled) || time.Since(began) != time.Second/2 {
							t.Errorf("enter gives %v after %v, want the context's error after 500ms", err, time.Since(began))
						}
					})
				}
				wg.Go(func() {
					s := enter(t, l, 9)
					if got := time.Since(began); got != time.Second {
						t.Errorf("the attempt behind the cancelled ones leaves after %v, want 1s", got)
					}
					s.Accepted(Observation{})
				})
				time.Sleep(time.Second / 2)
				cancel()
				wg.Wait()
				if waiting, _, _ := l.Stats(); waiting != 0 {
					t.Errorf("%d wait in an empty queue", waiting)
				}
			})
		})
	}
}

func TestTenThousandWaitersAreCheap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 10_000
		l := testLine(t, Settings{Fixed: true, Interval: time.Millisecond})
		enter(t, l, 0)
		before := memoryInUse()
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		var mu sync.Mutex
		left := 0
		for i := range n {
			wg.Go(func() {
				mine := ctx
				if i%2 == 0 {
					mine = t.Context()
				}
				s := new(Slot)
				err := l.Enter(mine, uint64(i+1), Patience{}, s)
				if err != nil {
					return
				}
				mu.Lock()
				left++
				mu.Unlock()
				s.Accepted(Observation{})
				s.Release()
			})
		}
		synctest.Wait()
		if used := memoryInUse() - before; used > 100<<20 {
			t.Errorf("%d waiters take %d MiB, want less than 100", n, used>>20)
		}
		began := time.Now()
		cancel()
		synctest.Wait()
		if waiting, _, _ := l.Stats(); waiting != n/2 {
			t.Errorf("%d wait after half were cancelled, want %d", waiting, n/2)
		}
		wg.Wait()
		if got, want := time.Since(began), n/2*time.Millisecond; left != n/2 || got != want {
			t.Errorf("%d left within %v, want %d within %v: the cancelled ones must cost the others nothing", left, got, n/2, want)
		}
	})
}

func memoryInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// testLine is a Line with these settings and the MaxWait that a connection has by default.
func testLine(t *testing.T, set Settings) *Line {
	t.Helper()
	set.MaxWait = cmp.Or(set.MaxWait, 5*time.Minute)
	return New(set)
}

// enter takes a slot.
func enter(t *testing.T, l *Line, seq uint64) *Slot {
	t.Helper()
	s := new(Slot)
	if err := l.Enter(t.Context(), seq, Patience{}, s); err != nil {
		t.Fatal(fmt.Errorf("call %d: %w", seq, err))
	}
	return s
}

func seconds(times ...float64) []time.Duration {
	durations := make([]time.Duration, len(times))
	for i, s := range times {
		durations[i] = time.Duration(s * float64(time.Second))
	}
	return durations
}
