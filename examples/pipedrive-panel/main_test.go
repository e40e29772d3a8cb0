package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const secret = "TESTING KEY of thirty-two bytes and more"

// call requests the panel with a token of these claims.
func call(t *testing.T, key, more string, claims jwt.MapClaims) *httptest.ResponseRecorder {
	t.Helper()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	newServer([]byte(secret)).ServeHTTP(w, httptest.NewRequest("GET", "/panel?userId=1&companyId=1&selectedIds=5351"+more+"&token="+token, nil))
	return w
}

func TestPanelBelievesTheTokenOnly(t *testing.T) {
	exp := time.Now().Unix() + 300
	tests := []struct {
		name, key, more string
		claims          jwt.MapClaims
		status          int
		body            string
	}{
		{"Pipedrive", secret, "", jwt.MapClaims{"userId": 191, "companyId": 13, "exp": exp}, 200, "Deal 5351, as user 191 of company 13"},
		{"texts", secret, "", jwt.MapClaims{"userId": "191", "companyId": "13", "exp": exp}, 200, "user 191 of company 13"},
		{"another secret", strings.ToLower(secret), "", jwt.MapClaims{"userId": 191, "companyId": 13, "exp": exp}, 401, "Unauthorized"},
		{"expired", secret, "", jwt.MapClaims{"userId": 191, "companyId": 13, "exp": exp - 331}, 401, "Unauthorized"},
		{"for ever", secret, "", jwt.MapClaims{"userId": 191, "companyId": 13}, 401, "Unauthorized"},
		{"nobody", secret, "", jwt.MapClaims{"exp": exp}, 403, "no user"},
		{"two tokens", secret, "&token=x", jwt.MapClaims{"userId": 191, "companyId": 13, "exp": exp}, 401, "Unauthorized"},
	}
	for _, tt := range tests {
		w := call(t, tt.key, tt.more, tt.claims)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.body) {
			t.Errorf("%s: %d %s, want %d with %q", tt.name, w.Code, w.Body, tt.status, tt.body)
		}
	}
}

func TestPanelIsShutWithoutASecret(t *testing.T) {
	w := httptest.NewRecorder()
	newServer(nil).ServeHTTP(w, httptest.NewRequest("GET", "/panel?token=a.b.c", nil))
	if w.Code == http.StatusOK {
		t.Errorf("%d without a secret, want a refusal", w.Code)
	}
	if err := run("127.0.0.1:-1", nil); err == nil || !strings.Contains(err.Error(), "PIPEDRIVE_JWT_SECRET") {
		t.Errorf("run without a secret: %v, want an error with the name of the variable", err)
	}
}

func TestShow(t *testing.T) {
	var out strings.Builder
	if err := show(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"without a token: 401", fmt.Sprintf("as Pipedrive:    %d", http.StatusOK), "user 191 of company 13"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("show has no %q:\n%s", want, &out)
		}
	}
}
