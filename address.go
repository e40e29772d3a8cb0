package jwtbearer

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/seed-363d07a3/jwtbearer/internal/problem"
)

// An address is where an API is, and who may have its token. It does not change.
type address struct {
	base    *url.URL // BaseURI
	text    string   // the same, byte for byte, without query
	origin  origin
	trusted []origin // besides origin
}

// newAddress makes the address of a base URI that checkBase accepted.
func newAddress(base *url.URL, text string, trusted []origin) *address {
	before, _, _ := strings.Cut(text, "?")
	return &address{base: base, text: before, origin: originOf(base), trusted: trusted}
}

// trusts reports whether u is of an origin that may have the token.
func (a *address) trusts(u *url.URL) bool {
	if u.Scheme == a.base.Scheme && u.Host == a.base.Host { // as nearly all are
		return true
	}
	o := originOf(u)
	return o == a.origin || slices.Contains(a.trusted, o)
}

// locate returns the address of the API. Where the token endpoint tells it, there must be an access token first.
func (c *core) locate(ctx context.Context) (*address, error) {
	if a := c.address.Load(); a != nil {
		return a, nil
	}
	if _, err := c.access.get(ctx, patience{}); err != nil {
		return nil, err
	}
	return c.address.Load(), nil
}

// parseBase reads an absolute base URI. Its scheme is not checked yet. The error shows nothing of it, since it may hold secrets.
func parseBase(text string) (*url.URL, *problem.Error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, problem.New("is not a URI", "write it as https://host/path")
	case strings.ContainsFunc(text, unicode.IsSpace):
		return nil, problem.New("holds a blank", "remove it, or write it as %20")
	case u.Opaque != "" || u.Hostname() == "":
		return nil, problem.New("has no host", "write it as https://host/path")
	case u.User != nil:
		return nil, problem.New("holds a user name or password", "remove what stands before the @; the token is the credential")
	case !isPort(u.Port()):
		return nil, problem.New("has a port that is none", "use a port from 1 to 65535, or leave it out")
	case hasDotSegment(u.EscapedPath()):
		return nil, problem.New("has a segment . or .. in its path", "write the path itself")
	case strings.Contains(text, "#"):
		return nil, problem.New("has a fragment", "remove the # and what follows it")
	}
	return u, nil
}

// isPlainHTTP reports whether anybody on the way to u could read a token.
func isPlainHTTP(u *url.URL) bool {
	return !strings.EqualFold(u.Scheme, "https") && !originOf(u).loopback()
}
