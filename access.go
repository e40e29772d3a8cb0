package jwtbearer

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/pace"
)

const (
	renewMost    = 5 * time.Minute  // before it expires, an access token is renewed
	exchangeMost = 10 * time.Minute // for one exchange, with all waits
)

// accessTokens fetches the access token of a connection, and keeps it while it serves.
//
// One exchange goes on at a time, in a goroutine of its own that ends with it, so that no caller who leaves ends it for the
// others, and with a context of its own, since what one caller's context holds is not meant for the others. Near its expiry
// a token is renewed while it still serves: nobody waits while there is a good one.
//
// It is safe for concurrent use.
type accessTokens struct {
	core  *core // of the API
	hops  []*hop
	tells bool   // the answer of a hop tells the base URI
	path  string // what follows that
	plain bool   // it may be plain http

	current atomic.Pointer[minted] // nil: none
	mu      sync.Mutex
	flight  *exchange // under way; nil: none
	pause   time.Time // until then a token that serves is not renewed, since that failed
}

// An exchange is under way, and others wait for it.
type exchange struct {
	done  chan struct{}
	token *minted
	err   error

	mu   sync.Mutex
	shut chan struct{} // is closed, and replaced, when a gate closes
}

// newExchange returns an exchange that nobody has begun.
func newExchange() *exchange {
	return &exchange{done: make(chan struct{}), shut: make(chan struct{})}
}

// fresh returns the token that serves, if it need not be renewed yet.
func (a *accessTokens) fresh() *minted {
	if t := a.current.Load(); t != nil && time.Now().Before(t.grant.renew) {
		return t
	}
	return nil
}

// serving returns the token that serves; nil: none does.
func (a *accessTokens) serving() *minted {
	if t := a.current.Load(); t.serves() {
		return t
	}
	return nil
}

// get returns an access token. It waits for one only where none serves.
func (a *accessTokens) get(ctx context.Context, p pace.Patience) (*minted, error) {
	if err := ctx.Err(); err != nil {
		return nil, contextError(ctx)
	}
	p.Gate = min(p.Gate, 0) // the bound is the token endpoint's own
	p = p.Within(ctx)
	if a.serving() == nil {
		if err := a.refuse(p); err != nil { // nothing is begun that nobody waits for
			return nil, err
		}
	}
	t, flight := a.board()
	if t != nil {
		return t, nil
	}
	return a.await(ctx, p, flight)
}

// board returns the token that serves, or the exchange that gives the next one. It begins that where it is due.
func (a *accessTokens) board() (*minted, *exchange) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t, now := a.serving(), time.Now()
	due := t == nil || !now.Before(t.grant.renew) && !now.Before(a.pause)
	if due && a.flight == nil {
		a.flight = newExchange()
		go a.fly(a.flight)
	}
	return t, a.flight
}

// await waits for an exchange. Who cannot wait until the gate of a token endpoint opens is told at once.
func (a *accessTokens) await(ctx context.Context, p pace.Patience, flight *exchange) (*minted, error) {
	for {
		shut := flight.closing()
		if err := a.refuse(p); err != nil && !flight.isOver() {
			return nil, err
		}
		select {
		case <-flight.done:
			return flight.token, flight.err
		case <-shut:
		case <-ctx.Done():
			return nil, contextError(ctx)
		}
	}
}

// isOver reports whether the exchange has ended.
func (x *exchange) isOver() bool {
	select {
	case <-x.done:
		return true
	default:
		return false
	}
}

// closing is closed when the next gate closes.
func (x *exchange) closing() <-chan struct{} {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.shut
}

// close tells those who wait that a gate closed.
func (x *exchange) close() {
	x.mu.Lock()
	defer x.mu.Unlock()
	close(x.shut)
	x.shut = make(chan struct{})
}

// refuse tells whether the gate of a token endpoint is closed for longer than somebody may wait.
func (a *accessTokens) refuse(p pace.Patience) error {
	for _, h := range a.hops {
		if shut := h.core.line.Refusal(p); shut != nil {
			return &prefixed{"token endpoint", throttledBy(shut)}
		}
	}
	return nil
}

// fly makes an exchange for all who wait for it.
func (a *accessTokens) fly(x *exchange) {
	ctx, cancel := context.WithTimeout(context.Background(), exchangeMost)
	defer cancel()
	defer func() {
		if v := recover(); v != nil { // it would end the program, since nobody stands above this goroutine
			x.token, x.err = nil, fmt.Errorf("jwtbearer: exchange: the Key, Transport or Logger panicked with a %T", v)
		}
		a.land(x)
	}()
	got, err := a.exchange(ctx, false, x.close)
	x.token, x.err = got.token, err
}

// land ends an exchange. Where a renewal failed, the next one comes after a quarter of the time that is left.
func (a *accessTokens) land(x *exchange) {
	a.mu.Lock()
	a.flight = nil
	if old := a.serving(); x.err == nil {
		a.current.Store(x.token)
	} else if old != nil {
		a.pause = time.Now().Add(max(time.Second, time.Until(old.until)/4))
	}
	a.mu.Unlock()
	close(x.done)
}

// exchange makes all hops, one after the other. shut is called when a gate closes.
func (a *accessTokens) exchange(ctx context.Context, probe bool, shut func()) (got grant, err error) {
	for _, h := range a.hops {
		if got, err = h.run(ctx, got, probe, shut); err != nil {
			return got, err
		}
	}
	if a.tells {
		if err := a.relocate(got); err != nil {
			return got, err
		}
	}
	a.core.stats.exchanges.Add(1)
	return got, nil
}

// drop forgets a token that the API refused, if it is still the one that serves.
func (a *accessTokens) drop(t *minted) { a.current.CompareAndSwap(t, nil) }
