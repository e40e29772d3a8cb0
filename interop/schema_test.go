package interop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/schema"
)

const schemaAddress = "file:///connection.schema.json"

// validator compiles the schema of connection files, or the part of it at a JSON pointer. Compiling holds it to the rules of
// draft 2020-12.
func validator(t *testing.T, pointer string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	if err := c.AddResource(schemaAddress, instance(t, string(schema.JSON()))); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(schemaAddress + "#" + pointer)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// instance reads a JSON text as validators want it.
func instance(t *testing.T, text string) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

// connection is a connection file that is complete but for some members, as they stand in JSON.
func connection(members string) string {
	return `{"baseURI": "https://api.example.com", "signatureMethod": "HS256", "secret": "${env:SECRET}", ` + members + `}`
}

func TestSchemaTakesWhatFilesHold(t *testing.T) {
	s := validator(t, "")
	for name, text := range map[string]string{
		"a list": `[{"name": "a", "baseURI": "https://a", "token": "t"},
			{"name": "b", "baseURI": "https://b", "signatureMethod": "hmac-sha256", "secret": "x"}]`,
		"numbers and booleans as text": connection(`"name": 7, "fields": {"account": 12, "test": true},
			"authFailure": [{"path": "code", "values": [5, true, "x"]}]`),
		"a version that YAML reads": connection(`"tls": {"minVersion": 1.2}`),
		"references for names":      connection(`"mediaType": "${env:MEDIA}", "rateLimit": {"profile": "${file:profile}", "combine": "${env:COMBINE}"}`),
		"a list of one":             `[{"baseURI": "https://a", "token": "t"}]`,
		"the address of the schema": connection(`"$schema": "https://example.com/connection.schema.json"`),
		"zero without a unit":       connection(`"lifetime": 0, "timeout": 0`),
		"what is not set": connection(`"mediaType": "", "timeout": "0s", "payload": {}, "placement": [], "rateLimit": {},
			"tls": {"certificate": "", "minVersion": ""}`),
		"negative means none": connection(`"timeout": "-1s", "maxResponse": -1, "rateLimit": {"maxWait": "-1s"},
			"retry": {"maxElapsed": "-1s", "budget": -1, "bufferLimit": -1}`),
		"any claims": connection(`"payload": {"exp": "{{now 60}}", "n": 1.10, "nested": {"a": [null, true]}},
			"jwtHeaders": {"typ": null}`),
		"a chain of exchanges": connection(`"exchange": {"tokenURL": "/a", "grant": "urn:x",
			"next": {"tokenURL": "/b", "next": {"tokenURL": "/c", "bearer": true}}}`),
		"no base URI": `{"signatureMethod": "RS256", "privateKey": "${file:key.pem}",
			"exchange": {"tokenURL": "https://a/token", "grant": "jwt-bearer", "baseURIPath": "instance_url"}}`,
		"classes of statuses":         connection(`"rateLimit": {"rules": [{"status": [4, 503]}]}`),
		"a token whose rest is empty": `{"baseURI": "https://a", "token": "t", "lifetime": "0s", "tokenReuse": "0", "secret": ""}`,
		"an exchange without reuse":   connection(`"tokenReuse": "0s", "exchange": {"tokenURL": "/a"}`),
		"a template for a header":     connection(`"httpHeaders": {"X-Api-Key": "{{.Secrets.key}}"}, "secrets": {"key": "${env:KEY}"}`),
		"a whole body as a wait":      connection(`"rateLimit": {"wait": [{"as": "seconds"}, {"match": "in (\\d+) s"}]}`),
		"a placement":                 connection(`"placement": [{"in": "query", "name": "jwt"}, {"name": "X-Token"}, {"scheme": "JWT"}, {"in": "header", "scheme": ""}]`),
	} {
		if err := s.Validate(instance(t, text)); err != nil {
			t.Errorf("%s is refused: %v", name, err)
		}
	}
}

// TestSchemaRefuses holds each rule to one connection that breaks it, and to the place that an editor would underline.
func TestSchemaRefuses(t *testing.T) {
	s := validator(t, "")
	for _, row := range []struct{ at, text string }{
		{"", `"text"`},
		{"", `{}`},
		{"", `{"signatureMethod": "HS256", "secret": "x"}`},
		{"", `{"baseURI": "https://a", "secret": "x"}`},
		{"/1", `[{"baseURI": "https://a", "token": "t", "name": "a"}, {"baseURI": "https://a", "token": "t"}]`},
		{"", connection(`"baseUri": "https://b"`)},
		{"/exchange", connection(`"exchange": {}`)},
		{"/exchange/next", connection(`"exchange": {"tokenURL": "/a", "next": {"tokenPath": "token"}}`)},
		{"/exchange/next", connection(`"exchange": {"tokenURL": "/a", "next": {"tokenURL": "/b", "colour": 1}}`)},
		{"/exchange/encoding", connection(`"exchange": {"tokenURL": "/a", "encoding": "xml"}`)},
		{"/exchange/params", connection(`"exchange": {"tokenURL": "/a", "params": "scope=read"}`)},
		{"/exchange/expiresIn", connection(`"exchange": {"tokenURL": "/a", "expiresIn": "-1h"}`)},
		{"/mediaType", connection(`"mediaType": "application/json"`)},
		{"/successMediaType", connection(`"successMediaType": "urlencoded"`)},
		{"/errorMediaType", connection(`"errorMediaType": "csv"`)},
		{"/secretEncoding", connection(`"secretEncoding": "base32"`)},
		{"/signatureMethod", `{"baseURI": "https://a", "signatureMethod": "none"}`},
		{"/signatureMethod", `{"baseURI": "https://a", "signatureMethod": 256}`},
		{"/secret", `{"baseURI": "https://a", "signatureMethod": "HS256", "secret": "******"}`},
		{"/secrets/key", connection(`"secrets": {"key": "******"}`)},
		{"/tls/passphrase", connection(`"tls": {"passphrase": "******"}`)},
		{"/privateKey", connection(`"privateKey": "${file:key.pem}"`)},
		{"/secret", `{"baseURI": "https://a", "token": "t", "secret": "s"}`},
		{"/payload", `{"baseURI": "https://a", "token": "t", "payload": {}}`},
		{"/lifetime", `{"baseURI": "https://a", "token": "t", "lifetime": "5m"}`},
		{"/tokenReuse", connection(`"tokenReuse": "5m", "exchange": {"tokenURL": "/a"}`)},
		{"/payload", connection(`"payload": "{}"`)},
		{"/payload", connection(`"payload": ["iss"]`)},
		{"/jwtHeaders", connection(`"jwtHeaders": "kid"`)},
		{"/lifetime", connection(`"lifetime": 300`)},
		{"/lifetime", connection(`"lifetime": "5 minutes"`)},
		{"/lifetime", connection(`"lifetime": "-5m"`)},
		{"/timeout", connection(`"timeout": 30`)},
		{"/allowWeakKey", connection(`"allowWeakKey": "yes"`)},
		{"/fields/a", connection(`"fields": {"a": {"b": 1}}`)},
		{"", connection(`"httpHeaders": {"X Key": "1"}`)}, // the validator has no place for a name
		{"/httpHeaders/Accept", connection(`"httpHeaders": {"Accept": ["a", "b"]}`)},
		{"/trustedOrigins", connection(`"trustedOrigins": "https://b"`)},
		{"/placement", connection(`"placement": {"in": "query", "name": "jwt"}`)},
		{"/placement/0/in", connection(`"placement": [{"in": "body"}]`)},
		{"/placement/0", connection(`"placement": [{"in": "query"}]`)},
		{"/placement/0/scheme", connection(`"placement": [{"in": "cookie", "name": "jwt", "scheme": "Bearer"}]`)},
		{"/authFailure/0", connection(`"authFailure": [{}]`)},
		{"/authFailure/0", connection(`"authFailure": [{"class": "token"}]`)},
		{"/authFailure/0", connection(`"authFailure": [{"status": [400], "values": ["x"]}]`)},
		{"/authFailure/0/status", connection(`"authFailure": [{"status": 401}]`)},
		{"/authFailure/0/status/0", connection(`"authFailure": [{"status": [42]}]`)},
		{"/authFailure/0/status/0", connection(`"authFailure": [{"status": ["4xx"]}]`)},
		{"/authFailure/0/header", connection(`"authFailure": [{"header": "WWW-Authenticate: Bearer"}]`)},
		{"/rateLimit/profile", connection(`"rateLimit": {"profile": "GitHub"}`)},
		{"/rateLimit/rules/0/class", connection(`"rateLimit": {"rules": [{"status": [429], "class": "slow"}]}`)},
		{"/rateLimit/combine", connection(`"rateLimit": {"combine": "shortest"}`)},
		{"/rateLimit/concurrency", connection(`"rateLimit": {"concurrency": -1}`)},
		{"/rateLimit/concurrency", connection(`"rateLimit": {"concurrency": 1.5}`)},
		{"/rateLimit/interval", connection(`"rateLimit": {"interval": "-1s"}`)},
		{"/rateLimit/limits/0", connection(`"rateLimit": {"limits": [{"requests": 5}]}`)},
		{"/rateLimit/limits/0", connection(`"rateLimit": {"limits": [{"per": "1s"}]}`)},
		{"/rateLimit/limits/0/requests", connection(`"rateLimit": {"limits": [{"requests": 0, "per": "1s"}]}`)},
		{"/rateLimit/limits/0/per", connection(`"rateLimit": {"limits": [{"requests": 1, "per": "0s"}]}`)},
		{"/rateLimit/limits/0/per", connection(`"rateLimit": {"limits": [{"requests": 1, "per": 0}]}`)},
		{"/rateLimit/wait/0", connection(`"rateLimit": {"wait": [{}]}`)},
		{"/rateLimit/wait/0/path", connection(`"rateLimit": {"wait": [{"header": "Retry-After", "path": "wait"}]}`)},
		{"/rateLimit/wait/0/as", connection(`"rateLimit": {"wait": [{"header": "Retry-After", "as": "fortnights"}]}`)},
		{"/rateLimit/quota/0", connection(`"rateLimit": {"quota": [{"used": {"header": "X-Used"}}]}`)},
		{"/rateLimit/quota/0/limit/as", connection(`"rateLimit": {"quota": [{"limit": {"header": "X-Limit", "as": "epoch"}}]}`)},
		{"/rateLimit/quota/0/limit", connection(`"rateLimit": {"quota": [{"limit": {"heading": "X-Limit"}}]}`)},
		{"/retry/maxAttempts", connection(`"retry": {"maxAttempts": -1}`)},
		{"/retry/minBackoff", connection(`"retry": {"minBackoff": "-1s"}`)},
		{"", connection(`"ping": {"headers": {"X:": "1"}}`)},
		{"/ping", connection(`"ping": {"relativeUri": "/me"}`)},
		{"/tls", connection(`"tls": {"certificate": "${file:a.pem}"}`)},
		{"/tls/privateKey", connection(`"tls": {"pfx": "${file:a}", "privateKey": "${file:b}"}`)},
		{"/tls/minVersion", connection(`"tls": {"minVersion": "1.1"}`)},
	} {
		err, _ := s.Validate(instance(t, row.text)).(*jsonschema.ValidationError)
		if err == nil {
			t.Errorf("the schema takes %s, but not at %q", row.text, row.at)
		} else if found := places(err); !slices.Contains(found, row.at) {
			t.Errorf("%s is refused at %q, want at %q", row.text, found, row.at)
		}
	}
}

// places are the JSON pointers of what is wrong, without those of what holds it.
func places(err *jsonschema.ValidationError) []string {
	if len(err.Causes) == 0 {
		at := ""
		for _, step := range err.InstanceLocation {
			at += "/" + step
		}
		return []string{at}
	}
	var all []string
	for _, cause := range err.Causes {
		all = append(all, places(cause)...)
	}
	return all
}

func TestSchemaTakesEveryBuiltInProfile(t *testing.T) {
	text, err := os.ReadFile("../internal/throttle/profiles.json")
	if err != nil {
		t.Fatal(err)
	}
	var profiles []struct {
		Name      string
		RateLimit json.RawMessage
	}
	if err := json.Unmarshal(text, &profiles); err != nil || len(profiles) == 0 {
		t.Fatalf("%d profiles: %v", len(profiles), err)
	}
	s := validator(t, "")
	for _, p := range profiles {
		if err := s.Validate(instance(t, connection(`"rateLimit": `+string(p.RateLimit)))); err != nil {
			t.Errorf("the settings of the profile %s are refused: %v", p.Name, err)
		}
	}
}

// TestSchemaTakesItsOwnExamples holds the examples and defaults that editors show to the schema beside which they stand.
func TestSchemaTakesItsOwnExamples(t *testing.T) {
	type part struct {
		Default    any
		Examples   []any
		Properties map[string]part
		Defs       map[string]part `json:"$defs"`
	}
	var all part
	if err := json.Unmarshal(schema.JSON(), &all); err != nil {
		t.Fatal(err)
	}
	checked := 0
	check := func(pointer string, p part) {
		values := p.Examples
		if p.Default != nil {
			values = append(values, p.Default)
		}
		for _, value := range values {
			text, _ := json.Marshal(value)
			if err := validator(t, pointer).Validate(instance(t, string(text))); err != nil {
				t.Errorf("%s is shown with %q, which it refuses: %v", text, pointer, err)
			}
			checked++
		}
	}
	check("", all)
	for def, d := range all.Defs {
		for name, p := range d.Properties {
			check("/$defs/"+def+"/properties/"+name, p)
		}
	}
	if checked < 50 {
		t.Errorf("%d examples and defaults, want 50 and more", checked)
	}
}

// TestSchemaKnowsEveryField sets each field of a Connection in one of several files.
func TestSchemaKnowsEveryField(t *testing.T) {
	s := validator(t, "")
	set := make(map[string]bool)
	for i, conn := range filled() {
		file := fileValue(reflect.ValueOf(conn), set)
		var text bytes.Buffer
		if err := json.NewEncoder(&text).Encode(file); err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(instance(t, text.String())); err != nil {
			t.Errorf("connection %d is refused: %v\n%s", i, err, &text)
		}
	}
	seen := make(map[reflect.Type]bool)
	eachField(reflect.TypeFor[jwtbearer.Connection](), seen, func(path string) {
		if !set[path] {
			t.Errorf("%s is set in no connection of this test: set it", path)
		}
	})
}

// filled are connections in which, together, every field is set that a file can hold.
func filled() []jwtbearer.Connection {
	rule := jwtbearer.Rule{Status: []int{403, 5}, Header: "X-Reason", Path: "error.code", Values: []string{"17"}, Match: "^1", Class: "exhausted"}
	limits := jwtbearer.RateLimit{
		Profile: "github", Limits: []jwtbearer.Limit{{Requests: 10, Per: time.Minute, Burst: 3}}, Interval: 250 * time.Millisecond,
		Concurrency: 4, Rules: []jwtbearer.Rule{rule}, Combine: "longest", DefaultWait: time.Minute, MinWait: time.Second,
		MaxWait: -1, Reserve: 5, Fixed: true,
		Wait: []jwtbearer.Extract{{Header: "X-Wait", Match: `(\d+)`, As: "millis"}, {Path: "error.wait"}},
		Quota: []jwtbearer.Quota{{Limit: jwtbearer.Extract{Header: "X-Limit", As: "int"}, Remaining: jwtbearer.Extract{Header: "X-Left"},
			Used: jwtbearer.Extract{Path: "used"}, Reset: jwtbearer.Extract{Header: "X-Reset", As: "epoch"}, Window: time.Hour}},
	}
	exchange := jwtbearer.Exchange{
		TokenURL: "/token", Method: "POST", Encoding: "json", Grant: "jwt-bearer", Params: `{"scope": "read", "n": 1}`, Bearer: true,
		Headers: map[string]string{"Accept": "application/json"}, TokenPath: "token", TokenTypePath: "type", ExpiresInPath: "in",
		ExpiresAtPath: "at", BaseURIPath: "base", ExpiresIn: time.Hour, RateLimit: limits,
	}
	exchange.Next = new(exchange)
	return []jwtbearer.Connection{
		{
			Name: "all", BaseURI: "https://api.example.com", MediaType: jwtbearer.MediaFormData, SuccessMediaType: jwtbearer.MediaCSV,
			ErrorMediaType: jwtbearer.MediaXML, HTTPHeaders: map[string]string{"Accept": "text/csv"}, SignatureMethod: "ecdsa-SHA256",
			PrivateKey: "${env:KEY}", Passphrase: "${env:WORD}", Certificate: "${file:cert.pem}", Payload: `{"iss": "{{.Fields.iss}}"}`,
			JWTHeaders: `{"kid": "1", "typ": null}`, Fields: map[string]string{"iss": "me"}, Secrets: map[string]jwtbearer.Secret{"s": "${env:S}"},
			Lifetime: 5 * time.Minute, Placement: []jwtbearer.Placement{{In: "header", Name: "X-Token", Scheme: "JWT"}},
			Exchange: &exchange, AuthFailure: []jwtbearer.Rule{rule}, RateLimit: limits,
			Retry: jwtbearer.Retry{MaxAttempts: 3, MinBackoff: time.Second, MaxBackoff: time.Minute, MaxElapsed: -1, Always: true, Budget: -1, BufferLimit: 1 << 16},
			Ping: jwtbearer.Ping{RelativeURI: "/me", Method: "POST", Body: "{}", Headers: map[string]string{"X-Ping": "1"},
				Success: []jwtbearer.Rule{rule}, Fail: []jwtbearer.Rule{rule}, ErrorPath: "error.message"},
			TLS: jwtbearer.TLS{CA: "${file:ca.pem}", Certificate: "${file:c.pem}", PrivateKey: "${file:c.key}", Passphrase: "${env:P}",
				ServerName: "api", MinVersion: "1.3", InsecureSkipVerify: true},
			Timeout: 90 * time.Second, MaxResponse: 1 << 20, AllowPlainHTTP: true, AllowWeakKey: true, TrustedOrigins: []string{"https://files.example.com"},
		},
		{
			BaseURI: "https://api.example.com", SignatureMethod: jwtbearer.HS512, Secret: "${env:S}", SecretEncoding: jwtbearer.SecretBase64URL,
			TokenReuse: time.Minute, TLS: jwtbearer.TLS{PFX: "${file:client.pfx}"},
		},
		{BaseURI: "https://api.example.com", Token: "${env:TOKEN}"},
	}
}

// fileValue is v as files hold it: durations as texts, JSON texts as they are. It notes the fields that are set.
func fileValue(v reflect.Value, set map[string]bool) any {
	switch value := v.Interface().(type) {
	case time.Duration:
		return value.String()
	case jwtbearer.JSON:
		return json.RawMessage(value)
	case jwtbearer.Secret:
		return string(value)
	}
	switch v.Kind() {
	case reflect.Pointer:
		return fileValue(v.Elem(), set)
	case reflect.Struct:
		object := make(map[string]any)
		for f, value := range v.Fields() {
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "-" && !value.IsZero() {
				object[name] = fileValue(value, set)
				set[v.Type().Name()+"."+f.Name] = true
			}
		}
		return object
	case reflect.Slice:
		var all []any
		for i := range v.Len() {
			all = append(all, fileValue(v.Index(i), set))
		}
		return all
	case reflect.Map:
		object := make(map[string]any)
		for key, value := range v.Seq2() {
			object[fmt.Sprint(key)] = fileValue(value, set)
		}
		return object
	}
	return v.Interface()
}

// eachField visits the fields that a file can hold, of a struct and of all that are in it.
func eachField(t reflect.Type, seen map[reflect.Type]bool, visit func(path string)) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || seen[t] {
		return
	}
	seen[t] = true
	for f := range t.Fields() {
		if f.Tag.Get("json") != "-" {
			visit(t.Name() + "." + f.Name)
			eachField(f.Type, seen, visit)
		}
	}
}

// TestSchemaTakesTheConnectionsOfVendors has those of the examples, and others whose tokens differ most.
func TestSchemaTakesTheConnectionsOfVendors(t *testing.T) {
	s := validator(t, "")
	for name, text := range map[string]string{
		"GitHub App": `{"baseURI": "https://api.github.com", "signatureMethod": "RS256", "privateKey": "${env:GITHUB_APP_KEY}",
			"httpHeaders": {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
			"payload": {"iat": "{{now -60}}", "exp": "{{now 540}}", "iss": "{{.Fields.app}}"}, "fields": {"app": 12345, "installation": "678"},
			"exchange": {"tokenURL": "/app/installations/{{.Fields.installation}}/access_tokens", "bearer": true, "tokenPath": "token",
				"headers": {"Accept": "application/vnd.github+json"}},
			"rateLimit": {"profile": "github"}, "ping": {"relativeURI": "/installation/repositories?per_page=1"}}`,
		"APNs": `{"baseURI": "https://api.push.apple.com", "signatureMethod": "ES256", "privateKey": "${file:AuthKey.p8}",
			"jwtHeaders": {"kid": "ABC123DEFG", "typ": null}, "payload": {"iss": "DEF123GHIJ", "iat": "{{now}}"}, "tokenReuse": "50m",
			"rateLimit": {"profile": "apns"}}`,
		"Coinbase": `{"baseURI": "https://api.coinbase.com/api/v3", "signatureMethod": "es256", "privateKey": "${env:COINBASE_KEY}",
			"jwtHeaders": {"kid": "{{.Fields.key}}", "nonce": "{{randomHex 16}}"}, "fields": {"key": "organizations/1/apiKeys/2"},
			"payload": {"sub": "{{.Fields.key}}", "iss": "cdp", "nbf": "{{now}}", "exp": "{{now 120}}",
				"uri": "{{.Request.Method}} {{.Request.Host}}{{.Request.Path}}"}}`,
		"Ghost": `{"baseURI": "https://blog.example.com/ghost/api", "signatureMethod": "HS256", "secret": "${env:GHOST_SECRET}",
			"secretEncoding": "hex", "jwtHeaders": {"kid": "${env:GHOST_ID}"}, "payload": {"aud": "/admin/"}, "lifetime": "5m",
			"placement": [{"scheme": "Ghost"}], "httpHeaders": {"Accept-Version": "v5.0"}}`,
		"Zendesk": `{"baseURI": "https://acme.zendesk.com", "signatureMethod": "HS256", "secret": "${env:ZENDESK}",
			"payload": {"jti": "{{uuid}}", "iat": "{{now}}", "name": "N", "email": "n@example.com"}, "placement": [{"in": "query", "name": "jwt"}],
			"ping": {"relativeURI": "/access/jwt"}}`,
		"Salesforce": `{"baseURI": "/services/data/v61.0", "signatureMethod": "RS256", "privateKey": "${file:server.key}",
			"payload": {"iss": "${env:SF_CLIENT}", "sub": "me@example.com", "aud": "https://login.salesforce.com"}, "lifetime": "3m",
			"exchange": {"tokenURL": "https://login.salesforce.com/services/oauth2/token", "grant": "jwt-bearer", "baseURIPath": "instance_url"},
			"rateLimit": {"profile": "salesforce"}}`,
		"NetSuite": `{"baseURI": "https://1.suitetalk.api.netsuite.com/services/rest", "signatureMethod": "PS256", "privateKey": "${file:ns.pem}",
			"jwtHeaders": {"kid": "${env:NS_CERT}"}, "payload": {"iss": "${env:NS_CLIENT}", "scope": "{{list .Fields.scope}}"},
			"fields": {"scope": "restlets, rest_webservices"}, "lifetime": "1h",
			"exchange": {"tokenURL": "/auth/oauth2/v1/token", "grant": "client-credentials"},
			"rateLimit": {"concurrency": 5, "rules": [{"status": [400], "path": "error.code", "values": ["SSS_REQUEST_LIMIT_EXCEEDED"],
				"class": "concurrency"}, {"status": [429]}]}}`,
		"Stream": `{"baseURI": "https://chat.stream-io-api.com", "signatureMethod": "HS256", "secret": "${env:STREAM_SECRET}",
			"payload": {"server": true}, "placement": [{"in": "header", "name": "Authorization"}],
			"httpHeaders": {"Stream-Auth-Type": "jwt"}, "tokenReuse": "24h"}`,
	} {
		if err := s.Validate(instance(t, text)); err != nil {
			t.Errorf("the connection of %s is refused: %v", name, err)
		}
	}
}
