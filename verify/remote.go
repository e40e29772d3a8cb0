package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/origin"
)

const (
	keysAge      = 4 * time.Hour // after which keys are fetched again
	againEvery   = time.Hour     // a token that could not be verified makes for a fetch at most this often
	retryFirst   = time.Minute   // after a fetch that failed; while keys are there it doubles each time,
	retryMost    = time.Hour     // up to this
	fetchTimeout = 10 * time.Second
	staleWait    = time.Second // for the renewal of keys that are there
	maxSet       = 1 << 20     // bytes
	maxKeys      = 256
	maxRedirects = 3
)

// remote is a set that is published at an address. Whoever needs keys that are not there starts the one fetch that
// there may be at a time, or joins it. A fetch outlives the call that began it, by the timeout at most; nothing else
// runs in the background.
type remote struct {
	name   string // of the constructor
	url    *url.URL
	flaw   string // why the address cannot be used
	client *http.Client
	read   func(body []byte) (*keyring, error)

	mu     sync.Mutex
	ring   *keyring      // nil: no fetch has succeeded yet
	flight *flight       // nil: no fetch is under way
	failed *KeysError    // of the last fetch
	pause  time.Duration // that it makes for
	next   time.Time     // no fetch for want of keys, or for their age, before this
	asked  time.Time     // when a token that could not be verified last made for a fetch
}

// A flight is one fetch. Its outcome is set before done is closed.
type flight struct {
	done chan struct{}
	ring *keyring // nil: it failed
	err  error
	told atomic.Bool
}

// news returns the error to the first who asks, so that one log record tells of it, and not one for each who waited.
func (f *flight) news() error {
	if f.err == nil || f.told.Swap(true) {
		return nil
	}
	return f.err
}

// newRemote takes over a copy of client, which follows redirects only to where keys may be fetched from.
func newRemote(name, address string, client *http.Client, read func([]byte) (*keyring, error)) *remote {
	r := &remote{name: name, client: &http.Client{}, read: read}
	if client != nil {
		*r.client = *client
	}
	follow := r.client.CheckRedirect
	r.client.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return errors.New("too many redirects")
		}
		if !mayFetch(req.URL) || req.URL.Scheme == "http" && via[len(via)-1].URL.Scheme == "https" {
			return errors.New("a redirect away from https")
		}
		req.Header.Del("Referer") // it has the query of the address
		if follow != nil {
			return follow(req, via)
		}
		return nil
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "":
		r.flaw = "the address of the keys is not an absolute URL"
	case !mayFetch(u):
		r.flaw = "the address of the keys is not https: whoever sits on the way could put in a key of their own"
	}
	r.url = u
	return r
}

// mayFetch reports whether what comes from u cannot have been changed on the way: it is https, or this machine.
func mayFetch(u *url.URL) bool {
	o, err := origin.Of(u)
	return err == nil && (o.Scheme == "https" || o.Scheme == "http" && o.Loopback())
}

// Format implements fmt.Formatter for all verbs. Of the address only the origin is shown: a query may hold an API key.
func (r *remote) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "verify.%s(%s)", r.name, r.origin())
}

func (r *remote) origin() string {
	if r.flaw != "" {
		return ""
	}
	return r.url.Scheme + "://" + r.url.Host
}

func (r *remote) of(*token) (source, error) {
	if r.flaw != "" {
		return nil, &ConfigError{"Keys", r.flaw}
	}
	return r, nil
}

// Keys implements KeySet.
func (r *remote) Keys(ctx context.Context, t Unverified) ([]Key, error) { return keysOf(ctx, r, t) }

// current implements source. Keys that are too old are renewed first; if that fails or takes long, they serve on.
func (r *remote) current(ctx context.Context) (ring *keyring, fresh bool, err error) {
	ring, f, err := r.board(ctx, time.Now())
	if f == nil {
		return ring, false, err
	}
	var slow <-chan time.Time
	if ring != nil {
		timer := time.NewTimer(staleWait)
		defer timer.Stop()
		slow = timer.C
	}
	landed, err := f.wait(ctx, slow)
	switch {
	case err != nil:
		return nil, false, err
	case !landed && f.told.Swap(true):
		return ring, false, nil
	case !landed:
		return ring, false, &KeysError{r.origin() + ": no response within " + staleWait.String(), 0, nil}
	case f.ring != nil:
		return f.ring, true, nil
	case ring != nil:
		return ring, false, f.news()
	}
	return nil, false, f.err
}

// board decides whether there is a fetch to wait for. The keys are returned in any case, if there are some; without
// keys or a fetch, why there are none.
func (r *remote) board(ctx context.Context, now time.Time) (*keyring, *flight, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	paused := r.flight == nil && now.Before(r.next)
	switch {
	case r.ring != nil && (paused || now.Sub(r.ring.fetched) < keysAge):
		return r.ring, nil, nil
	case paused:
		return nil, nil, &KeysError{r.failed.Problem, r.next.Sub(now), r.failed.cause}
	}
	return r.ring, r.start(ctx), nil
}

// newer implements source. A fetch that was just made for a token that could not be verified all the same counts as the
// one that such tokens may cause.
func (r *remote) newer(ctx context.Context, seen *keyring, fresh bool) (*keyring, error) {
	ring, f := r.boardAgain(ctx, time.Now(), seen, fresh)
	if f == nil {
		return ring, nil
	}
	if _, err := f.wait(ctx, nil); err != nil {
		return nil, err
	}
	return f.ring, f.news()
}

func (r *remote) boardAgain(ctx context.Context, now time.Time, seen *keyring, fresh bool) (*keyring, *flight) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ring != seen {
		return r.ring, nil
	}
	if r.flight == nil {
		if !r.asked.IsZero() && now.Sub(r.asked) < againEvery {
			return nil, nil
		}
		r.asked = now
		if fresh {
			return nil, nil
		}
	}
	return nil, r.start(ctx)
}

// start begins a fetch unless one is under way. r.mu must be held. The fetch keeps the values of ctx, for tracing, but
// not its end: others may be waiting for it.
func (r *remote) start(ctx context.Context) *flight {
	if r.flight == nil {
		f := &flight{done: make(chan struct{})}
		r.flight = f
		go r.run(context.WithoutCancel(ctx), f)
	}
	return r.flight
}

// wait waits for the outcome, until it is slow, or until ctx ends.
func (f *flight) wait(ctx context.Context, slow <-chan time.Time) (landed bool, err error) {
	select {
	case <-f.done:
		return true, nil
	case <-slow:
		return false, nil
	case <-ctx.Done():
		return false, &KeysError{"the call ended while they were being fetched", 0, context.Cause(ctx)}
	}
}

func (r *remote) run(ctx context.Context, f *flight) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	began := time.Now()
	ring, err := r.fetch(ctx)

	r.mu.Lock()
	defer r.mu.Unlock()
	r.flight = nil
	if err == nil {
		ring.fetched = began
		f.ring = ring
		r.ring, r.failed, r.pause, r.next = f.ring, nil, 0, time.Time{}
	} else {
		if r.ring == nil {
			r.pause = 0 // nothing can be verified meanwhile
		}
		r.pause = min(max(2*r.pause, retryFirst), retryMost)
		r.next = time.Now().Add(r.pause)
		r.failed = &KeysError{r.origin() + ": " + query.ReplaceAllString(err.Error(), "?******"), r.pause, err}
		f.err = r.failed
	}
	close(f.done)
}

// fetch gets what is published now. What is not wholly as it should be is a failure, so that the keys from before serve on.
func (r *remote) fetch(ctx context.Context) (*keyring, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url.String(), nil)
	if err != nil {
		return nil, errors.New("the address cannot be requested")
	}
	req.Header.Set("Accept", "application/json, */*;q=0.5")
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxSet+1))
	switch {
	case err != nil:
		return nil, withoutURL(err)
	case len(body) > maxSet:
		return nil, fmt.Errorf("the response is longer than %d KiB", maxSet>>10)
	}
	return r.read(body)
}

// query is that of a URL in the text of an error, such as of a Location that cannot be read.
var query = regexp.MustCompile(`\?[^\s"]*`)

// withoutURL takes off what http.Client puts around an error, which has the whole URL in it.
func withoutURL(err error) error {
	if outer, ok := errors.AsType[*url.Error](err); ok {
		return outer.Err
	}
	return err
}
