package jwtbearer

import (
	"bytes"
	std "encoding"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
)

// A content is an encoded body.
type content struct {
	reader    io.Reader
	mediaType string // for Content-Type; empty: the caller knows
	own       bool   // mediaType has a parameter that this body cannot do without
}

// An encoder writes scalars as texts. refuse, if not nil, gives an error for a value that must not be written.
type encoder struct{ refuse func(value any) error }

// encodeBody encodes what NewRequest was given.
func encodeBody(media MediaType, body any, refuse func(value any) error) (content, error) {
	e := encoder{refuse}
	switch b := body.(type) {
	case nil:
		return content{}, nil
	case io.Reader:
		return content{reader: b, mediaType: media.contentType()}, nil
	case []byte:
		return content{reader: bytes.NewReader(b), mediaType: media.contentType()}, nil
	case string:
		return content{reader: strings.NewReader(b), mediaType: media.contentType()}, nil
	}
	var data []byte
	var err error
	switch media {
	case MediaXML:
		data, err = xml.Marshal(body)
	case MediaURLEncoded:
		var values url.Values
		values, err = e.formValues(body)
		data = []byte(values.Encode())
	case MediaFormData:
		return e.formData(body)
	case MediaPlaintext:
		data, err = e.plainText(body)
	default:
		data, err = marshalJSON(body)
	}
	if err != nil {
		return content{}, err
	}
	return content{reader: bytes.NewReader(data), mediaType: media.contentType()}, nil
}

// mediaTypeOf is the media type that a Content-Type names, in lower case and without parameters; of a malformed one what stands
// before the first semicolon.
func mediaTypeOf(field string) string {
	mediaType, _, _ := strings.Cut(field, ";")
	return strings.ToLower(strings.TrimSpace(mediaType))
}

// kindOf tells from a Content-Type how a body is encoded; empty: in another way, or that is not told.
func kindOf(field string) MediaType {
	switch t := mediaTypeOf(field); {
	case strings.HasSuffix(t, "/json") || strings.HasSuffix(t, "+json"):
		return MediaJSON
	case strings.HasSuffix(t, "/xml") || strings.HasSuffix(t, "+xml"):
		return MediaXML
	case t == "text/csv":
		return MediaCSV
	case t == "text/plain":
		return MediaPlaintext
	case t == formType:
		return MediaURLEncoded
	case t == "multipart/form-data":
		return MediaFormData
	}
	return ""
}

// hasBody reports whether a response can have content (RFC 9110, section 6.4.1; section 15.3.6 for 205).
func hasBody(resp *http.Response) bool {
	code := resp.StatusCode
	if resp.Request != nil {
		switch resp.Request.Method {
		case http.MethodHead:
			return false
		case http.MethodConnect:
			return code/100 != 2
		}
	}
	return code >= 200 && code != http.StatusNoContent && code != http.StatusResetContent && code != http.StatusNotModified
}

// contentType is what Content-Type says of a body. A form-data body has a boundary that only its author knows.
func (m MediaType) contentType() string {
	switch m {
	case MediaXML:
		return "application/xml"
	case MediaURLEncoded:
		return formType
	case MediaPlaintext:
		return "text/plain; charset=utf-8"
	case MediaFormData:
		return ""
	}
	return "application/json"
}

// accept is what Accept says where SuccessMediaType is set.
func (m MediaType) accept() string {
	switch m {
	case MediaJSON:
		return "application/json"
	case MediaXML:
		return "application/xml, text/xml;q=0.9"
	case MediaCSV:
		return "text/csv"
	case MediaPlaintext:
		return "text/plain"
	}
	return ""
}

// formValues reads a map with string keys as the fields of a form. A nil value is no field, a list one field for each.
func (e encoder) formValues(body any) (url.Values, error) {
	v := reflect.ValueOf(body)
	if v.Kind() != reflect.Map || v.Type().Key().Kind() != reflect.String {
		return nil, fmt.Errorf("%T cannot be a form: use url.Values or a map with string keys", body)
	}
	values := make(url.Values, v.Len())
	for key, value := range v.Seq2() {
		texts, err := e.fieldTexts(value.Interface())
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", key, err)
		}
		values[key.String()] = texts
	}
	return values, nil
}

// fieldTexts returns the texts of a value: of each element of a list, none of nil.
func (e encoder) fieldTexts(value any) ([]string, error) {
	v := reflect.ValueOf(value)
	if !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, nil
	}
	if !isList(v) {
		text, err := e.plainText(value)
		return []string{string(text)}, err
	}
	var texts []string
	for i := range v.Len() {
		element := v.Index(i).Interface()
		if element == nil {
			continue
		}
		text, err := e.plainText(element)
		if err != nil {
			return nil, err
		}
		texts = append(texts, string(text))
	}
	return texts, nil
}

// isList reports whether v is a list of values rather than a text.
func isList(v reflect.Value) bool {
	if v.Kind() != reflect.Slice && v.Kind() != reflect.Array || v.Type().Elem().Kind() == reflect.Uint8 {
		return false
	}
	return !v.Type().Implements(reflect.TypeFor[std.TextMarshaler]())
}

// plainText writes a scalar.
func (e encoder) plainText(value any) ([]byte, error) {
	if e.refuse != nil {
		if err := e.refuse(value); err != nil {
			return nil, err
		}
	}
	switch v := value.(type) {
	case []byte:
		return v, nil
	case std.TextMarshaler:
		return v.MarshalText()
	case fmt.Stringer:
		return []byte(v.String()), nil
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return fmt.Append(nil, value), nil
	case reflect.Float32, reflect.Float64: // 1000000, not 1e+06: many readers of forms know no exponents
		return strconv.AppendFloat(nil, v.Float(), 'f', -1, v.Type().Bits()), nil
	case reflect.Pointer:
		if !v.IsNil() {
			return e.plainText(v.Elem().Interface())
		}
	}
	return nil, fmt.Errorf("%T is not a text: use a string, a number, a bool, an encoding.TextMarshaler or a fmt.Stringer", value)
}

// marshalJSON is json.Marshal without its escapes for HTML.
func marshalJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
