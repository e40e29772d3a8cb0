package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptrace"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/seed-363d07a3/jwtbearer"
)

// A headerView tells of the header fields that go over the wire and come back, as they do, with what may be a secret masked. A nil
// headerView is silent.
type headerView struct {
	n      *narrator
	secret map[string]bool // fields that hold a token or a secret, in canonical form

	mu      sync.Mutex
	written []string
}

// viewHeaders makes the view of a connection's requests.
func (n *narrator) viewHeaders(conn *jwtbearer.Connection) *headerView {
	if n == nil {
		return nil
	}
	v := &headerView{n: n, secret: map[string]bool{"Authorization": true, "Proxy-Authorization": true, "Cookie": true, "Set-Cookie": true}}
	for _, p := range conn.Placement {
		if p.In == "header" || p.In == "" {
			v.secret[http.CanonicalHeaderKey(p.Name)] = true
		}
	}
	for name, value := range conn.HTTPHeaders {
		if strings.Contains(value, ".Secrets") || strings.Contains(value, ".Token") || strings.HasPrefix(value, "${") {
			v.secret[http.CanonicalHeaderKey(name)] = true
		}
	}
	return v
}

// follow is the context of a call of which v tells.
func (v *headerView) follow(ctx context.Context) context.Context {
	if v == nil {
		return ctx
	}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaderField: v.wrote, WroteHeaders: v.sent})
}

// wrote collects the fields of a request. HTTP/2 writes method and address as fields, too.
func (v *headerView) wrote(name string, values []string) {
	if strings.HasPrefix(name, ":") {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, value := range values {
		v.written = append(v.written, v.line(name, value))
	}
}

// sent tells of the fields of a request when all are written.
func (v *headerView) sent() {
	v.mu.Lock()
	lines := v.written
	v.written = nil
	v.mu.Unlock()
	slices.Sort(lines)
	v.say("> ", lines)
}

// received tells of the fields of the response; nil: none came.
func (v *headerView) received(resp *http.Response) {
	if v == nil || resp == nil {
		return
	}
	lines := []string{resp.Proto + " " + resp.Status}
	for _, name := range slices.Sorted(maps.Keys(resp.Header)) {
		for _, value := range resp.Header[name] {
			lines = append(lines, v.line(name, value))
		}
	}
	v.say("< ", lines)
}

func (v *headerView) say(mark string, lines []string) {
	v.n.mu.Lock()
	defer v.n.mu.Unlock()
	for _, line := range lines {
		fmt.Fprintf(v.n.w, "%11s%s%s\n", "", mark, line)
	}
}

// What is masked wherever it stands, by the name of the field and by its form.
var (
	secretField = regexp.MustCompile(`(?i)secret|token|passw|api-?key|-key$|signature|credential`)
	anyJWT      = regexp.MustCompile(`\b(?:eyJ[\w-]*|e30)\.[\w-]*\.[\w-]*`)
	schemeAlone = regexp.MustCompile(`^[A-Za-z][\w-]* `)
	queryOf     = regexp.MustCompile(`\?[^\s#"]*`)
)

const mask = "******"

// line is a field as it may be shown. Of a secret one the scheme is.
func (v *headerView) line(name, value string) string {
	name = http.CanonicalHeaderKey(name)
	if v.secret[name] || secretField.MatchString(name) {
		return name + ": " + schemeAlone.FindString(value) + mask
	}
	value = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, value)
	return name + ": " + queryOf.ReplaceAllString(anyJWT.ReplaceAllString(value, mask), "?…")
}
