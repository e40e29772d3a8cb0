package importer

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seed-363d07a3/jwtbearer"
)

// connection is a Connection that an importer builds.
type connection struct {
	*jwtbearer.Connection
	*importing
	prefix string // of its environment variables, such as ACME_API

	idents map[string]string // by what they stand for: names of Fields and Secrets
	taken  uniqueNames       // those names
	envs   map[string]string // by environment variable: what it is for

	headers map[string]bool // names of HTTPHeaders, in lower case
}

// longestConnectionName is twice what Celigo takes.
const longestConnectionName = 200

// connection begins a connection that the foreign document calls name.
func (im *importing) connection(name, platform string) *connection {
	if name = strings.TrimSpace(name); len(name) > longestConnectionName {
		name = strings.ToValidUTF8(name[:longestConnectionName], "")
		im.changed("name", "was cut, being longer than %d bytes", longestConnectionName)
	}
	name = im.names.unique(cmp.Or(name, platform), " ")
	c := &connection{importing: im, idents: make(map[string]string), taken: make(uniqueNames), headers: make(map[string]bool),
		envs: make(map[string]string), Connection: &jwtbearer.Connection{Name: name, Fields: make(map[string]string),
			Secrets: make(map[string]jwtbearer.Secret), HTTPHeaders: make(map[string]string),
			Ping: jwtbearer.Ping{Headers: make(map[string]string)}}}
	c.prefix = im.prefixes.unique(envName(name), "_")
	return c
}

// longestEnv bounds what a name gives to an environment variable.
const longestEnv = 60

// envName makes the name of an environment variable of a text: camelCase and all that is no letter or digit divide it.
func envName(text string) string {
	var b strings.Builder
	var last rune
	for _, r := range text {
		letter := r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r))
		if b.Len() > 0 && (!letter && last != '_' || unicode.IsUpper(r) && unicode.IsLower(last)) {
			b.WriteByte('_')
			last = '_'
		}
		if letter {
			b.WriteRune(unicode.ToUpper(r))
			last = r
		}
		if b.Len() >= longestEnv {
			break
		}
	}
	env := strings.Trim(b.String(), "_")
	if env == "" || unicode.IsDigit(rune(env[0])) {
		env = strings.TrimSuffix("CONNECTION_"+env, "_")
	}
	return env
}

// reference is a reference to the environment variable env, which what stands at path has to be put into.
func (c *connection) reference(path, env string) string {
	if _, noted := c.envs[env]; !noted {
		c.envs[env] = path
		c.note(NoteSecret, path, "put its value into the environment variable %s, or write another reference", env)
	}
	return "${env:" + env + "}"
}

// secret is a reference for a secret of this connection.
func (c *connection) secret(path, suffix string) jwtbearer.Secret {
	return jwtbearer.Secret(c.reference(path, c.prefix+"_"+suffix))
}

// ident is the name under which templates find what the foreign document calls name.
func (c *connection) ident(path, kind, name string) string {
	if ident, ok := c.idents[kind+name]; ok {
		return ident
	}
	ident := c.newIdent(name)
	c.idents[kind+name] = ident
	if ident != name {
		c.changed(path, "templates know it as %s%s", kind, ident)
	}
	return ident
}

// newIdent makes a name that is free. Templates know letters, digits and _ only.
func (c *connection) newIdent(name string) string {
	base := strings.Map(func(r rune) rune {
		if r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return '_'
	}, name)
	if len(base) > longestName {
		base = strings.ToValidUTF8(base[:longestName], "")
	}
	if base == "" || unicode.IsDigit([]rune(base)[0]) {
		base = "x" + base
	}
	return c.taken.unique(base, "_")
}

// field adds a value for templates and returns its pipeline. A value that looks like a reference is ignored.
func (c *connection) field(path, name, value string) string {
	ident := c.ident(path, ".Fields.", name)
	if _, has := c.Fields[ident]; !has {
		if isReference(value) {
			c.dropped(path, looksLikeReference)
			value = ""
		}
		c.Fields[ident] = value
	}
	return ".Fields." + ident
}

// unknownField adds a value for templates that the document does not hold, from the environment variable env.
func (c *connection) unknownField(path, name, env string) string {
	ident := c.ident(path, ".Fields.", name)
	if _, has := c.Fields[ident]; !has {
		c.envs[env] = path
		c.assumed(path, "uses %s, which is not in this document: put its value into the environment variable %s, or into "+
			"fields.%s", quote(name), env, ident)
		c.Fields[ident] = "${env:" + env + "}"
	}
	return ".Fields." + ident
}

// secretField adds a secret for templates, from the environment variable env, and returns its pipeline.
func (c *connection) secretField(path, name, env string) string {
	ident := c.ident(path, ".Secrets.", name)
	if _, has := c.Secrets[ident]; !has {
		c.Secrets[ident] = jwtbearer.Secret(c.reference(path, env))
	}
	return ".Secrets." + ident
}

// unresolved is the pipeline for what has no counterpart. It has no value, so that NewClient names its place: a guess would
// send wrong tokens, and the foreign expression itself may hold secrets and may mean something else here.
func (c *connection) unresolved(path, what, why string) string {
	ident := c.newIdent("unresolved_" + what)
	c.dropped(path, "%s: {{.Fields.%s}} stands in its place: set fields.%s, or rewrite the template", why, ident, ident)
	return ".Fields." + ident
}

// setHeader adds a header for every request, unless there is one of that name.
func (c *connection) setHeader(path, name, value string) {
	lower := strings.ToLower(name)
	if c.headers[lower] {
		c.dropped(path, "a second header %s: only the first counts", quote(name))
		return
	}
	c.headers[lower] = true
	c.HTTPHeaders[name] = value
}

// quote shows a name that comes from a foreign document, shortened.
func quote(name string) string {
	const most = 60
	if utf8.RuneCountInString(name) > most {
		name = string([]rune(name)[:most]) + "…"
	}
	return fmt.Sprintf("%q", name)
}
