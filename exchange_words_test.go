package jwtbearer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/redact"
)

// accessCanary is an access token that nobody may see, nor a piece of it.
const accessCanary = "ya29.c0AxyzCanary-7Qm41LtZp_wE93KdfRb8sVu"

// checkNoCanary fails where a text shows eight characters of the access token one after the other.
func checkNoCanary(t *testing.T, how, text string) {
	t.Helper()
	for i := range len(accessCanary) - redact.LeastPiece + 1 {
		if piece := accessCanary[i : i+redact.LeastPiece]; strings.Contains(text, piece) || strings.Contains(text, strings.ToLower(piece)) {
			at := strings.Index(strings.ToLower(text), strings.ToLower(piece))
			t.Errorf("%s shows %q of the access token: …%q", how, piece, text[max(0, at-150):min(len(text), at+50)])
			return
		}
	}
}

// shownByExchange is all that a program shows of a token endpoint that answers so: errors, reports and log records.
func shownByExchange(t *testing.T, status int, contentType, body string) string {
	t.Helper()
	var log bytes.Buffer
	f := &fakeIssuer{endpoint: always(func() *http.Response { return fakeReply(status, body, "Content-Type", contentType) }),
		api: always(func() *http.Response { return fakeReply(401, "") })}
	c := dialIssuer(t, f, func(conn *Connection) {
		conn.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		conn.Retry.MaxAttempts = 2
	})
	var shown strings.Builder
	show := func(values ...any) {
		for _, v := range values {
			fmt.Fprintf(&shown, "%v\n%+v\n%#v\n%q\n", v, v, v, v)
		}
	}
	token, err := c.Token(t.Context())
	if show(err); err == nil {
		show(token.Value)
	}
	if e, ok := errors.AsType[*TokenError](err); ok {
		show(*e)
	}
	_, err = c.RoundTrip(fakeRequest(t, "GET", nil))
	show(err)
	_, err = c.Do(fakeRequest(t, "GET", nil), nil)
	show(err)
	report, err := c.Test(t.Context())
	show(report, *report, err)
	text, jsonErr := json.Marshal(report)
	if jsonErr != nil {
		t.Error(jsonErr)
	}
	shown.Write(text)
	shown.Write(log.Bytes())
	return shown.String()
}

// A token endpoint may call its body what it likes, give it any status and put the token anywhere: nothing shows it.
func TestNoTextOfATokenResponseIsShown(t *testing.T) {
	c := accessCanary
	bodies := map[string]string{
		"JSON":                     `{"access_token":"` + c + `","token_type":"Bearer"}`,
		"JSON with spaces":         "\ufeff \n{ \"access_token\" : \"" + c + "\" }",
		"JSON that is cut off":     `{"access_token":"` + c,
		"JSON with more behind":    `{"access_token":"` + c + `"} ` + c,
		"another member":           `{"session":"` + c + `"}`,
		"deep":                     `{"data":{"items":[{"access_token":"` + c + `"}]}}`,
		"in error":                 `{"error":{"access_token":"` + c + `"}}`,
		"a name":                   `{"` + c + `":true}`,
		"names":                    `{"a ` + c + `":{"` + c + `":1},"error":""}`,
		"a JSON string":            `"` + c + `"`,
		"a JSON list":              `["` + c + `"]`,
		"a list of lists":          `[["` + c + `"]]`,
		"an id":                    `{"id":"` + c + `"}`,
		"a type":                   `{"type":"` + c + `","status":"` + c + `","reason":"` + c + `"}`,
		"token_type":               `{"access_token":"x","token_type":"` + c + `"}`,
		"an error's code":          `{"error":"` + c + `"}`,
		"repeated":                 `{"error":"invalid_grant","error_description":"` + c + ` was issued","access_token":"` + c + `"}`,
		"repeated in part":         `{"error":"invalid_grant","error_description":"see ` + c[:20] + `...","access_token":"` + c + `"}`,
		"words that break":         `{"access_token":"` + c + `\n"}`,
		"bare":                     c,
		"bare with a line break":   c + "\r\n",
		"bare with words":          "your token is " + c,
		"Bearer":                   "Bearer " + c,
		"a form":                   "access_token=" + c + "&token_type=bearer",
		"a form with another name": "t=" + c + "&" + c + "=1",
		"a form that is none":      "%zz&" + c + "=%",
		"XML":                      `<?xml version="1.0"?><r><access_token>` + c + `</access_token></r>`,
		"XML values":               `<r><token><value>` + c + `</value><text>` + c + `</text></token></r>`,
		"XML names":                `<r><id>` + c + `</id><t a="` + c + `"/><` + c + `/></r>`,
		"a page":                   `<html><body>` + c + `</body></html>`,
		"YAML":                     "access_token: " + c + "\n",
		"lines":                    "\n\n" + c + "\n",
	}
	types := []string{"", "application/json", "application/x-www-form-urlencoded", "application/xml", "text/plain", "text/html", "nonsense"}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			for _, status := range []int{200, 302, 400, 500} {
				for _, contentType := range types {
					synctest.Test(t, func(t *testing.T) {
						shown := shownByExchange(t, status, contentType, body)
						checkNoCanary(t, fmt.Sprintf("%d %q", status, contentType), shown)
					})
				}
			}
		})
	}
}

// What is known to be an error's word is shown, whatever the body is called.
func TestErrorWordsAreShownWhateverTheBodyIsCalled(t *testing.T) {
	for name, body := range map[string]string{
		"JSON": `{"error":"invalid_grant","error_description":"the audience is wrong","error_uri":"https://e.example.com/1"}`,
		"form": "error=invalid_grant&error_description=the+audience+is+wrong&error_uri=https%3A%2F%2Fe.example.com%2F1",
	} {
		for _, contentType := range []string{"application/json", "application/x-www-form-urlencoded", "text/html", "text/plain", "application/xml", ""} {
			if name == "form" && contentType != media.FormType {
				continue // its syntax is known by its name alone
			}
			f := &fakeIssuer{endpoint: always(func() *http.Response { return fakeReply(400, body, "Content-Type", contentType) })}
			_, err := dialIssuer(t, f, nil).Token(t.Context())
			e, ok := errors.AsType[*TokenError](err)
			if !ok || e.Code != "invalid_grant" || e.Description != "the audience is wrong" || e.URI != "https://e.example.com/1" || !strings.Contains(e.Hint, "aud") {
				t.Errorf("%s called %q: %#v; want the words of the error", name, contentType, err)
			}
		}
	}
}

func TestTokenInJSONIsFoundWhateverItIsCalled(t *testing.T) {
	for _, contentType := range []string{"application/json", media.FormType, "text/html", "application/xml", "text/plain", ""} {
		f := &fakeIssuer{endpoint: always(func() *http.Response {
			return fakeReply(200, `{"access_token":"at-1","expires_in":60}`, "Content-Type", contentType)
		})}
		if token, err := dialIssuer(t, f, nil).Token(t.Context()); err != nil || token.Value != "at-1" {
			t.Errorf("JSON called %q: %v; want the token", contentType, err)
		}
	}
}

// A hint is chosen by words that are not shown.
func TestHiddenWordsStillChooseTheHint(t *testing.T) {
	for _, test := range []struct {
		status            int
		contentType, body string
		hint              string
	}{
		{400, "text/plain", "Invalid JWT: the audience is wrong", "aud must be"},
		{401, "text/plain", "unknown kid", "knows no key"},
		{200, "application/json", `{"error":"invalid_grant","error_description":"the audience is wrong"}`, "aud must be"},
	} {
		f := &fakeIssuer{endpoint: always(func() *http.Response { return fakeReply(test.status, test.body, "Content-Type", test.contentType) })}
		_, err := dialIssuer(t, f, nil).Token(t.Context())
		e, ok := errors.AsType[*TokenError](err)
		if !ok || !strings.Contains(e.Hint, test.hint) || strings.Contains(e.Error(), "audience is wrong") || strings.Contains(e.Error(), "unknown kid") {
			t.Errorf("%s: %v; want a hint with %q and none of the words", test.body, err, test.hint)
		}
	}
}

// net/http repeats in its errors what it cannot read of a response, which may be the token without any header before it.
func TestErrorsOfTheTransportShowNothingOfATokenResponse(t *testing.T) {
	for _, said := range []string{
		`net/http: HTTP/1.x transport connection broken: malformed HTTP response "` + accessCanary + `"`,
		`malformed HTTP version "HTTP/` + accessCanary + `"`,
		`net/http: HTTP/1.x transport connection broken: malformed HTTP status code "` + accessCanary + `"`,
		`malformed MIME header line: ` + accessCanary,
		`malformed MIME header initial line: ` + accessCanary,
		`malformed MIME header: missing colon: "{\"a\":\"` + accessCanary + `\"}"`,
		`bad Content-Length "` + accessCanary + `"`,
		`unsupported transfer encoding: "` + accessCanary + `"`,
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &fakeIssuer{endpoint: failing(errors.New(said))}
			c := dialIssuer(t, f, func(conn *Connection) { conn.Retry.MaxAttempts = 1 })
			_, err := c.Token(t.Context())
			report, testErr := c.Test(t.Context())
			checkNoCanary(t, "the error", fmt.Sprintf("%v %+v %#v %v %v", err, err, err, testErr, report))
			if err == nil || !strings.Contains(err.Error(), strings.Fields(said)[0]) {
				t.Errorf("%q became %v; want what is wrong", said, err)
			}
		})
	}
}
