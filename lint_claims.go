package jwtbearer

import (
	"fmt"
	"slices"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

// What registered members must be: texts (RFC 7519, sections 4.1.1 to 4.1.3 and 4.1.7; RFC 7515, sections 4.1.4 to 4.1.10), and
// numbers of seconds (RFC 7519, section 2, NumericDate).
var (
	textClaims    = []string{"iss", "sub", "jti"}
	textHeaders   = []string{"kid", "typ", "cty", "x5t", "x5t#S256", "x5u", "jku"}
	numericClaims = []string{"exp", "nbf", "iat"}
)

// claimTypes looks for registered members of a type that servers refuse, most often with words about something else.
func (l *linter) claimTypes() {
	for _, name := range textClaims {
		if name == "jti" && l.vendor.anyJTI {
			continue
		}
		l.wantText("Payload", name, l.claims[name].value)
	}
	for _, name := range textHeaders {
		l.wantText("JWTHeaders", name, l.header[name].value)
	}
	aud := l.claims["aud"].value
	if aud.Kind != jsontext.Array {
		l.wantText("Payload", "aud", aud)
	} else if i := slices.IndexFunc(aud.Elems, func(v jsontext.Value) bool { return v.Kind != jsontext.String }); i >= 0 {
		l.wantText("Payload", fmt.Sprintf("aud[%d]", i), aud.Elems[i])
	}
	for _, name := range numericClaims {
		if v := l.claims[name].value; isKnown(v) && v.Kind != jsontext.Number {
			l.warn("Payload", fmt.Sprintf("%s is %s, but must be a number (NumericDate, RFC 7519, section 2)", name, kindName(v)),
				`write "{{now}}" or "{{now 300}}", with nothing else in the quotes, not even a space`)
		}
	}
}

func (l *linter) wantText(field, name string, v jsontext.Value) {
	if !isKnown(v) || v.Kind == jsontext.String {
		return
	}
	hint := "put it in quotes; in a template put string before it"
	if v.Kind == jsontext.Array || v.Kind == jsontext.Object || v.Text == "null" {
		hint = "write a text in quotes, or leave it out"
	}
	l.warn(field, fmt.Sprintf("%s is %s, but must be a string", name, kindName(v)), hint)
}

// isKnown reports whether a value is there, and known before there is a request.
func isKnown(v jsontext.Value) bool { return v.Kind != jsontext.Literal || v.Text != "" }

// kindName is what a value is, with its article.
func kindName(v jsontext.Value) string {
	switch {
	case v.Kind == jsontext.Literal && v.Text != "":
		return v.Text
	case v.Kind == jsontext.Number:
		return "a number"
	case v.Kind == jsontext.Array:
		return "a list"
	case v.Kind == jsontext.Object:
		return "an object"
	}
	return "a text"
}
