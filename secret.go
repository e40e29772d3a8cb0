package jwtbearer

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// redacted is what every Secret prints.
const redacted = "******"

// Secret is a string that does not print: fmt with any verb, log/slog and the encoders of encoding/json and encoding/xml
// all give "******" for it. The empty Secret prints as nothing, so that "not set" can be told from "set", and a reference,
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

// MarshalText implements encoding.TextMarshaler, which covers map keys and the encoders of other formats.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

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
