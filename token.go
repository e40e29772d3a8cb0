package jwtbearer

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/jws"
	"github.com/seed-363d07a3/jwtbearer/internal/pace"
	"github.com/seed-363d07a3/jwtbearer/internal/place"
	"github.com/seed-363d07a3/jwtbearer/internal/renew"
	"github.com/seed-363d07a3/jwtbearer/internal/skew"
	"github.com/seed-363d07a3/jwtbearer/internal/template"
	"github.com/seed-363d07a3/jwtbearer/internal/waits"
)

const exchangeMost = 10 * time.Minute // for one exchange, with all waits

// errSignerGone is what others get who waited for a token whose minting ended in a panic. That goes on where it happened.
var errSignerGone = errors.New("jwtbearer: the Key panicked while it signed a token")

// A minter makes the tokens of one connection.
type minter struct {
	ready   *minted // the ready-made token, instead of all below
	signer  *jws.Signer
	header  *template.Object
	head    []byte // the first part of the token, where it never changes
	payload *template.Object
	reuse   time.Duration // how long one token serves; zero: a fresh one for every attempt
	skew    *skew.Clock
	stats   *counters
	before  string // what stands before the token in the first header that holds it, such as "Bearer "; empty: nothing

	kept renew.Cache[*minted] // where it is reused
}

// A minted is a signed token.
type minted struct {
	value string
	field string        // the same after its scheme, as a header has it; empty, or both are one piece of memory
	skew  time.Duration // the correction of its time
	until time.Time     // how long it serves; zero: for one attempt
	grant *grantFacts   // nil: it is no access token
}

// grantFacts are what the response of a token endpoint tells of an access token.
type grantFacts struct {
	scheme string    // its type; empty: not told
	expiry time.Time // zero: not known
	renew  time.Time // from when on it is renewed while it still serves
}

// after is the token as a header holds it, after a scheme.
func (t *minted) after(scheme string) string {
	if scheme == "" {
		return t.value
	}
	if n := len(t.field) - len(t.value) - 1; n == len(scheme) && t.field[:n] == scheme {
		return t.field
	}
	return scheme + " " + t.value
}

// Times implements renew.Value.
func (t *minted) Times() (renew, until time.Time) {
	if t.grant != nil {
		return t.grant.renew, t.until
	}
	return t.until, t.until
}

// serves reports whether the token may be used again. There may be none.
func (t *minted) serves() bool { return t != nil && time.Now().Before(t.until) }

// needs says what the templates of a token look at.
func (m *minter) needs() template.Needs {
	if m.signer == nil {
		return 0
	}
	return m.header.Needs() | m.payload.Needs()
}

// shared returns the token that serves several attempts; nil: each has one of its own.
func (m *minter) shared(ctx context.Context) (*minted, error) {
	if m.signer == nil {
		return m.ready, nil
	}
	if m.reuse == 0 {
		return nil, nil
	}
	t, ok := m.kept.Fresh()
	if ok {
		m.stats.reused.Add(1)
		return t, nil
	}
	t, run, begun := m.kept.Join()
	if begun {
		m.renew(run) // in this goroutine, where a panic goes on
		return run.Await(ctx, nil)
	}
	if t == nil {
		var err error
		if t, err = run.Await(ctx, nil); err != nil {
			return nil, err
		}
	}
	m.stats.reused.Add(1)
	return t, nil
}

// renew mints the next token to be reused, for all who wait for it.
func (m *minter) renew(run *renew.Run[*minted]) {
	t, err := new(minted), errSignerGone
	defer func() { run.End(t, err) }()
	err = m.mint(t, nil, time.Now())
}

// mint makes a fresh token in t.
func (m *minter) mint(t *minted, req *template.Request, now time.Time) error {
	ahead := m.skew.Get()
	buf := mintBuffers.Get().(*mintBuffer)
	defer buf.free()
	buf.env = template.Env{Now: now.Add(ahead), Request: req}
	if err := m.render(buf); err != nil {
		return err
	}
	m.stats.minted.Add(1)
	t.field, t.skew = string(buf.token), ahead
	t.value = t.field[len(m.before):]
	if m.reuse > 0 {
		// Without the monotonic clock, which stands still while a machine sleeps, but the API's does not.
		t.until = now.Round(0).Add(usefulLife(t.value, buf.env.Now, m.reuse))
	}
	return nil
}

// render makes the token in buf, after what stands before it.
func (m *minter) render(buf *mintBuffer) (err error) {
	e := &buf.env
	if buf.payload, err = m.payload.Render(buf.payload[:0], e); err != nil {
		return &prefixed{"Payload", err}
	}
	head := m.head
	if head == nil {
		if buf.header, err = m.header.Render(buf.header[:0], e); err != nil {
			return &prefixed{"JWTHeaders", err}
		}
		buf.head = jws.AppendHead(buf.head[:0], buf.header)
		head = buf.head
	}
	if buf.token, err = m.signer.Append(append(buf.token[:0], m.before...), head, buf.payload); err != nil {
		return &prefixed{"sign", err}
	}
	return nil
}

// drop forgets a token that was refused, if it is still the one that serves.
func (m *minter) drop(t *minted) { m.kept.Drop(t) }

// mintBuffers holds the memory that a minting needs and does not keep.
var mintBuffers = sync.Pool{New: func() any { return new(mintBuffer) }}

type mintBuffer struct {
	env                          template.Env
	header, head, payload, token []byte
}

func (b *mintBuffer) free() {
	b.env = template.Env{}
	mintBuffers.Put(b)
}

// usefulLife tells how long a token of that time serves: for reuse, or until a margin before its exp claim.
func usefulLife(token string, made time.Time, reuse time.Duration) time.Duration {
	expiry := expiryOf(token)
	if expiry.IsZero() {
		return reuse
	}
	life := expiry.Sub(made)
	return min(reuse, life-min(life/10, 30*time.Second))
}

// expiryOf reads the exp claim of a token (RFC 7519, section 4.1.4), also where it is in milliseconds, as some APIs want it.
// It is zero where there is none.
func expiryOf(token string) time.Time {
	_, rest, _ := strings.Cut(token, ".")
	payload, _, _ := strings.Cut(rest, ".")
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return time.Time{}
	}
	var claims struct{ Exp json.Number }
	if json.Unmarshal(text, &claims) != nil {
		return time.Time{}
	}
	return waits.NumericDate(claims.Exp.String())
}

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
	tells bool   // the response of a hop tells the base URI
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

// place puts the token into an outgoing request, whose URL and headers are its own. room is for the values of a header.
func (c *core) place(out *http.Request, t *minted, room []string) error {
	token := t.value
	for _, p := range c.placements {
		switch p.In {
		case place.Header:
			out.Header[p.Name], room = append(room, t.after(c.schemeAt(p, t))), nil
		case place.Query:
			place.InQuery(out.URL, p.Name, token)
		case place.Cookie:
			place.InCookie(out.Header, p.Name, token)
		case place.Form:
			if err := place.InForm(out, p.Name, token, c.retry.BufferLimit); err != nil {
				return err
			}
		}
	}
	return nil
}

// schemeAt is what stands before a token in a header: the type of an access token, where Placement does not say.
func (c *core) schemeAt(p place.Place, t *minted) string {
	if c.typed && t.grant != nil && t.grant.scheme != "" {
		return t.grant.scheme
	}
	return p.Scheme
}

// respell takes care of the headers that the caller wrote in another case than net/http, so that none of ours is sent beside
// them: those that placements take are dropped, others that are ours to set too get their usual name.
func (c *core) respell(header http.Header) {
	for name, values := range header {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case canonical == name:
			continue
		case place.Has(c.placements, canonical):
		case c.mayAddTo(canonical):
			header[canonical] = slices.Concat(header[canonical], values)
		default:
			continue
		}
		delete(header, name)
	}
}

// mayAddTo reports whether a header of the caller may be one of ours too.
func (c *core) mayAddTo(name string) bool {
	return slices.ContainsFunc(c.headers, func(h headerTemplate) bool { return h.name == name }) ||
		name == "Cookie" && slices.ContainsFunc(c.placements, func(p place.Place) bool { return p.In == place.Cookie })
}
