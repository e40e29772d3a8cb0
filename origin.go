package jwtbearer

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// An origin is who receives a token: scheme, host and port, in lower case and with the port filled in.
type origin struct{ scheme, host, port string }

// originOf returns the origin of u.
func originOf(u *url.URL) origin {
	o := origin{scheme: strings.ToLower(u.Scheme), host: strings.ToLower(u.Hostname()), port: u.Port()}
	switch {
	case o.port != "":
	case o.scheme == "https":
		o.port = "443"
	case o.scheme == "http":
		o.port = "80"
	}
	return o
}

func (o origin) String() string { return o.scheme + "://" + net.JoinHostPort(o.host, o.port) }

// loopback reports whether the origin is on this machine, where nobody listens on the way.
func (o origin) loopback() bool {
	if o.host == "localhost" || strings.HasSuffix(o.host, ".localhost") { // RFC 6761, section 6.3
		return true
	}
	ip, err := netip.ParseAddr(o.host)
	return err == nil && ip.Unmap().IsLoopback()
}

// A route is how a request is sent.
type route int

const (
	routeOwn  route = iota // with token, pacing, rules and retries
	routeBare              // a redirect away from the connection's origins: as it is, with nothing of ours
)

// route decides how req is sent. A request that http.Client made for a redirect carries the answer that caused it.
func (c *core) route(req *http.Request) (route, error) {
	api, err := c.locate(req.Context())
	if err != nil {
		return 0, err
	}
	own := api.trusts(req.URL)
	if req.Response == nil {
		if !own {
			return 0, fmt.Errorf("%w: it is for %s, the connection is for %s; add it to TrustedOrigins if it may have the token",
				ErrForeignOrigin, originOf(req.URL), api.origin)
		}
		return routeOwn, nil
	}
	to := originOf(req.URL)
	if previous := req.Response.Request; previous != nil && to.scheme == "http" && originOf(previous.URL).scheme == "https" {
		return 0, fmt.Errorf("%w: a redirect from https to http on %s was refused", ErrForeignOrigin, to.host)
	}
	for r := req; own && r.Response != nil && r.Response.Request != nil; r = r.Response.Request {
		own = api.trusts(r.Response.Request.URL)
	}
	if !own {
		return routeBare, nil
	}
	return routeOwn, nil
}

// sendBare sends a redirect that left the connection's origins. It carries no token and nothing that may hold one.
func (c *core) sendBare(req *http.Request) (*http.Response, error) {
	w := new(watch)
	w.begin(req.Context(), &c.silence)
	out := req.Clone(&w.ctx)
	out.Response = nil
	maps.DeleteFunc(out.Header, func(name string, _ []string) bool { return c.isSecretHeader(name) })
	for _, p := range c.placements {
		if referer := out.Header.Get("Referer"); p.In == inQuery && referer != "" {
			out.Header.Set("Referer", withoutURLParam(referer, p.Name))
		}
	}
	watchBody(out, w)
	w.start(time.Now())
	resp, err := c.carry(out)
	if err != nil {
		w.end()
		return nil, c.scrub(err, out.URL, "")
	}
	w.gotAnswer()
	resp.Request = req
	resp.Body = new(answerBody).take(resp, w, nil)
	return resp, nil
}

// isSecretHeader reports whether a header may hold a token of the API, in whatever case a caller wrote it.
func (c *core) isSecretHeader(name string) bool {
	name = http.CanonicalHeaderKey(name)
	return name == "Authorization" || name == "Cookie" || name == "Proxy-Authorization" ||
		slices.ContainsFunc(c.placements, func(p Placement) bool { return p.In == inHeader && p.Name == name })
}

// withoutParam takes every parameter of that name out of a raw query and leaves the rest byte for byte.
func withoutParam(rawQuery, name string) string {
	if rawQuery == "" {
		return rawQuery
	}
	parts := strings.Split(rawQuery, "&")
	parts = slices.DeleteFunc(parts, func(part string) bool {
		key, _, _ := strings.Cut(part, "=")
		decoded, err := url.QueryUnescape(key)
		return err == nil && decoded == name
	})
	return strings.Join(parts, "&")
}

// withoutURLParam is withoutParam for the query of a whole URL.
func withoutURLParam(text, name string) string {
	before, fragment, hasFragment := strings.Cut(text, "#")
	path, query, ok := strings.Cut(before, "?")
	if !ok {
		return text
	}
	if query = withoutParam(query, name); query != "" {
		path += "?" + query
	}
	if hasFragment {
		path += "#" + fragment
	}
	return path
}

// forgetToken takes the token out of a Location that repeats it, so that no redirect carries it away.
func (c *core) forgetToken(header http.Header, token string) {
	if len(header["Location"]) == 0 || token == "" {
		return
	}
	location := header.Get("Location")
	escaped := url.QueryEscape(token)
	if !strings.Contains(location, token) && !strings.Contains(location, escaped) {
		return
	}
	for _, p := range c.placements {
		if p.In == inQuery {
			location = withoutURLParam(location, p.Name)
		}
	}
	header.Set("Location", strings.NewReplacer(token, "", escaped, "").Replace(location))
}
