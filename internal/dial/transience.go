package dial

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
)

// A Transience says which requests may be sent again after an error.
type Transience int

const (
	Never      Transience = iota
	Idempotent            // the request may have been served
	Always                // it cannot have been: there was no connection
)

// Transience classifies an error of the transport. t may be nil.
func (t *Trace) Transience(err error) Transience {
	if IsTLSVerdict(err) || errors.Is(err, http.ErrSkipAltProtocol) || errors.Is(err, body.ErrNotReplayable) ||
		errors.Is(err, body.ErrTooLong) {
		return Never
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return Always
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return Always
	}
	if t != nil && t.wanted.Load() && !t.got.Load() {
		return Always
	}
	return Idempotent
}

// IsTLSVerdict reports whether one side refused the other in a way that trying again does not change.
func IsTLSVerdict(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok { // the peer does not speak TLS
		return true
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" { // an alert of the peer, by crypto/tls
		return true
	}
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	_, invalid := errors.AsType[x509.CertificateInvalidError](err)
	_, host := errors.AsType[x509.HostnameError](err)
	return authority || invalid || host
}
