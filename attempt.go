package jwtbearer

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
	"github.com/seed-363d07a3/jwtbearer/internal/dial"
	"github.com/seed-363d07a3/jwtbearer/internal/pace"
	"github.com/seed-363d07a3/jwtbearer/internal/template"
)

// An attempt is what one attempt needs, in one piece of memory.
type attempt struct {
	req   http.Request // that is sent
	slot  pace.Slot
	watch body.Watch
	trace *dial.Trace // nil: what it tells would change nothing
	body  body.Answer
	token minted // where one is minted for this attempt alone
	url   url.URL
	field [1]string // the header that holds the token
}

// abandon ends an attempt that is not sent, or of whose answer nobody hears. It does nothing where it has ended.
func (a *attempt) abandon() {
	a.watch.End()
	a.slot.GiveBack()
	a.body.Close()
}

// prepare builds the request of one attempt: the caller's, with the headers of the connection and a token minted for it.
func (k *call) prepare(a *attempt) (*http.Request, error) {
	out := &a.req
	*out = *k.req.WithContext(k.traced(a))
	out.Response = nil
	a.url = *k.req.URL
	out.URL = &a.url
	k.c.finalize(out)
	if out.Header = maps.Clone(k.req.Header); out.Header == nil {
		out.Header = make(http.Header)
	}
	if k.odd {
		k.c.respell(out.Header)
	}
	var values *template.Request // nil: nobody looks
	if k.c.looks&template.NeedRequest != 0 {
		values = k.c.requestValues(out, k.body)
	}
	token, err := k.mint(a, values)
	if err != nil {
		k.unminted = true
		return nil, err
	}
	k.token = token
	if k.c.hop != nil {
		if err := k.c.hop.compose(out, values, token.value); err != nil {
			return nil, err
		}
	}
	if err := k.c.setHeaders(out.Header, values, token.value); err != nil {
		return nil, err
	}
	if k.body != nil {
		out.GetBody = k.body.Next // net/http asks for it to send the body again on another connection
		if out.Body, err = k.body.Next(); err != nil {
			return nil, err
		}
	}
	if err := k.c.place(out, token, a.field[:0]); err != nil {
		return nil, err
	}
	a.watch.Request(out)
	return out, nil
}

// traced is the context of a, with a trace where that may change what follows an error: a request that may be repeated after
// any error needs none, unless our own dials ask for it.
func (k *call) traced(a *attempt) context.Context {
	if k.mayRepeat() && !k.c.ownDials {
		return a.watch.Context()
	}
	a.trace = dial.NewTrace(a.watch.Context())
	return a.trace.Context()
}

// mint returns the token for an attempt: the one that the call has, one that others have too, or a fresh one.
func (k *call) mint(a *attempt, values *template.Request) (*minted, error) {
	if k.ticket != nil {
		return k.ticket, nil
	}
	m := k.c.minter
	if t, err := m.shared(k.ctx); t != nil || err != nil {
		return t, err
	}
	return &a.token, m.mint(&a.token, values, a.slot.Now())
}

// mayReplace reports whether there can be another token in the place of a refused one.
func (k *call) mayReplace() bool {
	return k.c.access != nil || k.ticket == nil && k.c.minter.signer != nil
}

// drop forgets a token that was refused, if it is still the one that serves.
func (c *core) drop(t *minted) {
	if c.access != nil {
		c.access.drop(t)
		return
	}
	c.minter.drop(t)
}

// afterRefusal follows an answer that refuses the token. It is replaced once by a fresh one, whose time is corrected where
// the answer shows that the clocks differ. A token that stays refused is kept: to mint again is no help for a minute.
func (k *call) afterRefusal() {
	k.c.stats.refused.Add(1)
	k.log(slog.LevelWarn, "token refused", "status", k.resp.StatusCode)
	if k.reminted {
		k.c.refusals.lasting(k.answered)
		k.c.skew.Replace(k.token.skew, k.skewBefore)
		return
	}
	if !k.mayReplace() || !k.c.refusals.mayRemint(k.answered) {
		return
	}
	if k.c.access == nil { // the API did not see a time of ours
		k.c.skew.Refused(k.token.skew, k.resp.Header, k.sent, k.answered)
	}
	k.c.drop(k.token)
	if !k.canRepeat() {
		return
	}
	k.reminted, k.skewBefore = true, k.token.skew
	k.counted--
	k.next = nextAtOnce
}

// tokenAccepted takes note of an answer that accepted the token.
func (c *core) tokenAccepted(header http.Header, sent, received time.Time) {
	c.refusals.end()
	c.skew.Accepted(header, sent, received)
}

const refusalPause = time.Minute // in which no token is minted anew after a fresh one was refused too

// refusals remembers that fresh tokens are refused too, so that not every call mints a second one in vain.
type refusals struct{ until atomic.Int64 } // Unix time in nanoseconds; zero: not so

func (r *refusals) lasting(now time.Time)        { r.until.Store(now.Add(refusalPause).UnixNano()) }
func (r *refusals) mayRemint(now time.Time) bool { return now.UnixNano() >= r.until.Load() }

func (r *refusals) end() {
	if r.until.Load() != 0 {
		r.until.Store(0)
	}
}
