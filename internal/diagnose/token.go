package diagnose

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/skew"
	"github.com/seed-363d07a3/jwtbearer/internal/waits"
)

func (f *Facts) hintMethod() string {
	return fmt.Sprintf("the token is signed by %s: set SignatureMethod, and a key that fits it, to what the API wants", member(f.Token.Header, "alg"))
}

func (f *Facts) hintKeyID() string {
	if kid := member(f.Token.Header, "kid"); kid != "" {
		return fmt.Sprintf("the token names the key %s: compare kid in JWTHeaders with the key's name at the API", kid)
	}
	return `the token does not say which key signed it: set JWTHeaders to {"kid": "…"} with the key's name at the API`
}

func (f *Facts) hintKey() string {
	if strings.HasPrefix(member(f.Token.Header, "alg"), "HS") {
		return "the API has another secret: compare Secret with the one that it shows, and SecretEncoding with how that is written (hex, base64 or as it is)"
	}
	hint := "the API has another key: compare PrivateKey with the public key that is registered there"
	if kid := member(f.Token.Header, "kid"); kid != "" {
		hint += " as " + kid
	}
	return hint
}

// lifetime is exp less iat, or less now where there is no iat.
func (f *Facts) lifetime() time.Duration {
	exp, iat := waits.NumericDate(member(f.Token.Claims, "exp")), waits.NumericDate(member(f.Token.Claims, "iat"))
	if exp.IsZero() {
		return 0
	}
	if iat.IsZero() {
		iat = f.Token.Now
	}
	return exp.Sub(iat).Round(time.Second)
}

func (f *Facts) hintLifetime() string {
	if life := f.lifetime(); life != 0 {
		return fmt.Sprintf("the token lives %s: lower Lifetime, or exp in Payload, to what the API allows", life)
	}
	return "lower Lifetime, or exp in Payload, to what the API allows"
}

func (f *Facts) hintEarly() string {
	if f.Skew.Abs() > skew.Noticed {
		return ClockHint(f.Skew) + ": correct one of them, or date the token back: iat and nbf as {{now -60}} in Payload"
	}
	return "compare iat and nbf in Payload with the clock: they are whole seconds ({{now}}), and some APIs want them a little in the past ({{now -60}})"
}

func (f *Facts) hintExpired() string {
	switch life := f.lifetime(); {
	case f.Skew.Abs() > skew.Noticed:
		return ClockHint(f.Skew) + ": correct one of them"
	case life == 0:
		return "the token has no exp: set Lifetime, or add it to Payload"
	case f.Token.Ready:
		return "Token has expired: get a new one, or describe how to sign it"
	default:
		return fmt.Sprintf("the token lives %s from iat: compare Lifetime, or exp in Payload, with what the API wants; exp is a time, as in {{now 300}}", life)
	}
}

func (f *Facts) hintOnce() string {
	if f.Token.Reused {
		return "the API takes each token once: set TokenReuse to zero"
	}
	if member(f.Token.Claims, "jti") == "" {
		return `the API wants tokens that differ: add "jti": "{{uuid}}" to Payload`
	}
	return `make jti in Payload new for every token: "{{uuid}}"`
}

func hintClaim(name string) func(*Facts) string {
	return func(f *Facts) string {
		if value := member(f.Token.Claims, name); value != "" {
			return fmt.Sprintf("the token has %s %s: set %s in Payload to what the API wants", name, value, name)
		}
		return fmt.Sprintf("the token has no %s: add it to Payload", name)
	}
}

func (f *Facts) hintPlacement() string {
	return "the API does not find or understand the token, which goes to " + strings.Join(f.Token.Places, " and ") +
		": set Placement to where and how it wants it"
}

func (f *Facts) hintSilent() string {
	if f.Token.Exchanged {
		return "the API refuses the access token: compare what Exchange.Params asks for (scope, resource, audience) with what this address needs, and Placement"
	}
	if f.Token.Ready {
		return "the API does not say why: get a new Token, and compare Placement with where the API wants it"
	}
	key := "PrivateKey"
	if strings.HasPrefix(member(f.Token.Header, "alg"), "HS") {
		key = "Secret (and SecretEncoding)"
	}
	return "the API does not say why: compare Payload, JWTHeaders and Placement with what it asks for, and " + key + " with the key that it has"
}

// memberText is a member of a string object as a text; empty: there is none.
func member(object string, name string) string {
	v, err := jsontext.Parse(string(object))
	if err != nil {
		return ""
	}
	for _, m := range v.Members {
		if m.Name == name {
			return problem.OneLine(cmp.Or(m.Value.Text, string(m.Value.Append(nil))))
		}
	}
	return ""
}
