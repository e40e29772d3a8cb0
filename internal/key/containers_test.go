package key

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// containers are the packages below this one that read a container: with the row of docs/keys.md, section Read, and the category
// of samples in testdata/keys/manifest.json that each has.
var containers = map[string]struct{ row, category string }{
	"jwk":    {"JWK, JWK set", "format-jwk"},
	"pfx":    {"PKCS#12", "format-pfx"},
	"pkcs8":  {"encrypted PKCS#8", "format-encrypted-pkcs8"},
	"ppk":    {"PuTTY", "format-ppk"},
	"sshkey": {"OpenSSH", "format-openssh"},
}

// helpers are the packages below this one that read none.
var helpers = []string{"check", "keytest", "pbe", "sealed", "testdata", "text"}

// TestEachContainerIsWhole names the step that was forgotten when a container came: see CONTRIBUTING.
func TestEachContainerIsWhole(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	document := string(must(t)(os.ReadFile("../../docs/keys.md")))
	loader := string(must(t)(os.ReadFile("load.go")))
	var samples []struct{ Category, Expect string }
	if err := json.Unmarshal(must(t)(os.ReadFile("testdata/keys/manifest.json")), &samples); err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		if !entry.IsDir() || slices.Contains(helpers, name) {
			continue
		}
		c, ok := containers[name]
		if !ok {
			t.Errorf("internal/key/%s is not in the table of this test: add the row of docs/keys.md and the category of samples that it has", name)
			continue
		}
		if !strings.Contains(document, "\n| "+c.row+" | ") {
			t.Errorf("%s: docs/keys.md has no row %q under Read", name, c.row)
		}
		if !strings.Contains(loader, " = "+name+".") {
			t.Errorf("%s: decode in load.go does not call it", name)
		}
		if n := len(slices.DeleteFunc(slices.Clone(samples), func(s struct{ Category, Expect string }) bool {
			return s.Category != c.category || s.Expect != "ok"
		})); n < 3 {
			t.Errorf("%s: testdata/keys has %d samples of the category %s that load; want plain, encrypted and damaged ones, 3 at least", name, n, c.category)
		}
		tests, _ := filepath.Glob(filepath.Join(name, "*_test.go"))
		fuzzed := slices.ContainsFunc(tests, func(path string) bool {
			text, _ := os.ReadFile(path)
			return strings.Contains(string(text), "\nfunc Fuzz")
		})
		if !fuzzed {
			t.Errorf("%s: it has no fuzz target: a container is read from untrusted bytes", name)
		}
	}
}

func must(t *testing.T) func([]byte, error) []byte {
	return func(data []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
}
