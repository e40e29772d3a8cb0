// Package httpfield knows the syntax of HTTP fields: tokens, names, values and challenges (RFC 9110, sections 5.6 and 11). It must
// never know what a field means, nor for whom a request is.
package httpfield

import "strings"

// IsToken reports whether s is a token of HTTP (RFC 9110, section 5.6.2).
func IsToken(s string) bool {
	token, _ := IsName(s)
	return token
}

// IsName reports whether s is a token of HTTP, and whether it is written as net/http writes the names of fields: X-Api-Key.
func IsName(s string) (token, canonical bool) {
	upper, canonical := true, true
	for _, b := range []byte(s) {
		switch {
		case 'a' <= b && b <= 'z':
			canonical = canonical && !upper
		case 'A' <= b && b <= 'Z':
			canonical = canonical && upper
		case '0' <= b && b <= '9' || b == '-':
		case strings.IndexByte("!#$%&'*+.^_`|~", b) < 0:
			return false, false
		}
		upper = b == '-'
	}
	return s != "", canonical
}

// IsBrokenValue reports whether a value holds a control character, which no field may carry (RFC 9110, section 5.5).
func IsBrokenValue(value string) bool {
	for _, b := range []byte(value) {
		if b < ' ' && b != '\t' || b == 0x7f {
			return true
		}
	}
	return false
}

// A Challenge says how a server wants to be asked (RFC 9110, section 11.6.1).
type Challenge struct {
	Scheme string
	Params map[string]string // by their names in lower case
}

// Challenges reads a WWW-Authenticate field: a list of schemes, each followed by a space and a list of its parameters. It gives
// none where a parameter stands before the first scheme.
func Challenges(field string) []Challenge {
	var all []Challenge
	for rest := strings.TrimLeft(field, " \t,"); rest != ""; rest = strings.TrimLeft(rest, " \t,") {
		word := rest
		if i := strings.IndexAny(rest, " \t,="); i >= 0 {
			word = rest[:i]
		}
		after := strings.TrimLeft(rest[len(word):], " \t")
		switch {
		case !strings.HasPrefix(after, "="):
			all = append(all, Challenge{word, map[string]string{}})
			rest = rest[len(word):]
		case len(all) == 0:
			return nil
		default:
			var value string
			value, rest = challengeValue(strings.TrimLeft(after[1:], " \t"))
			all[len(all)-1].Params[strings.ToLower(word)] = value
		}
	}
	return all
}

// challengeValue reads a token or a quoted string, and returns what follows it.
func challengeValue(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		end := len(s)
		if i := strings.IndexAny(s, ", \t"); i >= 0 {
			end = i
		}
		return s[:end], s[end:]
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), ""
}
