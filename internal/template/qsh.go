package template

import (
	"cmp"
	"crypto/sha256"
	"net/url"
	"slices"
	"strings"
)

// queryHash is Atlassian's query string hash: the SHA-256 of the canonical request.
func (r *Request) queryHash() ([sha256.Size]byte, error) {
	return sha256.Sum256([]byte(r.canonical())), nil
}

// canonical is the method, the path below the base URI, and the sorted query without the parameter jwt, joined by &.
func (r *Request) canonical() string {
	return strings.ToUpper(r.method()) + "&" + r.canonicalPath() + "&" + canonicalQuery(r.u.RawQuery)
}

func (r *Request) canonicalPath() string {
	path := r.path()
	base := strings.TrimSuffix(r.basePath, "/")
	if rest, ok := strings.CutPrefix(path, base); ok && (rest == "" || rest[0] == '/') {
		path = rest
	}
	path = strings.TrimSuffix(path, "/")
	if path == "" {
		return "/"
	}
	return strings.ReplaceAll(path, "&", "%26") // else the end of the path could be taken for a query
}

// canonicalQuery sorts by the encoded names. The values of one name are sorted, too, and joined by commas: within a value a
// comma is %2C, so that the two differ.
func canonicalQuery(raw string) string {
	type param struct{ name, value string }
	var params []param
	for item := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(item, "=")
		if name = reencode(name); item != "" && name != "jwt" {
			params = append(params, param{name, reencode(value)})
		}
	}
	slices.SortFunc(params, func(a, b param) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.value, b.value))
	})
	var b strings.Builder
	for i, p := range params {
		switch {
		case i > 0 && params[i-1].name == p.name:
			b.WriteByte(',')
		case i > 0:
			b.WriteByte('&')
			fallthrough
		default:
			b.WriteString(p.name)
			b.WriteByte('=')
		}
		b.WriteString(p.value)
	}
	return b.String()
}

// reencode percent-encodes all but the unreserved characters of RFC 3986, section 2.3. What is not well encoded is taken
// literally.
func reencode(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		s = plain
	}
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
