package verify_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/verify"
)

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// certificate is of the RSA key, and ended long ago.
func certificate() []byte {
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Unix(1e9, 0)}
	return must(x509.CreateCertificate(rand.Reader, c, c, rsaKey().Public(), rsaKey()))
}

func TestStaticPEMReadsWhatPeopleHave(t *testing.T) {
	spki := publicPEM(rsaKey())
	for name, text := range map[string]string{
		"PUBLIC KEY":          spki,
		"RSA PUBLIC KEY":      block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&rsaKey().PublicKey)),
		"CERTIFICATE":         block("CERTIFICATE", certificate()),
		"CRLF":                strings.ReplaceAll(spki, "\n", "\r\n"),
		`literal \n`:          strings.ReplaceAll(spki, "\n", `\n`),
		`literal \r\n`:        strings.ReplaceAll(spki, "\n", `\r\n`),
		"text around it":      "# the key of the issuer\n" + spki + "\nend\n",
		"the second of three": publicPEM(p256(), rsaKey(), ed25519Key()),
	} {
		t.Run(name, func(t *testing.T) {
			keys, err := verify.StaticPEM([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			wantAccepted(t, &verify.Verifier{Keys: keys, Methods: allMethods}, rsaToken(rsaKey()))
		})
	}
}

func TestStaticPEMSaysWhatItWasGiven(t *testing.T) {
	spki := publicPEM(rsaKey())
	pkcs8 := block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(rsaKey())))
	small := must(rsa.GenerateKey(rand.Reader, 1024))
	p224 := must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", "no PEM block"},
		{"something else", "hello", "no PEM block"},
		{"a private key", pkcs8, "private key"},
		{"a private key of RSA", block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey())), "private key"},
		{"an encrypted private key", block("ENCRYPTED PRIVATE KEY", []byte("x")), "private key"},
		{"both halves", spki + pkcs8, "private key"},
		{"a truncated key", spki[:len(spki)/2], "damaged or cut off"},
		{"a truncated second key", spki + spki[:len(spki)/2], "damaged or cut off"},
		{"a damaged first key", strings.Replace(publicPEM(p256()), "MFkw", "M!kw", 1) + spki, "damaged or cut off"},
		{"a damaged key", block("PUBLIC KEY", []byte("TESTING KEY")), "damaged"},
		{"a request", block("CERTIFICATE REQUEST", nil), "neither"},
		{"a weak key", publicPEM(small), "1024 bits"},
		{"a curve of no method", publicPEM(p224), "P-256"},
		{"a point of small order", block("PUBLIC KEY", append(must(x509.MarshalPKIXPublicKey(ed25519Key().Public()))[:12], make([]byte, 32)...)),
			"small order"},
		{"too much", strings.Repeat("x", 1<<20+1), "1 MiB"},
	} {
		keys, err := verify.StaticPEM([]byte(tt.text))
		if err == nil || keys != nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("StaticPEM of %s = %v, %v, want an error with %q", tt.name, keys, err, tt.want)
		} else if lines := strings.Split(tt.text, "\n"); len(lines) > 2 && strings.Contains(err.Error(), lines[1]) {
			t.Errorf("StaticPEM of %s shows a line of it: %v", tt.name, err)
		}
	}
}

func TestStaticSecretKeepsACopy(t *testing.T) {
	given := []byte(secret)
	v := verifier(jwtbearer.HS256)
	v.Keys = verify.StaticSecret(given)
	copy(given, bytes.Repeat([]byte("x"), len(given)))
	wantAccepted(t, v, goodToken(jwtbearer.HS256))
	wantRefused(t, v, sign(jwtbearer.HS256, given, `{"alg":"HS256"}`, goodClaims("")), verify.BadSignature)
}
