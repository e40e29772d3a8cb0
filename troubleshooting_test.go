package jwtbearer

import (
	"context"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the reports into docs/troubleshooting.md")

const gallery = "docs/troubleshooting.md"

// reportBlocks are the places of the reports in the gallery, full or still empty.
var reportBlocks = regexp.MustCompile("<!-- report: ([a-z-]+) -->\n(?:\n```text\n(?s:.*?)```\n)?")

// asFrom makes a transport to the server at address for any host, which trusts what roots holds.
func asFrom(address string, roots *x509.CertPool) http.RoundTripper {
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
}

// A failure is a page of the gallery.
type failure struct {
	handler http.HandlerFunc
	change  func(*Connection)
	kind    Kind
}

func failures(t *testing.T) map[string]failure {
	ahead := 412 * time.Second
	return map[string]failure{
		"key": {nil, func(c *Connection) {
			c.SignatureMethod, c.Secret, c.PrivateKey = RS256, "", privatePEM(t, newECKey(t, elliptic.P256()))
		}, KindBadKey},
		"name": {nil, func(c *Connection) {
			c.BaseURI, c.Transport = "https://api.exmaple.com/v1", resolving(nxdomain(t))
		}, KindUnreachable},
		"authority": {nil, func(c *Connection) {
			c.Transport.(*http.Transport).TLSClientConfig.RootCAs = x509.NewCertPool()
		}, KindTLSFailed},
		"client-certificate": {nil, nil, KindTLSFailed},
		"secret": {replyJSON(401, `{"error":{"code":"invalid_token","message":"Invalid signature"}}`), func(c *Connection) {
			c.Secret = "5b1e7c9a0d3f48622c6e8a1f9b7d4e3050617283945a6b7c8d9eafb0c1d2e3f4"
		}, KindAuthRejected},
		"clock": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", httpDate(ahead))
			w.Header().Set("Content-Type", "application/json")
			if expiry := expiryOf(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")); time.Until(expiry) < ahead {
				w.WriteHeader(http.StatusUnauthorized)
			}
			w.Write([]byte(`{"message":"token expired"}`))
		}, nil, KindOK},
		"lifetime": {replyJSON(401, `{"message":"'Expiration time' claim ('exp') is too far in the future"}`), func(c *Connection) {
			c.BaseURI, c.Lifetime = "https://api.github.com", time.Hour
		}, KindAuthRejected},
		"path": {replyJSON(404, `{"message":"no such resource"}`), func(c *Connection) { c.Ping.RelativeURI = "/v1/users" }, KindNotFound},
		"throttle": {replyJSON(403, `{"reason":"rateLimitExceeded","message":"Rate limit exceeded"}`,
			"RateLimit", `"default";r=0;t=40`), nil, KindThrottled},
		"body": {breakOff(200, `{"items":[`, "Content-Type", "application/json"), nil, KindUnexpectedAnswer},
		"login": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/login" {
				http.Redirect(w, r, "/login", http.StatusFound)
				return
			}
			w.Header().Set("Content-Type", "text/html")
			w.Write([]byte("<html><form>"))
		}, nil, KindUnexpectedAnswer},
	}
}

func TestTroubleshootingShowsWhatTestReports(t *testing.T) {
	page := string(must(os.ReadFile(gallery)))
	shown := map[string]bool{}
	all := failures(t)
	fresh := reportBlocks.ReplaceAllStringFunc(page, func(block string) string {
		name := reportBlocks.FindStringSubmatch(block)[1]
		f, known := all[name]
		if !known || shown[name] {
			t.Errorf("%s shows %q, of which there is no failure, or twice", gallery, name)
			return block
		}
		shown[name] = true
		return "<!-- report: " + name + " -->\n\n```text\n" + f.report(t, name) + "```\n"
	})
	if len(shown) != len(all) {
		t.Errorf("%s shows %d of %d failures", gallery, len(shown), len(all))
	}
	if *update {
		if err := os.WriteFile(gallery, []byte(fresh), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if fresh != page {
		got, want := firstDifference(fresh, page)
		t.Errorf("Test reports now (go test -run Troubleshooting . -update writes it)\n\t%s\nwhere %s shows\n\t%s", got, gallery, want)
	}
}

// firstDifference gives the first line in which two texts differ.
func firstDifference(a, b string) (string, string) {
	other := strings.Split(b, "\n")
	for i, line := range strings.Split(a, "\n") {
		if i >= len(other) || line != other[i] {
			return line, strings.Join(other[min(i, len(other)):min(i+1, len(other))], "")
		}
	}
	return "", other[len(other)-1]
}

// report makes the failure happen.
func (f failure) report(t *testing.T, name string) string {
	cert, ca := serverCertificate(t, func(c *x509.Certificate) {
		c.Subject.CommonName = "Example Corp Internal CA"
		c.DNSNames = append(c.DNSNames, "api.github.com")
	})
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	if name == "client-certificate" {
		config.ClientAuth = tls.RequireAnyClientCert
	}
	srv := serveTLS(t, config)
	if f.handler != nil {
		srv.Config.Handler = f.handler
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(ca))
	c := validConnection()
	c.BaseURI, c.Payload, c.Lifetime = "https://api.example.com/v1", `{"iss":"my-app","aud":"example"}`, 5*time.Minute
	c.Transport = asFrom(srv.Listener.Addr().String(), roots)
	if f.change != nil {
		f.change(c)
	}
	r, err := testThrough(t, c)
	checkReport(t, r, err, f.kind)
	return evened(r.String())
}

// testThrough is the Test of a connection without a Transport of its own, whose requests go through c's all the same.
func testThrough(t *testing.T, c *Connection) (*Report, error) {
	transport := c.Transport
	c.Transport = nil
	client, err := NewClient(c)
	if err != nil {
		return c.Test(t.Context())
	}
	client.core.transport = transport
	return client.Test(t.Context())
}

// evened takes out of a report what differs from run to run and from machine to machine.
func evened(report string) string {
	for _, row := range []struct{ pattern, text string }{
		{`\([0-9.]+(?:µs|ms|s)\)\n`, "(1ms)\n"},
		{`\d{4}-\d{2}-\d{2}`, "2027-01-31"},
		{`expires in (?:5m0s|4m5\ds)`, "expires in 5m0s"},
		{`expires in (?:1h0m0s|59m5\ds)`, "expires in 1h0m0s"},
		{`clock is \d+ s ahead`, "clock is 412 s ahead"},
		{` on \S+:53:`, ":"},
	} {
		report = regexp.MustCompile(row.pattern).ReplaceAllString(report, row.text)
	}
	return regexp.MustCompile(`"iat":(\d+),"exp":(\d+)`).ReplaceAllStringFunc(report, func(times string) string {
		var iat, exp int64
		fmt.Sscanf(times, `"iat":%d,"exp":%d`, &iat, &exp)
		return fmt.Sprintf(`"iat":1800000000,"exp":%d`, 1800000000+exp-iat)
	})
}
