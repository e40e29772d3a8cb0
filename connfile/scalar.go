package connfile

import (
	"math"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// scalar reads a plain or quoted scalar.
func (r *yamlReader) scalar(n ast.ScalarNode) (node, *Error) {
	t := n.GetToken()
	s := node{at: r.fileAt(t), kind: kindText, text: t.Value}
	switch t.Type {
	case token.ImplicitNullType:
		return node{at: s.at}, nil
	case token.DoubleQuoteType:
		if !r.soundEscapes(t) {
			return node{}, r.fail(r.at(t), "an escape sequence that stands for no character", `write \\ for a backslash`)
		}
	case token.SingleQuoteType:
	default:
		s.text = fold(t.Origin)
		s.kind = plainKind(s.text)
		text := strings.TrimSpace(t.Origin)
		if strings.Contains(text, "\n") && strings.Contains(text, "#") { // goccy takes some comments for text
			return node{}, r.fail(r.at(t), "text over several lines that holds a #", "put it in quotes")
		}
	}
	return s, nil
}

// fold joins the lines of a plain scalar (YAML 1.2.2, section 6.5).
func fold(text string) string {
	var b strings.Builder
	empty := 0
	for line := range strings.SplitSeq(strings.Trim(text, " \t\n"), "\n") {
		line = strings.Trim(line, " \t")
		switch {
		case line == "":
			empty++
			continue
		case empty > 0:
			b.WriteString(strings.Repeat("\n", empty))
		case b.Len() > 0:
			b.WriteByte(' ')
		}
		empty = 0
		b.WriteString(line)
	}
	return b.String()
}

// block reads a literal (|) or folded (>) scalar. Its lines are those after the header that are indented by at least least-1,
// which is more than their key or dash.
func (r *yamlReader) block(n *ast.LiteralNode, least int) (node, *Error) {
	header := n.Start
	text := foldBlock(r.blockLines(header, least-1), header.Value)
	switch visible := squeeze(text); {
	case visible == "": // and goccy misreads the quotes of a key behind it
		return node{}, r.fail(r.at(header), "a block of text in which there is none", `indent the text, or write ""`)
	case visible != squeeze(n.Value.Value):
		return node{}, r.fail(r.at(header), "a block of text whose indentation is not clear", "indent all its lines alike")
	}
	return node{kind: kindText, text: text, at: r.fileAt(header)}, nil
}

// blockLines returns the lines of a block scalar without their indentation. The last is what follows the last line break.
func (r *yamlReader) blockLines(header *token.Token, least int) []string {
	var lines []string
	indent := 0
	rest := r.lines[min(header.Position.Line, len(r.lines)):]
	if i := strings.IndexAny(header.Value, "123456789"); i >= 0 {
		indent = least - 1 + int(header.Value[i]-'0')
	} else {
		indent = blockIndent(rest, least)
	}
	for _, line := range rest {
		content := strings.TrimLeft(line, " ")
		if content != "" && len(line)-len(content) < indent {
			return append(lines, "")
		}
		lines = append(lines, line[min(indent, len(line)):])
	}
	return lines
}

// unclear is beyond the indentation of any block: a blank line at its start is longer than the indentation of the first other.
const unclear = math.MaxInt

// blockIndent is the indentation of the first line that is not blank, or of the longest blank one where no such line belongs
// to the block (YAML 1.2.2, section 8.1.1.1).
func blockIndent(lines []string, least int) int {
	indent := least
	for _, line := range lines {
		content := strings.TrimLeft(line, " ")
		spaces := len(line) - len(content)
		if content != "" {
			if spaces >= indent {
				return spaces
			}
			if spaces >= least {
				return unclear
			}
			break
		}
		indent = max(indent, spaces)
	}
	return indent
}

// foldBlock joins lines as the header of their block says (YAML 1.2.2, sections 8.1.1 to 8.1.3).
func foldBlock(lines []string, header string) string {
	var b strings.Builder
	folded := strings.HasPrefix(header, ">")
	pending, empty, wasIndented := "", 0, false
	for i, line := range lines {
		if line == "" {
			empty++
			continue
		}
		isIndented := line[0] == ' ' || line[0] == '\t'
		if folded && pending != "" && !isIndented && !wasIndented {
			pending = ""
			if empty == 0 {
				pending = " "
			}
		}
		b.WriteString(pending)
		b.WriteString(strings.Repeat("\n", empty))
		b.WriteString(line)
		pending, empty, wasIndented = "\n", 0, isIndented
		if i == len(lines)-1 {
			return b.String()
		}
	}
	if !strings.Contains(header, "-") {
		b.WriteString(pending)
	}
	if strings.Contains(header, "+") {
		b.WriteString(strings.Repeat("\n", max(0, empty-1)))
	}
	return b.String()
}

// squeeze takes all blanks and line breaks out.
func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }
