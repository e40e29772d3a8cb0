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

func TestControllerIsOnlyASlowStartBeforeTheFirstThrottle(t *testing.T) {
	p := newController(false, 0)
	p.leave(at(0))
	for _, tt := range []struct{ accepted, inflight int }{{0, 2}, {2, 4}, {4, 8}, {8, 16}, {16, 32}} {
		now := accept(p, tt.accepted, at(0))
		wantNext(t, p, now, tt.inflight-1, now, true)
		wantNext(t, p, now, tt.inflight, p.left.Add(startPatience), true)
	}
	if got := p.rate(); got != 0 {
		t.Errorf("rate = %v before any throttle, want 0", got)
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
			t.Fatalf("without a response, %d leave in the first second, want 32", inflight)
		}
	}
	p = newController(true, 0) // whose every opening is slow
	p.throttled(now, now, time.Second, true)
	for inflight := range 3 {
		leave(31 + inflight)
	}
	if took := now.Sub(p.opened); took > 3*startPatience {
		t.Errorf("behind 31 that hang, 3 leave within %v after the gate opened", took)
	}
}

func TestControllerObeysAGivenWaitInFull(t *testing.T) {
	for _, wait := range []time.Duration{0, time.Millisecond, 1500 * time.Millisecond, 72 * time.Hour, math.MaxInt64} {
		for _, fixed := range []bool{false, true} {
			p := newController(fixed, 0)
			now := accept(p, 20, at(0))
			p.leave(now)
			p.throttled(now, now, wait, true)
			until := now.Add(wait)
			wantNext(t, p, now, 0, until, true)
			if wait == 0 {
				continue
			}
			p.leave(now)
			p.throttled(now, now, time.Microsecond, true)
			wantNext(t, p, now, 0, until, true)
			wantNext(t, p, until.Add(-1), 0, until, true)
			wantNext(t, p, until, 0, until, !p.gate().After(until))
			if got := p.gate(); !got.Equal(until) {
				t.Errorf("gate = %v after a wait of %v, want %v", got, wait, until)
			}
		}
	}
}

func TestControllerLearnsOnceFromThrottlesThatComeTogether(t *testing.T) {
	p := newController(false, 0)
	now := accept(p, 10, at(0))
	for range 5 {
		p.throttled(now, now, 20*time.Millisecond, true) // also: no time passes between sending and throttle
	}
	if p.row != 1 {
		t.Errorf("%d throttles in a row, want 1: the others were sent before the gate opened", p.row)
	}
	open := now.Add(20 * time.Millisecond)
	wantNext(t, p, open, 4, open, true)
	burst, opened := p.model.burst, p.opened
	p.throttled(now, open.Add(time.Millisecond), 30*time.Millisecond, true)
	wantNext(t, p, open.Add(2*time.Millisecond), 3, open.Add(31*time.Millisecond), true)
	if p.row != 1 || p.model.burst != burst || !p.opened.Equal(opened) {
		t.Errorf("a late throttle of an earlier attempt was learnt from: row %d, burst %v, opened %v", p.row, p.model.burst, p.opened)
	}
}

func TestControllerGuessesWaitsThatGrow(t *testing.T) {
	p := newController(false, 0)
	now := accept(p, 1, at(0))
	var total time.Duration
	for row := 1; row <= 30; row++ {
		p.throttled(now, now, 0, false)
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
		t.Errorf("30 throttles in a row took %v, want minutes: a limit of an hour must not be asked every second", total)
	}
}

func TestControllerDoesNotHammerAServerThatTellsNoWait(t *testing.T) {
	p := newController(true, 0)
	now := at(0)
	for range 10 {
		p.leave(now)
		p.throttled(now, now, 0, true)
		now, _ = p.next(now, 0)
		p.next(now, 0)
	}
	if took := now.Sub(at(0)); took < 5*time.Second {
		t.Errorf("10 throttles that gave a wait of 0s took %v, want seconds", took)
	}
}

func TestFixedPaceReleasesSlowlyAndKnowsNoRate(t *testing.T) {
	p := newController(true, 0)
	wantNext(t, p, at(0), 1000, at(0), true)
	p.throttled(at(0), at(1), time.Second, true)
	wantNext(t, p, at(1001), 0, at(1001), true)
	p.leave(at(1001))
	wantNext(t, p, at(1001), 1, at(1001).Add(startPatience), true)
	accept(p, 3, at(1001))
	wantNext(t, p, at(1010), 3, at(1010), true)
	wantNext(t, p, at(1010), 4, at(1003).Add(startPatience), true)
	if got := p.rate(); got != 0 {
		t.Errorf("rate = %v of a fixed pace, want 0", got)
	}
}

func TestControllerReleasesSlowlyWhenItWasClosedForAnotherReason(t *testing.T) {
	p := newController(false, 0)
	accept(p, 100, at(0))
	p.close(at(5000))
	p.close(at(3000))
	wantNext(t, p, at(4000), 0, at(5000), true)
	wantNext(t, p, at(5000), 0, at(5000), true)
	p.leave(at(5000))
	wantNext(t, p, at(5000), 1, at(5000).Add(startPatience), true)
	if p.model.throttled {
		t.Error("the model learnt from a gate that no throttle had closed")
	}
}

// Whatever happens, the controller neither lets an attempt through a closed gate nor waits for a response that cannot come.
func TestControllerNeverStalls(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 2))
		p, now := newController(seed%4 == 0, 0), at(0)
		var underway []time.Time
		for range 500 {
			next, ok := p.next(now, len(underway))
			switch {
			case !ok && len(underway) == 0:
				t.Fatalf("seed %d: waits for a response, but none is due", seed)
			case ok && next.Sub(now) > 2*time.Hour:
				t.Fatalf("seed %d: waits %v, longer than any wait that a response gave", seed, next.Sub(now))
			case ok && now.Before(p.gate()) && next.Before(p.gate()):
				t.Fatalf("seed %d: leaves at %v through a gate closed until %v", seed, next, p.gate())
			case ok && (len(underway) == 0 || rng.IntN(2) == 0):
				now = later(now, next)
				p.leave(now)
				underway = append(underway, now)
				continue
			}
			now = now.Add(time.Duration(rng.Int64N(int64(100 * time.Millisecond))))
			i := rng.IntN(len(underway))
			sent := underway[i]
			underway = slices.Delete(underway, i, i+1)
			switch rng.IntN(12) {
			case 0:
				p.throttled(sent, now, time.Duration(rng.Int64N(int64(time.Hour))), true)
			case 1, 2:
				p.throttled(sent, now, 0, false)
			case 3: // it failed
			case 4:
				p.tooMany(len(underway) + 1)
			case 5:
				p.quota(now, quotaReading{remaining: rng.Int64N(3), reset: now.Add(time.Duration(rng.Int64N(int64(time.Hour))))})
			default:
				p.accepted(sent, now)
			}
		}
	}
}
