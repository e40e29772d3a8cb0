package pkcs8

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"

	youmark "github.com/youmark/pkcs8"

	"github.com/seed-363d07a3/jwtbearer/internal/key/check"
	"github.com/seed-363d07a3/jwtbearer/internal/key/keytest"
	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

// The files openssl-*.pem were made with OpenSSL 3.0, whose names of ciphers, functions and schemes they bear:
//
//	openssl pkcs8 -topk8 -in p256.pem -passout pass:correct-Horse7 -v2 aes-128-cbc -v2prf hmacWithSHA512-256
//	openssl pkcs8 -topk8 -in p256.pem -passout pass:correct-Horse7 -v1 PBE-SHA1-2DES -provider legacy -provider default
//	openssl pkcs8 -topk8 -in p256.pem -passout pass:correct-Horse7 -scrypt
//	openssl ec -in p256-sec1.pem -aes192 -passout pass:correct-Horse7        (dek-aes192.pem)
//
// TESTING KEY is what all of them hold.

func TestDecryptOpensWhatOthersWrite(t *testing.T) {
	rsa := []string{
		"035-pbes2-aes-128-cbc-sha1-rsa2048.txt", "038-pbes2-aes-192-cbc-sha256-rsa2048.txt", "050-pbes1-sha1-3des.txt",
		"052-pbes1-md5-des.txt", "057-pbes2-unicode-pass.txt",
	}
	refused := []string{"openssl-aes-256-cfb.pem", "openssl-camellia-256-cbc.pem", "openssl-ed448.pem"}
	passphrases := map[string]string{
		"057-pbes2-unicode-pass.txt":        "pässwörd-€-日本",
		"openssl-PBE-SHA1-3DES-unicode.pem": "pässwörd-€",
	}
	for _, name := range keytest.Files(t) {
		if !slices.Contains(rsa, name) && !strings.HasPrefix(name, "openssl-") && name[0] != '0' || isDEK(name) ||
			slices.Contains(refused, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			der := keytest.ReadPEM(t, name).Bytes
			pass := keytest.Passphrase
			if p := passphrases[name]; p != "" {
				pass = p
			}
			want := keytest.P256
			if slices.Contains(rsa, name) {
				want = keytest.RSA2048
			}
			plain, err := Decrypt(der, []byte(pass))
			if err != nil {
				t.Fatalf("Decrypt(%s): %v", name, err)
			}
			key, err := check.PKCS8(plain)
			if err != nil || keytest.Fingerprint(t, key) != want {
				t.Errorf("Decrypt(%s) gives %s, %v, want %s", name, keytest.Fingerprint(t, key), err, want)
			}
			if strings.HasSuffix(name, "600000.txt") {
				return // it takes long
			}
			if _, err := Decrypt(der, []byte("not-it")); !errors.Is(err, sealed.ErrPassphrase) {
				t.Errorf("Decrypt(%s, wrong passphrase): %v, want %v", name, err, sealed.ErrPassphrase)
			}
			if _, err := Decrypt(der, nil); !errors.Is(err, sealed.ErrNoPassphrase) {
				t.Errorf("Decrypt(%s, nil): %v, want %v", name, err, sealed.ErrNoPassphrase)
			}
		})
	}
}

func isDEK(name string) bool {
	return strings.Contains(name, "dek-") || strings.HasPrefix(name, "071-")
}

func TestDecryptPEMOpensWhatOpenSSLWrites(t *testing.T) {
	for name, want := range map[string]string{
		"031-dek-rsa-aes256.txt":                  keytest.RSA2048,
		"034-dek-ec-params-block-before.txt":      keytest.P256,
		"071-openssh-old-pem-style-encrypted.txt": keytest.RSA2048,
		"dek-aes128.pem":                          keytest.P256,
		"dek-aes192.pem":                          keytest.P256,
		"dek-aes256.pem":                          keytest.P256,
		"dek-des.pem":                             keytest.P256,
		"dek-des3.pem":                            keytest.P256,
	} {
		block := keytest.ReadPEM(t, name)
		info := block.Headers["DEK-Info"]
		der, err := DecryptPEM(info, block.Bytes, []byte(keytest.Passphrase))
		if err != nil {
			t.Errorf("DecryptPEM(%s): %v", name, err)
			continue
		}
		parse := check.PKCS1
		if block.Type == "EC PRIVATE KEY" {
			parse = func(der []byte) (crypto.Signer, error) { return check.SEC1(der, nil) }
		}
		key, err := parse(der)
		if err != nil || keytest.Fingerprint(t, key) != want {
			t.Errorf("DecryptPEM(%s) gives %s, %v, want %s", name, keytest.Fingerprint(t, key), err, want)
		}
		if _, err := DecryptPEM(info, block.Bytes, []byte("not-it")); !errors.Is(err, sealed.ErrPassphrase) {
			t.Errorf("DecryptPEM(%s, wrong passphrase): %v, want %v", name, err, sealed.ErrPassphrase)
		}
		cut := block.Bytes[:len(block.Bytes)-16]
		if _, err := DecryptPEM(info, cut, []byte(keytest.Passphrase)); !isTruncated(err) {
			t.Errorf("DecryptPEM(%s, a block less): %v, want it to say truncated", name, err)
		}
	}
}

func TestDecryptPEMRefuses(t *testing.T) {
	pass := []byte(keytest.Passphrase)
	body := make([]byte, 64)
	for _, row := range []struct{ info, want string }{
		{"", "unsupported"},
		{"CAMELLIA-256-CBC,00000000000000000000000000000000", "unsupported"},
		{"AES-256-CBC", "initialisation vector has 0 bytes"},
		{"AES-256-CBC,00112233", "initialisation vector has 4 bytes"},
		{"AES-256-CBC,not hexadecimal", "not hexadecimal"},
		{"DES-EDE3-CBC,00000000000000000000000000000000", "initialisation vector has 16 bytes"},
	} {
		if _, err := DecryptPEM(row.info, body, pass); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("DecryptPEM(%q): %v, want %q", row.info, err, row.want)
		}
	}
	info := "aes-128-cbc, 00112233445566778899aabbccddeeff"
	if _, err := DecryptPEM(info, body, nil); !errors.Is(err, sealed.ErrNoPassphrase) {
		t.Errorf("DecryptPEM(%q, nil): %v, want %v", info, err, sealed.ErrNoPassphrase)
	}
	if _, err := DecryptPEM(info, body[:63], pass); !isTruncated(err) {
		t.Errorf("DecryptPEM(63 bytes): %v, want it to say truncated", err)
	}
}

func TestDecryptTellsWhatIsWrong(t *testing.T) {
	for name, want := range map[string]string{
		"404-wrong-pkcs8.txt":                    "wrong passphrase",
		"422-wrong-pkcs8-lucky-padding.txt":      "wrong passphrase",
		"516-truncated-encrypted-ciphertext.txt": "truncated: the ciphertext has 1227 bytes",
		"518-encrypted-iv-too-short.txt":         "initialisation vector has 7 bytes",
		"564-kdf-pbkdf2-zero-iterations.txt":     "0 iterations",
		"565-kdf-scrypt-1tb.txt":                 "cost",
		"566-kdf-scrypt-p-huge.txt":              "cost",
		"openssl-aes-256-cfb.pem":                "AES-256-CFB",
		"openssl-camellia-256-cbc.pem":           "Camellia-256-CBC",
	} {
		pass := keytest.Passphrase
		switch name {
		case "404-wrong-pkcs8.txt":
			pass = "not-it"
		case "422-wrong-pkcs8-lucky-padding.txt":
			pass = "wrong64"
		}
		_, err := Decrypt(keytest.ReadPEM(t, name).Bytes, []byte(pass))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Decrypt(%s): %v, want %q", name, err, want)
		}
	}
}

func TestDecryptGivesKeysOfTypesThatItDoesNotKnow(t *testing.T) {
	plain, err := Decrypt(keytest.ReadPEM(t, "openssl-ed448.pem").Bytes, []byte(keytest.Passphrase))
	if err != nil {
		t.Fatalf("Decrypt(an Ed448 key): %v, want the key: the passphrase is right", err)
	}
	if _, err := check.PKCS8(plain); err == nil || !strings.Contains(err.Error(), "Ed448") {
		t.Errorf("check.PKCS8(an Ed448 key): %v, want it to be named", err)
	}
}

func TestDecryptReadsWhatYoumarkWrites(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	want, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	scrypt := func(n, r, p int) youmark.ScryptOpts {
		return youmark.ScryptOpts{SaltSize: 8, CostParameter: n, BlockSize: r, ParallelizationParameter: p}
	}
	for _, opts := range []youmark.Opts{
		{Cipher: youmark.AES256CBC, KDFOpts: scrypt(1<<10, 8, 1)},
		{Cipher: youmark.TripleDESCBC, KDFOpts: scrypt(16, 1, 16)},
	} {
		der, err := youmark.MarshalPrivateKey(key, []byte(keytest.Passphrase), &opts)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decrypt(der, []byte(keytest.Passphrase))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("Decrypt(%+v): %d bytes, %v, want the %d bytes that went in", opts.KDFOpts, len(got), err, len(want))
		}
	}
}

func TestDecryptOfAnyPrefixSaysTruncated(t *testing.T) {
	der := keytest.ReadPEM(t, "036-pbes2-aes-256-cbc-sha1-p256.txt").Bytes
	for n := range der {
		if _, err := Decrypt(der[:n], []byte(keytest.Passphrase)); !isTruncated(err) {
			t.Errorf("Decrypt(the first %d of %d bytes): %v, want it to say truncated", n, len(der), err)
		}
	}
	if _, err := Decrypt(append(slices.Clone(der), "\r\n"...), []byte(keytest.Passphrase)); err != nil {
		t.Errorf("Decrypt with a line end after the key: %v", err)
	}
}

func isTruncated(err error) bool {
	m, ok := errors.AsType[*sealed.MalformedError](err)
	return ok && m.Truncated
}

func FuzzDecrypt(f *testing.F) {
	for _, name := range keytest.Files(f) {
		block := keytest.ReadPEM(f, name)
		f.Add(block.Bytes, block.Headers["DEK-Info"], keytest.Passphrase)
	}
	f.Fuzz(func(t *testing.T, der []byte, dekInfo, passphrase string) {
		for _, err := range []error{second(decrypt(der, []byte(passphrase), keytest.Spent(t))), second(DecryptPEM(dekInfo, der, []byte(passphrase)))} {
			if err != nil && len(passphrase) > 16 && strings.Contains(err.Error(), passphrase) {
				t.Errorf("the error repeats the passphrase: %v", err)
			}
		}
	})
}

func second(_ []byte, err error) error { return err }
