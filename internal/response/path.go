package response

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/beevik/etree"
	"github.com/seed-363d07a3/jwtbearer/internal/jsonpath"
	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
)

// bodyDepth is how deep a body may be nested, and textBound how many bytes the texts may have together that a path leads to,
// which overlap where it leads to an object and to what is in it: they bound what a hostile body can cost.
const (
	bodyDepth = 64
	textBound = 4 * MostBody
)

// A Path is a place in a body, compiled for JSON, XML or both. It is safe for concurrent use.
type Path struct {
	json *jsonpath.Path // nil: not in JSON
	xml  *elementPath   // nil: not in XML
}

// pathResult is what a path leads to.
type pathResult struct {
	texts []string // never nil
	null  bool     // there is nothing but null

	scalar bool // texts are those of strings and numbers alone
}

// CompilePath compiles the path of a field. Where kind is JSON or XML, it must be a path of that kind. Where kind is empty, it is a
// JSONPath (RFC 9535), a path of elements, or both where it can be read as both. It returns nil, and reports a problem, for what is
// neither.
func CompilePath(field, text string, kind media.Kind, report problem.Report) *Path {
	if kind == media.Text {
		report(field, "plain text has no paths", "use Match, or set ErrorMediaType to json or xml, or leave it empty")
		return nil
	}
	var path Path
	var notJSON, notXML error
	if kind != media.XML {
		path.json, notJSON = jsonpath.Compile(text)
	}
	if kind != media.JSON {
		path.xml, notXML = compileElements(text)
	}
	switch e, ok := errors.AsType[*jsonpath.Error](notJSON); {
	case path.json != nil || path.xml != nil:
		return &path
	case ok && (notXML == nil || !strings.HasPrefix(text, "/")):
		report(field, fmt.Sprintf("%q %s", text, e.Problem), e.Hint)
	default:
		report(field, fmt.Sprintf("%q is not a path of elements: %v", text, notXML), "write one such as /Error/Code or //faultcode")
	}
	return nil
}

// inJSON looks the path up in a decoded body, until ctx ends. What costs more than the path's budget, and more text than
// textBound, is not there.
func (p *Path) inJSON(ctx context.Context, tree any) (found pathResult, ok bool) {
	nodes, ok := p.json.Select(ctx, tree)
	found = pathResult{texts: []string{}, null: true, scalar: true}
	left := textBound
	add := func(v any) bool {
		text := scalarText(v)
		found.texts = append(found.texts, text)
		left -= 1 + len(text)
		return left >= 0
	}
	for _, node := range nodes {
		switch node.(type) {
		case nil, bool, []any, map[string]any:
			found.scalar = false
		}
		found.null = found.null && node == nil
		elements, isArray := node.([]any)
		if !isArray {
			elements = []any{node}
		}
		for _, element := range elements {
			if !add(element) {
				return pathResult{}, false
			}
		}
	}
	return found, ok && len(nodes) > 0
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
	text, err := media.Marshal(v)
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
