package jwtbearer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// NewRequest makes a request of the API. ref is appended to BaseURI byte for byte: the base https://host/v2 and the ref
// /me?x=1 give https://host/v2/me?x=1. The query of BaseURI comes before that of ref, and a fragment is dropped. "" and ?x=1
// address the base itself. An absolute ref, such as the link to a next page, goes as it is if its origin is the
// connection's or trusted. A ref that begins with //, or has a segment that is . or .. (also percent-encoded), is an error.
//
// body is encoded as MediaType says, unless it is nil, an io.Reader, []byte or string, which go as they are. Content-Type is
// set to match MediaType, and Accept to match SuccessMediaType, where HTTPHeaders does not set them. json takes what
// encoding/json does, xml what encoding/xml does, plaintext a number, a bool, an encoding.TextMarshaler or a fmt.Stringer;
// urlencoded and form-data take url.Values or a map with string keys, whose
// lists become several fields of one name and whose nil values none. In form-data an io.Reader or []byte in a map[string]any is
// a file; closing it is the caller's affair.
func (c *Client) NewRequest(ctx context.Context, method, ref string, body any) (*http.Request, error) {
	api, err := c.core.locate(ctx)
	if err != nil {
		return nil, &prefixed{"new request", err}
	}
	address, err := api.resolve(ref)
	if err != nil {
		return nil, &prefixed{"new request", err}
	}
	content, err := encodeBody(c.core.media, body)
	if err != nil {
		return nil, &prefixed{"new request: body", err}
	}
	req, err := http.NewRequestWithContext(ctx, method, "", content.reader)
	if err != nil {
		return nil, &prefixed{"new request", err}
	}
	req.URL, req.Host = address, address.Host
	if content.mediaType != "" && (content.own || !c.core.setsHeader("Content-Type")) {
		req.Header.Set("Content-Type", content.mediaType)
	}
	if accept := c.core.successMedia.accept(); accept != "" && !c.core.setsHeader("Accept") {
		req.Header.Set("Accept", accept)
	}
	return req, nil
}

// setsHeader reports whether HTTPHeaders has that name.
func (c *core) setsHeader(name string) bool {
	return slices.ContainsFunc(c.headers, func(h headerTemplate) bool { return h.name == name })
}

// resolve returns the address of ref. Its errors show nothing of the reference but an origin.
func (a *address) resolve(ref string) (*url.URL, error) {
	ref, _, _ = strings.Cut(ref, "#")
	if strings.ContainsFunc(ref, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, errors.New("the reference holds a control character, such as a line break: remove it, or use url.PathEscape")
	}
	path, query, _ := strings.Cut(ref, "?")
	text := ref
	if !isAbsolute(path) {
		if err := a.checkRelative(path); err != nil {
			return nil, err
		}
		text = a.text + path
		if query = joinQuery(a.base.RawQuery, query); query != "" {
			text += "?" + query
		}
	}
	if strings.Contains(query, " ") { // net/url escapes one in a path, but sends it as it is in a query
		return nil, errors.New("the query of the reference holds a blank: write it as %20, or make the query with url.Values")
	}
	u, err := url.Parse(text)
	if err != nil { // it would quote the reference
		return nil, errors.New("the reference is not a URI: escape its parts with url.PathEscape and url.QueryEscape")
	}
	if u.User != nil || !a.trusts(u) {
		return nil, fmt.Errorf("%w: the reference leads to %s", ErrForeignOrigin, originOf(u))
	}
	return u, nil
}

// isAbsolute reports whether a reference begins with a scheme and an authority (RFC 3986, section 3). messages:batchGet does
// not: after a base that ends in a slash it is a path like others. https:path is nobody's path, and is refused as a foreign
// origin.
func isAbsolute(path string) bool {
	scheme, rest, ok := strings.Cut(path, ":")
	if !ok || scheme == "" || strings.Contains(scheme, "/") {
		return false
	}
	u, err := url.Parse(scheme + ":")
	return err == nil && (u.Scheme == "https" || u.Scheme == "http" || u.Scheme != "" && strings.HasPrefix(rest, "//"))
}

// checkRelative refuses references that lead elsewhere than they seem to.
func (a *address) checkRelative(path string) error {
	switch {
	case strings.HasPrefix(path, "//"):
		return errors.New("the reference begins with //, which names another host: begin it with one /")
	case path != "" && path[0] != '/' && a.base.Path == "":
		return errors.New("the reference would lengthen the host of BaseURI: begin it with /")
	}
	if hasDotSegment(path) {
		return errors.New("the reference has a segment . or .., which leads out of BaseURI: write the path itself")
	}
	return nil
}

// hasDotSegment reports whether a path has a segment that is . or .. to any server, also to those that decode it before they
// split it or take a backslash for a slash.
func hasDotSegment(path string) bool {
	plain := strings.NewReplacer("%2e", ".", "%2f", "/", "%5c", "/", `\`, "/").Replace(strings.ToLower(path))
	for segment := range strings.SplitSeq(plain, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

func joinQuery(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "&" + b
}

// Do sends req and decodes the answer into out: nil to ignore it, an io.Writer, *[]byte or *string for the body as it is,
// *[][]string for csv, or a pointer to whatever encoding/json or encoding/xml decode into. An answer without content leaves
// out alone. The format is SuccessMediaType or else what the answer's Content-Type says.
//
// An answer that is not a success is an error: *ThrottledError, *AuthError, or *ResponseError for any other 4xx and 5xx and
// for a redirect that was not followed. The body is always read and closed. The response is non-nil whenever an answer came.
func (c *Client) Do(req *http.Request, out any) (*http.Response, error) {
	last := &lastCall{core: c.core}
	resp, err := last.do(req)
	if err != nil {
		return last.resp, err
	}
	defer finish(resp.Body)
	if err := last.failure(resp); err != nil {
		return resp, err
	}
	if err := decodeAnswer(c.core.successMedia, resp, out); err != nil {
		return resp, c.core.callError(req, err)
	}
	return resp, nil
}

// finish reads what is left of a body that is not long, so that the connection serves again, and closes it.
func finish(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, keepBytes) // nobody wants it: how it ends does not matter
	body.Close()
}

// callError says which call failed, without the query of its address.
func (c *core) callError(req *http.Request, err error) error {
	return &prefixed{cmp.Or(req.Method, http.MethodGet) + " " + c.hide(withoutQuery(req.URL.Redacted())), err}
}

// A prefixed is an error that says what was tried. The errors below it may begin with the package's name already.
type prefixed struct {
	tried string
	err   error
}

func (e *prefixed) Error() string { return "jwtbearer: " + e.tried + ": " + detailOf(e.err) }

func (e *prefixed) Unwrap() error { return e.err }

// A lastCall is the transport of one Do, which remembers the call behind the answer.
type lastCall struct {
	core  *core
	probe bool
	call  *call          // nil: the answer came from another origin
	resp  *http.Response // what came last; http.Client drops one with a bad Location
	left  *url.URL       // where resp redirects to, which a Test does not follow; nil: nowhere

	answered bool // the last request got an answer, so that an error is http.Client's own
}

// do sends req and follows redirects.
func (t *lastCall) do(req *http.Request) (*http.Response, error) {
	client := http.Client{Transport: t}
	if t.probe {
		client.CheckRedirect = t.stay
	}
	resp, err := client.Do(req)
	if err == nil {
		return resp, nil
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // which http.Client wrapped with the whole address
	}
	if t.answered {
		err = t.unfollowed(err)
	}
	return nil, t.core.callError(req, err)
}

// unfollowed is the error of a redirect that http.Client gave up, and whose body it has closed.
func (t *lastCall) unfollowed(why error) error {
	e := &ResponseError{StatusCode: t.resp.StatusCode, Attempts: 1}
	if t.call != nil {
		e.Attempts = t.call.attempts
	}
	if _, err := t.resp.Location(); err != nil {
		why = errors.New("its Location is not a URI") // why repeats it
	}
	return fmt.Errorf("%w: the redirect was not followed: %w", e, why)
}

func (t *lastCall) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, call, err := t.core.roundTrip(req, t.probe)
	t.call, t.answered = call, err == nil
	if resp != nil {
		t.resp = resp
	}
	return resp, err
}

// failure returns the typed error of an answer that is not a success.
func (t *lastCall) failure(resp *http.Response) error {
	k := t.call
	switch {
	case k == nil && resp.StatusCode < 300:
		return nil
	case k == nil:
		return t.core.responseError(resp, 1, "")
	case k.throttle != nil:
		return joined(k.throttledError(), k.unsent)
	case k.refused:
		return joined(t.core.authError(resp, k.token.value), k.unsent)
	case resp.StatusCode >= 300:
		return joined(t.core.responseError(resp, k.attempts, k.token.value), k.unsent)
	}
	return nil
}
