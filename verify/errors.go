package verify

import (
	"fmt"
	"time"
)

// A Reason says in a word why a token was refused, for counting and for logs.
type Reason string

const (
	Malformed     Reason = "malformed"      // no compact JWS of at most 64 KiB, or its header or payload is not strict JSON
	WrongMethod   Reason = "wrong method"   // its alg is not one of Methods
	UnknownKey    Reason = "unknown key"    // no key of the set is for its kid and alg
	BadSignature  Reason = "bad signature"  // no key of the set made its signature
	Expired       Reason = "expired"        // its exp has passed, or it has none
	NotYetValid   Reason = "not yet valid"  // its nbf is in the future
	WrongIssuer   Reason = "wrong issuer"   // its iss is another one, or missing
	WrongAudience Reason = "wrong audience" // its aud does not name this server
	BadClaim      Reason = "bad claim"      // one of exp, nbf, iat, iss and aud has a value that it cannot have
)

// TokenError says why a token was refused. It is for whoever runs the server: what it says helps an attacker, and
// [Verifier.Handler] does not pass it on. It holds nothing of the token.
type TokenError struct {
	Reason  Reason
	Problem string
}

func (e *TokenError) Error() string { return "verify: token refused: " + e.Problem }

// KeysError says that the keys of a remote set cannot be had, so that nothing can be said of a token.
type KeysError struct {
	Problem    string
	RetryAfter time.Duration // until keys are asked for again; zero: at once

	cause error
}

func (e *KeysError) Error() string { return "verify: no keys to verify with: " + e.Problem }

// Unwrap returns what is behind the problem: the error of the context that ended, or of the network.
func (e *KeysError) Unwrap() error { return e.cause }

// ConfigError says what is wrong with the settings of a [Verifier] or with the secret or address of its keys.
type ConfigError struct {
	Field   string // of Verifier
	Problem string // what was found, and what to do
}

func (e *ConfigError) Error() string { return fmt.Sprintf("verify: %s: %s", e.Field, e.Problem) }

// claimsError says that the claims of a good token do not fit the type that they were to be put into. The error of
// encoding/json shows a piece of the claims, so that it can be had, but is not said.
type claimsError struct {
	problem string
	cause   error
}

func (e *claimsError) Error() string { return "verify: the token is good, but its claims " + e.problem }

func (e *claimsError) Unwrap() error { return e.cause }
