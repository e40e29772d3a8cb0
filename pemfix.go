package jwtbearer

import (
	"crypto"
	"crypto/x509"
)

// PrivateKey is what ParsePrivateKey found.
type PrivateKey struct {
	Signer       crypto.Signer
	Format       string
	Fixes        []string
	Certificates []*x509.Certificate
	KeyID        string
}
