package key

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// keyCase is a line of testdata/keys/manifest.json; testdata/keys/README.md tells what the fields mean.
type keyCase struct {
	ID          string     `json:"id"`
	File        string     `json:"file"`
	Generator   []keyPiece `json:"generator"`
	Passphrase  string     `json:"passphrase"`
	Expect      string     `json:"expect"`
	SameKeyAs   string     `json:"same_key_as"`
	MustMention []string   `json:"must_mention"`
	Repairs     string     `json:"repairs"`
	ExplainAny  []string   `json:"explain_any"`
	AlsoAccept  string     `json:"also_accept"`
	Limits      any        `json:"limits"` // kept by BenchmarkLoadWithinLimits
}

type keyPiece struct {
	Text, Hex, File string
	Times           int
}

func keyCases(t testing.TB) []keyCase {
	t.Helper()
	data, err := os.ReadFile("testdata/keys/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []keyCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

func (c *keyCase) input(t testing.TB) []byte {
	t.Helper()
	if c.File != "" {
		data, err := os.ReadFile(filepath.Join("testdata/keys", c.File))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	var b []byte
	for _, p := range c.Generator {
		piece := []byte(p.Text)
		switch {
		case p.Hex != "":
			piece, _ = hex.DecodeString(p.Hex)
		case p.File != "":
			piece = (&keyCase{File: p.File}).input(t)
		}
		b = append(b, bytes.Repeat(piece, max(p.Times, 1))...)
	}
	return b
}

// fingerprint is the lower-case hexadecimal SHA-256 of the SPKI.
func fingerprintOf(t testing.TB, key *Key) string {
	t.Helper()
	spki, err := x509.MarshalPKIXPublicKey(key.Signer.Public())
	if err != nil {
		t.Fatalf("MarshalPKIXPublicKey: %v", err)
	}
	sum := sha256.Sum256(spki)
	return hex.EncodeToString(sum[:])
}

func TestLoadKeepsTheManifest(t *testing.T) {
	for _, c := range keyCases(t) {
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			input := c.input(t)
			before := bytes.Clone(input)
			key, err := Load(input, c.Passphrase, Options{})
			if !bytes.Equal(input, before) {
				t.Error("the input was changed")
			}
			c.check(t, input, key, err)
		})
	}
}

func (c *keyCase) check(t *testing.T, input []byte, key *Key, err error) {
	t.Helper()
	if err != nil {
		if e, ok := errors.AsType[*Error](err); !ok || e.Problem == "" || e.Hint == "" {
			t.Errorf("error is %#v, want a *Error with a problem and a hint", err)
		}
		checkLeak(t, input, c.Passphrase, err.Error())
		if c.Expect == "ok" && c.AlsoAccept != "error" {
			t.Errorf("error %q, want the key", err)
		}
		if c.Expect == "error" && len(c.MustMention) > 0 && !mentions(err.Error(), c.MustMention) {
			t.Errorf("error %q mentions none of %q", err, c.MustMention)
		}
		return
	}
	if c.Expect == "error" && c.AlsoAccept != "ok" {
		t.Fatalf("got %v, want an error", key)
	}
	if got := fingerprintOf(t, key); got != c.SameKeyAs {
		t.Errorf("fingerprint %s, want %s", got, c.SameKeyAs)
	}
	if key.Format == "" {
		t.Error("Format is empty")
	}
	fixes := strings.Join(key.Fixes, "; ")
	checkLeak(t, input, c.Passphrase, fixes)
	switch {
	case c.Repairs == "none" && fixes != "":
		t.Errorf("fixes %q, want none", fixes)
	case c.Repairs == "some" && fixes == "":
		t.Error("no fixes, want some")
	case len(c.ExplainAny) > 0 && !mentions(fixes, c.ExplainAny):
		t.Errorf("fixes %q mention none of %q", fixes, c.ExplainAny)
	}
}

func TestFixPutsParametersUnderOneLabel(t *testing.T) {
	numbers := func(p int) []byte { // a modulus of p bytes and two numbers beside it
		content := append([]byte{2, byte(p)}, bytes.Repeat([]byte{0x55}, p)...)
		return append([]byte{0x30, byte(p + 8)}, append(content, 2, 1, 2, 2, 1, 1)...)
	}
	fixed, fixes, err := Fix(append(numbers(64), "tail"...))
	if err != nil || len(fixes) == 0 || !bytes.HasPrefix(fixed, []byte("-----BEGIN DH PARAMETERS-----\n")) {
		t.Fatalf("Fix(parameters with a tail) = %q, fixes %q, error %v, want PEM", fixed, fixes, err)
	}
	if again, more, err := Fix(fixed); err != nil || len(more) > 0 || !bytes.Equal(again, fixed) {
		t.Errorf("Fix(%q) = %q, fixes %q, error %v, want it unchanged", fixed, again, more, err)
	}
	if fixed, _, err := Fix(append(numbers(1), "tail"...)); err == nil {
		t.Errorf("Fix(small numbers) = %q, want an error: they are nothing that is known", fixed)
	}
}

// mentions reports whether s has one of the words, in any case, at the start of a word.
func mentions(s string, words []string) bool {
	return slices.ContainsFunc(words, func(word string) bool {
		return regexp.MustCompile(`(?i)(?:^|\W)` + regexp.QuoteMeta(word)).MatchString(s)
	})
}

// checkLeak fails if output repeats 16 letters of input in a row, or the passphrase.
func checkLeak(t *testing.T, input []byte, passphrase, output string) {
	t.Helper()
	if pass := strings.TrimSpace(passphrase); len(pass) > 3 && strings.Contains(output, pass) {
		t.Errorf("%q has the passphrase", output)
	}
	for _, word := range regexp.MustCompile(`[A-Za-z0-9+/_=-]{16,}`).FindAllString(output, -1) {
		for i := 0; i+16 <= len(word); i++ {
			if bytes.Contains(input, []byte(word[i:i+16])) {
				t.Errorf("%q has 16 letters of the input", output)
				return
			}
		}
	}
}
