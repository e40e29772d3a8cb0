package jwtbearer_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer/internal/demoapi"
)

// TestEachProfileIsWhole names the step that was forgotten when a vendor's profile came: see CONTRIBUTING.
func TestEachProfileIsWhole(t *testing.T) {
	var profiles []struct{ Name string }
	if err := json.Unmarshal(file(t, "internal/throttle/profiles.json"), &profiles); err != nil || len(profiles) == 0 {
		t.Fatalf("%d profiles: %v", len(profiles), err)
	}
	demo := stringsIn(t, "cmd/jwtbearer/demofile.go", func(n ast.Node) bool { return isVar(n, "demoProfiles") })
	served := stringsIn(t, "jwtbearertest/profiles_test.go", func(n ast.Node) bool { return isFunc(n, "TestEveryProfileUnderstandsAScriptedThrottle") })
	limited := stringsIn(t, "jwtbearertest/profiles_test.go", func(n ast.Node) bool { return isFunc(n, "TestEveryProfileKeepsToARealLimit") })
	listed := namesInReadme(t)
	var names []string
	for _, p := range profiles {
		names = append(names, p.Name)
		if _, err := demoapi.Profile(p.Name); err != nil {
			t.Errorf("%s: the demo API does not throttle as that API does: add its dialect to Profile in internal/demoapi/profiles.go", p.Name)
		}
		for where, found := range map[string][]string{
			"cmd/jwtbearer/demofile.go: add it to demoProfiles":                                                       demo,
			"jwtbearertest/profiles_test.go: add what a client waits to TestEveryProfileUnderstandsAScriptedThrottle": served,
			"jwtbearertest/profiles_test.go: add a limit to TestEveryProfileKeepsToARealLimit":                        limited,
			"README.md: add it to the built-in sets":                                                                  listed,
		} {
			if !slices.Contains(found, p.Name) {
				t.Errorf("%s: it is not in %s", p.Name, where)
			}
		}
	}
	for where, found := range map[string][]string{"demoProfiles in cmd/jwtbearer/demofile.go": demo, "README.md": listed} {
		for _, name := range found {
			if !slices.Contains(names, name) {
				t.Errorf("%s has %q, of which there is no profile: add it to internal/throttle/profiles.json", where, name)
			}
		}
	}
}

func file(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// namesInReadme are the profiles that the README lists.
func namesInReadme(t *testing.T) []string {
	t.Helper()
	text := strings.Join(strings.Fields(string(file(t, "README.md"))), " ")
	list := regexp.MustCompile(`built-in sets: ([^.]*)\.`).FindStringSubmatch(text)
	if list == nil {
		t.Fatal(`README.md does not list "built-in sets: …."`)
	}
	return strings.Split(list[1], ", ")
}

// stringsIn are the string literals in the node of a Go file that is meant.
func stringsIn(t *testing.T, path string, isMeant func(ast.Node) bool) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), path, file(t, path), 0)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for node := range ast.Preorder(parsed) {
		if !isMeant(node) {
			continue
		}
		for inner := range ast.Preorder(node) {
			if literal, ok := inner.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				text, _ := strconv.Unquote(literal.Value)
				found = append(found, text)
			}
		}
	}
	if len(found) == 0 {
		t.Fatalf("%s has not what is looked for: it has another name now", path)
	}
	return found
}

func isVar(n ast.Node, name string) bool {
	spec, ok := n.(*ast.ValueSpec)
	return ok && spec.Names[0].Name == name
}

func isFunc(n ast.Node, name string) bool {
	f, ok := n.(*ast.FuncDecl)
	return ok && f.Name.Name == name
}
