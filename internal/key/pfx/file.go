package pfx

import (
	"crypto"
	"crypto/hmac"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"hash"

	"github.com/seed-363d07a3/jwtbearer/internal/key/pbe"
	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

const (
	oidData          = "1.2.840.113549.1.7.1"
	oidSignedData    = "1.2.840.113549.1.7.2"
	oidEnvelopedData = "1.2.840.113549.1.7.3"
	oidEncryptedData = "1.2.840.113549.1.7.6"
	oidPBMAC1        = "1.2.840.113549.1.5.14"
	oidPBKDF2        = "1.2.840.113549.1.5.12"
)

// macHashes are the hashes of the MAC of RFC 7292, section 4.
var macHashes = map[string]crypto.Hash{
	"1.2.840.113549.2.5":     crypto.MD5,
	"1.3.14.3.2.26":          crypto.SHA1,
	"2.16.840.1.101.3.4.2.1": crypto.SHA256,
	"2.16.840.1.101.3.4.2.2": crypto.SHA384,
	"2.16.840.1.101.3.4.2.3": crypto.SHA512,
	"2.16.840.1.101.3.4.2.4": crypto.SHA224,
	"2.16.840.1.101.3.4.2.5": crypto.SHA512_224,
	"2.16.840.1.101.3.4.2.6": crypto.SHA512_256,
}

// pdu is the PFX of RFC 7292, section 4.
type pdu struct {
	Version  int
	AuthSafe contentInfo
	MAC      macData `asn1:"optional"`
}

type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"optional,explicit,tag:0"` // its Bytes are what the tag wraps
}

type macData struct {
	MAC struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}
	Salt       []byte
	Iterations int `asn1:"optional,default:1"`
}

// pbmac1Params is RFC 8018, appendix A.5.
type pbmac1Params struct {
	KDF, MAC pkix.AlgorithmIdentifier
}

// file is a PKCS#12 file of which nothing has been decrypted.
type file struct {
	mac     macData
	content []byte // the AuthenticatedSafe as it was written, which is what the MAC covers
	safes   []contentInfo
}

func read(ber []byte) (*file, error) {
	der, err := toDER(ber)
	if err != nil {
		return nil, err
	}
	var p pdu
	if _, err := asn1.Unmarshal(der, &p); err != nil {
		return nil, sealed.Malformed("the PKCS#12 file cannot be read as ASN.1")
	}
	switch oid := p.AuthSafe.Type.String(); {
	case p.Version != 3:
		return nil, sealed.Unsupported(fmt.Sprintf("PKCS#12 version %d", p.Version))
	case oid == oidSignedData:
		return nil, sealed.Unsupported("PKCS#12 file that is signed rather than protected by a password")
	case oid != oidData:
		return nil, sealed.Malformed("the PKCS#12 file has no contents")
	}
	f := &file{mac: p.MAC}
	if _, err := asn1.Unmarshal(p.AuthSafe.Content.Bytes, &f.content); err != nil {
		return nil, sealed.Malformed("the contents of the PKCS#12 file")
	}
	return f, unmarshalBER(f.content, &f.safes, "list of contents")
}

// unmarshalBER reads the BER value at the beginning of ber.
func unmarshalBER(ber []byte, into any, what string) error {
	der, err := toDER(ber)
	if err != nil {
		return err
	}
	if _, err := asn1.Unmarshal(der, into); err != nil {
		return sealed.Malformed("the " + what + " of the PKCS#12 file")
	}
	return nil
}

// verify checks the MAC, if there is one. A wrong one is taken for a wrong passphrase: a damaged file looks the same.
func (f *file) verify(pass pbe.Passphrase, meter *sealed.Meter) error {
	algorithm := f.mac.MAC.Algorithm
	if len(algorithm.Algorithm) == 0 {
		return nil
	}
	h, key, err := f.macKey(algorithm, pass, meter)
	if err != nil {
		return err
	}
	mac := hmac.New(func() hash.Hash { return h.New() }, key)
	mac.Write(f.content)
	if !hmac.Equal(mac.Sum(nil), f.mac.MAC.Digest) {
		return sealed.ErrPassphrase
	}
	return nil
}

func (f *file) macKey(alg pkix.AlgorithmIdentifier, pass pbe.Passphrase, meter *sealed.Meter) (crypto.Hash, []byte, error) {
	oid := alg.Algorithm.String()
	if oid == oidPBMAC1 {
		return pbmac1Key(alg.Parameters.FullBytes, pass, meter)
	}
	h, ok := macHashes[oid]
	if !ok {
		return 0, nil, sealed.Unsupported("PKCS#12 file with a MAC other than HMAC with MD5, SHA-1 or SHA-2, and PBMAC1")
	}
	key, err := pbe.DerivePKCS12("PKCS#12 MAC", h, pass.BMP, f.mac.Salt, pbe.ForMAC, f.mac.Iterations, h.Size(), meter)
	return h, key, err
}

// pbmac1Key is RFC 9579.
func pbmac1Key(params []byte, pass pbe.Passphrase, meter *sealed.Meter) (crypto.Hash, []byte, error) {
	var p pbmac1Params
	if _, err := asn1.Unmarshal(params, &p); err != nil {
		return 0, nil, sealed.Malformed("the parameters of PBMAC1")
	}
	if p.KDF.Algorithm.String() != oidPBKDF2 {
		return 0, nil, sealed.Unsupported("PBMAC1 with a key derivation other than PBKDF2")
	}
	h, err := pbe.PRF(p.MAC.Algorithm)
	if err != nil {
		return 0, nil, err
	}
	key, err := pbe.DerivePBKDF2(p.KDF.Parameters.FullBytes, pass.Text, 0, meter)
	return h, key, err
}
