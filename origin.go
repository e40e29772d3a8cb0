package jwtbearer

import (
	"context"
	"maps"
	"net/http"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
	"github.com/seed-363d07a3/jwtbearer/internal/origin"
	"github.com/seed-363d07a3/jwtbearer/internal/pace"
	"github.com/seed-363d07a3/jwtbearer/internal/place"
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
	resp.Body = new(body.Answer).Take(resp, w, nil)
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
	return c.setsHeader(name) || place.Has(c.placements, name)
}
