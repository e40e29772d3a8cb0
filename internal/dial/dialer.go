package dial

import (
	"context"
	"errors"
	"net"
	"sync"
)

// maxConnects is how many TCP connects to one address run at once.
const maxConnects = 4

// errServed ends a dial whose request needs no connection any more. Nobody sees it: net/http does not wait for it any more.
var errServed = errors.New("jwtbearer: the request was served by another connection")

// A dialer keeps a burst of requests from opening a connection each. net/http begins a dial for every request that finds no
// idle connection, and lets it go on when one becomes free meanwhile. So few connects run at once, and one whose request was
// served while it waited for its turn is dropped. A dialer is safe for concurrent use.
type dialer struct {
	connect func(ctx context.Context, network, addr string) (net.Conn, error)

	mu    sync.Mutex
	lanes map[string]*lane // by address
}

// A lane leads to one address.
type lane struct {
	turns chan struct{} // holds one for each connect under way
	users int           // dials that wait or connect
}

func newDialer(connect func(context.Context, string, string) (net.Conn, error)) *dialer {
	return &dialer{connect: connect, lanes: make(map[string]*lane)}
}

// DialContext is for http.Transport.
func (d *dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	l := d.join(addr)
	defer d.quit(addr, l)
	trace, _ := ctx.Value(traceKey{}).(*Trace)
	select {
	case l.turns <- struct{}{}:
		defer func() { <-l.turns }()
	case <-trace.ended():
		return nil, trace.unwanted()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := trace.unwanted(); err != nil {
		return nil, err
	}
	return d.connect(ctx, network, addr)
}

func (d *dialer) join(addr string) *lane {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.lanes[addr]
	if l == nil {
		l = &lane{turns: make(chan struct{}, maxConnects)}
		d.lanes[addr] = l
	}
	l.users++
	return l
}

func (d *dialer) quit(addr string, l *lane) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if l.users--; l.users == 0 {
		delete(d.lanes, addr)
	}
}
