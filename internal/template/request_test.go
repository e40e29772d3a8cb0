package template

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/iotest"
)

func mustURL(t testing.TB, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestRequestPartsAreWhatIsSent(t *testing.T) {
	tests := []struct{ method, url, host, want string }{
		{"", "https://h", "", "GET https h / | / https://h/"},
		{"GET", "https://h/?", "", "GET https h / | /? https://h/?"},
		{"POST", "HTTPS://H.Example:443/A?b=C", "", "POST https h.example /A |b=C /A?b=C https://h.example/A?b=C"},
		{"PATCH", "http://H:80/x", "", "PATCH http h /x | /x http://h/x"},
		{"GET", "http://h:443/x", "", "GET http h:443 /x | /x http://h:443/x"},
		{"GET", "https://h:8443/x#frag", "", "GET https h:8443 /x | /x https://h:8443/x"},
		{"GET", "https://h:/x", "", "GET https h /x | /x https://h/x"},
		{"GET", "https://10.0.0.1/x", "API.example:443", "GET https api.example /x | /x https://api.example/x"},
		{"GET", "https://[2001:DB8::443]/x", "", "GET https [2001:db8::443] /x | /x https://[2001:db8::443]/x"},
		{"GET", "https://h/a%2fb/%C3%A9/%C3%A9%20c/~'()?q=%20+&q=<", "",
			"GET https h /a%2fb/%C3%A9/%C3%A9%20c/~'() |q=%20+&q=< /a%2fb/%C3%A9/%C3%A9%20c/~'()?q=%20+&q=< " +
				"https://h/a%2fb/%C3%A9/%C3%A9%20c/~'()?q=%20+&q=<"},
	}
	const all = "{{.Request.Method}} {{.Request.Scheme}} {{.Request.Host}} {{.Request.Path}} |{{.Request.Query}} {{.Request.URI}} {{.Request.URL}}"
	x, err := (&Set{}).Text(all, ScopeToken)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		u := mustURL(t, tt.url)
		got, err := x.Render(&Env{Request: NewRequest(tt.method, u, tt.host, "", nil)})
		if err != nil || got != tt.want {
			t.Errorf("%s %s (Host %s):\ngot  %s, %v\nwant %s", tt.method, tt.url, tt.host, got, err, tt.want)
		}
		if want := u.RequestURI(); NewRequest(tt.method, u, tt.host, "", nil).uri() != want {
			t.Errorf("%s: URI is not %s, which net/http sends", tt.url, want)
		}
	}
}

func TestQueryHashIsAtlassians(t *testing.T) {
	data, err := os.ReadFile("testdata/qsh.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Cases []struct{ Method, URI, Base, Canonical, Qsh string }
	}
	if err := json.Unmarshal(data, &vectors); err != nil || len(vectors.Cases) < 5 {
		t.Fatalf("%d cases, %v", len(vectors.Cases), err)
	}
	x, err := (&Set{}).Text("{{qsh}}", ScopeToken)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range vectors.Cases {
		r := NewRequest(c.Method, mustURL(t, "https://h"+c.URI), "", c.Base, nil)
		if got := r.canonical(); got != c.Canonical {
			t.Errorf("%s %s:\ngot  %s\nwant %s", c.Method, c.URI, got, c.Canonical)
		}
		if c.Qsh == "" {
			sum := sha256.Sum256([]byte(c.Canonical))
			c.Qsh = hex.EncodeToString(sum[:])
		}
		if got, err := x.Render(&Env{Request: r}); err != nil || got != c.Qsh {
			t.Errorf("%s %s: qsh = %s, %v, want %s", c.Method, c.URI, got, err, c.Qsh)
		}
	}
}

func TestQueryHashTraps(t *testing.T) {
	tests := []struct{ method, url, base, want string }{
		{"get", "https://h", "", "GET&/&"},
		{"POST", "https://h/jira/rest/", "/jira", "POST&/rest&"},
		{"POST", "https://h/jira/rest", "/jira/", "POST&/rest&"},
		{"GET", "https://h/jira", "/jira", "GET&/&"},
		{"GET", "https://h/jira/", "/jira", "GET&/&"},
		{"GET", "https://h/jirafoo", "/jira", "GET&/jirafoo&"},
		{"GET", "https://h/x/jira/rest", "/jira", "GET&/x/jira/rest&"},
		{"GET", "https://h/a&b/c%26d//", "", "GET&/a%26b/c%26d/&"},
		{"GET", "https://h/p?a=x,y&a=x&a=%2C", "", "GET&/p&a=%2C,x,x%2Cy"},
		{"GET", "https://h/p?a=1+2&b=1%202&c=1%2B2", "", "GET&/p&a=1%202&b=1%202&c=1%2B2"},
		{"GET", "https://h/p?jwt=a&jw%74=b&JWT=c&jwt", "", "GET&/p&JWT=c"},
		{"GET", "https://h/p?a&&b=&=c", "", "GET&/p&=c&a=&b="},
		{"GET", "https://h/p?a=%zz&b=;", "", "GET&/p&a=%25zz&b=%3B"},
		{"GET", "https://h/p?%C3%A9=1&z=2&A=3&a=4&-=5", "", "GET&/p&%C3%A9=1&-=5&A=3&a=4&z=2"},
		{"GET", "https://h/p?a=~._-*!'()", "", "GET&/p&a=~._-%2A%21%27%28%29"},
		{"GET", "https://h/p?a=b=c", "", "GET&/p&a=b%3Dc"},
		{"GET", "https://h/p?a=b&a-=c&a.=d&a%20=e", "", "GET&/p&a=b&a%20=e&a-=c&a.=d"},
	}
	for _, tt := range tests {
		if got := NewRequest(tt.method, mustURL(t, tt.url), "", tt.base, nil).canonical(); got != tt.want {
			t.Errorf("%s %s below %q:\ngot  %s\nwant %s", tt.method, tt.url, tt.base, got, tt.want)
		}
	}
}

// openString counts in opened how often the body is read.
func openString(s string, opened *int) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { *opened++; return io.NopCloser(strings.NewReader(s)), nil }
}

func bodyDigests(t testing.TB, r *Request) (string, error) {
	t.Helper()
	x, err := (&Set{}).Text("{{bodySHA256}} {{bodySortedSHA256}}", ScopeToken)
	if err != nil {
		t.Fatal(err)
	}
	return x.Render(&Env{Request: r})
}

func TestSortedBodyHashIsWhatNodeComputes(t *testing.T) {
	data, err := os.ReadFile("testdata/sortedbody.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct{ Body, SHA256 string }
	if err := json.Unmarshal(data, &cases); err != nil || len(cases) < 10 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, c := range cases {
		opened := 0
		plain := sha256.Sum256([]byte(c.Body))
		want := hex.EncodeToString(plain[:]) + " " + c.SHA256
		got, err := bodyDigests(t, NewRequest("POST", mustURL(t, "https://h"), "", "", openString(c.Body, &opened)))
		if err != nil || got != want {
			t.Errorf("%s:\ngot  %s, %v\nwant %s", c.Body, got, err, want)
		}
	}
}

func TestSortedBodyHashKeepsNumberText(t *testing.T) {
	opened := 0
	r := NewRequest("POST", mustURL(t, "https://h"), "", "", openString(`{ "b": [1.10, 1e3], "a": 12345678901234567890123 }`, &opened))
	want := sha256.Sum256([]byte(`{"a":12345678901234567890123,"b":[1.10,1e3]}`))
	for range 2 {
		if got, err := r.sortedBodyHash(); err != nil || got != want {
			t.Errorf("got %x, %v, want %x", got, err, want)
		}
	}
	if opened != 1 {
		t.Errorf("the body was opened %d times for two digests of a kind, want once", opened)
	}
}

func TestNoBodyCountsAsTheEmptyString(t *testing.T) {
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	noBody := func() (io.ReadCloser, error) { return http.NoBody, nil }
	for name, body := range map[string]func() (io.ReadCloser, error){"nil": nil, "http.NoBody": noBody} {
		got, err := bodyDigests(t, NewRequest("GET", mustURL(t, "https://h"), "", "", body))
		if want := empty + " " + empty; err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", name, got, err, want)
		}
	}
}

type closeRecorder struct {
	io.Reader
	closed *bool
}

func (c closeRecorder) Close() error { *c.closed = true; return nil }

func TestBodyErrorsAreToldAndTheBodyClosed(t *testing.T) {
	broken := errors.New("disk on fire")
	u := mustURL(t, "https://h")
	closed := false
	r := NewRequest("POST", u, "", "", func() (io.ReadCloser, error) { return closeRecorder{iotest.ErrReader(broken), &closed}, nil })
	if _, err := bodyDigests(t, r); !errors.Is(err, broken) || !closed {
		t.Errorf("a body that cannot be read: %v, closed %v", err, closed)
	}
	r = NewRequest("POST", u, "", "", func() (io.ReadCloser, error) { return nil, broken })
	if _, err := bodyDigests(t, r); !errors.Is(err, broken) {
		t.Errorf("a body that cannot be opened: %v", err)
	}
	opened := 0
	for _, body := range []string{"a=b", `{"s3cr3t":1,"s3cr3t":2}`, "{} s3cr3t"} {
		_, err := NewRequest("POST", u, "", "", openString(body, &opened)).sortedBodyHash()
		if err == nil || !strings.HasPrefix(err.Error(), "bodySortedSHA256: the body is not valid JSON in line 1") || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("sorted digest of %s: %v, want that it is not JSON, without a piece of it", body, err)
		}
	}
}
