package jwtbearer

import (
	"crypto/tls"
	"net/http/httptrace"
	"sync"
	"time"
)

// A netTrace times what net/http tells of a request. Its hooks run in several goroutines.
type netTrace struct {
	mu                    sync.Mutex
	resolve, connect, tls phase
	state                 *tls.ConnectionState
	host                  string // where the connection leads
	reused                bool   // it was open already
	wrote, first          time.Time
}

// A phase is a step that net/http tells the beginning and the end of.
type phase struct {
	begun time.Time
	took  time.Duration
	done  bool
	err   error
}

// begin notes the first beginning: net/http tries several addresses, also at once.
func (p *phase) begin() {
	if p.begun.IsZero() {
		p.begun = time.Now()
	}
}

// end notes how it ended. A success stays one, whatever comes of the other addresses.
func (p *phase) end(err error) {
	if !p.done || p.err != nil {
		p.took, p.done, p.err = time.Since(p.begun), true, err
	}
}

func (p *phase) step(name string) Step {
	switch {
	case p.begun.IsZero():
		return Step{Name: name, Status: StatusSkipped}
	case !p.done:
		return Step{Name: name, Status: StatusFailed, Detail: "did not end in time", Took: time.Since(p.begun)}
	case p.err != nil:
		return Step{Name: name, Status: StatusFailed, Detail: detailOf(p.err), Took: p.took}
	}
	return Step{Name: name, Status: StatusOK, Took: p.took}
}

func (t *netTrace) hooks() *httptrace.ClientTrace {
	locked := func(f func()) {
		t.mu.Lock()
		defer t.mu.Unlock()
		f()
	}
	return &httptrace.ClientTrace{
		GetConn: func(host string) {
			locked(func() {
				if t.host != host { // a redirect: the last host is what the report is about
					t.resolve, t.connect, t.tls, t.state = phase{}, phase{}, phase{}, nil
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

// times are when the request was written and when the first byte of the answer came; zero: that is not known.
func (t *netTrace) times() (wrote, first time.Time) {
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

// latency is the time between the two.
func (t *netTrace) latency() time.Duration {
	wrote, first := t.times()
	return first.Sub(wrote)
}

// report adds the steps of the network.
func (t *netTrace) report(r *Report) {
	t.mu.Lock()
	defer t.mu.Unlock()
	connect, secured := t.connect.step("connect"), t.tls.step("tls")
	if t.reused && connect.Status == StatusSkipped {
		connect.Detail = "a connection was open already"
	}
	if secured.Status == StatusOK && t.state != nil {
		secured.Detail = tls.VersionName(t.state.Version)
		if certs := t.state.PeerCertificates; len(certs) > 0 {
			secured.Detail += ", certificate until " + certs[0].NotAfter.Format(time.DateOnly)
		}
	}
	r.Steps = append(r.Steps, t.resolve.step("resolve"), connect, secured)
}

// stage is what the request had come to when it ended without an answer; empty: that is not known.
func (t *netTrace) stage() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range []struct {
		name string
		*phase
	}{{"tls", &t.tls}, {"connect", &t.connect}, {"resolve", &t.resolve}} {
		if !s.begun.IsZero() && (!s.done || s.err != nil) {
			return s.name
		}
	}
	if !t.wrote.IsZero() && t.first.IsZero() {
		return "request"
	}
	return ""
}

// unanswered reports whether a connection was had on which not a byte came back.
func (t *netTrace) unanswered() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.connect.done && t.connect.err == nil && (t.tls.begun.IsZero() || t.tls.done && t.tls.err == nil) && t.first.IsZero()
}

// stoppedBeforeTLS reports whether a connection was had, but its use for https did not begin.
func (t *netTrace) stoppedBeforeTLS() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.connect.done && t.connect.err == nil && t.tls.begun.IsZero() && t.wrote.IsZero()
}
