package jws

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/seed-363d07a3/jwtbearer/internal/key/keytest"
)

func must[T any](v T, err error) T { return keytest.Must(v, err) }

// newSigner makes a signer of a method that there is.
func newSigner(t testing.TB, method string, key any) *Signer {
	t.Helper()
	m, err := Parse(method)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(m, key, false)
	if err != nil {
		t.Fatalf("New(%s, %T): %v", method, key, err)
	}
	return s
}

func TestSignRefusesWhatIsNotASignature(t *testing.T) {
	k := keytest.Made()
	for _, tt := range []struct {
		method string
		pub    crypto.PublicKey
		sig    []byte
		want   string
	}{
		{"RS256", k.RSA.Public(), make([]byte, 255), "a signature of 255 bytes instead of 256"},
		{"PS512", k.RSA.Public(), nil, "a signature of 0 bytes instead of 256"},
		{"EdDSA", k.Ed.Public(), make([]byte, 65), "a signature of 65 bytes instead of 64"},
		{"ES256", k.P256.Public(), make([]byte, 64), "not an ECDSA signature in ASN.1 DER"},
		{"ES256", k.P256.Public(), nil, "not an ECDSA signature in ASN.1 DER"},
		{"ES256", k.P256.Public(), derSignature(1, 2)[:7], "not an ECDSA signature in ASN.1 DER"},
		{"ES256", k.P256.Public(), append(derSignature(1, 2), 0), "not an ECDSA signature in ASN.1 DER"},
		{"ES256", k.P256.Public(), []byte{0x30, 7, 2, 2, 0, 1, 2, 1, 1}, "not an ECDSA signature in ASN.1 DER"},
		{"ES256", k.P256.Public(), []byte{0x30, 9, 2, 1, 1, 2, 1, 1, 2, 1, 1}, "not an ECDSA signature in ASN.1 DER"},
		{"ES256", k.P256.Public(), derSignature(-1, 2), "not an ECDSA signature in ASN.1 DER"},
		{"ES256", k.P256.Public(), derSignature(0, 2), "out of the range of its curve"},
		{"ES256", k.P256.Public(), derSignature(1, 0), "out of the range of its curve"},
		{"ES256", k.P256.Public(), must(k.P384.Sign(rand.Reader, make([]byte, 48), crypto.SHA384)), "out of the range of its curve"},
	} {
		s := newSigner(t, tt.method, &keytest.Scripted{Pub: tt.pub, Sig: tt.sig})
		token, err := s.Append(nil, AppendHead(nil, fmt.Appendf(nil, `{"alg":%q}`, tt.method)), nil)
		if token != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Append with %s and the signature %x = %q, %v; want the error %q", tt.method, tt.sig, token, err, tt.want)
		}
	}
}

func derSignature(r, s int64) []byte { return encodeSignature(big.NewInt(r), big.NewInt(s)) }

func encodeSignature(r, s *big.Int) []byte {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(r)
		b.AddASN1BigInt(s)
	})
	return b.BytesOrPanic()
}

func TestRawSignaturePadsBothHalves(t *testing.T) {
	got, err := rawSignature(derSignature(1, 0x80ff), 32)
	want := strings.Repeat("00", 31) + "01" + strings.Repeat("00", 30) + "80ff"
	if hex.EncodeToString(got) != want || err != nil {
		t.Errorf("rawSignature(1, 0x80ff) = %x, %v; want %s", got, err, want)
	}
}

func FuzzRawSignature(f *testing.F) {
	f.Add(derSignature(1, 2), 32)
	f.Add(derSignature(-1, 0), 48)
	f.Add(must(keytest.Made().P521.Sign(rand.Reader, make([]byte, 64), crypto.SHA512)), 66)
	f.Fuzz(func(t *testing.T, der []byte, size int) {
		size = min(max(size, 1), 128)
		raw, err := rawSignature(der, size)
		if err != nil {
			return
		}
		if len(raw) != 2*size {
			t.Fatalf("rawSignature(%x, %d) has %d octets", der, size, len(raw))
		}
		r, s := new(big.Int).SetBytes(raw[:size]), new(big.Int).SetBytes(raw[size:])
		if back := encodeSignature(r, s); !bytes.Equal(back, der) {
			t.Errorf("rawSignature(%x, %d) = %x, whose DER is %x", der, size, raw, back)
		}
	})
}

func FuzzCheckHeader(f *testing.F) {
	f.Add([]byte(`{"alg":"HS256"}`))
	f.Add([]byte(`{"alg":"HS256","alg":"none"}`))
	f.Add([]byte(`{"\u0061lg":"HS256","x":[1,{"alg":2}]}`))
	f.Fuzz(func(t *testing.T, header []byte) {
		if checkHeader(header, "HS256") != nil {
			return
		}
		// encoding/json takes the last of two members, so a second alg of another value would show here.
		var got map[string]json.RawMessage
		if err := json.Unmarshal(header, &got); err != nil || !isString(got["alg"], "HS256") {
			t.Errorf("checkHeader passed %q: alg %s, %v", header, got["alg"], err)
		}
	})
}

func TestSignerTellsItsPublicKey(t *testing.T) {
	k := keytest.Made()
	if got := newSigner(t, "ES384", keytest.Opaque{Signer: k.P384}).Public(); !k.P384.PublicKey.Equal(got) {
		t.Errorf("the public half of an ES384 signer = %T, want the public half of its key", got)
	}
	if got := newSigner(t, "HS256", keytest.For("HS256")).Public(); got != nil {
		t.Errorf("the public half of an HS256 signer = %T, want nil", got)
	}
}
