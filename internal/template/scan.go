package template

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

const (
	hintActions = "an action is a pipeline of .Fields.x, .Secrets.x, .Request.X, .Token, strings, whole numbers and functions"
	hintStatic  = "BaseURI and TokenURL are evaluated once: they can use only .Fields, .Secrets and the helpers"
	hintString  = `write a string as "x", in JSON text as \"x\"`
)

// keywords begin the control structures of text/template.
var keywords = []string{"block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"}

// extent is an action with its delimiters.
type extent struct{ start, end int }

// scanActions finds the actions of text, as the lexer of text/template/parse does, and refuses what that would accept and we do
// not, or would report with a line only and with a piece of the text, which may be a secret.
func scanActions(text string) ([]extent, *fault) {
	var spans []extent
	for pos := 0; ; {
		i := strings.Index(text[pos:], "{{")
		if i < 0 {
			return spans, nil
		}
		start := pos + i
		end, fault := scanAction(text, start)
		if fault != nil {
			return nil, fault
		}
		spans = append(spans, extent{start, end})
		pos = end
	}
}

// scanAction returns where the action at start ends.
func scanAction(text string, start int) (end int, _ *fault) {
	pos := start + len("{{")
	if rest := text[pos:]; len(rest) > 1 && rest[0] == '-' && strings.IndexByte(" \t\r\n", rest[1]) >= 0 {
		pos += 2
	}
	if strings.HasPrefix(text[pos:], "/*") {
		i := strings.Index(text[pos:], "*/")
		if i < 0 {
			return 0, faultf(start, "end it with */}}, or remove it", "a comment without its closing */")
		}
		return scanBody(text, start, pos+i+len("*/"))
	}
	word := strings.TrimLeftFunc(text[pos:], unicode.IsSpace)
	wordPos := len(text) - len(word)
	if i := strings.IndexFunc(word, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }); i >= 0 {
		word = word[:i]
	}
	if slices.Contains(keywords, word) {
		return 0, faultf(wordPos, "templates have no control structures: put the finished value into Fields", "%q is not available", word)
	}
	return scanBody(text, start, pos)
}

// scanBody looks from pos for the end of the action at start.
func scanBody(text string, start, pos int) (end int, _ *fault) {
	for ; pos < len(text); pos++ {
		switch c := text[pos]; {
		case strings.HasPrefix(text[pos:], "}}"):
			return pos + len("}}"), nil
		case c == '"' || c == '`':
			n := stringLen(text[pos:])
			if n == 0 {
				return 0, faultf(pos, hintString, "a string without its closing quote")
			}
			pos += n - 1
		case c == '\'':
			return 0, faultf(pos, hintString, "single quotes do not make a string")
		case c == '$':
			return 0, faultf(pos, hintActions, "templates have no variables")
		}
	}
	return 0, faultf(start, "end the action with }}", "{{ without its closing }}")
}

// stringLen returns the length of the quoted string at the start of s, 0 where it does not end.
func stringLen(s string) int {
	if s[0] == '`' {
		if i := strings.IndexByte(s[1:], '`'); i >= 0 {
			return 1 + i + 1
		}
		return 0
	}
	for i := 1; i < len(s) && s[i] != '\n'; i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// oddName matches a field or secret whose name templates cannot write.
var oddName = regexp.MustCompile(`\.(Fields|Secrets)\.([\pL\pN_]+[-/:@#+~]+[\pL\pN_/:@#+~-]+)`)

// unreadable finds the actions that text/template/parse refused. The reason that it gives is passed on only where the
// action holds no literal.
func unreadable(text string, spans []extent) []*fault {
	var faults []*fault
	for _, s := range spans {
		action := text[s.start:s.end]
		_, err := readTree(action)
		if err == nil {
			continue
		}
		problem, hint := "an action that cannot be read", hintActions
		if found := oddName.FindStringSubmatch(action); found != nil {
			hint = "a name in a template has letters, digits and underscores alone: rename it in " + found[1] + ", such as " + nameOf(found[2])
		}
		if !strings.ContainsAny(action, "\"`0123456789") {
			place := strings.SplitN(err.Error(), ": ", 3) // "template: name:line: reason"
			problem += ": " + place[len(place)-1]
		}
		faults = append(faults, faultf(s.start, hint, "%s", problem))
	}
	if faults == nil {
		faults = append(faults, faultf(0, hintActions, "a template that cannot be read"))
	}
	return faults
}

// nameOf makes a name that templates can write of one that they cannot.
func nameOf(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return '_'
	}, name)
}
