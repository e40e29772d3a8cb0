// Package bench measures jwtbearer beside its peers and beside the bare work that nobody can save. README.md has the figures.
package bench

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/seed-363d07a3/jwtbearer"
)

const (
	secret = "0123456789abcdef0123456789abcdef"

	// sixClaims are what the peers compute in claimsOf.
	sixClaims = `{"iss":"issuer-0001","sub":"subject-0001","aud":"https://api.example.com/","iat":"{{now}}","exp":"{{now 300}}",` +
		`"jti":"{{uuid}}"}`
)

func claims() jwt.MapClaims {
	now := time.Now()
	return jwt.MapClaims{"iss": "issuer-0001", "sub": "subject-0001", "aud": "https://api.example.com/",
		"iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "jti": uuid.NewString()}
}

var keys = sync.OnceValue(func() (k struct {
	rsa *rsa.PrivateKey
	ec  *ecdsa.PrivateKey
	ed  ed25519.PrivateKey
}) {
	var err error
	if k.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		panic(err)
	}
	if k.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		panic(err)
	}
	if _, k.ed, err = ed25519.GenerateKey(rand.Reader); err != nil {
		panic(err)
	}
	return k
})

// key returns the key of a method as golang-jwt wants it.
func key(method jwtbearer.SignatureMethod) any {
	switch method {
	case jwtbearer.HS256:
		return []byte(secret)
	case jwtbearer.ES256:
		return keys().ec
	case jwtbearer.EdDSA:
		return keys().ed
	}
	return keys().rsa
}

func rsaPEM(b *testing.B) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(keys().rsa)})
}

// newClient fills in what a Connection needs besides.
func newClient(b *testing.B, method jwtbearer.SignatureMethod, conn jwtbearer.Connection) *jwtbearer.Client {
	b.Helper()
	if conn.BaseURI == "" {
		conn.BaseURI = "https://api.example.com/v1"
	}
	switch k := key(method).(type) {
	case nil:
	case []byte:
		conn.SignatureMethod, conn.Secret = method, secret
	case crypto.Signer:
		der, err := x509.MarshalPKCS8PrivateKey(k)
		if err != nil {
			b.Fatal(err)
		}
		conn.SignatureMethod = method
		conn.PrivateKey = jwtbearer.Secret(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	}
	return client(b, conn)
}

func client(b *testing.B, conn jwtbearer.Connection) *jwtbearer.Client {
	b.Helper()
	c, err := jwtbearer.NewClient(&conn)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// fake is a transport that answers at once.
type fake struct{}

func (fake) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{Status: "200 OK", StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:  http.Header{"Content-Type": {"application/json"}, "Date": {"Sun, 22 Nov 2026 05:00:00 GMT"}},
		Body:    io.NopCloser(strings.NewReader("{}")),
		Request: req, ContentLength: 2}, nil
}

// each makes one request after the other through rt and reads the answers.
func each(b *testing.B, rt http.RoundTripper, url string) {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), "GET", url, nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	b.ReportAllocs()
	for b.Loop() {
		resp, err := rt.RoundTrip(req)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != 200 {
			b.Fatal(resp.Status, err)
		}
		resp.Body.Close()
	}
}
