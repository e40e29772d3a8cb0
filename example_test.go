package jwtbearer_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
)

// An API that throttles by 403 and a code in the body, and tells the wait in milliseconds.
func ExampleRateLimit() {
	asked := 0
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked == 1 {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("X-Retry-After-Ms", "47")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"error":{"code":"rate_limit_exceeded"}}`)
		}
	}))
	defer api.Close()
	conn := &jwtbearer.Connection{
		BaseURI:         api.URL,
		SignatureMethod: jwtbearer.HS256,
		Secret:          "an example's secret of 32 octets or more",
	}
	conn.RateLimit = jwtbearer.RateLimit{
		// 403 with {"error":{"code":"rate_limit_exceeded"}} is a throttle, ...
		Rules: []jwtbearer.Rule{{Status: []int{403}, Path: "error.code", Values: []string{"rate_limit_exceeded"}}},
		// ... and X-Retry-After-Ms: 47 says how long to wait.
		Wait: []jwtbearer.Extract{{Header: "X-Retry-After-Ms", As: "millis"}},
	}
	client, err := jwtbearer.NewClient(conn)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := client.HTTPClient().Get(api.URL + "/things")
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()
	stats := client.Stats()
	fmt.Println(resp.StatusCode, "after", stats.Attempts, "attempts and", stats.Throttles, "throttle")
	// Output: 200 after 2 attempts and 1 throttle
}

// A request with a JSON body, and an answer that is decoded.
func ExampleClient_Do() {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"ID": "42"}`)
	}))
	defer api.Close()
	client, err := jwtbearer.NewClient(&jwtbearer.Connection{
		BaseURI:         api.URL,
		SignatureMethod: jwtbearer.HS256,
		Secret:          "an example's secret of 32 octets or more",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(create(context.Background(), client))
	// Output: <nil>
}

func create(ctx context.Context, client *jwtbearer.Client) error {
	req, err := client.NewRequest(ctx, "POST", "/things", map[string]any{"name": "a thing"})
	if err != nil {
		return err
	}
	var thing struct{ ID string }
	_, err = client.Do(req, &thing) // *ThrottledError, *AuthError or *ResponseError where the API says no
	if wait, ok := jwtbearer.RetryAfter(err); ok {
		return fmt.Errorf("the API asks to come back in %s", wait)
	}
	return err
}

// The claims of Atlassian Connect hold a digest of the request.
func ExampleClient_Mint() {
	conn := &jwtbearer.Connection{
		BaseURI: "https://example.atlassian.net",
		Lookup:  func(string) (string, error) { return "an example's secret of 32 octets or more", nil },
	}
	conn.SignatureMethod = jwtbearer.HS256
	conn.Secret = "${env:ATLASSIAN_SECRET}" // resolved by conn.Lookup
	conn.Payload = `{"iss": "{{.Fields.app}}", "qsh": "{{qsh}}"}`
	conn.Fields = map[string]string{"app": "com.example.app"}
	conn.Placement = []jwtbearer.Placement{{In: "header", Name: "Authorization", Scheme: "JWT"}}

	client, err := jwtbearer.NewClient(conn)
	if err != nil {
		fmt.Println(err)
		return
	}
	req, err := client.NewRequest(context.Background(), "GET", "/rest/api/3/issue/ABC-1", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	token, err := client.Mint(context.Background(), req)
	fmt.Println(strings.Count(token, "."), err)
	// Output: 2 <nil>
}

// One token for APNs serves for fifty minutes.
func ExampleConnection() {
	conn := &jwtbearer.Connection{PrivateKey: jwtbearer.Secret(os.Getenv("APNS_KEY"))}
	conn.BaseURI = "https://api.push.apple.com"
	conn.SignatureMethod = jwtbearer.ES256
	conn.JWTHeaders = `{"kid": "ABC123DEFG", "typ": null}`
	conn.Payload = `{"iss": "DEF123GHIJ", "iat": "{{now}}"}`
	conn.TokenReuse = 50 * time.Minute
	conn.RateLimit.Profile = "apns"

	fmt.Println(conn.Validate())
	// Output: jwtbearer: PrivateKey: is empty; ES256 needs a private key: set PrivateKey or Key
}

// The API of GitHub as an installation of a GitHub App: each JWT buys an access token for an hour.
func ExampleExchange() {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, `{"token": "ghs_x", "expires_at": %q}`, time.Now().Add(time.Hour).Format(time.RFC3339))
			return
		}
		fmt.Fprint(w, r.URL.Path, " with ", r.Header.Get("Authorization"))
	}))
	defer api.Close()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		fmt.Println(err)
		return
	}
	conn := &jwtbearer.Connection{Key: key}
	conn.BaseURI = "https://api.github.com"
	conn.SignatureMethod = jwtbearer.RS256
	conn.Payload = `{"iss": "{{.Fields.app}}", "iat": "{{now -60}}", "exp": "{{now 540}}"}`
	conn.Fields = map[string]string{"app": "12345", "installation": "678"}
	conn.Exchange = &jwtbearer.Exchange{
		TokenURL:  "/app/installations/{{.Fields.installation}}/access_tokens",
		Bearer:    true, // the JWT goes into the Authorization header
		TokenPath: "token",
	}
	conn.BaseURI = api.URL // instead of the real one

	client, err := jwtbearer.NewClient(conn)
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		req, err := client.NewRequest(context.Background(), "GET", "/installation/repositories", nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		var answer string
		if _, err := client.Do(req, &answer); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(answer)
	}
	fmt.Println(client.Stats().Exchanges, "exchange")
	// Output:
	// /installation/repositories with Bearer ghs_x
	// /installation/repositories with Bearer ghs_x
	// 1 exchange
}

func TestSnippetsOfTheReadmeAreCompiled(t *testing.T) {
	readme := read(t, "README.md")
	var compiled strings.Builder
	for _, name := range []string{"example_test.go", "examples/hello/main.go", "connfile/example_test.go", "verify/example_test.go",
		"jwtbearertest/usage_test.go"} {
		compiled.WriteString(flat(read(t, name)))
	}
	snippets := strings.Split(readme, "```go\n")[1:]
	if len(snippets) < 4 {
		t.Fatalf("README.md has %d snippets, want at least 4", len(snippets))
	}
	for i, snippet := range snippets {
		snippet, _, _ = strings.Cut(snippet, "```")
		if !strings.Contains(compiled.String(), flat(snippet)) {
			t.Errorf("snippet %d of README.md is in no program:\n%s", i+1, snippet)
		}
	}
	lines := strings.Split(readme, "\n")
	first := strings.Join(lines[:40], "\n")
	for _, want := range []string{"go run ./examples/quickstart", "go test ./...", flat(snippets[0][:strings.Index(snippets[0], "```")])} {
		if !strings.Contains(flat(first), want) {
			t.Errorf("the first 40 lines of README.md do not hold %q", want)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// flat takes indentation out of the comparison.
func flat(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return strings.Join(lines, "\n")
}
