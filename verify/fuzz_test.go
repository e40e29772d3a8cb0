package verify_test

import (
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/verify"
)

// FuzzVerify gives Verify any text, and signs any header and payload for it. What was not signed is never accepted, and
// what is accepted is accepted by golang-jwt's parser, with as many claims.
func FuzzVerify(f *testing.F) {
	good := sign(jwtbearer.HS256, []byte(secret), `{"alg":"HS256"}`, `{"exp":4102444800}`)
	f.Add(good, `{"alg":"HS256","typ":"JWT"}`, `{"exp":4102444800,"iss":"issuer","aud":["me"]}`)
	f.Add(strings.Repeat(".", 3), `{"alg":"none"}`, `{"exp":4102444800.5e0,"nbf":-1}`)
	f.Add("", `{"alg":"HS256","crit":[]}`, `{"exp":4102444800,"Exp":1}`)
	f.Add(good+"\n", `{"alg":"HS256","kid":""}`, `{"iat":0,"exp":41024448e2,"a":[{"b":1.0}]}`)
	v := &verify.Verifier{Keys: verify.StaticSecret([]byte(secret)), Methods: []jwtbearer.SignatureMethod{jwtbearer.HS256}}
	f.Fuzz(func(t *testing.T, text, header, payload string) {
		if err := v.Verify(t.Context(), text, nil); err == nil && text != good {
			t.Fatalf("%q was accepted, which nobody signed", text)
		}
		token := sign(jwtbearer.HS256, []byte(secret), header, payload)
		var ours map[string]any
		if v.Verify(t.Context(), token, &ours) != nil {
			return
		}
		theirs := jwt.MapClaims{}
		if _, err := parseWithGolangJWT(token, jwtbearer.HS256, theirs); err != nil || len(ours) != len(theirs) {
			t.Fatalf("%s.%s: %v here; golang-jwt: %v, %v", header, payload, ours, theirs, err)
		}
		other := sign(jwtbearer.HS256, []byte(strings.ToLower(secret)), header, payload)
		if v.Verify(t.Context(), other, nil) == nil {
			t.Fatalf("%s.%s was accepted with the signature of another", header, payload)
		}
	})
}
