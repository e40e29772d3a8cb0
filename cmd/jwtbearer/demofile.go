package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/connfile"
	"github.com/seed-363d07a3/jwtbearer/internal/demoapi"
)

const (
	demoIssuer   = "demo-client"
	demoAudience = "demo-api"

	// demoSecret is no secret: it is the same in every demo, so that a file serves again on the same address.
	demoSecret = "everybody knows the secret of jwtbearer demo, which is longer than SHA-512"
)

// A demoDialect is a way to throttle, and the settings by which a client understands it.
type demoDialect struct {
	name, text string
	server     demoapi.Dialect
	settings   jwtbearer.RateLimit
}

func demoDialects() []demoDialect {
	on := func(status int, path, value string) []jwtbearer.Rule {
		return []jwtbearer.Rule{{Status: []int{status}, Path: path, Values: []string{value}}}
	}
	return []demoDialect{
		{"retry-after", "429 with Retry-After in seconds", demoapi.RetryAfter(), jwtbearer.RateLimit{}},
		{"bare", "429 and nothing else", demoapi.Bare(), jwtbearer.RateLimit{}},
		{"millis-header", "403 with a code, and milliseconds in X-Retry-After-Ms", demoapi.MillisHeader(), jwtbearer.RateLimit{
			Rules: on(403, "error.code", "rate_limit_exceeded"),
			Wait:  []jwtbearer.Extract{{Header: "X-Retry-After-Ms", As: "millis"}},
		}},
		{"quota", "403 with a code, and X-RateLimit fields in every answer", demoapi.RateLimitReset(), jwtbearer.RateLimit{
			Rules: on(403, "error.code", "quota_exceeded"),
			Quota: []jwtbearer.Quota{{
				Limit:     jwtbearer.Extract{Header: "X-RateLimit-Limit"},
				Remaining: jwtbearer.Extract{Header: "X-RateLimit-Remaining"},
				Reset:     jwtbearer.Extract{Header: "X-RateLimit-Reset", As: "epoch"},
			}},
		}},
		{"ok-with-code", "200 with a code and milliseconds in the body", demoapi.OKWithCode(), jwtbearer.RateLimit{
			Rules: on(200, "code", "THROTTLED"),
			Wait:  []jwtbearer.Extract{{Path: "retryAfterMs", As: "millis"}},
		}},
		{"code-only", "400 with a code, and no word of how long", demoapi.CodeOnly(), jwtbearer.RateLimit{
			Rules: on(400, "error.code", "REQUEST_LIMIT_EXCEEDED"),
		}},
	}
}

// demoProfiles are the settings of RateLimit.Profile, of each of which demoapi has the dialect.
var demoProfiles = []string{"github", "app-store-server", "apns", "shopify-graphql", "salesforce", "google-cloud",
	"discord", "ietf"}

func dialectNames() []string {
	all := slices.Clone(demoProfiles)
	for _, d := range demoDialects() {
		all = append(all, d.name)
	}
	return all
}

// dialectList is for the help.
func dialectList() string {
	var b strings.Builder
	for _, d := range demoDialects() {
		fmt.Fprintf(&b, "  %-14s %s\n", d.name, d.text)
	}
	return b.String()
}

func findDialect(name string) (demoDialect, bool) {
	if slices.Contains(demoProfiles, name) {
		server, err := demoapi.Profile(name)
		return demoDialect{name, "as " + name + " tells it", server, jwtbearer.RateLimit{Profile: name}}, err == nil
	}
	all := demoDialects()
	i := slices.IndexFunc(all, func(d demoDialect) bool { return d.name == name })
	if i < 0 {
		return demoDialect{}, false
	}
	return all[i], true
}

// demoMethods are what demo can sign with.
var demoMethods = []string{"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
	"ES256", "ES384", "ES512", "EdDSA", "Ed25519"}

// A demoKey is what the client signs with and the demo verifies with.
type demoKey struct {
	method jwtbearer.SignatureMethod
	secret string        // of HMAC
	signer crypto.Signer // of the others
	verify any
}

func newDemoKey(method string) (*demoKey, error) {
	i := slices.IndexFunc(demoMethods, func(m string) bool { return strings.EqualFold(m, method) })
	if i < 0 {
		return nil, fmt.Errorf("--method has no %q, but %s", method, strings.Join(demoMethods, ", "))
	}
	method = demoMethods[i]
	k := &demoKey{method: jwtbearer.SignatureMethod(method)}
	var err error
	switch {
	case method[:2] == "HS":
		k.secret, k.verify = demoSecret, []byte(demoSecret)
		return k, nil
	case method[:2] == "RS" || method[:2] == "PS":
		k.signer, err = rsa.GenerateKey(rand.Reader, 2048)
	case method[:2] == "ES":
		curves := map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}
		k.signer, err = ecdsa.GenerateKey(curves[method], rand.Reader)
	default:
		_, k.signer, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		return nil, err
	}
	k.verify = k.signer.Public()
	return k, nil
}

// setting is the line of the connection file that holds the key. connfile.Marshal would write none.
func (k *demoKey) setting() (string, error) {
	if k.signer == nil {
		return fmt.Sprintf("secret: %q\n", k.secret), nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(k.signer)
	if err != nil {
		return "", err
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	return "privateKey: |\n  " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ") + "\n", nil
}

// demoFile is a connection file for the demo at that address.
func demoFile(baseURI string, key *demoKey, d demoDialect, exchange bool) ([]byte, error) {
	conn := &jwtbearer.Connection{
		Name:            "demo",
		BaseURI:         baseURI,
		SignatureMethod: key.method,
		Payload: `{"iss": "` + demoIssuer + `", "aud": "` + demoAudience +
			`", "iat": "{{now}}", "exp": "{{now 60}}", "jti": "{{uuid}}"}`,
		Ping:      jwtbearer.Ping{RelativeURI: "/ping"},
		RateLimit: d.settings,
	}
	if exchange {
		conn.Exchange = &jwtbearer.Exchange{TokenURL: "/token", Grant: "jwt-bearer"}
	}
	text, err := connfile.Marshal(conn)
	if err != nil {
		return nil, fmt.Errorf("jwtbearer demo: %w", err)
	}
	setting, err := key.setting()
	if err != nil {
		return nil, fmt.Errorf("jwtbearer demo: %w", err)
	}
	var b bytes.Buffer
	b.WriteString("# A connection to jwtbearer demo, which throttles so: " + d.text + ".\n")
	b.Write(text)
	b.WriteString("\n# In a file of your own, refer to the key: ${env:NAME} or ${file:name}. That of the demo is no secret.\n")
	b.WriteString(setting)
	return b.Bytes(), nil
}
