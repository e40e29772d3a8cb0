package template

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

// A Request is what templates see of the request that is about to be sent. Each value is computed when it is first needed. It is
// not safe for concurrent use.
type Request struct {
	sentMethod string
	u          *url.URL
	sentHost   string
	basePath   string
	openBody   func() (io.ReadCloser, error)

	body, sorted *[sha256.Size]byte
}

// NewRequest describes the final request: after joining and encoding, without the token's own query parameter. host is
// http.Request.Host, and empty means that of u. basePath is the escaped path of BaseURI. body opens a copy of the body; nil
// means that there is none.
func NewRequest(method string, u *url.URL, host, basePath string, body func() (io.ReadCloser, error)) *Request {
	return &Request{sentMethod: method, u: u, sentHost: host, basePath: basePath, openBody: body}
}

// SetBody sets what opens a copy of the body, where that is made after all else.
func (r *Request) SetBody(open func() (io.ReadCloser, error)) { r.openBody = open }

// requestParts are the values below .Request.
var requestParts = map[string]func(*Request) string{
	"Method": (*Request).method,
	"Scheme": (*Request).scheme,
	"Host":   (*Request).host,
	"Path":   (*Request).path,
	"Query":  (*Request).query,
	"URI":    (*Request).uri,
	"URL":    (*Request).url,
}

func (r *Request) method() string {
	if r.sentMethod == "" {
		return http.MethodGet
	}
	return r.sentMethod
}

func (r *Request) scheme() string { return strings.ToLower(r.u.Scheme) }

// host is in lower case and has a port where that is not the scheme's own, like @authority of RFC 9421, section 2.2.3.
func (r *Request) host() string {
	host := r.sentHost
	if host == "" {
		host = r.u.Host
	}
	host = strings.ToLower(host)
	switch r.scheme() {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return strings.TrimSuffix(host, ":")
}

// path is escaped as it is sent: net/http sends / for an empty one.
func (r *Request) path() string {
	if p := r.u.EscapedPath(); p != "" {
		return p
	}
	return "/"
}

func (r *Request) query() string { return r.u.RawQuery }

// uri has a ? without a query after it only where net/http sends that.
func (r *Request) uri() string {
	if r.u.RawQuery == "" && !r.u.ForceQuery {
		return r.path()
	}
	return r.path() + "?" + r.u.RawQuery
}

func (r *Request) url() string { return r.scheme() + "://" + r.host() + r.uri() }

// bodyHash is the digest of the bytes of the body.
func (r *Request) bodyHash() ([sha256.Size]byte, error) {
	if r.body != nil {
		return *r.body, nil
	}
	h := sha256.New()
	if err := r.readBody(h); err != nil {
		return [sha256.Size]byte{}, err
	}
	r.body = (*[sha256.Size]byte)(h.Sum(nil))
	return *r.body, nil
}

// sortedBodyHash is the digest of the JSON body as JSON.stringify would write it with the names of all objects sorted by
// UTF-16 code units, but for numbers, which keep their text.
func (r *Request) sortedBodyHash() ([sha256.Size]byte, error) {
	if r.sorted != nil {
		return *r.sorted, nil
	}
	var b strings.Builder
	if err := r.readBody(&b); err != nil {
		return [sha256.Size]byte{}, err
	}
	var text []byte
	if b.Len() > 0 {
		v, err := jsontext.Parse(b.String())
		if bad, ok := errors.AsType[*jsontext.SyntaxError](err); ok {
			return [sha256.Size]byte{}, fmt.Errorf("bodySortedSHA256: the body is not valid JSON in line %d, column %d", bad.Line, bad.Column)
		}
		v.Sort()
		text = v.Append(nil)
	}
	r.sorted = new(sha256.Sum256(text))
	return *r.sorted, nil
}

func (r *Request) readBody(w io.Writer) error {
	if r.openBody == nil {
		return nil
	}
	body, err := r.openBody()
	if err != nil {
		return fmt.Errorf("reading the request body for its digest: %w", err)
	}
	defer body.Close()
	if _, err := io.Copy(w, body); err != nil {
		return fmt.Errorf("reading the request body for its digest: %w", err)
	}
	return nil
}
