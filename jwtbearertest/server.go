package jwtbearertest

import (
	"cmp"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/internal/demoapi"
)

// The hosts of a server in memory. The top-level domain is reserved for tests (RFC 6761, section 6.2).
const (
	memoryHost        = "api.test"
	memoryForeignHost = "foreign.test"
)

// A Server is an API that verifies the token of every request, and records it. It is safe for concurrent use, but for what
// asserts, which belongs to the goroutine of the test.
type Server struct {
	// URL is the address of the API: http and a loopback port, or https://api.test in memory.
	URL string

	// ForeignURL is another origin, which has no right to a token. It answers everything with 200.
	ForeignURL string

	t         testing.TB
	config    Config
	key       *key
	api       *demoapi.API
	transport http.RoundTripper
	close     func()

	mu      sync.Mutex
	foreign []Request
}

// NewServer starts a server that is closed when the test ends. If the test fails, it logs the requests. A Config that cannot be
// served ends the test. Every request has a connection of its own, so that a fault meets the request that it is for.
func NewServer(t testing.TB, config Config) *Server {
	t.Helper()
	if !config.InMemory && time.Now().Year() == 2000 {
		t.Fatalf("jwtbearertest: this is a bubble of testing/synctest, in which sockets stop the clock: set Config.InMemory")
	}
	s := &Server{t: t, config: config}
	if err := s.start(); err != nil {
		t.Fatalf("jwtbearertest: %s", plain(err))
	}
	t.Cleanup(s.end)
	return s
}

// start makes key, engine and what leads to them.
func (s *Server) start() (err error) {
	if s.config.Exchange != nil {
		s.config.Exchange = new(*s.config.Exchange)
	}
	if s.key, err = newKey(s.config.Method, s.config.Key); err != nil {
		return err
	}
	listen := s.listen
	if s.config.InMemory {
		listen = s.listenInMemory
	}
	serve := listen()
	if s.api, err = s.config.build(s.URL, s.key); err != nil {
		s.close()
		return err
	}
	serve(s.guard(s.api))
	return nil
}

// plain is an error without the name of the engine, which is not known outside.
func plain(err error) string { return strings.TrimPrefix(err.Error(), "demoapi: ") }

// end is the end of the test.
func (s *Server) end() {
	s.close()
	if s.t.Failed() {
		s.t.Logf("jwtbearertest: requests to %s:\n%s", s.URL, table(s.all()))
	}
}

// listen takes two loopback ports, and returns what begins to serve them.
func (s *Server) listen() (serve func(api http.Handler)) {
	own, foreign := httptest.NewUnstartedServer(nil), httptest.NewUnstartedServer(http.HandlerFunc(s.serveForeign))
	both := []*httptest.Server{own, foreign}
	s.URL, s.ForeignURL = "http://"+own.Listener.Addr().String(), "http://"+foreign.Listener.Addr().String()
	s.close = func() {
		for _, srv := range both {
			srv.CloseClientConnections() // which ends those who wait
			srv.Close()
		}
	}
	return func(api http.Handler) {
		own.Config.Handler = api
		for _, srv := range both {
			srv.Config.ErrorLog = log.New(io.Discard, "", 0) // what matters is told to the test
			// net/http would repeat by itself what breaks on a connection that was used before.
			srv.Config.SetKeepAlivesEnabled(false)
			srv.Start()
		}
		s.transport = own.Client().Transport
	}
}

func (s *Server) listenInMemory() (serve func(api http.Handler)) {
	s.URL, s.ForeignURL = "https://"+memoryHost, "https://"+memoryForeignHost
	m := newMemory()
	s.transport, s.close = m, m.close
	return func(api http.Handler) {
		m.hosts = map[string]http.Handler{memoryHost: api, memoryForeignHost: http.HandlerFunc(s.serveForeign)}
	}
}

// guard tells the test of a panic of a function that it gave, such as Config.Handler, which net/http would only log.
func (s *Server) guard(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v != http.ErrAbortHandler {
				s.t.Errorf("jwtbearertest: what answers %s %s panicked: %v\n%s", r.Method, r.URL.Path, v, debug.Stack())
			}
			panic(http.ErrAbortHandler)
		}()
		h.ServeHTTP(w, r)
	})
}

func (s *Server) serveForeign(w http.ResponseWriter, r *http.Request) {
	seen := foreignRequest(r)
	s.mu.Lock()
	s.foreign = append(s.foreign, seen)
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, "{\"foreign\":true}\n") // what fails here is the connection
}

// Connection returns a new connection to the server, key included, to be changed as the test needs it. The key is missing where
// Config.Key is a public one. Secret and PrivateKey hold a key that the server made as text, for code that reads it from the
// environment.
func (s *Server) Connection() *jwtbearer.Connection {
	c := &jwtbearer.Connection{
		Name: "jwtbearertest", BaseURI: s.URL,
		SignatureMethod: s.key.method, Secret: s.key.secret, PrivateKey: s.key.private, Key: s.key.signer,
		Payload: s.payload(), Lifetime: min(time.Minute, cmp.Or(s.config.MaxLifetime, time.Minute)),
		RateLimit: jwtbearer.RateLimit{Profile: s.config.Profile},
	}
	if s.config.Placement != (jwtbearer.Placement{}) {
		c.Placement = []jwtbearer.Placement{s.config.Placement}
	}
	if x := s.config.Exchange; x != nil {
		c.Exchange = localExchange(x, s.URL)
		c.Exchange.RateLimit.Profile = cmp.Or(x.RateLimit.Profile, s.config.Profile)
		if x.BaseURIPath != "" {
			c.BaseURI = ""
		}
	}
	if s.config.InMemory {
		c.Transport = s.transport
	}
	return c
}

// payload are claims that the server accepts.
func (s *Server) payload() jwtbearer.JSON {
	claims := `{"iss":` + jsonText(cmp.Or(s.config.Issuer, "jwtbearertest"))
	if s.config.Audience != "" {
		claims += `,"aud":` + jsonText(s.config.Audience)
	}
	return jwtbearer.JSON(claims + `,"jti":"{{uuid}}"}`)
}

func jsonText(s string) string {
	text, _ := json.Marshal(s) // which a string always can be
	return string(text)
}

// Transport carries requests to the server and the foreign origin: for Connection.Transport, or an http.Client of other code.
func (s *Server) Transport() http.RoundTripper { return s.transport }

// Next says what the next requests get. Answers are given in their order, each to the first request that it is for, after those
// of earlier calls of Next.
func (s *Server) Next(answers ...Answer) {
	s.t.Helper()
	for _, a := range answers {
		if a.problem != nil {
			s.t.Fatalf("jwtbearertest: Next: %s", plain(a.problem))
		}
		s.api.Next(a.engine)
	}
}

// SetClockSkew sets how far the clock of the server is ahead, negative: behind. It judges tokens, dates answers and tells times
// by that clock.
func (s *Server) SetClockSkew(ahead time.Duration) { s.api.SetSkew(ahead) }

// Requests returns the requests to the API, in the order in which they came.
func (s *Server) Requests() []Request {
	return slices.DeleteFunc(s.all(), func(r Request) bool { return r.granting })
}

// TokenRequests returns the requests to the token endpoint.
func (s *Server) TokenRequests() []Request {
	return slices.DeleteFunc(s.all(), func(r Request) bool { return !r.granting })
}

// ForeignRequests returns the requests to ForeignURL.
func (s *Server) ForeignRequests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.foreign)
}

// all returns the requests to the API and to the token endpoint.
func (s *Server) all() []Request {
	visits := s.api.Visits()
	requests := make([]Request, len(visits))
	for i, v := range visits {
		requests[i] = newRequest(v)
	}
	return requests
}
