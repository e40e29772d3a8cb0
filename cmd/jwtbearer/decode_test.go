package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
)

func TestTimesAreExplained(t *testing.T) {
	now := time.Date(2026, 11, 22, 7, 30, 0, 0, time.UTC)
	for _, test := range []struct{ claims, want string }{
		{`{}`, ""},
		{`{"exp": "soon", "iat": -5, "nbf": 1e400}`, ""},
		{`{"iat": 1795332600}`, `{"iat": "2026-11-22T07:30:00Z, now"}`},
		{`{"exp": 1795332900, "nbf": 1795332540}`, `{"nbf": "2026-11-22T07:29:00Z, 1m0s ago","exp": "2026-11-22T07:35:00Z, in 5m0s"}`},
		{`{"exp": 1795332660000}`, `{"exp": "2026-11-22T07:31:00Z, in 1m0s"}`},
	} {
		if got := string(timesIn(json.RawMessage(test.claims), now)); got != test.want {
			t.Errorf("times in %s = %s, want %s", test.claims, got, test.want)
		}
	}
}

func TestDecodedTokenKeepsOrderAndNumbersWithoutItsSignature(t *testing.T) {
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	token := part(`{"typ":"JWT","alg":"HS256"}`) + "." + part(`{"z":1.10,"a":12345678901234567890,"s":"<hush&>","t":"hush-hush"}`) + ".c2lnbmF0dXJl"
	conn := &jwtbearer.Connection{
		Secrets: map[string]jwtbearer.Secret{"a": "<hush&>", "b": "${env:B}", "c": "hush", "d": "t", "e": "${env:NONE}"},
		Lookup: func(ref string) (string, error) {
			if ref == "env:B" {
				return "hush-hush", nil
			}
			return "", errors.New("not set")
		},
	}
	var b strings.Builder
	if err := writeDecoded(&b, token, secretsOf(conn)); err != nil {
		t.Fatal(err)
	}
	want := `{
  "header": {
    "typ": "JWT",
    "alg": "HS256"
  },
  "claims": {
    "z": 1.10,
    "a": 12345678901234567890,
    "s": "******",
    "t": "******"
  }
}
`
	if got := b.String(); got != want {
		t.Errorf("decoded:\n%s\nwant:\n%s", got, want)
	}
}

func TestWhatIsNoTokenIsNotDecoded(t *testing.T) {
	for _, token := range []string{"", "ready", "a.b.c", "e30.e30", "e30.bm90IEpTT04.x"} {
		var b strings.Builder
		if err := writeDecoded(&b, token, strings.NewReplacer()); err == nil || b.Len() > 0 {
			t.Errorf("decode %q: error %v, output %q", token, err, b.String())
		} else if token != "" && strings.Contains(err.Error(), token) {
			t.Errorf("the error %v holds the token %q", err, token)
		}
	}
}
