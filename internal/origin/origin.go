// Package origin knows where an API is and who may receive its token: it compares hosts as net/http dials them, joins references
// to a base URI, and decides where a request may go. It must never know tokens, settings or responses.
package origin

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/idna"
)

// ErrForeign is the sentinel for a request that is addressed to an origin which must not receive the token.
var ErrForeign = errors.New("jwtbearer: the request is for another origin than the connection's")

// An Origin is who receives a token: scheme, host and port (RFC 6454, section 4). Host is what net/http dials: in lower case
// and in ASCII; Port is filled in. Two are the same if they are equal.
type Origin struct{ Scheme, Host, Port string }

// Of returns the origin of u. A host that cannot be dialled, since IDNA has no ASCII form for it, is an error.
func Of(u *url.URL) (Origin, error) {
	host, err := dialled(u.Hostname())
	if err != nil {
		return Origin{}, err
	}
	o := Origin{Scheme: strings.ToLower(u.Scheme), Host: host, Port: u.Port()}
	switch {
	case o.Port != "":
	case o.Scheme == "https":
		o.Port = "443"
	case o.Scheme == "http":
		o.Port = "80"
	}
	return o, nil
}

var errHost = errors.New("its host is no name that can be resolved (RFC 5891): write it in ASCII, as xn--…")

// dialled is the form of a host that net/http dials: ASCII as it is, anything else by the lookup profile of IDNA (RFC 5891,
// section 5). Only ASCII letters are put in lower case: Unicode would make an i of U+0130, whose IDNA form is another host.
func dialled(host string) (string, error) {
	if isASCII(host) {
		return strings.ToLower(host), nil
	}
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil || ascii == "" {
		return "", errHost
	}
	return strings.ToLower(ascii), nil
}

// ASCII is a host, with or without a port, as net/http dials it; what has no such form stays as it is.
func ASCII(host string) string {
	if isASCII(host) {
		return host
	}
	u := url.URL{Host: host}
	name, err := dialled(u.Hostname())
	if err != nil {
		return host
	}
	if port := u.Port(); port != "" {
		name += ":" + port
	}
	return name
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return false
		}
	}
	return true
}

func (o Origin) String() string { return o.Scheme + "://" + net.JoinHostPort(o.Host, o.Port) }

// Loopback reports whether the host is this machine, where nobody listens on the way: a loopback address, or localhost. A name
// below localhost is none: resolvers ask DNS for it, whatever RFC 6761, section 6.3, would have them do.
func (o Origin) Loopback() bool {
	if o.Host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(o.Host)
	return err == nil && ip.Unmap().IsLoopback()
}

// Plain reports whether anybody on the way could read what is sent to o: it is not https, and not this machine.
func (o Origin) Plain() bool { return o.Scheme != "https" && !o.Loopback() }

// Name is the origin of u for a message: what is dialled, or that it has none.
func Name(u *url.URL) string {
	o, err := Of(u)
	if err != nil {
		return fmt.Sprintf("a host that cannot be resolved (%+q)", u.Hostname())
	}
	return o.String()
}
