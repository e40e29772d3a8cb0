package connfile

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Error is one thing that is wrong with a connection file. Load and Parse join all that they find. It never holds a value of
// the file, which may be a secret: of a line it shows the key at most.
type Error struct {
	File    string // as Load found it; empty from Parse
	Line    int    // from 1; zero: the file as a whole
	Column  int    // in characters, from 1
	Field   string // path of the setting, as in the file: rateLimit.limits[0].per
	Problem string
	Hint    string // what to do
	Text    string // the key of the line, where it helps to find it

	cause error
}

// Error gives place, field, problem and hint, and the text in a second line: conn.yaml:7:3: unknown key "basURI"; did you mean
// "baseURI"?
func (e *Error) Error() string {
	var parts []string
	for _, part := range []string{e.place(), e.Field, e.Problem} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	s := strings.Join(parts, ": ")
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	if e.Text != "" {
		s += "\n\t" + e.Text
	}
	return s
}

// Unwrap returns the error of the file system that caused the problem, if any.
func (e *Error) Unwrap() error { return e.cause }

func (e *Error) place() string {
	switch {
	case e.Line == 0 && e.File == "":
		return "connfile"
	case e.Line == 0:
		return e.File
	case e.File == "":
		return fmt.Sprintf("connfile: line %d, column %d", e.Line, e.Column)
	}
	return fmt.Sprintf("%s:%d:%d", e.File, e.Line, e.Column)
}

// mostShown bounds how many problems an error lists.
const mostShown = 20

// joined returns errs, of which there are some, as one error.
func joined(errs []*Error) error {
	var all []error
	for _, e := range errs[:min(mostShown, len(errs))] {
		all = append(all, e)
	}
	if more := len(errs) - mostShown; more > 0 {
		all = append(all, fmt.Errorf("connfile: and %d more", more))
	}
	return errors.Join(all...)
}

// longestShownKey is far longer than any key of a connection file, and shorter than most secrets and any line of a key.
const longestShownKey = 32

// showKey quotes a key for an error, unless it may be a secret that slipped into the place of one.
func showKey(key string) string {
	if hidden(key) {
		return fmt.Sprintf("of %d characters", utf8.RuneCountInString(key))
	}
	return `"` + key + `"`
}

// hidden reports whether a key is left out of errors.
func hidden(key string) bool {
	return len(key) > longestShownKey || strings.ContainsFunc(key, notInKey)
}

// notInKey reports whether r stands in no usual name of a setting, a header or a claim.
func notInKey(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(" _-.$:/", r)
}
