package connfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

// What a document may hold. A file of maxSize that stays within them is read in less than a second.
const (
	maxEntries = 5000 // keys and list entries
	maxDepth   = 100  // of lists and mappings within each other
)

// A yamlReader turns what yaml.v3 read of one document into nodes. It refuses what connection files do not use, and what
// yaml.v3 accepts although YAML 1.2 does not.
type yamlReader struct {
	text    string
	starts  []int // of the lines in text
	before  int   // lines of the file before text
	entries int
}

// readYAML reads a document. A document that holds nothing but comments gives an empty node.
func readYAML(text string, firstLine int) (node, *Error) {
	r := newYAMLReader(text, firstLine-1)
	if i := strings.IndexFunc(r.text, isForeignBreak); i >= 0 {
		return node{}, r.failAt(i, "a line break or mark that only some readers of YAML know",
			`write it in double quotes, by its number: "\u2028"`)
	}
	root, reached, err := parseYAML(r.text)
	switch {
	case err != nil:
		return node{}, r.syntaxError(err, reached)
	case len(root.Content) == 0:
		return node{at: position{firstLine, 1}}, nil
	case root.Content[0].Kind == yaml.ScalarNode:
		return node{kind: kindText, at: r.at(root.Content[0])}, nil
	}
	return r.node(root.Content[0], place{})
}

// newYAMLReader prepares text, which follows so many lines of its file. The lines of white space before its first text are
// left out. So is the white space of a line that begins with a tab and has nothing else: it is an empty line (YAML 1.2.2,
// section 6.7), which yaml.v3 takes for indentation.
func newYAMLReader(text string, before int) *yamlReader {
	r := new(yamlReader)
	var b strings.Builder
	for line := range strings.Lines(text) {
		empty := strings.Trim(line, " \t\n") == ""
		if empty && b.Len() == 0 {
			before++
			continue
		}
		r.starts = append(r.starts, b.Len())
		if empty && line[0] == '\t' {
			line = "\n"
		}
		b.WriteString(line)
	}
	r.text, r.before = b.String(), before
	return r
}

// isForeignBreak reports whether yaml.v3 reads r as a line break or a mark, as YAML 1.1 does and 1.2 does not, or refuses it.
func isForeignBreak(r rune) bool {
	return r >= 0x80 && r < 0xa0 || r == '\u2028' || r == '\u2029' || r == '\ufeff' || r == 0xfffe || r == 0xffff
}

// parseYAML reads one document, and returns how much of text was looked at.
func parseYAML(text string) (root *yaml.Node, reached int, err error) {
	rest := bytes.NewReader([]byte(text))
	defer func() {
		reached = len(text) - rest.Len()
		if recover() != nil { // yaml.v3 panics where it finds that it is wrong
			err = errors.New("unreadable")
		}
	}()
	decoder := yaml.NewDecoder(byteByByte{rest})
	root = new(yaml.Node)
	if err = decoder.Decode(root); err == nil {
		if err = decoder.Decode(new(yaml.Node)); err == nil {
			err = errors.New("a second document")
		}
	}
	if err == io.EOF {
		err = nil
	}
	return root, reached, err
}

// byteByByte keeps yaml.v3 from reading ahead, so that where it stopped is near the mistake.
type byteByByte struct{ io.Reader }

func (r byteByByte) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(1, len(p))]) }

// A place is where a node stands.
type place struct {
	indent int  // the column of the key or dash that it belongs to, from 1; 0: it belongs to none
	flow   bool // within brackets or braces
	depth  int
}

// node converts n. Lists and mappings within it are those of in.depth+1.
func (r *yamlReader) node(n *yaml.Node, in place) (node, *Error) {
	in.depth++
	if in.depth > maxDepth {
		return node{}, r.fail(n, fmt.Sprintf("more than %d lists and mappings within each other", maxDepth), "")
	}
	if err := r.checkUse(n); err != nil {
		return node{}, err
	}
	isFlow := n.Style&(yaml.FlowStyle|yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0
	outermost := isFlow && !in.flow
	in.flow = in.flow || isFlow
	v, err := r.content(n, in)
	if err == nil && outermost {
		err = r.checkFlow(n, in.indent)
	}
	return v, err
}

func (r *yamlReader) content(n *yaml.Node, in place) (node, *Error) {
	switch n.Kind {
	case yaml.MappingNode:
		return r.mapping(n, in)
	case yaml.SequenceNode:
		return r.sequence(n, in)
	}
	return r.scalar(n, in)
}

// checkUse refuses what connection files have no use for. Most often it is meant as text and lacks its quotes.
func (r *yamlReader) checkUse(n *yaml.Node) *Error {
	const quote = "; if it is text, put it in quotes"
	switch {
	case n.Kind == yaml.AliasNode:
		return r.fail(n, "an alias (*)", "write settings out wherever they hold"+quote)
	case n.Anchor != "":
		return r.fail(n, "an anchor (&)", "write settings out wherever they hold"+quote)
	case n.Style&yaml.TaggedStyle != 0:
		return r.fail(n, tagProblem, hintTag)
	case n.Tag == "!!merge":
		return r.fail(n, "a merge key (<<)", "write settings out wherever they hold"+quote)
	}
	return nil
}

func (r *yamlReader) mapping(n *yaml.Node, in place) (node, *Error) {
	m := node{kind: kindMapping, at: r.at(n)}
	for i := 0; i < len(n.Content); i += 2 {
		key, err := r.key(n, n.Content[i], in)
		if err != nil {
			return node{}, err
		}
		if !in.flow {
			in.indent = n.Column
		}
		value, err := r.node(n.Content[i+1], in)
		if err != nil {
			return node{}, err
		}
		m.members = append(m.members, nodeMember{name: key.text, at: key.at, value: value})
	}
	return m, nil
}

// key converts a key of the mapping m.
func (r *yamlReader) key(m, n *yaml.Node, in place) (node, *Error) {
	if err := r.count(n); err != nil {
		return node{}, err
	}
	if n.Kind == yaml.MappingNode && in.flow && n.Line == m.Line && n.Column == m.Column+1 {
		return node{}, r.fail(m, bracesProblem, bracesHint)
	}
	if err := r.checkUse(n); err != nil {
		return node{}, err
	}
	if n.Kind != yaml.ScalarNode || n.Style == 0 && plainKind(n.Value) == kindNull {
		return node{}, r.fail(n, "a key that is no text", "put it in quotes")
	}
	if !in.flow && n.Column != m.Column {
		return node{}, r.fail(m, "a key marked by ?", "write key: value")
	}
	return r.scalar(n, in)
}

func (r *yamlReader) sequence(n *yaml.Node, in place) (node, *Error) {
	s := node{kind: kindSequence, at: r.at(n)}
	if !in.flow {
		in.indent = n.Column
	}
	for _, elem := range n.Content {
		if err := r.count(elem); err != nil {
			return node{}, err
		}
		v, err := r.node(elem, in)
		if err != nil {
			return node{}, err
		}
		s.elems = append(s.elems, v)
	}
	return s, nil
}

func (r *yamlReader) count(n *yaml.Node) *Error {
	if r.entries++; r.entries > maxEntries {
		return r.fail(n, fmt.Sprintf("more than %d keys and list entries", maxEntries), "split the file")
	}
	return nil
}

func (r *yamlReader) scalar(n *yaml.Node, in place) (node, *Error) {
	s := node{kind: kindText, text: n.Value, at: r.at(n)}
	switch {
	case n.Style == 0:
		s.kind = plainKind(n.Value)
		return s, r.checkPlain(n, in)
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return s, r.checkBlock(n)
	}
	return s, nil
}

// at is the position in the file.
func (r *yamlReader) at(n *yaml.Node) position { return position{n.Line + r.before, n.Column} }

// fail makes an error at a node.
func (r *yamlReader) fail(n *yaml.Node, problem, hint string) *Error {
	at := r.at(n)
	return &Error{Line: at.line, Column: at.column, Problem: problem, Hint: hint}
}

// failAt makes an error at an offset in the text.
func (r *yamlReader) failAt(offset int, problem, hint string) *Error {
	line, column := jsontext.Position(r.text, offset)
	return &Error{Line: line + r.before, Column: column, Problem: problem, Hint: hint}
}

// offset is where n begins in the text.
func (r *yamlReader) offset(n *yaml.Node) int {
	at := r.starts[n.Line-1]
	for range n.Column - 1 {
		_, size := utf8.DecodeRuneInString(r.text[at:])
		at += size
	}
	return at
}
