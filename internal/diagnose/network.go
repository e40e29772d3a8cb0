package diagnose

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/problem"
)

// InTransport is a hint that names the settings of the caller's own Transport, where there is one, instead of those of TLS, which
// cannot be set beside it.
func InTransport(hint string, own bool) string {
	if !own {
		return hint
	}
	return settingsOfTransport.Replace(hint)
}

// settingsOfTransport are what a tls.Config has for the settings of TLS. The longer text comes first.
var settingsOfTransport = strings.NewReplacer(
	"TLS.Certificate and TLS.PrivateKey, or TLS.PFX", "Certificates in the tls.Config of Transport",
	"TLS.Certificate, or TLS.PFX,", "Certificates in the tls.Config of Transport",
	"TLS.Certificate", "Certificates in the tls.Config of Transport",
	"TLS.CA to the PEM certificate", "RootCAs in the tls.Config of Transport to a pool with the certificate",
	"TLS.CA", "RootCAs in the tls.Config of Transport",
	"TLS.ServerName", "ServerName in the tls.Config of Transport",
	"TLS.MinVersion", "MinVersion in the tls.Config of Transport",
	"Connection.TLS: CA for a private authority, Certificate and PrivateKey for", "the tls.Config of Transport: RootCAs for a private authority, Certificates for",
)

// ofCertificate finds a certificate of the server that this side refuses.
func (f *Facts) ofCertificate(err error) (Diagnosis, bool) {
	d := Diagnosis{Kind: TLSFailed, Step: "tls"}
	if e, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		d.Hint = "set TLS.CA to the PEM certificate of the authority that issued the server's"
		if e.Cert != nil {
			d.Hint += " (" + problem.OneLine(e.Cert.Issuer.String()) + ")"
		}
	} else if e, ok := errors.AsType[x509.HostnameError](err); ok {
		d.Hint = fmt.Sprintf("the certificate is for %s: correct the host in %s, or set TLS.ServerName", certifiedNames(e.Certificate), f.AddressField)
	} else if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		d.Hint = invalidity(e, time.Now())
	} else {
		return d, false
	}
	return d, true
}

// invalidity explains why a certificate is not valid.
func invalidity(e x509.CertificateInvalidError, now time.Time) string {
	switch {
	case e.Reason == x509.Expired && now.Before(e.Cert.NotBefore):
		return "the certificate of this host begins on " + e.Cert.NotBefore.Format(time.DateOnly) + ": is the clock of this machine right?"
	case e.Reason == x509.Expired:
		return "the certificate of this host ended on " + e.Cert.NotAfter.Format(time.DateOnly) + ": its operator must renew it; TLS.CA is no help"
	}
	return "the server's certificate does not fit its purpose: compare TLS.CA with the authority that issued it"
}

// certifiedNames lists a few of the hosts that a certificate is for.
func certifiedNames(cert *x509.Certificate) string {
	names := slices.Clone(cert.DNSNames)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	switch {
	case len(names) == 0:
		return "no host at all"
	case len(names) > 5:
		names = append(names[:5], "others")
	}
	return problem.OneLine(strings.Join(names, ", "))
}

// alerts are those of TLS (RFC 8446, section 6) that tell what to change, with and without a client certificate.
var alerts = []struct {
	alert         tls.AlertError
	with, without string
}{
	{116, "", wantsClientCertificate}, // certificate_required
	{42, refusesClientCertificate, wantsClientCertificate},
	{40, "the two sides have no protocol or cipher in common: compare TLS.MinVersion with what the server speaks", wantsClientCertificate},
	{43, refusesClientCertificate, ""},
	{44, refusesClientCertificate, ""},
	{45, "the client certificate has expired: set a new TLS.Certificate and TLS.PrivateKey, or TLS.PFX", ""},
	{46, refusesClientCertificate, wantsClientCertificate},
	{48, "the server does not know the authority of the client certificate: append its chain to TLS.Certificate, or have it issued by that API's authority", ""},
	{49, refusesClientCertificate, wantsClientCertificate},
	{70, otherTLS, otherTLS},
	{112, unknownHost, unknownHost},
}

const (
	wantsClientCertificate   = "the server wants a client certificate: set TLS.Certificate and TLS.PrivateKey, or TLS.PFX"
	refusesClientCertificate = "the server refuses the client certificate: compare TLS.Certificate, or TLS.PFX, with the one that the API has"
	otherTLS                 = "the server speaks no version of TLS that this side takes: compare it with TLS.MinVersion (1.2 where it is not set)"
	unknownHost              = "the server does not know this host: correct BaseURI, or set TLS.ServerName"
)

// ofAlert finds that the server ended TLS. The number of its alert is not exported, but what it prints is that of the same
// tls.AlertError.
func (f *Facts) ofAlert(err error) (Diagnosis, bool) {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "remote error" {
		return Diagnosis{}, false
	}
	d := Diagnosis{Kind: TLSFailed, Step: "tls"}
	for _, a := range alerts {
		if op.Err.Error() != a.alert.Error() {
			continue
		}
		if d.Hint = a.without; f.ClientCertificate {
			d.Hint = a.with
		}
	}
	return d, true
}

// ofProxy finds that it is a proxy that refuses, or cannot be reached.
func (f *Facts) ofProxy(err error) (Diagnosis, bool) {
	if f.Proxy == "" {
		return Diagnosis{}, false
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "proxyconnect" {
		return Diagnosis{Unreachable, "connect", "the proxy " + f.Proxy + " cannot be reached: correct HTTPS_PROXY, or the Proxy of Transport"}, true
	}
	if !f.StoppedBeforeTLS {
		return Diagnosis{}, false
	}
	return Diagnosis{Unreachable, "connect", "the proxy " + f.Proxy + " refuses to connect to this host: " +
		"give it user and password in HTTPS_PROXY (or the Proxy of Transport), or exempt the host in NO_PROXY"}, true
}

// ofScheme finds that one side speaks TLS and the other does not. What net/http makes of the first bytes of TLS has no type.
func (f *Facts) ofScheme(err error) (Diagnosis, bool) {
	_, isRecord := errors.AsType[tls.RecordHeaderError](err)
	switch {
	case errors.Is(err, http.ErrSchemeMismatch) || isRecord:
		return Diagnosis{TLSFailed, "tls", "this port does not speak TLS: correct the port in " + f.AddressField +
			", or write http:// there (elsewhere than on this machine that needs AllowPlainHTTP)"}, true
	case strings.Contains(err.Error(), `malformed HTTP response "\x15\x03`):
		return Diagnosis{TLSFailed, "", "this port speaks TLS: write https:// in " + f.AddressField}, true
	}
	return Diagnosis{}, false
}

// ofName finds that the host has no address.
func (f *Facts) ofName(err error) (Diagnosis, bool) {
	e, ok := errors.AsType[*net.DNSError](err)
	switch {
	case !ok:
		return Diagnosis{}, false
	case e.IsNotFound:
		return Diagnosis{Unreachable, "", fmt.Sprintf("there is no host %s: correct it in %s", e.Name, f.AddressField)}, true
	}
	return Diagnosis{Unreachable, "", fmt.Sprintf("the name server did not tell the address of %s: look at the network, or correct the host in %s",
		e.Name, f.AddressField)}, true
}

// ofDial finds that nobody takes the connection.
func (f *Facts) ofDial(err error) (Diagnosis, bool) {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return Diagnosis{Unreachable, "", "nothing listens there: correct host and port in " + f.AddressField + ", or start the server"}, true
	case errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EHOSTUNREACH):
		return Diagnosis{Unreachable, "", "no route leads there: look at the network or VPN, or correct the host in " + f.AddressField}, true
	}
	return Diagnosis{}, false
}

// ofSilence finds that time ran out, and what was waited for.
func (f *Facts) ofSilence(err error) (Diagnosis, bool) {
	if !IsTimeout(err) || f.NoTurn {
		return Diagnosis{}, false
	}
	hint := "no answer came in time: raise Timeout, or look at the network"
	switch f.Stage {
	case "resolve":
		hint = "no name server answered: look at the network, or correct the host in " + f.AddressField
	case "connect":
		hint = "nobody answers there: a firewall drops the packets, or host and port in " + f.AddressField + " are wrong"
	case "tls":
		hint = "the handshake was not answered: is the port in " + f.AddressField + " one for https?"
	case "request":
		hint = fmt.Sprintf("the API took the request and was silent for longer than Timeout (%s): raise it, or set Ping.RelativeURI to what answers sooner",
			min(f.Silence, f.Limit))
		if f.Silence == 0 {
			hint = "the API took the request and did not answer it: set Ping.RelativeURI to what answers sooner"
		}
	}
	return Diagnosis{Unreachable, "", hint}, true
}

// ofHangUp finds that the connection ended without an answer. What net/http says of that depends on who was quicker, and not all
// of it has a type.
func (f *Facts) ofHangUp(err error) (Diagnosis, bool) {
	switch {
	case errors.Is(err, context.Canceled):
		return Diagnosis{Hint: "the context of Test was cancelled before an answer came"}, true
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		f.Unanswered:
		return Diagnosis{Unreachable, "", "the connection was closed without an answer: is the port in " + f.AddressField + " the API's own?"}, true
	}
	return Diagnosis{}, false
}
