package keytest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"sync"
	"testing"
	"time"
)

// Made are keys of each kind, made once for all tests of a package: RSA keys take a while.
var Made = sync.OnceValue(func() (k struct {
	RSA, Weak, Tiny  *rsa.PrivateKey // of 2048, 1024 and 768 bits
	P224             *ecdsa.PrivateKey
	P256, P384, P521 *ecdsa.PrivateKey
	Ed               ed25519.PrivateKey
}) {
	k.RSA, k.Weak = Must(rsa.GenerateKey(rand.Reader, 2048)), Must(rsa.GenerateKey(rand.Reader, 1024))
	// crypto/rsa makes no such key without a GODEBUG setting; its public half suffices, since it is refused by size.
	k.Tiny = &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 767), E: 65537}, D: big.NewInt(1)}
	k.P224 = Must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	k.P256 = Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	k.P384 = Must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	k.P521 = Must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	_, k.Ed, _ = ed25519.GenerateKey(rand.Reader)
	return k
})

// Must returns a value that cannot fail to be there.
func Must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// For returns a key that fits the method of that alg.
func For(alg string) any {
	k := Made()
	switch alg {
	case "HS256", "HS384", "HS512":
		return bytes.Repeat([]byte("secret!!"), 8)
	case "ES256":
		return k.P256
	case "ES384":
		return k.P384
	case "ES512":
		return k.P521
	case "EdDSA", "Ed25519":
		return k.Ed
	}
	return k.RSA
}

// Opaque hides the type of a key, as a KMS does.
type Opaque struct{ crypto.Signer }

// Message is a key that hashes on its side.
type Message struct{ crypto.Signer }

func (k Message) SignMessage(r io.Reader, msg []byte, opts crypto.SignerOpts) ([]byte, error) {
	return crypto.SignMessage(k.Signer, r, msg, opts)
}

func (k Message) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("this key signs messages only")
}

// Scripted is a key that returns the same signature and error each time.
type Scripted struct {
	Pub crypto.PublicKey
	Sig []byte
	Err error
}

func (k *Scripted) Public() crypto.PublicKey { return k.Pub }

func (k *Scripted) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return k.Sig, k.Err }

// Certificate makes a certificate of a new key.
func Certificate(t testing.TB) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Unix(4e9, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}
