package dial

import (
	"crypto/tls"
	"net/http/httptrace"
	"sync"
	"time"
)

// Phases are the times of what net/http tells of a request. Its hooks run in several goroutines.
type Phases struct {
	mu                    sync.Mutex
	resolve, connect, tls Phase
	state                 *tls.ConnectionState
	host                  string // where the connection leads
	reused                bool   // it was open already
	wrote, first          time.Time
}

// A Phase is a step of which net/http tells the beginning and the end.
type Phase struct {
	Begun bool
	Done  bool // it ended
	Err   error
	Took  time.Duration // or takes, where it has not ended

	began time.Time
}

// begin notes the first beginning: net/http tries several addresses, also at once.
func (p *Phase) begin() {
	if !p.Begun {
		p.Begun, p.began = true, time.Now()
	}
}

// end notes how it ended. A success stays one, whatever comes of the other addresses.
func (p *Phase) end(err error) {
	if !p.Done || p.Err != nil {
		p.Took, p.Done, p.Err = time.Since(p.began), true, err
	}
}

// Hooks note the times.
func (t *Phases) Hooks() *httptrace.ClientTrace {
	locked := func(f func()) {
		t.mu.Lock()
		defer t.mu.Unlock()
		f()
	}
	return &httptrace.ClientTrace{
		GetConn: func(host string) {
			locked(func() {
				if t.host != host { // a redirect: the last host is what the report is about
					t.resolve, t.connect, t.tls, t.state = Phase{}, Phase{}, Phase{}, nil
				}
				t.host, t.reused = host, false
				t.wrote, t.first = time.Time{}, time.Time{}
			})
		},
		GotConn:           func(i httptrace.GotConnInfo) { locked(func() { t.reused = i.Reused }) },
		DNSStart:          func(httptrace.DNSStartInfo) { locked(t.resolve.begin) },
		DNSDone:           func(i httptrace.DNSDoneInfo) { locked(func() { t.resolve.end(i.Err) }) },
		ConnectStart:      func(string, string) { locked(t.connect.begin) },
		ConnectDone:       func(_, _ string, err error) { locked(func() { t.connect.end(err) }) },
		TLSHandshakeStart: func() { locked(t.tls.begin) },
		TLSHandshakeDone: func(state tls.ConnectionState, err error) {
			locked(func() {
				t.tls.end(err)
				t.state = &state
			})
		},
		WroteRequest:         func(httptrace.WroteRequestInfo) { locked(func() { t.wrote = time.Now() }) },
		GotFirstResponseByte: func() { locked(func() { t.first = time.Now() }) },
	}
}

// Times are when the request was written and when the first byte of the answer came; zero: that is not known.
func (t *Phases) Times() (wrote, first time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.wrote.IsZero() || t.first.IsZero() {
		return time.Time{}, time.Time{}
	}
	if t.first.Before(t.wrote) { // the API answered before it had the whole body
		return t.first, t.first
	}
	return t.wrote, t.first
}

// Latency is the time between the two.
func (t *Phases) Latency() time.Duration {
	wrote, first := t.Times()
	return first.Sub(wrote)
}

// Stage is what the request had come to when it ended without an answer; empty: that is not known.
func (t *Phases) Stage() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range []struct {
		name string
		*Phase
	}{{"tls", &t.tls}, {"connect", &t.connect}, {"resolve", &t.resolve}} {
		if s.Begun && (!s.Done || s.Err != nil) {
			return s.name
		}
	}
	if !t.wrote.IsZero() && t.first.IsZero() {
		return "request"
	}
	return ""
}

// Unanswered reports whether a connection was had on which not a byte came back.
func (t *Phases) Unanswered() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.connect.Done && t.connect.Err == nil && (!t.tls.Begun || t.tls.Done && t.tls.Err == nil) && t.first.IsZero()
}

// StoppedBeforeTLS reports whether a connection was had, but its use for https did not begin.
func (t *Phases) StoppedBeforeTLS() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.connect.Done && t.connect.Err == nil && !t.tls.Begun && t.wrote.IsZero()
}

// A View is how far a request came on the network.
type View struct {
	Resolve, Connect, TLS Phase
	Reused                bool                 // the connection was open already
	State                 *tls.ConnectionState // nil: no handshake ended
}

// View returns what is known now.
func (t *Phases) View() View {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := View{Resolve: t.resolve, Connect: t.connect, TLS: t.tls, Reused: t.reused, State: t.state}
	for _, p := range []*Phase{&v.Resolve, &v.Connect, &v.TLS} {
		if p.Begun && !p.Done {
			p.Took = time.Since(p.began)
		}
	}
	return v
}
