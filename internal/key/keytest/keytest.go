// Package keytest reads the sample keys of the tests. All of them are TESTING KEYs, made to be published.
package keytest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

// Passphrase opens the samples that are encrypted, unless a test says otherwise.
const Passphrase = "correct-Horse7"

// The fingerprints of the keys that the samples hold.
const (
	RSA2048 = "a356533ff066e72fb4c5e55d1808d615eea108787437440eda2c2ef2cafe37dd"
	RSA4096 = "de2becc764b3cfddd8cd034af35ef8cbf5d9f1951dc6adabe0bbb5df146d32e6"
	P256    = "3b45a00db1f61b6e25b2dc43c39fe60f85c41c1cb516da5b38b5e5185ae4a65c"
	P384    = "8c6993a5ceaa1869da27a9addf3a82a3468cf98d4c4bb1402dec7d0489998fa7"
	P521    = "0144f9c1c9b8989722da37251681cc1f17a837fd8c879bc0b9908e372b2227df"
	Ed25519 = "01d5b618231f2c8c6bf30f76702c7c0ac49dc241c926bb5e9ba72fcda11ef7dc"
)

// Fingerprint is the lower-case hexadecimal SHA-256 of the SubjectPublicKeyInfo of a key, or "" for none.
func Fingerprint(t testing.TB, key crypto.Signer) string {
	t.Helper()
	if key == nil {
		return ""
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(spki)
	return hex.EncodeToString(sum[:])
}

// Read returns a file of testdata.
func Read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// ReadPEM returns the last PEM block of a file of testdata.
func ReadPEM(t testing.TB, name string) *pem.Block {
	t.Helper()
	var last *pem.Block
	for block, rest := pem.Decode(Read(t, name)); block != nil; block, rest = pem.Decode(rest) {
		last = block
	}
	if last == nil {
		t.Fatalf("%s holds no PEM block", name)
	}
	return last
}

// Files returns the names of the files of testdata.
func Files(t testing.TB) (names []string) {
	t.Helper()
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() { // testdata/fuzz
			names = append(names, e.Name())
		}
	}
	return names
}

// Spent is a Meter with so little left that no derivation takes long: coverage makes those of a fuzz target ten times as slow.
func Spent(t testing.TB) *sealed.Meter {
	t.Helper()
	meter := new(sealed.Meter)
	if err := meter.Hash("PBKDF2", crypto.SHA1, 4_990_000, 1); err != nil {
		t.Fatal(err)
	}
	return meter
}

// Certified returns a new P-256 key and a certificate of it.
func Certified(t testing.TB) (*ecdsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "TESTING KEY"},
		NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return key, certificate
}
