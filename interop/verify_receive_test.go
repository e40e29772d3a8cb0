package interop

import (
	"bufio"
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
	receiving "github.com/seed-363d07a3/jwtbearer/verify"
)

// A job is a token that sign.mjs makes. PEM is a private key.
type job struct {
	Name    string                    `json:"name"`
	Library string                    `json:"library"`
	Method  jwtbearer.SignatureMethod `json:"alg"`
	KeyID   string                    `json:"kid,omitzero"`
	Payload map[string]any            `json:"payload"`
	PEM     string                    `json:"pem,omitzero"`
	Secret  []byte                    `json:"secret,omitzero"`
}

// signWithNode returns the tokens by their names, and a JSON Web Key Set.
func signWithNode(t *testing.T, jobs []job) (tokens map[string]string, jwks []byte) {
	t.Helper()
	needNodeModules(t, "jsonwebtoken")
	input, err := json.Marshal(jobs)
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "node", "sign.mjs")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("node sign.mjs (Node 20 or later): %v\n%s", err, &stderr)
	}
	var made struct {
		Tokens map[string]string `json:"tokens"`
		Keys   json.RawMessage   `json:"keys"`
	}
	if err := json.Unmarshal(stdout.Bytes(), &made); err != nil || len(made.Tokens) != len(jobs) {
		t.Fatalf("node sign.mjs made %d tokens of %d: %v", len(made.Tokens), len(jobs), err)
	}
	return made.Tokens, []byte(`{"keys":` + string(made.Keys) + `}`)
}

func privatePEM(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func publicPEM(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.(crypto.Signer).Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// startExample builds an example, starts it on a free port and returns its address.
func startExample(t *testing.T, name string, env []string, args ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), name)
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./examples/"+name)
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build ./examples/%s: %v\n%s", name, err, out)
	}
	cmd := exec.CommandContext(t.Context(), program, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		t.Fatalf("examples/%s wrote %q, %v, want its address", name, line, err)
	}
	return address
}

// wantAnswer sends a request and wants a status and a piece of the body.
func wantAnswer(t *testing.T, name, method, address, token string, status int, piece string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status || !strings.Contains(string(body), piece) {
		t.Errorf("%s: %s %.200s, %v, want %d with %q", name, resp.Status, body, err, status, piece)
	}
}

func TestPipedrivePanelTakesWhatJSONWebTokenSigns(t *testing.T) {
	secret, other := newKey(t, jwtbearer.HS256).([]byte), newKey(t, jwtbearer.HS256).([]byte)
	text := base64.StdEncoding.EncodeToString(secret) // as it is entered in a form, and stands in the environment
	exp := time.Now().Unix() + 300
	claims := func(exp int64) map[string]any { return map[string]any{"userId": 191, "companyId": 13, "exp": exp} }
	tokens, _ := signWithNode(t, []job{
		{Name: "good", Library: "jsonwebtoken", Method: jwtbearer.HS256, Payload: claims(exp), Secret: []byte(text)},
		{Name: "forged", Library: "jsonwebtoken", Method: jwtbearer.HS256, Payload: claims(exp), Secret: other},
		{Name: "expired", Library: "jsonwebtoken", Method: jwtbearer.HS256, Payload: claims(exp - 400), Secret: []byte(text)},
		{Name: "stronger", Library: "jsonwebtoken", Method: jwtbearer.HS512, Payload: claims(exp), Secret: []byte(text)},
	})
	panel := startExample(t, "pipedrive-panel", []string{"PIPEDRIVE_JWT_SECRET=" + text}) + "/panel?resource=deal&selectedIds=5351&userId=1&token="
	wantAnswer(t, "good", "GET", panel+tokens["good"], "", 200, "user 191 of company 13")
	for _, name := range []string{"forged", "expired", "stronger"} {
		wantAnswer(t, name, "GET", panel+tokens[name], "", 401, "")
	}
	wantAnswer(t, "in the header instead", "GET", panel, tokens["good"], 401, "")
	wantAnswer(t, "twice", "GET", panel+tokens["good"]+"&token="+tokens["good"], "", 401, "")
}

func TestTrelloPowerUpTakesWhatJSONWebTokenSigns(t *testing.T) {
	first, next, forger := newKey(t, jwtbearer.RS256), newKey(t, jwtbearer.RS256), newKey(t, jwtbearer.RS256)
	exp := time.Now().Unix() + 900
	rs256 := func(name string, key any, plugin string, exp int64) job {
		return job{Name: name, Library: "jsonwebtoken", Method: jwtbearer.RS256, PEM: privatePEM(t, key), Payload: map[string]any{
			"idPlugin": plugin, "idBoard": "board", "idMember": "member", "state": "test", "iss": "trello", "exp": exp}}
	}
	tokens, _ := signWithNode(t, []job{
		rs256("first", first, "ours", exp), rs256("next", next, "ours", exp), rs256("forged", forger, "ours", exp),
		rs256("expired", first, "ours", exp-1000), rs256("another Power-Up", first, "theirs", exp),
		{Name: "public key as secret", Library: "jsonwebtoken", Method: jwtbearer.HS256, Secret: []byte(publicPEM(t, first)),
			Payload: map[string]any{"idPlugin": "ours", "iss": "trello", "exp": exp}},
	})

	var mu sync.Mutex
	published, fetches := []string{publicPEM(t, first)}, 0
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		fetches++
		json.NewEncoder(w).Encode(map[string]any{"keys": published})
	}))
	defer vendor.Close()
	votes := startExample(t, "trello-powerup", nil, "-keys", vendor.URL, "-plugin", "ours") + "/votes"

	wantAnswer(t, "first", "POST", votes, tokens["first"], 200, "member")
	mu.Lock()
	published = append(published, publicPEM(t, next))
	mu.Unlock()
	wantAnswer(t, "next, right after rotation", "POST", votes, tokens["next"], 200, "member")
	wantAnswer(t, "first, during rotation", "POST", votes, tokens["first"], 200, "member")
	wantAnswer(t, "another Power-Up", "POST", votes, tokens["another Power-Up"], 403, "")
	for range 20 {
		for _, name := range []string{"forged", "expired", "public key as secret"} {
			wantAnswer(t, name, "POST", votes, tokens[name], 401, "")
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if fetches != 2 {
		t.Errorf("the keys were fetched %d times, want once for the first token and once for the next key", fetches)
	}
}

// TestVerifierTakesWhatJoseSigns has the keys as jose publishes them.
func TestVerifierTakesWhatJoseSigns(t *testing.T) {
	var jobs []job
	for _, method := range []jwtbearer.SignatureMethod{jwtbearer.RS256, jwtbearer.PS384, jwtbearer.ES256, jwtbearer.ES512, jwtbearer.EdDSA, jwtbearer.Ed25519} {
		jobs = append(jobs, job{Name: string(method), Library: "jose", Method: method, KeyID: "of " + string(method), PEM: privatePEM(t, newKey(t, method)),
			Payload: map[string]any{"iss": "jose", "aud": []string{"others", "verifier"}, "exp": time.Now().Unix() + 60, "sub": string(method)}})
	}
	tokens, jwks := signWithNode(t, jobs)
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(jwks) }))
	defer vendor.Close()
	keys := receiving.JWKS(vendor.URL, nil)
	for _, j := range jobs {
		v := &receiving.Verifier{Keys: keys, Methods: []jwtbearer.SignatureMethod{j.Method}, Issuer: "jose", Audience: "verifier"}
		var claims struct{ Sub string }
		if err := v.Verify(t.Context(), tokens[j.Name], &claims); err != nil || claims.Sub != j.Name {
			t.Errorf("%s: %+v, %v, want it accepted", j.Name, claims, err)
		}
		for _, other := range jobs {
			if other.Name != j.Name && v.Verify(t.Context(), tokens[other.Name], nil) == nil {
				t.Errorf("a token of %s was accepted where the method is %s", other.Name, j.Name)
			}
		}
	}
}
