// Package jws knows the signature methods of tokens, and signs with one key in the compact form (RFC 7515, section 7.1). It must never
// know what stands in a header or a payload, but for alg, nor where a key comes from.
package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seed-363d07a3/jwtbearer/internal/problem"
)

// A family is what the methods of one kind of signature share.
type family int

const (
	familyHMAC family = iota
	familyRSA
	familyPSS
	familyECDSA
	familyEd25519
)

// A Method is a signature method. The zero value is none.
type Method struct {
	Name   string // the alg of a token
	family family
	hash   crypto.Hash       // zero for Ed25519, which hashes itself
	jwt    jwt.SigningMethod // of HMAC only for verifying: signing is ours
}

// methods is in the order in which errors list them. It is only read.
var methods = []Method{
	{"HS256", familyHMAC, crypto.SHA256, jwt.SigningMethodHS256},
	{"HS384", familyHMAC, crypto.SHA384, jwt.SigningMethodHS384},
	{"HS512", familyHMAC, crypto.SHA512, jwt.SigningMethodHS512},
	{"RS256", familyRSA, crypto.SHA256, jwt.SigningMethodRS256},
	{"RS384", familyRSA, crypto.SHA384, jwt.SigningMethodRS384},
	{"RS512", familyRSA, crypto.SHA512, jwt.SigningMethodRS512},
	{"PS256", familyPSS, crypto.SHA256, strict(jwt.SigningMethodPS256)},
	{"PS384", familyPSS, crypto.SHA384, strict(jwt.SigningMethodPS384)},
	{"PS512", familyPSS, crypto.SHA512, strict(jwt.SigningMethodPS512)},
	{"ES256", familyECDSA, crypto.SHA256, jwt.SigningMethodES256},
	{"ES384", familyECDSA, crypto.SHA384, jwt.SigningMethodES384},
	{"ES512", familyECDSA, crypto.SHA512, jwt.SigningMethodES512},
	{"EdDSA", familyEd25519, 0, jwt.SigningMethodEdDSA},
	{"Ed25519", familyEd25519, 0, jwt.SigningMethodEdDSA},
}

// strict is a PSS method that verifies with the salt that it signs with, as long as the hash (RFC 7518, section 3.5); golang-jwt's takes
// one of any length.
func strict(m *jwt.SigningMethodRSAPSS) jwt.SigningMethod {
	s := *m
	s.VerifyOptions = nil
	return &s
}

// Parse returns the method that a text names: by its alg in any case, or by the long name that integration platforms have for it,
// such as hmac-sha256, rsa-sha384, rsa-pss-sha256 or ecdsa-sha512.
func Parse(text string) (Method, error) {
	name := strings.ToLower(strings.TrimSpace(text))
	for _, a := range methods {
		if name == strings.ToLower(a.Name) || slices.Contains(a.longNames(), name) {
			return a, nil
		}
	}
	return Method{}, unknownMethod(text)
}

// Exactly returns the method of that alg, as it is spelt in a token (RFC 7515, section 4.1.1).
func Exactly(alg string) (Method, bool) {
	i := slices.IndexFunc(methods, func(a Method) bool { return a.Name == alg })
	if i < 0 {
		return Method{}, false
	}
	return methods[i], true
}

func unknownMethod(method string) *problem.Error {
	e := &problem.Error{Hint: "use one of " + alternatives(Names())}
	switch {
	case method == "":
		e.Problem = "no signature method"
	case len(method) > 32: // not a name: something else was put there, perhaps a key
		e.Problem = fmt.Sprintf("unknown signature method of %d characters", len(method))
	default:
		e.Problem = fmt.Sprintf("unknown signature method %q", method)
	}
	return e
}

// longNames are the names that say what the signature is made of.
func (a Method) longNames() []string {
	if a.family == familyEd25519 {
		return nil
	}
	sha := "-sha" + strconv.Itoa(a.hash.Size()*8)
	switch a.family {
	case familyHMAC:
		return []string{"hmac" + sha}
	case familyRSA:
		return []string{"rsa" + sha}
	case familyPSS:
		return []string{"rsa-pss" + sha, "rsapss" + sha, "rsassa-pss" + sha}
	default:
		return []string{"ecdsa" + sha}
	}
}

// Names are the algs of all methods; none is not one of them.
func Names() []string {
	names := make([]string, len(methods))
	for i, a := range methods {
		names[i] = a.Name
	}
	return names
}

// alternatives lists names for an error: "HS256, HS384 or HS512".
func alternatives(names []string) string {
	last := len(names) - 1
	if last <= 0 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// curve returns the curve of an ECDSA method (RFC 7518, section 3.4).
func (a Method) curve() elliptic.Curve {
	switch a.hash {
	case crypto.SHA256:
		return elliptic.P256()
	case crypto.SHA384:
		return elliptic.P384()
	default:
		return elliptic.P521()
	}
}

// Fits reports whether a public key is of the kind that the method is for, and on its curve. No public key is of the kind that
// HMAC takes.
func (a Method) Fits(pub crypto.PublicKey) bool {
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		return pub != nil && pub.N != nil && (a.family == familyRSA || a.family == familyPSS)
	case *ecdsa.PublicKey:
		return pub != nil && a.family == familyECDSA && pub.Curve == a.curve()
	case ed25519.PublicKey:
		return len(pub) == ed25519.PublicKeySize && a.family == familyEd25519
	}
	return false
}

// SecretSize is how long a secret must be at least, in bytes (RFC 7518, section 3.2); zero: the method takes none.
func (a Method) SecretSize() int {
	if a.family != familyHMAC {
		return 0
	}
	return a.hash.Size()
}

// Verify checks a signature with a public key that the method fits, or with a secret.
func (a Method) Verify(signed string, signature []byte, key any) error {
	return a.jwt.Verify(signed, signature, key)
}

// OtherSalt reports whether a signature that Verify refuses is right but for the length of its salt, which some KMS make as long as fits.
func (a Method) OtherSalt(signed string, signature []byte, key any) bool {
	return a.family == familyPSS && jwt.GetSigningMethod(a.Name).Verify(signed, signature, key) == nil
}

// accepts says why a key with the public half pub cannot be used with a; nil: it can.
func (a Method) accepts(pub crypto.PublicKey, weak bool) *problem.Error {
	if !a.Fits(pub) {
		return a.misfit(pub)
	}
	if pub, ok := pub.(*rsa.PublicKey); ok {
		return a.acceptsRSA(pub.N.BitLen(), weak)
	}
	return nil
}

// acceptsRSA holds RSA keys to RFC 7518, sections 3.3 and 3.5, where weak ones are not allowed, and never lets a key of
// under 1024 bits pass, which crypto/rsa refuses too.
func (a Method) acceptsRSA(bits int, weak bool) *problem.Error {
	const (
		hint  = "make a new key of at least 2048 bits and register its public half with the API"
		found = "the RSA key has only %d bits, and %s wants 2048 (RFC 7518, sections 3.3 and 3.5)"
	)
	switch {
	case bits < 1024:
		return &problem.Error{Problem: fmt.Sprintf(found, bits, a.Name), Hint: hint}
	case bits < 2048 && !weak:
		return &problem.Error{Problem: fmt.Sprintf(found, bits, a.Name), Hint: hint + ", or set AllowWeakKey of the Connection"}
	case a.family == familyPSS && (bits+6)/8 < 2*a.hash.Size()+2: // RFC 8017, section 9.1.1, step 3
		return &problem.Error{Problem: fmt.Sprintf("an RSA key of %d bits is too short for %s", bits, a.Name), Hint: hint}
	}
	return nil
}

// AllowedBy says why a key of id-RSASSA-PSS, with what its parameters allow, cannot be used with a (RFC 4055, sections 1.2 and 3.1);
// nil: it can, or pss is nil and the key not restricted. The error is a *problem.Error.
func (a Method) AllowedBy(pss *rsa.PSSOptions) error {
	switch {
	case pss == nil:
		return nil
	case pss.Hash != 0 && a.family == familyPSS && a.hash == pss.Hash && a.hash.Size() < pss.SaltLength:
		return &problem.Error{Problem: fmt.Sprintf("the key wants salts of at least %d bytes (RFC 4055, section 3.1), and those of %s have %d (RFC 7518, section 3.5)",
			pss.SaltLength, a.Name, a.hash.Size()), Hint: hintUnrestricted}
	case a.family == familyPSS && (pss.Hash == 0 || pss.Hash == a.hash):
		return nil
	}
	e := &problem.Error{Problem: a.Name + " with a key for RSASSA-PSS alone (id-RSASSA-PSS; RFC 4055, section 1.2)", Hint: "use PS256, PS384 or PS512"}
	if pss.Hash != 0 {
		e.Problem = fmt.Sprintf("%s with a key for RSASSA-PSS with %s alone (id-RSASSA-PSS; RFC 4055, section 1.2)", a.Name, pss.Hash)
		e.Hint = hintUnrestricted
		for _, m := range methods {
			if m.family == familyPSS && m.hash == pss.Hash && m.hash.Size() >= pss.SaltLength {
				e.Hint = "use " + m.Name
			}
		}
	}
	return e
}

const hintUnrestricted = "make a new key of the type RSA, without parameters, and register its public half with the API"

// misfit says which methods the key would fit.
func (a Method) misfit(pub crypto.PublicKey) *problem.Error {
	kind, fits := describeKey(pub, a.hash)
	e := &problem.Error{Problem: fmt.Sprintf("%s with %s", a.Name, kind)}
	if len(fits) > 0 {
		e.Hint = "use " + alternatives(fits)
	} else {
		e.Hint = "use an RSA key of at least 2048 bits, an EC key on P-256, P-384 or P-521, or an Ed25519 key"
	}
	return e
}

// describeKey names the kind of a key by its public half, and the methods that take it, of those with the given hash where
// there is a choice.
func describeKey(pub crypto.PublicKey, hash crypto.Hash) (kind string, fits []string) {
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		if pub != nil && pub.N != nil {
			return fmt.Sprintf("an RSA key of %d bits", pub.N.BitLen()), methodsOfRSA(hash)
		}
	case *ecdsa.PublicKey:
		if pub != nil && pub.Curve != nil {
			return "an EC " + pub.Curve.Params().Name + " key", methodsOfCurve(pub.Curve)
		}
	case ed25519.PublicKey:
		return "an Ed25519 key", []string{"EdDSA", "Ed25519"}
	}
	return fmt.Sprintf("a key whose public half is %T", pub), nil
}

func methodsOfRSA(hash crypto.Hash) []string {
	size := "256"
	if hash != 0 {
		size = strconv.Itoa(hash.Size() * 8)
	}
	return []string{"RS" + size, "PS" + size}
}

func methodsOfCurve(c elliptic.Curve) []string {
	for _, a := range methods {
		if a.family == familyECDSA && a.curve() == c {
			return []string{a.Name}
		}
	}
	return nil
}
