package jwtbearer

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/pace"
	"github.com/seed-363d07a3/jwtbearer/internal/renew"
)

const exchangeMost = 10 * time.Minute // for one exchange, with all waits

// accessTokens fetches the access token of a connection, and keeps it while it serves.
//
// Concurrent calls share one exchange; a call that gives up does not cancel it. It goes on in a goroutine of its own that ends with
// it, and with a context of its own, since what one caller's context holds is not meant for the others. Near its expiry a token is
// renewed while it still serves: nobody waits while there is a good one.
//
// It is safe for concurrent use.
type accessTokens struct {
	core  *core // of the API
	hops  []*hop
	tells bool   // the answer of a hop tells the base URI
	path  string // what follows that
	plain bool   // it may be plain http

	kept renew.Cache[*minted]
	mu   sync.Mutex // for the address of core, while it changes
}

// get returns an access token. It waits for one only where none serves.
func (a *accessTokens) get(ctx context.Context, p pace.Patience) (*minted, error) {
	if err := ctx.Err(); err != nil {
		return nil, contextError(ctx)
	}
	p.Gate = min(p.Gate, 0) // the bound is the token endpoint's own
	p = p.Within(ctx)
	refuse := func() error { return a.refuse(p) }
	if _, ok := a.kept.Serving(); !ok {
		if err := refuse(); err != nil { // nothing is begun that nobody waits for
			return nil, err
		}
	}
	t, run, begun := a.kept.Join()
	if begun {
		go a.renew(run)
	}
	if t != nil {
		return t, nil
	}
	t, err := run.Await(ctx, refuse)
	if err != nil && err == ctx.Err() {
		err = contextError(ctx)
	}
	return t, err
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

// renew makes an exchange for all who wait for it.
func (a *accessTokens) renew(run *renew.Run[*minted]) {
	ctx, cancel := context.WithTimeout(context.Background(), exchangeMost)
	defer cancel()
	var got exchanged
	var err error
	defer func() {
		if v := recover(); v != nil { // it would end the program, since nobody stands above this goroutine
			err = fmt.Errorf("jwtbearer: exchange: the Key, Transport or Logger panicked with a %T", v)
		}
		run.End(got.token, err)
	}()
	got, err = a.exchange(ctx, false, run.Stir)
}

// exchange makes all hops, one after the other. shut is called when a gate closes.
func (a *accessTokens) exchange(ctx context.Context, probe bool, shut func()) (got exchanged, err error) {
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
func (a *accessTokens) drop(t *minted) { a.kept.Drop(t) }
