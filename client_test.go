package jwtbearer

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestSmoke(t *testing.T) {
	n := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		if n == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(429)
			return
		}
		if n == 2 {
			w.WriteHeader(401)
			return
		}
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"auth":"`+r.Header.Get("Authorization")+`","body":`+string(b)+`}`)
	}))
	defer srv.Close()
	c, err := NewClient(&Connection{BaseURI: srv.URL + "/v2?k=1", SignatureMethod: HS256, Secret: Secret(strings.Repeat("k", 32)),
		Payload: `{"iss":"me","jti":"{{uuid}}"}`, Lifetime: 60e9})
	if err != nil {
		t.Fatal(err)
	}
	req, err := c.NewRequest(t.Context(), "POST", "/x?y=1", map[string]any{"a": 1})
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	resp, err := c.Do(req, &out)
	t.Log(resp, err, out)
	t.Logf("%+v", c.Stats())
	rep, err := c.Test(t.Context())
	t.Log(rep, err)
}
