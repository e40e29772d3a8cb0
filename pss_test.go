package jwtbearer

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer/internal/key/keytest"
)

// pssPEM is an RSA key for RSASSA-PSS alone. Nil parameters: there are none.
func pssPEM(t *testing.T, params []byte) string {
	t.Helper()
	der, err := asn1.Marshal(struct {
		Version int
		A       pkix.AlgorithmIdentifier
		Key     []byte
	}{0, pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}, Parameters: asn1.RawValue{FullBytes: params}},
		x509.MarshalPKCS1PrivateKey(keytest.Made().RSA)})
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// pssParams are those for one hash of SHA-2 (the last number of its OID) and the least salt.
func pssParams(hash, salt byte) []byte {
	alg := []byte{0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, hash, 5, 0}
	mask := append([]byte{0xa1, 28, 0x30, 26, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 8}, alg...)
	all := append(append(append([]byte{0xa0, 15}, alg...), mask...), 0xa2, 3, 2, 1, salt)
	return append([]byte{0x30, byte(len(all))}, all...)
}

// A key of id-RSASSA-PSS is for that scheme alone, with what its parameters allow (RFC 4055, section 1.2).
func TestKeysForPSSSignWhatTheyAllow(t *testing.T) {
	for _, test := range []struct {
		name   string
		params []byte
		fits   string
		hint   string
	}{
		{"no parameters", nil, "PS256 PS384 PS512", "use PS256, PS384 or PS512"},
		{"SHA-256", pssParams(1, 32), "PS256", "use PS256"},
		{"SHA-384", pssParams(2, 20), "PS384", "use PS384"},
		{"SHA-512 with any salt", pssParams(3, 0), "PS512", "use PS512"},
		{"SHA-256 with longer salts", pssParams(1, 33), "", "new key"},
		{"SHA-1", []byte{0x30, 0}, "", "new key"},
	} {
		text := pssPEM(t, test.params)
		parsed, err := ParsePrivateKey([]byte(text), "")
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if parsed.PSS == nil || !strings.Contains(parsed.String(), "RSASSA-PSS") {
			t.Errorf("%s: %v; want it to say what it is for", test.name, parsed)
		}
		for _, method := range []SignatureMethod{RS256, RS384, RS512, PS256, PS384, PS512} {
			fits := strings.Contains(test.fits, string(method))
			_, err := NewSigner(method, parsed)
			if (err == nil) != fits || err != nil && !strings.Contains(err.Error(), test.hint) {
				t.Errorf("%s, NewSigner(%s): %v; want an error with %q: %t", test.name, method, err, test.hint, !fits)
			}
			c := &Connection{BaseURI: "https://api.example.com", SignatureMethod: method, PrivateKey: Secret(text), Payload: `{"iss":"x","exp":"{{now 60}}"}`}
			_, err = NewClient(c)
			if (err == nil) != fits || err != nil && (!strings.Contains(err.Error(), "PrivateKey") || !strings.Contains(err.Error(), test.hint)) {
				t.Errorf("%s, NewClient with %s: %v; want an error with %q: %t", test.name, method, err, test.hint, !fits)
			}
		}
	}
	if _, err := NewSigner(PS256, (*PrivateKey)(nil)); err == nil {
		t.Error("NewSigner takes a PrivateKey that is nil")
	}
}
