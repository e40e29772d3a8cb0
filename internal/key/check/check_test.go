package check

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer/internal/key/keytest"
	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

// parseFile reads the last block of a PEM file by its label.
func parseFile(t testing.TB, name string) (crypto.Signer, error) {
	block := keytest.ReadPEM(t, name)
	switch block.Type {
	case "RSA PRIVATE KEY":
		return PKCS1(block.Bytes)
	case "EC PRIVATE KEY":
		return SEC1(block.Bytes, nil)
	default:
		return PKCS8(block.Bytes)
	}
}

func TestKeysAreRead(t *testing.T) {
	for name, want := range map[string]string{
		"003-pkcs1-rsa4096.txt":                keytest.RSA4096,
		"009-pkcs8-rsa4096.txt":                keytest.RSA4096,
		"010-pkcs8-p256.txt":                   keytest.P256,
		"012-pkcs8-p521.txt":                   keytest.P521,
		"015-pkcs8-ed25519-v2-with-public.txt": keytest.Ed25519,
		"018-pkcs8-rsa-pss-oid.txt":            keytest.RSA2048,
		"020-sec1-p256.txt":                    keytest.P256,
		"024-sec1-leading-zero-scalar.txt":     "c9ad2e32ad7272fdbfdf4c34b9fd53e1a63a000c20df3ea5abc916fe6d392f1a",
	} {
		key, err := parseFile(t, name)
		if got := keytest.Fingerprint(t, key); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", name, got, err, want)
		}
	}
}

func TestKeysAreRefusedByName(t *testing.T) {
	for name, want := range map[string]string{
		"027-sec1-curve-only-in-params-block.txt": "does not name its curve",
		"486-secp256k1-sec1.txt":                  "secp256k1",
		"492-rsa512.txt":                          "RSA key of 512 bits",
		"493-dsa-pkcs8.txt":                       "DSA key",
		"497-ed448.txt":                           "Ed448 key",
		"523-one-char-wrong-rsa-modulus.txt":      "inconsistent key",
		"524-one-char-wrong-rsa-d.txt":            "inconsistent key",
	} {
		if key, err := parseFile(t, name); key != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %T, %v, want %q", name, key, err, want)
		}
	}
}

func TestRSAOf1024BitsIsLeftToTheCaller(t *testing.T) {
	key, err := parseFile(t, "490-rsa1024-pkcs8.txt")
	if err != nil || key.(*rsa.PrivateKey).N.BitLen() != 1024 {
		t.Errorf("RSA of 1024 bits: %v, want the key", err)
	}
}

func TestSEC1TakesTheCurveFromBesideTheKey(t *testing.T) {
	der := keytest.ReadPEM(t, "027-sec1-curve-only-in-params-block.txt").Bytes
	p256, p384 := asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}, asn1.ObjectIdentifier{1, 3, 132, 0, 34}
	key, err := SEC1(der, marshal(t, p256))
	if got := keytest.Fingerprint(t, key); err != nil || got != keytest.P256 {
		t.Errorf("SEC1 with the curve beside it: %s, %v, want %s", got, err, keytest.P256)
	}
	if _, err := SEC1(der, marshal(t, p384)); !isMismatch(err) {
		t.Errorf("SEC1 with another curve beside it: %v, want a MismatchError", err)
	}
	if _, err := SEC1(keytest.ReadPEM(t, "020-sec1-p256.txt").Bytes, marshal(t, p384)); !isMismatch(err) {
		t.Errorf("SEC1 with two curves: %v, want a MismatchError", err)
	}
	if _, err := SEC1(der, []byte{0x30, 0}); err == nil || !strings.Contains(err.Error(), "by its numbers") {
		t.Errorf("SEC1 with explicit parameters: %v, want them to be named", err)
	}
}

func TestSEC1ChecksThePointInEveryEncoding(t *testing.T) {
	key, err := parseFile(t, "020-sec1-p256.txt")
	if err != nil {
		t.Fatal(err)
	}
	own := key.(*ecdsa.PrivateKey)
	point, err := own.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	parity := point[len(point)-1] & 1
	x, xy := point[1:33], point[1:]
	for _, row := range []struct {
		name  string
		point []byte
		ok    bool
	}{
		{"none", nil, true},
		{"uncompressed", point, true},
		{"compressed", slices.Concat([]byte{2 | parity}, x), true},
		{"hybrid", slices.Concat([]byte{6 | parity}, xy), true},
		{"compressed, other sign", slices.Concat([]byte{3 ^ parity}, x), false},
		{"hybrid, other sign", slices.Concat([]byte{7 ^ parity}, xy), false},
		{"foreign", slices.Concat([]byte{4}, bytes.Repeat([]byte{1}, 64)), false},
		{"infinity", []byte{0}, false},
	} {
		scalar, err := own.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		der := marshal(t, struct {
			Version    int
			PrivateKey []byte
			Curve      asn1.ObjectIdentifier `asn1:"explicit,tag:0"`
			PublicKey  asn1.BitString        `asn1:"optional,explicit,tag:1"`
		}{
			1, scalar, asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7},
			asn1.BitString{Bytes: row.point, BitLength: 8 * len(row.point)},
		})
		if _, err := SEC1(der, nil); (err == nil) != row.ok || err != nil && !isMismatch(err) {
			t.Errorf("SEC1 with the point %s: %v, accepted should be %t", row.name, err, row.ok)
		}
	}
}

func TestPKCS8RefusesAForeignPublicHalf(t *testing.T) {
	der := bytes.Clone(keytest.ReadPEM(t, "015-pkcs8-ed25519-v2-with-public.txt").Bytes)
	der[len(der)-1] ^= 1
	if _, err := PKCS8(der); !isMismatch(err) {
		t.Errorf("PKCS8 with a foreign public half: %v, want a MismatchError", err)
	}
}

func TestPKCS1RefusesWrongNumbers(t *testing.T) {
	var good rsaPrivateKey
	if _, err := asn1.Unmarshal(keytest.ReadPEM(t, "003-pkcs1-rsa4096.txt").Bytes, &good); err != nil {
		t.Fatal(err)
	}
	one := big.NewInt(1)
	for name, damage := range map[string]func(*rsaPrivateKey){
		"n":            func(k *rsaPrivateKey) { k.N = new(big.Int).Add(k.N, one) },
		"-n":           func(k *rsaPrivateKey) { k.N = new(big.Int).Neg(k.N) },
		"e":            func(k *rsaPrivateKey) { k.E += 2 },
		"e of 1":       func(k *rsaPrivateKey) { k.E = 1 },
		"d":            func(k *rsaPrivateKey) { k.D = new(big.Int).Add(k.D, one) },
		"d of 0":       func(k *rsaPrivateKey) { k.D = new(big.Int) },
		"p":            func(k *rsaPrivateKey) { k.P = new(big.Int).Add(k.P, one) },
		"p of 1":       func(k *rsaPrivateKey) { k.P, k.Q = one, k.N },
		"negative":     func(k *rsaPrivateKey) { k.P, k.Q = new(big.Int).Neg(k.P), new(big.Int).Neg(k.Q) },
		"dP":           func(k *rsaPrivateKey) { k.DP = new(big.Int).Add(k.DP, one) },
		"dQ":           func(k *rsaPrivateKey) { k.DQ = new(big.Int).Add(k.DQ, one) },
		"qInv":         func(k *rsaPrivateKey) { k.QInv = new(big.Int).Add(k.QInv, one) },
		"p and q swap": func(k *rsaPrivateKey) { k.P, k.Q = k.Q, k.P },
	} {
		k := good
		damage(&k)
		if _, err := PKCS1(marshal(t, k)); !isMismatch(err) {
			t.Errorf("PKCS1 with a wrong %s: %v, want a MismatchError", name, err)
		}
	}
	swapped := good
	swapped.P, swapped.Q, swapped.DP, swapped.DQ = good.Q, good.P, good.DQ, good.DP
	swapped.QInv = new(big.Int).ModInverse(swapped.Q, swapped.P)
	if _, err := PKCS1(marshal(t, swapped)); err != nil {
		t.Errorf("PKCS1 with the smaller prime first: %v", err)
	}
	if _, err := PKCS1(append(marshal(t, good), "\n"...)); err != nil {
		t.Errorf("PKCS1 with a newline after the key: %v", err)
	}
	huge := good
	huge.N = new(big.Int).Lsh(one, maxRSABits)
	if _, err := PKCS1(marshal(t, huge)); err == nil || !strings.Contains(err.Error(), "16385 bits") {
		t.Errorf("PKCS1 with a modulus of 16385 bits: %v, want it to be named", err)
	}
}

func TestSignerChecksKeysOfOtherDecoders(t *testing.T) {
	// TESTING KEYs, of seeds of one letter.
	seed := ed25519.NewKeyFromSeed(bytes.Repeat([]byte("a"), 32))
	foreign := slices.Concat(seed[:32], ed25519.NewKeyFromSeed(bytes.Repeat([]byte("b"), 32))[32:])
	mixed := slices.Clone(foreign)
	p256, err := parseFile(t, "010-pkcs8-p256.txt")
	if err != nil {
		t.Fatal(err)
	}
	p521, err := parseFile(t, "012-pkcs8-p521.txt")
	if err != nil {
		t.Fatal(err)
	}
	own, other := p256.(*ecdsa.PrivateKey), p521.(*ecdsa.PrivateKey)
	negated := *own
	negated.Y = new(big.Int).Sub(own.Curve.Params().P, own.Y)
	for _, row := range []struct {
		name string
		key  any
		want string // "" for none
	}{
		{"Ed25519", seed, ""},
		{"pointer to Ed25519", &seed, ""},
		{"P-256", own, ""},
		{"foreign Ed25519", ed25519.PrivateKey(mixed), "does not match"},
		{"short Ed25519", seed[:40], "40 bytes"},
		{"foreign P-256", &negated, "does not match"},
		//lint:ignore SA1019 a key that no function of crypto/ecdsa would make
		{"P-521 on P-256", &ecdsa.PrivateKey{PublicKey: own.PublicKey, D: other.D}, "out of the range"},
		{"P-256 of nothing", &ecdsa.PrivateKey{PublicKey: ecdsa.PublicKey{Curve: elliptic.P256()}}, "not whole"},
		{"no curve", &ecdsa.PrivateKey{}, "without a curve"},
		{"P-224", &ecdsa.PrivateKey{PublicKey: ecdsa.PublicKey{Curve: elliptic.P224()}}, "P-224"},
		{"RSA of nothing", &rsa.PrivateKey{}, "without a modulus"},
		{"HMAC", []byte("secret"), "[]uint8"},
	} {
		key, err := Signer(row.key)
		if row.want == "" && (err != nil || key == nil) || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
			t.Errorf("Signer(%s) = %T, %v, want %q", row.name, key, err, row.want)
		}
	}
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	der, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func isMismatch(err error) bool {
	_, ok := errors.AsType[*MismatchError](err)
	return ok
}

func FuzzDER(f *testing.F) {
	for _, name := range keytest.Files(f) {
		f.Add(keytest.ReadPEM(f, name).Bytes)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		for name, parse := range map[string]func([]byte) (crypto.Signer, error){
			"PKCS8": PKCS8, "PKCS1": PKCS1, "SEC1": func(der []byte) (crypto.Signer, error) { return SEC1(der, nil) },
		} {
			key, err := parse(der)
			if err != nil {
				continue
			}
			if pss, ok := key.(*PSSKey); ok {
				key = pss.PrivateKey
			}
			if _, err := x509.MarshalPKCS8PrivateKey(key); err != nil {
				t.Errorf("%s gives a key that crypto/x509 does not take: %v", name, err)
			}
			if _, err := Signer(key); err != nil {
				t.Errorf("%s gives a key that Signer refuses: %v", name, err)
			}
			if whole, err := sealed.Whole(der); err != nil || len(whole) > maxSize {
				t.Errorf("%s reads %d bytes: %v", name, len(whole), err)
			}
		}
	})
}

// A public half whose identifier is damaged is not passed over.
func TestDERRefusesWhatDoesNotBelongToTheKey(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	if at := bytes.Index(sec1, []byte{0xa1, 0x44, 0x03, 0x42}); at > 0 {
		for _, identifier := range []byte{0xa2, 0x81, 0x05, 0x30, 0x00} {
			damaged := bytes.Clone(sec1)
			damaged[at] = identifier
			if _, err := SEC1(damaged, nil); err == nil {
				t.Errorf("SEC1 with %#x for the public half: no error", identifier)
			}
			damaged = bytes.Clone(pkcs8)
			damaged[bytes.Index(damaged, []byte{0xa1, 0x44, 0x03, 0x42})] = identifier
			if _, err := PKCS8(damaged); err == nil {
				t.Errorf("PKCS8 with %#x for the public half of SEC1: no error", identifier)
			}
		}
	} else {
		t.Fatal("the test does not find the public half")
	}

	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	foreign := bytes.Clone(public)
	foreign[0] ^= 1
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	with := func(half ...byte) []byte {
		whole := append(bytes.Clone(der), half...)
		whole[1] += byte(len(half))
		return whole
	}
	for name, half := range map[string][]byte{"implicit": {0x81, 0x21, 0}, "explicit": {0xa1, 0x23, 0x03, 0x21, 0}} {
		if _, err := PKCS8(with(append(half, public...)...)); err != nil {
			t.Errorf("%s public half: %v", name, err)
		}
		if _, err := PKCS8(with(append(half, foreign...)...)); err == nil {
			t.Errorf("%s foreign public half: no error", name)
		}
	}
	if _, err := PKCS8(with(append([]byte{0x82, 0x21, 0}, public...)...)); err == nil {
		t.Error("an element that PKCS#8 does not have: no error")
	}
}
