// Package check reads private keys in DER and makes sure that the private half of a key fits its public half. Decoders
// skip that check here and there, and an Ed25519 signature made with a foreign public half gives the private key away.
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

// errHalves is the usual case.
func errHalves() error {
	return &MismatchError{What: "the public half does not match the private half"}
}

// Signer checks a key that some decoder has returned (*rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey or a pointer to
// one) and returns it in the form that crypto/x509 uses: *rsa.PrivateKey, *ecdsa.PrivateKey or ed25519.PrivateKey.
//
// The error is a *MismatchError, or a *sealed.UnsupportedError for another type, another curve than P-256, P-384 and P-521,
// and RSA under 1024 or over 16384 bits. RSA of 1024 to 2047 bits passes: whether that is enough is for the caller to say.
func Signer(key any) (crypto.Signer, error) {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return checkRSA(key)
	case *ecdsa.PrivateKey:
		return checkECDSA(key)
	case *ed25519.PrivateKey:
		return checkEd25519(*key)
	case ed25519.PrivateKey:
		return checkEd25519(key)
	default:
		return nil, &sealed.UnsupportedError{What: fmt.Sprintf("private key of type %T", key)}
	}
}

func checkRSA(key *rsa.PrivateKey) (crypto.Signer, error) {
	if key.N == nil || key.D == nil {
		return nil, sealed.Malformed("an RSA key without a modulus or a private exponent")
	}
	if err := checkRSASize(key.N); err != nil {
		return nil, err
	}
	if len(key.Primes) < 2 || len(key.Primes) > 5 {
		return nil, &sealed.UnsupportedError{What: fmt.Sprintf("RSA key with %d prime factors", len(key.Primes))}
	}
	if !consistentRSA(key) {
		return nil, &MismatchError{What: "the numbers of the RSA key do not belong together"}
	}
	key.Precompute()
	if err := key.Validate(); err != nil {
		return nil, &MismatchError{What: "the numbers of the RSA key do not belong together"}
	}
	return key, nil
}

func checkRSASize(n *big.Int) error {
	switch bits := n.BitLen(); {
	case bits < minRSABits:
		return &sealed.UnsupportedError{What: fmt.Sprintf("RSA key of %d bits, which is too small for any use", bits)}
	case bits > maxRSABits:
		return &sealed.UnsupportedError{What: fmt.Sprintf("RSA key of %d bits, which is more than %d", bits, maxRSABits)}
	}
	return nil
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

func checkECDSA(key *ecdsa.PrivateKey) (crypto.Signer, error) {
	if err := checkCurve(key.Curve); err != nil {
		return nil, err
	}
	//lint:ignore SA1019 other decoders leave it nil, and all else that reads the key panics then
	if key.D == nil || key.X == nil || key.Y == nil {
		return nil, sealed.Malformed("an elliptic curve key that is not whole")
	}
	scalar, err := key.Bytes()
	if err != nil {
		return nil, &MismatchError{What: "the private number is out of the range of its curve"}
	}
	fresh, err := ecdsa.ParseRawPrivateKey(key.Curve, scalar)
	if err != nil {
		return nil, &MismatchError{What: "the private number is out of the range of its curve"}
	}
	if !fresh.PublicKey.Equal(&key.PublicKey) {
		return nil, errHalves()
	}
	return fresh, nil
}

func checkCurve(curve elliptic.Curve) error {
	switch curve {
	case elliptic.P256(), elliptic.P384(), elliptic.P521():
		return nil
	case nil:
		return sealed.Malformed("an elliptic curve key without a curve")
	}
	return &sealed.UnsupportedError{What: "elliptic curve " + curve.Params().Name}
}

func checkEd25519(key ed25519.PrivateKey) (crypto.Signer, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, sealed.Malformed(fmt.Sprintf("an Ed25519 key of %d bytes", len(key)))
	}
	fresh := ed25519.NewKeyFromSeed(key.Seed())
	if !bytes.Equal(fresh, key) {
		return nil, errHalves()
	}
	return fresh, nil
}
