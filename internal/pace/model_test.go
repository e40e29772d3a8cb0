package pace

import (
	"math"
	"testing"
	"time"
)

func TestModelMeasuresRateAndBurst(t *testing.T) {
	p := newController(false, 0)
	now := accept(p, 10, at(0))
	p.throttled(now, now, 100*time.Millisecond, true)
	throttle := now
	now = now.Add(100 * time.Millisecond)
	p.next(now, 0)
	for n := 0; float64(n) <= 50*now.Sub(throttle).Seconds()-0.5; n++ {
		now = accept(p, 1, now)
		now = now.Add(5 * time.Millisecond)
	}
	p.throttled(now, now, 20*time.Millisecond, true)
	p.next(now.Add(20*time.Millisecond), 0)
	if got := p.rate(); got < 40 || got > 60 {
		t.Errorf("rate = %.1f, want about the 50 of the server", got)
	}
	if got := p.model.burst; got < 8 || got > 10 {
		t.Errorf("burst = %.1f, want about the 10 of the server", got)
	}
}

// known gives a pace that has measured about 50 per second and a burst of 10.
func known(t *testing.T) (p *controller, now time.Time) {
	t.Helper()
	p = newController(false, 0)
	s := simulation{server: bucket(50, 10), dialect: millis, newClient: func(begin time.Time) simPacer {
		now = begin
		return &localPace{controller: p, clock: new(serverClock)}
	}}
	if r := s.run(1); math.IsNaN(r.speed) || p.rate() < 45 || p.rate() > 55 {
		t.Fatalf("rate = %v after %+v, want about 50", p.rate(), r)
	}
	return p, now.Add(time.Hour)
}

func TestModelDoesNotSaveUpWhileIdle(t *testing.T) {
	p, now := known(t)
	for _, idle := range []time.Duration{0, time.Hour, 1000 * time.Hour} {
		now = now.Add(idle)
		burst := 0
		for at, ok := p.next(now, 0); ok && !at.After(now); at, ok = p.next(now, 0) {
			p.leave(now)
			p.accepted(now, now)
			if burst++; burst > 1000 {
				break
			}
		}
		if burst < 5 || burst > 10 {
			t.Errorf("%d left at once after %v without calls, want at most the burst of 10", burst, idle)
		}
		first, _ := p.next(now, 0)
		p.leave(first)
		p.giveBack()
		p.leave(first)
		second, _ := p.next(first, 1)
		if wait := second.Sub(first); wait < 15*time.Millisecond || wait > 25*time.Millisecond {
			t.Errorf("the next waits %v after %v without calls, want about 20ms: idle time must not count as probing", wait, idle)
		}
		now = now.Add(time.Second)
	}
}

func TestModelRemembersABoundedPast(t *testing.T) {
	p := newController(false, 0)
	now := accept(p, 100_000, at(0))
	if got := len(p.model.times); got > maxHistory {
		t.Errorf("%d acceptances are remembered, want at most %d", got, maxHistory)
	}
	p.throttled(now, now, time.Second, true)
	p.next(now.Add(time.Second), 0)
	if p.model.burst > maxHistory {
		t.Errorf("burst = %v, want at most %d", p.model.burst, maxHistory)
	}
	for i := range 100 {
		reading := quotaReading{name: string(rune('a' + i)), remaining: 1, reset: now.Add(time.Duration(i+1) * time.Second)}
		p.quota(now, reading)
	}
	if got := len(p.quotas); got > maxQuotas {
		t.Errorf("%d quotas are remembered, want at most %d", got, maxQuotas)
	}
}

// A bucket that fills up during each wait admits a burst every time, and the measurement is of that.
func TestRateIsUnknownWhereOnlyBurstsAreSeen(t *testing.T) {
	p, now := newController(false, 0), at(0)
	for range 10 {
		now = accept(p, 20, now)
		p.leave(now)
		p.throttled(now, now.Add(time.Millisecond), time.Second, true)
		now = now.Add(1100 * time.Millisecond)
		p.next(now, 0) // the gate opens
	}
	if got := p.rate(); got > 40 {
		t.Errorf("rate = %v where 20 are admitted in a second, want about that, or 0", got)
	}
}
