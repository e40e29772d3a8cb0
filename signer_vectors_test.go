package jwtbearer

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// jwsVector is a case of testdata/vectors/jws.json.
type jwsVector struct {
	Name, Alg, Token, SecretHex, HeaderText, PayloadText, Signature string
	VerifyOnly                                                      bool
	Key                                                             struct{ Kty, Crv, K, X, Y, D string }
}

func jwsVectors(t *testing.T) []jwsVector {
	t.Helper()
	var file struct{ Cases []jwsVector }
	if err := json.Unmarshal(must(os.ReadFile("testdata/vectors/jws.json")), &file); err != nil {
		t.Fatal(err)
	}
	return file.Cases
}

// key reads the JWK, or the secret in hex.
func (v jwsVector) key(t *testing.T) any {
	t.Helper()
	if v.SecretHex != "" {
		return must(hex.DecodeString(v.SecretHex))
	}
	decode := func(s string) []byte { return must(base64.RawURLEncoding.DecodeString(s)) }
	switch v.Key.Kty + v.Key.Crv {
	case "oct":
		return decode(v.Key.K)
	case "OKPEd25519":
		return ed25519.NewKeyFromSeed(decode(v.Key.D))
	case "ECP-256":
		return must(ecdsa.ParseRawPrivateKey(elliptic.P256(), decode(v.Key.D)))
	case "ECP-521":
		return must(ecdsa.ParseRawPrivateKey(elliptic.P521(), decode(v.Key.D)))
	}
	t.Fatalf("%s: unknown key %s %s", v.Name, v.Key.Kty, v.Key.Crv)
	return nil
}

func TestSignReproducesPublishedTokens(t *testing.T) {
	compared := 0
	for _, v := range jwsVectors(t) {
		if v.VerifyOnly {
			continue
		}
		header, payload := []byte(v.HeaderText), []byte(v.PayloadText)
		if v.Token != "" {
			parts := strings.Split(v.Token, ".")
			header = must(base64.RawURLEncoding.DecodeString(parts[0]))
			payload = must(base64.RawURLEncoding.DecodeString(parts[1]))
		}
		got, err := must(NewSigner(SignatureMethod(v.Alg), v.key(t))).Sign(header, payload)
		if err != nil {
			t.Errorf("%s: Sign(%q, %q): %v", v.Name, header, payload, err)
		}
		if v.Token != "" && got != v.Token {
			t.Errorf("%s: Sign(%q, %q) =\n%s, want\n%s", v.Name, header, payload, got, v.Token)
		}
		if _, sig, _ := cutLast(got); v.Signature != "" && sig != v.Signature {
			t.Errorf("%s: Sign(%q, %q) is signed %s, want %s", v.Name, header, payload, sig, v.Signature)
		}
		compared++
	}
	if compared != 3 {
		t.Errorf("compared %d tokens, want 3: RFC 7515 A.1, RFC 8037 A.4 and the hex secret", compared)
	}
}

// The signatures of RFC 7515, A.3 and A.4 are randomised: what can be held against them is that the published token verifies
// with the published key, and ours too.
func TestSignWithThePublishedECKeysVerifies(t *testing.T) {
	for _, v := range jwsVectors(t) {
		if !v.VerifyOnly {
			continue
		}
		method, key := SignatureMethod(v.Alg), v.key(t)
		if v.Token != "" {
			if err := verifyToken(method, v.Token, key); err != nil {
				t.Errorf("%s: the published token does not verify: %v", v.Name, err)
			}
		}
		token, err := must(NewSigner(method, key)).Sign(fmt.Appendf(nil, `{"alg":%q}`, method), []byte(`{"iss":"joe"}`))
		if err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		if err := verifyToken(method, token, key); err != nil {
			t.Errorf("%s: our token does not verify with the published key: %v", v.Name, err)
		}
	}
}
