package pfx

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"slices"
	"strings"
	"testing"

	youmark "github.com/youmark/pkcs8"
	pkcs12 "software.sslmate.com/src/go-pkcs12"

	"github.com/seed-363d07a3/jwtbearer/internal/key/keytest"
	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

// The files openssl-*.p12 were made with OpenSSL 3.0 out of one TESTING KEY, keytool-same-key-twice.p12 with keytool of Java:
//
//	openssl pkcs12 -export -inkey p256.pem -in cert.pem -passout pass:correct-Horse7 -legacy
//	openssl pkcs12 -export -inkey p256.pem -in cert.pem -passout pass:correct-Horse7 -nomac
//	keytool -importkeystore -srckeystore one.p12 -srcalias one -destkeystore keytool-same-key-twice.p12 -destalias two

func TestParseReadsWhatOthersWrite(t *testing.T) {
	for _, row := range []struct {
		name, passphrase, key string
		certificates          int
	}{
		{"091-pfx-modern-rsa.bin", keytest.Passphrase, keytest.RSA2048, 1},
		{"093-pfx-modern-ed25519.bin", keytest.Passphrase, keytest.Ed25519, 1},
		{"097-pfx-sha512-mac-aes128.bin", keytest.Passphrase, keytest.RSA2048, 1},
		{"098-pfx-empty-password.bin", "", keytest.RSA2048, 1},
		{"100-pfx-plain-keybag-with-mac.bin", keytest.Passphrase, keytest.RSA2048, 1},
		{"101-pfx-with-chain.bin", keytest.Passphrase, keytest.RSA2048, 2},
		{"107-pfx-java-keytool-legacy.bin", keytest.Passphrase, keytest.RSA2048, 2},
		{"109-pfx-firefox-nss-ber.bin", keytest.Passphrase, keytest.RSA2048, 2},
		{"110-pfx-pbmac1.bin", keytest.Passphrase, keytest.RSA2048, 1},
		{"keytool-same-key-twice.p12", keytest.Passphrase, keytest.P256, 1},
		{"openssl-100000-iterations.p12", keytest.Passphrase, keytest.P256, 1},
		{"openssl-chain.p12", keytest.Passphrase, keytest.P256, 2},
		{"openssl-legacy.p12", keytest.Passphrase, keytest.P256, 1},
		{"openssl-no-certificate.p12", keytest.Passphrase, keytest.P256, 0},
		{"openssl-no-mac.p12", keytest.Passphrase, keytest.P256, 1},
		{"openssl-plain.p12", "", keytest.P256, 1},
		{"openssl-rc4-rc2.p12", keytest.Passphrase, keytest.P256, 1},
		{"openssl-sha384-des3.p12", keytest.Passphrase, keytest.P256, 1},
		{"openssl-unicode.p12", "pässwörd-€", keytest.P256, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			der := keytest.Read(t, row.name)
			b, err := Parse(der, []byte(row.passphrase))
			if err != nil {
				t.Fatalf("Parse(%s): %v", row.name, err)
			}
			if got := keytest.Fingerprint(t, b.Key); got != row.key || len(b.Certificates) != row.certificates {
				t.Errorf("Parse(%s) = key %s, %d certificates, want %s, %d", row.name, got, len(b.Certificates), row.key, row.certificates)
			}
			if row.name == "109-pfx-firefox-nss-ber.bin" || row.name == "openssl-100000-iterations.p12" {
				return // they take long
			}
			other, err := Parse(der, []byte("not-it"))
			switch {
			case row.passphrase != "" && !errors.Is(err, sealed.ErrPassphrase):
				t.Errorf("Parse(%s, wrong passphrase): %v, want %v", row.name, err, sealed.ErrPassphrase)
			case row.passphrase == "" && (err != nil || other.Unneeded != (row.name == "098-pfx-empty-password.bin")):
				t.Errorf("Parse(%s, a passphrase that it does not have): %+v, %v, want the key, and to hear so", row.name, other, err)
			}
			if _, err := Parse(der, nil); !errors.Is(err, sealed.ErrNoPassphrase) && row.passphrase != "" {
				t.Errorf("Parse(%s, nil): %v, want %v", row.name, err, sealed.ErrNoPassphrase)
			}
		})
	}
}

func TestParseReadsWhatGoPKCS12Writes(t *testing.T) {
	key, certificate := keytest.Certified(t)
	_, other := keytest.Certified(t)
	for name, encoder := range map[string]*pkcs12.Encoder{
		"LegacyRC2": pkcs12.LegacyRC2, "LegacyDES": pkcs12.LegacyDES, "Modern2023": pkcs12.Modern2023,
		"Modern2026": pkcs12.Modern2026, "Passwordless": pkcs12.Passwordless,
	} {
		passphrase := keytest.Passphrase
		if name == "Passwordless" {
			passphrase = ""
		}
		der, err := encoder.Encode(key, certificate, []*x509.Certificate{other}, passphrase)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Parse(der, []byte(passphrase))
		if err != nil || !key.Equal(b.Key) {
			t.Errorf("Parse(%s): %v, want the key that went in", name, err)
			continue
		}
		if len(b.Certificates) != 2 || !b.Certificates[0].Equal(certificate) || !b.Certificates[1].Equal(other) {
			t.Errorf("Parse(%s): %d certificates, want the two that went in", name, len(b.Certificates))
		}
	}
}

func TestParseRefuses(t *testing.T) {
	if _, err := Parse(keytest.Read(t, "openssl-plain.p12"), make([]byte, maxPassphrase+1)); err == nil {
		t.Errorf("Parse with a passphrase of %d bytes: no error", maxPassphrase+1)
	}
	for name, want := range map[string]string{
		"444-pfx-only-certificates.bin":   "no private key, only certificates",
		"504-pfx-two-keys.bin":            "two or more different private keys",
		"openssl-20000000-iterations.p12": "20000000 iterations; the limit is",
	} {
		_, err := Parse(keytest.Read(t, name), []byte(keytest.Passphrase))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%s): %v, want %q", name, err, want)
		}
	}
}

func TestParseBoundsAKeyBagThatIsHiddenInAnEncryptedSafe(t *testing.T) {
	// The iterations of the key bag show only after the cheap safe around it has been opened.
	f, err := read(keytest.Read(t, "openssl-20000000-iterations.p12"))
	if err != nil {
		t.Fatal(err)
	}
	var keySafe []byte
	if _, err := asn1.Unmarshal(f.safes[len(f.safes)-1].Content.Bytes, &keySafe); err != nil {
		t.Fatal(err)
	}
	outer := file{safes: []contentInfo{encryptSafe(t, keySafe)}}
	_, err = outer.open(passwords([]byte(keytest.Passphrase))[0], new(sealed.Meter))
	if _, ok := errors.AsType[*sealed.CostError](err); !ok {
		t.Errorf("open: %v, want a CostError", err)
	}
}

// encryptSafe puts a safe under PBES2 with 1000 iterations.
func encryptSafe(t *testing.T, contents []byte) contentInfo {
	t.Helper()
	salt, iv := []byte("salt of 16 bytes"), []byte("iv, of 16 bytes ")
	key, kdf, err := youmark.PBKDF2Opts{IterationCount: 1000, HMACHash: crypto.SHA256}.DeriveKey([]byte(keytest.Passphrase), salt, 32)
	if err != nil {
		t.Fatal(err)
	}
	ciphertext, err := youmark.AES256CBC.Encrypt(key, iv, contents)
	if err != nil {
		t.Fatal(err)
	}
	algorithm := func(oid asn1.ObjectIdentifier, params any) pkix.AlgorithmIdentifier {
		return pkix.AlgorithmIdentifier{Algorithm: oid, Parameters: asn1.RawValue{FullBytes: marshal(t, params)}}
	}
	var e encryptedData
	e.Info.Type = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	e.Info.Algorithm = algorithm(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}, []pkix.AlgorithmIdentifier{
		algorithm(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}, kdf),
		algorithm(youmark.AES256CBC.OID(), iv),
	})
	e.Info.Content = asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, Bytes: ciphertext}
	return contentInfo{
		Type:    asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 6},
		Content: asn1.RawValue{Bytes: marshal(t, e)},
	}
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	der, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestParseOfAnyPrefixSaysTruncated(t *testing.T) {
	for _, name := range []string{"openssl-legacy.p12", "109-pfx-firefox-nss-ber.bin"} {
		der := keytest.Read(t, name)
		for n := range der {
			_, err := Parse(der[:n], []byte(keytest.Passphrase))
			if m, ok := errors.AsType[*sealed.MalformedError](err); !ok || !m.Truncated {
				t.Errorf("Parse(the first %d of %d bytes of %s): %v, want it to say truncated", n, len(der), name, err)
			}
		}
	}
}

func TestToDER(t *testing.T) {
	deep := slices.Concat(bytes.Repeat([]byte{0x30, 0x80}, 100), bytes.Repeat([]byte{0, 0}, 100))
	for _, row := range []struct {
		name     string
		in, want []byte // nil: refused
	}{
		{"DER", []byte{0x30, 3, 2, 1, 5}, []byte{0x30, 3, 2, 1, 5}},
		{"indefinite length", []byte{0x30, 0x80, 2, 1, 5, 0, 0}, []byte{0x30, 3, 2, 1, 5}},
		{"long length", []byte{0x30, 0x83, 0, 0, 3, 2, 1, 5}, []byte{0x30, 3, 2, 1, 5}},
		{"octets in pieces", []byte{0x24, 0x80, 4, 1, 'a', 0x24, 3, 4, 1, 'b', 0, 0}, []byte{4, 2, 'a', 'b'}},
		{"no pieces", []byte{0x24, 0x80, 0, 0}, []byte{4, 0}},
		{"pieces of something else", []byte{0x24, 3, 2, 1, 5}, nil},
		{"indefinite primitive", []byte{4, 0x80, 0, 0}, nil},
		{"no end", []byte{0x30, 0x80, 2, 1, 5}, nil},
		{"child longer than its parent", []byte{0x30, 3, 2, 2, 5, 6}, nil},
		{"long tag", []byte{0x3f, 0x81, 1, 0}, nil},
		{"too deep", deep, nil},
	} {
		got, err := toDER(row.in)
		if !bytes.Equal(got, row.want) || (err == nil) != (row.want != nil) {
			t.Errorf("toDER(%s: %x) = %x, %v, want %x", row.name, row.in, got, err, row.want)
		}
	}
	for _, n := range []int{0, 127, 128, 255, 256, 1<<16 - 1, 1 << 16, 1<<24 - 1, 1 << 24} {
		der := encode(4, make([]byte, n))
		size, length, ok := sealed.Header(der)
		if !ok || length != n || size+length != len(der) || n < 1<<24 && n >= 1<<16 && size != 5 {
			t.Errorf("encode(%d bytes): header of %d bytes, length %d, %t", n, size, length, ok)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range keytest.Files(f) {
		f.Add(keytest.Read(f, name), keytest.Passphrase)
	}
	f.Fuzz(func(t *testing.T, der []byte, passphrase string) {
		b, err := parse(der, []byte(passphrase), keytest.Spent(t))
		if (b == nil) == (err == nil) {
			t.Errorf("Parse gives %v and %v", b, err)
		}
	})
}
