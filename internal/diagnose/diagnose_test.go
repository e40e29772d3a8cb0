package diagnose

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/httpfield"
)

// at is a response of that status, with what the API says.
func at(status int, texts ...string) *Response {
	u, _ := url.Parse("https://api.example.com/v1/v1/users")
	return &Response{Status: status, Header: http.Header{}, URL: u, Texts: texts}
}

func TestCauseReadsNothingButItsFacts(t *testing.T) {
	alert := func(n int) error { return &net.OpError{Op: "remote error", Err: tls.AlertError(n)} }
	challenge := func(params map[string]string) *Response {
		r := at(403)
		r.Challenge = httpfield.Challenge{Scheme: "Bearer", Params: params}
		return r
	}
	refused := func(texts ...string) *Response {
		r := at(401, texts...)
		r.Refused = true
		return r
	}
	token := Token{Header: `{"alg":"HS256","kid":"k1"}`, Claims: `{"aud":"a","iat":1000,"exp":1600,"jti":"1"}`, Places: []string{"header Authorization Bearer"}}
	now := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name       string
		err        error
		facts      Facts
		kind, hint string
	}{
		{"nothing known", errors.New("odd"), Facts{}, "", ""},
		{"no name", &net.DNSError{Name: "h.example", IsNotFound: true}, Facts{AddressField: "BaseURI"}, Unreachable, "there is no host h.example: correct it in BaseURI"},
		{"nobody listens", syscall.ECONNREFUSED, Facts{AddressField: "Exchange.TokenURL"}, Unreachable, "host and port in Exchange.TokenURL"},
		{"hang-up", io.EOF, Facts{AddressField: "BaseURI"}, Unreachable, "closed without an answer"},
		{"silence", timeout{}, Facts{Stage: "request", Silence: time.Second, Limit: 30 * time.Second}, Unreachable, "silent for longer than Timeout (1s)"},
		{"silence without a Timeout", timeout{}, Facts{Stage: "request", Limit: 30 * time.Second}, Unreachable, "did not answer it"},
		{"alert without a certificate", alert(116), Facts{}, TLSFailed, "TLS.Certificate and TLS.PrivateKey"},
		{"the same with the caller's transport", alert(116), Facts{OwnTransport: true}, TLSFailed, "tls.Config of Transport"},
		{"alert with a certificate", alert(45), Facts{ClientCertificate: true}, TLSFailed, "has expired"},
		{"unknown authority", x509.UnknownAuthorityError{}, Facts{}, TLSFailed, "set TLS.CA"},
		{"expired", x509.CertificateInvalidError{Reason: x509.Expired, Cert: &x509.Certificate{NotAfter: now}}, Facts{}, TLSFailed, "ended on 2026-12-01"},
		{"proxy", &net.OpError{Op: "proxyconnect", Err: syscall.ECONNREFUSED}, Facts{Proxy: "http://p:3128"}, Unreachable, "the proxy http://p:3128 cannot be reached"},
		{"unsent", errors.New("x"), Facts{Unsent: &Unsent{Unminted: true}}, BadConfig, "Payload or JWTHeaders"},
		{"a throttle in words", nil, Facts{Response: at(403, "API rate limit exceeded")}, Throttled, "Status: []int{403}"},
		{"scope", nil, Facts{Response: challenge(map[string]string{"error": "insufficient_scope", "scope": "read"})}, AuthRejected, "it needs the scope read"},
		{"method", nil, Facts{Response: refused("invalid alg"), Token: token}, "", "signed by HS256"},
		{"audience", nil, Facts{Response: refused("wrong audience"), Token: token}, "", "the token has aud a"},
		{"issuer", nil, Facts{Response: refused("unknown iss"), Token: token}, "", "the token has no iss"},
		{"key id", nil, Facts{Response: refused("unknown kid"), Token: token}, "", "names the key k1"},
		{"lifetime", nil, Facts{Response: refused("lifetime too long"), Token: token}, "", "lives 10m0s"},
		{"clock", nil, Facts{Response: refused("token not yet valid"), Token: token, Skew: 90 * time.Second}, "", "90 s ahead of this one"},
		{"an access token", nil, Facts{Response: refused("wrong audience"), Token: Token{Exchanged: true}}, "", "Exchange.Params"},
		{"twice", nil, Facts{Response: at(404), BasePath: "/v1"}, "", "where /v1 stands twice"},
		{"a proxy's 407", nil, Facts{Response: at(407)}, Unreachable, "a proxy wants user and password"},
		{"plain http", nil, Facts{Response: at(400, "The plain HTTP request was sent to HTTPS port"), PlainHTTP: true}, TLSFailed, "write https://"},
		{"a body that stops", nil, Facts{Response: &Response{Status: 200, Broken: timeout{}}, Silence: time.Second, Limit: time.Minute}, UnexpectedAnswer, "raise Timeout (1s)"},
	}
	for _, tt := range tests {
		got := Cause(tt.err, &tt.facts)
		if got.Kind != tt.kind || !strings.Contains(got.Hint, tt.hint) || tt.hint == "" && got.Hint != "" {
			t.Errorf("%s: %+v, want the kind %q and the hint %q", tt.name, got, tt.kind, tt.hint)
		}
	}
}

type timeout struct{}

func (timeout) Error() string   { return "nothing came" }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

// TestEveryWordOfARefusalLeadsToAHint keeps the rows of the table in reach: an earlier one must not take all words of a later one.
func TestEveryWordOfARefusalLeadsToAHint(t *testing.T) {
	for i, row := range refusalWords {
		reached := false
		for _, word := range row.words {
			text := searchable(fmt.Sprintf("token: %s here", word))
			for j, other := range refusalWords {
				if holdsAny(text, other.words...) {
					reached = reached || i == j
					break
				}
			}
		}
		if !reached {
			t.Errorf("no word of row %d, %q, leads to it", i, row.words)
		}
	}
}

func TestEachHintOfTLSHasItsWordsForATransport(t *testing.T) {
	hints := []string{"see Connection.TLS: CA for a private authority, Certificate and PrivateKey for a client certificate"}
	for _, a := range alerts {
		hints = append(hints, a.with, a.without)
	}
	for _, hint := range hints {
		if got := InTransport(hint, true); strings.Contains(got, "TLS.") || strings.Contains(got, "PFX") || strings.Contains(got, "PrivateKey") {
			t.Errorf("with a Transport the hint %q becomes %q, which names fields of TLS", hint, got)
		}
	}
}

func TestRepeatedPathFindsWhatStandsTwice(t *testing.T) {
	for _, test := range []struct{ base, ref, want string }{
		{"/v1", "/v1/users", "/v1"},
		{"/v1", "/v1", "/v1"},
		{"/api/v1", "/v1/users", "/v1"},
		{"/api/v1", "/api/v1/users", "/api/v1"},
		{"/v1", "/v10/users", ""},
		{"/v1", "/users/v1", ""},
		{"", "/v1", ""},
		{"/", "/v1", ""},
	} {
		if got := RepeatedPath(strings.TrimRight(test.base, "/"), test.ref); got != test.want {
			t.Errorf("RepeatedPath(%q, %q) = %q, want %q", test.base, test.ref, got, test.want)
		}
	}
}
