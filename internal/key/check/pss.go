package check

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"

	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

// PSSKey is an RSA key under the OID id-RSASSA-PSS, which is for that scheme alone (RFC 4055, section 1.2).
type PSSKey struct {
	*rsa.PrivateKey

	// PSS is what its parameters allow: a zero Hash any hash and any salt, else that hash, for the mask too, with a salt of
	// SaltLength bytes at least.
	PSS *rsa.PSSOptions
}

const oidMGF1 = "1.2.840.113549.1.1.8"

// pssParameters is RSASSA-PSS-params (RFC 4055, section 3.1). What is left out has a default.
type pssParameters struct {
	Hash    pkix.AlgorithmIdentifier `asn1:"optional,explicit,tag:0"`
	Mask    pkix.AlgorithmIdentifier `asn1:"optional,explicit,tag:1"`
	Salt    int                      `asn1:"optional,explicit,tag:2,default:20"`
	Trailer int                      `asn1:"optional,explicit,tag:3,default:1"`
}

var pssHashes = map[string]crypto.Hash{
	"":                        crypto.SHA1, // the default
	"1.3.14.3.2.26":           crypto.SHA1,
	"2.16.840.1.101.3.4.2.4":  crypto.SHA224,
	"2.16.840.1.101.3.4.2.1":  crypto.SHA256,
	"2.16.840.1.101.3.4.2.2":  crypto.SHA384,
	"2.16.840.1.101.3.4.2.3":  crypto.SHA512,
	"2.16.840.1.101.3.4.2.5":  crypto.SHA512_224,
	"2.16.840.1.101.3.4.2.6":  crypto.SHA512_256,
	"2.16.840.1.101.3.4.2.8":  crypto.SHA3_256,
	"2.16.840.1.101.3.4.2.9":  crypto.SHA3_384,
	"2.16.840.1.101.3.4.2.10": crypto.SHA3_512,
}

// pssOptions reads the parameters of id-RSASSA-PSS. Absent or NULL, they allow all.
func pssOptions(params asn1.RawValue) (*rsa.PSSOptions, error) {
	if len(params.FullBytes) == 0 || bytes.Equal(params.FullBytes, asn1.NullBytes) {
		return &rsa.PSSOptions{}, nil
	}
	var p pssParameters
	rest, err := asn1.Unmarshal(params.FullBytes, &p)
	if err != nil || len(rest) > 0 || p.Salt < 0 || p.Trailer != 1 {
		return nil, sealed.Malformed("the parameters of the RSA-PSS key cannot be read")
	}
	hash, known := pssHashes[oidOf(p.Hash)]
	if !known {
		return nil, sealed.UnsupportedKey("RSA-PSS key for a hash" + oidName(oidOf(p.Hash)) + " that no method of JSON web tokens has")
	}
	mask := pkix.AlgorithmIdentifier{}
	if name := oidOf(p.Mask); name != "" {
		if _, err := asn1.Unmarshal(p.Mask.Parameters.FullBytes, &mask); name != oidMGF1 || err != nil {
			return nil, sealed.UnsupportedKey("RSA-PSS key with another mask generation function than MGF1")
		}
	}
	if pssHashes[oidOf(mask)] != hash { // RFC 7518, section 3.5
		return nil, sealed.UnsupportedKey("RSA-PSS key whose mask has another hash than its signature, which no method of JSON web tokens does")
	}
	return &rsa.PSSOptions{Hash: hash, SaltLength: p.Salt}, nil
}

// oidOf is the OID of an algorithm, or "" if it was left out.
func oidOf(a pkix.AlgorithmIdentifier) string {
	if len(a.Algorithm) == 0 {
		return ""
	}
	return a.Algorithm.String()
}

// restricted makes a PSSKey of an RSA key and the parameters of its OID.
func restricted(key crypto.Signer, params asn1.RawValue) (crypto.Signer, error) {
	pss, err := pssOptions(params)
	if err != nil {
		return nil, err
	}
	return &PSSKey{key.(*rsa.PrivateKey), pss}, nil
}

// PSSPublic reads a SubjectPublicKeyInfo of id-RSASSA-PSS, which crypto/x509 does not know. A nil key without an error: it is one of
// another type.
func PSSPublic(spki []byte) (*rsa.PublicKey, *rsa.PSSOptions, error) {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if rest, err := asn1.Unmarshal(spki, &info); err != nil || len(rest) > 0 || info.Algorithm.Algorithm.String() != oidRSAPSS {
		return nil, nil, nil
	}
	var key struct {
		N *big.Int
		E int
	}
	if rest, err := asn1.Unmarshal(info.Key.RightAlign(), &key); err != nil || len(rest) > 0 || key.N.Sign() <= 0 {
		return nil, nil, sealed.Malformed("the RSA-PSS public key cannot be read as ASN.1")
	}
	pss, err := pssOptions(info.Algorithm.Parameters)
	if err != nil {
		return nil, nil, err
	}
	return &rsa.PublicKey{N: key.N, E: key.E}, pss, nil
}
