package jwtbearer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer/internal/key"
	"github.com/seed-363d07a3/jwtbearer/internal/key/keytest"
)

// keySamples are files of one key each, in a dozen containers.
var keySamples = []struct{ file, format string }{
	{"003-pkcs1-rsa4096.txt", "PKCS#1"},
	{"010-pkcs8-p256.txt", "PKCS#8"},
	{"020-sec1-p256.txt", "SEC1"},
	{"031-dek-rsa-aes256.txt", "encrypted PEM"},
	{"035-pbes2-aes-128-cbc-sha1-rsa2048.txt", "encrypted PKCS#8"},
	{"058-openssh-rsa2048.txt", "OpenSSH"},
	{"074-ppk2-p521.txt", "PPK 2"},
	{"084-ppk3-argon2id-p256.txt", "PPK 3"},
	{"091-pfx-modern-rsa.bin", "PKCS#12"},
	{"117-jwk-rsa-minified.txt", "JWK"},
	{"143-sa-json-minified.txt", "service account JSON"},
	{"155-box-json-passphrase-inside.txt", "Box JSON"},
}

func keySample(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("internal/key/testdata/keys/cases/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestParsePrivateKeyHandsOnAllThatWasLoaded(t *testing.T) {
	for _, s := range keySamples {
		data := keySample(t, s.file)
		got, err := ParsePrivateKey(data, keytest.Passphrase)
		if err != nil {
			t.Errorf("ParsePrivateKey(%s): %v", s.file, err)
			continue
		}
		if got.Format != s.format {
			t.Errorf("ParsePrivateKey(%s).Format = %q, want %q", s.file, got.Format, s.format)
		}
		want, err := key.Load(data, keytest.Passphrase, key.Options{})
		if err != nil || !key.Same(want.Signer.Public(), got.Signer.Public()) || got.KeyID != want.KeyID || len(got.Certificates) != len(want.Certificates) {
			t.Errorf("ParsePrivateKey(%s) = %v, want what was loaded: %v", s.file, got, err)
		}
	}
}

func TestKeyErrorsHaveThePrefixOnceAndTellTheLine(t *testing.T) {
	input := []byte("one\n-----BEGIN PRIVATE KEY-----\nMIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQ\n")
	_, loading := ParsePrivateKey(input, "")
	fixed, fixes, fixing := FixPEM(input)
	for name, err := range map[string]error{"ParsePrivateKey": loading, "FixPEM": fixing} {
		e, ok := errors.AsType[*KeyError](err)
		if !ok || e.Line != 2 || e.Found != "PKCS#8 private key" || e.Problem == "" || e.Hint == "" {
			t.Errorf("%s: %#v, want a *KeyError about line 2", name, err)
			continue
		}
		if text := e.Error(); !strings.HasPrefix(text, "jwtbearer: private key: PKCS#8 private key in line 2: ") || strings.Count(text, "jwtbearer") != 1 {
			t.Errorf("%s: %q, want the prefix, once", name, text)
		}
	}
	if fixed != nil || fixes != nil {
		t.Errorf("FixPEM gave %d bytes and %q beside an error", len(fixed), fixes)
	}
}

func TestFixPEMRepairsAndNamesTheRepair(t *testing.T) {
	clean := keySample(t, "010-pkcs8-p256.txt")
	if fixed, fixes, err := FixPEM(clean); err != nil || len(fixes) != 0 || !bytes.Equal(fixed, clean) {
		t.Errorf("FixPEM(a key in order) = %d bytes, %q, %v, want it as it is", len(fixed), fixes, err)
	}
	damaged := bytes.ReplaceAll(clean, []byte("\n"), []byte(`\n`))
	if fixed, fixes, err := FixPEM(damaged); err != nil || len(fixes) != 1 || !bytes.Equal(fixed, clean) {
		t.Errorf("FixPEM(literal newlines) = %d bytes, %q, %v, want the key as it was and one fix", len(fixed), fixes, err)
	}
}

func TestPrivateKeyShowsNoKey(t *testing.T) {
	for _, s := range keySamples {
		key, err := ParsePrivateKey(keySample(t, s.file), keytest.Passphrase)
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("key", "key", key, "value", *key)
		text, err := json.Marshal(map[string]any{"pointer": key, "value": *key})
		if err != nil {
			t.Fatal(err)
		}
		all := fmt.Sprintf("%v %+v %#v %s %q %x %v %+v %#v", key, key, key, key, key, key, *key, *key, *key) + log.String() + string(text)
		if !strings.Contains(all, key.Format) {
			t.Errorf("%s: %q does not tell the format", s.file, all)
		}
		for _, part := range []string{"0x", "[", "{", "D:"} {
			if strings.Contains(fmt.Sprintf("%v %+v %#v", key, *key, *key), part) {
				t.Errorf("%s: %+v looks like the inside of a key", s.file, key)
			}
		}
	}
}
