package jwtbearer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/beevik/etree"
	"github.com/ohler55/ojg/jp"
	"github.com/ohler55/ojg/oj"
)

// bodyDepth is how deep a body may be nested, and descents how often a path may look at all levels: together they bound
// what a hostile body can cost.
const (
	bodyDepth = 64
	descents  = 2
)

// bodyPath is a place in a body, compiled for the media in which it can be met.
type bodyPath struct {
	json    jp.Expr // nil: not in JSON
	filters bool    // json compares values
	xml     *etree.Path
	attr    string // the attribute that xml ends in
}

// pathResult is what a path leads to.
type pathResult struct {
	texts []string // never nil
	null  bool     // there is nothing but null

	scalar bool // texts are those of strings and numbers alone
}

// compilePath compiles the text of the field at field. With media json or xml it must be a path of that kind.
// Otherwise it is a JSONPath, a path of elements, or, where it can be read as both, both. It returns nil, and a
// problem, for what is neither.
func compilePath(field, text string, media MediaType, p *problems) *bodyPath {
	if media == MediaPlaintext {
		p.add(field, "plain text has no paths", "use Match, or set ErrorMediaType to json or xml, or leave it empty")
		return nil
	}
	if strings.Count(text, "..")+strings.Count(text, "//") > descents {
		p.add(field, fmt.Sprintf("%q searches all levels more than twice", text), "name the levels")
		return nil
	}
	var path bodyPath
	var notJSON, notXML error
	if media != MediaXML {
		notJSON = path.compileJSON(text)
	}
	if media != MediaJSON {
		notXML = path.compileXML(text)
	}
	switch {
	case path.json != nil || path.xml != nil:
		return &path
	case media == MediaXML:
		p.add(field, fmt.Sprintf("%q is not a path of elements: %v", text, notXML), "write one such as /Error/Code or //faultcode")
	default:
		p.add(field, fmt.Sprintf("%q is not a JSONPath: %v", text, notJSON), "write one such as error.code or errors[*].code")
	}
	return nil
}

// compileJSON adds the leading $. and puts names such as retry-after, which RFC 9535 has only in brackets, there.
func (b *bodyPath) compileJSON(text string) error {
	full := rooted(text)
	if err := checkJSONPath(full); err != nil {
		return err
	}
	expr, err := parseJSONPath(full)
	if err != nil {
		bracketed, ok := inBrackets(full)
		if !ok {
			return err
		}
		if expr, err = parseJSONPath(bracketed); err != nil {
			return err
		}
	}
	b.json, b.filters = expr, strings.Contains(text, "?")
	return nil
}

func rooted(text string) string {
	switch {
	case strings.HasPrefix(text, "$"):
		return text
	case strings.HasPrefix(text, "["), strings.HasPrefix(text, ".."):
		return "$" + text
	}
	return "$." + text
}

// parseJSONPath fences jp in, which panics where it meets what it did not expect.
func parseJSONPath(text string) (expr jp.Expr, err error) {
	defer func() {
		if r := recover(); r != nil {
			expr, err = nil, fmt.Errorf("%v", r)
		}
	}()
	return jp.ParseString(text)
}

// checkJSONPath refuses what jp reads without a word and gets wrong, and comparisons with the whole document, whose
// cost is the square of the body.
func checkJSONPath(text string) error {
	var quote rune
	for i, c := range text {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '$' && i > 0:
			return fmt.Errorf("$ at %d: it can only be the beginning", i+1)
		}
	}
	if strings.HasSuffix(text, ".") {
		return fmt.Errorf("it ends in a full stop")
	}
	return nil
}

// inBrackets writes a plain chain of names in brackets: $['retry-after']['@type'].
func inBrackets(text string) (string, bool) {
	names := strings.Split(strings.TrimPrefix(text, "$."), ".")
	for i, name := range names {
		if name == "" || strings.ContainsAny(name, "[]()'\"/\\*?,=<>$ \t\r\n") {
			return "", false
		}
		names[i] = "['" + name + "']"
	}
	return "$" + strings.Join(names, ""), true
}

// elementPath is what a path of elements looks like. etree takes nearly any text for one, and finds nothing by it.
var elementPath = func() *regexp.Regexp {
	const name = `[\pL_](?:[\pL\pN._-]*[\pL\pN_-])?`
	const filter = `\[[\pL\pN_@-](?:[^\]'"]|'[^']*'|"[^"]*")*\]`
	const step = `(?:\.|\.\.|\*|` + name + `(?::` + name + `)?)?(?:` + filter + `)*`
	return regexp.MustCompile(`^` + step + `(?:/` + step + `)*$`)
}()

// compileXML reads a path of elements, which may end in an attribute: /Error/Code, //fault/@code.
func (b *bodyPath) compileXML(text string) error {
	elements, attr := text, ""
	if i := strings.LastIndex(text, "/@"); i >= 0 && !strings.ContainsAny(text[i:], "[]'\"") {
		elements, attr = text[:i], text[i+2:]
	}
	if elements == "" || !elementPath.MatchString(elements) {
		return fmt.Errorf("it has a step that is neither a name nor a filter")
	}
	path, err := etree.CompilePath(elements)
	if err != nil {
		return err
	}
	b.xml, b.attr = &path, attr
	return nil
}

// inJSON looks the path up in a decoded body. What makes jp panic is not there.
func (b *bodyPath) inJSON(tree any) (found pathResult, ok bool) {
	defer func() {
		if recover() != nil {
			found, ok = pathResult{}, false
		}
	}()
	nodes := b.json.Get(tree)
	found = pathResult{texts: []string{}, null: true, scalar: true}
	for _, node := range nodes {
		switch node.(type) {
		case nil, bool, []any, map[string]any:
			found.scalar = false
		}
		found.null = found.null && node == nil
		if list, ok := node.([]any); ok {
			for _, element := range list {
				found.texts = append(found.texts, scalarText(element))
			}
			continue
		}
		found.texts = append(found.texts, scalarText(node))
	}
	return found, len(nodes) > 0
}

// inXML looks the path up in a document: the text of each element, or its attribute.
func (b *bodyPath) inXML(document *etree.Document) (found pathResult, ok bool) {
	defer func() {
		if recover() != nil {
			found, ok = pathResult{}, false
		}
	}()
	found = pathResult{texts: []string{}, scalar: true}
	for _, element := range document.FindElementsPath(*b.xml) {
		if b.attr == "" {
			found.texts = append(found.texts, strings.TrimSpace(element.Text()))
		} else if attr := element.SelectAttr(b.attr); attr != nil {
			found.texts = append(found.texts, attr.Value)
		}
	}
	return found, len(found.texts) > 0
}

// scalarText is the text of a JSON value: of a string what it says, of a number its digits as they came, of an object
// JSON.
func scalarText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	text, err := marshalJSON(v)
	if err != nil {
		return ""
	}
	return string(text)
}

// decodeJSON decodes one JSON value and nothing after it; numbers keep their digits.
func decodeJSON(text []byte) (any, bool) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if !isShallow(text) {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil, false
	}
	_, err := d.Token()
	return v, err == io.EOF
}

// decodeTyped decodes text, which decodeJSON has accepted, for filters: those of jp cannot compare a json.Number.
func decodeTyped(text []byte) (v any, ok bool) {
	defer func() {
		if recover() != nil {
			v, ok = nil, false
		}
	}()
	v, err := oj.Parse(bytes.TrimPrefix(text, []byte("\ufeff")))
	return v, err == nil
}

// isShallow reports whether a JSON text nests no deeper than bodyDepth.
func isShallow(text []byte) bool {
	depth, inString, escaped := 0, false, false
	for _, c := range text {
		switch {
		case escaped:
			escaped = false
		case inString:
			escaped = c == '\\'
			inString = c != '"'
		case c == '"':
			inString = true
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
		}
		if depth > bodyDepth {
			return false
		}
	}
	return true
}

// decodeXML decodes a document no deeper than bodyDepth. Entities that it declares are not expanded.
func decodeXML(text []byte) (document *etree.Document, ok bool) {
	defer func() {
		if recover() != nil {
			document, ok = nil, false
		}
	}()
	document = etree.NewDocument()
	document.ReadSettings = etree.ReadSettings{ValidateInput: true, MaxDepth: bodyDepth}
	err := document.ReadFromBytes(bytes.TrimPrefix(text, []byte("\ufeff")))
	return document, err == nil && document.Root() != nil
}
