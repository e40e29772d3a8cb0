package jwtbearer

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/jws"
)

func testReport() *Report {
	return &Report{Kind: KindThrottled, StatusCode: 429, Header: `{"alg":"ES256"}`, Claims: `{"exp":1.00,"u":"<&>"}`,
		Latency: 1500 * time.Microsecond, Skew: -3 * time.Second, RetryAfter: time.Minute,
		Steps: []Step{
			{Name: "config", Status: StatusOK, Detail: "https://h/v2"},
			{Name: "config", Status: StatusWarning, Detail: "two\r\nlines\tand a tab", Hint: "a\nhint"},
			{Name: "token", Status: StatusOK, Detail: "9 bytes"},
			{Name: "exchange", Status: StatusSkipped},
			{Name: "request", Status: StatusFailed, Detail: "GET /v2: 429", Took: 12345678 * time.Nanosecond},
		}}
}

func TestReportPrintsAsAnAlignedTable(t *testing.T) {
	const want = `config    ok       https://h/v2
config    warning  two lines and a tab
                   -> a hint
token     ok       9 bytes: {"alg":"ES256"} {"exp":1.00,"u":"<&>"}
exchange  skipped
request   failed   GET /v2: 429 (12.35ms)
`
	r := testReport()
	for how, got := range map[string]string{"String": r.String(), "%v of a pointer": fmt.Sprintf("%v", r), "%v of a value": fmt.Sprintf("%v", *r)} {
		if got != want {
			t.Errorf("%s gave\n%s\nwant\n%s", how, got, want)
		}
	}
}

func TestReportMarshalsToJSON(t *testing.T) {
	const want = `{"ok":false,"kind":"throttled","steps":[{"name":"config","status":"ok","detail":"https://h/v2"},` +
		`{"name":"config","status":"warning","detail":"two\r\nlines\tand a tab","hint":"a\nhint"},{"name":"token","status":"ok","detail":"9 bytes"},{"name":"exchange","status":"skipped"},` +
		`{"name":"request","status":"failed","detail":"GET /v2: 429","took":"12.345678ms"}],"header":{"alg":"ES256"},` +
		`"claims":{"exp":1.00,"u":"<&>"},"statusCode":429,"skew":"-3s","latency":"1.5ms","retryAfter":"1m0s"}`
	r := testReport()
	if got, err := r.MarshalJSON(); err != nil || string(got) != want {
		t.Errorf("MarshalJSON gave %v\n%s\nwant\n%s", err, got, want)
	}
	pointer, value := must(json.Marshal(r)), must(json.Marshal(*r))
	if string(pointer) != string(value) {
		t.Errorf("a pointer marshals as %s, a value as %s", pointer, value)
	}
}

func TestReportsHideSecretsAtEveryDepth(t *testing.T) {
	for _, test := range []struct{ template, claims, want JSON }{
		{`{"a":"{{.Secrets.x}}","b":"{{now}}"}`, `{"a":"s","b":1.0}`, `{"a":"******","b":1.0}`},
		{`{"a":[1,{"b":"x{{ .Secrets.x | sha256 }}"}]}`, `{"a":[1,{"b":"xs"}],"iat":1}`, `{"a":[1,{"b":"******"}],"iat":1}`},
		{`{"a":"{{.Secrets.x | json}}"}`, `{"a":{"p":"s"}}`, `{"a":"******"}`},
		{``, `{"a":"s"}`, `{"a":"s"}`},
		{`{}`, `["no object"]`, ``},
		{`{}`, `hello`, ``},
	} {
		r := new(Report)
		r.decode(string(jws.AppendHead(nil, []byte(`{"alg":"none"}`)))+string(jws.AppendHead(nil, []byte(test.claims)))+"sig", "", test.template)
		if r.Claims != test.want || r.Header != `{"alg":"none"}` {
			t.Errorf("%s made from %s is reported as %s %s; want %s", test.claims, test.template, r.Header, r.Claims, test.want)
		}
	}
}
