package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/connfile"
	"github.com/seed-363d07a3/jwtbearer/internal/demoapi"
)

// handlerTransport carries requests to a handler in memory, so that they may be made in a bubble.
type handlerTransport struct{ handler http.Handler }

func (h handlerTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body == nil {
		req.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, req)
	return w.Result(), nil
}

// dialDemo makes a client of what demo would serve and write.
func dialDemo(t *testing.T, c demoCommand) (*jwtbearer.Client, *demoapi.API) {
	t.Helper()
	d, ok := findDialect(c.dialect)
	if !ok {
		t.Fatalf("there is no dialect %q", c.dialect)
	}
	key, err := newDemoKey(c.method)
	if err != nil {
		t.Fatal(err)
	}
	api, err := demoapi.New(c.config(key, d))
	if err != nil {
		t.Fatal(err)
	}
	file, err := demoFile("http://127.0.0.1:1", key, d, c.exchange)
	if err != nil {
		t.Fatal(err)
	}
	conns, err := connfile.Parse(file)
	if err != nil {
		t.Fatalf("%v in\n%s", err, file)
	}
	conns[0].Transport = handlerTransport{api}
	client, err := jwtbearer.NewClient(conns[0])
	if err != nil {
		t.Fatal(err)
	}
	return client, api
}

func TestDemoFileUnderstandsItsDialect(t *testing.T) {
	for _, dialect := range dialectNames() {
		synctest.Test(t, func(t *testing.T) {
			client, api := dialDemo(t, demoCommand{method: "HS256", dialect: dialect, rate: 10, burst: 5})
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					for range 5 {
						err := post(t, client)
						if _, later := jwtbearer.RetryAfter(err); err != nil && !(later && dialect == "salesforce") {
							t.Errorf("%s: Do = %v, want nil", dialect, err)
						}
					}
				})
			}
			wg.Wait()
			want := 20
			if dialect == "salesforce" { // whose quota is that of a day, for which nobody waits
				want = 5
			}
			seen := api.Stats()
			if seen.Accepted != want {
				t.Errorf("%s: %d accepted, want %d", dialect, seen.Accepted, want)
			}
			if got := client.Stats().Throttles; got != uint64(seen.Throttled) {
				t.Errorf("%s: the client counts %d throttles, the API %d", dialect, got, seen.Throttled)
			}
		})
	}
}

func post(t *testing.T, client *jwtbearer.Client) error {
	req, err := client.NewRequest(t.Context(), http.MethodPost, "/items", "{}")
	if err != nil {
		return err
	}
	_, err = client.Do(req, io.Discard)
	return err
}

func TestDemoFileSignsByEveryMethod(t *testing.T) {
	for _, method := range demoMethods {
		for _, exchange := range []bool{false, true} {
			client, _ := dialDemo(t, demoCommand{method: strings.ToLower(method), dialect: "bare", exchange: exchange})
			report, err := client.Test(t.Context())
			if err != nil {
				t.Errorf("%s, exchange %t: %v\n%s", method, exchange, err, report)
			}
		}
	}
}
