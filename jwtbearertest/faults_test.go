package jwtbearertest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/jwtbearertest"
)

// bothWays runs a test against a server with sockets and against one in memory, there in a bubble.
func bothWays(t *testing.T, config jwtbearertest.Config, test func(*testing.T, *jwtbearertest.Server)) {
	t.Run("sockets", func(t *testing.T) { test(t, jwtbearertest.NewServer(t, config)) })
	t.Run("memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			config.InMemory = true
			test(t, jwtbearertest.NewServer(t, config))
		})
	})
}

// quick shortens what a client waits for by itself.
func quick(c *jwtbearer.Connection) {
	c.Retry = jwtbearer.Retry{MinBackoff: time.Millisecond, MaxBackoff: 2 * time.Millisecond}
	c.RateLimit.Fixed = true
}

func TestResetIsRetriedWhereTheMethodAllowsIt(t *testing.T) {
	bothWays(t, jwtbearertest.Config{}, func(t *testing.T, srv *jwtbearertest.Server) {
		client := dial(t, srv, quick)
		call(t, client, "GET", "/first")
		srv.Next(jwtbearertest.Reset())
		if resp, err := call(t, client, "GET", "/things"); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("GET = %v, %v, want 200 at the second attempt", resp, err)
		}
		srv.AssertRequests(3)
		srv.Next(jwtbearertest.Reset())
		if resp, err := call(t, client, "POST", "/things"); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("POST = %v, %v, want a reset connection", resp, err)
		}
		srv.AssertRequests(4)
		srv.AssertFreshTokens()
		srv.AssertAnswersUsed()
		if got := srv.Requests()[3]; got.Status != 0 || !strings.Contains(got.String(), "no answer") {
			t.Errorf("the request that was reset is recorded as %v, want it without an answer", got)
		}
	})
}

func TestResetIsForTheRequestAfterIt(t *testing.T) {
	for range 20 { // what breaks is not a connection that somebody else used
		srv := jwtbearertest.NewServer(t, jwtbearertest.Config{})
		client := dial(t, srv, quick)
		call(t, client, "GET", "/first")
		srv.Next(jwtbearertest.Reset())
		if _, err := call(t, client, "POST", "/things"); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("POST: %v, want a reset connection", err)
		}
		srv.AssertRequests(2)
		srv.AssertAnswersUsed()
	}
}

func TestResetBodyIsAnErrorOfReading(t *testing.T) {
	bothWays(t, jwtbearertest.Config{}, func(t *testing.T, srv *jwtbearertest.Server) {
		srv.Next(jwtbearertest.ResetBody())
		resp, err := call(t, dial(t, srv, quick), "GET", "/things")
		if resp == nil || resp.StatusCode != http.StatusOK || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("GET = %v, %v, want 200 and an unexpected EOF", resp, err)
		}
		srv.AssertRequests(1)
	})
}

func TestStatusIsRetriedWhereTheMethodAllowsIt(t *testing.T) {
	bothWays(t, jwtbearertest.Config{}, func(t *testing.T, srv *jwtbearertest.Server) {
		client := dial(t, srv, quick)
		srv.Next(jwtbearertest.Status(503).Times(2), jwtbearertest.Status(404))
		for i, want := range []int{http.StatusNotFound, http.StatusOK} {
			if resp, err := call(t, client, "GET", "/things"); err != nil || resp.StatusCode != want {
				t.Errorf("GET %d = %v, %v, want %d", i+1, resp, err, want)
			}
		}
		srv.AssertRequests(4)
		srv.Next(jwtbearertest.Status(502))
		if resp, err := call(t, client, "POST", "/things"); err != nil || resp.StatusCode != 502 {
			t.Errorf("POST = %v, %v, want 502", resp, err)
		}
		srv.AssertRequests(5)
	})
}

func TestSlowRunsIntoTheTimeout(t *testing.T) {
	bothWays(t, jwtbearertest.Config{}, func(t *testing.T, srv *jwtbearertest.Server) {
		client := dial(t, srv, func(c *jwtbearer.Connection) {
			quick(c)
			c.Timeout = 500 * time.Millisecond
		})
		srv.Next(jwtbearertest.Slow(time.Hour), jwtbearertest.Slow(20*time.Millisecond))
		began := time.Now()
		if resp, err := call(t, client, "GET", "/things"); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("GET = %v, %v, want 200 at the second attempt", resp, err)
		}
		if took := time.Since(began); took < 520*time.Millisecond || took > 10*time.Second {
			t.Errorf("GET took %v, want the Timeout and the slow answer after it", took)
		}
		srv.AssertRequests(2)
	})
}

func TestSlowBodyRunsIntoTheTimeoutOnlyWhereItIsTooSlow(t *testing.T) {
	bothWays(t, jwtbearertest.Config{}, func(t *testing.T, srv *jwtbearertest.Server) {
		client := dial(t, srv, func(c *jwtbearer.Connection) {
			quick(c)
			c.Timeout = time.Second
		})
		srv.Next(jwtbearertest.SlowBody(60*time.Millisecond), jwtbearertest.SlowBody(time.Hour))
		began := time.Now()
		if resp, err := call(t, client, "GET", "/things"); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("GET with 60 ms before each piece = %v, %v, want 200", resp, err)
		}
		if took := time.Since(began); took < 240*time.Millisecond {
			t.Errorf("GET took %v, want four times 60 ms", took)
		}
		if _, err := call(t, client, "GET", "/things"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("GET with an hour before each piece: %v, want a timeout", err)
		}
	})
}

func TestClockSkewIsCorrected(t *testing.T) {
	for _, skew := range []time.Duration{-10 * time.Minute, 10 * time.Minute} {
		bothWays(t, jwtbearertest.Config{}, func(t *testing.T, srv *jwtbearertest.Server) {
			srv.SetClockSkew(skew)
			client := dial(t, srv, quick)
			for range 2 {
				if resp, err := call(t, client, "POST", "/things"); err != nil || resp.StatusCode != http.StatusOK {
					t.Errorf("POST by a clock off by %v = %v, %v, want 200", skew, resp, err)
				}
			}
			srv.AssertRequests(3)
			if got := srv.Requests()[0]; got.Refused == "" || got.Status != http.StatusUnauthorized {
				t.Errorf("the first token is %q with %d, want it refused", got.Refused, got.Status)
			}
			if got := client.Stats().Skew; (got - skew).Abs() > 3*time.Second {
				t.Errorf("the client's correction is %v, want %v", got, skew)
			}
		})
	}
}

func TestRefusedTokenIsMintedAnewOnce(t *testing.T) {
	bothWays(t, jwtbearertest.Config{}, func(t *testing.T, srv *jwtbearertest.Server) {
		client := dial(t, srv, quick)
		srv.Next(jwtbearertest.RefuseToken())
		if resp, err := call(t, client, "POST", "/things"); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("POST = %v, %v, want 200 with the second token", resp, err)
		}
		srv.AssertRequests(2)
		srv.Next(jwtbearertest.RefuseToken().Times(2))
		if resp, err := call(t, client, "POST", "/things"); err != nil || resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("POST = %v, %v, want 401 in the end", resp, err)
		}
		srv.AssertRequests(4)
		srv.AssertFreshTokens()
		srv.AssertAnswersUsed()
	})
}

func TestRedirectToAForeignOriginGoesBare(t *testing.T) {
	for _, placement := range []jwtbearer.Placement{
		{}, {In: "query", Name: "jwt"}, {In: "cookie", Name: "session"}, {In: "header", Name: "X-Token"},
	} {
		bothWays(t, jwtbearertest.Config{Placement: placement}, func(t *testing.T, srv *jwtbearertest.Server) {
			client := dial(t, srv, quick)
			srv.Next(jwtbearertest.Redirect(srv.ForeignURL + "/elsewhere"))
			if resp, err := call(t, client, "GET", "/things"); err != nil || resp.StatusCode != http.StatusOK {
				t.Errorf("GET = %v, %v, want 200 from the foreign origin", resp, err)
			}
			srv.AssertRequests(1)
			srv.AssertNoForeignTokens()
			if got := srv.ForeignRequests(); len(got) != 1 || got[0].URL.Path != "/elsewhere" || got[0].Token != "" {
				t.Errorf("the foreign origin got %v, want one GET /elsewhere without a token", got)
			}
		})
	}
}

func TestRedirectWithinTheAPIKeepsTheToken(t *testing.T) {
	bothWays(t, jwtbearertest.Config{}, func(t *testing.T, srv *jwtbearertest.Server) {
		srv.Next(jwtbearertest.Redirect("/new").On("/old"))
		if resp, err := call(t, dial(t, srv, quick), "GET", "/old"); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("GET = %v, %v, want 200 from /new", resp, err)
		}
		srv.AssertRequests(2)
		srv.AssertFreshTokens()
	})
}

func TestRespondServesAnythingElse(t *testing.T) {
	bothWays(t, jwtbearertest.Config{}, func(t *testing.T, srv *jwtbearertest.Server) {
		srv.Next(jwtbearertest.Respond(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Odd", r.Method)
			w.WriteHeader(http.StatusTeapot)
		})))
		resp, err := call(t, dial(t, srv, quick), "DELETE", "/things")
		if err != nil || resp.StatusCode != 418 || resp.Header.Get("X-Odd") != "DELETE" {
			t.Errorf("DELETE = %v, %v, want what the handler answers", resp, err)
		}
	})
}

func TestAnswersAreForTheRequestsThatTheyAreOn(t *testing.T) {
	bothWays(t, jwtbearertest.Config{}, func(t *testing.T, srv *jwtbearertest.Server) {
		client := dial(t, srv, quick)
		srv.Next(jwtbearertest.Status(404).On("GET /orders/{id}"), jwtbearertest.Status(409).On("POST /"), jwtbearertest.Status(410))
		for _, tt := range []struct {
			method, ref string
			want        int
		}{
			{"GET", "/things", 410}, {"GET", "/things", 200}, {"POST", "/things", 409}, {"GET", "/orders/7", 404},
			{"GET", "/orders/7", 200},
		} {
			if resp, err := call(t, client, tt.method, tt.ref); err != nil || resp.StatusCode != tt.want {
				t.Errorf("%s %s = %v, %v, want %d", tt.method, tt.ref, resp, err, tt.want)
			}
		}
		srv.AssertAnswersUsed()
	})
}

func TestABadTokenTakesNoAnswer(t *testing.T) {
	srv := jwtbearertest.NewServer(t, jwtbearertest.Config{})
	srv.Next(jwtbearertest.Status(404))
	resp, err := http.Get(srv.URL)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		t.Fatalf("GET without a token = %v, %v, want 401", resp, err)
	}
	resp.Body.Close()
	if resp, err := call(t, dial(t, srv, quick), "GET", "/"); err != nil || resp.StatusCode != http.StatusNotFound {
		t.Errorf("GET with a token = %v, %v, want the 404", resp, err)
	}
}
