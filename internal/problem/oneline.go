package problem

import (
	"strings"
	"unicode"
)

const lineBound = 300 // characters of a text from elsewhere, in a message

// OneLine makes s fit for an error message: one line without control and invisible characters, and not long.
func OneLine(s string) string {
	var b strings.Builder
	n := 0
	for word := range strings.FieldsSeq(strings.ToValidUTF8(s[:min(len(s), 8*lineBound)], "�")) {
		if b.Len() > 0 {
			b.WriteByte(' ')
			n++
		}
		for _, c := range word {
			if n >= lineBound {
				return b.String() + "…"
			}
			if unicode.IsGraphic(c) {
				b.WriteRune(c)
				n++
			}
		}
	}
	return b.String()
}
