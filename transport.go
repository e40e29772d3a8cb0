package jwtbearer

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"reflect"

	"github.com/seed-363d07a3/jwtbearer/internal/dial"
	"github.com/seed-363d07a3/jwtbearer/internal/key"
)

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
		certs, err := key.ParseCertificates(s.CA)
		if err != nil {
			b.p.add("TLS.CA", err.Error(), "paste PEM certificates, beginning with -----BEGIN CERTIFICATE-----")
		}
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
		return tls.Certificate{}, false
	}
	chain := private.Certificates
	if s.Certificate != "" {
		if chain, err = key.ParseCertificates(s.Certificate); err != nil {
			b.p.add("TLS.Certificate", err.Error(), "paste PEM certificates, the client's own first")
			return tls.Certificate{}, false
		}
	}
	cert, err := pairCertificate(private.Signer, chain)
	if err != nil {
		b.p.add("TLS.Certificate", err.Error(), "paste the certificate of this key, followed by those that issued it")
	}
	return cert, err == nil
}

// pairCertificate joins a key and its chain.
func pairCertificate(private crypto.Signer, chain []*x509.Certificate) (tls.Certificate, error) {
	if len(chain) == 0 {
		return tls.Certificate{}, errors.New("is empty")
	}
	if !key.Same(chain[0].PublicKey, private.Public()) {
		return tls.Certificate{}, errors.New("belongs to another key")
	}
	cert := tls.Certificate{PrivateKey: private, Leaf: chain[0]}
	for _, c := range chain {
		cert.Certificate = append(cert.Certificate, c.Raw)
	}
	return cert, nil
}
