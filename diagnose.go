package jwtbearer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/problem"
)

// A diagnosis is what a failure comes from, as far as that can be told.
type diagnosis struct {
	kind Kind   // empty: what the error or the status says
	step string // of the network, that failed although it had seemed to be done; empty: the trace is right
	hint string // what to change, by the name of its field
}

// diagnose looks for the cause of a failure. The zero diagnosis means that nothing more is known than err says.
func (p *probe) diagnose(err error) diagnosis {
	if _, ok := errors.AsType[*ThrottledError](err); ok || err == nil || p.advice != "" {
		return diagnosis{}
	}
	err = behind(err)
	causes := []func(error) (diagnosis, bool){p.unmade, p.ofCertificate, p.ofAlert, p.ofProxy, p.ofScheme, p.ofName, p.ofDial,
		p.ofSilence, p.ofHangUp}
	if p.resp != nil {
		causes = []func(error) (diagnosis, bool){p.ofBrokenBody, p.ofPlainHTTP, p.ofRefusedLimit, p.ofChallenge, p.ofWords, p.ofStatus}
	}
	for _, find := range causes {
		if d, ok := find(err); ok {
			d.hint = p.core.hide(p.inTransport(d.hint))
			return d
		}
	}
	return diagnosis{}
}

// inTransport names the settings of the caller's own Transport, where there is one, instead of those of TLS, which cannot be set
// beside it.
func (p *probe) inTransport(hint string) string {
	if p.core.ownDials {
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

// blame marks the step of the network that a failure belongs to, where that showed only later: with TLS 1.3 a server refuses
// the client's certificate after the handshake (RFC 8446, section 4.4.2.4), and a proxy refuses on a connection that works.
func (p *probe) blame(err error) {
	name := p.diagnose(err).step
	for i, s := range p.report.Steps {
		if s.Name == name && s.Status != StatusFailed {
			p.report.Steps[i].Status, p.report.Steps[i].Detail = StatusFailed, sentence(s.Detail, p.shown(err), "")
		}
	}
}

// addressField is the setting that the address of a failed connection came from.
func (p *probe) addressField() string {
	if p.report.Kind == KindExchangeFailed {
		return "Exchange.TokenURL"
	}
	return "BaseURI"
}

// unmade finds that the request itself could not be made, and nothing was sent.
func (p *probe) unmade(err error) (diagnosis, bool) {
	switch {
	case p.call == nil || p.call.attempts > 0:
	case errors.Is(err, context.Canceled):
		return diagnosis{hint: "the context of Test was cancelled: nothing was sent"}, true
	case p.noTurn(err):
	case p.call.unminted && p.report.Kind == KindBadKey:
		return diagnosis{hint: "Key could not sign: look at what keeps it"}, true
	case p.call.unminted:
		return diagnosis{KindBadConfig, "", "Payload or JWTHeaders cannot be made for this request: correct the template that the error tells of"}, true
	case p.call.token != nil:
		return diagnosis{KindBadConfig, "", "the request cannot be made: correct HTTPHeaders, Placement or Ping as the error says"}, true
	case p.core.limiter != nil:
		return diagnosis{KindBadConfig, "", "Limiter gave the request no turn"}, true
	}
	return diagnosis{}, false
}

// ofCertificate finds a certificate of the server that this side refuses.
func (p *probe) ofCertificate(err error) (diagnosis, bool) {
	d := diagnosis{kind: KindTLSFailed, step: "tls"}
	if e, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		d.hint = "set TLS.CA to the PEM certificate of the authority that issued the server's"
		if e.Cert != nil {
			d.hint += " (" + problem.OneLine(e.Cert.Issuer.String()) + ")"
		}
	} else if e, ok := errors.AsType[x509.HostnameError](err); ok {
		d.hint = fmt.Sprintf("the certificate is for %s: correct the host in %s, or set TLS.ServerName", certifiedNames(e.Certificate), p.addressField())
	} else if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		d.hint = invalidity(e, time.Now())
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
func (p *probe) ofAlert(err error) (diagnosis, bool) {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "remote error" {
		return diagnosis{}, false
	}
	d := diagnosis{kind: KindTLSFailed, step: "tls"}
	for _, a := range alerts {
		if op.Err.Error() != a.alert.Error() {
			continue
		}
		if d.hint = a.without; p.hasClientCertificate() {
			d.hint = a.with
		}
	}
	return d, true
}

func (p *probe) hasClientCertificate() bool {
	t, ok := p.core.transport.(*http.Transport)
	return ok && t.TLSClientConfig != nil && (len(t.TLSClientConfig.Certificates) > 0 || t.TLSClientConfig.GetClientCertificate != nil)
}

// ofProxy finds that it is a proxy that refuses, or cannot be reached.
func (p *probe) ofProxy(err error) (diagnosis, bool) {
	proxy := p.proxy()
	if proxy == nil {
		return diagnosis{}, false
	}
	where := proxy.Scheme + "://" + proxy.Host
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "proxyconnect" {
		return diagnosis{KindUnreachable, "connect", "the proxy " + where + " cannot be reached: correct HTTPS_PROXY, or the Proxy of Transport"}, true
	}
	if !p.trace.stoppedBeforeTLS() {
		return diagnosis{}, false
	}
	return diagnosis{KindUnreachable, "connect", "the proxy " + where + " refuses to connect to this host: " +
		"give it user and password in HTTPS_PROXY (or the Proxy of Transport), or exempt the host in NO_PROXY"}, true
}

// proxy is the one that the request went through; nil: none, or it is not known.
func (p *probe) proxy() *url.URL {
	t, ok := p.core.transport.(*http.Transport)
	if !ok || t.Proxy == nil || p.sent == nil {
		return nil
	}
	u, err := t.Proxy(p.sent)
	if err != nil {
		return nil
	}
	return u
}

// ofScheme finds that one side speaks TLS and the other does not. What net/http makes of the first bytes of TLS has no type.
func (p *probe) ofScheme(err error) (diagnosis, bool) {
	_, isRecord := errors.AsType[tls.RecordHeaderError](err)
	switch {
	case errors.Is(err, http.ErrSchemeMismatch) || isRecord:
		return diagnosis{KindTLSFailed, "tls", "this port does not speak TLS: correct the port in " + p.addressField() +
			", or write http:// there (elsewhere than on this machine that needs AllowPlainHTTP)"}, true
	case strings.Contains(err.Error(), `malformed HTTP response "\x15\x03`):
		return diagnosis{KindTLSFailed, "", "this port speaks TLS: write https:// in " + p.addressField()}, true
	}
	return diagnosis{}, false
}

// ofName finds that the host has no address.
func (p *probe) ofName(err error) (diagnosis, bool) {
	e, ok := errors.AsType[*net.DNSError](err)
	switch {
	case !ok:
		return diagnosis{}, false
	case e.IsNotFound:
		return diagnosis{KindUnreachable, "", fmt.Sprintf("there is no host %s: correct it in %s", e.Name, p.addressField())}, true
	}
	return diagnosis{KindUnreachable, "", fmt.Sprintf("the name server did not tell the address of %s: look at the network, or correct the host in %s",
		e.Name, p.addressField())}, true
}

// ofDial finds that nobody takes the connection.
func (p *probe) ofDial(err error) (diagnosis, bool) {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return diagnosis{KindUnreachable, "", "nothing listens there: correct host and port in " + p.addressField() + ", or start the server"}, true
	case errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EHOSTUNREACH):
		return diagnosis{KindUnreachable, "", "no route leads there: look at the network or VPN, or correct the host in " + p.addressField()}, true
	}
	return diagnosis{}, false
}

// ofSilence finds that time ran out, and what was waited for.
func (p *probe) ofSilence(err error) (diagnosis, bool) {
	if !isTimeout(err) || p.noTurn(err) {
		return diagnosis{}, false
	}
	hint := "no answer came in time: raise Timeout, or look at the network"
	switch p.trace.stage() {
	case "resolve":
		hint = "no name server answered: look at the network, or correct the host in " + p.addressField()
	case "connect":
		hint = "nobody answers there: a firewall drops the packets, or host and port in " + p.addressField() + " are wrong"
	case "tls":
		hint = "the handshake was not answered: is the port in " + p.addressField() + " one for https?"
	case "request":
		hint = fmt.Sprintf("the API took the request and was silent for longer than Timeout (%s): raise it, or set Ping.RelativeURI to what answers sooner",
			min(p.core.silence, probeTimeout))
		if p.core.silence == 0 {
			hint = "the API took the request and did not answer it: set Ping.RelativeURI to what answers sooner"
		}
	}
	return diagnosis{KindUnreachable, "", hint}, true
}

// ofHangUp finds that the connection ended without an answer. What net/http says of that depends on who was quicker, and not all
// of it has a type.
func (p *probe) ofHangUp(err error) (diagnosis, bool) {
	switch {
	case errors.Is(err, context.Canceled):
		return diagnosis{hint: "the context of Test was cancelled before an answer came"}, true
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		p.trace.unanswered():
		return diagnosis{KindUnreachable, "", "the connection was closed without an answer: is the port in " + p.addressField() + " the API's own?"}, true
	}
	return diagnosis{}, false
}
