package main

import (
	"cmp"
	"io"
	"os"

	"golang.org/x/term"
)

// Colours, as terminals have them (ECMA-48, section 8.3.117).
const (
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	grey   = "\x1b[90m"
	plain  = "\x1b[0m"
)

// paint is text in a colour, where there are colours.
func paint(on bool, colour, text string) string {
	if !on || colour == "" {
		return text
	}
	return colour + text + plain
}

// isTerminal reports whether people read along.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// hasColours reports whether w shows colours: a terminal whose user did not object (https://no-color.org).
func hasColours(w io.Writer) bool {
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// columns is the width of a terminal, which may change at any time.
func columns(w io.Writer) int {
	width := 0
	if f, ok := w.(*os.File); ok {
		width, _, _ = term.GetSize(int(f.Fd())) // zero where it is not known
	}
	return cmp.Or(width, 80)
}
