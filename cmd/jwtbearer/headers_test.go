package main

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer"
)

func TestHeaderViewMasksWhatMayBeSecret(t *testing.T) {
	var b bytes.Buffer
	conn := &jwtbearer.Connection{Placement: []jwtbearer.Placement{{Name: "X-Place", Scheme: "JWT"}},
		HTTPHeaders: map[string]string{"X-Own": "{{.Secrets.x}}", "X-Copy": "a {{.Token}}", "X-Ref": "${env:X}"}}
	v := newNarrator(true, &b).viewHeaders(conn)
	for name, value := range map[string]string{"authorization": "Bearer hunter2", "X-Place": "JWT hunter2", "X-Own": "hunter2", "X-Copy": "a hunter2", "X-Ref": "hunter2",
		"Cookie": "a=hunter2", "X-Api-Key": "hunter2", "Ocp-Apim-Subscription-Key": "hunter2", "X-Trace": "eyJhbGciOiJub25lIn0.hunter2.hunter2", "Referer": "https://a/?t=hunter2", "Accept": "application/json",
		":path": "/?jwt=hunter2"} {
		v.wrote(name, []string{value})
	}
	v.sent()
	v.received(&http.Response{Proto: "HTTP/1.1", Status: "200 OK", Header: http.Header{"Set-Cookie": {"s=hunter2"}, "Location": {"https://a/b?t=hunter2"}, "Content-Type": {"text/plain"}}})
	got := b.String()
	if strings.Contains(got, "hunter2") {
		t.Errorf("a secret is shown:\n%s", got)
	}
	for _, want := range []string{"> Authorization: Bearer ******\n", "> X-Place: JWT ******\n", "> Accept: application/json\n", "< HTTP/1.1 200 OK\n", "< Content-Type: text/plain\n", "< Location: https://a/b?…\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no line %q in\n%s", want, got)
		}
	}
}

func TestNoHeaderViewIsSilent(t *testing.T) {
	var n *narrator
	v := n.viewHeaders(&jwtbearer.Connection{})
	if ctx := t.Context(); v.follow(ctx) != ctx {
		t.Error("a context is changed without --verbose")
	}
	v.received(&http.Response{})
}
