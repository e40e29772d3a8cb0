package importer

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

// value is what a foreign expression gives, as a template of ours can say it: a text or a time.
type value struct {
	pieces []piece // of a text, one after the other

	form   timeForm // of a time
	offset int64    // of a time, from the present, in milliseconds
}

// timeForm is how a time is written.
type timeForm uint8

const (
	noTime      timeForm = iota // a text
	formISO                     // ISO 8601, which no function of ours writes
	formSeconds                 // since 1970
	formMillis
)

// piece is literal, or a pipeline that gives text.
type piece struct {
	text   string
	action bool
}

func literalValue(text string) value {
	return value{pieces: []piece{{text: text}}}
}

func actionValue(pipeline string) value {
	return value{pieces: []piece{{text: pipeline, action: true}}}
}

// literal returns a text in which nothing has to be evaluated.
func (v value) literal() (string, bool) {
	var b strings.Builder
	for _, p := range v.pieces {
		if p.action {
			return "", false
		}
		b.WriteString(p.text)
	}
	return b.String(), v.form == noTime
}

// operand returns v as an argument of a function that takes text.
func (v value) operand() (string, bool) {
	if text, ok := v.literal(); ok {
		return strconv.Quote(text), true
	}
	switch {
	case v.form == noTime && len(v.pieces) == 1:
		return parens(v.pieces[0].text), true
	case v.form > formISO:
		return "(string " + parens(v.now()) + ")", true
	}
	return "", false
}

// parens puts a pipeline of several words between parentheses.
func parens(pipeline string) string {
	if strings.Contains(pipeline, " ") || !strings.HasPrefix(pipeline, ".") {
		return "(" + pipeline + ")"
	}
	return pipeline
}

// now is the pipeline of a time in seconds or milliseconds. Ours takes whole seconds.
func (v value) now() string {
	name := "now"
	if v.form == formMillis {
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

// inText returns v as a part of a longer text, if a template can write it there.
func (v value) inText() (value, bool) {
	if v.form > formISO {
		return actionValue(v.now()), true
	}
	return v, v.form == noTime
}

// template returns v, which is a text.
func (v value) template() string {
	var b, literal strings.Builder // a literal is escaped as a whole: two braces may come from two pieces
	for _, p := range v.pieces {
		if !p.action {
			literal.WriteString(p.text)
			continue
		}
		text := escape(literal.String())
		if open, ok := strings.CutSuffix(text, "{"); ok {
			text = open + `{{"{"}}`
		}
		b.WriteString(text + "{{" + p.text + "}}")
		literal.Reset()
	}
	b.WriteString(escape(literal.String()))
	return b.String()
}

// escape writes literal text so that a template gives it back.
func escape(text string) string {
	if isReference(text) {
		return "{{" + strconv.Quote(text) + "}}"
	}
	return literally.Replace(text)
}

// literally writes what would begin an action or a reference as a string in an action.
var literally = strings.NewReplacer("{{", escapedBraces, "${env:", `{{"${"}}env:`, "${file:", `{{"${"}}file:`)

// escapedBraces is the template for two braces.
const escapedBraces = `{{"{{"}}`

// json returns v as a JSON value that is an expression and nothing else: bare, without quotes around it, or quoted.
func (v value) json(bare bool) (jsontext.Value, bool) {
	if !bare {
		if v.form > formISO {
			return jsonString("{{string " + parens(v.now()) + "}}"), true
		}
		return jsonString(v.template()), v.form == noTime
	}
	if text, ok := v.literal(); ok {
		value, err := jsontext.Parse(text)
		return neutral(value), err == nil
	}
	if v.form != noTime {
		return jsonString("{{" + v.now() + "}}"), v.form != formISO
	}
	if len(v.pieces) != 1 {
		return jsontext.Value{}, false
	}
	return jsonString("{{json " + parens(v.pieces[0].text) + "}}"), true
}

// date returns v as a NumericDate (RFC 7519, section 2), which is a number however it was written.
func (v value) date() (jsontext.Value, bool) {
	if v.form != noTime {
		return jsonString("{{" + v.now() + "}}"), true
	}
	if text, ok := v.literal(); ok {
		value, err := jsontext.Parse(text)
		return value, err == nil && value.Kind == jsontext.Number
	}
	if len(v.pieces) != 1 {
		return jsontext.Value{}, false
	}
	return jsonString("{{int " + parens(v.pieces[0].text) + "}}"), true
}

func jsonString(text string) jsontext.Value {
	return jsontext.Value{Kind: jsontext.String, Text: text}
}

// neutral escapes the strings in v, which were data and become templates.
func neutral(v jsontext.Value) jsontext.Value {
	switch v.Kind {
	case jsontext.String:
		v.Text = escape(v.Text)
	case jsontext.Array:
		for i := range v.Elems {
			v.Elems[i] = neutral(v.Elems[i])
		}
	case jsontext.Object:
		for i := range v.Members {
			v.Members[i].Value = neutral(v.Members[i].Value)
		}
	}
	return v
}
