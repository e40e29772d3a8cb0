package response

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/response/responsetest"
)

func testResponse(wire string) *Response { return New(responsetest.Raw(wire), "", responsetest.Now) }

func testPath(t *testing.T, text string, media media.Kind) *Path {
	t.Helper()
	var p problem.List
	path := CompilePath("Path", text, media, p.Add)
	if p.Len() > 0 {
		t.Fatalf("CompilePath(%q, %q): %v", text, media, p.Entries())
	}
	return path
}

func TestValuesAtPaths(t *testing.T) {
	const object = "400\nContent-Type: application/json\n\n" + `{"error":{"code":"E1","n":12345678901234567890123,"d":2.50,"ok":false,"none":null,
		"tags":["a",7,{"x":1}],"retry-after":3,"@type":"t"},"list":[{"id":1,"v":"one"},{"id":2,"v":"two"}]}`
	const soap = "500\nContent-Type: text/xml\n\n" + `<?xml version="1.0" encoding="ISO-8859-1"?>
		<s:Envelope xmlns:s="urn:s"><s:Body><s:Fault id="f7"><faultcode>s:Client</faultcode><e/></s:Fault></s:Body></s:Envelope>`
	for _, tt := range []struct {
		wire, path string
		want       []string
	}{
		{object, "error.code", []string{"E1"}},
		{object, "$.error.code", []string{"E1"}},
		{object, "$['error']['code']", []string{"E1"}},
		{object, "error.n", []string{"12345678901234567890123"}},
		{object, "error.d", []string{"2.50"}},
		{object, "error.ok", []string{"false"}},
		{object, "error.none", []string{"null"}},
		{object, "error.tags", []string{"a", "7", `{"x":1}`}},
		{object, "error.retry-after", []string{"3"}},
		{object, "error.@type", []string{"t"}},
		{object, "list[*].id", []string{"1", "2"}},
		{object, "list[-1].v", []string{"two"}},
		{object, "..v", []string{"one", "two"}},
		{object, "list[?@.id == 2].v", []string{"two"}},
		{object, "list[?(@.v == 'one')].id", []string{"1"}},
		{object, "error.missing", nil},
		{object, "/error/code", nil},
		{"400\n\n" + `[{"errorCode":"A"}]`, "[*].errorCode", []string{"A"}},
		{"400\n\n" + `[{"errorCode":"A"}]`, "$[0].errorCode", []string{"A"}},
		{"400\n\n\ufeff" + `{"a":1}`, "a", []string{"1"}},
		{"400\n\n" + `{"a":1} {"a":2}`, "a", nil},
		{"400\n\n" + `{"a":1`, "a", nil},
		{"400\n\n", "a", nil},
		{"400\nContent-Type: text/html\n\n<a>1</a>", "a", nil},
		{soap, "//faultcode", []string{"s:Client"}},
		{soap, "Envelope/Body/Fault/faultcode", []string{"s:Client"}},
		{soap, "/s:Envelope/s:Body/s:Fault/@id", []string{"f7"}},
		{soap, "//e", []string{""}},
		{soap, "//e/../@id", []string{"f7"}},
		{soap, "//other", nil},
		{"400\n\n<a>1</a>", "a", []string{"1"}},
		{"400\n\n<a>1", "a", nil},
	} {
		if got := testResponse(tt.wire).Values(testPath(t, tt.path, "")); !slices.Equal(got,
			tt.want) || (got == nil) != (tt.want == nil) {
			t.Errorf("values(%q) of %.60q = %q, want %q", tt.path, tt.wire, got, tt.want)
		}
	}
}

func TestPathsOfOneMediumAreNotReadAsAnother(t *testing.T) {
	for _, tt := range []struct {
		media media.Kind
		path  string
		json  bool
		xml   bool
	}{
		{"", "error.code", true, true},
		{"", "$.error.code", true, false},
		{"", "errors[*].code", true, false},
		{"", "/Error/Code", false, true},
		{"", "//Code", false, true},
		{media.JSON, "Code", true, false},
		{media.XML, "Code", false, true},
	} {
		path := testPath(t, tt.path, tt.media)
		if json, xml := path.json != nil, path.xml != nil; json != tt.json || xml != tt.xml {
			t.Errorf("CompilePath(%q, %q): json %v, xml %v, want %v, %v", tt.path, tt.media, json, xml, tt.json, tt.xml)
		}
	}
}

func TestBadPathsAreProblemsOfTheirField(t *testing.T) {
	for _, tt := range []struct {
		media      media.Kind
		path, want string
	}{
		{"", "m[", "not a JSONPath"},
		{"", "m[(@.length-1)]", "not a JSONPath"},
		{"", "a b", "not a JSONPath"},
		{"", "foo$", "has $ elsewhere"},
		{"", "a.", "not a JSONPath"},
		{"", "..a..b..c", "more than twice"},
		{media.JSON, "list[?@.id == $.id]", "has $ elsewhere"},
		{media.JSON, "/Error/Code", "not a JSONPath"},
		{media.XML, "$.error", "not a path of elements"},
		{media.XML, "a[", "not a path of elements"},
		{media.XML, "a[b][c][2]", "a position"},
		{"", "//a/..[2]", "a position"},
		{media.Text, "a", "plain text has no paths"},
	} {
		var p problem.List
		path := CompilePath("Ping.ErrorPath", tt.path, tt.media, p.Add)
		if path != nil || p.Len() != 1 || !strings.Contains(p.Entries()[0].Problem, tt.want) || p.Entries()[0].Field != "Ping.ErrorPath" {
			t.Errorf("CompilePath(%q, %q) = %v, %v, want a problem of Ping.ErrorPath with %q", tt.path, tt.media, path,
				p.Entries(), tt.want)
		}
	}
}

func TestACostlyPathIsNotThere(t *testing.T) {
	wide := "400\n\n[" + strings.Repeat("1,", 30000) + "1]"
	deep := "400\n\n" + strings.Repeat("[", 60) + strings.Repeat("1,", 30000) + "1" + strings.Repeat("]", 60)
	for _, tt := range []struct {
		wire, path string
		ended      bool // the call
		want       int
	}{
		{wide, "$[*]", false, 30001},
		{wide, "$[0]", true, 1},
		{wide, "$[?@ > 0 || @ < 0 || @ == 0]", true, 0},
		{deep, "$..*..*", false, 0},
		{deep, "$..*", false, 0}, // the text of each array is in that of the one around it
	} {
		ctx, end := context.WithCancel(t.Context())
		if tt.ended {
			end()
		}
		a := testResponse(tt.wire)
		a.resp.Request = (&http.Request{Method: http.MethodGet}).WithContext(ctx)
		if got := a.Values(testPath(t, tt.path, "")); len(got) != tt.want {
			t.Errorf("%s in %.20q leads to %d texts, want %d (the call has ended: %v)", tt.path, tt.wire, len(got), tt.want, tt.ended)
		}
		end()
	}
}

func TestErrorMediaTypeBeatsContentType(t *testing.T) {
	resp := responsetest.Raw("400\nContent-Type: text/html\n\n" + `{"code":"E1"}`)
	if got := New(resp, media.JSON, responsetest.Now).Values(testPath(t, "code", media.JSON)); !slices.Equal(got, []string{"E1"}) {
		t.Errorf("values of JSON sent as text/html with ErrorMediaType json = %q, want E1", got)
	}
}

func TestBodiesThatMustNotBeLookedAtAreNotRead(t *testing.T) {
	for _, tt := range []struct {
		name, head, method string
		read               bool
	}{
		{"JSON 200", "200\nContent-Type: application/json; charset=utf-8", "GET", true},
		{"problem 200", "200\nContent-Type: application/vnd.api+json", "GET", true},
		{"XML 200", "200\nContent-Type: application/xml", "GET", true},
		{"atom 200", "200\nContent-Type: application/atom+xml", "GET", true},
		{"text 200", "200\nContent-Type: text/plain", "GET", true},
		{"untyped 200", "200", "GET", true},
		{"binary 200", "200\nContent-Type: image/png", "GET", false},
		{"html 200", "200\nContent-Type: text/html", "GET", false},
		{"event stream", "200\nContent-Type: text/event-stream", "GET", false},
		{"event stream 429", "429\nContent-Type: text/event-stream", "GET", false},
		{"watch", "200\nContent-Type: application/json;stream=watch", "GET", false},
		{"html 429", "429\nContent-Type: text/html", "GET", true},
		{"HEAD", "429\nContent-Type: application/json", "HEAD", false},
		{"204", "204\nContent-Type: application/json", "GET", false},
		{"304", "304\nContent-Type: application/json", "GET", false},
		{"101", "101\nContent-Type: application/json", "GET", false},
		{"brotli", "429\nContent-Encoding: br", "GET", false},
	} {
		resp := responsetest.Raw(tt.head + "\n\n" + `{"a":1}`)
		resp.Request = &http.Request{Method: tt.method}
		reads := &countingReader{r: resp.Body}
		resp.Body = io.NopCloser(reads)
		New(resp, "", responsetest.Now).Body()
		if got := reads.n > 0; got != tt.read {
			t.Errorf("%s: read ahead = %v, want %v", tt.name, got, tt.read)
		}
	}
}

type countingReader struct {
	r io.Reader
	n int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

func TestTheCallerReadsTheBodyByteForByte(t *testing.T) {
	broken := errors.New("connection reset")
	short, long := `{"code":"E1"}`, `{"code":"`+strings.Repeat("x", 3*MostBody)+`"}`
	for _, tt := range []struct {
		name, encoding, body string
		err                  error
		seen                 bool
	}{
		{"short", "", short, nil, true},
		{"empty", "", "", nil, false},
		{"at the bound", "", `{"code":"` + strings.Repeat("x", MostBody-11) + `"}`, nil, true},
		{"over the bound", "", `{"code":"` + strings.Repeat("x", MostBody-10) + `"}`, nil, false},
		{"long", "", long, nil, false},
		{"reset in what was read ahead", "", short, broken, false},
		{"reset after it", "", long, broken, false},
		{"gzip", "gzip", responsetest.Zip(short), nil, true},
		{"gzip of a long one", "gzip", responsetest.Zip(long), nil, false},
		{"cut gzip", "gzip", responsetest.Zip(short)[:25], nil, false},
		{"no gzip at all", "gzip", short, nil, false},
		{"endless empty gzip", "gzip", strings.Repeat(responsetest.Zip(""), 20000), nil, false},
	} {
		for _, wrap := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.DataErrReader,
			func(r io.Reader) io.Reader { return r }} {
			body := io.Reader(strings.NewReader(tt.body))
			if tt.err != nil {
				body = io.MultiReader(body, iotest.ErrReader(tt.err))
			}
			resp := responsetest.Raw("400\nContent-Encoding: " + tt.encoding + "\n\n")
			resp.Body = io.NopCloser(wrap(body))
			seen := New(resp, "", responsetest.Now).Values(testPath(t, "code", "")) != nil
			got, err := io.ReadAll(resp.Body)
			if string(got) != tt.body || err != tt.err || seen != tt.seen {
				t.Errorf("%s: the caller read %d bytes and %v, want %d and %v; the path was found: %v, want %v",
					tt.name, len(got), err, len(tt.body), tt.err, seen, tt.seen)
			}
		}
	}
}

func TestALongBodyThatSaysSoIsNotReadForAPath(t *testing.T) {
	resp := responsetest.Raw("200\nContent-Type: application/json\n\n{}")
	reads := &countingReader{r: resp.Body}
	resp.Body, resp.ContentLength = io.NopCloser(reads), MostBody+1
	if got := New(resp, "", responsetest.Now).Values(testPath(t, "a", "")); got != nil || reads.n != 0 {
		t.Errorf("values = %q after %d bytes, want nothing after none", got, reads.n)
	}
}

func TestClosingClosesTheBodyItself(t *testing.T) {
	closed := false
	resp := responsetest.Raw("400\n\n{}")
	resp.Body = struct {
		io.Reader
		io.Closer
	}{resp.Body, closeFunc(func() error { closed = true; return nil })}
	New(resp, "", responsetest.Now).Body()
	if err := resp.Body.Close(); err != nil || !closed {
		t.Errorf("Close() = %v, and the body was closed: %v", err, closed)
	}
}

type closeFunc func() error

func (f closeFunc) Close() error { return f() }

func TestAHugeStreamCostsNoMemory(t *testing.T) {
	const size = 1 << 30
	resp := responsetest.Raw("200\nContent-Type: application/json\n\n")
	resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"error":"ratelimited","pad":"`), io.LimitReader(xs{}, size)))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	a := New(resp, "", responsetest.Now)
	if got := a.Values(testPath(t, "error", "")); got != nil {
		t.Errorf("values(error) = %q of a body over the bound, want nothing", got)
	}
	n, err := io.Copy(io.Discard, resp.Body)
	runtime.ReadMemStats(&after)
	if err != nil || n < size {
		t.Errorf("the caller read %d bytes and %v, want all", n, err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("%d bytes were allocated for a stream of 1 GiB, want less than 1 MiB", got)
	}
}

// xs is an endless string of x.
type xs struct{}

func (xs) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestNowIsTheDateOfTheResponse(t *testing.T) {
	for _, tt := range []struct {
		head string
		want time.Time
	}{
		{"200", responsetest.Now},
		{"200\nDate: Wed, 01 Jan 2025 01:00:00 GMT", responsetest.Now.Add(time.Hour)},
		{"200\nDate: Wed, 01 Jan 2025 01:00:00 GMT\nAge: 60", responsetest.Now.Add(time.Hour + time.Minute)},
		{"200\nDate: Wed, 01 Jan 2025 01:00:00 GMT\nAge: -60", responsetest.Now.Add(time.Hour)},
		{"200\nDate: Wed, 01 Jan 2025 01:00:00 GMT\nAge: 99999999999999999999", responsetest.Now.Add(time.Hour)},
		{"200\nDate: yesterday", responsetest.Now},
		{"200\nDate: Mon, 01 Jan 0001 00:00:00 GMT", responsetest.Now},
	} {
		if got := testResponse(tt.head).Now(); !got.Equal(tt.want) {
			t.Errorf("now() of %q = %v, want %v", tt.head, got, tt.want)
		}
	}
}

func TestHostileBodiesNeitherPanicNorHang(t *testing.T) {
	paths := []*Path{}
	for _, text := range []string{"error.code", "..error..code", "..[?@.x == 1]..y", "..[*]", "//a//b", "//*//@id",
		"$..['a','b'][0:100:1]"} {
		paths = append(paths, testPath(t, text, ""))
	}
	for _, body := range []string{
		strings.Repeat("[", 60000), strings.Repeat(`{"a":`, 12000), strings.Repeat("[", 30000) + strings.Repeat("]", 30000),
		strings.Repeat("[", bodyDepth) + strings.Repeat("1,", 30000) + "1" + strings.Repeat("]", bodyDepth),
		"[" + strings.Repeat("[1],", 16000) + "1]", strings.Repeat("<a>", 20000),
		strings.Repeat("<a>", 60) + strings.Repeat("<b/>", 15000) + strings.Repeat("</a>", 60),
		`<!DOCTYPE a [<!ENTITY x "` + strings.Repeat("x", 1000) + `">]><a>` + strings.Repeat("&x;", 10000) + `</a>`,
		"\x00\xff\xfe", `"\ud800"`, "1e999999999", "-", `{"a":1,"a":2}`, "<a b='1' b='2'/>",
	} {
		start := time.Now()
		a := testResponse("400\n\n" + body)
		for _, path := range paths {
			a.Values(path)
		}
		a.Words(nil)
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%.30q took %v", body, took)
		}
	}
}

func FuzzResponse(f *testing.F) {
	for _, body := range []string{`{"error":{"code":429,"details":[{"@type":"x","retryDelay":"3s"}]}}`,
		`[{"errorCode":"A"}]`, "<a><b c='1'>x</b></a>",
		responsetest.Zip(`{"a":1}`), `{"errors":[{"message":"m"}]}`, "plain words"} {
		for _, kind := range []string{"", "application/json", "text/xml", "text/plain"} {
			f.Add(body, kind, false, uint8(0))
		}
		f.Add(body, "application/json", true, uint8(1))
	}
	var p problem.List
	var paths []*Path
	for _, text := range []string{"error.details[?@['@type'] == 'x'].retryDelay", "[*].errorCode", "..message",
		"..[?@.code > 4]", "//b/@c", "a[1:3]",
		"errors[?match(@.message, 'm.*')]", "[?length(@.a) > 1].b", "//b[@c='1'][1]", "a/../b[text()='x']"} {
		paths = append(paths, CompilePath("Path", text, "", p.Add))
	}
	if p.Len() > 0 {
		f.Fatal(p.Entries())
	}
	f.Fuzz(func(t *testing.T, body, kind string, gzipped bool, size uint8) {
		resp := &http.Response{StatusCode: 429, Header: http.Header{"Content-Type": {kind}}, ContentLength: -1}
		if gzipped {
			resp.Header.Set("Content-Encoding", "gzip")
		}
		body = strings.Repeat(body, 1+int(size))
		resp.Body = io.NopCloser(strings.NewReader(body))
		a := New(resp, "", responsetest.Now)
		for _, path := range paths {
			a.Values(path)
		}
		code, message := a.Words(nil)
		if s := code + message; strings.ContainsAny(s, "\n\r\x00\x1b") || len([]rune(s)) > 2*problem.MostLine+2 {
			t.Errorf("words = %q, %q", code, message)
		}
		if got, err := io.ReadAll(resp.Body); err != nil || string(got) != body {
			t.Errorf("the caller read %d bytes and %v, want %d", len(got), err, len(body))
		}
	})
}
