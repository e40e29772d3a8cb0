package template

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"unicode/utf8"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
)

// exprKind is the type of an expression.
type exprKind uint8

const (
	kindText   exprKind = iota
	kindNumber          // the text of a JSON number
	kindBytes           // a digest: its bytes, which the encoders and sha256 take, and which print in a form of their own
	kindJSON            // a compact JSON value
)

func (k exprKind) String() string {
	return [...]string{"text", "a number", "a digest", "a JSON value"}[k]
}

// encoding appends what it makes of src: mostly, bytes written as text.
type encoding func(dst, src []byte) []byte

func asHex(dst, src []byte) []byte       { return hex.AppendEncode(dst, src) }
func asBase64(dst, src []byte) []byte    { return base64.StdEncoding.AppendEncode(dst, src) }
func asBase64URL(dst, src []byte) []byte { return base64.RawURLEncoding.AppendEncode(dst, src) }

// expr is a compiled expression.
type expr struct {
	kind  exprKind
	form  encoding // of kindBytes: how they print
	plain bool     // of kindText: holds nothing that JSON escapes
	fixed bool     // known already, as value; else render gives it
	value string

	needs  Needs
	render renderFunc
}

func fixedText(s string) expr { return expr{fixed: true, value: s} }

func fixedJSON(s string) expr { return expr{kind: kindJSON, fixed: true, value: s} }

// asText is what x prints outside JSON.
func (x expr) asText() expr {
	switch x.kind {
	case kindText:
		return x
	case kindBytes:
		return x.mapped(expr{plain: true}, x.form)
	}
	x.plain = x.kind == kindNumber
	x.kind = kindText
	return x
}

// errNotUTF8 is about values, since JSON text must be UTF-8 (RFC 8259, section 8.1) and a claim must not change silently.
var errNotUTF8 = problem.New("a value is not valid UTF-8, which JSON requires", "encode it, as in {{base64 .Secrets.name}}, or correct it")

// asJSONString is x as it stands between the quotes of a JSON string.
func (x expr) asJSONString() (expr, error) {
	x = x.asText()
	if x.fixed {
		if !utf8.ValidString(x.value) {
			return x, errNotUTF8
		}
		x.value, x.plain = string(jsontext.AppendEscaped(nil, x.value)), true
	}
	if x.plain {
		return x, nil
	}
	raw := x.render
	x.plain = true
	x.render = func(dst []byte, e *Env) ([]byte, error) {
		start := len(dst)
		dst, err := raw(dst, e)
		if err != nil {
			return dst, err
		}
		return escapeTail(dst, start)
	}
	return x, nil
}

// escapeTail escapes dst[start:] for JSON in place.
func escapeTail(dst []byte, start int) ([]byte, error) {
	tail := dst[start:]
	if !utf8.Valid(tail) {
		return dst, errNotUTF8
	}
	if !slices.ContainsFunc(tail, jsontext.Special) {
		return dst, nil
	}
	return jsontext.AppendEscaped(dst[:start], string(tail)), nil
}

// mapped returns result with the value that f makes of x's: f appends it to dst, which may have in before it. Where x is
// fixed, so is the result.
func (x expr) mapped(result expr, f encoding) expr {
	y, _ := x.tryMapped(result, func(dst, in []byte) ([]byte, error) { return f(dst, in), nil })
	return y
}

// tryMapped is mapped for an f that can fail, at once where x is fixed.
func (x expr) tryMapped(result expr, f func(dst, in []byte) ([]byte, error)) (expr, error) {
	result.fixed, result.needs = x.fixed, x.needs
	if x.fixed {
		out, err := f(nil, []byte(x.value))
		result.value = string(out)
		return result, err
	}
	raw := x.render
	result.render = func(dst []byte, e *Env) ([]byte, error) {
		start := len(dst)
		dst, err := raw(dst, e)
		if err != nil {
			return dst, err
		}
		end := len(dst)
		if dst, err = f(dst, dst[start:end]); err != nil {
			return dst, err
		}
		return slices.Delete(dst, start, end), nil
	}
	return result, nil
}
