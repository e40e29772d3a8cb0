package grant

import (
	"cmp"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/redact"
	"github.com/seed-363d07a3/jwtbearer/internal/response"
)

// What a token endpoint's response may show. Its body may hold an access token, whatever its status and its Content-Type say, so
// that no text of it is shown but what is known to be an error's word: the members of RFC 6749, section 5.2, and the names under
// which other APIs give codes and words, in a response that is no success. Of a success nothing is shown but names and codes that
// stand in the tables below.

// saidWords are what a response says of an error.
type saidWords struct {
	code, description, uri string // may be shown
	hidden                 string // must not be shown, but a hint may be chosen by it
}

// said returns what a response says of an error.
func (r *Reader) said(a *response.Response) saidWords {
	var s saidWords
	tree, _ := a.Tree()
	object := a.Object()
	text := func(name string) string { t, _ := object[name].(string); return t }
	if a.Status()/100 == 2 {
		if _, known := codeHints[text("error")]; known {
			s.code = text("error")
		}
		s.hidden = text("error_description")
		return s
	}
	s.code, s.description, s.uri = text("error"), text("error_description"), text("error_uri")
	var code, message string
	isObject := object != nil
	if list, isList := tree.([]any); isList && len(list) > 0 {
		_, isObject = list[0].(map[string]any)
	}
	body, whole, _ := a.Body()
	switch {
	case isObject:
		code, message = a.Said(media.JSON)
	case whole && a.Syntax() == media.XML:
		code, message = a.Said(media.XML)
	case strings.ContainsFunc(strings.TrimSpace(string(body)), unicode.IsSpace): // prose, or a page
		s.hidden = problem.OneLine(string(body))
	}
	s.code, s.description = cmp.Or(s.code, code), cmp.Or(s.description, message)
	if !isErrorCode(s.code) {
		s.code = ""
	}
	s.description = withoutDefinition(s.description) // before it is cut
	for _, t := range []*string{&s.code, &s.description, &s.uri} {
		*t = r.withoutTokens(a, problem.OneLine(*t))
	}
	return s
}

// withoutTokens takes out of an error's words what is a token: a JWS, and what the same body has where tokens stand.
func (r *Reader) withoutTokens(a *response.Response, text string) string {
	text = anyJWS.ReplaceAllString(text, redact.Mark)
	if token, ok := a.Scalar(r.Token); ok {
		text = withoutPieces(text, token)
	}
	for name, value := range a.Object() {
		if token, ok := value.(string); ok && slices.Contains(tokenMembers, name) {
			text = withoutPieces(text, token)
		}
	}
	return text
}

// withoutPieces takes a token out of a text, and each piece of it that is long enough to be worth hiding.
func withoutPieces(text, token string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		n := redact.LeastPiece
		for i+n <= len(text) && strings.Contains(token, text[i:i+n]) {
			n++
		}
		if n == redact.LeastPiece {
			b.WriteByte(text[i])
			i++
			continue
		}
		b.WriteString(redact.Mark)
		i += n - 1
	}
	return b.String()
}

// anyJWS finds a JWS, also one that was cut off: its header is a JSON object, of which the first letters are always these.
var anyJWS = regexp.MustCompile(`ey[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*)*`)

// isErrorCode reports whether a text looks like a code of an error: INVALID_JWT, AADSTS50027, a few words, or a URI (RFC 9457,
// section 3.1.1). What mixes letters and digits at length, or is one long number, looks like a token.
func isErrorCode(text string) bool {
	if strings.ContainsFunc(text, unicode.IsSpace) || strings.Contains(text, "://") || strings.HasPrefix(text, "urn:") {
		return true
	}
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		word := strings.TrimRight(part, "0123456789")
		if len(part) >= 12 && (len(part)-len(word) > 8 || strings.ContainsFunc(word, unicode.IsDigit)) {
			return false
		}
	}
	return len(text) <= 100
}

// knownMembers are the names of members that are shown where a response has no token: those that token endpoints use.
var knownMembers = slices.Concat(tokenMembers, []string{"data", "error", "error_description", "error_uri", "errors", "expires", "expires_at",
	"expires_in", "expiresIn", "instance_url", "issued_token_type", "message", "result", "scope", "success", "token_type", "tokenType"})

// tokenMembers are the names under which token endpoints give tokens.
var tokenMembers = []string{"access_token", "accessToken", "auth_token", "id_token", "idToken", "jwt", "refresh_token", "refreshToken", "session_token", "token"}

// describe says what came in words of our own: its syntax and its size, and the members that have known names.
func describe(a *response.Response) string {
	text, whole, _ := a.Body()
	_, isJSON := a.Tree()
	switch object := a.Object(); {
	case !whole:
		return fmt.Sprintf("longer than %d bytes", MostBody)
	case len(text) == 0:
		return "empty"
	case object != nil:
		return describeMembers(a, object)
	case isJSON:
		return "JSON, but no object"
	}
	return fmt.Sprintf("%s of %d bytes", describeType(a.Header()), len(text))
}

// describeMembers names the known members of an object, and counts the others.
func describeMembers(a *response.Response, object map[string]any) string {
	what := "a JSON object"
	if a.IsForm() {
		what = "a form"
	}
	var names []string
	for name := range object {
		if slices.Contains(knownMembers, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	switch others := len(object) - len(names); {
	case len(object) == 0:
		return what + " with no members"
	case len(names) == 0:
		return what + " with " + problem.Times(others, "unknown member")
	case others > 0:
		return what + " with " + strings.Join(names, ", ") + " and " + problem.Times(others, "unknown member")
	}
	return what + " with " + strings.Join(names, ", ")
}

// describeType is the media type of a response, which must be one.
func describeType(header http.Header) string {
	field := header.Get("Content-Type")
	kind, _, err := mime.ParseMediaType(field)
	switch {
	case field == "":
		return "something without a Content-Type"
	case err != nil || len(kind) > 80 || !strings.Contains(kind, "/"):
		return "something with a malformed Content-Type"
	}
	return kind
}
