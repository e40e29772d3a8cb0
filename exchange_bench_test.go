package jwtbearer

import (
	"net/http"
	"testing"
	"time"
)

// instant answers everything at once, so that what is measured is the client.
type instant struct{}

func (instant) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host == "login.example.com" {
		return issued("at", `,"expires_in":3600`), nil
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
}

// BenchmarkCachedAccessToken measures what an access token that serves adds to an attempt.
func BenchmarkCachedAccessToken(b *testing.B) {
	c, k := cachedCall(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := k.authorize(); err != nil || !k.isAuthorized() {
			b.Fatal(err)
		}
	}
	if got := c.Stats().Exchanges; got != 1 {
		b.Errorf("%d exchanges, want 1", got)
	}
}

// BenchmarkRoundTripWithAccessToken compares calls with a cached access token with those that have a ready-made one.
func BenchmarkRoundTripWithAccessToken(b *testing.B) {
	for _, variant := range []struct {
		name     string
		exchange *Exchange
		token    Secret
	}{{"exchanged", &Exchange{TokenURL: fakeTokenURL, Grant: "jwt-bearer"}, ""}, {"ready-made", nil, "at"}} {
		b.Run(variant.name, func(b *testing.B) {
			conn := &Connection{BaseURI: "https://api.example.com", Token: variant.token, Exchange: variant.exchange, Transport: instant{}}
			if variant.token == "" {
				conn.SignatureMethod, conn.Secret, conn.Lifetime = HS256, fakeSecret, time.Minute
			}
			c, err := NewClient(conn)
			if err != nil {
				b.Fatal(err)
			}
			req, err := http.NewRequestWithContext(b.Context(), "GET", "https://api.example.com/x", nil)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				resp, err := c.RoundTrip(req)
				if err != nil {
					b.Fatal(err)
				}
				resp.Body.Close()
			}
		})
	}
}

// cachedCall returns a call of a client whose access token serves.
func cachedCall(tb testing.TB) (*Client, *call) {
	tb.Helper()
	c := dialIssuer(tb, &fakeIssuer{endpoint: issue(0, `,"expires_in":3600`)}, nil)
	k := &call{c: c.core, ctx: tb.Context()}
	if err := k.authorize(); err != nil {
		tb.Fatal(err)
	}
	return c, k
}

func TestCachedAccessTokenAllocatesNothing(t *testing.T) {
	_, k := cachedCall(t)
	if got := testing.AllocsPerRun(100, func() { _ = k.authorize() }); got != 0 {
		t.Errorf("an access token that serves costs %v allocations, want none", got)
	}
}
