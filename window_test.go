package jwtbearer

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/waits"
)

func TestServerClockNarrowsTheOffsetWithEveryAnswer(t *testing.T) {
	for _, skew := range []time.Duration{-7300 * time.Millisecond, -10 * time.Millisecond, 0, 2500 * time.Millisecond, 7 * time.Second} {
		rng := rand.New(rand.NewPCG(1, 3))
		var c serverClock
		if _, _, ok := c.offset(); ok {
			t.Error("the offset is known before any answer")
		}
		sent := at(0)
		for range 200 {
			up, down := jitterRTT(rng)
			received := sent.Add(up + down)
			c.observe(sent.Add(up+skew).Truncate(time.Second), sent, received)
			if lo, hi, ok := c.offset(); !ok || skew < lo || skew > hi {
				t.Fatalf("offset = [%v, %v], %v, want one around %v", lo, hi, ok, skew)
			}
			sent = received.Add(37 * time.Millisecond)
		}
		lo, hi, _ := c.offset()
		if hi-lo > 100*time.Millisecond {
			t.Errorf("offset = [%v, %v] after 200 answers, want it within a round trip of %v", lo, hi, skew)
		}
		if got, want := c.local(sent), sent.Add(-skew); got.Before(want) && skew.Abs() > time.Second {
			t.Errorf("local = %v with the clock %v off, want not before %v", got, skew, want)
		}
	}
}

func TestServerClockBeginsAnewWhenAClockWasSet(t *testing.T) {
	var c serverClock
	c.observe(at(0).Truncate(time.Second), at(0), at(10))
	c.observe(at(3_600_000).Truncate(time.Second), at(20), at(30))
	if lo, hi, ok := c.offset(); !ok || lo < 3598*time.Second || hi > 3601*time.Second {
		t.Errorf("offset = [%v, %v], %v after the clock went an hour ahead", lo, hi, ok)
	}
}

func TestServerClockIgnoresADateOfAnotherAge(t *testing.T) {
	var c serverClock
	for _, year := range []int{1, 1700, 1900, 2200, 9999} {
		c.observe(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC), at(0), at(10))
		if lo, hi, ok := c.offset(); ok {
			t.Errorf("offset = [%v, %v] after a Date in the year %d, want it ignored", lo, hi, year)
		}
	}
}

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
				w.leave(sent)
				c.observe(sent.Add(skew).Truncate(time.Second), sent, now)
				w.answered(sent, now)
				w.refused(now)
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

func TestServerClockTrustsAClockThatMayBeRight(t *testing.T) {
	var c serverClock
	if got := c.local(at(0)); !got.Equal(at(0)) {
		t.Errorf("local = %v with nothing known, want no change", got)
	}
	c.observe(at(0).Truncate(time.Second), at(0), at(10))
	if got := c.local(at(0)); !got.Equal(at(0)) {
		t.Errorf("local = %v, want no change: no offset is possible", got)
	}
	c.observe(time.Time{}, at(0), at(10))
	c.observe(at(0), at(10), at(0))
	if lo, hi, _ := c.offset(); lo > 0 || hi < 0 {
		t.Errorf("offset = [%v, %v]: an answer without a Date, or before its request, was believed", lo, hi)
	}
}

func TestWindowCountsARequestUntilItsAnswerPlusPer(t *testing.T) {
	w := newWindow(2, time.Second, nil)
	w.leave(at(0))
	w.leave(at(0))
	if got, ok := w.next(at(5000)); ok {
		t.Errorf("next = %v with both in flight, want none before an answer", got)
	}
	w.answered(at(0), at(5000))
	if got, ok := w.next(at(5000)); !ok || !got.Equal(at(6000)) {
		t.Errorf("next = %v, %v, want a second after the answer", got, ok)
	}
	if got, ok := w.next(at(6000)); !ok || !got.Equal(at(6000)) {
		t.Errorf("next = %v, %v, want %v", got, ok, at(6000))
	}
	w.leave(at(6000))
	w.giveBack()
	if got, ok := w.next(at(6000)); !ok || got.After(at(6000)) {
		t.Errorf("next = %v, %v after a cancellation, want the slot back", got, ok)
	}
}

// However the answers come, no more than requests leave and are answered in any per: the server may have counted them
// anywhere in between.
func TestSlidingWindowNeverAdmitsMore(t *testing.T) {
	for _, requests := range []int{1, 7, 1500} {
		rng := rand.New(rand.NewPCG(uint64(requests), 4))
		w := newWindow(requests, time.Second, nil)
		now := at(0)
		var seen, flying []time.Time
		for range 6 * requests {
			next, ok := w.next(now)
			if ok && (next.Equal(now) || len(flying) == 0) {
				now = later(now, next)
				w.leave(now)
				flying = append(flying, now)
				seen = append(seen, now)
				if n := len(seen) - 1 - requests; n >= 0 && now.Sub(seen[n]) < time.Second {
					t.Fatalf("%d per second: %d left within %v", requests, requests+1, now.Sub(seen[n]))
				}
				continue
			}
			now = now.Add(time.Duration(rng.Int64N(int64(time.Second) / int64(requests))))
			w.answered(flying[0], now)
			flying = flying[1:]
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
		w.leave(sent)
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
	w.refused(now)
	if got, ok := w.next(now); !ok || !got.Equal(answered.Add(3*time.Second)) {
		t.Errorf("next = %v, %v after a refusal, want %v as the window slides", got, ok, answered.Add(3*time.Second))
	}
}

func TestWindowCountsARequestThatCrossesTheBorderInBothPeriods(t *testing.T) {
	clock := new(serverClock)
	w := newWindow(1, 3*time.Second, clock)
	border := time.Unix(1_800_000_000, 0).Truncate(3 * time.Second)
	sent, answered := border.Add(-10*time.Millisecond), border.Add(10*time.Millisecond)
	w.leave(sent)
	clock.observe(border, sent, answered)
	w.answered(sent, answered)
	if got, ok := w.next(answered); !ok || !got.Equal(border.Add(3*time.Second+resetMargin)) {
		t.Errorf("next = %v, %v, want the period after next, from %v on", got, ok, border.Add(3*time.Second))
	}
}
