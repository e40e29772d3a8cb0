package bench

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/golang-jwt/jwt/v5"
	"github.com/hashicorp/go-retryablehttp"
	"golang.org/x/oauth2"

	"github.com/seed-363d07a3/jwtbearer"
)

func parallelism() int { return runtime.GOMAXPROCS(0) }

// BenchmarkRoundTrip sends over a transport that answers at once, so that what is above "bare" is the cost of each library.
func BenchmarkRoundTrip(b *testing.B) {
	const url = "https://api.example.com/v1/me"
	b.Run("bare", func(b *testing.B) { each(b, fake{}, url) })
	b.Run("HS256/jwtbearer", func(b *testing.B) {
		each(b, newClient(b, jwtbearer.HS256, jwtbearer.Connection{Payload: sixClaims, Transport: fake{}}), url)
	})
	b.Run("HS256/retryablehttp", func(b *testing.B) { each(b, retrying(fake{}), url) })
	b.Run("RS256/jwtbearer", func(b *testing.B) {
		conn := jwtbearer.Connection{Payload: `{"iss":"1","iat":"{{now -30}}","exp":"{{now 90}}"}`, Transport: fake{},
			HTTPHeaders: map[string]string{"Accept": "application/vnd.github.v3+json"}}
		each(b, newClient(b, jwtbearer.RS256, conn), url)
	})
	b.Run("RS256/ghinstallation", func(b *testing.B) {
		t, err := ghinstallation.NewAppsTransport(fake{}, 1, rsaPEM(b))
		if err != nil {
			b.Fatal(err)
		}
		each(b, t, url)
	})
	b.Run("static/jwtbearer", func(b *testing.B) {
		each(b, client(b, jwtbearer.Connection{BaseURI: "https://api.example.com/v1", Token: "static", Transport: fake{}}), url)
	})
	b.Run("static/oauth2", func(b *testing.B) {
		each(b, &oauth2.Transport{Source: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "static"}), Base: fake{}}, url)
	})
	b.Run("reused/jwtbearer", func(b *testing.B) {
		each(b, newClient(b, jwtbearer.HS256, jwtbearer.Connection{Payload: sixClaims, TokenReuse: time.Hour, Transport: fake{}}), url)
	})
}

// retrying is what people build: go-retryablehttp that signs before every attempt.
func retrying(base http.RoundTripper) http.RoundTripper {
	c := retryablehttp.NewClient()
	c.HTTPClient = &http.Client{Transport: base}
	c.Logger = nil
	c.PrepareRetry = authorize
	return &retryTransport{c}
}

// retryTransport is retryablehttp.RoundTripper with a token for the first attempt, too, which PrepareRetry leaves out.
type retryTransport struct{ client *retryablehttp.Client }

func (t *retryTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	if err := authorize(req); err != nil {
		return nil, err
	}
	r, err := retryablehttp.FromRequest(req)
	if err != nil {
		return nil, err
	}
	return t.client.Do(r)
}

func authorize(req *http.Request) error {
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims()).SignedString([]byte(secret))
	req.Header.Set("Authorization", "Bearer "+token)
	return err
}

// BenchmarkLoopback sends over a socket: the bare request, the bare request and a signature beside it, and ours with a fresh
// token.
func BenchmarkLoopback(b *testing.B) {
	keys() // now, not in the first request
	fillers()
	for _, proto := range []string{"HTTP1", "HTTP2"} {
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if proto == "HTTP2" && r.ProtoMajor != 2 {
				w.WriteHeader(http.StatusHTTPVersionNotSupported)
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{}`))
		}))
		if proto == "HTTP2" {
			srv.EnableHTTP2 = true
			srv.StartTLS()
		} else {
			srv.Start()
		}
		b.Cleanup(srv.Close)
		transport := srv.Client().Transport
		b.Run(proto+"/bare", func(b *testing.B) { each(b, transport, srv.URL+"/v1/me") })
		b.Run(proto+"/bare+signature", func(b *testing.B) { each(b, signing{transport}, srv.URL+"/v1/me") })
		b.Run(proto+"/jwtbearer", func(b *testing.B) {
			c := newClient(b, jwtbearer.ES256, jwtbearer.Connection{BaseURI: srv.URL + "/v1", Payload: sixClaims, Transport: transport})
			each(b, c, srv.URL+"/v1/me")
		})
	}
}

// signing makes an ES256 signature before each request, and does nothing with it but send as much as a token is long. What is
// sent is not the same every time, or HTTP/2 would replace it by the number of a table entry.
type signing struct{ base http.RoundTripper }

var (
	input   = []byte(strings.Repeat("x", 300))
	sent    atomic.Uint32
	fillers = sync.OnceValue(func() (all [64][]string) {
		for i := range all {
			noise := make([]byte, 292)
			rand.Read(noise)
			all[i] = []string{"Bearer " + base64.RawURLEncoding.EncodeToString(noise)}
		}
		return all
	})
)

func (s signing) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := sign(jwtbearer.ES256, input); err != nil {
		return nil, err
	}
	req.Header["Authorization"] = fillers()[sent.Add(1)%64]
	return s.base.RoundTrip(req)
}
