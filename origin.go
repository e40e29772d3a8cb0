package jwtbearer

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
	"github.com/seed-363d07a3/jwtbearer/internal/origin"
	"github.com/seed-363d07a3/jwtbearer/internal/pace"
)

// locate returns the address of the API. Where the token endpoint gives it, there must be an access token first.
func (c *core) locate(ctx context.Context) (*origin.Address, error) {
	if a := c.address.Load(); a != nil {
		return a, nil
	}
	if _, err := c.access.get(ctx, pace.Patience{}); err != nil {
		return nil, err
	}
	return c.address.Load(), nil
}

// route decides how req is sent. Its error shows no secret.
func (c *core) route(req *http.Request) (origin.Route, error) {
	api, err := c.locate(req.Context())
	if err != nil {
		return 0, err
	}
	route, err := api.Route(req)
	return route, c.hideError(err)
}

// hideError is err without what Secrets hold. A base URI may have been made from them, in its host too.
func (c *core) hideError(err error) error {
	if err == nil {
		return nil
	}
	if text := c.hide(err.Error()); text != err.Error() {
		return &scrubbedError{text: text, is: err}
	}
	return err
}

// sendBare sends a redirect that left the connection's origins. It carries no token and nothing that may hold one.
func (c *core) sendBare(req *http.Request) (*http.Response, error) {
	w := new(body.Watch)
	w.Begin(req.Context(), c.silence)
	out := req.Clone(w.Context())
	out.Response = nil
	maps.DeleteFunc(out.Header, func(name string, _ []string) bool { return c.staysHome(name) })
	w.Request(out)
	w.Start(time.Now())
	resp, err := c.carry(out)
	if err != nil {
		w.End()
		return nil, c.scrub(err, out.URL, "")
	}
	w.Responded()
	resp.Request = req
	resp.Body = new(answerBody).take(resp, w, nil)
	return resp, nil
}

// staysHome reports whether a header is for the connection's origins alone, in whatever case a caller wrote it: one that may hold
// a token, one of the names in HTTPHeaders, whoever set it, and Referer, which net/http fills with the former address, of which
// Secrets may be a part.
func (c *core) staysHome(name string) bool {
	switch name = http.CanonicalHeaderKey(name); name {
	case "Authorization", "Cookie", "Proxy-Authorization", "Referer":
		return true
	}
	return c.setsHeader(name) ||
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
