// Package jwk makes private keys of the members of a JSON Web Key (RFC 7517; RFC 7518, section 6; RFC 8037), and fills in what
// people leave out: the primes of RSA keys, leading zeros, public halves. It must never know of the JSON around a key.
package jwk

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"slices"

	"github.com/seed-363d07a3/jwtbearer/internal/key/check"
	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

var (
	// ErrPublic says that a JWK has no private part.
	ErrPublic = errors.New("it has no private part (d)")

	// ErrSymmetric says that a JWK is a secret for HMAC or AES.
	ErrSymmetric = errors.New("it is a shared secret (kty oct)")
)

// maxMember is the longest member that is looked at: the modulus of an RSA key of 16384 bits.
const maxMember = 2752

// Parse reads one private JWK whose members are all strings, in base64url without padding, and checks its halves against
// each other.
func Parse(data []byte) (crypto.Signer, error) {
	var m members
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, sealed.Malformed("it cannot be read as JSON")
	}
	for _, value := range m {
		if len(value) > maxMember {
			return nil, sealed.Malformed("a member of it is too long")
		}
	}
	switch m["kty"] {
	case "oct":
		return nil, ErrSymmetric
	case "RSA":
		return m.rsa()
	case "EC":
		return m.ec()
	case "OKP":
		return m.okp()
	}
	return nil, sealed.UnsupportedKey("a JWK of this key type (kty)")
}

type members map[string]string

// bytes decodes the members that are there; the others are nil. Without d there is no private key.
func (m members) bytes(names ...string) ([][]byte, error) {
	if m["d"] == "" {
		return nil, ErrPublic
	}
	all := make([][]byte, len(names))
	for i, name := range names {
		if m[name] == "" {
			continue
		}
		var err error
		if all[i], err = base64.RawURLEncoding.DecodeString(m[name]); err != nil {
			return nil, sealed.Malformed("its member " + name + " is damaged: it is not base64url")
		}
	}
	return all, nil
}

// curve refuses curves by name, as far as the name is known, which is no part of a key then.
func (m members) curve(known, others []string) error {
	if slices.Contains(known, m["crv"]) {
		return nil
	}
	if slices.Contains(others, m["crv"]) {
		return sealed.UnsupportedKey("curve " + m["crv"])
	}
	return sealed.UnsupportedKey("a JWK of this curve (crv)")
}

func (m members) okp() (crypto.Signer, error) {
	if err := m.curve([]string{"Ed25519"}, []string{"Ed448", "X25519", "X448"}); err != nil {
		return nil, err
	}
	parts, err := m.bytes("d", "x")
	if err != nil {
		return nil, err
	}
	return check.Ed25519(parts[0], parts[1])
}

func (m members) ec() (crypto.Signer, error) {
	if err := m.curve([]string{"P-256", "P-384", "P-521"}, []string{"secp256k1", "P-256K", "P-224", "P-192"}); err != nil {
		return nil, err
	}
	parts, err := m.bytes("d", "x", "y")
	if err != nil {
		return nil, err
	}
	key, err := check.EC(m["crv"], parts[0], nil)
	if err != nil {
		return nil, err
	}
	point, err := key.(*ecdsa.PrivateKey).PublicKey.Bytes()
	if err != nil {
		return nil, check.ErrHalves
	}
	size := len(point) / 2
	for i, want := range [][]byte{point[1 : 1+size], point[1+size:]} {
		// Coordinates have a fixed length (RFC 7518, section 6.2.1.2); some writers drop zeros at the front.
		if given := parts[1+i]; given != nil && number(given).Cmp(number(want)) != 0 {
			return nil, check.ErrHalves
		}
	}
	return key, nil
}

func number(b []byte) *big.Int { return new(big.Int).SetBytes(b) }

func (m members) rsa() (crypto.Signer, error) {
	names := []string{"n", "e", "d", "p", "q", "dp", "dq", "qi"}
	parts, err := m.bytes(names...)
	if err != nil {
		return nil, err
	}
	numbers := make([]*big.Int, len(names))
	for i, part := range parts {
		switch {
		case part != nil:
			numbers[i] = number(part)
		case i < 3:
			return nil, sealed.Malformed("its member " + names[i] + " is missing or damaged")
		}
	}
	n, e, d, p, q := numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
	if e.BitLen() > 31 {
		return nil, sealed.UnsupportedKey("RSA key with a public exponent of more than 31 bits")
	}
	crt := numbers[5:]
	if p == nil || q == nil {
		var ok bool
		if p, q, ok = factor(n, e, d); !ok {
			return nil, sealed.Malformed("its members n, e and d do not match each other")
		}
		crt = nil // which of the two primes they belong to is not known
	}
	return check.RSA(&rsa.PrivateKey{PublicKey: rsa.PublicKey{N: n, E: int(e.Int64())}, D: d, Primes: []*big.Int{p, q}}, crt...)
}

// factor finds the primes of an RSA key from its exponents (NIST SP 800-56B, appendix C.1).
func factor(n, e, d *big.Int) (p, q *big.Int, ok bool) {
	if n.BitLen() > 16384 || d.Cmp(n) >= 0 || e.BitLen() > 32 || n.Bit(0) == 0 || n.BitLen() < 512 {
		return nil, nil, false
	}
	one := big.NewInt(1)
	r := new(big.Int).Mul(d, e)
	r.Sub(r, one)
	if r.Sign() <= 0 || r.Bit(0) == 1 {
		return nil, nil, false
	}
	twos := r.TrailingZeroBits()
	r.Rsh(r, twos)
	minusOne := new(big.Int).Sub(n, one)
	for _, base := range []int64{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53} {
		y := new(big.Int).Exp(big.NewInt(base), r, n)
		for range twos {
			if y.Cmp(one) == 0 || y.Cmp(minusOne) == 0 {
				break
			}
			next := new(big.Int).Mul(y, y)
			if next.Mod(next, n); next.Cmp(one) == 0 {
				p = new(big.Int).GCD(nil, nil, new(big.Int).Sub(y, one), n)
				q = new(big.Int).Div(n, p)
				return p, q, new(big.Int).Mul(p, q).Cmp(n) == 0
			}
			y = next
		}
	}
	return nil, nil, false
}
