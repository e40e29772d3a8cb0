// Package pkcs8 opens encrypted private keys: PKCS#8 (RFC 5958, section 3) and the older encryption of PEM bodies (RFC 1421).
// It must never know what a key is: it returns the DER that was encrypted.
package pkcs8

import (
	"crypto/x509/pkix"
	"encoding/asn1"

	"github.com/seed-363d07a3/jwtbearer/internal/key/pbe"
	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

// maxSize is the longest input that is looked at: RSA keys of 16384 bits take a tenth of it.
const maxSize = 128 << 10

// Info is an EncryptedPrivateKeyInfo (RFC 5958, section 3).
type Info struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

// Decrypt opens an EncryptedPrivateKeyInfo and returns the PrivateKeyInfo in it, in DER. What it holds is not looked at any
// further than it takes to tell a wrong passphrase, so that a key of an unknown type comes out too.
//
// A nil passphrase means none was given and fails with sealed.ErrNoPassphrase, an empty one is tried.
func Decrypt(der, passphrase []byte) ([]byte, error) {
	return decrypt(der, passphrase, new(sealed.Meter))
}

func decrypt(der, passphrase []byte, meter *sealed.Meter) (plain []byte, err error) {
	info, err := Parse(der)
	if err != nil {
		return nil, err
	}
	if passphrase == nil {
		return nil, sealed.ErrNoPassphrase
	}
	encodings := pbe.Encodings(passphrase)
	if !pbe.UsesBMP(info.Algorithm) {
		encodings = encodings[:1] // they differ in BMP only
	}
	for _, p := range encodings {
		if plain, err = info.Open(p, meter); err != sealed.ErrPassphrase {
			break
		}
	}
	return plain, err
}

// Parse reads the outside of an EncryptedPrivateKeyInfo.
func Parse(der []byte) (*Info, error) {
	if len(der) > maxSize {
		return nil, sealed.Malformed("an encrypted private key of more than 128 KiB")
	}
	der, err := sealed.Whole(der)
	if err != nil {
		return nil, err
	}
	var info Info
	if rest, err := asn1.Unmarshal(der, &info); err != nil || len(rest) > 0 {
		return nil, sealed.Malformed("the encrypted private key cannot be read as ASN.1")
	}
	return &info, nil
}

// Open decrypts with one encoding of a passphrase.
func (info *Info) Open(pass pbe.Passphrase, meter *sealed.Meter) ([]byte, error) {
	plain, err := pbe.Open(info.Algorithm, info.Data, pass, meter)
	if err != nil {
		return nil, err
	}
	return unpad(plain)
}

// unpad returns the private key at the beginning of plain, in DER, without the padding after it.
//
// It goes by what a key begins with, a sequence and its version, and by the length that the sequence states: padding is right
// by chance for one wrong passphrase in 256, while those five bytes or more are so for less than one in 2^32. That leaves the
// few writers that pad in another way readable, and tells a cut or damaged ciphertext from a wrong passphrase.
func unpad(plain []byte) ([]byte, error) {
	stated, body, ok := enter(plain)
	if !ok || !hasVersion(body) {
		return nil, sealed.ErrPassphrase
	}
	size := len(plain) - len(body) + stated
	switch {
	case size > maxSize:
		return nil, sealed.ErrPassphrase
	case size > len(plain):
		return nil, sealed.Truncated("the ciphertext ends before the key in it does")
	case len(plain)-size > 16:
		// A wrong passphrase made a header by chance, or what follows the key is not padding.
		return nil, sealed.ErrPassphrase
	}
	return plain[:size], nil
}

// hasVersion reports whether body begins with the integer 0 or 1: PrivateKeyInfo, RSAPrivateKey, ECPrivateKey, DSA keys.
func hasVersion(body []byte) bool {
	return len(body) > 3 && body[0] == 0x02 && body[1] == 1 && body[2] <= 1
}

// enter reads the header of a sequence. What it gives is not cut to the length that the header states.
func enter(der []byte) (stated int, body []byte, ok bool) {
	if len(der) == 0 || der[0] != 0x30 {
		return 0, nil, false
	}
	size, stated, ok := sealed.Header(der)
	if !ok {
		return 0, nil, false
	}
	return stated, der[size:], true
}
