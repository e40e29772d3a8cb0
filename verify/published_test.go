package verify_test

import (
	"bytes"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/verify"
)

func TestPEMListReadsWhatItCan(t *testing.T) {
	one := strings.ReplaceAll(publicPEM(rsaKey()), "\n", `\n`)
	list := []any{"damaged", 7, nil, publicPEM(p256()), one, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}
	s := &keyServer{}
	s.set(func(r *http.Request) (*http.Response, error) {
		if r.Method != "GET" || r.Header.Get("Authorization") != "" {
			t.Errorf("%s with %v, want a GET without credentials", r.Method, r.Header)
		}
		return respond(200, string(must(json.Marshal(map[string]any{"keys": list, "more": 1}))))
	})
	v := &verify.Verifier{Keys: verify.PEMList(keysURL, s.client()), Methods: allMethods}
	wantAccepted(t, v, rsaToken(rsaKey()))
	wantAccepted(t, v, sign(jwtbearer.ES256, p256(), `{"alg":"ES256","kid":"unheard-of"}`, `{"exp":4102444800}`))
	wantRefused(t, v, rsaToken(otherRSA()), verify.BadSignature)
}

// rsaJWK is a public JWK with further members.
func rsaJWK(key *rsa.PrivateKey, more string) string {
	return fmt.Sprintf(`{"kty":"RSA","e":"AQAB","n":%q%s}`, base64.RawURLEncoding.EncodeToString(key.N.Bytes()), more)
}

// jwksOf is a Verifier for all methods with a set of these keys.
func jwksOf(keys ...string) *verify.Verifier {
	body := `{"keys":[` + strings.Join(keys, ",") + `]}`
	s := &keyServer{answer: func(*http.Request) (*http.Response, error) { return respond(200, body) }}
	return &verify.Verifier{Keys: verify.JWKS(keysURL, s.client()), Methods: allMethods}
}

func TestJWKSLeavesOutWhatIsNotForSignatures(t *testing.T) {
	small := must(rsa.GenerateKey(bytes.NewReader(nil), 1024))
	ec := func(x, y string) string { return fmt.Sprintf(`{"kty":"EC","crv":"P-256","x":%q,"y":%q}`, x, y) }
	bad := []string{
		rsaJWK(rsaKey(), `,"use":"enc"`), rsaJWK(rsaKey(), `,"key_ops":["encrypt"]`), rsaJWK(rsaKey(), `,"key_ops":[]`),
		rsaJWK(rsaKey(), `,"alg":"RSA-OAEP"`), rsaJWK(rsaKey(), `,"alg":"ES256"`), rsaJWK(rsaKey(), `,"alg":"HS256"`), rsaJWK(rsaKey(), `,"alg":"none"`),
		rsaJWK(rsaKey(), `,"d":"AQAB"`), rsaJWK(rsaKey(), `,"kid":1`), rsaJWK(small, ""),
		fmt.Sprintf(`{"kty":"oct","k":%q}`, b64(secret)), ec(b64(secret[:32]), b64(secret[32:64])), ec("", ""),
		`{"kty":"OKP","crv":"X25519","x":"` + b64(secret[:32]) + `"}`, `{"kty":"OKP","crv":"Ed25519","x":"AAAA"}`, `{"kty":"new"}`,
		`{"kty":"RSA","n":"AQAB","e":"AQAB"}`, `{"kty":"RSA","n":5}`, `null`, `"text"`, `[]`, `{}`,
	}
	for _, k := range bad {
		err := jwksOf(k).Verify(t.Context(), rsaToken(rsaKey()), nil)
		if _, ok := errors.AsType[*verify.KeysError](err); !ok {
			t.Errorf("a set of only %.60s: %v, want a *KeysError", k, err)
		}
	}
	v := jwksOf(append(bad, rsaJWK(rsaKey(), ""))...)
	wantAccepted(t, v, rsaToken(rsaKey()))
	wantRefused(t, v, sign(jwtbearer.HS256, []byte(secret), `{"alg":"HS256"}`, `{"exp":4102444800}`), verify.UnknownKey)
	wantAccepted(t, jwksOf(rsaJWK(rsaKey(), `,"use":"sig","key_ops":["verify"],"alg":"RS256","x5c":["damaged"],"x5t":"?"`)), rsaToken(rsaKey()))
}

func TestJWKSHoldsAKeyToItsAlg(t *testing.T) {
	v := jwksOf(rsaJWK(rsaKey(), `,"alg":"PS256"`))
	wantRefused(t, v, rsaToken(rsaKey()), verify.UnknownKey)
	wantAccepted(t, v, sign(jwtbearer.PS256, rsaKey(), `{"alg":"PS256"}`, `{"exp":4102444800}`))
	okp := `{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","x":"` + base64.RawURLEncoding.EncodeToString(ed25519Key()[32:]) + `"}`
	wantAccepted(t, jwksOf(okp), sign(jwtbearer.Ed25519, ed25519Key(), `{"alg":"Ed25519"}`, `{"exp":4102444800}`))
}

func TestKidChoosesTheKey(t *testing.T) {
	token := func(key *rsa.PrivateKey, kid string) string {
		return sign(jwtbearer.RS256, key, `{"alg":"RS256"`+kid+`}`, `{"exp":4102444800}`)
	}
	v := jwksOf(rsaJWK(rsaKey(), `,"kid":"a"`), rsaJWK(otherRSA(), `,"kid":"b"`))
	wantAccepted(t, v, token(rsaKey(), `,"kid":"a"`))
	wantAccepted(t, v, token(otherRSA(), `,"kid":"b"`))
	wantRefused(t, v, token(rsaKey(), `,"kid":"b"`), verify.BadSignature)
	wantRefused(t, v, token(rsaKey(), `,"kid":"A"`), verify.UnknownKey)
	wantAccepted(t, v, token(otherRSA(), ``)) // no kid: each is tried
	v = jwksOf(rsaJWK(rsaKey(), `,"kid":"a"`), rsaJWK(otherRSA(), ``), rsaJWK(otherRSA(), `,"kid":"a"`))
	wantAccepted(t, v, token(otherRSA(), `,"kid":"a"`))       // the second of that kid
	wantAccepted(t, v, token(otherRSA(), `,"kid":"unknown"`)) // the one without a kid
	wantRefused(t, v, token(rsaKey(), `,"kid":"unknown"`), verify.BadSignature)
}
