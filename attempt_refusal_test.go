package jwtbearer

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const uniqueClaims JSON = `{"iat":"{{now}}","jti":"{{uuid}}"}`

func TestARefusedTokenIsMintedOnceMore(t *testing.T) {
	for _, reuse := range []time.Duration{0, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			c, api := mintClient(t, Connection{Payload: uniqueClaims, TokenReuse: reuse}, func(_ string, n int) *http.Response {
				if n == 1 {
					return answerOf(401)
				}
				return answerOf(200)
			})
			if got := statusOf(t, c); got != 200 {
				t.Errorf("reuse %s: status %d, want 200", reuse, got)
			}
			if got := distinct(api.seen); got != 2 || len(api.seen) != 2 {
				t.Errorf("reuse %s: %d requests with %d tokens, want 2 and 2", reuse, len(api.seen), got)
			}
			if got := c.Stats(); got.Refused != 1 || got.Minted != 2 {
				t.Errorf("reuse %s: %d refused and %d minted, want 1 and 2", reuse, got.Refused, got.Minted)
			}
		})
	}
}

// TestAfterASecondRefusalNobodyMintsAnew counts what calls do while fresh tokens are refused, too.
func TestAfterASecondRefusalNobodyMintsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		status := 401
		c, api := mintClient(t, Connection{Payload: uniqueClaims, TokenReuse: time.Hour},
			func(string, int) *http.Response { return answerOf(status) })
		step := func(name string, wantStatus, wantSent int, wantMinted uint64) {
			t.Helper()
			sent, minted := len(api.seen), c.Stats().Minted
			if got := statusOf(t, c); got != wantStatus {
				t.Errorf("%s: status %d, want %d", name, got, wantStatus)
			}
			if got := len(api.seen) - sent; got != wantSent {
				t.Errorf("%s: %d requests, want %d", name, got, wantSent)
			}
			if got := c.Stats().Minted - minted; got != wantMinted {
				t.Errorf("%s: %d minted, want %d", name, got, wantMinted)
			}
		}
		step("first call", 401, 2, 2)
		for range 5 {
			step("within the minute", 401, 1, 0)
			time.Sleep(refusalPause / 6)
		}
		time.Sleep(refusalPause/6 + 5)
		step("after the minute", 401, 2, 1)
		step("within the next one", 401, 1, 0)
		status = 200
		step("a success", 200, 1, 0)
		status = 401
		step("after the success", 401, 2, 1)
	})
}

func TestFreshTokensAreNotMintedTwiceInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, api := mintClient(t, Connection{Payload: uniqueClaims}, func(string, int) *http.Response { return answerOf(401) })
		for range 4 {
			statusOf(t, c)
		}
		if got, want := len(api.seen), 5; got != want {
			t.Errorf("four calls whose tokens are refused made %d requests, want %d", got, want)
		}
	})
}

// TestARefusalDropsOnlyTheTokenThatWasRefused has a slow call whose token was replaced while it was under way.
func TestARefusalDropsOnlyTheTokenThatWasRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := &twoSpeeds{first: make(map[string]bool)}
		c, err := NewClient(&Connection{BaseURI: "https://api.example.com", SignatureMethod: HS256, Secret: "0123456789abcdef0123456789abcdef",
			Payload: uniqueClaims, TokenReuse: time.Hour, Transport: transport})
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			req, _ := c.NewRequest(t.Context(), "GET", "/slow", nil)
			if resp, err := c.RoundTrip(req); err != nil || resp.StatusCode != 200 {
				t.Errorf("the slow call: %v, %v", resp, err)
			}
		}()
		synctest.Wait()
		statusOf(t, c) // refused, and minted anew
		current := minted1(t, c)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := c.Stats(); got.Refused != 2 || got.Minted != 2 {
			t.Errorf("%d refused and %d minted, want 2 and 2", got.Refused, got.Minted)
		}
		if minted1(t, c) != current {
			t.Error("the refusal of a token that was replaced dropped the one after it")
		}
	})
}

// twoSpeeds refuses the first token that it sees, and takes ten seconds for /slow.
type twoSpeeds struct{ first map[string]bool }

func (s *twoSpeeds) RoundTrip(req *http.Request) (*http.Response, error) {
	token := req.Header.Get("Authorization")
	if len(s.first) == 0 {
		s.first[token] = true
	}
	if req.URL.Path == "/slow" {
		time.Sleep(10 * time.Second)
	}
	resp := answerOf(200)
	if s.first[token] {
		resp = answerOf(401)
	}
	resp.Request = req
	return resp, nil
}

func TestAThrottleNeverMintsAnew(t *testing.T) {
	rules := []Rule{{Status: []int{429}, Path: "reason", Values: []string{"TooManyProviderTokenUpdates"}, Class: "token"},
		{Status: []int{401, 429}}}
	for _, status := range []int{429, 401} { // 401 as a throttle: the rule comes before AuthFailure
		synctest.Test(t, func(t *testing.T) {
			c, api := mintClient(t, Connection{Payload: uniqueClaims, TokenReuse: time.Hour,
				RateLimit: RateLimit{Rules: rules, DefaultWait: time.Second}},
				func(_ string, n int) *http.Response {
					if n < 4 {
						return answerOf(status, "Content-Type", "application/json")
					}
					return answerOf(200)
				})
			if got := statusOf(t, c); got != 200 {
				t.Errorf("after throttles with status %d: %d, want 200", status, got)
			}
			if got := c.Stats(); got.Minted != 1 || got.Throttles != 3 || got.Refused != 0 || distinct(api.seen) != 1 {
				t.Errorf("throttles with status %d: %d minted, %d throttles, %d refused, want 1, 3, 0", status, got.Minted, got.Throttles, got.Refused)
			}
		})
	}
}

func TestABodyThatIsGoneEndsARefusedCallButNotTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, api := mintClient(t, Connection{Payload: uniqueClaims, TokenReuse: time.Hour, Retry: Retry{BufferLimit: 4}},
			func(_ string, n int) *http.Response { return answerOf([]int{401, 200}[min(n-1, 1)]) })
		for i, want := range []error{ErrBodyNotReplayable, nil} {
			req, err := c.NewRequest(t.Context(), "POST", "/me", io.MultiReader(strings.NewReader("longer than that")))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Do(req, nil); !errors.Is(err, want) {
				t.Errorf("call %d: %v, want %v", i, err, want)
			}
		}
		if got := distinct(api.seen); got != 2 || len(api.seen) != 2 {
			t.Errorf("%d requests with %d tokens, want 2 and 2: the refused one must not serve again", len(api.seen), got)
		}
	})
}
