package verify_test

import (
	"crypto"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/verify"
)

func TestAttackAlgNone(t *testing.T) {
	for _, alg := range []string{"none", "None", "NONE", "nOnE", "none "} {
		for _, signature := range []string{"", b64("x")} {
			token := b64(fmt.Sprintf(`{"alg":%q}`, alg)) + "." + b64(goodClaims("")) + "." + signature
			want := verify.WrongMethod
			if signature == "" {
				want = verify.Malformed
			}
			wantRefused(t, verifier(jwtbearer.RS256), token, want)
			wantRefused(t, verifier(jwtbearer.HS256), token, want)
		}
	}
}

// TestAttackPublicKeyAsSecret signs with the text of the public key in every form that an attacker has of it, and has
// the Verifier accept HS256, too.
func TestAttackPublicKeyAsSecret(t *testing.T) {
	text := publicPEM(rsaKey())
	der, _ := base64.StdEncoding.DecodeString(strings.ReplaceAll(text[strings.Index(text, "\n"):strings.LastIndex(text, "\n-")], "\n", ""))
	jwk := fmt.Sprintf(`{"kty":"RSA","e":"AQAB","n":%q}`, base64.RawURLEncoding.EncodeToString(rsaKey().N.Bytes()))
	for _, form := range []string{text, strings.TrimSpace(text), strings.ReplaceAll(text, "\n", `\n`), string(der),
		base64.StdEncoding.EncodeToString(der), base64.RawURLEncoding.EncodeToString(der), jwk, `{"keys":[` + jwk + `]}`,
		strings.ReplaceAll(text[strings.Index(text, "\n")+1:strings.LastIndex(text, "\n-")], "\n", `\n`),
		"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ", "---- BEGIN SSH2 PUBLIC KEY ----\nAAAAB3NzaC1yc2EAAAADAQABAAABAQ"} {
		token := sign(jwtbearer.HS256, []byte(form), `{"alg":"HS256"}`, goodClaims(""))
		v := verifier(jwtbearer.RS256)
		wantRefused(t, v, token, verify.WrongMethod)
		v.Methods = []jwtbearer.SignatureMethod{jwtbearer.RS256, jwtbearer.HS256}
		wantRefused(t, v, token, verify.UnknownKey)
		v.Keys = verify.StaticSecret([]byte(form)) // the mistake that lets it in elsewhere
		if err := v.Verify(t.Context(), token, nil); err == nil || !strings.Contains(err.Error(), "public key") {
			t.Errorf("a token signed with %.30q was judged %v, want an error that says that this is a public key", form, err)
		}
	}
}

func TestAttackAlgNotInMethods(t *testing.T) {
	for _, alg := range []jwtbearer.SignatureMethod{jwtbearer.RS384, jwtbearer.RS512, jwtbearer.PS256} {
		wantRefused(t, verifier(jwtbearer.RS256), goodToken(alg), verify.WrongMethod) // with the right key
	}
	wantRefused(t, verifier(jwtbearer.EdDSA), goodToken(jwtbearer.Ed25519), verify.WrongMethod)
	for _, header := range []string{`{"alg":"rs256"}`, `{"alg":"RS256 "}`, `{"alg":"RS256\u0000"}`} {
		wantRefused(t, verifier(jwtbearer.RS256), sign(jwtbearer.RS256, rsaKey(), header, goodClaims("")), verify.WrongMethod)
	}
	for _, header := range []string{`{}`, `{"alg":""}`, `{"alg":null}`, `{"alg":["RS256"]}`, `{"ALG":"RS256"}`} {
		wantRefused(t, verifier(jwtbearer.RS256), sign(jwtbearer.RS256, rsaKey(), header, goodClaims("")), verify.Malformed)
	}
}

// TestAttackHeaderPointsElsewhere signs with a key of the attacker's, which the header brings or names in all ways that
// there are.
func TestAttackHeaderPointsElsewhere(t *testing.T) {
	attacker := otherRSA()
	n := base64.RawURLEncoding.EncodeToString(attacker.N.Bytes())
	for _, more := range []string{
		`"kid":"../../dev/null"`, `"kid":"https://attacker.example/key"`, `"kid":"' OR 1=1 --"`,
		`"jku":"https://attacker.example/jwks"`, `"x5u":"https://attacker.example/cert.pem"`,
		fmt.Sprintf(`"jwk":{"kty":"RSA","e":"AQAB","n":%q}`, n), `"x5c":["MIIB"]`, `"x5t":"AAAA","x5t#S256":"AAAA"`,
	} {
		header := fmt.Sprintf(`{"alg":"RS256",%s}`, more)
		wantRefused(t, verifier(jwtbearer.RS256), sign(jwtbearer.RS256, attacker, header, goodClaims("")), verify.BadSignature)
		wantAccepted(t, verifier(jwtbearer.RS256), sign(jwtbearer.RS256, rsaKey(), header, goodClaims("")))
	}
	for _, kid := range []string{`1`, `null`, `{}`, `["a"]`} {
		token := sign(jwtbearer.RS256, rsaKey(), `{"alg":"RS256","kid":`+kid+`}`, goodClaims(""))
		wantRefused(t, verifier(jwtbearer.RS256), token, verify.Malformed)
	}
}

func TestAttackCriticalExtension(t *testing.T) {
	for _, crit := range []string{`["b64"],"b64":false`, `["exp"],"exp":1`, `["made-up"],"made-up":true`, `[]`, `null`, `"b64"`} {
		token := sign(jwtbearer.RS256, rsaKey(), `{"alg":"RS256","crit":`+crit+`}`, goodClaims(""))
		wantRefused(t, verifier(jwtbearer.RS256), token, verify.Malformed)
	}
}

func TestAttackOversizedToken(t *testing.T) {
	v := verifier(jwtbearer.HS256)
	pad := func(size int) string {
		bare := len(sign(jwtbearer.HS256, []byte(secret), `{"alg":"HS256"}`, goodClaims(`,"pad":""`)))
		return sign(jwtbearer.HS256, []byte(secret), `{"alg":"HS256"}`, goodClaims(`,"pad":"`+strings.Repeat("x", (size-bare)*3/4)+`"`))
	}
	wantAccepted(t, v, pad(64<<10-4))
	wantRefused(t, v, pad(64<<10+8), verify.Malformed)
	for _, long := range []string{strings.Repeat("x", 20<<20), strings.Repeat(".", 20<<20)} {
		var err error
		if n := testing.AllocsPerRun(1, func() { err = v.Verify(t.Context(), long, nil) }); err == nil || n > 20 {
			t.Errorf("a token of %d bytes was judged %v after %v allocations, want a refusal after a few", len(long), err, n)
		}
	}
	wantRefused(t, v, strings.Repeat(".", 64<<10), verify.Malformed)
}

func TestAttackDeeplyNestedJSON(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	v := verifier(jwtbearer.HS256)
	wantAccepted(t, v, sign(jwtbearer.HS256, []byte(secret), `{"alg":"HS256"}`, goodClaims(`,"deep":`+nested(400))))
	for _, n := range []int{501, 20000} {
		wantRefused(t, v, sign(jwtbearer.HS256, []byte(secret), `{"alg":"HS256"}`, goodClaims(`,"deep":`+nested(n))), verify.Malformed)
		wantRefused(t, v, sign(jwtbearer.HS256, []byte(secret), `{"alg":"HS256","deep":`+nested(n)+`}`, goodClaims("")), verify.Malformed)
	}
	wantRefused(t, v, b64(`{"alg":"HS256"}`)+"."+b64(strings.Repeat(`{"a":`, 9000))+"."+b64("x"), verify.Malformed)
}

// TestAttackDuplicateMembers has names that are the same once escapes are read, and names that encoding/json takes for one.
func TestAttackDuplicateMembers(t *testing.T) {
	v := verifier(jwtbearer.HS256)
	for _, more := range []string{
		`,"exp":99999999999`, `,"\u0065xp":99999999999`, `,"Exp":99999999999`, `,"sub":"a","sub":"a"`, `,"userId":1,"USERID":2`,
		`,"mask":1,"ma\u017fk":2`, `,"key":1,"\u212aey":2`, `,"o":{"a":1,"a":2}`, `,"l":[{"a":1,"\u0061":2}]`, `,"\ud800":1,"\ud801":2`,
		`,"o":{"\ud800":1,"\ud801":2}`, `,"l":[{"a\udfff":1}]`,
	} {
		wantRefused(t, v, sign(jwtbearer.HS256, []byte(secret), `{"alg":"HS256"}`, goodClaims(more)), verify.Malformed)
	}
	for _, header := range []string{`{"alg":"HS256","alg":"HS256"}`, `{"alg":"none","alg":"HS256"}`, `{"alg":"HS256","Alg":"none"}`,
		`{"alg":"HS256","kid":"a","kid":"b"}`} {
		wantRefused(t, v, sign(jwtbearer.HS256, []byte(secret), header, goodClaims("")), verify.Malformed)
	}
	wantAccepted(t, v, sign(jwtbearer.HS256, []byte(secret), `{"alg":"HS256"}`, goodClaims(`,"o":{"a":1,"A":2},"k":"\ud800"`)))
}

func TestAttackNotStrictJSON(t *testing.T) {
	v := verifier(jwtbearer.HS256)
	for _, payload := range []string{"", "null", "[]", `"text"`, "1", goodClaims("") + "{}", goodClaims("") + "\x00", "\ufeff" + goodClaims(""),
		goodClaims(`,"a":NaN`), goodClaims(`,"a":01`), goodClaims(",\"a\":\"\xff\""), goodClaims(",\"a\":\"\n\""), goodClaims(`,`)} {
		wantRefused(t, v, sign(jwtbearer.HS256, []byte(secret), `{"alg":"HS256"}`, payload), verify.Malformed)
	}
}

// TestAttackSignatureMalleation spells one signature in other ways.
func TestAttackSignatureMalleation(t *testing.T) {
	token := goodToken(jwtbearer.ES256)
	v := verifier(jwtbearer.ES256)
	wantAccepted(t, v, token)
	parts := strings.Split(token, ".")
	last := parts[2][len(parts[2])-1] // of 64 bytes: its four lowest bits count for nothing
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for bits := 1; bits < 16; bits++ {
		wantRefused(t, v, token[:len(token)-1]+string(alphabet[strings.IndexByte(alphabet, last)|bits]), verify.Malformed)
	}
	for _, text := range []string{token + "\n", "\r\n" + token, token + " ", " " + token, token + "==", token + ".", token + ".x", "." + token,
		strings.Replace(token, ".", ".\n", 1), token[:20] + "\n" + token[20:], token + "\x00", parts[0] + "=." + parts[1] + "." + parts[2],
		parts[0] + "." + parts[1], parts[0] + "." + parts[1] + ".x.y.z", "Bearer " + token} {
		wantRefused(t, v, text, verify.Malformed)
	}
}

func TestAttackECDSASignatureOfWrongForm(t *testing.T) {
	token := goodToken(jwtbearer.ES256)
	signed := token[:strings.LastIndex(token, ".")]
	raw := must(base64.RawURLEncoding.DecodeString(token[len(signed)+1:]))
	r, s := new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])
	der := must(asn1.Marshal(struct{ R, S *big.Int }{r, s}))
	order := p256().Params().N
	join := func(r, s *big.Int) []byte {
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
	zero := new(big.Int)
	for name, signature := range map[string][]byte{
		"DER": der, "short": raw[:63], "long": append(raw[:64:64], 0), "leading zero": append([]byte{0}, raw...),
		"as for P-384": make([]byte, 96), "all zero": make([]byte, 64), "r zero": join(zero, s), "s zero": join(r, zero),
		"r is the order": join(order, s), "s is the order": join(r, order), "swapped": join(s, r), "one byte": {1},
		"twice": append(raw[:64:64], raw...),
	} {
		t.Run(name, func(t *testing.T) {
			wantRefused(t, verifier(jwtbearer.ES256), signed+"."+b64(string(signature)), verify.BadSignature)
		})
	}
}

// TestSecondECDSASignatureIsAsGood states what a Verifier does not promise: (r, n-s) is valid wherever (r, s) is, and
// signers make both.
func TestSecondECDSASignatureIsAsGood(t *testing.T) {
	token := goodToken(jwtbearer.ES256)
	signed := token[:strings.LastIndex(token, ".")]
	raw := must(base64.RawURLEncoding.DecodeString(token[len(signed)+1:]))
	s := new(big.Int).Sub(p256().Params().N, new(big.Int).SetBytes(raw[32:]))
	wantAccepted(t, verifier(jwtbearer.ES256), signed+"."+b64(string(append(raw[:32:32], s.FillBytes(make([]byte, 32))...))))
}

func TestAttackEmptySignature(t *testing.T) {
	for _, method := range allMethods {
		token := goodToken(method)
		wantRefused(t, verifier(method), token[:strings.LastIndex(token, ".")+1], verify.Malformed)
		wantRefused(t, verifier(method), token[:strings.LastIndex(token, ".")], verify.Malformed)
	}
}

// TestAttackSomethingChanged takes each part of a good token from another one.
func TestAttackSomethingChanged(t *testing.T) {
	for _, method := range allMethods {
		good := strings.Split(goodToken(method), ".")
		other := strings.Split(sign(method, keyOf(method), fmt.Sprintf(`{"typ":"JWT","alg":%q}`, method), goodClaims(`,"sub":"root"`)), ".")
		for i := range good {
			mixed := append([]string(nil), good...)
			mixed[i] = other[i]
			wantRefused(t, verifier(method), strings.Join(mixed, "."), verify.BadSignature)
		}
		if method[0] == 'H' { // a tag that was cut short
			wantRefused(t, verifier(method), good[0]+"."+good[1]+"."+good[2][:20], verify.BadSignature)
		}
	}
}

// TestAttackEncryptedToken has what RFC 7516 makes of the public key of the server.
func TestAttackEncryptedToken(t *testing.T) {
	wantRefused(t, verifier(jwtbearer.RS256), b64(`{"alg":"RSA-OAEP","enc":"A256GCM"}`)+".a.b.c.d", verify.Malformed)
}

// TestOtherReaderAgrees wants golang-jwt's parser to accept what Verify accepts, with the same claims.
func TestOtherReaderAgrees(t *testing.T) {
	for _, method := range allMethods {
		if method == jwtbearer.Ed25519 {
			continue // golang-jwt's parser does not know the name
		}
		token := goodToken(method)
		var ours map[string]any
		if err := verifier(method).Verify(t.Context(), token, &ours); err != nil {
			t.Errorf("%s: %v", method, err)
		}
		theirs := jwt.MapClaims{}
		if _, err := parseWithGolangJWT(token, method, theirs); err != nil {
			t.Errorf("%s: golang-jwt: %v", method, err)
		}
		a, b := sha256.Sum256(must(json.Marshal(ours))), sha256.Sum256(must(json.Marshal(theirs)))
		if a != b {
			t.Errorf("%s: claims %v here, %v there", method, ours, theirs)
		}
	}
}

// verificationKey is what golang-jwt verifies the tokens of a method with.
func verificationKey(method jwtbearer.SignatureMethod) any {
	if pair, ok := keyOf(method).(crypto.Signer); ok {
		return pair.Public()
	}
	return keyOf(method)
}

func parseWithGolangJWT(token string, method jwtbearer.SignatureMethod, claims jwt.MapClaims) (*jwt.Token, error) {
	return jwt.NewParser(jwt.WithValidMethods([]string{string(method)}), jwt.WithJSONNumber(), jwt.WithStrictDecoding()).
		ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return verificationKey(method), nil })
}

// TestAttackTokensThatWaitHoldLittle has tokens that are mostly small values, each of which is many times as large in
// memory as in the text.
func TestAttackTokensThatWaitHoldLittle(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, v := newRemote()
		s.set(hang)
		payload := `{"exp":4102444800,"a":[` + strings.Repeat("1,", 23000) + `1]}`
		token := sign(jwtbearer.RS256, rsaKey(), `{"alg":"RS256"}`, payload)
		const waiting = 50
		before := heap()
		for range waiting {
			go v.Verify(t.Context(), token, nil)
		}
		synctest.Wait()
		if each := (heap() - before) / waiting; each > 4*int64(len(token)) {
			t.Errorf("each of %d tokens of %d bytes that wait holds %d bytes, want less than four times the token",
				waiting, len(token), each)
		}
		time.Sleep(time.Minute)
	})
}

// heap is how many bytes are in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
