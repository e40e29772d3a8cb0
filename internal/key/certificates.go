package key

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/key/check"
	"github.com/seed-363d07a3/jwtbearer/internal/key/text"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
)

// Same reports whether two public keys are one. A nil key is like no other.
func Same(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

// CertifiedKey is the public key of a certificate, that of RSASSA-PSS too, which crypto/x509 leaves nil. Nil: it is of a type that is
// not known.
func CertifiedKey(cert *x509.Certificate) crypto.PublicKey {
	if cert.PublicKey != nil {
		return cert.PublicKey
	}
	if public, _, err := check.PSSPublic(cert.RawSubjectPublicKeyInfo); err == nil && public != nil {
		return public
	}
	return nil
}

const (
	hintCertificates = "give the certificate as PEM, beginning with -----BEGIN CERTIFICATE-----"
	hintCopyCert     = "copy the certificate again from where it came from, whole and unchanged"
)

// ParseCertificates reads certificates, of which there must be one at least, after the same repairs as Load makes to a key: PEM in
// whatever state, DER, base64 of it, PKCS#7. Fixes names each repair. The error is a *problem.Error.
func ParseCertificates(data string) (certs []*x509.Certificate, fixes []string, err error) {
	items, fault := text.Find([]byte(data))
	if fault != nil {
		return nil, nil, noCertificate(fault)
	}
	for i := range items {
		more, err := certificatesOf(&items[i])
		if err != nil {
			return nil, nil, err
		}
		certs = append(certs, more...)
		for _, fix := range items[i].Fixes() {
			if !slices.Contains(fixes, fix) {
				fixes = append(fixes, strings.ReplaceAll(fix, "the key", "the certificate"))
			}
		}
	}
	slices.Sort(fixes)
	return certs, slices.Compact(fixes), nil
}

// noCertificate says what a text is in which nothing was found.
func noCertificate(f *text.Fault) *problem.Error {
	switch f.Found {
	case "text", "empty input", "input", "JSON", "binary data", "XML text":
		return problem.New("holds no certificate", hintCertificates)
	}
	e := problem.New("holds no certificate, but something else: "+f.Found, hintCertificates)
	if strings.Contains(f.Hint, "${file:") {
		e.Hint = "give the content of the file, or ${file:PATH} in a connection file"
	}
	return e
}

// certificatesOf reads what was found.
func certificatesOf(item *text.Item) ([]*x509.Certificate, error) {
	switch {
	case item.Fault != nil:
		return nil, problem.New(fmt.Sprintf("holds a %s that cannot be read (line %d): %s", item.Fault.Found, item.Line, item.Fault.Problem), hintCopyCert)
	case item.Private():
		return nil, problem.New("holds a private key", "put the key into PrivateKey, and only certificates here")
	case item.Shape == text.PKCS7:
		return bundled(item.Data)
	case item.Shape != text.Certificate:
		return nil, problem.New("holds something else than certificates: a "+item.Shape.String(), hintCertificates)
	}
	cert, err := x509.ParseCertificate(item.Data)
	if err != nil {
		return nil, problem.New(fmt.Sprintf("holds a certificate that cannot be read (line %d)", item.Line), hintCopyCert)
	}
	return []*x509.Certificate{cert}, nil
}

// bundled reads the certificates of a PKCS#7 file, which has nothing else (RFC 2315, section 9.1).
func bundled(der []byte) ([]*x509.Certificate, error) {
	var outer struct {
		Type   asn1.ObjectIdentifier
		Signed struct {
			Version      int
			Digests      asn1.RawValue
			Contents     asn1.RawValue
			Certificates asn1.RawValue `asn1:"optional,tag:0"`
		} `asn1:"explicit,tag:0"`
	}
	if _, err := asn1.Unmarshal(der, &outer); err == nil {
		if certs, err := x509.ParseCertificates(outer.Signed.Certificates.Bytes); err == nil && len(certs) > 0 {
			return certs, nil
		}
	}
	return nil, problem.New("holds a PKCS#7 bundle without certificates that can be read", "convert it: openssl pkcs7 -print_certs -in FILE -out chain.pem")
}

// Chain finds the certificate of a public key and puts those that certify it behind it, each the issuer of the one before (RFC 7515,
// section 4.1.6). Of several certificates of the key it takes one that is valid now, and of these the one that ends last. rest is what
// does not belong to the chain; a nil chain: no certificate is of the key.
func Chain(certs []*x509.Certificate, public crypto.PublicKey, now time.Time) (chain, rest []*x509.Certificate) {
	for _, c := range certs {
		if !slices.ContainsFunc(rest, c.Equal) {
			rest = append(rest, c)
		}
	}
	next := best(rest, now, func(c *x509.Certificate) bool { return Same(CertifiedKey(c), public) })
	for next >= 0 {
		last := rest[next]
		chain, rest = append(chain, last), slices.Delete(rest, next, next+1)
		if bytes.Equal(last.RawIssuer, last.RawSubject) {
			break
		}
		issued := func(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, last.RawIssuer) }
		next = best(rest, now, func(c *x509.Certificate) bool {
			return issued(c) && c.CheckSignature(last.SignatureAlgorithm, last.RawTBSCertificate, last.Signature) == nil
		})
		if next < 0 { // signed by a method that crypto/x509 does not verify any more
			next = best(rest, now, issued)
		}
	}
	return chain, rest
}

// best is the place of the certificate that fits and is valid for longest; -1: none fits.
func best(certs []*x509.Certificate, now time.Time, fits func(*x509.Certificate) bool) int {
	found := -1
	valid := func(c *x509.Certificate) bool { return !now.Before(c.NotBefore) && !now.After(c.NotAfter) }
	for i, c := range certs {
		if !fits(c) {
			continue
		}
		if found < 0 || valid(c) && !valid(certs[found]) || valid(c) == valid(certs[found]) && c.NotAfter.After(certs[found].NotAfter) {
			found = i
		}
	}
	return found
}
