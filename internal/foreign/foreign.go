// Package foreign recognises documents of other tools by their marks, so that people who give one in place of another hear what it
// is. It must never read more of a document than such marks, nor show a piece of it.
package foreign

import (
	"regexp"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

// A Document is what a text was recognised as.
type Document struct {
	Tool string // Postman, Celigo, Insomnia, Bruno, OpenAPI, Airbyte, Nango and others
	What string // with its article: "a Postman collection"

	// Import is what the command jwtbearer import calls it; empty: it is not read.
	Import string

	// Hint is what to do with one that is not read; empty: write the connection by hand.
	Hint string
}

// Advice says what to do with the document.
func (d Document) Advice() string {
	switch {
	case d.Import != "":
		return "make connections of it: jwtbearer import " + d.Import + " FILE > conn.yaml"
	case d.Hint != "":
		return d.Hint
	}
	return "it cannot be imported: write the connection by hand; jwtbearer demo prints one that works"
}

var (
	postman     = Document{Tool: "Postman", What: "a Postman collection", Import: "postman"}
	environment = Document{Tool: "Postman", What: "a Postman environment", Hint: "export the collection that uses it, and import that: jwtbearer import postman FILE > conn.yaml"}
	celigo      = Document{Tool: "Celigo", What: "a Celigo connection", Import: "celigo"}
	insomnia    = Document{Tool: "Insomnia", What: "an Insomnia export"}
	bruno       = Document{Tool: "Bruno", What: "a Bruno collection or request"}
	openAPI     = Document{Tool: "OpenAPI", What: "an OpenAPI description, which says nothing of keys and claims"}
	airbyte     = Document{Tool: "Airbyte", What: "an Airbyte connector or connection"}
	nango       = Document{Tool: "Nango", What: "a Nango provider, integration or connection"}
	hoppscotch  = Document{Tool: "Hoppscotch", What: "a Hoppscotch collection"}
	archive     = Document{Tool: "HAR", What: "an HTTP archive (HAR), with requests that a browser sent"}
	googleKey   = Document{Tool: "Google", What: "the key file of a Google service account", Hint: "write a connection file beside it, with privateKey: ${file:NAME}"}
)

// mostText is how much of a text is looked at where it is not JSON that can be read.
const mostText = 64 << 10

// Recognise tells which tool's document data is, and false where it is of none that is known.
func Recognise(data []byte) (Document, bool) {
	text := strings.TrimPrefix(string(data), "\ufeff")
	if v, err := jsontext.Parse(text); err == nil {
		if v.Kind == jsontext.Array && len(v.Elems) > 0 {
			v = v.Elems[0]
		}
		return ofObject(v)
	}
	text = text[:min(len(text), mostText)]
	for _, m := range textMarks {
		if m.mark.MatchString(text) {
			return m.is, true
		}
	}
	return Document{}, false
}

// textMarks are those of YAML, of Bruno's own syntax, and of JSON that is cut or damaged. A mark at the start of a line is a key of the
// whole document in YAML.
var textMarks = []struct {
	mark *regexp.Regexp
	is   Document
}{
	{regexp.MustCompile(`schema\.(?:get)?postman\.com/(?:json/)?collection|"_postman_id"\s*:`), postman},
	{regexp.MustCompile(`"_postman_variable_scope"\s*:`), environment},
	{regexp.MustCompile(`__export_format["']?\s*:|(?m:^type:\s*["']?collection\.insomnia\.rest)`), insomnia},
	{regexp.MustCompile(`(?m)^(?:openapi|swagger):\s|^\s*\{\s*"(?:openapi|swagger)"\s*:`), openAPI},
	{regexp.MustCompile(`(?m)^meta \{\s*$|^auth:(?:bearer|basic|oauth2|awsv4|none) \{|^opencollection:`), bruno},
	{regexp.MustCompile(`(?m)^type:\s*["']?DeclarativeSource|^\s*type:\s*["']?(?:JwtAuthenticator|BearerAuthenticator|DeclarativeStream)\b|^\s*"?sourceDefinitionId"?\s*:`), airbyte},
	{regexp.MustCompile(`(?m)^\s+auth_mode:\s|^integrations:\s*$|^\s*"?provider_config_key"?\s*:`), nango},
	{regexp.MustCompile(`"_borrowConcurrencyFromConnectionId"|"auth"\s*:\s*\{[^{}]*"type"\s*:\s*"jwtbearer"`), celigo},
}

// ofObject recognises a JSON object.
func ofObject(v jsontext.Value) (Document, bool) {
	o := object(v.Members)
	info := o.object("info")
	inner := o.object("collection")
	switch {
	case o.text("type") == "service_account" && o.has("private_key"):
		return googleKey, true
	case o.has("_postman_variable_scope"), o.has("values") && o.has("name") && o.has("id"):
		return environment, true
	case o.has("openapi"), o.has("swagger"):
		return openAPI, true
	case info.has("_postman_id"), strings.Contains(info.text("schema"), "postman.com"), o.has("info") && o.has("item"),
		inner.has("item"), o.has("requests") && o.has("order"), o.has("request") && o.has("response"):
		return postman, true
	case o.has("__export_format"), strings.Contains(o.text("type"), "insomnia.rest"):
		return insomnia, true
	case o.has("brunoConfig"), o.has("version") && o.has("items"), o.has("version") && o.text("type") == "collection":
		return bruno, true
	case o.text("type") == "DeclarativeSource", o.has("sourceDefinitionId"), o.has("connectionConfiguration"), o.has("sourceId") && o.has("destinationId"):
		return airbyte, true
	case o.has("auth_mode"), o.has("provider_config_key"), o.has("unique_key") && o.has("provider"):
		return nango, true
	case o.object("log").has("entries"):
		return archive, true
	case o.has("folders") && o.has("requests"):
		return hoppscotch, true
	case isCeligo(o):
		return celigo, true
	case isNangoProviders(o):
		return nango, true
	}
	return Document{}, false
}

// isCeligo reports whether o is a connection as Celigo's API gives it, or a list of some.
func isCeligo(o object) bool {
	for _, m := range o {
		if m.Name == "connections" && m.Value.Kind == jsontext.Array && len(m.Value.Elems) > 0 {
			return isCeligo(object(m.Value.Elems[0].Members))
		}
	}
	http := o.object("http")
	return http.has("auth") || http.has("formType") || http.has("baseURI") || o.has("_id") && o.has("type") && (o.has("rest") || o.has("lastModified") || o.has("createdAt"))
}

// isNangoProviders reports whether o maps names of providers to what is known of them.
func isNangoProviders(o object) bool {
	return len(o) > 0 && object(o[0].Value.Members).has("auth_mode")
}

// An object is the members of a JSON object.
type object []jsontext.Member

func (o object) get(name string) (jsontext.Value, bool) {
	for _, m := range o {
		if m.Name == name {
			return m.Value, true
		}
	}
	return jsontext.Value{}, false
}

func (o object) has(name string) bool {
	_, ok := o.get(name)
	return ok
}

// text is a member that is a string, and empty for any other.
func (o object) text(name string) string {
	v, _ := o.get(name)
	if v.Kind != jsontext.String {
		return ""
	}
	return v.Text
}

// object is the members of a member, none where it is no object.
func (o object) object(name string) object {
	v, _ := o.get(name)
	return object(v.Members)
}
