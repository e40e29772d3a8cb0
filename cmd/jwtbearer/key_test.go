package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const cases = "../../internal/key/testdata/keys/cases/"

type result struct {
	status      int
	out, errors string
}

// command runs jwtbearer, which TestMain puts into PATH, with an environment that holds no passphrase but the one given.
func command(t *testing.T, stdin, passphrase string, args ...string) result {
	t.Helper()
	cmd := exec.Command("jwtbearer", args...)
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), raceSettings}
	if passphrase != "" {
		cmd.Env = append(cmd.Env, passphraseVariable+"="+passphrase)
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatalf("%q: %v", args, err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(cases + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestKeyExitStatusTellsWhoSaidNo(t *testing.T) {
	wrong := filepath.Join(t.TempDir(), "pass")
	if err := os.WriteFile(wrong, []byte("not-it\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const encrypted = cases + "035-pbes2-aes-128-cbc-sha1-rsa2048.txt"
	for _, test := range []struct {
		name        string
		stdin, pass string
		args        []string
		status      int
		errors      string
	}{
		{"a key in order", "", "", []string{"key", cases + "010-pkcs8-p256.txt"}, 0, ""},
		{"from stdin", read(t, "010-pkcs8-p256.txt"), "", []string{"key", "-"}, 0, ""},
		{"passphrase from the environment", "", "correct-Horse7", []string{"key", encrypted}, 0, ""},
		{"no passphrase", "", "", []string{"key", encrypted}, 1, "no passphrase was given"},
		{"wrong passphrase", "", "", []string{"key", encrypted, "--passphrase-file", wrong}, 1, "wrong passphrase"},
		{"a certificate", "", "", []string{"key", cases + "424-certificate-der.bin"}, 1, "certificate"},
		{"truncated", "", "", []string{"key", cases + "507-truncated-no-end.txt"}, 1, "truncated"},
		{"nothing on stdin", "", "", []string{"key", "-"}, 1, "empty"},
		{"too long", strings.Repeat("A", 1<<20+100), "", []string{"key", "-"}, 1, "1 MiB"},
		{"no file", "", "", []string{"key", "testdata/none.pem"}, 2, "none.pem"},
		{"no passphrase file", "", "", []string{"key", encrypted, "--passphrase-file", "none.txt"}, 2, "none.txt"},
		{"no argument", "", "", []string{"key"}, 2, "arg"},
		{"unknown flag", "", "", []string{"key", "-", "--passphrase", "x"}, 2, "unknown flag"},
		{"unknown output", "", "", []string{"key", "-", "--out", "der"}, 2, "--out"},
		{"two outputs", "", "", []string{"key", "-", "--out", "jwk", "--json"}, 2, "json"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := command(t, test.stdin, test.pass, test.args...)
			if got.status != test.status || !strings.Contains(got.errors, test.errors) {
				t.Errorf("status %d, errors %q, want %d and %q", got.status, got.errors, test.status, test.errors)
			}
			if got.status != 0 && got.out != "" {
				t.Errorf("output %q beside an error", got.out)
			}
			if strings.Contains(got.out+got.errors, "correct-Horse7") || strings.Contains(got.errors, "not-it") {
				t.Error("the passphrase is in the output")
			}
		})
	}
}

func TestKeyPassphraseFileMayEndInANewline(t *testing.T) {
	for _, end := range []string{"", "\n", "\r\n"} {
		file := filepath.Join(t.TempDir(), "pass")
		if err := os.WriteFile(file, []byte("correct-Horse7"+end), 0o600); err != nil {
			t.Fatal(err)
		}
		got := command(t, "", "", "key", cases+"084-ppk3-argon2id-p256.txt", "--passphrase-file", file)
		if got.status != 0 || !strings.Contains(got.out, "PPK 3") || strings.Contains(got.out, "passphrase") {
			t.Errorf("with %q at the end: %+v", end, got)
		}
	}
}

func TestKeyJSONTellsFormatTypeFingerprintAndFixes(t *testing.T) {
	for _, test := range []struct {
		file, format, kind, fingerprint string
		fixes                           int
	}{
		{"010-pkcs8-p256.txt", "PKCS#8", "EC P-256", "3b45a00db1f61b6e25b2dc43c39fe60f85c41c1cb516da5b38b5e5185ae4a65c", 0},
		{"172-literal-n-pkcs8.txt", "PKCS#8", "RSA 2048", "a356533ff066e72fb4c5e55d1808d615eea108787437440eda2c2ef2cafe37dd", 1},
		{"143-sa-json-minified.txt", "service account JSON", "RSA 2048", "a356533ff066e72fb4c5e55d1808d615eea108787437440eda2c2ef2cafe37dd", 0},
		{"132-der-pkcs8-ed25519.bin", "PKCS#8", "Ed25519", "01d5b618231f2c8c6bf30f76702c7c0ac49dc241c926bb5e9ba72fcda11ef7dc", 0},
	} {
		got := command(t, "", "", "key", "--json", cases+test.file)
		var have struct {
			Format, Type, Fingerprint string
			Fixes                     []string
		}
		if err := json.Unmarshal([]byte(got.out), &have); err != nil {
			t.Fatalf("%s: %v in %q", test.file, err, got.out)
		}
		if have.Format != test.format || have.Type != test.kind || have.Fingerprint != test.fingerprint || len(have.Fixes) != test.fixes || have.Fixes == nil {
			t.Errorf("%s: got %+v, want %+v", test.file, have, test)
		}
	}
}

// Whatever is written must read as the same key again, with nothing left to repair.
func TestKeyOutIsInOrder(t *testing.T) {
	for _, file := range []string{"172-literal-n-pkcs8.txt", "010-pkcs8-p256.txt", "194-newlines-to-spaces-openssh.txt", "107-pfx-java-keytool-legacy.bin", "012-pkcs8-p521.txt"} {
		want := command(t, "", "correct-Horse7", "key", "--json", cases+file)
		for _, out := range []string{"pkcs8", "jwk"} {
			written := command(t, "", "correct-Horse7", "key", cases+file, "--out", out)
			again := command(t, written.out, "", "key", "--json", "-")
			if again.status != 0 || fingerprintIn(t, again.out) != fingerprintIn(t, want.out) || !strings.Contains(again.out, `"fixes":[]`) {
				t.Errorf("%s as %s: status %d, %q and %q", file, out, again.status, again.out, again.errors)
			}
		}
		public := command(t, "", "correct-Horse7", "key", cases+file, "--out", "public")
		if !strings.HasPrefix(public.out, "-----BEGIN PUBLIC KEY-----\n") || strings.Contains(public.out, "PRIVATE") {
			t.Errorf("%s as public: %q", file, public.out)
		}
	}
}

func fingerprintIn(t *testing.T, out string) string {
	t.Helper()
	var have struct{ Fingerprint string }
	if err := json.Unmarshal([]byte(out), &have); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	return have.Fingerprint
}

func TestKeyTableNamesRepairsAndCertificates(t *testing.T) {
	got := command(t, "", "", "key", cases+"166-openssl-pkcs12-bag-attributes.txt")
	for _, want := range []string{"Format:       PKCS#8\n", "Type:         RSA 2048\n", "Fingerprint:  a356533f", "Certificate:  \"CN=api.example.test", "Repaired:     nothing\n"} {
		if !strings.Contains(got.out, want) {
			t.Errorf("table %q lacks %q", got.out, want)
		}
	}
	if got = command(t, "", "", "key", cases+"172-literal-n-pkcs8.txt"); !strings.Contains(got.out, `literal \n`) {
		t.Errorf("table %q does not tell the repair", got.out)
	}
}

// Snowflake shows fingerprints in base64, and a service account's file says whom its key is for.
func TestKeyTellsWhatAPIsAskFor(t *testing.T) {
	text := read(t, "143-sa-json-minified.txt")
	var file struct {
		KeyID string `json:"private_key_id"`
		ID    string `json:"client_id"`
		Email string `json:"client_email"`
	}
	if err := json.Unmarshal([]byte(text), &file); err != nil || file.KeyID == "" || file.Email == "" {
		t.Fatalf("the sample has no kid or e-mail: %v", err)
	}
	got := command(t, text, "", "key", "-")
	asJSON := command(t, text, "", "key", "-", "--json")
	var said struct{ Fingerprint, FingerprintSHA256, Kid, ClientID, ClientEmail string }
	if err := json.Unmarshal([]byte(asJSON.out), &said); err != nil {
		t.Fatal(err)
	}
	sum, err := hex.DecodeString(said.Fingerprint)
	if err != nil || said.FingerprintSHA256 != "SHA256:"+base64.StdEncoding.EncodeToString(sum) {
		t.Errorf("--json says %+v, want both forms of one fingerprint", said)
	}
	if said.Kid != file.KeyID || said.ClientID != file.ID || said.ClientEmail != file.Email {
		t.Errorf("--json says %+v, want what the file has", said)
	}
	for _, want := range []string{said.FingerprintSHA256, said.Fingerprint, file.KeyID, file.ID, file.Email} {
		if !strings.Contains(got.out, want) {
			t.Errorf("the table has no %s:\n%s", want, got.out)
		}
	}
}

func TestKeyTellsThatAKeyIsForPSSAlone(t *testing.T) {
	name := cases + "018-pkcs8-rsa-pss-oid.txt"
	if got := command(t, "", "", "key", name); got.status != 0 || !strings.Contains(got.out, "PS256, PS384, PS512 alone") {
		t.Errorf("key says %q, want the methods", got.out)
	}
	if got := command(t, "", "", "key", name, "--out", "public"); got.status != 0 || !strings.Contains(got.errors, "PS256") {
		t.Errorf("key --out public says %q on stderr, want a note that the restriction is lost", got.errors)
	}
}
