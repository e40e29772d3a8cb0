package jwtbearer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
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
	address, err := api.Resolve(ref)
	if err != nil {
		return nil, &prefixed{"new request", c.core.hideError(err)}
	}
	content, err := media.Encode(media.Kind(c.core.media), body, refuseSecret)
	if err != nil {
		return nil, &prefixed{"new request: body", err}
	}
	req, err := http.NewRequestWithContext(ctx, method, "", content.Reader)
	if err != nil {
		return nil, &prefixed{"new request", err}
	}
	req.URL, req.Host = address, address.Host
	if content.ContentType != "" && (content.Own || !c.core.setsHeader("Content-Type")) {
		req.Header.Set("Content-Type", content.ContentType)
	}
	if accept := media.Kind(c.core.successMedia).Accept(); accept != "" && !c.core.setsHeader("Accept") {
		req.Header.Set("Accept", accept)
	}
	return req, nil
}

// setsHeader reports whether HTTPHeaders has that name.
func (c *core) setsHeader(name string) bool {
	return slices.ContainsFunc(c.headers, func(h headerTemplate) bool { return h.name == name })
}

// Do sends req and decodes the answer into out: nil to ignore it, an io.Writer, *[]byte or *string for the body as it is,
// *[][]string for csv, or a pointer to whatever encoding/json or encoding/xml decode into. An answer without content leaves
// out alone. The format is SuccessMediaType or else what the answer's Content-Type says. An answer longer than MaxResponse is an
// error, unless out is an io.Writer.
//
// An answer that is not a success is an error: *ThrottledError, *AuthError, or *ResponseError for any other 4xx and 5xx and
// for a redirect that was not followed. The body is always closed; of what nobody wants only so much is read as comes at once, and for
// the words of a refused answer Do waits 5 seconds at most. The response is non-nil whenever an answer came.
func (c *Client) Do(req *http.Request, out any) (*http.Response, error) {
	last := &lastCall{core: c.core}
	resp, err := last.do(req)
	if err != nil {
		return last.resp, err
	}
	defer body.Finish(resp.Body)
	if err := last.failure(resp); err != nil {
		return resp, err
	}
	if err := c.core.decode(resp, out); err != nil {
		return resp, c.core.callError(req, err)
	}
	return resp, nil
}

// decode decodes the body of a successful response into out.
func (c *core) decode(resp *http.Response, out any) error {
	err := media.Decode(media.Kind(c.successMedia), resp, out, c.maxResponse)
	e, ok := errors.AsType[*media.ContentError](err)
	if !ok {
		return err
	}
	contentType := problem.OneLine(resp.Header.Get("Content-Type"))
	if e.Expected == "" {
		return fmt.Errorf("the answer (%s) has Content-Type %q: decode it into *[]byte, or set SuccessMediaType if that is wrong",
			status(resp.StatusCode), contentType)
	}
	return fmt.Errorf("the answer (%s, Content-Type %q) is not the %s that was expected: %w",
		status(resp.StatusCode), contentType, e.Expected, e.Err)
}

// refuseSecret refuses to write a Secret as a text, which would be ******.
func refuseSecret(value any) error {
	if _, ok := value.(Secret); ok {
		return errors.New("a Secret does not print: convert it with string(s)")
	}
	return nil
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
	client := http.Client{Transport: t, CheckRedirect: checkRedirect}
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

// maxRedirects is how many redirects http.Client follows by itself.
const maxRedirects = 10

// checkRedirect is http.Client's own policy. It finishes the answer that redirects, of which http.Client would read 2 KiB for
// however long the server takes to send them.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if resp := req.Response; resp != nil && resp.Body != nil {
		body.Finish(resp.Body)
		resp.Body = http.NoBody
	}
	if len(via) >= maxRedirects {
		return fmt.Errorf("stopped after %d redirects", maxRedirects)
	}
	return nil
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
