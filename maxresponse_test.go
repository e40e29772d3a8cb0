package jwtbearer

import (
	"bytes"
	"compress/gzip"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
)

// jsonOf is a JSON text of so many bytes.
func jsonOf(size int) string { return `"` + strings.Repeat("x", size-2) + `"` }

func TestDoTakesNoMoreThanMaxResponseIntoMemory(t *testing.T) {
	const most = 1000
	texts := map[string]struct {
		kind string
		text func(size int) string
		out  func() any
	}{
		"bytes":          {"text/plain", jsonOf, func() any { return new([]byte) }},
		"a string":       {"text/plain", jsonOf, func() any { return new(string) }},
		"JSON":           {"application/json", jsonOf, func() any { return new(any) }},
		"spaces of JSON": {"application/json", func(n int) string { return "1" + strings.Repeat(" ", n-1) }, func() any { return new(any) }},
		"XML": {"application/xml", func(n int) string { return "<a>" + strings.Repeat("x", n-7) + "</a>" },
			func() any { return new(struct{ A string }) }},
		"XML with a charset": {"application/xml", func(n int) string {
			return `<?xml version="1.0" encoding="utf-8"?><a>` + strings.Repeat("x", n-45) + "</a>"
		}, func() any { return new(struct{ A string }) }},
		"csv": {"text/csv", func(n int) string { return strings.Repeat("x", n) }, func() any { return new([][]string) }},
	}
	for name, test := range texts {
		for _, length := range []int64{0, -1} { // told, not told
			for size, fits := range map[int]bool{most - 1: true, most: true, most + 1: false, 50 * most: false} {
				c := dialFake(t, always(func() *http.Response {
					resp := fakeReply(200, test.text(size), "Content-Type", test.kind)
					resp.ContentLength += length * (resp.ContentLength + 1)
					return resp
				}), func(conn *Connection) { conn.MaxResponse = most })
				resp, err := c.Do(fakeRequest(t, "GET", nil), test.out())
				if resp == nil || (err == nil) != fits {
					t.Errorf("%s of %d bytes, MaxResponse %d: %v, %v; want it taken: %v", name, size, most, resp, err, fits)
				}
				if err == nil {
					continue
				}
				for _, part := range []string{"MaxResponse, 1000 bytes", "raise", "io.Writer", "GET https://api.example.com/path"} {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("%s: the error %q does not say %q", name, err, part)
					}
				}
			}
		}
	}
}

func TestNothingIsReadOfAResponseThatSaysItIsTooLong(t *testing.T) {
	dropped := &countedReader{Reader: strings.NewReader(strings.Repeat("x", body.KeepBytes))}
	c := dialFake(t, always(func() *http.Response {
		resp := fakeReply(200, "")
		resp.Body, resp.ContentLength = io.NopCloser(dropped), 64<<20+1
		return resp
	}), nil)
	out := []byte("before")
	if _, err := c.Do(fakeRequest(t, "GET", nil), &out); err == nil || string(out) != "before" {
		t.Errorf("a response of 64 MiB and 1 byte by Content-Length: %v, out %.20q; want an error, out as it was", err, out)
	}
	if dropped.n > body.KeepBytes {
		t.Errorf("%d bytes were read of it; want what is read to use the connection again, at most %d", dropped.n, body.KeepBytes)
	}
}

type countedReader struct {
	io.Reader
	n int
}

func (r *countedReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.n += n
	return n, err
}

func TestMaxResponseBoundsWhatIsDecoded(t *testing.T) {
	const size = 4 << 20
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	io.WriteString(z, jsonOf(size))
	z.Close()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Length", strconv.Itoa(packed.Len()))
		w.Write(packed.Bytes())
	}))
	defer srv.Close()
	if packed.Len() > size/100 {
		t.Fatalf("packed, the body has %d bytes; want far less than the bound", packed.Len())
	}
	for bound, fits := range map[int64]bool{size - 1: false, size: true, math.MaxInt64: true, -1: true, 0: true} {
		c := dialServer(t, srv, func(conn *Connection) { conn.MaxResponse = bound })
		var text string
		req, err := c.NewRequest(t.Context(), "GET", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Do(req, &text); (err == nil) != fits || fits && len(text) != size {
			t.Errorf("MaxResponse %d: %v, %d bytes; want all %d taken: %v", bound, err, len(text), size, fits)
		}
	}
}

func TestMaxResponseDoesNotBoundAWriter(t *testing.T) {
	c := dialFake(t, always(func() *http.Response { return fakeReply(200, jsonOf(5000)) }), func(conn *Connection) { conn.MaxResponse = 10 })
	var out bytes.Buffer
	if _, err := c.Do(fakeRequest(t, "GET", nil), &out); err != nil || out.Len() != 5000 {
		t.Errorf("an io.Writer got %d bytes, %v; want all 5000", out.Len(), err)
	}
	if _, err := c.Do(fakeRequest(t, "GET", nil), nil); err != nil {
		t.Errorf("an answer that nobody wants: %v; want no error", err)
	}
	if _, err := dialFake(t, always(func() *http.Response { return fakeReply(404, jsonOf(5000)) }), func(conn *Connection) { conn.MaxResponse = 10 }).
		Do(fakeRequest(t, "GET", nil), new(string)); err == nil || strings.Contains(err.Error(), "MaxResponse") {
		t.Errorf("a refused answer: %v; want what it says, which is bounded by itself", err)
	}
}
