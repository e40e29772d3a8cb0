package media

import (
	"bytes"
	std "encoding"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/url"
	"reflect"
	"strconv"
	"strings"
)

// A Body is an encoded body.
type Body struct {
	Reader      io.Reader // nil: there is no body
	ContentType string    // empty: the caller knows
	Own         bool      // ContentType has a parameter that this body cannot do without
}

// An encoder writes scalars as texts. refuse is that of Encode.
type encoder struct{ refuse func(value any) error }

// Encode encodes a body as kind says; empty: as JSON. A nil is no body; an io.Reader, a []byte and a string go as they are. refuse, if
// not nil, gives an error for a value that must not be written as a text.
func Encode(kind Kind, body any, refuse func(value any) error) (Body, error) {
	e := encoder{refuse}
	switch b := body.(type) {
	case nil:
		return Body{}, nil
	case io.Reader:
		return Body{Reader: b, ContentType: kind.ContentType()}, nil
	case []byte:
		return Body{Reader: bytes.NewReader(b), ContentType: kind.ContentType()}, nil
	case string:
		return Body{Reader: strings.NewReader(b), ContentType: kind.ContentType()}, nil
	}
	var data []byte
	var err error
	switch kind {
	case XML:
		data, err = xml.Marshal(body)
	case URLEncoded:
		var values url.Values
		values, err = e.formValues(body)
		data = []byte(values.Encode())
	case FormData:
		return e.formData(body)
	case Text:
		data, err = e.plainText(body)
	default:
		data, err = Marshal(body)
	}
	if err != nil {
		return Body{}, err
	}
	return Body{Reader: bytes.NewReader(data), ContentType: kind.ContentType()}, nil
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
	if isNil(value) {
		return nil, nil
	}
	v := reflect.ValueOf(value)
	if !isList(v) {
		text, err := e.plainText(value)
		return []string{string(text)}, err
	}
	var texts []string
	for i := range v.Len() {
		element := v.Index(i).Interface()
		if isNil(element) {
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

// plainText writes a scalar as a text.
func (e encoder) plainText(value any) ([]byte, error) {
	if isNil(value) {
		return nil, notText(value)
	}
	if err := e.refuses(value); err != nil {
		return nil, err
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
		return e.plainText(v.Elem().Interface())
	}
	return nil, notText(value)
}

// refuses returns why value must not be written: it, or what it points to, which may have the methods of a text.
func (e encoder) refuses(value any) error {
	if e.refuse == nil {
		return nil
	}
	v := reflect.ValueOf(value)
	for ; v.IsValid(); v = v.Elem() {
		if err := e.refuse(v.Interface()); err != nil {
			return err
		}
		if v.Kind() != reflect.Pointer && v.Kind() != reflect.Interface {
			break
		}
	}
	return nil
}

// isNil reports whether there is no value: nil, or a pointer that is nil, whose methods may need what it points to.
func isNil(value any) bool {
	v := reflect.ValueOf(value)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}

func notText(value any) error {
	return fmt.Errorf("%T is not a text: use a string, a number, a bool, an encoding.TextMarshaler or a fmt.Stringer", value)
}

// Marshal is json.Marshal without its escapes for HTML.
func Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
