package demoapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// scripted returns an API with a script, and a function that calls it with a good token.
func scripted(t *testing.T, c Config, answers ...Answer) (*API, func(method, path string) *httptest.ResponseRecorder) {
	c.Record = true
	a, n := newAPI(t, c), 0
	a.Next(answers...)
	return a, func(method, path string) *httptest.ResponseRecorder {
		n++
		r := httptest.NewRequest(method, path, strings.NewReader("body"))
		r.Header.Set("Authorization", "Bearer "+sign(t, claims(fmt.Sprint(n), nil)))
		w := httptest.NewRecorder()
		func() {
			defer func() {
				if v := recover(); v != nil {
					if v != http.ErrAbortHandler {
						panic(v)
					}
					w.Code = 0 // no answer
				}
			}()
			a.ServeHTTP(w, r)
		}()
		return w
	}
}

func mustOn(t *testing.T, a Answer, pattern string) Answer {
	t.Helper()
	on, err := a.On(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return on
}

func TestScriptServesEachRequestTheFirstAnswerForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, call := scripted(t, config(), mustOn(t, Failing(404), "GET /a"), Failing(500).Times(2),
			Throttling(1500*time.Millisecond), Resetting(), Refusing(), Failing(204), Delaying(time.Minute))
		for i, tt := range []struct {
			path string
			want int
		}{{"/b", 500}, {"/a", 404}, {"/a", 500}, {"/a", 429}, {"/a", 0}, {"/a", 401}, {"/a", 204}, {"/a", 200}, {"/a", 200}} {
			if w := call("GET", tt.path); w.Code != tt.want {
				t.Errorf("request %d, to %s: %d, want %d", i+1, tt.path, w.Code, tt.want)
			}
		}
		if left := a.Pending(); len(left) > 0 {
			t.Errorf("%v is left of the script", left)
		}
		want := Stats{Requests: 9, Accepted: 2, Throttled: 1, Refused: map[Reason]int{OnRequest: 1}}
		if got := a.Stats(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("Stats() = %+v, want %+v", got, want)
		}
	})
}

func TestVisitsTellWhatBecameOfEachRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config()
		c.Limit = Limit{Rate: 1, Burst: 1}
		a, call := scripted(t, c, Throttling(2*time.Second), Resetting())
		began := time.Now()
		for range 4 {
			call("PUT", "/a?b=c")
			time.Sleep(time.Millisecond)
		}
		get(a, "not a token")
		for i, want := range []Visit{
			{Status: 429, Answer: "throttled for 2s", Throttled: true, Wait: 2 * time.Second},
			{Status: 0, Answer: "connection reset"},
			{Status: 200},
			{Status: 429, Throttled: true, Wait: 999 * time.Millisecond},
			{Status: 401, Refused: Malformed},
		} {
			got := a.Visits()[i]
			if got.Status != want.Status || got.Answer != want.Answer || got.Throttled != want.Throttled || got.Wait != want.Wait ||
				got.Refused != want.Refused {
				t.Errorf("visit %d is %+v, want %+v", i+1, got, want)
			}
			if took := got.Time.Sub(began); took != time.Duration(i)*time.Millisecond {
				t.Errorf("visit %d came after %v", i+1, took)
			}
			if i == 4 {
				continue
			}
			if got.Method != "PUT" || got.URL.String() != "/a?b=c" || string(got.Body) != "body" || got.Token == "" ||
				!strings.Contains(string(got.Claims), fmt.Sprintf(`"jti":"%d"`, i+1)) || !strings.Contains(string(got.JOSE), "HS256") {
				t.Errorf("visit %d is %+v, want the request and what its token says", i+1, got)
			}
		}
	})
}

func TestCuttingAndDrippingKeepTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config()
		c.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Mine", "yes")
			w.WriteHeader(http.StatusAccepted)
			fmt.Fprint(w, "0123456789")
		})
		_, call := scripted(t, c, Dripping(time.Second), Cutting())
		began := time.Now()
		w := call("GET", "/")
		if w.Code != 202 || w.Body.String() != "0123456789" || w.Header().Get("X-Mine") != "yes" {
			t.Errorf("dripping: %d %q %v, want the handler's answer", w.Code, w.Body, w.Header())
		}
		if took := time.Since(began); took != 4*time.Second {
			t.Errorf("dripping takes %v, want a second before each of four pieces", took)
		}
		if w := call("GET", "/"); w.Body.String() != "01234" || w.Header().Get("Content-Length") != "10" {
			t.Errorf("cutting: %q of %s, want half of 10", w.Body, w.Header().Get("Content-Length"))
		}
	})
}

func TestSkewMovesTheClockOfTheAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config()
		c.Dialect, _ = Profile("app-store-server")
		a, call := scripted(t, c, Throttling(time.Second))
		a.SetSkew(30 * time.Second) // tokens of a minute are still good
		w := call("GET", "/")
		if got, want := w.Header().Get("Date"), "Sat, 01 Jan 2000 00:00:30 GMT"; got != want {
			t.Errorf("Date is %q, want %q", got, want)
		}
		if got, want := w.Header().Get("Retry-After"), "946684831000"; got != want {
			t.Errorf("Retry-After is %q, want %q", got, want)
		}
		a.SetSkew(2 * time.Minute)
		if w := call("GET", "/"); !strings.Contains(w.Body.String(), string(Expired)) {
			t.Errorf("two minutes ahead: %d %s, want %q", w.Code, w.Body, Expired)
		}
		a.SetSkew(-2 * time.Hour)
		if w := call("GET", "/"); !strings.Contains(w.Body.String(), string(ExpiresTooLate)) {
			t.Errorf("two hours behind: %d %s, want %q", w.Code, w.Body, ExpiresTooLate)
		}
	})
}

func TestCheckIsAskedBeforeTheJTIIsUsedUp(t *testing.T) {
	c := config()
	wrong := errors.New(`"quoted"` + "\n" + `and \ more`)
	c.Check = func(v Visit) error {
		if v.Method == http.MethodGet && strings.Contains(string(v.Claims), `"jti":"1"`) {
			return wrong
		}
		return nil
	}
	a := newAPI(t, c)
	token := sign(t, claims("1", nil))
	w := get(a, token)
	var body map[string]string
	json.Unmarshal(w.Body.Bytes(), &body)
	if w.Code != http.StatusUnauthorized || body["error_description"] != wrong.Error() {
		t.Errorf("GET = %d %s, want 401 and the reason", w.Code, w.Body)
	}
	if got := w.Header().Get("WWW-Authenticate"); !strings.HasSuffix(got, `error_description="'quoted' and / more"`) {
		t.Errorf("the challenge is %q, want the reason in the characters of RFC 6750", got)
	}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w = httptest.NewRecorder()
	if a.ServeHTTP(w, r); w.Code != http.StatusOK {
		t.Errorf("POST with the same token = %d %s, want 200", w.Code, w.Body)
	}
	if got := a.Visits(); len(got) > 0 {
		t.Errorf("%d visits are kept without Record", len(got))
	}
}

func TestTokensWithoutExpiryNeedAnAge(t *testing.T) {
	c := config()
	c.AllowNoExpiry = true
	a := newAPI(t, c)
	now := time.Now()
	for _, tt := range []struct {
		name    string
		changes map[string]any
		want    string
	}{
		{"exp", nil, ""},
		{"iat", map[string]any{"exp": nil, "iat": now.Add(-59 * time.Minute).Unix()}, ""},
		{"an old iat", map[string]any{"exp": nil, "iat": now.Add(-61 * time.Minute).Unix()}, string(Expired)},
		{"neither", map[string]any{"exp": nil}, string(NoExpiry)},
	} {
		w := get(a, sign(t, claims(tt.name, tt.changes)))
		if ok := w.Code == http.StatusOK; ok != (tt.want == "") || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("a token with %s: %d %s, want %q", tt.name, w.Code, w.Body, tt.want)
		}
	}
}

func TestGrantTakesAJWTWhereverItIs(t *testing.T) {
	for name, ask := range map[string]func(token string) *http.Request{
		"header": func(token string) *http.Request {
			r := httptest.NewRequest("POST", "/token", nil)
			r.Header.Set("Authorization", "Bearer "+token)
			return r
		},
		"query": func(token string) *http.Request { return httptest.NewRequest("POST", "/token?t="+token, nil) },
		"form": func(token string) *http.Request {
			r := httptest.NewRequest("POST", "/token", strings.NewReader("grant_type=a.b.c&client_assertion="+token))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
			return r
		},
		"JSON": func(token string) *http.Request {
			r := httptest.NewRequest("POST", "/token", strings.NewReader(`{"ttl":60,"grant":"x","jwt":"`+token+`"}`))
			r.Header.Set("Content-Type", "application/json")
			return r
		},
	} {
		c := config()
		c.Grant = &Grant{Pattern: "POST /token"}
		a := newAPI(t, c)
		serve := func(r *http.Request) (*httptest.ResponseRecorder, map[string]any) {
			w, body := httptest.NewRecorder(), map[string]any{}
			a.ServeHTTP(w, r)
			json.Unmarshal(w.Body.Bytes(), &body)
			return w, body
		}
		w, granted := serve(ask(sign(t, claims("1", nil))))
		token, _ := granted["access_token"].(string)
		if w.Code != http.StatusOK || !strings.HasPrefix(token, AccessTokenPrefix) || granted["expires_in"] != 3600.0 ||
			granted["token_type"] != "Bearer" {
			t.Errorf("%s: %d %s, want an access token", name, w.Code, w.Body)
		}
		if w := get(a, token); w.Code != http.StatusOK {
			t.Errorf("%s: the API answers the access token with %d %s", name, w.Code, w.Body)
		}
		if w := get(a, sign(t, claims("2", nil))); !strings.Contains(w.Body.String(), string(UnknownToken)) {
			t.Errorf("%s: the API answers a JWT with %d %s, want %q", name, w.Code, w.Body, UnknownToken)
		}
		if w := get(a, ""); !strings.Contains(w.Body.String(), string(Missing)) {
			t.Errorf("%s: the API answers a request without token with %d %s, want %q", name, w.Code, w.Body, Missing)
		}
		if w, refused := serve(ask("x")); w.Code != http.StatusBadRequest || refused["error"] != "invalid_grant" {
			t.Errorf("%s: %d %s for no JWT, want 400 invalid_grant", name, w.Code, w.Body)
		}
	}
}
