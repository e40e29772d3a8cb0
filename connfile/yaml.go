package connfile

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// A yamlReader reads one document of a YAML file. Its structure is what goccy's parser says; the text of its scalars is read
// here, from the lines, because goccy loses tabs in plain scalars, blanks at the end of block scalars and empty lines.
type yamlReader struct {
	lines          []string
	before         int  // lines of the file before this document
	numericEscapes bool // it holds what looks like the number of a character: \x41, \u0041
}

// readYAML reads a document. A document in which nothing is but comments gives an empty node.
func readYAML(text string, firstLine int) (node, *Error) {
	r := &yamlReader{lines: strings.Split(text, "\n"), before: firstLine - 1}
	for _, mark := range []string{`\x`, `\u`, `\U`} {
		r.numericEscapes = r.numericEscapes || strings.Contains(text, mark)
	}
	if err := r.checkCost(); err != nil {
		return node{}, err
	}
	file, err := r.parse(text)
	if err != nil {
		return node{}, err
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return node{at: position{firstLine, 1}}, nil
	}
	body := file.Docs[0].Body
	switch body.(type) {
	case *ast.MappingNode, *ast.SequenceNode:
		return r.node(body, 0, false)
	}
	return node{kind: kindText, at: r.fileAt(body.GetToken())}, nil
}

// parse has goccy read the structure. It is the fence around goccy, which indexes without looking in places.
func (r *yamlReader) parse(text string) (file *ast.File, err *Error) {
	defer func() {
		if recover() != nil {
			file, err = nil, r.fail(position{1, 1}, "is not YAML that can be read", hintSyntax)
		}
	}()
	tokens := lexer.Tokenize(text)
	if err := r.checkTokens(tokens); err != nil {
		return nil, err
	}
	file, parseErr := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if parseErr != nil {
		return nil, r.syntaxError(parseErr)
	}
	return file, nil
}

// What goccy's lexer and parser need quadratic time or stack for. Within these bounds the worst file of maxSize found takes
// some tenths of a second.
const (
	maxEntries   = 5000 // keys and dashes in a document
	maxFlowDepth = 100  // of brackets and braces
	maxColumn    = 200  // of a dash or key outside of brackets; each level of nesting needs another column
	maxBlank     = 20   // blank lines in a row
	maxTabs      = 200  // in a line
	maxAngles    = 100  // "<" in a row
)

// checkCost refuses what goccy's lexer reads slowly.
func (r *yamlReader) checkCost() *Error {
	blank, angles := 0, strings.Repeat("<", maxAngles)
	for i, line := range r.lines {
		if blank++; strings.TrimLeft(line, " \t") != "" {
			blank = 0
		}
		switch {
		case blank > maxBlank:
			return r.fail(position{i + 1, 1}, fmt.Sprintf("more than %d blank lines in a row", maxBlank), "remove some")
		case strings.Count(line, "\t") > maxTabs:
			return r.fail(position{i + 1, 1}, fmt.Sprintf("more than %d tabs in one line", maxTabs), "use spaces")
		case strings.Contains(line, angles):
			return r.fail(position{i + 1, 1}, fmt.Sprintf("more than %d times < in a row", maxAngles), "remove it")
		}
	}
	return nil
}

// checkTokens refuses what connection files have no use for, and what most often is meant as text and lacks its quotes.
func (r *yamlReader) checkTokens(tokens token.Tokens) *Error {
	depth, entries := 0, 0
	for i, t := range tokens {
		switch t.Type {
		case token.InvalidType:
			return r.syntaxErrorAt(t, t.Error)
		case token.MappingStartType, token.SequenceStartType:
			if depth++; depth > maxFlowDepth {
				return r.fail(r.at(t), fmt.Sprintf("more than %d brackets and braces within each other", maxFlowDepth), "")
			}
			if t.Type == token.MappingStartType && i > 0 && adjacent(tokens[i-1], t) {
				return r.fail(r.at(tokens[i-1]), "{{ without quotes begins a mapping, not a template", `put the text in quotes: "{{…}}"`)
			}
		case token.MappingEndType, token.SequenceEndType:
			depth--
		case token.MappingValueType, token.SequenceEntryType:
			if t.Type == token.MappingValueType && i > 0 {
				t = tokens[i-1] // the key
			}
			if entries++; entries > maxEntries {
				return r.fail(r.at(t), fmt.Sprintf("more than %d keys and list entries", maxEntries), "split the file")
			}
			if depth <= 0 && t.Position.Column > maxColumn {
				return r.fail(r.at(t), fmt.Sprintf("indented by more than %d", maxColumn), "")
			}
		default:
			if aliases(tokens[i:]) == len(masked) {
				return r.fail(r.at(t), maskedProblem, maskedHint)
			}
			if problem, hint := notUsed(t.Type); problem != "" {
				return r.fail(r.at(t), problem, hint)
			}
		}
	}
	return nil
}

// adjacent reports whether two opening braces stand side by side.
func adjacent(a, b *token.Token) bool {
	return a.Type == token.MappingStartType && a.Position.Line == b.Position.Line && a.Position.Column+1 == b.Position.Column
}

// aliases counts the marks that tokens begin with. One is that of an alias, several are none.
func aliases(tokens token.Tokens) int {
	n := 0
	for n < len(tokens) && n <= len(masked) && tokens[n].Type == token.AliasType {
		n++
	}
	return n
}

// notUsed tells which parts of YAML connection files do not use, and what to do instead.
func notUsed(t token.Type) (problem, hint string) {
	const quote = "; if it is text, put it in quotes"
	switch t {
	case token.AnchorType:
		return "an anchor (&)", "write settings out wherever they hold" + quote
	case token.AliasType:
		return "an alias (*)", "write settings out wherever they hold" + quote
	case token.MergeKeyType:
		return "a merge key (<<)", "write settings out wherever they hold" + quote
	case token.TagType:
		return "a tag (!)", "remove it" + quote
	case token.MappingKeyType:
		return "a key marked by ?", "write key: value" + quote
	case token.DocumentHeaderType, token.DocumentEndType: // split has taken off all that are such
		return "a line that begins like a mark between documents", "put text in quotes"
	case token.DirectiveType:
		return "a directive (%)", "remove it" + quote
	}
	return "", ""
}

func (r *yamlReader) at(t *token.Token) position {
	return position{t.Position.Line, t.Position.Column}
}

// line returns a line of the document by its number, from 1; nothing for a number that goccy got wrong.
func (r *yamlReader) line(number int) string {
	if number < 1 || number > len(r.lines) {
		return ""
	}
	return r.lines[number-1]
}

// fail makes an error at a position within the document.
func (r *yamlReader) fail(at position, problem, hint string) *Error {
	return &Error{Line: at.line + r.before, Column: at.column, Problem: problem, Hint: hint}
}

// node converts what goccy read, within brackets or not. What stands outside of them must stand at column least or beyond.
func (r *yamlReader) node(n ast.Node, least int, flow bool) (node, *Error) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return r.mapping(n, flow || n.IsFlowStyle)
	case *ast.SequenceNode:
		return r.sequence(n, flow || n.IsFlowStyle)
	case *ast.LiteralNode:
		return r.block(n, least)
	case ast.ScalarNode:
		return r.scalar(n)
	}
	return node{}, r.fail(r.at(n.GetToken()), "is not YAML that can be read", hintSyntax)
}

func (r *yamlReader) mapping(n *ast.MappingNode, flow bool) (node, *Error) {
	m := node{kind: kindMapping, at: r.fileAt(n.GetToken())}
	for _, value := range n.Values {
		key, err := r.key(value)
		if err != nil {
			return node{}, err
		}
		least := key.at.column + 1
		if list, ok := value.Value.(*ast.SequenceNode); ok && !list.IsFlowStyle {
			least-- // its dashes may stand at the column of its key
		}
		v, err := r.child(value.Value, key.at, least, flow)
		if err != nil {
			return node{}, err
		}
		if len(m.members) == 0 {
			m.at = key.at
		}
		m.members = append(m.members, nodeMember{name: key.text, at: key.at, value: v})
	}
	return m, nil
}

func (r *yamlReader) key(n *ast.MappingValueNode) (node, *Error) {
	key, err := r.node(n.Key, 0, true)
	switch {
	case err != nil:
		return node{}, err
	case n.Start.Position.Line != n.Key.GetToken().Position.Line:
		return node{}, r.fail(r.at(n.Start), "a colon in another line than its key", hintSyntax)
	case key.kind == kindNull:
		return node{}, r.fail(r.at(n.Key.GetToken()), "a key that is no text", "put it in quotes")
	}
	return key, nil
}

func (r *yamlReader) sequence(n *ast.SequenceNode, flow bool) (node, *Error) {
	s := node{kind: kindSequence, at: r.fileAt(n.GetToken())}
	for i, value := range n.Values {
		dash := s.at
		if !flow {
			dash = r.fileAt(n.Entries[i].Start)
		}
		v, err := r.child(value, dash, dash.column+1, flow)
		if err != nil {
			return node{}, err
		}
		s.elems = append(s.elems, v)
	}
	return s, nil
}

// child converts the value of a key or dash. In a line of its own outside of brackets, it must be indented so that it stands at
// column least or beyond: goccy does not look after that everywhere.
func (r *yamlReader) child(n ast.Node, parent position, least int, flow bool) (node, *Error) {
	v, err := r.node(n, least, flow)
	if _, empty := n.(*ast.NullNode); err != nil || flow || empty || v.at.line == parent.line {
		return v, err
	}
	line := r.line(v.at.line - r.before)
	if indent := len(line) - len(strings.TrimLeft(line, " ")); indent+1 < least {
		return node{}, r.fail(position{v.at.line - r.before, indent + 1}, "is not indented far enough to belong to the line above",
			"indent it, or give that line a value")
	}
	return v, nil
}

// fileAt is the position in the file.
func (r *yamlReader) fileAt(t *token.Token) position {
	at := r.at(t)
	at.line += r.before
	return at
}
