// Package keycheck reads private keys in DER and makes sure that the private half of a key fits its public half. Decoders
// skip that check here and there, and an Ed25519 signature made with a foreign public half gives the private key away.
package keycheck

import (
	"crypto"

	"github.com/seed-363d07a3/jwtbearer/internal/sealed"
)

// MismatchError says that the halves of a key do not belong together, so that the key is damaged or was put together wrongly.
type MismatchError struct {
	What string // "the public half does not match the private half"
}

func (e *MismatchError) Error() string { return "inconsistent key: " + e.What }

// Signer checks a key that some decoder has returned (*rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey or a pointer to
// one) and returns it in the form that crypto/x509 uses: *rsa.PrivateKey, *ecdsa.PrivateKey or ed25519.PrivateKey.
//
// The error is a *MismatchError, or a *sealed.UnsupportedError for another type, another curve than P-256, P-384 and P-521,
// and RSA under 1024 or over 16384 bits. RSA of 1024 to 2047 bits passes: whether that is enough is for the caller to say.
func Signer(key any) (crypto.Signer, error) { return nil, &sealed.UnsupportedError{What: "pending"} }

// PKCS8 reads a PrivateKeyInfo or OneAsymmetricKey (RFC 5208, RFC 5958) and checks it, with every public half that it holds.
// It reads RSA keys under the OID of RSASSA-PSS too. Types that have no place in a JWT are refused by name: DSA, Ed448, X25519.
func PKCS8(der []byte) (crypto.Signer, error) { return nil, &sealed.UnsupportedError{What: "pending"} }

// PKCS1 reads an RSAPrivateKey (RFC 8017, appendix A.1.2) and checks it.
func PKCS1(der []byte) (crypto.Signer, error) { return nil, &sealed.UnsupportedError{What: "pending"} }

// SEC1 reads an ECPrivateKey (RFC 5915) and checks it. The curve is the one that der names; where der names none it is that
// of params, the DER body of an EC PARAMETERS block, which may be nil.
func SEC1(der, params []byte) (crypto.Signer, error) {
	return nil, &sealed.UnsupportedError{What: "pending"}
}
