package media

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"path/filepath"
	"reflect"
	"slices"
)

// formData encodes a map as multipart/form-data (RFC 7578), its fields in the order of their names. A []byte or an
// io.Reader is a file; a reader is not read before the body is sent.
func (e encoder) formData(body any) (Body, error) {
	v := reflect.ValueOf(body)
	if v.Kind() != reflect.Map || v.Type().Key().Kind() != reflect.String {
		return Body{}, fmt.Errorf("%T cannot be a form: use url.Values or a map with string keys", body)
	}
	var names []string
	fields := make(map[string]any, v.Len())
	for key, value := range v.Seq2() {
		names = append(names, key.String())
		fields[key.String()] = value.Interface()
	}
	slices.Sort(names)
	f := newFormData()
	for _, name := range names {
		if err := f.add(e, name, fields[name]); err != nil {
			return Body{}, fmt.Errorf("field %s: %w", name, err)
		}
	}
	return f.close()
}

// A formData is a multipart body under construction: what the writer wrote so far, and readers between.
type formData struct {
	writer *multipart.Writer
	buf    *bytes.Buffer
	parts  []io.Reader
	stream bool // a part can be read only once
}

func newFormData() *formData {
	buf := new(bytes.Buffer)
	return &formData{writer: multipart.NewWriter(buf), buf: buf}
}

// add writes one field, or several of the same name.
func (f *formData) add(e encoder, name string, value any) error {
	switch v := value.(type) {
	case []byte:
		w, err := f.writer.CreateFormFile(name, name)
		if err != nil {
			return err
		}
		_, err = w.Write(v)
		return err
	case io.Reader:
		if _, err := f.writer.CreateFormFile(name, fileName(name, v)); err != nil {
			return err
		}
		f.parts = append(f.parts, bytes.NewReader(bytes.Clone(f.buf.Bytes())), v)
		f.buf.Reset()
		f.stream = true
		return nil
	}
	texts, err := e.fieldTexts(value)
	for _, text := range texts {
		if err := f.writer.WriteField(name, text); err != nil {
			return err
		}
	}
	return err
}

// fileName is what an *os.File is called, and else the name of its field.
func fileName(field string, file io.Reader) string {
	if named, ok := file.(interface{ Name() string }); ok {
		return filepath.Base(named.Name())
	}
	return field
}

// close ends the body. One without streams can be sent again.
func (f *formData) close() (Body, error) {
	if err := f.writer.Close(); err != nil {
		return Body{}, err
	}
	tail := bytes.NewReader(f.buf.Bytes())
	if !f.stream {
		return Body{Reader: tail, ContentType: f.writer.FormDataContentType(), Own: true}, nil
	}
	return Body{Reader: io.MultiReader(append(f.parts, tail)...), ContentType: f.writer.FormDataContentType(), Own: true}, nil
}
