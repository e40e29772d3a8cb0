package problem

import (
	"fmt"
	"strings"
	"unicode"
)

// MostLine is how many characters of a text OneLine keeps.
const MostLine = 300

// OneLine makes a text that somebody else wrote fit for a message: one line without control and invisible characters, of at most MostLine
// characters.
func OneLine(s string) string {
	var b strings.Builder
	n := 0
	for word := range strings.FieldsSeq(strings.ToValidUTF8(s[:min(len(s), 8*MostLine)], "�")) {
		if b.Len() > 0 {
			b.WriteByte(' ')
			n++
		}
		for _, c := range word {
			if n >= MostLine {
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

// Times is a number of things: 1 byte, 2 bytes.
func Times(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
