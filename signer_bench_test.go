package jwtbearer

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// benchPayload has six claims, three of which would change from token to token.
const benchPayload = `{"iss":"issuer-0001","sub":"subject-0001","aud":"https://api.example.com/","scope":"read write",` +
	`"iat":1700000000,"exp":1700000300,"jti":"0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"}`

// BenchmarkSigner sets a token of ours, all but the making of its claims, beside golang-jwt's and beside the bare signature.
func BenchmarkSigner(b *testing.B) {
	for _, method := range []SignatureMethod{HS256, RS256, PS256, ES256, EdDSA} {
		key := keyFor(method)
		b.Run(string(method)+"/jwtbearer", func(b *testing.B) {
			s := must(NewSigner(method, key))
			head := appendHead(nil, fmt.Appendf(nil, `{"alg":%q,"typ":"JWT"}`, method))
			payload := []byte(benchPayload)
			b.ReportAllocs()
			for b.Loop() {
				_ = string(must(s.s.appendToken(nil, head, payload)))
			}
		})
		b.Run(string(method)+"/sign", func(b *testing.B) {
			s := must(NewSigner(method, key))
			header, payload := fmt.Appendf(nil, `{"alg":%q,"typ":"JWT"}`, method), []byte(benchPayload)
			b.ReportAllocs()
			for b.Loop() {
				must(s.Sign(header, payload))
			}
		})
		b.Run(string(method)+"/golang-jwt", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				must(jwt.NewWithClaims(jwt.GetSigningMethod(string(method)), jwt.MapClaims{
					"iss": "issuer-0001", "sub": "subject-0001", "aud": "https://api.example.com/", "scope": "read write",
					"iat": 1700000000, "exp": 1700000300, "jti": "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
				}).SignedString(key))
			}
		})
		b.Run(string(method)+"/bare", func(b *testing.B) {
			input := []byte(strings.Repeat("x", 300))
			a := must(parseMethod(string(method)))
			b.ReportAllocs()
			for b.Loop() {
				bareSignature(a, key, input)
			}
		})
	}
}

// bareSignature is what crypto does for a signature, with nothing around it.
func bareSignature(a algorithm, key any, input []byte) []byte {
	if a.family == familyHMAC {
		m := hmac.New(a.hash.New, key.([]byte))
		m.Write(input)
		return m.Sum(nil)
	}
	return must(crypto.SignMessage(key.(crypto.Signer), rand.Reader, input, (&signer{algorithm: a}).options()))
}
