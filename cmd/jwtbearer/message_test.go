package main

import (
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer"
)

func TestHeadersThatCannotBeSentAreWrongUsage(t *testing.T) {
	for _, header := range []string{"hidden", ": hidden", "X A: hidden", "X-Ä: hidden", "X-A: hidden\r\nX-B: 2", "X-A: hidden\x00", "X\n: hidden"} {
		var f messageFlags
		cmd := newRequestCommand()
		f.headers = []string{"X-Fine: a\tb", header}
		_, err := f.message(cmd)
		if err == nil || !strings.HasPrefix(err.Error(), "request: -H ") || strings.Contains(err.Error(), "hidden") {
			t.Errorf("-H %q: %v", header, err)
		}
	}
}

func TestHostOfARequestCanBeSet(t *testing.T) {
	client, err := jwtbearer.NewClient(&jwtbearer.Connection{BaseURI: "https://api.example.com", Token: "x"})
	if err != nil {
		t.Fatal(err)
	}
	m := &message{method: "GET", headers: [][2]string{{"host", "front.example.com"}}}
	req, err := m.request(t.Context(), client, "/x")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := req.Host, "front.example.com"; got != want || req.URL.Host != "api.example.com" {
		t.Errorf("-H 'host: %s': Host %q to %s", want, got, req.URL)
	}
}
