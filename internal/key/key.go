// Package key makes a private key of what people paste: it finds keys in text, repairs what was damaged on the way, opens the
// container and picks the one key that is meant. It must never know what a key is for: no method, no connection, no token.
package key

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
)

// Key is a private key and what came with it. It has the fields of the public PrivateKey.
type Key struct {
	Signer       crypto.Signer // *rsa.PrivateKey, *ecdsa.PrivateKey or ed25519.PrivateKey
	Format       string        // what it was kept in: "PKCS#8"
	Fixes        []string      // what was repaired, in words for the user
	Certificates []*x509.Certificate
	KeyID        string
	ClientID     string
	ClientEmail  string
	PSS          *rsa.PSSOptions // nil: it is not restricted to RSASSA-PSS
}

// Options is what the caller knows about the key. The zero value asks for a strong key, of which there must be one.
type Options struct {
	AllowWeak bool   // RSA of 1024 to 2047 bits is accepted
	KeyID     string // picks one key of a JWK set
}

// Error tells why there is no key. It has the fields of the public KeyError, and never a part of the input.
type Error struct {
	Found   string // what was pasted
	Problem string
	Hint    string
	Line    int // of the input, from 1; zero: not known
}

func (e *Error) Error() string { return e.Found + ": " + e.Problem + "; " + e.Hint }
