package pkcs8

import (
	"crypto/md5"
	"encoding/hex"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/key/pbe"
	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

// DecryptPEM opens the decoded body of a PEM block whose DEK-Info header has the value dekInfo ("AES-256-CBC,0123...").
// It returns the DER of the key that the block's label names. Passphrases are taken as Decrypt takes them.
//
// The format is that of RFC 1421 with the key derivation of OpenSSL. It has no checksum: a passphrase counts as right when
// what comes out begins as a key does.
func DecryptPEM(dekInfo string, body, passphrase []byte) (der []byte, err error) {
	name, hexIV, _ := strings.Cut(dekInfo, ",")
	name = strings.ToUpper(strings.TrimSpace(name))
	cipher, ok := pbe.CipherByName(name)
	if !ok {
		return nil, sealed.Unsupported("DEK-Info with a cipher other than AES, DES and triple DES in CBC mode")
	}
	iv, err := hex.DecodeString(strings.TrimSpace(hexIV))
	if err != nil {
		return nil, sealed.Malformed("the initialisation vector in DEK-Info is not hexadecimal")
	}
	if err := cipher.CheckIV(iv); err != nil {
		return nil, err
	}
	if len(body) > maxSize {
		return nil, sealed.Malformed("an encrypted private key of more than 128 KiB")
	}
	if passphrase == nil {
		return nil, sealed.ErrNoPassphrase
	}
	plain, err := cipher.Open(bytesToKey(passphrase, iv[:8], cipher.KeyLen()), iv, body)
	if err != nil {
		return nil, err
	}
	return unpad(plain)
}

// bytesToKey is EVP_BytesToKey of OpenSSL with MD5 and one iteration, which no standard describes.
func bytesToKey(passphrase, salt []byte, size int) (key []byte) {
	var digest []byte
	for len(key) < size {
		h := md5.New()
		h.Write(digest)
		h.Write(passphrase)
		h.Write(salt)
		digest = h.Sum(nil)
		key = append(key, digest...)
	}
	return key[:size]
}
