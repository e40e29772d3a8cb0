package importer

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestHandlebarsSplitFindsExpressions(t *testing.T) {
	lit := func(s string) textPart { return textPart{text: s} }
	act := func(s string) textPart { return textPart{text: s, action: true} }
	for text, want := range map[string][]textPart{
		``:                               nil,
		`plain } text`:                   {lit(`plain } text`)},
		`a{{b}}c{{{d}}}e`:                {lit("a"), act("b"), lit("c"), act("d"), lit("e")},
		`{{f "}}" '}}}'}}x`:              {act(`f "}}" '}}}'`), lit("x")},
		`{{f \"}}\" 5}}x`:                {act(`f \"}}\" 5`), lit("x")},
		`{{f "a'b" 'c"d'}}`:              {act(`f "a'b" 'c"d'`)},
		`a{{! comment }}b{{!-- }} --}}c`: {lit("abc")},
		`\{{a}}{{b}}`:                    {lit("{{a}}"), act("b")},
		`{{{{raw}}}}x{{{{/raw}}}}`:       {act("#raw"), lit("x"), act("#/raw")},
		`{{unclosed`:                     {act("#unclosed")},
		`{{f "a\"}}" 5}}`:                {act(`f "a\"}}" 5`)},
		`{{"unclosed}}`:                  {act("#unclosed")},
		`{"a":{"b":{{c}}}}`:              {lit(`{"a":{"b":`), act("c"), lit("}}")},
	} {
		if got := handlebarsSplit(text); !reflect.DeepEqual(got, want) {
			t.Errorf("handlebarsSplit(%q) = %+v, want %+v", text, got, want)
		}
	}
}

// show writes an expression with all its parentheses.
func (e handlebarsExpr) show() string {
	switch e.kind {
	case handlebarsLiteral:
		return fmt.Sprintf("%q", e.text)
	case handlebarsPath:
		return strings.Join(e.path, "|")
	}
	words := []string{strings.Join(e.path, "|")}
	for _, arg := range e.args {
		words = append(words, arg.show())
	}
	return "(" + strings.Join(words, " ") + ")"
}

func TestHandlebarsParseReadsExpressions(t *testing.T) {
	for text, want := range map[string]string{
		`a`:                          `a`,
		` a.b/c `:                    `a|b|c`,
		`this.a`:                     `a`,
		`@root.x.[a b].[0]`:          `@root|x|a b|0`,
		`[a b]`:                      `a b`,
		`~a~`:                        `a`,
		`& a`:                        `a`,
		`f 1 -2.5 "x" 'y' true null`: `(f "1" "-2.5" "x" "y" "true" "null")`,
		`f (g 1) (h)`:                `(f (g "1") (h))`,
		`f "a\"b" 'c\'d'`:            `(f "a\"b" "c'd")`,
		`f \"a b\" \"\"`:             `(f "a b" "")`,
		`f "back\slash"`:             `(f "back\\slash")`,
		`f -a 1.2.3`:                 `(f -a 1|2|3)`,
		"f\n\t1":                     `(f "1")`,
		`f undefined`:                `(f "undefined")`,
		`((f))`:                      `(f)`,
		`f a=b`:                      ``,
		`f |x|`:                      ``,
		`f "open`:                    ``,
		`f (open`:                    ``,
		`f )`:                        ``,
		`f "a"b"`:                    ``,
		`"text" 5`:                   ``,
		`5 5`:                        ``,
		`(5)`:                        ``,
		`f [open`:                    ``,
		`f ()`:                       ``,
		`..`:                         ``,
		`#each x`:                    ``,
		`/each`:                      ``,
		`else`:                       ``,
		`else if x`:                  ``,
		`^`:                          ``,
		`> partial`:                  ``,
		``:                           ``,
		`f ` + strings.Repeat("(g ", 40) + "1" + strings.Repeat(")", 40): ``,
	} {
		got, err := handlebarsParse(text)
		if (err != nil) != (want == "") || err == nil && got.show() != want {
			t.Errorf("handlebarsParse(%q) = %s, %v, want %s", text, got.show(), err, want)
		}
	}
}
