package jwk

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

// The key of RFC 8037, appendix A.1.
const okp = `{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"`

func TestParseFillsInAPublicHalfAndRefusesAForeignOne(t *testing.T) {
	for text, want := range map[string]bool{
		okp + `}`: true,
		okp + `,"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`:                    true,
		okp + `,"x":"PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw"}`:                    false,
		`{"kty":"EC","crv":"P-256","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}`: true,
		`{"kty":"EC","crv":"P-256","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}`: true,
		`{"kty":"EC","crv":"P-256","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAA","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}`: false,
	} {
		if _, err := Parse([]byte(text)); (err == nil) != want {
			t.Errorf("%.60s: error %v", text, err)
		}
	}
}

func TestParseFindsThePrimesOfAnRSAKey(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := json.Marshal(jose.JSONWebKey{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	var m members
	if err := json.Unmarshal(whole, &m); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"p", "q", "dp", "dq", "qi"} {
		delete(m, name)
	}
	bare, _ := json.Marshal(m)
	got, err := Parse(bare)
	if err != nil || !key.PublicKey.Equal(got.Public()) {
		t.Fatalf("got error %v", err)
	}
	m["d"] = m["n"][:len(m["n"])-4] + "AAAA"
	bare, _ = json.Marshal(m)
	if _, err := Parse(bare); err == nil {
		t.Error("a foreign d: no error")
	}
}

func TestParseNamesWhatItDoesNotRead(t *testing.T) {
	for text, want := range map[string]error{
		`{"kty":"oct","k":"AA"}`: ErrSymmetric, `{"kty":"RSA","n":"AQAB","e":"AQAB"}`: ErrPublic, `{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}`: ErrPublic,
		`{"kty":"OKP","crv":"Ed25519","x":"AA"}`: ErrPublic,
	} {
		if _, err := Parse([]byte(text)); err != want {
			t.Errorf("%s: error %v, want %v", text, err, want)
		}
	}
	for _, text := range []string{`{"kty":"OKP","crv":"Ed448","d":"AA"}`, `{"kty":"EC","crv":"secp256k1","d":"AA"}`, `{"kty":"AKP"}`} {
		_, err := Parse([]byte(text))
		if _, ok := errors.AsType[*sealed.UnsupportedError](err); !ok {
			t.Errorf("%s: error %v, want an UnsupportedError", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("../testdata/keys/cases/*jwk*")
	if err != nil || len(files) == 0 {
		f.Fatalf("no samples: %v", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if key, err := Parse(data); (key == nil) == (err == nil) {
			t.Errorf("Parse gave %T and the error %v, want one of them", key, err)
		}
	})
}

func TestParseRefusesHalfAPublicHalfThatIsForeign(t *testing.T) {
	const key = `{"kty":"EC","crv":"P-256","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE","x":"%s"}`
	if _, err := Parse(fmt.Appendf(nil, key, "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4")); err != nil {
		t.Errorf("its own x: %v", err)
	}
	if _, err := Parse(fmt.Appendf(nil, key, "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqw7D4")); err == nil {
		t.Error("a foreign x: no error")
	}
}
