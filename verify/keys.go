package verify

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"sync/atomic"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/internal/jws"
	"github.com/seed-363d07a3/jwtbearer/internal/key/check"
)

// A source gives keys.
type source interface {
	// current returns the keys to try first, and whether they were fetched for this call. Along with keys, an error
	// says that newer ones could not be fetched.
	current(ctx context.Context) (ring *keyring, fresh bool, err error)

	// newer returns the keys to try after those that current gave, or nil if there are none.
	newer(ctx context.Context, seen *keyring, fresh bool) (*keyring, error)
}

// A keyring is what was published at one time. It does not change.
type keyring struct {
	keys    []key
	fetched time.Time
	unused  map[string]string // why a published key is not among keys, by its kid
}

// A key is a public key or a secret.
type key struct {
	id     string                    // kid; empty: it has none
	alg    jwtbearer.SignatureMethod // the only method that it is for; empty: all that fit
	pss    *rsa.PSSOptions           // what a key of id-RSASSA-PSS allows (RFC 4055, section 1.2); nil: it is none
	public crypto.PublicKey          // nil: it is a secret
	secret []byte
	flaw   string       // why the secret cannot be used with any method
	told   *atomic.Bool // of a secret: that it is short; nil: it is not told
}

// material returns what golang-jwt verifies with, or nil if the key is not for m.
func (k *key) material(m jws.Method) (any, error) {
	switch {
	case k.alg != "" && string(k.alg) != m.Name && !sameEd25519(string(k.alg), m.Name), m.AllowedBy(k.pss) != nil:
		return nil, nil
	case k.public != nil && m.Fits(k.public):
		return k.public, nil
	case k.public != nil || m.SecretSize() == 0:
		return nil, nil
	case k.flaw != "":
		return nil, &ConfigError{"Keys", k.flaw}
	}
	return k.secret, nil
}

// sameEd25519 reports whether both are names of one method (RFC 9864, section 2.2).
func sameEd25519(a, b string) bool {
	return (a == "EdDSA" || a == "Ed25519") && (b == "EdDSA" || b == "Ed25519")
}

// static is a set whose keys are given. It prints as what it is.
type static struct {
	name string
	ring *keyring
}

func (s *static) of(*token) (source, error) { return s, nil }

// Keys implements KeySet.
func (s *static) Keys(ctx context.Context, t Unverified) ([]Key, error) { return keysOf(ctx, s, t) }

func (s *static) current(context.Context) (*keyring, bool, error) { return s.ring, false, nil }

func (s *static) newer(context.Context, *keyring, bool) (*keyring, error) { return nil, nil }

// Format implements fmt.Formatter for all verbs.
func (s *static) Format(f fmt.State, _ rune) { io.WriteString(f, s.name) }

// StaticSecret is a secret that both sides have, for HS256, HS384 and HS512. A public key in its place, which everybody
// could sign with, is refused by Verify. A secret shorter than the hash (RFC 7518, section 3.2) can be guessed from one
// token; since it is often the platform that chose it, Verify takes it and tells Verifier.Logger once.
func StaticSecret(secret []byte) KeySet {
	k := key{secret: bytes.Clone(secret), told: new(atomic.Bool), flaw: secretFlaw(secret)}
	return &static{"verify.StaticSecret(******)", &keyring{keys: []key{k}}}
}

// secretFlaw says why a secret cannot be used with any method.
func secretFlaw(secret []byte) string {
	switch {
	case len(secret) == 0:
		return "the secret is empty: is the variable set that it comes from?"
	case isPublic(secret):
		return "the secret is a public key, a certificate or a key in PEM, and with what is public everybody can sign: give it to " +
			"StaticPEM, and set Methods to those of its kind"
	}
	return ""
}

// isPublic reports whether a text is a public key in one of the forms in which people have them, or any PEM.
func isPublic(text []byte) bool {
	trimmed := bytes.TrimSpace(text)
	for _, start := range []string{"ssh-rsa ", "ssh-ed25519 ", "ecdsa-sha2-nistp", "---- BEGIN SSH2 PUBLIC KEY"} {
		if bytes.HasPrefix(trimmed, []byte(start)) {
			return true
		}
	}
	if bytes.Contains(text, []byte("-----BEGIN")) || isPublicDER(text) {
		return true
	}
	var jwk struct {
		Kty  string
		Keys []json.RawMessage
	}
	if json.Unmarshal(text, &jwk) == nil && (jwk.Keys != nil || jwk.Kty != "" && jwk.Kty != "oct") {
		return true
	}
	plain := strings.NewReplacer("-", "+", "_", "/", "=", "", `\r`, "", `\n`, "").Replace(string(trimmed))
	der, err := base64.RawStdEncoding.DecodeString(plain)
	return err == nil && isPublicDER(der)
}

func isPublicDER(der []byte) bool {
	_, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		_, err = x509.ParsePKCS1PublicKey(der)
	}
	if err != nil {
		_, err = x509.ParseCertificate(der)
	}
	return err == nil
}

// StaticPEM is the public keys of a PEM file (PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE; of a certificate only its key
// counts), also with \n in place of its line ends, as environment variables have it. Every key in it is trusted.
func StaticPEM(pem []byte) (KeySet, error) {
	keys, err := parsePEM(string(pem))
	if err != nil {
		return nil, fmt.Errorf("verify: public key: %w", err)
	}
	return &static{fmt.Sprintf("verify.StaticPEM(%d keys)", len(keys)), &keyring{keys: keys}}, nil
}

const maxPEM = 1 << 20 // bytes

// parsePEM reads all blocks. Its errors hold nothing of the text.
func parsePEM(text string) ([]key, error) {
	if len(text) > maxPEM {
		return nil, errors.New("the text is longer than 1 MiB")
	}
	rest := []byte(strings.NewReplacer(`\r\n`, "\n", `\n`, "\n").Replace(text))
	blocks := bytes.Count(rest, []byte("-----BEGIN")) // pem.Decode passes over one that is damaged
	var keys []key
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		k, err := parseBlock(block)
		if err == nil {
			err = usable(k.public)
		}
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	switch {
	case len(keys) < blocks:
		return nil, errors.New("a PEM block is damaged or cut off: copy it again, from -----BEGIN to -----END and the dashes after it")
	case len(keys) == 0:
		return nil, errors.New("there is no PEM block in it: it begins with -----BEGIN PUBLIC KEY-----")
	}
	return keys, nil
}

func parseBlock(block *pem.Block) (k key, err error) {
	switch {
	case block.Type == "PUBLIC KEY":
		k.public, err = x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			k, err = restricted(block.Bytes, err)
		}
	case block.Type == "RSA PUBLIC KEY":
		k.public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case block.Type == "CERTIFICATE":
		var cert *x509.Certificate
		if cert, err = x509.ParseCertificate(block.Bytes); err == nil {
			k.public = cert.PublicKey
			if k.public == nil {
				k, err = restricted(cert.RawSubjectPublicKeyInfo, errors.New("unknown"))
			}
		}
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return k, errors.New("it is a private key, which only the signer may have: give its public half (openssl pkey -pubout)")
	default:
		return k, errors.New("a PEM block is neither PUBLIC KEY, RSA PUBLIC KEY nor CERTIFICATE")
	}
	if err != nil {
		return k, fmt.Errorf("the content of a %s block is damaged, or of a kind that is not known", block.Type)
	}
	return k, nil
}

// restricted reads a public key of id-RSASSA-PSS, which crypto/x509 does not know; unknown is the error for all others.
func restricted(spki []byte, unknown error) (key, error) {
	public, pss, err := check.PSSPublic(spki)
	if err != nil || public == nil {
		return key{}, unknown
	}
	return key{public: public, pss: pss}, nil
}

// usable says what is wrong with a public key.
func usable(public crypto.PublicKey) error {
	switch public := public.(type) {
	case *rsa.PublicKey:
		bits := public.N.BitLen()
		if bits < 2048 || bits > 16384 || public.E < 3 || public.E&1 == 0 { // RFC 7518, sections 3.3 and 3.5
			return fmt.Errorf("an RSA key of %d bits with the exponent %d is not fit for signatures: it wants 2048 to 16384 bits, "+
				"and an odd exponent from 3", bits, public.E)
		}
		return nil
	case *ecdsa.PublicKey:
		switch public.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
			if _, err := public.ECDH(); err == nil { // which asks whether the point is on the curve
				return nil
			}
		}
		return errors.New("an EC key wants a point on P-256, P-384 or P-521")
	case ed25519.PublicKey:
		if _, err := (jose.JSONWebKey{Key: public}).MarshalJSON(); err != nil { // which asks for its order
			return errors.New("an Ed25519 key is a point of small order, for which everybody can sign")
		}
		return nil
	}
	return fmt.Errorf("a key of type %T verifies no token", public)
}

// byIssuer is a set for each issuer.
type byIssuer map[string]KeySet

// ByIssuer accepts the tokens of several issuers, each with keys of its own: the set of a token is the one of its iss,
// which, being signed with a key of that set, is then known to be true. A token of another issuer is refused.
func ByIssuer(sets map[string]KeySet) KeySet { return byIssuer(maps.Clone(sets)) }

func (b byIssuer) of(t *token) (source, error) {
	set := b[t.issuer]
	if t.issuer == "" || set == nil {
		return nil, &TokenError{WrongIssuer, "its iss is none of those that ByIssuer has keys of"}
	}
	return sourceOf(set, t)
}

// Keys implements KeySet.
func (b byIssuer) Keys(ctx context.Context, t Unverified) ([]Key, error) { return keysOf(ctx, b, t) }

// Format implements fmt.Formatter for all verbs.
func (b byIssuer) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "verify.ByIssuer(%d issuers)", len(b)) }
