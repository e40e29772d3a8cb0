package jwtbearer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/key"
	"github.com/seed-363d07a3/jwtbearer/internal/media"
)

// PrivateKey is what ParsePrivateKey found. Printed or logged, it shows what it is and no part of the key.
type PrivateKey struct {
	// Signer is an *rsa.PrivateKey, an *ecdsa.PrivateKey of P-256, P-384 or P-521, or an ed25519.PrivateKey.
	Signer crypto.Signer

	// Format is what the key was kept in: "PKCS#8", "PKCS#1", "SEC1", "encrypted PKCS#8", "encrypted PEM", "OpenSSH", "PPK 2",
	// "PPK 3", "PKCS#12", "JWK", "JWK set", "Ed25519", "service account JSON", "Box JSON", "JSON" or ".NET XML".
	Format string

	// Fixes tells what had to be repaired, in words for the user: `literal \n sequences replaced by newlines`. It is empty for a
	// key in order.
	Fixes []string

	// Certificates are those that came with the key, the one that belongs to it first.
	Certificates []*x509.Certificate

	// KeyID is the kid of a JWK or the private_key_id of a service account, and what other files with a key have for it.
	KeyID string

	// ClientID and ClientEmail are client_id and client_email of a service account, and what other files with a key have for them:
	// whom the key is for, and so often the iss of its tokens. They are empty where there are none.
	ClientID, ClientEmail string

	// PSS is set for a key of id-RSASSA-PSS, which is for PS256, PS384 and PS512 alone and, where its Hash is not zero, for that hash
	// with a salt of SaltLength bytes at least (RFC 4055, sections 1.2 and 3.1). Nil: the key is not restricted.
	PSS *rsa.PSSOptions
}

// FixPEM repairs the text of a private key, and of certificates beside it, as people paste them: newlines that became \n,
// spaces or nothing, typographic dashes, quotes, indentation, wrong or missing BEGIN and END lines, base64 around the PEM and
// much else. Fixes names each repair. It needs no passphrase and decrypts nothing.
//
// What is in order comes back as it is, with no fixes; so do containers that are not PEM and in order: DER, PKCS#12, PPK, JWK
// and JSON files. Where anything was repaired, fixed holds the keys and certificates alone, without text between them: as
// PEM, also for what was base64 of DER; PPK as PPK, a lone JWK as JSON, a lone PKCS#12 as the binary file.
//
// FixPEM does not guess. What is truncated, damaged or no key at all is a *KeyError. It is pure, idempotent and linear in its
// input, of which it takes up to 1 MiB.
func FixPEM(data []byte) (fixed []byte, fixes []string, err error) {
	fixed, fixes, err = key.Fix(data)
	return fixed, fixes, keyError(err)
}

// ParsePrivateKey reads a private key in whatever form people have it, after the repairs that FixPEM makes: PKCS#8, PKCS#1,
// SEC1, encrypted or not, OpenSSH, PuTTY, PKCS#12, JWK, and files such as those of service accounts that have one of them
// inside. passphrase may be empty; a key that is not encrypted ignores it.
//
// It never guesses. Two different keys, a public key, a certificate alone, a truncated or damaged key, a wrong passphrase are
// each refused with a *KeyError which says what was found and what to do; so are types and sizes that are not safe in a JWT:
// RSA under 2048 bits, curves other than P-256, P-384 and P-521. The private half is always checked against the public half.
func ParsePrivateKey(data []byte, passphrase string) (*PrivateKey, error) {
	return loadKey(data, passphrase, key.Options{})
}

// loadKey reads a private key with what a Connection says about it.
func loadKey(data []byte, passphrase string, options key.Options) (*PrivateKey, error) {
	loaded, err := key.Load(data, passphrase, options)
	return (*PrivateKey)(loaded), keyError(err)
}

// keyError makes a *KeyError of an error of package key.
func keyError(err error) error {
	if e, ok := errors.AsType[*key.Error](err); ok {
		return (*KeyError)(e)
	}
	return err
}

// String tells what may be told about a key. (There can be no Format method beside the field of that name, so that String
// and GoString stand in for fmt.Formatter.)
func (k PrivateKey) String() string { return k.summary() }

// GoString implements fmt.GoStringer.
func (k PrivateKey) GoString() string { return k.summary() }

// MarshalJSON writes what may be told about a key. It cannot be read back.
func (k PrivateKey) MarshalJSON() ([]byte, error) { return media.Marshal(k.summary()) }

// summary tells what may be told about a key.
func (k *PrivateKey) summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "private key (%s, %s", k.Format, keyType(k.Signer))
	if k.PSS != nil {
		b.WriteString(", for RSASSA-PSS alone")
	}
	if k.KeyID != "" {
		fmt.Fprintf(&b, ", kid %q", k.KeyID)
	}
	for _, c := range k.Certificates {
		fmt.Fprintf(&b, ", certificate %q", c.Subject.String())
	}
	for _, fix := range k.Fixes {
		fmt.Fprintf(&b, ", %s", fix)
	}
	return b.String() + ")"
}

// LogValue implements slog.LogValuer.
func (k PrivateKey) LogValue() slog.Value { return slog.StringValue(k.summary()) }

// keyType names the type and size of a key: "RSA 2048", "EC P-256", "Ed25519".
func keyType(key crypto.Signer) string {
	switch key := key.(type) {
	case nil:
		return "none"
	case *rsa.PrivateKey:
		return fmt.Sprintf("RSA %d", key.N.BitLen())
	case *ecdsa.PrivateKey:
		return "EC " + key.Curve.Params().Name
	case ed25519.PrivateKey:
		return "Ed25519"
	}
	return fmt.Sprintf("%T", key)
}
