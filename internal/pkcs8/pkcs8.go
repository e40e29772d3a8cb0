// Package pkcs8 opens encrypted private keys: PKCS#8 (RFC 5958, section 3) and the older encryption of PEM bodies (RFC 1421).
package pkcs8

import "github.com/seed-363d07a3/jwtbearer/internal/sealed"

// Is reports whether der looks like an EncryptedPrivateKeyInfo, so that it is worth asking for a passphrase. It looks at the
// first few bytes only.
func Is(der []byte) bool { return false }

// Decrypt opens an EncryptedPrivateKeyInfo and returns the PrivateKeyInfo in it, in DER. What it holds is not looked at any
// further than it takes to tell a wrong passphrase, so that a key of an unknown type comes out too.
//
// A nil passphrase means none was given and fails with sealed.ErrNoPassphrase, an empty one is tried.
func Decrypt(der, passphrase []byte) (plain []byte, err error) {
	return nil, &sealed.UnsupportedError{What: "pending"}
}

// DecryptPEM opens the decoded body of a PEM block whose DEK-Info header has the value dekInfo ("AES-256-CBC,0123...").
// It returns the DER of the key that the block's label names. Passphrases are taken as Decrypt takes them.
func DecryptPEM(dekInfo string, body, passphrase []byte) (der []byte, err error) {
	return nil, &sealed.UnsupportedError{What: "pending"}
}
