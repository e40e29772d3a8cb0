package jwtbearer

import (
	"crypto"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"
)

// signedBy is a certificate of a key in PEM, issued by another and valid from one time to another. A nil issuer: by itself.
func signedBy(t *testing.T, name string, key, issuer crypto.Signer, issuedBy string, begins, ends time.Time) string {
	t.Helper()
	serial := must(rand.Int(rand.Reader, big.NewInt(1<<62)))
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: begins, NotAfter: ends}
	parent := &x509.Certificate{Subject: pkix.Name{CommonName: issuedBy}}
	if issuer == nil {
		issuer, parent = key, template
	}
	der := must(x509.CreateCertificate(rand.Reader, template, parent, key.Public(), issuer))
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// derOf is the DER of a PEM.
func derOf(text string) []byte {
	block, _ := pem.Decode([]byte(text))
	return block.Bytes
}

func TestCertificatesAreRepairedPutInOrderAndDated(t *testing.T) {
	key, ca := newECKey(t, elliptic.P256()), newECKey(t, elliptic.P256())
	now := time.Now()
	year := now.AddDate(1, 0, 0)
	root := signedBy(t, "root", ca, nil, "", now.AddDate(-1, 0, 0), year)
	leaf := signedBy(t, "leaf", key, ca, "root", now.AddDate(-1, 0, 0), year)
	other := signedBy(t, "other", newECKey(t, elliptic.P256()), ca, "root", now, year)
	expired := signedBy(t, "old", key, ca, "root", now.AddDate(-1, 0, 0), now.AddDate(0, 0, -1))
	soon := signedBy(t, "soon", key, ca, "root", now.AddDate(-1, 0, 0), now.AddDate(0, 0, 13))
	later := signedBy(t, "later", key, ca, "root", now.AddDate(-1, 0, 0), now.AddDate(0, 0, 15))
	early := signedBy(t, "early", key, ca, "root", now.AddDate(0, 0, 1), year)
	for _, test := range []struct {
		name, text string
		say        []string // of warnings, one each
		fail       string
	}{
		{"in order", leaf + root, nil, ""},
		{"the root first", root + leaf, nil, ""},
		{"the renewed one beside the old", expired + leaf + root, []string{`CN=old; it is ignored`}, ""},
		{"one of another key beside it", other + root + leaf, []string{"CN=other; it is ignored"}, ""},
		{"literal newlines", strings.ReplaceAll(leaf, "\n", `\n`), []string{`was repaired: literal \n`}, ""},
		{"no newlines", strings.ReplaceAll(leaf, "\n", " "), []string{"was repaired: newlines"}, ""},
		{"expired", expired, []string{"expired: CN=old ended on " + now.AddDate(0, 0, -1).UTC().Format(time.DateOnly)}, ""},
		{"expires soon", soon, []string{"expires soon: CN=soon ends on"}, ""},
		{"expires later", later, nil, ""},
		{"not valid yet", early, []string{"not valid yet: CN=early begins on"}, ""},
		{"of another key", other + root, nil, "belongs to another key"},
		{"a private key", string(privatePEM(t, key)), nil, "holds a private key"},
		{"a reference", "${{ secrets.CERT }}", nil, "unresolved"},
		{"truncated", leaf[:len(leaf)/2], nil, "truncated"},
	} {
		for field, set := range map[string]func(*Connection){
			"Certificate": func(c *Connection) {
				c.SignatureMethod, c.Secret, c.PrivateKey, c.Certificate, c.JWTHeaders = ES256, "", privatePEM(t, key), test.text, `{"x5c":"{{x5c}}"}`
			},
			"TLS.Certificate": func(c *Connection) { c.TLS = TLS{Certificate: test.text, PrivateKey: privatePEM(t, key)} },
		} {
			c := validConnection()
			c.Payload = `{"iss":"me","exp":"{{now 60}}"}`
			set(c)
			client, err := NewClient(c)
			if test.fail != "" {
				if err == nil || !strings.Contains(err.Error(), field) || !strings.Contains(err.Error(), test.fail) {
					t.Errorf("%s, %s: %v; want an error about %q", test.name, field, err, test.fail)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s, %s: %v", test.name, field, err)
				continue
			}
			if field == "Certificate" {
				token := must(client.Mint(t.Context(), nil))
				header := must(base64.RawURLEncoding.DecodeString(token[:strings.IndexByte(token, '.')]))
				var chain struct{ X5C [][]byte }
				if err := json.Unmarshal(header, &chain); err != nil || !key.PublicKey.Equal(must(x509.ParseCertificate(chain.X5C[0])).PublicKey) || len(chain.X5C) > 2 {
					t.Errorf("%s: x5c has %d certificates, %v; want the key's own first and its issuer", test.name, len(chain.X5C), err)
				}
			}
			var said []string
			for _, w := range c.Lint() {
				if w.Field == field {
					said = append(said, w.Problem)
				}
			}
			if (len(said) > 0) != (len(test.say) > 0) || len(said) > 0 && !strings.Contains(strings.Join(said, "\n"), test.say[0]) {
				t.Errorf("%s, %s: Lint says %q; want %q", test.name, field, said, test.say)
			}
		}
	}
}

// The roots of TLS.CA are repaired and dated too; of a collection that somebody keeps, some may have ended.
func TestRootsAreRepairedAndDated(t *testing.T) {
	ca, now := newECKey(t, elliptic.P256()), time.Now()
	good := signedBy(t, "good", ca, nil, "", now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0))
	old := signedBy(t, "old", ca, nil, "", now.AddDate(-1, 0, 0), now.AddDate(0, 0, -1))
	for _, test := range []struct{ name, text, say string }{
		{"in order", good + good, ""},
		{"one line", strings.ReplaceAll(good, "\n", " "), "was repaired: newlines"},
		{"one ended", good + old, "CN=old ended on"},
		{"one of many ended", old + strings.Repeat(good, manyRoots), ""},
		{"all of many ended", strings.Repeat(old, manyRoots+1), "CN=old ended on"},
	} {
		c := validConnection()
		c.Payload, c.TLS.CA = `{"iss":"me","exp":"{{now 60}}"}`, test.text
		var said []string
		for _, w := range c.Lint() {
			if w.Field == "TLS.CA" {
				said = append(said, w.Problem)
			}
		}
		if text := strings.Join(said, "\n"); !strings.Contains(text, test.say) || test.say == "" && text != "" {
			t.Errorf("%s: Lint says %q; want %q", test.name, text, test.say)
		}
	}
}

// A server gets the client's own certificate first, however the bundle is ordered.
func TestClientCertificateIsFoundInItsBundle(t *testing.T) {
	server, ca := serverCertificate(t, nil)
	key, issuer := newECKey(t, elliptic.P256()), newECKey(t, elliptic.P256())
	now := time.Now()
	root := signedBy(t, "root", issuer, nil, "", now.Add(-time.Hour), now.AddDate(1, 0, 0))
	leaf := signedBy(t, "leaf", key, issuer, "root", now.Add(-time.Hour), now.AddDate(1, 0, 0))
	pool := x509.NewCertPool()
	pool.AddCert(must(x509.ParseCertificate(derOf(root))))
	asks := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAnyClientCert, ClientCAs: pool})
	c := validConnection()
	c.BaseURI, c.TLS = asks.URL, TLS{CA: ca, Certificate: root + leaf, PrivateKey: privatePEM(t, key)}
	r, err := c.Test(t.Context())
	checkReport(t, r, err, KindOK)
}
