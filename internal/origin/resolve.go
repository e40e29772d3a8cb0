package origin

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Resolve returns the address of ref: appended to the base URI byte for byte, or as it is where it is absolute and of an origin
// that may have the token. Its errors show nothing of the reference but an origin.
func (a *Address) Resolve(ref string) (*url.URL, error) {
	ref, _, _ = strings.Cut(ref, "#")
	if strings.ContainsFunc(ref, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, errors.New("the reference holds a control character, such as a line break: remove it, or use url.PathEscape")
	}
	path, query, _ := strings.Cut(ref, "?")
	text := ref
	if !IsAbsolute(path) {
		if err := a.checkRelative(path); err != nil {
			return nil, err
		}
		text = a.text + path
		if query = JoinQuery(a.Base.RawQuery, query); query != "" {
			text += "?" + query
		}
	}
	if strings.Contains(query, " ") { // net/url escapes one in a path, but sends it as it is in a query
		return nil, errors.New("the query of the reference holds a space: write it as %20, or make the query with url.Values")
	}
	u, err := url.Parse(text)
	if err != nil { // it would quote the reference
		return nil, errors.New("the reference is not a URI: escape its parts with url.PathEscape and url.QueryEscape")
	}
	if u.User != nil || !a.Trusts(u) {
		return nil, fmt.Errorf("%w: the reference leads to %s", ErrForeign, Name(u))
	}
	if HasDotSegment(u.EscapedPath()) {
		return nil, errDots
	}
	u.Host = ASCII(u.Host)
	return u, nil
}

// IsAbsolute reports whether a reference begins with a scheme and an authority (RFC 3986, section 3). messages:batchGet does
// not: after a base that ends in a slash it is a path like others. https:path is nobody's path, and is refused as a foreign
// origin.
func IsAbsolute(path string) bool {
	scheme, rest, ok := strings.Cut(path, ":")
	if !ok || scheme == "" || strings.Contains(scheme, "/") {
		return false
	}
	u, err := url.Parse(scheme + ":")
	return err == nil && (u.Scheme == "https" || u.Scheme == "http" || u.Scheme != "" && strings.HasPrefix(rest, "//"))
}

var errDots = errors.New("the reference has a segment . or .., which leads out of BaseURI: write the path itself")

// checkRelative refuses references that lead elsewhere than they seem to.
func (a *Address) checkRelative(path string) error {
	switch {
	case strings.HasPrefix(path, "//"):
		return errors.New("the reference begins with //, which names another host: begin it with one /")
	case path != "" && path[0] != '/' && a.Base.Path == "":
		return errors.New("the reference would lengthen the host of BaseURI: begin it with /")
	case HasDotSegment(path):
		return errDots
	}
	return nil
}

// JoinQuery joins two raw queries, of which each may be empty.
func JoinQuery(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "&" + b
}

// HasDotSegment reports whether a path has a segment that is . or .. to any server: also to one that decodes it before it splits
// it, once or several times, takes a backslash for a slash or a wide dot for a dot, cuts path parameters off (..;x), ends a
// string at a NUL, drops spaces, or accepts overlong UTF-8.
func HasDotSegment(path string) bool {
	if !strings.ContainsAny(path, ".%") && isASCII(path) {
		return false
	}
	for range maxDecodings {
		if climbs(path) {
			return true
		}
		decoded := decode(path)
		if decoded == path {
			return false
		}
		path = decoded
	}
	return true // what is encoded so many times is meant to pass for something else
}

const maxDecodings = 8

// climbs reports whether a segment of path is . or .. where it is not decoded any further.
func climbs(path string) bool {
	if !isASCII(path) {
		path = norm.NFKC.String(shortest(path))
	}
	for segment := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '/' || r == '\\' }) {
		if i := strings.IndexAny(segment, ";\x00?#"); i >= 0 {
			segment = segment[:i]
		}
		segment = strings.TrimFunc(segment, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// decode takes one layer of percent-encoding off, of %u002e too (IIS). What is not one stays as it is.
func decode(path string) string {
	if !strings.Contains(path, "%") {
		return path
	}
	var b strings.Builder
	for i := 0; i < len(path); {
		if path[i] == '%' && i+5 < len(path) && path[i+1]|0x20 == 'u' {
			if r, ok := unhex(path[i+2 : i+6]); ok {
				b.WriteRune(rune(r))
				i += 6
				continue
			}
		}
		if path[i] == '%' && i+2 < len(path) {
			if c, ok := unhex(path[i+1 : i+3]); ok {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(path[i])
		i++
	}
	return b.String()
}

func unhex(digits string) (n int, ok bool) {
	for _, c := range []byte(digits) {
		switch {
		case '0' <= c && c <= '9':
			n = n<<4 | int(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			n = n<<4 | int(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return n, true
}

// shortest rewrites overlong UTF-8, such as C0 AE for a dot (RFC 3629, section 10), to the character that a lenient decoder
// reads. Other bytes stay as they are.
func shortest(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		n, r := sequence(text[i:])
		if n > 1 && r < 0x80 {
			b.WriteByte(byte(r))
		} else {
			b.WriteString(text[i : i+n])
		}
		i += n
	}
	return b.String()
}

// sequence reads one character as UTF-8 that may be overlong: its length in bytes, 1 for what is none.
func sequence(text string) (n int, r rune) {
	lead := text[0]
	switch {
	case lead>>5 == 0b110:
		n, r = 2, rune(lead&0x1f)
	case lead>>4 == 0b1110:
		n, r = 3, rune(lead&0x0f)
	case lead>>3 == 0b11110:
		n, r = 4, rune(lead&0x07)
	default:
		return 1, rune(lead)
	}
	if len(text) < n {
		return 1, rune(lead)
	}
	for _, c := range []byte(text[1:n]) {
		if c>>6 != 0b10 {
			return 1, rune(lead)
		}
		r = r<<6 | rune(c&0x3f)
	}
	return n, r
}
