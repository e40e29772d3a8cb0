package jwtbearer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

// certificateOf is a certificate of the key, in PEM.
func certificateOf(t testing.TB, key crypto.Signer) string {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"example.com"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestKeysThatDoNotFitTheirMethodAreRefused(t *testing.T) {
	p256, p384 := newECKey(t, elliptic.P256()), newECKey(t, elliptic.P384())
	rsa2048 := keyFor(RS256).(*rsa.PrivateKey)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		method SignatureMethod
		key    crypto.Signer
		say    string
	}{
		{RS256, p256, "ES256"},
		{ES256, p384, "ES384"},
		{ES512, p384, "ES384"},
		{ES256, rsa2048, "RS256"},
		{EdDSA, rsa2048, "RS256"},
		{PS256, ed, "EdDSA"},
		{RS256, (*rsa.PrivateKey)(nil), "nil"},
		{ES256, (*ecdsa.PrivateKey)(nil), "nil"},
		{EdDSA, ed25519.PrivateKey(nil), "incomplete"},
		{RS256, &rsa.PrivateKey{}, "incomplete"},
	} {
		c := validConnection()
		c.SignatureMethod, c.Secret, c.Key = test.method, "", test.key
		_, err := NewClient(c)
		if p := problemOf(err, "Key"); p == nil || !strings.Contains(p.Error(), test.say) {
			t.Errorf("%s with Key %T gave %v; want a problem with Key that says %q", test.method, test.key, err, test.say)
		}
		if v, ok := test.key.(ed25519.PrivateKey); strings.Contains(test.say, "nil") || ok && len(v) == 0 || test.say == "incomplete" {
			continue
		}
		c.Key, c.PrivateKey = nil, privatePEM(t, test.key)
		_, err = NewClient(c)
		if p := problemOf(err, "PrivateKey"); p == nil || !strings.Contains(p.Error(), test.say) {
			t.Errorf("%s with %T in PrivateKey gave %v; want a problem that says %q", test.method, test.key, err, test.say)
		}
	}
}

func TestRSAOf1024BitsNeedsAllowWeakKey(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0")
	key := must(rsa.GenerateKey(rand.Reader, 1024))
	for name, set := range map[string]func(*Connection){
		"Key":        func(c *Connection) { c.Key = key },
		"PrivateKey": func(c *Connection) { c.PrivateKey = privatePEM(t, key) },
	} {
		c := validConnection()
		c.SignatureMethod, c.Secret, c.Lifetime = RS256, "", time.Minute
		set(c)
		_, err := NewClient(c)
		if p := problemOf(err, name); p == nil || !strings.Contains(p.Error(), "1024") || !strings.Contains(p.Error(), "AllowWeakKey") {
			t.Errorf("RSA 1024 in %s gave %v; want a problem that names size and AllowWeakKey", name, err)
		}
		c.AllowWeakKey = true
		client, err := NewClient(c)
		if err != nil {
			t.Errorf("RSA 1024 in %s with AllowWeakKey: %v", name, err)
			continue
		}
		if token, err := client.Mint(t.Context(), nil); err != nil || verifyToken(RS256, token, key.Public()) != nil {
			t.Errorf("RSA 1024 in %s minted %v", name, err)
		}
		if w := c.Lint(); len(w) != 1 || w[0].Field != name {
			t.Errorf("Lint of RSA 1024 in %s gave %v; want a warning", name, w)
		}
	}
}

func TestKeysOfElsewhereAreNotAskedToSignBeforeTheyMust(t *testing.T) {
	key := &countingKey{Signer: newECKey(t, elliptic.P256())}
	c := validConnection()
	c.SignatureMethod, c.Secret, c.Key = ES256, "", key
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	c.Lint()
	client := must(NewClient(c))
	if key.signatures != 0 {
		t.Errorf("Validate, Lint and NewClient signed %d times; want 0", key.signatures)
	}
	if _, err := client.Mint(t.Context(), nil); err != nil || key.signatures != 1 {
		t.Errorf("Mint signed %d times, %v; want 1", key.signatures, err)
	}
}

// wrongHalf has a private half that does not fit the public one.
type wrongHalf struct{ pub crypto.PublicKey }

func (k wrongHalf) Public() crypto.PublicKey { return k.pub }
func (k wrongHalf) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("no")
}

func TestNewClientTriesKeysInMemoryOnce(t *testing.T) {
	good, other := newECKey(t, elliptic.P256()), newECKey(t, elliptic.P256())
	mixed := new(*good)
	mixed.PublicKey = other.PublicKey
	c := validConnection()
	c.SignatureMethod, c.Secret, c.Key = ES256, "", mixed
	if err := c.Validate(); err != nil {
		t.Errorf("Validate, which signs nothing, gave %v", err)
	}
	if _, err := NewClient(c); err == nil {
		t.Error("NewClient took a key whose halves differ")
	}
	c.Key = wrongHalf{good.Public()}
	if _, err := NewClient(c); err != nil {
		t.Errorf("NewClient asked a key of elsewhere: %v", err)
	}
}

func TestCertificateMustBelongToTheKey(t *testing.T) {
	key, other := newECKey(t, elliptic.P256()), newECKey(t, elliptic.P256())
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	c := validConnection()
	c.SignatureMethod, c.Secret, c.PrivateKey, c.JWTHeaders = ES256, "", privatePEM(t, key), `{"x5t":"{{x5t}}"}`
	for _, foreign := range []crypto.Signer{other, ed, keyFor(RS256).(*rsa.PrivateKey)} {
		c.Certificate = certificateOf(t, foreign)
		if p := problemOf(c.Validate(), "Certificate"); p == nil || !strings.Contains(p.Problem, "another key") {
			t.Errorf("the certificate of a %T gave %v; want a problem", foreign, c.Validate())
		}
	}
	for _, text := range []string{"hunter2", "-----BEGIN CERTIFICATE-----\naHVudGVyMg==\n-----END CERTIFICATE-----", string(privatePEM(t, key))} {
		c.Certificate = text
		p := problemOf(c.Validate(), "Certificate")
		if p == nil || strings.Contains(p.Error(), "hunter2") {
			t.Errorf("Certificate %q gave %v; want a problem that does not show it", text, c.Validate())
		}
	}
	c.Certificate = strings.ReplaceAll(certificateOf(t, key), "\n", `\n`)
	if err := c.Validate(); err != nil {
		t.Errorf("a certificate with literal \\n gave %v", err)
	}
}

func TestSecretsAreDecodedAsTheyAreWritten(t *testing.T) {
	want := strings.Repeat("\xfb\xff\x00k", 8)
	for encoding, text := range map[SecretEncoding]string{
		"": want, SecretUTF8: want, SecretHex: " " + strings.Repeat("fbFF006b", 8) + "\n",
		SecretBase64:    base64.StdEncoding.EncodeToString([]byte(want)) + "\n",
		SecretBase64URL: base64.RawURLEncoding.EncodeToString([]byte(want)),
	} {
		c := validConnection()
		c.Secret, c.SecretEncoding = Secret(text), encoding
		client, err := NewClient(c)
		if err != nil {
			t.Errorf("SecretEncoding %q: %v", encoding, err)
			continue
		}
		token := must(client.Mint(t.Context(), nil))
		if err := verifyToken(HS256, token, []byte(want)); err != nil {
			t.Errorf("SecretEncoding %q signed with another secret: %v", encoding, err)
		}
	}
}

func TestLifetimeAddsOnlyWhatIsMissing(t *testing.T) {
	for _, test := range []struct{ payload, names JSON }{
		{``, `iat exp`}, {`{"exp":1}`, `exp iat`}, {`{"iat":1,"iss":"x"}`, `iat iss exp`}, {`{"exp":null,"iat":2}`, `exp iat`},
	} {
		c := validConnection()
		c.Payload, c.Lifetime = test.payload, time.Minute
		client := must(NewClient(c))
		claims := must(jsontext.Parse(payloadOf(t, must(client.Mint(t.Context(), nil)))))
		var names []string
		for _, m := range claims.Members {
			names = append(names, m.Name)
		}
		if got := strings.Join(names, " "); got != string(test.names) {
			t.Errorf("Payload %s with Lifetime has the claims %s; want %s", test.payload, got, test.names)
		}
	}
}
