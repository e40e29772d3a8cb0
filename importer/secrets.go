package importer

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

// namesSecret reports whether a header, parameter or variable of that name is likely to hold a secret.
func namesSecret(name string) bool {
	plain := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
	if plain == "key" || plain == "authorization" || plain == "proxyauthorization" || plain == "cookie" {
		return true
	}
	for _, end := range []string{"secret", "password", "passwd", "pwd", "passphrase", "apikey", "privatekey",
		"secretkey", "signingkey", "subscriptionkey", "accesskey", "accountkey", "authkey", "encryptionkey", "functionskey",
		"masterkey", "sharedkey", "token", "credential", "credentials"} {
		if strings.HasSuffix(plain, end) {
			return true
		}
	}
	return false
}

// hideMember makes a reference of a string that is written out where its name says that it is a secret.
func (t *tree) hideMember(path, name string, v jsontext.Value) (jsontext.Value, bool) {
	if v.Kind != jsontext.String || v.Text == "" || !namesSecret(name) {
		return jsontext.Value{}, false
	}
	for _, part := range t.split(v.Text) {
		if part.action {
			return jsontext.Value{}, false
		}
	}
	return jsonString("{{" + t.placedSecret(path) + "}}"), true
}

// placedSecret adds a secret for templates that is named for its place, since others may have the name of its member.
func (c *connection) placedSecret(path string) string {
	_, name, found := strings.Cut(path, ".jwt.")
	if !found {
		_, name, _ = strings.Cut(path, "http.")
	}
	return c.secretField(path, name, c.prefix+"_"+envName(name))
}

// Where names and values stand in JSON, a form or a query, and XML.
var (
	jsonPairs = regexp.MustCompile(`"([^"\\]+)"\s*:\s*"((?:[^"\\]|\\.)+)"`)
	formPairs = regexp.MustCompile(`(?:^|&)([^&="<>{}\s]+)=([^&#\s]+)`)
	xmlPairs  = regexp.MustCompile(`<([\w:.-]+)>([^<]+)</`)
)

// hideInBody makes references of what is written out in a body, a template by now, where its name says that it is a secret.
func (c *connection) hideInBody(path, body string) string {
	for _, pairs := range []*regexp.Regexp{jsonPairs, formPairs, xmlPairs} {
		body = hidePairs(pairs, body, func(name string) string {
			if !namesSecret(name) {
				return ""
			}
			return c.placedSecret(joinPath(path, name))
		})
	}
	return body
}

// hideInQuery does the same in the query of an address, for names that are likely those of secrets or cannot be read.
func (c *connection) hideInQuery(path, address string) string {
	address, query, found := strings.Cut(address, "?")
	if !found {
		return address
	}
	return address + "?" + hidePairs(formPairs, query, func(name string) string {
		plain, err := url.QueryUnescape(name)
		if err == nil && !namesSecret(plain) {
			return ""
		}
		return c.secretField(path, plain, c.prefix+"_"+envName(plain))
	})
}

// hidePairs puts secrets in the place of values that are written out in a template. secret gives the pipeline for a name, ""
// for what is no secret.
func hidePairs(pairs *regexp.Regexp, template string, secret func(name string) string) string {
	var b strings.Builder
	from := 0
	for _, at := range pairs.FindAllStringSubmatchIndex(template, -1) {
		name, value := template[at[2]:at[3]], template[at[4]:at[5]]
		if strings.Contains(strings.ReplaceAll(value, escapedBraces, ""), "{{") {
			continue
		}
		if pipeline := secret(name); pipeline != "" {
			b.WriteString(template[from:at[4]] + "{{" + pipeline + "}}")
			from = at[5]
		}
	}
	return b.String() + template[from:]
}
