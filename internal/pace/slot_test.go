package pace

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestConcurrencyCountsUntilTheBodyIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, began := testLine(t, Settings{Fixed: true, Concurrency: 1}), time.Now()
		s := enter(t, l, 1)
		time.AfterFunc(time.Second, func() { s.Accepted(Observation{}) })
		time.AfterFunc(3*time.Second, s.Release)
		enter(t, l, 2)
		if got, want := time.Since(began), 3*time.Second; got != want {
			t.Errorf("the second attempt leaves after %v, want %v", got, want)
		}
		s.Release() // a second release frees nothing
		if _, inFlight, _ := l.Stats(); inFlight != 1 {
			t.Errorf("in flight: %d, want 1", inFlight)
		}
	})
}

func TestSlotThatWasNotUsedIsGivenBackWhole(t *testing.T) {
	limits := map[string]Settings{
		"interval":    {Fixed: true, Interval: time.Hour},
		"bucket":      {Fixed: true, Limits: []Limit{{Requests: 1, Per: time.Hour, Burst: 1}}},
		"window":      {Fixed: true, Limits: []Limit{{Requests: 1, Per: time.Hour}}},
		"concurrency": {Fixed: true, Concurrency: 1},
	}
	for name, set := range limits {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := testLine(t, set)
				s := enter(t, l, 1)
				time.Sleep(time.Minute) // in the caller's Limiter, say
				s.GiveBack()
				began := time.Now()
				enter(t, l, 2)
				if got := time.Since(began); got > time.Microsecond {
					t.Errorf("the next attempt leaves after %v, want at once", got)
				}
			})
		})
	}
}

func TestASlotEndsOnce(t *testing.T) {
	for name, end := range map[string]func(s *Slot){
		"given back twice":                         func(s *Slot) { s.GiveBack(); s.GiveBack() },
		"given back before it was taken":           func(s *Slot) { new(Slot).GiveBack(); s.GiveBack() },
		"given back after its body ended":          func(s *Slot) { s.Release(); s.GiveBack() },
		"given back after its response was judged": func(s *Slot) { s.Accepted(Observation{}); s.GiveBack(); s.Release() },
	} {
		l := testLine(t, Settings{Concurrency: 1})
		end(enter(t, l, 1))
		if l.inFlight != 0 || l.unanswered != 0 {
			t.Errorf("%s: %d are in flight and %d unanswered, want none", name, l.inFlight, l.unanswered)
		}
	}
}
