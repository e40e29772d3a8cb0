package jwtbearertest

import (
	"fmt"
	"strings"
)

// The assertions fail the test, which goes on, and show what the server saw.

// AssertRequests asserts that the API got n requests, refused and throttled ones included.
func (s *Server) AssertRequests(n int) {
	s.t.Helper()
	if seen := s.Requests(); len(seen) != n {
		s.t.Errorf("the API got %d requests, want %d:\n%s", len(seen), n, table(seen))
	}
}

// AssertThrottled asserts that the API throttled at least so many requests, and at most so many.
func (s *Server) AssertThrottled(least, most int) {
	s.t.Helper()
	throttled := 0
	seen := s.Requests()
	for _, r := range seen {
		if r.Throttled {
			throttled++
		}
	}
	if throttled < least || throttled > most {
		want := fmt.Sprint(least)
		if most != least {
			want = fmt.Sprintf("%d to %d", least, most)
		}
		s.t.Errorf("%d of %d requests were throttled, want %s:\n%s", throttled, len(seen), want, table(seen))
	}
}

// AssertFreshTokens asserts that every JWT came once: no jti twice, and where there is none no token. It looks at the token
// endpoint with Config.Exchange, and otherwise at the API.
func (s *Server) AssertFreshTokens() {
	s.t.Helper()
	seen := s.Requests()
	if s.config.Exchange != nil {
		seen = s.TokenRequests()
	}
	first := map[string]int{}
	for i, r := range seen {
		if r.Token == "" {
			continue
		}
		id, what := r.Claim("iss")+"\x00"+r.Claim("jti"), "the jti "+r.Claim("jti")
		if r.Claim("jti") == "" {
			id, what = string(r.Token), "the same token, which has no jti,"
		}
		if before, ok := first[id]; ok {
			s.t.Errorf("%s came in request %d and again in %d:\n%s", what, before, i+1, table(seen))
			return
		}
		first[id] = i + 1
	}
}

// AssertNoForeignTokens asserts that no token went to ForeignURL, in whatever part of a request.
func (s *Server) AssertNoForeignTokens() {
	s.t.Helper()
	seen := s.ForeignRequests()
	for i, r := range seen {
		if r.Token != "" {
			s.t.Errorf("request %d to the foreign origin has a token:\n%s", i+1, table(seen))
			return
		}
	}
}

// AssertAnswersUsed asserts that nothing is left of what Next was given.
func (s *Server) AssertAnswersUsed() {
	s.t.Helper()
	left := s.api.Pending()
	if len(left) == 0 {
		return
	}
	names := make([]string, len(left))
	for i, a := range left {
		names[i] = a.String()
	}
	s.t.Errorf("no request got: %s; the requests were:\n%s", strings.Join(names, "; "), table(s.all()))
}

// AssertAll asserts that check finds nothing wrong with any request to the API, and shows the first with which it does.
func (s *Server) AssertAll(check func(Request) error) {
	s.t.Helper()
	seen := s.Requests()
	for i, r := range seen {
		if err := check(r); err != nil {
			s.t.Errorf("request %d: %v:\n%s", i+1, err, table(seen))
			return
		}
	}
}
