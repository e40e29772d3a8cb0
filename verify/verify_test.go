package verify_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/verify"
)

// secret is a TESTING KEY, long enough for all hashes.
const secret = "TESTING KEY that both sides have, of sixty-four bytes and not fewer"

// The keys of the tests are made when they are first needed.
var (
	rsaKey     = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	otherRSA   = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	p256       = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	p384       = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) })
	p521       = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)) })
	ed25519Key = sync.OnceValue(func() ed25519.PrivateKey { return ed25519.NewKeyFromSeed([]byte(secret[:32])) })
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// keyOf returns what a method signs with.
func keyOf(method jwtbearer.SignatureMethod) any {
	switch method {
	case jwtbearer.HS256, jwtbearer.HS384, jwtbearer.HS512:
		return []byte(secret)
	case jwtbearer.ES256:
		return p256()
	case jwtbearer.ES384:
		return p384()
	case jwtbearer.ES512:
		return p521()
	case jwtbearer.EdDSA, jwtbearer.Ed25519:
		return ed25519Key()
	}
	return rsaKey()
}

// sign makes a token with golang-jwt, whatever its header says.
func sign(method jwtbearer.SignatureMethod, key any, header, payload string) string {
	by := jwt.GetSigningMethod(string(method))
	if method == jwtbearer.Ed25519 {
		by = jwt.SigningMethodEdDSA
	}
	signed := b64(header) + "." + b64(payload)
	return signed + "." + b64(string(must(by.Sign(signed, key))))
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// goodClaims are accepted by a Verifier for "issuer" and "me"; more has further members, with a comma before each.
func goodClaims(more string) string {
	return fmt.Sprintf(`{"iss":"issuer","aud":"me","exp":%d%s}`, time.Now().Unix()+300, more)
}

// goodToken is signed as its header says.
func goodToken(method jwtbearer.SignatureMethod) string {
	return sign(method, keyOf(method), fmt.Sprintf(`{"alg":%q,"typ":"JWT"}`, method), goodClaims(""))
}

// publicPEM is the public half of keys in PEM.
func publicPEM(keys ...crypto.Signer) string {
	var b strings.Builder
	for _, k := range keys {
		pem.Encode(&b, &pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(k.Public()))})
	}
	return b.String()
}

// verifier accepts what sign makes with the key of a method.
func verifier(method jwtbearer.SignatureMethod) *verify.Verifier {
	v := &verify.Verifier{Methods: []jwtbearer.SignatureMethod{method}, Issuer: "issuer", Audience: "me"}
	switch k := keyOf(method).(type) {
	case []byte:
		v.Keys = verify.StaticSecret(k)
	case crypto.Signer:
		v.Keys = must(verify.StaticPEM([]byte(publicPEM(k))))
	}
	return v
}

// wantRefused wants a token to be refused for a reason, and the error to hold no part of it.
func wantRefused(t *testing.T, v *verify.Verifier, token string, want verify.Reason) {
	t.Helper()
	claims := map[string]any{"before": true}
	err := v.Verify(t.Context(), token, &claims)
	refused, ok := errors.AsType[*verify.TokenError](err)
	if !ok || refused.Reason != want {
		t.Errorf("Verify(%.60s…) = %v, want a *TokenError with Reason %q", token, err, want)
		return
	}
	for part := range strings.SplitSeq(token, ".") {
		if len(part) > 8 && strings.Contains(err.Error(), part) {
			t.Errorf("the error shows a part of the token: %v", err)
		}
	}
	if len(claims) != 1 {
		t.Errorf("claims = %v after a refusal, want them untouched", claims)
	}
}

func wantAccepted(t *testing.T, v *verify.Verifier, token string) {
	t.Helper()
	if err := v.Verify(t.Context(), token, nil); err != nil {
		t.Errorf("Verify(%.60s…) = %v, want nil", token, err)
	}
}

func TestVerifyAcceptsEveryMethodWithItsKey(t *testing.T) {
	for _, method := range allMethods {
		t.Run(string(method), func(t *testing.T) { wantAccepted(t, verifier(method), goodToken(method)) })
	}
}

var allMethods = []jwtbearer.SignatureMethod{
	jwtbearer.HS256, jwtbearer.HS384, jwtbearer.HS512, jwtbearer.RS256, jwtbearer.RS384, jwtbearer.RS512,
	jwtbearer.PS256, jwtbearer.PS384, jwtbearer.PS512, jwtbearer.ES256, jwtbearer.ES384, jwtbearer.ES512,
	jwtbearer.EdDSA, jwtbearer.Ed25519,
}

// TestVerifyRefusesEveryOtherMethodsToken has all methods allowed and all keys but the one of the token's method.
func TestVerifyRefusesEveryOtherMethodsToken(t *testing.T) {
	for _, has := range allMethods {
		for _, signs := range allMethods {
			if fmt.Sprintf("%T%v", keyOf(has), size(has)) == fmt.Sprintf("%T%v", keyOf(signs), size(signs)) {
				continue // one key serves both
			}
			v := verifier(has)
			v.Methods = allMethods
			wantRefused(t, v, goodToken(signs), verify.UnknownKey)
		}
	}
}

// size tells curves apart.
func size(method jwtbearer.SignatureMethod) int {
	if k, ok := keyOf(method).(*ecdsa.PrivateKey); ok {
		return k.Curve.Params().BitSize
	}
	return 0
}

func TestVerifyPutsClaimsIntoWhatIsGiven(t *testing.T) {
	v := verifier(jwtbearer.HS256)
	token := sign(jwtbearer.HS256, []byte(secret), `{"alg":"HS256"}`, goodClaims(`,"userId":9007199254740993,"list":[1.10]`))
	var typed struct{ UserID int64 }
	if err := v.Verify(t.Context(), token, &typed); err != nil || typed.UserID != 9007199254740993 {
		t.Errorf("userId = %d, %v, want 9007199254740993", typed.UserID, err)
	}
	var loose map[string]any
	if err := v.Verify(t.Context(), token, &loose); err != nil || fmt.Sprintf("%v %v", loose["userId"], loose["list"]) != "9007199254740993 [1.10]" {
		t.Errorf("claims = %v, %v, want userId 9007199254740993 and list [1.10]", loose, err)
	}
	var raw json.RawMessage
	if err := v.Verify(t.Context(), token, &raw); err != nil || b64(string(raw)) != strings.Split(token, ".")[1] {
		t.Errorf("raw claims = %s, %v, want the bytes that were signed", raw, err)
	}
}

func TestVerifySaysWhichClaimDoesNotFit(t *testing.T) {
	token := sign(jwtbearer.HS256, []byte(secret), `{"alg":"HS256"}`, goodClaims(`,"userId":"private words"`))
	var claims struct {
		UserID int `json:"userId"`
	}
	err := verifier(jwtbearer.HS256).Verify(t.Context(), token, &claims)
	if err == nil || !strings.Contains(err.Error(), "userId is not of type int") || strings.Contains(err.Error(), "private") {
		t.Errorf("Verify = %v, want an error that names userId and int, and not the value", err)
	}
	if refused, ok := errors.AsType[*verify.TokenError](err); ok {
		t.Errorf("Verify = %v, want no *TokenError: the token is good", refused)
	}
}

func TestVerifyRefusesToWorkWithBadSettings(t *testing.T) {
	token := goodToken(jwtbearer.HS256)
	tests := []struct {
		name   string
		change func(*verify.Verifier)
		want   string
	}{
		{"no Keys", func(v *verify.Verifier) { v.Keys = nil }, "Keys"},
		{"no Methods", func(v *verify.Verifier) { v.Methods = nil }, "Methods"},
		{"none", func(v *verify.Verifier) { v.Methods = []jwtbearer.SignatureMethod{"HS256", "none"} }, "Methods[1]"},
		{"another spelling", func(v *verify.Verifier) { v.Methods = []jwtbearer.SignatureMethod{"hs256"} }, "Methods[0]"},
		{"negative Leeway", func(v *verify.Verifier) { v.Leeway = -1 }, "Leeway"},
		{"empty secret", func(v *verify.Verifier) { v.Keys = verify.StaticSecret(nil) }, "Keys"},
		{"plain http", func(v *verify.Verifier) { v.Keys = verify.JWKS("http://issuer.example.com/jwks", nil) }, "Keys"},
		{"no address", func(v *verify.Verifier) { v.Keys = verify.PEMList("", nil) }, "Keys"},
		{"relative address", func(v *verify.Verifier) { v.Keys = verify.PEMList("/keys", nil) }, "Keys"},
		{"another scheme", func(v *verify.Verifier) { v.Keys = verify.JWKS("file:///etc/keys", nil) }, "Keys"},
	}
	for _, tt := range tests {
		v := verifier(jwtbearer.HS256)
		tt.change(v)
		err := v.Verify(t.Context(), token, nil)
		if bad, ok := errors.AsType[*verify.ConfigError](err); !ok || bad.Field != tt.want {
			t.Errorf("%s: Verify = %v, want a *ConfigError of %s", tt.name, err, tt.want)
		}
	}
}

func TestAShortSecretIsToldOnce(t *testing.T) {
	var log strings.Builder
	v := verifier(jwtbearer.HS256)
	v.Logger = slog.New(slog.NewTextHandler(&log, nil))
	wantAccepted(t, v, sign(jwtbearer.HS256, []byte(secret), `{"alg":"HS256"}`, goodClaims("")))
	if log.Len() > 0 {
		t.Errorf("a secret as long as it should be was logged: %s", &log)
	}
	v.Keys = verify.StaticSecret([]byte("short"))
	for range 3 {
		wantAccepted(t, v, sign(jwtbearer.HS256, []byte("short"), `{"alg":"HS256"}`, goodClaims("")))
	}
	if got := log.String(); strings.Count(got, "level=WARN") != 1 || !strings.Contains(got, "bytes=5 wanted=32") {
		t.Errorf("a secret of 5 bytes was logged as %q, want one warning", got)
	}
	v.Keys = verify.StaticSecret(nil)
	if err := v.Verify(t.Context(), sign(jwtbearer.HS256, []byte{}, `{"alg":"HS256"}`, goodClaims("")), nil); err == nil {
		t.Error("a token that is signed with nothing was accepted")
	}
}

func TestByIssuerHoldsEachToItsOwnKeys(t *testing.T) {
	v := &verify.Verifier{Methods: []jwtbearer.SignatureMethod{jwtbearer.RS256, jwtbearer.HS256}, Keys: verify.ByIssuer(map[string]verify.KeySet{
		"rsa": must(verify.StaticPEM([]byte(publicPEM(rsaKey())))), "hmac": verify.StaticSecret([]byte(secret)), "nil": nil,
	})}
	from := func(method jwtbearer.SignatureMethod, claims string) string {
		return sign(method, keyOf(method), fmt.Sprintf(`{"alg":%q}`, method), fmt.Sprintf(`{%s"exp":%d}`, claims, time.Now().Unix()+60))
	}
	wantAccepted(t, v, from(jwtbearer.RS256, `"iss":"rsa",`))
	wantAccepted(t, v, from(jwtbearer.HS256, `"iss":"hmac",`))
	wantRefused(t, v, from(jwtbearer.RS256, `"iss":"hmac",`), verify.UnknownKey)
	wantRefused(t, v, from(jwtbearer.HS256, `"iss":"rsa",`), verify.UnknownKey)
	wantRefused(t, v, from(jwtbearer.RS256, `"iss":"another",`), verify.WrongIssuer)
	wantRefused(t, v, from(jwtbearer.RS256, `"iss":"nil",`), verify.WrongIssuer)
	wantRefused(t, v, from(jwtbearer.RS256, ``), verify.WrongIssuer)
	wantRefused(t, v, from(jwtbearer.RS256, `"iss":["rsa"],`), verify.BadClaim)
}

func TestNoKeyIsPrinted(t *testing.T) {
	sets := []verify.KeySet{
		verify.StaticSecret([]byte(secret)),
		must(verify.StaticPEM([]byte(publicPEM(rsaKey())))),
		verify.JWKS("https://user:password@keys.example.com/jwks?key=hidden", nil),
		verify.ByIssuer(map[string]verify.KeySet{"issuer": verify.StaticSecret([]byte(secret))}),
	}
	for _, set := range sets {
		v := &verify.Verifier{Keys: set, Methods: []jwtbearer.SignatureMethod{jwtbearer.HS256}}
		for _, value := range []any{set, v, *v, []any{v}, map[string]any{"v": *v}} {
			var b strings.Builder
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
				fmt.Fprintf(&b, verb+"\n", value)
			}
			asJSON, _ := json.Marshal(value)
			b.Write(asJSON)
			for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
				slog.New(h).Info("verifier", "value", value)
			}
			for _, hidden := range []string{"TESTING", fmt.Sprintf("%x", "TESTING"), fmt.Sprintf("%X", "TESTING"), "84 69 83", "password", "hidden"} {
				if strings.Contains(b.String(), hidden) {
					t.Errorf("%T prints %q: %s", value, hidden, &b)
				}
			}
		}
	}
}

func TestLoggerIsNotNeeded(t *testing.T) {
	v := verifier(jwtbearer.HS256)
	v.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	wantAccepted(t, v, goodToken(jwtbearer.HS256))
	v.Logger = nil
	wantRefused(t, v, "", verify.Malformed)
}
