package jwtbearer

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"reflect"

	"github.com/seed-363d07a3/jwtbearer/internal/dial"
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
