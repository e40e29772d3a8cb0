package jwtbearer

import (
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/redact"
)

// redacted is what every Secret prints.
const redacted = redact.Mark

// Secret is a string that does not print: fmt with any verb for strings, log/slog, text/template and html/template, and the encoders
// of encoding/json and encoding/xml all give "******" for it. The empty Secret prints as nothing, so that "not set" can be told from
// "set", and a reference, such as ${env:NAME}, prints as it is, since it names a secret without holding one.
//
// Where "******" would be stored in place of the secret without anybody noticing, a Secret is an error instead: encoding/gob (and so
// net/rpc) and database/sql refuse it, and with it a Connection, TLS or Token that holds one. Both read a Secret as they read a string.
//
// Some code looks at the kind of a value and asks it nothing, which no type can prevent: fmt for an unexported field of a struct
// (give that struct a String method) and for the verbs %p and %w (go vet finds them), encoding/json for the key of a map,
// encoding/xml for a field with the option comment, encoding/asn1, and the built-in println.
//
// Convert it with string(s) where the value itself is needed.
type Secret string

// String implements fmt.Stringer. It never gives the secret.
func (s Secret) String() string {
	if ref, ok := reference(string(s)); s == "" || ok && shownReference(ref) == ref {
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
func (s Secret) MarshalJSON() ([]byte, error) { return media.Marshal(s.String()) }

// MarshalText implements encoding.TextMarshaler, for encoding/xml and the encoders of other formats.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// errSecretWritten is why a Secret is not written where "******" would be stored in its place.
var errSecretWritten = errors.New("jwtbearer: a Secret is not written by encoding/gob, net/rpc, database/sql and the like: " +
	"convert it with string(s), or leave its field out, if it may be stored there; what is read may be a Secret")

// MarshalBinary implements encoding.BinaryMarshaler, which encoding/gob and the encoders of other binary formats ask. It is always
// an error, so that a program that writes Secrets fails in its first test and not only where they are set.
func (s Secret) MarshalBinary() ([]byte, error) { return nil, errSecretWritten }

// Value implements the Valuer of database/sql/driver, for database/sql. It is an error for the same reason.
func (s Secret) Value() (sqldriver.Value, error) { return nil, errSecretWritten }

// Format implements fmt.Formatter for all verbs: a Client prints as the name of its Connection, since all else in it may have
// been made from secrets.
func (c Client) Format(f fmt.State, _ rune) {
	if c.core == nil {
		io.WriteString(f, "jwtbearer.Client()")
		return
	}
	fmt.Fprintf(f, "jwtbearer.Client(%s)", c.core.name)
}
