package pace

import (
	"math"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/waits"
)

func TestJitterNeverShortensAWait(t *testing.T) {
	for _, wait := range []time.Duration{0, 1, time.Second, waits.Longest, math.MaxInt64 - 1, math.MaxInt64} {
		for range 100 {
			if got := jittered(wait); got < wait || got > waits.Add(wait, 250*time.Millisecond) {
				t.Fatalf("jittered(%v) = %v", wait, got)
			}
		}
	}
}
