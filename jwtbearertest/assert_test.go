package jwtbearertest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
)

// A witness is a testing.TB that keeps what it is told.
type witness struct {
	testing.TB
	errors, logs []string
	cleanups     []func()
}

func (w *witness) Helper()          {}
func (w *witness) Failed() bool     { return len(w.errors) > 0 }
func (w *witness) Cleanup(f func()) { w.cleanups = append(w.cleanups, f) }

func (w *witness) Errorf(format string, args ...any) {
	w.errors = append(w.errors, fmt.Sprintf(format, args...))
}
func (w *witness) Logf(format string, args ...any) {
	w.logs = append(w.logs, fmt.Sprintf(format, args...))
}

// Fatalf panics, which ends what it is called by as runtime.Goexit would.
func (w *witness) Fatalf(format string, args ...any) {
	w.Errorf(format, args...)
	panic(w)
}

// end is the end of the witness's test.
func (w *witness) end() {
	for _, f := range slices.Backward(w.cleanups) {
		f()
	}
}

// fatal returns what f says when it ends a test.
func fatal(f func(testing.TB)) (message string) {
	w := new(witness)
	defer w.end()
	defer func() {
		if v := recover(); v == any(w) {
			message = w.errors[0]
		} else if v != nil {
			panic(v)
		}
	}()
	f(w)
	return ""
}

func TestAssertionsSayWhatWasSeen(t *testing.T) {
	get := func(t *testing.T, srv *Server, change func(*jwtbearer.Connection)) {
		conn := srv.Connection()
		conn.RateLimit.Fixed = true
		if change != nil {
			change(conn)
		}
		client, err := jwtbearer.NewClient(conn)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			resp, err := client.HTTPClient().Get(srv.URL + "/things")
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
	}
	reuse := func(payload jwtbearer.JSON) func(*jwtbearer.Connection) {
		return func(c *jwtbearer.Connection) { c.Payload = payload }
	}
	for _, tt := range []struct {
		name   string
		change func(*jwtbearer.Connection)
		holds  func(*Server)
		fails  func(*Server)
		want   []string // in the message
	}{
		{"AssertRequests", nil, func(s *Server) { s.AssertRequests(2) }, func(s *Server) { s.AssertRequests(3) },
			[]string{"got 2 requests, want 3", "GET /things", "200 OK", "jti "}},
		{"AssertThrottled", nil, func(s *Server) { s.AssertThrottled(0, 1) }, func(s *Server) { s.AssertThrottled(1, 2) },
			[]string{"0 of 2 requests were throttled, want 1 to 2"}},
		{"AssertThrottled exactly", nil, func(s *Server) { s.AssertThrottled(0, 0) }, func(s *Server) { s.AssertThrottled(1, 1) },
			[]string{"want 1:"}},
		{"AssertFreshTokens by jti", reuse(`{"jti":"fixed"}`), nil, (*Server).AssertFreshTokens,
			[]string{"the jti fixed came in request 1 and again in 2"}},
		{"AssertFreshTokens by token", reuse(`{"exp":4102444800}`), nil, (*Server).AssertFreshTokens,
			[]string{"the same token, which has no jti, came in request 1 and again in 2"}},
		{"AssertFreshTokens", nil, (*Server).AssertFreshTokens, nil, nil},
		{"AssertAll", nil, func(s *Server) { s.AssertAll(func(Request) error { return nil }) },
			func(s *Server) { s.AssertAll(func(Request) error { return errors.New("no sub") }) },
			[]string{"request 1: no sub", "GET /things"}},
		{"AssertAnswersUsed", nil, (*Server).AssertAnswersUsed, func(s *Server) {
			s.Next(Throttle(0).Times(3), Status(500).On("GET /other"))
			s.AssertAnswersUsed()
		}, []string{"no request got: throttled for 0s, 3 times; status 500 on GET /other"}},
		{"AssertNoForeignTokens", nil, (*Server).AssertNoForeignTokens, func(s *Server) {
			req, _ := http.NewRequest("POST", s.ForeignURL+"/leak", strings.NewReader("token=eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJhIn0.c2ln"))
			resp, err := s.Transport().RoundTrip(req)
			if err == nil {
				resp.Body.Close()
			}
			s.AssertNoForeignTokens()
		}, []string{"request 1 to the foreign origin has a token", "POST /leak", "iss a"}},
	} {
		w := new(witness)
		srv := NewServer(w, Config{InMemory: true, AllowReplay: true, MaxLifetime: 1 << 62})
		get(t, srv, tt.change)
		if tt.holds != nil {
			if tt.holds(srv); len(w.errors) > 0 {
				t.Errorf("%s fails where it holds: %s", tt.name, w.errors)
			}
		}
		if tt.fails != nil {
			tt.fails(srv)
		}
		w.end()
		if tt.fails == nil {
			continue
		}
		if len(w.errors) != 1 || len(w.logs) != 1 || !strings.Contains(w.logs[0], "GET /things") {
			t.Errorf("%s: errors %q and logs %q, want one each", tt.name, w.errors, w.logs)
		}
		for _, want := range tt.want {
			if text := strings.Join(w.errors, "\n"); !strings.Contains(text, want) || strings.Contains(text, "eyJ") {
				t.Errorf("%s says\n%s\nwant %q in it, and no token", tt.name, text, want)
			}
		}
	}
}

func TestTableOfManyRequestsIsCut(t *testing.T) {
	requests := make([]Request, tableRows+2)
	for i := range requests {
		requests[i] = Request{Method: "GET", URL: new(url.URL), Status: 200}
	}
	lines := strings.Split(table(requests), "\n")
	if got := lines[len(lines)-1]; len(lines) != tableRows+2 || got != "and 2 more" {
		t.Errorf("the table of %d requests has %d lines and ends %q, want %d and that there are 2 more", len(requests), len(lines), got,
			tableRows+2)
	}
	if got := table(nil); got != "no requests" {
		t.Errorf("the table of nothing is %q", got)
	}
}

func TestTokensAreFoundHoweverTheirHeaderIsWritten(t *testing.T) {
	for _, header := range []string{`{"alg":"HS256"}`, `{ "alg": "HS256" }`, "{\n  \"alg\": \"HS256\"\n}", "{\r\n\"alg\":\"HS256\"}", "{\t\"alg\":\"HS256\"}"} {
		jwt := base64.RawURLEncoding.EncodeToString([]byte(header)) + ".e30.c2ln"
		if got := token.FindString("?jwt=" + jwt + "&a=b"); got != jwt {
			t.Errorf("of a token with the header %q, %q is found, want the token %s", header, got, jwt)
		}
	}
}

func TestServerLogsNothingUnlessTheTestFails(t *testing.T) {
	w := new(witness)
	srv := NewServer(w, Config{})
	if _, err := srv.Connection().Test(t.Context()); err != nil {
		t.Error(err)
	}
	w.end()
	if len(w.logs)+len(w.errors) > 0 {
		t.Errorf("the test is told %q and %q, want nothing", w.logs, w.errors)
	}
}

func TestAPanicOfTheTestsFunctionsFailsTheTest(t *testing.T) {
	broken := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("oh") })
	for name, tt := range map[string]struct {
		config Config
		next   []Answer
	}{
		"Handler":   {Config{Handler: broken}, nil},
		"Check":     {Config{Check: func(Request) error { panic("oh") }}, nil},
		"Throttled": {Config{Throttled: func(http.ResponseWriter, time.Duration) { panic("oh") }}, []Answer{Throttle(time.Second)}},
		"Respond":   {Config{}, []Answer{Respond(broken)}},
	} {
		for _, memory := range []bool{false, true} {
			w := new(witness)
			tt.config.InMemory = memory
			srv := NewServer(w, tt.config)
			srv.Next(tt.next...)
			conn := srv.Connection()
			conn.Retry.MaxAttempts = 1
			if report, err := conn.Test(t.Context()); err == nil {
				t.Errorf("Test succeeds against a %s that panics: %v", name, report)
			}
			w.end()
			if len(w.errors) != 1 || !strings.Contains(w.errors[0], "GET / panicked: oh") {
				t.Errorf("of a %s that panics the test is told %q, want the panic", name, w.errors)
			}
		}
	}
}

func TestMistakesEndTheTestAndSayWhatToDo(t *testing.T) {
	serve := func(c Config) func(testing.TB) { return func(t testing.TB) { NewServer(t, c) } }
	next := func(a Answer) func(testing.TB) {
		return func(t testing.TB) { NewServer(t, Config{InMemory: true}).Next(a) }
	}
	for want, f := range map[string]func(testing.TB){
		`there is no profile "githab"`:                           serve(Config{Profile: "githab"}),
		`Config.Method "none" is unknown`:                        serve(Config{Method: "none"}),
		`Config.Method "ES999" is unknown`:                       serve(Config{Method: "ES999"}),
		"type string, which does not fit the method RS256":       serve(Config{Method: "RS256", Key: "secret"}),
		"Config.Key is empty":                                    serve(Config{Key: []byte(nil)}),
		"type int, which does not fit the method HS256":          serve(Config{Key: 1}),
		"Config.Limit is {Requests:1 Per:0s Burst:0}, but wants": serve(Config{Limit: jwtbearer.Limit{Requests: 1}}),
		"Config.Exchange.Next cannot be served":                  serve(Config{Exchange: &jwtbearer.Exchange{Next: new(jwtbearer.Exchange)}}),
		`Config.Exchange.TokenPath is "a[0]"`:                    serve(Config{Exchange: &jwtbearer.Exchange{TokenPath: "a[0]"}}),
		`the pattern "POST /{" cannot be read`:                   serve(Config{Exchange: &jwtbearer.Exchange{TokenURL: "/{"}}),
		`the pattern "GET things" cannot be read`:                next(Status(500).On("GET things")),
		"Status(99)":    next(Status(99)),
		"Throttle(-1s)": next(Throttle(-1e9)),
		"Times(0)":      next(Status(500).Times(0)),
	} {
		got := fatal(f)
		if !strings.HasPrefix(got, "jwtbearertest: ") || !strings.Contains(got, want) || strings.Contains(got, "demoapi") {
			t.Errorf("the test is ended by %q, want %q", got, want)
		}
	}
}

func TestSocketsInABubbleAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if got := fatal(func(t testing.TB) { NewServer(t, Config{}) }); !strings.Contains(got, "set Config.InMemory") {
			t.Errorf("the test is ended by %q, want a hint at InMemory", got)
		}
	})
}
