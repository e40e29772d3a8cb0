package verify

import (
	"encoding/base64"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

const maxToken = 64 << 10 // bytes

// A token is a compact JWS (RFC 7515, section 7.1) that was taken apart and has not been verified.
type token struct {
	alg, kid  string
	issuer    string         // iss, if it is a string
	claims    jsontext.Value // an object
	payload   []byte         // the text of claims
	signed    string         // what the signature is over
	signature []byte
}

// parse takes a token apart. It is stricter than base64 and JSON decoders are by themselves, so that a token has one
// spelling and one meaning.
func parse(text string) (*token, error) {
	if len(text) > maxToken {
		return nil, malformed("it has %d bytes, more than %d", len(text), maxToken)
	}
	if i := strings.IndexFunc(text, notOfToken); i >= 0 { // encoding/base64 skips line breaks
		return nil, malformed("%s", stray(text, i))
	}
	parts := strings.SplitN(text, ".", 6)
	switch {
	case len(parts) == 5:
		return nil, malformed("it is encrypted (JWE): it has five parts")
	case len(parts) != 3:
		return nil, malformed("it has not three parts")
	case parts[2] == "":
		return nil, malformed("it is not signed")
	}
	t := &token{signed: text[:len(parts[0])+1+len(parts[1])]}
	_, header, err := segment("header", parts[0])
	if err == nil {
		err = t.readHeader(header)
	}
	if err == nil {
		t.payload, t.claims, err = segment("payload", parts[1])
	}
	if err == nil {
		t.issuer = t.claimedIssuer()
		t.signature, err = decode("signature", parts[2])
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

// stray says what the first character means that no token has.
func stray(text string, at int) string {
	switch c := text[at]; {
	case c == '=':
		return "its parts are padded with =, and those of a token are base64url without padding (RFC 7515, section 2): the issuer has to leave it out"
	case c == '+' || c == '/':
		return "its parts are in base64 with + and /, and those of a token are base64url, with - and _ (RFC 7515, section 2)"
	case c == ' ' && strings.EqualFold(text[:at], "Bearer"):
		return "it begins with Bearer, the scheme of the header: give what stands behind it"
	case c == ' ' || c == '\t' || c == '\n' || c == '\r':
		return "it has white space in it or around it"
	case c == '"' || c == '\'':
		return "it stands in quotation marks"
	}
	return "it has a character that no token has"
}

func malformed(format string, args ...any) error {
	return &TokenError{Malformed, fmt.Sprintf(format, args...)}
}

// notOfToken reports whether r is outside of base64url and its dots.
func notOfToken(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_', r == '.':
		return false
	}
	return true
}

// decode reads base64url whose unused bits are zero (RFC 4648, section 3.5): otherwise one signature could be spelt in
// several ways.
func decode(what, part string) ([]byte, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return nil, malformed("its %s is not base64url without padding", what)
	}
	return b, nil
}

// segment reads a part that is a JSON object.
func segment(what, part string) (text []byte, object jsontext.Value, err error) {
	if text, err = decode(what, part); err != nil {
		return nil, object, err
	}
	object, err = jsontext.Parse(string(text))
	if bad, ok := err.(*jsontext.SyntaxError); ok {
		return nil, object, malformed("its %s is not strict JSON: at byte %d", what, bad.Offset)
	}
	switch {
	case object.Kind != jsontext.Object:
		return nil, object, malformed("its %s is not a JSON object", what)
	case !wellNamed(object):
		return nil, object, malformed("its %s has a member whose name holds half a character", what)
	case ambiguous(object.Members):
		return nil, object, malformed("its %s has two members whose names differ only in case", what)
	}
	return text, object, nil
}

// wellNamed reports whether no name has an unpaired surrogate: encoding/json reads each as U+FFFD, so that two names
// become one.
func wellNamed(v jsontext.Value) bool {
	for _, e := range v.Elems {
		if !wellNamed(e) {
			return false
		}
	}
	for _, m := range v.Members {
		if !utf8.ValidString(m.Name) || !wellNamed(m.Value) {
			return false
		}
	}
	return true
}

// ambiguous reports whether two names are one to encoding/json, which finds the field of a struct for a name in any
// case: what was checked as exp could be read from Exp.
func ambiguous(members []jsontext.Member) bool {
	seen := make(map[string]struct{}, len(members))
	for _, m := range members {
		seen[strings.Map(fold, m.Name)] = struct{}{}
	}
	return len(seen) < len(members)
}

// fold returns the same for all characters that are r in some case: the ASCII letter in lower case, so that most names
// stay as they are, or the least of them.
func fold(r rune) rune {
	for next := unicode.SimpleFold(r); ; next = unicode.SimpleFold(r) {
		if next <= r {
			return unicode.ToLower(next)
		}
		r = next
	}
}

// readHeader takes what counts from the JOSE header. Members that bring a key of their own or tell where to find one
// (jwk, jku, x5c, x5u) are for readers who have no keys.
func (t *token) readHeader(header jsontext.Value) error {
	alg, ok := text(header, "alg")
	if !ok || alg == "" {
		return malformed("its header has no alg that is a string")
	}
	if kid, ok := text(header, "kid"); ok {
		t.kid = kid
	} else if _, has := member(header, "kid"); has {
		return malformed("the kid in its header is not a string")
	}
	if _, has := member(header, "crit"); has { // RFC 7515, section 4.1.11
		return malformed("its header has crit, and no extension of JWS is understood here")
	}
	t.alg = alg
	return nil
}

func member(object jsontext.Value, name string) (jsontext.Value, bool) {
	for _, m := range object.Members {
		if m.Name == name {
			return m.Value, true
		}
	}
	return jsontext.Value{}, false
}

func (t *token) claimedIssuer() string {
	iss, _ := text(t.claims, "iss")
	return iss
}

// text returns a member that is a string.
func text(object jsontext.Value, name string) (string, bool) {
	v, ok := member(object, name)
	return v.Text, ok && v.Kind == jsontext.String
}
