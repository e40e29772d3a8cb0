package media

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestKindOf(t *testing.T) {
	for field, want := range map[string]Kind{
		"application/json": JSON, "Application/JSON; charset=utf-8": JSON, "text/json": JSON, "application/problem+json": JSON,
		"application/json; charset": JSON, "application/json;charset=utf-8;charset=utf-8": JSON, " application/json ": JSON,
		"application/xml": XML, "text/xml": XML, "application/soap+xml;action=x": XML,
		"text/csv": CSV, "text/csv; header=present": CSV, "text/plain": Text, "TEXT/PLAIN;": Text,
		FormType: URLEncoded, "multipart/form-data; boundary=x": FormData,
		"": "", ";": "", "text/html": "", "application/jsonp": "", "json": "", "application/pdf; a=/json": "", "text/csv, text/plain": "",
	} {
		if got := KindOf(field); got != want {
			t.Errorf("KindOf(%q) = %q, want %q", field, got, want)
		}
	}
}

func TestEachKindIsWhatItsContentTypeNames(t *testing.T) {
	for _, kind := range []Kind{JSON, XML, URLEncoded, Text} {
		if got := KindOf(kind.ContentType()); got != kind {
			t.Errorf("%s has the Content-Type %s, which names %q", kind, kind.ContentType(), got)
		}
	}
}

func TestHasBody(t *testing.T) {
	for code, want := range map[int]bool{100: false, 101: false, 103: false, 200: true, 201: true, 204: false, 205: false, 206: true, 301: true,
		304: false, 404: true, 429: true, 500: true} {
		for method, may := range map[string]bool{"GET": true, "": true, "POST": true, "HEAD": false, "CONNECT": code/100 != 2} {
			resp := &http.Response{StatusCode: code, Request: &http.Request{Method: method}}
			if got := HasBody(resp); got != (want && may) {
				t.Errorf("HasBody of %d to %q = %t, want %t", code, method, got, want && may)
			}
		}
		if got := HasBody(&http.Response{StatusCode: code}); got != want {
			t.Errorf("HasBody of %d to a request that is not known = %t, want %t", code, got, want)
		}
	}
}

type hidden string

func (hidden) String() string { return "******" }

func TestWhatIsRefusedIsNotWrittenWhereverItStands(t *testing.T) {
	refused := errors.New("refused")
	refuse := func(value any) error {
		if _, ok := value.(hidden); ok {
			return refused
		}
		return nil
	}
	pointer, value := new(hidden), any(hidden("x"))
	for _, kind := range []Kind{URLEncoded, FormData} {
		for name, value := range map[string]any{"alone": hidden("x"), "in a list": []any{"a", hidden("x")}, "in a typed list": []hidden{"x"},
			"behind a pointer": pointer, "behind two": &pointer, "behind an interface": &value, "in a list of pointers": []*hidden{nil, pointer}} {
			if _, err := Encode(kind, map[string]any{"a": value}, refuse); !errors.Is(err, refused) {
				t.Errorf("%s of a value %s: %v, want it refused", kind, name, err)
			}
		}
	}
	if _, err := Encode(Text, hidden("x"), refuse); !errors.Is(err, refused) {
		t.Errorf("text: %v, want it refused", err)
	}
	if body, err := Encode(Text, hidden("x"), nil); err != nil || body.Reader == nil {
		t.Errorf("text where nothing is refused: %v, want it written", err)
	}
}

func TestANilPointerIsNoText(t *testing.T) {
	var none *time.Time // whose methods need a time
	for name, value := range map[string]any{"alone": none, "in a list": []*time.Time{none}, "behind a pointer": &none} {
		body, err := Encode(URLEncoded, map[string]any{"a": value}, nil)
		if name == "behind a pointer" {
			if err == nil {
				t.Errorf("a nil pointer %s is written, want it refused", name)
			}
			continue
		}
		if err != nil {
			t.Fatalf("a nil pointer %s: %v, want no field", name, err)
		}
		if text, err := io.ReadAll(body.Reader); len(text) > 0 || err != nil {
			t.Errorf("a nil pointer %s is written as %q, %v, want no field", name, text, err)
		}
	}
	if _, err := Encode(Text, none, nil); err == nil {
		t.Error("a nil pointer is written as a text, want it refused")
	}
}

func TestDecodeSaysWhichKindABodyIsNot(t *testing.T) {
	for _, test := range []struct {
		kind              Kind
		contentType, body string
		expected          Kind
	}{
		{"", "text/html", "{}", ""}, {"", FormType, "a=b", ""}, {"", "multipart/form-data; boundary=x", "--x--", ""}, {"", "junk", "{}", ""},
		{"", "", "<a/>", JSON}, {"", "text/xml", "{}", XML}, {XML, "application/json", "{}", XML}, {JSON, "text/xml", "<a/>", JSON},
	} {
		resp := &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {test.contentType}}, Body: io.NopCloser(strings.NewReader(test.body)),
			ContentLength: -1}
		err := Decode(test.kind, resp, new(struct{}), 0)
		if e, ok := errors.AsType[*ContentError](err); !ok || e.Expected != test.expected {
			t.Errorf("%q as %q, called %q: %#v, want an error that %q was expected", test.body, test.kind, test.contentType, err, test.expected)
		}
	}
}

// onceBroken gives a text, and then an error, but only once.
type onceBroken struct {
	text string
	err  error
}

func (r *onceBroken) Read(p []byte) (int, error) {
	n := copy(p, r.text)
	if r.text = r.text[n:]; n > 0 {
		return n, nil
	}
	if err := r.err; err != nil {
		r.err = nil
		return 0, err
	}
	return 0, io.EOF
}

func TestAnErrorWhereAByteOrderMarkMayStandIsNotLost(t *testing.T) {
	broken := errors.New("broken")
	for _, text := range []string{"", " ", "1"} {
		resp := &http.Response{StatusCode: 200, Body: io.NopCloser(&onceBroken{text, broken}), ContentLength: -1}
		if err := Decode(JSON, resp, new(any), 100); !errors.Is(err, broken) {
			t.Errorf("a body that breaks off after %q: %v, want %v", text, err, broken)
		}
	}
}
