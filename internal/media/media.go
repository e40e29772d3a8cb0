// Package media knows values and the bodies that hold them: JSON, XML, forms, csv and text, and by which Content-Type each goes. It
// must never know connections, requests' tokens or limits other than the length that it is given.
package media

import (
	"net/http"
	"strings"
)

// A Kind names a way to encode bodies.
type Kind string

// The kinds. A response is none of the forms, a request is no csv.
const (
	JSON       Kind = "json"
	XML        Kind = "xml"
	URLEncoded Kind = "urlencoded"
	FormData   Kind = "form-data"
	CSV        Kind = "csv"
	Text       Kind = "plaintext"
)

// FormType is the media type of URLEncoded.
const FormType = "application/x-www-form-urlencoded"

// Type is the media type that a Content-Type names, in lower case and without parameters; of a malformed one what stands
// before the first semicolon.
func Type(field string) string {
	mediaType, _, _ := strings.Cut(field, ";")
	return strings.ToLower(strings.TrimSpace(mediaType))
}

// KindOf tells from a Content-Type how a body is encoded; empty: in another way, or that is not told.
func KindOf(field string) Kind {
	switch t := Type(field); {
	case strings.HasSuffix(t, "/json") || strings.HasSuffix(t, "+json"):
		return JSON
	case strings.HasSuffix(t, "/xml") || strings.HasSuffix(t, "+xml"):
		return XML
	case t == "text/csv":
		return CSV
	case t == "text/plain":
		return Text
	case t == FormType:
		return URLEncoded
	case t == "multipart/form-data":
		return FormData
	}
	return ""
}

// HasBody reports whether a response may have content that is its own to read (RFC 9110, section 6.4.1; section 15.3.6 for 205).
func HasBody(resp *http.Response) bool {
	code := resp.StatusCode
	if resp.Request != nil {
		switch resp.Request.Method {
		case http.MethodHead:
			return false
		case http.MethodConnect:
			if code/100 == 2 { // a tunnel
				return false
			}
		}
	}
	return code >= 200 && code != http.StatusNoContent && code != http.StatusResetContent && code != http.StatusNotModified
}

// ContentType is what Content-Type says of a body. A form-data body has a boundary that only its author knows.
func (k Kind) ContentType() string {
	switch k {
	case XML:
		return "application/xml"
	case URLEncoded:
		return FormType
	case Text:
		return "text/plain; charset=utf-8"
	case FormData:
		return ""
	}
	return "application/json"
}

// Accept is what Accept says where SuccessMediaType is set.
func (k Kind) Accept() string {
	switch k {
	case JSON:
		return "application/json"
	case XML:
		return "application/xml, text/xml;q=0.9"
	case CSV:
		return "text/csv"
	case Text:
		return "text/plain"
	}
	return ""
}
