package importer

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

// postmanInstead is what a collection has in place of auth of type jwt. Most sign in a script, and send a variable that it sets.
type postmanInstead struct {
	kinds     []string // of auth
	tokens    []string // variables that auth sends
	variables []string // variables that headers send
	scripts   []postmanScript
}

type postmanScript struct{ path, source string }

const howToExport = "choose JWT Bearer as the auth of the collection in Postman and export it again, or write signatureMethod, " +
	"payload and the key into a connection file by hand"

// auth notes auth of another type, and the variables that it sends.
func (i *postmanInstead) auth(kind string, auth *object) {
	if !slices.Contains(i.kinds, kind) {
		i.kinds = append(i.kinds, kind)
	}
	v, _ := celigoPeek(auth).get(kind)
	for _, text := range textsIn(v) {
		i.tokens = appendVariables(i.tokens, text)
	}
}

// uses notes the variables in the value of a header.
func (i *postmanInstead) uses(value string) { i.variables = appendVariables(i.variables, value) }

// mostVariables is how many variables are looked at, and the names of so many a message shows a part of.
const mostVariables = 100

// appendVariables adds the variables in text that are not there yet.
func appendVariables(list []string, text string) []string {
	for _, part := range postmanSplit(text) {
		if name := strings.TrimSpace(part.text); part.action && len(list) < mostVariables && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// textsIn are the strings in v.
func textsIn(v jsontext.Value) []string {
	var all []string
	if v.Kind == jsontext.String {
		all = append(all, v.Text)
	}
	for _, e := range v.Elems {
		all = append(all, textsIn(e)...)
	}
	for _, m := range v.Members {
		all = append(all, textsIn(m.Value)...)
	}
	return all
}

// sourceText is a script, which is a text or a list of lines.
func sourceText(v jsontext.Value) string { return strings.Join(textsIn(v), "\n") }

// signs matches what scripts sign tokens with.
var signs = regexp.MustCompile(`(?i)KJUR|jsrsasign|JWS\.sign|jwt\.(?:sign|encode)|HmacSHA\d|crypto\.subtle\.sign|jose\.`)

// instead says what there is in place of auth of type jwt. It shows names alone.
func (p *postmanImport) instead() string {
	i := &p.others
	var b strings.Builder
	if len(i.kinds) > 0 {
		fmt.Fprintf(&b, "; it has auth of type %s", strings.Join(i.kinds, ", "))
	}
	for _, name := range append(slices.Clone(i.tokens), i.variables...) {
		set := regexp.MustCompile(`\.set\(\s*["'` + "`" + `]` + regexp.QuoteMeta(name) + `["'` + "`" + `]`)
		if at := slices.IndexFunc(i.scripts, func(s postmanScript) bool { return set.MatchString(s.source) }); at >= 0 {
			fmt.Fprintf(&b, "; its requests send {{%s}}, which a script (%s) sets, and scripts do not run here", short(name), i.scripts[at].path)
			return b.String()
		}
	}
	if len(i.tokens) > 0 {
		fmt.Fprintf(&b, "; its requests send {{%s}}, which comes from elsewhere", short(i.tokens[0]))
	}
	if at := slices.IndexFunc(i.scripts, func(s postmanScript) bool { return signs.MatchString(s.source) }); at >= 0 {
		fmt.Fprintf(&b, "; a script (%s) signs, and scripts do not run here", i.scripts[at].path)
	}
	return b.String()
}

// short is a name as a message shows it.
func short(name string) string {
	name = quote(name)
	return name[1 : len(name)-1]
}
