package verify_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/verify"
)

func TestRedirectsAreFollowedToSafePlacesOnly(t *testing.T) {
	const secured, loopback = "https://keys.example.com/keys?tenant=hidden", "http://127.0.0.1:9090/keys"
	tests := []struct {
		from, to string
		ok       bool
	}{
		{secured, "https://elsewhere.example.com/keys", true}, {loopback, "http://127.0.0.1:8080/keys", true},
		{loopback, "http://[::1]/keys", true}, {loopback, "http://localhost/keys", true}, {loopback, "https://keys.example.com/keys", true},
		{secured, "http://127.0.0.1:8080/keys", false}, {secured, "http://localhost/keys", false}, {secured, "http://[::1]/keys", false},
		{secured, "http://keys.example.com/keys", false}, {secured, "ftp://keys.example.com/keys", false},
		{loopback, "http://keys.localhost/keys", false}, {loopback, "http://localhost.example.com/keys", false},
		{secured, "https://\u0378.example/keys", false},
	}
	for _, tt := range tests {
		s := new(keyServer)
		v := &verify.Verifier{Keys: verify.PEMList(tt.from, s.client()), Methods: []jwtbearer.SignatureMethod{jwtbearer.RS256}}
		s.set(func(r *http.Request) (*http.Response, error) {
			if referer := r.Header.Get("Referer"); referer != "" {
				t.Errorf("a redirect to %s carries the Referer %s", tt.to, referer)
			}
			if r.URL.String() == tt.from {
				return &http.Response{StatusCode: 302, Header: http.Header{"Location": {tt.to}}, Body: http.NoBody, Request: r}, nil
			}
			return publish(rsaKey())(r)
		})
		if err := v.Verify(t.Context(), rsaToken(rsaKey()), nil); (err == nil) != tt.ok {
			t.Errorf("a redirect from %s to %s: %v, want it followed: %t", tt.from, tt.to, err, tt.ok)
		}
	}
	s, v := newRemote()
	s.set(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 302, Header: http.Header{"Location": {keysURL}}, Body: http.NoBody, Request: r}, nil
	})
	if err := v.Verify(t.Context(), rsaToken(rsaKey()), nil); err == nil || s.fetches > 5 {
		t.Errorf("a ring of redirects: %v after %d requests, want an error after a few", err, s.fetches)
	}
}

func TestAQueryIsNotShown(t *testing.T) {
	for _, location := range []string{"http://[::1/%zz?tenant=hidden", "https://keys.example.com/?tenant=hidden&again", "http://a.example.com/?tenant=hidden"} {
		s, v := newRemote()
		s.set(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 302, Header: http.Header{"Location": {location}}, Body: http.NoBody, Request: r}, nil
		})
		if err := v.Verify(t.Context(), rsaToken(rsaKey()), nil); err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("with a redirect to %s Verify = %v, want an error without the query", location, err)
		}
	}
}

func TestClientOfTheCallerIsNotChanged(t *testing.T) {
	s := &keyServer{answer: publish(rsaKey())}
	var asked []*url.URL
	client := s.client()
	client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		asked = append(asked, r.URL)
		return http.ErrUseLastResponse
	}
	before := fmt.Sprintf("%p", client.CheckRedirect)
	v := &verify.Verifier{Keys: verify.PEMList(keysURL, client), Methods: []jwtbearer.SignatureMethod{jwtbearer.RS256}}
	s.set(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 302, Header: http.Header{"Location": {"https://b.example.com/"}}, Body: http.NoBody, Request: r}, nil
	})
	if err := v.Verify(t.Context(), rsaToken(rsaKey()), nil); err == nil || len(asked) != 1 {
		t.Errorf("Verify = %v after %v, want the caller's CheckRedirect to be asked, too", err, asked)
	}
	if after := fmt.Sprintf("%p", client.CheckRedirect); after != before {
		t.Error("the caller's client was changed")
	}
}
