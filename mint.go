package jwtbearer

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/jws"
	"github.com/seed-363d07a3/jwtbearer/internal/renew"
	"github.com/seed-363d07a3/jwtbearer/internal/template"
	"github.com/seed-363d07a3/jwtbearer/internal/waits"
)

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
	skew    *skew
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

// grantFacts are what the answer of a token endpoint tells of an access token.
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
	skew := m.skew.get()
	buf := mintBuffers.Get().(*mintBuffer)
	defer buf.free()
	buf.env = template.Env{Now: now.Add(skew), Request: req}
	if err := m.render(buf); err != nil {
		return err
	}
	m.stats.minted.Add(1)
	t.field, t.skew = string(buf.token), skew
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
