package jwtbearer

import (
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"

	"software.sslmate.com/src/go-pkcs12"
)

func TestTLSSettingsReachTheServer(t *testing.T) {
	cert, ca := serverCertificate(t, nil)
	key := newECKey(t, elliptic.P256())
	clientPEM := certificateOf(t, key)
	block, _ := pem.Decode([]byte(clientPEM))
	clientCert := must(x509.ParseCertificate(block.Bytes))
	pfx := Secret(base64.StdEncoding.EncodeToString(must(pkcs12.Modern.Encode(key, clientCert, nil, "hunter2-pass"))))
	asks := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAnyClientCert})
	last := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: tls.VersionTLS12})
	for _, test := range []struct {
		name     string
		base     string
		settings TLS
		say      string
	}{
		{"PEM pair", asks.URL, TLS{CA: ca, Certificate: clientPEM, PrivateKey: privatePEM(t, key)}, "TLS 1.3"},
		{"PFX", asks.URL, TLS{CA: ca, PFX: pfx, Passphrase: "hunter2-pass"}, "TLS 1.3"},
		{"literal newlines", asks.URL, TLS{CA: strings.ReplaceAll(ca, "\n", `\n`), PFX: pfx, Passphrase: "hunter2-pass"}, "TLS 1.3"},
		{"server name", last.URL, TLS{CA: ca, ServerName: "api.example.com"}, "TLS 1.2"},
		{"least version", last.URL, TLS{CA: ca, MinVersion: "1.2"}, "TLS 1.2"},
		{"any certificate", last.URL, TLS{InsecureSkipVerify: true}, "TLS.InsecureSkipVerify: accepts any certificate"},
	} {
		c := validConnection()
		c.BaseURI, c.TLS = test.base, test.settings
		r, err := c.Test(t.Context())
		checkReport(t, r, err, KindOK)
		if !strings.Contains(r.String(), test.say) {
			t.Errorf("%s: the report does not say %q:\n%s", test.name, test.say, r)
		}
	}
}
