package template

import (
	"errors"
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer/internal/problem"
)

func TestTemplatesRefuse(t *testing.T) {
	const strHint = `write a string as "x", in JSON text as \"x\"`
	tests := []struct{ text, problem, hint string }{
		// Control structures, variables and whatever else text/template has.
		{`{{if .Fields.issuer}}a{{end}}`, `column 3: "if" is not available`, "no control structures"},
		{`ab {{- range .Fields}}{{end}}`, `column 8: "range" is not available`, "no control structures"},
		{`{{with .Fields}}{{end}}`, `column 3: "with" is not available`, ""},
		{`{{template "x"}}`, `column 3: "template" is not available`, ""},
		{`{{define "template"}}{{end}}`, `column 3: "define" is not available`, ""},
		{`{{block "x" .}}{{end}}`, `column 3: "block" is not available`, ""},
		{`{{ break }}`, `column 4: "break" is not available`, ""},
		{`{{continue}}`, `column 3: "continue" is not available`, ""},
		{`{{end}}`, `column 3: "end" is not available`, ""},
		{`{{else}}`, `column 3: "else" is not available`, ""},
		{`{{$x := now}}`, `column 3: templates have no variables`, ""},
		{`{{$}}`, `column 3: templates have no variables`, ""},
		{`{{.}}`, `column 3: a bare . names no value`, ".Fields.name"},
		{`{{sha256 .}}`, `column 10: a bare . names no value`, ""},
		{`{{true}}`, `column 3: true is not a value of templates`, "without quotes and braces"},
		{`{{nil}}`, `column 3: nil is not a value of templates`, ""},
		{`{{(now).x}}`, `column 8: the result of an expression has no fields`, ""},
		{`{{uuid.x}}`, `column 7: the result of an expression has no fields`, ""},
		{`{{1.5}}`, `column 3: not a whole number`, "decimal digits"},
		{`{{now 1e3}}`, `column 7: not a whole number`, ""},
		{`{{now 0x10}}`, `column 7: not a whole number`, ""},
		{`{{now 010}}`, `column 7: not a whole number`, ""},
		{`{{now 1i}}`, `column 7: not a whole number`, ""},
		{`{{sha256 'x'}}`, `column 10: single quotes do not make a string`, strHint},
		{`{{sha256 'secret'}}`, `column 10: single quotes do not make a string`, strHint},
		{`{{printf "%d" now}}`, `column 3: unknown function "printf"`, "the functions are base64, base64url"},
		{`{{len .Fields.issuer}}`, `column 3: unknown function "len"`, ""},
		{`{{index .Fields "a"}}`, `column 9: .Fields is not a value by itself`, "write .Fields.name"},
		{`{{html .Fields.issuer}}`, `column 3: unknown function "html"`, ""},
		{`{{print 1}}`, `column 3: unknown function "print"`, ""},
		{`{{and 1 2}}`, `column 3: unknown function "and"`, ""},

		// Unknown names.
		{`{{foo}}`, `column 3: unknown function "foo"`, "the functions are"},
		{"é\n  {{foo}}", `line 2, column 5: unknown function "foo"`, ""},
		{`é {{foo}}`, `column 5: unknown function "foo"`, ""},
		{`{{Uuid}}`, `column 3: unknown function "Uuid"`, "did you mean uuid?"},
		{`{{sha265 "x"}}`, `column 3: unknown function "sha265"`, "did you mean sha256?"},
		{`{{issuer}}`, `column 3: unknown function "issuer"`, "did you mean .Fields.issuer?"},
		{`{{pass}}`, `column 3: unknown function "pass"`, "did you mean .Secrets.pass?"},
		{`{{.Fields.isuer}}`, `column 10: unknown value .Fields.isuer`, "did you mean .Fields.issuer?"},
		{`{{upper .Fields.isuer}}`, `column 16: unknown value .Fields.isuer`, "did you mean .Fields.issuer?"},
		{`{{.Fields.pass}}`, `column 10: unknown value .Fields.pass`, "did you mean .Secrets.pass?"},
		{`{{.Secrets.issuer}}`, `column 11: unknown value .Secrets.issuer`, "did you mean .Fields.issuer?"},
		{`{{.Fields.region}}`, `column 10: unknown value .Fields.region`, `set Fields["region"]`},
		{`{{.Request.Body}}`, `column 11: unknown value .Request.Body`, "it has Host, Method, Path, Query, Scheme, URI, URL"},
		{`{{.Request.Hosts}}`, `column 11: unknown value .Request.Hosts`, "did you mean .Request.Host?"},
		{`{{.fields.issuer}}`, `column 3: unknown value .fields`, "did you mean .Fields?"},
		{`{{.Config}}`, `column 3: unknown value .Config`, ""},
		{`{{.Fields}}`, `column 3: .Fields is not a value by itself`, ""},
		{`{{.Secrets}}`, `column 3: .Secrets is not a value by itself`, ""},
		{`{{.Request}}`, `column 3: .Request is not a value by itself`, ""},
		{`{{.Fields.issuer.x}}`, `column 3: the value .Fields.issuer has no parts`, ""},
		{`{{.Token.x}}`, `column 3: the value .Token has no parts`, ""},
		{`{{.Token}}`, `column 3: .Token is not available here`, "HTTPHeaders, Ping and Exchange"},

		// Arity and types.
		{`{{now 1 2}}`, `column 3: the function "now" takes at most 1 argument, not 2`, "write {{now 16}} or {{now}}"},
		{`{{uuid 1}}`, `column 3: the function "uuid" takes no argument, not 1`, "write {{uuid}}"},
		{`{{upper}}`, `column 3: the function "upper" takes 1 argument, not 0`, "write {{upper .Fields.name}}"},
		{`{{"a" | upper "b"}}`, `column 9: the function "upper" takes 1 argument, not 2`, ""},
		{`{{randomHex}}`, `column 3: the function "randomHex" takes 1 argument, not 0`, ""},
		{`{{randomHex 0}}`, `column 3: randomHex: wants a number from 1 to 1024`, ""},
		{`{{randomBase64 1025}}`, `column 3: randomBase64: wants a number from 1 to 1024`, ""},
		{`{{now "300"}}`, `column 7: now: wants a whole number, not text`, "without quotes"},
		{`{{now .Fields.ttl}}`, `column 14: now: wants a whole number, not text`, "(int .Fields.name)"},
		{`{{now 9223372036854775807}}`, `column 3: now: wants a number from`, ""},
		{`{{now (int .Request.Host)}}`, `column 8: now: wants a number that does not change with the request`, ""},
		{`{{upper now}}`, `column 9: upper: wants text, not a number`, "put string before it"},
		{`{{now | base64}}`, `column 3: base64: wants text, not a number`, ""},
		{`{{upper (list "a")}}`, `column 10: upper: wants text, not a JSON value`, ""},
		{`{{int (json "1")}}`, `column 8: int: wants text, not a JSON value`, ""},
		{`{{int .Fields.issuer}}`, `column 3: int: its argument is not a whole number`, "json"},
		{`{{int "1.5"}}`, `column 3: int: its argument is not a whole number`, ""},
		{`{{int " 1"}}`, `column 3: int: its argument is not a whole number`, ""},
		{`{{int "007"}}`, `column 3: int: its argument is not a whole number`, ""},
		{`{{int ""}}`, `column 3: int: its argument is not a whole number`, ""},
		{`{{json .Secrets.pass}}`, `column 3: json: its argument is not valid JSON in line 1, column 1`, ""},
		{`{{.Fields.issuer "x"}}`, `column 18: a value takes no arguments`, ""},
		{`{{"a" | .Fields.issuer}}`, `column 9: only a function can stand after |`, ""},
		{`{{x5t}}`, `column 3: x5t: there is no certificate to describe`, "set Certificate"},
		{`{{jwk}}`, `column 3: jwk: there is no public key to describe`, "PrivateKey or Key"},

		// What cannot be read at all.
		{`a {{`, `column 3: {{ without its closing }}`, ""},
		{`{{now}} {{now`, `column 9: {{ without its closing }}`, ""},
		{`{{/* }}`, `column 1: a comment without its closing */`, ""},
		{`{{sha256 "abc}}`, `column 10: a string without its closing quote`, ""},
		{"{{sha256 `abc}}", `column 10: a string without its closing quote`, ""},
		{`{{now}}{{}}`, `column 8: an action that cannot be read: missing value for command`, ""},
		{`{{.Fields.foo-bar}}`, `column 1: an action that cannot be read: bad character U+002D '-'`, "foo_bar"},
		{`{{.Secrets.my-key | upper}}`, `column 1: an action that cannot be read`, "rename it in Secrets, such as my_key"},
		{`{{base64 .Fields.a:b}}`, `column 1: an action that cannot be read`, "rename it in Fields, such as a_b"},
		{`{{now}} {{(now}}`, `column 9: an action that cannot be read: unclosed left paren`, ""},
		{`{{now | "secret"}}`, `column 1: an action that cannot be read`, ""},
		{`{{"secret".x}}`, `column 1: an action that cannot be read`, ""},
		{`{{99999999999999999999}}`, `column 1: an action that cannot be read`, ""},
	}
	for _, tt := range tests {
		_, err := testTemplates().Text(tt.text, ScopeToken)
		bad, ok := errors.AsType[*problem.Error](err)
		switch {
		case !ok:
			t.Errorf("compileText(%s): %v, want a problem.Error", tt.text, err)
		case bad.Hint == "":
			t.Errorf("compileText(%s): %v, which does not say what to do", tt.text, bad)
		case !strings.HasPrefix(bad.Problem, tt.problem) || !strings.Contains(bad.Hint, tt.hint):
			t.Errorf("compileText(%s):\ngot  %s (hint %q)\nwant %s (hint %q)", tt.text, bad.Problem, bad.Hint, tt.problem, tt.hint)
		case strings.Contains(bad.Error(), "secret") || strings.Contains(bad.Error(), "s3cr3t"):
			t.Errorf("compileText(%s) shows a literal: %s", tt.text, bad)
		}
	}
}

func TestDeepParenthesesAreAnErrorOrAValue(t *testing.T) {
	for _, depth := range []int{100, 20000} {
		text := "{{" + strings.Repeat("(", depth) + "now" + strings.Repeat(")", depth) + "}}"
		_, err := testTemplates().Text(text, ScopeToken)
		if got, want := err != nil, depth > 10000; got != want {
			t.Errorf("%d parentheses: %v, want an error: %v", depth, err, want)
		}
	}
}
