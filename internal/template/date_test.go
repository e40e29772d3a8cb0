package template

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestDatesAreOfTheInstantOfTheToken(t *testing.T) {
	zone := time.FixedZone("east", 2*3600)
	e := &Env{Now: time.Date(2026, 2, 3, 1, 4, 5, 6, zone)} // 2 February in UTC
	for text, want := range map[string]string{
		"{{httpDate}}":          "Mon, 02 Feb 2026 23:04:05 GMT",
		"{{httpDate 3600}}":     "Tue, 03 Feb 2026 00:04:05 GMT",
		"{{httpDate -5}}":       "Mon, 02 Feb 2026 23:04:00 GMT",
		"{{rfc3339}}":           "2026-02-02T23:04:05Z",
		"{{rfc3339 60}}":        "2026-02-02T23:05:05Z",
		"{{rfc3339 | lower}} x": "2026-02-02t23:04:05z x",
	} {
		o, err := (&Set{}).Object(`{"a":"`+text+`"}`, ScopeToken)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, err := o.Render(nil, e)
		if err != nil || string(got) != `{"a":"`+want+`"}` {
			t.Errorf("%s = %s, %v; want %s", text, got, err, want)
		}
	}
	if _, err := http.ParseTime("Mon, 02 Feb 2026 23:04:05 GMT"); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"{{httpDate .Fields.x}}", "{{rfc3339 99999999999}}", "{{httpDate 1 2}}"} {
		if _, err := (&Set{Fields: map[string]string{"x": "1"}}).Object(`{"a":"`+text+`"}`, ScopeToken); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

func TestKeyIDIsWhatCameWithTheKey(t *testing.T) {
	k, err := NewKey(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{"6f8e\"1": `{"kid":"6f8e\"1"}`, "": ""} {
		k.Name(id)
		o, err := (&Set{Key: k}).Object(`{"kid":"{{keyID}}"}`, ScopeToken)
		if want == "" {
			if err == nil || !strings.Contains(err.Error(), "no ID") {
				t.Errorf("without an ID: %v, want an error that says so", err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if got, err := o.Render(nil, &Env{}); err != nil || string(got) != want {
			t.Errorf("keyID = %s, %v; want %s", got, err, want)
		}
	}
}
