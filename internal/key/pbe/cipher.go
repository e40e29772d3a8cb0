package pbe

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/rc4"
	"encoding/asn1"
	"fmt"

	"github.com/youmark/pkcs8"

	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

// Cipher is a block cipher in CBC mode. Unlike those of the standard library it never panics.
type Cipher struct {
	name          string
	keyLen, ivLen int // in bytes; ivLen is the size of a block
	decrypt       func(key, iv, data []byte) ([]byte, error)
}

// The ciphers that several schemes share.
var (
	aes128    = outsourced("AES-128-CBC", pkcs8.AES128CBC)
	aes192    = outsourced("AES-192-CBC", pkcs8.AES192CBC)
	aes256    = outsourced("AES-256-CBC", pkcs8.AES256CBC)
	tripleDES = outsourced("DES-EDE3-CBC", pkcs8.TripleDESCBC)
	singleDES = inCBC("DES-CBC", 8, des.BlockSize, des.NewCipher)
)

// outsourced is a cipher of github.com/youmark/pkcs8, which panics at an IV or ciphertext of the wrong size.
func outsourced(name string, c pkcs8.Cipher) Cipher {
	return Cipher{name, c.KeySize(), c.IVSize(), c.Decrypt}
}

// inCBC is a cipher that it does not have.
func inCBC(name string, keyLen, blockLen int, block func(key []byte) (cipher.Block, error)) Cipher {
	return Cipher{name, keyLen, blockLen, func(key, iv, data []byte) ([]byte, error) {
		b, err := block(key)
		if err != nil {
			return nil, err
		}
		plain := make([]byte, len(data))
		cipher.NewCBCDecrypter(b, iv).CryptBlocks(plain, data)
		return plain, nil
	}}
}

// rc2CBC is RC2 with a key of the given bytes, of which so many bits count.
func rc2CBC(keyLen, bits int) Cipher {
	return inCBC("RC2-CBC", keyLen, rc2BlockSize, func(key []byte) (cipher.Block, error) { return newRC2(key, bits), nil })
}

// Open decrypts whole blocks and leaves padding in place. It checks all that the ciphers themselves panic at.
func (c Cipher) Open(key, iv, data []byte) ([]byte, error) {
	if len(key) != c.keyLen {
		return nil, sealed.Malformed(fmt.Sprintf("a key of %d bytes for %s", len(key), c.name))
	}
	if err := c.CheckIV(iv); err != nil {
		return nil, err
	}
	if len(data) == 0 || len(data)%c.ivLen != 0 {
		return nil, sealed.Truncated(fmt.Sprintf("the ciphertext has %d bytes, which is not a multiple of %d", len(data), c.ivLen))
	}
	return c.decrypt(key, iv, data)
}

// KeyLen is the size of a key in bytes.
func (c Cipher) KeyLen() int { return c.keyLen }

// CheckIV says what is wrong with an initialisation vector.
func (c Cipher) CheckIV(iv []byte) error {
	if len(iv) != c.ivLen {
		return sealed.Malformed(fmt.Sprintf("the initialisation vector has %d bytes, not %d", len(iv), c.ivLen))
	}
	return nil
}

// CipherByName finds the cipher that a DEK-Info header names.
func CipherByName(name string) (Cipher, bool) {
	for _, c := range []Cipher{aes128, aes192, aes256, tripleDES, singleDES} {
		if c.name == name {
			return c, true
		}
	}
	return Cipher{}, false
}

// gcmParams are the parameters of AES-GCM (RFC 5084, section 3.2).
type gcmParams struct {
	Nonce  []byte
	TagLen int `asn1:"optional,default:12"`
}

// decryptGCM opens AES-GCM, which alone of all ciphers here knows a wrong key from a right one.
func decryptGCM(key []byte, params gcmParams, data []byte) ([]byte, error) {
	if params.TagLen < 12 || params.TagLen > 16 || len(params.Nonce) != 12 {
		what := fmt.Sprintf("AES-GCM with a nonce of %d bytes and a tag of %d", len(params.Nonce), params.TagLen)
		return nil, sealed.Unsupported(what)
	}
	if len(data) < params.TagLen {
		return nil, sealed.Truncated("the ciphertext is shorter than its tag")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCMWithTagSize(block, params.TagLen)
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, params.Nonce, data, nil)
	if err != nil {
		return nil, sealed.ErrPassphrase
	}
	return plain, nil
}

func decryptRC4(key, data []byte) ([]byte, error) {
	c, err := rc4.NewCipher(key)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(data))
	c.XORKeyStream(plain, data)
	return plain, nil
}

// parseIV reads the parameters of a CBC cipher: an octet string (RFC 8018, appendix B.2).
func parseIV(c Cipher, params asn1.RawValue) ([]byte, error) {
	var iv []byte
	if err := unmarshal(params.FullBytes, &iv, "initialisation vector"); err != nil {
		return nil, err
	}
	return iv, c.CheckIV(iv)
}
