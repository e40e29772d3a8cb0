package connfile

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	indentProblem  = "is not indented far enough to belong to the line above"
	hintIndent     = "indent it by more than the key or dash that it belongs to, with spaces"
	commentProblem = "a comment without a space before it"
	hintComment    = "put a space before the #; if it is text, put it in quotes"
	escapeProblem  = "an escape sequence that stands for no character"
	hintEscape     = `write \\ for a backslash, / for \/, and \U0001f600 for \ud83d\ude00`
	tagProblem     = "a tag (!)"
	hintTag        = "remove it; if it is text, put it in quotes"
)

// checkPlain refuses a plain scalar that YAML does not have: a dash alone within brackets (YAML 1.2.2, section 7.3.3), and one
// with a tag that has no name.
func (r *yamlReader) checkPlain(n *yaml.Node, in place) *Error {
	switch {
	case in.flow && n.Value == "-":
		return r.fail(n, "a dash alone within brackets", `put it in quotes: "-"`)
	case !in.flow && strings.HasPrefix(r.text[r.offset(n):], "!"):
		return r.fail(n, tagProblem, hintTag)
	}
	return nil
}

// blockHeader matches the line that announces a block scalar, from its | or > on (YAML 1.2.2, section 8.1.1).
var blockHeader = regexp.MustCompile(`^[|>][-+1-9]*([ \t]+#.*|[ \t]*)(\n|$)`)

// checkBlock refuses a block scalar without text, which is most often one whose lines are not indented.
func (r *yamlReader) checkBlock(n *yaml.Node) *Error {
	switch {
	case !blockHeader.MatchString(r.text[r.offset(n):]):
		return r.fail(n, commentProblem, hintComment)
	case strings.TrimSpace(n.Value) == "":
		return r.fail(n, "a block of text in which there is none", `indent the text, or write ""`)
	}
	return nil
}

// checkFlow refuses what yaml.v3 accepts in quotes, brackets and braces that begin at n and belong to a key or dash at the
// column indent.
func (r *yamlReader) checkFlow(n *yaml.Node, indent int) *Error {
	start := r.offset(n)
	s := &flowScanner{text: r.text[start:]}
	s.scan()
	if s.problem != "" {
		return r.failAt(start+s.at, s.problem, s.hint)
	}
	offset := start
	for i, line := range strings.SplitAfter(s.text[:s.at], "\n") {
		content := strings.TrimLeft(line, " ")
		isText := strings.TrimLeft(content, "\t\n") != "" && (n.Kind == yaml.ScalarNode || strings.IndexByte("#]}", content[0]) < 0)
		if i > 0 && isText && len(line)-len(content) < indent {
			return r.failAt(offset+len(line)-len(content), indentProblem, hintIndent)
		}
		offset += len(line)
	}
	return nil
}

// A flowScanner goes through text in quotes, brackets or braces, which yaml.v3 has read without an error, up to their end.
type flowScanner struct {
	text          string
	at            int
	problem, hint string
}

func (s *flowScanner) scan() {
	depth, fresh := 0, true // fresh: a key or a value may begin here
	for s.at < len(s.text) {
		switch c := s.text[s.at]; {
		case fresh && (c == '"' || c == '\''):
			s.quoted(c)
			fresh = false
		case c == '[' || c == '{':
			depth++
			fresh = true
		case c == ']' || c == '}':
			depth--
			fresh = false
		case c == '#' && s.follows(" \t\n"):
			comment, _, _ := strings.Cut(s.text[s.at:], "\n")
			s.at += len(comment) - 1
		case c == '#' && s.follows(`,[]{}"'`):
			s.problem, s.hint = commentProblem, hintComment
		case c == '!' && fresh:
			s.problem, s.hint = tagProblem, hintTag
		case c == '?' && fresh:
			s.problem, s.hint = "a ? at the beginning of a key or text within brackets", "put the text in quotes"
		case c == ',' || c == ':' && (s.follows(`"'}]`) || strings.IndexByte(" \t\n", s.next()) >= 0):
			fresh = true
		case strings.IndexByte(" \t\n", c) < 0:
			fresh = false
		}
		if s.problem != "" {
			return
		}
		if s.at++; depth == 0 {
			break
		}
	}
	if strings.HasPrefix(s.text[s.at:], "#") {
		s.problem, s.hint = commentProblem, hintComment
	}
}

// follows reports whether one of chars stands before the present character.
func (s *flowScanner) follows(chars string) bool {
	return s.at > 0 && strings.IndexByte(chars, s.text[s.at-1]) >= 0
}

// next is the character after the present one, or a space at the end.
func (s *flowScanner) next() byte {
	if s.at+1 < len(s.text) {
		return s.text[s.at+1]
	}
	return ' '
}

// quoted goes to the quotation mark that closes the one at the present character.
func (s *flowScanner) quoted(mark byte) {
	for s.at++; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '\\' && mark == '"' && s.next() == '\'':
			s.problem, s.hint = escapeProblem, hintEscape
			return
		case c == '\\' && mark == '"', c == '\'' && mark == '\'' && s.next() == '\'':
			s.at++
		case c == mark:
			return
		}
	}
}
