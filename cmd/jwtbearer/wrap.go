package main

import (
	"io"
	"strings"
	"unicode/utf8"
)

// leastText is how many columns of text a wrapped line has at least, besides its indent.
const leastText = 24

// wrapped breaks the lines of a table between words, so that they fit into a terminal, and indents what goes on to where the text of
// the line begins: behind what head gives the length of. Words are never broken. Of what is no terminal nothing is changed.
func wrapped(w io.Writer, table string, head func(line string) int) string {
	if !isTerminal(w) {
		return table
	}
	return wrapLines(table, columns(w), head)
}

func wrapLines(table string, width int, head func(line string) int) string {
	var b strings.Builder
	for line := range strings.Lines(table) {
		text, end := strings.CutSuffix(line, "\n")
		wrapLine(&b, text, width, head(text))
		if end {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// wrapLine writes a line whose text begins after so many bytes.
func wrapLine(b *strings.Builder, line string, width, head int) {
	indent := min(visible(line[:head]), max(0, width-leastText))
	b.WriteString(line[:head])
	at := visible(line[:head])
	for i, word := range strings.Split(line[head:], " ") {
		size := visible(word)
		switch {
		case i == 0:
		case at+1+size > width && size > 0:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			at = indent
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += size
	}
}

// visible is how many columns a text takes, without what sets its colour.
func visible(text string) int {
	n, escaped := 0, false
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		i += size
		switch {
		case r == '\x1b':
			escaped = true
		case escaped:
			escaped = r != 'm'
		default:
			n++
		}
	}
	return n
}

// afterColumns is where the text begins in a line of a table of several columns with two spaces between them, of which the last is the
// text; a line that begins with spaces belongs to the one above, and its text begins with its first word.
func afterColumns(columns int) func(line string) int {
	return func(line string) int {
		at := len(line) - len(strings.TrimLeft(line, " "))
		if at > 0 {
			return at + len(arrow(line[at:]))
		}
		for range columns - 1 {
			gap := strings.IndexByte(line[at:], ' ')
			if gap < 0 {
				return at
			}
			at += gap
			at += len(line[at:]) - len(strings.TrimLeft(line[at:], " "))
		}
		return at
	}
}

// arrow is what stands before a hint.
func arrow(text string) string {
	const mark = "-> "
	if strings.HasPrefix(text, mark) {
		return mark
	}
	return ""
}
