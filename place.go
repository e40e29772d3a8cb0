package jwtbearer

import (
	"net/http"
	"net/textproto"
	"slices"

	"github.com/seed-363d07a3/jwtbearer/internal/place"
)

// place puts the token into an outgoing request, whose URL and headers are its own. room is for the values of a header.
func (c *core) place(out *http.Request, t *minted, room []string) error {
	token := t.value
	for _, p := range c.placements {
		switch p.In {
		case place.Header:
			out.Header[p.Name], room = append(room, t.after(c.schemeAt(p, t))), nil
		case place.Query:
			place.InQuery(out.URL, p.Name, token)
		case place.Cookie:
			place.InCookie(out.Header, p.Name, token)
		case place.Form:
			if err := place.InForm(out, p.Name, token, c.retry.BufferLimit); err != nil {
				return err
			}
		}
	}
	return nil
}

// schemeAt is what stands before a token in a header: the type of an access token, where Placement does not say.
func (c *core) schemeAt(p place.Place, t *minted) string {
	if c.typed && t.grant != nil && t.grant.scheme != "" {
		return t.grant.scheme
	}
	return p.Scheme
}

// respell takes care of the headers that the caller wrote in another case than net/http, so that none of ours is sent beside
// them: those that placements take are dropped, others that are ours to set too get their usual name.
func (c *core) respell(header http.Header) {
	for name, values := range header {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case canonical == name:
			continue
		case place.Has(c.placements, canonical):
		case c.mayAddTo(canonical):
			header[canonical] = slices.Concat(header[canonical], values)
		default:
			continue
		}
		delete(header, name)
	}
}

// mayAddTo reports whether a header of the caller may be one of ours too.
func (c *core) mayAddTo(name string) bool {
	return slices.ContainsFunc(c.headers, func(h headerTemplate) bool { return h.name == name }) ||
		name == "Cookie" && slices.ContainsFunc(c.placements, func(p place.Place) bool { return p.In == place.Cookie })
}
