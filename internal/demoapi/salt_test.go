package demoapi

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// RFC 7518, section 3.5: the salt is as long as the hash. A server for tests that took any other would hide that a signer is wrong.
func TestAPIWantsASaltAsLongAsTheHash(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	c := config()
	c.Methods, c.Keys = []string{"PS256", "PS384", "PS512"}, []Key{{Verify: key.Public()}}
	a := newAPI(t, c)
	for _, method := range []*jwt.SigningMethodRSAPSS{jwt.SigningMethodPS256, jwt.SigningMethodPS384, jwt.SigningMethodPS512} {
		size := method.Hash.Size()
		for salt, want := range map[int]Reason{size: "", 1: BadSalt, 20: BadSalt, size + 1: BadSalt, rsa.PSSSaltLengthAuto: BadSalt} {
			text, err := jwt.NewWithClaims(method, claims(method.Name+string(rune('a'+salt)), nil)).SigningString()
			if err != nil {
				t.Fatal(err)
			}
			h := method.Hash.New()
			h.Write([]byte(text))
			sig, err := rsa.SignPSS(rand.Reader, key, crypto.Hash(method.Hash), h.Sum(nil), &rsa.PSSOptions{SaltLength: salt})
			if err != nil {
				t.Fatal(err)
			}
			w := get(a, text+"."+jwt.NewWithClaims(method, nil).EncodeSegment(sig))
			if (w.Code == http.StatusOK) != (want == "") || !strings.Contains(w.Body.String(), string(want)) {
				t.Errorf("%s with a salt of %d bytes (0: all that fits): %d %s, want %q", method.Name, salt, w.Code, w.Body, want)
			}
		}
	}
}
