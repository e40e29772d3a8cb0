package jwtbearer

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/seed-363d07a3/jwtbearer/internal/httpfield"
	"github.com/seed-363d07a3/jwtbearer/internal/media"
)

// answer is a response as rules see it: status, header fields, and a body that is read only when somebody asks. It
// belongs to one attempt and is not safe for concurrent use.
//
// What is read ahead of the caller stays in resp.Body's place, so the caller must take resp.Body after the last
// question.
type answer struct {
	resp     *http.Response
	media    MediaType // how bodies are read; empty: as Content-Type says
	received time.Time

	held   heldFields
	clock  lazyValue[time.Time] // see now
	kind   lazyValue[string]    // see contentType
	limits lazyValue[[]reading] // of the field RateLimit
	quotas lazyValue[[]reading] // all that its throttling reads

	peeked bool
	text   []byte // the decoded body, or its first bodyBound bytes
	whole  bool   // text is all of it

	json lazyValue[any] // numbers as json.Number
	xml  lazyValue[*etree.Document]
}

// newAnswer views resp, which was received then. media is Connection.ErrorMediaType.
func newAnswer(resp *http.Response, media MediaType, received time.Time) *answer {
	return &answer{resp: resp, media: media, received: received}
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

// now is the time by the clock of who answered: all times in an answer are compared with its own Date, so that a
// clock that is wrong there or here does no harm. An answer from a cache is older than its Date by its Age (RFC 9111,
// section 5.1).
func (a *answer) now() time.Time {
	now, _ := a.clock.get(func() (time.Time, bool) { return a.date(), true })
	return now
}

func (a *answer) date() time.Time {
	date, err := http.ParseTime(httpfield.Value(a.resp.Header, "Date"))
	if err != nil || date.Unix() <= 0 {
		return a.received
	}
	if age, err := strconv.Atoi(httpfield.Value(a.resp.Header, "Age")); err == nil && age > 0 && age < int(10*365*24*time.Hour/time.Second) {
		date = date.Add(time.Duration(age) * time.Second)
	}
	return date
}

// fields are the values of a header field, one a line, within the bounds of fieldValues. Nobody may change them.
func (a *answer) fields(name string) []string { return a.held.lines(a.resp.Header, name) }

// body returns the decoded body or its first bodyBound bytes, and whether that is all of it. It is false where the
// body must not be looked at or cannot be decoded.
func (a *answer) body() (text []byte, whole, ok bool) {
	if !a.peeked {
		a.peeked = true
		if a.isOpen() {
			a.text, a.whole, a.resp.Body = peek(a.resp.Body, a.isGzip())
		}
	}
	return a.text, a.whole, a.text != nil
}

// isOpen reports whether the body may be read ahead of the caller.
func (a *answer) isOpen() bool {
	if !media.HasBody(a.resp) || a.resp.Body == nil || a.resp.Body == http.NoBody {
		return false
	}
	if e := a.encoding(); e != "" && !a.isGzip() {
		return false
	}
	if a.resp.StatusCode/100 != 2 {
		return a.contentType() != "text/event-stream"
	}
	if strings.Contains(strings.ToLower(httpfield.Value(a.resp.Header, "Content-Type")), "stream") {
		return false // text/event-stream, application/stream+json, application/json;stream=watch: reading them ahead may block
	}
	switch kind := a.contentType(); media.KindOf(kind) {
	case media.JSON, media.XML, media.Text:
		return true
	default:
		return kind == ""
	}
}

func (a *answer) encoding() string {
	e := strings.ToLower(strings.TrimSpace(strings.Join(a.fields("Content-Encoding"), ",")))
	if e == "identity" {
		return ""
	}
	return e
}

func (a *answer) isGzip() bool { return a.encoding() == "gzip" || a.encoding() == "x-gzip" }

// contentType is the media type in lower case without parameters, and what stands before the first semicolon where it is
// malformed.
func (a *answer) contentType() string {
	kind, _ := a.kind.get(func() (string, bool) { return media.Type(httpfield.Value(a.resp.Header, "Content-Type")), true })
	return kind
}

// syntax is that of a body: what the connection says, else what Content-Type says, else what the text looks like.
func (a *answer) syntax(text []byte) MediaType {
	kind := a.contentType()
	switch named := media.KindOf(kind); {
	case a.media != "":
		return a.media
	case named == media.JSON || named == media.XML:
		return MediaType(named)
	case kind == "text/html":
		return MediaPlaintext
	case strings.HasPrefix(strings.TrimLeft(string(text[:min(len(text), 64)]), "\ufeff \t\r\n"), "<"):
		return MediaXML
	}
	return MediaJSON
}

// values are the texts at path: that of a scalar or an element, those of all elements of an array. Nil: there is no
// such place.
func (a *answer) values(path *bodyPath) []string {
	found, ok := a.at(path)
	if !ok {
		return nil
	}
	return found.texts
}

// scalar is the text at path, where there is one string or number and nothing else.
func (a *answer) scalar(path *bodyPath) (string, bool) {
	found, ok := a.at(path)
	if !ok || !found.scalar || len(found.texts) != 1 {
		return "", false
	}
	return found.texts[0], true
}

// at looks path up in the body. A body longer than bodyBound has no paths, so one that says that it is longer is not
// read.
func (a *answer) at(path *bodyPath) (pathResult, bool) {
	if path == nil || !a.peeked && a.encoding() == "" && a.resp.ContentLength > bodyBound {
		return pathResult{}, false
	}
	text, whole, ok := a.body()
	if !ok || !whole {
		return pathResult{}, false
	}
	switch a.syntax(text) {
	case MediaJSON:
		return a.atJSON(path)
	case MediaXML:
		document, ok := a.document()
		if !ok || path.xml == nil {
			return pathResult{}, false
		}
		return path.xml.in(document)
	}
	return pathResult{}, false
}

func (a *answer) atJSON(path *bodyPath) (pathResult, bool) {
	if path.json == nil {
		return pathResult{}, false
	}
	tree, ok := a.tree()
	if !ok {
		return pathResult{}, false
	}
	ctx := context.Background()
	if a.resp.Request != nil {
		ctx = a.resp.Request.Context()
	}
	return path.inJSON(ctx, tree)
}

// tree is the body as JSON.
func (a *answer) tree() (any, bool) {
	return a.json.get(func() (any, bool) { return decodeJSON(a.text) })
}

// document is the body as XML.
func (a *answer) document() (*etree.Document, bool) {
	return a.xml.get(func() (*etree.Document, bool) { return decodeXML(a.text) })
}
