package template

import (
	"net/url"
	"strings"
)

// URI evaluates an address that never changes, as Reference has it. Its errors are *problem.Error.
func (t *Set) URI(text string) (string, error) {
	compiled, err := t.Reference(text, ScopeStatic)
	if err != nil {
		return "", err
	}
	uri, _ := compiled.Constant() // as all is that stands in this scope
	return uri, nil
}

// Reference compiles a URI or a reference. A value that begins it stands as it is; one in the host may hold only letters,
// digits, - and . so that it cannot lead elsewhere; one in the path or query is escaped. Its errors are *problem.Error.
func (t *Set) Reference(text string, sc Scope) (*Text, error) {
	parts, faults := t.parse(text, sc)
	if faults != nil {
		return nil, placed(faults, text, "")
	}
	var b builder
	for _, p := range parts {
		x := p.asText()
		if p.action {
			var bad *fault
			if x, bad = escaped(x, b.fixed(), func(f *fault) error { f.pos = p.pos; return f.in(text, "") }); bad != nil {
				bad.pos = p.pos
				faults = append(faults, bad)
			}
		}
		b.add(x)
	}
	if faults != nil {
		return nil, placed(faults, text, "")
	}
	return &Text{b.program()}, nil
}

// fixed is what b has collected, where all of it is known.
func (b *builder) fixed() *string {
	if len(b.steps) > 0 {
		return nil
	}
	return new(string(b.pending))
}

// escaped is x as it may follow what stands before it in a URI; nil: that is not known yet.
func escaped(x expr, before *string, place func(*fault) error) (expr, *fault) {
	if x.fixed && before != nil {
		value, bad := escapeURIValue(*before, x.value)
		x.value = value
		return x, bad
	}
	raw, value := x.render, x.value
	if x.fixed {
		raw = func(dst []byte, _ *Env) ([]byte, error) { return append(dst, value...), nil }
	}
	x.fixed = false
	x.render = func(dst []byte, e *Env) ([]byte, error) {
		tail, err := raw(nil, e)
		if err != nil {
			return dst, err
		}
		value, bad := escapeURIValue(string(dst), string(tail))
		if bad != nil {
			return dst, place(bad)
		}
		return append(dst, value...), nil
	}
	return x, nil
}

// escapeURIValue returns value as it may follow before, which is the beginning of a URI or of a reference.
func escapeURIValue(before, value string) (string, *fault) {
	_, rest, absolute := strings.Cut(before, "://")
	switch {
	case before == "":
		return value, nil
	case strings.ContainsAny(before, "?#"):
		return strings.ReplaceAll(url.QueryEscape(value), "+", "%20"), nil
	case absolute && !strings.Contains(rest, "/"):
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
