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

// A Response is a response as rules see it: status, header fields, and a body that is read only when somebody asks. It
// belongs to one attempt and is not safe for concurrent use.
//
// What is read ahead of the caller stays in resp.Body's place, so the caller must take resp.Body after the last
// question.
type Response struct {
	resp     *http.Response
	kind     media.Kind // how bodies are read; empty: as Content-Type says
	received time.Time

	held      []heldField          // of fields
	clock     lazyValue[time.Time] // see now
	mediaType lazyValue[string]    // see ContentType

	peeked bool
	text   []byte // the decoded body, or its first MostBody bytes
	whole  bool   // text is all of it
	isForm bool   // json is of a form

	json lazyValue[any] // numbers as json.Number
	xml  lazyValue[*etree.Document]
}

// New views resp, which was received then. media is Connection.ErrorMediaType.
func New(resp *http.Response, kind media.Kind, received time.Time) *Response {
	return &Response{resp: resp, kind: kind, received: received}
}

// NewRead views a response whose body was read by the caller: text is all of it, unless it is longer than most bytes, however
// long that is. A JSON object is one whatever its Content-Type says, and what else is called a form is read as an object of its
// fields.
func NewRead(resp *http.Response, text []byte, most int, received time.Time) *Response {
	a := &Response{resp: resp, received: received, peeked: true, text: text, whole: len(text) <= most}
	switch {
	case a.Object() != nil:
		a.kind = media.JSON
	case a.ContentType() == media.FormType:
		if form, err := url.ParseQuery(string(text)); err == nil {
			tree := make(map[string]any, len(form))
			for name := range form {
				tree[name] = form.Get(name)
			}
			a.json, a.isForm = lazyValue[any]{true, tree, true}, true
		}
	}
	return a
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
func (a *Response) Status() int { return a.resp.StatusCode }

// Header are the header fields, which must be read within bounds: by Fields, or by httpfield.Value.
func (a *Response) Header() http.Header { return a.resp.Header }

// Now is the time by the clock of who answered: all times in an answer are compared with its own Date, so that a
// clock that is wrong there or here does no harm. An answer from a cache is older than its Date by its Age (RFC 9111,
// section 5.1).
func (a *Response) Now() time.Time {
	now, _ := a.clock.get(func() (time.Time, bool) { return a.date(), true })
	return now
}

func (a *Response) date() time.Time {
	date, err := http.ParseTime(httpfield.Value(a.resp.Header, "Date"))
	if err != nil || date.Unix() <= 0 {
		return a.received
	}
	if age, err := strconv.Atoi(httpfield.Value(a.resp.Header, "Age")); err == nil && age > 0 && age < int(10*365*24*time.Hour/time.Second) {
		date = date.Add(time.Duration(age) * time.Second)
	}
	return date
}

// A heldField is what was read of a header field, so that rules, waits and quotas that name the same field read it once.
type heldField struct {
	name  string
	lines []string
}

// Fields are the values of a header field, one a line, within the bounds of httpfield.Values. Nobody may change them.
func (a *Response) Fields(name string) []string {
	if i := slices.IndexFunc(a.held, func(h heldField) bool { return h.name == name }); i >= 0 {
		return a.held[i].lines
	}
	lines := httpfield.Values(a.resp.Header, name)
	if lines != nil {
		a.held = append(a.held, heldField{name, lines})
	}
	return lines
}

// Body returns the decoded body or its first MostBody bytes, and whether that is all of it. It is false where the
// Body must not be looked at or cannot be decoded.
func (a *Response) Body() (text []byte, whole, ok bool) {
	if !a.peeked {
		a.peeked = true
		if a.isOpen() {
			a.text, a.whole, a.resp.Body = peek(a.resp.Body, a.isGzip())
		}
	}
	return a.text, a.whole, a.text != nil
}

// isOpen reports whether the body may be read ahead of the caller.
func (a *Response) isOpen() bool {
	if !media.HasBody(a.resp) || a.resp.Body == nil || a.resp.Body == http.NoBody {
		return false
	}
	if e := a.encoding(); e != "" && !a.isGzip() {
		return false
	}
	if a.resp.StatusCode/100 != 2 {
		return a.ContentType() != "text/event-stream"
	}
	if strings.Contains(strings.ToLower(httpfield.Value(a.resp.Header, "Content-Type")), "stream") {
		return false // text/event-stream, application/stream+json, application/json;stream=watch: reading them ahead may block
	}
	switch kind := a.ContentType(); media.KindOf(kind) {
	case media.JSON, media.XML, media.Text:
		return true
	default:
		return kind == ""
	}
}

// IsEmpty reports whether there is no body where there might be one.
func (a *Response) IsEmpty() bool {
	text, whole, ok := a.Body()
	return ok && whole && strings.TrimSpace(string(text)) == "" || a.resp.Body == http.NoBody && media.HasBody(a.resp)
}

func (a *Response) encoding() string {
	e := strings.ToLower(strings.TrimSpace(strings.Join(a.Fields("Content-Encoding"), ",")))
	if e == "identity" {
		return ""
	}
	return e
}

func (a *Response) isGzip() bool { return a.encoding() == "gzip" || a.encoding() == "x-gzip" }

// ContentType is the media type in lower case without parameters, and what stands before the first semicolon where it is
// malformed.
func (a *Response) ContentType() string {
	kind, _ := a.mediaType.get(func() (string, bool) { return media.Type(httpfield.Value(a.resp.Header, "Content-Type")), true })
	return kind
}

// Syntax is that of a body: what the connection says, else what Content-Type says, else what the text looks like.
func (a *Response) Syntax() media.Kind {
	text, _, _ := a.Body()
	kind := a.ContentType()
	switch named := media.KindOf(kind); {
	case a.kind != "":
		return a.kind
	case named == media.JSON || named == media.XML:
		return media.Kind(named)
	case kind == "text/html":
		return media.Text
	case strings.HasPrefix(strings.TrimLeft(string(text[:min(len(text), 64)]), "\ufeff \t\r\n"), "<"):
		return media.XML
	}
	return media.JSON
}

// Has reports whether there is something at path, and not null, which says that there is nothing.
func (a *Response) Has(path *Path) bool {
	found, ok := a.at(path)
	return ok && !found.null
}

// Values are the texts at path: that of a scalar or an element, those of all elements of an array. Nil: there is no
// such place.
func (a *Response) Values(path *Path) []string {
	found, ok := a.at(path)
	if !ok {
		return nil
	}
	return found.texts
}

// Scalar is the text at path, where there is one string or number and nothing else.
func (a *Response) Scalar(path *Path) (string, bool) {
	found, ok := a.at(path)
	if !ok || !found.scalar || len(found.texts) != 1 {
		return "", false
	}
	return found.texts[0], true
}

// at looks path up in the body. A body longer than MostBody has no paths, so one that says that it is longer is not
// read.
func (a *Response) at(path *Path) (pathResult, bool) {
	if path == nil || !a.peeked && a.encoding() == "" && a.resp.ContentLength > MostBody {
		return pathResult{}, false
	}
	if _, whole, ok := a.Body(); !ok || !whole {
		return pathResult{}, false
	}
	switch a.Syntax() {
	case media.JSON:
		return a.atJSON(path)
	case media.XML:
		document, ok := a.document()
		if !ok || path.xml == nil {
			return pathResult{}, false
		}
		return path.xml.in(document)
	}
	return pathResult{}, false
}

func (a *Response) atJSON(path *Path) (pathResult, bool) {
	if path.json == nil {
		return pathResult{}, false
	}
	tree, ok := a.Tree()
	if !ok {
		return pathResult{}, false
	}
	ctx := context.Background()
	if a.resp.Request != nil {
		ctx = a.resp.Request.Context()
	}
	return path.inJSON(ctx, tree)
}

// Tree is the body as JSON.
func (a *Response) Tree() (any, bool) {
	return a.json.get(func() (any, bool) { return decodeJSON(a.text) })
}

// Object is the body as a JSON object; nil: it is none.
func (a *Response) Object() map[string]any {
	tree, _ := a.Tree()
	object, _ := tree.(map[string]any)
	return object
}

// IsForm reports whether the object of a response that was read is that of a form.
func (a *Response) IsForm() bool { return a.isForm }

// document is the body as XML.
func (a *Response) document() (*etree.Document, bool) {
	return a.xml.get(func() (*etree.Document, bool) { return decodeXML(a.text) })
}
