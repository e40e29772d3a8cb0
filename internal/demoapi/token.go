package demoapi

import (
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// A Reason tells why a token was refused. It is the error_description of the answer.
type Reason string

const (
	Missing        Reason = "no bearer token"
	Several        Reason = "there is more than one token in the place of one"
	Malformed      Reason = "the token is malformed"
	WrongMethod    Reason = "the token is signed with a method that is not accepted"
	Extended       Reason = "the token has crit, and no extension of JWS is understood here"
	UnknownKey     Reason = "no key is known for the kid of the token"
	BadSignature   Reason = "the signature of the token is wrong"
	BadSalt        Reason = "the salt of the signature is not as long as the hash (RFC 7518, section 3.5)"
	NoExpiry       Reason = "the token has no exp"
	Expired        Reason = "the token has expired"
	ExpiresTooLate Reason = "the exp of the token is too far ahead"
	NotYetValid    Reason = "the token is not valid yet: see its nbf and iat"
	WrongIssuer    Reason = "the iss of the token is wrong"
	WrongAudience  Reason = "the aud of the token is wrong"
	BadClaims      Reason = "a claim of the token has the wrong type"
	NoJTI          Reason = "the token has no jti"
	Replayed       Reason = "the jti of the token was used before"
	UnknownToken   Reason = "the access token is not one that was given out"
	WrongGrant     Reason = "the token request has a wrong grant_type or client_assertion_type, or none, or more than one"
	OnRequest      Reason = "the test wants it refused"
)

// methodEd25519 is the alg of RFC 9864, which golang-jwt knows only under its older name, EdDSA.
const methodEd25519 = "Ed25519"

// verifier verifies with golang-jwt, so that a client is not held against its own code.
type verifier struct {
	config Config
	now    func() time.Time
	parser *jwt.Parser
	claims *jwt.Validator

	mu    sync.Mutex
	used  map[[sha256.Size]byte]time.Time // digests of iss and jti, and when they may be forgotten
	sweep int                             // how many of them are worth a look for what may be forgotten
}

func newVerifier(config Config, now func() time.Time) *verifier {
	claims := []jwt.ParserOption{jwt.WithIssuedAt(), jwt.WithLeeway(config.Leeway), jwt.WithTimeFunc(now)}
	if !config.AllowNoExpiry {
		claims = append(claims, jwt.WithExpirationRequired())
	}
	if config.Issuer != "" {
		claims = append(claims, jwt.WithIssuer(config.Issuer))
	}
	if config.Audience != "" {
		claims = append(claims, jwt.WithAudience(config.Audience))
	}
	return &verifier{
		config: config,
		now:    now,
		parser: jwt.NewParser(jwt.WithJSONNumber(), jwt.WithStrictDecoding()),
		claims: jwt.NewValidator(claims...),
		used:   map[[sha256.Size]byte]time.Time{},
	}
}

// verify returns the claims of a token that is accepted, and otherwise what is wrong with it. It uses up the jti. check may
// refuse a token that is good so far.
func (v *verifier) verify(token string, check func() error) (jwt.MapClaims, Reason) {
	if token == "" {
		return nil, Missing
	}
	claims := jwt.MapClaims{}
	if reason := v.signature(token, claims); reason != "" {
		return nil, reason
	}
	if err := v.claims.Validate(claims); err != nil {
		return nil, claimReason(err)
	}
	if !wellTyped(claims) {
		return nil, BadClaims
	}
	if err := check(); err != nil {
		return nil, Reason(err.Error())
	}
	if reason := v.use(claims, v.now()); reason != "" {
		return nil, reason
	}
	return claims, ""
}

// signature fills in the claims and checks who signed them.
func (v *verifier) signature(token string, claims jwt.MapClaims) Reason {
	if strings.ContainsAny(token, "\r\n") { // which encoding/base64 passes over
		return Malformed
	}
	t, parts, err := v.parser.ParseUnverified(token, claims)
	if t == nil || t.Header == nil || len(parts) != 3 || errors.Is(err, jwt.ErrTokenMalformed) {
		return Malformed
	}
	alg, _ := t.Header["alg"].(string)
	if !slices.Contains(v.config.Methods, alg) {
		return WrongMethod
	}
	method := t.Method
	if alg == methodEd25519 {
		method = jwt.SigningMethodEdDSA
	}
	if _, has := t.Header["crit"]; has { // which golang-jwt does not look at
		return Extended
	}
	sig, err := v.parser.DecodeSegment(parts[2])
	if err != nil {
		return Malformed
	}
	keys := v.keys(t.Header["kid"])
	if len(keys) == 0 {
		return UnknownKey
	}
	signed := parts[0] + "." + parts[1]
	good := func(method jwt.SigningMethod) bool {
		return slices.ContainsFunc(keys, func(k Key) bool { return method.Verify(signed, sig, k.Verify) == nil })
	}
	switch {
	case good(strict(method)):
		return ""
	case good(method):
		return BadSalt
	}
	return BadSignature
}

// strict holds PSS to salts as long as the hash, as APIs do; golang-jwt takes any length.
func strict(method jwt.SigningMethod) jwt.SigningMethod {
	pss, ok := method.(*jwt.SigningMethodRSAPSS)
	if !ok {
		return method
	}
	s := *pss
	s.VerifyOptions = nil // then it verifies with what it signs with
	return &s
}

// keys returns those with that kid or, if there is none, those without.
func (v *verifier) keys(kid any) []Key {
	for _, id := range []any{kid, ""} {
		other := func(k Key) bool { return any(k.ID) != id }
		if keys := slices.DeleteFunc(slices.Clone(v.config.Keys), other); len(keys) > 0 {
			return keys
		}
	}
	return nil
}

// wellTyped reports whether the registered claims that golang-jwt looks at only where they are expected have their types
// (RFC 7519, section 4.1).
func wellTyped(claims jwt.MapClaims) bool {
	_, iss := claims.GetIssuer()
	_, sub := claims.GetSubject()
	_, aud := claims.GetAudience()
	jti, has := claims["jti"]
	_, isText := jti.(string)
	return errors.Join(iss, sub, aud) == nil && (isText || !has)
}

func claimReason(err error) Reason {
	for _, c := range []struct {
		err    error
		reason Reason
	}{
		{jwt.ErrTokenExpired, Expired},
		{jwt.ErrTokenNotValidYet, NotYetValid},
		{jwt.ErrTokenUsedBeforeIssued, NotYetValid},
		{jwt.ErrTokenInvalidIssuer, WrongIssuer},
		{jwt.ErrTokenInvalidAudience, WrongAudience},
		{jwt.ErrTokenRequiredClaimMissing, NoExpiry},
	} {
		if errors.Is(err, c.err) {
			return c.reason
		}
	}
	return BadClaims
}

// use uses up the jti of valid claims. It is forgotten once the token has expired, and MaxLifetime bounds how long that is.
func (v *verifier) use(claims jwt.MapClaims, now time.Time) Reason {
	until, reason := v.end(claims, now)
	if reason != "" {
		return reason
	}
	jti, _ := claims["jti"].(string)
	if jti == "" {
		if v.config.RequireJTI {
			return NoJTI
		}
		return ""
	}
	iss, _ := claims.GetIssuer()
	if !v.config.AllowReplay && !v.first(sha256.Sum256([]byte(iss+"\x00"+jti)), until.Add(v.config.Leeway), now) {
		return Replayed
	}
	return ""
}

// end is when valid claims expire.
func (v *verifier) end(claims jwt.MapClaims, now time.Time) (time.Time, Reason) {
	exp, err := claims.GetExpirationTime()
	if err == nil && exp != nil {
		if exp.After(now.Add(v.config.MaxLifetime + v.config.Leeway)) {
			return time.Time{}, ExpiresTooLate
		}
		return exp.Time, ""
	}
	iat, err := claims.GetIssuedAt()
	if err != nil || iat == nil || !v.config.AllowNoExpiry {
		return time.Time{}, NoExpiry
	}
	until := iat.Add(v.config.MaxLifetime)
	if now.After(until.Add(v.config.Leeway)) {
		return time.Time{}, Expired
	}
	return until, ""
}

// first reports whether id was not used before, and remembers it.
func (v *verifier) first(id [sha256.Size]byte, until, now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, ok := v.used[id]; ok {
		return false
	}
	if len(v.used) >= v.sweep {
		for id, until := range v.used {
			if !now.Before(until) {
				delete(v.used, id)
			}
		}
		v.sweep = max(64, 2*len(v.used))
	}
	v.used[id] = until
	return true
}
