package text

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// brokenMarker is the word and the label of a BEGIN or END line up to its dashes, perhaps with line breaks anywhere in them. No
// label is longer than maxLabel.
var brokenMarker = regexp.MustCompile(`(?i)(?:B\s*E\s*G\s*I\s*N|E\s*N\s*D)[A-Z0-9\s]{4,60}?-`)

// unwrap makes one line of a BEGIN or END line that a narrow terminal, a mail or a form broke into several. Nothing is guessed: what
// the pieces make must be a label that is known, between five dashes on either side.
func unwrap(t *text) *text {
	w := rewriter{from: t}
	for _, at := range brokenMarker.FindAllIndex(t.b, -1) {
		end := at[1] - 1
		left, right := dashesBack(t.b[:at[0]]), dashesOn(t.b[end:])
		start, end := at[0]-left, end+right
		if left == 0 || right == 0 || start < w.done || bytes.IndexByte(t.b[start:end], '\n') < 0 || takesNext(t.b, at[0], start, end) {
			continue
		}
		if line, ok := canonicalMarker(t.b[start:end]); ok {
			w.replace(start, end, line, fixWrapped)
		}
	}
	return w.text()
}

// takesNext reports whether the dashes on either side are those of another BEGIN or END line, which follows or precedes this one.
func takesNext(b []byte, word, start, end int) bool {
	if next := bytes.TrimLeft(b[end:min(len(b), end+16)], " \t\n"); len(next) > 4 && (equalFold(next[:5], "BEGIN") || equalFold(next[:3], "END")) {
		return true
	}
	return b[word-1] != '-' && !onlySpacesBefore(b, start)
}

// canonicalMarker writes a BEGIN or END line in one line, if its label is one that is known.
func canonicalMarker(broken []byte) (string, bool) {
	words := strings.ToUpper(strings.Trim(strings.Join(strings.Fields(string(broken)), ""), "-"))
	for _, word := range []string{"BEGIN", "END"} {
		if label, ok := strings.CutPrefix(words, word); ok {
			label = canonicalLabel(label)
			return "-----" + word + " " + label + "-----", slices.Contains(knownLabels, label)
		}
	}
	return "", false
}

// dashesOn returns the length of five dashes, a line break among them perhaps, at the start of b; zero: there are not five.
func dashesOn(b []byte) int {
	count := 0
	for i, c := range b[:min(len(b), 2*maxDashes)] {
		switch {
		case c == '-':
			if count++; count == 5 {
				return i + 1
			}
		case c != '\n' && c != ' ' && c != '\t':
			return 0
		}
	}
	return 0
}

// dashesBack is dashesOn for the end of b.
func dashesBack(b []byte) int {
	b = bytes.Clone(b[max(0, len(b)-2*maxDashes):])
	slices.Reverse(b)
	return dashesOn(b)
}
