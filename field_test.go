package jwtbearer

import (
	"bytes"
	"encoding/pem"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/problem"
)

// What a flood of fields costs is measured in bytes: that of the time would depend on the machine.
func TestAFloodOfHeaderFieldsCostsLittle(t *testing.T) {
	const size, most = 4 << 20, 2 << 20
	flood := func(piece string) []string { return []string{strings.Repeat(piece, size/len(piece))} }
	lines := func(piece string) []string { return slices.Repeat([]string{piece}, size/32) }
	for name, test := range map[string]struct {
		status int
		header http.Header
	}{
		"words of a challenge":    {401, http.Header{"Www-Authenticate": flood("a ")}},
		"parameters of one":       {401, http.Header{"Www-Authenticate": {"Bearer " + flood(`b="c", `)[0]}}},
		"challenges":              {401, http.Header{"Www-Authenticate": lines(`Bearer error="x"`)}},
		"quotas of a refusal":     {429, http.Header{"Ratelimit": flood(`"a";r=0;t=1,`)}},
		"quotas of a success":     {200, http.Header{"Ratelimit": flood(`"a";r=1;t=1,`)}},
		"lines of quotas":         {200, http.Header{"Ratelimit": lines(`"a";r=1;t=1`)}},
		"a dictionary":            {200, http.Header{"Ratelimit": flood("remaining=1,")}},
		"policies":                {200, http.Header{"Ratelimit": {`"a";r=1;t=1`}, "Ratelimit-Policy": flood(`"a";q=1;w=1,`)}},
		"windows":                 {200, http.Header{"Ratelimit-Remaining": {"1"}, "Ratelimit-Reset": {"1"}, "Ratelimit-Limit": flood("10;w=1,")}},
		"waits":                   {429, http.Header{"Retry-After": flood("x,")}},
		"lines of waits":          {429, http.Header{"Retry-After": lines("x")}},
		"a count":                 {200, http.Header{"X-Left": flood("1")}},
		"a value for a rule":      {200, http.Header{"X-Rule": flood("a")}},
		"values for a rule":       {200, http.Header{"X-Rule": lines("a")}},
		"a date":                  {429, http.Header{"Date": {"Thu, 01 Jan 2026 00:00:00 GMT" + flood(" ")[0]}, "Retry-After": {"1"}}},
		"an age":                  {429, http.Header{"Date": {"Thu, 01 Jan 2026 00:00:00 GMT"}, "Age": flood("1"), "Retry-After": {"1"}}},
		"a type":                  {400, http.Header{"Content-Type": flood("a/b;c=d;")}},
		"a type of a success":     {200, http.Header{"Content-Type": flood("a")}},
		"encodings":               {400, http.Header{"Content-Encoding": flood("gzip,")}},
		"lines of encodings":      {400, http.Header{"Content-Encoding": lines("gzip")}},
		"the first of two floods": {401, http.Header{"Www-Authenticate": flood("a"), "X-Rule": flood(" ")}},
	} {
		c := dialFake(t, always(func() *http.Response {
			resp := fakeReply(test.status, "{}")
			maps.Copy(resp.Header, test.header)
			return resp
		}), func(conn *Connection) {
			conn.RateLimit.Rules = []Rule{{Header: "X-Rule", Match: "(a*)b"}, {Status: []int{429}}, {Status: []int{400}, Path: "code"}}
			conn.RateLimit.Quota = []Quota{{Remaining: Extract{Header: "RateLimit"}}, {Remaining: Extract{Header: "X-Left"}}}
			conn.Retry = Retry{MaxAttempts: 1, MaxElapsed: time.Millisecond}
		})
		req := fakeRequest(t, "GET", nil)
		before := allocated()
		c.Do(req, new(any))
		if took := allocated() - before; took > most {
			t.Errorf("%s: a call took %d KiB of memory; want less than %d, whatever the header holds", name, took>>10, most>>10)
		}
		before = allocated()
		c.Test(t.Context())
		if took := allocated() - before; took > most {
			t.Errorf("%s: a Test took %d KiB of memory; want less than %d, whatever the header holds", name, took>>10, most>>10)
		}
	}
}

func TestOurTransportRefusesEndlessHeaders(t *testing.T) {
	for size, fits := range map[int]bool{200 << 10: true, 300 << 10: false} {
		head := []byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Field: " + strings.Repeat("x", size) + "\r\n\r\n")
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				defer conn.Close()
				io.Copy(conn, bytes.NewReader(head))
				conn.(*net.TCPConn).CloseWrite()
				io.Copy(io.Discard, conn)
			}
		}))
		c := dialServer(t, srv, func(conn *Connection) { conn.Transport, conn.Retry.MaxAttempts = nil, 1 })
		req, _ := http.NewRequestWithContext(t.Context(), "GET", srv.URL, nil)
		if _, err := c.Do(req, nil); (err == nil) != fits {
			t.Errorf("a header of %d KiB: %v; want it taken: %v", size>>10, err, fits)
		}
		c.CloseIdleConnections()
		srv.Close()
	}
}

func TestOurTransportRefusesEndlessHeadersOfHTTP2(t *testing.T) {
	for size, fits := range map[int]bool{200 << 10: true, 300 << 10: false} {
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ProtoMajor != 2 {
				t.Errorf("the request came by %s; want HTTP/2", r.Proto)
			}
			w.Header().Set("X-Field", strings.Repeat("x", size))
		}))
		srv.EnableHTTP2 = true
		srv.StartTLS()
		authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
		c := dialServer(t, srv, func(conn *Connection) {
			conn.Transport, conn.TLS.CA, conn.Retry.MaxAttempts = nil, string(authority), 1
		})
		req, _ := http.NewRequestWithContext(t.Context(), "GET", srv.URL, nil)
		if _, err := c.Do(req, nil); (err == nil) != fits {
			t.Errorf("a header of %d KiB by HTTP/2: %v; want it taken: %v", size>>10, err, fits)
		}
		c.CloseIdleConnections()
		srv.Close()
	}
}

func TestTheSchemeOfAChallengeIsShortAndNoToken(t *testing.T) {
	var token string
	c := dialFake(t, &fakeAPI{handle: func(_ int, r *http.Request) (*http.Response, error) {
		token = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		return fakeReply(401, "", "WWW-Authenticate", token+strings.Repeat("x", 5000)), nil
	}}, nil)
	_, err := c.Do(fakeRequest(t, "GET", nil), nil)
	e, ok := errors.AsType[*AuthError](err)
	if !ok || len(e.Scheme) > problem.MostLine+len("…") || strings.Contains(e.Scheme+err.Error(), token[:20]) {
		t.Errorf("a challenge that is the token and much more: %v, scheme %.400q; want neither", err, e.Scheme)
	}
}
