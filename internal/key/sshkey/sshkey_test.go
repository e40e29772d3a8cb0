package sshkey

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/seed-363d07a3/jwtbearer/internal/key/check"
	"github.com/seed-363d07a3/jwtbearer/internal/key/keytest"
	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

// The files ssh-keygen-*.pem were made with OpenSSH 9.2 out of one TESTING KEY:
//
//	ssh-keygen -p -f p256.pem -N correct-Horse7 -Z chacha20-poly1305@openssh.com -a 1

func TestParseReadsWhatOpenSSHWrites(t *testing.T) {
	for _, name := range keytest.Files(t) {
		want := keytest.P256
		switch {
		case strings.HasPrefix(name, "058"):
			want = keytest.RSA2048
		case strings.HasPrefix(name, "060"):
			want = keytest.P384
		case strings.HasPrefix(name, "061"):
			want = keytest.P521
		case name[0] == '4', name[0] == '5', strings.Contains(name, "2000"):
			continue
		}
		t.Run(name, func(t *testing.T) {
			body := keytest.ReadPEM(t, name).Bytes
			key, err := Parse(body, []byte(keytest.Passphrase))
			if got := keytest.Fingerprint(t, key); err != nil || got != want {
				t.Errorf("Parse(%s) = %s, %v, want %s", name, got, err, want)
			}
			if !strings.HasPrefix(name, "ssh-keygen") {
				return // plain, or takes long
			}
			if _, err := Parse(body, []byte("not-it")); !errors.Is(err, sealed.ErrPassphrase) {
				t.Errorf("Parse(%s, wrong passphrase): %v, want %v", name, err, sealed.ErrPassphrase)
			}
			if _, err := Parse(body, nil); !errors.Is(err, sealed.ErrNoPassphrase) {
				t.Errorf("Parse(%s, nil): %v, want %v", name, err, sealed.ErrNoPassphrase)
			}
		})
	}
}

func TestParseRefusesByName(t *testing.T) {
	cipher := keytest.ReadPEM(t, "ssh-keygen-aes256-ctr.pem").Bytes
	replace := func(old, replacement string) []byte {
		return bytes.Replace(cipher, []byte(old), []byte(replacement), 1)
	}
	several := slices.Clone(keytest.ReadPEM(t, "058-openssh-rsa2048.txt").Bytes)
	several[len(magic)+8+8+4+3] = 2 // after "none", "none" and ""
	for _, row := range []struct {
		name, want string
		body       []byte
	}{
		{"security key", "security key", keytest.ReadPEM(t, "448-openssh-security-key.txt").Bytes},
		{"truncated", "truncated", keytest.ReadPEM(t, "511-truncated-openssh.txt").Bytes},
		{"2000 rounds", "bcrypt_pbkdf with 2000 rounds", keytest.ReadPEM(t, "ssh-keygen-rounds-2000.pem").Bytes},
		{"cipher", "cipher other than", replace("aes256-ctr", "aes999-ctr")},
		{"key derivation", "key derivation other than bcrypt", replace("bcrypt", "scrypt")},
		{"two keys", "2 keys", several},
		{"type", "unknown type", replace("ecdsa-sha2-nistp256", "ecdsa-sha3-nistp256")},
		{"DSA", "DSA key", (&container{public: appendString(nil, []byte("ssh-dss"))}).plain(nil)},
		{"nothing", "does not begin", nil},
	} {
		_, err := Parse(row.body, []byte(keytest.Passphrase))
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("Parse(%s): %v, want %q", row.name, err, row.want)
		}
	}
}

func TestParseRefusesAForeignPublicHalf(t *testing.T) {
	// TESTING KEYs, of seeds of one letter.
	own, foreign := ed25519.NewKeyFromSeed(bytes.Repeat([]byte("a"), 32)), ed25519.NewKeyFromSeed(bytes.Repeat([]byte("b"), 32))
	for _, row := range []struct {
		name           string
		outside, inner ed25519.PrivateKey
		ok             bool
	}{
		{"own", own, own, true},
		{"foreign in the private section", own, slices.Concat(own[:32], foreign[32:]), false},
		{"foreign in front", foreign, own, false},
		{"foreign in both", foreign, slices.Concat(own[:32], foreign[32:]), false},
	} {
		block, err := ssh.MarshalPrivateKey(row.inner, "")
		if err != nil {
			t.Fatal(err)
		}
		body := bytes.Replace(block.Bytes, row.inner[32:], row.outside[32:], 1)
		key, err := Parse(body, nil)
		if _, mismatch := errors.AsType[*check.MismatchError](err); mismatch == row.ok || (key != nil) != row.ok {
			t.Errorf("Parse(%s) = %T, %v, accepted should be %t", row.name, key, err, row.ok)
		}
	}
}

func TestParseOfAnyPrefixSaysTruncated(t *testing.T) {
	for _, name := range []string{"058-openssh-rsa2048.txt", "ssh-keygen-aes128-gcm.pem"} {
		body := keytest.ReadPEM(t, name).Bytes
		for n := len(magic); n < len(body); n++ {
			_, err := Parse(body[:n], []byte(keytest.Passphrase))
			if m, ok := errors.AsType[*sealed.MalformedError](err); !ok || !m.Truncated {
				t.Errorf("Parse(the first %d of %d bytes of %s): %v, want it to say truncated", n, len(body), name, err)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range keytest.Files(f) {
		body := keytest.ReadPEM(f, name).Bytes
		if i := bytes.Index(body, []byte("bcrypt")); i > 0 { // one round, so that the fuzzer gets somewhere
			saltLen := int(binary.BigEndian.Uint32(body[i+10:]))
			binary.BigEndian.PutUint32(body[i+14+saltLen:], 1)
		}
		f.Add(body, keytest.Passphrase)
	}
	f.Fuzz(func(t *testing.T, body []byte, passphrase string) {
		if c, err := read(body); err == nil && c.rounds > 2 {
			return // coverage makes bcrypt ten times as slow
		}
		key, err := Parse(body, []byte(passphrase))
		if (key == crypto.Signer(nil)) == (err == nil) {
			t.Errorf("Parse gives %T and %v", key, err)
		}
		if err != nil {
			return
		}
		_, err = ssh.ParseRawPrivateKey(pem.EncodeToMemory(&pem.Block{Type: "OPENSSH PRIVATE KEY", Bytes: body}))
		if _, missing := errors.AsType[*ssh.PassphraseMissingError](err); err != nil && !missing {
			t.Errorf("Parse reads a plain key that x/crypto/ssh does not: %v", err)
		}
	})
}
