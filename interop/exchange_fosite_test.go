package interop

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v3"
	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/storage"

	"github.com/seed-363d07a3/jwtbearer"
)

// A refusal is what makes a server refuse an assertion, and how it must come back.
type refusal struct {
	name   string
	change func(*jwtbearer.Connection)
	want   jwtbearer.TokenError // Description and Hint: a part of it
}

// check wants the token endpoint to refuse what a changed connection sends.
func (r refusal) check(t *testing.T, conn jwtbearer.Connection) {
	t.Helper()
	r.change(&conn)
	client, err := jwtbearer.NewClient(&conn)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Token(t.Context())
	got, ok := errors.AsType[*jwtbearer.TokenError](err)
	if !ok || got.StatusCode != r.want.StatusCode || got.Code != r.want.Code || !strings.Contains(got.Description, r.want.Description) ||
		!strings.Contains(got.Hint, r.want.Hint) {
		t.Errorf("%s: Token = %#v, want %#v", r.name, err, r.want)
	}
}

// newFosite is a token endpoint of fosite that knows one key, and an API that accepts the tokens of it.
func newFosite(t *testing.T, key *ecdsa.PrivateKey) *httptest.Server {
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	config := &fosite.Config{AccessTokenLifespan: time.Hour, TokenURL: srv.URL + "/token", GrantTypeJWTBearerCanSkipClientAuth: true,
		GlobalSecret: []byte("TESTING KEY of thirty-two bytes and more")}
	store := storage.NewMemoryStore()
	jwk := &jose.JSONWebKey{Key: key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}
	store.IssuerPublicKeys["service"] = storage.IssuerPublicKeys{Issuer: "service", KeysBySub: map[string]storage.SubjectPublicKeys{
		"user": {Subject: "user", Keys: map[string]storage.PublicKeyScopes{"k1": {Key: jwk, Scopes: []string{"read"}}}}}}
	provider := compose.Compose(config, store, &compose.CommonStrategy{CoreStrategy: compose.NewOAuth2HMACStrategy(config)},
		compose.RFC7523AssertionGrantFactory, compose.OAuth2TokenIntrospectionFactory)
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		request, err := provider.NewAccessRequest(r.Context(), r, new(fosite.DefaultSession))
		if err != nil {
			provider.WriteAccessError(r.Context(), w, request, err)
			return
		}
		response, err := provider.NewAccessResponse(r.Context(), request)
		if err != nil {
			provider.WriteAccessError(r.Context(), w, request, err)
			return
		}
		provider.WriteAccessResponse(r.Context(), w, request, response)
	})
	mux.HandleFunc("/things", func(w http.ResponseWriter, r *http.Request) {
		_, _, err := provider.IntrospectToken(r.Context(), fosite.AccessTokenFromRequest(r), fosite.AccessToken, new(fosite.DefaultSession), "read")
		if err != nil {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	return srv
}

func newECKey(t *testing.T) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestFositeGivesAccessTokensForAssertions(t *testing.T) {
	key := newECKey(t)
	srv := newFosite(t, key)
	conn := jwtbearer.Connection{BaseURI: srv.URL, SignatureMethod: jwtbearer.ES256, Key: key, JWTHeaders: `{"kid":"k1"}`, Lifetime: time.Minute,
		Payload:  jwtbearer.JSON(`{"iss":"service","sub":"user","aud":"` + srv.URL + `/token","jti":"{{uuid}}"}`),
		Exchange: &jwtbearer.Exchange{TokenURL: "/token", Grant: "jwt-bearer", Params: `{"scope":"read"}`}}
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
	if left := time.Until(token.Expiry); err != nil || token.Type != "Bearer" || left < 59*time.Minute || left > time.Hour || client.Stats().Exchanges != 1 {
		t.Errorf("Token = %+v, %v after %d exchanges, want a Bearer token for an hour after 1", token, err, client.Stats().Exchanges)
	}
	for _, r := range []refusal{
		{"wrong aud", func(c *jwtbearer.Connection) {
			c.Payload = `{"iss":"service","sub":"user","aud":"https://elsewhere","jti":"{{uuid}}"}`
		},
			jwtbearer.TokenError{StatusCode: 400, Code: "invalid_grant", Description: "audience", Hint: "aud must be"}},
		{"expired", func(c *jwtbearer.Connection) {
			c.Payload = jwtbearer.JSON(`{"iss":"service","sub":"user","aud":"` + srv.URL + `/token","jti":"{{uuid}}","iat":"{{now -120}}","exp":"{{now -60}}"}`)
		}, jwtbearer.TokenError{StatusCode: 400, Code: "invalid_grant", Description: "expired", Hint: "exp must be ahead"}},
		{"wrong key", func(c *jwtbearer.Connection) { c.Key = newECKey(t) },
			jwtbearer.TokenError{StatusCode: 400, Code: "invalid_grant", Description: "integrity", Hint: "key"}},
		{"wrong kid", func(c *jwtbearer.Connection) { c.JWTHeaders = `{"kid":"k2"}` },
			jwtbearer.TokenError{StatusCode: 400, Code: "invalid_grant", Description: "No public JWK was registered", Hint: "no key for this kid"}},
		{"wrong scope", func(c *jwtbearer.Connection) {
			c.Exchange = &jwtbearer.Exchange{TokenURL: "/token", Grant: "jwt-bearer", Params: `{"scope":"write"}`}
		}, jwtbearer.TokenError{StatusCode: 400, Code: "invalid_scope", Hint: "scopes that the client was granted"}},
		{"replayed jti", func(c *jwtbearer.Connection) {
			c.Payload = jwtbearer.JSON(`{"iss":"service","sub":"user","aud":"` + srv.URL + `/token","jti":"used-once"}`)
			first := *c
			client, err := jwtbearer.NewClient(&first)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.Token(t.Context()); err != nil {
				t.Fatalf("the first use of the jti: %v", err)
			}
		}, jwtbearer.TokenError{StatusCode: 400, Code: "jti_known", Description: "already used", Hint: "each jti once"}},
	} {
		r.check(t, conn)
	}
}
