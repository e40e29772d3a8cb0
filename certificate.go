package jwtbearer

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"reflect"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/dial"
	"github.com/seed-363d07a3/jwtbearer/internal/key"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
)

// parseCertificates reads the certificates of a field, with a warning for each repair; nil: a problem is noted.
func (b *setup) parseCertificates(field, text string) []*x509.Certificate {
	certs, fixes, err := key.ParseCertificates(text)
	if err != nil {
		b.p.addError(field, err)
		return nil
	}
	for _, fix := range fixes {
		b.warn(field, "was repaired: "+fix, "fix it at the source")
	}
	return certs
}

// certificates are those of the key: from Certificate, else those that came with PrivateKey.
func (b *setup) certificates() []*x509.Certificate {
	if b.conn.Certificate == "" {
		if b.key == nil {
			return nil
		}
		chain, _ := key.Chain(b.key.Certificates, b.signer.Public(), time.Now())
		b.warnOfDates("PrivateKey", chain)
		return chain
	}
	certs := b.parseCertificates("Certificate", b.conn.Certificate)
	switch {
	case certs == nil:
		return nil
	case b.signer.Public() == nil:
		b.p.add("Certificate", "is set, but "+string(b.method)+" signs with a secret, which has no certificate", "remove it")
		return nil
	}
	return b.chain("Certificate", certs, b.signer.Public())
}

// chain picks the certificate of a key and puts its issuers behind it; nil: a problem is noted.
func (b *setup) chain(field string, certs []*x509.Certificate, public crypto.PublicKey) []*x509.Certificate {
	chain, rest := key.Chain(certs, public, time.Now())
	if chain == nil {
		b.p.add(field, "belongs to another key", "paste the certificate of this private key, and those that issued it")
		return nil
	}
	for _, c := range rest {
		b.warn(field, fmt.Sprintf("holds a certificate that neither belongs to the key nor issued the one that does: %s; it is ignored", certificateName(c)), "remove it")
	}
	b.warnOfDates(field, chain)
	return chain
}

// endsSoon is how long before its end a certificate is warned of: time for a new one to be issued and registered.
const endsSoon = 14 * 24 * time.Hour

// warnOfDates warns of certificates that are not valid, or not for long (RFC 5280, section 4.1.2.5).
func (b *setup) warnOfDates(field string, certs []*x509.Certificate) {
	now := time.Now()
	for _, c := range certs {
		ends, left := c.NotAfter.UTC().Format(time.DateOnly), c.NotAfter.Sub(now)
		switch name := certificateName(c); {
		case left < 0:
			b.warn(field, fmt.Sprintf("holds a certificate that expired: %s ended on %s", name, ends), "replace it by a new one, and register that where the old one was")
		case now.Before(c.NotBefore):
			b.warn(field, fmt.Sprintf("holds a certificate that is not valid yet: %s begins on %s", name, c.NotBefore.UTC().Format(time.DateOnly)),
				"wait until then, or look at the clock of this machine")
		case left < endsSoon:
			b.warn(field, fmt.Sprintf("holds a certificate that expires soon: %s ends on %s, in %d days", name, ends, int(left.Hours()/24)),
				"have a new one issued, and register it before the old one ends")
		}
	}
}

// manyRoots is the number of certificates from which on CA is a collection that somebody maintains, in which some may have ended.
const manyRoots = 10

// warnOfRoots is warnOfDates for TLS.CA.
func (b *setup) warnOfRoots(certs []*x509.Certificate) {
	now := time.Now()
	for _, c := range certs {
		if len(certs) > manyRoots && now.Before(c.NotAfter) {
			return
		}
	}
	b.warnOfDates("TLS.CA", certs[:min(len(certs), manyRoots)])
}

// certificateName is what a certificate certifies, for messages.
func certificateName(c *x509.Certificate) string {
	if name := c.Subject.String(); name != "" {
		return problem.OneLine(name)
	}
	if len(c.DNSNames) > 0 {
		return problem.OneLine(c.DNSNames[0])
	}
	return fmt.Sprintf("serial number %x", c.SerialNumber)
}

// clientCertificate reads the client certificate and its key.
func (b *setup) clientCertificate(s TLS) (tls.Certificate, bool) {
	field, text := "TLS.PrivateKey", s.PrivateKey
	switch {
	case s.PFX != "" && (s.PrivateKey != "" || s.Certificate != ""):
		b.p.add("TLS.PFX", "is set beside Certificate or PrivateKey", "remove one of the two")
		return tls.Certificate{}, false
	case s.PFX != "":
		field, text = "TLS.PFX", s.PFX
	case s.Certificate == "" && s.PrivateKey == "":
		return tls.Certificate{}, false
	case s.PrivateKey == "":
		b.p.add("TLS.PrivateKey", "is empty", "set the key of TLS.Certificate")
		return tls.Certificate{}, false
	}
	private, err := ParsePrivateKey([]byte(text), string(s.Passphrase))
	if err != nil {
		b.p.found.AddEntry(keyEntry(field, err))
	}
	certs := []*x509.Certificate(nil)
	if s.Certificate != "" {
		field = "TLS.Certificate"
		if certs = b.parseCertificates(field, s.Certificate); certs == nil {
			return tls.Certificate{}, false
		}
	}
	if private == nil {
		return tls.Certificate{}, false
	}
	if s.PrivateKey != "" {
		for _, fix := range private.Fixes {
			b.warn("TLS.PrivateKey", "was repaired: "+fix, "fix it at the source")
		}
	}
	if s.Certificate == "" {
		certs = private.Certificates
	}
	return b.pairCertificate(field, private.Signer, certs)
}

// pairCertificate joins a key of TLS and its certificates.
func (b *setup) pairCertificate(field string, private crypto.Signer, certs []*x509.Certificate) (tls.Certificate, bool) {
	if len(certs) == 0 {
		b.p.add("TLS.Certificate", "is empty, and there is none beside the key", "paste the certificate of this key, followed by those that issued it")
		return tls.Certificate{}, false
	}
	chain := b.chain(field, certs, private.Public())
	if chain == nil {
		return tls.Certificate{}, false
	}
	if chain[0].PublicKey == nil {
		b.p.add(field, "is for a key of id-RSASSA-PSS, which Go does not support in TLS", "have a certificate issued for a key of the type RSA or EC")
		return tls.Certificate{}, false
	}
	cert := tls.Certificate{PrivateKey: private, Leaf: chain[0]}
	for _, c := range chain {
		cert.Certificate = append(cert.Certificate, c.Raw)
	}
	return cert, true
}

// buildTransport makes what carries the requests.
func (b *setup) buildTransport() {
	settings := b.conn.TLS
	isSet := !reflect.ValueOf(settings).IsZero()
	if b.conn.Transport != nil {
		if isNil(b.conn.Transport) {
			b.p.add("Transport", fmt.Sprintf("is a %T that is nil", b.conn.Transport), "leave Transport itself nil for the usual one")
		}
		if isSet {
			b.p.add("TLS", "is set beside Transport", "configure TLS in the Transport, or leave Transport nil")
		}
		b.core.transport = b.conn.Transport
		return
	}
	t := dial.New()
	b.core.ownDials = true
	if isSet {
		t.TLSClientConfig = b.tlsConfig(settings)
	}
	b.core.transport = t
}

// tlsConfig reads the TLS settings.
func (b *setup) tlsConfig(s TLS) *tls.Config {
	config := &tls.Config{ServerName: s.ServerName, InsecureSkipVerify: s.InsecureSkipVerify, MinVersion: tls.VersionTLS12}
	switch s.MinVersion {
	case "", "1.2":
	case "1.3":
		config.MinVersion = tls.VersionTLS13
	default:
		b.p.add("TLS.MinVersion", fmt.Sprintf("%q is unknown", s.MinVersion), "use 1.2 or 1.3")
	}
	if s.InsecureSkipVerify {
		b.warn("TLS.InsecureSkipVerify", "accepts any certificate, so that anybody on the way can read the token", "set CA instead")
	}
	if s.CA != "" {
		certs := b.parseCertificates("TLS.CA", s.CA)
		b.warnOfRoots(certs)
		config.RootCAs = x509.NewCertPool()
		for _, cert := range certs {
			config.RootCAs.AddCert(cert)
		}
	}
	if cert, ok := b.clientCertificate(s); ok {
		config.Certificates = []tls.Certificate{cert}
	}
	return config
}
