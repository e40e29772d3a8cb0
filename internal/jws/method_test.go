package jws

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer/internal/key/keytest"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
)

func TestParseReadsTheNamesOfPlatforms(t *testing.T) {
	for _, tt := range []struct {
		name string
		want string
	}{
		{"HS256", "HS256"}, {"hs384", "HS384"}, {"hmac-sha256", "HS256"}, {"HMAC-SHA512", "HS512"},
		{"rs256", "RS256"}, {"rsa-sha256", "RS256"}, {"rsa-sha384", "RS384"}, {"RSA-SHA512", "RS512"},
		{"ps256", "PS256"}, {"rsa-pss-sha256", "PS256"}, {"RSASSA-PSS-SHA384", "PS384"}, {"rsapss-sha512", "PS512"},
		{"es512", "ES512"}, {"ecdsa-sha256", "ES256"}, {"Ecdsa-Sha384", "ES384"}, {"ecdsa-sha512", "ES512"},
		{"eddsa", "EdDSA"}, {"EDDSA", "EdDSA"}, {"ed25519", "Ed25519"}, {" ES256 ", "ES256"},
	} {
		if got, err := Parse(tt.name); got.Name != tt.want || err != nil {
			t.Errorf("Parse(%q) = %q, %v; want %q", tt.name, got.Name, err, tt.want)
		}
	}
}

func TestParseKnowsNoOthers(t *testing.T) {
	for _, name := range []string{"", "none", "NONE", "HS", "HS1", "ES256K", "Ed448", "hmac", "hmac-sha1", "ecdsa", "-sha256"} {
		if got, err := Parse(name); got.Name != "" || err == nil {
			t.Errorf("Parse(%q) = %q, %v; want an error", name, got.Name, err)
		}
	}
}

func TestAnUnknownMethodIsToldAllThatThereAre(t *testing.T) {
	list := unknownMethod("x").Hint
	for _, a := range methods {
		if !strings.Contains(list, a.Name) {
			t.Errorf("the hint is %q, without %s", list, a.Name)
		}
	}
	if !strings.HasSuffix(list, "EdDSA or Ed25519") {
		t.Errorf("the hint is %q; want it to end as a sentence does", list)
	}
}

func TestNewRefuses(t *testing.T) {
	k := keytest.Made()
	foreignEC := *k.P256
	foreignEC.PublicKey = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)).PublicKey
	foreignRSA := &rsa.PrivateKey{PublicKey: k.RSA.PublicKey, D: big.NewInt(65537)}
	foreignEd := append(bytes.Clone(k.Ed[:32]), make([]byte, 32)...)
	long := make([]byte, 64)
	for _, tt := range []struct {
		name   string
		method string
		key    any
		want   string
	}{
		{"another family", "RS256", k.P256, "RS256 with an EC P-256 key; use ES256"},
		{"another curve", "ES256", k.P384, "ES256 with an EC P-384 key; use ES384"},
		{"P-521 for ES256", "ES256", keytest.Opaque{Signer: k.P521}, "ES256 with an EC P-521 key; use ES512"},
		{"a curve of no method", "ES256", k.P224, "ES256 with an EC P-224 key; use an RSA key of at least 2048 bits"},
		{"RSA for ES384", "ES384", k.RSA, "ES384 with an RSA key of 2048 bits; use RS384 or PS384"},
		{"RSA for EdDSA", "EdDSA", k.RSA, "EdDSA with an RSA key of 2048 bits; use RS256 or PS256"},
		{"Ed25519 for PS256", "PS256", k.Ed, "PS256 with an Ed25519 key; use EdDSA or Ed25519"},
		{"RSA for HMAC", "HS512", k.RSA, "HS512 with an RSA key of 2048 bits; use RS512 or PS512"},
		{"bytes for RSA", "RS256", long, "RS256 with a key of type []uint8; pass a crypto.Signer"},
		{"a string for HMAC", "HS256", string(long), "HS256 with a key of type string; pass the secret as []byte"},
		{"a public key", "ES256", k.P256.Public(), "ES256 with a key of type *ecdsa.PublicKey; pass a crypto.Signer"},
		{"short secret", "HS256", long[:31], "the secret has 31 bytes, and HS256 wants at least 32"},
		{"short secret for HS384", "HS384", long[:47], "the secret has 47 bytes, and HS384 wants at least 48"},
		{"short secret for HS512", "HS512", long[:63], "the secret has 63 bytes, and HS512 wants at least 64"},
		{"empty secret", "HS256", []byte{}, "the secret is empty"},
		{"nil secret", "HS256", []byte(nil), "the secret is empty"},
		{"RSA 1024", "RS256", k.Weak, "the RSA key has only 1024 bits, and RS256 wants 2048"},
		{"RSA 1024 in a KMS", "PS256", keytest.Opaque{Signer: k.Weak}, "the RSA key has only 1024 bits, and PS256 wants 2048"},
		{"no key", "ES256", nil, "the key is nil"},
		{"nil pointer to RSA", "RS256", (*rsa.PrivateKey)(nil), "the key is nil"},
		{"nil pointer to EC", "ES256", (*ecdsa.PrivateKey)(nil), "the key is nil"},
		{"nil pointer to Ed25519", "EdDSA", (*ed25519.PrivateKey)(nil), "the key is nil"},
		{"nil pointer in a KMS", "EdDSA", (*keytest.Scripted)(nil), "the key is nil"},
		{"zero RSA key", "RS256", &rsa.PrivateKey{}, "the *rsa.PrivateKey is incomplete"},
		{"zero EC key", "ES256", &ecdsa.PrivateKey{}, "the *ecdsa.PrivateKey is incomplete"},
		{"cut Ed25519 key", "EdDSA", k.Ed[:32], "the ed25519.PrivateKey is incomplete"},
		{"a KMS without public half", "ES256", &keytest.Scripted{}, "ES256 with a key whose public half is <nil>"},
		{"foreign public half of EC", "ES256", &foreignEC, "a trial signature failed"},
		{"foreign public half of RSA", "PS384", foreignRSA, "a trial signature failed"},
		{"foreign public half of Ed25519", "EdDSA", ed25519.PrivateKey(foreignEd), "a trial signature failed"},
		{"none", "none", long, `unknown signature method "none"; use one of HS256, HS384`},
		{"no method", "", long, "no signature method; use one of HS256"},
		{"unknown method", "ES256K", k.P256, `unknown signature method "ES256K"`},
		{"a key for a method", strings.Repeat("x", 40), long, "unknown signature method of 40 characters"},
	} {
		var s *Signer
		m, err := Parse(tt.method)
		if err == nil {
			s, err = New(m, tt.key, false)
		}
		if err == nil {
			if err = s.Check(); err != nil {
				s = nil
			}
		}
		if s != nil || err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: New(%q, %T) = %v, %v; want the error %q", tt.name, tt.method, tt.key, s, err, tt.want)
		}
		if _, ok := errors.AsType[*problem.Error](err); !ok {
			t.Errorf("%s: New(%q, %T): the error is no *problem.Error: %#v", tt.name, tt.method, tt.key, err)
		}
	}
}

func TestNewTakesWeakKeysWhereAllowed(t *testing.T) {
	k := keytest.Made()
	for _, tt := range []struct {
		method string
		key    any
		want   string // error; empty: none
	}{
		{"HS256", []byte("x"), ""},
		{"HS512", make([]byte, 32), ""},
		{"HS256", []byte{}, "the secret is empty"},
		{"RS512", k.Weak, ""},
		{"PS384", k.Weak, ""},
		{"PS512", k.Weak, "an RSA key of 1024 bits is too short for PS512"},
		{"RS256", k.Tiny, "the RSA key has only 768 bits"},
		{"RS256", keytest.Opaque{Signer: k.Tiny}, "the RSA key has only 768 bits"},
		{"ES256", k.P224, "ES256 with an EC P-224 key"},
	} {
		s, err := New(must(Parse(tt.method)), tt.key, true)
		if err == nil {
			err = s.Check()
		}
		if !strings.HasPrefix(fmt.Sprint(err), cmp.Or(tt.want, "<nil>")) {
			t.Errorf("New(%s, %T, weak): %v; want %q", tt.method, tt.key, err, tt.want)
		}
	}
}

func TestExactlyTakesTheAlgOfATokenOnly(t *testing.T) {
	for _, name := range Names() {
		if m, ok := Exactly(name); !ok || m.Name != name {
			t.Errorf("Exactly(%q) = %q, %v", name, m.Name, ok)
		}
	}
	for _, name := range []string{"", "none", "hs256", " HS256", "hmac-sha256", "EDDSA"} {
		if m, ok := Exactly(name); ok {
			t.Errorf("Exactly(%q) = %q, want none", name, m.Name)
		}
	}
}

func TestMethodsVerifyWhatTheySign(t *testing.T) {
	for _, m := range methods {
		key := keytest.For(m.Name)
		s, err := New(m, key, false)
		if err != nil {
			t.Fatalf("New(%s, %T): %v", m.Name, key, err)
		}
		token := string(must(s.Append(nil, AppendHead(nil, []byte("{}")), []byte("payload"))))
		i := strings.LastIndexByte(token, '.')
		signature := must(base64.RawURLEncoding.DecodeString(token[i+1:]))
		verifier := any(s.Public())
		if s.Public() == nil {
			verifier = key
		}
		if err := m.Verify(token[:i], signature, verifier); err != nil {
			t.Errorf("%s refuses its own signature: %v", m.Name, err)
		}
		if m.Verify(token[:i]+"x", signature, verifier) == nil {
			t.Errorf("%s takes the signature of another text", m.Name)
		}
	}
}

func TestMethodsFitTheirKindOfKeyOnly(t *testing.T) {
	k := keytest.Made()
	fitting := map[string]string{"RSA": "RS256 RS384 RS512 PS256 PS384 PS512", "P-224": "", "P-256": "ES256", "P-384": "ES384",
		"P-521": "ES512", "Ed25519": "EdDSA Ed25519", "none": "", "a secret": ""}
	for kind, pub := range map[string]crypto.PublicKey{"RSA": k.RSA.Public(), "P-224": k.P224.Public(), "P-256": k.P256.Public(),
		"P-384": k.P384.Public(), "P-521": k.P521.Public(), "Ed25519": k.Ed.Public(), "none": nil, "a secret": []byte("x")} {
		var names []string
		for _, m := range methods {
			if m.Fits(pub) {
				names = append(names, m.Name)
			}
		}
		if got := strings.Join(names, " "); got != fitting[kind] {
			t.Errorf("the methods for %s are %q, want %q", kind, got, fitting[kind])
		}
	}
	for name, want := range map[string]int{"HS256": 32, "HS384": 48, "HS512": 64, "RS256": 0, "EdDSA": 0} {
		if m, _ := Exactly(name); m.SecretSize() != want {
			t.Errorf("SecretSize of %s = %d, want %d", name, m.SecretSize(), want)
		}
	}
}
