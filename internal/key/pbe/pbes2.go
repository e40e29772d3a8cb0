package pbe

import (
	"crypto"
	"crypto/pbkdf2"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"hash"

	_ "crypto/md5" // the hashes are found by crypto.Hash
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha3"
	_ "crypto/sha512"

	"github.com/youmark/pkcs8"

	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

const (
	oidPBES2  = "1.2.840.113549.1.5.13"
	oidPBKDF2 = "1.2.840.113549.1.5.12"
	oidScrypt = "1.3.6.1.4.1.11591.4.11"
	oidRC2    = "1.2.840.113549.3.2"
)

// prfs are the HMACs that PBKDF2 iterates (RFC 8018, appendix B.1.2; NIST for SHA-3).
var prfs = map[string]crypto.Hash{
	"1.2.840.113549.2.7":      crypto.SHA1,
	"1.2.840.113549.2.8":      crypto.SHA224,
	"1.2.840.113549.2.9":      crypto.SHA256,
	"1.2.840.113549.2.10":     crypto.SHA384,
	"1.2.840.113549.2.11":     crypto.SHA512,
	"1.2.840.113549.2.12":     crypto.SHA512_224,
	"1.2.840.113549.2.13":     crypto.SHA512_256,
	"2.16.840.1.101.3.4.2.13": crypto.SHA3_224,
	"2.16.840.1.101.3.4.2.14": crypto.SHA3_256,
	"2.16.840.1.101.3.4.2.15": crypto.SHA3_384,
	"2.16.840.1.101.3.4.2.16": crypto.SHA3_512,
}

var cbcCiphers = map[string]Cipher{
	"2.16.840.1.101.3.4.1.2":  aes128,
	"2.16.840.1.101.3.4.1.22": aes192,
	"2.16.840.1.101.3.4.1.42": aes256,
	"1.2.840.113549.3.7":      tripleDES,
	"1.3.14.3.2.7":            singleDES,
}

// gcmKeyLens are the key sizes of AES-GCM.
var gcmKeyLens = map[string]int{
	"2.16.840.1.101.3.4.1.6":  16,
	"2.16.840.1.101.3.4.1.26": 24,
	"2.16.840.1.101.3.4.1.46": 32,
}

type pbes2Params struct {
	KDF, Cipher pkix.AlgorithmIdentifier
}

type pbkdf2Params struct {
	Salt       asn1.RawValue // an octet string; the other choice of RFC 8018 has never been defined
	Iterations int
	KeyLength  int                      `asn1:"optional"`
	PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
}

type scryptParams struct {
	Salt      []byte
	N, R, P   int
	KeyLength int `asn1:"optional"`
}

type rc2Params struct {
	Version int
	IV      []byte
}

// pbes2 derives the key that params (RFC 8018, appendix A.4) describe. The cipher is looked at first, so that no work is done
// for one that is not there.
func pbes2(params, passphrase []byte, meter *sealed.Meter) (opener, error) {
	var p pbes2Params
	if err := unmarshal(params, &p, "encryption parameters"); err != nil {
		return nil, err
	}
	keyLen, open, err := pbes2Cipher(p.Cipher, p.KDF)
	if err != nil {
		return nil, err
	}
	key, err := deriveKey(p.KDF, passphrase, keyLen, meter)
	if err != nil {
		return nil, err
	}
	return func(data []byte) ([]byte, error) { return open(key, data) }, nil
}

// pbes2Cipher finds the cipher, its key size and its initialisation vector.
func pbes2Cipher(alg, kdf pkix.AlgorithmIdentifier) (keyLen int, open func(key, data []byte) ([]byte, error), err error) {
	oid := alg.Algorithm.String()
	if keyLen, ok := gcmKeyLens[oid]; ok {
		var params gcmParams
		err := unmarshal(alg.Parameters.FullBytes, &params, "parameters of AES-GCM")
		return keyLen, func(key, data []byte) ([]byte, error) { return decryptGCM(key, params, data) }, err
	}
	if oid == oidRC2 {
		return pbes2RC2(alg, kdf)
	}
	c, ok := cbcCiphers[oid]
	if !ok {
		return 0, nil, sealed.Unsupported("cipher " + algorithmName(oid))
	}
	iv, err := parseIV(c, alg.Parameters)
	return c.keyLen, func(key, data []byte) ([]byte, error) { return c.Open(key, iv, data) }, err
}

// pbes2RC2 reads the parameters of RC2 (RFC 8018, appendix B.2.3), whose key size stands with the key derivation.
func pbes2RC2(alg, kdf pkix.AlgorithmIdentifier) (keyLen int, open func(key, data []byte) ([]byte, error), err error) {
	var params rc2Params
	if err := unmarshal(alg.Parameters.FullBytes, &params, "parameters of RC2"); err != nil {
		return 0, nil, err
	}
	bits, ok := map[int]int{160: 40, 120: 64, 58: 128}[params.Version]
	if !ok {
		return 0, nil, sealed.Unsupported(fmt.Sprintf("RC2 parameter version %d", params.Version))
	}
	keyLen = bits / 8
	var p pbkdf2Params
	if unmarshal(kdf.Parameters.FullBytes, &p, "") == nil && p.KeyLength > 0 && p.KeyLength <= 128 {
		keyLen = p.KeyLength
	}
	c := rc2CBC(keyLen, bits)
	return keyLen, func(key, data []byte) ([]byte, error) { return c.Open(key, params.IV, data) }, c.CheckIV(params.IV)
}

// deriveKey runs the key derivation once, if meter agrees.
func deriveKey(alg pkix.AlgorithmIdentifier, passphrase []byte, keyLen int, meter *sealed.Meter) ([]byte, error) {
	switch oid := alg.Algorithm.String(); oid {
	case oidPBKDF2:
		return DerivePBKDF2(alg.Parameters.FullBytes, passphrase, keyLen, meter)
	case oidScrypt:
		return deriveScrypt(alg.Parameters.FullBytes, passphrase, keyLen, meter)
	default:
		return nil, sealed.Unsupported("key derivation " + algorithmName(oid))
	}
}

// DerivePBKDF2 derives a key by the parameters of RFC 8018, appendix A.2. A keyLen of zero takes the length that they state.
func DerivePBKDF2(params, passphrase []byte, keyLen int, meter *sealed.Meter) ([]byte, error) {
	var p pbkdf2Params
	if err := unmarshal(params, &p, "parameters of PBKDF2"); err != nil {
		return nil, err
	}
	if p.Salt.Class != asn1.ClassUniversal || p.Salt.Tag != asn1.TagOctetString {
		return nil, sealed.Unsupported("PBKDF2 with a salt that is not an octet string")
	}
	h, err := PRF(p.PRF.Algorithm)
	if err != nil {
		return nil, err
	}
	if keyLen == 0 {
		keyLen = p.KeyLength
	}
	if err := checkKeyLength(p.KeyLength, keyLen); err != nil {
		return nil, err
	}
	blocks := (keyLen + h.Size() - 1) / h.Size()
	if err := meter.Hash("PBKDF2 of "+h.String(), h, p.Iterations, blocks); err != nil {
		return nil, err
	}
	return runPBKDF2(h, passphrase, p.Salt.Bytes, p.Iterations, keyLen)
}

// runPBKDF2 leaves what github.com/youmark/pkcs8 does to that.
func runPBKDF2(h crypto.Hash, passphrase, salt []byte, iterations, keyLen int) ([]byte, error) {
	if h == crypto.SHA1 || h == crypto.SHA256 {
		key, _, err := pkcs8.PBKDF2Opts{IterationCount: iterations, HMACHash: h}.DeriveKey(passphrase, salt, keyLen)
		return key, err
	}
	return pbkdf2.Key(func() hash.Hash { return h.New() }, string(passphrase), salt, iterations, keyLen)
}

// PRF finds the hash under an HMAC. No identifier at all stands for SHA-1, the default of RFC 8018.
func PRF(oid asn1.ObjectIdentifier) (crypto.Hash, error) {
	if len(oid) == 0 {
		return crypto.SHA1, nil
	}
	h, ok := prfs[oid.String()]
	if !ok {
		return 0, sealed.Unsupported("pseudo-random function " + algorithmName(oid.String()))
	}
	return h, nil
}

// deriveScrypt derives a key by the parameters of RFC 7914, section 7.1.
func deriveScrypt(params, passphrase []byte, keyLen int, meter *sealed.Meter) ([]byte, error) {
	var p scryptParams
	if err := unmarshal(params, &p, "parameters of scrypt"); err != nil {
		return nil, err
	}
	if err := checkKeyLength(p.KeyLength, keyLen); err != nil {
		return nil, err
	}
	if err := meter.Scrypt(p.N, p.R, p.P); err != nil {
		return nil, err
	}
	opts := pkcs8.ScryptOpts{CostParameter: p.N, BlockSize: p.R, ParallelizationParameter: p.P}
	key, _, err := opts.DeriveKey(passphrase, p.Salt, keyLen)
	return key, err
}

// checkKeyLength compares the length that a key derivation states, where it states one, with what the cipher needs.
func checkKeyLength(stated, keyLen int) error {
	if stated != 0 && stated != keyLen || keyLen < 1 || keyLen > 128 {
		return sealed.Malformed(fmt.Sprintf("a derived key of %d bytes where the cipher takes %d", stated, keyLen))
	}
	return nil
}
