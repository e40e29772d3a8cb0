package dial

import (
	"context"
	"net"
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
			trace := NewTrace(attempt)
			ctx, cancelDial := context.WithCancel(context.WithoutCancel(trace.Context())) // as net/http does
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

// slowConnect counts connects that take a while and open nothing.
func slowConnect(n *atomic.Int64, took time.Duration) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		n.Add(1)
		select {
		case <-time.After(took):
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
