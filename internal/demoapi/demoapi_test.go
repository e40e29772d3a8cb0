package demoapi

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

var testSecret = []byte("a secret of thirty-two characters")

// config accepts tokens that testSecret signs.
func config() Config {
	return Config{Keys: []Key{{Verify: testSecret}}, Methods: []string{"HS256"}, Issuer: "tester", Audience: "demo"}
}

// claims returns claims that config accepts, with changes; a nil value removes one.
func claims(jti string, changes map[string]any) jwt.MapClaims {
	c := jwt.MapClaims{"iss": "tester", "aud": "demo", "jti": jti, "exp": time.Now().Add(time.Minute).Unix()}
	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func sign(t *testing.T, c jwt.MapClaims) string {
	t.Helper()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func newAPI(t *testing.T, c Config) *API {
	t.Helper()
	a, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func get(a *API, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

func TestAPIEchoesAnAcceptedRequest(t *testing.T) {
	a := newAPI(t, config())
	r := httptest.NewRequest(http.MethodPost, "/v1/things?a=1&a=2", strings.NewReader("<body> & more"))
	r.Header.Set("Authorization", "bearer "+sign(t, claims("1", map[string]any{"big": json.Number("9007199254740993")})))
	r.Header.Set("X-Test", "yes")
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	var got struct {
		Method, Path, Body string
		Query, Headers     map[string][]string
		Claims             map[string]json.RawMessage
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		t.Fatalf("POST = %d %s, %v", w.Code, w.Body, err)
	}
	if got.Method != "POST" || got.Path != "/v1/things" || got.Body != "<body> & more" {
		t.Errorf("echo of method, path and body: %+v", got)
	}
	if want := []string{"1", "2"}; !reflect.DeepEqual(got.Query["a"], want) {
		t.Errorf("echo of the query: %v, want a = %v", got.Query, want)
	}
	if got.Headers["Authorization"] != nil || got.Headers["X-Test"] == nil {
		t.Errorf("echo of the headers: %v; want X-Test without Authorization", got.Headers)
	}
	if big := string(got.Claims["big"]); big != "9007199254740993" {
		t.Errorf("echo of the claim big: %s, want 9007199254740993", big)
	}
}

func TestAPIRefusesABodyThatIsTooLong(t *testing.T) {
	a := newAPI(t, config())
	r := httptest.NewRequest(http.MethodPut, "/", strings.NewReader(strings.Repeat("x", maxBody+1)))
	r.Header.Set("Authorization", "Bearer "+sign(t, claims("1", nil)))
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("PUT of %d bytes = %d, want %d", maxBody+1, w.Code, http.StatusRequestEntityTooLarge)
	}
}

func TestAPIRefusesATokenAndSaysWhy(t *testing.T) {
	good := sign(t, claims("good", nil))
	other, _ := jwt.NewWithClaims(jwt.SigningMethodHS512, claims("1", nil)).SignedString(testSecret)
	foreign, _ := jwt.NewWithClaims(jwt.SigningMethodHS256, claims("1", nil)).SignedString([]byte("another secret"))
	none, _ := jwt.NewWithClaims(jwt.SigningMethodNone, claims("1", nil)).SignedString(jwt.UnsafeAllowNoneSignatureType)
	withCrit := jwt.NewWithClaims(jwt.SigningMethodHS256, claims("1", nil))
	withCrit.Header["crit"] = []string{"exp"}
	extended, _ := withCrit.SignedString(testSecret)
	now := time.Now()
	for _, tt := range []struct {
		name, token string
		want        Reason
	}{
		{"no token", "", Missing},
		{"no dots", "abc", Malformed},
		{"no base64", "!." + good, Malformed},
		{"no object", base64.RawURLEncoding.EncodeToString([]byte("[]")) + ".e30.e30", Malformed},
		{"padded signature", good + "=", Malformed},
		{"another method", other, WrongMethod},
		{"none", none, WrongMethod},
		{"no alg", "e30.e30.", WrongMethod},
		{"another key", foreign, BadSignature},
		{"cut signature", good[:len(good)-3], BadSignature},
		{"no exp", sign(t, claims("1", map[string]any{"exp": nil})), NoExpiry},
		{"exp is text", sign(t, claims("1", map[string]any{"exp": "soon"})), BadClaims},
		{"expired", sign(t, claims("1", map[string]any{"exp": now.Unix() - 1})), Expired},
		{"exp in milliseconds", sign(t, claims("1", map[string]any{"exp": now.UnixMilli()})), ExpiresTooLate},
		{"exp too far ahead", sign(t, claims("1", map[string]any{"exp": now.Add(61 * time.Minute).Unix()})), ExpiresTooLate},
		{"nbf ahead", sign(t, claims("1", map[string]any{"nbf": now.Unix() + 30})), NotYetValid},
		{"iat ahead", sign(t, claims("1", map[string]any{"iat": now.Unix() + 30})), NotYetValid},
		{"another issuer", sign(t, claims("1", map[string]any{"iss": "x"})), WrongIssuer},
		{"another audience", sign(t, claims("1", map[string]any{"aud": []string{"x", "y"}})), WrongAudience},
		{"no jti", sign(t, claims("", nil)), NoJTI},
		{"jti is a number", sign(t, claims("1", map[string]any{"jti": 1})), BadClaims},
		{"sub is a number", sign(t, claims("1", map[string]any{"sub": 1})), BadClaims},
		{"crit", extended, Extended},
	} {
		c := config()
		c.RequireJTI = true
		a := newAPI(t, c)
		w := get(a, tt.token)
		var body map[string]string
		json.Unmarshal(w.Body.Bytes(), &body)
		if w.Code != http.StatusUnauthorized || body["error"] != "invalid_token" || body["error_description"] != string(tt.want) {
			t.Errorf("%s: %d %s; want 401 and %q", tt.name, w.Code, w.Body, tt.want)
		}
		challenge := w.Header().Get("WWW-Authenticate")
		if !strings.HasPrefix(challenge, "Bearer ") || strings.Contains(challenge, "invalid_token") != (tt.want != Missing) {
			t.Errorf("%s: the challenge is %q", tt.name, challenge)
		}
		want := Stats{Requests: 1, Refused: map[Reason]int{tt.want: 1}}
		if got := a.Stats(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: Stats() = %+v, want %+v", tt.name, got, want)
		}
	}
}

func TestAPIVerifiesWithTheKeyOfTheKid(t *testing.T) {
	pub, ed, _ := ed25519.GenerateKey(rand.Reader)
	ec, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	c := config()
	c.Methods = []string{"HS256", "ES256", "EdDSA", methodEd25519}
	c.Keys = []Key{{Verify: testSecret}, {ID: "ec", Verify: ec.Public()}, {ID: "ed", Verify: pub}}
	a := newAPI(t, c)
	for i, tt := range []struct {
		alg, kid string
		method   jwt.SigningMethod
		key      any
		want     int
	}{
		{"HS256", "", jwt.SigningMethodHS256, testSecret, 200},
		{"HS256", "unknown", jwt.SigningMethodHS256, testSecret, 200},
		{"ES256", "ec", jwt.SigningMethodES256, ec, 200},
		{"EdDSA", "ed", jwt.SigningMethodEdDSA, ed, 200},
		{"Ed25519", "ed", jwt.SigningMethodEdDSA, ed, 200},
		{"Ed25519", "ec", jwt.SigningMethodEdDSA, ed, 401},
		{"ES256", "", jwt.SigningMethodES256, ec, 401},
		{"HS256", "ed", jwt.SigningMethodHS256, []byte(pub), 401}, // a public key is no secret
	} {
		token := jwt.NewWithClaims(tt.method, claims(fmt.Sprint(i), nil))
		token.Header["alg"] = tt.alg
		if tt.kid != "" {
			token.Header["kid"] = tt.kid
		}
		signed, err := token.SignedString(tt.key)
		if err != nil {
			t.Fatal(err)
		}
		if w := get(a, signed); w.Code != tt.want {
			t.Errorf("%s with kid %q: %d %s, want %d", tt.alg, tt.kid, w.Code, w.Body, tt.want)
		}
	}
}

func TestAPIWithoutAKeyForTheKidSaysSo(t *testing.T) {
	c := config()
	c.Keys[0].ID = "other"
	if w := get(newAPI(t, c), sign(t, claims("1", nil))); !strings.Contains(w.Body.String(), string(UnknownKey)) {
		t.Errorf("a token without kid where the only key has one: %d %s, want %q", w.Code, w.Body, UnknownKey)
	}
}

func TestAPITakesAJTIOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, config())
		token := sign(t, claims("one", nil))
		if w := get(a, token); w.Code != http.StatusOK {
			t.Fatalf("first use: %d %s", w.Code, w.Body)
		}
		if w := get(a, token); !strings.Contains(w.Body.String(), string(Replayed)) {
			t.Errorf("second use: %d %s, want %q", w.Code, w.Body, Replayed)
		}
		time.Sleep(time.Minute)
		if w := get(a, token); !strings.Contains(w.Body.String(), string(Expired)) {
			t.Errorf("use after exp: %d %s, want %q", w.Code, w.Body, Expired)
		}
		if w := get(a, sign(t, claims("two", nil))); w.Code != http.StatusOK {
			t.Errorf("another jti: %d %s", w.Code, w.Body)
		}
	})
}

func TestAPITakesAJTIOnceAmongConcurrentRequests(t *testing.T) {
	a := newAPI(t, config())
	token := sign(t, claims("one", nil))
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() { get(a, token) })
	}
	wg.Wait()
	if got := a.Stats(); got.Accepted != 1 || got.Refused[Replayed] != 31 {
		t.Errorf("32 uses of one jti: %+v; want 1 accepted and 31 replayed", got)
	}
}

func TestAPIForgetsAJTIThatHasExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, config())
		for i := range 5000 {
			if w := get(a, sign(t, claims(fmt.Sprint(i), nil))); w.Code != http.StatusOK {
				t.Fatalf("request %d: %d %s", i, w.Code, w.Body)
			}
			time.Sleep(time.Second)
		}
		if got, most := len(a.verifier.used), 200; got > most { // 60 are valid at a time
			t.Errorf("after 5000 tokens of a minute, one a second, %d jti are kept; want at most %d", got, most)
		}
	})
}

func TestAPIAllowsReplaysWhereToldTo(t *testing.T) {
	c := config()
	c.AllowReplay = true
	a, token := newAPI(t, c), sign(t, claims("one", nil))
	for i := range 3 {
		if w := get(a, token); w.Code != http.StatusOK {
			t.Errorf("use %d: %d %s", i, w.Code, w.Body)
		}
	}
}

func TestAPITakesTheTokenFromWhereItIsTold(t *testing.T) {
	c := config()
	c.Token = func(r *http.Request) []string { return r.URL.Query()["jwt"] }
	w := httptest.NewRecorder()
	newAPI(t, c).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/?jwt="+sign(t, claims("1", nil)), nil))
	if w.Code != http.StatusOK {
		t.Errorf("token in the query: %d %s", w.Code, w.Body)
	}
}

func TestAPIRefusesSeveralTokens(t *testing.T) {
	for _, second := range []string{"Bearer " + sign(t, claims("2", nil)), "Basic dTpw"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Authorization"] = []string{"Bearer " + sign(t, claims("1", nil)), second}
		w := httptest.NewRecorder()
		newAPI(t, config()).ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), string(Several)) {
			t.Errorf("with a second Authorization field: %d %s, want 401 and %q", w.Code, w.Body, Several)
		}
	}
}

func TestNewRefusesAConfigThatVerifiesNothing(t *testing.T) {
	key := []Key{{Verify: crypto.PublicKey(testSecret)}}
	for name, c := range map[string]Config{
		"no key":         {Methods: []string{"HS256"}},
		"no method":      {Keys: key},
		"none":           {Keys: key, Methods: []string{"none"}},
		"unknown method": {Keys: key, Methods: []string{"HS1"}},
		"half a bucket":  {Keys: key, Methods: []string{"HS256"}, Limit: Limit{Rate: 1}},
		"both limits":    {Keys: key, Methods: []string{"HS256"}, Limit: Limit{Rate: 1, Burst: 1, Window: 1, Requests: 1}},
	} {
		if a, err := New(c); a != nil || err == nil {
			t.Errorf("%s: New = %v, %v; want an error", name, a, err)
		}
	}
}
