// Package response knows what a response says: its status, its header fields within bounds, the beginning of its body, paths in that,
// and the words of an error. It must never know what follows from that, nor whose request it was.
package response

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"
	"github.com/seed-363d07a3/jwtbearer/internal/httpfield"
	"github.com/seed-363d07a3/jwtbearer/internal/media"
)

// A Response is a view of an http.Response: status, header fields, and a body that is read only when a question needs it. It
// belongs to one attempt and is not safe for concurrent use.
//
// What is read ahead of the caller stays in the place of the http.Response's Body, so the caller must take Body after the last
// question.
type Response struct {
	resp     *http.Response
	kind     media.Kind // how bodies are read; empty: as Content-Type says
	received time.Time

	held      []heldField          // see Fields
	clock     lazyValue[time.Time] // see Now
	mediaType lazyValue[string]    // see ContentType

	peeked bool
	text   []byte // the decoded body, or its first MostBody bytes
	whole  bool   // text is all of it
	isForm bool   // json is of a form

	json lazyValue[any] // numbers as json.Number
	xml  lazyValue[*etree.Document]
}

// New views resp, which was received then. Its body is read as kind says, which is JSON, XML or Text; the empty kind leaves that to
// Content-Type and to what the text looks like.
func New(resp *http.Response, kind media.Kind, received time.Time) *Response {
	return &Response{resp: resp, kind: kind, received: received}
}

// NewRead views a response whose body the caller has read: text is all of it, unless it is longer than most bytes. A JSON object is one
// whatever Content-Type says. Any other body that Content-Type calls a form is read as an object of its fields.
func NewRead(resp *http.Response, text []byte, most int, received time.Time) *Response {
	r := &Response{resp: resp, received: received, peeked: true, text: text, whole: len(text) <= most}
	switch {
	case r.Object() != nil:
		r.kind = media.JSON
	case r.ContentType() == media.FormType:
		if form, err := url.ParseQuery(string(text)); err == nil {
			tree := make(map[string]any, len(form))
			for name := range form {
				tree[name] = form.Get(name)
			}
			r.json, r.isForm = lazyValue[any]{true, tree, true}, true
		}
	}
	return r
}

// lazyValue is a value that is made on first use.
type lazyValue[T any] struct {
	made  bool
	value T
	ok    bool
}

func (l *lazyValue[T]) get(make func() (T, bool)) (T, bool) {
	if !l.made {
		l.made = true
		l.value, l.ok = make()
	}
	return l.value, l.ok
}

// Status is the status code.
func (r *Response) Status() int { return r.resp.StatusCode }

// Header are the header fields, which must be read within bounds: by Fields, or by httpfield.Value.
func (r *Response) Header() http.Header { return r.resp.Header }

// Now is the time by the clock of the server: all times in a response are compared with its own Date, so that a clock that is wrong
// there or here does no harm. A response from a cache is older than its Date by its Age (RFC 9111, section 5.1).
func (r *Response) Now() time.Time {
	now, _ := r.clock.get(func() (time.Time, bool) { return r.date(), true })
	return now
}

func (r *Response) date() time.Time {
	date, err := http.ParseTime(httpfield.Value(r.resp.Header, "Date"))
	if err != nil || date.Unix() <= 0 {
		return r.received
	}
	if age, err := strconv.Atoi(httpfield.Value(r.resp.Header, "Age")); err == nil && age > 0 && age < int(10*365*24*time.Hour/time.Second) {
		date = date.Add(time.Duration(age) * time.Second)
	}
	return date
}

// A heldField is what was read of a header field, so that all who name the same field read it once.
type heldField struct {
	name  string
	lines []string
}

// Fields are the values of a header field, one a line, within the bounds of httpfield.Values. They must not be changed.
func (r *Response) Fields(name string) []string {
	if i := slices.IndexFunc(r.held, func(h heldField) bool { return h.name == name }); i >= 0 {
		return r.held[i].lines
	}
	lines := httpfield.Values(r.resp.Header, name)
	if lines != nil {
		r.held = append(r.held, heldField{name, lines})
	}
	return lines
}

// Body returns the decoded body or its first MostBody bytes, and whether that is all of it. ok is false where the body must not be
// read ahead, or cannot be decoded.
func (r *Response) Body() (text []byte, whole, ok bool) {
	if !r.peeked {
		r.peeked = true
		if r.isOpen() {
			r.text, r.whole, r.resp.Body = peek(r.resp.Body, r.isGzip())
		}
	}
	return r.text, r.whole, r.text != nil
}

// isOpen reports whether the body may be read ahead of the caller.
func (r *Response) isOpen() bool {
	if !media.HasBody(r.resp) || r.resp.Body == nil || r.resp.Body == http.NoBody {
		return false
	}
	if e := r.encoding(); e != "" && !r.isGzip() {
		return false
	}
	if r.resp.StatusCode/100 != 2 {
		return r.ContentType() != "text/event-stream"
	}
	if strings.Contains(strings.ToLower(httpfield.Value(r.resp.Header, "Content-Type")), "stream") {
		return false // text/event-stream, application/stream+json, application/json;stream=watch: reading them ahead may block
	}
	switch kind := r.ContentType(); media.KindOf(kind) {
	case media.JSON, media.XML, media.Text:
		return true
	default:
		return kind == ""
	}
}

// IsEmpty reports whether there is no body where there might be one.
func (r *Response) IsEmpty() bool {
	text, whole, ok := r.Body()
	return ok && whole && strings.TrimSpace(string(text)) == "" || r.resp.Body == http.NoBody && media.HasBody(r.resp)
}

func (r *Response) encoding() string {
	e := strings.ToLower(strings.TrimSpace(strings.Join(r.Fields("Content-Encoding"), ",")))
	if e == "identity" {
		return ""
	}
	return e
}

func (r *Response) isGzip() bool { return r.encoding() == "gzip" || r.encoding() == "x-gzip" }

// ContentType is the media type in lower case, without parameters.
func (r *Response) ContentType() string {
	kind, _ := r.mediaType.get(func() (string, bool) { return media.Type(httpfield.Value(r.resp.Header, "Content-Type")), true })
	return kind
}

// Syntax is how the body is read: as New was told, else as Content-Type says, else as the text looks. It is JSON, XML or Text.
func (r *Response) Syntax() media.Kind {
	text, _, _ := r.Body()
	kind := r.ContentType()
	switch named := media.KindOf(kind); {
	case r.kind != "":
		return r.kind
	case named == media.JSON || named == media.XML:
		return named
	case kind == "text/html":
		return media.Text
	case strings.HasPrefix(strings.TrimLeft(string(text[:min(len(text), 64)]), "\ufeff \t\r\n"), "<"):
		return media.XML
	}
	return media.JSON
}

// Has reports whether there is something at path other than null, which says that there is nothing.
func (r *Response) Has(path *Path) bool {
	found, ok := r.at(path)
	return ok && !found.null
}

// Values are the texts at path: of a scalar or an element its own, of an array those of its elements. Nil: there is no such place.
func (r *Response) Values(path *Path) []string {
	found, ok := r.at(path)
	if !ok {
		return nil
	}
	return found.texts
}

// Scalar is the text at path. It is false unless there is one string, number or element, and nothing else.
func (r *Response) Scalar(path *Path) (string, bool) {
	found, ok := r.at(path)
	if !ok || !found.scalar || len(found.texts) != 1 {
		return "", false
	}
	return found.texts[0], true
}

// at looks path up in the body. A body longer than MostBody has no paths, so that one whose Content-Length says so is not read.
func (r *Response) at(path *Path) (pathResult, bool) {
	if path == nil || !r.peeked && r.encoding() == "" && r.resp.ContentLength > MostBody {
		return pathResult{}, false
	}
	if _, whole, ok := r.Body(); !ok || !whole {
		return pathResult{}, false
	}
	switch r.Syntax() {
	case media.JSON:
		return r.atJSON(path)
	case media.XML:
		document, ok := r.document()
		if !ok || path.xml == nil {
			return pathResult{}, false
		}
		return path.xml.in(document)
	}
	return pathResult{}, false
}

func (r *Response) atJSON(path *Path) (pathResult, bool) {
	if path.json == nil {
		return pathResult{}, false
	}
	tree, ok := r.Tree()
	if !ok {
		return pathResult{}, false
	}
	ctx := context.Background()
	if r.resp.Request != nil {
		ctx = r.resp.Request.Context()
	}
	return path.inJSON(ctx, tree)
}

// Tree is the body as JSON, whatever Syntax is, with numbers as json.Number. It is false where the body is none, or nests too deep.
func (r *Response) Tree() (any, bool) {
	return r.json.get(func() (any, bool) {
		text, _, _ := r.Body()
		return decodeJSON(text)
	})
}

// Object is Tree where that is an object; nil: it is none.
func (r *Response) Object() map[string]any {
	tree, _ := r.Tree()
	object, _ := tree.(map[string]any)
	return object
}

// IsForm reports whether Object is what a form holds (see NewRead).
func (r *Response) IsForm() bool { return r.isForm }

// document is the body as XML.
func (r *Response) document() (*etree.Document, bool) {
	return r.xml.get(func() (*etree.Document, bool) {
		text, _, _ := r.Body()
		return decodeXML(text)
	})
}
