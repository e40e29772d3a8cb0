package pace

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestServerClockNarrowsTheOffsetWithEveryAnswer(t *testing.T) {
	for _, skew := range []time.Duration{-7300 * time.Millisecond, -10 * time.Millisecond, 0, 2500 * time.Millisecond, 7 * time.Second} {
		rng := rand.New(rand.NewPCG(1, 3))
		var c serverClock
		if _, _, ok := c.offset(); ok {
			t.Error("the offset is known before any response")
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
			t.Errorf("offset = [%v, %v] after 200 responses, want it within a round trip of %v", lo, hi, skew)
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
		t.Errorf("offset = [%v, %v]: a response without a Date, or before its request, was believed", lo, hi)
	}
}
