package pace

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/waits"
)

// A window of any length, by a clock that is off by as much as is believed, stays shut for its length and no longer.
func TestWindowOfAnyLengthAddsUp(t *testing.T) {
	for _, per := range []time.Duration{time.Second, 24 * time.Hour, waits.Longest, 200 * 365 * 24 * time.Hour, math.MaxInt64} {
		for _, skew := range []time.Duration{0, time.Hour, -time.Hour, farthestClock - time.Minute, time.Minute - farthestClock} {
			var c serverClock
			w := newWindow(1, per, &c)
			now := at(0)
			for range 3 {
				sent := now
				now = now.Add(10 * time.Millisecond)
				w.leave()
				c.observe(sent.Add(skew).Truncate(time.Second), sent, now)
				w.answered(sent, now)
				w.throttled(now)
				if w.slides.Before(now) {
					t.Errorf("per %v, clock off by %v: slides until %v, which is past", per, skew, w.slides)
				}
				w.slides = time.Time{}
				next, ok := w.next(now)
				if wait := next.Sub(now); !ok || wait <= 0 || wait > waits.Add(per, 2*time.Second) {
					t.Errorf("per %v, clock off by %v: the next may leave after %v, %v", per, skew, wait, ok)
				}
				now = next
			}
		}
	}
}

func TestWindowCountsARequestUntilItsAnswerPlusPer(t *testing.T) {
	w := newWindow(2, time.Second, nil)
	w.leave()
	w.leave()
	if got, ok := w.next(at(5000)); ok {
		t.Errorf("next = %v with both in flight, want none before a response", got)
	}
	w.answered(at(0), at(5000))
	if got, ok := w.next(at(5000)); !ok || !got.Equal(at(6000)) {
		t.Errorf("next = %v, %v, want a second after the response", got, ok)
	}
	if got, ok := w.next(at(6000)); !ok || !got.Equal(at(6000)) {
		t.Errorf("next = %v, %v, want %v", got, ok, at(6000))
	}
	w.leave()
	w.giveBack()
	if got, ok := w.next(at(6000)); !ok || got.After(at(6000)) {
		t.Errorf("next = %v, %v after a cancellation, want the slot back", got, ok)
	}
}

// However the responses come, no more than requests leave and are answered in any per: the server may have counted them
// anywhere in between.
func TestSlidingWindowNeverAdmitsMore(t *testing.T) {
	for _, requests := range []int{1, 7, 1500} {
		rng := rand.New(rand.NewPCG(uint64(requests), 4))
		w := newWindow(requests, time.Second, nil)
		now := at(0)
		var seen, underway []time.Time
		for range 6 * requests {
			next, ok := w.next(now)
			if ok && (next.Equal(now) || len(underway) == 0) {
				now = later(now, next)
				w.leave()
				underway = append(underway, now)
				seen = append(seen, now)
				if n := len(seen) - 1 - requests; n >= 0 && now.Sub(seen[n]) < time.Second {
					t.Fatalf("%d per second: %d left within %v", requests, requests+1, now.Sub(seen[n]))
				}
				continue
			}
			now = now.Add(time.Duration(rng.Int64N(int64(time.Second) / int64(requests))))
			w.answered(underway[0], now)
			underway = underway[1:]
			if len(w.slots) > windowGrain+2 {
				t.Fatalf("%d per second: %d slots, want about %d at most", requests, len(w.slots), windowGrain)
			}
		}
	}
}

func TestWindowAlignsToTheServersClock(t *testing.T) {
	clock := new(serverClock)
	w := newWindow(3, 3*time.Second, clock)
	sent := time.Unix(1_800_000_000, 0).Truncate(3 * time.Second).Add(2900 * time.Millisecond) // just before a border
	for range 3 {
		w.leave()
	}
	answered := sent.Add(20 * time.Millisecond)
	for range 3 {
		clock.observe(answered.Truncate(time.Second), sent, answered)
		w.answered(sent, answered)
	}
	border := sent.Add(100 * time.Millisecond)
	if got, ok := w.next(answered); !ok || !got.Equal(border.Add(resetMargin)) {
		t.Errorf("next = %v, %v, want just after the border at %v", got, ok, border)
	}
	now := border.Add(resetMargin)
	if got, ok := w.next(now); !ok || !got.Equal(now) {
		t.Errorf("next = %v, %v at %v, want at once in a new period", got, ok, now)
	}
	w.throttled(now)
	if got, ok := w.next(now); !ok || !got.Equal(answered.Add(3*time.Second)) {
		t.Errorf("next = %v, %v after a throttle, want %v as the window slides", got, ok, answered.Add(3*time.Second))
	}
}

func TestWindowCountsARequestThatCrossesTheBorderInBothPeriods(t *testing.T) {
	clock := new(serverClock)
	w := newWindow(1, 3*time.Second, clock)
	border := time.Unix(1_800_000_000, 0).Truncate(3 * time.Second)
	sent, answered := border.Add(-10*time.Millisecond), border.Add(10*time.Millisecond)
	w.leave()
	clock.observe(border, sent, answered)
	w.answered(sent, answered)
	if got, ok := w.next(answered); !ok || !got.Equal(border.Add(3*time.Second+resetMargin)) {
		t.Errorf("next = %v, %v, want the period after next, from %v on", got, ok, border.Add(3*time.Second))
	}
}
