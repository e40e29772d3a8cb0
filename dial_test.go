package jwtbearer

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestFewConnectsToOneAddressRunAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDialer(slowConnect(new(atomic.Int64), time.Second))
		dialAll := func(addr string, dials int, want time.Duration) {
			began := time.Now()
			var wg sync.WaitGroup
			for range dials {
				wg.Go(func() { d.DialContext(t.Context(), "tcp", addr) })
			}
			wg.Wait()
			if got := time.Since(began); got != want {
				t.Errorf("%d dials to %s took %v, want %v", dials, addr, got, want)
			}
		}
		var wg sync.WaitGroup
		wg.Go(func() { dialAll("a:443", 9, 3*time.Second) })
		wg.Go(func() { dialAll("b:443", 4, time.Second) })
		wg.Wait()
		if len(d.lanes) != 0 {
			t.Errorf("%d addresses are remembered, want none", len(d.lanes))
		}
	})
}

func TestDialsThatNobodyWaitsForAreDropped(t *testing.T) {
	tests := []struct {
		name   string
		happen func(hooks *httptrace.ClientTrace, cancelDial, cancelAttempt func())
		want   error
		after  time.Duration
	}{
		{"still wanted", func(*httptrace.ClientTrace, func(), func()) {}, nil, 2 * time.Second},
		{"served", func(h *httptrace.ClientTrace, _, _ func()) { h.GotConn(httptrace.GotConnInfo{}) }, errServed, time.Second},
		{"served, but not by a connection that lasted", func(h *httptrace.ClientTrace, _, _ func()) {
			h.GotConn(httptrace.GotConnInfo{})
			h.GetConn("a:443")
		}, nil, 2 * time.Second},
		{"dial cancelled", func(_ *httptrace.ClientTrace, dial, _ func()) { dial() }, context.Canceled, 0},
		{"attempt ended", func(_ *httptrace.ClientTrace, _, attempt func()) { attempt() }, context.Canceled, 0},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			var connects atomic.Int64
			d := newDialer(slowConnect(&connects, time.Second))
			for range maxConnects {
				go d.DialContext(t.Context(), "tcp", "a:443")
			}
			synctest.Wait()
			attempt, cancelAttempt := context.WithCancel(t.Context())
			defer cancelAttempt()
			trace := &connTrace{attempt: attempt}
			ctx, cancelDial := context.WithCancel(context.WithoutCancel(trace.context())) // as net/http does
			defer cancelDial()
			began := time.Now()
			go func() {
				synctest.Wait()
				test.happen(httptrace.ContextClientTrace(ctx), cancelDial, cancelAttempt)
			}()
			_, err := d.DialContext(ctx, "tcp", "a:443")
			if took := time.Since(began); err != test.want || took != test.after {
				t.Errorf("%s: the dial ended with %v after %v, want %v after %v", test.name, err, took, test.want, test.after)
			}
			if got, want := connects.Load() == maxConnects+1, test.want == nil; got != want {
				t.Errorf("%s: connected = %v, want %v", test.name, got, want)
			}
			time.Sleep(time.Minute)
		})
	}
}

func TestFastAnswersNeedFewConnections(t *testing.T) {
	const workers, requests = 32, 30 // requests of each
	synctest.Test(t, func(t *testing.T) {
		listener := make(pipeListener)
		srv := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
		go srv.Serve(listener)
		defer srv.Close()
		var connects atomic.Int64
		connect := slowConnect(&connects, 100*time.Millisecond)
		c := dialFake(t, nil, func(conn *Connection) {
			conn.BaseURI = "http://localhost"
			conn.RateLimit.Fixed = true // all workers begin at once
		})
		c.core.transport.(*http.Transport).DialContext = newDialer(func(ctx context.Context, network, addr string) (net.Conn, error) {
			if _, err := connect(ctx, network, addr); err != nil {
				return nil, err
			}
			client, server := net.Pipe()
			listener <- server
			return client, nil
		}).DialContext
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

// slowConnect counts connects that take a while and open nothing.
func slowConnect(n *atomic.Int64, took time.Duration) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		n.Add(1)
		return nil, sleep(ctx, took)
	}
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
