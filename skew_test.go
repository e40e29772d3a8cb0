package jwtbearer

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A clockAPI refuses tokens whose iat is more than tolerance away from its own clock, which is ahead of ours.
type clockAPI struct {
	ahead, tolerance time.Duration
	took             time.Duration // by every answer
	header           []string      // of every answer, besides Date
	refuse           bool          // whatever the token
}

func (a *clockAPI) answer(t testing.TB) apiFunc {
	return func(token string, _ int) *http.Response {
		time.Sleep(a.took / 2)
		now := time.Now().Add(a.ahead)
		status := 200
		if off := now.Sub(time.Unix(claimsOf(t, token).Iat, 0)); a.refuse || off.Abs() > a.tolerance {
			status = 401
		}
		time.Sleep(a.took - a.took/2)
		return answerOf(status, append([]string{"Date", now.UTC().Format(http.TimeFormat)}, a.header...)...)
	}
}

func TestAWrongClockIsCorrectedOnceATokenWasRefused(t *testing.T) {
	tests := []struct {
		name    string
		api     clockAPI
		status  int
		sent    int // requests
		atLeast time.Duration
		most    time.Duration
	}{
		{"ahead", clockAPI{ahead: 412 * time.Second, tolerance: 5 * time.Second}, 200, 2, 411 * time.Second, 413 * time.Second},
		{"behind", clockAPI{ahead: -time.Hour, tolerance: 5 * time.Second}, 200, 2, -time.Hour - time.Second, -time.Hour + time.Second},
		{"almost a day", clockAPI{ahead: 23*time.Hour + 59*time.Minute, tolerance: 5 * time.Second}, 200, 2, 23 * time.Hour, 24 * time.Hour},
		{"slow, but not too slow", clockAPI{ahead: time.Minute, tolerance: 20 * time.Second, took: 14 * time.Second}, 200, 2, 50 * time.Second, 70 * time.Second},
		{"not needed", clockAPI{ahead: 412 * time.Second, tolerance: time.Hour}, 200, 1, 0, 0},
		{"over a day", clockAPI{ahead: 25 * time.Hour, tolerance: 5 * time.Second}, 401, 2, 0, 0},
		{"too slow", clockAPI{ahead: time.Minute, tolerance: 20 * time.Second, took: 16 * time.Second}, 401, 2, 0, 0},
		{"from a cache", clockAPI{ahead: time.Minute, tolerance: 5 * time.Second, header: []string{"Age", "3"}}, 401, 2, 0, 0},
		{"Date that is none", clockAPI{ahead: time.Minute, tolerance: 5 * time.Second, header: []string{"Date", "today"}}, 401, 2, 0, 0},
		{"too little to matter", clockAPI{ahead: 6 * time.Second, tolerance: time.Second}, 401, 2, 0, 0},
		{"enough to matter", clockAPI{ahead: 7 * time.Second, tolerance: 3 * time.Second}, 200, 2, 6 * time.Second, 8 * time.Second},
		{"too little for so slow an answer", clockAPI{ahead: 10 * time.Second, tolerance: time.Second, took: 10 * time.Second}, 401, 2, 0, 0},
		{"not to blame", clockAPI{ahead: 412 * time.Second, refuse: true}, 401, 2, 0, 0},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			c, api := mintClient(t, Connection{Lifetime: time.Minute}, test.api.answer(t))
			if got := statusOf(t, c); got != test.status {
				t.Errorf("%s: status %d, want %d", test.name, got, test.status)
			}
			if got := len(api.seen); got != test.sent {
				t.Errorf("%s: %d requests, want %d", test.name, got, test.sent)
			}
			if got := c.Stats().Skew; got < test.atLeast || got > test.most {
				t.Errorf("%s: the correction is %s, want %s to %s", test.name, got, test.atLeast, test.most)
			}
		})
	}
}

// TestACorrectionFollowsTheClock has the API's clock move while there is a correction.
func TestACorrectionFollowsTheClock(t *testing.T) {
	tests := []struct {
		name      string
		from, to  time.Duration
		tolerance time.Duration
		sent      int // requests after the first call
	}{
		{"on, while tokens are accepted", 100 * time.Second, 130 * time.Second, time.Hour, 2},
		{"back to zero, while tokens are accepted", 100 * time.Second, 0, time.Hour, 2},
		{"on, and tokens are refused", 100 * time.Second, 130 * time.Second, 10 * time.Second, 3},
		{"back to zero, and tokens are refused", 100 * time.Second, 0, 10 * time.Second, 3},
		{"to the other side, and tokens are refused", 100 * time.Second, -100 * time.Second, 10 * time.Second, 3},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(400 * time.Millisecond) // Date is in whole seconds
			api := &clockAPI{ahead: test.from, tolerance: 10 * time.Second}
			c, seen := mintClient(t, Connection{Lifetime: time.Minute}, api.answer(t))
			statusOf(t, c)
			if got := c.Stats().Skew; (got - test.from).Abs() > time.Second {
				t.Fatalf("%s: the first correction is %s, want %s", test.name, got, test.from)
			}
			api.ahead, api.tolerance = test.to, test.tolerance
			before := len(seen.seen)
			for range 2 {
				if got := statusOf(t, c); got != 200 {
					t.Errorf("%s: status %d, want 200", test.name, got)
				}
			}
			if got := len(seen.seen) - before; got != test.sent {
				t.Errorf("%s: %d requests for two calls, want %d", test.name, got, test.sent)
			}
			if got := c.Stats().Skew; (got-test.to).Abs() > time.Second || test.to == 0 && got != 0 {
				t.Errorf("%s: the correction is %s, want %s", test.name, got, test.to)
			}
		})
	}
}

// TestCallsRefusedTogetherCorrectOnce has a hundred calls in flight with the same wrong time, and then with a token that is
// refused whatever its time.
func TestCallsRefusedTogetherCorrectOnce(t *testing.T) {
	for _, reuse := range []time.Duration{0, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			api := &clockAPI{ahead: time.Hour, tolerance: time.Minute}
			answer := api.answer(t)
			transport := &slowTrip{answer: answer}
			c, err := NewClient(&Connection{BaseURI: "https://api.example.com", SignatureMethod: HS256, Secret: Secret(strings.Repeat("k", 32)),
				Lifetime: 24 * time.Hour, TokenReuse: reuse, Transport: transport})
			if err != nil {
				t.Fatal(err)
			}
			together := func(want int) {
				var wg sync.WaitGroup
				for range 100 {
					wg.Go(func() {
						if got := statusOf(t, c); got != want {
							t.Errorf("reuse %s: status %d, want %d", reuse, got, want)
						}
					})
				}
				wg.Wait()
			}
			together(200)
			if got := c.Stats().Skew; (got - time.Hour).Abs() > 2*time.Second {
				t.Errorf("reuse %s: the correction is %s, want an hour", reuse, got)
			}
			if got, want := c.Stats().Minted, uint64(2); reuse > 0 && got != want {
				t.Errorf("%d minted for calls with one token that was refused, want %d", got, want)
			}
			before := c.Stats().Skew
			api.refuse, api.ahead = true, -time.Hour
			together(401)
			if got := c.Stats().Skew; got != before {
				t.Errorf("reuse %s: the correction is %s after tokens were refused all the same, want %s again", reuse, got, before)
			}
		})
	}
}

// A slowTrip answers after a second.
type slowTrip struct{ answer apiFunc }

func (s *slowTrip) RoundTrip(req *http.Request) (*http.Response, error) {
	time.Sleep(time.Second)
	resp := s.answer(strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer "), 0)
	resp.Request = req
	return resp, nil
}
