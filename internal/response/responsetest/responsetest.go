// Package responsetest builds the responses that tests read, from text as it is on the wire. It knows nothing of what they mean.
package responsetest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Now is when the responses of tests are received: 2025-01-01T00:00:00Z.
var Now = time.Unix(1735689600, 0)

// Raw builds a response from a status, header lines, an empty line and the body.
func Raw(wire string) *http.Response {
	head, body, _ := strings.Cut(wire, "\n\n")
	lines := strings.Split(head, "\n")
	resp := &http.Response{Header: http.Header{}, ContentLength: -1, Body: io.NopCloser(strings.NewReader(body))}
	fmt.Sscan(lines[0], &resp.StatusCode)
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		resp.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return resp
}

// Zipped is Raw with the body in gzip.
func Zipped(wire string) *http.Response {
	head, body, _ := strings.Cut(wire, "\n\n")
	return Raw(head + "\nContent-Encoding: gzip\n\n" + Zip(body))
}

// Zip is a text in gzip.
func Zip(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, text)
	z.Close()
	return b.String()
}
