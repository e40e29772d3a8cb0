package media

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"

	"golang.org/x/net/html/charset"
)

// A ContentError says that a body cannot be decoded.
type ContentError struct {
	Expected Kind  // empty: Content-Type says a kind that cannot be decoded
	Err      error // what is wrong
}

func (e *ContentError) Error() string { return e.Err.Error() }
func (e *ContentError) Unwrap() error { return e.Err }

// Decode decodes the body of a response into out: as kind says, else as Content-Type does, else as JSON. Into an io.Writer, a *[]byte
// or a *string it goes as it is; a nil out ignores it, and a response that has none, or one of length 0, leaves out alone. What goes into memory is at
// most most bytes long; zero: no bound. A body that is not what was expected is a *ContentError.
func Decode(kind Kind, resp *http.Response, out any, most int64) error {
	if out == nil || !HasBody(resp) || resp.ContentLength == 0 {
		return nil
	}
	if w, ok := out.(io.Writer); ok {
		_, err := io.Copy(w, resp.Body)
		return err
	}
	if most == 0 {
		return decodeWhole(kind, resp, resp.Body, out)
	}
	body := &boundedBody{body: resp.Body, most: most, left: most}
	if body.over = resp.ContentLength > most; body.over { // net/http tells no length of what it decodes
		return body.tooLong()
	}
	err := decodeWhole(kind, resp, body, out)
	if body.over {
		return body.tooLong() // whatever a decoder made of it
	}
	return err
}

// decodeWhole decodes a body that out takes into memory.
func decodeWhole(kind Kind, resp *http.Response, body io.Reader, out any) error {
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
	if kind == "" {
		kind = JSON
		if field := resp.Header.Get("Content-Type"); field != "" {
			kind = KindOf(field)
		}
	}
	switch kind {
	case JSON, XML, CSV, Text:
	default:
		return &ContentError{Err: errors.New("a response of that Content-Type cannot be decoded")}
	}
	if err := decodeAs(kind, body, out); err != nil {
		return &ContentError{kind, err}
	}
	return nil
}

// decodeAs decodes a body of that kind. Nothing may follow the value.
func decodeAs(kind Kind, body io.Reader, out any) error {
	switch kind {
	case XML:
		return decodeDocument(body, out)
	case CSV:
		records, ok := out.(*[][]string)
		if !ok {
			return fmt.Errorf("csv decodes into *[][]string, not %T", out)
		}
		var err error
		r := csv.NewReader(withoutBOM(body))
		r.FieldsPerRecord = -1 // what the columns mean is for the caller to say
		*records, err = r.ReadAll()
		return err
	case Text:
		return fmt.Errorf("text decodes into *string, *[]byte or an io.Writer, not %T", out)
	}
	dec := json.NewDecoder(withoutBOM(body))
	if err := emptyIsAnError(dec.Decode(out)); err != nil {
		return err
	}
	return atEnd(dec.Token())
}

// decodeDocument decodes one XML document. Nothing but comments, instructions and spaces may follow it.
func decodeDocument(body io.Reader, out any) error {
	dec := xml.NewDecoder(withoutBOM(body))
	dec.CharsetReader = charset.NewReaderLabel // for what its declaration says
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

// atEnd says what it means that a decoder gave this after the value. A response that was cut off is an error.
func atEnd(_ any, err error) error {
	switch _, syntax := errors.AsType[*json.SyntaxError](err); {
	case err == io.EOF:
		return nil
	case err == nil || syntax:
		return errTrailing
	}
	return err
}

// emptyIsAnError says that there is no value, where a decoder says only that the body ended.
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

// An errReader gives an error.
type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }
