// Package interop holds jwtbearer against what others wrote: its tokens against jose and jsonwebtoken of node, its exchanges
// against the token endpoints of fosite and oidc-provider.
package interop

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
)

// methods lists what each library is held to. jose knows all of them, Ed25519 under its new name (RFC 9864) too;
// jsonwebtoken knows neither name of it.
var methods = []struct {
	method       jwtbearer.SignatureMethod
	jsonwebtoken bool
}{
	{jwtbearer.HS256, true}, {jwtbearer.HS384, true}, {jwtbearer.HS512, true},
	{jwtbearer.RS256, true}, {jwtbearer.RS384, true}, {jwtbearer.RS512, true},
	{jwtbearer.PS256, true}, {jwtbearer.PS384, true}, {jwtbearer.PS512, true},
	{jwtbearer.ES256, true}, {jwtbearer.ES384, true}, {jwtbearer.ES512, true},
	{jwtbearer.EdDSA, false}, {jwtbearer.Ed25519, false},
}

// A sample is a token and the key that verifies it, as verify.mjs reads them.
type sample struct {
	Name   string `json:"name"`
	Alg    string `json:"alg"`
	Token  string `json:"token"`
	PEM    string `json:"pem,omitzero"`
	Secret []byte `json:"secret,omitzero"`
}

// A verdict is what a library says of a sample.
type verdict struct {
	Name, Library, Error string
	Header, Payload      json.RawMessage
}

func TestNodeVerifiesTheTokensOfEveryMethod(t *testing.T) {
	var samples []sample
	for _, m := range methods {
		for _, kind := range []string{"memory", "kms"} {
			if s, ok := sign(t, m.method, kind); ok {
				samples = append(samples, s, flipped(t, s, "signature", 2), flipped(t, s, "payload", 1))
			}
		}
	}
	verdicts := verify(t, samples)
	for _, s := range samples {
		for _, library := range []string{"jose", "jsonwebtoken"} {
			check(t, s, library, verdicts[s.Name+library])
		}
	}
}

// check wants a library to refuse what it does not know and what was tampered with, and to accept the rest.
func check(t *testing.T, s sample, library string, v verdict) {
	t.Helper()
	refusal := ""
	switch {
	case library == "jsonwebtoken" && !knownToJSONWebToken(s.Alg):
		refusal = "Unknown key type"
	case strings.Contains(s.Name, "flipped"):
		refusal = "signature"
	default:
		checkAccepted(t, s, v)
		return
	}
	if v.Library != library || !strings.Contains(v.Error, refusal) {
		t.Errorf("%s on %s: error %q, want %q", library, s.Name, v.Error, refusal)
	}
}

func knownToJSONWebToken(method string) bool {
	for _, m := range methods {
		if string(m.method) == method {
			return m.jsonwebtoken
		}
	}
	return false
}

// checkAccepted wants the library to have read what was signed.
func checkAccepted(t *testing.T, s sample, v verdict) {
	t.Helper()
	var header struct{ Alg string }
	var payload struct{ Sub string }
	if v.Library == "" {
		t.Errorf("nothing was said of %s", s.Name)
	} else if v.Error != "" {
		t.Errorf("%s refuses %s: %s", v.Library, s.Name, v.Error)
	} else if json.Unmarshal(v.Header, &header) != nil || header.Alg != s.Alg {
		t.Errorf("%s on %s: header %s, want alg %s", v.Library, s.Name, v.Header, s.Alg)
	} else if json.Unmarshal(v.Payload, &payload) != nil || payload.Sub != s.Name {
		t.Errorf("%s on %s: payload %s, want sub %s", v.Library, s.Name, v.Payload, s.Name)
	} else {
		t.Logf("%s verified %s", v.Library, s.Name)
	}
}

// opaque hides the type of a key, as a KMS does.
type opaque struct{ crypto.Signer }

// sign makes a token. A secret is never in a KMS, of which ok tells.
func sign(t *testing.T, method jwtbearer.SignatureMethod, kind string) (s sample, ok bool) {
	t.Helper()
	s = sample{Name: fmt.Sprintf("%s/%s", method, kind), Alg: string(method)}
	key := newKey(t, method)
	switch k := key.(type) {
	case []byte:
		if kind == "kms" {
			return s, false
		}
		s.Secret = k
	case crypto.Signer:
		der, err := x509.MarshalPKIXPublicKey(k.Public())
		if err != nil {
			t.Fatal(err)
		}
		s.PEM = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
		if kind == "kms" {
			key = opaque{k}
		}
	}
	signer, err := jwtbearer.NewSigner(method, key)
	if err != nil {
		t.Fatal(err)
	}
	payload := fmt.Appendf(nil, `{"iss":"interop","aud":"verifier","sub":%q,"exp":%d}`, s.Name, time.Now().Unix()+300)
	if s.Token, err = signer.Sign(fmt.Appendf(nil, `{"alg":%q,"typ":"JWT"}`, method), payload); err != nil {
		t.Fatal(err)
	}
	return s, true
}

func newKey(t *testing.T, method jwtbearer.SignatureMethod) any {
	t.Helper()
	var key any
	var err error
	switch method {
	case jwtbearer.ES256:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jwtbearer.ES384:
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case jwtbearer.ES512:
		key, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case jwtbearer.EdDSA, jwtbearer.Ed25519:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	case jwtbearer.HS256, jwtbearer.HS384, jwtbearer.HS512:
		secret := make([]byte, 64)
		rand.Read(secret)
		key = secret
	default:
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// flipped returns s with one bit of a part of its token flipped: a bit that leaves the payload JSON of the same claims.
func flipped(t *testing.T, s sample, what string, part int) sample {
	t.Helper()
	parts := strings.Split(s.Token, ".")
	b, err := base64.RawURLEncoding.DecodeString(parts[part])
	if err != nil {
		t.Fatal(err)
	}
	at := len(b) / 2
	if part == 1 {
		at = bytes.Index(b, []byte(`"sub":"`)) + len(`"sub":"`)
	}
	b[at] ^= 1
	parts[part] = base64.RawURLEncoding.EncodeToString(b)
	s.Name += " with a flipped bit in the " + what
	s.Token = strings.Join(parts, ".")
	return s
}

// needNodeModules fails where npm did not install a package.
func needNodeModules(t *testing.T, name string) {
	t.Helper()
	if _, err := os.Stat("node_modules/" + name); errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("node_modules/%s is missing: run npm ci in interop/", name)
	}
}

// verify asks the libraries of node. The verdicts are found by name and library.
func verify(t *testing.T, samples []sample) map[string]verdict {
	t.Helper()
	needNodeModules(t, "jose")
	input, err := json.Marshal(map[string]any{"tokens": samples})
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "node", "verify.mjs")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("node verify.mjs (Node 20 or later): %v\n%s", err, &stderr)
	}
	var list []verdict
	if err := json.Unmarshal(stdout.Bytes(), &list); err != nil {
		t.Fatalf("node verify.mjs wrote %d bytes that are not its JSON: %v", stdout.Len(), err)
	}
	verdicts := map[string]verdict{}
	for _, v := range list {
		verdicts[v.Name+v.Library] = v
	}
	return verdicts
}
