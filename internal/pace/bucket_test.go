package pace

import (
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"
)

// TestBucketIsNotRefusedAfterASlowHandshake sends to a server that keeps the same bucket, but sees the first requests late.
func TestBucketIsNotRefusedAfterASlowHandshake(t *testing.T) {
	const handshake, way = 250 * time.Millisecond, 5 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		l := testLine(t, Settings{Limits: []Limit{{Requests: 50, Per: time.Second, Burst: 10}}})
		server := rate.NewLimiter(50, 10)
		connected := time.Now().Add(handshake)
		for i := range 100 {
			s := enter(t, l, uint64(i))
			go func() {
				time.Sleep(time.Until(connected))
				time.Sleep(way)
				if !server.Allow() {
					t.Errorf("attempt %d is refused, %v after the handshake", i, time.Since(connected))
				}
				time.Sleep(way)
				s.Accepted(Observation{})
				s.Release()
			}()
		}
		if got, most := time.Since(connected), 2*time.Second; got > most {
			t.Errorf("100 attempts leave within %v after the handshake, want %v at most", got, most)
		}
		time.Sleep(time.Second)
	})
}

// TestBucketLosesNothingToSlowAnswers holds that slow responses cost a bucket nothing but the slow start.
func TestBucketLosesNothingToSlowAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const response = time.Second
		l, began := testLine(t, Settings{Limits: []Limit{{Requests: 20, Per: time.Second, Burst: 5}}}), time.Now()
		for i := range 200 {
			s := enter(t, l, uint64(i))
			time.AfterFunc(response, func() {
				s.Accepted(Observation{})
				s.Release()
			})
		}
		least := (200 - 4) * time.Second / 20
		if got := time.Since(began); got < least || got > least+3*response {
			t.Errorf("200 attempts at 20 a second leave within %v, want %v and the slow start", got, least)
		}
		time.Sleep(2 * response)
	})
}
