// Command throttle measures how much of an API's allowance a client uses, and how many of its requests are refused, where
// the API throttles in one of several dialects. Everything runs in this process, over loopback and in real time.
//
//	go run ./throttle -client jwtbearer -runs 5
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/seed-363d07a3/jwtbearer/internal/demoapi"
)

const secret = "a secret of the benchmark, 32 bytes or more"

func main() {
	var (
		only     = flag.String("client", "", "run only the clients whose names begin so")
		wanted   = flag.String("dialect", "", "run only the dialects whose names contain this")
		limits   = flag.String("policy", "", "run only this policy: bucket or window")
		runs     = flag.Int("runs", 5, "how often each is run; the medians are shown")
		calls    = flag.Int("calls", 600, "calls of a run")
		workers  = flag.Int("workers", 8, "goroutines that make them")
		timeout  = flag.Duration("timeout", 90*time.Second, "after which a run ends and its calls are lost")
		parallel = flag.Int("parallel", 1, "runs at a time, each with a server and a client of its own")
	)
	flag.Parse()
	var rows []*row
	for _, p := range policies() {
		for _, d := range dialects() {
			for _, c := range clients() {
				if strings.HasPrefix(c.name, *only) && strings.Contains(d.name, *wanted) && strings.Contains(p.name, *limits) {
					rows = append(rows, &row{policy: p, dialect: d, client: c, results: make([]result, *runs)})
				}
			}
		}
	}
	load := load{calls: *calls, workers: *workers, timeout: *timeout}
	if err := measure(rows, load, *parallel); err != nil {
		log.Fatal(err)
	}
	print(rows, load)
}

// A row is one line of the table.
type row struct {
	policy  policy
	dialect dialect
	client  client
	results []result
}

// A load is what a run asks for.
type load struct {
	calls, workers int
	timeout        time.Duration
}

// A result is what one run reached.
type result struct {
	speed    float64 // % of the ideal: the least time in which the calls that were answered are admitted, of the time it took
	refused  float64 // % of the requests
	answered float64 // % of the calls that ended in the API's own answer
}

// measure makes all runs, so many at a time.
func measure(rows []*row, l load, parallel int) error {
	var wg sync.WaitGroup
	places, failed := make(chan struct{}, max(1, parallel)), make(chan error, 1)
	for _, r := range rows {
		for i := range r.results {
			places <- struct{}{}
			wg.Go(func() {
				defer func() { <-places }()
				var err error
				if r.results[i], err = r.run(i, l); err != nil {
					select {
					case failed <- fmt.Errorf("%s, %s, %s: %w", r.client.name, r.policy.name, r.dialect.name, err):
					default:
					}
				}
			})
		}
	}
	wg.Wait()
	close(failed)
	return <-failed
}

// run makes one run: a server, a client and all calls.
func (r *row) run(i int, l load) (result, error) {
	api, err := demoapi.New(demoapi.Config{
		Keys:        []demoapi.Key{{Verify: []byte(secret)}},
		Methods:     []string{"HS256"},
		AllowReplay: true,
		Limit:       r.policy.limit,
		Dialect:     r.dialect.server,
	})
	if err != nil {
		return result{}, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return result{}, err
	}
	srv := &http.Server{Handler: api}
	go srv.Serve(listener)
	defer srv.Close()
	url := "http://" + listener.Addr().String()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"exp": time.Now().Add(30 * time.Minute).Unix()}).
		SignedString([]byte(secret))
	if err != nil {
		return result{}, err
	}
	transport, err := r.client.make(url, token, r.policy, r.dialect)
	if err != nil {
		return result{}, err
	}
	r.policy.start(i, len(r.results))
	begin := time.Now()
	answered := l.make(&http.Client{Transport: transport}, url)
	took := time.Since(begin)
	seen := api.Stats()
	return result{
		speed:    100 * r.policy.ideal(answered, begin).Seconds() / took.Seconds(),
		refused:  100 * float64(seen.Throttled) / float64(max(1, seen.Requests)),
		answered: 100 * float64(answered) / float64(l.calls),
	}, nil
}

// make makes all calls and returns how many ended in the API's own answer.
func (l load) make(c *http.Client, url string) int {
	ctx, cancel := context.WithTimeout(context.Background(), l.timeout)
	defer cancel()
	var wg sync.WaitGroup
	var begun, answered atomic.Int64
	for range l.workers {
		wg.Go(func() {
			for begun.Add(1) <= int64(l.calls) && ctx.Err() == nil {
				if call(ctx, c, url) {
					answered.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return int(answered.Load())
}

// call makes one call and reports whether the API itself answered: it echoes the request.
func call(ctx context.Context, c *http.Client, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/items", nil)
	if err != nil {
		return false
	}
	resp, err := c.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	var echo struct{ Path string }
	err = json.NewDecoder(resp.Body).Decode(&echo)
	return err == nil && resp.StatusCode == http.StatusOK && echo.Path == "/items"
}

func print(rows []*row, l load) {
	fmt.Printf("%d calls, %d workers, %s, %d CPUs; medians\n\n", l.calls, l.workers, runtime.Version(), runtime.NumCPU())
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "| policy \t| dialect \t| client \t| % of the ideal speed \t| worst \t| % refused \t| worst \t| % answered \t|")
	fmt.Fprintln(w, "|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|")
	for _, r := range rows {
		speed, slowest, _ := spread(r.results, func(r result) float64 { return r.speed })
		refused, _, most := spread(r.results, func(r result) float64 { return r.refused })
		answered, _, _ := spread(r.results, func(r result) float64 { return r.answered })
		fmt.Fprintf(w, "| %s \t| %s \t| %s \t| %.1f \t| %.1f \t| %.2f \t| %.2f \t| %.1f \t|\n",
			r.policy.name, r.dialect.name, r.client.name, speed, slowest, refused, most, answered)
	}
	w.Flush()
}

// spread is the median, the least and the most of what the runs reached.
func spread(results []result, value func(result) float64) (median, least, most float64) {
	values := make([]float64, 0, len(results))
	for _, r := range results {
		values = append(values, value(r))
	}
	if len(values) == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	slices.SortFunc(values, cmp.Compare)
	return values[len(values)/2], values[0], values[len(values)-1]
}
