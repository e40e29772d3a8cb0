package response

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/response/responsetest"
)

func TestAResponseThatWasReadIsWhatItsBodyIs(t *testing.T) {
	const form = "Content-Type: application/x-www-form-urlencoded"
	for _, tt := range []struct {
		name, head, body string
		syntax           media.Kind
		token            string // the scalar at access_token
		object, form     bool
	}{
		{"an object", "Content-Type: application/json", `{"access_token":"t"}`, media.JSON, "t", true, false},
		{"an object that is called a page", "Content-Type: text/html", `{"access_token":"t"}`, media.JSON, "t", true, false},
		{"an object that is called a form", form, `{"access_token":"t"}`, media.JSON, "t", true, false},
		{"an empty object that is called a form", form, `{}`, media.JSON, "", true, false},
		{"a form", form, "access_token=t&x=%20", media.JSON, "t", true, true},
		{"a list that is called a form", form, `[{"access_token":"t"}]`, media.JSON, "", true, true},
		{"a malformed form", form, "access_token=%zz", media.JSON, "", false, false},
		{"a form without that type", "Content-Type: text/html", "access_token=t", media.Text, "", false, false},
		{"a list", "", `[1]`, media.JSON, "", false, false},
		{"nothing", "", "", media.JSON, "", false, false},
		{"XML", "", "<a><access_token>t</access_token></a>", media.XML, "", false, false},
		{"as long as is read", "", `{"access_token":"t"}` + strings.Repeat(" ", 80), media.JSON, "t", true, false},
		{"longer", "", `{"access_token":"t"}` + strings.Repeat(" ", 81), media.JSON, "", true, false},
	} {
		resp := responsetest.Raw(strings.TrimSuffix("200\n"+tt.head, "\n") + "\n\n" + tt.body)
		body, _ := io.ReadAll(resp.Body)
		r := NewRead(resp, body, 100, responsetest.Now)
		token, _ := r.Scalar(testPath(t, "access_token", ""))
		if r.Syntax() != tt.syntax || token != tt.token || r.Object() != nil != tt.object || r.IsForm() != tt.form {
			t.Errorf("%s: %s, token %q, object %v, form %v; want %s, %q, an object: %v, a form: %v", tt.name, r.Syntax(), token, r.Object(),
				r.IsForm(), tt.syntax, tt.token, tt.object, tt.form)
		}
	}
}

func TestErrorsInSuccesses(t *testing.T) {
	for wire, want := range map[string]string{
		`200` + "\n\n" + `{"ok":false,"error":"invalid_auth"}`:                         "ok invalid_auth ",
		`200` + "\n\n" + `{"Success":false}`:                                           "success  ",
		`200` + "\n\n" + `{"errors":[{"code":"E","message":"No."}]}`:                   "errors E No.",
		`200` + "\n\n" + `{"fault":{"x":1}}`:                                           "fault  ",
		`200` + "\n\n" + `{"error":null,"errors":[],"fault":{},"ok":true}`:             "  ",
		`200` + "\n\n" + `{"error":false}`:                                             "  ",
		`200` + "\n\n" + `{"code":"E","message":"No."}`:                                "  ",
		`200` + "\n\n" + `[{"error":"x"}]`:                                             "  ",
		`400` + "\n\n" + `{"error":"x"}`:                                               "  ",
		`200` + "\nContent-Type: text/xml\n\n" + `<error>x</error>`:                    "  ",
		`200` + "\n\n" + `{"error":"x"}` + strings.Repeat(" ", MostBody):               "  ",
		`200` + "\nContent-Type: application/octet-stream\n\n" + `{"error":"x"}`:       "  ",
		`200` + "\n\n" + `{"error":"` + strings.Repeat("x", 2*problem.MostLine) + `"}`: "error " + strings.Repeat("x", problem.MostLine) + "… ",
	} {
		member, code, message := testResponse(wire).ErrorInSuccess(nil)
		if got := member + " " + code + " " + message; got != want {
			t.Errorf("the error in %.60q is %.80q; want %.80q", wire, got, want)
		}
	}
	_, _, message := testResponse("200\n\n" + `{"ok":false,"why":["a","b"]}`).ErrorInSuccess(testPath(t, "why", ""))
	if message != "a; b" {
		t.Errorf("the error at a path is %q; want a; b", message)
	}
}

func TestABodyIsEmptyWhereThereMightBeOne(t *testing.T) {
	for _, tt := range []struct {
		wire, method string
		noBody, want bool
	}{
		{"200\n\n", "GET", false, true},
		{"200\n\n \n", "GET", false, true},
		{"200\n\nx", "GET", false, false},
		{"200", "GET", true, true},
		{"204", "GET", true, false},
		{"200", "HEAD", true, false},
		{"200\nContent-Type: image/png\n\n", "GET", false, false}, // nobody looks
	} {
		resp := responsetest.Raw(tt.wire)
		resp.Request = &http.Request{Method: tt.method}
		if tt.noBody {
			resp.Body = http.NoBody
		}
		if got := New(resp, "", responsetest.Now).IsEmpty(); got != tt.want {
			t.Errorf("%q of a %s (no body: %v) is empty: %v; want %v", tt.wire, tt.method, tt.noBody, got, tt.want)
		}
	}
}
