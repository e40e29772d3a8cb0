package connfile

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

func TestMarshalWritesWhatPeopleWouldWrite(t *testing.T) {
	const text = `name: "12"
baseURI: "https://{{.Fields.host}}/v1?x=1"
httpHeaders:
  X-Empty: ""
  X-Yes: "yes"
privateKey: ${env:KEY}
certificate: |
  -----BEGIN CERTIFICATE-----
  abc

  -----END CERTIFICATE-----
payload:
  iss: "{{.Fields.issuer}}"
  aud:
    - a
    - 1.10
    - 12345678901234567890123
    - 1e3
    - x: null
      "y":
        - [1, a b, [{}, {"z: ": true}]]
        - {}
      z: []
  "": "0x1F"
  scope: '{{base64 "x"}}'
  "a: b": "c # d"
  at: "2026-01-01"
  text: |-
    a
    # b
      c
jwtHeaders: {}
secrets:
  c: ${file:keys/a.pem}
lifetime: 1h
placement: []
exchange:
  tokenURL: /token
  next:
    next: {}
authFailure:
  - status: [401, 4]
    values:
      - E1
      - "5"
rateLimit:
  limits:
    - requests: 5
      per: 1m30s
    - {}
retry:
  maxElapsed: "-1s"
  always: true
  bufferLimit: 5
timeout: 500ms
trustedOrigins:
  - https://a.example.com:8443
`
	conns, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Marshal(conns[0])
	if string(got) != text || err != nil {
		t.Errorf("Marshal gives %v and\n%s\nwant\n%s", err, got, text)
	}
}

func TestMarshalNeverWritesASecret(t *testing.T) {
	c := new(jwtbearer.Connection)
	plant(reflect.ValueOf(c).Elem(), 0)
	text, err := Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), planted) {
		t.Errorf("Marshal writes a secret:\n%s", text)
	}
	const secrets = 4 + 2 + 3 // of Connection, of its map and of TLS
	if got := strings.Count(string(text), `"******"`); got != secrets {
		t.Errorf("Marshal masks %d secrets; want %d:\n%s", got, secrets, text)
	}
	_, err = Parse(text)
	if got := strings.Count(fmt.Sprint(err), "stands for a secret that was not saved"); got != secrets {
		t.Errorf("Parse refuses %d masks; want %d: %v", got, secrets, err)
	}
}

// planted is a secret that must not be seen.
const planted = "kJ7-hunter2-Zq0-do-not-show-this-to-anybody-9x"

// plant sets every Secret in v.
func plant(v reflect.Value, depth int) {
	switch {
	case v.Type() == reflect.TypeFor[jwtbearer.Secret]():
		v.SetString(planted)
	case v.Type() == reflect.TypeFor[map[string]jwtbearer.Secret]():
		v.Set(reflect.ValueOf(map[string]jwtbearer.Secret{"a": planted, "b": planted}))
	case v.Kind() == reflect.Struct:
		for _, field := range v.Fields() {
			plant(field, depth)
		}
	}
}

func TestMarshalRefusesWhatNoFileCarries(t *testing.T) {
	ring := new(jwtbearer.Exchange)
	ring.Next = ring
	tests := []struct {
		conn *jwtbearer.Connection
		want string
	}{
		{nil, "it is nil"},
		{&jwtbearer.Connection{Name: "\xff"}, "name: holds bytes that are not UTF-8"},
		{&jwtbearer.Connection{Secrets: map[string]jwtbearer.Secret{"\xff": "x"}}, "holds bytes that are not UTF-8"},
		{&jwtbearer.Connection{Payload: `{"a":"\ud83d"}`}, "payload.a: holds bytes that are not UTF-8"},
		{&jwtbearer.Connection{Payload: `{"a":"` + planted}, "payload: is not JSON (line 1, column 6: a string without its closing quote)"},
		{&jwtbearer.Connection{Payload: `{"` + planted + `":1,"` + planted + `":2}`}, "payload: is not JSON (line 1, column 53: a name that occurs twice in one object)"},
		{&jwtbearer.Connection{JWTHeaders: `["` + planted + `"]`}, "jwtHeaders: is not a JSON object"},
		{&jwtbearer.Connection{Exchange: ring}, "is nested too deep"},
		{&jwtbearer.Connection{Certificate: strings.Repeat("x", maxSize)}, "is longer than 256 KiB"},
	}
	for _, tt := range tests {
		text, err := Marshal(tt.conn)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), planted) || text != nil {
			t.Errorf("Marshal gives %.40q, %.200v; want an error with %q alone", text, err, tt.want)
		}
	}
}

func TestParseReadsWhatMarshalWrote(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 500 {
		c := new(jwtbearer.Connection)
		randomize(r, reflect.ValueOf(c).Elem(), 0)
		text, err := Marshal(c)
		if err != nil {
			t.Fatalf("%d: Marshal(%+v): %v", i, c, err)
		}
		conns, err := Parse(text)
		if err != nil || len(conns) != 1 {
			t.Fatalf("%d: Parse gives %d connections, %v:\n%s", i, len(conns), err, text)
		}
		if !reflect.DeepEqual(conns[0], c) {
			t.Fatalf("%d: got  %#v\nwant %#v\nfrom\n%s", i, conns[0], c, text)
		}
	}
}

// randomize sets v, now and then to nothing. Secrets become references, since others do not survive.
func randomize(r *rand.Rand, v reflect.Value, depth int) {
	if r.IntN(3) == 0 || !v.CanSet() || v.Kind() == reflect.Func || v.Kind() == reflect.Interface {
		return
	}
	switch v.Type() {
	case reflect.TypeFor[jwtbearer.Secret]():
		v.SetString("${env:" + []string{"A", "a b", "x:y", "'", `"`}[r.IntN(5)] + "}")
		return
	case reflect.TypeFor[jwtbearer.JSON]():
		v.SetString(string(randomJSON(r, jsontext.Object, 0).Append(nil)))
		return
	case reflect.TypeFor[time.Duration]():
		v.SetInt(int64([]time.Duration{time.Second, -1, time.Hour, 90 * time.Minute, 1500, 1<<63 - 1, time.Duration(r.Int64())}[r.IntN(7)]))
		return
	case reflect.TypeFor[*jwtbearer.Connection]():
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(randomText(r))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(r.Int64() >> r.IntN(64))
	case reflect.Struct:
		for _, field := range v.Fields() {
			randomize(r, field, depth)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), r.IntN(3), 4))
		for i := range v.Len() {
			randomize(r, v.Index(i), depth)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range r.IntN(3) {
			value := reflect.New(v.Type().Elem()).Elem()
			randomize(r, value, depth)
			v.SetMapIndex(reflect.ValueOf(randomText(r)), value)
		}
	case reflect.Pointer:
		if _, ok := v.Interface().(*jwtbearer.Exchange); ok && depth < 3 {
			v.Set(reflect.New(v.Type().Elem()))
			randomize(r, v.Elem(), depth+1)
		}
	}
}

func randomText(r *rand.Rand) string {
	pieces := []string{"a", "yes", "null", "~", "1", "0x1F", "1_0", ".", ".inf", "e", "-", "- ", "--- ", ":", ": ", "#", " #", " ", "  ", "\n", "\n",
		"\n  ", "\t", "\r", "{{now}}", "{", "}", "[", "]", ",", "'", `"`, `\`, "&", "*", "!", "|", ">", "%", "@", "`", "?", "? ", "<<", "é", "日本",
		"😀", "\u0085", "\u2028", "\ufeff", "\ufffd", "\x00", "\x7f", "\U000e0001", "${env:X}", "******", "-----BEGIN X-----\nabc\n", "word"}
	var b strings.Builder
	for range r.IntN(6) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

func randomJSON(r *rand.Rand, kind jsontext.Kind, depth int) jsontext.Value {
	v := jsontext.Value{Kind: kind}
	next := func() jsontext.Value {
		kinds := []jsontext.Kind{jsontext.Literal, jsontext.Number, jsontext.String, jsontext.Array, jsontext.Object}
		return randomJSON(r, kinds[r.IntN(max(3, 5-depth/3))], depth+1)
	}
	switch kind {
	case jsontext.Literal:
		v.Text = []string{"null", "true", "false"}[r.IntN(3)]
	case jsontext.Number:
		v.Text = []string{"0", "-0", "1.10", "1e3", "-1.5E-400", "12345678901234567890123", "1E+2"}[r.IntN(7)]
	case jsontext.String:
		v.Text = randomText(r)
	case jsontext.Array:
		for range r.IntN(4) {
			v.Elems = append(v.Elems, next())
		}
	case jsontext.Object:
		names := map[string]bool{}
		for range r.IntN(4) {
			if name := randomText(r); !names[name] {
				names[name] = true
				v.Members = append(v.Members, jsontext.Member{Name: name, Value: next()})
			}
		}
	}
	return v
}
