// Package check makes private keys of their parts and of DER, and makes sure that the private half of a key fits its public
// half. Decoders skip that check here and there, and an Ed25519 signature made with a foreign public half gives the key away.
// It must never know of passphrases, or of the text in which a key was found.
package check

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"math/big"

	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

const (
	minRSABits = 1024
	maxRSABits = 16384 // RSA operations take time in the cube of the size
)

// MismatchError says that the halves of a key do not belong together, so that the key is damaged or was put together wrongly.
type MismatchError struct {
	What string // "the public half does not match the private half"
}

func (e *MismatchError) Error() string { return "inconsistent key: " + e.What }

func mismatch(what string) error { return &MismatchError{What: what} }

// ErrHalves is the usual MismatchError.
var ErrHalves = mismatch("the public half does not match the private half")

// Signer checks a key that some decoder has returned (*rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey or a pointer to
// one) and returns it in the form that crypto/x509 uses: *rsa.PrivateKey, *ecdsa.PrivateKey or ed25519.PrivateKey.
//
// The error of all functions here is a *MismatchError, or a *sealed.UnsupportedError for another type, another curve than
// P-256, P-384 and P-521, and RSA under 1024 or over 16384 bits. RSA of 1024 to 2047 bits passes: whether that is enough is
// for the caller to say.
func Signer(key any) (crypto.Signer, error) {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return RSA(key)
	case *ecdsa.PrivateKey:
		return checkECDSA(key)
	case *ed25519.PrivateKey:
		return Signer(*key)
	case ed25519.PrivateKey:
		if len(key) != ed25519.PrivateKeySize {
			return Ed25519(key, nil) // which refuses it
		}
		return Ed25519(key.Seed(), key[ed25519.SeedSize:])
	default:
		return nil, sealed.UnsupportedKey(fmt.Sprintf("private key of type %T", key))
	}
}

// RSA checks a key and precomputes what makes it fast. Of the numbers that are computed so, crt has those that came with the
// key: dp, dq and qi, any of which may be nil. They are computed again, and yet a wrong one means that the key was damaged.
func RSA(key *rsa.PrivateKey, crt ...*big.Int) (crypto.Signer, error) {
	if key.N == nil || key.D == nil {
		return nil, sealed.Malformed("an RSA key without a modulus or a private exponent")
	}
	switch bits := key.N.BitLen(); {
	case bits < minRSABits:
		return nil, sealed.UnsupportedKey(fmt.Sprintf("RSA key of %d bits, which is too small for any use", bits))
	case bits > maxRSABits:
		return nil, sealed.UnsupportedKey(fmt.Sprintf("RSA key of %d bits, which is more than %d", bits, maxRSABits))
	case len(key.Primes) < 2 || len(key.Primes) > 5:
		return nil, sealed.UnsupportedKey(fmt.Sprintf("RSA key with %d prime factors", len(key.Primes)))
	case !consistentRSA(key):
		return nil, mismatch("the numbers of the RSA key do not belong together")
	}
	key.Precompute()
	if err := key.Validate(); err != nil {
		return nil, mismatch("the numbers of the RSA key do not belong together")
	}
	pre := key.Precomputed
	for i, want := range []*big.Int{pre.Dp, pre.Dq, pre.Qinv} {
		if i < len(crt) && crt[i] != nil && crt[i].Cmp(want) != 0 {
			return nil, mismatch("the CRT values of the RSA key do not match its primes")
		}
	}
	return key, nil
}

// consistentRSA checks what rsa.PrivateKey.Validate leaves out, depending on the Go version and on what has been precomputed:
// that the primes make the modulus and that both exponents cancel out modulo every prime less one.
func consistentRSA(key *rsa.PrivateKey) bool {
	one := big.NewInt(1)
	if key.E < 3 || key.E&1 == 0 || key.D.Sign() <= 0 || key.D.Cmp(key.N) >= 0 {
		return false
	}
	product := big.NewInt(1)
	de := new(big.Int).Mul(key.D, big.NewInt(int64(key.E)))
	for _, p := range key.Primes {
		if p == nil || p.Cmp(one) <= 0 || p.BitLen() >= key.N.BitLen() {
			return false
		}
		product.Mul(product, p)
		less := new(big.Int).Sub(p, one)
		if less.Mod(de, less).Cmp(one) != 0 {
			return false
		}
	}
	return product.Cmp(key.N) == 0
}

var curves = map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}

// EC makes a key of a curve of the name that crypto/elliptic gives it. The scalar may have lost zeros at its front, or have some
// too many. The point, in any encoding of SEC 1, section 2.3.3, is compared with the key; nil: there is none.
func EC(curve string, scalar, point []byte) (crypto.Signer, error) {
	c, ok := curves[curve]
	if !ok {
		return nil, sealed.UnsupportedKey("elliptic curve " + curve)
	}
	size := (c.Params().N.BitLen() + 7) / 8
	scalar = bytes.TrimLeft(scalar, "\x00")
	if len(scalar) > size {
		return nil, mismatch("the private number is out of the range of its curve")
	}
	key, err := ecdsa.ParseRawPrivateKey(c, append(make([]byte, size-len(scalar), size), scalar...))
	if err != nil {
		return nil, mismatch("the private number is out of the range of its curve")
	}
	if point != nil && !fitsPoint(key, point) {
		return nil, ErrHalves
	}
	return key, nil
}

// fitsPoint compares a key with a point: uncompressed, compressed or hybrid.
func fitsPoint(key *ecdsa.PrivateKey, point []byte) bool {
	want, err := key.PublicKey.Bytes()
	if err != nil || len(point) == 0 {
		return false
	}
	parity := want[len(want)-1] & 1
	switch point[0] {
	case 2 | parity:
		return bytes.Equal(point[1:], want[1:1+len(want)/2])
	case 4, 6 | parity:
		return bytes.Equal(point[1:], want[1:])
	}
	return false
}

func checkECDSA(key *ecdsa.PrivateKey) (crypto.Signer, error) {
	if key.Curve == nil {
		return nil, sealed.Malformed("an elliptic curve key without a curve")
	}
	name := key.Curve.Params().Name
	if curves[name] == nil {
		return EC(name, nil, nil) // which refuses it by name
	}
	//lint:ignore SA1019 other decoders leave it nil, and all else that reads the key panics then
	if key.D == nil || key.X == nil || key.Y == nil {
		return nil, sealed.Malformed("an elliptic curve key that is not whole")
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, ErrHalves
	}
	//lint:ignore SA1019 Bytes fails where EC can say what is wrong
	return EC(name, key.D.Bytes(), point)
}

// Ed25519 makes a key of its seed and compares it with its public half; nil: there is none.
func Ed25519(seed, public []byte) (crypto.Signer, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, sealed.Malformed(fmt.Sprintf("an Ed25519 key of %d bytes", len(seed)))
	}
	key := ed25519.NewKeyFromSeed(seed)
	if public != nil && !bytes.Equal(public, key[ed25519.SeedSize:]) {
		return nil, ErrHalves
	}
	return key, nil
}
