package pace

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var testStart = time.Unix(1_800_000_000, 500_000_000)

// at is so many milliseconds after the start of a test.
func at(ms int) time.Time { return testStart.Add(time.Duration(ms) * time.Millisecond) }

func wantNext(t *testing.T, p *controller, now time.Time, inflight int, want time.Time, wantOK bool) {
	t.Helper()
	got, ok := p.next(now, inflight)
	if got.Before(now) {
		got = now
	}
	if ok != wantOK || ok && !got.Equal(want) {
		t.Errorf("next(%v, %d in flight) = %v, %v; want %v, %v",
			now.Sub(testStart), inflight, got.Sub(testStart), ok, want.Sub(testStart), wantOK)
	}
}

// accept lets n requests leave and be answered, each in a millisecond.
func accept(p *controller, n int, now time.Time) time.Time {
	for range n {
		p.leave(now)
		p.accepted(now, now.Add(time.Millisecond))
		now = now.Add(time.Millisecond)
	}
	return now
}

func TestPaceIsOnlyASlowStartBeforeTheFirstRefusal(t *testing.T) {
	p := newController(false, 0)
	p.leave(at(0))
	for _, tt := range []struct{ accepted, inflight int }{{0, 2}, {2, 4}, {4, 8}, {8, 16}, {16, 32}} {
		now := accept(p, tt.accepted, at(0))
		wantNext(t, p, now, tt.inflight-1, now, true)
		wantNext(t, p, now, tt.inflight, p.left.Add(startPatience), true)
	}
	if got := p.rate(at(0)); got != 0 {
		t.Errorf("rate = %v before any refusal, want 0", got)
	}
}

func TestSlowStartDoesNotWaitLongForAnswersThatDoNotCome(t *testing.T) {
	now, p := at(0), newController(false, 0)
	leave := func(inflight int) {
		for next := now.Add(-1); next != now; {
			next = now
			now, _ = p.next(now, inflight)
		}
		p.leave(now)
	}
	for inflight := range 32 {
		if leave(inflight); now.After(at(1000)) {
			t.Fatalf("without an answer, %d leave in the first second, want 32", inflight)
		}
	}
	p = newController(true, 0) // whose every opening is slow
	p.refused(now, now, time.Second, true)
	for inflight := range 3 {
		leave(31 + inflight)
	}
	if took := now.Sub(p.opened); took > 3*startPatience {
		t.Errorf("behind 31 that hang, 3 leave within %v after the gate opened", took)
	}
}

func TestPaceObeysAGivenWaitInFull(t *testing.T) {
	for _, wait := range []time.Duration{0, time.Millisecond, 1500 * time.Millisecond, 72 * time.Hour, math.MaxInt64} {
		for _, fixed := range []bool{false, true} {
			p := newController(fixed, 0)
			now := accept(p, 20, at(0))
			p.leave(now)
			p.refused(now, now, wait, true)
			until := now.Add(wait)
			wantNext(t, p, now, 0, until, true)
			if wait == 0 {
				continue
			}
			p.leave(now)
			p.refused(now, now, time.Microsecond, true)
			wantNext(t, p, now, 0, until, true)
			wantNext(t, p, until.Add(-1), 0, until, true)
			wantNext(t, p, until, 0, until, !p.gate().After(until))
			if got := p.gate(); !got.Equal(until) {
				t.Errorf("gate = %v after a wait of %v, want %v", got, wait, until)
			}
		}
	}
}

func TestPaceLearnsOnceFromTheEchoesOfARefusal(t *testing.T) {
	p := newController(false, 0)
	now := accept(p, 10, at(0))
	for range 5 {
		p.refused(now, now, 20*time.Millisecond, true) // also: no time passes between sending and refusal
	}
	if p.row != 1 {
		t.Errorf("%d refusals in a row, want 1: the others were sent before the gate opened", p.row)
	}
	open := now.Add(20 * time.Millisecond)
	wantNext(t, p, open, 4, open, true)
	burst, opened := p.model.burst, p.opened
	p.refused(now, open.Add(time.Millisecond), 30*time.Millisecond, true)
	wantNext(t, p, open.Add(2*time.Millisecond), 3, open.Add(31*time.Millisecond), true)
	if p.row != 1 || p.model.burst != burst || !p.opened.Equal(opened) {
		t.Errorf("a late echo was learnt from: row %d, burst %v, opened %v", p.row, p.model.burst, p.opened)
	}
}

func TestPaceMeasuresRateAndBurst(t *testing.T) {
	p := newController(false, 0)
	now := accept(p, 10, at(0))
	p.refused(now, now, 100*time.Millisecond, true)
	refusal := now
	now = now.Add(100 * time.Millisecond)
	p.next(now, 0)
	for n := 0; float64(n) <= 50*now.Sub(refusal).Seconds()-0.5; n++ {
		now = accept(p, 1, now)
		now = now.Add(5 * time.Millisecond)
	}
	p.refused(now, now, 20*time.Millisecond, true)
	p.next(now.Add(20*time.Millisecond), 0)
	if got := p.rate(now); got < 40 || got > 60 {
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
	if r := s.run(1); math.IsNaN(r.speed) || p.rate(now) < 45 || p.rate(now) > 55 {
		t.Fatalf("rate = %v after %+v, want about 50", p.rate(now), r)
	}
	return p, now.Add(time.Hour)
}

func TestPaceDoesNotSaveUpWhileIdle(t *testing.T) {
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

func TestPaceRemembersABoundedPast(t *testing.T) {
	p := newController(false, 0)
	now := accept(p, 100_000, at(0))
	if got := len(p.model.times); got > maxHistory {
		t.Errorf("%d acceptances are remembered, want at most %d", got, maxHistory)
	}
	p.refused(now, now, time.Second, true)
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

func TestPaceGuessesWaitsThatGrow(t *testing.T) {
	p := newController(false, 0)
	now := accept(p, 1, at(0))
	var total time.Duration
	for row := 1; row <= 30; row++ {
		p.refused(now, now, 0, false)
		wait := p.gate().Sub(now)
		if wait <= 0 || wait > longestGuess {
			t.Errorf("guess %d is %v, want above 0 and at most %v", row, wait, longestGuess)
		}
		if row >= secondsRow && p.gate().Nanosecond() != 0 {
			t.Errorf("guess %d ends at %v, want a whole second", row, p.gate())
		}
		total += wait
		now = p.gate()
		p.next(now, 0)
	}
	if total < 5*time.Minute {
		t.Errorf("30 refusals in a row took %v, want minutes: a limit of an hour must not be asked every second", total)
	}
}

func TestPaceDoesNotHammerAServerThatTellsNoWait(t *testing.T) {
	p := newController(true, 0)
	now := at(0)
	for range 10 {
		p.leave(now)
		p.refused(now, now, 0, true)
		now, _ = p.next(now, 0)
		p.next(now, 0)
	}
	if took := now.Sub(at(0)); took < 5*time.Second {
		t.Errorf("10 refusals that told to wait 0s took %v, want seconds", took)
	}
}

func TestFixedPaceReleasesSlowlyAndKnowsNoRate(t *testing.T) {
	p := newController(true, 0)
	wantNext(t, p, at(0), 1000, at(0), true)
	p.refused(at(0), at(1), time.Second, true)
	wantNext(t, p, at(1001), 0, at(1001), true)
	p.leave(at(1001))
	wantNext(t, p, at(1001), 1, at(1001).Add(startPatience), true)
	accept(p, 3, at(1001))
	wantNext(t, p, at(1010), 3, at(1010), true)
	wantNext(t, p, at(1010), 4, at(1003).Add(startPatience), true)
	if got := p.rate(at(1010)); got != 0 {
		t.Errorf("rate = %v of a fixed pace, want 0", got)
	}
}

func TestPaceReleasesSlowlyWhenItWasClosedForAnotherReason(t *testing.T) {
	p := newController(false, 0)
	accept(p, 100, at(0))
	p.close(at(5000))
	p.close(at(3000))
	wantNext(t, p, at(4000), 0, at(5000), true)
	wantNext(t, p, at(5000), 0, at(5000), true)
	p.leave(at(5000))
	wantNext(t, p, at(5000), 1, at(5000).Add(startPatience), true)
	if p.model.refused {
		t.Error("the twin learnt from a gate that no refusal closed")
	}
}

func TestPaceLetsOneLessFlyAtEachCrowdedRefusalAndRecovers(t *testing.T) {
	p := newController(true, 0)
	for inflight := 8; inflight >= 6; inflight-- {
		p.tooMany(at(0), inflight)
	}
	wantNext(t, p, at(0), 4, at(0), true)
	wantNext(t, p, at(0), 5, at(0), false)
	if !p.gate().IsZero() {
		t.Errorf("gate = %v, want it open", p.gate())
	}
	accept(p, recoveryResponses, at(0))
	wantNext(t, p, at(0), 5, at(0), true)
	wantNext(t, p, at(0), 6, at(0), false)
	for range 20 {
		p.tooMany(at(0), 1)
	}
	wantNext(t, p, at(0), 0, at(0), true)
}

// Whatever happens, the pace neither lets anybody through a closed gate nor waits for an answer that nobody owes.
func TestPaceNeverStalls(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 2))
		p, now := newController(seed%4 == 0, 0), at(0)
		var flying []time.Time
		for range 500 {
			next, ok := p.next(now, len(flying))
			switch {
			case !ok && len(flying) == 0:
				t.Fatalf("seed %d: waits for an answer, but none is due", seed)
			case ok && next.Sub(now) > 2*time.Hour:
				t.Fatalf("seed %d: waits %v, longer than any wait that was told", seed, next.Sub(now))
			case ok && now.Before(p.gate()) && next.Before(p.gate()):
				t.Fatalf("seed %d: leaves at %v through a gate closed until %v", seed, next, p.gate())
			case ok && (len(flying) == 0 || rng.IntN(2) == 0):
				now = later(now, next)
				p.leave(now)
				flying = append(flying, now)
				continue
			}
			now = now.Add(time.Duration(rng.Int64N(int64(100 * time.Millisecond))))
			i := rng.IntN(len(flying))
			sent := flying[i]
			flying = slices.Delete(flying, i, i+1)
			switch rng.IntN(12) {
			case 0:
				p.refused(sent, now, time.Duration(rng.Int64N(int64(time.Hour))), true)
			case 1, 2:
				p.refused(sent, now, 0, false)
			case 3:
				p.failed(sent, now)
			case 4:
				p.tooMany(now, len(flying)+1)
			case 5:
				p.quota(now, quotaReading{remaining: rng.Int64N(3), reset: now.Add(time.Duration(rng.Int64N(int64(time.Hour))))})
			default:
				p.accepted(sent, now)
			}
		}
	}
}

// A bucket that fills up during each wait admits a burst every time, and the measurement is of that.
func TestRateIsUnknownWhereOnlyBurstsAreSeen(t *testing.T) {
	p, now := newController(false, 0), at(0)
	for range 10 {
		now = accept(p, 20, now)
		p.leave(now)
		p.refused(now, now.Add(time.Millisecond), time.Second, true)
		now = now.Add(1100 * time.Millisecond)
		p.next(now, 0) // the gate opens
	}
	if got := p.rate(now); got > 40 {
		t.Errorf("rate = %v where 20 are admitted in a second, want about that, or 0", got)
	}
}
