package verify_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/verify"
)

// tellClaims answers with the claims that it finds.
var tellClaims = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	claims, ok := verify.ClaimsFrom(r.Context())
	fmt.Fprintf(w, "%t %s", ok, claims)
})

// serve gives a request to the Handler of v.
func serve(v *verify.Verifier, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	v.Handler(tellClaims).ServeHTTP(w, r)
	return w
}

// withHeader is a request with a header field for each value.
func withHeader(name string, values ...string) *http.Request {
	r := httptest.NewRequest("GET", "/things", nil)
	for _, v := range values {
		r.Header.Add(name, v)
	}
	return r
}

func TestHandlerPassesTheClaimsOn(t *testing.T) {
	for _, scheme := range []string{"Bearer ", "bearer ", "BEARER   "} {
		w := serve(verifier(jwtbearer.HS256), withHeader("Authorization", scheme+goodToken(jwtbearer.HS256)))
		if w.Code != 200 || !strings.HasPrefix(w.Body.String(), `true {"iss":"issuer",`) {
			t.Errorf("%q: %d %s, want 200 and the claims", scheme, w.Code, w.Body)
		}
		if got := w.Header().Get("Cache-Control"); got != "private" {
			t.Errorf("Cache-Control = %q, want private", got)
		}
	}
	if claims, ok := verify.ClaimsFrom(t.Context()); ok || claims != nil {
		t.Errorf("ClaimsFrom = %s, %t without a Handler", claims, ok)
	}
}

// TestHandlerAnswersAsRFC6750Says also wants all tokens that are refused to get the same answer, byte for byte.
func TestHandlerAnswersAsRFC6750Says(t *testing.T) {
	good := goodToken(jwtbearer.HS256)
	expired := claimsToken(`{"iss":"issuer","aud":"me","exp":1}`)
	forged := sign(jwtbearer.HS256, []byte(strings.ToLower(secret)), `{"alg":"HS256"}`, goodClaims(""))
	tests := []struct {
		name      string
		request   *http.Request
		status    int
		challenge string
	}{
		{"no header", withHeader("X"), 401, `Bearer realm="api"`},
		{"empty header", withHeader("Authorization", ""), 401, `Bearer realm="api"`},
		{"scheme only", withHeader("Authorization", "Bearer"), 401, `Bearer realm="api"`},
		{"another scheme", withHeader("Authorization", "Basic "+good), 401, `Bearer realm="api"`},
		{"no scheme", withHeader("Authorization", good), 401, `Bearer realm="api"`},
		{"another place", httptest.NewRequest("GET", "/?access_token="+good, nil), 401, `Bearer realm="api"`},
		{"no token", withHeader("Authorization", "Bearer x"), 401, `Bearer error="invalid_token"`},
		{"blank inside", withHeader("Authorization", "Bearer "+good+" x"), 401, `Bearer error="invalid_token"`},
		{"two in one", withHeader("Authorization", "Bearer "+good+", Bearer "+good), 401, `Bearer error="invalid_token"`},
		{"expired", withHeader("Authorization", "Bearer "+expired), 401, `Bearer error="invalid_token"`},
		{"forged", withHeader("Authorization", "Bearer "+forged), 401, `Bearer error="invalid_token"`},
		{"another method", withHeader("Authorization", "Bearer "+goodToken(jwtbearer.HS384)), 401, `Bearer error="invalid_token"`},
		{"two headers", withHeader("Authorization", "Bearer "+good, "Bearer "+forged), 401, `Bearer realm="api"`},
		{"the same twice", withHeader("Authorization", "Bearer "+good, "Bearer "+good), 401, `Bearer realm="api"`},
		{"another beside it", withHeader("Authorization", "Basic eDp5", "Bearer "+good), 401, `Bearer realm="api"`},
	}
	answers := map[string]string{}
	for _, tt := range tests {
		w := serve(verifier(jwtbearer.HS256), tt.request)
		if w.Code != tt.status || w.Header().Get("WWW-Authenticate") != tt.challenge || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v, want %d %s and no-store", tt.name, w.Code, w.Header(), tt.status, tt.challenge)
		}
		answer := fmt.Sprint(w.Header(), w.Body)
		if before, ok := answers[tt.challenge]; ok && before != answer {
			t.Errorf("%s: the answer is %s, and to another such token %s", tt.name, answer, before)
		}
		answers[tt.challenge] = answer
		if strings.Contains(w.Body.String(), "issuer") {
			t.Errorf("%s: the request went through", tt.name)
		}
	}
}

func TestFromFindsTheOneToken(t *testing.T) {
	cookies := func(text string) *http.Request { return withHeader("Cookie", text) }
	query := func(text string) *http.Request { return httptest.NewRequest("GET", "/?"+text, nil) }
	tests := []struct {
		name string
		from func(*http.Request) string
		r    *http.Request
		want string
	}{
		{"bearer", verify.FromBearer, withHeader("Authorization", "Bearer t"), "t"},
		{"bearer, blanks around", verify.FromBearer, withHeader("Authorization", " Bearer  t "), "t"},
		{"bearer, blanks inside", verify.FromBearer, withHeader("Authorization", "Bearer t u"), "t u"},
		{"bearer twice", verify.FromBearer, withHeader("Authorization", "Bearer t", "Bearer t"), ""},
		{"header", verify.FromHeader("x-token"), withHeader("X-Token", " t "), "t"},
		{"header, absent", verify.FromHeader("X-Token"), withHeader("Authorization", "Bearer t"), ""},
		{"header twice", verify.FromHeader("X-Token"), withHeader("X-Token", "t", "u"), ""},
		{"query", verify.FromQuery("token"), query("a=1&token=t.u-v_w&b=2"), "t.u-v_w"},
		{"query, absent", verify.FromQuery("token"), query("Token=t"), ""},
		{"query twice", verify.FromQuery("token"), query("token=t&token=u"), ""},
		{"query twice, escaped", verify.FromQuery("token"), query("token=t&%74oken=u"), ""},
		{"query, not the body", verify.FromQuery("token"), httptest.NewRequest("POST", "/", strings.NewReader("token=t")), ""},
		{"cookie", verify.FromCookie("session"), cookies("a=1; session=t"), "t"},
		{"cookie, absent", verify.FromCookie("session"), cookies("a=1"), ""},
		{"cookie twice", verify.FromCookie("session"), cookies("session=t; session=u"), ""},
		{"cookie in two headers", verify.FromCookie("session"), withHeader("Cookie", "session=t", "session=u"), ""},
	}
	for _, tt := range tests {
		if got := tt.from(tt.r); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	wantRefused(t, verifier(jwtbearer.HS256), "", verify.Malformed)
}

func TestHandlerLooksOnlyWhereItIsTold(t *testing.T) {
	v := verifier(jwtbearer.HS256)
	good := goodToken(jwtbearer.HS256)
	tests := []struct {
		name   string
		from   func(*http.Request) string
		header string
		want   int
	}{
		{"bearer beside a bad parameter", nil, "Bearer " + good, 200},
		{"a bad parameter beside a bearer", verify.FromQuery("token"), "Bearer " + good, 401},
	}
	for _, tt := range tests {
		v.From = tt.from
		r := httptest.NewRequest("GET", "/?token=bad", nil)
		r.Header.Set("Authorization", tt.header)
		if w := serve(v, r); w.Code != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, w.Code, tt.want)
		}
	}
	v.From = verify.FromQuery("token")
	if w := serve(v, httptest.NewRequest("GET", "/?token="+good+"&token="+good, nil)); w.Code != 401 {
		t.Errorf("two parameters: %d, want 401", w.Code)
	}
}

// TestHandlerTellsTheServersOwnFaultsFromTheTokens has a source of keys that is down, and settings that are wrong.
func TestHandlerTellsTheServersOwnFaultsFromTheTokens(t *testing.T) {
	s, v := newRemote()
	s.set(down)
	w := serve(v, withHeader("Authorization", "Bearer "+rsaToken(rsaKey())))
	if w.Code != 503 || w.Header().Get("Retry-After") != "60" || w.Header().Get("WWW-Authenticate") != "" {
		t.Errorf("without keys: %d %v, want 503 with Retry-After 60", w.Code, w.Header())
	}
	v.Methods = nil
	if w := serve(v, withHeader("Authorization", "Bearer "+rsaToken(rsaKey()))); w.Code != 500 || strings.Contains(w.Body.String(), "Methods") {
		t.Errorf("without Methods: %d %s, want 500 without the reason", w.Code, w.Body)
	}
}

func TestLoggerIsToldWhy(t *testing.T) {
	var log strings.Builder
	v := verifier(jwtbearer.HS256)
	v.Logger = slog.New(slog.NewTextHandler(&log, nil))
	expired := claimsToken(`{"iss":"issuer","aud":"me","exp":1}`)
	serve(v, withHeader("Authorization", "Bearer "+expired))
	serve(v, withHeader("Authorization", "Bearer a", "Bearer b"))
	serve(v, withHeader("X"))
	v.Methods = nil
	serve(v, withHeader("Authorization", "Bearer "+expired))
	for _, want := range []string{"level=INFO msg=\"token refused\" status=401 reason=expired", "level=INFO msg=\"no token, or more than one\" status=401",
		"level=ERROR msg=\"no token can be verified\" status=500"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log has no %s:\n%s", want, &log)
		}
	}
	if strings.Contains(log.String(), strings.Split(expired, ".")[1]) {
		t.Errorf("the log shows a token:\n%s", &log)
	}
}

func TestHandlerKeepsACacheControlThatIsThere(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("Cache-Control", "no-cache")
	verifier(jwtbearer.HS256).Handler(tellClaims).ServeHTTP(w, withHeader("Authorization", "Bearer "+goodToken(jwtbearer.HS256)))
	if got := w.Header().Get("Cache-Control"); got != "no-cache" {
		t.Errorf("Cache-Control = %q, want no-cache, as an outer handler set it", got)
	}
}

// TestKeysErrorCanBeTakenApart has the error of the network behind it.
func TestKeysErrorCanBeTakenApart(t *testing.T) {
	s, v := newRemote()
	broken := errors.New("broken")
	s.set(func(*http.Request) (*http.Response, error) { return nil, broken })
	if err := v.Verify(t.Context(), rsaToken(rsaKey()), nil); !errors.Is(err, broken) {
		t.Errorf("Verify = %v, want the error of the network in its chain", err)
	}
}
