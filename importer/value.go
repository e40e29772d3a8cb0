package importer

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

// importedValue is what a foreign expression gives, as a template of ours can say it.
type importedValue struct {
	kind importedKind

	pieces []importedPiece // of a text, one after the other
	number string          // a number that is known, as JSON
	offset int64           // of a time, from the present, in milliseconds
	form   importedForm    // of a time
}

type importedKind uint8

const (
	importedText importedKind = iota
	importedNumber
	importedTime
)

// importedForm is how a time is written.
type importedForm uint8

const (
	importedISO     importedForm = iota // ISO 8601, which no function of ours writes
	importedSeconds                     // since 1970
	importedMillis
)

// importedPiece is literal, or a pipeline that gives text.
type importedPiece struct {
	text   string
	action bool
}

func importedLiteral(text string) importedValue {
	return importedValue{pieces: []importedPiece{{text: text}}}
}

func importedAction(pipeline string) importedValue {
	return importedValue{pieces: []importedPiece{{text: pipeline, action: true}}}
}

// literal returns a text in which nothing has to be evaluated.
func (v importedValue) literal() (string, bool) {
	if v.kind == importedNumber {
		return v.number, true
	}
	var b strings.Builder
	for _, p := range v.pieces {
		if p.action {
			return "", false
		}
		b.WriteString(p.text)
	}
	return b.String(), v.kind == importedText
}

// operand returns v as an argument of a function that takes text.
func (v importedValue) operand() (string, bool) {
	if text, ok := v.literal(); ok {
		return strconv.Quote(text), true
	}
	switch {
	case v.kind == importedText && len(v.pieces) == 1:
		return importedParens(v.pieces[0].text), true
	case v.kind == importedTime && v.form != importedISO:
		return "(string " + importedParens(v.now()) + ")", true
	}
	return "", false
}

// importedParens puts a pipeline of several words between parentheses.
func importedParens(pipeline string) string {
	if strings.Contains(pipeline, " ") || !strings.HasPrefix(pipeline, ".") {
		return "(" + pipeline + ")"
	}
	return pipeline
}

// now is the pipeline of a time in seconds or milliseconds. Ours takes whole seconds.
func (v importedValue) now() string {
	name := "now"
	if v.form == importedMillis {
		name = "nowMillis"
	}
	seconds := v.offset / 1000
	if v.offset%1000 < 0 {
		seconds--
	}
	if seconds == 0 {
		return name
	}
	return fmt.Sprintf("%s %d", name, seconds)
}

// template returns v as a part of a longer text.
func (v importedValue) template() (string, bool) {
	switch v.kind {
	case importedNumber:
		return v.number, true
	case importedTime:
		return "{{" + v.now() + "}}", v.form != importedISO
	}
	var b, literal strings.Builder // a literal is escaped as a whole: two braces may come from two pieces
	for _, p := range v.pieces {
		if !p.action {
			literal.WriteString(p.text)
			continue
		}
		text := importedEscape(literal.String())
		if open, ok := strings.CutSuffix(text, "{"); ok {
			text = open + `{{"{"}}`
		}
		b.WriteString(text + "{{" + p.text + "}}")
		literal.Reset()
	}
	b.WriteString(importedEscape(literal.String()))
	return b.String(), true
}

// importedEscape writes literal text so that a template gives it back.
func importedEscape(text string) string {
	if isImportedReference(text) {
		return "{{" + strconv.Quote(text) + "}}"
	}
	return strings.ReplaceAll(text, "{{", `{{"{{"}}`)
}

// json returns v as a JSON value that is an expression and nothing else: bare, without quotes around it, or quoted.
func (v importedValue) json(bare bool) (jsontext.Value, bool) {
	if !bare {
		if v.kind == importedTime && v.form != importedISO {
			return importedString("{{string " + importedParens(v.now()) + "}}"), true
		}
		text, ok := v.template()
		return importedString(text), ok
	}
	if text, ok := v.literal(); ok {
		value, err := jsontext.Parse(text)
		return importedNeutral(value), err == nil
	}
	if v.kind == importedTime {
		return importedString("{{" + v.now() + "}}"), v.form != importedISO
	}
	if len(v.pieces) != 1 {
		return jsontext.Value{}, false
	}
	return importedString("{{json " + importedParens(v.pieces[0].text) + "}}"), true
}

// date returns v as a NumericDate (RFC 7519, section 2), which is a number however it was written.
func (v importedValue) date() (jsontext.Value, bool) {
	if v.kind == importedTime {
		return importedString("{{" + v.now() + "}}"), true
	}
	if text, ok := v.literal(); ok {
		value, err := jsontext.Parse(text)
		return value, err == nil && value.Kind == jsontext.Number
	}
	if len(v.pieces) != 1 {
		return jsontext.Value{}, false
	}
	return importedString("{{int " + importedParens(v.pieces[0].text) + "}}"), true
}

func importedString(text string) jsontext.Value {
	return jsontext.Value{Kind: jsontext.String, Text: text}
}

// importedNeutral escapes the strings in v, which were data and become templates.
func importedNeutral(v jsontext.Value) jsontext.Value {
	switch v.Kind {
	case jsontext.String:
		v.Text = importedEscape(v.Text)
	case jsontext.Array:
		for i := range v.Elems {
			v.Elems[i] = importedNeutral(v.Elems[i])
		}
	case jsontext.Object:
		for i := range v.Members {
			v.Members[i].Value = importedNeutral(v.Members[i].Value)
		}
	}
	return v
}
