// Quickstart calls an API that wants a new token of the caller's for every request and that throttles in a way of its own.
// The API runs in this program, on a loopback port; everything else is what a program for a real one looks like.
package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/internal/demoapi"
)

func main() {
	log.SetFlags(0)
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	baseURI, key, stop, err := startAPI()
	if err != nil {
		return err
	}
	defer stop()

	client, err := jwtbearer.NewClient(&jwtbearer.Connection{
		Name:            "quickstart",
		BaseURI:         baseURI,
		SignatureMethod: jwtbearer.RS256,
		PrivateKey:      jwtbearer.Secret(key), // as it comes out of an environment variable, with \n for its newlines
		Payload: `{"iss": "quickstart", "aud": "demo", "iat": "{{now}}", "exp": "{{now 60}}",
		           "jti": "{{uuid}}"}`,
		RateLimit: jwtbearer.RateLimit{
			// The API throttles with 403 and {"error":{"code":"rate_limit_exceeded"}}, ...
			Rules: []jwtbearer.Rule{{Status: []int{403}, Path: "error.code", Values: []string{"rate_limit_exceeded"}}},
			// ... and tells how long to wait in X-Retry-After-Ms: 47.
			Wait: []jwtbearer.Extract{{Header: "X-Retry-After-Ms", As: "millis"}},
		},
	})
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()

	report, err := client.Test(ctx)
	fmt.Println(report)
	if err != nil {
		return err
	}
	return callAll(ctx, client, 100, 8)
}

// callAll makes n requests from several goroutines. What the API throttles is the client's affair, not ours.
func callAll(ctx context.Context, client *jwtbearer.Client, n, workers int) error {
	var wg sync.WaitGroup
	var next, succeeded atomic.Int64
	start := time.Now()
	for range workers {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				if err := call(ctx, client, i); err != nil {
					log.Printf("request %d: %v", i, err)
					continue
				}
				succeeded.Add(1)
			}
		})
	}
	wg.Wait()
	stats := client.Stats()
	fmt.Printf("%d of %d requests succeeded in %.1f s: %d tokens minted, throttled %d times\n",
		succeeded.Load(), n, time.Since(start).Seconds(), stats.Minted, stats.Throttles)
	if failed := int64(n) - succeeded.Load(); failed > 0 {
		return fmt.Errorf("%d requests failed", failed)
	}
	return nil
}

func call(ctx context.Context, client *jwtbearer.Client, i int64) error {
	req, err := client.NewRequest(ctx, http.MethodGet, fmt.Sprintf("/items/%d", i), nil)
	if err != nil {
		return err
	}
	var answer struct{ Path string }
	if _, err := client.Do(req, &answer); err != nil {
		return err
	}
	if answer.Path != req.URL.Path {
		return fmt.Errorf("the API answered for %q instead of %q", answer.Path, req.URL.Path)
	}
	return nil
}

// startAPI starts the API, which takes 20 requests per second, and returns its address and a key that it knows.
func startAPI() (baseURI, key string, stop func() error, err error) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", "", nil, err
	}
	api, err := demoapi.New(demoapi.Config{
		Keys:    []demoapi.Key{{Verify: rsaKey.Public()}},
		Methods: []string{"RS256"}, Issuer: "quickstart", Audience: "demo", RequireJTI: true,
		Limit: demoapi.Limit{Rate: 20, Burst: 20}, Dialect: demoapi.MillisHeader(),
	})
	if err != nil {
		return "", "", nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", nil, err
	}
	server := &http.Server{Handler: api, ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(l) // ends with stop
	block := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)})
	return "http://" + l.Addr().String(), strings.ReplaceAll(string(block), "\n", `\n`), server.Close, nil
}
