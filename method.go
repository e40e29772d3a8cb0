package jwtbearer

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

// A SignatureMethod is the alg of a token (RFC 7518, section 3.1; RFC 8037, section 3.1; RFC 9864, section 2.2).
type SignatureMethod string

const (
	HS256   SignatureMethod = "HS256"
	HS384   SignatureMethod = "HS384"
	HS512   SignatureMethod = "HS512"
	RS256   SignatureMethod = "RS256"
	RS384   SignatureMethod = "RS384"
	RS512   SignatureMethod = "RS512"
	PS256   SignatureMethod = "PS256"
	PS384   SignatureMethod = "PS384"
	PS512   SignatureMethod = "PS512"
	ES256   SignatureMethod = "ES256"
	ES384   SignatureMethod = "ES384"
	ES512   SignatureMethod = "ES512"
	EdDSA   SignatureMethod = "EdDSA"
	Ed25519 SignatureMethod = "Ed25519"
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

// algorithm is a SignatureMethod taken apart.
type algorithm struct {
	name   SignatureMethod
	family family
	hash   crypto.Hash       // zero for Ed25519, which hashes itself
	jwt    jwt.SigningMethod // nil for HMAC, which is ours
}

// algorithms is in the order in which errors list them. It is only read.
var algorithms = []algorithm{
	{HS256, familyHMAC, crypto.SHA256, nil},
	{HS384, familyHMAC, crypto.SHA384, nil},
	{HS512, familyHMAC, crypto.SHA512, nil},
	{RS256, familyRSA, crypto.SHA256, jwt.SigningMethodRS256},
	{RS384, familyRSA, crypto.SHA384, jwt.SigningMethodRS384},
	{RS512, familyRSA, crypto.SHA512, jwt.SigningMethodRS512},
	{PS256, familyPSS, crypto.SHA256, jwt.SigningMethodPS256},
	{PS384, familyPSS, crypto.SHA384, jwt.SigningMethodPS384},
	{PS512, familyPSS, crypto.SHA512, jwt.SigningMethodPS512},
	{ES256, familyECDSA, crypto.SHA256, jwt.SigningMethodES256},
	{ES384, familyECDSA, crypto.SHA384, jwt.SigningMethodES384},
	{ES512, familyECDSA, crypto.SHA512, jwt.SigningMethodES512},
	{EdDSA, familyEd25519, 0, jwt.SigningMethodEdDSA},
	{Ed25519, familyEd25519, 0, jwt.SigningMethodEdDSA},
}

// canonical returns the alg that m names: one of the constants in any case, or the long name that integration platforms
// have for it, such as hmac-sha256, rsa-sha384, rsa-pss-sha256 or ecdsa-sha512.
func (m SignatureMethod) canonical() (SignatureMethod, bool) {
	a, ok := m.algorithm()
	return a.name, ok
}

func (m SignatureMethod) algorithm() (algorithm, bool) {
	name := strings.ToLower(strings.TrimSpace(string(m)))
	for _, a := range algorithms {
		if name == strings.ToLower(string(a.name)) || slices.Contains(a.longNames(), name) {
			return a, true
		}
	}
	return algorithm{}, false
}

// longNames are the names that say what the signature is made of.
func (a algorithm) longNames() []string {
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

// knownMethods lists all methods for an error: "HS256, HS384, ..., EdDSA or Ed25519".
func knownMethods() string {
	names := make([]string, len(algorithms))
	for i, a := range algorithms {
		names[i] = string(a.name)
	}
	return alternatives(names)
}

func alternatives(names []string) string {
	last := len(names) - 1
	if last <= 0 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// curve returns the curve of an ECDSA method (RFC 7518, section 3.4).
func (a algorithm) curve() elliptic.Curve {
	switch a.hash {
	case crypto.SHA256:
		return elliptic.P256()
	case crypto.SHA384:
		return elliptic.P384()
	default:
		return elliptic.P521()
	}
}

// accepts tells why a key with the public half pub cannot be used with a, or nil.
func (a algorithm) accepts(pub crypto.PublicKey, weak bool) *problem.Error {
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		if pub != nil && pub.N != nil && (a.family == familyRSA || a.family == familyPSS) {
			return a.acceptsRSA(pub.N.BitLen(), weak)
		}
	case *ecdsa.PublicKey:
		if pub != nil && a.family == familyECDSA && pub.Curve == a.curve() {
			return nil
		}
	case ed25519.PublicKey:
		if len(pub) == ed25519.PublicKeySize && a.family == familyEd25519 {
			return nil
		}
	}
	return a.misfit(pub)
}

// acceptsRSA holds RSA keys to RFC 7518, sections 3.3 and 3.5, where weak ones are not allowed, and never lets a key of
// under 1024 bits pass, which crypto/rsa refuses too.
func (a algorithm) acceptsRSA(bits int, weak bool) *problem.Error {
	const (
		hint  = "make a new key of at least 2048 bits and register its public half with the API"
		found = "the RSA key has only %d bits, and %s wants 2048 (RFC 7518, sections 3.3 and 3.5)"
	)
	switch {
	case bits < 1024:
		return &problem.Error{Problem: fmt.Sprintf(found, bits, a.name), Hint: hint}
	case bits < 2048 && !weak:
		return &problem.Error{Problem: fmt.Sprintf(found, bits, a.name), Hint: hint + ", or set AllowWeakKey of the Connection"}
	case a.family == familyPSS && (bits+6)/8 < 2*a.hash.Size()+2: // RFC 8017, section 9.1.1, step 3
		return &problem.Error{Problem: fmt.Sprintf("an RSA key of %d bits is too short for %s", bits, a.name), Hint: hint}
	}
	return nil
}

// misfit says which methods the key would fit.
func (a algorithm) misfit(pub crypto.PublicKey) *problem.Error {
	kind, fits := describeKey(pub, a.hash)
	e := &problem.Error{Problem: fmt.Sprintf("%s with %s", a.name, kind)}
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
		return "an Ed25519 key", []string{string(EdDSA), string(Ed25519)}
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
	for _, a := range algorithms {
		if a.family == familyECDSA && a.curve() == c {
			return []string{string(a.name)}
		}
	}
	return nil
}
