// Package jwk reads private keys in the JSON Web Key format (RFC 7517) with go-jose, and fills in what that leaves open: RSA
// keys without primes, coordinates that lost their leading zeros, public halves that are missing or belong to another key.
package jwk

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"

	jose "github.com/go-jose/go-jose/v4"

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
	if err := m.complete(); err != nil {
		return nil, err
	}
	whole, err := json.Marshal(m)
	if err != nil {
		return nil, sealed.Malformed("it cannot be read as JSON")
	}
	var key jose.JSONWebKey
	if err := key.UnmarshalJSON(whole); err != nil {
		return nil, sealed.Malformed("its members do not match each other, or are not a valid key")
	}
	return check.Signer(key.Key)
}

type members map[string]string

// complete names what cannot be read, and adds what can be computed.
func (m members) complete() error {
	switch m["kty"] {
	case "oct":
		return ErrSymmetric
	case "RSA":
		return m.completeRSA()
	case "EC":
		return m.completeEC()
	case "OKP":
		return m.completeOKP()
	}
	return &sealed.UnsupportedError{What: "a JWK of this key type (kty)"}
}

func (m members) completeOKP() error {
	switch {
	case m["crv"] == "Ed448" || m["crv"] == "X25519" || m["crv"] == "X448":
		return &sealed.UnsupportedError{What: "key type " + m["crv"]}
	case m["crv"] != "Ed25519":
		return &sealed.UnsupportedError{What: "a JWK of this curve (crv)"}
	case m["d"] == "":
		return ErrPublic
	}
	seed, err := base64.RawURLEncoding.DecodeString(m["d"])
	if err != nil || len(seed) != ed25519.SeedSize {
		return sealed.Malformed("its private part d is damaged or incomplete: it does not have 32 bytes")
	}
	if m["x"] == "" {
		m.set("x", ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey))
	}
	return nil
}

var curves = map[string]struct {
	curve elliptic.Curve
	ecdh  func() ecdh.Curve
	size  int
}{
	"P-256": {elliptic.P256(), ecdh.P256, 32},
	"P-384": {elliptic.P384(), ecdh.P384, 48},
	"P-521": {elliptic.P521(), ecdh.P521, 66},
}

func (m members) completeEC() error {
	curve, ok := curves[m["crv"]]
	switch {
	case m["crv"] == "secp256k1" || m["crv"] == "P-256K":
		return &sealed.UnsupportedError{What: "curve secp256k1"}
	case m["crv"] == "P-224" || m["crv"] == "P-192":
		return &sealed.UnsupportedError{What: "curve " + m["crv"]}
	case !ok:
		return &sealed.UnsupportedError{What: "a JWK of this curve (crv)"}
	case m["d"] == "":
		return ErrPublic
	}
	for _, name := range []string{"x", "y", "d"} {
		if err := m.pad(name, curve.size); err != nil {
			return err
		}
	}
	if m["x"] != "" && m["y"] != "" {
		return nil
	}
	scalar, _ := base64.RawURLEncoding.DecodeString(m["d"])
	private, err := ecdsa.ParseRawPrivateKey(curve.curve, scalar)
	if err != nil {
		return sealed.Malformed("its private part d is not a valid key of its curve")
	}
	point, err := private.PublicKey.Bytes()
	if err != nil {
		return sealed.Malformed("its private part d is not a valid key of its curve")
	}
	given := map[string]string{"x": m["x"], "y": m["y"]}
	m.set("x", point[1:1+curve.size])
	m.set("y", point[1+curve.size:])
	for name, value := range given {
		if value != "" && value != m[name] {
			return &check.MismatchError{What: "the public half does not match the private half"}
		}
	}
	return nil
}

// pad brings a number to the length that RFC 7518, section 6.2.1.2, asks for.
func (m members) pad(name string, size int) error {
	if m[name] == "" {
		return nil
	}
	b, err := base64.RawURLEncoding.DecodeString(m[name])
	n := new(big.Int).SetBytes(b)
	if err != nil || n.BitLen() > size*8 {
		return sealed.Malformed("its member " + name + " is damaged: not a number of its curve")
	}
	m.set(name, n.FillBytes(make([]byte, size)))
	return nil
}

func (m members) set(name string, value []byte) {
	m[name] = base64.RawURLEncoding.EncodeToString(value)
}

func (m members) completeRSA() error {
	if m["d"] == "" {
		return ErrPublic
	}
	var numbers [3]*big.Int
	for i, name := range []string{"n", "e", "d"} {
		b, err := base64.RawURLEncoding.DecodeString(m[name])
		if err != nil || len(b) == 0 {
			return sealed.Malformed("its member " + name + " is missing or damaged")
		}
		numbers[i] = new(big.Int).SetBytes(b)
	}
	if m["p"] != "" && m["q"] != "" {
		return nil
	}
	p, q, ok := factor(numbers[0], numbers[1], numbers[2])
	if !ok {
		return sealed.Malformed("its members n, e and d do not match each other")
	}
	m.set("p", p.Bytes())
	m.set("q", q.Bytes())
	delete(m, "dp")
	delete(m, "dq")
	delete(m, "qi")
	return nil
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
