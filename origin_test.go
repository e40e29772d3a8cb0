package jwtbearer

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestTokenGoesToOwnAndTrustedOriginsOnly(t *testing.T) {
	tests := []struct {
		url  string
		sent bool
	}{
		{"https://api.example.com/", true},
		{"https://API.example.COM:443/x", true},
		{"HTTPS://api.example.com", true},
		{"https://uploads.example.com:8443/", true},
		{"https://Uploads.example.com:8443", true},
		{"https://uploads.example.com/", false},
		{"https://api.example.com:8443/", false},
		{"http://api.example.com/", false},
		{"http://api.example.com:443/", false},
		{"https://api.example.com.evil.example/", false},
		{"https://sub.api.example.com/", false},
		{"https://api.example.com@evil.example/", false},
		{"https://api.example.com:443@evil.example/", false},
		{"https://api.example.com./", false},
		{"wss://api.example.com/", false},
		{"https://ap\u0130.example.com/", false}, // which Unicode, but not IDNA, lower-cases to api
		{"https://ａｐｉ.example.com/", true},       // for which api is dialled
		{"https://\u0378.example.com/", false},   // for which nothing can be dialled
	}
	for _, test := range tests {
		api := replies()
		c := dialFake(t, api, func(conn *Connection) {
			conn.HTTPHeaders = map[string]string{"X-Version": "7"}
			conn.TrustedOrigins = []string{"https://uploads.example.com:8443"}
		})
		u, err := url.Parse(test.url)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(test.url, "HTTPS") {
			u.Scheme = "HTTPS" // as a URL made by hand may have it
		}
		resp, err := c.RoundTrip(&http.Request{Method: "GET", URL: u})
		switch {
		case test.sent && (err != nil || api.requests()[0].header.Get("Authorization") == "" || api.requests()[0].header.Get("X-Version") != "7"):
			t.Errorf("%s: %v, %+v, want it sent with token and headers", test.url, err, api.requests())
		case !test.sent && (resp != nil || !errors.Is(err, ErrForeignOrigin) || api.count() != 0):
			t.Errorf("%s: %v, %v, %d sent, want ErrForeignOrigin and nothing sent", test.url, resp, err, api.count())
		}
	}
}

func TestForeignOriginErrorShowsNoQueryAndNoPassword(t *testing.T) {
	c := dialFake(t, replies(), nil)
	req := fakeRequest(t, "GET", nil)
	req.URL, _ = url.Parse("https://user:p4ssword@evil.example/p?key=s3cret")
	_, err := c.RoundTrip(req)
	for _, secret := range []string{"p4ssword", "s3cret"} {
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("error %v, want one without %q", err, secret)
		}
	}
}

func TestForeignOriginErrorShowsNoSecretOfTheHost(t *testing.T) {
	c := dialFake(t, replies(), func(conn *Connection) {
		conn.BaseURI, conn.Secrets = "https://{{.Secrets.k}}.shop.example", map[string]Secret{"k": "tenant-4711"}
	})
	_, sent := c.RoundTrip(fakeRequest(t, "GET", nil))
	_, made := c.NewRequest(t.Context(), "GET", "https://tenant-4711.example/x", nil)
	for _, err := range []error{sent, made} {
		if !errors.Is(err, ErrForeignOrigin) || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), "4711") {
			t.Errorf("error %v, want ErrForeignOrigin without the secret", err)
		}
	}
}

func TestRedirectElsewhereGoesBareAndStaysBare(t *testing.T) {
	log := new(arrivals)
	var home *httptest.Server
	away := httptest.NewServer(log.then(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/back":
			http.Redirect(w, r, home.URL+"/end", http.StatusTemporaryRedirect)
		case "/throttled":
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	defer away.Close()
	home = httptest.NewServer(log.then(func(w http.ResponseWriter, r *http.Request) {
		if to, ok := strings.CutPrefix(r.URL.Path, "/go"); ok {
			http.Redirect(w, r, away.URL+to, http.StatusTemporaryRedirect)
		}
	}))
	defer home.Close()
	c := dialServer(t, home, func(conn *Connection) {
		conn.HTTPHeaders = map[string]string{"X-Version": "7"}
		conn.Placement = []Placement{{}, {Name: "X-Token"}, {In: "query", Name: "jwt"}, {In: "cookie", Name: "jwt"}}
	})
	get := func(path string) *http.Response {
		t.Helper()
		log.clear()
		req, _ := http.NewRequestWithContext(t.Context(), "POST", home.URL+path+"?jwt=stale&a=1", strings.NewReader("body"))
		req.Header = http.Header{"Authorization": {"Basic x"}, "authorization": {"Basic y"}, "Cookie": {"a=b"},
			"X-Token": {"mine"}, "X-Own": {"1"}, "x-version": {"8"}}
		resp, err := c.HTTPClient().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}

	get("/go/back")
	seen := log.requests()
	if len(seen) != 3 {
		t.Fatalf("%d requests arrived, want 3", len(seen))
	}
	if first := seen[0]; verifiedID(first.header.Get("Authorization")) == "" || first.header.Get("X-Version") != "8" ||
		strings.Contains(first.url, "stale") || len(first.header["Authorization"]) != 1 {
		t.Errorf("own origin got %s, %v, want the token, once and alone, and the caller's value of HTTPHeaders", first.url, first.header)
	}
	for i, hop := range seen[1:] {
		for _, name := range []string{"Authorization", "Cookie", "X-Token", "X-Version", "x-version", "Referer"} {
			if got := hop.header.Values(name); len(got) > 0 {
				t.Errorf("hop %d got %s %q, want none", i+1, name, got)
			}
		}
		if strings.Contains(hop.url, "jwt") || strings.Contains(hop.header.Get("Referer"), "jwt") {
			t.Errorf("hop %d got %s with Referer %q, want no token parameter", i+1, hop.url, hop.header.Get("Referer"))
		}
		if got, want := hop.header.Get("X-Own")+hop.body, "1body"; got != want {
			t.Errorf("hop %d got header and body %q, want the caller's %q", i+1, got, want)
		}
	}
	if got, want := c.Stats().Attempts, uint64(1); got != want {
		t.Errorf("Attempts = %d, want %d: bare hops are not paced", got, want)
	}
	if resp := get("/go/throttled"); resp.StatusCode != 429 || len(log.requests()) != 2 {
		t.Errorf("a throttle of elsewhere gave %d after %d requests, want 429 after 2", resp.StatusCode, len(log.requests()))
	}
	if got := c.Stats().Throttles; got != 0 {
		t.Errorf("Throttles = %d, want 0: another origin closes no gate", got)
	}
}

// TestRefererStaysWithinTheOrigins has a base URI of which a secret is a part, in its path and in its query.
func TestRefererStaysWithinTheOrigins(t *testing.T) {
	for _, base := range []string{"/{{.Secrets.k}}/v1", "/v1?key={{.Secrets.k}}"} {
		log := new(arrivals)
		away := httptest.NewServer(log.then(nil))
		defer away.Close()
		home := httptest.NewServer(http.RedirectHandler(away.URL+"/x", http.StatusFound))
		defer home.Close()
		c := dialServer(t, home, func(conn *Connection) {
			conn.BaseURI += base
			conn.Secrets = map[string]Secret{"k": "hunter22"}
		})
		req, err := c.NewRequest(t.Context(), "GET", "/me", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Do(req, nil); err != nil {
			t.Fatal(err)
		}
		seen := log.requests()
		if len(seen) != 1 || len(seen[0].header["Referer"]) > 0 {
			t.Errorf("base %s: the foreign origin got %+v, want one request without a Referer", base, seen)
		}
	}
}

// TestHostsAreSentInASCII has templates see what is sent, whoever made the request.
func TestHostsAreSentInASCII(t *testing.T) {
	api := replies()
	c := dialFake(t, api, func(conn *Connection) {
		conn.BaseURI, conn.Payload = "https://bücher.example/v1", `{"htu":"{{.Request.URL}}","host":"{{.Request.Host}}"}`
	})
	made, err := c.NewRequest(t.Context(), "GET", "/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	own, err := http.NewRequestWithContext(t.Context(), "GET", "https://BÜCHER.example:443/v1/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, req := range []*http.Request{made, own} {
		if _, err := c.RoundTrip(req); err != nil {
			t.Fatal(err)
		}
		sent := api.requests()[i]
		claims := string(decodePart(strings.Split(sent.header.Get("Authorization"), ".")[1], ""))
		if want := `{"htu":"https://xn--bcher-kva.example/v1/x","host":"xn--bcher-kva.example"`; !strings.HasPrefix(claims, want) {
			t.Errorf("claims %s, want %s…", claims, want)
		}
		if !strings.HasPrefix(sent.url, "https://xn--bcher-kva.example") {
			t.Errorf("sent to %s, want the ASCII form of the host", sent.url)
		}
	}
}

func TestRedirectWithinTheOriginsCarriesAFreshToken(t *testing.T) {
	log := new(arrivals)
	trusted := httptest.NewServer(log.then(nil))
	defer trusted.Close()
	home := httptest.NewServer(log.then(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, trusted.URL+"/there", http.StatusFound)
	}))
	defer home.Close()
	c := dialServer(t, home, func(conn *Connection) { conn.TrustedOrigins = []string{trusted.URL} })
	resp, err := c.HTTPClient().Get(home.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	seen := log.requests()
	a, b := verifiedID(seen[0].header.Get("Authorization")), verifiedID(seen[1].header.Get("Authorization"))
	if a == "" || b == "" || a == b {
		t.Errorf("the hops carried the tokens %q and %q, want two fresh ones", a, b)
	}
}

func TestRedirectFromHTTPSToHTTPIsRefused(t *testing.T) {
	log := new(arrivals)
	plain := httptest.NewServer(log.then(nil))
	defer plain.Close()
	home := httptest.NewTLSServer(http.RedirectHandler(plain.URL+"/?key=s3cret", http.StatusFound))
	defer home.Close()
	for _, trusted := range [][]string{nil, {plain.URL}} {
		c := dialServer(t, home, func(conn *Connection) { conn.TrustedOrigins = trusted })
		_, err := c.HTTPClient().Get(home.URL)
		if !errors.Is(err, ErrForeignOrigin) || len(log.requests()) != 0 {
			t.Errorf("trusted %v: %v, %d arrived, want ErrForeignOrigin and none", trusted, err, len(log.requests()))
		}
	}
}

func TestBareHopFailsWithoutAQueryInItsError(t *testing.T) {
	for _, answer := range []struct {
		resp *http.Response
		err  error
	}{{nil, nil}, {nil, &url.Error{Op: "Get", URL: "https://evil.example/?key=s3cret", Err: errors.New("broke")}}} {
		c := dialFake(t, &fakeAPI{handle: func(n int, r *http.Request) (*http.Response, error) {
			if n == 1 {
				return fakeReply(302, "", "Location", "https://evil.example/"), nil
			}
			return answer.resp, answer.err
		}}, nil)
		last := fakeRequest(t, "GET", nil)
		resp, _ := c.RoundTrip(last)
		hop, _ := http.NewRequestWithContext(t.Context(), "GET", "https://evil.example/?key=s3cret", nil)
		hop.Response = resp
		if _, err := c.RoundTrip(hop); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("answer %v: %v, want an error without the query", answer, err)
		}
	}
}

func TestTokenParameterOfTheCallerIsReplacedBeforeClaimsAreComputed(t *testing.T) {
	api := replies()
	c := dialFake(t, api, func(conn *Connection) {
		conn.Payload = `{"q":"{{.Request.Query}}","jti":"{{uuid}}"}`
		conn.Placement = []Placement{{In: "query", Name: "the token"}}
	})
	req := fakeRequest(t, "GET", nil)
	req.URL.RawQuery = "a=%7e&the+token=old&b&the%20token=older"
	if _, err := c.RoundTrip(req); err != nil {
		t.Fatal(err)
	}
	sent, _ := url.Parse(api.requests()[0].url)
	before, token, _ := strings.Cut(sent.RawQuery, "&the+token=")
	if want := "a=%7e&b"; before != want {
		t.Errorf("sent %q, want %q before the token", sent.RawQuery, want)
	}
	if got, want := string(decodePart(strings.Split(token, ".")[1], "")), `"q":"a=%7e&b"`; !strings.Contains(got, want) {
		t.Errorf("claims %s, want %s", got, want)
	}
}

func TestLocationLosesTheTokenThatItRepeats(t *testing.T) {
	tests := []struct{ token, location, want string }{
		{"a.b.c", "https://evil.example/?x=1&jwt=a.b.c&y=2#f", "https://evil.example/?x=1&y=2#f"},
		{"a.b.c", "/next?jwt=a.b.c", "/next"},
		{"a.b.c", "/a.b.c/next", "//next"},
		{"a+b/c=", "/next?jwt=a%2Bb%2Fc%3D&z", "/next?z"},
		{"a+b/c=", "/next?other=a%2Bb%2Fc%3D", "/next?other="},
		{"a.b.c", "/next?jwt=another", "/next?jwt=another"},
		{"a.b.c", "", ""},
	}
	for _, test := range tests {
		c := dialFake(t, replies(fakeReply(302, "", "Location", test.location)), func(conn *Connection) {
			conn.Token = Secret(test.token)
			conn.Placement = []Placement{{In: "query", Name: "jwt"}}
		})
		resp, err := c.RoundTrip(fakeRequest(t, "GET", nil))
		if err != nil {
			t.Fatal(err)
		}
		if got := resp.Header.Get("Location"); got != test.want {
			t.Errorf("token %s: Location %q, want %q", test.token, got, test.want)
		}
	}
}

func TestUserinfoInAURLDoesNotReplaceTheToken(t *testing.T) {
	log := new(arrivals)
	home := httptest.NewServer(log.then(nil))
	defer home.Close()
	c := dialServer(t, home, nil)
	resp, err := c.HTTPClient().Get(strings.Replace(home.URL, "://", "://user:pass@", 1))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := log.requests()[0].header.Get("Authorization"); verifiedID(got) == "" {
		t.Errorf("Authorization %q arrived, want the token", got)
	}
}

// arrivals records what arrives at servers.
type arrivals struct {
	mu   sync.Mutex
	seen []seenRequest
}

// then records a request before it is handled; nil answers 200.
func (a *arrivals) then(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body strings.Builder
		r.Write(&body)
		_, text, _ := strings.Cut(body.String(), "\r\n\r\n")
		a.mu.Lock()
		a.seen = append(a.seen, seenRequest{method: r.Method, url: r.URL.String(), header: r.Header.Clone(), body: text,
			length: r.ContentLength})
		a.mu.Unlock()
		if next != nil {
			next(w, r)
		}
	})
}

func (a *arrivals) requests() []seenRequest {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.seen)
}

func (a *arrivals) clear() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen = nil
}
