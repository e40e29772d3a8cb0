package jwtbearer

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
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

// TestARefusedTokenIsToldWhereNoNewOneComes has a 401 that stands, since no attempt with another token can follow it.
func TestARefusedTokenIsToldWhereNoNewOneComes(t *testing.T) {
	down := errors.New("connection reset")
	for _, tt := range []struct {
		name   string
		second func() (*http.Response, error) // answer of the token endpoint
		is     func(error) bool               // whether Do's error tells it too
	}{
		{"breaks off", func() (*http.Response, error) { return nil, down },
			func(err error) bool { return errors.Is(err, down) }},
		{"is down", reply(503), func(err error) bool {
			e, ok := errors.AsType[*TokenError](err)
			return ok && e.StatusCode == 503
		}},
		{"refuses", func() (*http.Response, error) { return refusedWith(400, "invalid_grant", "revoked"), nil },
			func(err error) bool {
				e, ok := errors.AsType[*TokenError](err)
				return ok && e.Code == "invalid_grant"
			}},
		{"throttles", func() (*http.Response, error) { return fakeReply(429, "", "Retry-After", "3600"), nil },
			func(err error) bool {
				wait, ok := RetryAfter(err)
				return ok && wait >= time.Hour
			}},
	} {
		for _, method := range []string{"GET", "POST"} {
			in2025(t, tt.name+" "+method, func(t *testing.T) {
				dial := func() *Client {
					endpoint := &fakeAPI{handle: func(n int, _ *http.Request) (*http.Response, error) {
						if n == 1 {
							return issued("at", ""), nil
						}
						return tt.second()
					}}
					api := always(func() *http.Response { return fakeReply(401, "the answer's text") })
					return dialIssuer(t, &fakeIssuer{endpoint: endpoint, api: api}, func(conn *Connection) { conn.Retry.MaxAttempts = 1 })
				}
				resp, err := dial().Do(fakeRequest(t, method, nil), nil)
				if e, ok := errors.AsType[*AuthError](err); !ok || e.StatusCode != 401 || !tt.is(err) {
					t.Errorf("Do gives the error %v, want an *AuthError and what the endpoint did", err)
				}
				if e, ok := errors.AsType[*ResponseError](err); ok {
					t.Errorf("Do gives %#v too, which is for any other answer", e)
				}
				if resp == nil || resp.StatusCode != 401 {
					t.Errorf("Do gives the response %v, want the 401", resp)
				}
				resp, err = dial().RoundTrip(fakeRequest(t, method, nil))
				if err != nil || resp.StatusCode != 401 {
					t.Fatalf("RoundTrip gives %v, %v, want the 401 alone", resp, err)
				}
				if got, want := readAll(t, resp), "the answer's text"; got != want {
					t.Errorf("the body of the 401 is %q, want %q", got, want)
				}
			})
		}
	}
}

// A keyThatGoes signs so often, and then no more.
type keyThatGoes struct {
	crypto.Signer
	left int
}

var errKeyGone = errors.New("the key store is gone")

func (k *keyThatGoes) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if k.left--; k.left < 0 {
		return nil, errKeyGone
	}
	return k.Signer.Sign(rand, digest, opts)
}

// TestTheLastAnswerStandsWhereNoTokenCanBeMinted has every answer after which another attempt is due.
func TestTheLastAnswerStandsWhereNoTokenCanBeMinted(t *testing.T) {
	isA := func(status int, err error) bool {
		switch status {
		case 401:
			_, ok := errors.AsType[*AuthError](err)
			return ok
		case 429:
			_, ok := errors.AsType[*ThrottledError](err)
			return ok
		}
		_, ok := errors.AsType[*ResponseError](err)
		return ok
	}
	for _, status := range []int{401, 429, 503} {
		in2025(t, fmt.Sprint(status), func(t *testing.T) {
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			signer := &keyThatGoes{Signer: key, left: 1}
			api := always(func() *http.Response { return fakeReply(status, "text") })
			c := dialFake(t, api, func(conn *Connection) {
				conn.SignatureMethod, conn.Secret, conn.Key = ES256, "", signer
			})
			resp, err := c.Do(fakeRequest(t, "GET", nil), nil)
			if !isA(status, err) || !errors.Is(err, errKeyGone) {
				t.Errorf("Do gives the error %v, want that of a %d, and that of the key", err, status)
			}
			if resp == nil || resp.StatusCode != status || api.count() != 1 {
				t.Errorf("Do gives %v after %d requests, want the %d of the only one", resp, api.count(), status)
			}
			signer.left = 1
			resp, err = c.RoundTrip(fakeRequest(t, "GET", nil))
			if err != nil || resp.StatusCode != status {
				t.Fatalf("RoundTrip gives %v, %v, want the %d alone", resp, err, status)
			}
			if got := readAll(t, resp); got != "text" {
				t.Errorf("the body is %q, want it whole", got)
			}
		})
	}
}

func TestACallThatEndsWhileATokenIsFetchedTellsTheRefusal(t *testing.T) {
	in2025(t, "deadline", func(t *testing.T) {
		f := &fakeIssuer{endpoint: &fakeAPI{handle: func(n int, req *http.Request) (*http.Response, error) {
			if n == 1 {
				return issued("at", ""), nil
			}
			if err := sleep(req.Context(), time.Minute); err != nil {
				return nil, err
			}
			return issued("at", ""), nil
		}}, api: always(func() *http.Response { return fakeReply(401, "") })}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := dialIssuer(t, f, nil).Do(fakeRequest(t, "GET", nil).WithContext(ctx), nil)
		if _, ok := errors.AsType[*AuthError](err); !ok || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Do gives the error %v, want the deadline's and an *AuthError", err)
		}
		time.Sleep(time.Hour) // the token request goes on for others
	})
}
