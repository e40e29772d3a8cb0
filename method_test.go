package jwtbearer

import (
	"strings"
	"testing"
)

func TestSignatureMethodReadsTheNamesOfPlatforms(t *testing.T) {
	for _, tt := range []struct {
		name string
		want SignatureMethod
	}{
		{"HS256", HS256}, {"hs384", HS384}, {"hmac-sha256", HS256}, {"HMAC-SHA512", HS512},
		{"rs256", RS256}, {"rsa-sha256", RS256}, {"rsa-sha384", RS384}, {"RSA-SHA512", RS512},
		{"ps256", PS256}, {"rsa-pss-sha256", PS256}, {"RSASSA-PSS-SHA384", PS384}, {"rsapss-sha512", PS512},
		{"es512", ES512}, {"ecdsa-sha256", ES256}, {"Ecdsa-Sha384", ES384}, {"ecdsa-sha512", ES512},
		{"eddsa", EdDSA}, {"EDDSA", EdDSA}, {"ed25519", Ed25519}, {" ES256 ", ES256},
	} {
		if got, ok := SignatureMethod(tt.name).canonical(); got != tt.want || !ok {
			t.Errorf("SignatureMethod(%q).canonical() = %q, %v; want %q, true", tt.name, got, ok, tt.want)
		}
	}
}

func TestSignatureMethodKnowsNoOthers(t *testing.T) {
	for _, name := range []string{"", "none", "NONE", "HS", "HS1", "ES256K", "Ed448", "hmac", "hmac-sha1", "ecdsa", "-sha256"} {
		if got, ok := SignatureMethod(name).canonical(); got != "" || ok {
			t.Errorf("SignatureMethod(%q).canonical() = %q, %v; want none", name, got, ok)
		}
	}
}

func TestKnownMethodsListsThemAll(t *testing.T) {
	list := knownMethods()
	for _, a := range algorithms {
		if !strings.Contains(list, string(a.name)) {
			t.Errorf("knownMethods() = %q, without %s", list, a.name)
		}
	}
	if !strings.HasSuffix(list, "EdDSA or Ed25519") {
		t.Errorf("knownMethods() = %q; want it to end as a sentence does", list)
	}
}
