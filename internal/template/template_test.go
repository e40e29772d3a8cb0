package template

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/problem"
)

// testTemplates and testEnv are the connection and the request of the tests in this folder.
func testTemplates() *Set {
	return &Set{
		Fields: map[string]string{
			"issuer": "me", "account": "xy12345.eu", "ttl": "120", "scopes": "a:b, c  d,,e", "quote": "a\"b\\c\n</script>\u2028",
			"obj": ` {"b": 1.10, "a": [1e3, 12345678901234567890123]} `, "padded": " x\n", "bad": "a\xffb", "big": "9223372036854775808",
		},
		Secrets: map[string]string{"pass": "s3cr3t", "doc": ` {"a": "x"} `},
	}
}

func testEnv(t testing.TB) *Env {
	u, err := url.Parse("https://API.Example.com:443/v2/a%20b?x=1&y=%3C")
	if err != nil {
		t.Fatal(err)
	}
	body := func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(`{"b":1,"a":2}`)), nil }
	return &Env{Now: time.Unix(1700000000, 987654321), Request: NewRequest("POST", u, "", "/v2", body), Token: "t.o.k"}
}

func TestTextTemplatesGive(t *testing.T) {
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-4, sha256("abc")
	raw, _ := hex.DecodeString(abc)
	tests := []struct{ text, want string }{
		{"", ""},
		{"plain }} text", "plain }} text"},
		{"{{/* only a comment */}}", ""},
		{"a {{- /* trimmed */ -}} b", "ab"},
		{"a {{- .Fields.issuer -}} b", "ameb"},
		{`{{"{{"}}x{{"}}"}}`, "{{x}}"},
		{"{{`raw {{\"'}}`}}", `raw {{"'}}`},
		{"{{.Fields.issuer}}-{{.Secrets.pass}}", "me-s3cr3t"},
		{"{{.Fields.quote}}", "a\"b\\c\n</script>\u2028"},
		{"{{42}}", "42"},
		{"{{-7}}", "-7"},
		{"{{now}}", "1700000000"},
		{"{{ now 300 }}", "1700000300"},
		{"{{now -60}}", "1699999940"},
		{"{{300 | now}}", "1700000300"},
		{"{{now (int .Fields.ttl)}}", "1700000120"},
		{"{{.Fields.ttl | int | now}}", "1700000120"},
		{"{{nowMillis}}", "1700000000987"},
		{"{{nowMillis 300}}", "1700000300987"},
		{"{{nowMillis -1}}", "1699999999987"},
		{"{{(now)}}", "1700000000"},
		{"{{.Request.Method}} {{.Request.Host}}{{.Request.Path}}", "POST api.example.com/v2/a%20b"},
		{"{{.Request.Scheme}} {{.Request.Query}} {{.Request.URI}}", "https x=1&y=%3C /v2/a%20b?x=1&y=%3C"},
		{"{{.Request.URL}}", "https://api.example.com/v2/a%20b?x=1&y=%3C"},
		{"Bearer {{.Token}}", "Bearer t.o.k"},
		{`{{upper "né"}} {{lower "ÀB"}} [{{trim .Fields.padded}}]`, "NÉ àb [x]"},
		{`{{.Request.Host | upper}}`, "API.EXAMPLE.COM"},
		{`{{base64 "a?>"}} {{base64url "a?>"}} {{hex "a?>"}} {{base64url "a"}} {{base64 "a"}}`, "YT8+ YT8- 613f3e YQ YQ=="},
		{`{{sha256 "abc"}}`, abc},
		{`{{"abc" | sha256 | hex}}`, abc},
		{`{{upper (sha256 "abc")}}`, strings.ToUpper(abc)},
		{`{{"abc" | sha256 | base64}}`, base64.StdEncoding.EncodeToString(raw)},
		{`{{"abc" | sha256 | base64url}}`, base64.RawURLEncoding.EncodeToString(raw)},
		{`{{"abc" | sha256 | string | base64}}`, base64.StdEncoding.EncodeToString([]byte(abc))},
		{`{{"abc" | sha256 | sha256}}`, "4f8b42c22dd3729b519ba6f68d2da7cc5b2d606d05daed5ad5128cc03e6c6358"},
		{`{{bodySHA256}}`, "a1d46c3cdb4e5795c8d637f80daeb578ebb1a9a65dc1ed5f11f51794c3c89f3a"},
		{`{{string now}}{{string 5}}`, "17000000005"},
		{`{{int .Fields.big}}`, "9223372036854775808"},
		{`{{list .Fields.scopes}}`, `["a:b","c","d","e"]`},
		{`{{list ""}}`, `[]`},
		{`{{list .Request.Host}}`, `["api.example.com"]`},
		{`{{json .Fields.obj}}`, `{"b":1.10,"a":[1e3,12345678901234567890123]}`},
		{`{{json .Secrets.doc | string}}`, `{"a":"x"}`},
	}
	for _, tt := range tests {
		x, err := testTemplates().Text(tt.text, ScopeRequest)
		if err != nil {
			t.Errorf("compileText(%s): %v", tt.text, err)
			continue
		}
		if got, err := x.Render(testEnv(t)); err != nil || got != tt.want {
			t.Errorf("%s = %q, %v, want %q", tt.text, got, err, tt.want)
		}
	}
}

func TestRandomValuesHaveTheirFormAndDiffer(t *testing.T) {
	tests := []struct{ text, form string }{
		{"{{uuid}}", `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`},
		{"{{upper uuid}}", `^[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$`},
		{"{{randomHex 16}}", `^[0-9a-f]{32}$`},
		{"{{randomHex 1}}{{randomHex 15}}", `^[0-9a-f]{32}$`},
		{"{{randomBase64 16}}", `^[0-9A-Za-z+/]{22}==$`},
		{"{{randomHex 500}}", `^[0-9a-f]{1000}$`},
	}
	for _, tt := range tests {
		x, err := testTemplates().Text(tt.text, ScopeToken)
		if err != nil {
			t.Fatalf("compileText(%s): %v", tt.text, err)
		}
		seen := make(map[string]bool)
		for range 100 {
			got, err := x.Render(&Env{})
			if err != nil || seen[got] || !regexp.MustCompile(tt.form).MatchString(got) {
				t.Fatalf("%s = %q, %v, want something new of the form %s", tt.text, got, err, tt.form)
			}
			seen[got] = true
		}
	}
}

func TestTemplatesTellWhatTheyLookAt(t *testing.T) {
	tests := []struct {
		text     string
		want     Needs
		constant bool
	}{
		{`{{.Fields.issuer | upper}}.{{.Secrets.pass | sha256 | base64}}`, 0, true},
		{`{{list .Fields.scopes}}{{int "5"}}{{json "{}"}}`, 0, true},
		{`{{now}}`, NeedTime, false},
		{`{{nowMillis}}{{uuid}}`, NeedTime, false},
		{`{{randomHex 1 | upper}}`, NeedTime, false},
		{`{{randomBase64 1}}`, NeedTime, false},
		{`{{.Request.Method}}`, NeedRequest, false},
		{`{{lower .Request.URL | sha256 | base64}}`, NeedRequest, false},
		{`{{qsh}}`, NeedRequest, false},
		{`{{bodySHA256}}`, NeedRequest | NeedBody, false},
		{`{{bodySortedSHA256 | base64}}`, NeedRequest | NeedBody, false},
		{`{{.Token}}`, NeedToken, false},
		{`{{.Token | json}} {{now}}`, NeedToken | NeedTime, false},
	}
	for _, tt := range tests {
		x, err := testTemplates().Text(tt.text, ScopeRequest)
		if err != nil {
			t.Errorf("compileText(%s): %v", tt.text, err)
			continue
		}
		_, constant := x.Constant()
		if x.Needs() != tt.want || constant != tt.constant {
			t.Errorf("%s needs %04b, constant %v, want %04b, %v", tt.text, x.Needs(), constant, tt.want, tt.constant)
		}
	}
}

func TestRenderingFailsWithoutShowingValues(t *testing.T) {
	tests := []struct {
		text, want string
		env        *Env
	}{
		{"{{.Request.Host}}", "a template uses the request, but there is none", &Env{}},
		{"{{qsh}}", "a template uses the request, but there is none", &Env{}},
		{"{{bodySHA256 | base64}}", "a template uses the request, but there is none", &Env{}},
		{"{{.Token | json}}", "json: its argument is not valid JSON in line 1, column 1; correct the value, or leave out json, for a string", &Env{Token: "s3cr3t"}},
		{"{{.Token | json}}", "json: its argument is not valid JSON in line 1, column 11; correct the value, or leave out json, for a string", &Env{Token: `{"s3cr":1,"s3cr":2}`}},
		{"{{.Token | int}}", "int: its argument is not a whole number; JSON numbers with a fraction or an exponent can be written with json",
			&Env{Token: "s3cr3t"}},
		{"{{.Token | list}}", "list: " + errNotUTF8.Error(), &Env{Token: "s3cr\xff"}},
	}
	for _, tt := range tests {
		x, err := testTemplates().Text(tt.text, ScopeRequest)
		if err != nil {
			t.Fatalf("compileText(%s): %v", tt.text, err)
		}
		if got, err := x.Render(tt.env); err == nil || err.Error() != tt.want {
			t.Errorf("%s = %q, %v, want the error %q", tt.text, got, err, tt.want)
		}
	}
}

func TestAllActionsSeeOneInstant(t *testing.T) {
	x, err := testTemplates().Text("{{now}} {{now 0}} {{nowMillis}}", ScopeToken)
	if err != nil {
		t.Fatal(err)
	}
	e := &Env{Now: time.UnixMilli(1699999999999)}
	if got, err := x.Render(e); got != "1699999999 1699999999 1699999999999" {
		t.Errorf("three times of one instant = %q, %v", got, err)
	}
}

func TestBaseURIValuesCannotLeadElsewhere(t *testing.T) {
	tm := &Set{Fields: map[string]string{
		"sub": "acme-1", "host": "h.example", "url": "https://h.example:8443/x", "seg": "a/b c?d#é", "evil": "evil.com/", "user": "u@evil",
		"dots": "..", "none": "", "port": "8443",
	}}
	tests := []struct{ text, want, problem string }{
		{"https://{{.Fields.sub}}.example.com/v1", "https://acme-1.example.com/v1", ""},
		{"https://{{.Fields.host}}:{{.Fields.port}}", "https://h.example:8443", ""},
		{"{{.Fields.url}}/{{.Fields.seg}}?q={{.Fields.seg}}", "https://h.example:8443/x/a%2Fb%20c%3Fd%23%C3%A9?q=a%2Fb%20c%3Fd%23%C3%A9", ""},
		{"{{.Fields.none}}{{.Fields.url}}", "https://h.example:8443/x", ""},
		{"/only/{{.Fields.seg | upper}}", "/only/A%2FB%20C%3FD%23%C3%89", ""},
		{"https://h/{{.Fields.none}}x", "https://h/x", ""},
		{"https://{{.Fields.evil}}.example.com/", "", "column 11: a value in the host may hold"},
		{"https://{{.Fields.user}}.example.com/", "", "column 11: a value in the host may hold"},
		{"https://{{.Fields.none}}.example.com/", "", "column 11: a value in the host may hold"},
		{"https://h/{{.Fields.dots}}/x", "", "column 13: a value in the path must not consist of dots"},
		{"https://h/{{now}}", "", `column 13: the function "now" is not available here`},
		{"https://h/{{.Request.Host}}", "", `column 13: .Request is not available here`},
		{"https://h/{{.Token}}", "", `column 13: .Token is not available here`},
		{"https://h/{{keyThumbprint}}", "", `column 13: the function "keyThumbprint" is not available here`},
	}
	for _, tt := range tests {
		got, err := tm.URI(tt.text)
		if tt.problem == "" {
			if err != nil || got != tt.want {
				t.Errorf("baseURI(%s) = %q, %v, want %q", tt.text, got, err, tt.want)
			}
			continue
		}
		bad, ok := errors.AsType[*problem.Error](err)
		if !ok || bad.Hint == "" || !strings.HasPrefix(bad.Problem, tt.problem) || strings.Contains(bad.Error(), "evil") && !strings.Contains(tt.text, "evil") {
			t.Errorf("baseURI(%s) = %q, %v, want the problem %q", tt.text, got, err, tt.problem)
		}
	}
}
