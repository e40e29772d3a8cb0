package jwtbearer

import "testing"

func TestBudgetEndsRetriesUntilSuccessesFillIt(t *testing.T) {
	b := newBudget(500)
	spend := func() (n int) {
		for b.spend() {
			if n++; n > 1000 {
				break
			}
		}
		return n
	}
	if got, want := spend(), 500/retryCost; got != want {
		t.Errorf("%d retries from a full budget, want %d", got, want)
	}
	for range retryCost - 500%retryCost {
		b.earn(1)
	}
	if got, want := spend(), 1; got != want {
		t.Errorf("%d retries after %d successes, want %d", got, retryCost-500%retryCost, want)
	}
	b.earn(10_000)
	if got, want := spend(), 500/retryCost; got != want {
		t.Errorf("%d retries from an overfilled budget, want %d", got, want)
	}
}

func TestBudgetWithoutBoundNeverEnds(t *testing.T) {
	b := newBudget(0)
	for i := range 1000 {
		if !b.spend() {
			t.Fatalf("retry %d was refused without a bound", i)
		}
	}
}
