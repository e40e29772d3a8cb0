package pbe

import (
	"bytes"
	"crypto"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

func TestRC2(t *testing.T) {
	// RFC 2268, section 5.
	for _, row := range []struct {
		key           string
		bits          int
		plain, cipher string
	}{
		{"0000000000000000", 63, "0000000000000000", "ebb773f993278eff"},
		{"ffffffffffffffff", 64, "ffffffffffffffff", "278b27e42e2f0d49"},
		{"3000000000000000", 64, "1000000000000001", "30649edf9be7d2c2"},
		{"88", 64, "0000000000000000", "61a8a244adacccf0"},
		{"88bca90e90875a", 64, "0000000000000000", "6ccf4308974c267f"},
		{"88bca90e90875a7f0f79c384627bafb2", 64, "0000000000000000", "1a807d272bbe5db1"},
		{"88bca90e90875a7f0f79c384627bafb2", 128, "0000000000000000", "2269552ab0f85ca6"},
		{"88bca90e90875a7f0f79c384627bafb216f80a6f85920584c42fceb0be255daf1e", 129, "0000000000000000", "5b78d3a43dfff1f1"},
	} {
		key, _ := hex.DecodeString(row.key)
		data, _ := hex.DecodeString(row.cipher)
		got := make([]byte, rc2BlockSize)
		newRC2(key, row.bits).Decrypt(got, data)
		if hex.EncodeToString(got) != row.plain {
			t.Errorf("RC2 with key %s of %d bits gives %x, want %s", row.key, row.bits, got, row.plain)
		}
	}
}

func TestPKCS12KeysDependOnEveryParameter(t *testing.T) {
	derive := func(bmp, salt string, purpose Purpose, iterations int) string {
		key, err := DerivePKCS12("test", crypto.SHA1, []byte(bmp), []byte(salt), purpose, iterations, 48, new(sealed.Meter))
		if err != nil {
			t.Fatal(err)
		}
		return string(key)
	}
	seen := map[string]bool{}
	for _, key := range []string{
		derive("pw", "salt", ForKey, 2), derive("pW", "salt", ForKey, 2), derive("pw", "sal", ForKey, 2),
		derive("pw", "salt", ForMAC, 2), derive("pw", "salt", ForKey, 3), derive("", "salt", ForKey, 2), derive("", "", ForKey, 2),
	} {
		if seen[key] || len(key) != 48 {
			t.Errorf("a key of %d bytes that occurs twice: %t, want 48, false", len(key), seen[key])
		}
		seen[key] = true
	}
}

func TestEncodings(t *testing.T) {
	for _, row := range []struct {
		passphrase string
		want       []string // of BMP
	}{
		{"", []string{"0000"}},
		{"a1", []string{"006100310000"}},
		{"ä", []string{"00e40000", "00c300a40000"}},
		{"\xe4", []string{"00e40000"}},
		{"😀", []string{"d83dde000000", "00f0009f009800800000"}},
	} {
		var got []string
		for _, p := range Encodings([]byte(row.passphrase)) {
			got = append(got, hex.EncodeToString(p.BMP))
			if string(p.Text) != row.passphrase {
				t.Errorf("Encodings(%q) has the text %q", row.passphrase, p.Text)
			}
		}
		if strings.Join(got, " ") != strings.Join(row.want, " ") {
			t.Errorf("Encodings(%q) = %v, want %v", row.passphrase, got, row.want)
		}
	}
}

// pbes2Of makes the parameters of PBES2 out of DER.
func pbes2Of(t testing.TB, kdf asn1.ObjectIdentifier, kdfParams any, cipher asn1.ObjectIdentifier,
	cipherParams any) pkix.AlgorithmIdentifier {
	t.Helper()
	algorithm := func(oid asn1.ObjectIdentifier, params any) pkix.AlgorithmIdentifier {
		der, err := asn1.Marshal(params)
		if err != nil {
			t.Fatal(err)
		}
		return pkix.AlgorithmIdentifier{Algorithm: oid, Parameters: asn1.RawValue{FullBytes: der}}
	}
	return algorithm(pbes2OID, pbes2Params{algorithm(kdf, kdfParams), algorithm(cipher, cipherParams)})
}

var (
	pbes2OID  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	pbkdf2OID = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	scryptOID = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11}
	aes256OID = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
	gcm256OID = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 46}
	rc2OID    = asn1.ObjectIdentifier{1, 2, 840, 113549, 3, 2}
)

type pbkdf2In struct {
	Salt       []byte
	Iterations int
	KeyLength  int `asn1:"optional"`
}

func TestOpenRefusesParametersBeforeAnyWork(t *testing.T) {
	salt, iv := []byte("salt"), make([]byte, 16)
	for _, row := range []struct {
		name string
		alg  pkix.AlgorithmIdentifier
		data int
		want string
	}{
		{"unknown scheme", pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 3}}, 32, "object identifier 1.2.3"},
		{"named scheme", pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 1}}, 32, "pbeWithMD2AndDES-CBC"},
		{"no parameters", pkix.AlgorithmIdentifier{Algorithm: pbes2OID}, 32, "parameters"},
		{"unknown derivation", pbes2Of(t, asn1.ObjectIdentifier{1, 2, 3}, salt, aes256OID, iv), 32, "key derivation"},
		{"unknown cipher", pbes2Of(t, pbkdf2OID, pbkdf2In{salt, 1, 0}, asn1.ObjectIdentifier{1, 2, 3}, iv), 32, "cipher"},
		{"long identifier", pbes2Of(t, pbkdf2OID, pbkdf2In{salt, 1, 0}, make(asn1.ObjectIdentifier, 99), iv), 32, "unusual length"},
		{"too many iterations", pbes2Of(t, pbkdf2OID, pbkdf2In{salt, 1 << 40, 0}, aes256OID, iv), 32, "cost"},
		{"negative iterations", pbes2Of(t, pbkdf2OID, pbkdf2In{salt, -1, 0}, aes256OID, iv), 32, "-1 iterations"},
		{"wrong key length", pbes2Of(t, pbkdf2OID, pbkdf2In{salt, 1, 16}, aes256OID, iv), 32, "derived key of 16 bytes"},
		{"salt of another type", pbes2Of(t, pbkdf2OID, struct{ Salt, Iterations int }{1, 1}, aes256OID, iv), 32, "salt"},
		{"short vector", pbes2Of(t, pbkdf2OID, pbkdf2In{salt, 1, 0}, aes256OID, iv[:8]), 32, "vector has 8 bytes"},
		{"cut ciphertext", pbes2Of(t, pbkdf2OID, pbkdf2In{salt, 1, 0}, aes256OID, iv), 31, "truncated"},
		{"no ciphertext", pbes2Of(t, pbkdf2OID, pbkdf2In{salt, 1, 0}, aes256OID, iv), 0, "truncated"},
		{"scrypt N", pbes2Of(t, scryptOID, scryptParams{salt, 3, 1, 1, 0}, aes256OID, iv), 32, "N 3"},
		{"scrypt memory", pbes2Of(t, scryptOID, scryptParams{salt, 1 << 16, 8, 1, 0}, aes256OID, iv), 32, "32 MiB"},
		{"scrypt r", pbes2Of(t, scryptOID, scryptParams{salt, 2, 1 << 40, 1, 0}, aes256OID, iv), 32, "32 MiB"},
		{"scrypt p", pbes2Of(t, scryptOID, scryptParams{salt, 2, 1, 1 << 40, 0}, aes256OID, iv), 32, "32 MiB"},
		{"GCM nonce", pbes2Of(t, pbkdf2OID, pbkdf2In{salt, 1, 0}, gcm256OID, gcmParams{iv, 16}), 32, "nonce of 16 bytes"},
		{"GCM tag", pbes2Of(t, pbkdf2OID, pbkdf2In{salt, 1, 0}, gcm256OID, gcmParams{iv[:12], 4}), 32, "tag of 4"},
		{"GCM without data", pbes2Of(t, pbkdf2OID, pbkdf2In{salt, 1, 0}, gcm256OID, gcmParams{iv[:12], 16}), 15, "truncated"},
		{"RC2 version", pbes2Of(t, pbkdf2OID, pbkdf2In{salt, 1, 0}, rc2OID, rc2Params{1, iv[:8]}), 32, "RC2 parameter version 1"},
		{"RC2 vector", pbes2Of(t, pbkdf2OID, pbkdf2In{salt, 1, 0}, rc2OID, rc2Params{58, iv[:7]}), 32, "vector has 7 bytes"},
	} {
		_, err := Open(row.alg, make([]byte, row.data), Passphrase{}, new(sealed.Meter))
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("Open(%s): %v, want %q", row.name, err, row.want)
		}
	}
}

func TestOpenKnowsAWrongPassphraseByTheTagOfGCM(t *testing.T) {
	alg := pbes2Of(t, pbkdf2OID, pbkdf2In{[]byte("salt"), 1, 32}, gcm256OID, gcmParams{make([]byte, 12), 16})
	if _, err := Open(alg, make([]byte, 32), Passphrase{}, new(sealed.Meter)); !errors.Is(err, sealed.ErrPassphrase) {
		t.Errorf("Open(GCM, wrong passphrase): %v, want %v", err, sealed.ErrPassphrase)
	}
}

func TestOneMeterBoundsAllDerivationsTogether(t *testing.T) {
	alg := pbes2Of(t, pbkdf2OID, pbkdf2In{[]byte("salt"), 50_000, 0}, aes256OID, make([]byte, 16))
	meter := new(sealed.Meter)
	if err := meter.Hash("most of it", crypto.SHA1, 4_900_000, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(alg, make([]byte, 32), Passphrase{}, meter); err != nil { // two blocks of SHA-1 for 32 bytes
		t.Errorf("the last derivation that fits: %v", err)
	}
	_, err := Open(alg, make([]byte, 32), Passphrase{}, meter)
	if _, ok := errors.AsType[*sealed.CostError](err); !ok {
		t.Errorf("one derivation too many: %v, want a CostError", err)
	}
}

func FuzzOpen(f *testing.F) {
	salt, iv := []byte("salt"), make([]byte, 16)
	for _, alg := range []pkix.AlgorithmIdentifier{
		pbes2Of(f, pbkdf2OID, pbkdf2In{salt, 1, 0}, aes256OID, iv),
		pbes2Of(f, pbkdf2OID, pbkdf2In{salt, 1, 32}, gcm256OID, gcmParams{iv[:12], 16}),
		pbes2Of(f, pbkdf2OID, pbkdf2In{salt, 1, 16}, rc2OID, rc2Params{58, iv[:8]}),
		pbes2Of(f, scryptOID, scryptParams{salt, 2, 1, 1, 32}, aes256OID, iv),
	} {
		der, err := asn1.Marshal(alg)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der, make([]byte, 32), "passphrase")
	}
	f.Fuzz(func(t *testing.T, der, data []byte, passphrase string) {
		var alg pkix.AlgorithmIdentifier
		if _, err := asn1.Unmarshal(der, &alg); err != nil {
			return
		}
		for _, p := range Encodings([]byte(passphrase)) {
			before := bytes.Clone(data)
			plain, err := Open(alg, data, p, new(sealed.Meter))
			if err == nil && len(plain) > len(data) || !bytes.Equal(before, data) {
				t.Errorf("Open gives %d bytes of %d, input unchanged: %t", len(plain), len(data), bytes.Equal(before, data))
			}
		}
	})
}
