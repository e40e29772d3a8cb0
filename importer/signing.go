package importer

import (
	"net/url"
	"strings"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
	"github.com/seed-363d07a3/jwtbearer/internal/origin"
)

// signWith makes a reference for what signs with the method, which o may hide: of its members secret and privateKey, the one
// that the method uses. reference is how the platform names it.
func (c *connection) signWith(o *object, method jwtbearer.SignatureMethod, reference func(member, suffix string) jwtbearer.Secret) {
	const encodedMember = "isSecretBase64Encoded"
	encoded, _ := o.flag(encodedMember)
	unused := "secret"
	c.SignatureMethod = method
	switch {
	case strings.HasPrefix(string(method), "HS"):
		c.Secret = reference("secret", "SECRET")
		unused = "privateKey"
		if encoded {
			c.SecretEncoding = jwtbearer.SecretBase64
		}
	case method != "":
		c.PrivateKey = reference("privateKey", "PRIVATE_KEY")
		fallthrough
	default:
		if encoded {
			c.dropped(o.at(encodedMember), "says nothing about a private key; ignored")
		}
	}
	if o.has(unused) {
		c.dropped(o.at(unused), "is not what this signature method signs with; ignored")
	}
	o.ignore("secret", "privateKey")
}

// claims takes over the payload and the JOSE header in the members of o with these names. Each is an object, or the text of
// one.
func (t *texts) claims(o *object, payload, header string) {
	t.Payload = t.jsonObject(o, payload, true)
	t.JWTHeaders = t.jsonObject(o, header, false, "alg")
	headers, _ := o.get(header)
	if headers.Kind == jsontext.String {
		headers, _ = jsontext.Parse(markParts(t.split(headers.Text), true).text)
	}
	for _, m := range headers.Members {
		if m.Name == "alg" && m.Value.Text != string(t.SignatureMethod) {
			t.dropped(joinPath(o.at(header), "alg"), "differs from the signature method, which alone decides")
		}
	}
}

// jsonObject takes over a member that is an object or the text of one, if it is there.
func (t *texts) jsonObject(o *object, name string, claims bool, without ...string) jwtbearer.JSON {
	v, ok := o.get(name)
	if !ok {
		return ""
	}
	out, err := t.object(o.at(name), v, claims, without...)
	if err != nil {
		t.dropped(o.at(name), "%s", err)
	}
	return out
}

// isEncodings reports whether a header says which codings of a response its client can decode, which is no matter of another client.
func isEncodings(name string) bool {
	return strings.EqualFold(name, "Accept-Encoding") || strings.EqualFold(name, "TE")
}

const droppedEncodings = "Accept-Encoding and TE say what the other client decodes: left out, since this one asks for what it decodes itself"

// headerValue is the template for a header whose text became template. A value that is likely a secret becomes a reference.
func (c *connection) headerValue(path, name, text, template string) string {
	if text == "" || !namesSecret(name) || holdsValue(template) {
		return template
	}
	return "{{" + c.secretField(path, name, c.prefix+"_"+envName(name)) + "}}"
}

// holdsValue reports whether a template takes something from elsewhere, so that what it gives is not written in it.
func holdsValue(template string) bool {
	return strings.Contains(template, "{{") && (strings.Contains(template, ".Secrets.") ||
		strings.Contains(template, ".Fields.") || strings.Contains(template, ".Token"))
}

// noteAddress notes what is unsafe about the address of the API, uri, which stands at path.
func (im *importing) noteAddress(path, uri string, hasUser bool) {
	if hasUser {
		im.dropped(path, "a user name or password in the address: the token is the credential")
	}
	u, err := url.Parse(uri)
	if err != nil {
		return
	}
	if o, err := origin.Of(u); err == nil && o.Plain() {
		im.changed(path, "without TLS anybody on the way can read the token, so only a loopback address is allowed: write "+
			"https, or set allowPlainHTTP")
	}
}

// noteInsecure notes that the platform does not verify certificates, as the switch at path says.
func (im *importing) noteInsecure(path string) {
	im.changed(path, "became tls.insecureSkipVerify: anybody on the way can read the token; tls.ca is the safe way to trust a "+
		"private authority")
}
