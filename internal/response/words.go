package response

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"github.com/beevik/etree"
	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
)

// The names under which APIs give their codes and words, in order of preference, without case, underscores and hyphens.
// Containers hold another such object.
var (
	codeNames    = []string{"errorcode", "code", "faultcode", "error", "reason", "status", "type", "id"}
	messageNames = []string{"errordescription", "errormessage", "message", "detail", "faultstring", "title", "description", "msg"}
	containers   = []string{"error", "errors", "fault"}
)

// Words returns the API's own code and words from the body of a refusal, where it has one of the usual shapes: problem details
// (RFC 9457), an OAuth error (RFC 6749, section 5.2), an error object or a list of them, an XML fault. errorPath leads to the words;
// nil: they are searched. Both are fit for a message, and may still repeat a token.
func (r *Response) Words(errorPath *Path) (code, message string) {
	text, whole, ok := r.Body()
	if !ok {
		return "", ""
	}
	if whole {
		code, message = r.Said(r.Syntax())
	}
	plain := r.kind == media.Text || r.kind == "" && r.ContentType() == "text/plain"
	if code == "" && message == "" && plain {
		message = string(text)
	}
	if told := r.Values(errorPath); len(told) > 0 {
		message = strings.Join(told[:min(len(told), 10)], "; ")
	}
	return problem.OneLine(code), problem.OneLine(message)
}

// ErrorInSuccess returns what the body of a success says where it looks like that of a failure, as GraphQL and many RPC styles have
// them: {"ok": false}, {"error": "…"} and the like. member is the name of the member that says so; empty: none does.
func (r *Response) ErrorInSuccess(errorPath *Path) (member, code, message string) {
	_, whole, ok := r.Body()
	if !ok || !whole || r.Status()/100 != 2 || r.Syntax() != media.JSON {
		return "", "", ""
	}
	object := r.Object()
	if object == nil {
		return "", "", ""
	}
	members := plainNames(object)
	for _, name := range containers {
		if says(members[name]) {
			member = name
		}
	}
	for _, name := range []string{"ok", "success"} {
		if v, ok := members[name].(bool); ok && !v {
			member = name
		}
	}
	if member != "" {
		code, message = r.Words(errorPath)
	}
	return member, code, message
}

// says reports whether a value is more than null, false or empty.
func says(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	}
	return false
}

// Said is the code and the words of a body that is read as JSON or XML, as they stand there: they may be long, and hold line breaks.
func (r *Response) Said(syntax media.Kind) (code, message string) {
	switch syntax {
	case media.XML:
		if document, ok := r.document(); ok {
			return wordsOfXML(document.Root())
		}
	case media.JSON:
		if tree, ok := r.Tree(); ok {
			return wordsOfJSON(tree, 3)
		}
	}
	return "", ""
}

// wordsOfJSON looks at an object, at what it holds under the name of a container, and at the first element of a list.
func wordsOfJSON(v any, depth int) (code, message string) {
	if depth == 0 {
		return "", ""
	}
	if list, ok := v.([]any); ok && len(list) > 0 {
		return wordsOfJSON(list[0], depth)
	}
	object, ok := v.(map[string]any)
	if !ok {
		return sayingOf(v)
	}
	members := plainNames(object)
	for _, name := range containers {
		if inner, ok := members[name]; ok && code == "" && message == "" {
			code, message = wordsOfJSON(inner, depth-1)
		}
	}
	if c := codeOf(members); code == "" || isStatus(code) && c != "" {
		code = c
	}
	if message == "" || code == message {
		message = firstText(members, messageNames)
	}
	return code, message
}

// sayingOf distinguishes a bare code from bare words: {"error":"invalid_grant"} from {"error":"The rate limit is reached"}.
func sayingOf(v any) (code, message string) {
	text, ok := v.(string)
	if !ok {
		return "", ""
	}
	if strings.ContainsFunc(text, unicode.IsSpace) {
		return "", text
	}
	return text, ""
}

// codeOf prefers any code to one that merely repeats the status: {"code":429,"status":"RESOURCE_EXHAUSTED"}.
func codeOf(members map[string]any) string {
	repeated := ""
	for _, name := range codeNames {
		text := firstText(members, []string{name})
		switch {
		case text == "" || text == "about:blank" || strings.ContainsFunc(text, unicode.IsSpace):
		case !isStatus(text):
			return text
		case repeated == "":
			repeated = text
		}
	}
	return repeated
}

// isStatus reports whether a code looks like an HTTP status.
func isStatus(code string) bool { return len(code) == 3 && code >= "400" && code <= "599" }

// plainNames maps the members of an object by their names without case, underscores and hyphens; of two that become one,
// the first in order of their names counts.
func plainNames(object map[string]any) map[string]any {
	members := make(map[string]any, len(object))
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		plain := strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
		if _, taken := members[plain]; !taken {
			members[plain] = object[name]
		}
	}
	return members
}

// firstText is the first scalar under one of the names.
func firstText(members map[string]any, names []string) string {
	for _, name := range names {
		switch v := members[name].(type) {
		case string:
			if v != "" {
				return v
			}
		case json.Number:
			return v.String()
		}
	}
	return ""
}

// wordsOfXML takes the first element of each name, wherever it stands. A Fault of SOAP 1.2 has its code and text in Value and Text.
func wordsOfXML(root *etree.Element) (code, message string) {
	members := map[string]any{}
	for _, element := range root.FindElements("//*") {
		name := strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(element.Tag))
		text := strings.TrimSpace(element.Text())
		if _, taken := members[name]; !taken && text != "" {
			members[name] = text
		}
	}
	code, message = codeOf(members), firstText(members, messageNames)
	if root.FindElement("//Fault") != nil {
		code, message = cmp.Or(code, firstText(members, []string{"value"})), cmp.Or(message, firstText(members, []string{"text"}))
	}
	return code, message
}
