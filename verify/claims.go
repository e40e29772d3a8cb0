package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

// checkClaims holds the registered claims (RFC 7519, section 4.1) to the settings.
func (v *Verifier) checkClaims(claims jsontext.Value, now time.Time) error {
	if err := v.checkTimes(claims, now); err != nil {
		return err
	}
	if err := v.checkIssuer(claims); err != nil {
		return err
	}
	return v.checkAudience(claims)
}

func (v *Verifier) checkTimes(claims jsontext.Value, now time.Time) error {
	exp, has, err := date(claims, "exp")
	switch {
	case err != nil:
		return err
	case !has && v.RequireExpiry:
		return &TokenError{Expired, "it has no exp, and RequireExpiry is set"}
	case has && !now.Before(exp.Add(v.Leeway)):
		return &TokenError{Expired, "it expired " + apart(now.Sub(exp)) + " ago"}
	}
	from, has, err := date(claims, "nbf")
	switch {
	case err != nil:
		return err
	case has && now.Add(v.Leeway).Before(from):
		return &TokenError{NotYetValid, "its nbf is " + apart(from.Sub(now)) + " ahead of this server's clock"}
	}
	_, _, err = date(claims, "iat") // it tells when, and RFC 7519 has no rule for it
	return err
}

// apart rounds a distance to what a reader wants to know of it.
func apart(d time.Duration) string { return max(d.Round(time.Second), time.Second).String() }

func (v *Verifier) checkIssuer(claims jsontext.Value) error {
	iss, has := member(claims, "iss")
	switch {
	case has && iss.Kind != jsontext.String:
		return &TokenError{BadClaim, "its iss is not a string"}
	case v.Issuer == "" || has && iss.Text == v.Issuer:
		return nil
	case !has:
		return &TokenError{WrongIssuer, "it has no iss"}
	}
	return &TokenError{WrongIssuer, "its iss is not the Issuer of the Verifier"}
}

// checkAudience takes aud as a string or as an array (RFC 7519, section 4.1.3).
func (v *Verifier) checkAudience(claims jsontext.Value) error {
	if v.Audience == "" {
		return nil
	}
	aud, has := member(claims, "aud")
	if !has {
		return &TokenError{WrongAudience, "it has no aud"}
	}
	all := aud.Elems
	if aud.Kind != jsontext.Array {
		all = []jsontext.Value{aud}
	}
	if slices.ContainsFunc(all, func(a jsontext.Value) bool { return a.Kind != jsontext.String }) {
		return &TokenError{BadClaim, "its aud is neither a string nor an array of strings"}
	}
	if !slices.ContainsFunc(all, func(a jsontext.Value) bool { return a.Text == v.Audience }) {
		return &TokenError{WrongAudience, "its aud does not have the Audience of the Verifier"}
	}
	return nil
}

// date reads a NumericDate.
func date(claims jsontext.Value, name string) (t time.Time, has bool, err error) {
	value, has := member(claims, name)
	if !has {
		return t, false, nil
	}
	if value.Kind != jsontext.Number {
		return t, true, &TokenError{BadClaim, "its " + name + " is not a number"}
	}
	t, ok := numericDate(value.Text)
	if !ok {
		return t, true, &TokenError{BadClaim, "its " + name + " is not a number of seconds between 1970 and the year 9999"}
	}
	return t, true, nil
}

const maxDate = 253402300799 // the last second of the year 9999

// numericDate reads seconds since 1970, which need not be whole (RFC 7519, section 2), without loss down to the nanosecond.
func numericDate(text string) (time.Time, bool) {
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(seconds, 0), seconds >= 0 && seconds <= maxDate
	}
	const longest = 40 // digits, and the power of ten: what follows costs as much as they are
	_, power, _ := strings.Cut(strings.ToLower(text), "e")
	if n, err := strconv.Atoi(power); power != "" && (err != nil || n > longest || n < -longest) || len(text) > longest {
		return time.Time{}, false
	}
	seconds, ok := new(big.Rat).SetString(text)
	if !ok || seconds.Sign() < 0 || seconds.Cmp(big.NewRat(maxDate, 1)) > 0 {
		return time.Time{}, false
	}
	nanos := seconds.Mul(seconds, big.NewRat(int64(time.Second), 1))
	whole, rest := new(big.Int).DivMod(new(big.Int).Quo(nanos.Num(), nanos.Denom()), big.NewInt(int64(time.Second)), new(big.Int))
	return time.Unix(whole.Int64(), rest.Int64()), true
}

// unmarshal puts the claims of a good token into what the caller gave.
func unmarshal(payload []byte, claims any) error {
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	err := d.Decode(claims)
	if err == nil {
		return nil
	}
	problem := fmt.Sprintf("do not fit %T", claims)
	if bad, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && bad.Field != "" {
		problem += ": " + bad.Field + " is not of type " + bad.Type.String()
	}
	return &claimsError{problem, err}
}
