package main

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
)

// writeDecoded writes header and claims of a token as JSON, without the secrets among them, and what its times mean.
func writeDecoded(w io.Writer, token string, secrets *strings.Replacer) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return errors.New("jwtbearer token: the token is no JWT, so there is nothing to decode")
	}
	header, err := decodePart(parts[0])
	if err != nil {
		return err
	}
	claims, err := decodePart(parts[1])
	if err != nil {
		return err
	}
	return writeIndented(w, struct {
		Header json.RawMessage `json:"header"`
		Claims json.RawMessage `json:"claims"`
		Times  json.RawMessage `json:"times,omitzero"`
	}{without(secrets, header), without(secrets, claims), timesIn(claims, time.Now())})
}

func without(secrets *strings.Replacer, text json.RawMessage) json.RawMessage {
	return json.RawMessage(secrets.Replace(string(text)))
}

func decodePart(part string) (json.RawMessage, error) {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil || !json.Valid(text) {
		return nil, errors.New("jwtbearer token: the token is no JWT with JSON in it, so there is nothing to decode")
	}
	return text, nil
}

// timesIn explains the claims that are times (RFC 7519, section 4.1). It is nil where there are none.
func timesIn(claims json.RawMessage, now time.Time) json.RawMessage {
	var all map[string]json.RawMessage
	if json.Unmarshal(claims, &all) != nil {
		return nil
	}
	var members []string
	for _, name := range []string{"iat", "nbf", "exp"} {
		if t, ok := numericDate(all[name]); ok {
			members = append(members, fmt.Sprintf("%q: %q", name, explain(t, now)))
		}
	}
	if members == nil {
		return nil
	}
	return json.RawMessage("{" + strings.Join(members, ",") + "}")
}

// numericDate reads a NumericDate (RFC 7519, section 2), also in milliseconds, as some APIs want it.
func numericDate(text json.RawMessage) (time.Time, bool) {
	seconds, err := strconv.ParseFloat(string(text), 64)
	switch {
	case err != nil || !(seconds > 0 && seconds < 1e15):
		return time.Time{}, false
	case seconds > 1e11: // the year 5138
		return time.UnixMilli(int64(seconds)), true
	}
	return time.Unix(int64(seconds), 0), true
}

func explain(t, now time.Time) string {
	text := t.UTC().Format(time.RFC3339)
	switch d := t.Sub(now).Round(time.Second); {
	case d > 0:
		return text + ", in " + d.String()
	case d < 0:
		return text + ", " + (-d).String() + " ago"
	}
	return text + ", now"
}

// leastSecret is the length from which a secret can be told from other text.
const leastSecret = 4

// secretsOf takes what the templates of a token may have made of Secrets out of JSON text.
func secretsOf(conn *jwtbearer.Connection) *strings.Replacer {
	var all []string
	for _, secret := range conn.Secrets {
		if text := resolve(conn, string(secret)); len(text) >= leastSecret {
			all = append(all, text)
		}
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Compare(len(b), len(a)) }) // one may begin with another
	var pairs []string
	for _, secret := range all {
		text, _ := json.Marshal(secret) // a string cannot fail
		escaped := string(text[1 : len(text)-1])
		pairs = append(pairs, secret, "******", escaped, "******")
	}
	return strings.NewReplacer(pairs...)
}

// resolve gives what a reference stands for, and other values as they are.
func resolve(conn *jwtbearer.Connection, value string) string {
	ref, ok := strings.CutPrefix(value, "${")
	if !ok || conn.Lookup == nil {
		return value
	}
	if found, err := conn.Lookup(strings.TrimSuffix(ref, "}")); err == nil {
		return found
	}
	return value
}
