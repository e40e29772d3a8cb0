package interop

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v3"

	"github.com/seed-363d07a3/jwtbearer"
)

// startProvider runs provider.mjs, whose client has that key, and returns its address.
func startProvider(t *testing.T, key *ecdsa.PrivateKey) string {
	t.Helper()
	needNodeModules(t, "oidc-provider")
	jwks, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "node", "provider.mjs")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(jwks), &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("node provider.mjs (Node 20 or later): %v", err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "http://127.0.0.1:") {
			return lines.Text()
		}
	}
	t.Fatalf("provider.mjs told no address\n%s", &stderr)
	return ""
}

// whyRefused is the server's own reason for its last refusal, which it does not tell its clients.
func whyRefused(t *testing.T, server string) string {
	t.Helper()
	resp, err := http.Get(server + "/why")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	why, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(why)
}

func TestOIDCProviderAuthenticatesTheClientByItsAssertion(t *testing.T) {
	key := newECKey(t)
	server := startProvider(t, key)
	claims := func(aud, rest string) jwtbearer.JSON {
		return jwtbearer.JSON(`{"iss":"service","sub":"service","aud":"` + aud + `"` + rest + `}`)
	}
	conn := jwtbearer.Connection{BaseURI: server, SignatureMethod: jwtbearer.ES256, Key: key, JWTHeaders: `{"kid":"k1"}`, Lifetime: time.Minute,
		Payload:  claims(server, `,"jti":"{{uuid}}"`),
		Exchange: &jwtbearer.Exchange{TokenURL: "/token", Grant: "client-credentials", Params: `{"scope":"read"}`}}
	client, err := jwtbearer.NewClient(&conn)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		req, err := client.NewRequest(t.Context(), "GET", "/things", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Do(req, nil); err != nil {
			t.Fatal(err)
		}
	}
	token, err := client.Token(t.Context())
	if left := time.Until(token.Expiry); err != nil || token.Type != "Bearer" || left < 590*time.Second || left > 600*time.Second || client.Stats().Exchanges != 1 {
		t.Errorf("Token = %+v, %v after %d exchanges, want a Bearer token for 10 minutes after 1", token, err, client.Stats().Exchanges)
	}
	failed := jwtbearer.TokenError{StatusCode: http.StatusUnauthorized, Code: "invalid_client", Hint: "compare iss, sub, kid and the client id"}
	for _, r := range []struct {
		refusal
		why string
	}{
		{refusal{"wrong aud", func(c *jwtbearer.Connection) { c.Payload = claims("https://elsewhere", `,"jti":"{{uuid}}"`) }, failed}, "audience (aud) must equal"},
		{refusal{"expired", func(c *jwtbearer.Connection) {
			c.Payload = claims(server, `,"jti":"{{uuid}}","iat":"{{now -120}}","exp":"{{now -60}}"`)
		}, failed}, "jwt expired"},
		{refusal{"wrong key", func(c *jwtbearer.Connection) { c.Key = newECKey(t) }, failed}, "signature"},
		{refusal{"wrong kid", func(c *jwtbearer.Connection) { c.JWTHeaders = `{"kid":"k2"}` }, failed}, "key"},
		{refusal{"replayed jti", func(c *jwtbearer.Connection) {
			c.Payload = claims(server, `,"jti":"used-once"`)
			first := *c
			client, err := jwtbearer.NewClient(&first)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.Token(t.Context()); err != nil {
				t.Fatalf("the first use of the jti: %v", err)
			}
		}, failed}, "must only be used once"},
		{refusal{"wrong scope", func(c *jwtbearer.Connection) {
			c.Exchange = &jwtbearer.Exchange{TokenURL: "/token", Grant: "client-credentials", Params: `{"scope":"write"}`}
		}, jwtbearer.TokenError{StatusCode: 400, Code: "invalid_scope", Hint: "scopes that the client was granted"}}, ""},
	} {
		r.check(t, conn)
		if got := whyRefused(t, server); !strings.Contains(got, r.why) {
			t.Errorf("%s: the server's reason is %q, want %q", r.name, got, r.why)
		}
	}
}
