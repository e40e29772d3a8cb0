package foreign

import (
	"strings"
	"testing"
)

// documents are the least that shows what each is.
var documents = map[string]string{
	`{"info":{"name":"x","schema":"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},"item":[]}`: "Postman",
	`{"collection":{"info":{"name":"x"},"item":[]}}`:                                                                  "Postman", `{"id":"1","name":"x","order":[],"requests":[]}`: "Postman",
	`{"name":"x","request":{"method":"GET","url":"https://a"},"response":[]}`: "Postman", `{"id":"1","name":"x","values":[],"_postman_variable_scope":"environment"}`: "Postman",
	`{"info":{"_postman_id":"1","name":"cut off in the mid`:                     "Postman",
	`{"_id":"1","type":"http","name":"x","http":{"auth":{"type":"jwtbearer"}}}`: "Celigo", `[{"_id":"1","type":"rest","rest":{},"lastModified":"x"}]`: "Celigo",
	`{"connections":[{"_id":"1","http":{"formType":"http"}}]}`: "Celigo", `{"http":{"baseURI":"https://a","auth":{"type":"jwtbearer","jwt":{}`: "Celigo",
	`{"_type":"export","__export_format":4,"resources":[]}`: "Insomnia", "type: collection.insomnia.rest/5.0\nname: x\n": "Insomnia", "_type: export\n__export_format: 4\n": "Insomnia",
	"openapi: 3.1.0\ninfo: {title: x}\n": "OpenAPI", `{"swagger":"2.0","info":{}}`: "OpenAPI", "# comment\nswagger: '2.0'\n": "OpenAPI", `{"openapi":"3.0.3",`: "OpenAPI",
	"meta {\n  name: x\n  type: http\n}\n\nget {\n  url: https://a\n}\n": "Bruno", `{"version":"1","name":"x","type":"collection","ignore":[]}`: "Bruno", `{"name":"x","version":"1","items":[],"brunoConfig":{}}`: "Bruno",
	"version: 6.1.0\ntype: DeclarativeSource\ncheck:\n  type: CheckStream\n": "Airbyte", `{"sourceDefinitionId":"1","connectionConfiguration":{}}`: "Airbyte",
	"definitions:\n  auth:\n    type: JwtAuthenticator\n    secret_key: x\n": "Airbyte",
	"github-app:\n    display_name: x\n    auth_mode: APP\n":                 "Nango", "integrations:\n  x:\n    syncs: {}\n": "Nango", `{"x":{"auth_mode":"JWT"}}`: "Nango", `{"connection_id":"1","provider_config_key":"x"}`: "Nango",
	`{"log":{"version":"1.2","entries":[]}}`: "HAR", `{"v":2,"name":"x","folders":[],"requests":[]}`: "Hoppscotch", `{"type":"service_account","private_key":"x"}`: "Google",
}

func TestDocumentsAreRecognised(t *testing.T) {
	for text, want := range documents {
		for _, data := range []string{text, "\ufeff" + text} {
			got, ok := Recognise([]byte(data))
			if !ok || got.Tool != want || !strings.Contains(got.What, " ") || got.Advice() == "" {
				t.Errorf("%s: got %+v, %t; want %s", text, got, ok, want)
			}
		}
	}
}

func TestOtherTextsAreNotRecognised(t *testing.T) {
	for _, text := range []string{"", "{}", "[]", "null", "name: shop\nbaseURI: https://api.example.com\npayload:\n  iss: openapi\n", `{"name":"shop","baseURI":"https://a","payload":{"item":1}}`,
		"baseURI: https://a\nping:\n  body: |\n    meta {\n", `{"connections":[]}`, `[1]`, "type: http\n"} {
		if got, ok := Recognise([]byte(text)); ok {
			t.Errorf("%q is taken for %s; want it not recognised", text, got.What)
		}
	}
}

func TestAdviceNamesTheCommandThatReadsADocument(t *testing.T) {
	for text, want := range map[string]string{`{"info":{},"item":[]}`: "jwtbearer import postman FILE", `{"http":{"auth":{}}}`: "jwtbearer import celigo FILE", `{"openapi":"3.0.0"}`: "by hand"} {
		if got, _ := Recognise([]byte(text)); !strings.Contains(got.Advice(), want) {
			t.Errorf("%s: the advice is %q; want %q", text, got.Advice(), want)
		}
	}
}
