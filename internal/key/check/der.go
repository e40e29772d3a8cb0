package check

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"

	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

// maxSize bounds what is looked at, in bytes: an RSA key of maxRSABits with its factors takes less than 10000.
const maxSize = 16 << 10

const (
	oidRSA     = "1.2.840.113549.1.1.1"
	oidRSAPSS  = "1.2.840.113549.1.1.10"
	oidEC      = "1.2.840.10045.2.1"
	oidEd25519 = "1.3.101.112"
)

// otherTypes are those that people have and that no JWS algorithm of this module takes.
var otherTypes = map[string]string{
	"1.3.101.110":             "X25519 key, which cannot sign",
	"1.3.101.111":             "X448 key, which cannot sign",
	"1.3.101.113":             "Ed448 key",
	"1.2.840.10040.4.1":       "DSA key",
	"1.2.840.113549.1.3.1":    "Diffie-Hellman key, which cannot sign",
	"1.2.840.113549.1.1.7":    "RSA-OAEP key, which cannot sign",
	"1.2.643.7.1.1.1.1":       "GOST key",
	"2.16.840.1.101.3.4.3.17": "ML-DSA-44 key",
	"2.16.840.1.101.3.4.3.18": "ML-DSA-65 key",
	"2.16.840.1.101.3.4.3.19": "ML-DSA-87 key",
}

// curveNames has the curves of which keys are made, and those that people have besides.
var curveNames = map[string]string{
	"1.2.840.10045.3.1.7":   "P-256",
	"1.3.132.0.34":          "P-384",
	"1.3.132.0.35":          "P-521",
	"1.2.840.10045.3.1.1":   "P-192",
	"1.3.132.0.33":          "P-224",
	"1.3.132.0.10":          "secp256k1",
	"1.3.36.3.3.2.8.1.1.7":  "brainpoolP256r1",
	"1.3.36.3.3.2.8.1.1.8":  "brainpoolP256t1",
	"1.3.36.3.3.2.8.1.1.11": "brainpoolP384r1",
	"1.3.36.3.3.2.8.1.1.12": "brainpoolP384t1",
	"1.3.36.3.3.2.8.1.1.13": "brainpoolP512r1",
	"1.3.36.3.3.2.8.1.1.14": "brainpoolP512t1",
	"1.2.156.10197.1.301":   "SM2",
}

// oneAsymmetricKey is RFC 5958, section 2.
type oneAsymmetricKey struct {
	Version    int
	Algorithm  pkix.AlgorithmIdentifier
	PrivateKey []byte
	Attributes asn1.RawValue  `asn1:"optional,tag:0"`
	PublicKey  asn1.BitString `asn1:"optional,tag:1"`
}

// PKCS8 reads a PrivateKeyInfo or OneAsymmetricKey (RFC 5208, RFC 5958) and checks it, with every public half that it holds.
// An RSA key under the OID of RSASSA-PSS is a *PSSKey. Types that have no place in a JWT are refused by name: DSA, Ed448, X25519.
// What follows the key in der is ignored.
func PKCS8(der []byte) (crypto.Signer, error) {
	var outer oneAsymmetricKey
	if err := unmarshal(der, &outer, "PKCS#8 private key"); err != nil {
		return nil, err
	}
	key, err := outer.inner()
	if err != nil {
		return nil, err
	}
	last, err := tail(der, 3, "PKCS#8 private key", 0xa0, 0x81, 0xa1)
	if err != nil {
		return nil, err
	}
	public := outer.PublicKey
	if last.Class == asn1.ClassContextSpecific && last.Tag == 1 && last.IsCompound { // EXPLICIT, as some write it
		if err := unmarshal(last.Bytes, &public, "public half of the PKCS#8 private key"); err != nil {
			return nil, err
		}
	}
	if public.BitLength > 0 && !fitsPublic(key, public.RightAlign()) {
		return nil, ErrHalves
	}
	if outer.Algorithm.Algorithm.String() == oidRSAPSS {
		return restricted(key, outer.Algorithm.Parameters)
	}
	return key, nil
}

// tail returns the last element of the sequence that der begins with. After the first ones only elements with these
// identifiers may follow, in their order: encoding/asn1 passes over all that it does not expect, and so over a public half
// whose identifier is damaged.
func tail(der []byte, first int, what string, identifiers ...byte) (last asn1.RawValue, err error) {
	var outer asn1.RawValue
	if err := unmarshal(der, &outer, what); err != nil {
		return last, err
	}
	for i, rest := 0, outer.Bytes; len(rest) > 0; i++ {
		identifier := rest[0]
		if rest, err = asn1.Unmarshal(rest, &last); err != nil {
			return last, sealed.Malformed("the " + what + " cannot be read as ASN.1")
		}
		if i < first {
			continue
		}
		at := bytes.IndexByte(identifiers, identifier)
		if at < 0 {
			return last, sealed.Malformed("the " + what + " ends in something that does not belong to it")
		}
		identifiers = identifiers[at+1:]
	}
	return last, nil
}

func (k *oneAsymmetricKey) inner() (crypto.Signer, error) {
	oid := k.Algorithm.Algorithm.String()
	switch oid {
	case oidRSA, oidRSAPSS:
		return PKCS1(k.PrivateKey)
	case oidEC:
		return SEC1(k.PrivateKey, k.Algorithm.Parameters.FullBytes)
	case oidEd25519:
		return curvePrivateKey(k.PrivateKey)
	}
	if name, ok := otherTypes[oid]; ok {
		return nil, sealed.UnsupportedKey(name)
	}
	return nil, sealed.UnsupportedKey("private key of an unknown type" + oidName(oid))
}

// fitsPublic compares a key with the public half in the form of a SubjectPublicKeyInfo's bit string.
func fitsPublic(signer crypto.Signer, public []byte) bool {
	switch key := signer.(type) {
	case *rsa.PrivateKey:
		var k struct {
			N *big.Int
			E int
		}
		_, err := asn1.Unmarshal(public, &k)
		return err == nil && k.N.Cmp(key.N) == 0 && k.E == key.E
	case *ecdsa.PrivateKey:
		return fitsPoint(key, public)
	case ed25519.PrivateKey:
		return bytes.Equal(key[ed25519.SeedSize:], public)
	}
	return false
}

// curvePrivateKey reads the CurvePrivateKey of RFC 8410, section 7. Some write both halves there; both are checked then.
func curvePrivateKey(der []byte) (crypto.Signer, error) {
	var raw []byte
	if err := unmarshal(der, &raw, "Ed25519 private key"); err != nil {
		return nil, err
	}
	if len(raw) == ed25519.PrivateKeySize {
		return Ed25519(raw[:ed25519.SeedSize], raw[ed25519.SeedSize:])
	}
	return Ed25519(raw, nil)
}

// rsaPrivateKey is RFC 8017, appendix A.1.2.
type rsaPrivateKey struct {
	Version          int
	N                *big.Int
	E                int
	D, P, Q, DP, DQ  *big.Int
	QInv             *big.Int
	AdditionalPrimes []otherPrime `asn1:"optional,omitempty"`
}

type otherPrime struct{ Prime, Exp, Coefficient *big.Int }

// PKCS1 reads an RSAPrivateKey (RFC 8017, appendix A.1.2) and checks it, with the numbers that only speed it up.
func PKCS1(der []byte) (crypto.Signer, error) {
	var k rsaPrivateKey
	if err := unmarshal(der, &k, "RSA private key"); err != nil {
		return nil, err
	}
	key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: k.N, E: k.E}, D: k.D, Primes: []*big.Int{k.P, k.Q}}
	for _, prime := range k.AdditionalPrimes {
		key.Primes = append(key.Primes, prime.Prime)
	}
	return RSA(key, k.DP, k.DQ, k.QInv)
}

// ecPrivateKey is RFC 5915, section 3.
type ecPrivateKey struct {
	Version    int
	PrivateKey []byte
	Parameters asn1.RawValue  `asn1:"optional,explicit,tag:0"`
	PublicKey  asn1.BitString `asn1:"optional,explicit,tag:1"`
}

// SEC1 reads an ECPrivateKey (RFC 5915) and checks it. The curve is the one that der names; where der names none it is that
// of params, the DER body of an EC PARAMETERS block, which may be nil. What follows the key in der is ignored.
func SEC1(der, params []byte) (crypto.Signer, error) {
	var k ecPrivateKey
	if err := unmarshal(der, &k, "elliptic curve private key"); err != nil {
		return nil, err
	}
	curve, err := k.curve(params)
	if err != nil {
		return nil, err
	}
	last, err := tail(der, 2, "elliptic curve private key", 0xa0, 0xa1)
	if err != nil {
		return nil, err
	}
	given := last.Class == asn1.ClassContextSpecific && last.Tag == 1
	if given != (k.PublicKey.BitLength > 0) {
		return nil, ErrHalves
	}
	var point []byte // RFC 5915, section 3: it may be left out
	if given {
		point = k.PublicKey.RightAlign()
	}
	return EC(curve, k.PrivateKey, point)
}

// curve finds the curve in the key or in what stands beside it. Both must agree.
func (k *ecPrivateKey) curve(params []byte) (name string, err error) {
	inner := k.Parameters.Bytes // what the explicit tag wraps
	switch {
	case len(inner) == 0 && len(params) == 0:
		return "", sealed.Malformed("the elliptic curve private key does not name its curve")
	case len(inner) == 0:
		inner = params
	case len(params) > 0 && !bytes.Equal(inner, params):
		return "", mismatch("the key names two different curves")
	}
	if inner[0] == 0x30 {
		return "", &sealed.UnsupportedError{What: "elliptic curve given by its numbers rather than by its name",
			Hint: "name it: openssl ec -in FILE -param_enc named_curve -out key.pem"}
	}
	var oid asn1.ObjectIdentifier
	if err := unmarshal(inner, &oid, "name of the elliptic curve"); err != nil {
		return "", err
	}
	name, ok := curveNames[oid.String()]
	if !ok {
		return "", sealed.UnsupportedKey("elliptic curve of an unknown name" + oidName(oid.String()))
	}
	return name, nil
}

// unmarshal reads the DER value at the beginning of der.
func unmarshal(der []byte, into any, what string) error {
	der, err := sealed.Whole(der)
	if err != nil {
		return err
	}
	if len(der) > maxSize {
		return sealed.Unsupported(fmt.Sprintf("%s of %d bytes, which is more than %d", what, len(der), maxSize))
	}
	if _, err := asn1.Unmarshal(der, into); err != nil {
		return sealed.Malformed("the " + what + " cannot be read as ASN.1")
	}
	return nil
}

func oidName(oid string) string {
	if len(oid) > 64 {
		return ""
	}
	return " (" + oid + ")"
}
