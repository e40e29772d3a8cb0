package jwtbearer

import (
	"bytes"
	"io"
	"net/http"
	"net/url"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
	"github.com/seed-363d07a3/jwtbearer/internal/media"
	"github.com/seed-363d07a3/jwtbearer/internal/origin"
)

// request is the token request without its parameters.
func (h *hop) request() *http.Request {
	req := &http.Request{Method: h.method, URL: h.url, Host: h.url.Host, Header: make(http.Header)}
	if !h.core.setsHeader("Accept") {
		req.Header.Set("Accept", "application/json")
	}
	return req
}

// values are what templates see of the token request; nil where none looks at it.
func (h *hop) values() *requestValues {
	if h.core.looks&needRequest == 0 {
		return nil
	}
	return h.core.requestValues(h.request(), nil)
}

// compose puts the parameters into an outgoing token request: into the query of a GET, and else into the body.
func (h *hop) compose(out *http.Request, values *requestValues, token string) error {
	if len(h.params.members) == 0 {
		return nil
	}
	object, err := h.params.appendObject(nil, &env{now: h.core.skew.now(), req: values, token: token})
	if err != nil {
		return err
	}
	contentType := "application/json"
	if h.encoding == encodingForm {
		contentType = media.FormType
		if object, err = formOf(object); err != nil {
			return err
		}
	}
	if h.method == http.MethodGet || h.method == http.MethodHead {
		out.URL.RawQuery = origin.JoinQuery(out.URL.RawQuery, string(object))
		return nil
	}
	if !h.core.setsHeader("Content-Type") {
		out.Header.Set("Content-Type", contentType)
	}
	out.ContentLength = int64(len(object))
	out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(object)), nil }
	out.Body, _ = out.GetBody()
	if values != nil {
		values.openBody = out.GetBody
	}
	return nil
}

// formOf writes a JSON object as a form, in its order. A list becomes several fields of one name.
func formOf(object []byte) ([]byte, error) {
	v, err := jsontext.Parse(string(object))
	if err != nil {
		return nil, err
	}
	var form []byte
	add := func(name string, value jsontext.Value) {
		text := value.Text
		if value.Kind != jsontext.String {
			text = string(value.Append(nil))
		}
		if len(form) > 0 {
			form = append(form, '&')
		}
		form = append(append(append(form, url.QueryEscape(name)...), '='), url.QueryEscape(text)...)
	}
	for _, m := range v.Members {
		if m.Value.Kind != jsontext.Array {
			add(m.Name, m.Value)
			continue
		}
		for _, e := range m.Value.Elems {
			add(m.Name, e)
		}
	}
	return form, nil
}
