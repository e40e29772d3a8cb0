package verify_test

import (
	"fmt"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/verify"
)

// BenchmarkVerify sets Verify, which puts the claims into a struct, beside golang-jwt's parser with the same claims and
// checks.
func BenchmarkVerify(b *testing.B) {
	type claims struct {
		IDPlugin, IDBoard, IDMember, State string
	}
	const payload = `{"idPlugin":"5e66784c606cb1160a8f5dc0","idBoard":"5e667811606cb1160a8f5bf7","idMember":"5e645dc2c4205e1416218404",` +
		`"state":"test","iat":1583858668,"exp":4102444800,"iss":"issuer"}`
	for _, method := range []jwtbearer.SignatureMethod{jwtbearer.HS256, jwtbearer.RS256, jwtbearer.ES256, jwtbearer.EdDSA} {
		token := sign(method, keyOf(method), fmt.Sprintf(`{"alg":%q,"typ":"JWT"}`, method), payload)
		b.Run(string(method)+"/verify", func(b *testing.B) {
			v := verifier(method)
			v.Audience = ""
			b.ReportAllocs()
			for b.Loop() {
				if err := v.Verify(b.Context(), token, new(claims)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(string(method)+"/golang-jwt", func(b *testing.B) {
			type theirs struct {
				jwt.RegisteredClaims
				claims
			}
			parser := jwt.NewParser(jwt.WithValidMethods([]string{string(method)}), jwt.WithStrictDecoding(), jwt.WithIssuer("issuer"),
				jwt.WithExpirationRequired(), jwt.WithIssuedAt())
			key := verificationKey(method)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := parser.ParseWithClaims(token, new(theirs), func(*jwt.Token) (any, error) { return key, nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("refused/verify", func(b *testing.B) {
		v := &verify.Verifier{Keys: verify.StaticSecret([]byte(secret)), Methods: []jwtbearer.SignatureMethod{jwtbearer.HS256}}
		token := sign(jwtbearer.HS256, []byte(secret), `{"alg":"HS256"}`, `{"exp":1}`)
		b.ReportAllocs()
		for b.Loop() {
			if v.Verify(b.Context(), token, nil) == nil {
				b.Fatal("accepted")
			}
		}
	})
}
