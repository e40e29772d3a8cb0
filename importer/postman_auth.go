package importer

import (
	"cmp"
	"slices"
	"strings"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

// postmanAuth is auth of type jwt, wherever it was written.
type postmanAuth struct {
	*object         // its attributes
	own      string // the name of the collection, folder or request that has it
	groups   []*postmanGroup
	byOrigin map[string]*postmanGroup
}

// postmanAuths are the other types of auth.
var postmanAuths = [...]string{"apikey", "awsv4", "basic", "bearer", "digest", "edgegrid", "hawk", "ntlm", "oauth1",
	"oauth2", "asap", "akamai"}

// auth returns what o says of auth, or what it inherits.
func (p *postmanImport) auth(o *object, scope postmanScope) *postmanAuth {
	v, ok := o.get("auth")
	if !ok || v.Kind != jsontext.Object {
		if ok {
			o.mismatch("auth", "an object")
		}
		return scope.auth
	}
	auth := p.object(o.at("auth"), v)
	switch kind := auth.text("type"); {
	case kind == "jwt":
		return p.jwt(auth, scope)
	case kind == "noauth":
		return nil
	case kind == "inherit" || kind == "":
		auth.rest(postmanOther)
		return scope.auth
	case slices.Contains(postmanAuths[:], kind):
		p.others.auth(kind, auth)
		p.dropped(auth.path, "auth of type %s: only jwt is imported", kind)
	default:
		p.dropped(auth.path, "auth of a type that is not known: only jwt is imported")
	}
	return nil
}

// jwt reads auth of type jwt. What says the same as another is that other.
func (p *postmanImport) jwt(auth *object, scope postmanScope) *postmanAuth {
	v, _ := auth.get("jwt")
	path := auth.at("jwt")
	members := v.Members
	if v.Kind == jsontext.Array {
		members = p.attributes(path, auth.objects("jwt"))
	}
	auth.rest(postmanOther)
	sorted := jsontext.Value{Kind: jsontext.Object, Members: slices.Clone(members)}
	slices.SortStableFunc(sorted.Members, func(a, b jsontext.Member) int { return strings.Compare(a.Name, b.Name) })
	key := string(sorted.Append(nil))
	if same, ok := p.keys[key]; ok {
		return same
	}
	a := &postmanAuth{object: p.object(path, jsontext.Value{Members: members}), own: scope.name,
		byOrigin: make(map[string]*postmanGroup)}
	p.keys[key] = a
	p.auths = append(p.auths, a)
	return a
}

// attributes makes an object of a list of key, value and type.
func (p *postmanImport) attributes(path string, list []*object) []jsontext.Member {
	var members []jsontext.Member
	have := make(map[string]bool)
	for _, attribute := range list {
		key := attribute.text("key")
		value, _ := attribute.get("value")
		attribute.ignore("type", "enabled", "description")
		attribute.rest(postmanOther)
		if key == "" || have[key] {
			p.dropped(attribute.path, "an attribute without a name, or a second one of its name")
			continue
		}
		have[key] = true
		members = append(members, jsontext.Member{Name: key, Value: value})
	}
	return members
}

// postmanKeys are the attributes that hold secrets.
var postmanKeys = [...]string{"secret", "privateKey", "passphrase"}

// hideKeys makes secret the variables in keys.
func (p *postmanImport) hideKeys() {
	for _, a := range p.auths {
		for _, name := range postmanKeys {
			v, _ := a.get(name)
			p.hide(postmanSplit(v.Text), postmanDeepest)
		}
	}
}

// hide makes secret what variables hold that are keys, wherever else they are used.
func (p *postmanImport) hide(parts []textPart, depth int) {
	for _, part := range parts {
		variable, ok := p.variables[strings.TrimSpace(part.text)]
		if part.action && ok && !variable.secret && depth > 0 {
			variable.secret = true
			p.hide(postmanSplit(variable.value), depth-1)
		}
	}
}

// connections makes a connection of each auth and each origin. Auth that no request uses makes one without an address.
func (p *postmanImport) connections() []*connection {
	p.hideKeys()
	for _, r := range p.requests {
		p.locate(r)
	}
	var conns []*connection
	for _, a := range p.auths {
		if len(a.groups) == 0 {
			a.groups = []*postmanGroup{{}}
		}
		for _, g := range a.groups {
			name := a.own
			if len(a.groups) > 1 {
				name = strings.TrimSpace(name + " " + g.host())
			}
			c := p.connection(name, "Postman")
			c.TLS.InsecureSkipVerify = p.insecure
			t := p.texts(c)
			t.signing(a)
			t.placement(a)
			t.calls(a, g)
			conns = append(conns, c)
		}
		a.rest(postmanOther)
	}
	return conns
}

// signing takes over how tokens are made.
func (t *postmanTexts) signing(a *postmanAuth) {
	a.ignore("id")
	method, ok := t.p.plain(a.text("algorithm"))
	known := []string{"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256",
		"ES384", "ES512"}
	if !ok || !slices.Contains(known, method) {
		t.dropped(a.at("algorithm"), "there is none that is known: set signatureMethod")
		method = ""
	}
	t.signWith(a.object, jwtbearer.SignatureMethod(method),
		func(member, suffix string) jwtbearer.Secret { return t.keyOf(a, member, suffix) })
	if a.has("passphrase") {
		t.Passphrase = t.keyOf(a, "passphrase", "PASSPHRASE")
	}
	t.postmanClaims(a)
}

// keyOf makes a reference for a secret: of the variable where it is one, else of this connection.
func (t *postmanTexts) keyOf(a *postmanAuth, name, suffix string) jwtbearer.Secret {
	v, _ := a.get(name)
	parts := postmanSplit(strings.TrimSpace(v.Text))
	if len(parts) == 1 && parts[0].action {
		held := strings.TrimSpace(parts[0].text)
		if variable, ok := t.p.variables[held]; ok {
			variable.used = true
		}
		return jwtbearer.Secret(t.reference(a.at(name), t.p.env(held)))
	}
	return t.secret(a.at(name), suffix)
}

// postmanClaims takes over payload and header. Postman adds no typ of its own.
func (t *postmanTexts) postmanClaims(a *postmanAuth) {
	name := "header"
	if !a.has(name) && a.has("headers") {
		name = "headers"
	}
	t.claims(a.object, "payload", name)
	own, err := jsontext.Parse(cmp.Or(string(t.JWTHeaders), "{}"))
	if err == nil && !slices.ContainsFunc(own.Members, func(m jsontext.Member) bool { return m.Name == "typ" }) {
		typ := jsontext.Member{Name: "typ", Value: jsontext.Value{Text: "null"}}
		own.Members = append([]jsontext.Member{typ}, own.Members...)
		t.JWTHeaders = jwtbearer.JSON(own.Append(nil))
	}
}

// placement takes over where the token goes.
func (t *postmanTexts) placement(a *postmanAuth) {
	where, _ := t.p.plain(a.text("addTokenTo"))
	prefix, prefixed := a.get("headerPrefix")
	scheme, ok := t.p.plain(prefix.Text)
	param, plain := t.p.plain(cmp.Or(a.text("queryParamKey"), "token"))
	switch where {
	case "", "header":
		if !prefixed {
			scheme = "Bearer"
		}
		if !ok || strings.ContainsAny(strings.TrimSpace(scheme), " \t") {
			t.dropped(a.at("headerPrefix"), "is not one word, so Bearer stands in its place: set placement")
			scheme = "Bearer"
		}
		if scheme = strings.TrimSpace(scheme); scheme != "Bearer" {
			t.Placement = []jwtbearer.Placement{{In: "header", Name: "Authorization", Scheme: scheme}}
		}
	case "queryParam":
		if !plain {
			t.dropped(a.at("queryParamKey"), "holds a variable that is not known, so token stands in its place: set placement")
			param = "token"
		}
		t.Placement = []jwtbearer.Placement{{In: "query", Name: param}}
	default:
		t.dropped(a.at("addTokenTo"), "is neither header nor queryParam: set placement, or the token goes into the header "+
			"Authorization")
	}
}

// env is the environment variable for a variable of Postman's. No two share one.
func (p *postmanImport) env(name string) string {
	if env, ok := p.envs[name]; ok {
		return env
	}
	env := p.envTaken.unique(envName(name), "_")
	p.envs[name] = env
	return env
}
