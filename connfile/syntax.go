package connfile

import (
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/token"
)

const hintSyntax = "look for wrong indentation, and for text that needs quotes"

// syntaxError tells where goccy's parser failed. Its own words are not passed on: with them come pieces of the file.
func (r *yamlReader) syntaxError(err error) *Error {
	bad, ok := err.(interface {
		GetToken() *token.Token
		GetMessage() string
	})
	if !ok || bad.GetToken() == nil {
		return r.fail(position{1, 1}, "is not YAML that can be read", hintSyntax)
	}
	return r.syntaxErrorAt(bad.GetToken(), bad.GetMessage())
}

func (r *yamlReader) syntaxErrorAt(t *token.Token, message string) *Error {
	at := r.at(t)
	switch message {
	case "could not find end character of double-quoted text", "could not find end character of single-quoted text":
		return r.fail(at, "a quotation mark that is never closed", "close it, or put the text in quotes of the other kind")
	case "sequence end token ']' not found", "could not find flow mapping end token '}'":
		return r.fail(at, "a bracket or brace that is never closed", "close it; if it is text, put it in quotes")
	}
	for _, m := range mistakes {
		if m.line.MatchString(r.line(at.line)) && (m.before == nil || m.before.MatchString(r.line(at.line-1))) {
			return r.fail(at, m.problem, m.hint)
		}
	}
	if strings.Contains(message, "not allowed in this context") {
		return r.fail(at, "a second value, or a colon, where the value of a key is already complete", hintSyntax)
	}
	return r.fail(at, "is not YAML that can be read", hintSyntax)
}

// mistakes are those that people make most, by the line where goccy's parser failed and the one before it.
var mistakes = []struct {
	line, before  *regexp.Regexp
	problem, hint string
}{
	{line: regexp.MustCompile(`^[ ]*\t`), problem: "a tab in the indentation", hint: "use spaces"},
	{before: regexp.MustCompile(`[:-] [|>][-+1-9]*[ \t]*$`), line: regexp.MustCompile(`^\S`),
		problem: "text that is not indented below the | or > that announces it", hint: "indent all its lines alike"},
	{line: regexp.MustCompile(`"\{\{[^}]*"[^}]*\}\}`), problem: "quotes within quotes",
		hint: `put a template that holds " in the other quotes: '{{base64 "x"}}'`},
	{line: regexp.MustCompile(`^[- ]*[A-Za-z0-9_]+:[^ /]`), problem: "a colon without a space behind it", hint: "write key: value"},
}
