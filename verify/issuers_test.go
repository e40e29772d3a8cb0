package verify_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/verify"
)

// published is a Verifier whose keys are a body at an address.
func published(body string, set func(string, *http.Client) verify.KeySet) *verify.Verifier {
	s := &keyServer{answer: func(*http.Request) (*http.Response, error) { return respond(200, body) }}
	return &verify.Verifier{Keys: set(keysURL, s.client()), Methods: allMethods}
}

// kidToken is a token of the RSA key with a kid.
func kidToken(kid string) string {
	return sign(jwtbearer.RS256, rsaKey(), fmt.Sprintf(`{"alg":"RS256","kid":%q}`, kid), `{"exp":4102444800}`)
}

func TestAMapOfCertificatesIsReadByKid(t *testing.T) {
	body := string(must(json.Marshal(map[string]string{"a": block("CERTIFICATE", certificate()), "b": publicPEM(otherRSA()), "c": "-----BEGIN PUBLIC KEY-----\nAAAA"})))
	for name, set := range map[string]func(string, *http.Client) verify.KeySet{"JWKS": verify.JWKS, "PEMList": verify.PEMList} {
		t.Run(name, func(t *testing.T) {
			v := published(body, set)
			wantAccepted(t, v, kidToken("a"))
			wantRefused(t, v, kidToken("b"), verify.BadSignature)
			wantRefused(t, v, kidToken("c"), verify.UnknownKey)
			if err := v.Verify(t.Context(), kidToken("c"), nil); err == nil || !strings.Contains(err.Error(), "damaged") {
				t.Errorf("a key of the map that is damaged: %v, want an error that says so", err)
			}
		})
	}
}

func TestWhatIsNoSetIsNamed(t *testing.T) {
	jwk := rsaJWK(rsaKey(), `,"kid":"a"`)
	n := rsaKey().N.Bytes()
	std := fmt.Sprintf(`{"kty":"RSA","kid":"a","e":"AQAB","n":%q}`, base64.StdEncoding.EncodeToString(n))
	for _, tt := range []struct{ name, body, want string }{
		{"a single JWK", jwk, "single JWK"},
		{"a bare list", "[" + jwk + "]", "bare list"},
		{"PEM", publicPEM(rsaKey()), "StaticPEM"},
		{"a configuration", `{"issuer":"https://i.example","jwks_uri":"https://i.example/keys?key=s3cret"}`, "jwks_uri: https://i.example/keys"},
		{"a page", "<!DOCTYPE html><html></html>", "HTML"},
		{"nothing", "", "empty"},
		{"an error", `{"error":"not_found"}`, `"error"`},
		{"a set in a member", `{"jwks":{"keys":[` + jwk + `]}}`, `"jwks"`},
		{"keys by kid", `{"keys":{"a":` + jwk + `}}`, "not a list"},
		{"a list of PEM", string(must(json.Marshal(map[string]any{"keys": []string{publicPEM(rsaKey())}}))), "PEMList"},
		{"a token", goodToken(jwtbearer.HS256), "token"},
		{"n in base64", `{"keys":[` + std + `]}`, "the n of a JWK is in base64"},
		{"padded", `{"keys":[` + fmt.Sprintf(`{"kty":"RSA","kid":"a","e":"AQAB","n":%q}`, base64.URLEncoding.EncodeToString(n)) + `]}`, "padding"},
		{"e in base64", `{"keys":[` + strings.Replace(jwk, "AQAB", "AQAB====", 1) + `]}`, "the e of a JWK"},
	} {
		err := published(tt.body, verify.JWKS).Verify(t.Context(), kidToken("a"), nil)
		if _, ok := errors.AsType[*verify.KeysError](err); !ok || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want a *KeysError with %q", tt.name, err, tt.want)
		} else if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the error shows a query: %v", tt.name, err)
		}
	}
	err := published(`{"keys":[`+jwk+`]}`, verify.PEMList).Verify(t.Context(), kidToken("a"), nil)
	if err == nil || !strings.Contains(err.Error(), "see JWKS") {
		t.Errorf("a JWK set as a PEMList: %v, want an error that names JWKS", err)
	}
	// One bad key does not cost the others, and is named for the tokens of its kid.
	v := jwksOf(strings.Replace(std, `"a"`, `"bad"`, 1), jwk)
	wantAccepted(t, v, kidToken("a"))
	if err := v.Verify(t.Context(), kidToken("bad"), nil); err == nil || !strings.Contains(err.Error(), "in base64") {
		t.Errorf("a token of the key that was left out: %v, want an error that says why", err)
	}
	wantAccepted(t, published("\ufeff{\"keys\":["+jwk+"]}", verify.JWKS), kidToken("a"))
}

func TestAJWKMayHaveMembersThatAreNull(t *testing.T) {
	wantAccepted(t, jwksOf(rsaJWK(rsaKey(), `,"d":null,"use":null,"key_ops":null,"alg":null,"kid":null,"x":null,"crv":null,"x5c":null`)), rsaToken(rsaKey()))
}

func TestAJWKMayHaveLostZerosOfItsCoordinates(t *testing.T) {
	point := must(p256().PublicKey.Bytes())
	x, y := point[1:33], point[33:]
	member := func(b []byte) string { return base64.RawURLEncoding.EncodeToString(new(big.Int).SetBytes(b).Bytes()) }
	token := sign(jwtbearer.ES256, p256(), `{"alg":"ES256"}`, `{"exp":4102444800}`)
	wantAccepted(t, jwksOf(fmt.Sprintf(`{"kty":"EC","crv":"P-256","x":%q,"y":%q}`, member(x), member(y))), token)
	long := base64.RawURLEncoding.EncodeToString(append([]byte{0}, x...))
	if err := jwksOf(fmt.Sprintf(`{"kty":"EC","crv":"P-256","x":%q,"y":%q}`, long, member(y))).Verify(t.Context(), token, nil); err == nil {
		t.Error("a coordinate of 33 bytes is taken")
	}
}

// RFC 7518 has no upper bound for RSA; what StaticPEM takes, JWKS takes.
func TestLargeRSAKeysOfASetVerify(t *testing.T) {
	large := &rsa.PublicKey{N: new(big.Int).SetBit(new(big.Int).Lsh(big.NewInt(1), 8191), 0, 1), E: 65537}
	body := fmt.Sprintf(`{"kty":"RSA","kid":"large","e":"AQAB","n":%q}`, base64.RawURLEncoding.EncodeToString(large.N.Bytes()))
	wantRefused(t, jwksOf(body), kidToken("large"), verify.BadSignature) // it was read, and tried
	for _, bits := range []uint{16384, 16392} {
		n := new(big.Int).SetBit(new(big.Int).Lsh(big.NewInt(1), bits-1), 0, 1)
		err := jwksOf(fmt.Sprintf(`{"kty":"RSA","e":"AQAB","n":%q}`, base64.RawURLEncoding.EncodeToString(n.Bytes()))).Verify(t.Context(), rsaToken(rsaKey()), nil)
		if _, none := errors.AsType[*verify.KeysError](err); none != (bits > 16384) {
			t.Errorf("an RSA key of %d bits: %v", bits, err)
		}
	}
}

// salted is a token of PS256 with a salt of so many bytes.
func salted(t *testing.T, salt int) string {
	t.Helper()
	text := b64(`{"alg":"PS256"}`) + "." + b64(`{"exp":4102444800}`)
	h := crypto.SHA256.New()
	h.Write([]byte(text))
	sig := must(rsa.SignPSS(rand.Reader, rsaKey(), crypto.SHA256, h.Sum(nil), &rsa.PSSOptions{SaltLength: salt}))
	return text + "." + b64(string(sig))
}

func TestSaltsAreAsLongAsTheHash(t *testing.T) {
	v := &verify.Verifier{Keys: must(verify.StaticPEM([]byte(publicPEM(rsaKey())))), Methods: allMethods}
	wantAccepted(t, v, salted(t, 32))
	for _, salt := range []int{1, 20, 31, 33, rsa.PSSSaltLengthAuto} {
		wantRefused(t, v, salted(t, salt), verify.BadSignature)
		if err := v.Verify(t.Context(), salted(t, salt), nil); err == nil || !strings.Contains(err.Error(), "salt") {
			t.Errorf("a salt of %d bytes: %v, want an error about the salt", salt, err)
		}
	}
}

// A public key of id-RSASSA-PSS is for that scheme alone (RFC 4055, section 1.2).
func TestPublicKeysForPSSVerifyPSSAlone(t *testing.T) {
	pkcs1 := x509.MarshalPKCS1PublicKey(&rsaKey().PublicKey)
	spki := must(asn1.Marshal(struct {
		A   pkix.AlgorithmIdentifier
		Key asn1.BitString
	}{pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}}, asn1.BitString{Bytes: pkcs1, BitLength: 8 * len(pkcs1)}}))
	set := must(verify.StaticPEM([]byte(block("PUBLIC KEY", spki))))
	v := &verify.Verifier{Keys: set, Methods: allMethods}
	wantAccepted(t, v, salted(t, 32))
	wantRefused(t, v, rsaToken(rsaKey()), verify.UnknownKey)
	keys, err := set.Keys(t.Context(), verify.Unverified{})
	if err != nil || len(keys) != 3 || keys[0].Method != jwtbearer.PS256 {
		t.Errorf("Keys = %v, %v; want one each for PS256, PS384 and PS512", keys, err)
	}
}

func TestWhatIsNoTokenIsNamed(t *testing.T) {
	good := goodToken(jwtbearer.HS256)
	for text, want := range map[string]string{
		good + "=": "padded with =", strings.Replace(good, ".", "==.", 1): "padded with =", strings.Replace(good, ".", "+.", 1): "base64url",
		"Bearer " + good: "Bearer", good + "\n": "white space", " " + good: "white space", `"` + good + `"`: "quotation marks", good + "é": "no token has",
	} {
		v := verifier(jwtbearer.HS256)
		wantRefused(t, v, text, verify.Malformed)
		if err := v.Verify(t.Context(), text, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.12q…: %v, want an error with %q", text, err, want)
		}
	}
}
