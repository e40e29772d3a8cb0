package verify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
	"github.com/seed-363d07a3/jwtbearer/internal/jws"
)

// A Verifier says which tokens a server accepts: who signed them, with which method, for whom and when. Keys and
// Methods must be set; the zero value of all else does no harm.
//
// A Verifier must not be changed once it is in use. It is safe for concurrent use, and printing it shows no key.
type Verifier struct {
	// Keys are the keys of whoever signs the tokens.
	Keys KeySet

	// Methods are the signature methods that are accepted, usually one. There is no default: a server that takes what
	// the token says has left the choice to the attacker (RFC 8725, section 3.1).
	Methods []jwtbearer.SignatureMethod

	// Issuer is what iss must be. Empty: whatever it is. For several issuers see [ByIssuer].
	Issuer string

	// Audience is what aud must be, or have among others. Empty: aud is not looked at, which is right only where the
	// keys sign for nobody else.
	Audience string

	// Leeway is how far the clocks of the two sides may differ: exp counts as later, nbf as earlier by so much.
	// Zero: not at all. Half a minute is usual.
	Leeway time.Duration

	// From finds the token in a request; it gives "" where there is none. Nil: [FromBearer]. Only Handler asks it.
	From func(*http.Request) string

	// RequireExpiry refuses tokens without exp, a claim that RFC 7519 leaves to the issuer. Without it they are good for
	// as long as their key is.
	RequireExpiry bool

	// Logger is told by Handler why it refused a token, and by Verify too that keys could not be renewed, or that a
	// secret is so short that it can be guessed. Nil: silent.
	Logger *slog.Logger
}

// Verify checks a token and puts its claims into claims, as encoding/json does: a pointer to a struct of yours, to a
// map, to a json.RawMessage, or nil. Numbers that go into an any are json.Number, so that none loses digits. As long as
// the token is not found good, claims is not touched.
//
// The error is a *TokenError if the token is refused, a *KeysError if a remote set has no keys to give, a *ConfigError
// if the Verifier is not fit for use. Any other error says that the claims do not fit into claims.
func (v *Verifier) Verify(ctx context.Context, token string, claims any) error {
	payload, err := v.verify(ctx, token)
	if err != nil || claims == nil {
		return err
	}
	return unmarshal(payload, claims)
}

// verify returns the payload of a good token. What costs least comes first; above all, no key is fetched for a token
// that would be refused anyway.
func (v *Verifier) verify(ctx context.Context, text string) ([]byte, error) {
	if err := v.check(); err != nil {
		return nil, err
	}
	t, err := parse(text)
	if err != nil {
		return nil, err
	}
	m, ok := jws.Exactly(t.alg)
	if !ok || !slices.Contains(v.Methods, jwtbearer.SignatureMethod(m.Name)) {
		return nil, &TokenError{WrongMethod, "its alg is not one of Methods"}
	}
	if err := v.checkClaims(t.claims, time.Now()); err != nil {
		return nil, err
	}
	if err := v.checkSignature(ctx, t, m); err != nil {
		return nil, err
	}
	return t.payload, nil
}

// check finds what is wrong with the settings.
func (v *Verifier) check() error {
	switch {
	case v.Keys == nil:
		return &ConfigError{"Keys", "is not set: see StaticSecret, StaticPEM, PEMList and JWKS, or implement KeySet"}
	case len(v.Methods) == 0:
		return &ConfigError{"Methods", "is empty: list the methods that the issuer signs with, such as jwtbearer.RS256"}
	case v.Leeway < 0:
		return &ConfigError{"Leeway", "is negative"}
	}
	for i, name := range v.Methods {
		if _, ok := jws.Exactly(string(name)); !ok {
			return &ConfigError{fmt.Sprintf("Methods[%d]", i), fmt.Sprintf("%q is none of %s", string(name), strings.Join(jws.Names(), ", "))}
		}
	}
	return nil
}

// checkSignature tries the keys that are there and, where none of them made the signature, those that are published by now.
func (v *Verifier) checkSignature(ctx context.Context, t *token, m jws.Method) error {
	set, err := sourceOf(v.Keys, t)
	if err != nil {
		return err
	}
	t.claims = jsontext.Value{} // many times the size of the token, which may have to wait for keys
	ring, fresh, err := set.current(ctx)
	if ring == nil {
		return err
	}
	v.tellStale(ctx, err)
	failed := v.tryKeys(ctx, t, m, ring)
	if _, ok := errors.AsType[*TokenError](failed); !ok {
		return failed
	}
	newer, err := set.newer(ctx, ring, fresh)
	switch {
	case newer != nil:
		return v.tryKeys(ctx, t, m, newer)
	case err != nil && ctx.Err() != nil:
		return err
	}
	v.tellStale(ctx, err)
	return failed
}

// tryKeys tries the keys that may have made the signature: those with the token's kid first, then those without one;
// all of them if the token has no kid.
func (v *Verifier) tryKeys(ctx context.Context, t *token, m jws.Method, ring *keyring) error {
	tried, salt := false, false
	for _, named := range []bool{true, false} {
		for _, k := range ring.keys {
			if named != (k.id == t.kid) || !named && t.kid != "" && k.id != "" {
				continue
			}
			material, err := k.material(m)
			if err != nil {
				return err
			}
			if material == nil {
				continue
			}
			tried = true
			if m.Verify(t.signed, t.signature, material) == nil {
				v.tellShort(ctx, &k, m)
				return nil
			}
			salt = salt || m.OtherSalt(t.signed, t.signature, material)
		}
	}
	switch why := ring.unused[t.kid]; {
	case !tried && t.kid != "" && why != "":
		return &TokenError{UnknownKey, "the key of its kid cannot be used: " + why}
	case !tried:
		return &TokenError{UnknownKey, "no key of the set is for its kid and alg"}
	case salt:
		return &TokenError{BadSignature, "the salt of its signature is not as long as the hash (RFC 7518, section 3.5): the signer has to set the length"}
	}
	return &TokenError{BadSignature, "its signature was made with no key of the set"}
}

// tellShort says, once, that a secret is shorter than RFC 7518, section 3.2, wants it.
func (v *Verifier) tellShort(ctx context.Context, k *key, m jws.Method) {
	if v.Logger == nil || k.told == nil || len(k.secret) >= m.SecretSize() || k.told.Swap(true) {
		return
	}
	v.Logger.WarnContext(ctx, "the secret is so short that it can be guessed from one token: set a longer one on both sides",
		"bytes", len(k.secret), "wanted", m.SecretSize())
}

// tellStale says that keys could not be fetched while those from before serve on.
func (v *Verifier) tellStale(ctx context.Context, err error) {
	if err != nil && v.Logger != nil {
		v.Logger.WarnContext(ctx, "keys could not be fetched, those from before serve on", "error", err)
	}
}
