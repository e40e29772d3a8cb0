package verify_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/verify"
)

const keysURL = "https://keys.example.com/keys?tenant=hidden"

// A keyServer is the transport of a client to a server that publishes keys.
type keyServer struct {
	mu      sync.Mutex
	fetches int
	answer  func(*http.Request) (*http.Response, error)
}

func (s *keyServer) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.fetches++
	answer := s.answer
	s.mu.Unlock()
	return answer(r)
}

func (s *keyServer) client() *http.Client { return &http.Client{Transport: s} }

func (s *keyServer) set(answer func(*http.Request) (*http.Response, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// wantFetches wants so many fetches since the last call.
func (s *keyServer) wantFetches(t *testing.T, want int, when string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fetches != want {
		t.Errorf("%d fetches %s, want %d", s.fetches, when, want)
	}
	s.fetches = 0
}

func respond(status int, body string) (*http.Response, error) {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// publish answers with a list of PEMs.
func publish(keys ...crypto.Signer) func(*http.Request) (*http.Response, error) {
	list := []string{}
	for _, k := range keys {
		list = append(list, publicPEM(k))
	}
	body := string(must(json.Marshal(map[string]any{"keys": list})))
	return func(*http.Request) (*http.Response, error) { return respond(http.StatusOK, body) }
}

func down(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }

// hang answers never.
func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// newRemote makes a server that publishes the usual RSA key, and a Verifier for its PEMs.
func newRemote() (*keyServer, *verify.Verifier) {
	s := &keyServer{answer: publish(rsaKey())}
	return s, &verify.Verifier{Keys: verify.PEMList(keysURL, s.client()), Methods: []jwtbearer.SignatureMethod{jwtbearer.RS256}}
}

// rsaToken is good for years.
func rsaToken(key *rsa.PrivateKey) string {
	return sign(jwtbearer.RS256, key, `{"alg":"RS256"}`, `{"exp":4102444800}`)
}

// inBubble makes keys before the time is a fake, since their making takes long.
func inBubble(t *testing.T, f func(*testing.T)) {
	t.Helper()
	rsaKey()
	otherRSA()
	synctest.Test(t, f)
}

func TestKeysAreFetchedOnceAndKeptForFourHours(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, v := newRemote()
		s.wantFetches(t, 0, "before there is a token")
		for range 100 {
			wantAccepted(t, v, rsaToken(rsaKey()))
		}
		s.wantFetches(t, 1, "for the first tokens")
		time.Sleep(4*time.Hour - time.Second)
		wantAccepted(t, v, rsaToken(rsaKey()))
		s.wantFetches(t, 0, "within four hours")
		time.Sleep(time.Second)
		s.set(publish(otherRSA()))
		wantRefused(t, v, rsaToken(rsaKey()), verify.BadSignature) // a key that was taken back
		wantAccepted(t, v, rsaToken(otherRSA()))
		s.wantFetches(t, 1, "after four hours")
	})
}

func TestConcurrentTokensShareOneFetch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, v := newRemote()
		s.set(func(*http.Request) (*http.Response, error) {
			time.Sleep(3 * time.Second)
			return publish(rsaKey())(nil)
		})
		began := time.Now()
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { wantAccepted(t, v, rsaToken(rsaKey())) })
		}
		wg.Wait()
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("all of them took %v, want 3s", took)
		}
		s.wantFetches(t, 1, "for 50 tokens at once")
	})
}

func TestFetchOutlivesTheCallThatBeganIt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, v := newRemote()
		s.set(func(r *http.Request) (*http.Response, error) {
			select {
			case <-time.After(5 * time.Second):
				return publish(rsaKey())(r)
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		})
		var wg sync.WaitGroup
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			began := time.Now()
			err := v.Verify(ctx, rsaToken(rsaKey()), nil)
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
				t.Errorf("Verify = %v after %v, want the context's error after 1s", err, time.Since(began))
			}
			if _, ok := errors.AsType[*verify.KeysError](err); !ok {
				t.Errorf("Verify = %v, want a *KeysError", err)
			}
		})
		synctest.Wait()
		wg.Go(func() { wantAccepted(t, v, rsaToken(rsaKey())) })
		wg.Wait()
		s.wantFetches(t, 1, "for both")
	})
}

// TestRotationIsNoticedAtOnce has an issuer that signs with a new key as soon as it is published.
func TestRotationIsNoticedAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, v := newRemote()
		wantAccepted(t, v, rsaToken(rsaKey()))
		s.set(publish(rsaKey(), otherRSA()))
		wantAccepted(t, v, rsaToken(otherRSA()))
		wantAccepted(t, v, rsaToken(rsaKey())) // the overlap
		s.wantFetches(t, 2, "for the first key and the second")
		s.set(publish(otherRSA()))
		time.Sleep(4 * time.Hour)
		wantAccepted(t, v, rsaToken(otherRSA()))
		wantRefused(t, v, rsaToken(rsaKey()), verify.BadSignature)
	})
}

// TestFloodOfBadTokensFetchesOnceAnHour has a bad token every second for three hours.
func TestFloodOfBadTokensFetchesOnceAnHour(t *testing.T) {
	for _, answer := range []struct {
		name string
		to   func(*http.Request) (*http.Response, error)
	}{{"the same keys", publish(rsaKey())}, {"nothing", down}} {
		inBubble(t, func(t *testing.T) {
			s, v := newRemote()
			bad := rsaToken(otherRSA())
			wantRefused(t, v, bad, verify.BadSignature)
			s.wantFetches(t, 1, "for the first token, which was bad")
			s.set(answer.to)
			began := time.Now()
			for hour := range 3 {
				for range 3599 {
					time.Sleep(time.Second)
					wantRefused(t, v, bad, verify.BadSignature)
				}
				s.wantFetches(t, 0, fmt.Sprintf("in hour %d of a flood, while the server answers with %s", hour, answer.name))
				time.Sleep(time.Second)
				wantRefused(t, v, bad, verify.BadSignature)
				s.wantFetches(t, 1, fmt.Sprintf("at the end of hour %d, while the server answers with %s", hour, answer.name))
			}
			wantAccepted(t, v, rsaToken(rsaKey()))
			s.wantFetches(t, 0, fmt.Sprintf("for a good token after %v", time.Since(began)))
		})
	}
}

// TestTokensThatAreRefusedAnywayFetchNothing has an expired token, one of another method, and one that is none.
func TestTokensThatAreRefusedAnywayFetchNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, v := newRemote()
		wantRefused(t, v, sign(jwtbearer.RS256, otherRSA(), `{"alg":"RS256"}`, `{"exp":1}`), verify.Expired)
		wantRefused(t, v, sign(jwtbearer.HS256, []byte(secret), `{"alg":"HS256"}`, `{"exp":4102444800}`), verify.WrongMethod)
		wantRefused(t, v, "a.b.c", verify.Malformed)
		s.wantFetches(t, 0, "for tokens that no key could save")
	})
}

func TestKeysThatFlipCostOneFetchAnHour(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, v := newRemote()
		flip := 0
		s.set(func(r *http.Request) (*http.Response, error) {
			flip++
			if flip%2 == 1 {
				return publish(rsaKey())(r)
			}
			return publish(otherRSA())(r)
		})
		one, other := rsaToken(rsaKey()), rsaToken(otherRSA())
		for range 1000 {
			v.Verify(t.Context(), one, nil)
			v.Verify(t.Context(), other, nil)
		}
		s.wantFetches(t, 2, "in one hour of keys that flip: the first, and the one that a bad signature may cause")
	})
}

func TestOldKeysServeOnWhileTheSourceIsDown(t *testing.T) {
	answers := map[string]func(*http.Request) (*http.Response, error){
		"down": down, "hang": hang,
		"500": func(r *http.Request) (*http.Response, error) {
			resp, err := publish(otherRSA())(r)
			resp.StatusCode = 500
			return resp, err
		},
		"html":      func(*http.Request) (*http.Response, error) { return respond(200, `<html>`) },
		"no keys":   func(*http.Request) (*http.Response, error) { return respond(200, `{"keys":[]}`) },
		"no list":   func(*http.Request) (*http.Response, error) { return respond(200, `{}`) },
		"bad keys":  func(*http.Request) (*http.Response, error) { return respond(200, `{"keys":["x",1,null]}`) },
		"10 MB":     func(*http.Request) (*http.Response, error) { return respond(200, strings.Repeat(" ", 10<<20)) },
		"many keys": func(*http.Request) (*http.Response, error) { return respond(200, manyKeys(257)) },
		"many entries": func(r *http.Request) (*http.Response, error) {
			return respond(200, `{"keys":[`+strings.Repeat(`"",`, 256)+string(must(json.Marshal(publicPEM(otherRSA()))))+`]}`)
		},
	}
	for name, answer := range answers {
		inBubble(t, func(t *testing.T) {
			s, v := newRemote()
			var log strings.Builder
			v.Logger = slog.New(slog.NewTextHandler(&log, nil))
			wantAccepted(t, v, rsaToken(rsaKey()))
			s.set(answer)
			token := rsaToken(rsaKey())
			for range 3 * 24 * 12 {
				time.Sleep(5 * time.Minute)
				wantAccepted(t, v, token)
			}
			if s.fetches > 1+7+3*24 {
				t.Errorf("%s: %d fetches in three days, want at most one an hour after the first few", name, s.fetches)
			}
			if n := strings.Count(log.String(), "level=WARN"); n != s.fetches-1 || strings.Contains(log.String(), "hidden") {
				t.Errorf("%s: %d of %d failures were logged, want all, without the query:\n%.500s", name, n, s.fetches-1, &log)
			}
			s.set(publish(otherRSA()))
			time.Sleep(time.Hour)
			wantAccepted(t, v, rsaToken(otherRSA()))
		})
	}
}

// manyKeys is a list of one entry with n keys.
func manyKeys(n int) string {
	list := []string{strings.Repeat(publicPEM(ed25519Key()), n)}
	return string(must(json.Marshal(map[string]any{"keys": list})))
}

func TestFirstFetchIsTriedAgainAfterAMinute(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, v := newRemote()
		s.set(down)
		for range 100 {
			err := v.Verify(t.Context(), rsaToken(rsaKey()), nil)
			if bad, ok := errors.AsType[*verify.KeysError](err); !ok || bad.RetryAfter != time.Minute || strings.Contains(err.Error(), "hidden") {
				t.Fatalf("Verify = %v, want a *KeysError with RetryAfter 1m and without the query", err)
			}
		}
		s.wantFetches(t, 1, "while the source is down from the start")
		time.Sleep(59 * time.Second)
		err := v.Verify(t.Context(), rsaToken(rsaKey()), nil)
		if bad, _ := errors.AsType[*verify.KeysError](err); bad == nil || bad.RetryAfter != time.Second {
			t.Errorf("Verify = %v, want a *KeysError with RetryAfter 1s", err)
		}
		time.Sleep(time.Second)
		for range 10 { // as long as there are no keys at all, the pause stays the same
			err := v.Verify(t.Context(), rsaToken(rsaKey()), nil)
			if bad, _ := errors.AsType[*verify.KeysError](err); bad == nil || bad.RetryAfter != time.Minute {
				t.Errorf("Verify = %v, want a *KeysError with RetryAfter 1m", err)
			}
			time.Sleep(time.Minute)
		}
		s.wantFetches(t, 10, "in ten minutes")
		s.set(publish(rsaKey()))
		wantAccepted(t, v, rsaToken(rsaKey()))
		s.wantFetches(t, 1, "after a minute")
	})
}

func TestHangingSourceIsGivenTenSeconds(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, v := newRemote()
		s.set(hang)
		began := time.Now()
		err := v.Verify(t.Context(), rsaToken(rsaKey()), nil)
		if _, ok := errors.AsType[*verify.KeysError](err); !ok || time.Since(began) != 10*time.Second {
			t.Errorf("Verify = %v after %v, want a *KeysError after 10s", err, time.Since(began))
		}
	})
}

// endless is a body without end that counts what is read of it.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) { e.read += len(p); return len(p), nil }
func (e *endless) Close() error               { return nil }

func TestLongAnswerIsNotRead(t *testing.T) {
	s, v := newRemote()
	body := &endless{}
	s.set(func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: 200, Body: body}, nil })
	if err := v.Verify(t.Context(), rsaToken(rsaKey()), nil); err == nil || body.read > 2<<20 {
		t.Errorf("Verify = %v after %d bytes, want an error after 1 MiB, or a little more", err, body.read)
	}
}

// TestUnknownKidFetches has a set that gets a second key.
func TestUnknownKidFetches(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := &keyServer{}
		body := func(keys ...string) func(*http.Request) (*http.Response, error) {
			return func(*http.Request) (*http.Response, error) {
				return respond(200, `{"keys":[`+strings.Join(keys, ",")+`]}`)
			}
		}
		s.set(body(rsaJWK(rsaKey(), `,"kid":"a"`)))
		v := &verify.Verifier{Keys: verify.JWKS(keysURL, s.client()), Methods: []jwtbearer.SignatureMethod{jwtbearer.RS256}}
		second := sign(jwtbearer.RS256, otherRSA(), `{"alg":"RS256","kid":"b"}`, `{"exp":4102444800}`)
		wantAccepted(t, v, rsaToken(rsaKey()))
		wantRefused(t, v, second, verify.UnknownKey)
		s.wantFetches(t, 2, "for a good kid and an unknown one")
		s.set(body(rsaJWK(rsaKey(), `,"kid":"a"`), rsaJWK(otherRSA(), `,"kid":"b"`)))
		wantRefused(t, v, second, verify.UnknownKey)
		s.wantFetches(t, 0, "within the hour")
		time.Sleep(time.Hour)
		wantAccepted(t, v, second)
		s.wantFetches(t, 1, "after the hour")
	})
}

// TestGoodTokensDoNotWaitForAFetchThatABadOneCaused has a source that hangs.
func TestGoodTokensDoNotWaitForAFetchThatABadOneCaused(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, v := newRemote()
		var log strings.Builder
		v.Logger = slog.New(slog.NewTextHandler(&log, nil))
		wantAccepted(t, v, rsaToken(rsaKey()))
		s.set(hang)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { wantRefused(t, v, rsaToken(otherRSA()), verify.BadSignature) })
		}
		synctest.Wait()
		began := time.Now()
		wantAccepted(t, v, rsaToken(rsaKey()))
		if took := time.Since(began); took != 0 {
			t.Errorf("a good token waited %v", took)
		}
		wg.Wait()
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("the bad tokens waited %v, want 10s", took)
		}
		if n := strings.Count(log.String(), "\n"); n != 1 {
			t.Errorf("%d records tell that one fetch failed, want 1:\n%s", n, &log)
		}
	})
}

// TestGoodTokensWaitASecondForKeysThatAreOnlyOld has a source that hangs when the keys are due for renewal.
func TestGoodTokensWaitASecondForKeysThatAreOnlyOld(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, v := newRemote()
		var log strings.Builder
		v.Logger = slog.New(slog.NewTextHandler(&log, nil))
		wantAccepted(t, v, rsaToken(rsaKey()))
		s.set(hang)
		time.Sleep(4 * time.Hour)
		began := time.Now()
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { wantAccepted(t, v, rsaToken(rsaKey())) })
		}
		wg.Wait()
		if took := time.Since(began); took != time.Second {
			t.Errorf("good tokens waited %v for the renewal of keys that are there, want 1s", took)
		}
		if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "no response within 1s") {
			t.Errorf("the log is %q, want one record", got)
		}
		time.Sleep(10 * time.Second) // it has failed by now, and is not tried again at once
		began = time.Now()
		wantAccepted(t, v, rsaToken(rsaKey()))
		if took := time.Since(began); took != 0 {
			t.Errorf("a good token waited %v after the renewal failed", took)
		}
		s.wantFetches(t, 2, "for the renewal")
	})
}

// TestNewKeyServesAllWhoCameForIt has tokens of a new key arrive while the fetch that the first of them caused is under
// way, and one whose caller does not wait that long.
func TestNewKeyServesAllWhoCameForIt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, v := newRemote()
		wantAccepted(t, v, rsaToken(rsaKey()))
		s.set(func(r *http.Request) (*http.Response, error) {
			time.Sleep(5 * time.Second)
			return publish(rsaKey(), otherRSA())(r)
		})
		token := rsaToken(otherRSA())
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Second)
				wantAccepted(t, v, token)
			})
		}
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			err := v.Verify(ctx, token, nil)
			if _, ok := errors.AsType[*verify.KeysError](err); !ok || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Verify = %v for a caller who left, want a *KeysError with the error of the context", err)
			}
		})
		wg.Wait()
		s.wantFetches(t, 2, "for the first key and the new one")
	})
}
