package importer

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer"
)

// postmanDoc is a collection with jwt auth of these attributes, in the form of v2.0, these variables and these items.
func postmanDoc(attributes, variables, items string) string {
	return fmt.Sprintf(`{"info":{"name":"Acme"},"auth":{"type":"jwt","jwt":{"algorithm":"HS256","secret":"{{k}}"%s}},"variable":[%s],"item":[%s]}`,
		attributes, variables, items)
}

func postmanGET(name, address string) string {
	return fmt.Sprintf(`{"name":%q,"request":{"method":"GET","url":%q}}`, name, address)
}

func TestImportPostmanCarriesAllOver(t *testing.T) {
	out, err := Postman(testData(t, "postman/acme.json"))
	if err != nil {
		t.Fatal(err)
	}
	want := []*jwtbearer.Connection{
		{
			Name:            "Acme",
			BaseURI:         "https://api.acme.example/v1",
			HTTPHeaders:     map[string]string{"Accept": "application/json"},
			SignatureMethod: jwtbearer.HS256,
			Secret:          "${env:JWT_SECRET}",
			Payload: `{"iss":"{{.Fields.issuer}}","iat":"{{now}}","exp":"{{now}}","scopes":"{{json .Fields.scopes}}",` +
				`"account":"{{.Fields.accountId}}","jti":"{{uuid}}","who":"user acme-integration of {{.Fields.accountId}}"}`,
			JWTHeaders: `{"typ":null,"kid":"{{.Fields.keyId}}"}`,
			Fields: map[string]string{"issuer": "acme-integration", "keyId": "key-1", "scopes": `["read","write"]`,
				"accountId": "${env:ACCOUNT_ID}"},
			Ping: jwtbearer.Ping{RelativeURI: "/users?limit=5", Headers: map[string]string{"X-Page": "1"}},
		},
		{
			Name:            "Admin",
			BaseURI:         "https://admin.acme.example",
			SignatureMethod: jwtbearer.ES256,
			PrivateKey:      "${env:ADMIN_PRIVATE_KEY}",
			JWTHeaders:      `{"typ":null}`,
			Placement:       []jwtbearer.Placement{{In: "query", Name: "jwt"}},
		},
	}
	if !reflect.DeepEqual(out.Connections, want) {
		t.Errorf("got  %s\nwant %s", shape(out, nil), shape(&Result{Connections: want}, nil))
	}
	for _, n := range []Note{
		{Path: "event[0]", Kind: NoteDropped}, {Path: "auth.jwt.secret", Kind: NoteSecret},
		{Path: "auth.jwt.payload.exp", Kind: NoteChanged},
		{Path: "auth.jwt.payload.account", Kind: NoteAssumed}, {Path: "item[3].request.auth", Kind: NoteDropped},
		{Path: "item[1].request.auth.jwt.privateKey", Kind: NoteSecret}, {Path: "variable[6].value", Kind: NoteDropped},
		{Path: "item[0].item[1].request.header[1]", Kind: NoteDropped},
	} {
		if !hasNote(out.Notes, n.Path, n.Kind) {
			t.Errorf("no note of kind %s at %s", n.Kind, n.Path)
		}
	}
}

func TestImportedPostmanConnectionMintsItsClaims(t *testing.T) {
	out, err := Postman(testData(t, "postman/acme.json"))
	if err != nil {
		t.Fatal(err)
	}
	header, claims := mint(t, out.Connections[0], map[string]string{"env:ACCOUNT_ID": "42"})
	if _, typ := header["typ"]; typ || header["kid"] != "key-1" || len(header) != 2 {
		t.Errorf("header = %v, want alg and kid alone", header)
	}
	if got, want := fmt.Sprint(claims["iss"], claims["scopes"], claims["account"], claims["who"]),
		"acme-integration[read write]42user acme-integration of 42"; got != want {
		t.Errorf("claims = %s, want %s", got, want)
	}
	if !nearNow(claims["iat"], 0, 1) || !nearNow(claims["exp"], 0, 1) {
		t.Errorf("times in %v", claims)
	}
}

func TestPostmanPayloads(t *testing.T) {
	const variables = `{"key":"n","value":"7"},{"key":"s","value":"a \"b\""},{"key":"list","value":"[1,{{n}}]"},{"key":"loop","value":"{{loop2}}"},` +
		`{"key":"loop2","value":"{{loop}}"},{"key":"nested","value":"<{{s}}>"},{"key":"at","value":"{{$timestamp}}"},{"key":"my var","value":"x y"},` +
		`{"key":"api_token","value":"PLANTED"},{"key":"hidden","value":"PLANTED","type":"secret"},{"key":"ref","value":"${env:HOME}"},` +
		`{"key":"off","value":"1","disabled":true},{"key":"flag","value":true},{"key":"brace","value":"{"}`
	for _, tt := range []struct{ payload, want string }{
		{`{"x": {{n}}, "y": "{{n}}"}`, `{"x":"{{json .Fields.n}}","y":"{{.Fields.n}}"}`},
		{`{"x": "{{s}}", "y": "-{{s}}-{{ n }}"}`, `{"x":"{{.Fields.s}}","y":"-{{.Fields.s}}-{{.Fields.n}}"}`},
		{`{"x": {{list}}, "y": "{{nested}}"}`, `{"x":[1,7],"y":"<a \"b\">"}`},
		{`{"iat": {{at}}, "x": {{$timestamp}}, "y": "{{$timestamp}}", "z": "t{{at}}"}`,
			`{"iat":"{{now}}","x":"{{now}}","y":"{{string (now)}}","z":"t{{now}}"}`},
		{`{"iat": "{{$isoTimestamp}}", "jti": "{{$randomUUID}}"}`, `{"iat":"{{now}}","jti":"{{uuid}}"}`},
		{`{"x": "{{my var}}", "y": "{{api_token}}", "z": "{{hidden}}"}`,
			`{"x":"{{.Fields.my_var}}","y":"{{.Secrets.api_token}}","z":"{{.Secrets.hidden}}"}`},
		{`{"x": "{{loop}}"}`, `{"x":"{{.Fields.unresolved_variable}}"}`},
		{`{"x": "{{$randomCity}}", "y": "{{$isoTimestamp}}"}`,
			`{"x":"{{.Fields.unresolved_randomCity}}","y":"{{.Fields.unresolved_form}}"}`},
		{`{"x": "{{nobody}}", "y": "{{off}}", "exp": {{expiry}}}`,
			`{"x":"{{.Fields.nobody}}","y":"{{.Fields.off}}","exp":"{{int .Fields.expiry}}"}`},
		{`{"x": {{flag}}, "y": "{{{n}}}", "z": "{}{{brace}}{now}}"}`,
			`{"x":"{{json .Fields.flag}}","y":"{{\"{\"}}{{.Fields.n}}}","z":"{}{{.Fields.brace}}{now}}"}`},
		{`{"x": "{{}}", "y": "{{ref}}"}`, `{"x":"{{\"{{\"}}}}","y":"{{.Fields.ref}}"}`},
		{`  `, ``},
	} {
		conn, _ := importOne(t, Postman, postmanDoc(fmt.Sprintf(`,"payload":%q`, tt.payload), variables,
			postmanGET("a", "https://api.example.com/v1/a")))
		if got := string(conn.Payload); got != tt.want {
			t.Errorf("payload %s became %s, want %s", tt.payload, got, tt.want)
			continue
		}
		if conn.Fields["ref"] != "" {
			t.Errorf("payload %s: a foreign reference became one of ours: %v", tt.payload, conn.Fields)
		}
		if !strings.Contains(tt.want, "unresolved") {
			mint(t, conn, map[string]string{"env:EXPIRY": "1893456000", "env:NOBODY": "n"})
		}
	}
	conn, _ := importOne(t, Postman, postmanDoc(`,"payload":{"a":{"b":"{{n}}"}},"header":{"kid":"{{n}}","typ":"at+jwt","alg":"HS512"}`, variables,
		postmanGET("a", "https://api.example.com/v1/a")))
	if conn.Payload != `{"a":{"b":"{{.Fields.n}}"}}` || conn.JWTHeaders != `{"kid":"{{.Fields.n}}","typ":"at+jwt"}` {
		t.Errorf("payload and header that are objects became %s and %s", conn.Payload, conn.JWTHeaders)
	}
}

func TestPostmanPlacementIsCarriedOver(t *testing.T) {
	for _, tt := range []struct {
		attributes string
		want       []jwtbearer.Placement
		note       string
	}{
		{``, nil, ""},
		{`,"addTokenTo":"header","headerPrefix":"Bearer"`, nil, ""},
		{`,"headerPrefix":""`, []jwtbearer.Placement{{In: "header", Name: "Authorization"}}, ""},
		{`,"headerPrefix":"JWT "`, []jwtbearer.Placement{{In: "header", Name: "Authorization", Scheme: "JWT"}}, ""},
		{`,"headerPrefix":null`, nil, ""},
		{`,"headerPrefix":"two words"`, nil, "headerPrefix"},
		{`,"addTokenTo":"queryParam"`, []jwtbearer.Placement{{In: "query", Name: "token"}}, ""},
		{`,"addTokenTo":"queryParam","queryParamKey":"jwt"`, []jwtbearer.Placement{{In: "query", Name: "jwt"}}, ""},
		{`,"addTokenTo":"queryParam","queryParamKey":"{{nobody}}"`, []jwtbearer.Placement{{In: "query",
			Name: "token"}}, "queryParamKey"},
		{`,"addTokenTo":"body"`, nil, "addTokenTo"},
	} {
		conn, notes := importOne(t, Postman, postmanDoc(tt.attributes, "", postmanGET("a",
			"https://api.example.com/v1/a")))
		if !reflect.DeepEqual(conn.Placement, tt.want) {
			t.Errorf("%s: placement %+v, want %+v", tt.attributes, conn.Placement, tt.want)
		}
		if tt.note != "" && !hasNote(notes, "auth.jwt."+tt.note, NoteDropped) {
			t.Errorf("%s: no note at %s: %v", tt.attributes, tt.note, notes)
		}
		mint(t, conn, nil)
	}
}

func TestPostmanBaseIsWhatAddressesHaveInCommon(t *testing.T) {
	const base = `{"key":"base","value":"https://API.example.com/v1/"},{"key":"host","value":"api.example.com"},{"key":"scheme","value":"https"}`
	for _, tt := range []struct {
		addresses []string
		base      string
		ping      string
	}{
		{[]string{"https://api.example.com/v1/users?x=1#top"}, "https://api.example.com", "/v1/users?x=1"},
		{[]string{"https://api.example.com/v1/users", "https://api.example.com/v1/orders/5"},
			"https://api.example.com/v1", "/users"},
		{[]string{"https://api.example.com/v1/users/me", "https://api.example.com/v1/users"},
			"https://api.example.com/v1", "/users/me"},
		{[]string{"https://api.example.com/v1/:id/x", "https://api.example.com/v1/:id/y"},
			"https://api.example.com/v1", ""},
		{[]string{"https://api.example.com/v10/x", "https://api.example.com/v1/y"}, "https://api.example.com", "/v10/x"},
		{[]string{"https://api.example.com", "https://api.example.com/"}, "https://api.example.com", ""},
		{[]string{"{{base}}/users", "{{base}}/users/{{id}}"}, "https://API.example.com/v1", "//users"},
		{[]string{"{{base}}users", "{{base}}users/5"}, "https://API.example.com/v1", "/users"},
		{[]string{"{{base}}users", "https://api.example.com/v2/x"}, "https://API.example.com", "/v1/users"},
		{[]string{"{{nobody}}/users", "{{nobody}}/orders"}, "${env:NOBODY}", "/users"},
		{[]string{"https://{{tenant}}.example.com/v1/x"}, "https://{{.Fields.tenant}}.example.com", "/v1/x"},
		{[]string{"https://{{host}}/v1/x"}, "https://api.example.com", "/v1/x"},
		{[]string{"{{scheme}}://{{host}}:8443/v1/x"}, "https://api.example.com:8443", "/v1/x"},
		{[]string{"api.example.com/v1/x"}, "https://api.example.com", "/v1/x"},
		{[]string{"https://user:PLANTED@api.example.com/v1/x"}, "https://api.example.com", "/v1/x"},
		{[]string{"https://api.example.com/{{a}}/x", "https://api.example.com/v1/y?q={{b}}"},
			"https://api.example.com", ""},
		{[]string{"https://api.example.com/v1/x?api_key=PLANTED&a=b"}, "https://api.example.com",
			"/v1/x?api_key={{.Secrets.api_key}}&a=b"},
		{[]string{"https://api.example.com/a{b}/c"}, "https://api.example.com", "/a{b}/c"},
	} {
		var items []string
		for i, address := range tt.addresses {
			items = append(items, postmanGET(fmt.Sprint("r", i), address))
		}
		conn, notes := importOne(t, Postman, postmanDoc("", base, strings.Join(items, ",")))
		if conn.BaseURI != tt.base || conn.Ping.RelativeURI != tt.ping {
			t.Errorf("%q: base %s, ping %s, want %s, "+
				"%s", tt.addresses, conn.BaseURI, conn.Ping.RelativeURI, tt.base, tt.ping)
			continue
		}
		if strings.Contains(shape(&Result{Connections: []*jwtbearer.Connection{conn}, Notes: notes}, nil),
			"PLANTED") {
			t.Errorf("%q: the import shows what is secret", tt.addresses)
		}
		if tt.ping != "//users" {
			mint(t, conn, map[string]string{"env:NOBODY": "https://api.example.com", "env:TENANT": "t-1"})
		}
	}
}

func TestPostmanAddressesMayBeInParts(t *testing.T) {
	item := `{"name":"a","request":{"method":"get","url":{"raw":"x","protocol":"https","host":["api","example","com"],"port":"8443",` +
		`"path":["v1",":id",{"type":"string","value":"all"}],"query":[{"key":"a","value":"b"},{"key":"c","value":"d","disabled":true},{"key":"e","value":null}],` +
		`"variable":[{"key":"id","value":"a b"}]}}}`
	conn, notes := importOne(t, Postman, postmanDoc("", "", item))
	if conn.BaseURI != "https://api.example.com:8443" || conn.Ping.RelativeURI != "/v1/a%20b/all?a=b&e" {
		t.Errorf("base %s, ping %s", conn.BaseURI, conn.Ping.RelativeURI)
	}
	if !hasNote(notes, "item[0].request.url.raw", NoteAssumed) {
		t.Errorf("raw differs from the parts, and no note tells of it: %v", notes)
	}
}

func TestPostmanAuthIsInherited(t *testing.T) {
	jwt := func(key string) string {
		return `"auth":{"type":"jwt","jwt":{"algorithm":"HS256","secret":"` + key + `"}}`
	}
	doc := `{"info":{"name":"C"},` + jwt("{{c}}") + `,"item":[` + postmanGET("one", "https://a.example.com/1") + `,
		{"name":"F",` + jwt("{{f}}") + `,"item":[` + postmanGET("two", "https://a.example.com/2") + `,
			{"name":"own","request":{` + jwt("{{o}}") + `,"method":"GET","url":"https://a.example.com/3"}},
			{"name":"same as the collection","request":{` + jwt("{{c}}") + `,"method":"GET","url":"https://a.example.com/4"}},
			{"name":"none","request":{"auth":{"type":"noauth"},"url":"https://n.example.com/5"}},
			{"name":"null","request":{"auth":null,"url":"https://b.example.com/6"}},
			{"name":"inherits","request":{"auth":{"type":"inherit"},"url":"https://a.example.com/7"}}]}]}`
	out, err := Postman([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range out.Connections {
		got = append(got, fmt.Sprint(c.Name, " ", c.BaseURI, " ", c.Secret))
	}
	want := []string{"C https://a.example.com ${env:C}", "F a.example.com https://a.example.com " +
		"${env:F}", "F b.example.com https://b.example.com ${env:F}",
		"own https://a.example.com ${env:O}"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("connections %q, want %q", got, want)
	}
}

func TestPostmanReadsFoldersRequestsAndWrapped(t *testing.T) {
	jwt := `"auth":{"type":"jwt","jwt":[{"key":"algorithm","value":"HS256"},{"key":"secret","value":"PLANTED"}]}`
	for _, doc := range []string{
		`{"collection":{"info":{"name":"A"},` + jwt + `,"item":[` + postmanGET("x", "https://api.example.com/v1") + `]}}`,
		`{"name":"A","item":[` + postmanGET("x", "https://api.example.com/v1") + `],` + jwt + `}`,
		`{"name":"A","request":{` + jwt + `,"url":"https://api.example.com/v1"}}`,
		`{"name":"A",` + jwt + `,"url":"https://api.example.com/v1"}`,
		`{"info":{"name":"A"},` + jwt + `,"item":[{"name":"x","request":"https://api.example.com/v1"}]}`,
		`{"info":{"name":"A"},` + jwt + `,"item":[{"name":"f","item":[{"name":"x","request":"https://api.example.com/v1"}]}]}`,
	} {
		conn, notes := importOne(t, Postman, doc)
		if conn.Name != "A" || conn.BaseURI != "https://api.example.com" || conn.Secret != "${env:A_SECRET}" ||
			conn.Ping.RelativeURI != "/v1" {
			t.Errorf("%s: %s %s %s %s, notes %v", doc, conn.Name, conn.BaseURI, conn.Secret, conn.Ping.RelativeURI, notes)
		}
	}
}

func TestPostmanAuthThatNoRequestUses(t *testing.T) {
	conn, notes := importOne(t, Postman, postmanDoc("", "", ""))
	if conn.Secret != "${env:K}" || conn.BaseURI != "" || !hasNote(notes, "auth.jwt", NoteDropped) {
		t.Errorf("connection %+v, notes %v", conn, notes)
	}
}

func TestPostmanKeysOfEachAlgorithm(t *testing.T) {
	for _, tt := range []struct {
		attributes  string
		secret, key jwtbearer.Secret
		encoding    jwtbearer.SecretEncoding
		note        string
	}{
		{`"algorithm":"HS384","secret":"PLANTED","isSecretBase64Encoded":true`, "${env:A_SECRET}", "", "base64", ""},
		{`"algorithm":"HS384","secret":" {{my secret}} ","isSecretBase64Encoded":"true"`, "${env:MY_SECRET}", "",
			"base64", ""},
		{`"algorithm":"HS384","secret":"PLANTED{{x}}","privateKey":"PLANTED"`, "${env:A_SECRET}", "", "", "privateKey"},
		{`"algorithm":"ES512","privateKey":"{{privateKey}}","secret":"{{privateKey}}"`, "", "${env:PRIVATE_KEY}", "",
			"secret"},
		{`"algorithm":"{{alg}}","privateKey":"PLANTED","isSecretBase64Encoded":true`, "", "${env:A_PRIVATE_KEY}", "",
			"isSecretBase64Encoded"},
		{`"algorithm":"none"`, "", "", "", "algorithm"},
		{`"algorithm":"RS256"`, "", "${env:A_PRIVATE_KEY}", "", ""},
	} {
		conn, notes := importOne(t, Postman,
			`{"info":{"name":"A"},"variable":[{"key":"alg","value":"PS256"}],"auth":{"type":"jwt","jwt":{`+tt.attributes+
				`}},"item":[`+postmanGET("x", "https://api.example.com/v1")+`]}`)
		if conn.Secret != tt.secret || conn.PrivateKey != tt.key || conn.SecretEncoding != tt.encoding {
			t.Errorf("%s: secret %q, private key %q, encoding "+
				"%q", tt.attributes, conn.Secret, conn.PrivateKey, conn.SecretEncoding)
		}
		if tt.note != "" && !hasNote(notes, "auth.jwt."+tt.note, NoteDropped) {
			t.Errorf("%s: no note at %s: %v", tt.attributes, tt.note, notes)
		}
		if text := shape(&Result{Connections: []*jwtbearer.Connection{conn}, Notes: notes},
			nil); strings.Contains(text, "PLANTED") {
			t.Errorf("%s: the import shows the secret: %s", tt.attributes, text)
		}
	}
	conn, _ := importOne(t, Postman, postmanDoc(`,"passphrase":"PLANTED"`, "", postmanGET("x",
		"https://api.example.com/v1")))
	if conn.Passphrase != "${env:ACME_PASSPHRASE}" {
		t.Errorf("passphrase = %q", conn.Passphrase)
	}
}

func TestPostmanVariablesThatAreKeysAreSecretEverywhere(t *testing.T) {
	conn, notes := importOne(t, Postman, postmanDoc(`,"payload":{"a":"{{k}}","b":"{{inner}}","c":"{{around}}"}`,
		`{"key":"k","value":"PLANTED{{inner}}"},{"key":"inner","value":"PLANTED"},{"key":"around","value":"<{{inner}}>"}`,
		postmanGET("a", "https://api.example.com/v1/{{inner}}")))
	if want := `{"a":"{{.Secrets.k}}","b":"{{.Secrets.inner}}","c":"<{{.Secrets.inner}}>"}`; string(conn.Payload) != want {
		t.Errorf("payload %s, want %s", conn.Payload, want)
	}
	if text := shape(&Result{Connections: []*jwtbearer.Connection{conn}, Notes: notes},
		nil); strings.Contains(text, "PLANTED") {
		t.Errorf("the import shows the secret: %s", text)
	}
}

func TestPostmanHeadersOfAllRequestsBecomeHeaders(t *testing.T) {
	item := func(name, method, headers string) string {
		return fmt.Sprintf(`{"name":%q,"request":{"method":%q,"header":%s,"url":"https://api.example.com/v1/%s"}}`,
			name, method, headers, name)
	}
	conn, notes := importOne(t, Postman, postmanDoc("", "", strings.Join([]string{
		item("a", "POST", `[{"key":"X-All","value":"{{tenant}}"},{"key":"X-Api-Key","value":"PLANTED"},{"key":"authorization","value":"PLANTED"},{"key":"X-Some","value":"1"}]`),
		item("b", "GET", `"X-All: {{tenant}}\nX-Api-Key: PLANTED\nX-Ping: {{$guid}}\n"`),
		item("c", "GET", `[{"key":"x-all","value":"{{tenant}}"},{"key":"X-Api-Key","value":"PLANTED"},{"key":"X-Off","value":"1","disabled":true},{"key":"X-Some","value":"2"}]`),
	}, ",")))
	wantAll := map[string]string{"X-All": "{{.Fields.tenant}}", "X-Api-Key": "{{.Secrets.X_Api_Key}}"}
	if !reflect.DeepEqual(conn.HTTPHeaders, wantAll) ||
		!reflect.DeepEqual(conn.Ping.Headers, map[string]string{"X-Ping": "{{uuid}}"}) || conn.Ping.RelativeURI != "/b" {
		t.Errorf("headers %v, want %v; ping %+v", conn.HTTPHeaders, wantAll, conn.Ping)
	}
	if !hasNote(notes, "item[0].request.header[2]", NoteDropped) ||
		!hasNote(notes, "item[0].request.header[3]", NoteDropped) {
		t.Errorf("notes %v", notes)
	}
	if text := shape(&Result{Connections: []*jwtbearer.Connection{conn}, Notes: notes},
		nil); strings.Contains(text, "PLANTED") {
		t.Errorf("the import shows a secret: %s", text)
	}
}

func TestPostmanSettingsOfTheWholeCollection(t *testing.T) {
	doc := strings.Replace(postmanDoc("", "",
		`{"name":"x","protocolProfileBehavior":{"strictSSL":false,"followRedirects":false},"request":{"method":"GET",`+
			`"url":"https://api.example.com/v1","proxy":{"host":"p"},"certificate":{"passphrase":"PLANTED"}}}`), `"item"`,
		`"protocolProfileBehavior":{"strictSSL":false},"item"`, 1)
	conn, notes := importOne(t, Postman, doc)
	if !conn.TLS.InsecureSkipVerify {
		t.Errorf("strictSSL was off, and InsecureSkipVerify is not set")
	}
	for _, path := range []string{"item[0].protocolProfileBehavior.strictSSL",
		"item[0].protocolProfileBehavior.followRedirects", "item[0].request.proxy", "item[0].request.certificate"} {
		if !hasNote(notes, path, NoteDropped) {
			t.Errorf("no note at %s: %v", path, notes)
		}
	}
}

func TestImportPostmanSaysWhatItFound(t *testing.T) {
	for doc, want := range map[string]string{
		`{"id":"1","name":"x","requests":[{}],"order":[1]}`:                                         "a collection of v1",
		`{"name":"env","values":[{"key":"a","value":"b"}],"_postman_variable_scope":"environment"}`: "an environment",
		`{"type":"http","http":{"baseURI":"x"}}`:                                                    "this is a Celigo connection",
		`{"openapi":"3.0.0"}`:                                                                       "this is an OpenAPI description",
		`{"name":"x"}`:                                                                              "neither item nor request",
		`{"info":{"name":"x"},"item":[` + postmanGET("x",
			"https://x.example.com") + `]}`: "none of the 1 requests",
		`{"info":{"name":"x"},"auth":{"type":"bearer"},"item":[{"name":"f","item":[` + postmanGET("x",
			"y") + `]}]}`: "none of the 1 requests",
	} {
		_, err := Postman([]byte(doc))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("import of %s: %v, want %q", doc, err, want)
		}
	}
}

func TestPostmanVariablesThatGrowAreStopped(t *testing.T) {
	var variables []string
	for i := range 18 {
		inner := fmt.Sprintf("{{v%d}}", i+1)
		variables = append(variables, fmt.Sprintf(`{"key":"v%d","value":%q}`, i, strings.Repeat(inner, 20)))
	}
	conn, _ := importOne(t, Postman, postmanDoc(`,"payload":"{\"x\": \"{{v0}}\"}"`, strings.Join(variables, ","),
		postmanGET("x", "https://api.example.com/v1")+","+postmanGET("y", "https://{{v0}}/v1")))
	if conn.Payload != `{"x":"{{.Fields.unresolved_variable}}"}` || conn.BaseURI != "https://api.example.com" {
		t.Errorf("payload %s, base %s", conn.Payload, conn.BaseURI)
	}
}

func TestImportPostmanTellsOrCarriesEveryMember(t *testing.T) {
	passed := []string{"item[0].item[1].request.method"} // of a call
	for i := range 8 {
		passed = append(passed, fmt.Sprintf("auth.jwt[%d].type", i), fmt.Sprintf("variable[%d].type",
			i)) // follows from the value
	}
	testEveryMemberIsToldOrCarried(t, Postman, testData(t, "postman/acme.json"), append(passed,
		"info._postman_id", "info.schema",
		"item[0].item[0].request.url.raw", // its parts count
		"item[0].item[1].request.body*", "item[1].name",
		"auth.jwt[1].value", // the secret
		"variable[5].value", // another
		"auth.jwt[7].value", // the token does not go into the query
		"item[0].name", "item[0].item[0].name", "item[0].item[1].name", "item[2].name", "item[3].name",
		"item[2].request*", "item[3].request*", // no auth, or another kind of auth
		"event[0].listen", "event[0].script*",
		"item[0].item[0].request.url.query[1]*", // disabled
	)...)
}
