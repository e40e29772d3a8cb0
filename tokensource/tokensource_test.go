package tokensource_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/tokensource"
)

const testSecret = "TESTING KEY of thirty-two bytes and more"

// newServer is a token endpoint at /token, and an API that tells the Authorization that it got.
func newServer(t *testing.T, answer string) (srv *httptest.Server, exchanges *int) {
	exchanges = new(int)
	srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			*exchanges++
			w.Header().Set("Content-Type", "application/json")
			if strings.Contains(answer, `"error"`) {
				w.WriteHeader(http.StatusBadRequest)
			}
			fmt.Fprint(w, answer)
			return
		}
		fmt.Fprint(w, r.Header.Get("Authorization"))
	}))
	t.Cleanup(srv.Close)
	return srv, exchanges
}

func newClient(t *testing.T, srv *httptest.Server, change func(*jwtbearer.Connection)) *jwtbearer.Client {
	t.Helper()
	conn := &jwtbearer.Connection{BaseURI: srv.URL, SignatureMethod: jwtbearer.HS256, Secret: testSecret, Lifetime: time.Minute,
		Exchange: &jwtbearer.Exchange{TokenURL: "/token", Grant: "jwt-bearer"}}
	if change != nil {
		change(conn)
	}
	client, err := jwtbearer.NewClient(conn)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestOAuth2ClientSendsTheAccessToken(t *testing.T) {
	srv, exchanges := newServer(t, `{"access_token":"at","token_type":"bearer","expires_in":3600}`)
	client := oauth2.NewClient(t.Context(), tokensource.New(t.Context(), newClient(t, srv, nil)))
	for range 3 {
		resp, err := client.Get(srv.URL + "/things")
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 100)
		n, _ := resp.Body.Read(got)
		resp.Body.Close()
		if string(got[:n]) != "Bearer at" {
			t.Errorf("the API got %q, want Bearer at", got[:n])
		}
	}
	if *exchanges != 1 {
		t.Errorf("%d exchanges, want 1", *exchanges)
	}
}

func TestTokenHasTypeAndExpiry(t *testing.T) {
	srv, _ := newServer(t, `{"access_token":"at","token_type":"DPoP","expires_in":3600}`)
	began := time.Now()
	got, err := tokensource.New(t.Context(), newClient(t, srv, nil)).Token()
	if err != nil {
		t.Fatal(err)
	}
	if life := got.Expiry.Sub(began); got.AccessToken != "at" || got.TokenType != "DPoP" || life < 3599*time.Second || life > 3601*time.Second {
		t.Errorf("Token = %q, %q for %v, want at, DPoP for an hour", got.AccessToken, got.TokenType, life)
	}
}

func TestTokenIsTheJWTWhereNoneIsExchanged(t *testing.T) {
	srv, exchanges := newServer(t, "")
	source := tokensource.New(t.Context(), newClient(t, srv, func(c *jwtbearer.Connection) { c.Exchange = nil }))
	got, err := source.Token()
	if err != nil || strings.Count(got.AccessToken, ".") != 2 || got.TokenType != "Bearer" || !got.Valid() || *exchanges != 0 {
		t.Errorf("Token = %+v, %v with %d exchanges, want a JWT that is valid for a minute", got, err, *exchanges)
	}
}

func TestErrorsOfTheClientComeThrough(t *testing.T) {
	srv, _ := newServer(t, `{"error":"unauthorized_client"}`)
	_, err := tokensource.New(t.Context(), newClient(t, srv, nil)).Token()
	if refused, ok := errors.AsType[*jwtbearer.TokenError](err); !ok || refused.Code != "unauthorized_client" {
		t.Errorf("Token = %v, want a *jwtbearer.TokenError", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tokensource.New(ctx, newClient(t, srv, nil)).Token(); !errors.Is(err, context.Canceled) {
		t.Errorf("Token = %v with a context that has ended, want context.Canceled", err)
	}
}
