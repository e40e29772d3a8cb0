// Package dial knows connections: the default transport, which of its dials somebody still wants, how far an attempt came on the
// network, and what an error of it means for another attempt. It must never know what is sent.
package dial

import (
	"net"
	"net/http"
	"time"
)

// headerBytes is how much the headers of one response may hold where the transport is ours; net/http lets them have 10 MB.
const headerBytes = 256 << 10

// When a connection of HTTP/2 is asked whether it still lives, and for how long that is waited for (RFC 9113, section 6.7). Else the
// kernel finds out after a quarter of an hour that a peer, or a firewall on the way, is gone.
const (
	pingAfter   = 10 * time.Second
	pingTimeout = 5 * time.Second
)

// New returns a clone of http.DefaultTransport for many requests to one host, which it by itself would let keep
// two idle connections. Its dials to one address stand in line, and those whose request was served meanwhile are dropped: a
// burst of requests with fast answers would otherwise open a connection each, most of them for nothing.
func New() *http.Transport {
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok { // somebody replaced it
		t = &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, DialContext: new(net.Dialer).DialContext}
	}
	t = t.Clone()
	t.MaxIdleConns = 256
	t.MaxIdleConnsPerHost = 128
	if t.MaxResponseHeaderBytes <= 0 || t.MaxResponseHeaderBytes > headerBytes {
		t.MaxResponseHeaderBytes = headerBytes
	}
	if t.HTTP2 == nil { // else somebody set it
		t.HTTP2 = &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout}
	}
	if t.DialContext != nil { // else somebody's own transport has another way to dial
		t.DialContext = newDialer(t.DialContext).DialContext
	}
	return t
}
