package grant

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/response"
)

var sent = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

// responseOf is a response that came two seconds after the request was sent.
func responseOf(status int, contentType, body string) *response.Response {
	resp := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(strings.NewReader(body))}
	return response.NewRead(resp, []byte(body), MostBody, sent.Add(2*time.Second))
}

// reader is one with the paths of RFC 6749, section 5.1.
func reader(t *testing.T) *Reader {
	path := func(text string) *response.Path {
		return response.CompilePath("Exchange."+text, text, "", problem.Report(func(field, problem, hint string) {
			t.Fatalf("%s: %s; %s", field, problem, hint)
		}))
	}
	return &Reader{Field: "Exchange", Token: path("access_token"), Kind: path("token_type"), In: path("expires_in"), At: path("expires_at")}
}

func TestReadTakesTokenTypeAndLife(t *testing.T) {
	tests := []struct {
		contentType, body string
		want              Token
	}{
		{"application/json", `{"access_token":"a","token_type":"bearer","expires_in":100}`, Token{Token: "a", Scheme: "Bearer", Until: sent.Add(100 * time.Second)}},
		{"text/html", `{"access_token":"a","token_type":"N_A","expires_in":"100"}`, Token{Token: "a", Scheme: "Bearer", Until: sent.Add(100 * time.Second)}},
		{"application/x-www-form-urlencoded", `access_token=a&token_type=DPOP&expires_in=100`, Token{Token: "a", Scheme: "DPoP", Until: sent.Add(100 * time.Second)}},
		{"application/json", `{"access_token":"a","expires_at":"2026-12-01T12:01:42Z"}`, Token{Token: "a", Until: sent.Add(100 * time.Second)}},
		{"application/json", `{"access_token":"a","expires_in":-1}`, Token{Token: "a", Until: sent.Add(unbounded), Over: "Exchange.ExpiresInPath"}},
		{"application/json", `{"access_token":"a","expires_in":1e300}`, Token{Token: "a", Until: sent.Add(unbounded)}},
	}
	for _, tt := range tests {
		got, lack := reader(t).Read(responseOf(200, tt.contentType, tt.body), sent)
		if lack != nil || got.Token != tt.want.Token || got.Scheme != tt.want.Scheme || got.Until.Sub(tt.want.Until).Abs() > 2*time.Second || got.Over != tt.want.Over {
			t.Errorf("%s %s gives %+v, %+v; want %+v", tt.contentType, tt.body, got, lack, tt.want)
		}
	}
}

func TestReadSaysWhatIsLacking(t *testing.T) {
	for body, want := range map[string]string{
		`{"token":"hidden-hidden"}`:     "no token at TokenPath: it is a JSON object with token",
		`{"access_token":"a\nb"}`:       "holds a character that no header may carry",
		`{"access_token":null,"x":"y"}`: "with access_token and 1 unknown member",
		``:                              "it is empty",
	} {
		_, lack := reader(t).Read(responseOf(200, "application/json", body), sent)
		if lack == nil || !strings.Contains(lack.Problem, want) || strings.Contains(lack.Problem, "hidden") || lack.Field != "TokenPath" {
			t.Errorf("%s: %+v; want %q", body, lack, want)
		}
	}
}

func TestRefuseChoosesAHint(t *testing.T) {
	tests := []struct {
		status     int
		body       string
		code, hint string
	}{
		{400, `{"error":"invalid_grant","error_description":"wrong audience"}`, "invalid_grant", "aud must be"},
		{400, `{"error":"invalid_grant","error_description":"` + definitions[0] + ` Unable to verify the integrity of it."}`, "invalid_grant", "the signature does not fit"},
		{400, `{"error":"invalid_scope"}`, "invalid_scope", "scopes"},
		{302, ``, "", "redirects of a token endpoint are not followed: set Exchange.TokenURL"},
		{404, `nothing here`, "", "check Exchange.TokenURL and Method"},
		{415, ``, "", "check Exchange.Encoding"},
	}
	for _, tt := range tests {
		got := reader(t).Refuse(responseOf(tt.status, "application/json", tt.body), nil)
		if got.Code != tt.code || !strings.Contains(got.Hint, tt.hint) {
			t.Errorf("%d %s: %+v; want the code %q and the hint %q", tt.status, tt.body, got, tt.code, tt.hint)
		}
	}
}

func TestDescribeCountsWhatItDoesNotName(t *testing.T) {
	for body, want := range map[string]string{
		`{}`:                              "a JSON object with no members",
		`{"x":1}`:                         "a JSON object with 1 unknown member",
		`{"x":1,"scope":"","y":2}`:        "a JSON object with scope and 2 unknown members",
		`{"error":"x","id_token":"hide"}`: "a JSON object with error, id_token",
		`[1]`:                             "JSON, but no object",
	} {
		a := responseOf(200, "application/json", body)
		a.Body()
		if got := describe(a); got != want {
			t.Errorf("%s is described as %q; want %q", body, got, want)
		}
	}
}

func TestAListThatIsCalledAFormIsDescribedAsTheForm(t *testing.T) {
	if got, want := describe(responseOf(200, "application/x-www-form-urlencoded", `[{"x":1}]`)), "a form with 1 unknown member"; got != want {
		t.Errorf("it is described as %q; want %q", got, want)
	}
}

// TestDefinitionsAreTakenOffBeforeTheTextIsCut has what a server says itself behind a definition, which is as long as a message may be.
func TestDefinitionsAreTakenOffBeforeTheTextIsCut(t *testing.T) {
	own := "The assertion must contain an aud that is this server, which it does not, whatever else it may contain; the audience is wrong"
	got := reader(t).Refuse(responseOf(400, "application/json", `{"error":"invalid_grant","error_description":"`+definitions[0]+" "+own+`"}`), nil)
	if got.Description != own {
		t.Errorf("the description is %q; want %q", got.Description, own)
	}
}
