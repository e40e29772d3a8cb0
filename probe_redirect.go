package jwtbearer

import (
	"fmt"
	"net/http"
	"net/url"
)

// stay is the CheckRedirect of a Test, which does not leave the origins that may have the token: http.Client would carry along what
// Ping added, in the headers, in the body after 307 and 308, and in the Referer, and it may be made of the token and of Secrets.
func (t *lastCall) stay(req *http.Request, via []*http.Request) error {
	if api := t.core.address.Load(); api != nil && !api.Trusts(req.URL) {
		t.left = req.URL
		return http.ErrUseLastResponse
	}
	return checkRedirect(req, via)
}

// leaves is the error of an answer that redirects elsewhere, where err is that of any redirect.
func (p *probe) leaves(to *url.URL, err error) error {
	where := p.core.censor(to.Scheme+"://"+to.Host, p.tokenValue())
	p.left = "it redirects to " + where + ", which is not an origin of the connection, and was not followed"
	p.advice = "set BaseURI to the API's own address, or add " + where + " to TrustedOrigins if it may have the token; " +
		"if that is a login page, compare Placement with where the API looks for the token"
	if to.Scheme == "http" && p.sent.URL.Scheme == "https" {
		p.advice = "the redirect leads from https to http, where anybody on the way could read the token: correct BaseURI or Ping.RelativeURI, " +
			"or have the API's operator correct the redirect"
	}
	return fmt.Errorf("%w: %s", err, p.left)
}
