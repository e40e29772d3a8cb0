package verify

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"slices"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/internal/jws"
)

// A KeySet is the keys of an issuer. [StaticSecret], [StaticPEM], [PEMList], [JWKS] and [ByIssuer] make one, and may serve several
// Verifiers. Keys that are somewhere else come from a KeySet of yours: in a database, say, or each at an address of its own that is
// named after its kid. It must be safe for concurrent use.
//
// What the sets of this package promise, a set of yours has to see to: that keys are kept and not fetched for every token, that a
// token with an unknown kid, which anybody can send, does not make for a fetch each time, and that keys come over https alone.
type KeySet interface {
	// Keys returns the keys that may have signed a token which says so of itself. More than those are no harm: of the keys that
	// are returned, at most 256, Verify tries those with the token's kid first, then those without a kid, and each only with the
	// methods that fit it. None, without an error, means that no key is known for the token, which is refused then.
	//
	// A *TokenError refuses the token. Any other error says that the keys cannot be had, so that nothing can be said of the
	// token: Verify returns a *KeysError with it, and Handler answers 503.
	Keys(ctx context.Context, t Unverified) ([]Key, error)
}

// Unverified is what a token says of itself. Nobody has verified it yet: it serves to find a key and for nothing else, and it must not
// become a part of a path, a query or an address without a look at it.
type Unverified struct {
	KeyID  string                    // kid of its header; empty: it has none
	Method jwtbearer.SignatureMethod // its alg, one of the Methods of the Verifier
	Issuer string                    // its iss; empty: it has none
}

// A Key verifies signatures. Exactly one of Public and Secret must be set. Printed, it shows nothing of a secret.
type Key struct {
	// ID is the kid of the tokens that it is for. Empty: it has none, and is tried for tokens of every kid.
	ID string

	// Method is the only method that it is for. Empty: all that fit its kind, which is right for all but RSA keys that are for PS
	// or RS methods alone.
	Method jwtbearer.SignatureMethod

	// Public is an *rsa.PublicKey of 2048 to 16384 bits, an *ecdsa.PublicKey of P-256, P-384 or P-521, or an ed25519.PublicKey.
	Public crypto.PublicKey

	// Secret is the one that both sides have, for HS256, HS384 and HS512, decoded where it is written in hex or base64.
	Secret []byte
}

// Format implements fmt.Formatter for all verbs.
func (k Key) Format(f fmt.State, _ rune) {
	kind := fmt.Sprintf("%T", k.Public)
	if k.Public == nil {
		kind = "secret ******"
	}
	fmt.Fprintf(f, "verify.Key(%q, %s)", k.ID, kind)
}

// key checks a Key that somebody else made.
func (k *Key) key() (key, error) {
	made := key{id: k.ID, alg: k.Method, public: k.Public, secret: k.Secret}
	if _, known := jws.Exactly(string(k.Method)); k.Method != "" && !known {
		return made, fmt.Errorf("has the Method %q, which is none", k.Method)
	}
	switch {
	case k.Public != nil && k.Secret != nil:
		return made, errors.New("has both Public and Secret: set one of the two")
	case k.Public != nil:
		return made, usable(k.Public)
	}
	made.flaw = secretFlaw(k.Secret)
	return made, nil
}

// finder is a set of this package, which can tell what it gave from what is newer.
type finder interface {
	// of returns where the keys for a token are.
	of(*token) (source, error)
}

// sourceOf returns where the keys of a set are for a token.
func sourceOf(set KeySet, t *token) (source, error) {
	if own, ok := set.(finder); ok {
		return own.of(t)
	}
	return &foreign{set, Unverified{t.kid, jwtbearer.SignatureMethod(t.alg), t.issuer}}, nil
}

// foreign is a set that somebody else implements, for one token.
type foreign struct {
	set   KeySet
	token Unverified
}

func (s *foreign) current(ctx context.Context) (*keyring, bool, error) {
	keys, err := s.set.Keys(ctx, s.token)
	switch {
	case err != nil && isOwn(err):
		return nil, false, err
	case err != nil:
		return nil, false, &KeysError{"the KeySet: " + err.Error(), 0, err}
	case len(keys) > maxKeys:
		return nil, false, &ConfigError{"Keys", fmt.Sprintf("gave %d keys for one token, more than %d", len(keys), maxKeys)}
	}
	ring := &keyring{keys: make([]key, len(keys))}
	for i := range keys {
		if ring.keys[i], err = keys[i].key(); err != nil {
			return nil, false, &ConfigError{"Keys", fmt.Sprintf("gave a Key that cannot be used, with the ID %q: %s", keys[i].ID, err)}
		}
	}
	return ring, false, nil
}

// isOwn reports whether an error says by its type what it means.
func isOwn(err error) bool {
	_, token := errors.AsType[*TokenError](err)
	_, keys := errors.AsType[*KeysError](err)
	_, config := errors.AsType[*ConfigError](err)
	return token || keys || config
}

func (s *foreign) newer(context.Context, *keyring, bool) (*keyring, error) { return nil, nil }

// keysOf is Keys for the sets of this package. For a kid that none of the keys has, newer ones are looked for, as Verify does it.
func keysOf(ctx context.Context, f finder, t Unverified) ([]Key, error) {
	set, err := f.of(&token{kid: t.KeyID, alg: string(t.Method), issuer: t.Issuer})
	if err != nil {
		return nil, err
	}
	if other, ok := set.(*foreign); ok { // of ByIssuer
		return other.set.Keys(ctx, t)
	}
	ring, fresh, err := set.current(ctx)
	if ring == nil {
		return nil, err
	}
	if t.KeyID != "" && !slices.ContainsFunc(ring.keys, func(k key) bool { return k.id == t.KeyID }) {
		if newer, err := set.newer(ctx, ring, fresh); newer != nil {
			ring = newer
		} else if err != nil && ctx.Err() != nil {
			return nil, err
		}
	}
	keys := make([]Key, 0, len(ring.keys))
	for _, k := range ring.keys {
		if k.flaw != "" {
			return nil, &ConfigError{"Keys", k.flaw}
		}
		for _, method := range k.methods() {
			keys = append(keys, Key{k.id, method, k.public, bytes.Clone(k.secret)})
		}
	}
	return keys, nil
}

// methods are the methods that a key is restricted to; one that is empty: it is not.
func (k *key) methods() []jwtbearer.SignatureMethod {
	if k.alg != "" || k.pss == nil {
		return []jwtbearer.SignatureMethod{k.alg}
	}
	var all []jwtbearer.SignatureMethod
	for _, name := range jws.Names() {
		if m, _ := jws.Exactly(name); m.Fits(k.public) && m.AllowedBy(k.pss) == nil {
			all = append(all, jwtbearer.SignatureMethod(name))
		}
	}
	return all
}
