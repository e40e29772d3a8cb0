package origin

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

func of(t *testing.T, text string) Origin {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	o, err := Of(u)
	if err != nil {
		t.Fatalf("Of(%q): %v", text, err)
	}
	return o
}

func TestOriginsAreTheSameWhereTheSameIsDialled(t *testing.T) {
	tests := []struct {
		a, b string
		same bool
	}{
		{"https://api.example.com", "https://API.example.com:443/x?y", true},
		{"https://bücher.example", "https://xn--bcher-kva.example/", true},
		{"https://BÜCHER.example", "https://XN--BCHER-KVA.example:443", true},
		{"https://api.example.com", "https://ＡＰＩ。example.com", true}, // IDNA maps wide letters and dots
		{"https://kelvin.example", "https://\u212Aelvin.example", true},
		{"https://api.github.com", "https://api.g\u0130thub.com", false},
		{"https://insta.example", "https://\u0131nsta.example", false},
		{"https://api.example.com", "https://api.example.com.", false},
		{"https://api.example.com", "http://api.example.com", false},
		{"https://api.example.com", "https://api.example.com:8443", false},
	}
	for _, tt := range tests {
		if a, b := of(t, tt.a), of(t, tt.b); (a == b) != tt.same {
			t.Errorf("%s is %s, %s is %s; want the same: %t", tt.a, a, tt.b, b, tt.same)
		}
	}
}

// TestHostIsTheOneThatNetHTTPDials asks net/http itself, for each character that some folding turns into ASCII.
func TestHostIsTheOneThatNetHTTPDials(t *testing.T) {
	var dialledHost string
	stop := errors.New("not dialled")
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(_ context.Context, _, addr string) (net.Conn, error) {
		dialledHost, _, _ = net.SplitHostPort(addr)
		return nil, stop
	}}
	asked, refused := 0, 0
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		folds := unicode.ToLower(r) < 0x80 || unicode.ToUpper(r) < 0x80 || unicode.SimpleFold(r) < 0x80 ||
			isASCII(norm.NFKC.String(string(r)))
		if !folds || r >= 0xd800 && r < 0xe000 {
			continue
		}
		u := &url.URL{Scheme: "http", Host: "a" + string(r) + "b.example"}
		dialledHost = ""
		_, err := transport.RoundTrip(&http.Request{Method: "GET", URL: u, Header: http.Header{}})
		o, bad := Of(u)
		switch {
		case bad != nil:
			refused++
		case dialledHost == "":
			t.Errorf("U+%04X: net/http dialled nothing (%v), and Of gives %s", r, err, o.Host)
		case !strings.EqualFold(o.Host, dialledHost):
			t.Errorf("U+%04X: Of gives %s, net/http dialled %s", r, o.Host, dialledHost)
		default:
			asked++
		}
	}
	if asked < 500 || refused == 0 {
		t.Errorf("%d hosts were dialled and %d refused, want hundreds and some", asked, refused)
	}
}

func TestHostWithoutAnASCIIFormIsRefused(t *testing.T) {
	for _, host := range []string{"a\u200bb\u2028.example", "ex\ufffdample.com", "\u0378.example", "xn--\u00fc.example"} {
		u := &url.URL{Scheme: "https", Host: host}
		if o, err := Of(u); err == nil {
			t.Errorf("Of(%+q) = %s; want an error", host, o)
		}
		if _, fault := Parse("https://" + host + "/v1"); fault == nil {
			t.Errorf("Parse accepts %+q", host)
		}
		if _, err := ParseOrigin("https://" + host); err == nil {
			t.Errorf("ParseOrigin accepts %+q", host)
		}
		api := address(t, "https://api.example.com")
		if _, err := api.Route(&http.Request{URL: u}); !errors.Is(err, ErrForeign) {
			t.Errorf("Route(%+q): %v; want ErrForeign", host, err)
		}
		if _, err := api.Route(&http.Request{URL: u, Response: &http.Response{Request: &http.Request{URL: api.Base}}}); !errors.Is(err, ErrForeign) {
			t.Errorf("Route of a redirect to %+q: %v; want ErrForeign", host, err)
		}
	}
}

func TestLoopbackIsThisMachineAlone(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST": true, "127.0.0.1": true, "127.8.9.10": true, "[::1]": true, "[::ffff:127.0.0.1]": true,
		"x.localhost": false, "localhost.": false, "localhost.example": false, "127.1": false, "0x7f.0.0.1": false, "0.0.0.0": false,
		"10.0.0.1": false, "[::]": false, "127.0.0.1.example": false, "1２7.0.0.1": true, // as it is dialled
	} {
		if got := of(t, "http://"+host+":8080").Loopback(); got != want {
			t.Errorf("%s is loopback: %t, want %t", host, got, want)
		}
	}
}

func address(t *testing.T, base string, trusted ...string) *Address {
	t.Helper()
	u, fault := Parse(base)
	if fault != nil {
		t.Fatalf("Parse(%s): %s", base, fault.Problem)
	}
	var origins []Origin
	for _, text := range trusted {
		origins = append(origins, of(t, text))
	}
	return NewAddress(u, base, origins)
}

func TestReferencesThatClimbAreRefused(t *testing.T) {
	api := address(t, "https://api.example.com/v1", "https://cdn.example.com")
	climbing := []string{"..", ".", "%2e%2e", "%2E.", "..;x", "..;a=b", "%2e%2e;", "..%3bx", "..%00", "..%00.json", "..%09", "%09..", "..%0a",
		"..%20", "%252e%252e", "%25252e.", "..%255c..", `..\x`, "..%2fx", "..%5cx", "%c0%ae%c0%ae", "%c0%ae.", "%e0%80%ae%e0%80%ae",
		"%f0%80%80%ae.", "..%c0%afx", "%u002e%u002e", "．．", "%ef%bc%8e%ef%bc%8e", "‥", "%e2%80%a5", "..%3fx", "..%23x", "..%c2%a0", "..%3b%2fx"}
	for _, segment := range climbing {
		for _, ref := range []string{"/" + segment + "/admin", "/a/" + segment, "https://api.example.com/v1/" + segment + "/admin", "https://cdn.example.com/" + segment} {
			if u, err := api.Resolve(ref); err == nil {
				t.Errorf("Resolve(%q) = %s; want an error", ref, u)
			}
		}
		if _, fault := Parse("https://api.example.com/" + segment + "/x"); fault == nil {
			t.Errorf("Parse accepts a base URI with %q", segment)
		}
	}
}

func TestReferencesThatOnlyLookLikeClimbingAreResolved(t *testing.T) {
	api := address(t, "https://api.example.com/v1")
	for _, ref := range []string{"/a..b", "/...", "/....", "/x;y=..", "/..x;a", "/.well-known/x", "/a.b/c", "/x?y=/../z", "?next=..", "/%41.json", "/100%25", "/a%2520b",
		"/é/ü", "/%c3%a9.", "/files/archive.tar.gz", "/;..", "/x%3B..", "https://api.example.com/v1/next?page=..", "https://api.example.com/v1/a..b"} {
		u, err := api.Resolve(ref)
		if err != nil {
			t.Errorf("Resolve(%q): %v; want an address", ref, err)
		} else if want := strings.TrimPrefix(ref, "https://api.example.com/v1"); !strings.HasSuffix(u.String(), want) && isASCII(ref) {
			t.Errorf("Resolve(%q) = %s; want it byte for byte", ref, u)
		}
	}
}

func TestEncodingWithoutEndIsRefused(t *testing.T) {
	api := address(t, "https://api.example.com/v1")
	if u, err := api.Resolve("/%" + strings.Repeat("25", 1000) + "2e."); err == nil {
		t.Errorf("a reference that is encoded a thousand times gives %s", u)
	}
}

func FuzzResolve(f *testing.F) {
	for _, ref := range []string{"/a", "/%2e%2e/x", "?x=1", "https://api.example.com/v1/x", "//evil", "/%c0%ae./", "/\u2025"} {
		f.Add(ref)
	}
	base, fault := Parse("https://api.example.com/v1")
	if fault != nil {
		f.Fatal(fault.Problem)
	}
	api := NewAddress(base, "https://api.example.com/v1", nil)
	f.Fuzz(func(t *testing.T, ref string) {
		u, err := api.Resolve(ref)
		if err != nil {
			return
		}
		if !api.Trusts(u) {
			t.Fatalf("Resolve(%q) = %s, which is not trusted", ref, u)
		}
		for text := u.EscapedPath(); ; {
			for segment := range strings.SplitSeq(strings.ReplaceAll(text, `\`, "/"), "/") {
				if segment == ".." || segment == "." || strings.HasPrefix(segment, "..;") {
					t.Fatalf("Resolve(%q) = %s, which climbs", ref, u)
				}
			}
			next, err := url.PathUnescape(text)
			if err != nil || next == text {
				return
			}
			text = next
		}
	})
}
