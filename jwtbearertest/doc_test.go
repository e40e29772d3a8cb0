package jwtbearertest_test

import (
	"os"
	"strings"
	"testing"
)

func TestExampleOfTheDocumentationIsThatOfUsage(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	usage, err := os.ReadFile("usage_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var example strings.Builder
	for line := range strings.Lines(string(doc)) {
		switch code, ok := strings.CutPrefix(line, "//\t"); {
		case strings.HasPrefix(code, "func Test") || ok && example.Len() > 0:
			example.WriteString(code)
		case line == "//\n" && example.Len() > 0:
			example.WriteString("\n")
		}
		if strings.HasSuffix(example.String(), "\n}\n") {
			break
		}
	}
	if example.Len() == 0 || !strings.Contains(string(usage), example.String()) {
		t.Errorf("usage_test.go does not have the example of doc.go:\n%s", example.String())
	}
}
