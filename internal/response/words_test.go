package response

import (
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/response/responsetest"
)

func TestWordsOfRefusals(t *testing.T) {
	for _, tt := range []struct{ name, kind, body, code, message string }{
		{"RFC 9457", "application/problem+json",
			`{"type":"https://iana.org/x#quota-exceeded","title":"Quota","status":429,"detail":"All used."}`,
			"https://iana.org/x#quota-exceeded", "All used."},
		{"RFC 9457 without a type", "application/problem+json", `{"type":"about:blank","title":"Too Many","status":429}`,
			"429", "Too Many"},
		{"RFC 6749", "application/json", `{"error":"invalid_grant","error_description":"The key is unknown."}`,
			"invalid_grant", "The key is unknown."},
		{"error object", "application/json", `{"error":{"code":"E1","message":"No."}}`, "E1", "No."},
		{"Google", "application/json",
			`{"error":{"code":429,"message":"Resource has been exhausted.","status":"RESOURCE_EXHAUSTED"}}`,
			"RESOURCE_EXHAUSTED", "Resource has been exhausted."},
		{"list of errors", "application/json", `{"errors":[{"id":"rate_limit_exceeded","message":"Slow down"}]}`,
			"rate_limit_exceeded", "Slow down"},
		{"list of words", "application/json", `{"errors":["Not this way"]}`, "", "Not this way"},
		{"Salesforce", "application/json", `[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"TotalRequests Limit exceeded."}]`,
			"REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."},
		{"App Store Server", "application/json", `{"errorCode":4290000,"errorMessage":"Rate limit exceeded."}`, "4290000",
			"Rate limit exceeded."},
		{"APNs", "application/json", `{"reason":"ExpiredProviderToken"}`, "ExpiredProviderToken", ""},
		{"QuickBooks", "application/json", `{"Fault":{"Error":[{"Message":"ThrottleExceeded","code":"3001"}]}}`, "3001",
			"ThrottleExceeded"},
		{"Slack", "application/json", `{"ok":false,"error":"ratelimited"}`, "ratelimited", ""},
		{"words as the error", "application/json", `{"error":"Rate limit reached","code":"slow"}`, "slow", "Rate limit reached"},
		{"SOAP 1.1", "text/xml",
			`<e:Envelope xmlns:e="x"><e:Body><e:Fault><faultcode>e:Server</faultcode><faultstring>Busy</faultstring></e:Fault></e:Body></e:Envelope>`,
			"e:Server", "Busy"},
		{"SOAP 1.2", "application/soap+xml",
			`<Fault><Code><Value>Receiver</Value></Code><Reason><Text>Busy now</Text></Reason></Fault>`, "Receiver", "Busy now"},
		{"S3", "application/xml", `<Error><Code>SlowDown</Code><Message>Reduce your rate.</Message></Error>`, "SlowDown",
			"Reduce your rate."},
		{"plain", "text/plain; charset=utf-8", "  Go\n\taway\x1b[31m ", "", "Go away[31m"},
		{"HTML", "text/html", "<h1>No</h1>", "", ""},
		{"broken", "application/json", `{"error":`, "", ""},
	} {
		a := testResponse("400\nContent-Type: " + tt.kind + "\n\n" + tt.body)
		if code, message := a.Words(nil); code != tt.code || message != tt.message {
			t.Errorf("%s: words = %q, %q, want %q, %q", tt.name, code, message, tt.code, tt.message)
		}
	}
}

func TestWordsFollowErrorPath(t *testing.T) {
	a := testResponse("400\n\n" + `{"code":"E1","problems":[{"text":"one"},{"text":"two\nlines"}]}`)
	if code, message := a.Words(testPath(t, "problems[*].text", "")); code != "E1" || message != "one; two lines" {
		t.Errorf("words = %q, %q, want E1 and both texts", code, message)
	}
}

func TestWordsAreCut(t *testing.T) {
	_, message := testResponse("400\nContent-Type: text/plain\n\n" + strings.Repeat("ä", 5000)).Words(nil)
	if got, want := message, strings.Repeat("ä", problem.MostLine)+"…"; got != want {
		t.Errorf("words of 5000 characters = %d bytes, want %d", len(got), len(want))
	}
}

func TestWordsOfABodyThatIsSaidToBePlain(t *testing.T) {
	resp := responsetest.Raw("400\nContent-Type: text/html\n\nGo away")
	if code, message := New(resp, media.Text, responsetest.Now).Words(nil); code != "" || message != "Go away" {
		t.Errorf("words with ErrorMediaType plaintext = %q, %q, want the body", code, message)
	}
}
