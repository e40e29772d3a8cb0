package jwtbearer

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
	"github.com/seed-363d07a3/jwtbearer/internal/media"
)

// The values of Placement.In.
const (
	inHeader = "header"
	inQuery  = "query"
	inCookie = "cookie"
	inForm   = "form"
)

// errNotAForm says that a request's body cannot take a form field.
var errNotAForm = errors.New("jwtbearer: Placement in a form needs a body of type " + media.FormType + ", or none")

// compilePlacements fills in the defaults of Connection.Placement.
func compilePlacements(placements []Placement, p *problems) []Placement {
	if len(placements) == 0 {
		return []Placement{{In: inHeader, Name: "Authorization", Scheme: "Bearer"}}
	}
	compiled := make([]Placement, len(placements))
	for i, place := range placements {
		place.In = cmp.Or(place.In, inHeader)
		field := fmt.Sprintf("Placement[%d]", i)
		switch place.In {
		case inHeader:
			place.Name = textproto.CanonicalMIMEHeaderKey(cmp.Or(place.Name, "Authorization"))
			if !isToken(place.Name) {
				p.add(field+".Name", "is not a header name", "use letters, digits and hyphens")
			}
			if place.Scheme != "" && !isToken(place.Scheme) {
				p.add(field+".Scheme", "is not an authentication scheme (RFC 9110, section 11.1)", "use a word such as Bearer")
			}
		case inQuery, inCookie, inForm:
			checkNamedPlacement(field, place, p)
		default:
			p.add(field+".In", fmt.Sprintf("%q is not a place for a token", place.In), "use header, query, cookie or form")
		}
		compiled[i] = place
	}
	return compiled
}

func checkNamedPlacement(field string, place Placement, p *problems) {
	if place.Scheme != "" {
		p.add(field+".Scheme", "has no meaning in a "+place.In, "leave it empty")
	}
	switch {
	case place.Name == "":
		p.add(field+".Name", "is empty", "name the "+place.In+" parameter that holds the token")
	case place.In == inCookie && !isToken(place.Name):
		p.add(field+".Name", "is not a cookie name (RFC 6265, section 4.1.1)", "use letters, digits and hyphens")
	}
}

// isToken reports whether s is a token of HTTP (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	token, _ := isHeaderName(s)
	return token
}

// isHeaderName reports whether s is a token of HTTP, and whether it is written as net/http writes header names: X-Api-Key.
func isHeaderName(s string) (token, canonical bool) {
	upper, canonical := true, true
	for _, b := range []byte(s) {
		switch {
		case 'a' <= b && b <= 'z':
			canonical = canonical && !upper
		case 'A' <= b && b <= 'Z':
			canonical = canonical && upper
		case '0' <= b && b <= '9' || b == '-':
		case strings.IndexByte("!#$%&'*+.^_`|~", b) < 0:
			return false, false
		}
		upper = b == '-'
	}
	return s != "", canonical
}

// place puts the token into an outgoing request, whose URL and headers are its own. room is for the values of a header.
func (c *core) place(out *http.Request, t *minted, room []string) error {
	token := t.value
	for _, p := range c.placements {
		switch p.In {
		case inHeader:
			out.Header[p.Name], room = append(room, t.after(c.schemeAt(p, t))), nil
		case inQuery:
			param := url.QueryEscape(p.Name) + "=" + url.QueryEscape(token)
			if out.URL.RawQuery != "" {
				param = out.URL.RawQuery + "&" + param
			}
			out.URL.RawQuery = param
		case inCookie:
			placeCookie(out, p.Name, token)
		case inForm:
			if err := c.placeInForm(out, p.Name, token); err != nil {
				return err
			}
		}
	}
	return nil
}

// schemeAt is what stands before a token in a header: the type of an access token, where Placement does not say.
func (c *core) schemeAt(p Placement, t *minted) string {
	if c.typed && t.grant != nil && t.grant.scheme != "" {
		return t.grant.scheme
	}
	return p.Scheme
}

// placeCookie sets a cookie, in place of one that the caller set. The others stay byte for byte (RFC 6265, section 4.2.1).
func placeCookie(out *http.Request, name, token string) {
	var pairs []string
	for pair := range strings.SplitSeq(strings.Join(out.Header["Cookie"], "; "), ";") {
		pair = strings.TrimSpace(pair)
		if key, _, _ := strings.Cut(pair, "="); pair != "" && strings.TrimSpace(key) != name {
			pairs = append(pairs, pair)
		}
	}
	out.Header["Cookie"] = []string{strings.Join(append(pairs, name+"="+token), "; ")}
}

// respell takes care of the headers that the caller wrote in another case than net/http, so that none of ours is sent beside
// them: those that placements take are dropped, others that are ours to set too get their usual name.
func (c *core) respell(header http.Header) {
	for name, values := range header {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case canonical == name:
			continue
		case holdsToken(c.placements, canonical):
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
		name == "Cookie" && slices.ContainsFunc(c.placements, func(p Placement) bool { return p.In == inCookie })
}

// placeInForm sets a field of the request's form, in place of one that the caller set. The body is read for that, so it must
// be within Retry.BufferLimit.
func (c *core) placeInForm(out *http.Request, name, token string) error {
	var form []byte
	if out.Body != nil && out.Body != http.NoBody {
		if media.KindOf(out.Header.Get("Content-Type")) != media.URLEncoded {
			return errNotAForm
		}
		var err error
		form, err = io.ReadAll(io.LimitReader(out.Body, c.retry.BufferLimit+1))
		out.Body.Close()
		if err != nil {
			return err
		}
		if int64(len(form)) > c.retry.BufferLimit {
			return body.ErrTooLong
		}
	}
	text := withoutParam(string(form), name)
	if text != "" {
		text += "&"
	}
	data := []byte(text + url.QueryEscape(name) + "=" + url.QueryEscape(token))
	out.Header.Set("Content-Type", media.FormType)
	out.Header.Del("Content-Length")
	out.ContentLength = int64(len(data))
	out.TransferEncoding = nil
	out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	out.Body, _ = out.GetBody()
	return nil
}
