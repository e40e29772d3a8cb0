package jws

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seed-363d07a3/jwtbearer/internal/key/keytest"
)

// benchPayload has six claims, three of which would change from token to token.
const benchPayload = `{"iss":"issuer-0001","sub":"subject-0001","aud":"https://api.example.com/","scope":"read write",` +
	`"iat":1700000000,"exp":1700000300,"jti":"0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"}`

// BenchmarkSigner sets a token of ours, all but the making of its claims, beside golang-jwt's and beside the bare signature.
func BenchmarkSigner(b *testing.B) {
	for _, method := range []string{"HS256", "RS256", "PS256", "ES256", "EdDSA"} {
		key := keytest.For(method)
		b.Run(method+"/jwtbearer", func(b *testing.B) {
			s := newSigner(b, method, key)
			head := AppendHead(nil, fmt.Appendf(nil, `{"alg":%q,"typ":"JWT"}`, method))
			payload := []byte(benchPayload)
			b.ReportAllocs()
			for b.Loop() {
				_ = string(must(s.Append(nil, head, payload)))
			}
		})
		b.Run(method+"/sign", func(b *testing.B) {
			s := newSigner(b, method, key)
			header, payload := fmt.Appendf(nil, `{"alg":%q,"typ":"JWT"}`, method), []byte(benchPayload)
			b.ReportAllocs()
			for b.Loop() {
				_ = string(must(s.Append(nil, must(s.Head(header)), payload)))
			}
		})
		b.Run(method+"/golang-jwt", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				must(jwt.NewWithClaims(jwt.GetSigningMethod(method), jwt.MapClaims{
					"iss": "issuer-0001", "sub": "subject-0001", "aud": "https://api.example.com/", "scope": "read write",
					"iat": 1700000000, "exp": 1700000300, "jti": "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
				}).SignedString(key))
			}
		})
		b.Run(method+"/bare", func(b *testing.B) {
			input := []byte(strings.Repeat("x", 300))
			a := must(Parse(method))
			b.ReportAllocs()
			for b.Loop() {
				bareSignature(a, key, input)
			}
		})
	}
}

// bareSignature is what crypto does for a signature, with nothing around it.
func bareSignature(a Method, key any, input []byte) []byte {
	if a.family == familyHMAC {
		m := hmac.New(a.hash.New, key.([]byte))
		m.Write(input)
		return m.Sum(nil)
	}
	return must(crypto.SignMessage(key.(crypto.Signer), rand.Reader, input, (&Signer{Method: a}).options()))
}
