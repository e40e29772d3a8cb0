package template

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/problem"
)

func mustObject(t testing.TB, tm *Set, text string, sc Scope) *Object {
	t.Helper()
	x, err := tm.Object(text, sc)
	if err != nil {
		t.Fatalf("compileObject(%s): %v", text, err)
	}
	return x
}

func renderObject(t testing.TB, x *Object, e *Env) string {
	t.Helper()
	b, err := x.Render(nil, e)
	if err != nil {
		t.Fatalf("render: %v", err)
	}
	return string(b)
}

func TestObjectTemplatesGive(t *testing.T) {
	tests := []struct{ text, want string }{
		{``, `{}`},
		{` { } `, `{}`},
		{`{"z":"1","a":{"y":[],"b":{}},"n":null,"t":true}`, `{"z":"1","a":{"y":[],"b":{}},"n":null,"t":true}`},
		{`{"n":[12345678901234567890123,1.10,1e3,-0,9223372036854775808]}`, ``},
		{"{\n \"a\" : [ 1 , \"b\" ]\n}", `{"a":[1,"b"]}`},

		// A single action keeps its type.
		{`{"a":"{{now}}","b":"{{string now}}","c":"{{now}} ","d":"{{- now -}}","e":"{{/* c */}}{{now}}"}`,
			`{"a":1700000000,"b":"1700000000","c":"1700000000 ","d":1700000000,"e":1700000000}`},
		{`{"a":"{{42}}","b":"{{\"42\"}}","c":"{{int \"42\"}}","d":"{{int .Fields.big}}","e":"{{nowMillis 1}}"}`,
			`{"a":42,"b":"42","c":42,"d":9223372036854775808,"e":1700000001987}`},
		{`{"a":"{{list .Fields.scopes}}","b":"{{json .Fields.obj}}","c":"x{{list \"a\"}}","d":"{{json \"null\"}}"}`,
			`{"a":["a:b","c","d","e"],"b":{"b":1.10,"a":[1e3,12345678901234567890123]},"c":"x[\"a\"]","d":null}`},
		{`{"a":["{{now}}",{"b":"{{.Token}}"}],"c":""}`, `{"a":[1700000000,{"b":"t.o.k"}],"c":""}`},
		{`{"a":"{{/* nothing */}}"}`, `{"a":""}`},
		{`{"a":"{{sha256 \"abc\" | base64}}","b":"{{.Fields.issuer}}"}`,
			`{"a":"ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=","b":"me"}`},

		// Values are escaped and never spliced.
		{`{"a":"{{.Fields.quote}}","b":"<>&{{.Fields.quote}}"}`,
			"{\"a\":\"a\\\"b\\\\c\\n</script>\u2028\",\"b\":\"<>&a\\\"b\\\\c\\n</script>\u2028\"}"},
		{`{"<a>&\u0001\"":"\u003c\u0000"}`, `{"<a>&\u0001\"":"<\u0000"}`},
		{`{"a":"{{.Fields.issuer}}\",\"admin\":true,\"x\":\""}`, `{"a":"me\",\"admin\":true,\"x\":\""}`},
	}
	for _, tt := range tests {
		want := tt.want
		if want == "" {
			want = tt.text
		}
		if got := renderObject(t, mustObject(t, testTemplates(), tt.text, ScopeRequest), testEnv(t)); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", tt.text, got, want)
		}
	}
}

func TestDynamicValuesAreEscapedInJSON(t *testing.T) {
	x := mustObject(t, testTemplates(), `{"a":"{{.Token}}","b":"<{{.Token}}>","c":"{{.Token}}{{upper .Token}}"}`, ScopeRequest)
	for _, token := range []string{"", "plain", `","admin":true,"x":"`, "\x00\x1f\x7f\t\n\\", "</script>&\u2028\u2029", "é😀퟿\ue000", "\\u0041"} {
		text, err := x.Render(nil, &Env{Token: token})
		if err != nil {
			t.Fatalf("%q: %v", token, err)
		}
		var got map[string]string
		want := map[string]string{"a": token, "b": "<" + token + ">", "c": token + strings.ToUpper(token)}
		if err := json.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q gives %s: %v, decoded %q, want %q", token, text, err, got, want)
		}
	}
	if text, err := x.Render(nil, &Env{Token: "a\xffb"}); !errors.Is(err, errNotUTF8) {
		t.Errorf("a token that is not UTF-8 gives %q, %v, want %v", text, err, errNotUTF8)
	}
}

func TestObjectTemplatesRefuse(t *testing.T) {
	tests := []struct{ text, problem, hint string }{
		{`[]`, `not a JSON object`, `write {"name": "value"}`},
		{`"s3cr3t"`, `not a JSON object`, ""},
		{` `, `invalid JSON in line 1, column 2: expected a value`, ""},
		{`{"a":1} s3cr3t`, `invalid JSON in line 1, column 9: expected the end of the text`, ""},
		{"{\"a\":1,\n \"b\":s3cr3t}", `invalid JSON in line 2, column 6: expected a value`, ""},
		{`{"a":1,"a":2}`, `invalid JSON in line 1, column 8: the name "a" occurs twice in one object`, ""},
		{`{"a":[{"b":1,"\u0062":2}]}`, `invalid JSON in line 1, column 14: the name "b" occurs twice in one object`, ""},
		{`{"a":"{{sha256 "s3cr3t"}}"}`, `invalid JSON in line 1, column 17: expected a comma or }`, `write the quotes of a string as \"`},
		{`{"a":"{{now}}" "s3cr3t"}`, `invalid JSON in line 1, column 16: expected a comma or }`, ""},
		{`{"a":"\ud800"}`, `at a: an unpaired surrogate`, ""},
		{`{"a":{"b\udc00":1}}`, `at a."b\xed\xb0\x80": an unpaired surrogate`, ""},
		{`{"\ud800":"x"}`, `at "\xed\xa0\x80": an unpaired surrogate`, ""},
		{`{"a":` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + `}`, `invalid JSON in line 1, column 505: nested too deep`, ""},

		{`{"iss":"ab {{foo}}"}`, `at iss, column 6: unknown function "foo"`, ""},
		{`{"a":{"b c":[1,["{{foo}}"]]}}`, `at a."b c"[1][0], column 3: unknown function "foo"`, ""},
		{`{"https://x/y":"{{foo}}"}`, `at "https://x/y", column 3: unknown function "foo"`, ""},
		{`{"a":"s3cr3t\n{{foo}}"}`, `at a, line 2, column 3: unknown function "foo"`, ""},
		{`{"iss":"{{.Fields.isuer}}"}`, `at iss, column 10: unknown value .Fields.isuer`, "did you mean .Fields.issuer?"},
		{`{"a":"{{sha256 's3cr3t'}}"}`, `at a, column 10: single quotes do not make a string`, `in JSON text as \"x\"`},
		{`{"a":"{{.Token}}"}`, `at a, column 3: .Token is not available here`, ""},
		{`{"a":"x{{.Fields.bad}}"}`, `at a, column 4: a value is not valid UTF-8`, ""},
		{`{"a":"{{list .Fields.bad}}"}`, `at a, column 3: list: a value is not valid UTF-8`, ""},
		{`{"a":"{{\"\\xff\"}}"}`, `at a, column 3: a value is not valid UTF-8`, ""},
		{`{"a":"{{json .Secrets.pass}}"}`, `at a, column 3: json: its argument is not valid JSON`, ""},
		{`{"a":"{{json \"{\\\"s3cr3t\\\":1,\\\"s3cr3t\\\":2}\"}}"}`, `at a, column 3: json: its argument is not valid JSON`, ""},
	}
	for _, tt := range tests {
		_, err := testTemplates().Object(tt.text, ScopeToken)
		bad, ok := errors.AsType[*problem.Error](err)
		switch {
		case !ok:
			t.Errorf("compileObject(%.60s): %v, want a problem.Error", tt.text, err)
		case bad.Hint == "":
			t.Errorf("compileObject(%.60s): %v, which does not say what to do", tt.text, bad)
		case !strings.HasPrefix(bad.Problem, tt.problem) || !strings.Contains(bad.Hint, tt.hint):
			t.Errorf("compileObject(%.60s):\ngot  %s (hint %q)\nwant %s (hint %q)", tt.text, bad.Problem, bad.Hint, tt.problem, tt.hint)
		case strings.Contains(bad.Error(), "s3cr3t"):
			t.Errorf("compileObject(%.60s) shows a literal: %s", tt.text, bad)
		}
	}
}

func TestObjectMembersCanBeTakenApart(t *testing.T) {
	x := mustObject(t, testTemplates(), `{"a":1.0,"b":"{{now}}","c":null,"d":"{{.Fields.issuer}}","e":[" ",2]}`, ScopeToken)
	e := testEnv(t)
	want := []struct{ name, constant, json, text string }{
		{"a", "1.0", "1.0", "1.0"}, {"b", "none", "1700000000", "1700000000"}, {"c", "null", "null", "null"},
		{"d", `"me"`, `"me"`, "me"}, {"e", `[" ",2]`, `[" ",2]`, `[" ",2]`},
	}
	if len(x.members) != len(want) {
		t.Fatalf("the object has %d members, want %d", len(x.members), len(want))
	}
	for i, m := range x.members {
		constant, fixed := m.Constant()
		if !fixed {
			constant = "none"
		}
		json, err := m.Render(nil, e)
		text, textErr := m.Text(e)
		if m.Name != want[i].name || constant != want[i].constant || string(json) != want[i].json || text != want[i].text || err != nil || textErr != nil {
			t.Errorf("member %d is %s: constant %s, JSON %s, text %s, errors %v, %v; want %v", i, m.Name, constant, json, text, err, textErr, want[i])
		}
		if wantNeeds := map[string]Needs{"b": NeedTime}[m.Name]; m.Needs() != wantNeeds {
			t.Errorf("member %s needs %b, want %b", m.Name, m.Needs(), wantNeeds)
		}
	}
	if text, err := mustObject(t, testTemplates(), `{"a":"{{.Token | json}}"}`, ScopeRequest).members[0].Text(&Env{Token: "no JSON"}); err == nil {
		t.Errorf("the text of a member that cannot be rendered = %q, want an error", text)
	}
}

func TestObjectsAreJoinedAndFiltered(t *testing.T) {
	object := func(text string) *Object { return mustObject(t, testTemplates(), text, ScopeToken) }
	x := object(`{"a":1.0,"b":"{{now}}","c":null,"d":"{{.Fields.issuer}}"}`)
	tests := []struct {
		name string
		x    *Object
		want string
	}{
		{"without", x.Without(object(`{"a":"other","d":null,"none":1}`)), `{"b":1700000000,"c":null}`},
		{"without nothing", x.Without(object(``)), `{"a":1.0,"b":1700000000,"c":null,"d":"me"}`},
		{"withoutNulls", x.WithoutNulls(), `{"a":1.0,"b":1700000000,"d":"me"}`},
		{"joinObjects", Join(object(`{"d":1}`), object(``), object(`{"b":"{{now}}","a":2}`)), `{"d":1,"b":1700000000,"a":2}`},
		{"the whole afterwards", x, `{"a":1.0,"b":1700000000,"c":null,"d":"me"}`},
	}
	for _, tt := range tests {
		if got := renderObject(t, tt.x, testEnv(t)); got != tt.want {
			t.Errorf("%s = %s, want %s", tt.name, got, tt.want)
		}
	}
	fixed := x.Without(object(`{"b":0}`))
	if got, ok := fixed.Constant(); got != `{"a":1.0,"c":null,"d":"me"}` || !ok || fixed.Needs() != 0 {
		t.Errorf("constant without b = %s, %v, and it needs %b", got, ok, fixed.Needs())
	}
	if got, ok := x.Constant(); ok {
		t.Errorf("constant = %s, though b is not", got)
	}
}

func TestHeaderBeginsWithAlgAndTyp(t *testing.T) {
	tests := []struct{ headers, want string }{
		{``, `{"alg":"ES256","typ":"JWT"}`},
		{`{"kid":"{{.Fields.issuer}}","x":1}`, `{"alg":"ES256","typ":"JWT","kid":"me","x":1}`},
		{`{"kid":"k","typ":"dpop+jwt"}`, `{"alg":"ES256","typ":"dpop+jwt","kid":"k"}`},
		{`{"kid":"k","typ":null}`, `{"alg":"ES256","kid":"k"}`},
		{`{"alg":"ES256","kid":null,"z":"{{now}}"}`, `{"alg":"ES256","typ":"JWT","z":1700000000}`},
	}
	for _, tt := range tests {
		x, err := testTemplates().Header(tt.headers, "ES256")
		if err != nil {
			t.Errorf("compileHeader(%s): %v", tt.headers, err)
			continue
		}
		if got := renderObject(t, x, testEnv(t)); got != tt.want {
			t.Errorf("compileHeader(%s) = %s, want %s", tt.headers, got, tt.want)
		}
	}
}

func TestHeaderRefusesAnotherAlg(t *testing.T) {
	if _, err := testTemplates().Header(`{"kid":`, "ES256"); err == nil {
		t.Error("compileHeader of cut JSON: no error")
	}
	for _, headers := range []string{`{"alg":"HS256"}`, `{"alg":"none"}`, `{"alg":null}`, `{"alg":"{{.Request.Method}}"}`, `{"alg":["ES256"]}`} {
		_, err := testTemplates().Header(headers, "ES256")
		bad, ok := errors.AsType[*problem.Error](err)
		if !ok || bad.Problem != "at alg: not the SignatureMethod ES256" {
			t.Errorf("compileHeader(%s): %v, want that alg is not ES256", headers, err)
		}
	}
}

func TestRenderingIsSafeForConcurrentUse(t *testing.T) {
	x := mustObject(t, testTemplates(), `{"a":"{{uuid}}","b":"{{now}}","c":"{{list .Token}}"}`, ScopeRequest)
	done := make(chan bool)
	for range 4 {
		go func() {
			defer func() { done <- true }()
			for i := range 200 {
				b, err := x.Render(nil, &Env{Now: time.Unix(int64(i), 0), Token: "x y"})
				if err != nil || !json.Valid(b) {
					t.Errorf("%s: %v", b, err)
				}
			}
		}()
	}
	for range 4 {
		<-done
	}
}

func TestObjectsRefuseTemplatesInNames(t *testing.T) {
	for text, want := range map[string]string{
		`{"https://{{.Fields.issuer}}/x":true}`: `at "https://{{.Fields.issuer}}/x": {{ in the name of a member`, `{"a":[{"{{now}}":1}]}`: `at a[0]."{{now}}": {{ in the name`,
		`{"{{":1}`: `at "{{": {{ in the name`,
	} {
		_, err := testTemplates().Object(text, ScopeToken)
		if bad, ok := errors.AsType[*problem.Error](err); !ok || !strings.HasPrefix(bad.Problem, want) || bad.Hint == "" {
			t.Errorf("%s: got %v; want an error that begins with %q, and says what to do", text, err, want)
		}
	}
}

func TestObjectsTellAllProblems(t *testing.T) {
	const text = `{"iss":"{{.Fields.none}}","deep":[{"a":"{{nosuch}}","b{{":1},"{{now \"x\"}} and {{.Request.None}}"],"fine":"{{now}}"}`
	_, err := testTemplates().Object(text, ScopeToken)
	all, ok := err.(problem.Several)
	want := []string{"at iss, column 10: unknown value .Fields.none", "at deep[0].a, column 3: unknown function", `at deep[0]."b{{": {{ in the name`,
		"at deep[1], column 7: now: wants a whole number", "at deep[1], column 27: unknown value .Request.None"}
	if !ok || len(all) != len(want) {
		t.Fatalf("got %v; want %d problems", err, len(want))
	}
	for i, w := range want {
		if got := all[i].Error(); !strings.HasPrefix(got, w) {
			t.Errorf("problem %d is %q; want %q", i, got, w)
		}
	}
}

func TestObjectsSayHowToQuoteAnAction(t *testing.T) {
	for _, text := range []string{`{"iat":{{now}},"exp":1}`, `{"a": {{ now }} }`, `{"a":[{{now}}]}`, `{"a":1,{{now}}}`, `{{now}}`} {
		_, err := testTemplates().Object(text, ScopeToken)
		if bad, ok := errors.AsType[*problem.Error](err); !ok || !strings.Contains(bad.Hint, `"{{now 300}}"`) {
			t.Errorf("%s: got %v; want a hint that shows an action in quotes", text, err)
		}
	}
	if _, err := testTemplates().Object(`{"a":{"b" 1}}`, ScopeToken); err == nil || strings.Contains(err.Error(), "action") {
		t.Errorf("got %v; want no word of an action", err)
	}
}
