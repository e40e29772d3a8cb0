package jwtbearer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"syscall"
	"testing"

	"github.com/seed-363d07a3/jwtbearer/internal/redact"
)

// failsIn is a Transport that fails in one step of the network, as net/http does.
func failsIn(step string, err error) http.RoundTripper {
	return transportFunc(func(req *http.Request) (*http.Response, error) {
		hooks := httptrace.ContextClientTrace(req.Context())
		hooks.GetConn(req.URL.Host)
		hooks.DNSStart(httptrace.DNSStartInfo{Host: req.URL.Host})
		if step == "resolve" {
			hooks.DNSDone(httptrace.DNSDoneInfo{Err: err})
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
		}
		hooks.DNSDone(httptrace.DNSDoneInfo{})
		hooks.ConnectStart("tcp", req.URL.Host)
		if step == "connect" {
			hooks.ConnectDone("tcp", req.URL.Host, err)
			return nil, err
		}
		hooks.ConnectDone("tcp", req.URL.Host, nil)
		hooks.TLSHandshakeStart()
		hooks.TLSHandshakeDone(tls.ConnectionState{}, err)
		return nil, err
	})
}

// A host that is made of Secrets shows in no step of a report, in whatever case DNS and TLS write it, and the cause of the failure
// is found all the same.
func TestReportsHideTheSecretsOfTheHostInEveryStep(t *testing.T) {
	const host = "tenant42x.shop.example" // in lower case, as it is dialled
	other := &x509.Certificate{DNSNames: []string{"*.TENANT42X.example", "www.example"}}
	for _, test := range []struct {
		step string
		err  error
		kind Kind
		hint string
	}{
		{"resolve", &net.DNSError{Err: "no such host", Name: host, Server: "192.0.2.1:53", IsNotFound: true}, KindUnreachable, "there is no host ******"},
		{"resolve", &net.DNSError{Err: "server misbehaving", Name: host + "."}, KindUnreachable, "the name server did not tell"},
		{"connect", &net.OpError{Op: "dial", Net: "tcp", Addr: &net.UnixAddr{Name: host + ":443", Net: "tcp"}, Err: syscall.ECONNREFUSED}, KindUnreachable, "nothing listens there"},
		{"tls", &tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: other, Host: host}}, KindTLSFailed, "the certificate is for *.******.example"},
		{"tls", fmt.Errorf("remote end of %s: %w", host, tls.RecordHeaderError{Msg: "first record does not look like TLS"}), KindTLSFailed, "does not speak TLS"},
		{"tls", &net.OpError{Op: "remote error", Addr: &net.UnixAddr{Name: host, Net: "tcp"}, Err: tls.AlertError(112)}, KindTLSFailed, "the server does not know this host"},
	} {
		t.Run(fmt.Sprint(test.step, " ", test.hint), func(t *testing.T) {
			c := dialFake(t, failsIn(test.step, test.err), func(conn *Connection) {
				conn.BaseURI, conn.Secrets = "https://{{.Secrets.k}}.shop.example/v1", map[string]Secret{"k": "TeNant42X"}
				conn.Payload, conn.Retry.MaxAttempts = `{"aud":"https://{{.Request.Host}}/","host":["{{.Request.Host}}"]}`, 1
			})
			r, err := c.Test(t.Context())
			checkReport(t, r, err, test.kind)
			text, jsonErr := json.Marshal(r)
			if shown := strings.ToLower(fmt.Sprintf("%v %+v %#v %s %v %+v", r, *r, *r, text, err, err)); jsonErr != nil || strings.Contains(shown, "tenant42x") {
				t.Errorf("the report shows the host: %s, %v", shown, jsonErr)
			}
			if step := r.step(test.step); step.Status != StatusFailed || !strings.Contains(step.Detail, redacted) {
				t.Errorf("the step is %+v; want a failure with a redacted host", step)
			}
			if hint := r.step("verdict").Hint; !strings.Contains(hint, test.hint) {
				t.Errorf("the hint is %q; want %q", hint, test.hint)
			}
			if want := `"aud":"https://******.shop.example/"`; !strings.Contains(string(r.Claims), want) {
				t.Errorf("the claims are %s; want %s", r.Claims, want)
			}
		})
	}
}

func TestReportStaysJSONWithoutASecretNumber(t *testing.T) {
	r := &Report{Header: `{"kid":123456}`, Claims: `{"a":[1234567,"x123456"],"123456":null}`, Steps: []Step{{Name: "config", Detail: "123456"}}}
	r.hide(&core{secrets: redact.New(map[string]string{"k": "123456"})})
	if r.Header != `{"kid":"******"}` || r.Claims != `{"a":["******7","x******"],"******":null}` || r.Steps[0].Detail != redacted {
		t.Errorf("the report is %+v", *r)
	}
}

// A redacted error stays what it was, for the questions that net/http's callers ask.
func TestBehindARedactedErrorIsItsCause(t *testing.T) {
	inner := &net.DNSError{Name: "tenant42x.example", IsTimeout: true}
	err := &prefixed{"GET", redact.Instead(fmt.Errorf("dial: %w", inner), "lookup ******.example")}
	if found, ok := errors.AsType[*net.DNSError](redact.Behind(err)); !ok || found != inner {
		t.Errorf("behind %v is %v; want the error of the name server", err, found)
	}
	if _, ok := errors.AsType[*net.DNSError](error(err)); ok {
		t.Error("the error gives its cause away, whose text holds the secret")
	}
	if plain := context.Canceled; redact.Behind(plain) != plain {
		t.Error("an error that hides nothing is changed")
	}
}
