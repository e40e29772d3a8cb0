package jwtbearer

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/seed-363d07a3/jwtbearer/internal/body"
)

const boundSecret = "0123456789abcdef0123456789abcdef"

// A boundAPI recomputes what a token says of its request from what arrived, below the base path /wiki/rest. It refuses the
// first requests with the statuses of its script.
type boundAPI struct {
	t      *testing.T
	script []int
	calls  int
	tokens []string
}

func (a *boundAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		a.t.Errorf("reading the body: %v", err)
	}
	token := r.URL.Query().Get("jwt")
	claims := jwt.MapClaims{}
	if _, err := jwt.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return []byte(boundSecret), nil },
		jwt.WithValidMethods([]string{"HS256"})); err != nil {
		a.t.Errorf("%s %s: token %q: %v", r.Method, r.URL, token, err)
	}
	a.tokens = append(a.tokens, token)
	if n := len(r.URL.Query()["jwt"]); n != 1 {
		a.t.Errorf("%s %s: %d token parameters, want 1", r.Method, r.URL, n)
	}
	query, _ := cutLastParam(r.URL.RawQuery)
	for name, want := range map[string]string{
		"qsh":  receivedQSH(r),
		"uri":  r.Method + " " + r.Host + r.URL.EscapedPath(),
		"full": "http://" + r.Host + strings.TrimSuffix(r.URL.EscapedPath()+"?"+query, "?"),
		"body": hexSHA256(string(body)),
	} {
		if got := claims[name]; got != want {
			a.t.Errorf("%s %s with body %q: claim %s is %v, want %s", r.Method, r.URL.Path, body, name, got, want)
		}
	}
	if a.calls++; a.calls <= len(a.script) {
		w.WriteHeader(a.script[a.calls-1])
	}
}

// cutLastParam splits a query at its last parameter, where the token is.
func cutLastParam(query string) (before, last string) {
	i := strings.LastIndexByte(query, '&')
	return query[:max(0, i)], query[i+1:]
}

func hexSHA256(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// receivedQSH is Atlassian's hash of a request as a server sees it.
func receivedQSH(r *http.Request) string {
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	values := r.URL.Query()
	values.Del("jwt")
	var params []string
	for name, all := range values {
		for i := range all {
			all[i] = escape(all[i])
		}
		slices.Sort(all)
		params = append(params, escape(name)+"="+strings.Join(all, ","))
	}
	slices.Sort(params)
	path := strings.TrimSuffix(strings.TrimPrefix(r.URL.EscapedPath(), "/wiki/rest"), "/")
	return hexSHA256(r.Method + "&" + cmp.Or(path, "/") + "&" + strings.Join(params, "&"))
}

func boundClient(t *testing.T, api *boundAPI) *Client {
	srv := httptest.NewServer(api)
	t.Cleanup(srv.Close)
	c, err := NewClient(&Connection{BaseURI: srv.URL + "/wiki/rest?tenant=a%20b", SignatureMethod: HS256, Secret: boundSecret,
		Payload: `{"qsh":"{{qsh}}","uri":"{{.Request.Method}} {{.Request.Host}}{{.Request.Path}}","full":"{{.Request.URL}}",` +
			`"body":"{{bodySHA256}}","jti":"{{uuid}}"}`,
		Placement: []Placement{{In: "query", Name: "jwt"}},
		Retry:     Retry{Always: true, MinBackoff: time.Millisecond, MaxBackoff: time.Millisecond, BufferLimit: 1000}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestClaimsDescribeTheRequestThatArrives sends requests of every shape, each of which is refused in every way first.
func TestClaimsDescribeTheRequestThatArrives(t *testing.T) {
	long := strings.Repeat("x", 900)
	tests := []struct {
		method, ref string
		body        any
	}{
		{"GET", "", nil},
		{"GET", "/", nil},
		{"GET", "/search?b=2&a=1&a=0&space=x%20y+z&comma=1%2C2,3&%C3%A4=%E2%82%AC", nil},
		{"GET", "/search?jwt=stale&q=1&jwt=staler", nil},
		{"GET", "/a%2Fb/c%20d", nil},
		{"DELETE", "?x=1", nil},
		{"POST", "/issue", map[string]any{"a": 1}},
		{"POST", "/issue", `{"text":"replayable"}`},
		{"POST", "/issue?q=%26", io.MultiReader(strings.NewReader("streamed"), strings.NewReader(long))},
		{"PUT", "/empty", http.NoBody},
		{"PUT", "/empty", io.MultiReader()},
	}
	for _, test := range tests {
		api := &boundAPI{t: t, script: []int{503, 401, 500}}
		c := boundClient(t, api)
		req, err := c.NewRequest(t.Context(), test.method, test.ref, test.body)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(req, nil)
		if err != nil || resp.StatusCode != 200 {
			t.Errorf("%s %q: %v", test.method, test.ref, err)
		}
		if got, want := distinct(api.tokens), 4; got != want || api.calls != want {
			t.Errorf("%s %q: %d attempts with %d tokens, want %d each", test.method, test.ref, api.calls, got, want)
		}
	}
}

func TestABodyThatCannotBeReadAheadIsRefused(t *testing.T) {
	api := &boundAPI{t: t}
	c := boundClient(t, api)
	req, err := c.NewRequest(t.Context(), "POST", "/issue", io.MultiReader(strings.NewReader(strings.Repeat("x", 1001))))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(req, nil); !errors.Is(err, body.ErrTooLong) {
		t.Errorf("a streamed body over BufferLimit whose digest is a claim: %v, want %v", err, body.ErrTooLong)
	}
	if api.calls != 0 {
		t.Errorf("it was sent %d times, want never", api.calls)
	}
	req, err = c.NewRequest(t.Context(), "POST", "/issue", strings.Repeat("x", 1001))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(req, nil); err != nil {
		t.Errorf("the same body with GetBody: %v", err)
	}
}

// TestMintShowsWhatARequestWouldCarry compares a minted token with the one that is sent.
func TestMintShowsWhatARequestWouldCarry(t *testing.T) {
	api := &boundAPI{t: t}
	c := boundClient(t, api)
	req, err := c.NewRequest(t.Context(), "POST", "/search?q=1&jwt=stale", `{"a":1}`)
	if err != nil {
		t.Fatal(err)
	}
	token, err := c.Mint(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if api.calls != 0 {
		t.Errorf("Mint sent %d requests, want none", api.calls)
	}
	if got := req.URL.Query().Get("jwt"); got != "stale" {
		t.Errorf("Mint changed the request: its token parameter is %q", got)
	}
	if _, err := c.Do(req, nil); err != nil {
		t.Fatal(err)
	}
	want, _ := withoutJTI(t, api.tokens[0])
	if got, jti := withoutJTI(t, token); got != want || jti == "" {
		t.Errorf("Mint: claims %s, sent: %s", got, want)
	}
}

func withoutJTI(t *testing.T, token string) (before, jti string) {
	before, jti, _ = strings.Cut(payloadOf(t, token), `"jti":`)
	return before, jti
}

func TestMintRefusesWhatItCannotLookAt(t *testing.T) {
	c := boundClient(t, &boundAPI{t: t})
	address, _ := url.Parse("https://api.example.com/")
	tests := []struct {
		name string
		req  *http.Request
		want string
	}{
		{"no request", nil, "give Mint the request"},
		{"no URL", &http.Request{}, "no host"},
		{"no host", &http.Request{URL: &url.URL{Path: "/x"}}, "no host"},
		{"a body without GetBody", &http.Request{URL: address, Body: io.NopCloser(strings.NewReader("x"))}, "set GetBody"},
	}
	for _, test := range tests {
		if _, err := c.Mint(t.Context(), test.req); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("Mint with %s: %v, want an error with %q", test.name, err, test.want)
		}
	}
	free, _ := mintClient(t, Connection{Payload: `{"m":"{{.Request.Method}}"}`}, alwaysOK)
	if _, err := free.Mint(t.Context(), tests[3].req); err != nil {
		t.Errorf("Mint with a body that no template looks at: %v", err)
	}
}
