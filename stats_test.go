package jwtbearer

import (
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestStatsCountWhatTheClientDid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := []*http.Response{
			{StatusCode: 429, Header: http.Header{"Retry-After": {"2"}}}, {StatusCode: 401}, {StatusCode: 200}, {StatusCode: 200},
		}
		var sent atomic.Int64
		c := clientOf(t, "https://h", func(c *Connection) {
			c.Transport = roundTrip(func(*http.Request) (*http.Response, error) {
				resp := answers[sent.Add(1)-1]
				resp.Body = io.NopCloser(http.NoBody)
				return resp, nil
			})
		})
		if got := c.Stats(); got != (Stats{}) {
			t.Errorf("a new client has %+v; want zeros", got)
		}
		for range 2 {
			if _, err := get(t, c, "/", nil); err != nil {
				t.Fatal(err)
			}
		}
		got := c.Stats()
		if got.Waited < 2*time.Second || got.Waited > 4*time.Second {
			t.Errorf("Waited is %s; want a little more than the 2s that were asked for", got.Waited)
		}
		got.Waited, got.Rate = 0, 0
		if want := (Stats{Calls: 2, Attempts: 4, Throttles: 1, Minted: 4, Refused: 1}); got != want {
			t.Errorf("Stats are %+v; want %+v", got, want)
		}
	})
}

func TestStatsCountReusedTokensAndWhatIsInFlight(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "body") },
		func(c *Connection) { c.TokenReuse = time.Hour })
	var bodies []io.Closer
	for range 3 {
		resp, err := c.HTTPClient().Do(must(c.NewRequest(t.Context(), "GET", "/", nil)))
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, resp.Body)
	}
	if got := c.Stats(); got.Minted != 1 || got.Reused != 2 || got.InFlight != 3 || got.Waiting != 0 {
		t.Errorf("Stats are %+v; want 1 token for 3 requests in flight", got)
	}
	for _, body := range bodies {
		body.Close()
	}
	if got := c.Stats().InFlight; got != 0 {
		t.Errorf("InFlight is %d after the bodies were closed; want 0", got)
	}
}
