package main

const fileDescription = "Describes an API whose bearer tokens the caller signs: one connection, or a list of them, each with a name of its own. " +
	"A text in which the whole value is ${env:NAME} or ${file:path} is a reference. Durations are written as 1m30s or 250ms."

const connectionDescription = "An API whose bearer tokens the caller signs. A text that is marked \"Template\" may hold actions such as " +
	"{{now 300}}, {{uuid}} or {{.Fields.name}}; so may the texts in payload and jwtHeaders."

// rules are what holds between the fields of a type: the keywords Required, AnyOf and AllOf of its schema. A field that is set to
// what it means when absent is as good as absent.
var rules = map[string]node{
	"Connection": {
		AllOf: []node{
			{AnyOf: required("baseURI", "exchange")}, // Exchange.BaseURIPath may tell it
			{AnyOf: required("signatureMethod", "token")},
			where("token", onlyEmpty("signatureMethod", "secret", "privateKey", "passphrase", "certificate")),
			where("token", node{Properties: members{{"payload", false}, {"jwtHeaders", false},
				{"lifetime", node{Pattern: zeroDuration}}, {"tokenReuse", node{Pattern: zeroDuration}}}}),
			where("secret", onlyEmpty("privateKey")),
			{If: &node{Required: []string{"exchange"}}, Then: &node{Properties: members{{"tokenReuse", node{Pattern: zeroDuration}}}}},
		},
	},
	"Placement": {AllOf: []node{{
		If:   &node{Required: []string{"in"}, Properties: members{{"in", node{Enum: list("query", "cookie", "form")}}}},
		Then: &node{Required: []string{"name"}, Properties: members{{"scheme", node{Const: ""}}}},
	}}},
	"Rule": {
		AnyOf: required("status", "header", "path", "match"),
		AllOf: []node{{
			If:   &node{Required: []string{"values"}, Properties: members{{"values", node{MinItems: 1}}}},
			Then: &node{AnyOf: required("header", "path")},
		}},
	},
	"Limit":   {Required: []string{"requests", "per"}},
	"Extract": {AllOf: []node{where("header", onlyEmpty("path"))}},
	"Quota":   {AnyOf: required("remaining", "limit")},
	"TLS": {AllOf: []node{
		where("pfx", onlyEmpty("certificate", "privateKey")),
		where("certificate", node{Required: []string{"privateKey"}}),
	}},
	"Exchange": {Required: []string{"tokenURL"}},
}

func required(names ...string) []node {
	var all []node
	for _, name := range names {
		all = append(all, node{Required: []string{name}})
	}
	return all
}

// where holds then to an object in which the text called name is set.
func where(name string, then node) node {
	return node{If: &node{Required: []string{name}, Properties: members{{name, node{MinLength: 1}}}}, Then: &then}
}

func onlyEmpty(names ...string) node {
	var n node
	for _, name := range names {
		n.Properties = append(n.Properties, member{name, node{Const: ""}})
	}
	return n
}

var fileExamples = []any{
	members{
		{"name", "app-store-connect"},
		{"baseURI", "https://api.appstoreconnect.apple.com"},
		{"signatureMethod", "ES256"},
		{"privateKey", "${env:ASC_PRIVATE_KEY}"},
		{"jwtHeaders", members{{"kid", "{{.Fields.keyID}}"}}},
		{"payload", members{{"iss", "{{.Fields.issuer}}"}, {"aud", "appstoreconnect-v1"}}},
		{"lifetime", "20m"},
		{"tokenReuse", "15m"},
		{"fields", members{{"keyID", "2X9R4HXF34"}, {"issuer", "57246542-96fe-1a63-e053-0824d011072a"}}},
		{"ping", members{{"relativeURI", "/v1/apps?limit=1"}}},
	},
	members{
		{"name", "github-app"},
		{"baseURI", "https://api.github.com"},
		{"signatureMethod", "RS256"},
		{"privateKey", "${file:github-app.pem}"},
		{"payload", members{{"iss", "{{.Fields.appID}}"}, {"iat", "{{now -60}}"}, {"exp", "{{now 540}}"}}},
		{"fields", members{{"appID", "12345"}, {"installation", "67890"}}},
		{"exchange", members{
			{"tokenURL", "/app/installations/{{.Fields.installation}}/access_tokens"},
			{"encoding", "none"},
			{"bearer", true},
			{"tokenPath", "token"},
		}},
		{"rateLimit", members{{"profile", "github"}}},
		{"ping", members{{"relativeURI", "/installation/repositories"}}},
	},
}
