package connfile

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// inField reads a document in which the value of one field is written so, and returns that field.
func inField(t *testing.T, written string) (string, error) {
	t.Helper()
	conns, err := Parse([]byte(written))
	if err != nil {
		return "", err
	}
	return conns[0].Certificate, nil
}

func TestParseReadsScalarsAsYAMLSays(t *testing.T) {
	tests := []struct{ written, want string }{
		{"certificate: |\n  a\n  b\n", "a\nb\n"},
		{"certificate: |\n  a\n  b", "a\nb"},
		{"certificate: |\n  a\n\n\n", "a\n"},
		{"certificate: |-\n  a\n  b\n\n", "a\nb"},
		{"certificate: |+\n  a\n\n\nname: x\n", "a\n\n\n"},
		{"certificate: |+\n  a\n\n---\n", "a\n\n"},
		{"certificate: |-\n  a  \n", "a  "},
		{"certificate: |-\n  a\n  b\t\n", "a\nb\t"},
		{"certificate: |\n    a\n     b\n    c\n", "a\n b\nc\n"},
		{"certificate: |2\n    a\n  b\n", "  a\nb\n"},
		{"certificate: |1-\n  a\n", " a"},
		{"certificate: |\n\n  a\n\n  b\n", "\na\n\nb\n"},
		{"certificate: |\n  a\n  \n  b\n", "a\n\nb\n"},
		{"certificate: |\n  a\n    \n", "a\n  \n"},
		{"certificate: |\n  # a\n  b # c\n", "# a\nb # c\n"},
		{"certificate: | # a\n  b\n", "b\n"},
		{"certificate: |\n  a: b\n  - {{c\n", "a: b\n- {{c\n"},
		{"certificate: |\n  a\n# b\nname: x\n", "a\n"},
		{"certificate: |\r\n  a\r\n  b\r\nname: x\r\n", "a\nb\n"},
		{"certificate: >\n  a\n  b\n\n  c\n   d\n  e\n", "a b\nc\n d\ne\n"},
		{"certificate: >-\n  a\n\n\n  b\n", "a\n\nb"},
		{"certificate: >\n\n  a\n  b  \n", "\na b  \n"},
		{"certificate: a\tb\n", "a\tb"},
		{"certificate: a b\n  c\n\n  d\nname: x\n", "a b c\nd"},
		{"certificate: -----BEGIN X-----\n  abc\n  -----END X-----\n", "-----BEGIN X----- abc -----END X-----"},
		{"certificate: a # b\n", "a"},
		{"certificate: a#b\n", "a#b"},
		{"certificate: a#b\n\nname: c#d\n# e\n", "a#b"},
		{"certificate: a:b, c] d}\n", "a:b, c] d}"},
		{"certificate: Bearer {{.Token}}\n", "Bearer {{.Token}}"},
		{"certificate: ${env:X}\n", "${env:X}"},
		{"certificate: 'it''s \\n'\n", `it's \n`},
		{"certificate: 'a\n\n  b\n  c'\n", "a\nb c"},
		{"certificate: \"a\\n\\\"\\\\\\/\\t\\x41\\u00e9\\U0001F600\"\n", "a\n\"\\/\tAé😀"},
		{"certificate: \"\\ud83d\\ude00\\ufffd\\\\u12zz\"\n", "😀\ufffd\\u12zz"},
		{"certificate: \"a\\\n  b\tc\"\n", "ab\tc"},
		{"certificate:\t\"\\u00e9\"\n", "é"},
		{"{name:\t\t\t\"\\u00e9\", certificate:\t\"\\x41\"\t, timeout: 0}\n", "A"},
		{"certificate: \"\\u0041  \n  b\n\n  \\\n  c\\e\\N\"\n", "A b\nc\x1b\u0085"},
		{"{certificate: a b, name: x}\n", "a b"},
		{"certificate: ''\n", ""},
		{"certificate: yes\n", "yes"},
		{"certificate: Off\n", "Off"},
		{"certificate: true\n", "true"},
		{"certificate: False\n", "False"},
		{"certificate: 5\n", "5"},
		{"certificate: -0.10E+5\n", "-0.10E+5"},
		{"certificate: 12345678901234567890123\n", "12345678901234567890123"},
		{"certificate: 1.2.3\n", "1.2.3"},
		{"certificate: 2026-01-02\n", "2026-01-02"},
		{"certificate: 12:30\n", "12:30"},
		{"certificate: \"0x1F\"\n", "0x1F"},
		{"certificate: null\n", ""},
		{"certificate: ~\n", ""},
		{"certificate:\n", ""},
		{"certificate: 日本 é\n", "日本 é"},
		{"\ufeffcertificate: a\n", "a"},
		{"--- # b\ncertificate: a\n...\n", "a"},
		{"certificate: a\rname: b\r", "a"},
	}
	for _, tt := range tests {
		if got, err := inField(t, tt.written); got != tt.want || err != nil {
			t.Errorf("%q gives %q, %v; want %q", tt.written, got, err, tt.want)
		}
	}
}

func TestParseRefusesYAMLThatMisleads(t *testing.T) {
	const doubtful = "is a number that JSON does not know"
	tests := []struct {
		written      string
		line, column int
		want         string
	}{
		{"certificate: {{now}}\n", 1, 14, `{{ without quotes begins a mapping, not a template; put the text in quotes`},
		{"payload:\n  - {{now}}\n", 2, 5, `{{ without quotes`},
		{"payload: [{{now}}]\n", 1, 11, `{{ without quotes`},
		{"name: &a b\n", 1, 7, "an anchor (&)"},
		{"name: *a\n", 1, 7, "an alias (*)"},
		{"secret: ******\n", 1, 9, "******, which stands for a secret that was not saved; write the secret itself"},
		{"secret: *******\n", 1, 9, "an alias (*)"},
		{"<<: {name: x}\n", 1, 1, "a merge key (<<)"},
		{"name: !!binary YQ==\n", 1, 7, "a tag (!)"},
		{"name: !a b\n", 1, 7, "a tag (!)"},
		{"? name\n: b\n", 1, 1, "a key marked by ?"},
		{"%YAML 1.2\n---\nname: b\n", 1, 1, "a directive (%)"},
		{"name: a\n...b: c\n", 2, 1, "a line that begins like a mark between documents"},
		{"name: a\n  b\n  - #c\n", 3, 7, "text over several lines that holds a #"},
		{"name: 0x1F\n", 1, 7, doubtful},
		{"name: 0o17\n", 1, 7, doubtful},
		{"name: 0123\n", 1, 7, doubtful},
		{"name: -012\n", 1, 7, doubtful},
		{"name: 0b11\n", 1, 7, doubtful},
		{"name: 1_000\n", 1, 7, doubtful},
		{"name: +1\n", 1, 7, doubtful},
		{"name: .5\n", 1, 7, doubtful},
		{"name: 5.\n", 1, 7, doubtful},
		{"name: .inf\n", 1, 7, doubtful},
		{"name: -.Inf\n", 1, 7, doubtful},
		{"name: .NaN\n", 1, 7, doubtful},
		{"payload: {n: 0123}\n", 1, 14, doubtful},
		{"retry:\n\tbudget: 1\n", 2, 1, "a tab in the indentation"},
		{"name: \"a\n", 1, 7, "a quotation mark that is never closed"},
		{"name: 'a\n", 1, 7, "a quotation mark that is never closed"},
		{"trustedOrigins: [a\n", 1, 17, "a bracket or brace that is never closed"},
		{"name: a: b\n", 1, 7, "a second value, or a colon"},
		{"name: \"\\uZZZZ\"\n", 1, 7, "an escape sequence that stands for no character"},
		{"name: \"\\ude00\"\n", 1, 7, "an escape sequence that stands for no character"},
		{"name: \"\\ud83d\\u0041\"\n", 1, 8, "is not YAML that can be read"},
		{"name: \"\\U00110000\"\n", 1, 7, "an escape sequence that stands for no character"},
		{"name: \"\\q\"\n", 1, 9, "is not YAML that can be read"},
		{"name: @a\n", 1, 7, "is not YAML that can be read"},
		{"name: |\n    \n  a\n", 3, 3, "is not YAML that can be read"},
		{"name: |\n\n'secret': x\n", 1, 7, "a block of text in which there is none"},
		{"privateKey: |\n-----BEGIN\nabc\n", 2, 1, "text that is not indented below the | or >"},
		{"name: \"{{base64 \"x\"}}\"\n", 1, 18, `quotes within quotes; put a template that holds " in the other quotes: '{{base64 "x"}}'`},
		{"name:x\nbaseURI: y\n", 1, 1, "a colon without a space behind it"},
		{"name: x\n  baseURI: y\n", 1, 7, "a second value, or a colon"},
		{"name x\nbaseURI: y\n", 1, 1, "is not YAML that can be read"},
		{"name:\n[a]\n", 2, 1, "is not indented far enough"},
		{"name:\nsecret\n", 2, 1, "is not indented far enough"},
		{"name: a\n  # b\n  c\n", 3, 3, "a second value, or a colon"},
		{"trustedOrigins:\n-\nname: b\n", 3, 1, "is not indented far enough"},
		{"[]: b\n", 1, 3, "is not YAML that can be read"},
		{"null: b\n", 1, 1, "a key that is no text"},
		{"'name'\n: b\n", 2, 1, "a colon in another line than its key"},
		{"--- name: b\n", 1, 5, "something behind ---"},
		{"name: \x01\n", 1, 7, "a control character"},
		{"name: a\xff\n", 1, 8, "a control character, or not UTF-8"},
		{"n\x00a\x00", 0, 0, "is not UTF-8 but perhaps UTF-16"},
		{"\xff\xfen", 0, 0, "is not UTF-8 but perhaps UTF-16"},
		{"name: " + strings.Repeat("a", maxSize), 0, 0, "is longer than 256 KiB"},
		{"a scalar", 1, 1, "is text, not a mapping of settings"},
		{"- 5\n", 1, 3, "is a number, not a mapping of settings"},
		{"", 0, 0, "holds no connection"},
		{"# nothing\n---\n\n", 0, 0, "holds no connection"},
		{"[]", 0, 0, "holds no connection"},
	}
	for _, tt := range tests {
		_, err := Parse([]byte(tt.written))
		e, ok := err.(interface{ Unwrap() []error })
		if !ok {
			t.Errorf("%.60q: %v; want an error with %q", tt.written, err, tt.want)
			continue
		}
		first := e.Unwrap()[0].(*Error)
		if !strings.Contains(first.Error(), tt.want) || first.Line != tt.line || first.Column != tt.column {
			t.Errorf("%.60q: %v; want %q in line %d, column %d", tt.written, err, tt.want, tt.line, tt.column)
		}
	}
}

func TestParseCountsLinesOverDocumentsAndCharactersInLines(t *testing.T) {
	text := "name: a\r\n---\r\n# c\r\nname: b\r\nfields: {é: x, y: [1]}\r\n...\r\n{\"name\":\r\n\"c\", \"é\": 1}\r\n"
	_, err := Parse([]byte(text))
	want := "connfile: line 5, column 19: fields[y]: is a list, not text\n" +
		"connfile: line 8, column 6: unknown key of 1 characters; remove it, or see jwtbearer schema for the keys"
	if fmt.Sprint(err) != want {
		t.Errorf("%q: %v; want %s", text, err, want)
	}
}

// TestParseIsQuickOnHostileFiles has the worst that was found for goccy's lexer and parser, which needed up to minutes for some
// of these without the bounds in yaml.go.
func TestParseIsQuickOnHostileFiles(t *testing.T) {
	const size = maxSize - 1
	repeat := func(s string) string { return strings.Repeat(s, size/len(s)) }
	blank := strings.Repeat("\n", maxBlank)
	files := map[string]string{
		"brackets": repeat("["), "maps in a line": repeat("a: "), "lists in a line": repeat("- "), "the same key": repeat("a: \n"),
		"dashes": repeat("-\n"), "laughs": "a: &a [x]\n" + "b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n", "angles": repeat("<"),
		"blank lines": "a: |\n" + repeat("\n")[5:], "some blank lines": "a: |\n" + repeat("  x\n" + blank)[5:],
		"tabs": "a: \"" + repeat("\t")[4:], "some tabs": repeat("- \"" + strings.Repeat("\t", maxTabs-1) + strings.Repeat("x", 13000) + "\"\n"),
		"documents": repeat("a: b\n---\n"), "numbers": "[" + repeat("1,")[1:], "JSON brackets": repeat(`[{"a":`),
		"indentation": func() string {
			var b strings.Builder
			for i := 0; b.Len() < size-1000; i++ {
				b.WriteString(strings.Repeat(" ", i) + "a:\n")
			}
			return b.String()
		}(),
	}
	for name, text := range files {
		start := time.Now()
		_, err := Parse([]byte(text))
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s: took %v; want a fraction of a second, and less than 10 s on any machine", name, took)
		}
		if err != nil && len(err.Error()) > 10_000 {
			t.Errorf("%s: the error has %d bytes; want at most %d problems told", name, len(err.Error()), mostShown+1)
		}
	}
}
