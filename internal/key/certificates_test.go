package key

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"testing"

	"github.com/seed-363d07a3/jwtbearer/internal/key/keytest"
	"software.sslmate.com/src/go-pkcs12"
)

func TestLoadPutsTheCertificateOfTheKeyFirst(t *testing.T) {
	key, own := keytest.Certified(t)
	_, other := keytest.Certified(t)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		given   []*x509.Certificate
		first   *x509.Certificate
		foreign bool
	}{
		"its own first": {[]*x509.Certificate{own, other}, own, false},
		"its own last":  {[]*x509.Certificate{other, own}, own, false},
		"a foreign one": {[]*x509.Certificate{other}, other, true},
	} {
		bundle, err := pkcs12.Modern.Encode(key, row.given[0], row.given[1:], "correct-Horse7")
		if err != nil {
			t.Fatal(err)
		}
		var chain bytes.Buffer
		for _, c := range row.given {
			chain.WriteString(armour("CERTIFICATE", c.Raw))
		}
		chain.WriteString(armour("PRIVATE KEY", der))
		for form, data := range map[string][]byte{"PKCS#12": bundle, "PEM": chain.Bytes()} {
			got, err := Load(data, "correct-Horse7", Options{})
			if err != nil {
				t.Errorf("%s, %s: %v", name, form, err)
				continue
			}
			if len(got.Certificates) != len(row.given) || !got.Certificates[0].Equal(row.first) {
				t.Errorf("%s, %s: %d certificates, the right one first %t", name, form, len(got.Certificates), got.Certificates[0].Equal(row.first))
			}
			if told := slices.Contains(got.Fixes, noteForeignCert); told != row.foreign {
				t.Errorf("%s, %s: fixes %q, want a warning of a foreign certificate: %t", name, form, got.Fixes, row.foreign)
			}
		}
	}
}

func TestParseCertificatesRefusesWhatIsNone(t *testing.T) {
	_, c := keytest.Certified(t)
	text := armour("CERTIFICATE", c.Raw)
	escaped := string(bytes.ReplaceAll([]byte(text), []byte("\n"), []byte(`\n`)))
	for name, test := range map[string]struct {
		text string
		want int
	}{
		"one": {text, 1}, "two": {text + text, 2}, "literal newlines": {escaped, 1}, "none": {"", 0}, "text": {"hello", 0},
		"a private key": {text + armour("PRIVATE KEY", []byte("x")), 0}, "a public key": {armour("PUBLIC KEY", []byte("x")), 0},
		"damaged": {string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw[:20]})), 0},
	} {
		if certs, _, err := ParseCertificates(test.text); len(certs) != test.want || (err == nil) != (test.want > 0) {
			t.Errorf("%s: %d certificates, error %v, want %d", name, len(certs), err, test.want)
		}
	}
}
