package verify_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/verify"
)

// claimsToken is signed with the secret.
func claimsToken(payload string) string {
	return sign(jwtbearer.HS256, []byte(secret), `{"alg":"HS256"}`, payload)
}

// TestTimesAreHeldToTheLeeway runs where the time stands still, at a whole second.
func TestTimesAreHeldToTheLeeway(t *testing.T) {
	tests := []struct {
		exp, nbf, iat float64 // seconds from now; zero: no such claim
		leeway        time.Duration
		want          verify.Reason // empty: accepted
	}{
		{exp: 1},
		{exp: -1, want: verify.Expired},
		{exp: 0.5},
		{exp: -0.5, want: verify.Expired},
		{exp: -29, leeway: 30 * time.Second},
		{exp: -29.999, leeway: 30 * time.Second},
		{exp: -30, leeway: 30 * time.Second, want: verify.Expired}, // RFC 7519, section 4.1.4: on or after
		{exp: -31, leeway: 30 * time.Second, want: verify.Expired},
		{exp: 60, nbf: -1},
		{exp: 60, nbf: 1, want: verify.NotYetValid},
		{exp: 60, nbf: 30, leeway: 30 * time.Second},
		{exp: 60, nbf: 30.25, leeway: 30 * time.Second, want: verify.NotYetValid},
		{exp: 60, nbf: 31, leeway: 30 * time.Second, want: verify.NotYetValid},
		{exp: 60, iat: -3600},
		{exp: 60, iat: 1},
		{exp: 60, iat: 30, leeway: 30 * time.Second},
		{exp: 60, iat: 3600, leeway: 30 * time.Second},
		{exp: -31, nbf: -90, iat: -90, leeway: time.Minute},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			v := verifier(jwtbearer.HS256)
			v.Leeway = tt.leeway
			claims := map[string]any{"iss": "issuer", "aud": "me"}
			for name, at := range map[string]float64{"exp": tt.exp, "nbf": tt.nbf, "iat": tt.iat} {
				if at != 0 {
					claims[name] = float64(time.Now().Unix()) + at
				}
			}
			token := claimsToken(string(must(json.Marshal(claims))))
			if tt.want != "" {
				wantRefused(t, v, token, tt.want)
			} else if err := v.Verify(t.Context(), token, nil); err != nil {
				t.Errorf("%+v: %v, want it accepted", tt, err)
			}
		})
	}
}

func TestExpiryIsNeededWhereItIsRequired(t *testing.T) {
	v := verifier(jwtbearer.HS256)
	token := claimsToken(`{"iss":"issuer","aud":"me"}`)
	wantAccepted(t, v, token)
	v.RequireExpiry = true
	wantRefused(t, v, token, verify.Expired)
	wantAccepted(t, v, claimsToken(`{"iss":"issuer","aud":"me","exp":4102444800}`))
	v.RequireExpiry = false
	wantRefused(t, v, claimsToken(`{"iss":"issuer","aud":"me","exp":0}`), verify.Expired)
	wantRefused(t, v, claimsToken(`{"iss":"issuer","aud":"me","exp":1}`), verify.Expired)
	wantRefused(t, v, claimsToken(`{"iss":"issuer","aud":"me","exp":null}`), verify.BadClaim)
}

// TestDatesThatAreNone has for exp, nbf and iat what a lenient reader would take for a date, or stumble over.
func TestDatesThatAreNone(t *testing.T) {
	far := time.Now().Unix() + 1000
	values := []string{fmt.Sprintf(`"%d"`, far), `"2099-01-01T00:00:00Z"`, `""`, "null", "true", "[]", "{}", fmt.Sprintf("[%d]", far),
		"-1", "-0.5", "1e400", "-1e400", "1e99", "1e999999999999", "1e-999999999999", "253402300800", "99999999999999999999", "9223372036854775808",
		fmt.Sprintf("%d.%0100d", far, 1), fmt.Sprintf("%d000", far), "1e41"}
	for _, value := range values {
		for _, name := range []string{"exp", "nbf", "iat"} {
			v := verifier(jwtbearer.HS256)
			began := time.Now()
			wantRefused(t, v, claimsToken(fmt.Sprintf(`{"iss":"issuer","aud":"me",%q:%s}`, name, value)), verify.BadClaim)
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("%s %s took %v", name, value, took)
			}
		}
	}
}

func TestDatesMayHaveFractionsAndPowers(t *testing.T) {
	for _, value := range []string{"4102444800", "4102444800.0", "4102444800.123456789012345", "4.1024448e9", "41024448E2", "41024448e+2",
		"41024448000e-1", "253402300799"} {
		wantAccepted(t, verifier(jwtbearer.HS256), claimsToken(`{"iss":"issuer","aud":"me","exp":`+value+`}`))
	}
	wantAccepted(t, verifier(jwtbearer.HS256), claimsToken(goodClaims(`,"nbf":1e-40,"iat":-0`)))
}

// TestFractionsAreExact has dates that differ by a nanosecond, which no float64 can tell apart.
func TestFractionsAreExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(123456789 * time.Nanosecond) // from midnight, 2000-01-01
		v := verifier(jwtbearer.HS256)
		wantRefused(t, v, claimsToken(fmt.Sprintf(`{"iss":"issuer","aud":"me","exp":%d.123456789}`, time.Now().Unix())), verify.Expired)
		wantAccepted(t, v, claimsToken(fmt.Sprintf(`{"iss":"issuer","aud":"me","exp":%d.123456790}`, time.Now().Unix())))
	})
}

func TestIssuerAndAudience(t *testing.T) {
	tests := []struct {
		name, claims string
		want         verify.Reason // empty: accepted
	}{
		{"both", `"iss":"issuer","aud":"me"`, ""},
		{"a list", `"iss":"issuer","aud":["others","me"]`, ""},
		{"escaped", `"iss":"issu\u0065r","aud":"\u006de"`, ""},
		{"no iss", `"aud":"me"`, verify.WrongIssuer},
		{"empty iss", `"iss":"","aud":"me"`, verify.WrongIssuer},
		{"another iss", `"iss":"Issuer","aud":"me"`, verify.WrongIssuer},
		{"a longer iss", `"iss":"issuer.attacker.example","aud":"me"`, verify.WrongIssuer},
		{"a list for iss", `"iss":["issuer"],"aud":"me"`, verify.BadClaim},
		{"null for iss", `"iss":null,"aud":"me"`, verify.BadClaim},
		{"no aud", `"iss":"issuer"`, verify.WrongAudience},
		{"another aud", `"iss":"issuer","aud":"you"`, verify.WrongAudience},
		{"part of aud", `"iss":"issuer","aud":"me you"`, verify.WrongAudience},
		{"an empty list", `"iss":"issuer","aud":[]`, verify.WrongAudience},
		{"others", `"iss":"issuer","aud":["a","b"]`, verify.WrongAudience},
		{"a number in it", `"iss":"issuer","aud":["me",1]`, verify.BadClaim},
		{"a list in it", `"iss":"issuer","aud":[["me"]]`, verify.BadClaim},
		{"an object", `"iss":"issuer","aud":{"me":true}`, verify.BadClaim},
		{"null", `"iss":"issuer","aud":null`, verify.BadClaim},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			token := claimsToken(fmt.Sprintf(`{%s,"exp":%d}`, tt.claims, time.Now().Unix()+60))
			if tt.want != "" {
				wantRefused(t, verifier(jwtbearer.HS256), token, tt.want)
			} else {
				wantAccepted(t, verifier(jwtbearer.HS256), token)
			}
		})
	}
	v := verifier(jwtbearer.HS256)
	v.Issuer, v.Audience = "", ""
	wantAccepted(t, v, claimsToken(`{"exp":4102444800}`))
	wantAccepted(t, v, claimsToken(`{"exp":4102444800,"aud":"others","iss":"whoever"}`))
}
