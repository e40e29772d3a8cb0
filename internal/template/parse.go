package template

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/seed-363d07a3/jwtbearer/internal/nearest"
)

// part is a piece of a template: constant text, or an action.
type part struct {
	expr
	pos    int
	action bool
}

// parse reads text as text/template does and compiles its actions. A text that is wholly a reference is what that refers to,
// taken literally. It goes on after an action that cannot be, to find them all.
func (t *Set) parse(text string, sc Scope) ([]part, []*fault) {
	if value, ok, bad := t.reference(text); bad != nil {
		return nil, []*fault{bad}
	} else if ok {
		return []part{{expr: fixedText(value)}}, nil
	}
	if !strings.Contains(text, "{{") {
		return []part{{expr: fixedText(text)}}, nil
	}
	spans, bad := scanActions(text)
	if bad != nil {
		return nil, []*fault{bad}
	}
	tree, err := readTree(text)
	if err != nil {
		return nil, unreadable(text, spans)
	}
	c := &compiler{Set: t, scope: sc}
	var parts []part
	var faults []*fault
	for _, n := range tree.Root.Nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			parts = append(parts, part{expr: fixedText(string(n.Text))})
		case *parse.ActionNode:
			x, bad := c.pipe(n.Pipe)
			if bad != nil {
				faults = append(faults, bad)
			}
			parts = append(parts, part{expr: x, pos: int(n.Position()), action: true})
		default:
			faults = append(faults, faultf(int(n.Position()), hintActions, "this construct of text/template is unsupported"))
		}
	}
	return parts, faults
}

// reference returns the value of a text that is wholly a reference.
func (t *Set) reference(text string) (value string, ok bool, _ *fault) {
	if t.Resolve == nil {
		return "", false, nil
	}
	ref, value, err := t.Resolve(text)
	if err != nil {
		return "", false, faultf(0, "set it, or put the value itself here", "the reference ${%s} could not be resolved: %s", ref, err)
	}
	return value, ref != "", nil
}

func readTree(text string) (*parse.Tree, error) {
	tree := parse.New("template")
	tree.Mode = parse.SkipFuncCheck
	return tree.Parse(text, "", "", map[string]*parse.Tree{})
}

// compiler compiles the nodes of one template.
type compiler struct {
	*Set
	scope Scope
}

// arg is an argument of a function.
type arg struct {
	expr
	pos int
}

// pipe compiles a pipeline: the value of each command is the last argument of the next.
func (c *compiler) pipe(p *parse.PipeNode) (expr, *fault) {
	var piped []arg
	for _, cmd := range p.Cmds {
		x, fault := c.command(cmd, piped)
		if fault != nil {
			return expr{}, fault
		}
		piped = []arg{{x, int(cmd.Position())}}
	}
	return piped[0].expr, nil
}

func (c *compiler) command(cmd *parse.CommandNode, piped []arg) (expr, *fault) {
	if name, ok := cmd.Args[0].(*parse.IdentifierNode); ok {
		var args []arg
		for _, n := range cmd.Args[1:] {
			x, fault := c.operand(n)
			if fault != nil {
				return expr{}, fault
			}
			args = append(args, arg{x, int(n.Position())})
		}
		return c.call(name, append(args, piped...))
	}
	x, fault := c.operand(cmd.Args[0])
	switch {
	case fault != nil:
		return x, fault
	case len(cmd.Args) > 1:
		return x, faultf(int(cmd.Args[1].Position()), "remove what follows it, or write a function before it", "a value takes no arguments, only a function does")
	case len(piped) > 0:
		return x, faultf(int(cmd.Position()), "write it as {{.Fields.name | upper}}", "only a function can stand after |")
	}
	return x, nil
}

func (c *compiler) operand(n parse.Node) (expr, *fault) {
	pos := int(n.Position())
	switch n := n.(type) {
	case *parse.IdentifierNode:
		return c.call(n, nil)
	case *parse.PipeNode:
		return c.pipe(n)
	case *parse.FieldNode:
		return c.field(n)
	case *parse.StringNode:
		return fixedText(n.Text), nil
	case *parse.NumberNode:
		if !isWhole(n.Text) {
			return expr{}, faultf(pos, "write decimal digits only", "not a whole number")
		}
		return expr{kind: kindNumber, fixed: true, value: n.Text}, nil
	case *parse.DotNode:
		return expr{}, faultf(pos, "name a value, such as .Fields.name", "a bare . names no value")
	case *parse.ChainNode:
		return expr{}, faultf(pos, "remove the name after the parentheses", "the result of an expression has no fields")
	case *parse.BoolNode, *parse.NilNode:
		return expr{}, faultf(pos, "write it into the JSON as it is, without quotes and braces", "%s is not a value of templates", n)
	}
	return expr{}, faultf(pos, hintActions, "this construct of text/template is unsupported")
}

// isWhole reports whether s is a JSON number without fraction and exponent.
func isWhole(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || len(digits) > 1 && digits[0] == '0' {
		return false
	}
	return strings.Trim(digits, "0123456789") == ""
}

// field compiles .Fields.x, .Secrets.x, .Request.X and .Token.
func (c *compiler) field(n *parse.FieldNode) (expr, *fault) {
	root, pos := n.Ident[0], int(n.Position())
	if len(n.Ident) > 1 {
		pos -= len(".") + len(root) // parse gives the position of the second name
	}
	names := c.roots(root)
	switch {
	case names == nil:
		hint := cmp.Or(didYouMean(".", root, []string{"Fields", "Secrets", "Request", "Token"}), hintActions)
		return expr{}, faultf(pos, hint, "unknown value .%s", root)
	case root == "Token" && len(n.Ident) == 1:
		return c.token(pos)
	case root == "Token" || len(n.Ident) > 2:
		whole := strings.Join(n.Ident[:len(n.Ident)-1], ".")
		return expr{}, faultf(pos, "write ."+whole, "the value .%s has no parts", whole)
	case len(n.Ident) == 1:
		return expr{}, faultf(pos, "write ."+root+".name", ".%s is not a value by itself", root)
	}
	if root == "Request" && c.scope == ScopeStatic {
		return expr{}, faultf(pos, hintStatic, ".Request is not available here")
	}
	name := n.Ident[1]
	if !slices.Contains(names, name) {
		return expr{}, faultf(int(n.Position()), c.meantField(root, name, names), "unknown value .%s.%s", root, name)
	}
	return c.value(root, name), nil
}

// roots returns the names below a root, nil for an unknown root.
func (c *compiler) roots(root string) []string {
	switch root {
	case "Fields":
		return append([]string{}, slices.Sorted(maps.Keys(c.Fields))...)
	case "Secrets":
		return append([]string{}, slices.Sorted(maps.Keys(c.Secrets))...)
	case "Request":
		return slices.Sorted(maps.Keys(requestParts))
	case "Token":
		return []string{}
	}
	return nil
}

func (c *compiler) value(root, name string) expr {
	switch root {
	case "Fields":
		return fixedText(c.Fields[name])
	case "Secrets":
		return fixedText(c.Secrets[name])
	}
	part := requestParts[name]
	return expr{needs: NeedRequest, render: func(dst []byte, e *Env) ([]byte, error) {
		if e.Request == nil {
			return dst, errNoRequest
		}
		return append(dst, part(e.Request)...), nil
	}}
}

func (c *compiler) token(pos int) (expr, *fault) {
	if c.scope != ScopeRequest {
		return expr{}, faultf(pos, "it can be used in HTTPHeaders, Ping and Exchange", ".Token is not available here")
	}
	return expr{needs: NeedToken, render: func(dst []byte, e *Env) ([]byte, error) {
		return append(dst, e.Token...), nil
	}}, nil
}

// meantField is the hint for an unknown name below root: the other map of the connection may have it.
func (c *compiler) meantField(root, name string, names []string) string {
	if _, ok := c.Secrets[name]; ok && root == "Fields" {
		return fmt.Sprintf("did you mean .Secrets.%s?", name)
	}
	if _, ok := c.Fields[name]; ok && root == "Secrets" {
		return fmt.Sprintf("did you mean .Fields.%s?", name)
	}
	if hint := didYouMean("."+root+".", name, names); hint != "" {
		return hint
	}
	if root == "Request" {
		return "it has " + strings.Join(names, ", ")
	}
	return fmt.Sprintf("set %s[%q]", root, name)
}

// didYouMean asks for the known name that is nearest to name.
func didYouMean(prefix, name string, known []string) string {
	if near := nearest.Name(name, known); near != "" {
		return fmt.Sprintf("did you mean %s%s?", prefix, near)
	}
	return ""
}
