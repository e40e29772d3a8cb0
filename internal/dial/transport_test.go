package dial

import (
	"net/http"
	"testing"
	"time"
)

// TestDeadHTTP2ConnectionsAreLookedFor holds the setting; that net/http acts on it is its own promise.
func TestDeadHTTP2ConnectionsAreLookedFor(t *testing.T) {
	got := New().HTTP2
	if got == nil || got.SendPingTimeout != pingAfter || got.PingTimeout != pingTimeout {
		t.Errorf("HTTP2 is %+v, want a PING after %s that is waited for %s", got, pingAfter, pingTimeout)
	}
	before := http.DefaultTransport
	defer func() { http.DefaultTransport = before }()
	http.DefaultTransport = &http.Transport{HTTP2: &http.HTTP2Config{SendPingTimeout: time.Minute}}
	if got := New().HTTP2.SendPingTimeout; got != time.Minute {
		t.Errorf("SendPingTimeout is %s, want the minute of http.DefaultTransport", got)
	}
}
