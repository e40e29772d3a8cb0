package connfile

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
)

// settings sets every kind of field, in YAML and in JSON.
const settingsYAML = `
$schema: https://example.com/schema.json
name: shop
mediaType: xml
httpHeaders: {X-A: 5, X-B: "b"}
secret: "12 34"
secrets:
  a: true
payload: {iss: x, n: [1.10, null, {"é\n": TRUE}], exp: 12345678901234567890123}
jwtHeaders:
lifetime: 1m30s
timeout: -1ns
tokenReuse: 0
placement:
- in: query
  name: jwt
exchange: {bearer: true, next: {expiresIn: 1h}}
authFailure: [{status: [401, 4], values: [5, 1010, true, 1e3, "0x1"]}]
rateLimit:
  limits:
    - {requests: 5, per: "1s"}
  quota: [{remaining: {header: X-R}}]
retry: {bufferLimit: 9223372036854775807, maxAttempts: -1}
trustedOrigins: []
`

const settingsJSON = `{
	"$schema": "https://example.com/schema.json", "name": "sh\u006fp", "mediaType": "xml",
	"httpHeaders": {"X-A": 5, "X-B": "b"}, "secret": "12 34", "secrets": {"a": true},
	"payload": {"iss": "x", "n": [1.10, null, {"\u00e9\n": true}], "exp": 12345678901234567890123}, "jwtHeaders": null,
	"lifetime": "1m30s", "timeout": "-1ns", "tokenReuse": 0, "placement": [{"in": "query", "name": "jwt"}],
	"exchange": {"bearer": true, "next": {"expiresIn": "1h"}},
	"authFailure": [{"status": [401, 4], "values": [5, 1010, true, 1e3, "0x1"]}],
	"rateLimit": {"limits": [{"requests": 5, "per": "1s"}], "quota": [{"remaining": {"header": "X-R"}}]},
	"retry": {"bufferLimit": 9223372036854775807, "maxAttempts": -1}, "trustedOrigins": []
}`

func TestParseSetsFieldsOfEveryKind(t *testing.T) {
	want := &jwtbearer.Connection{
		Name: "shop", MediaType: jwtbearer.MediaXML, HTTPHeaders: map[string]string{"X-A": "5", "X-B": "b"},
		Secret: "12 34", Secrets: map[string]jwtbearer.Secret{"a": "true"},
		Payload:  `{"iss":"x","n":[1.10,null,{"é\n":true}],"exp":12345678901234567890123}`,
		Lifetime: 90 * time.Second, Timeout: -1, Placement: []jwtbearer.Placement{{In: "query", Name: "jwt"}},
		Exchange:    &jwtbearer.Exchange{Bearer: true, Next: &jwtbearer.Exchange{ExpiresIn: time.Hour}},
		AuthFailure: []jwtbearer.Rule{{Status: []int{401, 4}, Values: []string{"5", "1010", "true", "1e3", "0x1"}}},
		RateLimit: jwtbearer.RateLimit{Limits: []jwtbearer.Limit{{Requests: 5, Per: time.Second}},
			Quota: []jwtbearer.Quota{{Remaining: jwtbearer.Extract{Header: "X-R"}}}},
		Retry: jwtbearer.Retry{BufferLimit: 1<<63 - 1, MaxAttempts: -1}, TrustedOrigins: []string{},
	}
	for _, text := range []string{settingsYAML, settingsJSON} {
		conns, err := Parse([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if !reflect.DeepEqual(conns[0], want) {
			t.Errorf("%s: got  %+v; want %+v", text, conns[0], want)
		}
	}
}

func TestParseTellsWhatIsWrongWhere(t *testing.T) {
	tests := []struct{ text, want string }{
		{"basURI: x", `line 1, column 1: unknown key "basURI"; did you mean "baseURI"?` + "\n\tbasURI: …"},
		{"rateLimit:\n  limits:\n  - per: 1s\n    requets: 5", `line 4, column 5: rateLimit.limits[0]: unknown key "requets"; did you mean "requests"?` + "\n\trequets: …"},
		{"url: x", `unknown key "url"; did you mean "baseURI"?`},
		{"placement: [{at: header}]", `placement[0]: unknown key "at"; the keys here are in, name, scheme`},
		{"rateLimit:\nlimits: []", `line 2, column 1: unknown key "limits"; it is a key of "rateLimit": write it there, indented`},
		{"Lookup: x", `unknown key "Lookup"; Lookup is set in Go`},
		{"transport: x", `unknown key "transport"; Transport is set in Go`},
		{"whatever: x", `unknown key "whatever"; remove it, or see jwtbearer schema for the keys`},
		{planted + ": x", "line 1, column 1: unknown key of 46 characters; remove it"},
		{"MIIB+/=: x", "line 1, column 1: unknown key of 7 characters; remove it"},
		{"ping: {$schema: x}", `ping: unknown key "$schema"`},
		{"name: a\nretry: {budget: 1}\nname: b", `line 3, column 1: the key "name" is there twice; the first is in line 1; remove one`},
		{"fields: {a: b, 'a': c}", `line 1, column 16: fields: the key "a" is there twice`},
		{"payload: {x: {a: b, a: c}}", `line 1, column 21: payload.x: the key "a" is there twice`},
		{`{"name": "a", "name": "b"}`, "line 1, column 15: a name that occurs twice in one object"},
		{"name: [a]", "line 1, column 7: name: is a list, not text"},
		{"secret:\n  hunter2: x", "line 2, column 3: secret: is a mapping, not text"},
		{"secret: '******'", "line 1, column 9: secret: is ******, which stands for a secret that was not saved; write the secret itself"},
		{"secrets: {a: '******'}", "secrets[a]: is ******"},
		{"allowPlainHTTP: 'true'", "allowPlainHTTP: is text, not true or false; write true or false, without quotes"},
		{"allowPlainHTTP: yes", "allowPlainHTTP: is text, not true or false"},
		{"allowPlainHTTP: 1", "allowPlainHTTP: is a number, not true or false"},
		{"retry: {budget: '5'}", "retry.budget: is text, not a whole number; write digits alone, without quotes"},
		{"retry: {budget: 5.0}", "retry.budget: is not a whole number"},
		{"retry: {budget: 1e3}", "retry.budget: is not a whole number"},
		{"retry: {budget: 0x1f}", "retry.budget: is not a whole number"},
		{"retry: {bufferLimit: 9223372036854775808}", "retry.bufferLimit: is not a whole number, or a too large one"},
		{"retry: {budget: [1]}", "retry.budget: is a list, not a whole number"},
		{"timeout: 30", `timeout: is a number without a unit; write the unit, as in "30s", "1m30s" or "500ms"`},
		{`{"timeout": 30000000000}`, "timeout: is a number without a unit"},
		{"timeout: 1d", "timeout: is not a duration"},
		{"timeout: 0x1", "timeout: is a number that JSON does not know, not a duration"},
		{"timeout: true", "timeout: is true or false, not a duration"},
		{"ping: {method: POST, body: {a: 1}}", `ping.body: is a mapping, not text; write it as text: JSON in quotes, '{"a": 1}', or in the lines below a |`},
		{"httpHeaders: {X-A: {b: c}}", "httpHeaders[X-A]: is a mapping, not text; write it as one text, in quotes where it holds JSON"},
		{"placement: Ghost", "placement: is text, not a list; write each in a line below, with a dash before it and its keys, of in, name, scheme: - scheme: …"},
		{"trustedOrigins: https://a", "trustedOrigins: is text, not a list; write it as [a, b]"},
		{"rateLimit: none", "rateLimit: is text, not a mapping of settings"},
		{"exchange: [a]", "exchange: is a list, not a mapping of settings"},
		{"fields: a", "fields: is text, not a mapping of names to text"},
		{"fields: {a: null}", `fields[a]: is empty; give it a value; for empty text write ""`},
		{"fields: {" + planted + ": [x]}", "fields[…]: is a list, not text"},
		{"trustedOrigins: https://a", "trustedOrigins: is text, not a list; write it as [a, b]"},
		{"trustedOrigins:\n-\n-", "line 2, column 2: trustedOrigins[0]: is empty"},
		{"authFailure: [~]", "authFailure[0]: is empty"},
		{`payload: '{"iss":"x"}'`, "payload: is text, not a mapping; write the object itself, without quotes around it"},
		{`{"payload": "{}"}`, "payload: is text, not a mapping; write the object itself"},
		{"jwtHeaders: [a]", "jwtHeaders: is a list, not a mapping"},
		{"exchange: {params: 5}", "exchange.params: is a number, not a mapping"},
		{"payload: {a: [0123]}", "payload.a[0]: is a number that JSON does not know"},
		{`{"name": "\ud83d"}`, "name: holds half of a surrogate pair"},
		{`{"fields": {"\udc00": "a"}}`, "fields: holds half of a surrogate pair"},
		{`{"name": "a" "baseURI": "b"}`, "line 1, column 14: expected a comma or }"},
		{"{\n\t\"name\": \"a\",\n}", "line 3, column 1: expected a member name in double quotes"},
	}
	for _, tt := range tests {
		_, err := Parse([]byte(tt.text))
		if !strings.Contains(fmt.Sprint(err), tt.want) {
			t.Errorf("%s: %v; want %s", tt.text, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), planted) {
			t.Errorf("%s: %v shows a secret", tt.text, err)
		}
	}
}

func TestParseKeepsHalfASurrogatePairInClaims(t *testing.T) {
	conns, err := Parse([]byte(`{"payload": {"a": "\uD83D"}}`))
	if err != nil || conns[0].Payload != `{"a":"\ud83d"}` {
		t.Errorf(`got %v, %v; want {"a":"\ud83d"}`, conns, err)
	}
}

func TestParseTellsAllProblemsButNotTooMany(t *testing.T) {
	var lines []string
	for i := range 30 {
		lines = append(lines, fmt.Sprintf("x%d: y", i))
	}
	_, err := Parse([]byte(strings.Join(lines, "\n")))
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != mostShown+1 || !strings.HasSuffix(err.Error(), "\nconnfile: and 10 more") {
		t.Errorf("30 unknown keys give %v; want %d errors and the number of the rest", err, mostShown)
	}
}

func TestEveryErrorOfParseHasItsPlaceAndField(t *testing.T) {
	_, err := Parse([]byte("---\nname: a\n---\nname: b\nretry:\n  budget: x\n"))
	e, ok := err.(interface{ Unwrap() []error }).Unwrap()[0].(*Error)
	want := Error{Line: 6, Column: 11, Field: "retry.budget", Problem: "is text, not a whole number", Hint: "write digits alone, without quotes"}
	if !ok || *e != want {
		t.Errorf("got %#v; want %#v", e, want)
	}
}

// TestEveryFieldHasAKey keeps the types of Connection within what the decoder and Marshal know.
func TestEveryFieldHasAKey(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var check func(v reflect.Value)
	check = func(v reflect.Value) {
		if v.Kind() == reflect.Pointer {
			v = reflect.New(v.Type().Elem()).Elem()
		}
		if v.Kind() == reflect.Slice {
			v = reflect.New(v.Type().Elem()).Elem()
		}
		new(encoder).encode("", v)
		new(decoder).decode("", node{kind: kindDoubtful}, reflect.New(v.Type()).Elem())
		if v.Kind() != reflect.Struct || seen[v.Type()] {
			return
		}
		seen[v.Type()] = true
		for name, i := range fieldsOf(v.Type()).index {
			if name == "" {
				t.Errorf("%s.%s has no key", v.Type(), v.Type().Field(i).Name)
			}
			check(v.Field(i))
		}
	}
	check(reflect.ValueOf(jwtbearer.Connection{}))
	if len(seen) < 11 {
		t.Errorf("%d structs were found within Connection; want at least 11", len(seen))
	}
}
