// Package pfx reads PKCS#12 files (RFC 7292), in DER and in the BER that Firefox, Java and others write.
package pfx

import (
	"crypto"
	"crypto/x509"

	"github.com/seed-363d07a3/jwtbearer/internal/sealed"
)

// Bundle is what a PKCS#12 file holds: one private key and certificates.
type Bundle struct {
	Key crypto.Signer
	// Certificates holds all certificates in the order of the file, but for the one of Key, which comes first.
	Certificates []*x509.Certificate
	// Foreign says that there are certificates and that none of them belongs to Key.
	Foreign bool
}

// Is reports whether der looks like a PKCS#12 file, in DER or BER. It looks at the first few bytes only.
func Is(der []byte) bool { return false }

// Parse reads a PKCS#12 file. A nil or empty passphrase stands for no password and for the empty one, both of which are
// tried; if neither opens the file, the error is sealed.ErrNoPassphrase.
//
// Several keys are refused with a *SeveralKeysError unless they are the same; none, with a *NoKeyError.
func Parse(der, passphrase []byte) (*Bundle, error) {
	return nil, &sealed.UnsupportedError{What: "pending"}
}

// SeveralKeysError says that a file holds several different private keys.
type SeveralKeysError struct{ Keys int }

func (e *SeveralKeysError) Error() string { return "it holds several different private keys" }

// NoKeyError says that a file holds no private key.
type NoKeyError struct{ Certificates int }

func (e *NoKeyError) Error() string { return "it holds certificates but no private key" }
