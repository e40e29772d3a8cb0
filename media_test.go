package jwtbearer

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/media"
)

// encoded is the body and the Content-Type of a request that NewRequest makes.
func encoded(t *testing.T, media MediaType, body any, change ...func(*Connection)) (text, contentType string, req *http.Request) {
	t.Helper()
	c := clientOf(t, "https://h", append(change, func(c *Connection) { c.MediaType = media })...)
	req, err := c.NewRequest(t.Context(), "POST", "/", body)
	if err != nil {
		t.Fatalf("%s of %T: %v", media, body, err)
	}
	if req.Body == nil {
		return "", req.Header.Get("Content-Type"), req
	}
	data, err := io.ReadAll(req.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data), req.Header.Get("Content-Type"), req
}

type text string

func (s text) MarshalText() ([]byte, error) { return []byte("<" + s + ">"), nil }

func TestBodiesAreEncodedAsMediaTypeSays(t *testing.T) {
	type item struct {
		XMLName xml.Name `json:"-" xml:"item"`
		A       string   `json:"a" xml:"a"`
	}
	three := 3
	for _, test := range []struct {
		media       MediaType
		body        any
		want, wants string
	}{
		{"", map[string]any{"a": "<&>"}, `{"a":"<&>"}`, "application/json"},
		{MediaJSON, item{A: "x"}, `{"a":"x"}`, "application/json"},
		{MediaJSON, json.RawMessage(`{"a":1.00}`), `{"a":1.00}`, "application/json"},
		{MediaJSON, JSON(`{"a":1.00}`), `{"a":1.00}`, "application/json"},
		{MediaJSON, []int{1, 2}, `[1,2]`, "application/json"},
		{MediaXML, item{A: "<&>"}, `<item><a>&lt;&amp;&gt;</a></item>`, "application/xml"},
		{MediaURLEncoded, url.Values{"b": {"1", "2"}, "a": {"x y&z"}}, "a=x+y%26z&b=1&b=2", media.FormType},
		{MediaURLEncoded, map[string]string{"ä": "+"}, "%C3%A4=%2B", media.FormType},
		{MediaURLEncoded, map[string]any{"i": []int{1, 2}, "n": nil, "s": []string{}, "b": true, "p": &three, "np": (*int)(nil),
			"t": []any{"x", nil, 2.5}, "f": 1e6, "by": []byte("raw"), "m": text("m"), "d": time.Second}, "b=true&by=raw&d=1s&f=1000000&i=1&i=2&m=%3Cm%3E&p=3&t=x&t=2.5", media.FormType},
		{MediaURLEncoded, map[string]json.Number{"n": "1.0"}, "n=1.0", media.FormType},
		{MediaPlaintext, 42, "42", "text/plain; charset=utf-8"},
		{MediaPlaintext, 1e21, "1000000000000000000000", "text/plain; charset=utf-8"},
		{MediaPlaintext, text("x"), "<x>", "text/plain; charset=utf-8"},
		{MediaPlaintext, true, "true", "text/plain; charset=utf-8"},
	} {
		got, contentType, req := encoded(t, test.media, test.body)
		if got != test.want || contentType != test.wants {
			t.Errorf("%s of %#v is %s, %s; want %s, %s", test.media, test.body, got, contentType, test.want, test.wants)
		}
		if req.GetBody == nil || req.ContentLength != int64(len(test.want)) {
			t.Errorf("%s of %T has GetBody %t and length %d; want it sendable again", test.media, test.body, req.GetBody != nil, req.ContentLength)
		}
	}
}

func TestRawBodiesGoAsTheyAre(t *testing.T) {
	for _, kind := range []MediaType{MediaJSON, MediaXML, MediaURLEncoded, MediaFormData, MediaPlaintext} {
		for _, body := range []any{"<raw>", []byte("<raw>"), strings.NewReader("<raw>"), bytes.NewBufferString("<raw>"), io.MultiReader(strings.NewReader("<raw>"))} {
			got, contentType, req := encoded(t, kind, body)
			if want := media.Kind(kind).ContentType(); got != "<raw>" || contentType != want {
				t.Errorf("%s of %T is %q, %q; want <raw>, %q", kind, body, got, contentType, want)
			}
			if _, once := body.(interface{ Len() int }); once != (req.GetBody != nil) && reflect.TypeOf(body).Kind() == reflect.Pointer {
				t.Errorf("%s of %T: GetBody is there: %t", kind, body, req.GetBody != nil)
			}
		}
		if got, contentType, req := encoded(t, kind, nil); got != "" || contentType != "" || req.Body != nil {
			t.Errorf("%s of nil has the body %q and Content-Type %q; want none", kind, got, contentType)
		}
	}
}

func TestHTTPHeadersBeatTheHeadersOfNewRequest(t *testing.T) {
	own := func(c *Connection) {
		c.HTTPHeaders = map[string]string{"content-type": "application/vnd.api+json", "ACCEPT": "application/vnd.api+json"}
		c.SuccessMediaType = MediaJSON
	}
	_, _, req := encoded(t, MediaJSON, 1, own)
	if got := req.Header.Get("Content-Type") + req.Header.Get("Accept"); got != "" {
		t.Errorf("NewRequest set %q, so that HTTPHeaders would not be sent", got)
	}
	if _, contentType, _ := encoded(t, MediaFormData, url.Values{}, own); !strings.HasPrefix(contentType, "multipart/form-data; boundary=") {
		t.Errorf("a form has Content-Type %q; want its boundary", contentType)
	}
	_, _, req = encoded(t, MediaJSON, 1, func(c *Connection) { c.SuccessMediaType = MediaCSV })
	if got := req.Header.Get("Accept"); got != "text/csv" {
		t.Errorf("Accept is %q; want text/csv", got)
	}
}

func TestFormDataIsReadByOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "photo \"1\".jpg")
	if err := os.WriteFile(path, []byte("file"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := must(os.Open(path))
	defer file.Close()
	for name, body := range map[string]map[string]any{
		"with a stream": {"a": "1", "list": []int{1, 2}, "bytes": []byte("\x00\r\n--"), "file": file, "none": nil, "z": "last"},
		"without":       {"a": "1", "list": []int{1, 2}, "bytes": []byte("\x00\r\n--"), "none": nil, "z": "last"},
	} {
		got, contentType, req := encoded(t, MediaFormData, body)
		_, params, err := mime.ParseMediaType(contentType)
		if err != nil {
			t.Fatal(err)
		}
		form, err := multipart.NewReader(strings.NewReader(got), params["boundary"]).ReadForm(1 << 20)
		if err != nil {
			t.Fatalf("%s: %v in %q", name, err, got)
		}
		want := map[string][]string{"a": {"1"}, "list": {"1", "2"}, "z": {"last"}}
		if !reflect.DeepEqual(form.Value, want) {
			t.Errorf("%s: the fields are %q; want %q", name, form.Value, want)
		}
		for field, want := range map[string]string{"bytes": "\x00\r\n--", "file": "file"} {
			if _, there := body[field]; !there {
				continue
			}
			part := must(form.File[field][0].Open())
			if data, _ := io.ReadAll(part); string(data) != want {
				t.Errorf("%s: the file %s holds %q; want %q", name, field, data, want)
			}
		}
		if files := form.File["file"]; len(files) > 0 && files[0].Filename != `photo "1".jpg` {
			t.Errorf("%s: the file is called %q", name, files[0].Filename)
		}
		if _, stream := body["file"]; (req.GetBody == nil) != stream {
			t.Errorf("%s: GetBody is there: %t", name, req.GetBody != nil)
		}
	}
}

func TestBodiesThatCannotBeEncodedAreRefused(t *testing.T) {
	for _, test := range []struct {
		media MediaType
		body  any
	}{
		{MediaJSON, make(chan int)}, {MediaJSON, JSON(`{"a":`)}, {MediaXML, map[string]string{"a": "b"}},
		{MediaURLEncoded, struct{ A int }{1}}, {MediaURLEncoded, map[int]string{1: "a"}}, {MediaURLEncoded, map[string]any{"a": map[string]int{}}},
		{MediaURLEncoded, map[string]any{"a": []any{struct{}{}}}}, {MediaURLEncoded, map[string]any{"password": Secret("hunter2")}},
		{MediaURLEncoded, map[string]any{"password": new(Secret("hunter2"))}}, {MediaFormData, map[string]any{"password": []*Secret{new(Secret("hunter2"))}}},
		{MediaFormData, 1}, {MediaFormData, map[string]any{"a": struct{}{}}}, {MediaPlaintext, []int{1}}, {MediaPlaintext, Secret("hunter2")},
		{MediaPlaintext, (*int)(nil)},
	} {
		c := clientOf(t, "https://h", func(c *Connection) { c.MediaType = test.media })
		_, err := c.NewRequest(t.Context(), "POST", "/", test.body)
		if err == nil || !strings.HasPrefix(err.Error(), "jwtbearer: new request: body: ") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s of %T gave %v; want an error", test.media, test.body, err)
		}
	}
}

type document struct {
	A string `json:"a" xml:"a"`
}

func TestAnswersAreDecoded(t *testing.T) {
	for _, test := range []struct {
		media, contentType, body string
		out                      any
		want                     any
	}{
		{"", "application/json; charset=utf-8", `{"a":"x"}` + "\n\t ", new(document), document{"x"}},
		{"", "application/problem+json", `{"a":"x"}`, new(document), document{"x"}},
		{"", "", `{"a":"x"}`, new(document), document{"x"}},
		{"", "application/json", "\ufeff" + `{"a":"x"}`, new(document), document{"x"}},
		{"", "application/json", `1`, new(any), 1.0},
		{"", "application/json", `null`, new(document), document{}},
		{"", "application/json", ` {"n":1.00}`, new(json.RawMessage), json.RawMessage(`{"n":1.00}`)},
		{"", "application/xml", `<?xml version="1.0"?><d><a>x</a></d><!-- end -->` + "\n", new(document), document{"x"}},
		{"", "application/atom+xml", "\ufeff<d><a>x</a></d>", new(document), document{"x"}},
		{"", "text/csv", "a;b,c\n\"1\n\",2\nragged\n", new([][]string), [][]string{{"a;b", "c"}, {"1\n", "2"}, {"ragged"}}},
		{"csv", "application/octet-stream", "\ufeffa,b\n", new([][]string), [][]string{{"a", "b"}}},
		{"json", "text/html", `{"a":"x"}`, new(document), document{"x"}},
		{"xml", "text/plain", `<d><a>x</a></d>`, new(document), document{"x"}},
		{"", "text/html", "<p>", new(string), "<p>"},
		{"", "application/pdf", "\x00", new([]byte), []byte{0}},
		{"json", "application/json", "not json", new(string), "not json"},
		{"", "text/plain", "", new(string), ""},
	} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{test.contentType}
			if test.contentType == "" {
				w.Header()["Content-Type"] = nil
			}
			io.WriteString(w, test.body)
		}, func(c *Connection) { c.SuccessMediaType = MediaType(test.media) })
		if _, err := get(t, c, "/", test.out); err != nil {
			t.Errorf("%s %s %q: %v", test.media, test.contentType, test.body, err)
		}
		if got := reflect.ValueOf(test.out).Elem().Interface(); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s %s %q gave %#v; want %#v", test.media, test.contentType, test.body, got, test.want)
		}
	}
}

// TestAResponseWithoutContentLeavesOutAlone has bodies of length 0, as RFC 9110, section 8.6, tells them, whatever their type.
func TestAResponseWithoutContentLeavesOutAlone(t *testing.T) {
	for _, status := range []int{200, 201, 202, 204} {
		for _, contentType := range []string{"application/json", "application/xml", "text/html", ""} {
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = []string{contentType}
				w.WriteHeader(status)
			})
			out := document{A: "before"}
			if _, err := get(t, c, "/", &out); err != nil || out.A != "before" {
				t.Errorf("%d %q: %v, and out became %+v; want no error and out as it was", status, contentType, err, out)
			}
		}
	}
}

func TestXMLIsReadInTheCharsetThatItDeclares(t *testing.T) {
	for charset, name := range map[string]string{"ISO-8859-1": "M\xfcller", "windows-1252": "M\xfcller", "utf-8": "Müller", "Shift_JIS": "\x83A"} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/xml")
			io.WriteString(w, `<?xml version="1.0" encoding="`+charset+`"?><d><a>`+name+`</a></d>`)
		})
		var out struct {
			A string `xml:"a"`
		}
		want := map[bool]string{true: "ア", false: "Müller"}[charset == "Shift_JIS"]
		if _, err := get(t, c, "/", &out); err != nil || out.A != want {
			t.Errorf("%s: %q, %v; want %s", charset, out.A, err, want)
		}
	}
}

func TestAnswersThatAreNotWhatIsExpectedAreErrors(t *testing.T) {
	for _, test := range []struct {
		media, contentType, body string
		out                      any
		say                      string
	}{
		{"", "text/html", "<html>", new(document), "text/html"},
		{"json", "text/html", "<html>", new(document), "text/html"},
		{"", "application/json", `{"a":"x"}{}`, new(document), "more after"},
		{"", "application/json", `{"a":"x"} garbage`, new(document), "more after"},
		{"", "application/json", `{"a":`, new(document), "json"},
		{"", "application/json", ` `, new(document), "empty"},
		{"", "application/json", `{"a":1}`, new(document), "json"},
		{"", "application/xml", `<d></d><d></d>`, new(document), "more after"},
		{"", "application/xml", `<d></d>garbage`, new(document), "more after"},
		{"", "application/xml", ` `, new(document), "empty"},
		{"", "text/csv", "a,b\n", new(document), "*[][]string"},
		{"", "text/csv", "a,\"b\n", new([][]string), "csv"},
		{"", "text/plain", "x", new(int), "*string"},
		{"", "application/json", `{}`, document{}, "json"},
	} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", test.contentType)
			io.WriteString(w, test.body)
		}, func(c *Connection) { c.SuccessMediaType = MediaType(test.media) })
		resp, err := get(t, c, "/?q=hunter2", test.out)
		if err == nil || !strings.Contains(err.Error(), test.say) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s %s %q into %T gave %v; want an error that says %q", test.media, test.contentType, test.body, test.out, err, test.say)
		}
		if resp == nil || resp.StatusCode != 200 {
			t.Errorf("%s %q: the response is %v; want it besides the error", test.contentType, test.body, resp)
		}
	}
}

func TestAnAnswerWithoutContentLeavesOutAlone(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Method != http.MethodHead {
			w.WriteHeader(http.StatusNoContent)
		}
	})
	for _, method := range []string{"HEAD", "DELETE"} {
		before, bytes := document{"before"}, []byte("before")
		for _, out := range []any{&before, &bytes, io.Discard, nil} {
			if _, err := c.Do(must(c.NewRequest(t.Context(), method, "/", nil)), out); err != nil {
				t.Errorf("%s into %T: %v", method, out, err)
			}
		}
		if before.A != "before" || string(bytes) != "before" {
			t.Errorf("%s changed out to %v and %q", method, before, bytes)
		}
	}
}

func TestAnAnswerThatBreaksOffIsAnError(t *testing.T) {
	for _, out := range []any{new(any), new([]byte), new(string), new(bytes.Buffer), new([][]string)} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `[["a"]] `)
		})
		if _, err := get(t, c, "/", out); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("a cut answer into %T gave %v; want io.ErrUnexpectedEOF", out, err)
		}
	}
}

func TestDoWritesToAWriter(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Repeat("x", 1<<20)) })
	var b bytes.Buffer
	if _, err := get(t, c, "/", &b); err != nil || b.Len() != 1<<20 {
		t.Errorf("%d bytes arrived, %v; want %d", b.Len(), err, 1<<20)
	}
}

func TestErrorsOfDoRepeatLittleOfAContentType(t *testing.T) {
	for name, kind := range map[string]string{"unknown": "image/" + strings.Repeat("x", 5000), "of JSON that is none": "application/json; a=" + strings.Repeat("x", 5000)} {
		c := dialFake(t, always(func() *http.Response { return fakeReply(200, "{", "Content-Type", kind) }), nil)
		_, err := c.Do(fakeRequest(t, "GET", nil), new(any))
		if err == nil || len(err.Error()) > 1000 {
			t.Errorf("a Content-Type %s, of 5000 bytes: %.200v; want an error that repeats few of them", name, err)
		}
	}
}
