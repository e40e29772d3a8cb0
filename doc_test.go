package jwtbearer

import (
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/seed-363d07a3/jwtbearer/internal/template"
)

// documentedActions are the words at the left of the table in doc.go's section on templates.
func documentedActions(t *testing.T) []string {
	t.Helper()
	text := string(must(os.ReadFile("doc.go")))
	_, section, found := strings.Cut(text, "// # Templates\n")
	section, _, ended := strings.Cut(section, "// # ")
	if !found || !ended {
		t.Fatal("doc.go has no section Templates with another one after it")
	}
	var words []string
	for line := range strings.Lines(section) {
		if row, ok := strings.CutPrefix(line, "//\t"); ok {
			actions, _, _ := strings.Cut(row, "   ") // before what they give
			words = append(words, strings.FieldsFunc(actions, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })...)
		}
	}
	return words
}

func TestPackageDocumentationListsEveryTemplateFunction(t *testing.T) {
	documented := documentedActions(t)
	for _, name := range template.Functions() {
		if !slices.Contains(documented, name) {
			t.Errorf("doc.go, section Templates, does not list the function %s: add it to the table, with what it gives", name)
		}
	}
	for _, word := range documented {
		isName := unicode.IsLetter([]rune(word)[0]) // else it is an argument, or a value such as .Token
		if isName && !slices.Contains(template.Functions(), word) {
			t.Errorf("doc.go, section Templates, lists %s, which is no function of templates: remove it", word)
		}
	}
}
