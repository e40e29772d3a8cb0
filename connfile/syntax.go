package connfile

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	hintSyntax    = "look for wrong indentation, and for text that needs quotes"
	bracesProblem = "{{ without quotes begins a mapping, not a template"
	bracesHint    = `put the text in quotes: "{{…}}"`
	quoteProblem  = "a quotation mark that is never closed"
	hintQuote     = "close it, or put the text in quotes of the other kind"
)

// syntaxError says what is wrong with a text that yaml.v3 refused after it had looked at so many bytes of it. Its own words
// are not passed on: with them come pieces of the file.
func (r *yamlReader) syntaxError(err error, reached int) *Error {
	kind := failures[len(failures)-1]
	for _, k := range failures {
		if strings.Contains(err.Error(), k.words) {
			kind = k
			break
		}
	}
	line := 0
	if kind.opener {
		line = r.openedLine()
	} else {
		line = r.brokenLine(strings.Count(r.text[:reached], "\n") + 1)
	}
	for _, m := range mistakes {
		switch {
		case m.line.MatchString(r.line(line)) && (m.before == nil || m.before.MatchString(r.line(line-1))):
			return r.failIn(line, m.line, m.problem, m.hint)
		case m.goesOn && m.line.MatchString(r.line(line-1)):
			return r.failIn(line-1, m.line, m.problem, m.hint)
		}
	}
	return r.failIn(line, kind.place, kind.problem, kind.hint)
}

// openedLine is the line with the quotation mark or bracket that is not closed. yaml.v3 names it only after the first line,
// and counts the line from 0 where its parser, not its scanner, finds the mistake.
func (r *yamlReader) openedLine() int {
	_, _, err := parseYAML("\n" + r.text)
	if err == nil {
		return 1
	}
	_, number, _ := strings.Cut(err.Error(), "line ")
	number, message, _ := strings.Cut(number, ":")
	line, _ := strconv.Atoi(number)
	if strings.HasPrefix(message, " found") {
		line--
	}
	return max(1, line)
}

// mostTries bounds how far brokenLine looks back: yaml.v3 seldom stops more than two lines after a mistake.
const mostTries = 8

// brokenLine is the last line without which what is above it can be read, or reached, the line where yaml.v3 stopped.
func (r *yamlReader) brokenLine(reached int) int {
	reached = min(reached, len(r.starts))
	for line := reached; line > max(0, reached-mostTries); line-- {
		if _, _, err := parseYAML(r.text[:r.starts[line-1]]); err == nil {
			return line
		}
	}
	return reached
}

// line returns a line of the text by its number, from 1; nothing for one that is not there.
func (r *yamlReader) line(number int) string {
	if number < 1 || number > len(r.starts) {
		return ""
	}
	line, _, _ := strings.Cut(r.text[r.starts[number-1]:], "\n")
	return line
}

// failIn makes an error in a line, at the group of place that matches, or at the match.
func (r *yamlReader) failIn(line int, place *regexp.Regexp, problem, hint string) *Error {
	text := r.line(line)
	at := 0
	found := place.FindStringSubmatchIndex(text)
	for i := 0; i < len(found); i += 2 {
		at = max(at, found[i])
	}
	return &Error{Line: line + r.before, Column: utf8.RuneCountInString(text[:at]) + 1, Problem: problem, Hint: hint}
}

var firstText = regexp.MustCompile(`(\S)`)

// wrongEscape matches up to the first backslash that begins no escape sequence of yaml.v3.
var wrongEscape = regexp.MustCompile(`^(?:[^\\]|\\[0abtnvfre "\\N_LP]|\\x[0-9a-fA-F]{2}|\\u(?:[0-9a-ce-fA-CE-F][0-9a-fA-F]{3}|` +
	`[dD][0-7][0-9a-fA-F]{2})|\\U00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4})*(\\)`)

// failures are the words of yaml.v3 that mean something, and where in the line the mistake is. The last is for all others.
var failures = []struct {
	words         string
	opener        bool // something that was opened and not closed
	place         *regexp.Regexp
	problem, hint string
}{
	{"found unexpected end of stream", true, regexp.MustCompile(`(?:^[- ]*|[:,\[{] *)(["'])`),
		quoteProblem, hintQuote},
	{"did not find expected ',' or", true, regexp.MustCompile(`([\[{])`),
		"a bracket or brace that is never closed, or a comma that is missing", "close it; if it is text, put it in quotes"},
	{"escape character", false, wrongEscape, escapeProblem, hintEscape},
	{"hexdecimal", false, wrongEscape, escapeProblem, hintEscape},
	{"Unicode character", false, wrongEscape, escapeProblem, hintEscape},
	{"mapping values are not allowed", false, regexp.MustCompile(`^[- ]*[^ :]+: +(\S.*:(?: |$))|^ *(\S)`),
		"a second value, or a colon, where the value of a key is already complete", hintSyntax},
	{"could not find expected ':'", false, firstText,
		"a line without a colon, or not indented far enough to belong to the line above", hintSyntax},
	{"", false, firstText, "is not YAML that can be read", hintSyntax},
}

// inPlaceOfText is what stands before a value.
const inPlaceOfText = `(?:^ *|[-:,] +|[\[{] *)`

// mistakes are those that people make most, by the line where yaml.v3 stopped and the one before it.
var mistakes = []struct {
	line, before  *regexp.Regexp
	goesOn        bool // the line is well-formed and only the next is not
	problem, hint string
}{
	{line: regexp.MustCompile(`^[- ]*(\t)`), problem: "a tab in the indentation", hint: "use spaces"},
	{line: regexp.MustCompile(`^(%)`), problem: "a directive (%)", hint: "remove it; if it is text, put it in quotes"},
	{line: regexp.MustCompile(inPlaceOfText + `(\*{6})(?:$|[^*])`), problem: maskedProblem, hint: maskedHint},
	{line: regexp.MustCompile(inPlaceOfText + `(\*)`), problem: "an alias (*)",
		hint: "write settings out wherever they hold; if it is text, put it in quotes"},
	{line: regexp.MustCompile(inPlaceOfText + `(\{\{)`), goesOn: true, problem: bracesProblem, hint: bracesHint},
	{line: regexp.MustCompile(inPlaceOfText + "([@`%])"), problem: "text that begins with @, % or `", hint: "put it in quotes"},
	{before: regexp.MustCompile(`[:-] [|>][-+1-9]*[ \t]*$`), line: regexp.MustCompile(`^(\S)`),
		problem: "text that is not indented below the | or > that announces it", hint: "indent all its lines alike"},
	{line: regexp.MustCompile(`"\{\{[^}"]*(")[^}]*\}\}`), problem: "quotes within quotes",
		hint: `put a template that holds " in the other quotes: '{{base64 "x"}}'`},
	{line: regexp.MustCompile(inPlaceOfText + `(?:"[^"\\]*(")|'[^']*('))[^\s,:}\]'"]`), problem: "text after a closing quotation mark",
		hint: "put text that holds quotes in those of the other kind"},
	{line: regexp.MustCompile(inPlaceOfText + `(["'])[^"']*$`), problem: quoteProblem, hint: hintQuote},
	{line: regexp.MustCompile(`^[- ]*([A-Za-z0-9_]+):[^ /]`), goesOn: true, problem: "a colon without a space after it",
		hint: "write key: value"},
	{line: regexp.MustCompile(`^([A-Za-z0-9_]+ [^:#]*)$`), goesOn: true, problem: "a line without a colon", hint: "write key: value"},
}
