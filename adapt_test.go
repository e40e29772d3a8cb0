package jwtbearer

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"golang.org/x/time/rate"
)

const simSeeds = 21

func changingRate(t time.Duration) float64 {
	switch {
	case t < 4*time.Second:
		return 50
	case t < 8*time.Second:
		return 20
	}
	return 80
}

// paceBar is what a run has to reach: % of the ideal speed at least, % of the requests refused at most, and of two
// clients the part of the faster one that the slower gets. Zero is no bar: such a row is there to be looked at, with
// go test -v, but must end.
type paceBar struct {
	name                  string
	server                func(*rand.Rand, time.Time) simServer
	dialect               dialect
	with                  simulation
	speed, refused, share float64
}

func paceBars() []paceBar {
	bucket50, window150 := bucket(50, 10), clockWindow(150, 3*time.Second)
	changing := changingBucket(changingRate, 10)
	const skewed = 7*time.Second + 300*time.Millisecond
	return []paceBar{
		{name: "bucket", server: bucket50, dialect: bare, speed: 98, refused: 4},
		{name: "bucket", server: bucket50, dialect: millis, speed: 98, refused: 4},
		{name: "bucket", server: bucket50, dialect: retryAfter, speed: 85, refused: 2},
		{name: "bucket", server: bucket50, dialect: quotaHeaders},
		{name: "window", server: window150, dialect: bare, speed: 93, refused: 7},
		{name: "window", server: window150, dialect: millis, speed: 95, refused: 3},
		{name: "window", server: window150, dialect: retryAfter, speed: 85, refused: 3},
		{name: "window", server: window150, dialect: quotaHeaders, speed: 98, refused: 0.5},

		{name: "exact timers, bucket", server: bucket50, dialect: bare, with: simulation{rtt: constantRTT}, speed: 98, refused: 4},
		{name: "exact timers, bucket", server: bucket50, dialect: retryAfter, with: simulation{rtt: constantRTT}, speed: 85, refused: 2},
		{name: "exact timers, window", server: window150, dialect: bare, with: simulation{rtt: constantRTT}, speed: 93, refused: 7},
		{name: "exact timers, window", server: window150, dialect: quotaHeaders, with: simulation{rtt: constantRTT}, speed: 98, refused: 0.5},

		{name: "jitter, bucket", server: bucket50, dialect: bare, with: simulation{rtt: jitterRTT}, speed: 85, refused: 6},
		{name: "jitter, bucket", server: bucket50, dialect: millis, with: simulation{rtt: jitterRTT}, speed: 85, refused: 6},
		{name: "jitter, bucket", server: bucket50, dialect: retryAfter, with: simulation{rtt: jitterRTT}, speed: 60, refused: 3},
		{name: "jitter, bucket", server: bucket50, dialect: quotaHeaders, with: simulation{rtt: jitterRTT}},
		{name: "jitter, window", server: window150, dialect: bare, with: simulation{rtt: jitterRTT}},
		{name: "jitter, window", server: window150, dialect: millis, with: simulation{rtt: jitterRTT}},
		{name: "jitter, window", server: window150, dialect: retryAfter, with: simulation{rtt: jitterRTT}},
		{name: "jitter, window", server: window150, dialect: quotaHeaders, with: simulation{rtt: jitterRTT}},

		{name: "50, 20, 80", server: changing, dialect: bare, speed: 90, refused: 3.5},
		{name: "50, 20, 80", server: changing, dialect: millis, speed: 90, refused: 3.5},
		{name: "50, 20, 80", server: changing, dialect: retryAfter},
		{name: "jitter, 50, 20, 80", server: changing, dialect: bare, with: simulation{rtt: jitterRTT}},

		{name: "two clients", server: bucket50, dialect: bare, with: simulation{clients: 2}, speed: 75, share: 0.3},
		{name: "two clients", server: bucket50, dialect: millis, with: simulation{clients: 2}, speed: 75, share: 0.3},
		{name: "two clients", server: bucket50, dialect: retryAfter, with: simulation{clients: 2}},
		{name: "two clients, window", server: window150, dialect: quotaHeaders, with: simulation{clients: 2}},

		{name: "32 workers", server: bucket50, dialect: bare, with: simulation{workers: 32}, speed: 98, refused: 4},
		{name: "32 workers", server: bucket50, dialect: millis, with: simulation{workers: 32}, speed: 98, refused: 4},
		{name: "32 workers", server: bucket50, dialect: retryAfter, with: simulation{workers: 32}},
		{name: "32 workers, jitter", server: bucket50, dialect: bare, with: simulation{workers: 32, rtt: jitterRTT}},

		{name: "3000 calls", server: bucket50, dialect: retryAfter, with: simulation{calls: 3000}, speed: 90, refused: 1},
		{name: "burst of 1", server: bucket(50, 1), dialect: bare, speed: 85, refused: 4},
		{name: "5/s, burst of 2", server: bucket(5, 2), dialect: bare, speed: 90, refused: 5},
		{name: "500/s, burst of 100", server: bucket(500, 100), dialect: bare, with: simulation{calls: 6000}, speed: 98, refused: 4},
		{name: "clock 7.3 s off, window", server: window150, dialect: bare, with: simulation{skew: skewed}, speed: 90, refused: 7},
		{name: "clock 7.3 s off, window", server: window150, dialect: quotaHeaders, with: simulation{skew: skewed}, speed: 85, refused: 0.5},

		{name: "gate only, bucket", server: bucket50, dialect: millis, with: simulation{newClient: fixedPace}},
		{name: "gate only, window", server: window150, dialect: retryAfter, with: simulation{newClient: fixedPace}},
		{name: "local bucket 50/9", server: bucket50, dialect: bare, with: simulation{newClient: localBucket}, speed: 99, refused: 0.01},
		{name: "local bucket 50/9", server: bucket50, dialect: retryAfter, with: simulation{newClient: localBucket}, speed: 99, refused: 0.01},
		{name: "local bucket 50/9, jitter", server: bucket50, dialect: retryAfter,
			with: simulation{newClient: localBucket, rtt: jitterRTT}, speed: 98, refused: 0.5},
		{name: "local window", server: window150, dialect: bare, with: simulation{newClient: localWindow}, speed: 98, refused: 0.5},
		{name: "local window", server: window150, dialect: retryAfter, with: simulation{newClient: localWindow}, speed: 98, refused: 0.5},
		{name: "local window, jitter", server: window150, dialect: retryAfter,
			with: simulation{newClient: localWindow, rtt: jitterRTT}, refused: 0.5},
		{name: "local window, clock 7.3 s off", server: window150, dialect: retryAfter,
			with: simulation{newClient: localWindow, skew: skewed}, refused: 0.5},
	}
}

func TestPaceReachesTheBars(t *testing.T) {
	for _, tt := range paceBars() {
		s := tt.with
		s.server, s.dialect = tt.server, tt.dialect
		speed, refused, share, worst := s.medians(simSeeds)
		t.Logf("%-30s %-14s %6.1f / %4.1f   worst %5.1f   share %.2f", tt.name, tt.dialect, speed, refused, worst, share)
		if math.IsNaN(speed) || speed < tt.speed {
			t.Errorf("%s, %s: %.1f %% of the ideal speed, want %v", tt.name, tt.dialect, speed, tt.speed)
		}
		if tt.refused > 0 && refused > tt.refused {
			t.Errorf("%s, %s: %.2f %% of the requests refused, want %v at most", tt.name, tt.dialect, refused, tt.refused)
		}
		if share < tt.share {
			t.Errorf("%s, %s: the slower client gets %.2f of the faster, want %v", tt.name, tt.dialect, share, tt.share)
		}
	}
}

// medians runs the simulation with seeds 1 to n and gives the median of each figure, and the worst speed.
func (s simulation) medians(n int) (speed, refused, share, worst float64) {
	var speeds, refusals, shares []float64
	for seed := range n {
		r := s.run(uint64(seed) + 1)
		speeds, refusals, shares = append(speeds, r.speed), append(refusals, r.refused), append(shares, r.share)
	}
	slices.Sort(speeds)
	slices.Sort(refusals)
	slices.Sort(shares)
	return speeds[n/2], refusals[n/2], shares[n/2], speeds[0]
}

func fixedPace(time.Time) simPacer {
	return &localPace{pace: newPace(true, 0), clock: new(serverClock)}
}

func localBucket(time.Time) simPacer {
	return &localPace{pace: newPace(false, 0), clock: new(serverClock), bucket: rate.NewLimiter(50, 9)}
}

func localWindow(time.Time) simPacer {
	clock := new(serverClock)
	return &localPace{pace: newPace(false, 0), clock: clock, window: newWindow(150, 3*time.Second, clock)}
}

var testStart = time.Unix(1_800_000_000, 500_000_000)

// at is so many milliseconds after the start of a test.
func at(ms int) time.Time { return testStart.Add(time.Duration(ms) * time.Millisecond) }

func wantNext(t *testing.T, p *pace, now time.Time, inflight int, want time.Time, wantOK bool) {
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
func accept(p *pace, n int, now time.Time) time.Time {
	for range n {
		p.leave(now)
		p.accepted(now, now.Add(time.Millisecond))
		now = now.Add(time.Millisecond)
	}
	return now
}

func TestPaceIsOnlyASlowStartBeforeTheFirstRefusal(t *testing.T) {
	p := newPace(false, 0)
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
	now, p := at(0), newPace(false, 0)
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
	p = newPace(true, 0) // whose every opening is slow
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
			p := newPace(fixed, 0)
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
	p := newPace(false, 0)
	now := accept(p, 10, at(0))
	for range 5 {
		p.refused(now, now, 20*time.Millisecond, true) // also: no time passes between sending and refusal
	}
	if p.row != 1 {
		t.Errorf("%d refusals in a row, want 1: the others were sent before the gate opened", p.row)
	}
	open := now.Add(20 * time.Millisecond)
	wantNext(t, p, open, 4, open, true)
	burst, opened := p.twin.burst, p.opened
	p.refused(now, open.Add(time.Millisecond), 30*time.Millisecond, true)
	wantNext(t, p, open.Add(2*time.Millisecond), 3, open.Add(31*time.Millisecond), true)
	if p.row != 1 || p.twin.burst != burst || !p.opened.Equal(opened) {
		t.Errorf("a late echo was learnt from: row %d, burst %v, opened %v", p.row, p.twin.burst, p.opened)
	}
}

func TestPaceMeasuresRateAndBurst(t *testing.T) {
	p := newPace(false, 0)
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
	if got := p.twin.burst; got < 8 || got > 10 {
		t.Errorf("burst = %.1f, want about the 10 of the server", got)
	}
}

// known gives a pace that has measured about 50 per second and a burst of 10.
func known(t *testing.T) (p *pace, now time.Time) {
	t.Helper()
	p = newPace(false, 0)
	s := simulation{server: bucket(50, 10), dialect: millis, newClient: func(begin time.Time) simPacer {
		now = begin
		return &localPace{pace: p, clock: new(serverClock)}
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
	p := newPace(false, 0)
	now := accept(p, 100_000, at(0))
	if got := len(p.twin.times); got > maxHistory {
		t.Errorf("%d acceptances are remembered, want at most %d", got, maxHistory)
	}
	p.refused(now, now, time.Second, true)
	p.next(now.Add(time.Second), 0)
	if p.twin.burst > maxHistory {
		t.Errorf("burst = %v, want at most %d", p.twin.burst, maxHistory)
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
	p := newPace(false, 0)
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
	p := newPace(true, 0)
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
	p := newPace(true, 0)
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
	p := newPace(false, 0)
	accept(p, 100, at(0))
	p.close(at(5000))
	p.close(at(3000))
	wantNext(t, p, at(4000), 0, at(5000), true)
	wantNext(t, p, at(5000), 0, at(5000), true)
	p.leave(at(5000))
	wantNext(t, p, at(5000), 1, at(5000).Add(startPatience), true)
	if p.twin.refused {
		t.Error("the twin learnt from a gate that no refusal closed")
	}
}

func TestPaceWaitsForTheResetOfAUsedUpQuota(t *testing.T) {
	reset := at(60_000)
	tests := []struct {
		name     string
		readings []quotaReading
		inflight int
		want     time.Time
	}{
		{"enough left", []quotaReading{{"", 3, reset}}, 2, at(0)},
		{"all left are in flight", []quotaReading{{"", 3, reset}}, 3, reset.Add(resetMargin)},
		{"at the reserve", []quotaReading{{"", 0, reset}}, 0, reset.Add(resetMargin)},
		{"below the reserve", []quotaReading{{"", -7, reset}}, 0, reset.Add(resetMargin)},
		{"an answer overtook", []quotaReading{{"", 0, reset}, {"", 5, reset}}, 0, reset.Add(resetMargin)},
		{"renewed", []quotaReading{{"", 0, reset}, {"", 5, reset.Add(time.Hour)}}, 0, at(0)},
		{"a rounded reset", []quotaReading{{"", 0, reset}, {"", 5, reset.Add(-time.Second)}}, 0, reset.Add(resetMargin)},
		{"a corrected reset", []quotaReading{{"", 0, at(1e9)}, {"", 5, reset}}, 0, at(0)},
		{"a reset that is over", []quotaReading{{"", 0, at(0)}}, 0, at(0)},
		{"the longer of two", []quotaReading{{"day", 0, reset}, {"second", 0, at(500)}}, 0, reset.Add(resetMargin)},
		{"two quotas", []quotaReading{{"day", 0, reset}, {"second", 9, at(500)}}, 0, reset.Add(resetMargin)},
	}
	for _, tt := range tests {
		p := newPace(true, 100)
		for _, r := range tt.readings {
			r.remaining += 100
			p.quota(at(0), r)
		}
		got, ok := p.next(at(0), tt.inflight)
		if !ok || !got.Equal(tt.want) {
			t.Errorf("%s: %v with %d in flight: next = %v, %v; want %v", tt.name, tt.readings, tt.inflight, got, ok, tt.want)
		}
		if got, _ := p.next(tt.want, 0); got.After(tt.want) {
			t.Errorf("%s: still waiting until %v at %v", tt.name, got, tt.want)
		}
	}
}

func TestPaceLetsOneLessFlyAtEachCrowdedRefusalAndRecovers(t *testing.T) {
	p := newPace(true, 0)
	for inflight := 8; inflight >= 6; inflight-- {
		p.crowded(at(0), inflight)
	}
	wantNext(t, p, at(0), 4, at(0), true)
	wantNext(t, p, at(0), 5, at(0), false)
	if !p.gate().IsZero() {
		t.Errorf("gate = %v, want it open", p.gate())
	}
	accept(p, crowdRecovery, at(0))
	wantNext(t, p, at(0), 5, at(0), true)
	wantNext(t, p, at(0), 6, at(0), false)
	for range 20 {
		p.crowded(at(0), 1)
	}
	wantNext(t, p, at(0), 0, at(0), true)
}

// Whatever happens, the pace neither lets anybody through a closed gate nor waits for an answer that nobody owes.
func TestPaceNeverStalls(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 2))
		p, now := newPace(seed%4 == 0, 0), at(0)
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
				p.crowded(now, len(flying)+1)
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
	p, now := newPace(false, 0), at(0)
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
