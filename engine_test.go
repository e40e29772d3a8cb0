package jwtbearer

import (
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestEngineNeverSeesTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var paths []string
		api := &fakeAPI{handle: func(n int, r *http.Request) (*http.Response, error) {
			pc := make([]uintptr, 50)
			frames := runtime.CallersFrames(pc[:runtime.Callers(0, pc)])
			var names []string
			for more := true; more; {
				var frame runtime.Frame
				frame, more = frames.Next()
				names = append(names, frame.Function)
			}
			paths = append(paths, strings.Join(names, "\n"))
			if r.URL.Host != "api.example.com" || r.URL.User != nil {
				t.Errorf("attempt %d went to %s", n, r.URL)
			}
			if n < 4 {
				return fakeReply(503, "", "Location", "https://evil.example/", "Retry-After", "nonsense"), nil
			}
			return fakeReply(302, "", "Location", "https://evil.example/"), nil
		}}
		c := dialFake(t, api, nil)
		req := fakeRequest(t, "PUT", strings.NewReader("body"))
		resp, err := c.RoundTrip(req)
		if err != nil || resp.StatusCode != 302 || api.count() != 4 || c.Stats().Attempts != 4 {
			t.Fatalf("RoundTrip = %v, %v after %d attempts, want the 302 after 4", resp, err, api.count())
		}
		const engine = "go-retryablehttp"
		if strings.Contains(paths[0], engine) {
			t.Error("the first attempt is driven by the engine, want a call without retries not to pay for it")
		}
		for i, path := range paths[1:] {
			if !strings.Contains(path, engine) {
				t.Errorf("attempt %d is not driven by the engine", i+2)
			}
		}
		for i, got := range api.requests() {
			if got.body != "body" || got.method != "PUT" {
				t.Errorf("attempt %d sent %s %q, want PUT body", i+1, got.method, got.body)
			}
		}
	})
}

func TestEngineIsGivenARequestOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := dialFake(t, replies(fakeReply(503, "")), nil)
		k := &call{c: c.core, ctx: t.Context(), req: fakeRequest(t, "POST", strings.NewReader("body")), next: nextNone}
		d := &driver{call: k}
		mine, _ := http.NewRequest("GET", "http://attempt.invalid/", nil)
		resp, err := d.RoundTrip(mine)
		if err != nil || resp.StatusCode != http.StatusNoContent || resp.Body != http.NoBody || len(resp.Header) != 0 {
			t.Errorf("the engine gets %v, %v, want an empty answer", resp, err)
		}
		if retry, err := d.checkRetry(t.Context(), nil, nil); retry || err != nil {
			t.Errorf("CheckRetry = %v, %v, want what the call says: no", retry, err)
		}
		k.pause = 42 * time.Second
		if got := d.backoff(0, 0, 7, nil); got != k.pause {
			t.Errorf("Backoff = %v, want the call's %v", got, k.pause)
		}
	})
}
