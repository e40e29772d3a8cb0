package pace

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

// skewed is how far the clock of a server is off.
const skewed = 7*time.Second + 300*time.Millisecond

// adaptingBars are those of a controller that knows no limit.
func adaptingBars() []paceBar {
	bucket50, window150 := bucket(50, 10), clockWindow(150, 3*time.Second)
	changing := changingBucket(changingRate, 10)
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
	}
}

// knowingBars are those of a client that only obeys the gate, or keeps a limit of its own.
func knowingBars() []paceBar {
	bucket50, window150 := bucket(50, 10), clockWindow(150, 3*time.Second)
	return []paceBar{
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

func TestControllerReachesTheBars(t *testing.T) {
	for _, tt := range append(adaptingBars(), knowingBars()...) {
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
	var speeds, throttles, shares []float64
	for seed := range n {
		r := s.run(uint64(seed) + 1)
		speeds, throttles, shares = append(speeds, r.speed), append(throttles, r.refused), append(shares, r.share)
	}
	slices.Sort(speeds)
	slices.Sort(throttles)
	slices.Sort(shares)
	return speeds[n/2], throttles[n/2], shares[n/2], speeds[0]
}

func fixedPace(time.Time) simPacer {
	return &localPace{controller: newController(true, 0), clock: new(serverClock)}
}

func localBucket(time.Time) simPacer {
	return &localPace{controller: newController(false, 0), clock: new(serverClock), bucket: rate.NewLimiter(50, 9)}
}

func localWindow(time.Time) simPacer {
	clock := new(serverClock)
	return &localPace{controller: newController(false, 0), clock: clock, window: newWindow(150, 3*time.Second, clock)}
}
