package ppk

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
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
		return nil, &sealed.UnsupportedError{What: "RSA key with a public exponent of more than 31 bits"}
	}
	signer, err := check.Signer(&rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: n, E: int(e.Int64())}, D: d, Primes: []*big.Int{p, q},
	})
	if err != nil {
		return nil, err
	}
	if qInv.Cmp(signer.(*rsa.PrivateKey).Precomputed.Qinv) != 0 {
		return nil, &check.MismatchError{What: "the CRT value of the RSA key does not match its primes"}
	}
	return signer, nil
}

var curves = map[string]elliptic.Curve{
	"nistp256": elliptic.P256(),
	"nistp384": elliptic.P384(),
	"nistp521": elliptic.P521(),
}

func ecdsaKey(public, secret *sealed.Reader) (crypto.Signer, error) {
	name, point := public.String(), public.String()
	d := secret.Number()
	if err := firstError(public, secret); err != nil {
		return nil, err
	}
	curve, ok := curves[string(name)]
	if !ok {
		return nil, &sealed.UnsupportedError{What: "elliptic curve other than nistp256, nistp384 and nistp521"}
	}
	if d.Cmp(curve.Params().N) >= 0 {
		return nil, errHalves
	}
	size := (curve.Params().N.BitLen() + 7) / 8
	key, err := ecdsa.ParseRawPrivateKey(curve, d.FillBytes(make([]byte, size)))
	if err != nil {
		return nil, errHalves
	}
	if got, err := key.PublicKey.Bytes(); err != nil || !bytes.Equal(got, point) {
		return nil, errHalves
	}
	return key, nil
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
	return check.Signer(ed25519.PrivateKey(append(padded, point...)))
}

func firstError(readers ...*sealed.Reader) error {
	for _, r := range readers {
		if err := r.Err(); err != nil {
			return err
		}
	}
	return nil
}
