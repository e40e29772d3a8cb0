package check

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
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

var curves = map[string]elliptic.Curve{
	"1.2.840.10045.3.1.7": elliptic.P256(),
	"1.3.132.0.34":        elliptic.P384(),
	"1.3.132.0.35":        elliptic.P521(),
}

var otherCurves = map[string]string{
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
// It reads RSA keys under the OID of RSASSA-PSS too. Types that have no place in a JWT are refused by name: DSA, Ed448, X25519.
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
		return nil, errHalves()
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
		return nil, &sealed.UnsupportedError{What: name}
	}
	return nil, &sealed.UnsupportedError{What: "private key of an unknown type" + oidName(oid)}
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
	if len(raw) == ed25519.SeedSize {
		return ed25519.NewKeyFromSeed(raw), nil
	}
	return checkEd25519(raw)
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
	if err := checkRSASize(k.N); err != nil {
		return nil, err
	}
	key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: k.N, E: k.E}, D: k.D, Primes: []*big.Int{k.P, k.Q}}
	for _, prime := range k.AdditionalPrimes {
		key.Primes = append(key.Primes, prime.Prime)
	}
	signer, err := checkRSA(key)
	if err != nil {
		return nil, err
	}
	// The numbers that only speed a signature up are made anew; wrong ones mean that the file was damaged all the same.
	pre := key.Precomputed
	if k.DP.Cmp(pre.Dp) != 0 || k.DQ.Cmp(pre.Dq) != 0 || k.QInv.Cmp(pre.Qinv) != 0 {
		return nil, &MismatchError{What: "the CRT values of the RSA key do not match its primes"}
	}
	return signer, nil
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
	// RFC 5915 asks for as many bytes as the order of the curve has; writers drop zeros at the front, or add some.
	size := (curve.Params().N.BitLen() + 7) / 8
	scalar := bytes.TrimLeft(k.PrivateKey, "\x00")
	if len(scalar) > size {
		return nil, &MismatchError{What: "the private number is out of the range of its curve"}
	}
	key, err := ecdsa.ParseRawPrivateKey(curve, append(make([]byte, size-len(scalar), size), scalar...))
	if err != nil {
		return nil, &MismatchError{What: "the private number is out of the range of its curve"}
	}
	last, err := tail(der, 2, "elliptic curve private key", 0xa0, 0xa1)
	if err != nil {
		return nil, err
	}
	given := last.Class == asn1.ClassContextSpecific && last.Tag == 1
	if public := k.PublicKey; given != (public.BitLength > 0) || given && !fitsPoint(key, public.RightAlign()) {
		return nil, errHalves()
	}
	return key, nil
}

// curve finds the curve in the key or in what stands beside it. Both must agree.
func (k *ecPrivateKey) curve(params []byte) (elliptic.Curve, error) {
	inner := k.Parameters.Bytes // what the explicit tag wraps
	if len(inner) == 0 && len(params) == 0 {
		return nil, sealed.Malformed("the elliptic curve private key does not name its curve")
	}
	if len(inner) > 0 && len(params) > 0 && !bytes.Equal(inner, params) {
		return nil, &MismatchError{What: "the key names two different curves"}
	}
	if len(inner) == 0 {
		inner = params
	}
	if inner[0] == 0x30 {
		return nil, &sealed.UnsupportedError{What: "elliptic curve given by its numbers rather than by its name"}
	}
	var oid asn1.ObjectIdentifier
	if err := unmarshal(inner, &oid, "name of the elliptic curve"); err != nil {
		return nil, err
	}
	curve, ok := curves[oid.String()]
	if !ok {
		if name, ok := otherCurves[oid.String()]; ok {
			return nil, &sealed.UnsupportedError{What: "elliptic curve " + name}
		}
		return nil, &sealed.UnsupportedError{What: "elliptic curve of an unknown name" + oidName(oid.String())}
	}
	return curve, nil
}

// fitsPoint compares a key with a point in any encoding of SEC 1, section 2.3.3: uncompressed, compressed or hybrid.
func fitsPoint(key *ecdsa.PrivateKey, point []byte) bool {
	want, err := key.PublicKey.Bytes()
	if err != nil || len(point) == 0 {
		return false
	}
	parity := want[len(want)-1] & 1
	switch point[0] {
	case 2 | parity:
		return bytes.Equal(point[1:], want[1:1+len(want)/2])
	case 4, 6 | parity:
		return bytes.Equal(point[1:], want[1:])
	}
	return false
}

// unmarshal reads the DER value at the beginning of der.
func unmarshal(der []byte, into any, what string) error {
	der, err := sealed.Whole(der)
	if err != nil {
		return err
	}
	if len(der) > maxSize {
		return &sealed.UnsupportedError{What: fmt.Sprintf("%s of %d bytes, which is more than %d", what, len(der), maxSize)}
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
