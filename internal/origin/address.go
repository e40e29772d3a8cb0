package origin

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/seed-363d07a3/jwtbearer/internal/problem"
)

// An Address is where an API is, and who may have its token. It does not change.
type Address struct {
	Base    *url.URL // the base URI
	Origin  Origin
	Trusted []Origin // besides Origin

	text string // the base URI byte for byte, without its query
}

// NewAddress makes the address of a base URI that Parse accepted, with the text that it was read from.
func NewAddress(base *url.URL, text string, trusted []Origin) *Address {
	before, _, _ := strings.Cut(text, "?")
	o, _ := Of(base) // Parse has checked it
	return &Address{Base: base, Origin: o, Trusted: trusted, text: before}
}

// Trusts reports whether u is of an origin that may have the token.
func (a *Address) Trusts(u *url.URL) bool {
	if u.Scheme == a.Base.Scheme && u.Host == a.Base.Host { // as nearly all are
		return true
	}
	o, err := Of(u)
	return err == nil && (o == a.Origin || slices.Contains(a.Trusted, o))
}

// A Route is how a request is sent.
type Route int

const (
	Own  Route = iota // with token, pacing, rules and retries
	Bare              // a redirect away from the connection's origins: without anything of the connection's
)

// Route decides how req is sent. A request that http.Client made for a redirect carries the response that caused it. The error
// is an ErrForeign and shows only origins.
func (a *Address) Route(req *http.Request) (Route, error) {
	to, err := Of(req.URL)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrForeign, err)
	}
	own := a.Trusts(req.URL)
	if req.Response == nil {
		if !own {
			return 0, fmt.Errorf("%w: it is for %s, the connection is for %s; add it to TrustedOrigins if it may have the token",
				ErrForeign, to, a.Origin)
		}
		return Own, nil
	}
	if previous := req.Response.Request; previous != nil && to.Scheme == "http" && strings.EqualFold(previous.URL.Scheme, "https") {
		return 0, fmt.Errorf("%w: a redirect from https to http on %s was refused", ErrForeign, to.Host)
	}
	for r := req; own && r.Response != nil && r.Response.Request != nil; r = r.Response.Request {
		own = a.Trusts(r.Response.Request.URL)
	}
	if !own {
		return Bare, nil
	}
	return Own, nil
}

// Parse reads an absolute base URI. Its scheme is not checked yet. The problem shows nothing of it, since it may hold secrets.
func Parse(text string) (*url.URL, *problem.Error) {
	u, err := url.Parse(text)
	switch rest, marked := strings.CutPrefix(text, "\ufeff"); {
	case marked:
		return nil, problem.New("begins with a byte order mark (U+FEFF), which is invisible", "remove it")
	case !strings.Contains(rest, "://") && looksLikeHost(rest):
		return nil, problem.New("has no scheme", "write https:// before the host")
	case err != nil:
		return nil, problem.New("is not a URI", "write it as https://host/path")
	case strings.ContainsFunc(text, unicode.IsSpace):
		return nil, problem.New("holds a space", "remove it, or write it as %20")
	case u.Opaque != "" || u.Hostname() == "":
		return nil, problem.New("has no host", "write it as https://host/path")
	case u.User != nil:
		return nil, problem.New("holds a user name or password", "remove what stands before the @; the token is the credential")
	case !isPort(u.Port()):
		return nil, problem.New("has a port that is none", "use a port from 1 to 65535, or leave it out")
	case HasDotSegment(u.EscapedPath()):
		return nil, problem.New("has a segment . or .. in its path", "write the path itself")
	case strings.Contains(text, "#"):
		return nil, problem.New("has a fragment", "remove the # and what follows it")
	}
	if _, err := Of(u); err != nil {
		return nil, problem.New("has a host that is no name that can be resolved (RFC 5891)", "write the host in ASCII, as xn--…")
	}
	return u, nil
}

// looksLikeHost reports whether text, which has no scheme, begins with a host, and perhaps with the slashes before one.
func looksLikeHost(text string) bool {
	host, _, _ := strings.Cut(strings.TrimPrefix(text, "//"), "/")
	name, port, _ := strings.Cut(host, ":")
	return name != "" && isPort(port) && (strings.Contains(name, ".") || port != "" || strings.EqualFold(name, "localhost") || strings.HasPrefix(text, "//")) &&
		!strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("?#@%", r) })
}

// ParseOrigin reads what is a scheme, one host and a port, and nothing else.
func ParseOrigin(text string) (Origin, error) {
	u, err := url.Parse(text)
	if err != nil {
		return Origin{}, errors.New("is not an origin")
	}
	rest := *u
	rest.Scheme, rest.Host = "", ""
	if u.Hostname() == "" || !isPort(u.Port()) || strings.Contains(u.Host, "*") || strings.Trim(rest.String(), "/") != "" {
		return Origin{}, errors.New("is not an origin")
	}
	o, err := Of(u)
	if err != nil {
		return Origin{}, errors.New("has a host that is no name that can be resolved (RFC 5891)")
	}
	return o, nil
}

// isPort reports whether text is a port of TCP, or empty for the scheme's own.
func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return text == "" || err == nil && n > 0
}
