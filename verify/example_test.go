package verify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/verify"
)

// A server takes the tokens that somebody else signs with a secret that both have.
func Example() {
	v := &verify.Verifier{
		Keys:     verify.StaticSecret([]byte("TESTING KEY of thirty-two bytes and more")),
		Methods:  []jwtbearer.SignatureMethod{jwtbearer.HS256},
		Issuer:   "https://issuer.example.com",
		Audience: "my-server",
		Leeway:   30 * time.Second,
	}
	server := v.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var claims struct {
			Subject string `json:"sub"`
		}
		signed, _ := verify.ClaimsFrom(r.Context())
		if err := json.Unmarshal(signed, &claims); err != nil {
			http.Error(w, "the claims are not those of a user", http.StatusForbidden)
			return
		}
		fmt.Fprintln(w, "hello,", claims.Subject)
	}))

	issuer, err := jwtbearer.NewSigner(jwtbearer.HS256, []byte("TESTING KEY of thirty-two bytes and more"))
	if err != nil {
		panic(err)
	}
	for _, audience := range []string{"my-server", "another-server"} {
		claims := fmt.Appendf(nil, `{"iss":"https://issuer.example.com","aud":%q,"sub":"alice","exp":%d}`, audience, time.Now().Unix()+60)
		token, err := issuer.Sign([]byte(`{"alg":"HS256"}`), claims)
		if err != nil {
			panic(err)
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		fmt.Print(w.Code, " ", w.Header().Get("WWW-Authenticate"), w.Body)
	}
	// Output:
	// 200 hello, alice
	// 401 Bearer error="invalid_token"Unauthorized
}

// An issuer publishes its keys.
func ExampleJWKS() {
	things := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {})
	mux := http.NewServeMux()

	v := &verify.Verifier{
		Keys:     verify.JWKS("https://issuer.example.com/.well-known/jwks.json", nil),
		Methods:  []jwtbearer.SignatureMethod{jwtbearer.RS256},
		Issuer:   "https://issuer.example.com",
		Audience: "my-server",
		Leeway:   30 * time.Second,
	}
	mux.Handle("/things", v.Handler(things)) // where verify.ClaimsFrom(r.Context()) gives the claims
}

// Several issuers, each with keys of its own.
func ExampleByIssuer() {
	v := &verify.Verifier{
		Keys: verify.ByIssuer(map[string]verify.KeySet{
			"https://one.example.com": verify.JWKS("https://one.example.com/.well-known/jwks.json", nil),
			"trello":                  verify.PEMList("https://api.trello.com/1/resource/jwt-public-keys", nil),
		}),
		Methods: []jwtbearer.SignatureMethod{jwtbearer.RS256, jwtbearer.ES256},
	}
	err := v.Verify(context.Background(), "eyJhbGciOiJub25lIn0.e30.", nil)
	refused, _ := errors.AsType[*verify.TokenError](err)
	fmt.Println(refused.Reason)
	// Output: malformed
}
