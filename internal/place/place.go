// Package place knows where in a request a token can stand: a header, the query, a cookie, a form. It must never know what the token
// is, where it comes from, nor who receives the request.
package place

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
	"github.com/seed-363d07a3/jwtbearer/internal/httpfield"
	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
)

// The values of Place.In.
const (
	Header = "header"
	Query  = "query"
	Cookie = "cookie"
	Form   = "form"
)

// A Place is where a token stands. Scheme comes before it in a header, and may be empty.
type Place struct{ In, Name, Scheme string }

// ErrNotAForm says that a request's body cannot take a form field.
var ErrNotAForm = errors.New("jwtbearer: Placement in a form needs a body of type " + media.FormType + ", or none")

// Compile checks places and fills in their defaults: with none, the header Authorization with the scheme Bearer.
func Compile(places []Place, report problem.Report) []Place {
	if len(places) == 0 {
		return []Place{{In: Header, Name: "Authorization", Scheme: "Bearer"}}
	}
	compiled := make([]Place, len(places))
	for i, place := range places {
		place.In = cmp.Or(place.In, Header)
		field := fmt.Sprintf("Placement[%d]", i)
		switch place.In {
		case Header:
			place.Name = textproto.CanonicalMIMEHeaderKey(cmp.Or(place.Name, "Authorization"))
			if !httpfield.IsToken(place.Name) {
				report(field+".Name", "is not a header name", "use letters, digits and hyphens")
			}
			if place.Scheme != "" && !httpfield.IsToken(place.Scheme) {
				report(field+".Scheme", "is not an authentication scheme (RFC 9110, section 11.1)", "use a word such as Bearer")
			}
		case Query, Cookie, Form:
			checkNamed(field, place, report)
		default:
			report(field+".In", fmt.Sprintf("%q is not a place for a token", place.In), "use header, query, cookie or form")
		}
		compiled[i] = place
	}
	return compiled
}

func checkNamed(field string, place Place, report problem.Report) {
	if place.Scheme != "" {
		report(field+".Scheme", "has no meaning in a "+place.In, "leave it empty")
	}
	switch {
	case place.Name == "":
		report(field+".Name", "is empty", "name the "+place.In+" parameter that holds the token")
	case place.In == Cookie && !httpfield.IsToken(place.Name):
		report(field+".Name", "is not a cookie name (RFC 6265, section 4.1.1)", "use letters, digits and hyphens")
	}
}

// InCookie sets a cookie, in place of one that the caller set. The others stay byte for byte (RFC 6265, section 4.2.1).
func InCookie(header http.Header, name, token string) {
	var pairs []string
	for pair := range strings.SplitSeq(strings.Join(header["Cookie"], "; "), ";") {
		pair = strings.TrimSpace(pair)
		if key, _, _ := strings.Cut(pair, "="); pair != "" && strings.TrimSpace(key) != name {
			pairs = append(pairs, pair)
		}
	}
	header["Cookie"] = []string{strings.Join(append(pairs, name+"="+token), "; ")}
}

// InForm sets a field of the request's form, in place of one that the caller set. The body is read for that, so it must not be longer
// than limit bytes.
func InForm(out *http.Request, name, token string, limit int64) error {
	var form []byte
	if out.Body != nil && out.Body != http.NoBody {
		if media.KindOf(out.Header.Get("Content-Type")) != media.URLEncoded {
			return ErrNotAForm
		}
		var err error
		form, err = io.ReadAll(io.LimitReader(out.Body, limit+1))
		out.Body.Close()
		if err != nil {
			return err
		}
		if int64(len(form)) > limit {
			return body.ErrTooLong
		}
	}
	text := WithoutParam(string(form), name)
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

// InQuery adds a parameter to the query of u.
func InQuery(u *url.URL, name, token string) {
	param := url.QueryEscape(name) + "=" + url.QueryEscape(token)
	if u.RawQuery != "" {
		param = u.RawQuery + "&" + param
	}
	u.RawQuery = param
}

// Has reports whether a token stands in the header of that name, which is in canonical form.
func Has(places []Place, header string) bool {
	return slices.ContainsFunc(places, func(p Place) bool { return p.In == Header && p.Name == header })
}

// WithoutParam takes every parameter of that name out of a raw query and leaves the rest byte for byte.
func WithoutParam(rawQuery, name string) string {
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

// withoutURLParam is WithoutParam for the query of a whole URL.
func withoutURLParam(text, name string) string {
	before, fragment, hasFragment := strings.Cut(text, "#")
	path, query, ok := strings.Cut(before, "?")
	if !ok {
		return text
	}
	if query = WithoutParam(query, name); query != "" {
		path += "?" + query
	}
	if hasFragment {
		path += "#" + fragment
	}
	return path
}

// Forget takes the token out of a Location that repeats it, so that no redirect carries it away.
func Forget(header http.Header, places []Place, token string) {
	if len(header["Location"]) == 0 || token == "" {
		return
	}
	location := header.Get("Location")
	escaped := url.QueryEscape(token)
	if !strings.Contains(location, token) && !strings.Contains(location, escaped) {
		return
	}
	for _, p := range places {
		if p.In == Query {
			location = withoutURLParam(location, p.Name)
		}
	}
	header.Set("Location", strings.NewReplacer(token, "", escaped, "").Replace(location))
}
