package jwtbearer

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// redacted is what every Secret prints.
const redacted = "******"

// Secret is a string that does not print: fmt with any verb for strings, log/slog and the encoders of encoding/json and encoding/xml
// all give "******" for it. (Two verbs that are not for strings, %p and %w, ask no value how to print, and encoding/json does
// not for a map key: go vet finds the former, and the latter must not be a Secret.) The empty Secret prints as nothing, so that "not set" can be told from "set", and a reference,
// ${env:NAME} or ${file:path}, prints as it is, since it names a secret without holding one.
//
// Convert it with string(s) where the value itself is needed.
type Secret string

// String implements fmt.Stringer. It never gives the secret.
func (s Secret) String() string {
	if s == "" || isReference(string(s)) {
		return string(s)
	}
	return redacted
}

// Format implements fmt.Formatter for all verbs and flags.
func (s Secret) Format(f fmt.State, verb rune) {
	if verb == 'q' || verb == 'v' && f.Flag('#') {
		fmt.Fprintf(f, "%q", s.String())
		return
	}
	io.WriteString(f, s.String())
}

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON implements json.Marshaler. What it writes cannot be read back as a secret.
func (s Secret) MarshalJSON() ([]byte, error) { return marshalJSON(s.String()) }

// MarshalText implements encoding.TextMarshaler, for encoding/xml and the encoders of other formats.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Format implements fmt.Formatter for all verbs: a Client prints as the name of its Connection, since all else in it may have
// been made from secrets.
func (c Client) Format(f fmt.State, _ rune) {
	if c.core == nil {
		io.WriteString(f, "jwtbearer.Client()")
		return
	}
	fmt.Fprintf(f, "jwtbearer.Client(%s)", c.core.name)
}

// isReference reports whether s is wholly a reference that Connection.Lookup resolves.
func isReference(s string) bool {
	_, ok := reference(s)
	return ok
}

// reference returns what stands between the braces of ${env:NAME} or ${file:path}.
func reference(s string) (ref string, ok bool) {
	ref, ok = strings.CutPrefix(s, "${")
	if !ok {
		return "", false
	}
	ref, ok = strings.CutSuffix(ref, "}")
	if !ok || strings.ContainsAny(ref, "${}\n") {
		return "", false
	}
	kind, name, _ := strings.Cut(ref, ":")
	return ref, name != "" && (kind == "env" || kind == "file")
}
