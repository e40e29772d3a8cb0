package importer

import (
	"cmp"
	"strings"

	"github.com/seed-363d07a3/jwtbearer"
)

// celigoMethods are the names in jwt.yml, all of which SignatureMethod reads, too, and those of RFC 7518 that it lacks: what
// people write by hand.
var celigoMethods = [...]string{"hmac-sha256", "hmac-sha384", "hmac-sha512", "rsa-sha256", "rsa-sha384", "rsa-sha512",
	"es256", "es384", "es512", "ps256", "ps384", "ps512", "hs256", "hs384", "hs512", "rs256", "rs384", "rs512"}

// signing takes over auth.jwt.
func (c *celigoImport) signing(auth *object) {
	if auth.word("type", "jwtbearer", "jwt") == "jwt" {
		c.assumed(auth.at("type"), "jwt, the name before jwtbearer, is taken for the same")
	}
	jwt := auth.object("jwt")
	method := jwt.word("signatureMethod", celigoMethods[:]...)
	if method == "" && !jwt.has("payload") && jwt.has("token") {
		jwt.ignore("token")
		c.Token = c.secret(jwt.at("token"), "TOKEN")
		jwt.rest("says nothing about a ready-made token; ignored")
		return
	}
	if method == "" {
		c.dropped(jwt.at("signatureMethod"), "there is none that is known: set signatureMethod")
	}
	c.signWith(jwt, celigoMethod(method), func(member, suffix string) jwtbearer.Secret { return c.secret(jwt.at(member), suffix) })
	if _, ok := jwt.get("payload"); !ok {
		c.dropped(jwt.at("payload"), "there is none: set payload")
	}
	c.claims(jwt, "payload", "headers")
	if jwt.has("token") {
		c.dropped(jwt.at("token"), "a token that is stored beside what signs new ones: if the API wants that one, set token "+
			"instead")
	}
	jwt.ignore("token")
	jwt.rest(noCounterpart)
}

// celigoMethod returns the constant for one of celigoMethods.
func celigoMethod(name string) jwtbearer.SignatureMethod {
	short := strings.NewReplacer("hmac-sha", "HS", "rsa-sha", "RS")
	return jwtbearer.SignatureMethod(strings.ToUpper(short.Replace(name)))
}

// placement takes over where the token goes. Without auth.token it is the bearer token (jwt.yml).
func (c *celigoImport) placement(auth *object) {
	token := auth.object("token")
	header, scheme, param := token.text("headerName"), token.text("scheme"), token.text("paramName")
	unused := []string{"headerName", "scheme"}
	switch token.word("location", "header", "url", "body") {
	case "header", "":
		place := jwtbearer.Placement{In: "header", Name: cmp.Or(header, "Authorization"), Scheme: "Bearer"}
		unused = []string{"paramName"}
		if scheme != "" { // a space is what the form stores for none
			place.Scheme = strings.TrimSpace(scheme)
		}
		if place != (jwtbearer.Placement{In: "header", Name: "Authorization", Scheme: "Bearer"}) {
			c.Placement = append(c.Placement, place)
		}
	case "url":
		if param == "" {
			c.dropped(token.at("paramName"), "there is none: set placement, or the token goes into the header Authorization")
		} else {
			c.Placement = append(c.Placement, jwtbearer.Placement{In: "query", Name: param})
		}
	case "body":
		unused = append(unused, "paramName")
		c.dropped(token.at("location"), "in a body the token goes where each request puts it: for forms, set placement with "+
			"in: form and the field's name; until then it goes into the header Authorization")
	}
	for _, name := range unused {
		if token.has(name) {
			c.dropped(token.at(name), "has no meaning for this location; ignored")
		}
	}
	if token.has("token") {
		token.ignore("token")
		c.dropped(token.at("token"), "a token is signed instead")
	}
	token.rest("belongs to another way of getting a token; ignored")
}

// headers takes over the headers of all requests. One that holds the token says where that goes.
func (c *celigoImport) headers(http *object) {
	var others []celigoHeader
	for _, h := range http.objects("headers") {
		header := celigoHeader{at: h.at("value"), name: strings.TrimSpace(h.text("name")), value: h.text("value")}
		header.text = c.text(header.at, header.value)
		h.rest(noCounterpart)
		scheme, token := strings.CutSuffix(header.text, "{{.Token}}")
		switch scheme = strings.TrimSpace(scheme); {
		case header.name == "":
			c.dropped(h.path, "a header without a name")
		case token && !strings.ContainsAny(scheme, " {"):
			c.Placement = append(c.Placement, jwtbearer.Placement{In: "header", Name: header.name, Scheme: scheme})
			c.changed(header.at, "holds the token, so it became a placement")
		case isEncodings(header.name):
			c.dropped(h.path, droppedEncodings)
		default:
			others = append(others, header)
		}
	}
	for _, h := range others {
		c.header(h)
	}
}

// celigoHeader is a header of all requests. Its text is the template that its value became.
type celigoHeader struct{ at, name, value, text string }

func (c *celigoImport) header(h celigoHeader) {
	placed := len(c.Placement) == 0 && strings.EqualFold(h.name, "Authorization")
	for _, p := range c.Placement {
		placed = placed || p.In == "header" && strings.EqualFold(p.Name, h.name)
	}
	switch {
	case placed:
		c.dropped(h.at, "the token goes into this header")
	default:
		c.setHeader(h.at, h.name, c.headerValue(h.at, h.name, h.value, h.text))
	}
}

func celigoMedia(http *object, name string, known ...string) jwtbearer.MediaType {
	return jwtbearer.MediaType(http.word(name, known...))
}

// tls takes over certificates.
func (c *celigoImport) tls(http *object) {
	if off, _ := http.flag("disableStrictSSL"); off {
		c.TLS.InsecureSkipVerify = true
		c.noteInsecure(http.at("disableStrictSSL"))
	}
	certs := http.object("clientCertificates")
	c.TLS.Certificate = c.certificate(certs, "cert", "CLIENT_CERTIFICATE")
	c.TLS.CA = c.certificate(certs, "ca", "CA")
	c.TLS.PrivateKey = c.hidden(certs, "key", "CLIENT_KEY")
	c.TLS.PFX = c.hidden(certs, "pfx", "CLIENT_PFX")
	c.TLS.Passphrase = c.hidden(certs, "passphrase", "CLIENT_PASSPHRASE")
	certs.rest(noCounterpart)
}

// hidden makes a reference for a secret, if there is one.
func (c *celigoImport) hidden(o *object, name, suffix string) jwtbearer.Secret {
	if !o.has(name) {
		return ""
	}
	o.ignore(name)
	return c.secret(o.at(name), suffix)
}

// certificate takes over what is public, if it is: a masked one, or one with its private key, becomes a reference.
func (c *celigoImport) certificate(certs *object, name, suffix string) string {
	text := certs.text(name)
	if text == "" || strings.Contains(text, "BEGIN CERTIFICATE") && !strings.Contains(text, "PRIVATE") {
		return text
	}
	return string(c.secret(certs.at(name), suffix))
}
