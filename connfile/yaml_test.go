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
		{"certificate: \"a\\n\\\"\\\\/\\t\\x41\\u00e9\\U0001F600\"\n", "a\n\"\\/\tAé😀"},
		{"certificate: \"\\ufffd\\\\u12zz\"\n", "\ufffd\\u12zz"},
		{"certificate: a\n  b\n  - #c\n", "a b -"},
		{"certificate: a\n\t \n\nname: b\n", "a"},
		{" \t\ncertificate: a\n", "a"},
		{"certificate: |\n  a\n\t\n  b\n", "a\n\nb\n"},
		{"certificate: \"a\n\n \n  b\"\n", "a\n\nb"},
		{"trustedOrigins: [\n  \"a]\", 'b}', c#d, # e]\n# f\n  \"\\\"\"\n]\ncertificate: a\n", "a"},
		{"{name: \"a#b\", \"baseURI\":\"c\", 'fields':{ x: '#'}, certificate: d\"e#f\n}  # g\n", "d\"e#f"},
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
		{"name: b\n%TAG ! x\n", 2, 1, "a directive (%)"},
		{"name: ! b\n", 1, 7, "a tag (!)"},
		{"name: [! b]\n", 1, 8, "a tag (!)"},
		{"fields: {a: ! b}\n", 1, 13, "a tag (!)"},
		{"x: &a\n  b: c\n", 1, 4, "an anchor (&)"},
		{"a: b\nx:\n  - {<<: c}\n", 3, 6, "a merge key (<<)"},
		{"a: b\nx:\n  - *c\n", 3, 5, "an alias (*)"},
		{"name: a\u2028b\n", 1, 8, "only some readers of YAML know; write it in double quotes"},
		{"name: a\n  b\u0085c\n", 2, 4, "only some readers of YAML know"},
		{"- - " + strings.Repeat("- ", 200) + "a\n", 1, 201, "more than 100 lists and mappings within each other"},
		{"x: " + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "\n", 1, 103, "more than 100 lists and mappings within each other"},
		{strings.Repeat("- a\n", 5001), 5001, 3, "more than 5000 keys and list entries"},
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
		{"name: \"\\uZZZZ\"\n", 1, 8, "an escape sequence that stands for no character"},
		{"name: \"\\ude00\"\n", 1, 8, "an escape sequence that stands for no character"},
		{"name: \"\\ud83d\\ude00\"\n", 1, 8, "an escape sequence that stands for no character"},
		{"name: \"\\U00110000\"\n", 1, 8, "an escape sequence that stands for no character"},
		{"name: \"\\n\\u0041\\q\"\n", 1, 16, "an escape sequence that stands for no character; write \\\\ for a backslash"},
		{"name: \"\\/\"\n", 1, 8, "an escape sequence that stands for no character"},
		{"name: \"it\\'s\"\n", 1, 10, "an escape sequence that stands for no character"},
		{"name: @a\n", 1, 7, "text that begins with @, % or `"},
		{"name: %a\nbaseURI: b\n", 1, 7, "text that begins with @, % or `"},
		{"ping:\n  body: \"{\"a\": 1}\"\nname: x\n", 2, 11, "text after a closing quotation mark"},
		{"ping:\n  body: 'it's'\nname: x\n", 2, 12, "text after a closing quotation mark"},
		{"name: a\nsecret: \"abc\nfields:\n  c: \"d\"\n", 2, 9, "a quotation mark that is never closed"},
		{"baseURI: x\nname: {{now}}/x\nping: {}\n", 2, 7, "{{ without quotes"},
		{"ping:\n  method: GET\n  body: {{now}}/x\n  errorPath: a\nname: b\n", 3, 9, "{{ without quotes"},
		{"name: |\n    \n  a\n", 3, 3, "is not YAML that can be read"},
		{"name: |\n\n'secret': x\n", 1, 7, "a block of text in which there is none"},
		{"privateKey: |\n-----BEGIN\nabc\n", 2, 1, "text that is not indented below the | or >"},
		{"name: \"{{base64 \"x\"}}\"\n", 1, 17, `quotes within quotes; put a template that holds " in the other quotes: '{{base64 "x"}}'`},
		{"name:x\nbaseURI: y\n", 1, 1, "a colon without a space after it"},
		{"name: x\n  baseURI: y\n", 2, 3, "a second value, or a colon"},
		{"name x\nbaseURI: y\n", 1, 1, "a line without a colon"},
		{"name:\n[a]\n", 2, 1, "not indented far enough to belong to the line above"},
		{"name:\nsecret\n", 2, 1, "not indented far enough to belong to the line above"},
		{"name: a\n  # b\n  c\n", 3, 3, "is not YAML that can be read"},
		{"ping:\n  method: GET\n  body: a\n errorPath: b\nname: c\n", 4, 2, "is not YAML that can be read"},
		{"a: b\n- c\n", 2, 1, "is not YAML that can be read"},
		{"trustedOrigins:\n-\nname: b\n", 2, 2, "trustedOrigins[0]: is empty"},
		{"[]: b\n", 1, 1, "a key that is no text"},
		{"{a: b}: b\n", 1, 1, "a key that is no text"},
		{"fields: {[a]: b}\n", 1, 10, "a key that is no text"},
		{"null: b\n", 1, 1, "a key that is no text"},
		{"'name'\n: b\n", 2, 1, "is not YAML that can be read"},
		{"name: \"shop\"#1\n", 1, 13, "a comment without a space before it"},
		{"name: 'a\n  b'#1\n", 2, 5, "a comment without a space before it"},
		{"trustedOrigins: [a]#b\n", 1, 20, "a comment without a space before it"},
		{"trustedOrigins: [a,#b\n  c]\n", 1, 20, "a comment without a space before it"},
		{"trustedOrigins: [\"a\"#b\n  ]\n", 1, 21, "a comment without a space before it"},
		{"fields: {a: {b: c}#d\n  }\n", 1, 19, "a comment without a space before it"},
		{"name: |#b\n  a\n", 1, 7, "a comment without a space before it"},
		{"trustedOrigins: [?x]\n", 1, 18, "a ? at the beginning of a key or text within brackets"},
		{"fields: {a: b, ?c: d}\n", 1, 16, "a ? at the beginning of a key or text within brackets"},
		{"trustedOrigins: [-]\n", 1, 18, "a dash alone within brackets"},
		{"trustedOrigins: [a, -, b]\n", 1, 21, "a dash alone within brackets"},
		{"name: \"shop\nfor all\"\n", 2, 1, "is not indented far enough to belong to the line above"},
		{"name: 'a\n\n\tb'\n", 3, 1, "is not indented far enough"},
		{"ping:\n  body: \"a\n  b\"\n", 3, 3, "is not indented far enough"},
		{"trustedOrigins:\n- \"a\n- b\"\n", 3, 1, "is not indented far enough"},
		{"trustedOrigins: [a,\nb]\n", 2, 1, "is not indented far enough"},
		{"payload:\n  a: {\n  b: c }\n", 3, 3, "is not indented far enough"},
		{"-\tname: a\n", 1, 2, "a tab in the indentation"},
		{"--- name: b\n", 1, 5, "text after ---"},
		{"name: \x01\n", 1, 7, "a control character"},
		{"name: a\xff\n", 1, 8, "a control character, or not UTF-8"},
		{"n\x00a\x00", 0, 0, "is not UTF-8 but perhaps UTF-16"},
		{"\xff\xfen", 0, 0, "is not UTF-8 but perhaps UTF-16"},
		{"name: " + strings.Repeat("a", maxSize), 0, 0, "is longer than 256 KiB"},
		{"a scalar", 1, 1, "is text, not a mapping of settings"},
		{"- 5\n", 1, 3, "is a number, not a mapping of settings"},
		{"", 0, 0, "is empty; if a program is writing it, wait for that"},
		{"\ufeff \n\t\n", 0, 0, "is empty"},
		{`{"info":{"name":"x"},"item":[]}`, 0, 0, "is a Postman collection, not a connection file; make connections of it: jwtbearer import postman FILE"},
		{`{"_id":"1","type":"http","http":{"auth":{"type":"jwtbearer"}}}`, 0, 0, "is a Celigo connection, not a connection file; make connections of it: jwtbearer import celigo FILE"},
		{"openapi: 3.1.0\ninfo: &x {title: x}\n", 0, 0, "is an OpenAPI description"},
		{`{"info":{"_postman_id":"1"},"item":["` + strings.Repeat("a", maxSize), 0, 0, "is a Postman collection"},
		{`{"payload": {"iat": {{now}}}}`, 1, 22, `{{ without quotes is no JSON, but a template; put the text in quotes: "{{…}}"`},
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
	want := "connfile: line 5, column 19: fields[y]: is a list, not text; give one value\n" +
		"connfile: line 8, column 6: unknown key of 1 characters; remove it, or see jwtbearer schema for the keys"
	if fmt.Sprint(err) != want {
		t.Errorf("%q: %v; want %s", text, err, want)
	}
}

// TestParseIsQuickOnHostileFiles has the worst that was found for yaml.v3, and for what reads its nodes.
func TestParseIsQuickOnHostileFiles(t *testing.T) {
	const size = maxSize - 1
	repeat := func(s string) string { return strings.Repeat(s, size/len(s)) }
	within := func(start, s, end string) string {
		return start + strings.Repeat(s, (size-len(start)-len(end))/len(s)) + end
	}
	var indented strings.Builder
	for i := 0; indented.Len() < size-1000; i++ {
		indented.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	files := map[string]string{
		"brackets": repeat("["), "braces": repeat("{a: "), "maps in a line": repeat("a: "), "lists in a line": repeat("- "),
		"the same key": repeat("a: \n"), "dashes": repeat("-\n"), "anchors": repeat("- &a b\n"), "aliases": within("- &a b\n", "- *a\n", ""),
		"laughs":      "a: &a [x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: [*b, *b, *b, *b, *b, *b, *b, *b]\n",
		"marked keys": repeat("? a\n: b\n"), "comments": repeat("b: c # d\n# a\n\n"), "angles": repeat("<"), "blank lines": within("a: |\n", "\n", " x"),
		"tabs": within("a: \"", "\t", "\""), "documents": repeat("a: b\n---\n"), "numbers": within("[", "1,", "]"),
		"quotes in a list": within("[", `"",`, "]"), "quotes, and no end": within("[", `"",`, ""), "a long text without its end": within("a: '", "a\n", ""),
		"mistake at the end": within("", "a: b\n", "}"), "quotes in lines": repeat("- \"a\n  b\"\n"), "JSON brackets": repeat(`[{"a":`),
		"indentation": indented.String(),
	}
	for name, text := range files {
		start := time.Now()
		_, err := Parse([]byte(text))
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s: took %v; want a fraction of a second, and less than 10 s on any machine", name, took)
		} else {
			t.Logf("%s: %v", name, took)
		}
		if err != nil && len(err.Error()) > 10_000 {
			t.Errorf("%s: the error has %d bytes; want at most %d problems told", name, len(err.Error()), mostShown+1)
		}
	}
}
