package key

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/key/keytest"
)

// now is the time in the tests of chains.
var now = time.Date(2030, 6, 1, 0, 0, 0, 0, time.UTC)

// authority issues certificates.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

// newAuthority is one that issuer certified; nil: a root.
func newAuthority(t *testing.T, name string, issuer *authority) *authority {
	t.Helper()
	key := keytest.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	a := &authority{key: key}
	if issuer == nil {
		issuer = a
	}
	a.cert = issuer.issue(t, name, key.Public(), now.AddDate(5, 0, 0))
	return a
}

func (a *authority) issue(t *testing.T, name string, public crypto.PublicKey, ends time.Time) *x509.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: now.AddDate(-5, 0, 0), NotAfter: ends}
	parent := a.cert
	if parent == nil {
		parent = template
	}
	return keytest.Must(x509.ParseCertificate(keytest.Must(x509.CreateCertificate(rand.Reader, template, parent, public, a.key))))
}

func TestChainIsPutInOrder(t *testing.T) {
	root := newAuthority(t, "root", nil)
	middle := newAuthority(t, "middle", root)
	namesake := newAuthority(t, "middle", newAuthority(t, "another root", nil)) // of the same name, with another key
	public := keytest.Made().P256.Public()
	leaf := middle.issue(t, "leaf", public, now.AddDate(1, 0, 0))
	ended := middle.issue(t, "leaf", public, now.AddDate(0, 0, -1))
	earlier := middle.issue(t, "leaf", public, now.AddDate(0, 1, 0))
	want := []*x509.Certificate{leaf, middle.cert, root.cert}
	all := []*x509.Certificate{ended, namesake.cert, root.cert, leaf, middle.cert, earlier, leaf}
	for range len(all) {
		all = append(all[1:], all[0])
		for _, order := range [][]*x509.Certificate{all, slices.Collect(reversed(all))} {
			chain, rest := Chain(order, public, now)
			if !slices.EqualFunc(chain, want, (*x509.Certificate).Equal) || len(rest) != 3 {
				t.Fatalf("a chain of %d and %d others; want leaf, middle and root in this order, and 3", len(chain), len(rest))
			}
		}
	}
	if chain, rest := Chain(all, keytest.Made().P384.Public(), now); chain != nil || len(rest) != 6 {
		t.Errorf("for a foreign key: a chain of %d, %d others; want none and 6", len(chain), len(rest))
	}
	if chain, _ := Chain([]*x509.Certificate{ended}, public, now); len(chain) != 1 {
		t.Error("a certificate that has ended, alone, is not found")
	}
}

func reversed(all []*x509.Certificate) func(func(*x509.Certificate) bool) {
	return func(yield func(*x509.Certificate) bool) {
		for _, c := range slices.Backward(all) {
			if !yield(c) {
				return
			}
		}
	}
}

// Whatever happens to the text of a key happens to certificates.
func TestParseCertificatesUndoesDamage(t *testing.T) {
	root := newAuthority(t, "root", nil)
	leaf := root.issue(t, "leaf", keytest.Made().RSA.Public(), now)
	for _, d := range damages {
		if d.name == "double armour" || strings.Contains(d.name, "label") && !strings.Contains(d.name, "case") {
			continue // what these write is the label of a key
		}
		damaged := d.do(armour("CERTIFICATE", leaf.Raw))
		certs, fixes, err := ParseCertificates(damaged)
		if err != nil || len(certs) != 1 || !certs[0].Equal(leaf) {
			t.Errorf("%s: %d certificates, %v; want the certificate", d.name, len(certs), err)
			continue
		}
		said := strings.ToLower(strings.Join(fixes, "; "))
		if d.explain != "" && damaged != armour("CERTIFICATE", leaf.Raw) && !strings.Contains(said, strings.ToLower(d.explain)) {
			t.Errorf("%s: fixes %q do not say %q", d.name, fixes, d.explain)
		}
	}
}

func TestParseCertificatesReadsBundles(t *testing.T) {
	root := newAuthority(t, "root", nil)
	leaf := root.issue(t, "leaf", keytest.Made().P256.Public(), now)
	raw := func(der []byte) asn1.RawValue { return asn1.RawValue{FullBytes: der} }
	bundle := func(certs ...byte) []byte {
		signed := keytest.Must(asn1.Marshal(struct {
			Version             int
			Digests             asn1.RawValue
			Contents            struct{ Type asn1.ObjectIdentifier }
			Certificates, Infos asn1.RawValue
		}{1, raw([]byte{0x31, 0}), struct{ Type asn1.ObjectIdentifier }{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}},
			asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: certs}, raw([]byte{0x31, 0})}))
		return keytest.Must(asn1.Marshal(struct {
			Type   asn1.ObjectIdentifier
			Signed asn1.RawValue
		}{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: signed}}))
	}
	full := bundle(append(slices.Clone(root.cert.Raw), leaf.Raw...)...)
	for name, text := range map[string]string{"PEM": armour("PKCS7", full), "DER": string(full)} {
		certs, _, err := ParseCertificates(text)
		if err != nil || len(certs) != 2 || !certs[1].Equal(leaf) {
			t.Errorf("%s: %d certificates, %v; want two", name, len(certs), err)
		}
	}
	if _, _, err := ParseCertificates(armour("PKCS7", bundle())); err == nil || !strings.Contains(err.Error(), "openssl pkcs7") {
		t.Errorf("an empty bundle: %v; want an error with the command", err)
	}
}

func TestParseCertificatesSaysWhatElseItIs(t *testing.T) {
	_, cert := keytest.Certified(t)
	whole := armour("CERTIFICATE", cert.Raw)
	key := armour("PRIVATE KEY", keytest.Must(x509.MarshalPKCS8PrivateKey(keytest.Made().P256)))
	for text, want := range map[string]string{
		"": "no certificate", "hello": "no certificate", "/etc/ssl/ca.pem": "${file:", "${env:CA}": "unresolved", "${{ secrets.CA }}": "unresolved", "https://ca.example.com/ca.pem": "URL",
		"******": "mask", key: "private key", whole + key: "private key", whole[:len(whole)/2]: "truncated", whole[:100] + "\n-----END CERTIFICATE-----\n": "truncated",
		armour("PUBLIC KEY", keytest.Must(x509.MarshalPKIXPublicKey(keytest.Made().P256.Public()))): "public key",
		whole + whole[:len(whole)/2]: "truncated", `{"kty":"EC","crv":"P-256","d":"AAAA"}`: "private key",
	} {
		_, _, err := ParseCertificates(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v; want an error about %q", text, err, want)
		}
	}
}

// A collection of roots has comments between its certificates, and some hundred of those.
func TestParseCertificatesTakesCollections(t *testing.T) {
	root := newAuthority(t, "root", nil)
	var b strings.Builder
	for i := range 300 {
		b.WriteString("# Issuer: O=Example " + strings.Repeat("x", i%7) + "\n# Valid until: 2040\n\n" + armour("CERTIFICATE", root.cert.Raw) + "\n")
	}
	certs, fixes, err := ParseCertificates(b.String())
	if err != nil || len(certs) != 300 || len(fixes) > 0 {
		t.Errorf("%d certificates, fixes %q, %v; want 300, and nothing repaired", len(certs), fixes, err)
	}
}
