package bench

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seed-363d07a3/jwtbearer"
)

// BenchmarkMint makes tokens with six claims, three of them new every time: ours, golang-jwt's, and the signature alone.
func BenchmarkMint(b *testing.B) {
	for _, method := range []jwtbearer.SignatureMethod{jwtbearer.HS256, jwtbearer.ES256, jwtbearer.EdDSA, jwtbearer.RS256, jwtbearer.PS256} {
		b.Run(string(method)+"/jwtbearer", func(b *testing.B) {
			c := newClient(b, method, jwtbearer.Connection{Payload: sixClaims})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Mint(b.Context(), nil); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(string(method)+"/golang-jwt", func(b *testing.B) {
			k := key(method)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := jwt.NewWithClaims(jwt.GetSigningMethod(string(method)), claims()).SignedString(k); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(string(method)+"/signature", func(b *testing.B) {
			input := []byte(strings.Repeat("x", 300))
			b.ReportAllocs()
			for b.Loop() {
				if err := sign(method, input); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// sign makes the signature that a token of this method needs, and nothing else.
func sign(method jwtbearer.SignatureMethod, input []byte) error {
	opts := crypto.SignerOpts(crypto.SHA256)
	switch method {
	case jwtbearer.HS256:
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(input)
		mac.Sum(nil)
		return nil
	case jwtbearer.EdDSA:
		opts = crypto.Hash(0)
	case jwtbearer.PS256:
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	}
	_, err := crypto.SignMessage(key(method).(crypto.Signer), rand.Reader, input, opts)
	return err
}

// BenchmarkReused asks for a token that serves for an hour, from one goroutine and from 64.
func BenchmarkReused(b *testing.B) {
	c := newClient(b, jwtbearer.ES256, jwtbearer.Connection{Payload: sixClaims, TokenReuse: time.Hour})
	ctx := b.Context()
	b.Run("goroutines=1", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Mint(ctx, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("goroutines=64", func(b *testing.B) {
		b.SetParallelism(max(1, 64/parallelism()))
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := c.Mint(ctx, nil); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}
