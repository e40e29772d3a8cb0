package jwtbearer

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestFastAnswersNeedFewConnections(t *testing.T) {
	const workers, requests = 32, 30 // requests of each
	synctest.Test(t, func(t *testing.T) {
		listener := make(pipeListener)
		srv := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
		go srv.Serve(listener)
		defer srv.Close()
		var connects atomic.Int64
		before := http.DefaultTransport // of which the client's is a copy
		defer func() { http.DefaultTransport = before }()
		http.DefaultTransport = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			connects.Add(1)
			time.Sleep(100 * time.Millisecond)
			client, server := net.Pipe()
			listener <- server
			return client, nil
		}}
		c := dialFake(t, nil, func(conn *Connection) {
			conn.BaseURI = "http://localhost"
			conn.RateLimit.Fixed = true // all workers begin at once
		})
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for range requests {
					req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://localhost/", nil)
					if resp, err := c.RoundTrip(req); err != nil || resp.Body.Close() != nil {
						t.Errorf("RoundTrip: %v", err)
						return
					}
				}
			})
		}
		wg.Wait()
		time.Sleep(time.Minute)
		// The first connects take as long as all requests that follow; while they run, as many more may begin.
		if got, want := connects.Load(), int64(8); got > want {
			t.Errorf("%d workers opened %d connections, want at most %d", workers, got, want)
		}
		c.CloseIdleConnections()
	})
}

// A pipeListener accepts what is sent to it.
type pipeListener chan net.Conn

func (l pipeListener) Accept() (net.Conn, error) {
	conn, ok := <-l
	if !ok {
		return nil, errors.New("closed")
	}
	return conn, nil
}

func (l pipeListener) Close() error   { close(l); return nil }
func (l pipeListener) Addr() net.Addr { return &net.TCPAddr{} }
