package verify

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/internal/jws"
)

// A jwk is what a JSON Web Key says of its use, and the members of the public keys that are known here (RFC 7518, section 6; RFC 8037).
// The certificates in it (x5c) are not asked, so that a damaged one costs no key. A member that is null counts as absent.
type jwk struct {
	Use string                    `json:"use"`
	Ops []string                  `json:"key_ops"`
	Alg jwtbearer.SignatureMethod `json:"alg"`
	ID  string                    `json:"kid"`

	Type  string `json:"kty"`
	Curve string `json:"crv"`
	X     string `json:"x"`
	Y     string `json:"y"`
	N     string `json:"n"`
	E     string `json:"e"`
	D     any    `json:"d"` // of a private key
}

func readJWK(item json.RawMessage) (kid string, _ key, err error) {
	var k jwk
	if err := json.Unmarshal(item, &k); err != nil {
		return "", key{}, errors.New("a JWK has a member of the wrong type")
	}
	switch {
	case k.Type == "oct":
		return k.ID, key{}, errors.New("a secret (kty oct) that is published is none")
	case k.D != nil:
		return k.ID, key{}, errors.New("a private key that is published is nobody's")
	case k.Use != "" && k.Use != "sig", k.Ops != nil && !slices.Contains(k.Ops, "verify"): // RFC 7517, sections 4.2 and 4.3
		return k.ID, key{}, errors.New("a JWK is not for signatures")
	}
	public, err := k.public()
	if err == nil {
		err = usable(public)
	}
	if err != nil {
		return k.ID, key{}, err
	}
	if m, known := jws.Exactly(string(k.Alg)); k.Alg != "" && (!known || !m.Fits(public)) {
		return k.ID, key{}, errors.New("the alg of a JWK is not a signature method of its kind")
	}
	return k.ID, key{id: k.ID, alg: k.Alg, public: public}, nil
}

// public makes the key of its members.
func (k *jwk) public() (crypto.PublicKey, error) {
	switch k.Type {
	case "RSA":
		return k.rsa()
	case "EC":
		return k.ec()
	case "OKP":
		x, err := number("x", k.X)
		if err != nil {
			return nil, err
		}
		if k.Curve != "Ed25519" || len(x) != ed25519.PublicKeySize {
			return nil, errors.New("an OKP key wants the curve Ed25519 and an x of 32 bytes")
		}
		return ed25519.PublicKey(x), nil
	}
	return nil, errors.New("a JWK is of a kind (kty) that is not known")
}

func (k *jwk) rsa() (crypto.PublicKey, error) {
	n, err := number("n", k.N)
	if err != nil {
		return nil, err
	}
	e, err := number("e", k.E)
	if err != nil {
		return nil, err
	}
	exponent := new(big.Int).SetBytes(e)
	if exponent.BitLen() > 31 {
		return nil, errors.New("an RSA key has a public exponent of more than 31 bits")
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}, nil
}

var curves = map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}

func (k *jwk) ec() (crypto.PublicKey, error) {
	curve := curves[k.Curve]
	if curve == nil {
		return nil, errors.New("an EC key wants a curve (crv) of P-256, P-384 or P-521")
	}
	size := (curve.Params().BitSize + 7) / 8
	point := []byte{4} // uncompressed (SEC 1, section 2.3.3)
	for _, member := range [][2]string{{"x", k.X}, {"y", k.Y}} {
		c, err := number(member[0], member[1])
		if err != nil {
			return nil, err
		}
		if len(c) > size {
			return nil, fmt.Errorf("the %s of an EC key has %d bytes, more than %d", member[0], len(c), size)
		}
		point = append(append(point, make([]byte, size-len(c))...), c...) // some writers drop zeros at the front
	}
	public, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	if err != nil {
		return nil, errors.New("an EC key is not a point of its curve")
	}
	return public, nil
}

// number decodes a member in base64url without padding (RFC 7518, section 2).
func number(name, text string) ([]byte, error) {
	switch {
	case text == "":
		return nil, fmt.Errorf("a JWK has no %s", name)
	case strings.ContainsAny(text, "+/="):
		return nil, fmt.Errorf("the %s of a JWK is in base64 with + and / or the padding =, and not in base64url without padding (RFC 7518, section 2)", name)
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("the %s of a JWK is damaged: it is not base64url", name)
	}
	return b, nil
}
