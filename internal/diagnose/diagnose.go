// Package diagnose knows what failures come from: it makes a cause and a hint of the facts of one attempt, by tables and without
// asking anybody. It must never know a Connection, send anything, nor see a token or a secret.
package diagnose

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/httpfield"
)

// The kinds of Report.Kind that a cause can make more precise.
const (
	BadConfig        = "bad_config"
	Unreachable      = "unreachable"
	TLSFailed        = "tls_failed"
	AuthRejected     = "auth_rejected"
	Throttled        = "throttled"
	UnexpectedAnswer = "unexpected_answer"
)

// Facts are what is known of an attempt that failed. It holds no secret.
type Facts struct {
	AddressField string // the setting that the address came from
	BasePath     string // of BaseURI, escaped

	// Of an attempt that was not sent; nil: it was, or that is not known.
	Unsent *Unsent
	NoTurn bool // the connection's own pace left it no time

	// The network.
	Stage             string // what it had come to without a response: resolve, connect, tls, request; empty: not known
	StoppedBeforeTLS  bool   // there was a connection, but its use for https did not begin
	Unanswered        bool   // there was a connection on which not a byte came back
	PlainHTTP         bool   // it was sent to an address that begins with http:
	Proxy             string // the origin of the proxy that it went through; empty: none, or not known
	ClientCertificate bool   // this side has one
	OwnTransport      bool   // the transport is the caller's
	Silence, Limit    time.Duration

	Response *Response // nil: none came
	Skew     time.Duration
	Token    Token
}

// Unsent says how far an attempt came that was not sent.
type Unsent struct {
	Unminted  bool // no token could be made
	KeyFailed bool // since the key, which is elsewhere, did not sign
	Minted    bool // there was a token
	Limited   bool // Connection.Limiter is set
}

// A Response is what a response says of a failure.
type Response struct {
	Status    int
	Header    http.Header
	URL       *url.URL // that it is of
	Challenge httpfield.Challenge
	Texts     []string // the API's own words
	Refused   bool     // it refuses the token
	Broken    error    // it is a success whose body did not come whole
}

// A Token is what is known of the token that was sent.
type Token struct {
	Header, Claims string // JSON objects, as a report shows them
	Exchanged      bool   // it is an access token, of which the API speaks
	Ready          bool   // it was given, not signed
	Reused         bool   // it serves several requests
	Places         []string
	Now            time.Time // by the clock that it was signed by
}

// A Diagnosis is what a failure comes from, as far as that can be told. The zero value means that nothing more is known than the
// error says.
type Diagnosis struct {
	Kind string // empty: what the error or the status says
	Step string // of the network, that failed although it had seemed to be done; empty: the trace is right
	Hint string // what to change, by the name of its field
}

// Cause looks for the cause of a failure.
func Cause(err error, f *Facts) Diagnosis {
	causes := []func(error) (Diagnosis, bool){f.unmade, f.ofCertificate, f.ofAlert, f.ofProxy, f.ofScheme, f.ofName, f.ofDial, f.ofSilence, f.ofHangUp}
	if f.Response != nil {
		causes = []func(error) (Diagnosis, bool){f.ofBrokenBody, f.ofPlainHTTP, f.ofRefusedLimit, f.ofChallenge, f.ofWords, f.ofStatus}
	}
	for _, find := range causes {
		if d, ok := find(err); ok {
			d.Hint = InTransport(d.Hint, f.OwnTransport)
			return d
		}
	}
	return Diagnosis{}
}

// unmade finds that the request itself could not be made, and nothing was sent.
func (f *Facts) unmade(err error) (Diagnosis, bool) {
	switch u := f.Unsent; {
	case u == nil:
	case errors.Is(err, context.Canceled):
		return Diagnosis{Hint: "the context of Test was cancelled: nothing was sent"}, true
	case f.NoTurn:
	case u.KeyFailed:
		return Diagnosis{Hint: "Key could not sign: look at what keeps it"}, true
	case u.Unminted:
		return Diagnosis{BadConfig, "", "Payload or JWTHeaders cannot be made for this request: correct the template that the error tells of"}, true
	case u.Minted:
		return Diagnosis{BadConfig, "", "the request cannot be made: correct HTTPHeaders, Placement or Ping as the error says"}, true
	case u.Limited:
		return Diagnosis{BadConfig, "", "Limiter gave the request no turn"}, true
	}
	return Diagnosis{}, false
}

// IsTimeout reports whether time ran out, that of an attempt or that of the context.
func IsTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded)
}

// ClockHint says how far the server's clock is ahead of this one.
func ClockHint(skew time.Duration) string {
	where := "ahead of"
	if skew < 0 {
		where = "behind"
	}
	return fmt.Sprintf("the server's clock is %.0f s %s this one", skew.Abs().Seconds(), where)
}
