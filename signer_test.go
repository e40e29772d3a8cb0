package jwtbearer

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seed-363d07a3/jwtbearer/internal/jws"
	"github.com/seed-363d07a3/jwtbearer/internal/key/keytest"
)

func must[T any](v T, err error) T { return keytest.Must(v, err) }

// keyFor returns a key that fits the method.
func keyFor(method SignatureMethod) any { return keytest.For(string(method)) }

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

// allMethods are those that the package has a constant for.
var allMethods = []SignatureMethod{HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519}

func TestSignVerifiesForEveryMethodAndKindOfKey(t *testing.T) {
	for _, method := range allMethods {
		key := keyFor(method)
		kinds := map[string]any{"in memory": key}
		if k, ok := key.(crypto.Signer); ok {
			kinds["opaque"], kinds["message"] = keytest.Opaque{Signer: k}, keytest.Message{Signer: k}
		}
		if k, ok := key.(ed25519.PrivateKey); ok {
			kinds["pointer"] = &k
		}
		for kind, key := range kinds {
			t.Run(fmt.Sprintf("%s/%s", method, kind), func(t *testing.T) {
				s, err := NewSigner(method, key)
				if err != nil {
					t.Fatalf("NewSigner(%s, %T): %v", method, key, err)
				}
				token, err := s.Sign(fmt.Appendf(nil, `{"alg":%q}`, method), []byte(`{"n":9007199254740993,"s":"<&>"}`))
				if err != nil {
					t.Fatalf("Sign with %s: %v", method, err)
				}
				if err := verifyToken(method, token, keyFor(method)); err != nil {
					t.Errorf("golang-jwt refuses our %s token: %v", method, err)
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
		for _, key := range []crypto.Signer{key, keytest.Opaque{Signer: key}} {
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
	key := keytest.Made().RSA
	opts := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
	for method, hash := range map[SignatureMethod]crypto.Hash{PS256: crypto.SHA256, PS384: crypto.SHA384, PS512: crypto.SHA512} {
		for _, k := range []crypto.Signer{key, keytest.Opaque{Signer: key}} {
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
	k := keytest.Made()
	denied := errors.New("permission denied")
	s := must(NewSigner(ES256, &keytest.Scripted{Pub: k.P256.Public(), Err: denied}))
	if _, err := s.Sign([]byte(`{"alg":"ES256"}`), nil); !errors.Is(err, denied) {
		t.Errorf("Sign with a KMS that refuses: %v; want %v in it", err, denied)
	}
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
	k := keytest.Made()
	secret, scalar := []byte("a secret of thirty-two characters"), must(k.P256.Bytes())
	for _, tt := range []struct {
		method SignatureMethod
		key    any
		raw    []byte // what must not show, in any notation
	}{
		{HS256, secret, secret},
		{RS256, k.RSA, k.RSA.D.Bytes()},
		{ES256, k.P256, scalar},
		{EdDSA, k.Ed, k.Ed.Seed()},
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

func TestEveryMethodHasAConstant(t *testing.T) {
	var names []string
	for _, m := range allMethods {
		names = append(names, string(m))
	}
	if got := jws.Names(); !slices.Equal(got, names) {
		t.Errorf("the methods are %v, but the constants %v", got, names)
	}
}

func TestNewSignerPrefixesItsErrors(t *testing.T) {
	foreign := &rsa.PrivateKey{PublicKey: keyFor(RS256).(*rsa.PrivateKey).PublicKey, D: big.NewInt(65537)} // found by signing only
	for method, key := range map[SignatureMethod]any{"none": nil, ES256: keyFor(ES384), HS256: []byte("short"), RS256: foreign} {
		s, err := NewSigner(method, key)
		if s != nil || err == nil || strings.Count(err.Error(), "jwtbearer: signer: ") != 1 {
			t.Errorf("NewSigner(%s, %T) = %v, %v; want an error with the package's name, once", method, key, s, err)
		}
	}
}
