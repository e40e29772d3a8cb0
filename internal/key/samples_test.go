package key

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"testing"
)

// sample is a key in order; its text is what the tests damage.
type sample struct {
	name, text, pass string
	key              crypto.PublicKey
}

// samples are keys of every type in every textual container. All are TESTING KEYs, the same in every run.
func samples(t testing.TB) []sample {
	t.Helper()
	var all []sample
	rsaKey := storedRSA(t)
	all = append(all, sample{"PKCS#1", armour("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)), "", rsaKey.Public()})
	all = append(all, pkcs8Sample(t, "PKCS#8 RSA", rsaKey))
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key := scalarKey(t, curve, bytes.Repeat([]byte{1}, (curve.Params().BitSize+7)/8))
		der, err := x509.MarshalECPrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		name := curve.Params().Name
		all = append(all, sample{"SEC1 " + name, armour("EC PRIVATE KEY", der), "", key.Public()}, pkcs8Sample(t, "PKCS#8 "+name, key))
	}
	all = append(all, pkcs8Sample(t, "PKCS#8 Ed25519", ed25519.NewKeyFromSeed([]byte("32 bytes, seed of a TESTING KEY."))))
	for _, c := range keyCases(t) {
		if !storedSamples[c.ID] {
			continue
		}
		text := c.input(t)
		key, err := Load(text, c.Passphrase, Options{})
		if err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		all = append(all, sample{c.ID, string(text), c.Passphrase, key.Signer.Public()})
	}
	return all
}

func storedRSA(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := Load((&keyCase{File: "cases/031-dek-rsa-aes256.txt"}).input(t), "correct-Horse7", Options{})
	if err != nil {
		t.Fatal(err)
	}
	return key.Signer.(*rsa.PrivateKey)
}

func scalarKey(t testing.TB, curve elliptic.Curve, scalar []byte) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.ParseRawPrivateKey(curve, scalar)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// storedSamples are the containers which Go cannot write.
var storedSamples = map[string]bool{
	"031-dek-rsa-aes256": true, "035-pbes2-aes-128-cbc-sha1-rsa2048": true, "058-openssh-rsa2048": true, "060-openssh-p384": true,
	"206-openssh-no-final-newline": true, "074-ppk2-p521": true, "076-ppk2-pass-rsa": true,
}

func armour(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

func pkcs8Sample(t testing.TB, name string, key crypto.Signer) sample {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return sample{name, armour("PRIVATE KEY", der), "", key.Public()}
}
