package template

import (
	"net/url"
	"strings"
)

// URI evaluates an address that never changes. A value that begins it stands as it is; one in the host may hold only letters, digits, - and .
// so that it cannot lead elsewhere; one in the path or query is escaped. Its errors are *problem.Error.
func (t *Set) URI(text string) (string, error) {
	parts, fault := t.parse(text, ScopeStatic)
	if fault != nil {
		return "", fault.in(text, "")
	}
	var uri string
	for _, p := range parts {
		value := p.asText().value
		if p.action && uri != "" {
			if value, fault = escapeURIValue(uri, value); fault != nil {
				fault.pos = p.pos
				return "", fault.in(text, "")
			}
		}
		uri += value
	}
	return uri, nil
}

// escapeURIValue returns value as it may follow before.
func escapeURIValue(before, value string) (string, *fault) {
	if _, rest, absolute := strings.Cut(before, "://"); absolute {
		before = rest
	}
	switch {
	case strings.ContainsAny(before, "?#"):
		return strings.ReplaceAll(url.QueryEscape(value), "+", "%20"), nil
	case !strings.Contains(before, "/"):
		if value == "" || strings.ContainsFunc(value, notHost) {
			return "", &fault{problem: "a value in the host may hold only letters, digits, - and ., and must not be empty",
				hint: "set it to the name alone, and write scheme, port and path around it"}
		}
		return value, nil
	case value != "" && strings.Trim(value, ".") == "":
		return "", &fault{problem: "a value in the path must not consist of dots", hint: "set it to what the segment is called"}
	}
	return url.PathEscape(value), nil
}

func notHost(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '.')
}
