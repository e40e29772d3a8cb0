package verify

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// okp publishes the key of RFC 8037, appendix A.2.
const okp = `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestKeysThatOthersFetchedAreNotFetchedAgain has two calls that tried the same keys, of which one fetched newer ones
// meanwhile.
func TestKeysThatOthersFetchedAreNotFetchedAgain(t *testing.T) {
	fetches := 0
	r := newRemote("JWKS", "https://keys.example.com", &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		fetches++
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(okp))}, nil
	})}, readJWKS)
	seen, fresh, err := r.current(t.Context())
	if err != nil || !fresh {
		t.Fatalf("current = %v, %t, %v, want keys that were just fetched", seen, fresh, err)
	}
	newer, err := r.newer(t.Context(), seen, false)
	if err != nil || newer == nil || newer == seen {
		t.Fatalf("newer = %v, %v, want other keys", newer, err)
	}
	for range 3 {
		if again, err := r.newer(t.Context(), seen, false); again != newer || err != nil {
			t.Errorf("newer = %v, %v for who tried the first keys, want those that are there", again, err)
		}
	}
	if again, err := r.newer(t.Context(), newer, false); again != nil || err != nil || fetches != 2 {
		t.Errorf("newer = %v, %v after %d fetches, want nothing more within the hour, after 2", again, err, fetches)
	}
}
