package importer

import (
	"errors"
	"slices"
	"strings"
)

// Handlebars expressions as integration platforms use them in settings: {{path.to.value}}, {{helper "text" 5 (nested path)}}
// and the same in triple braces, which differ in escaping only. Blocks, partials, decorators and named arguments are
// recognised, to say that they have no counterpart. The syntax is that of handlebarsjs.com/guide/expressions.html.

// textPart is a part of a text: literal, or an expression.
type textPart struct {
	text   string // where it is an expression: what stands between its braces
	action bool
	bare   bool // an expression that stands in a JSON text without quotes
}

// handlebarsSplit takes text apart. Comments vanish, and \{{ begins a literal.
func handlebarsSplit(text string) []textPart {
	var parts textParts
	for text != "" {
		before, rest, found := strings.Cut(text, "{{")
		if !found {
			parts.literal(text)
			break
		}
		if plain, escaped := strings.CutSuffix(before, `\`); escaped {
			parts.literal(plain + "{{")
			text = rest
			continue
		}
		parts.literal(before)
		inner, after := handlebarsInner(rest)
		if !strings.HasPrefix(inner, "!") {
			parts.add(textPart{text: inner, action: true})
		}
		text = after
	}
	return parts.done()
}

// textParts gathers parts, and makes one of literals that follow each other.
type textParts struct {
	parts   []textPart
	pending strings.Builder
}

func (p *textParts) literal(text string) { p.pending.WriteString(text) }

func (p *textParts) add(part textPart) {
	p.done()
	p.parts = append(p.parts, part)
}

func (p *textParts) done() []textPart {
	if p.pending.Len() > 0 {
		p.parts = append(p.parts, textPart{text: p.pending.String()})
		p.pending.Reset()
	}
	return p.parts
}

// handlebarsInner cuts rest, which follows the first two braces, where the expression ends. Braces between quotes do not end
// it. One that does not end takes all.
func handlebarsInner(rest string) (inner, after string) {
	closing := "}}"
	switch {
	case strings.HasPrefix(rest, "!--"):
		inner, after, _ = strings.Cut(rest, "--}}")
		return inner, after
	case strings.HasPrefix(rest, "{{"):
		closing = "}}}}"
	case strings.HasPrefix(rest, "{"):
		closing = "}}}"
	}
	rest = rest[len(closing)-2:]
	open := "" // the quote that is open
	for i := 0; i < len(rest); i++ {
		quote := handlebarsQuote(rest[i:])
		switch {
		case quote != "" && open == "":
			open = quote
		case quote != "" && open == quote:
			open = ""
		case open == "" && strings.HasPrefix(rest[i:], closing):
			return handlebarsRaw(rest[:i], closing), rest[i+len(closing):]
		}
		i += max(len(quote), 1) - 1
	}
	return "#unclosed", ""
}

// handlebarsQuote returns the quote at the start of text, if there is one. In a text that stands in a JSON string, quotes are
// escaped; elsewhere an escaped quote stands within others.
func handlebarsQuote(text string) string {
	bare := strings.TrimPrefix(text, `\`)
	if bare != "" && (bare[0] == '"' || bare[0] == '\'') {
		return text[:len(text)-len(bare)+1]
	}
	return ""
}

// handlebarsRaw marks what stands between four braces, a raw block, as a block.
func handlebarsRaw(inner, closing string) string {
	if closing == "}}}}" {
		return "#" + strings.TrimLeft(inner, "#")
	}
	return inner
}

// handlebarsKind is the kind of a handlebarsExpr.
type handlebarsKind uint8

const (
	handlebarsPath    handlebarsKind = iota // a path, which may be the name of a helper without arguments
	handlebarsLiteral                       // "text", 'text', 5, true, false, null or undefined
	handlebarsCall                          // helper arg …
)

// handlebarsExpr is an expression.
type handlebarsExpr struct {
	kind handlebarsKind
	text string           // of a literal
	path []string         // of a path; of a call: the helper
	args []handlebarsExpr // of a call
}

// name is the helper that e calls, or may call.
func (e handlebarsExpr) name() string {
	if len(e.path) == 1 {
		return e.path[0]
	}
	return ""
}

// handlebarsDeepest is how deep parentheses may be nested.
const handlebarsDeepest = 32

var (
	errHandlebarsBlock  = errors.New("a block, which has no counterpart")
	errHandlebarsSyntax = errors.New("an expression that cannot be read")
)

// handlebarsParse reads what stands between the braces.
func handlebarsParse(inner string) (handlebarsExpr, error) {
	inner = strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(inner, "~"), "~"))
	inner = strings.TrimSpace(strings.TrimPrefix(inner, "&"))
	if inner == "" || inner == "else" || strings.ContainsAny(inner[:1], "#/^>") || strings.HasPrefix(inner, "else ") {
		return handlebarsExpr{}, errHandlebarsBlock
	}
	p := &handlebarsParser{rest: inner}
	e, ok := p.call(0)
	if p.space(); !ok || p.rest != "" {
		return handlebarsExpr{}, errHandlebarsSyntax
	}
	return e, nil
}

// handlebarsParser stands at the start of rest. Its methods return false where nothing sensible follows.
type handlebarsParser struct{ rest string }

func (p *handlebarsParser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// call reads an operand and, where it is a path with operands after it, the call that they are.
func (p *handlebarsParser) call(depth int) (e handlebarsExpr, ok bool) {
	if e, ok = p.operand(depth); !ok {
		return e, false
	}
	for p.space(); p.rest != "" && p.rest[0] != ')'; p.space() {
		arg, ok := p.operand(depth)
		if !ok || e.kind != handlebarsPath && e.kind != handlebarsCall || len(e.path) == 0 {
			return e, false
		}
		e.kind = handlebarsCall
		e.args = append(e.args, arg)
	}
	return e, true
}

func (p *handlebarsParser) operand(depth int) (e handlebarsExpr, ok bool) {
	p.space()
	if p.rest == "" || depth > handlebarsDeepest {
		return e, false
	}
	quote := handlebarsQuote(p.rest)
	switch {
	case p.rest[0] == '(':
		p.rest = p.rest[1:]
		e, ok = p.call(depth + 1)
		if p.space(); !ok || !strings.HasPrefix(p.rest, ")") {
			return e, false
		}
		p.rest = p.rest[1:]
		if e.kind == handlebarsPath { // (timestamp) calls the helper
			e.kind = handlebarsCall
		}
		return e, e.kind == handlebarsCall
	case quote != "":
		return p.quoted(quote)
	}
	return p.bare()
}

// quoted reads a text between two of quote. A backslash keeps a quote from ending it.
func (p *handlebarsParser) quoted(quote string) (e handlebarsExpr, ok bool) {
	p.rest = p.rest[len(quote):]
	var text strings.Builder
	for p.rest != "" {
		if strings.HasPrefix(p.rest, quote) {
			p.rest = p.rest[len(quote):]
			return handlebarsExpr{kind: handlebarsLiteral, text: text.String()}, true
		}
		if strings.HasPrefix(p.rest, `\`+quote) {
			p.rest = p.rest[1:]
			text.WriteString(quote[len(quote)-1:])
			p.rest = p.rest[len(quote):]
			continue
		}
		text.WriteByte(p.rest[0])
		p.rest = p.rest[1:]
	}
	return e, false
}

// bare reads a number, a literal or a path such as @root.connection.http.[a b].
func (p *handlebarsParser) bare() (e handlebarsExpr, ok bool) {
	end := strings.IndexAny(p.rest, " \t\r\n()\"'\\=|[")
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	if end == len(p.rest) || p.rest[end] != '[' {
		if slices.Contains([]string{"true", "false", "null", "undefined"}, word) || handlebarsIsNumber(word) {
			p.rest = p.rest[end:]
			return handlebarsExpr{kind: handlebarsLiteral, text: word}, true
		}
	}
	return p.path()
}

func handlebarsIsNumber(word string) bool {
	digits := strings.TrimPrefix(word, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	isDigits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	return isDigits(whole) && (!point || isDigits(fraction))
}

// path reads segments between dots or slashes, in brackets where they hold what ends a path.
func (p *handlebarsParser) path() (e handlebarsExpr, ok bool) {
	for {
		var segment string
		if rest, bracket := strings.CutPrefix(p.rest, "["); bracket {
			if segment, p.rest, ok = strings.Cut(rest, "]"); !ok {
				return e, false
			}
		} else {
			end := strings.IndexAny(p.rest, " \t\r\n()\"'\\=|[]./")
			if end < 0 {
				end = len(p.rest)
			}
			segment, p.rest = p.rest[:end], p.rest[end:]
		}
		if segment != "" && segment != "this" {
			e.path = append(e.path, segment)
		}
		if p.rest == "" || p.rest[0] != '.' && p.rest[0] != '/' {
			break
		}
		p.rest = p.rest[1:]
	}
	return e, len(e.path) > 0 && !strings.ContainsAny(p.rest[:min(1, len(p.rest))], "=|[\"'\\")
}
