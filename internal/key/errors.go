package key

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/seed-363d07a3/jwtbearer/internal/key/check"
	"github.com/seed-363d07a3/jwtbearer/internal/key/jwk"
	"github.com/seed-363d07a3/jwtbearer/internal/key/pfx"
	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
	"github.com/seed-363d07a3/jwtbearer/internal/key/text"
)

var (
	errManySealed = errors.New("there are more encrypted keys than are tried in one input")
	errBareSeed   = errors.New("32 raw bytes, which is ambiguous: an Ed25519 seed, a P-256 key or an HMAC secret")
	errNotEd25519 = errors.New("64 raw bytes that are not a private key: as Ed25519, the public half does not match")
)

const (
	foundPublicJWK = "public JWK (public key)"
	foundSecretJWK = "JWK with a shared secret (kty oct)"

	hintPrivate    = "give the private key that belongs to it; a file named key.pem, private.key or *.p8 often holds it"
	hintCopy       = "copy the key again from where it came from, whole and unchanged"
	hintPassphrase = "check the passphrase, also for spaces, quotes and the keyboard's language"
	hintNewKey     = "create one: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem, or -algorithm EC -pkeyopt ec_paramgen_curve:P-256, or -algorithm ED25519"
)

func faultError(f *text.Fault) *Error {
	return &Error{Found: f.Found, Problem: f.Problem, Hint: f.Hint, Line: f.Line}
}

// keyProblem tells what a reader's error means for the user.
func keyProblem(item *text.Item, err error) *Error {
	e := &Error{Found: itemName(item), Problem: err.Error(), Line: item.Line, Hint: hintCopy}
	switch {
	case err == sealed.ErrNoPassphrase:
		e.Problem = "it is encrypted and no passphrase was given"
		e.Hint = "give its passphrase, or remove it: " + decryptCommand(item)
	case err == sealed.ErrPassphrase:
		e.Problem, e.Hint = "wrong passphrase (password)", hintPassphrase
	case err == jwk.ErrPublic:
		e.Found, e.Problem, e.Hint = foundPublicJWK, "it has no private part (d)", "give the JWK that has the member d"
	case err == jwk.ErrSymmetric:
		e.Found, e.Problem, e.Hint = foundSecretJWK, "not a private key", "its k is a secret for HS256: Secret, with SecretEncoding base64url"
	case err == errBareSeed, err == errNotEd25519:
		e.Found, e.Hint = "base64 text", "give the key as PEM or JWK, which say what it is; an HMAC secret goes into Secret"
	case err == errManySealed:
		e.Hint = "give the one that is meant, alone"
	}
	if e.Found == "" {
		e.Found = "private key"
	}
	if m, ok := errors.AsType[*sealed.MalformedError](err); ok {
		e.Problem = "it is damaged: " + m.What
		if m.Truncated {
			e.Problem = "it is truncated or damaged: " + m.What
		}
	}
	if m, ok := errors.AsType[*check.MismatchError](err); ok {
		e.Problem = "it is damaged, or two keys were mixed: " + m.What
	}
	if _, ok := errors.AsType[*sealed.CostError](err); ok {
		e.Hint = "encrypt it again: " + decryptCommand(item) + ", then openssl pkcs8 -topk8 -in key.pem -out new.pem"
	}
	keyRefused(e, item, err)
	return e
}

// keyRefused fills in what concerns keys that are whole, but not what is wanted.
func keyRefused(e *Error, item *text.Item, err error) {
	if u, ok := errors.AsType[*sealed.UnsupportedError](err); ok {
		e.Problem, e.Hint = u.Error(), "convert it: "+decryptCommand(item)
		switch {
		case u.Key:
			e.Hint = hintNewKey
		case u.Hint != "":
			e.Hint = u.Hint
		}
	}
	switch err {
	case pfx.ErrSeveralKeys:
		e.Problem, e.Hint = "several different private keys: it is not clear which one is meant",
			"export one alone: openssl pkcs12 -in FILE -nodes, then keep one of the keys"
	case pfx.ErrNoKey:
		e.Problem, e.Hint = "there is no private key in it, only certificates", "export it again together with its private key"
	}
}

// decryptCommand is how to make an unencrypted PEM of what was found.
func decryptCommand(item *text.Item) string {
	switch {
	case item.Kind == text.PPK:
		return "puttygen FILE -O private-openssh -o key"
	case item.Shape == text.OpenSSH:
		return `ssh-keygen -p -N "" -f FILE`
	case item.Shape == text.PKCS12:
		return "openssl pkcs12 -in FILE -nodes -out key.pem (with -legacy for old files)"
	}
	return "openssl pkey -in FILE -out key.pem"
}

func itemName(item *text.Item) string {
	switch {
	case item.Kind == text.PPK:
		return "PuTTY private key (PPK)"
	case item.Kind == text.JWK && item.Source == ".NET XML":
		return "RSA key in XML"
	case item.Kind == text.JWK:
		return "JWK"
	case item.DEK != "":
		return "encrypted PEM private key"
	}
	return cmp.Or(item.Shape.String(), "private key")
}

func weakKey(bits, least, line int) *Error {
	return &Error{Found: fmt.Sprintf("RSA key of %d bits", bits), Line: line,
		Problem: fmt.Sprintf("too small (weak): %d bits are the least", least),
		Hint:    "create a longer one: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem"}
}

// notPrivate refuses what is whole and no private key.
func notPrivate(item *text.Item) *Error {
	e := &Error{Found: item.Shape.String(), Problem: "not a private key", Hint: hintPrivate, Line: item.Line}
	switch item.Shape {
	case text.PublicKey, text.RSAPublicKey:
		e.Problem = "the public key was given instead of the private key"
	case text.Certificate, text.PKCS7:
		e.Problem = "a certificate holds a public key only; there is no private key in the input"
	case text.Parameters:
		e.Found, e.Problem = "key parameters (EC, DH or DSA PARAMETERS)", "there is no private key beside them"
		e.Hint = "copy the block with PRIVATE KEY in its BEGIN line too"
	}
	return e
}
