package jwtbearer

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// A redirectingAPI answers with redirects by the host and path of a request, and with 200 where it has none. Nothing but the hosts
// below is the connection's.
type redirectingAPI struct {
	code int
	to   map[string]string // by host and path
	seen []string          // method, host and path of each request, and what it carries
}

func (f *redirectingAPI) RoundTrip(req *http.Request) (*http.Response, error) {
	body := ""
	if req.Body != nil {
		data, _ := io.ReadAll(req.Body)
		req.Body.Close()
		body = string(data)
	}
	f.seen = append(f.seen, fmt.Sprintf("%s %s%s %v %s", req.Method, req.URL.Host, req.URL.RequestURI(), req.Header, body))
	if to := f.to[strings.ToLower(req.URL.Host+req.URL.Path)]; to != "" {
		return fakeReply(f.code, "", "Location", to), nil
	}
	return fakeReply(200, "{}", "Content-Type", "application/json"), nil
}

// elsewhere are the requests that went to none of the hosts of the connection.
func (f *redirectingAPI) elsewhere() []string {
	var found []string
	for _, seen := range f.seen {
		host, _, _ := strings.Cut(strings.Fields(seen)[1], "/")
		if host = strings.ToLower(host); host != "api.example.com" && host != "api.example.com:443" && host != "files.example.com" {
			found = append(found, seen)
		}
	}
	return found
}

// pings hold the token or a Secret in each place that Ping has.
var pings = map[string]Ping{
	"nothing":              {},
	"token in a header":    {Headers: map[string]string{"X-Token": "{{.Token}}"}},
	"secret in a header":   {Headers: map[string]string{"X-Key": "{{.Secrets.k}}"}},
	"token in the query":   {RelativeURI: "?t={{.Token}}"},
	"secret in the query":  {RelativeURI: "?k={{.Secrets.k}}"},
	"token in the body":    {Method: "POST", Body: `{"t":"{{.Token}}"}`},
	"secret in the body":   {Method: "PUT", Body: `{"k":"{{.Secrets.k}}"}`},
	"secret in all places": {Method: "POST", RelativeURI: "?k={{.Secrets.k}}", Body: "{{.Secrets.k}}", Headers: map[string]string{"Cookie": "k={{.Secrets.k}}"}},
}

// testRedirects tests a connection to https://api.example.com/v1 that trusts https://files.example.com.
func testRedirects(t *testing.T, f *redirectingAPI, change func(*Connection)) (*Report, error) {
	t.Helper()
	c := dialFake(t, f, func(conn *Connection) {
		conn.BaseURI, conn.TrustedOrigins = "https://api.example.com/v1", []string{"https://files.example.com"}
		conn.Secrets = map[string]Secret{"k": "hunter2-in-the-ping"}
		if change != nil {
			change(conn)
		}
	})
	return c.Test(t.Context())
}

func TestTestDoesNotLeaveTheOrigins(t *testing.T) {
	ways := map[string]map[string]string{
		"at once":        {"api.example.com/v1": "https://other.example.org/x"},
		"own":            {"api.example.com/v1": "/v1/a", "api.example.com/v1/a": "https://other.example.org/x?y=1"},
		"own, own":       {"api.example.com/v1": "a", "api.example.com/a": "/b", "api.example.com/b": "https://other.example.org/x"},
		"trusted":        {"api.example.com/v1": "https://files.example.com/a", "files.example.com/a": "https://other.example.org/x"},
		"another port":   {"api.example.com/v1": "https://api.example.com:8443/v1"},
		"plain http":     {"api.example.com/v1": "http://api.example.com/v1"},
		"without scheme": {"api.example.com/v1": "//other.example.org/x"},
		"a subdomain":    {"api.example.com/v1": "https://x.api.example.com/v1"},
	}
	for _, code := range []int{301, 302, 303, 307, 308} {
		for way, to := range ways {
			for place, ping := range pings {
				t.Run(fmt.Sprint(code, " ", way, " ", place), func(t *testing.T) {
					f := &redirectingAPI{code: code, to: to}
					r, err := testRedirects(t, f, func(conn *Connection) { conn.Ping = ping })
					if got := f.elsewhere(); got != nil {
						t.Errorf("requests left the connection's origins: %q", got)
					}
					if len(f.seen) != len(to) {
						t.Errorf("the API got %q; want each redirect within its origins followed", f.seen)
					}
					checkReport(t, r, err, KindUnexpectedAnswer)
					step := r.step("request")
					if r.StatusCode != code || step.Status != StatusFailed || !strings.Contains(step.Detail, "was not followed") {
						t.Errorf("the step request is %+v; want one that says that %d was not followed", step, code)
					}
					wantHint := "TrustedOrigins"
					if way == "plain http" {
						wantHint = "from https to http"
					}
					if !strings.Contains(step.Hint, wantHint) || r.step("verdict").Hint != step.Hint {
						t.Errorf("the hints are %q and %q; want %q", step.Hint, r.step("verdict").Hint, wantHint)
					}
				})
			}
		}
	}
}

func TestTestFollowsRedirectsWithinTheOrigins(t *testing.T) {
	for _, code := range []int{301, 302, 303, 307, 308} {
		f := &redirectingAPI{code: code, to: map[string]string{"api.example.com/v1": "https://API.example.com:443/v1/a",
			"api.example.com:443/v1/a": "https://files.example.com/b", "files.example.com/b": "https://api.example.com/v1/c"}}
		r, err := testRedirects(t, f, func(conn *Connection) { conn.Ping = pings["secret in a header"] })
		checkReport(t, r, err, KindOK)
		if len(f.seen) != 4 {
			t.Fatalf("%d: the requests were %q; want 4", code, f.seen)
		}
		for _, seen := range f.seen {
			if !strings.Contains(seen, "Authorization:[Bearer ") || !strings.Contains(seen, "hunter2-in-the-ping") {
				t.Errorf("%d: %q; want the token and the ping's header", code, seen)
			}
		}
	}
}

func TestTestEndsARingOfRedirects(t *testing.T) {
	f := &redirectingAPI{code: 302, to: map[string]string{"api.example.com/v1": "/v1"}}
	r, err := testRedirects(t, f, nil)
	checkReport(t, r, err, KindUnexpectedAnswer)
	if len(f.seen) != maxRedirects || !strings.Contains(r.String(), "10 redirects") {
		t.Errorf("%d requests and\n%s\nwant %d", len(f.seen), r, maxRedirects)
	}
}

// What Ping says of a redirect counts: Test needs not follow what is the answer already.
func TestPingJudgesARedirectElsewhere(t *testing.T) {
	to := map[string]string{"api.example.com/v1": "https://other.example.org/x"}
	r, err := testRedirects(t, &redirectingAPI{code: 302, to: to}, func(conn *Connection) { conn.Ping.Success = []Rule{{Status: []int{302}}} })
	checkReport(t, r, err, KindOK)
	r, err = testRedirects(t, &redirectingAPI{code: 302, to: to}, func(conn *Connection) { conn.AuthFailure = []Rule{{Status: []int{302}}} })
	checkReport(t, r, err, KindAuthRejected)
}

// The origin that a redirect names may repeat a Secret of the connection's own host.
func TestRedirectElsewhereShowsNoSecret(t *testing.T) {
	f := &redirectingAPI{code: 307, to: map[string]string{"tenant42.example.com/v1": "https://TENANT42.login.example.org/x?k=hunter2"}}
	r, err := testRedirects(t, f, func(conn *Connection) {
		conn.BaseURI, conn.Secrets = "https://{{.Secrets.k}}.example.com/v1", map[string]Secret{"k": "Tenant42"}
	})
	checkReport(t, r, err, KindUnexpectedAnswer)
	text, _ := r.MarshalJSON()
	if shown := strings.ToLower(fmt.Sprint(r, err, string(text))); strings.Contains(shown, "tenant42") || !strings.Contains(shown, "https://******.login.example.org") {
		t.Errorf("the report shows %s", shown)
	}
}
