package importer

import (
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

// bodySecrets find a name and its value in JSON, a form and XML.
var bodySecrets = [...]*regexp.Regexp{
	regexp.MustCompile(`"([^"\\]+)"\s*:\s*"((?:[^"\\]|\\.)+)"`),
	regexp.MustCompile(`(?:^|&)([^&="<>{}\s]+)=([^&\s]+)`),
	regexp.MustCompile(`<([\w:.-]+)>([^<]+)</`),
}

// hideInBody makes references of what is written out in a body, a template by now, where its name says that it is a secret.
func (c *connection) hideInBody(path, body string) string {
	for _, pattern := range bodySecrets {
		var b strings.Builder
		from := 0
		for _, at := range pattern.FindAllStringSubmatchIndex(body, -1) {
			name, value := body[at[2]:at[3]], body[at[4]:at[5]]
			if !namesSecret(name) || strings.Contains(value, "{{") {
				continue
			}
			b.WriteString(body[from:at[4]] + "{{" + c.placedSecret(joinPath(path, name)) + "}}")
			from = at[5]
		}
		body = b.String() + body[from:]
	}
	return body
}
