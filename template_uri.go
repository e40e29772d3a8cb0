package jwtbearer

import (
	"net/url"
	"strings"
)

// baseURI evaluates BaseURI. Its errors are *templateError.
func (t *templates) baseURI(text string) (string, error) {
	compiled, err := t.compileURI(text, scopeStatic)
	if err != nil {
		return "", err
	}
	uri, _ := compiled.constant() // as all is that stands in this scope
	return uri, nil
}

// compileURI compiles a URI or a reference. A value that begins it stands as it is; one in the host may hold only letters,
// digits, - and . so that it cannot lead elsewhere; one in the path or query is escaped. Its errors are *templateError.
func (t *templates) compileURI(text string, sc scope) (*textTemplate, error) {
	parts, fault := t.parse(text, sc)
	if fault != nil {
		return nil, fault.in(text, "")
	}
	var b builder
	for _, p := range parts {
		x := p.asText()
		if p.action {
			if x, fault = escaped(x, b.fixed(), func(f *templateFault) *templateError { f.pos = p.pos; return f.in(text, "") }); fault != nil {
				fault.pos = p.pos
				return nil, fault.in(text, "")
			}
		}
		b.add(x)
	}
	return &textTemplate{b.program()}, nil
}

// fixed is what b has collected, where all of it is known.
func (b *builder) fixed() *string {
	if len(b.steps) > 0 {
		return nil
	}
	return new(string(b.pending))
}

// escaped is x as it may follow what stands before it in a URI; nil: that is not known yet.
func escaped(x expr, before *string, place func(*templateFault) *templateError) (expr, *templateFault) {
	if x.fixed && before != nil {
		value, fault := escapeURIValue(*before, x.value)
		x.value = value
		return x, fault
	}
	raw, value := x.render, x.value
	if x.fixed {
		raw = func(dst []byte, _ *env) ([]byte, error) { return append(dst, value...), nil }
	}
	x.fixed = false
	x.render = func(dst []byte, e *env) ([]byte, error) {
		tail, err := raw(nil, e)
		if err != nil {
			return dst, err
		}
		value, fault := escapeURIValue(string(dst), string(tail))
		if fault != nil {
			return dst, place(fault)
		}
		return append(dst, value...), nil
	}
	return x, nil
}

// escapeURIValue returns value as it may follow before, which is the beginning of a URI or of a reference.
func escapeURIValue(before, value string) (string, *templateFault) {
	_, rest, absolute := strings.Cut(before, "://")
	switch {
	case before == "":
		return value, nil
	case strings.ContainsAny(before, "?#"):
		return strings.ReplaceAll(url.QueryEscape(value), "+", "%20"), nil
	case absolute && !strings.Contains(rest, "/"):
		if value == "" || strings.ContainsFunc(value, notHost) {
			return "", &templateFault{problem: "a value in the host may hold only letters, digits, - and ., and must not be empty",
				hint: "set it to the name alone, and write scheme, port and path around it"}
		}
		return value, nil
	case value != "" && strings.Trim(value, ".") == "":
		return "", &templateFault{problem: "a value in the path must not consist of dots", hint: "set it to what the segment is called"}
	}
	return url.PathEscape(value), nil
}

func notHost(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '.')
}
