package verify_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/verify"
)

// setFunc is a KeySet of somebody else's.
type setFunc func(context.Context, verify.Unverified) ([]verify.Key, error)

func (f setFunc) Keys(ctx context.Context, t verify.Unverified) ([]verify.Key, error) {
	return f(ctx, t)
}

// given is a set of these keys, whatever the token.
func given(keys ...verify.Key) setFunc {
	return func(context.Context, verify.Unverified) ([]verify.Key, error) { return keys, nil }
}

func TestAKeySetOfSomebodyElseIsAsked(t *testing.T) {
	var asked verify.Unverified
	v := &verify.Verifier{Methods: allMethods, Keys: setFunc(func(_ context.Context, u verify.Unverified) ([]verify.Key, error) {
		asked = u
		return []verify.Key{{ID: "a", Public: otherRSA().Public()}, {ID: "b", Public: rsaKey().Public(), Method: jwtbearer.RS256}, {Secret: []byte(secret)}}, nil
	})}
	wantAccepted(t, v, sign(jwtbearer.RS256, rsaKey(), `{"alg":"RS256","kid":"b"}`, `{"iss":"who","exp":4102444800}`))
	if want := (verify.Unverified{KeyID: "b", Method: jwtbearer.RS256, Issuer: "who"}); asked != want {
		t.Errorf("it was asked for %+v, want %+v", asked, want)
	}
	wantAccepted(t, v, sign(jwtbearer.HS256, []byte(secret), `{"alg":"HS256","kid":"c"}`, `{"exp":4102444800}`))
	wantRefused(t, v, sign(jwtbearer.PS256, rsaKey(), `{"alg":"PS256","kid":"b"}`, `{"exp":4102444800}`), verify.UnknownKey) // its Method is another
	wantRefused(t, v, sign(jwtbearer.RS256, rsaKey(), `{"alg":"RS256","kid":"a"}`, `{"exp":4102444800}`), verify.BadSignature)
	v.Keys = given()
	wantRefused(t, v, rsaToken(rsaKey()), verify.UnknownKey)
	v.Keys = verify.ByIssuer(map[string]verify.KeySet{"who": given(verify.Key{Public: rsaKey().Public()})})
	wantAccepted(t, v, sign(jwtbearer.RS256, rsaKey(), `{"alg":"RS256"}`, `{"iss":"who","exp":4102444800}`))
}

func TestAKeySetOfSomebodyElseFails(t *testing.T) {
	down := errors.New("the database is down")
	small := must(rsa.GenerateKey(nil, 1024))
	for _, tt := range []struct {
		name string
		set  setFunc
		want string
	}{
		{"an error", func(context.Context, verify.Unverified) ([]verify.Key, error) { return nil, down }, "*verify.KeysError database is down"},
		{"a refusal", func(context.Context, verify.Unverified) ([]verify.Key, error) {
			return nil, fmt.Errorf("no: %w", &verify.TokenError{Reason: verify.UnknownKey, Problem: "revoked"})
		}, "*verify.TokenError revoked"},
		{"a weak key", given(verify.Key{ID: "x", Public: small.Public()}), "*verify.ConfigError 1024 bits"},
		{"two keys in one", given(verify.Key{Public: rsaKey().Public(), Secret: []byte(secret)}), "*verify.ConfigError both"},
		{"a private key", given(verify.Key{Public: rsaKey()}), "*verify.ConfigError *rsa.PrivateKey"},
		{"a method that is none", given(verify.Key{Public: rsaKey().Public(), Method: "none"}), `*verify.ConfigError "none"`},
		{"too many", given(make([]verify.Key, 257)...), "*verify.ConfigError 257"},
	} {
		v := &verify.Verifier{Methods: allMethods, Keys: tt.set}
		err := v.Verify(t.Context(), rsaToken(rsaKey()), nil)
		kind, say, _ := strings.Cut(tt.want, " ")
		var is bool
		switch kind {
		case "*verify.KeysError":
			_, is = errors.AsType[*verify.KeysError](err)
			is = is && errors.Is(err, down)
		case "*verify.TokenError":
			_, is = errors.AsType[*verify.TokenError](err)
		default:
			_, is = errors.AsType[*verify.ConfigError](err)
		}
		if !is || !strings.Contains(err.Error(), say) {
			t.Errorf("%s: %T, %v; want a %s with %q", tt.name, err, err, kind, say)
		}
	}
	v := &verify.Verifier{Methods: allMethods, Keys: given(verify.Key{Secret: []byte(publicPEM(rsaKey()))})}
	err := v.Verify(t.Context(), sign(jwtbearer.HS256, []byte(publicPEM(rsaKey())), `{"alg":"HS256"}`, goodClaims("")), nil)
	if _, ok := errors.AsType[*verify.ConfigError](err); !ok {
		t.Errorf("a public key as a secret of somebody else's set: %v, want a *ConfigError", err)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+rsaToken(rsaKey()))
	(&verify.Verifier{Methods: allMethods, Keys: setFunc(func(context.Context, verify.Unverified) ([]verify.Key, error) { return nil, down })}).
		Handler(http.NotFoundHandler()).ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("the handler answers %d while the keys cannot be had, want 503", w.Code)
	}
}

// The sets of this package can be asked by those of others, such as one that looks at two.
func TestKeySetsCanBeCombined(t *testing.T) {
	s := &keyServer{answer: func(*http.Request) (*http.Response, error) {
		return respond(200, `{"keys":[`+rsaJWK(rsaKey(), `,"kid":"a","alg":"RS256"`)+`]}`)
	}}
	sets := []verify.KeySet{verify.JWKS(keysURL, s.client()), must(verify.StaticPEM([]byte(publicPEM(otherRSA())))), verify.StaticSecret([]byte(secret))}
	v := &verify.Verifier{Methods: allMethods, Keys: setFunc(func(ctx context.Context, u verify.Unverified) (all []verify.Key, err error) {
		for _, set := range sets {
			keys, err := set.Keys(ctx, u)
			if err != nil {
				return nil, err
			}
			all = append(all, keys...)
		}
		return all, nil
	})}
	wantAccepted(t, v, sign(jwtbearer.RS256, rsaKey(), `{"alg":"RS256","kid":"a"}`, `{"exp":4102444800}`))
	wantAccepted(t, v, rsaToken(otherRSA()))
	wantAccepted(t, v, sign(jwtbearer.HS256, []byte(secret), `{"alg":"HS256"}`, `{"exp":4102444800}`))
	wantRefused(t, v, sign(jwtbearer.PS256, rsaKey(), `{"alg":"PS256","kid":"a"}`, `{"exp":4102444800}`), verify.BadSignature)
	keys, err := sets[2].Keys(t.Context(), verify.Unverified{})
	if shown := fmt.Sprintf("%v %+v %#v %s", keys, keys, keys, keys); err != nil || strings.Contains(shown, "TESTING") {
		t.Errorf("a Key shows its secret: %s, %v", shown, err)
	}
	// A kid that is not there makes for a fetch, and the next key is found by it.
	s.set(func(*http.Request) (*http.Response, error) {
		return respond(200, `{"keys":[`+rsaJWK(otherRSA(), `,"kid":"b"`)+`]}`)
	})
	fresh := verify.JWKS(keysURL, s.client())
	s.set(func(*http.Request) (*http.Response, error) {
		return respond(200, `{"keys":[`+rsaJWK(rsaKey(), `,"kid":"a"`)+`]}`)
	})
	if _, err := fresh.Keys(t.Context(), verify.Unverified{KeyID: "a"}); err != nil {
		t.Fatal(err)
	}
	s.set(func(*http.Request) (*http.Response, error) {
		return respond(200, `{"keys":[`+rsaJWK(otherRSA(), `,"kid":"b"`)+`]}`)
	})
	if keys, err := fresh.Keys(t.Context(), verify.Unverified{KeyID: "b"}); err != nil || len(keys) != 1 || keys[0].ID != "b" {
		t.Errorf("a new kid: %v, %v; want the key that is published now", keys, err)
	}
}

// ExampleKeySet has an address for each key, named after its kid, as the load balancers of AWS do.
func ExampleKeySet() {
	published := map[string]*ecdsa.PublicKey{"c2f8": &p256().PublicKey}
	v := &verify.Verifier{
		Methods: []jwtbearer.SignatureMethod{jwtbearer.ES256},
		Keys: setFunc(func(_ context.Context, t verify.Unverified) ([]verify.Key, error) {
			if len(t.KeyID) != 4 { // what a token says is looked at before it is used
				return nil, nil
			}
			public := published[t.KeyID] // where you would fetch it, and keep it
			if public == nil {
				return nil, nil
			}
			return []verify.Key{{ID: t.KeyID, Public: crypto.PublicKey(public)}}, nil
		}),
	}
	token := sign(jwtbearer.ES256, p256(), `{"alg":"ES256","kid":"c2f8"}`, `{"sub":"someone","exp":4102444800}`)
	var claims struct{ Sub string }
	fmt.Println(v.Verify(context.Background(), token, &claims), claims.Sub)
	// Output: <nil> someone
}
