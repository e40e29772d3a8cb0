package template

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer/internal/key/keytest"
)

func fromBase64URL(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func renderFacts(t testing.TB, k *Key, text string) string {
	t.Helper()
	x, err := (&Set{Key: k}).Text(text, ScopeToken)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	got, fixed := x.Constant()
	if !fixed {
		t.Fatalf("%s is not constant", text)
	}
	return got
}

// The keys of RFC 7638, section 3.1, and RFC 8037, appendix A.
const (
	rfc7638N = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3okn" +
		"jhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5haj" +
		"rn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
	rfc8037X = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
)

func TestKeyFactsOfThePublishedKeys(t *testing.T) {
	rsaKey := &rsa.PublicKey{N: new(big.Int).SetBytes(fromBase64URL(t, rfc7638N)), E: 65537}
	edKey := ed25519.PublicKey(fromBase64URL(t, rfc8037X))
	tests := []struct {
		name            string
		pub             crypto.PublicKey
		thumbprint, jwk string
	}{
		{"RFC 7638, section 3.1", rsaKey, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", `{"kty":"RSA","n":"` + rfc7638N + `","e":"AQAB"}`},
		{"RFC 8037, A.3", edKey, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", `{"kty":"OKP","crv":"Ed25519","x":"` + rfc8037X + `"}`},
	}
	for _, tt := range tests {
		k, err := NewKey(tt.pub, nil)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if got, want := renderFacts(t, k, "{{keyThumbprint}} {{jwk}}"), tt.thumbprint+" "+tt.jwk; got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, want)
		}
		if got, want := renderFacts(t, k, "{{keyThumbprint | hex}}"), hex.EncodeToString(fromBase64URL(t, tt.thumbprint)); got != want {
			t.Errorf("%s: in hex %s, want %s", tt.name, got, want)
		}
	}
	// RFC 8410, section 4: the SPKI of an Ed25519 key is these bytes and the key.
	sum := sha256.Sum256(append([]byte("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"), edKey...))
	k, _ := NewKey(edKey, nil)
	if got, want := renderFacts(t, k, "{{keyFingerprint}}"), "SHA256:"+base64.StdEncoding.EncodeToString(sum[:]); got != want {
		t.Errorf("keyFingerprint = %s, want %s", got, want)
	}
}

func TestJWKOfECKeysPadsCoordinates(t *testing.T) {
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		k, err := NewKey(key.Public(), nil)
		if err != nil {
			t.Fatal(err)
		}
		var jwk struct{ Kty, Crv, X, Y, D string }
		text := renderFacts(t, k, "{{jwk}}")
		if err := json.Unmarshal([]byte(text), &jwk); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		size := (curve.Params().BitSize + 7) / 8 // RFC 7518, section 6.2.1.2: the full size, with leading zeros
		x, y := fromBase64URL(t, jwk.X), fromBase64URL(t, jwk.Y)
		point := append(append([]byte{4}, x...), y...)
		back, err := ecdsa.ParseUncompressedPublicKey(curve, point)
		if err != nil || !back.Equal(key.Public()) || len(x) != size || jwk.Crv != curve.Params().Name || jwk.Kty != "EC" || jwk.D != "" {
			t.Errorf("%s: the JWK is %s, %v", curve.Params().Name, text, err)
		}
	}
}

func TestCertificateFactsInAllForms(t *testing.T) {
	own, issuer := keytest.Certificate(t), keytest.Certificate(t)
	k, err := NewKey(own.PublicKey, []*x509.Certificate{own, issuer})
	if err != nil {
		t.Fatal(err)
	}
	old, sum := sha1.Sum(own.Raw), sha256.Sum256(own.Raw)
	chain := `["` + base64.StdEncoding.EncodeToString(own.Raw) + `","` + base64.StdEncoding.EncodeToString(issuer.Raw) + `"]`
	tests := []struct{ text, want string }{
		{"{{x5t}}", base64.RawURLEncoding.EncodeToString(old[:])},
		{"{{x5t | base64}}", base64.StdEncoding.EncodeToString(old[:])}, // MSAL for Go
		{"{{x5t | hex | upper}}", strings.ToUpper(hex.EncodeToString(old[:]))},
		{"{{x5tS256}}", base64.RawURLEncoding.EncodeToString(sum[:])},
		{"{{x5c}}", chain},
	}
	for _, tt := range tests {
		if got := renderFacts(t, k, tt.text); got != tt.want {
			t.Errorf("%s = %s, want %s", tt.text, got, tt.want)
		}
	}
	x := mustObject(t, &Set{Key: k}, `{"x5t#S256":"{{x5tS256}}","x5c":"{{x5c}}","jwk":"{{jwk}}"}`, ScopeToken)
	if got := renderObject(t, x, &Env{}); !strings.Contains(got, `,"x5c":`+chain+`,"jwk":{"kty":"EC",`) {
		t.Errorf("x5c is an array and jwk an object in JSON, but got %s", got)
	}
}

func TestKeyFactsThatAreMissingAreRefused(t *testing.T) {
	hmac, err := NewKey(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	bare, err := NewKey(ed25519.PublicKey(fromBase64URL(t, rfc8037X)), nil)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		text, want string
		key        *Key
	}{
		{"{{keyFingerprint}}", "no public key", nil},
		{"{{keyFingerprint}}", "no public key", hmac},
		{"{{keyThumbprint}}", "no public key", hmac},
		{"{{jwk}}", "no public key", hmac},
		{"{{x5t}}", "set Certificate", hmac},
		{"{{x5t}}", "set Certificate", nil},
		{"{{x5tS256}}", "set Certificate", bare},
		{"{{x5c}}", "set Certificate", bare},
	}
	for _, tt := range tests {
		_, err := (&Set{Key: tt.key}).Text(tt.text, ScopeToken)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s of %+v: %v, want %q", tt.text, tt.key, err, tt.want)
		}
	}
	if _, err := NewKey("no key", nil); err == nil {
		t.Error("NewKey of a string: no error")
	}
}
