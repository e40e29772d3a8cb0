package verify

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seed-363d07a3/jwtbearer"
)

// A method is a SignatureMethod and what it verifies with.
type method struct {
	name   jwtbearer.SignatureMethod
	verify jwt.SigningMethod
	secret int            // the least length of a secret in bytes (RFC 7518, section 3.2); zero: not HMAC
	curve  elliptic.Curve // of ECDSA (RFC 7518, section 3.4); else nil
}

// methods are all that there are; none is not one of them. It is only read.
var methods = []method{
	{jwtbearer.HS256, jwt.SigningMethodHS256, 32, nil},
	{jwtbearer.HS384, jwt.SigningMethodHS384, 48, nil},
	{jwtbearer.HS512, jwt.SigningMethodHS512, 64, nil},
	{jwtbearer.RS256, jwt.SigningMethodRS256, 0, nil},
	{jwtbearer.RS384, jwt.SigningMethodRS384, 0, nil},
	{jwtbearer.RS512, jwt.SigningMethodRS512, 0, nil},
	{jwtbearer.PS256, jwt.SigningMethodPS256, 0, nil},
	{jwtbearer.PS384, jwt.SigningMethodPS384, 0, nil},
	{jwtbearer.PS512, jwt.SigningMethodPS512, 0, nil},
	{jwtbearer.ES256, jwt.SigningMethodES256, 0, elliptic.P256()},
	{jwtbearer.ES384, jwt.SigningMethodES384, 0, elliptic.P384()},
	{jwtbearer.ES512, jwt.SigningMethodES512, 0, elliptic.P521()},
	{jwtbearer.EdDSA, jwt.SigningMethodEdDSA, 0, nil},
	{jwtbearer.Ed25519, jwt.SigningMethodEdDSA, 0, nil},
}

// methodOf returns the method of exactly that name, as alg is spelt in a token (RFC 7515, section 4.1.1).
func methodOf(name jwtbearer.SignatureMethod) (method, bool) {
	i := slices.IndexFunc(methods, func(m method) bool { return m.name == name })
	if i < 0 {
		return method{}, false
	}
	return methods[i], true
}

// methodNames lists them for an error.
func methodNames() string {
	names := make([]string, len(methods))
	for i, m := range methods {
		names[i] = string(m.name)
	}
	return strings.Join(names, ", ")
}

// fits reports whether a public key is of the kind that the method verifies with. golang-jwt asks that too, but for the
// curve. No public key is of the kind that HMAC takes.
func (m method) fits(key crypto.PublicKey) bool {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(string(m.name), "RS") || strings.HasPrefix(string(m.name), "PS")
	case *ecdsa.PublicKey:
		return m.curve != nil && m.curve == key.Curve
	case ed25519.PublicKey:
		return m.verify == jwt.SigningMethodEdDSA
	}
	return false
}
