package importer

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

// The members of Celigo's connections are described in its schemas, github.com/celigo/ai, skills/configuring-connections
// (references/schemas: response.yml, request.yml, http.yml, jwt.yml), and in
// developer.celigo.com/api/api-reference/connections; how its form means them in the help texts of that.

// Celigo reads connections of Celigo's integrator.io as its API gives them (GET /v1/connections, or one of them), and makes
// Connections of those with auth.type jwtbearer. Every member that it neither carries over nor passes over as bookkeeping
// (ids, dates, the layout of forms) gets a note. A member that is null or empty says nothing and is ignored.
//
// Handlebars expressions become templates: {{timestamp "X"}}, {{dateAdd …}} and {{dateFormat "X" …}} become {{now}} with an
// offset, http.encrypted and http.unencrypted become Secrets and Fields. An expression that has no counterpart becomes a field
// that is not there, such as {{.Fields.unresolved_hmac}}, so that NewClient refuses the connection and names the place.
//
// The API masks secrets, and those that it does not mask are left out: in their places are references to environment
// variables, which notes of kind NoteSecret list.
func Celigo(data []byte) (*Result, error) {
	doc, err := readDocument(data, "Celigo")
	if err != nil {
		return nil, err
	}
	im := newImporting()
	list, alone, err := im.celigoList(doc)
	if err != nil {
		return nil, err
	}
	var conns []*connection
	for _, o := range list {
		problem := celigoForeign(o)
		switch {
		case problem == "":
			conns = append(conns, im.celigoConnection(o))
		case alone:
			return nil, errors.New("importer: Celigo: the connection " + problem + "; only type http with auth.type " +
				"jwtbearer can be imported")
		default:
			im.dropped(o.path, "the connection %s; ignored", problem)
		}
	}
	if len(conns) == 0 {
		return nil, fmt.Errorf("importer: Celigo: none of the %d connections has auth.type jwtbearer", len(list))
	}
	return im.result(conns), nil
}

// celigoList returns the connections in doc, and whether there can be only one.
func (im *importing) celigoList(doc jsontext.Value) (list []*object, alone bool, err error) {
	if doc.Kind == jsontext.Array {
		whole := jsontext.Value{Kind: jsontext.Object, Members: []jsontext.Member{{Name: "", Value: doc}}}
		return im.object("", whole).objects(""), false, nil
	}
	if doc.Kind != jsontext.Object {
		return nil, false, errors.New("importer: Celigo: the document is neither an object nor a list: save what GET " +
			"/v1/connections gives")
	}
	o := im.object("", doc)
	if o.has("connections") && !o.has("http") {
		list = o.objects("connections")
		o.rest("is not a connection; ignored")
		return list, false, nil
	}
	return []*object{o}, true, nil
}

// celigoForeign says why a connection cannot be imported.
func celigoForeign(o *object) string {
	switch kind := celigoKnown(o, "type", "http", "rest", "netsuite", "salesforce", "ftp", "s3", "wrapper", "rdbms",
		"mongodb", "as2", "filesystem", "mcp", "dynamodb", "jdbc", "van"); kind {
	case "http":
	case "":
		if !o.has("http") {
			return "has no type, so this is not one as Celigo's API gives it"
		}
	default:
		return "has the type " + kind
	}
	auth := celigoPeek(o).object("http").object("auth")
	switch kind := celigoKnown(auth, "type", "jwtbearer", "jwt", "custom", "basic", "token", "oauth", "oauth1", "wsse",
		"cookie", "digest", "specific"); kind {
	case "jwtbearer", "jwt": // http.yml says that jwt was its name before
		return ""
	case "":
		return "has no auth.type"
	default:
		return "has auth.type " + kind
	}
}

// celigoPeek reads the members of o without a trace.
func celigoPeek(o *object) *object {
	return newImporting().object("", jsontext.Value{Kind: jsontext.Object, Members: o.members})
}

// celigoKnown returns a text member, or what can be shown of it: only a word that is known.
func celigoKnown(o *object, name string, known ...string) string {
	text := strings.ToLower(celigoPeek(o).text(name))
	if o.has(name) && !slices.Contains(known, text) {
		return "that is not known"
	}
	return text
}

// celigoBookkeeping are members that mean nothing outside of Celigo.
var celigoBookkeeping = [...]string{"_id", "_userId", "_sourceId", "_templateId", "_integrationId", "_connectorId",
	"_editorId", "externalId", "createdAt", "createdBy", "lastModified", "lastModifiedBy", "deletedAt", "draft",
	"draftExpiresAt", "application", "assistant", "status", "queues",
	"settingsForm", "shared", "description", "type", "aliases"}

// celigoImport imports one connection.
type celigoImport struct {
	*texts

	fields   map[string]string // pipelines, by path, such as http.unencrypted.account
	settings *object
}

const noCounterpart = "has no counterpart here; ignored"

func (im *importing) celigoConnection(o *object) *connection {
	c := &celigoImport{fields: make(map[string]string)}
	c.texts = &texts{connection: im.connection(o.text("name"), "Celigo"), split: handlebarsSplit,
		eval: c.eval}
	o.ignore(celigoBookkeeping[:]...)
	if o.has("_agentId") {
		o.ignore("_agentId")
		im.dropped(o.at("_agentId"), "the connection goes through an agent in a private network: run this where that "+
			"network can be reached")
	}
	if o.has("_borrowConcurrencyFromConnectionId") {
		o.ignore("_borrowConcurrencyFromConnectionId")
		im.dropped(o.at("_borrowConcurrencyFromConnectionId"), "shares its concurrency with another connection, which cannot be "+
			"done here: divide rateLimit.concurrency between the two (a Limiter would share only the rate, not what is in flight)")
	}
	im.celigoSwitches(o)
	c.settings = o.object("settings")
	http := o.object("http")
	c.declare(http)
	auth := http.object("auth")
	c.signing(auth)
	c.placement(auth)
	c.address(http)
	c.pacing(o, http)
	c.refusals(auth)
	c.ping(http.object("ping"))
	c.tls(http)
	auth.rest(noCounterpart)
	http.rest(noCounterpart)
	c.settings.rest("is used by no expression; ignored")
	o.rest(noCounterpart)
	return c.connection
}

// celigoSwitches notes what Celigo does with a connection beyond sending requests.
func (im *importing) celigoSwitches(o *object) {
	for _, name := range []string{"debugDate", "debugUntil"} {
		if o.has(name) {
			o.ignore(name)
			im.dropped(o.at(name), "turns Celigo's log of requests on until a day: set Logger, or --verbose of the command")
		}
	}
	if off, _ := o.flag("offline"); off {
		im.dropped(o.at("offline"), "Celigo sends nothing with this connection for now; this client does")
	}
	if sandbox, _ := o.flag("sandbox"); sandbox {
		im.assumed(o.at("sandbox"), "belongs to Celigo's sandbox: see to it that baseURI and secrets are those that are meant here")
	}
}

// address takes over where the API is and how it speaks.
func (c *celigoImport) address(http *object) {
	http.ignore("formType", "isRest", "_httpConnectorId", "_httpConnectorApiId", "_httpConnectorVersionId")
	path := http.at("baseURI")
	base := http.text("baseURI")
	if trimmed := strings.TrimRight(base, "/"); trimmed != base {
		c.changed(path, "lost the slash at its end: relative addresses are appended to it as they are")
		base = trimmed
	}
	scheme, rest, _ := strings.Cut(base, "://")
	hasUser := strings.Contains(hostOf(rest), "@")
	if hasUser {
		_, rest, _ = strings.Cut(rest, "@")
		base = scheme + "://" + rest
	}
	c.BaseURI = c.hideInQuery(path, c.text(path, base))
	if base == "" {
		c.dropped(path, "there is none: set baseURI")
	}
	c.noteAddress(path, base, hasUser)
	c.MediaType = celigoMedia(http, "mediaType", "json", "xml", "urlencoded", "form-data", "plaintext")
	c.SuccessMediaType = celigoMedia(http, "successMediaType", "json", "xml", "csv", "plaintext")
	c.ErrorMediaType = celigoMedia(http, "errorMediaType", "json", "xml", "plaintext")
	c.headers(http)
}

// hostOf is what stands before the path of an address without its scheme.
func hostOf(rest string) string {
	host, _, _ := strings.Cut(rest, "/")
	return host
}
