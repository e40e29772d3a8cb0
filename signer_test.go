package jwtbearer

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// signerKeys are made once for all tests: RSA keys take a while.
var signerKeys = sync.OnceValue(func() (k struct {
	rsa, weak, tiny  *rsa.PrivateKey
	p224             *ecdsa.PrivateKey
	p256, p384, p521 *ecdsa.PrivateKey
	ed               ed25519.PrivateKey
}) {
	k.rsa, k.weak = must(rsa.GenerateKey(rand.Reader, 2048)), must(rsa.GenerateKey(rand.Reader, 1024))
	// crypto/rsa makes no such key without a GODEBUG setting; its public half suffices, since it is refused by size.
	k.tiny = &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 767), E: 65537}, D: big.NewInt(1)}
	k.p224 = must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	k.p256 = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	k.p384 = must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	k.p521 = must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	_, k.ed, _ = ed25519.GenerateKey(rand.Reader)
	return k
})

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// keyFor returns a key that fits the method.
func keyFor(method SignatureMethod) any {
	k := signerKeys()
	switch method {
	case HS256, HS384, HS512:
		return bytes.Repeat([]byte("secret!!"), 8)
	case ES256:
		return k.p256
	case ES384:
		return k.p384
	case ES512:
		return k.p521
	case EdDSA, Ed25519:
		return k.ed
	}
	return k.rsa
}

// opaqueKey hides the type of a key, as a KMS does.
type opaqueKey struct{ crypto.Signer }

// messageKey is a key that hashes on its side.
type messageKey struct{ crypto.Signer }

func (k messageKey) SignMessage(r io.Reader, msg []byte, opts crypto.SignerOpts) ([]byte, error) {
	return crypto.SignMessage(k.Signer, r, msg, opts)
}

func (k messageKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("this key signs messages only")
}

// scriptedKey gives the same answer to every request for a signature.
type scriptedKey struct {
	pub crypto.PublicKey
	sig []byte
	err error
}

func (k *scriptedKey) Public() crypto.PublicKey { return k.pub }

func (k *scriptedKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return k.sig, k.err }

// verifyToken verifies a token with golang-jwt. Its parser does not know the name Ed25519 (RFC 9864), so there it is given
// what stands behind the name.
func verifyToken(method SignatureMethod, token string, key any) error {
	if k, ok := key.(crypto.Signer); ok {
		key = k.Public()
	}
	if method == Ed25519 {
		input, sig, _ := cutLast(token)
		return jwt.SigningMethodEdDSA.Verify(input, must(base64.RawURLEncoding.DecodeString(sig)), key)
	}
	p := jwt.NewParser(jwt.WithValidMethods([]string{string(method)}), jwt.WithoutClaimsValidation(), jwt.WithStrictDecoding())
	_, err := p.Parse(token, func(*jwt.Token) (any, error) { return key, nil })
	return err
}

func cutLast(token string) (input, signature string, ok bool) {
	i := strings.LastIndexByte(token, '.')
	return token[:max(i, 0)], token[i+1:], i >= 0
}

func TestSignVerifiesForEveryMethodAndKindOfKey(t *testing.T) {
	for _, a := range algorithms {
		method := SignatureMethod(a.name)
		key := keyFor(method)
		kinds := map[string]any{"in memory": key}
		if k, ok := key.(crypto.Signer); ok {
			kinds["opaque"], kinds["message"] = opaqueKey{k}, messageKey{k}
		}
		if k, ok := key.(ed25519.PrivateKey); ok {
			kinds["pointer"] = &k
		}
		for kind, key := range kinds {
			t.Run(fmt.Sprintf("%s/%s", a.name, kind), func(t *testing.T) {
				s, err := NewSigner(method, key)
				if err != nil {
					t.Fatalf("NewSigner(%s, %T): %v", a.name, key, err)
				}
				token, err := s.Sign(fmt.Appendf(nil, `{"alg":%q}`, a.name), []byte(`{"n":9007199254740993,"s":"<&>"}`))
				if err != nil {
					t.Fatalf("Sign with %s: %v", a.name, err)
				}
				if err := verifyToken(method, token, keyFor(method)); err != nil {
					t.Errorf("golang-jwt refuses our %s token: %v", a.name, err)
				}
			})
		}
	}
}

func TestSignKeepsHeaderAndPayloadByteForByte(t *testing.T) {
	s := must(NewSigner(HS256, keyFor(HS256)))
	header, payload := "{ \"typ\" : \"J\\u0057T\",\r\n \"\\u0061lg\":\"HS\\u003256\" }", "\x00\xff not JSON, <&>"
	token, err := s.Sign([]byte(header), []byte(payload))
	if err != nil {
		t.Fatalf("Sign(%q, %q): %v", header, payload, err)
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("Sign gave %d parts, want 3", len(parts))
	}
	for i, want := range []string{header, payload} {
		if got := must(base64.RawURLEncoding.DecodeString(parts[i])); string(got) != want {
			t.Errorf("part %d is %q, want %q", i, got, want)
		}
	}
}

func TestSignGivesECDSASignaturesOfFixedLength(t *testing.T) {
	for method, want := range map[SignatureMethod]int{ES256: 64, ES384: 96, ES512: 132} {
		key := keyFor(method).(crypto.Signer)
		for _, key := range []crypto.Signer{key, opaqueKey{key}} {
			s := must(NewSigner(method, key))
			for range 40 { // one in 128 or so begins with a zero octet in r or s; the vectors of rawSignature cover those
				token := must(s.Sign(fmt.Appendf(nil, `{"alg":%q}`, method), []byte(`{}`)))
				_, sig, _ := cutLast(token)
				if got := len(must(base64.RawURLEncoding.DecodeString(sig))); got != want {
					t.Fatalf("a signature of %s with %T has %d octets, want %d", method, key, got, want)
				}
			}
		}
	}
}

// golang-jwt's parser takes any length of salt, so it would not tell.
func TestSignWithPSSHasASaltAsLongAsTheHash(t *testing.T) {
	key := signerKeys().rsa
	opts := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
	for method, hash := range map[SignatureMethod]crypto.Hash{PS256: crypto.SHA256, PS384: crypto.SHA384, PS512: crypto.SHA512} {
		for _, k := range []crypto.Signer{key, opaqueKey{key}} {
			token := must(must(NewSigner(method, k)).Sign(fmt.Appendf(nil, `{"alg":%q}`, method), nil))
			input, sig, _ := cutLast(token)
			h := hash.New()
			h.Write([]byte(input))
			raw := must(base64.RawURLEncoding.DecodeString(sig))
			if err := rsa.VerifyPSS(&key.PublicKey, hash, h.Sum(nil), raw, opts); err != nil {
				t.Errorf("%s with %T: %v with a salt of %d bytes", method, k, err, hash.Size())
			}
		}
	}
}

func TestSignLooksAtEveryHeader(t *testing.T) {
	s := must(NewSigner(HS256, keyFor(HS256)))
	header := []byte(`{"alg":"HS256","kid":"1"}`)
	for i, kid := range []byte("1123") {
		header[len(header)-3] = kid // in place: what is remembered must not be the caller's slice
		token := must(s.Sign(header, []byte(`{}`)))
		first, _, _ := strings.Cut(token, ".")
		if got := must(base64.RawURLEncoding.DecodeString(first)); !bytes.Equal(got, header) {
			t.Errorf("call %d: Sign(%s) has the header %s", i, header, got)
		}
	}
	copy(header[8:], "RS256")
	if token, err := s.Sign(header, []byte(`{}`)); err == nil {
		t.Errorf("after others, Sign(%s) = %q; want an error", header, token)
	}
}

func TestSignRefusesAHeaderThatIsNotTheMethods(t *testing.T) {
	s := must(NewSigner(ES256, keyFor(ES256)))
	for header, want := range map[string]string{
		``:                                      "not JSON",
		`{"alg":"ES256"`:                        "not JSON",
		`{"alg":"ES256"} {}`:                    "not JSON",
		"{\"alg\":\"ES256\",\"kid\":\"\xff\"}":  "not JSON",
		`["alg","ES256"]`:                       "not a JSON object",
		`"ES256"`:                               "not a JSON object",
		`null`:                                  "not a JSON object",
		`{}`:                                    "it has no alg; it must be ES256",
		`{"typ":"JWT"}`:                         "it has no alg",
		`{"Alg":"ES256"}`:                       "it has no alg",
		`{"x":{"alg":"ES256"}}`:                 "it has no alg",
		`{"alg":"none"}`:                        "its alg is not ES256",
		`{"alg":"es256"}`:                       "its alg is not ES256",
		`{"alg":null}`:                          "its alg is not ES256",
		`{"alg":["ES256"]}`:                     "its alg is not ES256",
		`{"alg":"ES256","alg":"none"}`:          `the member "alg" occurs twice`,
		`{"alg":"ES256","\u0061lg":"ES256"}`:    `the member "alg" occurs twice`,
		`{"alg":"ES256","kid":"1","kid":"2"}`:   `the member "kid" occurs twice`,
		`{"alg":"HS256","typ":"JWT","kid":"k"}`: "its alg is not ES256",
	} {
		token, err := s.Sign([]byte(header), []byte(`{}`))
		if token != "" || err == nil || !strings.HasPrefix(err.Error(), "jwtbearer: sign: header: "+want) {
			t.Errorf("Sign(%q) = %q, %v; want the error %q", header, token, err, want)
		}
	}
	for _, header := range []string{`{"alg":"ES256","x":1e999,"y":[{"alg":"none","alg":1}]}`, ` {"crit":null,"alg":"ES256"} `} {
		if _, err := s.Sign([]byte(header), nil); err != nil {
			t.Errorf("Sign(%q): %v", header, err)
		}
	}
}

func TestSignOfAnEmptySignerIsAnError(t *testing.T) {
	for _, s := range []*Signer{nil, {}} {
		if token, err := s.Sign([]byte(`{"alg":"HS256"}`), nil); token != "" || err == nil {
			t.Errorf("Sign of %#v = %q, %v; want an error", s, token, err)
		}
	}
}

func TestSignPassesOnTheErrorOfAKMS(t *testing.T) {
	k := signerKeys()
	denied := errors.New("permission denied")
	s := must(NewSigner(ES256, &scriptedKey{pub: k.p256.Public(), err: denied}))
	if _, err := s.Sign([]byte(`{"alg":"ES256"}`), nil); !errors.Is(err, denied) {
		t.Errorf("Sign with a KMS that refuses: %v; want %v in it", err, denied)
	}
}

func TestSignRefusesWhatIsNotASignature(t *testing.T) {
	k := signerKeys()
	for _, tt := range []struct {
		method SignatureMethod
		pub    crypto.PublicKey
		sig    []byte
		want   string
	}{
		{RS256, k.rsa.Public(), make([]byte, 255), "a signature of 255 bytes instead of 256"},
		{PS512, k.rsa.Public(), nil, "a signature of 0 bytes instead of 256"},
		{EdDSA, k.ed.Public(), make([]byte, 65), "a signature of 65 bytes instead of 64"},
		{ES256, k.p256.Public(), make([]byte, 64), "not an ECDSA signature in ASN.1 DER"},
		{ES256, k.p256.Public(), nil, "not an ECDSA signature in ASN.1 DER"},
		{ES256, k.p256.Public(), derSignature(1, 2)[:7], "not an ECDSA signature in ASN.1 DER"},
		{ES256, k.p256.Public(), append(derSignature(1, 2), 0), "not an ECDSA signature in ASN.1 DER"},
		{ES256, k.p256.Public(), []byte{0x30, 7, 2, 2, 0, 1, 2, 1, 1}, "not an ECDSA signature in ASN.1 DER"},
		{ES256, k.p256.Public(), []byte{0x30, 9, 2, 1, 1, 2, 1, 1, 2, 1, 1}, "not an ECDSA signature in ASN.1 DER"},
		{ES256, k.p256.Public(), derSignature(-1, 2), "not an ECDSA signature in ASN.1 DER"},
		{ES256, k.p256.Public(), derSignature(0, 2), "out of the range of its curve"},
		{ES256, k.p256.Public(), derSignature(1, 0), "out of the range of its curve"},
		{ES256, k.p256.Public(), must(k.p384.Sign(rand.Reader, make([]byte, 48), crypto.SHA384)), "out of the range of its curve"},
	} {
		s := must(NewSigner(tt.method, &scriptedKey{pub: tt.pub, sig: tt.sig}))
		token, err := s.Sign(fmt.Appendf(nil, `{"alg":%q}`, tt.method), nil)
		if token != "" || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Sign with %s and the signature %x = %q, %v; want the error %q", tt.method, tt.sig, token, err, tt.want)
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
	f.Add(must(signerKeys().p521.Sign(rand.Reader, make([]byte, 64), crypto.SHA512)), 66)
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

func TestSignerIsSafeForConcurrentUse(t *testing.T) {
	for _, method := range []SignatureMethod{HS256, HS512, ES256, EdDSA, PS256} {
		key := keyFor(method)
		s := must(NewSigner(method, key))
		header := fmt.Appendf(nil, `{"alg":%q}`, method)
		var wg sync.WaitGroup
		for g := range 16 {
			wg.Go(func() {
				for i := range 8 {
					payload := fmt.Sprintf(`{"g":%d,"i":%d}`, g, i)
					token, err := s.Sign(header, []byte(payload))
					if err == nil {
						err = verifyToken(method, token, key)
					}
					if err != nil {
						t.Errorf("%s of %s among others: %v", method, payload, err)
					}
				}
			})
		}
		wg.Wait()
	}
}

func TestSignerKeepsItsOwnSecret(t *testing.T) {
	secret := bytes.Clone(keyFor(HS256).([]byte))
	s := must(NewSigner(HS256, secret))
	clear(secret)
	token := must(s.Sign([]byte(`{"alg":"HS256"}`), []byte(`{}`)))
	if err := verifyToken(HS256, token, keyFor(HS256)); err != nil {
		t.Errorf("after the caller cleared its secret: %v", err)
	}
}

func TestSignerPrintsWithoutItsKey(t *testing.T) {
	k := signerKeys()
	secret, scalar := []byte("a secret of thirty-two characters"), must(k.p256.Bytes())
	for _, tt := range []struct {
		method SignatureMethod
		key    any
		raw    []byte // what must not show, in any notation
	}{
		{HS256, secret, secret},
		{RS256, k.rsa, k.rsa.D.Bytes()},
		{ES256, k.p256, scalar},
		{EdDSA, k.ed, k.ed.Seed()},
	} {
		s := must(NewSigner(tt.method, tt.key))
		part := tt.raw[1:9]
		list := strings.Trim(fmt.Sprint(part), "[]")
		notations := []string{string(part), hex.EncodeToString(part), list, strings.Trim(fmt.Sprintf("%#v", part), "[]byte{}"),
			new(big.Int).SetBytes(tt.raw).String()[:16]}
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			for _, v := range []any{s, *s, struct{ S *Signer }{s}, struct{ s Signer }{*s}, []Signer{*s}} {
				got := fmt.Sprintf(format, v)
				if slices.ContainsFunc(notations, func(n string) bool { return strings.Contains(got, n) }) {
					t.Errorf("Sprintf(%q, %T) of a %s signer shows its key", format, v, tt.method)
				}
			}
		}
	}
}

func TestSignerTellsItsPublicKey(t *testing.T) {
	k := signerKeys()
	if got := must(NewSigner(ES384, opaqueKey{k.p384})).s.pub; !k.p384.PublicKey.Equal(got) {
		t.Errorf("the public half of an ES384 signer = %T, want the public half of its key", got)
	}
	if got := must(NewSigner(HS256, keyFor(HS256))).s.pub; got != nil {
		t.Errorf("the public half of an HS256 signer = %T, want nil", got)
	}
}
