package jwtbearer

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seed-363d07a3/jwtbearer/internal/diagnose"
	"github.com/seed-363d07a3/jwtbearer/internal/origin"
)

// pingPath looks at where BaseURI and Ping.RelativeURI meet.
func (l *linter) pingPath() {
	if ref, fixed := l.core.ping.ref.Constant(); fixed && !l.conn.Exchange.tellsBase() {
		l.joint("Ping.RelativeURI", ref)
	}
}

// tokenPaths looks at token endpoints that are written as paths after BaseURI.
func (l *linter) tokenPaths() {
	field := "Exchange"
	for x := l.conn.Exchange; x != nil && !l.conn.Exchange.tellsBase(); x = x.Next {
		if text, err := l.templates.URI(x.TokenURL); err == nil {
			l.joint(field+".TokenURL", text)
		}
		field += ".Next"
	}
}

// joint looks at what is appended to BaseURI byte for byte: a path that is there twice, or a slash too many or too few.
func (l *linter) joint(field, ref string) {
	path := l.core.apiBase().EscapedPath()
	base := strings.TrimRight(path, "/")
	ref, _, _ = strings.Cut(ref, "?")
	last, _ := utf8.DecodeLastRuneInString(path)
	first, _ := utf8.DecodeRuneInString(ref)
	switch isWord := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }; {
	case ref == "" || origin.IsAbsolute(ref):
	case diagnose.RepeatedPath(base, ref) != "" && first == '/':
		l.warn(field, fmt.Sprintf("begins with %s, with which BaseURI ends: the request would go to %s", diagnose.RepeatedPath(base, ref), base+ref), "take it out of one of the two")
	case first == '/' && last == '/':
		l.warn(field, "begins with a slash, with which BaseURI ends: the request would go to "+path+ref, "take one of the two slashes out")
	case isWord(first) && isWord(last):
		l.warn(field, "begins without a slash, and BaseURI ends without one: the request would go to "+path+ref, "begin it with a slash")
	}
}

// inMillis matches the name of a field or member whose number is told in milliseconds: Retry-After-Ms, retryAfterMs, wait_millis.
var inMillis = regexp.MustCompile(`(?:(?:^|[-_.\s])[mM][sS]|[a-z0-9]M[sS]|(?i:milli(?:s|secs?|seconds?)))$`)

// millisWaits looks for waits whose name says milliseconds, and whose unit is left to their magnitude.
func (l *linter) millisWaits() {
	l.millisOf("RateLimit", l.conn.RateLimit)
	field := "Exchange"
	for x := l.conn.Exchange; x != nil; x = x.Next {
		l.millisOf(field+".RateLimit", x.RateLimit)
		field += ".Next"
	}
}

func (l *linter) millisOf(field string, r RateLimit) {
	for i, e := range r.Wait {
		l.millisName(fmt.Sprintf("%s.Wait[%d]", field, i), e)
	}
	for i, q := range r.Quota {
		l.millisName(fmt.Sprintf("%s.Quota[%d].Reset", field, i), q.Reset)
	}
}

func (l *linter) millisName(field string, e Extract) {
	name := e.Header + strings.TrimRight(e.Path, `'"] `)
	if (e.As == "" || e.As == "auto") && inMillis.MatchString(name) {
		l.warn(field+".As", "is not set, but the name says milliseconds: 14000 would be taken for seconds", "set it to millis, or to epochMillis where it tells a time")
	}
}
