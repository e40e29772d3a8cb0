package jwtbearer

import (
	"bytes"
	std "encoding"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/httpfield"
	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
)

// A content is an encoded body.
type content struct {
	reader    io.Reader
	mediaType string // for Content-Type; empty: the caller knows
	own       bool   // mediaType has a parameter that this body cannot do without
}

// encodeBody encodes what NewRequest was given.
func encodeBody(media MediaType, body any) (content, error) {
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
		values, err = formValues(body)
		data = []byte(values.Encode())
	case MediaFormData:
		return encodeFormData(body)
	case MediaPlaintext:
		data, err = plainText(body)
	default:
		data, err = jsontext.Marshal(body)
	}
	if err != nil {
		return content{}, err
	}
	return content{reader: bytes.NewReader(data), mediaType: media.contentType()}, nil
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
func formValues(body any) (url.Values, error) {
	v := reflect.ValueOf(body)
	if v.Kind() != reflect.Map || v.Type().Key().Kind() != reflect.String {
		return nil, fmt.Errorf("%T cannot be a form: use url.Values or a map with string keys", body)
	}
	values := make(url.Values, v.Len())
	for key, value := range v.Seq2() {
		texts, err := fieldTexts(value.Interface())
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", key, err)
		}
		values[key.String()] = texts
	}
	return values, nil
}

// fieldTexts returns the texts of a value: of each element of a list, none of nil.
func fieldTexts(value any) ([]string, error) {
	v := reflect.ValueOf(value)
	if !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, nil
	}
	if !isList(v) {
		text, err := plainText(value)
		return []string{string(text)}, err
	}
	var texts []string
	for i := range v.Len() {
		element := v.Index(i).Interface()
		if element == nil {
			continue
		}
		text, err := plainText(element)
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

// plainText writes a scalar. A Secret is refused, since it would be written as ******.
func plainText(value any) ([]byte, error) {
	switch v := value.(type) {
	case Secret:
		return nil, errors.New("a Secret does not print: convert it with string(s)")
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
			return plainText(v.Elem().Interface())
		}
	}
	return nil, fmt.Errorf("%T is not a text: use a string, a number, a bool, an encoding.TextMarshaler or a fmt.Stringer", value)
}

// decodeAnswer decodes the body of a successful answer into out. most is MaxResponse; zero: no bound.
func decodeAnswer(media MediaType, resp *http.Response, out any, most int64) error {
	if out == nil || hasNoContent(resp) {
		return nil
	}
	if w, ok := out.(io.Writer); ok {
		_, err := io.Copy(w, resp.Body)
		return err
	}
	if most == 0 {
		return decodeWhole(media, resp, resp.Body, out)
	}
	body := &boundedBody{body: resp.Body, most: most, left: most}
	if body.over = resp.ContentLength > most; body.over { // net/http tells no length of what it decodes
		return body.tooLong()
	}
	err := decodeWhole(media, resp, body, out)
	if body.over {
		return body.tooLong() // whatever a decoder made of it
	}
	return err
}

// decodeWhole decodes a body that out takes into memory.
func decodeWhole(media MediaType, resp *http.Response, body io.Reader, out any) error {
	switch o := out.(type) {
	case *[]byte:
		data, err := io.ReadAll(body)
		*o = data
		return err
	case *string:
		data, err := io.ReadAll(body)
		*o = string(data)
		return err
	}
	media, err := mediaOf(media, resp)
	if err != nil {
		return err
	}
	if err := decodeAs(media, body, out); err != nil {
		return fmt.Errorf("the answer (%s, Content-Type %q) is not the %s that was expected: %w",
			status(resp.StatusCode), problem.OneLine(resp.Header.Get("Content-Type")), media, err)
	}
	return nil
}

// hasNoContent reports whether an answer has no body by its nature (RFC 9110, section 6.4.1).
func hasNoContent(resp *http.Response) bool {
	return resp.StatusCode == http.StatusNoContent || resp.StatusCode == http.StatusResetContent ||
		resp.Request != nil && resp.Request.Method == http.MethodHead
}

// mediaOf tells how an answer is encoded: as the connection says, else as the answer does.
func mediaOf(media MediaType, resp *http.Response) (MediaType, error) {
	if media != "" {
		return media, nil
	}
	header := httpfield.Value(resp.Header, "Content-Type")
	mediaType, _, _ := mime.ParseMediaType(header)
	switch {
	case header == "" || mediaType == "application/json" || mediaType == "text/json" || strings.HasSuffix(mediaType, "+json"):
		return MediaJSON, nil
	case mediaType == "application/xml" || mediaType == "text/xml" || strings.HasSuffix(mediaType, "+xml"):
		return MediaXML, nil
	case mediaType == "text/csv":
		return MediaCSV, nil
	case mediaType == "text/plain":
		return MediaPlaintext, nil
	}
	return "", fmt.Errorf("the answer (%s) has Content-Type %q: decode it into *[]byte, or set SuccessMediaType if that is wrong",
		status(resp.StatusCode), problem.OneLine(header))
}

func decodeAs(media MediaType, body io.Reader, out any) error {
	switch media {
	case MediaXML:
		return decodeDocument(body, out)
	case MediaCSV:
		records, ok := out.(*[][]string)
		if !ok {
			return fmt.Errorf("csv decodes into *[][]string, not %T", out)
		}
		var err error
		r := csv.NewReader(withoutBOM(body))
		r.FieldsPerRecord = -1 // what the columns mean is the caller's affair
		*records, err = r.ReadAll()
		return err
	case MediaPlaintext:
		return fmt.Errorf("text decodes into *string, *[]byte or an io.Writer, not %T", out)
	}
	dec := json.NewDecoder(withoutBOM(body))
	if err := emptyIsAnError(dec.Decode(out)); err != nil {
		return err
	}
	return atEnd(dec.Token())
}

// decodeDocument decodes one XML document. Nothing but comments, instructions and blanks may follow it.
func decodeDocument(body io.Reader, out any) error {
	dec := xml.NewDecoder(withoutBOM(body))
	if err := emptyIsAnError(dec.Decode(out)); err != nil {
		return err
	}
	for {
		token, err := dec.Token()
		switch text := token.(type) {
		case xml.CharData:
			if len(bytes.TrimSpace(text)) > 0 {
				return errTrailing
			}
		case xml.Comment, xml.ProcInst:
		default:
			return atEnd(token, err)
		}
	}
}

var errTrailing = errors.New("there is more after the value")

// atEnd says what it means that a decoder gave this after the value. An answer that was cut off is no answer.
func atEnd(_ any, err error) error {
	switch _, syntax := errors.AsType[*json.SyntaxError](err); {
	case err == io.EOF:
		return nil
	case err == nil || syntax:
		return errTrailing
	}
	return err
}

func emptyIsAnError(err error) error {
	if err == io.EOF {
		return errors.New("the body is empty")
	}
	return err
}

// withoutBOM drops a byte order mark, which RFC 8259, section 8.1, lets readers ignore.
func withoutBOM(r io.Reader) io.Reader {
	head := make([]byte, 3)
	n, err := io.ReadFull(r, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return io.MultiReader(bytes.NewReader(head[:n]), errReader{err})
	}
	return io.MultiReader(bytes.NewReader(bytes.TrimPrefix(head[:n], []byte("\xef\xbb\xbf"))), r)
}
