package text

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Doubt is why a text that was given as a shared secret is probably not the secret that is meant. It shows nothing of the text.
type Doubt struct {
	Problem, Hint string

	// Form says that the text may be right but for what stands around or between its characters, and Placeholder that it stands
	// for a secret. Neither: it is another thing.
	Form, Placeholder bool
}

// SecretDoubts looks at a shared secret with the same eyes as at a private key. A secret may be any octets (RFC 7518, section 3.2), so
// nothing of it is repaired, and random bytes and usual passwords give no doubt.
func SecretDoubts(secret []byte) []Doubt {
	if len(secret) == 0 || len(secret) > MaxSize {
		return nil
	}
	if bytes.HasPrefix(secret, []byte("\xff\xfe")) || bytes.HasPrefix(secret, []byte("\xfe\xff")) || isWideText(secret) {
		return []Doubt{formDoubt("is text in UTF-16, as Windows tools write it, and not in UTF-8", "save it as UTF-8 without a byte order mark")}
	}
	if !utf8.Valid(secret) {
		return otherDoubt(secret) // DER, say
	}
	return append(formDoubts(string(secret)), otherDoubt(secret)...)
}

// isWideText reports whether b is UTF-16 without a byte order mark. Random bytes are not.
func isWideText(b []byte) bool {
	wide, ok := fromUTF16(b)
	return ok && len(wide) >= len(b)/2 && isText(wide) && !bytes.ContainsRune(wide, utf8.RuneError)
}

func formDoubt(problem, hint string) Doubt { return Doubt{Problem: problem, Hint: hint, Form: true} }

// formDoubts finds what stands around or between the characters of a secret and cannot be seen.
func formDoubts(s string) []Doubt {
	var all []Doubt
	if rest, ok := strings.CutPrefix(strings.TrimPrefix(s, doubleBOM), "\ufeff"); ok || strings.HasPrefix(s, doubleBOM) {
		all = append(all, formDoubt("begins with a byte order mark (U+FEFF), which is invisible", "save it as UTF-8 without a byte order mark"))
		s = strings.TrimPrefix(rest, doubleBOM)
	}
	inner := strings.TrimSpace(s)
	if inner == "" {
		return append(all, formDoubt("is white space only", "find out why the program that should fill it in has none"))
	}
	const cut = "remove it where it comes from (echo adds a line break, printf none), unless the API's secret has it"
	switch end := s[len(strings.TrimRightFunc(s, unicode.IsSpace)):]; {
	case strings.ContainsAny(end, "\r\n"):
		all = append(all, formDoubt("ends with a line break", cut))
	case end != "":
		all = append(all, formDoubt("ends with a space or tab", cut))
	case strings.HasSuffix(s, `\n`) || strings.HasSuffix(s, `\r`):
		all = append(all, formDoubt(`ends with a backslash and a letter, \n or \r, which stood for a line break`, cut))
	}
	if strings.TrimLeftFunc(s, unicode.IsSpace) != s {
		all = append(all, formDoubt("begins with a space or line break", cut))
	}
	if isQuoted(inner) {
		all = append(all, formDoubt("stands in quotation marks, which are signed with, too", "remove them, unless the API's secret has them"))
	}
	if strings.ContainsFunc(inner, isUnseen) {
		all = append(all, formDoubt("holds an invisible or control character, or a space that is none of the keyboard's", "copy it again from where it came from"))
	}
	return all
}

var quotePairs = [...][2]string{{`"`, `"`}, {"'", "'"}, {"`", "`"}, {"“", "”"}, {"„", "“"}, {"‘", "’"}, {"«", "»"}}

func isQuoted(s string) bool {
	return slices.ContainsFunc(quotePairs[:], func(q [2]string) bool {
		return len(s) > len(q[0]+q[1]) && strings.HasPrefix(s, q[0]) && strings.HasSuffix(s, q[1])
	})
}

// isUnseen reports whether a person who copies a text would not know of r.
func isUnseen(r rune) bool {
	if r < utf8.RuneSelf {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f
	}
	_, fix := plain(r)
	return fix == fixBOM || fix == fixSpaces || fix == fixInvisible || fix == fixControl
}

// symmetric matches a JWK that holds a shared secret.
var symmetric = regexp.MustCompile(`"kty"\s*:\s*"oct"`)

// otherDoubt finds a key or another thing in the place of a secret: one, the first.
func otherDoubt(secret []byte) []Doubt {
	items, fault := Find(secret)
	for _, item := range items {
		switch {
		case item.Kind == Raw || item.Fault == nil && !item.Private() && item.Shape == Unknown:
			continue // 32 bytes are what a secret is
		case item.Fault != nil:
			return []Doubt{{Problem: "looks like " + article(item.Fault.Found) + ", not like a shared secret", Hint: "a private key goes into PrivateKey, with a SignatureMethod such as RS256"}}
		case item.Kind == JWK && symmetric.Match(secret):
			return []Doubt{{Problem: "is a JWK, of which only k is the secret", Hint: "set Secret to the value of k, and SecretEncoding to base64url"}}
		case item.Private():
			return []Doubt{{Problem: "looks like a private key, not like a shared secret", Hint: "put it into PrivateKey, with a SignatureMethod such as RS256, which fits the key"}}
		}
		return []Doubt{{Problem: "looks like " + article(item.Shape.String()) + ", which is public: whoever has it could sign tokens", Hint: "give the shared secret"}}
	}
	if fault == nil {
		return nil
	}
	if raw, err := base64.StdEncoding.DecodeString(string(secret)); err == nil && len(raw) >= 16 && !utf8.Valid(raw) {
		return nil // random bytes, of which some begin with a slash as a path does
	}
	return inPlace(fault)
}

// placeholders are the words for what stands for a secret, in the order of no matter.
var placeholders = []string{"empty value", "masked", "unresolved", "reference to a secret store", "placeholder"}

// inPlace makes a doubt of what a text is in place of a key, where that is no secret either.
func inPlace(fault *Fault) []Doubt {
	found := fault.Found
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(found, w) })
	}
	d := Doubt{Problem: "looks like " + article(found) + ", not like a shared secret, and is signed with as it is", Hint: "give the shared secret itself"}
	switch {
	case has(placeholders...):
		d.Placeholder = true
		d.Hint = "put the secret itself in its place, or a reference such as ${env:NAME}"
	case has("JWT"):
		d.Hint = "a ready-made token goes into Token"
	case has("path of", "name of a file", "URL"):
		d.Hint = "give what is in it: in a connection file by ${file:PATH}"
	case has("SSH public", "fingerprint", "JWE", "HTML", "XML", "credentials", "OAuth client", "federation", "about a private key"):
	case found == "JSON":
		d.Hint = "give the one value of it that is the secret"
	default:
		return nil // text and bytes, which may be a secret
	}
	return []Doubt{d}
}

// article puts a or an before a noun.
func article(noun string) string {
	if noun != "" && strings.ContainsRune("aeioAEIO", rune(noun[0])) || strings.HasPrefix(noun, "unresolved") || strings.HasPrefix(noun, "HTML") || strings.HasPrefix(noun, "SSH") || strings.HasPrefix(noun, "XML") {
		return "an " + noun
	}
	return "a " + noun
}
