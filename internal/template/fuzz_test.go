package template

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/seed-363d07a3/jwtbearer/internal/problem"
)

// FuzzObjectTemplate promises that no text makes compileObject panic, that its errors show no literal, and that whatever
// compiles renders to JSON that encoding/json reads, with the names of the template.
func FuzzObjectTemplate(f *testing.F) {
	for _, s := range []string{
		`{"iss":"{{.Fields.a}}","iat":"{{now}}","exp":"{{now 300}}","jti":"{{uuid}}","a":[1.10,{"b":"{{list .Fields.a}}"}]}`,
		`{"a":"{{.Request.URI | sha256 | base64}} {{.Token}}","b":"{{json .Fields.a}}","c":"{{int \"5\"}}{{- /* c */ -}} "}`,
		`{"a":"{{if .Fields.a}}x{{end}}","b":"{{$x}}","c":"{{'x'}}","d":"{{qsh}}{{bodySortedSHA256}}{{randomHex 3}}{{string (nowMillis -1)}}"}`,
		`{"":"\ud83d\ude00\u0000<>&","b":"{{.Fields.a | upper | lower | trim | hex | base64url}}"}`,
		"{\"a\":\"{{`raw`}}{{\\\"str\\\\n\\\"}}\"}",
	} {
		f.Add(s, `a "b"`, "t.o.k")
	}
	f.Fuzz(func(t *testing.T, text, field, token string) {
		tm := &Set{Fields: map[string]string{"a": field}, Secrets: map[string]string{"s": "s3cr3t"}}
		x, err := tm.Object(text, ScopeRequest)
		if err != nil {
			if bad, ok := errors.AsType[*problem.Error](err); !ok || strings.Contains(bad.Error(), "s3cr3t") && !strings.Contains(text, "s3cr3t") {
				t.Fatalf("compileObject(%q): %v", text, err)
			}
			return
		}
		u := &url.URL{Scheme: "https", Host: "h", Path: "/" + field, RawQuery: token}
		out, err := x.Render(nil, &Env{Now: time.Unix(1700000000, 0), Request: NewRequest("GET", u, "", "", nil), Token: token})
		if err != nil {
			return // a value that is no number, no JSON or no UTF-8
		}
		if !json.Valid(out) || !utf8.Valid(out) {
			t.Fatalf("%q renders to %q", text, out)
		}
		if got, want := memberNames(t, out), namesOf(x); !slices.Equal(got, want) {
			t.Fatalf("%q renders to %q with the names %q, want %q", text, out, got, want)
		}
	})
}

func namesOf(x *Object) []string {
	var names []string
	for _, m := range x.members {
		names = append(names, m.Name)
	}
	return names
}

// memberNames reads the names of an object in their order with encoding/json.
func memberNames(t *testing.T, object []byte) []string {
	var names []string
	d := json.NewDecoder(bytes.NewReader(object))
	d.Token()
	for d.More() {
		name, err := d.Token()
		if err != nil {
			t.Fatalf("%q: %v", object, err)
		}
		names = append(names, name.(string))
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatalf("%q: %v", object, err)
		}
	}
	return names
}
