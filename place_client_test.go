package jwtbearer

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/place"
)

const placedToken = "a.b-c_d.e"

// A sentRequest is what a transport got.
type sentRequest struct {
	*http.Request
	body string
}

// sendPlaced sends req with placedToken at those places.
func sendPlaced(t *testing.T, req *http.Request, places ...Placement) (sentRequest, error) {
	t.Helper()
	var got sentRequest
	transport := carrier(func(out *http.Request) (*http.Response, error) {
		got.Request = out
		if out.Body != nil {
			body, err := io.ReadAll(out.Body)
			if err != nil {
				return nil, err
			}
			out.Body.Close()
			got.body = string(body)
		}
		return answerOf(204), nil
	})
	c, err := NewClient(&Connection{BaseURI: "https://api.example.com/v1", Token: placedToken, Placement: places, Transport: transport,
		Retry: Retry{BufferLimit: 64, MaxAttempts: 1}})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.RoundTrip(req)
	if err == nil {
		resp.Body.Close()
	}
	return got, err
}

type carrier func(*http.Request) (*http.Response, error)

func (f carrier) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// newPlaced is a request with "Name: value" headers; a body comes with the type of forms.
func newPlaced(t *testing.T, method, path, body string, headers ...string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(method, "https://api.example.com/v1"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", media.FormType+"; charset=utf-8")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	return req
}

func TestTokenInAHeader(t *testing.T) {
	tests := []struct {
		place      Placement
		name, want string
	}{
		{Placement{}, "Authorization", placedToken},
		{Placement{Scheme: "Bearer"}, "Authorization", "Bearer " + placedToken},
		{Placement{In: "header", Scheme: "JWT"}, "Authorization", "JWT " + placedToken},
		{Placement{Name: "x-api-token"}, "X-Api-Token", placedToken},
		{Placement{Name: "DPoP", Scheme: "Ghost"}, "Dpop", "Ghost " + placedToken},
	}
	for _, test := range tests {
		req := newPlaced(t, "GET", "/me", "", test.name+": the caller's", test.name+": twice")
		got, err := sendPlaced(t, req, test.place)
		if err != nil {
			t.Fatal(err)
		}
		if value := got.Header[test.name]; !slices.Equal(value, []string{test.want}) {
			t.Errorf("Placement %+v: %s is %q, want %q", test.place, test.name, value, test.want)
		}
		if req.Header.Get(test.name) != "the caller's" {
			t.Errorf("Placement %+v changed the caller's request", test.place)
		}
	}
	got, _ := sendPlaced(t, newPlaced(t, "GET", "/me", ""))
	if got, want := got.Header.Get("Authorization"), "Bearer "+placedToken; got != want {
		t.Errorf("no Placement: %q, want %q", got, want)
	}
}

func TestTokenInTheQuery(t *testing.T) {
	const name = "access token"
	for before, want := range map[string]string{
		"":                                     "access+token=" + placedToken,
		"?":                                    "access+token=" + placedToken,
		"?b=2&a=%7e&a=1":                       "b=2&a=%7e&a=1&access+token=" + placedToken,
		"?access+token=old&x=1&access%20token": "x=1&access+token=" + placedToken,
		"?access_token=kept&Access+token=kept": "access_token=kept&Access+token=kept&access+token=" + placedToken,
	} {
		req := newPlaced(t, "GET", "/me"+before, "")
		got, err := sendPlaced(t, req, Placement{In: "query", Name: name})
		if err != nil {
			t.Fatal(err)
		}
		if got.URL.RawQuery != want {
			t.Errorf("query of /me%s: %q, want %q", before, got.URL.RawQuery, want)
		}
		if got.Header.Get("Authorization") != "" {
			t.Errorf("/me%s: the token is in a header, too", before)
		}
		if got := strings.TrimPrefix(before, "?"); req.URL.RawQuery != got {
			t.Errorf("the caller's query %q became %q", got, req.URL.RawQuery)
		}
	}
}

func TestTokenInACookie(t *testing.T) {
	tests := []struct{ given, want []string }{
		{nil, []string{"session=" + placedToken}},
		{[]string{"a=1; b=2"}, []string{"a=1; b=2; session=" + placedToken}},
		{[]string{"a=1; session=old; b=2", "session=older"}, []string{"a=1; b=2; session=" + placedToken}},
		{[]string{`q="x, y"; odd; sessions=1;`}, []string{`q="x, y"; odd; sessions=1; session=` + placedToken}},
	}
	for _, test := range tests {
		req := newPlaced(t, "GET", "/me", "")
		if test.given != nil {
			req.Header["Cookie"] = slices.Clone(test.given)
		}
		got, err := sendPlaced(t, req, Placement{In: "cookie", Name: "session"})
		if err != nil {
			t.Fatal(err)
		}
		if cookie := got.Header["Cookie"]; !slices.Equal(cookie, test.want) {
			t.Errorf("Cookie %q became %q, want %q", test.given, cookie, test.want)
		}
		if !slices.Equal(req.Header["Cookie"], test.given) {
			t.Errorf("the caller's Cookie %q became %q", test.given, req.Header["Cookie"])
		}
	}
	_, err := NewClient(&Connection{BaseURI: "https://api.example.com", Token: "a;b", Placement: []Placement{{In: "cookie", Name: "session"}}})
	if err == nil || !strings.Contains(err.Error(), "cookie") {
		t.Errorf("a token that is not for cookies: %v, want an error", err)
	}
}

// net/http sends the names of headers as they stand in the map.
func TestHeadersInAnotherCaseAreSentOnce(t *testing.T) {
	tests := []struct {
		place       Placement
		given, want http.Header
	}{
		{Placement{}, http.Header{"authorization": {"old"}, "AUTHORIZATION": {"older"}}, http.Header{"Authorization": {placedToken}}},
		{Placement{Name: "X-Key"}, http.Header{"x-key": {"old"}, "x-other": {"kept"}},
			http.Header{"X-Key": {placedToken}, "x-other": {"kept"}}},
		{Placement{In: "cookie", Name: "session"}, http.Header{"cookie": {"a=1; session=old"}},
			http.Header{"Cookie": {"a=1; session=" + placedToken}}},
		{Placement{}, http.Header{"x-version": {"the caller's"}}, http.Header{"X-Version": {"the caller's"}, "Authorization": {placedToken}}},
	}
	for _, test := range tests {
		var got http.Header
		c := dialFake(t, transportFunc(func(r *http.Request) (*http.Response, error) {
			got = r.Header
			return fakeReply(200, ""), nil
		}), func(conn *Connection) {
			conn.SignatureMethod, conn.Secret, conn.Payload, conn.Lifetime, conn.Token = "", "", "", 0, placedToken
			conn.Placement, conn.HTTPHeaders = []Placement{test.place}, map[string]string{"X-Version": "ours"}
		})
		req := fakeRequest(t, "GET", nil)
		req.Header = maps.Clone(test.given)
		if _, err := c.RoundTrip(req); err != nil {
			t.Fatal(err)
		}
		if _, set := test.want["X-Version"]; !set {
			test.want["X-Version"] = []string{"ours"}
		}
		if !maps.EqualFunc(got, test.want, slices.Equal) {
			t.Errorf("Placement %+v: %q became %q, want %q", test.place, test.given, got, test.want)
		}
		if !maps.EqualFunc(req.Header, test.given, slices.Equal) {
			t.Errorf("the caller's headers %q became %q", test.given, req.Header)
		}
	}
}

func TestTokenInAForm(t *testing.T) {
	const field = "client_assertion=" + placedToken
	tests := []struct{ given, want string }{
		{"", field},
		{"a=1", "a=1&" + field},
		{"a=%7E+x&client_assertion=old&b=2&client%5fassertion=older", "a=%7E+x&b=2&" + field},
		{strings.Repeat("x", 64), strings.Repeat("x", 64) + "&" + field},
	}
	where := Placement{In: "form", Name: "client_assertion"}
	for _, test := range tests {
		got, err := sendPlaced(t, newPlaced(t, "POST", "/token", test.given), where)
		if err != nil {
			t.Errorf("form %q: %v", test.given, err)
			continue
		}
		if got.body != test.want || got.ContentLength != int64(len(test.want)) {
			t.Errorf("form %q: sent %q with length %d, want %q", test.given, got.body, got.ContentLength, test.want)
		}
		if kind := got.Header.Get("Content-Type"); kind != media.FormType {
			t.Errorf("form %q has Content-Type %q, want %q", test.given, kind, media.FormType)
		}
		again, err := got.GetBody()
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(again); string(body) != test.want {
			t.Errorf("form %q: GetBody gives %q, want %q", test.given, body, test.want)
		}
	}
	bare, err := http.NewRequest("POST", "https://api.example.com/v1/token", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := sendPlaced(t, bare, where); err != nil || got.body != field {
		t.Errorf("no body: sent %q, %v, want %q", got.body, err, field)
	}
}

func TestTokenInAFormRefuses(t *testing.T) {
	where := Placement{In: "form", Name: "assertion"}
	streamed := newPlaced(t, "POST", "/token", strings.Repeat("x", 65))
	streamed.GetBody, streamed.ContentLength = nil, -1
	tests := []struct {
		name string
		req  *http.Request
		want error
	}{
		{"multipart", newPlaced(t, "POST", "/token", "--x--", "Content-Type: multipart/form-data; boundary=x"), place.ErrNotAForm},
		{"JSON", newPlaced(t, "POST", "/token", "{}", "Content-Type: application/json"), place.ErrNotAForm},
		{"a form over BufferLimit", newPlaced(t, "POST", "/token", strings.Repeat("x", 65)), body.ErrTooLong},
		{"a streamed form over BufferLimit", streamed, body.ErrTooLong},
	}
	for _, test := range tests {
		if test.want == place.ErrNotAForm {
			test.req.Header["Content-Type"] = test.req.Header["Content-Type"][1:]
		}
		closed := false
		body := test.req.Body
		test.req.Body = &closeTold{ReadCloser: body, closed: &closed}
		got, err := sendPlaced(t, test.req, where)
		if !errors.Is(err, test.want) || got.Request != nil {
			t.Errorf("%s: %v, want %v and nothing sent", test.name, err, test.want)
		}
		if !closed {
			t.Errorf("%s: the caller's body is still open", test.name)
		}
	}
}

type closeTold struct {
	io.ReadCloser
	closed *bool
}

func (c *closeTold) Close() error {
	*c.closed = true
	return c.ReadCloser.Close()
}

func TestTokenInSeveralPlaces(t *testing.T) {
	got, err := sendPlaced(t, newPlaced(t, "POST", "/token?x=1", "a=1"), Placement{Scheme: "Bearer"}, Placement{Name: "X-Token"},
		Placement{In: "query", Name: "jwt"}, Placement{In: "cookie", Name: "jwt"}, Placement{In: "form", Name: "jwt"})
	if err != nil {
		t.Fatal(err)
	}
	form, _ := url.ParseQuery(got.body)
	cookie, err := got.Cookie("jwt")
	if err != nil {
		t.Fatal(err)
	}
	for place, value := range map[string]string{
		"Authorization": strings.TrimPrefix(got.Header.Get("Authorization"), "Bearer "), "X-Token": got.Header.Get("X-Token"),
		"the query": got.URL.Query().Get("jwt"), "the cookie": cookie.Value, "the form": form.Get("jwt"),
	} {
		if value != placedToken {
			t.Errorf("%s has %q, want %q", place, value, placedToken)
		}
	}
}
