package jwtbearer

import (
	"crypto/rsa"
	"errors"
	"fmt"

	"github.com/seed-363d07a3/jwtbearer/internal/jws"
)

// A SignatureMethod is the alg of a token (RFC 7518, section 3.1; RFC 8037, section 3.1; RFC 9864, section 2.2).
type SignatureMethod string

const (
	HS256   SignatureMethod = "HS256"
	HS384   SignatureMethod = "HS384"
	HS512   SignatureMethod = "HS512"
	RS256   SignatureMethod = "RS256"
	RS384   SignatureMethod = "RS384"
	RS512   SignatureMethod = "RS512"
	PS256   SignatureMethod = "PS256"
	PS384   SignatureMethod = "PS384"
	PS512   SignatureMethod = "PS512"
	ES256   SignatureMethod = "ES256"
	ES384   SignatureMethod = "ES384"
	ES512   SignatureMethod = "ES512"
	EdDSA   SignatureMethod = "EdDSA"
	Ed25519 SignatureMethod = "Ed25519"
)

// Signer makes JSON Web Signatures in compact form (RFC 7515, section 7.1) with one key and one method. It signs the bytes
// that it is given: what stands in the header and in the payload is the caller's affair, but for alg.
//
// A key in memory signs through golang-jwt; any other crypto.Signer, such as a key in a KMS, is asked for the signature of
// the hash, or of the message itself for EdDSA or where it is a crypto.MessageSigner.
//
// A Signer prints without its key. It is safe for concurrent use, as far as its crypto.Signer is.
type Signer struct{ s *jws.Signer }

// NewSigner returns a Signer for the method and its key: a []byte for an HMAC method, and otherwise a crypto.Signer whose public half
// must be an *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey, or what ParsePrivateKey returns: a *PrivateKey, whose PSS is
// held to then, or the Signer in it.
//
// HMAC secrets shorter than the hash and RSA keys under 2048 bits are refused (RFC 7518, sections 3.2, 3.3 and 3.5), and so
// are a curve that is not the method's and the method none. A key in memory signs once, as a check.
func NewSigner(method SignatureMethod, key any) (*Signer, error) {
	var s *jws.Signer
	var pss *rsa.PSSOptions
	if parsed, ok := key.(*PrivateKey); ok && parsed != nil {
		key, pss = parsed.Signer, parsed.PSS
	}
	m, err := jws.Parse(string(method))
	if err == nil {
		s, err = jws.New(m, key, false)
	}
	if err == nil {
		err = m.AllowedBy(pss)
	}
	if err == nil {
		err = s.Check()
	}
	if err != nil {
		return nil, fmt.Errorf("jwtbearer: signer: %w", err)
	}
	return &Signer{s}, nil
}

// Sign returns the token of a JOSE header and a payload, both taken as they are. The header is a JSON object that names no
// member twice (RFC 7515, section 4) and whose alg is that of the Signer's method; the payload may be any bytes.
func (s *Signer) Sign(header, payload []byte) (string, error) {
	if s == nil || s.s == nil {
		return "", errors.New("jwtbearer: sign: the Signer is empty; make it with NewSigner")
	}
	head, err := s.s.Head(header)
	if err != nil {
		return "", fmt.Errorf("jwtbearer: sign: header: %w", err)
	}
	token, err := s.s.Append(nil, head, payload)
	if err != nil {
		return "", fmt.Errorf("jwtbearer: sign: %w", err)
	}
	return string(token), nil
}
