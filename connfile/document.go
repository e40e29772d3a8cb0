package connfile

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

const (
	maxSize        = 256 << 10 // of a file
	maxConnections = 1000      // in a file; each takes a kilobyte, however short it is written
)

// A document is a part of a file: what stands between two lines ---.
type document struct {
	text      string
	firstLine int
}

// documents checks that data is text and splits it. Its line breaks become \n, as YAML wants them in values; in JSON they are
// only space.
func documents(data []byte) ([]document, *Error) {
	if len(data) > maxSize {
		return nil, &Error{Problem: fmt.Sprintf("is longer than %d KiB", maxSize>>10),
			Hint: "spread the connections over several files, and put keys and certificates into files of their own: ${file:key.pem}"}
	}
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) || bytes.IndexByte(data, 0) >= 0 {
		return nil, &Error{Problem: "is not UTF-8 but perhaps UTF-16", Hint: "save it as UTF-8"}
	}
	text := strings.TrimPrefix(string(data), "\ufeff")
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	for i, r := range text {
		if r < ' ' && r != '\t' && r != '\n' || r == 0x7f || r == utf8.RuneError && !strings.HasPrefix(text[i:], "\ufffd") {
			line, column := jsontext.Position(text, i)
			return nil, &Error{Line: line, Column: column, Problem: "a control character, or not UTF-8",
				Hint: "save the file as UTF-8 text"}
		}
	}
	return split(text)
}

// split splits text at its lines --- and ... (YAML 1.2.2, section 9.1.2), which begin no line otherwise, not even in quotes.
func split(text string) ([]document, *Error) {
	docs := []document{{firstLine: 1}}
	number, start, end := 0, 0, 0
	for line := range strings.Lines(text) {
		number++
		end += len(line)
		mark, rest, _ := strings.Cut(strings.TrimRight(strings.ReplaceAll(line, "\t", " "), " \n"), " ")
		if mark != "---" && mark != "..." {
			continue
		}
		if rest = strings.TrimLeft(rest, " "); rest != "" && rest[0] != '#' {
			return nil, &Error{Line: number, Column: 5, Problem: "text after " + mark, Hint: "write it in the next line"}
		}
		if len(docs) == maxConnections {
			return nil, &Error{Line: number, Column: 1, Problem: fmt.Sprintf("more than %d documents", maxConnections),
				Hint: "split the file"}
		}
		docs[len(docs)-1].text = text[start : end-len(line)]
		docs = append(docs, document{firstLine: number + 1})
		start = end
	}
	docs[len(docs)-1].text = text[start:]
	return docs, nil
}

// read reads a document: as JSON if it begins as an object of JSON does, alone or in an array, and else as YAML.
func (d document) read() (node, *Error) {
	rest := strings.TrimLeft(d.text, " \t\n[")
	if object, ok := strings.CutPrefix(rest, "{"); ok && strings.HasPrefix(strings.TrimLeft(object, " \t\n"), `"`) {
		return readJSON(d.text, d.firstLine)
	}
	return readYAML(d.text, d.firstLine)
}
