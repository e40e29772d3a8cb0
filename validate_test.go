package jwtbearer

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/response"
	"golang.org/x/time/rate"

	"github.com/seed-363d07a3/jwtbearer/internal/key/keytest"
)

// testSecret is long enough for every HMAC method, and begins with what no message may show.
var testSecret = Secret("hunter2-" + strings.Repeat("k", 64))

// validConnection is a Connection that NewClient accepts.
func validConnection() *Connection {
	return &Connection{BaseURI: "https://api.example.com/v2", SignatureMethod: HS256, Secret: testSecret, Payload: `{"iss":"me"}`}
}

// privatePEM is a key in PKCS#8.
func privatePEM(t testing.TB, key any) Secret {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return Secret(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func newECKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	return must(ecdsa.GenerateKey(curve, rand.Reader))
}

// countingKey is a crypto.Signer elsewhere, which counts what it is asked to sign.
type countingKey struct {
	crypto.Signer
	signatures int
}

func (k *countingKey) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	k.signatures++
	return k.Signer.Sign(r, digest, opts)
}

func TestValidateAcceptsWhatHasAMeaning(t *testing.T) {
	for name, change := range map[string]func(*Connection){
		"the least":                 func(*Connection) {},
		"a loopback address":        func(c *Connection) { c.BaseURI = "http://127.0.0.1:8080" },
		"localhost":                 func(c *Connection) { c.BaseURI = "http://localhost/x?y=1" },
		"IPv6 loopback":             func(c *Connection) { c.BaseURI = "http://[::1]:80" },
		"plain http where allowed":  func(c *Connection) { c.BaseURI, c.AllowPlainHTTP = "http://10.0.0.1", true },
		"a weak secret, allowed":    func(c *Connection) { c.Secret, c.AllowWeakKey = "short", true },
		"hmac-sha256":               func(c *Connection) { c.SignatureMethod = "hmac-sha256" },
		"HMAC-SHA512":               func(c *Connection) { c.SignatureMethod = "HMAC-SHA512" },
		"hs384":                     func(c *Connection) { c.SignatureMethod = "hs384" },
		"a secret in hex":           func(c *Connection) { c.Secret, c.SecretEncoding = Secret(strings.Repeat("0a", 32)), SecretHex },
		"a ready-made token":        func(c *Connection) { *c = Connection{BaseURI: c.BaseURI, Token: "abc.def"} },
		"no timeout":                func(c *Connection) { c.Timeout = -1 },
		"no bounds":                 func(c *Connection) { c.Retry = Retry{MaxElapsed: -1, Budget: -1, BufferLimit: -1} },
		"no longest wait":           func(c *Connection) { c.RateLimit = RateLimit{MaxWait: -1, MinWait: time.Hour} },
		"the longest durations":     func(c *Connection) { c.Retry = Retry{MaxBackoff: math.MaxInt64, MaxElapsed: math.MaxInt64} },
		"a base of fields":          func(c *Connection) { c.BaseURI, c.Fields = "https://{{.Fields.h}}/v1", map[string]string{"h": "a.b"} },
		"a trusted origin":          func(c *Connection) { c.TrustedOrigins = []string{"https://uploads.example.com:8443/"} },
		"an own Accept":             func(c *Connection) { c.HTTPHeaders = map[string]string{"accept": "application/vnd.x+json"} },
		"a shared limiter":          func(c *Connection) { c.Limiter = rate.NewLimiter(1, 1) },
		"a header of its own place": func(c *Connection) { c.Placement = []Placement{{Name: "X-Token"}} },
	} {
		t.Run(name, func(t *testing.T) {
			c := validConnection()
			change(c)
			if err := c.Validate(); err != nil {
				t.Errorf("Validate: %v", err)
			}
		})
	}
}

func TestValidateAcceptsTheNamesOfPlatforms(t *testing.T) {
	rsaKey := privatePEM(t, keyFor(RS256).(*rsa.PrivateKey))
	for method, key := range map[SignatureMethod]Secret{
		"rsa-sha384": rsaKey, "RSA-SHA256": rsaKey, "ps256": rsaKey, "Rs512": rsaKey,
		"es512": privatePEM(t, newECKey(t, elliptic.P521())), "ES256": privatePEM(t, newECKey(t, elliptic.P256())),
	} {
		c := validConnection()
		c.SignatureMethod, c.Secret, c.PrivateKey = method, "", key
		if err := c.Validate(); err != nil {
			t.Errorf("SignatureMethod %s: %v", method, err)
		}
	}
}

func TestValidateRefusesAndNamesTheField(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Connection)
		field  string
		say    string // what the message must hold, besides the field
	}{
		{"no base", func(c *Connection) { c.BaseURI = "" }, "BaseURI", "empty"},
		{"plain http", func(c *Connection) { c.BaseURI = "http://api.example.com" }, "BaseURI", "AllowPlainHTTP"},
		{"http to a host that begins like loopback", func(c *Connection) { c.BaseURI = "http://127.0.0.1.evil.com" }, "BaseURI", "plain http"},
		{"http to a name below localhost", func(c *Connection) { c.BaseURI = "http://x.localhost:8080" }, "BaseURI", "plain http"},
		{"a token endpoint below localhost", func(c *Connection) {
			c.Exchange = &Exchange{TokenURL: "http://x.localhost/token", Grant: "jwt-bearer"}
		}, "Exchange.TokenURL", "plain http"},
		{"a host that cannot be dialled", func(c *Connection) { c.BaseURI = "https://\u0378.example" }, "BaseURI", "RFC 5891"},
		{"an origin that cannot be dialled", func(c *Connection) { c.TrustedOrigins = []string{"https://\u0378.example"} }, "TrustedOrigins[0]", "RFC 5891"},
		{"another scheme", func(c *Connection) { c.BaseURI = "ftp://h/" }, "BaseURI", `"ftp"`},
		{"no scheme", func(c *Connection) { c.BaseURI = "api.example.com/v1" }, "BaseURI", "no scheme"},
		{"opaque", func(c *Connection) { c.BaseURI = "https:api" }, "BaseURI", "no host"},
		{"no host but a port", func(c *Connection) { c.BaseURI = "https://:443/x" }, "BaseURI", "no host"},
		{"userinfo", func(c *Connection) { c.BaseURI = "https://user:hunter2@h/" }, "BaseURI", "password"},
		{"fragment", func(c *Connection) { c.BaseURI = "https://h/#hunter2" }, "BaseURI", "fragment"},
		{"empty fragment", func(c *Connection) { c.BaseURI = "https://h/#" }, "BaseURI", "fragment"},
		{"blank", func(c *Connection) { c.BaseURI = "https://h/v2 " }, "BaseURI", "space"},
		{"line break", func(c *Connection) { c.BaseURI = "https://h/v2\n" }, "BaseURI", "not a URI"},
		{"port", func(c *Connection) { c.BaseURI = "https://h:99999/" }, "BaseURI", "port"},
		{"dots", func(c *Connection) { c.BaseURI = "https://h/a/%2e%2E/b" }, "BaseURI", "segment"},
		{"value in the host", func(c *Connection) {
			c.BaseURI, c.Secrets = "https://{{.Secrets.h}}.example.com", map[string]Secret{"h": "hunter2/"}
		}, "BaseURI", "host"},
		{"unknown function", func(c *Connection) { c.Payload = `{"a":"{{nwo}}"}` }, "Payload", "now"},
		{"unknown field", func(c *Connection) { c.Payload = `{"a":"{{.Fields.x}}"}` }, "Payload", "x"},
		{"token in a payload", func(c *Connection) { c.Payload = `{"a":"{{.Token}}"}` }, "Payload", ".Token"},
		{"request in a base", func(c *Connection) { c.BaseURI = "https://h/{{.Request.Path}}" }, "BaseURI", ""},
		{"payload an array", func(c *Connection) { c.Payload = `["hunter2"]` }, "Payload", "not a JSON object"},
		{"payload a string", func(c *Connection) { c.Payload = `"hunter2"` }, "Payload", "not a JSON object"},
		{"payload not JSON", func(c *Connection) { c.Payload = `{"a":hunter2}` }, "Payload", "invalid JSON"},
		{"payload cut", func(c *Connection) { c.Payload = `{"a":` }, "Payload", "invalid JSON"},
		{"payload with two", func(c *Connection) { c.Payload = `{"a":1,"a":2}` }, "Payload", "a"},
		{"header with two", func(c *Connection) { c.JWTHeaders = `{"kid":"1","kid":"2"}` }, "JWTHeaders", "kid"},
		{"another alg", func(c *Connection) { c.JWTHeaders = `{"alg":"none"}` }, "JWTHeaders", "alg"},
		{"no method", func(c *Connection) { c.SignatureMethod = "" }, "SignatureMethod", "HS256"},
		{"method none", func(c *Connection) { c.SignatureMethod = "none" }, "SignatureMethod", `"none"`},
		{"a key for a method", func(c *Connection) { c.SignatureMethod = SignatureMethod("hunter2" + strings.Repeat("x", 40)) },
			"SignatureMethod", "47 characters"},
		{"no secret", func(c *Connection) { c.Secret = "" }, "Secret", "empty"},
		{"short secret", func(c *Connection) { c.Secret = "hunter2" }, "Secret", "AllowWeakKey"},
		{"short secret after decoding", func(c *Connection) { c.Secret, c.SecretEncoding = Secret(strings.Repeat("0a", 31)), SecretHex },
			"Secret", "31 bytes"},
		{"not hex", func(c *Connection) { c.SecretEncoding = SecretHex }, "Secret", "not hex"},
		{"not base64", func(c *Connection) { c.SecretEncoding = SecretBase64 }, "Secret", "SecretEncoding"},
		{"nothing but padding", func(c *Connection) { c.Secret, c.SecretEncoding, c.AllowWeakKey = "====", SecretBase64, true }, "Secret", "empty"},
		{"unknown encoding", func(c *Connection) { c.SecretEncoding = "base32" }, "SecretEncoding", "base64url"},
		{"masked secret", func(c *Connection) { c.Secret = "******" }, "Secret", "${env:NAME}"},
		{"masked secret of templates", func(c *Connection) { c.Secrets = map[string]Secret{"x": "******"} }, "Secrets[x]", "******"},
		{"secret and key", func(c *Connection) { c.PrivateKey = "hunter2" }, "SignatureMethod", "private key"},
		{"secret for RS256", func(c *Connection) { c.SignatureMethod = RS256 }, "Secret", "PrivateKey"},
		{"no private key", func(c *Connection) { c.SignatureMethod, c.Secret = RS256, "" }, "PrivateKey", "empty"},
		{"certificate for HMAC", func(c *Connection) {
			c.Certificate = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: keytest.Certificate(t).Raw}))
		},
			"Certificate", "HS256"},
		{"token and secret", func(c *Connection) { c.Token = "hunter2" }, "Secret", "ready-made"},
		{"token with a line break", func(c *Connection) { *c = Connection{BaseURI: c.BaseURI, Token: "hunter2\n"} }, "Token", "space"},
		{"negative lifetime", func(c *Connection) { c.Lifetime = -time.Minute }, "Lifetime", "-1m0s"},
		{"lifetime in the wrong unit", func(c *Connection) { c.Lifetime = 300 }, "Lifetime", "300ns"},
		{"negative reuse", func(c *Connection) { c.TokenReuse = -1 }, "TokenReuse", "negative"},
		{"reuse of a bound token", func(c *Connection) { c.TokenReuse, c.Payload = time.Hour, `{"u":"{{.Request.URI}}"}` }, "TokenReuse", "request"},
		{"reuse of a token bound by its header", func(c *Connection) { c.TokenReuse, c.JWTHeaders = time.Hour, `{"b":"{{bodySHA256}}"}` }, "TokenReuse", "request"},
		{"media type", func(c *Connection) { c.MediaType = "csv" }, "MediaType", "form-data"},
		{"success type", func(c *Connection) { c.SuccessMediaType = "urlencoded" }, "SuccessMediaType", "csv"},
		{"error type", func(c *Connection) { c.ErrorMediaType = "csv" }, "ErrorMediaType", "plaintext"},
		{"place", func(c *Connection) { c.Placement = []Placement{{In: "body"}} }, "Placement[0].In", "cookie"},
		{"place without name", func(c *Connection) { c.Placement = []Placement{{}, {In: "query"}} }, "Placement[1].Name", "empty"},
		{"scheme in a query", func(c *Connection) { c.Placement = []Placement{{In: "query", Name: "jwt", Scheme: "Bearer"}} }, "Placement[0].Scheme", ""},
		{"header name", func(c *Connection) { c.Placement = []Placement{{Name: "X Token"}} }, "Placement[0].Name", ""},
		{"origin with a path", func(c *Connection) { c.TrustedOrigins = []string{"https://h/x"} }, "TrustedOrigins[0]", "origin"},
		{"origin without scheme", func(c *Connection) { c.TrustedOrigins = []string{"uploads.example.com"} }, "TrustedOrigins[0]", "origin"},
		{"pattern", func(c *Connection) { c.TrustedOrigins = []string{"https://a", "https://*.example.com"} }, "TrustedOrigins[1]", "origin"},
		{"plain origin below localhost", func(c *Connection) { c.TrustedOrigins = []string{"http://x.localhost"} }, "TrustedOrigins[0]", "plain http"},
		{"plain origin", func(c *Connection) { c.TrustedOrigins = []string{"http://h"} }, "TrustedOrigins[0]", "plain http"},
		{"userinfo of an origin", func(c *Connection) { c.TrustedOrigins = []string{"https://hunter2@h"} }, "TrustedOrigins[0]", "origin"},
		{"the token's own header", func(c *Connection) { c.HTTPHeaders = map[string]string{"authorization": "x"} }, "HTTPHeaders[authorization]", "Placement"},
		{"the token's own header in Ping", func(c *Connection) { c.Ping.Headers = map[string]string{"Authorization": "x"} }, "Ping.Headers[Authorization]", "token"},
		{"a header twice", func(c *Connection) { c.HTTPHeaders = map[string]string{"X-A": "1", "x-a": "2"} }, "HTTPHeaders[x-a]", "twice"},
		{"Host", func(c *Connection) { c.HTTPHeaders = map[string]string{"Host": "h"} }, "HTTPHeaders[Host]", "remove"},
		{"a header of two lines", func(c *Connection) {
			c.HTTPHeaders, c.Secrets = map[string]string{"X-A": "{{.Secrets.a}}"}, map[string]Secret{"a": "hunter2\r\nX-B: 1"}
		}, "HTTPHeaders[X-A]", "line break"},
		{"no header name", func(c *Connection) { c.HTTPHeaders = map[string]string{"X:": "1"} }, "HTTPHeaders[X:]", "name"},
		{"attempts", func(c *Connection) { c.Retry.MaxAttempts = -1 }, "Retry.MaxAttempts", "negative"},
		{"backoff", func(c *Connection) { c.Retry.MinBackoff = -1 }, "Retry.MinBackoff", "negative"},
		{"longest backoff", func(c *Connection) { c.Retry.MaxBackoff = -1 }, "Retry.MaxBackoff", "negative"},
		{"backoffs swapped", func(c *Connection) { c.Retry.MinBackoff, c.Retry.MaxBackoff = time.Minute, time.Second }, "Retry.MinBackoff", "1s"},
		{"interval", func(c *Connection) { c.RateLimit.Interval = -1 }, "RateLimit.Interval", "negative"},
		{"concurrency", func(c *Connection) { c.RateLimit.Concurrency = -1 }, "RateLimit.Concurrency", "negative"},
		{"least wait", func(c *Connection) { c.RateLimit.MinWait = -1 }, "RateLimit.MinWait", "negative"},
		{"limit without time", func(c *Connection) { c.RateLimit.Limits = []Limit{{Requests: 1}} }, "RateLimit.Limits[0].Per", "time.Minute"},
		{"limit without requests", func(c *Connection) { c.RateLimit.Limits = []Limit{{Requests: 1, Per: 1}, {Per: 1}} }, "RateLimit.Limits[1].Requests", "1 or more"},
		{"empty rule", func(c *Connection) { c.RateLimit.Rules = []Rule{{}} }, "RateLimit.Rules[0]", "nothing is set"},
		{"bad expression", func(c *Connection) { c.AuthFailure = []Rule{{Match: "("}} }, "AuthFailure[0].Match", "regexp"},
		{"bad path", func(c *Connection) { c.Ping.Fail = []Rule{{Path: "$[", Values: []string{"x"}}} }, "Ping.Fail[0].Path", ""},
		{"profile", func(c *Connection) { c.RateLimit.Profile = "githup" }, "RateLimit.Profile", `"github"`},
		{"ping method", func(c *Connection) { c.Ping.Method = "GET /" }, "Ping.Method", "POST"},
		{"ping of itself", func(c *Connection) { c.Ping.RelativeURI = "/{{.Request.Path}}" }, "Ping.RelativeURI", "request"},
		{"ping body of itself", func(c *Connection) { c.Ping.Body = "{{bodySHA256}}" }, "Ping.Body", "body"},
		{"exchange", func(c *Connection) { c.Exchange = &Exchange{TokenURL: "/t"} }, "Exchange", "sends the JWT nowhere"},
		{"nil limiter", func(c *Connection) { c.Limiter = (*rate.Limiter)(nil) }, "Limiter", "*rate.Limiter"},
		{"nil transport", func(c *Connection) { c.Transport = (*http.Transport)(nil) }, "Transport", "*http.Transport"},
		{"TLS twice", func(c *Connection) { c.Transport, c.TLS.ServerName = http.DefaultTransport, "h" }, "TLS", "Transport"},
		{"TLS version", func(c *Connection) { c.TLS.MinVersion = "1.1" }, "TLS.MinVersion", "1.3"},
		{"no authority", func(c *Connection) { c.TLS.CA = "hunter2" }, "TLS.CA", "BEGIN CERTIFICATE"},
		{"a key for an authority", func(c *Connection) { c.TLS.CA = string(privatePEM(t, newECKey(t, elliptic.P256()))) }, "TLS.CA", "private key"},
		{"certificate without key", func(c *Connection) { c.TLS.Certificate = "hunter2" }, "TLS.PrivateKey", "empty"},
		{"PFX beside PEM", func(c *Connection) { c.TLS.PFX, c.TLS.PrivateKey = "hunter2", "hunter2" }, "TLS.PFX", "one of the two"},
		{"key without certificate", func(c *Connection) { c.TLS.PrivateKey = privatePEM(t, newECKey(t, elliptic.P256())) }, "TLS.Certificate", "empty"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := validConnection()
			test.change(c)
			_, err := NewClient(c)
			problem := problemOf(err, test.field)
			if problem == nil {
				t.Fatalf("NewClient gave %v; want a *ConfigError for %s", err, test.field)
			}
			if !strings.Contains(problem.Error(), test.say) || problem.Problem == "" {
				t.Errorf("the error is %q; want it to say %q", problem, test.say)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error %q shows what it refuses", err)
			}
			if valid := c.Validate(); valid == nil || valid.Error() != err.Error() {
				t.Errorf("Validate gave %v, NewClient %v; want the same", valid, err)
			}
		})
	}
}

// problemOf returns the problem with a field.
func problemOf(err error, field string) *ConfigError {
	for _, problem := range configErrors(err) {
		if problem.Field == field {
			return problem
		}
	}
	return nil
}

func TestValidateTellsAllProblemsAtOnce(t *testing.T) {
	err := (&Connection{
		BaseURI: "http://api.example.com", SignatureMethod: RS256, PrivateKey: "no key at all", MediaType: "yaml",
		Payload: `{"a":"{{nothing}}","k":"{{keyFingerprint}}"}`, JWTHeaders: `{"alg":"HS256"}`, Lifetime: -1,
		RateLimit: RateLimit{Limits: []Limit{{Requests: 1}}}, Retry: Retry{MaxAttempts: -1}, TLS: TLS{MinVersion: "2"},
		Ping: Ping{Method: "?"}, HTTPHeaders: map[string]string{"": "x"},
	}).Validate()
	var got []string
	for _, problem := range configErrors(err) {
		got = append(got, problem.Field)
	}
	want := []string{"MediaType", "PrivateKey", "BaseURI", "HTTPHeaders[]", "Lifetime", "Payload", "JWTHeaders",
		"RateLimit.Limits[0].Per", "Retry.MaxAttempts", "Ping.Method", "TLS.MinVersion"}
	if !slices.Equal(got, want) {
		t.Errorf("Validate named\n%q; want\n%q", got, want)
	}
}

func TestABadKeyDoesNotMakeTemplatesLookWrong(t *testing.T) {
	c := validConnection()
	c.SignatureMethod, c.Secret, c.PrivateKey = RS256, "", "no key"
	c.Payload = `{"f":"{{keyFingerprint}}","t":"{{x5t}}","l":"{{keyThumbprint | upper}}"}`
	if got := configErrors(c.Validate()); len(got) != 1 || got[0].Field != "PrivateKey" {
		t.Errorf("Validate gave %v; want the one problem with PrivateKey", got)
	}
}

func TestNewClientRefusesNil(t *testing.T) {
	var none *Connection
	if _, err := NewClient(none); problemOf(err, "Connection") == nil {
		t.Errorf("NewClient(nil) gave %v; want a *ConfigError", err)
	}
	if err := none.Validate(); problemOf(err, "Connection") == nil {
		t.Errorf("Validate of nil gave %v; want a *ConfigError", err)
	}
	if got := none.Lint(); got != nil {
		t.Errorf("Lint of nil gave %v; want none", got)
	}
	if report, err := none.Test(t.Context()); err == nil || report == nil || report.OK {
		t.Errorf("Test of nil gave %v, %v; want a report and an error", report, err)
	}
}

func TestNewClientCopiesTheConnection(t *testing.T) {
	c := validConnection()
	c.HTTPHeaders = map[string]string{"X-A": "1"}
	c.TrustedOrigins = []string{"https://a.example.com"}
	c.AuthFailure = []Rule{{Status: []int{401}}}
	c.Placement = []Placement{{Name: "X-Token"}}
	client := must(NewClient(c))
	c.HTTPHeaders["X-B"], c.TrustedOrigins[0], c.AuthFailure[0].Status[0], c.Placement[0].Name = "2", "https://evil.example", 500, "X-Evil"
	c.BaseURI, c.Payload = "https://evil.example", `{}`
	k := client.core
	if len(k.headers) != 1 || k.trusted[0].Host != "a.example.com" || k.authFailure.Match(response.New(fakeReply(401, ""), "", time.Now())) != 0 ||
		k.placements[0].Name != "X-Token" || k.address.Load().Base.Host != "api.example.com" {
		t.Errorf("a change of the Connection reached the Client: %+v %+v", k.headers, k.trusted)
	}
}

func TestDefaultsAreWhatTheFieldsSay(t *testing.T) {
	k := must(NewClient(validConnection())).core
	want := Retry{MaxAttempts: 4, MinBackoff: 200 * time.Millisecond, MaxBackoff: 30 * time.Second, MaxElapsed: 10 * time.Minute,
		Budget: 500, BufferLimit: 1 << 20}
	if k.retry != want || k.silence != 30*time.Second || k.media != MediaJSON || k.maxResponse != 64<<20 {
		t.Errorf("defaults are %+v, %s, %s, %d; want %+v, 30s, json, 64 MiB", k.retry, k.silence, k.media, k.maxResponse, want)
	}
	c := validConnection()
	c.Timeout, c.MaxResponse, c.Retry = -1, -1, Retry{MaxElapsed: -1, Budget: -1, BufferLimit: -1, MinBackoff: time.Minute}
	k = must(NewClient(c)).core
	if k.silence != 0 || k.retry.MaxElapsed != 0 || k.retry.Budget != 0 || k.retry.BufferLimit != 0 || k.maxResponse != 0 {
		t.Errorf("negative settings became %s, %+v, %d; want zero, which means none", k.silence, k.retry, k.maxResponse)
	}
	if k.retry.MaxBackoff != time.Minute {
		t.Errorf("MaxBackoff is %s beside MinBackoff 1m; want 1m", k.retry.MaxBackoff)
	}
}

type stubLimiter struct{}

func (stubLimiter) Wait(context.Context) error { return nil }

func TestLintWarnsOfWhatIsLegalButSuspicious(t *testing.T) {
	damaged := Secret(strings.ReplaceAll(string(privatePEM(t, newECKey(t, elliptic.P256()))), "\n", `\n`))
	for field, change := range map[string]func(*Connection){
		"PrivateKey":             func(c *Connection) { c.SignatureMethod, c.Secret, c.PrivateKey = ES256, "", damaged },
		"Secret":                 func(c *Connection) { c.Secret, c.AllowWeakKey = "short", true },
		"BaseURI":                func(c *Connection) { c.BaseURI, c.AllowPlainHTTP = "http://h", true },
		"TLS.InsecureSkipVerify": func(c *Connection) { c.TLS.InsecureSkipVerify = true },
	} {
		c := validConnection()
		c.Limiter, c.Lifetime = stubLimiter{}, time.Minute
		change(c)
		if got := c.Lint(); len(got) != 1 || got[0].Field != field || got[0].Hint == "" || strings.Contains(got[0].String(), "short") {
			t.Errorf("Lint gave %v; want one warning of %s", got, field)
		}
	}
	c := validConnection()
	c.Lifetime = time.Minute
	if got := c.Lint(); len(got) != 0 {
		t.Errorf("Lint of a good connection gave %v", got)
	}
}

func TestKeyErrorsStandBehindConfigErrors(t *testing.T) {
	c := validConnection()
	c.SignatureMethod, c.Secret, c.PrivateKey = RS256, "", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"
	_, err := NewClient(c)
	if key, ok := errors.AsType[*KeyError](err); !ok || key.Found == "" {
		t.Errorf("NewClient gave %v; want a *KeyError behind it", err)
	}
}

func TestABadCertificateIsOneProblem(t *testing.T) {
	c := &Connection{BaseURI: "https://h", SignatureMethod: ES256, PrivateKey: testES256(t), Certificate: "none", Payload: `{"x":"{{x5t}}"}`}
	if problems := configErrors(c.Validate()); len(problems) != 1 || problems[0].Field != "Certificate" {
		t.Errorf("Validate gave %v; want one problem, of Certificate", problems)
	}
}
