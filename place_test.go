package jwtbearer

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/place"
)

func TestPlacementPutsTheTokenWhereItSays(t *testing.T) {
	tests := []struct {
		name      string
		placement []Placement
		header    http.Header
		body      string
		want      http.Header
		wantQuery string
		wantBody  string
	}{
		{name: "default", want: http.Header{"Authorization": {"Bearer T"}}},
		{name: "scheme", placement: []Placement{{Scheme: "JWT"}}, want: http.Header{"Authorization": {"JWT T"}}},
		{name: "bare header", placement: []Placement{{Name: "x-api-token"}}, want: http.Header{"X-Api-Token": {"T"}}},
		{name: "in place of the caller's, in any case", header: http.Header{"authorization": {"x"}, "Authorization": {"y", "z"}},
			want: http.Header{"Authorization": {"Bearer T"}}},
		{name: "query", placement: []Placement{{In: "query", Name: "jwt"}}, want: http.Header{}, wantQuery: "a=1&jwt=T"},
		{name: "cookie beside others byte for byte", placement: []Placement{{In: "cookie", Name: "jwt"}},
			header: http.Header{"Cookie": {`a="x y"; jwt=old;b=1`, "c"}}, want: http.Header{"Cookie": {`a="x y"; b=1; c; jwt=T`}}},
		{name: "form without a body", placement: []Placement{{In: "form", Name: "jwt"}},
			want: http.Header{"Content-Type": {media.FormType}}, wantBody: "jwt=T"},
		{name: "form beside other fields", placement: []Placement{{In: "form", Name: "jwt"}}, body: "a=1&jwt=old&b=%20",
			header: http.Header{"Content-Type": {media.FormType + "; charset=utf-8"}},
			want:   http.Header{"Content-Type": {media.FormType}}, wantBody: "a=1&b=%20&jwt=T"},
		{name: "several", placement: []Placement{{}, {In: "query", Name: "jwt"}, {In: "form", Name: "f1"}, {In: "form", Name: "f2"}},
			want: http.Header{"Authorization": {"T"}, "Content-Type": {media.FormType}}, wantQuery: "a=1&jwt=T", wantBody: "f1=T&f2=T"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := replies(fakeReply(503, ""), fakeReply(200, ""))
				c := dialFake(t, api, func(conn *Connection) {
					conn.Token, conn.Placement, conn.Retry.Always = "T", test.placement, true
				})
				var body io.Reader
				if test.body != "" {
					body = io.MultiReader(strings.NewReader(test.body))
				}
				req := fakeRequest(t, "POST", body)
				req.URL.RawQuery = "a=1"
				if test.header != nil {
					req.Header = test.header.Clone()
				}
				if _, err := c.RoundTrip(req); err != nil || api.count() != 2 {
					t.Fatalf("RoundTrip: %v, %d attempts, want 2", err, api.count())
				}
				for i, got := range api.requests() {
					query := got.url[strings.Index(got.url, "?")+1:]
					want := test.wantQuery
					if want == "" {
						want = "a=1"
					}
					if query != want || got.body != test.wantBody || len(got.header) != len(test.want) {
						t.Errorf("attempt %d: query %q, body %q, header %v, want %q, %q, %v", i+1, query, got.body, got.header, want,
							test.wantBody, test.want)
					}
					if want := int64(len(test.wantBody)); got.length != want {
						t.Errorf("attempt %d: Content-Length %d, want %d", i+1, got.length, want)
					}
					for name, values := range test.want {
						if got := strings.Join(got.header[name], "|"); got != strings.Join(values, "|") {
							t.Errorf("attempt %d: %s %q, want %q", i+1, name, got, values)
						}
					}
				}
			})
		})
	}
}

func TestFormPlacementRefusesOtherBodies(t *testing.T) {
	tests := []struct {
		contentType, body string
		want              error
	}{
		{"application/json", "{}", place.ErrNotAForm},
		{"", "a=1", place.ErrNotAForm},
		{media.FormType, strings.Repeat("a", 101), body.ErrTooLong},
	}
	for _, test := range tests {
		api := replies()
		c := dialFake(t, api, func(conn *Connection) {
			conn.Placement = []Placement{{In: "form", Name: "jwt"}}
			conn.Retry.BufferLimit = 100
		})
		req := fakeRequest(t, "POST", strings.NewReader(test.body))
		req.Header.Set("Content-Type", test.contentType)
		if _, err := c.RoundTrip(req); !errors.Is(err, test.want) || api.count() != 0 {
			t.Errorf("%s %q: %v, %d sent, want %v and none", test.contentType, test.body, err, api.count(), test.want)
		}
		if got := c.Stats().InFlight; got != 0 {
			t.Errorf("%s: InFlight = %d, want 0: the slot is given back", test.contentType, got)
		}
	}
}
