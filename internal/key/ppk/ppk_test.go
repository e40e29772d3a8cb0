package ppk

import (
	"bytes"
	"crypto"
	"errors"
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer/internal/key/keytest"
	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

// The files puttygen-*.ppk were made with PuTTYgen 0.78 and hold TESTING KEYs:
//
//	puttygen p256.pem -o puttygen-argon2d.ppk -O private --new-passphrase passphrase.txt \
//	    --ppk-param version=3,kdf=argon2d,memory=1024,passes=3,parallelism=2
//	puttygen p256.pem -o puttygen-plain-v2.ppk -O private --new-passphrase /dev/null --ppk-param version=2
//	puttygen -t ed448 -o puttygen-ed448.ppk --new-passphrase /dev/null
var samples = map[string]string{
	"074-ppk2-p521.txt":                          keytest.P521,
	"076-ppk2-pass-rsa.txt":                      keytest.RSA2048,
	"078-ppk2-pass-ed25519.txt":                  keytest.Ed25519,
	"083-ppk3-argon2id-rsa4096-default-cost.txt": keytest.RSA4096,
	"084-ppk3-argon2id-p256.txt":                 keytest.P256,
	"085-ppk3-argon2id-p521.txt":                 keytest.P521,
	"086-ppk3-argon2id-ed25519.txt":              keytest.Ed25519,
	"puttygen-argon2i.ppk":                       keytest.P256,
	"puttygen-argon2id.ppk":                      keytest.P256,
	"puttygen-plain-rsa.ppk":                     keytest.RSA2048,
	"puttygen-plain-v2.ppk":                      keytest.P256,
	"puttygen-plain-v3.ppk":                      keytest.P256,
	"puttygen-v2.ppk":                            keytest.P256,
}

func TestParseReadsWhatPuTTYgenWrites(t *testing.T) {
	for name, want := range samples {
		t.Run(name, func(t *testing.T) {
			text := keytest.Read(t, name)
			key, err := Parse(text, []byte(keytest.Passphrase))
			if err != nil || keytest.Fingerprint(t, key) != want {
				t.Fatalf("Parse(%s) = %s, %v, want %s", name, keytest.Fingerprint(t, key), err, want)
			}
			plain := bytes.Contains(text, []byte("Encryption: none"))
			checkPassphrases(t, text, plain)
		})
	}
}

func checkPassphrases(t *testing.T, text []byte, plain bool) {
	t.Helper()
	for _, row := range []struct {
		passphrase string
		want       error
	}{{"not-it", sealed.ErrPassphrase}, {"", sealed.ErrNoPassphrase}} {
		want := row.want
		if plain {
			want = nil // whatever the passphrase
		}
		if _, err := Parse(text, []byte(row.passphrase)); !errors.Is(err, want) {
			t.Errorf("Parse with passphrase %q: %v, want %v", row.passphrase, err, want)
		}
	}
}

func TestParseTakesAllLineEnds(t *testing.T) {
	text := bytes.ReplaceAll(keytest.Read(t, "puttygen-v2.ppk"), []byte("\r\n"), []byte("\n"))
	for _, end := range []string{"\n", "\r\n", "\r"} {
		in := bytes.ReplaceAll(text, []byte("\n"), []byte(end))
		for _, in := range [][]byte{in, bytes.TrimRight(in, "\r\n"), append(in, "\nmore text\n"...)} {
			key, err := Parse(in, []byte(keytest.Passphrase))
			if got := keytest.Fingerprint(t, key); err != nil || got != keytest.P256 {
				t.Errorf("Parse with line end %q, %d bytes: %s, %v, want %s", end, len(in), got, err, keytest.P256)
			}
		}
	}
}

func TestParseRefusesByName(t *testing.T) {
	for name, want := range map[string]string{
		"498-ppk-version-1.txt":       "version 1",
		"088-ppk3-argon2d.txt":        "Argon2d",
		"puttygen-argon2d.ppk":        "Argon2d",
		"533-ppk2-mac-mismatch.txt":   "damaged: the MAC does not match",
		"534-ppk2-comment-edited.txt": "comment",
		"567-kdf-ppk-argon2-2tb.txt":  "cost of its key derivation is too high: Argon2 with 2000000000 KiB",
		"puttygen-dsa.ppk":            "DSA key",
		"puttygen-ed448.ppk":          "Ed448 key",
	} {
		key, err := Parse(keytest.Read(t, name), []byte(keytest.Passphrase))
		if key != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%s) = %T, %v, want %q", name, key, err, want)
		}
	}
}

func TestParseRefusesEditedFiles(t *testing.T) {
	plain, encrypted := keytest.Read(t, "puttygen-plain-v3.ppk"), keytest.Read(t, "puttygen-v2.ppk")
	edit := func(text []byte, old, replacement string) []byte {
		if !bytes.Contains(text, []byte(old)) {
			t.Fatalf("the sample does not hold %q", old)
		}
		return bytes.Replace(text, []byte(old), []byte(replacement), 1)
	}
	for _, row := range []struct {
		name, want string
		text       []byte
	}{
		{"unknown type", "unknown type", edit(plain, "ecdsa-sha2-nistp256", "ssh-unheard-of")},
		{"another type", "damaged", edit(plain, "ecdsa-sha2-nistp256", "ssh-ed25519")},
		{"version 4", "version other than", edit(plain, "File-3", "File-4")},
		{"version 3 without its lines", "Key-Derivation is not where it belongs", edit(encrypted, "File-2", "File-3")},
		{"cipher", "cipher other than", edit(plain, "Encryption: none", "Encryption: rot13")},
		{"missing line", "Comment is not where it belongs", edit(plain, "Comment: ", "Remark: ")},
		{"huge line count", "truncated", edit(plain, "Private-Lines: 1", "Private-Lines: 18446744073709551615")},
		{"no line count", "not a number", edit(plain, "Private-Lines: 1", "Private-Lines: one")},
		{"comment of an encrypted key", "altered", edit(encrypted, "Comment: ", "Comment: my ")},
	} {
		_, err := Parse(row.text, []byte(keytest.Passphrase))
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("Parse(%s): %v, want %q", row.name, err, row.want)
		}
	}
}

func TestParseOfAPrefixSaysTruncated(t *testing.T) {
	for _, name := range []string{"puttygen-v2.ppk", "puttygen-plain-v3.ppk"} {
		text := bytes.TrimRight(keytest.Read(t, name), "\r\n")
		for n := range text {
			_, err := Parse(text[:n], []byte(keytest.Passphrase))
			m, ok := errors.AsType[*sealed.MalformedError](err)
			if !ok || !m.Truncated {
				t.Errorf("Parse(the first %d of %d bytes of %s): %v, want it to say truncated", n, len(text), name, err)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range keytest.Files(f) {
		if !strings.Contains(name, "083") { // takes long
			f.Add(keytest.Read(f, name), keytest.Passphrase)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, passphrase string) {
		key, err := Parse(text, []byte(passphrase))
		if (key == crypto.Signer(nil)) == (err == nil) {
			t.Errorf("Parse gives %T and %v", key, err)
		}
	})
}

func TestErrorsRepeatNoLongPieceOfTheFile(t *testing.T) {
	text := string(keytest.Read(t, "puttygen-argon2id.ppk"))
	for _, row := range []struct{ old, replacement string }{
		{"Argon2-Memory: 1024", "Argon2-Memory: 18446744073709551615"},
		{"Argon2-Passes: 3", "Argon2-Passes: 18446744073709551615"},
		{"Argon2-Parallelism: 2", "Argon2-Parallelism: 18446744073709551615"},
		{"Argon2-Parallelism: 2", "Argon2-Parallelism: a secret, in the wrong place"},
		{"Argon2-Parallelism: 2", "Argon2-Parallel: 2"},
		{"Key-Derivation: Argon2id", "Key-Derivation: a secret, in the wrong place"},
		{"Encryption: aes256-cbc", "Encryption: a secret, in the wrong place"},
	} {
		in := strings.Replace(text, row.old, row.replacement, 1)
		_, err := Parse([]byte(in), []byte(keytest.Passphrase))
		if err == nil || in == text {
			t.Errorf("Parse(%s): %v, changed %t, want an error", row.replacement, err, in != text)
			continue
		}
		for i := range len(err.Error()) - 15 {
			if piece := err.Error()[i : i+16]; strings.Contains(in, piece) {
				t.Errorf("Parse(%s): %v repeats %q", row.replacement, err, piece)
			}
		}
	}
}
