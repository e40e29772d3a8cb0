package importer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

// markedText is a text that becomes JSON only when its expressions are evaluated, such as {"iat": {{timestamp}}}, made JSON:
// each expression is its number between two marks, in quotes where it has none.
type markedText struct {
	text  string
	mark  string     // a character that is nowhere else
	parts []textPart // the expressions, whose index is their number
}

// markParts marks the expressions among parts. Where these are JSON, an expression that has no quotes gets some, and is bare.
func markParts(parts []textPart, isJSON bool) *markedText {
	var b strings.Builder
	for _, part := range parts {
		b.WriteString(part.text)
	}
	m := &markedText{mark: unusedRune(b.String())}
	b.Reset()
	quoted := !isJSON
	for _, part := range parts {
		if part.action {
			part.bare = !quoted
			m.parts = append(m.parts, part)
			part.text = m.mark + strconv.Itoa(len(m.parts)-1) + m.mark
			if part.bare {
				part.text = `"` + part.text + `"`
			}
		} else if isJSON {
			quoted = endsQuoted(part.text, quoted)
		}
		b.WriteString(part.text)
	}
	m.text = b.String()
	return m
}

// unusedRune returns a character for private use (Unicode, section 23.5) that is not in text.
func unusedRune(text string) string {
	const first, last = 0xf0000, 0x10fffd
	used := make(map[rune]bool)
	for _, r := range text {
		if r >= first {
			used[r] = true
		}
	}
	mark := rune(first)
	for mark < last && used[mark] {
		mark++
	}
	return string(mark)
}

// endsQuoted reports whether the end of a piece of JSON text is within a string.
func endsQuoted(piece string, quoted bool) bool {
	for i := 0; i < len(piece); i++ {
		switch {
		case quoted && piece[i] == '\\':
			i++
		case piece[i] == '"':
			quoted = !quoted
		}
	}
	return quoted
}

// split takes a string of the marked text apart.
func (m *markedText) split(text string) []textPart {
	var parts []textPart
	for i, piece := range strings.Split(text, m.mark) {
		if i%2 == 0 {
			if piece != "" {
				parts = append(parts, textPart{text: piece})
			}
			continue
		}
		if n, err := strconv.Atoi(piece); err == nil && n >= 0 && n < len(m.parts) {
			parts = append(parts, m.parts[n])
		}
	}
	return parts
}

// tree translates the strings of a JSON value.
type tree struct {
	*texts
	split func(text string) []textPart
}

// members translates an object. Names are no templates here.
func (t *tree) members(path string, members []jsontext.Member, claims bool) jsontext.Value {
	out := jsontext.Value{Kind: jsontext.Object}
	have := make(map[string]bool, len(members))
	for _, m := range members {
		name, ok := t.name(path, m.Name)
		if !ok || have[name] {
			t.dropped(path, "a member whose name is an expression, or another's name, ignored: names are no templates")
			continue
		}
		have[name] = true
		at := joinPath(path, name)
		var value jsontext.Value
		if hidden, ok := t.hideMember(at, name, m.Value); ok {
			value = hidden
		} else if claims && slices.Contains(claimsOfTime[:], name) {
			value = t.date(at, m.Value)
		} else {
			value = t.value(at, m.Value)
		}
		out.Members = append(out.Members, jsontext.Member{Name: name, Value: value})
	}
	return out
}

func (t *tree) name(path, name string) (string, bool) {
	var b strings.Builder
	for _, part := range t.split(name) {
		if part.action {
			v, _, err := t.eval(path, part)
			text, known := v.literal()
			if err != nil || !known {
				return "", false
			}
			part.text = text
		}
		b.WriteString(part.text)
	}
	return b.String(), true
}

func (t *tree) value(path string, v jsontext.Value) jsontext.Value {
	switch v.Kind {
	case jsontext.Object:
		return t.members(path, v.Members, false)
	case jsontext.Array:
		out := jsontext.Value{Kind: jsontext.Array}
		for i, e := range v.Elems {
			out.Elems = append(out.Elems, t.value(fmt.Sprintf("%s[%d]", path, i), e))
		}
		return out
	case jsontext.String:
		return t.string(path, v.Text)
	}
	return v
}

// string translates a string, or an expression that stands for a whole value.
func (t *tree) string(path, text string) jsontext.Value {
	parts := t.split(text)
	if len(parts) != 1 || !parts[0].action {
		return jsonString(t.join(path, parts))
	}
	out, ok := t.texts.value(path, parts[0]).json(parts[0].bare)
	if !ok {
		out, _ = t.noForm(path).json(false)
	}
	return out
}

// aDuration is what nobody means as a time: the first day of 1970.
const aDuration = 100_000

// date translates a claim that is a time. Where it was a string, it becomes the number that it has to be.
func (t *tree) date(path string, v jsontext.Value) jsontext.Value {
	if n, err := strconv.Atoi(v.Text); v.Kind == jsontext.Number && err == nil && n < aDuration {
		t.assumed(path, `was kept, though it is a time in the year 1970: if it is a duration, write "{{now %d}}"`, n)
	}
	parts := t.split(v.Text)
	if v.Kind != jsontext.String || len(parts) != 1 {
		return t.value(path, v)
	}
	value := literalValue(parts[0].text)
	if parts[0].action {
		value = t.texts.value(path, parts[0])
	}
	t.tellDate(path, value, parts[0])
	out, ok := value.date()
	if !ok {
		return t.value(path, v)
	}
	return out
}

func (t *tree) tellDate(path string, v value, part textPart) {
	text, known := v.literal()
	switch {
	case v.form == formISO:
		t.assumed(path, "the expression gives a date in ISO 8601, but this claim is a number of seconds (RFC 7519, section "+
			"2), which the template gives")
	case v.offset%1000 != 0:
		t.changed(path, "the offset is not a whole number of seconds and was rounded down")
	case !part.bare && (v.form != noTime || known && text != "" && strings.Trim(text, "0123456789") == ""):
		t.changed(path, "was a string, but is a number by RFC 7519, section 2")
	case !known && v.form == noTime:
		t.assumed(path, `is a time by RFC 7519, and the template takes it for a number of seconds that does not change: `+
			`"{{now 300}}" would be 300 s from now`)
	}
}
