package response

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/beevik/etree"
)

// elementPath is a compiled path of elements in XML, in the syntax of etree. It is evaluated one step and one filter at a time,
// each on different elements, so that its cost is bounded by their number: etree itself keeps an element as often as there are
// ways to it, and a body may have millions.
type elementPath struct {
	steps []elementStep
	attr  string // the attribute at the end of the path, empty: the text
}

// elementStep goes from each element to others, or keeps it.
type elementStep struct {
	all  bool // to the element itself and all below it
	path etree.Path
}

// elementSyntax is what a path of elements looks like. etree takes nearly any text for one, and finds nothing by it.
var elementSyntax = func() *regexp.Regexp {
	const name = `[\pL_](?:[\pL\pN._-]*[\pL\pN_-])?`
	const filter = `\[[\pL\pN_@-](?:[^\]'"]|'[^']*'|"[^"]*")*\]`
	const step = `(?:\.|\.\.|\*|` + name + `(?::` + name + `)?)?(?:` + filter + `)*`
	return regexp.MustCompile(`^` + step + `(?:/` + step + `)*$`)
}()

// elementPiece is a step or a filter of a path, and positionFilter one that counts: [2].
var (
	elementPiece   = regexp.MustCompile(`\[(?:[^\]'"]|'[^']*'|"[^"]*")*\]|/|[^/\[]+`)
	positionFilter = regexp.MustCompile(`^\[-?[0-9]+\]$`)
)

// errPosition refuses a position whose meaning, or whose cost, depends on how etree counts.
var errPosition = errors.New("it has a position such as [2] where it can only follow a name or * and one filter")

// compileElements reads a path of elements, which may end in an attribute: /Error/Code, //fault/@code.
func compileElements(text string) (*elementPath, error) {
	elements, attr := text, ""
	if i := strings.LastIndex(text, "/@"); i >= 0 && !strings.ContainsAny(text[i:], "[]'\"") {
		elements, attr = text[:i], text[i+2:]
	}
	if elements == "" || !elementSyntax.MatchString(elements) {
		return nil, fmt.Errorf("it has a step that is neither a name nor a filter")
	}
	if strings.HasSuffix(elements, "//") {
		elements += "*"
	}
	compiled := &elementPath{attr: attr}
	selector, filters := "", []string{}
	for _, piece := range append(elementPiece.FindAllString(strings.TrimPrefix(elements, "/"), -1), "/") {
		switch {
		case piece[0] == '[':
			filters = append(filters, piece)
		case piece != "/":
			selector = piece
		default:
			if err := compiled.add(selector, filters); err != nil {
				return nil, err
			}
			selector, filters = "", nil
		}
	}
	return compiled, nil
}

// add appends what stands between two slashes.
func (p *elementPath) add(selector string, filters []string) error {
	last := -1 // the last position: what stands before it belongs together
	for i, f := range filters {
		if positionFilter.MatchString(f) {
			last = i
		}
	}
	if last > 1 || last >= 0 && (selector == "" || selector[0] == '.') {
		return errPosition
	}
	if selector == "" {
		p.steps = append(p.steps, elementStep{all: true})
	} else if err := p.addStep(selector + strings.Join(filters[:last+1], "")); err != nil {
		return err
	}
	for _, f := range filters[last+1:] {
		if err := p.addStep("." + f); err != nil {
			return err
		}
	}
	return nil
}

func (p *elementPath) addStep(text string) error {
	path, err := etree.CompilePath(text)
	p.steps = append(p.steps, elementStep{path: path})
	return err
}

// in looks the path up in a document: the text of each element, or its attribute.
func (p *elementPath) in(document *etree.Document) (found pathResult, ok bool) {
	defer func() {
		if recover() != nil {
			found, ok = pathResult{}, false
		}
	}()
	elements := []*etree.Element{&document.Element}
	for _, step := range p.steps {
		elements = step.from(elements)
	}
	found = pathResult{texts: []string{}, scalar: true}
	for _, element := range elements {
		if p.attr == "" {
			found.texts = append(found.texts, strings.TrimSpace(element.Text()))
		} else if attr := element.SelectAttr(p.attr); attr != nil {
			found.texts = append(found.texts, attr.Value)
		}
	}
	return found, len(found.texts) > 0
}

// from returns the elements to which the step leads, each once.
func (s *elementStep) from(elements []*etree.Element) []*etree.Element {
	var reached []*etree.Element
	seen := map[*etree.Element]bool{}
	for _, element := range elements {
		found := []*etree.Element{element}
		if !s.all {
			found = element.FindElementsPath(s.path)
		}
		for ; len(found) > 0; found = found[1:] {
			next := found[0]
			if seen[next] {
				continue // and, where all are wanted, those below it
			}
			seen[next] = true
			reached = append(reached, next)
			if s.all {
				found = append(found, next.ChildElements()...)
			}
		}
	}
	return reached
}
