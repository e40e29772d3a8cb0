package regex

import (
	"errors"
	"strings"
	"testing"
)

// The largest that people write is far below what rules accept (500) and what paths do (100).
func TestUsualExpressionsAreSmall(t *testing.T) {
	for _, expression := range []string{
		`retry (?:after|in) (\d+)`, `(?i)rate.?limit|too many requests|quota`, `^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}`,
		`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`, `(\d{1,3}(?:\.\d{1,3}){3})`, `"code":\s*"?(\w+)"?`,
		`(?i)rate limit exceeded|too many requests|quota exceeded|slow down|try again later`, `\p{L}+ \p{N}{1,6}`,
	} {
		if compiled, size, err := Compile(expression, 100); err != nil || compiled.String() != expression {
			t.Errorf("Compile(%q) = %v, of %d instructions, and %v", expression, compiled, size, err)
		}
	}
}

func TestLargeExpressionsAreRefused(t *testing.T) {
	for _, expression := range []string{
		`(?:a?){900}a{900}b`, `.{0,500}x`, `((a{10}){10}){10}`, `(?:a{30}|b{30}){10}`, `[a-z]{600}`,
		strings.Repeat("a|bc|", 400) + "x", `(?i)` + strings.Repeat("word", 200),
	} {
		compiled, size, err := Compile(expression, 500)
		e, ok := errors.AsType[*SizeError](err)
		if !ok || e.Size != size || e.Size <= 500 || e.Most != 500 || compiled != nil {
			t.Errorf("Compile(%.30q) = %v, of %d instructions, and %v, want a *SizeError", expression, compiled, size, err)
		}
	}
	if _, _, err := Compile("(", 500); err == nil || errors.As(err, new(*SizeError)) {
		t.Errorf("Compile of what is no expression: %v", err)
	}
}

func TestIRegexp(t *testing.T) {
	for _, tt := range []struct {
		expression, text string
		whole, want      bool
	}{
		{"a.c", "abc", true, true},
		{"a.c", "a\nc", true, false},
		{"a.c", "a\rc", true, false},
		{"a.c", "a\u2028c", true, true},
		{"(a.)*", "abac", true, true},
		{"[.]", "a", true, false},
		{`\.`, "a", true, false},
		{"a|b", "ab", true, false},
		{"a|b", "b", true, true},
		{"a|b", "xbx", false, true},
		{`\p{Lu}\P{Lu}`, "Äb", true, true},
		{"b", "a\nb", false, true},
	} {
		compiled, _, err := CompileIRegexp(tt.expression, tt.whole, 100)
		if err != nil || compiled.MatchString(tt.text) != tt.want {
			t.Errorf("%q (whole: %v) matches %q: %v, %v, want %v", tt.expression, tt.whole, tt.text, !tt.want, err, tt.want)
		}
	}
	for _, expression := range []string{"(", "a)|(b", "x{200}", "x{2000}"} {
		if _, _, err := CompileIRegexp(expression, true, 100); err == nil {
			t.Errorf("CompileIRegexp(%q) accepts it", expression)
		}
	}
}
