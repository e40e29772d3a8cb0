package connfile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// A yamlWriter writes nodes in a form that every reader of YAML 1.1 or 1.2 reads alike.
type yamlWriter struct{ b strings.Builder }

// writeYAML writes a mapping.
func writeYAML(n node) string {
	if len(n.members) == 0 {
		return "{}\n"
	}
	w := new(yamlWriter)
	w.mapping(n, "")
	return w.b.String()
}

// mapping writes members as lines of their own. The first line of a mapping in a list is begun already.
func (w *yamlWriter) mapping(n node, indent string) {
	for i, m := range n.members {
		if i > 0 || !strings.HasSuffix(w.b.String(), "- ") {
			w.b.WriteString(indent)
		}
		w.b.WriteString(flowScalar(m.name))
		w.b.WriteByte(':')
		w.value(m.value, indent)
	}
}

// value writes what follows a colon, up to the end of its last line. indent is that of the key.
func (w *yamlWriter) value(n node, indent string) {
	switch {
	case n.kind == kindMapping && len(n.members) > 0:
		w.b.WriteByte('\n')
		w.mapping(n, indent+"  ")
	case n.kind == kindSequence && len(n.elems) > 0 && slices.ContainsFunc(n.elems, notNumber):
		w.b.WriteByte('\n')
		w.sequence(n, indent+"  ")
	default:
		w.b.WriteByte(' ')
		w.inline(n, indent+"  ")
	}
}

func notNumber(n node) bool { return n.kind != kindNumber }

func (w *yamlWriter) sequence(n node, indent string) {
	for _, elem := range n.elems {
		w.b.WriteString(indent + "- ")
		if elem.kind == kindMapping && len(elem.members) > 0 {
			w.mapping(elem, indent+"  ")
		} else {
			w.inline(elem, indent+"  ")
		}
	}
}

// inline writes a scalar, or a list within brackets, and the end of the line. indent is that of further lines.
func (w *yamlWriter) inline(n node, indent string) {
	switch {
	case n.kind == kindText && fitsBlock(n.text):
		w.block(n.text, indent)
	case n.kind == kindText:
		w.b.WriteString(scalarText(n.text) + "\n")
	default:
		w.b.WriteString(flowText(n) + "\n")
	}
}

// block writes text of several lines as it stands.
func (w *yamlWriter) block(text, indent string) {
	body, ended := strings.CutSuffix(text, "\n")
	w.b.WriteString("|")
	if !ended {
		w.b.WriteString("-")
	}
	for line := range strings.SplitSeq(body, "\n") {
		w.b.WriteByte('\n')
		if line != "" {
			w.b.WriteString(indent + line)
		}
	}
	w.b.WriteByte('\n')
}

// fitsBlock reports whether text of several lines has nothing that blocks carry badly: spaces at the end of a line or at the
// start of the first, empty lines at either end, other control characters.
func fitsBlock(text string) bool {
	body := strings.TrimSuffix(text, "\n")
	return strings.Contains(body, "\n") && strings.TrimLeft(body, " \n") == body && !strings.HasSuffix(body, "\n") &&
		!strings.Contains(text, " \n") && !strings.HasSuffix(text, " ") &&
		!strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && mustEscape(r) })
}

// flowText is a node within brackets, or one that is no text.
func flowText(n node) string {
	var parts []string
	switch n.kind {
	case kindText:
		return flowScalar(n.text)
	case kindSequence:
		for _, elem := range n.elems {
			parts = append(parts, flowText(elem))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case kindMapping:
		for _, m := range n.members {
			parts = append(parts, flowScalar(m.name)+": "+flowText(m.value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return n.text
}

// plainText matches text that needs no quotes: a part of what YAML allows, references and durations.
var plainText = regexp.MustCompile(`^([A-Za-z_/]` + inPlain + `*(:[-A-Za-z0-9_./+=@%&~?]` + inPlain + `*)*` +
	`|\$\{[-A-Za-z0-9_./]+:[-A-Za-z0-9_./]+\}|([0-9]+(\.[0-9]+)?(h|m|s|ms|us|ns))+)$`)

const inPlain = `[-A-Za-z0-9_./+=@%&~? ]`

// words are what YAML 1.1 takes for true, false or null.
var words = []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}

func scalarText(text string) string {
	plain := plainText.MatchString(text) && !strings.HasSuffix(text, " ") && !slices.Contains(words, strings.ToLower(text))
	switch {
	case plain:
		return text
	case strings.ContainsAny(text, `"\`) && !strings.ContainsFunc(text, mustEscape):
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	return quote(text)
}

// flowScalar is scalarText for a key, or within brackets, where a reference needs quotes.
func flowScalar(text string) string {
	if strings.HasPrefix(text, "$") {
		return quote(text)
	}
	return scalarText(text)
}

// quote writes text in double quotes, with escapes that JSON has, too.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case mustEscape(r) && r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		case mustEscape(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// mustEscape reports whether r is better not seen in a file as it is.
func mustEscape(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }
