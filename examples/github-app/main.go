// Github-app calls the API of GitHub as an installation of a GitHub App: a JWT that the app signs is exchanged for an access token.
// Without GITHUB_APP_KEY it talks to a stand-in of its own, so that it runs anywhere.
//
//	GITHUB_APP_KEY="$(cat app.private-key.pem)" GITHUB_APP_ID=12345 GITHUB_INSTALLATION=678 go run ./examples/github-app
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seed-363d07a3/jwtbearer"
)

func main() {
	conn := &jwtbearer.Connection{
		Name:            "github-app",
		BaseURI:         "https://api.github.com",
		HTTPHeaders:     map[string]string{"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
		SignatureMethod: jwtbearer.RS256,
		PrivateKey:      jwtbearer.Secret(os.Getenv("GITHUB_APP_KEY")),
		Payload:         `{"iat": "{{now -60}}", "exp": "{{now 540}}", "iss": "{{.Fields.app}}"}`,
		Fields: map[string]string{
			"app":          cmp.Or(os.Getenv("GITHUB_APP_ID"), "12345"),
			"installation": cmp.Or(os.Getenv("GITHUB_INSTALLATION"), "678"),
		},
		Exchange: &jwtbearer.Exchange{
			TokenURL:  "/app/installations/{{.Fields.installation}}/access_tokens",
			Bearer:    true,
			Headers:   map[string]string{"Accept": "application/vnd.github+json"},
			TokenPath: "token",
		},
		RateLimit: jwtbearer.RateLimit{Profile: "github"},
		Ping:      jwtbearer.Ping{RelativeURI: "/installation/repositories?per_page=1"},
	}
	if conn.PrivateKey == "" {
		defer standIn(conn).Close()
	}
	if err := run(context.Background(), conn); err != nil {
		log.Fatal(err)
	}
}

// run tests the connection and lists repositories.
func run(ctx context.Context, conn *jwtbearer.Connection) error {
	client, err := jwtbearer.NewClient(conn)
	if err != nil {
		return err
	}
	report, err := client.Test(ctx)
	fmt.Println(report)
	if err != nil {
		return err
	}
	var list struct {
		Repositories []struct {
			Name string `json:"full_name"`
		} `json:"repositories"`
	}
	for range 3 { // with the one access token
		req, err := client.NewRequest(ctx, "GET", "/installation/repositories", nil)
		if err != nil {
			return err
		}
		if _, err := client.Do(req, &list); err != nil {
			return err
		}
	}
	fmt.Println(list.Repositories, "with", client.Stats().Exchanges, "exchange")
	return nil
}

// standIn lets conn talk to a server here that does what GitHub does.
func standIn(conn *jwtbearer.Connection) *httptest.Server {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /app/installations/{id}/access_tokens", func(w http.ResponseWriter, r *http.Request) {
		text, _ := jwt.ParseWithClaims(bearer(r), new(jwt.RegisteredClaims), func(*jwt.Token) (any, error) { return key.Public(), nil },
			jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(conn.Fields["app"]), jwt.WithExpirationRequired())
		if text == nil || !text.Valid {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"message":"A JSON web token could not be decoded"}`)
			return
		}
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"token":"ghs_%s","expires_at":%q}`, r.PathValue("id"), time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	})
	mux.HandleFunc("GET /installation/repositories", func(w http.ResponseWriter, r *http.Request) {
		if bearer(r) != "ghs_"+conn.Fields["installation"] {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"total_count":1,"repositories":[{"full_name":"octocat/hello"}]}`)
	})
	srv := httptest.NewServer(mux)
	conn.BaseURI, conn.Key = srv.URL, key
	return srv
}

// bearer is the token of a request.
func bearer(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}
