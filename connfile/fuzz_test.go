package connfile

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
)

// FuzzParse looks for panics, slow files and secrets in errors, and holds Marshal against Parse: what was read once survives
// writing and reading.
func FuzzParse(f *testing.F) {
	shop, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		string(shop), settingsYAML, settingsJSON, "secret: " + planted, "secret: \"" + planted, "secret: |\n  " + planted + "\nname: [",
		"privateKey: " + planted + "\n  x: y", "- payload: {a: {{b}}, c: " + planted + "}", `{"secret":"` + planted + `" "a":1}`,
		"name: a\n---\nname: >-\n  b\n   c\n\n  d\n...\n", "payload: {a: [[1, 2], {b: \"\\u00e9\"}]}", "a: |2\n   x\n", "? a\n: &b *c", "\ufeffname: x\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		start := time.Now()
		conns, err := Parse(data)
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("took %v for %d bytes", took, len(data))
		}
		if err != nil {
			if strings.Contains(err.Error(), planted) {
				t.Errorf("the error shows the secret: %v", err)
			}
			return
		}
		for _, c := range conns {
			survives(t, c)
		}
	})
}

// survives checks that c is the same after writing and reading, but for its secrets, which become references before.
func survives(t *testing.T, c *jwtbearer.Connection) {
	t.Helper()
	refer(reflect.ValueOf(c).Elem())
	text, err := Marshal(c)
	if err != nil {
		if !strings.Contains(err.Error(), "not UTF-8") && !strings.Contains(err.Error(), "more than") && !strings.Contains(err.Error(), "longer") {
			t.Fatalf("Marshal(%+v): %v", c, err)
		}
		return // half a surrogate pair in claims, or a mapping in brackets that is too much in lines
	}
	again, err := Parse(text)
	if err != nil || len(again) != 1 || !reflect.DeepEqual(again[0], c) {
		t.Fatalf("got  %+v, %v\nwant %+v\nfrom\n%s", again, err, c, text)
	}
}

// refer makes references of all secrets.
func refer(v reflect.Value) {
	switch {
	case v.Type() == reflect.TypeFor[jwtbearer.Secret]():
		if v.String() != "" {
			v.SetString("${env:X}")
		}
	case v.Type() == reflect.TypeFor[map[string]jwtbearer.Secret]():
		for _, name := range v.MapKeys() {
			v.SetMapIndex(name, reflect.ValueOf(jwtbearer.Secret("${env:X}")))
		}
	case v.Kind() == reflect.Struct:
		for _, field := range v.Fields() {
			refer(field)
		}
	}
}
