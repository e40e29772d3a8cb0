package check

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"

	"github.com/seed-363d07a3/jwtbearer/internal/key/keytest"
)

// pssDER is a key of id-RSASSA-PSS with these parameters, and its public half; nil: none.
func pssDER(t *testing.T, params []byte) (private, public []byte) {
	t.Helper()
	key := keytest.Made().RSA
	a := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}, Parameters: asn1.RawValue{FullBytes: params}}
	private, err := asn1.Marshal(struct {
		Version int
		A       pkix.AlgorithmIdentifier
		Key     []byte
	}{0, a, x509.MarshalPKCS1PrivateKey(key)})
	if err != nil {
		t.Fatal(err)
	}
	pkcs1 := x509.MarshalPKCS1PublicKey(&key.PublicKey)
	public, err = asn1.Marshal(struct {
		A   pkix.AlgorithmIdentifier
		Key asn1.BitString
	}{a, asn1.BitString{Bytes: pkcs1, BitLength: 8 * len(pkcs1)}})
	if err != nil {
		t.Fatal(err)
	}
	return private, public
}

// der wraps contents in a tag.
func der(tag byte, contents ...[]byte) []byte {
	var all []byte
	for _, c := range contents {
		all = append(all, c...)
	}
	return append([]byte{tag, byte(len(all))}, all...)
}

var (
	sha1OID   = []byte{6, 5, 0x2b, 14, 3, 2, 26}
	sha256OID = []byte{6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1}
	sha384OID = []byte{6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2}
	shakeOID  = []byte{6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 11}
	mgf1OID   = []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 8}
	null      = []byte{5, 0}
)

func hashOf(oid []byte) []byte { return der(0xa0, der(0x30, oid, null)) }
func maskOf(oid []byte) []byte { return der(0xa1, der(0x30, mgf1OID, der(0x30, oid, null))) }
func saltOf(n byte) []byte     { return der(0xa2, []byte{2, 1, n}) }

func TestAKeyForPSSSaysWhatItsParametersAllow(t *testing.T) {
	for name, test := range map[string]struct {
		params []byte
		want   rsa.PSSOptions
		fails  bool
	}{
		"none":                     {params: nil},
		"NULL":                     {params: null},
		"all defaults":             {params: der(0x30), want: rsa.PSSOptions{Hash: crypto.SHA1, SaltLength: 20}},
		"SHA-256":                  {params: der(0x30, hashOf(sha256OID), maskOf(sha256OID), saltOf(32)), want: rsa.PSSOptions{Hash: crypto.SHA256, SaltLength: 32}},
		"SHA-384, the usual salt":  {params: der(0x30, hashOf(sha384OID), maskOf(sha384OID)), want: rsa.PSSOptions{Hash: crypto.SHA384, SaltLength: 20}},
		"a salt of none":           {params: der(0x30, hashOf(sha256OID), maskOf(sha256OID), saltOf(0)), want: rsa.PSSOptions{Hash: crypto.SHA256}},
		"SHA-1 by name":            {params: der(0x30, hashOf(sha1OID), maskOf(sha1OID), saltOf(20)), want: rsa.PSSOptions{Hash: crypto.SHA1, SaltLength: 20}},
		"a mask of SHA-1":          {params: der(0x30, hashOf(sha256OID), saltOf(32)), fails: true},
		"a mask of another hash":   {params: der(0x30, hashOf(sha256OID), maskOf(sha384OID), saltOf(32)), fails: true},
		"a hash that is not known": {params: der(0x30, hashOf(shakeOID), maskOf(shakeOID), saltOf(32)), fails: true},
		"another trailer":          {params: der(0x30, hashOf(sha256OID), maskOf(sha256OID), saltOf(32), der(0xa3, []byte{2, 1, 2})), fails: true},
		"a negative salt":          {params: der(0x30, hashOf(sha256OID), maskOf(sha256OID), saltOf(0xff)), fails: true},
		"no parameters at all":     {params: []byte{2, 1, 0}, fails: true},
	} {
		private, public := pssDER(t, test.params)
		key, err := PKCS8(private)
		if pub, pss, publicErr := PSSPublic(public); (publicErr != nil) != test.fails || publicErr == nil && (*pss != test.want || !pub.Equal(keytest.Made().RSA.Public())) {
			t.Errorf("%s: PSSPublic gives %v, %v", name, pss, publicErr)
		}
		if test.fails {
			if err == nil {
				t.Errorf("%s: no error", name)
			}
			continue
		}
		got, ok := key.(*PSSKey)
		if err != nil || !ok {
			t.Errorf("%s: %T, %v; want a *PSSKey", name, key, err)
		} else if *got.PSS != test.want || !got.PrivateKey.Equal(keytest.Made().RSA) {
			t.Errorf("%s: %+v; want %+v and the key", name, *got.PSS, test.want)
		}
	}
}

func TestPSSPublicLeavesOtherKeysAlone(t *testing.T) {
	spki, err := x509.MarshalPKIXPublicKey(keytest.Made().RSA.Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"RSA": spki, "nothing": nil, "garbage": []byte("garbage")} {
		if pub, pss, err := PSSPublic(data); pub != nil || pss != nil || err != nil {
			t.Errorf("%s: %v, %v, %v; want nothing", name, pub, pss, err)
		}
	}
}
