package importer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

// declare makes the values known that expressions can refer to: http.unencrypted becomes Fields, but what is named like a
// secret becomes Secrets, as does http.encrypted. Of that the API gives only the names, in encryptedFields.
func (c *celigoImport) declare(http *object) {
	http.ignore("unencryptedFields")
	plain := http.object("unencrypted")
	for _, m := range plain.members {
		c.declareValue(plain.at(m.Name), "http.unencrypted."+m.Name, m.Name, m.Value)
	}
	if v, ok := http.get("encrypted"); ok && v.Kind == jsontext.Object {
		for _, m := range v.Members {
			c.declareSecret(joinPath(http.at("encrypted"), m.Name), m.Name)
		}
	}
	for _, field := range http.objects("encryptedFields") {
		if id := field.text("id"); id != "" {
			c.declareSecret(field.at("id"), id)
		}
		field.ignore("label", "required", "position", "helpText", "type")
		field.rest(noCounterpart)
	}
}

// declareValue makes the scalars in v known under path, within the connection; name is what Fields call it.
func (c *celigoImport) declareValue(at, path, name string, v jsontext.Value) {
	switch v.Kind {
	case jsontext.Object:
		for _, m := range v.Members {
			c.declareValue(joinPath(at, m.Name), path+"."+m.Name, name+"_"+m.Name, m.Value)
		}
	case jsontext.Array:
		for i, e := range v.Elems {
			c.declareValue(fmt.Sprintf("%s[%d]", at, i), fmt.Sprintf("%s.%d", path, i), fmt.Sprintf("%s_%d", name, i), e)
		}
	default:
		pipeline := ""
		switch {
		case saysNothing(v):
			return
		case namesSecret(name):
			pipeline = c.secretField(at, name, c.prefix+"_"+envName(name))
		default:
			pipeline = c.field(at, name, v.Text)
		}
		c.fields[path] = pipeline
	}
}

func (c *celigoImport) declareSecret(at, name string) {
	pipeline := c.secretField(at, name, c.prefix+"_"+envName(name))
	c.fields["http.encrypted."+name] = pipeline
}

// celigoRoots are what a path to the connection may begin with.
var celigoRoots = [...]string{"@root", "record", "data", "hmacOptions", "hashOptions", "connection"}

// path evaluates a path such as connection.http.unencrypted.account.
func (c *celigoImport) path(at string, segments []string) (v value, what string, err error) {
	rest := segments
	for len(rest) > 1 && slices.Contains(celigoRoots[:], rest[0]) {
		rest = rest[1:]
	}
	path := strings.Join(rest, ".")
	if f, ok := c.fields[path]; ok {
		return actionValue(f), "", nil
	}
	switch {
	case path == "timestamp" || path == "timeStamp": // as the recipes of Celigo's documentation have it
		return value{form: formISO}, "", nil
	case path == "name" && slices.Contains(segments, "connection"):
		return literalValue(c.Name), "", nil
	case slices.Contains([]string{"http.auth.jwt.token", "http.auth.token.token", "http.token.token",
		"http.jwt.token"}, path):
		return c.token(at)
	}
	if name, ok := strings.CutPrefix(path, "http.encrypted."); ok && name != "" {
		c.declareSecret(at, name)
		return actionValue(c.fields[path]), "", nil
	}
	if name, ok := strings.CutPrefix(path, "http.unencrypted."); ok && name != "" {
		return actionValue(c.unknownField(at, name, c.prefix+"_"+envName(name))), "", nil
	}
	if v, ok := c.setting(rest); ok {
		return v, "", nil
	}
	return v, rest[len(rest)-1], fmt.Errorf("refers to %s, which is not known outside of Celigo", quote(path))
}

// token is the token itself, which is there once it is signed.
func (c *celigoImport) token(at string) (value, string, error) {
	if strings.Contains(at, ".auth.jwt.") {
		return value{}, "token", fmt.Errorf("refers to the token that is being made")
	}
	return actionValue(".Token"), "", nil
}

// setting evaluates connection.settings.x, or settings.connection.x.
func (c *celigoImport) setting(path []string) (value, bool) {
	if len(path) > 2 && path[0] == "settings" && path[1] == "connection" {
		path = append([]string{"settings"}, path[2:]...)
	}
	if len(path) != 2 || path[0] != "settings" {
		return value{}, false
	}
	v, ok := celigoPeek(c.settings).get(path[1])
	if !ok || v.Kind == jsontext.Object || v.Kind == jsontext.Array {
		return value{}, false
	}
	c.settings.ignore(path[1])
	c.declareValue(c.settings.at(path[1]), "settings."+path[1], path[1], v)
	f, ok := c.fields["settings."+path[1]]
	if !ok {
		return value{}, false
	}
	return actionValue(f), true
}
