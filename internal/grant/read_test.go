package grant

import (
	"strings"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/response"
)

// withBase is reader, of responses that tell the base URI too.
func withBase(t *testing.T) *Reader {
	r := reader(t)
	r.Base = response.CompilePath("BaseURIPath", "base", "", func(field, problem, hint string) { t.Fatal(field, problem, hint) })
	return r
}

func TestReadTakesWhatAResponseGives(t *testing.T) {
	for name, test := range map[string]struct {
		contentType, body string
		keeps             bool
		want              Token
		lack              string // the field, after which its problem holds the words
	}{
		"all": {"application/json", `{"access_token":"at","token_type":"dpop","expires_in":100,"base":"https://h/x"}`, false,
			Token{Token: "at", Scheme: "DPoP", Expiry: sent.Add(100 * time.Second), Until: sent.Add(100 * time.Second), Renew: sent.Add(80 * time.Second),
				Base: "https://h/x"}, ""},
		"renewed five minutes before the end": {"text/html", `{"access_token":"at","expires_in":"3600","base":"HTTP://h"}`, false,
			Token{Token: "at", Expiry: sent.Add(time.Hour), Until: sent.Add(time.Hour), Renew: sent.Add(55 * time.Minute), Base: "HTTP://h"}, ""},
		"a form": {media.FormType, "access_token=at&token_type=bearer&base=https://h", false,
			Token{Token: "at", Scheme: "Bearer", Until: sent.Add(unbounded), Renew: sent.Add(unbounded), Base: "https://h"}, ""},
		"a time that is over": {"application/json", `{"access_token":"at","expires_at":"1999-12-31T00:00:00Z","base":"https://h"}`, false,
			Token{Token: "at", Until: sent.Add(unbounded), Renew: sent.Add(unbounded), Over: "Exchange.Next.ExpiresAtPath", Base: "https://h"}, ""},
		"a number that is over": {"application/json", `{"access_token":"at","expires_in":-1,"base":"https://h"}`, false,
			Token{Token: "at", Until: sent.Add(unbounded), Renew: sent.Add(unbounded), Over: "Exchange.Next.ExpiresInPath", Base: "https://h"}, ""},
		"only a base URI":          {"application/json", `{"access_token":"other","base":"https://h"}`, true, Token{Base: "https://h"}, ""},
		"no token":                 {"application/json", `{"id_token":"at","base":"https://h"}`, false, Token{}, "TokenPath: with id_token and 1 unknown"},
		"null":                     {"application/json", `{"access_token":null}`, false, Token{}, "TokenPath: no token"},
		"an object":                {"application/json", `{"access_token":{"a":"b"}}`, false, Token{}, "TokenPath: no token"},
		"a token of several lines": {"application/json", `{"access_token":"a\r\nX-Evil: b","base":"https://h"}`, false, Token{}, "TokenPath: no header may carry"},
		"no base URI":              {"application/json", `{"access_token":"at"}`, false, Token{}, "BaseURIPath: no base URI"},
		"another base URI":         {"application/json", `{"access_token":"at","base":"ftp://h"}`, false, Token{}, "BaseURIPath: no http or https"},
	} {
		r := withBase(t)
		r.Field, r.Keeps = "Exchange.Next", test.keeps
		got, lack := r.Read(responseOf(200, test.contentType, test.body), sent)
		if field, words, isLack := strings.Cut(test.lack, ": "); isLack {
			if lack == nil || lack.Field != field || !strings.Contains(lack.Problem, words) {
				t.Errorf("%s: %+v, want the problem of %s with %q", name, lack, field, words)
			}
			continue
		}
		if lack != nil || got != test.want {
			t.Errorf("%s: %+v, %+v; want %+v", name, got, lack, test.want)
		}
	}
}

func TestATokenWithoutALifetimeLivesAsLongAsTheReaderSays(t *testing.T) {
	r := reader(t)
	r.Base, r.Life = nil, time.Hour
	for body, want := range map[string]time.Duration{`{"access_token":"at"}`: time.Hour, `{"access_token":"at","expires_in":0}`: time.Hour,
		`{"access_token":"at","expires_in":"soon"}`: time.Hour, `{"access_token":"at","expires_in":60}`: time.Minute} {
		if got, lack := r.Read(responseOf(200, "application/json", body), sent); lack != nil || got.Until.Sub(sent) != want || got.Over != "" {
			t.Errorf("%s: %+v, %v; want it to live %s", body, got, lack, want)
		}
	}
}

func TestRefuseShowsNoTextButAnErrorsWords(t *testing.T) {
	const token = "c2VjcmV0LXRva2Vu.x1y2z3"
	for body, want := range map[string]Refusal{
		`{"error":"invalid_scope","error_description":"no such scope","error_uri":"https://e"}`: {"invalid_scope", "no such scope", "https://e", "scopes"},
		`{"error":"invalid_grant","error_description":"the 'aud' is wrong"}`:                    {"invalid_grant", "the 'aud' is wrong", "", "aud must be"},
		`{"error":"e","error_description":"got ` + token + `","access_token":"` + token + `"}`:  {"e", "got ******", "", ""},
		`{"error":{"code":"DENIED","message":"no"}}`:                                            {"DENIED", "no", "", ""},
		`[{"errorCode":"DENIED","message":"no"}]`:                                               {"DENIED", "no", "", ""},
		`<Error><Code>DENIED</Code><Message>no</Message></Error>`:                               {"DENIED", "no", "", ""},
		`["` + token + `"]`: {"", "JSON, but no object", "", ""},
		token:               {"", "text/plain of 23 bytes", "", ""},
		"the audience is wrong, and here is " + token: {"", "text/plain of 58 bytes", "", "aud must be"},
	} {
		contentType := map[byte]string{'{': "application/json", '[': "application/json", '<': "text/xml"}[body[0]]
		if contentType == "" {
			contentType = "text/plain"
		}
		got := reader(t).Refuse(responseOf(400, contentType, body), nil)
		if got.Code != want.Code || got.Description != want.Description || got.URI != want.URI || !strings.Contains(got.Hint, want.Hint) || want.Hint == "" && got.Hint != "" {
			t.Errorf("%s\n got %+v\nwant %+v", body, got, want)
		}
	}
}

func TestHintsSayWhichFieldToLookAt(t *testing.T) {
	for _, test := range []struct {
		status            int
		code, said, field string
		want              string
	}{
		{302, "", "", "TokenPath", "redirects of a token endpoint are not followed: set Exchange.TokenURL to where it is"},
		{304, "", "", "TokenPath", ""},
		{404, "", "", "TokenPath", "check Exchange.TokenURL and Method"},
		{405, "", "", "TokenPath", "check Exchange.TokenURL and Method"},
		{415, "", "", "TokenPath", "check Exchange.Encoding"},
		{200, "", "", "BaseURIPath", "check Exchange.TokenURL and BaseURIPath"},
		{401, "", "", "TokenPath", codeHints["invalid_client"]},
		{401, "", "no key for this kid", "TokenPath", "the server knows no key for this kid: compare it, and the algorithm, with the key that is registered"},
		{400, "invalid_scope", "wrong audience", "TokenPath", codeHints["invalid_scope"]},
		{400, "invalid_grant", "wrong audience", "TokenPath", "aud must be what the server calls itself, which is often the address of the token endpoint"},
		{400, "invalid_grant", "no", "TokenPath", codeHints["invalid_grant"]},
		{400, "", "", "TokenPath", ""},
	} {
		if got := (&Reader{Field: "Exchange"}).hint(test.status, test.code, test.said, test.field); got != test.want {
			t.Errorf("%d %q %q: %q, want %q", test.status, test.code, test.said, got, test.want)
		}
	}
}

func TestParams(t *testing.T) {
	const assertion = `,"assertion":"{{.Token}}"}`
	for _, test := range []struct {
		name   string
		placed bool
		want   string
	}{
		{"", false, ""}, {"", true, ""},
		{"jwt-bearer", false, `{"grant_type":"urn:ietf:params:oauth:grant-type:jwt-bearer"` + assertion},
		{"urn:ietf:params:oauth:grant-type:jwt-bearer", false, `{"grant_type":"urn:ietf:params:oauth:grant-type:jwt-bearer"` + assertion},
		{"client_credentials", true, `{"grant_type":"client_credentials"}`},
		{"client-credentials", true, `{"grant_type":"client_credentials","client_assertion_type":"urn:ietf:params:oauth:client-assertion-type:jwt-bearer","client_assertion":"{{.Token}}"}`},
		{`a"{{b}}\`, true, `{"grant_type":"{{\"a\\\"{{b}}\\\\\"}}"}`},
		{"urn:x:y", false, `{"grant_type":"{{\"urn:x:y\"}}"` + assertion},
	} {
		if got := Params(test.name, test.placed); got != test.want {
			t.Errorf("Params(%q, %t) = %s, want %s", test.name, test.placed, got, test.want)
		}
	}
}
