package ppk

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"math/big"

	"github.com/seed-363d07a3/jwtbearer/internal/key/check"
	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

// The layouts are those of the PuTTY manual, section C.3.

func rsaKey(public, secret *sealed.Reader) (crypto.Signer, error) {
	e, n := public.Number(), public.Number()
	d, p, q, qInv := secret.Number(), secret.Number(), secret.Number(), secret.Number()
	if err := firstError(public, secret); err != nil {
		return nil, err
	}
	if e.BitLen() > 31 {
		return nil, sealed.UnsupportedKey("RSA key with a public exponent of more than 31 bits")
	}
	return check.RSA(&rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: n, E: int(e.Int64())}, D: d, Primes: []*big.Int{p, q},
	}, nil, nil, qInv)
}

func ecdsaKey(public, secret *sealed.Reader) (crypto.Signer, error) {
	name, point := public.String(), public.String()
	d := secret.Number()
	if err := firstError(public, secret); err != nil {
		return nil, err
	}
	size, ok := bytes.CutPrefix(name, []byte("nistp"))
	if !ok || len(size) != 3 {
		return nil, sealed.UnsupportedKey("elliptic curve other than nistp256, nistp384 and nistp521")
	}
	return check.EC("P-"+string(size), d.Bytes(), point)
}

// ed25519Key reads the seed as the little-endian number that PuTTY writes, without the zeros at its end.
func ed25519Key(public, secret *sealed.Reader) (crypto.Signer, error) {
	point, seed := public.String(), secret.String()
	if err := firstError(public, secret); err != nil {
		return nil, err
	}
	if len(seed) > ed25519.SeedSize || len(point) != ed25519.PublicKeySize {
		return nil, sealed.Malformed("the halves of the Ed25519 key have the wrong length")
	}
	padded := make([]byte, ed25519.SeedSize)
	copy(padded, seed)
	return check.Ed25519(padded, point)
}

func firstError(readers ...*sealed.Reader) error {
	for _, r := range readers {
		if err := r.Err(); err != nil {
			return err
		}
	}
	return nil
}
