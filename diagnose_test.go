package jwtbearer

import (
	"context"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// serverCertificate makes a self-signed certificate for 127.0.0.1, and its PEM.
func serverCertificate(t *testing.T, change func(*x509.Certificate)) (tls.Certificate, string) {
	t.Helper()
	key := newECKey(t, elliptic.P256())
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Example CA"},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"api.example.com"}}
	if change != nil {
		change(template)
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// serveTLS answers 200 over TLS, and keeps quiet about those who fail.
func serveTLS(t *testing.T, config *tls.Config) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(answerWith(200, "", "", "{}"))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = config
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv
}

// listen hands every connection to handle, which may keep it, and gives the address.
func listen(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
			handle(conn)
		}
	}()
	return l.Addr().String()
}

// resolving makes a transport whose resolver asks the server at address, or nobody.
func resolving(address string) http.RoundTripper {
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		if address == "" {
			return nil, errors.New("no name server")
		}
		return new(net.Dialer).DialContext(ctx, "udp", address)
	}}
	return &http.Transport{DialContext: (&net.Dialer{Resolver: resolver}).DialContext}
}

// nxdomain is a name server that knows no name (RFC 1035, section 4.1.1).
func nxdomain(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		query := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(query)
			if err != nil || n < 12 {
				return
			}
			query[2], query[3] = query[2]|0x80, 0x83
			query[10], query[11] = 0, 0 // no additional records
			end := 12 + slices.Index(query[12:n], 0) + 5
			conn.WriteTo(query[:end], from)
		}
	}()
	return conn.LocalAddr().String()
}

// dialling makes a transport whose connections fail, or block, once their address is known.
func dialling(fail func(ctx context.Context) error) http.RoundTripper {
	dialer := &net.Dialer{ControlContext: func(ctx context.Context, _, _ string, _ syscall.RawConn) error { return fail(ctx) }}
	return &http.Transport{DialContext: dialer.DialContext}
}

func proxied(address string) http.RoundTripper {
	return &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: address, User: url.UserPassword("me", "hunter2")})}
}

const short = 250 * time.Millisecond

func TestTestTellsWhyNoAnswerCame(t *testing.T) {
	good, goodCA := serverCertificate(t, nil)
	expired, expiredCA := serverCertificate(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-24 * time.Hour) })
	early, earlyCA := serverCertificate(t, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(30 * time.Minute) })
	secure := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{good}})
	mutual := &tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool()}
	mutual12 := mutual.Clone()
	mutual12.MaxVersion = tls.VersionTLS12
	old := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS12})
	plain := httptest.NewServer(answerWith(200, "", "", "{}"))
	defer plain.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	proxy407 := httptest.NewServer(answerWith(407, "Proxy-Authenticate", "Basic", ""))
	defer proxy407.Close()
	proxy403 := httptest.NewServer(answerWith(403, "", "", ""))
	defer proxy403.Close()
	silence := must(net.ListenPacket("udp", "127.0.0.1:0"))
	defer silence.Close()
	stop := make(chan struct{})
	mute := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-stop:
		}
	}))
	defer mute.Close()
	defer close(stop)
	key := newECKey(t, elliptic.P256())
	trusting := func(ca string) func(*Connection) { return func(c *Connection) { c.TLS.CA = ca } }
	through := func(transport http.RoundTripper) func(*Connection) {
		return func(c *Connection) { c.Transport = transport }
	}
	for _, test := range []struct {
		name   string
		base   string
		change func(*Connection)
		kind   Kind
		failed string // the first step that failed
		hint   string
	}{
		{"no such host", "https://nothing.invalid", through(resolving(nxdomain(t))), KindUnreachable, "resolve", "there is no host nothing.invalid: correct it in BaseURI"},
		{"no name server", "https://nothing.invalid", through(resolving("")), KindUnreachable, "resolve", "BaseURI"},
		{"no answer from the name server", "https://nothing.invalid", func(c *Connection) {
			c.Timeout = short
			c.Transport = resolving(silence.LocalAddr().String())
		}, KindUnreachable, "resolve", "name server"},
		{"refused", closed.URL, nil, KindUnreachable, "connect", "nothing listens there: correct host and port in BaseURI"},
		{"no route", plain.URL, through(dialling(func(context.Context) error { return syscall.EHOSTUNREACH })), KindUnreachable, "connect", "no route"},
		{"timeout at connect", plain.URL, func(c *Connection) {
			c.Timeout = short
			c.Transport = dialling(func(ctx context.Context) error {
				<-ctx.Done()
				return ctx.Err()
			})
		}, KindUnreachable, "connect", "firewall"},
		{"timeout at the handshake", "https://" + listen(t, func(net.Conn) {}), func(c *Connection) { c.Timeout = short }, KindUnreachable, "tls", "handshake"},
		{"timeout at the headers", mute.URL, func(c *Connection) { c.Timeout = short }, KindUnreachable, "request", "Timeout (250ms): raise it, or set Ping.RelativeURI"},
		{"hung up", "http://" + listen(t, func(c net.Conn) { c.Close() }), nil, KindUnreachable, "request", "closed without an answer"},
		{"unknown authority", secure.URL, nil, KindTLSFailed, "tls", "set TLS.CA"},
		{"its name", secure.URL, nil, KindTLSFailed, "tls", "CN=Example CA"},
		{"expired certificate", serveTLS(t, &tls.Config{Certificates: []tls.Certificate{expired}}).URL, trusting(expiredCA), KindTLSFailed, "tls",
			"the certificate of this host ended on " + time.Now().Add(-24*time.Hour).UTC().Format(time.DateOnly)},
		{"certificate of tomorrow", serveTLS(t, &tls.Config{Certificates: []tls.Certificate{early}}).URL, trusting(earlyCA), KindTLSFailed, "tls", "begins on"},
		{"wrong host", secure.URL, func(c *Connection) { c.TLS = TLS{CA: goodCA, ServerName: "other.example"} }, KindTLSFailed, "tls",
			"the certificate is for api.example.com, 127.0.0.1: correct the host in BaseURI, or set TLS.ServerName"},
		{"client certificate missing, TLS 1.3", serveTLS(t, mutual).URL, trusting(goodCA), KindTLSFailed, "tls", "set TLS.Certificate and TLS.PrivateKey, or TLS.PFX"},
		{"client certificate missing, TLS 1.2", serveTLS(t, mutual12).URL, trusting(goodCA), KindTLSFailed, "tls", "set TLS.Certificate and TLS.PrivateKey, or TLS.PFX"},
		{"client certificate of a stranger", serveTLS(t, mutual.Clone()).URL, func(c *Connection) {
			c.TLS = TLS{CA: goodCA, Certificate: certificateOf(t, key), PrivateKey: privatePEM(t, key)}
		}, KindTLSFailed, "tls", "TLS.Certificate"},
		{"old TLS", old.URL, func(c *Connection) { c.TLS = TLS{CA: goodCA, MinVersion: "1.3"} }, KindTLSFailed, "tls", "TLS.MinVersion"},
		{"TLS 1.1", serveTLS(t, &tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}).URL,
			trusting(goodCA), KindTLSFailed, "tls", "TLS.MinVersion"},
		{"plain http on a TLS port", "https://" + plain.Listener.Addr().String(), nil, KindTLSFailed, "tls", "does not speak TLS"},
		{"TLS on a plain port", "http://" + secure.Listener.Addr().String(), nil, KindTLSFailed, "request", "write https:// in BaseURI"},
		{"TLS on a plain port, in TLS", "http://" + listen(t, func(c net.Conn) {
			c.Read(make([]byte, 512))
			c.Write([]byte("\x15\x03\x01\x00\x02\x02\x46"))
			c.Close()
		}), nil, KindTLSFailed, "request", "write https:// in BaseURI"},
		{"proxy wants a password", "https://api.example.com", through(proxied(proxy407.Listener.Addr().String())), KindUnreachable, "connect", "HTTPS_PROXY"},
		{"proxy refuses", "https://api.example.com", through(proxied(proxy403.Listener.Addr().String())), KindUnreachable, "connect", "NO_PROXY"},
		{"no proxy there", "https://api.example.com", through(proxied(closed.Listener.Addr().String())), KindUnreachable, "connect", "the proxy http://127.0.0.1:"},
		{"proxy for http wants a password", "http://127.0.0.1:9", through(proxied(proxy407.Listener.Addr().String())), KindUnreachable, "request", "HTTP_PROXY"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := validConnection()
			c.BaseURI = test.base
			if test.change != nil {
				test.change(c)
			}
			r, err := c.Test(t.Context())
			checkReport(t, r, err, test.kind)
			if failed := r.Steps[slices.IndexFunc(r.Steps, func(s Step) bool { return s.Status == StatusFailed })].Name; failed != test.failed {
				t.Errorf("%s failed first; want %s:\n%s", failed, test.failed, r)
			}
			if hint := r.step("verdict").Hint; !strings.Contains(hint, test.hint) {
				t.Errorf("the hint is %q; want %q in it:\n%s", hint, test.hint, r)
			}
		})
	}
}

func TestTestTellsOfARequestThatCannotBeMade(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Connection)
		kind   Kind
		failed string
		hint   string
	}{
		{"a claim of this request", func(c *Connection) { c.Payload = `{"n":"{{int .Request.Path}}"}` }, KindBadConfig, "token", "Payload or JWTHeaders"},
		{"a header of this request", func(c *Connection) { c.HTTPHeaders = map[string]string{"X-N": "{{int .Request.Path}}"} }, KindBadConfig, "request", "HTTPHeaders"},
		{"a ping", func(c *Connection) { c.Ping.Headers = map[string]string{"X-N": "{{int .Request.Path}}"} }, KindBadConfig, "request", "failed step"},
		{"a Limiter", func(c *Connection) {
			c.Limiter = limiterFunc(func(context.Context) error { return errors.New("closed") })
		}, KindBadConfig, "request", "Limiter"},
		{"a key of elsewhere", func(c *Connection) {
			c.SignatureMethod, c.Secret, c.Key = ES256, "", wrongHalf{newECKey(t, elliptic.P256()).Public()}
		}, KindBadKey, "token", "Key"},
	} {
		c := validConnection()
		test.change(c)
		c.Transport = transportFunc(func(*http.Request) (*http.Response, error) {
			t.Errorf("%s: something was sent", test.name)
			return fakeReply(200, ""), nil
		})
		r, err := c.Test(t.Context())
		checkReport(t, r, err, test.kind)
		failed := r.Steps[slices.IndexFunc(r.Steps, func(s Step) bool { return s.Status == StatusFailed })].Name
		if hint := r.step("verdict").Hint; failed != test.failed || !strings.Contains(hint, test.hint) {
			t.Errorf("%s: %s failed, with the hint %q; want %s and %q:\n%s", test.name, failed, hint, test.failed, test.hint, r)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := validConnection().Test(ctx)
	checkReport(t, r, err, KindUnreachable)
	if !strings.Contains(r.String(), "cancelled") {
		t.Errorf("the report does not say that the context was cancelled:\n%s", r)
	}
}

func TestTestNamesTheExchangeWhereItFails(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	strange := serveTLS(t, nil)
	endpoint := httptest.NewServer(replyJSON(200, `{"access_token":"opaque-access-token","expires_in":60}`))
	defer endpoint.Close()
	api := httptest.NewServer(replyJSON(401, `{"message":"invalid audience"}`))
	defer api.Close()
	for _, test := range []struct {
		name, tokenURL string
		kind           Kind
		hint           string
	}{
		{"refused", closed.URL, KindExchangeFailed, "nothing listens there: correct host and port in Exchange.TokenURL"},
		{"unknown authority", strange.URL, KindExchangeFailed, "set TLS.CA"},
		{"a token that the API refuses", endpoint.URL, KindAuthRejected, "Exchange.Params"},
	} {
		c := validConnection()
		c.BaseURI, c.Lifetime = api.URL, time.Minute
		c.Exchange = &Exchange{TokenURL: test.tokenURL, Grant: "jwt-bearer"}
		r, err := c.Test(t.Context())
		checkReport(t, r, err, test.kind)
		if hint := r.step("verdict").Hint; !strings.Contains(hint, test.hint) {
			t.Errorf("%s: the hint is %q; want %q in it:\n%s", test.name, hint, test.hint, r)
		}
	}
}

// TestTestNamesTheSettingsOfTheCallersTransport makes failures of TLS on a Transport of the caller's own, beside which TLS is
// refused.
func TestTestNamesTheSettingsOfTheCallersTransport(t *testing.T) {
	good, goodCA := serverCertificate(t, nil)
	expired, expiredCA := serverCertificate(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-24 * time.Hour) })
	secure := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{good}})
	mutual := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool()})
	pool := func(ca string) *x509.CertPool {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM([]byte(ca))
		return roots
	}
	for _, test := range []struct {
		name, base string
		config     *tls.Config
		hint       string
	}{
		{"unknown authority", secure.URL, &tls.Config{}, "set RootCAs in the tls.Config of Transport to a pool with the certificate of the authority"},
		{"wrong host", secure.URL, &tls.Config{RootCAs: pool(goodCA), ServerName: "other.example"}, "or set ServerName in the tls.Config of Transport"},
		{"expired", serveTLS(t, &tls.Config{Certificates: []tls.Certificate{expired}}).URL, &tls.Config{RootCAs: pool(expiredCA)}, "RootCAs in the tls.Config of Transport is no help"},
		{"client certificate missing", mutual.URL, &tls.Config{RootCAs: pool(goodCA)}, "set Certificates in the tls.Config of Transport"},
		{"client certificate of a stranger", mutual.URL, &tls.Config{RootCAs: pool(goodCA), Certificates: []tls.Certificate{good}}, "Certificates in the tls.Config of Transport"},
		{"old TLS", serveTLS(t, &tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS12}).URL,
			&tls.Config{RootCAs: pool(goodCA), MinVersion: tls.VersionTLS13}, "MinVersion in the tls.Config of Transport"},
	} {
		c := validConnection()
		c.BaseURI, c.Transport = test.base, &http.Transport{TLSClientConfig: test.config}
		r, err := c.Test(t.Context())
		checkReport(t, r, err, KindTLSFailed)
		if hint := r.step("verdict").Hint; !strings.Contains(hint, test.hint) || strings.Contains(hint, "TLS.") {
			t.Errorf("%s: the hint is %q; want %q in it, and no field of TLS", test.name, hint, test.hint)
		}
	}
}
