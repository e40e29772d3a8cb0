package jwtbearertest_test

import (
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/jwtbearertest"
)

// dial makes a client of srv.Connection with a change.
func dial(t *testing.T, srv *jwtbearertest.Server, change func(*jwtbearer.Connection)) *jwtbearer.Client {
	t.Helper()
	conn := srv.Connection()
	if change != nil {
		change(conn)
	}
	client, err := jwtbearer.NewClient(conn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	return client
}

// call makes one request and reads its answer.
func call(t *testing.T, client *jwtbearer.Client, method, ref string) (*http.Response, error) {
	t.Helper()
	req, err := client.NewRequest(t.Context(), method, ref, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.HTTPClient().Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp, err
}

// gaps are the times between the requests.
func gaps(srv *jwtbearertest.Server) []time.Duration {
	var gaps []time.Duration
	seen := srv.Requests()
	for i := 1; i < len(seen); i++ {
		gaps = append(gaps, seen[i].Time.Sub(seen[i-1].Time))
	}
	return gaps
}

// later is the most that a client waits where it is told to wait for d: it adds up to a hundredth.
func later(d time.Duration) time.Duration { return d + d/100 }

func TestEveryProfileUnderstandsAScriptedThrottle(t *testing.T) {
	const told = 7300 * time.Millisecond
	const learnt = -1 // nothing is told: the client finds out
	for _, tt := range []struct {
		profile string
		want    time.Duration
		coarse  time.Duration // how much longer it may be, where a time is told: Date, which that counts from, is in whole seconds
	}{
		{"", 8 * time.Second, 0},
		{"github", 8 * time.Second, 0},
		{"app-store-server", told, time.Second},
		{"apns", learnt, 0},
		{"shopify-graphql", time.Second, 0}, // DefaultWait of the profile
		{"salesforce", learnt, 0},
		{"google-cloud", told, 0},
		{"discord", told, 0},
		{"ietf", 8 * time.Second, 0},
	} {
		t.Run("profile "+tt.profile, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := jwtbearertest.NewServer(t, jwtbearertest.Config{InMemory: true, Profile: tt.profile})
				srv.Next(jwtbearertest.Throttle(told).Times(3))
				client := dial(t, srv, nil)
				resp, err := call(t, client, "POST", "/things")
				if err != nil || resp.StatusCode != http.StatusOK {
					t.Fatalf("POST = %v, %v, want 200 in the end", resp, err)
				}
				least, most := tt.want, later(tt.want+tt.coarse)
				if tt.want == learnt {
					least, most = time.Millisecond, 2*time.Second
				}
				for i, got := range gaps(srv) {
					if got < least || got > most {
						t.Errorf("wait %d is %v, want %v to %v", i+1, got, least, most)
					}
				}
				srv.AssertRequests(4)
				srv.AssertThrottled(3, 3)
				srv.AssertFreshTokens()
				srv.AssertAnswersUsed()
				if got := client.Stats().Throttles; got != 3 {
					t.Errorf("the client saw %d throttles, want 3", got)
				}
			})
		})
	}
}

func TestEveryProfileKeepsToARealLimit(t *testing.T) {
	minute := jwtbearer.Limit{Requests: 3, Per: time.Minute}
	for _, tt := range []struct {
		profile         string
		limit           jwtbearer.Limit
		refused         int           // requests at most
		renewed, within time.Duration // when the first request beyond the limit is served, and how much later at most
	}{
		{"", minute, 1, time.Minute, time.Second},
		{"github", minute, 0, time.Minute, time.Second},
		{"app-store-server", minute, 1, time.Minute, time.Second},
		{"apns", minute, 20, time.Minute, 15 * time.Second},
		{"shopify-graphql", minute, 60, time.Minute, 10 * time.Second},
		{"salesforce", jwtbearer.Limit{Requests: 3, Per: 24 * time.Hour}, 23, 24 * time.Hour, time.Second}, // a probe an hour
		{"google-cloud", minute, 1, time.Minute, time.Second},
		{"discord", minute, 0, time.Minute, time.Second},
		{"ietf", minute, 0, time.Minute, time.Second},
	} {
		t.Run("profile "+tt.profile, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := jwtbearertest.NewServer(t, jwtbearertest.Config{InMemory: true, Profile: tt.profile, Limit: tt.limit})
				client := dial(t, srv, func(c *jwtbearer.Connection) { c.RateLimit.MaxWait = -1 })
				began := time.Now() // midnight, where windows of all these lengths begin
				for i := range tt.limit.Requests {
					if resp, err := call(t, client, "GET", "/things"); err != nil || resp.StatusCode != http.StatusOK {
						t.Fatalf("request %d within the limit: %v, %v", i+1, resp, err)
					}
				}
				resp, err := call(t, client, "GET", "/things")
				if err != nil || resp.StatusCode != http.StatusOK {
					t.Fatalf("the request beyond the limit: %v, %v, want 200 in the end", resp, err)
				}
				seen := srv.Requests()
				if got := seen[len(seen)-1].Time.Sub(began); got < tt.renewed || got > tt.renewed+tt.within {
					t.Errorf("the request beyond the limit is served after %v, want %v and at most %v more", got, tt.renewed, tt.within)
				}
				srv.AssertThrottled(0, tt.refused)
			})
		})
	}
}
