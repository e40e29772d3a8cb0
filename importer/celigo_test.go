package importer

import (
	"encoding/base64"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
)

// celigoDoc is a connection with these members of http and of http.auth.jwt.
func celigoDoc(http, jwt string) string {
	return fmt.Sprintf(`{"name":"Acme","type":"http","http":{"baseURI":"https://api.example.com","mediaType":"json",`+
		`"unencrypted":{"account":"a-1","user":"4711","flags":[true,{"deep":"d"}]},%s"auth":{"type":"jwtbearer","jwt":{`+
		`"signatureMethod":"hmac-sha256","secret":"******"%s}}}}`, http, jwt)
}

func TestImportCeligoCarriesAllOver(t *testing.T) {
	conn, notes := importOne(t, Celigo, string(testData(t, "celigo/acme.json")))
	want := &jwtbearer.Connection{
		Name:             "Acme API",
		BaseURI:          "https://{{.Fields.tenant}}.api.acme.example/v2",
		MediaType:        jwtbearer.MediaJSON,
		SuccessMediaType: jwtbearer.MediaJSON,
		ErrorMediaType:   jwtbearer.MediaJSON,
		HTTPHeaders: map[string]string{"Accept": "application/json", "X-Acme-Client": "{{.Fields.client_id}}",
			"X-Api-Key": "{{.Secrets.apiKey}}", "X-Region": "{{.Fields.region}}"},
		SignatureMethod: jwtbearer.HS256,
		Secret:          "${env:ACME_API_SECRET}",
		SecretEncoding:  jwtbearer.SecretBase64,
		Payload: `{"iss":"{{.Fields.issuer}}","user":"{{json .Fields.userId}}","iat":"{{now}}","nbf":"{{now -60}}","exp":"{{now 300}}",` +
			`"aud":["https://api.acme.example","{{upper .Fields.tenant}}"],"jti":"{{.Fields.unresolved_random}}","ms":"{{nowMillis}}","n":1.10,` +
			`"deep":{"who":"user {{.Fields.userId}} of {{.Fields.tenant}}"}}`,
		JWTHeaders: `{"kid":"{{.Fields.client_id}}"}`,
		Fields:     map[string]string{"tenant": "shop-1", "client_id": "c-77", "issuer": "acme-integration", "userId": "4711", "region": "eu-1"},
		Secrets:    map[string]jwtbearer.Secret{"apiKey": "${env:ACME_API_API_KEY}"},
		Placement:  []jwtbearer.Placement{{In: "header", Name: "X-Acme-Auth", Scheme: "JWT"}},
		AuthFailure: []jwtbearer.Rule{{Status: []int{403}, Path: "error.code", Values: []string{"token_expired", "token_invalid"}},
			{Status: []int{419}}, {Status: []int{401}}},
		RateLimit: jwtbearer.RateLimit{
			Interval:    250 * time.Millisecond,
			Concurrency: 1,
			Rules: []jwtbearer.Rule{{Path: "errors[0].code", Values: []string{"rate_limit_exceeded", "too_many_requests"}},
				{Status: []int{429}}, {Status: []int{503}, Header: "Retry-After", Class: "overload"}},
			Wait: []jwtbearer.Extract{{Header: "X-Acme-Wait"}, {Header: "Retry-After"}, {Header: "RateLimit"}, {Header: "RateLimit-Reset"},
				{Header: "X-RateLimit-Reset"}},
		},
		Ping: jwtbearer.Ping{RelativeURI: "/me?tenant={{.Fields.tenant}}", Method: "GET", ErrorPath: "error.message",
			Success: []jwtbearer.Rule{{Status: []int{2}, Path: "status", Values: []string{"ok"}}},
			Fail:    []jwtbearer.Rule{{Path: "error.code", Values: []string{"unauthorized"}}}},
		TLS: jwtbearer.TLS{Certificate: "-----BEGIN CERTIFICATE-----\nTESTING\n-----END CERTIFICATE-----\n",
			PrivateKey: "${env:ACME_API_CLIENT_KEY}", Passphrase: "${env:ACME_API_CLIENT_PASSPHRASE}"},
	}
	if !reflect.DeepEqual(conn, want) {
		t.Errorf("got  %s\nwant %s", shape(&Result{Connections: []*jwtbearer.Connection{conn}}, nil),
			shape(&Result{Connections: []*jwtbearer.Connection{want}}, nil))
	}
	for _, n := range []Note{
		{Path: "http.auth.jwt.secret", Kind: NoteSecret}, {Path: "http.auth.jwt.privateKey", Kind: NoteDropped},
		{Path: "http.rateLimit.limit", Kind: NoteAssumed}, {Path: "http.retryHeader", Kind: NoteChanged},
		{Path: "http.encryptedFields[0].id", Kind: NoteSecret}, {Path: "http.baseURI", Kind: NoteChanged},
		{Path: "http.auth.jwt.payload.jti", Kind: NoteDropped}, {Path: "http.clientCertificates.key", Kind: NoteSecret}, {Path: "http.auth.failStatusCode", Kind: NoteChanged},
	} {
		if !hasNote(notes, n.Path, n.Kind) {
			t.Errorf("no note of kind %s at %s", n.Kind, n.Path)
		}
	}
}

func TestImportedCeligoConnectionMintsItsClaims(t *testing.T) {
	conn, _ := importOne(t, Celigo, string(testData(t, "celigo/acme.json")))
	conn.TLS = jwtbearer.TLS{}                                                                                          // whose key is no key
	conn.Payload = jwtbearer.JSON(strings.Replace(string(conn.Payload), ".Fields.unresolved_random", "randomHex 8", 1)) // as its note says
	key, err := base64.StdEncoding.DecodeString(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	header, claims := mint(t, conn, map[string]string{"key": string(key)})
	if header["kid"] != "c-77" || header["alg"] != "HS256" || header["typ"] != "JWT" {
		t.Errorf("header = %v", header)
	}
	if claims["iss"] != "acme-integration" || fmt.Sprintf("%v %v %v %v", claims["user"], claims["aud"], claims["n"], claims["deep"]) !=
		"4711 [https://api.acme.example SHOP-1] 1.10 map[who:user 4711 of shop-1]" {
		t.Errorf("claims = %v", claims)
	}
	if !nearNow(claims["iat"], 0, 1) || !nearNow(claims["nbf"], -60, 1) || !nearNow(claims["exp"], 300, 1) || !nearNow(claims["ms"], 0, 1000) {
		t.Errorf("times in %v", claims)
	}
	if jti, _ := claims["jti"].(string); len(jti) != 16 {
		t.Errorf("jti = %v, want 16 characters", claims["jti"])
	}
}

func TestCeligoExpressionsBecomeTemplates(t *testing.T) {
	for _, tt := range []struct{ claim, want string }{
		// In quotes: what they give is text, but exp, nbf and iat are numbers (RFC 7519, section 4.1).
		{`"x":"{{timestamp \"X\"}}"`, `"x":"{{string (now)}}"`},
		{`"x":"{{timestamp \"x\"}}"`, `"x":"{{string (nowMillis)}}"`},
		{`"iat":"{{timestamp}}"`, `"iat":"{{now}}"`},
		{`"iat":"{{timestamp \"\" \"UTC\"}}"`, `"iat":"{{now}}"`},
		{`"exp":"{{dateAdd timestamp 300000}}"`, `"exp":"{{now 300}}"`},
		{`"exp":"{{dateAdd timeStamp \"3E5\" \"US/Eastern\"}}"`, `"exp":"{{now 300}}"`},
		{`"exp":"{{dateAdd (timestamp) \"\" \"UTC\"}}"`, `"exp":"{{now}}"`},
		{`"exp":"{{dateAdd (dateAdd timestamp 300000) -60000}}"`, `"exp":"{{now 240}}"`},
		{`"nbf":"{{dateAdd timestamp \"-1\"}}"`, `"nbf":"{{now -1}}"`},
		{`"exp":"{{connection.http.unencrypted.user}}"`, `"exp":"{{int .Fields.user}}"`},
		{`"exp":"1893456000"`, `"exp":1893456000`},
		{`"exp":1893456000`, `"exp":1893456000`},
		{`"exp":"never"`, `"exp":"never"`},
		// Values of the connection.
		{`"x":"{{connection.http.unencrypted.account}}"`, `"x":"{{.Fields.account}}"`},
		{`"x":"{{{ @root.connection.http.unencrypted.account }}}"`, `"x":"{{.Fields.account}}"`},
		{`"x":"{{{record.connection.http.unencrypted.[account]}}}"`, `"x":"{{.Fields.account}}"`},
		{`"x":"{{~connection.http.unencrypted.flags.[1].deep~}}"`, `"x":"{{.Fields.flags_1_deep}}"`},
		{`"x":"{{{connection.http.encrypted.pin}}}"`, `"x":"{{.Secrets.pin}}"`},
		{`"x":"{{connection.name}}"`, `"x":"Acme"`},
		{`"x":"{{connection.http.unencrypted.account}}-{{{connection.http.encrypted.pin}}}"`, `"x":"{{.Fields.account}}-{{.Secrets.pin}}"`},
		// Helpers.
		{`"x":"{{uppercase connection.http.unencrypted.account}}"`, `"x":"{{upper .Fields.account}}"`},
		{`"x":"{{lowercase (trim connection.http.unencrypted.account)}}"`, `"x":"{{lower (trim .Fields.account)}}"`},
		{`"x":"{{{base64Encode connection.http.unencrypted.account}}}"`, `"x":"{{base64 .Fields.account}}"`},
		{`"x":"{{{base64Encode connection.http.unencrypted.account \"hex\"}}}"`, `"x":"{{hex .Fields.account}}"`},
		{`"x":"{{join \"/\" connection.http.unencrypted.account 7}}"`, `"x":"{{.Fields.account}}/7"`},
		{`"x":"{{jsonEncode connection.http.unencrypted.account}}"`, `"x":"{{.Fields.account}}"`},
		{`"x":"{{lowercase (timestamp \"X\")}}"`, `"x":"{{lower (string (now))}}"`},
		// What is no expression stays what it is.
		{`"x":"\\{{timestamp}}"`, `"x":"{{\"{{\"}}timestamp}}"`},
		{`"x":"a{{! a comment }}b{{!-- {{x}} --}}c"`, `"x":"abc"`},
		{`"x":"${env:HOME}"`, `"x":"{{\"${env:HOME}\"}}"`},
		{`"x":[1.10,true,null,{"y":"{sub}"}]`, `"x":[1.10,true,null,{"y":"{sub}"}]`},
	} {
		conn, _ := importOne(t, Celigo, celigoDoc("", `,"payload":{`+tt.claim+`}`))
		if got := string(conn.Payload); got != "{"+tt.want+"}" {
			t.Errorf("payload {%s} became %s, want {%s}", tt.claim, got, tt.want)
			continue
		}
		if tt.claim != `"exp":"never"` {
			mint(t, conn, nil)
		}
	}
}

func TestCeligoPayloadMayBecomeJSONWhenItIsEvaluated(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{`{"iat": {{timestamp "X"}}, "exp": {{{dateFormat "X" (dateAdd (timestamp) 300000)}}}}`, `{"iat":"{{now}}","exp":"{{now 300}}"}`},
		{`{"iat": {{timestamp}}, "x": {{timestamp "X"}}}`, `{"iat":"{{now}}","x":"{{now}}"}`},
		{`{"x": {{connection.http.unencrypted.user}}, "y": [{{connection.http.unencrypted.flags.[0]}}]}`,
			`{"x":"{{json .Fields.user}}","y":["{{json .Fields.flags_0}}"]}`},
		{`{"x": {{3}}, "y": "{{uppercase connection.http.unencrypted.user}}"}`, `{"x":3,"y":"{{upper .Fields.user}}"}`},
		{`{"x": "{{connection.http.unencrypted.user}} of \"{{connection.name}}\""}`, `{"x":"{{.Fields.user}} of \"Acme\""}`},
		{`{"a\"b": "{{connection.name}}\\"}`, `{"a\"b":"Acme\\"}`},
		{"{\"x\": \"\U000f0000 {{connection.name}}\"}", "{\"x\":\"\U000f0000 Acme\"}"},
		{`{"{{connection.name}}": 1}`, `{"Acme":1}`},
		{`{"n": 12345678901234567890123, "e": 1e3}`, `{"n":12345678901234567890123,"e":1e3}`},
		{`{{#if x}}{"a": 1}{{/if}}`, ``},
		{`not JSON`, ``},
		{`[1]`, ``},
		{`{"x": {{timestamp "X"}}000}`, ``},
		{``, ``},
	} {
		doc := celigoDoc("", `,"payload":`+fmt.Sprintf("%q", tt.text))
		conn, notes := importOne(t, Celigo, strings.ReplaceAll(doc, `\U000f0000`, "\U000f0000"))
		if got := string(conn.Payload); got != tt.want {
			t.Errorf("payload %s became %s, want %s", tt.text, got, tt.want)
			continue
		}
		if told := hasNote(notes, "http.auth.jwt.payload", NoteDropped); told != (tt.want == "" && tt.text != "") {
			t.Errorf("payload %s became %s, and a note tells of it: %v", tt.text, tt.want, told)
		}
		mint(t, conn, map[string]string{"env:ACME_FLAGS_0": "true"})
	}
}

// What has no counterpart is never guessed: NewClient names the place, and neither it nor a note shows the expression, whose literals
// may be secrets.
func TestCeligoExpressionWithoutCounterpartIsToldAndRefused(t *testing.T) {
	for _, expression := range []string{
		`{{hmac \"sha256\" \"PLANTED\" \"hex\" connection.http.unencrypted.user}}`,
		`{{timestamp \"YYYY PLANTED\"}}`, `{{timestamp}}`, `{{dateAdd \"PLANTED\" 5}}`, `{{dateAdd timestamp 1e300}}`, `{{divide 1 0}}`,
		`{{#if PLANTED}}x{{/if}}`, `{{record.PLANTED.id}}`, `{{now}}`, `{{uuid}}`, `{{lookup PLANTED=5}}`, `{{{{raw}}}}PLANTED{{{{/raw}}}}`,
		`{{join \",\" (timestamp \"X\") \"PLANTED\"}}`, `{{\"PLANTED`, `{{}}`, `{{> PLANTED}}`, `{{else}}`, `{{random \"number\" 9}}`,
		`{{hash \"md5\" \"hex\" \"PLANTED\"}}`, `{{(connection.name PLANTED)}}`, `{{connection.http.auth.jwt.token}}`, `{{f (((((` + strings.Repeat("(", 40) + `}}`,
		`{{uppercase}}`, `{{uppercase 1 2}}`, `{{uppercase (join ',' connection.name (base64Encode connection.http.unencrypted.user))}}`, `{{dateFormat \"X\"}}`,
		`{{dateFormat \"X\" \"PLANTED\"}}`, `{{add 1}}`, `{{add 1 (timestamp)}}`, `{{subtract 1 (timestamp \"X\")}}`, `{{add (timestamp \"X\") 1.5}}`,
		`{{divide (timestamp \"X\") 7}}`, `{{add 1 connection.http.unencrypted.user}}`, `{{floor \"PLANTED\"}}`, `{{floor}}`, `{{hash \"sha256\"}}`,
		`{{timestamp \"X\" \"UTC\" 5}}`, `{{dateAdd}}`, `{{dateAdd timestamp nobody.x}}`, `{{dateAdd timestamp connection.http.unencrypted.user}}`,
		`{{random \"crypto\" 0}}`, `{{join}}`, `{{add (timestamp \"X\") 99999999999999}}`, `{{multiply 99999999999999999999 99999999999999999999999}}`,
		`{{add (timestamp \"X\") 300}}`, `{{subtract (timestamp \"X\") 30}}`, `{{multiply 5 60}}`, `{{divide 6 3}}`, `{{floor 5}}`, `{{abs 5}}`, `{{add 1 \"PLANTED\"}}`,
		`{{hash \"sha256\" \"hex\" \"PLANTED\"}}`, `{{random \"uuid\"}}`, `{{random \"crypto\" 16}}`, `{{base64Encode \"PLANTED\" \"latin1\"}}`,
		`{{this}}`, `{{../x}}`, `{{settings.x}}`, `{{toFixed 1.55 1}}`,
	} {
		doc := celigoDoc("", `,"payload":{"deep":{"claim":"`+expression+`"}}`)
		conn, notes := importOne(t, Celigo, doc)
		if !strings.Contains(string(conn.Payload), "{{.Fields.unresolved_") {
			t.Errorf("%s became %s, want a field that is not there", expression, conn.Payload)
			continue
		}
		told := false
		for _, n := range notes {
			told = told || strings.HasPrefix(n.Path, "http.auth.jwt.payload.deep.claim") && n.Kind == NoteDropped
			if strings.Contains(n.String(), "PLANTED") && !strings.Contains(expression, "record.PLANTED") {
				t.Errorf("%s: the note shows it: %s", expression, n)
			}
		}
		if !told {
			t.Errorf("%s: no note tells of it: %v", expression, notes)
		}
		conn.Lookup = func(string) (string, error) { return testSecret, nil }
		_, err := jwtbearer.NewClient(conn)
		if err == nil || !strings.Contains(err.Error(), "deep.claim") || !strings.Contains(err.Error(), "unresolved_") {
			t.Errorf("%s: NewClient: %v, want the place of what is missing", expression, err)
		}
	}
}

func TestCeligoExpressionsWithoutCounterpartAreKeptApart(t *testing.T) {
	conn, _ := importOne(t, Celigo, celigoDoc("", `,"payload":{"a":"{{hmac 1}} {{hmac 2}}","b":"{{aws4 1}}"}`))
	want := `{"a":"{{.Fields.unresolved_hmac}} {{.Fields.unresolved_hmac_2}}","b":"{{.Fields.unresolved_aws4}}"}`
	if string(conn.Payload) != want {
		t.Errorf("payload = %s, want %s", conn.Payload, want)
	}
}

func TestCeligoRulesAreCarriedOver(t *testing.T) {
	path := []jwtbearer.Rule{{Path: "error.code", Values: []string{"a", "b"}}}
	overload := jwtbearer.Rule{Status: []int{503}, Header: "Retry-After", Class: "overload"}
	on := func(code int) jwtbearer.Rule { return jwtbearer.Rule{Status: []int{code}} }
	for _, tt := range []struct {
		rules         string
		auth, limited []jwtbearer.Rule
	}{
		{`{}`, nil, nil},
		{`{"failStatusCode":null,"failPath":"","failValues":[]}`, nil, nil},
		{`{"failStatusCode":403}`, []jwtbearer.Rule{on(403), on(401)}, []jwtbearer.Rule{on(403), on(429), overload}},
		{`{"failStatusCode":"403"}`, []jwtbearer.Rule{on(403), on(401)}, []jwtbearer.Rule{on(403), on(429), overload}},
		{`{"failPath":"error.code","failValues":["a","b"]}`, append(path[:1:1], on(401)), append(path[:1:1], on(429), overload)},
		{`{"failPath":"error.code","failValues":"a, b"}`, append(path[:1:1], on(401)), append(path[:1:1], on(429), overload)},
		{`{"failPath":"slow"}`, []jwtbearer.Rule{{Path: "slow"}, on(401)}, []jwtbearer.Rule{{Path: "slow"}, on(429), overload}},
		{`{"failStatusCode":200,"failPath":"error.code","failValues":["a","b"]}`,
			[]jwtbearer.Rule{{Status: []int{200}, Path: "error.code", Values: []string{"a", "b"}}, on(401)},
			[]jwtbearer.Rule{{Status: []int{200}, Path: "error.code", Values: []string{"a", "b"}}, on(429), overload}},
		{`{"failValues":["a"]}`, nil, nil},
		{`{"failStatusCode":4290}`, nil, nil},
	} {
		auth := strings.Replace(celigoDoc(`"rateLimit":`+tt.rules+`,`, ""), `"type":"jwtbearer",`, `"type":"jwtbearer",`+
			strings.TrimSuffix(strings.TrimPrefix(tt.rules, "{")+",", "},")+map[bool]string{true: ",", false: ""}[tt.rules != "{}"], 1)
		conn, _ := importOne(t, Celigo, auth)
		if !reflect.DeepEqual(conn.AuthFailure, tt.auth) || !reflect.DeepEqual(conn.RateLimit.Rules, tt.limited) {
			t.Errorf("rules %s:\nAuthFailure %+v, want %+v\nRateLimit.Rules %+v, want %+v", tt.rules, conn.AuthFailure, tt.auth, conn.RateLimit.Rules, tt.limited)
		}
		mint(t, conn, nil)
	}
}

func TestCeligoRulesWithTheUsualStatusCountByThemselves(t *testing.T) {
	conn, notes := importOne(t, Celigo, celigoDoc(`"rateLimit":{"failStatusCode":429,"failPath":"ok","failValues":["false"]},`, ""))
	want := []jwtbearer.Rule{{Path: "ok", Values: []string{"false"}}, {Status: []int{429}}, {Status: []int{503}, Header: "Retry-After", Class: "overload"}}
	if !reflect.DeepEqual(conn.RateLimit.Rules, want) || !hasNote(notes, "http.rateLimit.failPath", NoteAssumed) {
		t.Errorf("Rules = %+v, want %+v, with a note: %v", conn.RateLimit.Rules, want, notes)
	}
}

func TestCeligoConcurrencyIsABound(t *testing.T) {
	for _, tt := range []struct {
		http     string
		want     int
		interval time.Duration
	}{
		{`"concurrencyLevel":5,`, 5, 0},
		{`"concurrencyLevel":5,"targetConcurrencyLevel":3,`, 3, 0},
		{`"concurrencyLevel":3,"targetConcurrencyLevel":5,`, 3, 0},
		{`"targetConcurrencyLevel":5,`, 5, 0},
		{`"concurrencyLevel":5,"rateLimit":{"limit":1500},`, 1, 1500 * time.Millisecond},
		{`"rateLimit":{"limit":"20"},`, 1, 20 * time.Millisecond},
		{`"rateLimit":{"limit":0},`, 0, 0},
		{`"rateLimit":{"limit":-5},"concurrencyLevel":0,`, 0, 0},
		{`"rateLimit":{"limit":1e99},"concurrencyLevel":9999999,`, 0, 0},
	} {
		conn, notes := importOne(t, Celigo, celigoDoc(tt.http, ""))
		if conn.RateLimit.Concurrency != tt.want || conn.RateLimit.Interval != tt.interval {
			t.Errorf("%s: concurrency %d, interval %v, want %d, %v", tt.http, conn.RateLimit.Concurrency, conn.RateLimit.Interval, tt.want, tt.interval)
		}
		if strings.Contains(tt.http, "limit") && !hasNote(notes, "http.rateLimit.limit", NoteAssumed) && !hasNote(notes, "http.rateLimit.limit", NoteDropped) {
			t.Errorf("%s: no note tells what limit was taken for", tt.http)
		}
	}
	off := strings.Replace(celigoDoc(`"concurrencyLevel":5,"targetConcurrencyLevel":3,`, ""), `"type":"http"`, `"type":"http","autoRecoverRateLimitErrors":false`, 1)
	conn, notes := importOne(t, Celigo, off)
	if conn.RateLimit.Concurrency != 5 || !hasNote(notes, "http.targetConcurrencyLevel", NoteDropped) || !hasNote(notes, "autoRecoverRateLimitErrors", NoteChanged) {
		t.Errorf("without recovery: concurrency %d, want 5, and notes: %v", conn.RateLimit.Concurrency, notes)
	}
}

func TestCeligoPlacementIsCarriedOver(t *testing.T) {
	for _, tt := range []struct {
		token string
		want  []jwtbearer.Placement
		note  string
	}{
		{`{"location":"header"}`, nil, ""},
		{`{"location":"header","headerName":"Authorization","scheme":"Bearer"}`, nil, ""},
		{`{"location":"header","scheme":" "}`, []jwtbearer.Placement{{In: "header", Name: "Authorization"}}, ""},
		{`{"headerName":"X-Token","scheme":"MAC"}`, []jwtbearer.Placement{{In: "header", Name: "X-Token", Scheme: "MAC"}}, ""},
		{`{"location":"url","paramName":"jwt"}`, []jwtbearer.Placement{{In: "query", Name: "jwt"}}, ""},
		{`{"location":"url"}`, nil, "paramName"},
		{`{"location":"body"}`, nil, "location"},
		{`{"location":"nowhere"}`, nil, "location"},
		{`{"location":"header","paramName":"jwt"}`, nil, "paramName"},
		{`{"location":"header","refreshMethod":"POST"}`, nil, "refreshMethod"},
		{`{"location":"header","token":"******"}`, nil, "token"},
	} {
		doc := strings.Replace(celigoDoc("", ""), `"jwt":{`, `"token":`+tt.token+`,"jwt":{`, 1)
		conn, notes := importOne(t, Celigo, doc)
		if !reflect.DeepEqual(conn.Placement, tt.want) {
			t.Errorf("token %s: placement %+v, want %+v", tt.token, conn.Placement, tt.want)
		}
		if tt.note != "" && !hasNote(notes, "http.auth.token."+tt.note, NoteDropped) {
			t.Errorf("token %s: no note at %s: %v", tt.token, tt.note, notes)
		}
		mint(t, conn, nil)
	}
}

func TestCeligoHeaders(t *testing.T) {
	conn, notes := importOne(t, Celigo, celigoDoc(`"headers":[{"name":"X-Token","value":"JWT {{{connection.http.auth.jwt.token}}}"},`+
		`{"name":"X-Copy","value":"a b {{connection.http.auth.token.token}}"},{"name":"x-api-key","value":"PLANTED"},`+
		`{"name":"X-Basic-Secret","value":"{{base64Encode \"PLANTED\"}}"},{"name":"X-API-KEY","value":"other"},{"name":"Cookie","value":"{{connection.http.unencrypted.user}}"},`+
		`{"value":"nameless"}],`, ""))
	wantPlacement := []jwtbearer.Placement{{In: "header", Name: "X-Token", Scheme: "JWT"}}
	wantHeaders := map[string]string{"X-Copy": "a b {{.Token}}", "x-api-key": "{{.Secrets.x_api_key}}", "X-Basic-Secret": "{{.Secrets.X_Basic_Secret}}",
		"Cookie": "{{.Fields.user}}"}
	if !reflect.DeepEqual(conn.Placement, wantPlacement) || !reflect.DeepEqual(conn.HTTPHeaders, wantHeaders) {
		t.Errorf("placement %+v, want %+v; headers %v, want %v", conn.Placement, wantPlacement, conn.HTTPHeaders, wantHeaders)
	}
	if conn.Secrets["x_api_key"] != "${env:ACME_X_API_KEY}" {
		t.Errorf("secrets = %v", conn.Secrets)
	}
	if !hasNote(notes, "http.headers[6]", NoteDropped) || !hasNote(notes, "http.headers[0].value", NoteChanged) {
		t.Errorf("notes = %v", notes)
	}
	mint(t, conn, nil)
}

func TestCeligoTokenThatIsReadyMade(t *testing.T) {
	conn, notes := importOne(t, Celigo, `{"name":"Acme","type":"http","http":{"baseURI":"https://api.example.com","auth":{"type":"jwtbearer","jwt":{"token":"PLANTED"}}}}`)
	if conn.Token != "${env:ACME_TOKEN}" || conn.Secret != "" || !hasNote(notes, "http.auth.jwt.token", NoteSecret) {
		t.Errorf("token %q, secret %q, notes %v", conn.Token, conn.Secret, notes)
	}
	if conn.Lookup = func(string) (string, error) { return "a.b.c", nil }; conn.Validate() != nil {
		t.Errorf("Validate: %v", conn.Validate())
	}
}

func TestCeligoSignatureMethods(t *testing.T) {
	for name, want := range map[string]jwtbearer.SignatureMethod{"hmac-sha384": "HS384", "rsa-sha512": "RS512", "es256": "ES256", "ps384": "PS384", "RSA-SHA256": "RS256"} {
		doc := strings.Replace(celigoDoc("", ""), "hmac-sha256", name, 1)
		conn, notes := importOne(t, Celigo, doc)
		hmac := strings.HasPrefix(name, "hmac")
		if conn.SignatureMethod != want || (conn.Secret == "") == hmac || (conn.PrivateKey == "") != hmac {
			t.Errorf("%s: %s, secret %q, private key %q", name, conn.SignatureMethod, conn.Secret, conn.PrivateKey)
		}
		if !hmac && (conn.PrivateKey != "${env:ACME_PRIVATE_KEY}" || !hasNote(notes, "http.auth.jwt.secret", NoteDropped)) {
			t.Errorf("%s: private key %q, notes %v", name, conn.PrivateKey, notes)
		}
	}
	conn, notes := importOne(t, Celigo, strings.Replace(celigoDoc("", ""), "hmac-sha256", "none", 1))
	if conn.SignatureMethod != "" || !hasNote(notes, "http.auth.jwt.signatureMethod", NoteDropped) {
		t.Errorf("none became %q, notes %v", conn.SignatureMethod, notes)
	}
}

func TestImportCeligoTakesListsApart(t *testing.T) {
	one := celigoDoc("", "")
	other := `{"name":"N","type":"netsuite"},{"name":"O","type":"http","http":{"auth":{"type":"oauth"}}},{"name":"R","type":"rest","rest":{}},7`
	for _, doc := range []string{"[" + one + "," + one + "," + other + "]", `{"connections":[` + one + "," + one + "," + other + `],"more":1}`} {
		out, err := Celigo([]byte(doc))
		if err != nil || len(out.Connections) != 2 {
			t.Fatalf("import of %s: %v", doc, err)
		}
		if a, b := out.Connections[0], out.Connections[1]; a.Name != "Acme" || b.Name != "Acme 2" || a.Secret != "${env:ACME_SECRET}" || b.Secret != "${env:ACME_2_SECRET}" {
			t.Errorf("%s %s, %s %s", a.Name, a.Secret, b.Name, b.Secret)
		}
		base := strings.TrimSuffix(map[bool]string{true: "connections", false: ""}[doc[0] == '{'], ".")
		for i := 2; i < 6; i++ {
			if path := fmt.Sprintf("%s[%d]", base, i); !hasNote(out.Notes, path, NoteDropped) {
				t.Errorf("no note at %s: %v", path, out.Notes)
			}
		}
		if doc[0] == '{' && !hasNote(out.Notes, "more", NoteDropped) {
			t.Errorf("no note of more: %v", out.Notes)
		}
	}
}

func TestCeligoSwitchesGetANote(t *testing.T) {
	doc := strings.Replace(string(celigoDoc("", "")), "{", `{"debugDate":"2030-01-01T00:00:00Z","debugUntil":"2030-01-01","offline":true,"sandbox":true,"_borrowConcurrencyFromConnectionId":"1",`, 1)
	_, notes := importOne(t, Celigo, doc)
	for path, kind := range map[string]NoteKind{"debugDate": NoteDropped, "debugUntil": NoteDropped, "offline": NoteDropped, "sandbox": NoteAssumed, "_borrowConcurrencyFromConnectionId": NoteDropped} {
		if !hasNote(notes, path, kind) {
			t.Errorf("no note %s at %s: %v", kind, path, notes)
		}
	}
	_, notes = importOne(t, Celigo, strings.Replace(string(celigoDoc("", "")), "{", `{"debugDate":null,"offline":false,"sandbox":false,`, 1))
	for _, path := range []string{"debugDate", "offline", "sandbox"} {
		if hasNote(notes, path, NoteDropped) || hasNote(notes, path, NoteAssumed) {
			t.Errorf("a note at %s, which says nothing: %v", path, notes)
		}
	}
}

func TestImportCeligoSaysWhatItFound(t *testing.T) {
	for doc, want := range map[string]string{
		`{"type":"netsuite"}`:                                "the connection has the type netsuite",
		`{"type":"http","http":{"auth":{"type":"oauth"}}}`:   "has auth.type oauth",
		`{"type":"http","http":{"auth":{"type":"PLANTED"}}}`: "has auth.type that is not known",
		`{"type":"PLANTED","http":{}}`:                       "has the type that is not known",
		`{"type":"http","http":{}}`:                          "has no auth.type",
		`{"info":{"name":"a collection"},"item":[]}`:         "this is a Postman collection",
		`[]`: "none of the 0 connections",
		`[{"type":"http","http":{"auth":{"type":"token"}}}, 42]`: "none of the 1 connections",
	} {
		_, err := Celigo([]byte(doc))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "PLANTED") {
			t.Errorf("import of %s: %v, want %q", doc, err, want)
		}
	}
}

func TestImportCeligoTellsOrCarriesEveryMember(t *testing.T) {
	passed := []string{"_id", "createdAt", "lastModified", "sandbox", "offline", "queues*",
		"http.formType", "http.unencryptedFields*",
		"http.encrypted", // masked
		"http.encryptedFields[0].label", "http.encryptedFields[0].required",
		"http.auth.jwt.secret", "http.auth.jwt.privateKey", "http.clientCertificates.key", "http.clientCertificates.passphrase",
		"autoRecoverRateLimitErrors", // on is how this client is, too
	}
	testEveryMemberIsToldOrCarried(t, Celigo, testData(t, "celigo/acme.json"), passed...)
}

func TestCeligoRareSettingsAreTold(t *testing.T) {
	for _, tt := range []struct {
		doc  string // the beginning of an object, with a member that it has not
		path string
		kind NoteKind
	}{
		{`{"_agentId":"1",`, "_agentId", NoteDropped},
		{`{"_borrowConcurrencyFromConnectionId":"1",`, "_borrowConcurrencyFromConnectionId", NoteDropped},
		{`{"settings":{"a":1},`, "settings.a", NoteDropped},
		{`{"settings":5,`, "settings", NoteDropped},
		{`{"ssl":{"ca":"x"},`, "ssl", NoteDropped},
		{`"http":{"_iClientId":"1",`, "http._iClientId", NoteDropped},
		{`"http":{"disableStrictSSL":true,`, "http.disableStrictSSL", NoteChanged},
		{`"http":{"disableStrictSSL":"perhaps",`, "http.disableStrictSSL", NoteDropped},
		{`"http":{"headers":"no list",`, "http.headers", NoteDropped},
		{`"http":{"headers":[5],`, "http.headers[0]", NoteDropped},
		{`"http":{"headers":[{"name":"Authorization","value":"Bearer x"}],`, "http.headers[0].value", NoteDropped},
		{`"http":{"retryHeader":"${env:HOME}",`, "http.retryHeader", NoteDropped},
		{`"http":{"retryHeader":["a"],`, "http.retryHeader", NoteDropped},
		{`"http":{"successMediaType":"avro",`, "http.successMediaType", NoteDropped},
		{`"http":{"ping":{"relativeURI":"me"},`, "http.ping.relativeURI", NoteChanged},
		{`"http":{"ping":{"method":"BREW"},`, "http.ping.method", NoteDropped},
		{`"http":{"ping":{"successValues":["a"]},`, "http.ping.successValues", NoteDropped},
		{`"http":{"ping":{"failPath":"a","failValues":[{"x":1}]},`, "http.ping.failValues", NoteDropped},
		{`"http":{"clientCertificates":{"cert":"-----BEGIN PRIVATE KEY-----PLANTED"},`, "http.clientCertificates.cert", NoteSecret},
		{`"http":{"clientCertificates":{"ca":"******","pfx":"PLANTED"},`, "http.clientCertificates.pfx", NoteSecret},
		{`"http":{"encrypted":{"a-b":"PLANTED"},`, "http.encrypted.a-b", NoteSecret},
		{`"auth":{"skipFollowAuthorizationHeader":true,`, "http.auth.skipFollowAuthorizationHeader", NoteDropped},
		{`"auth":{"skipFollowAuthorizationHeader":false,`, "http.auth.skipFollowAuthorizationHeader", NoteChanged},
		{`"auth":{"failures":[{"statusCode":999}],`, "http.auth.failures[0].statusCode", NoteDropped},
		{`"auth":{"basic":{"password":"PLANTED"},`, "http.auth.basic", NoteDropped},
		{`"jwt":{"token":"PLANTED",`, "http.auth.jwt.token", NoteDropped},
		{`"jwt":{"headers":{"alg":"RS256"},`, "http.auth.jwt.headers.alg", NoteDropped},
		{`"jwt":{"headers":"{{#if}}",`, "http.auth.jwt.headers", NoteDropped},
		{`"jwt":{"headers":"{\"alg\": \"none\"}",`, "http.auth.jwt.headers.alg", NoteDropped},
		{`"jwt":{"payload":[1],`, "http.auth.jwt.payload", NoteDropped},
		{`"jwt":{"payload":{"x":"{{connection.http.unencrypted.nobody}}"},`, "http.auth.jwt.payload.x", NoteAssumed},
		{`"jwt":{"payload":{"exp":3600},`, "http.auth.jwt.payload.exp", NoteAssumed},
		{`"jwt":{"payload":{"exp":"{{timestamp \"X\"}}"},`, "http.auth.jwt.payload.exp", NoteChanged},
		{`"jwt":{"payload":{"exp":"{{timestamp}}"},`, "http.auth.jwt.payload.exp", NoteAssumed},
		{`"jwt":{"payload":{"exp":"{{dateAdd timestamp 1}}"},`, "http.auth.jwt.payload.exp", NoteAssumed},
		{`"jwt":{"payload":"{\"exp\": {{dateFormat \"X\" (dateAdd timestamp 1)}}}",`, "http.auth.jwt.payload.exp", NoteChanged},
		{`"jwt":{"payload":{"{{uuid}}":1},`, "http.auth.jwt.payload", NoteDropped},
		{`"unencrypted":{"api_secret":"PLANTED",`, "http.unencrypted.api_secret", NoteSecret},
		{`"unencrypted":{"a b":"c",`, "http.unencrypted.a b", NoteChanged},
		{`"unencrypted":{"ref":"${file:/etc/passwd}",`, "http.unencrypted.ref", NoteDropped},
	} {
		where := tt.doc[:strings.Index(tt.doc, "{")+1]
		conn, notes := importOne(t, Celigo, strings.Replace(celigoDoc("", ""), where, tt.doc, 1))
		if !hasNote(notes, tt.path, tt.kind) {
			t.Errorf("%s: no note %s at %s: %v", tt.doc, tt.kind, tt.path, notes)
		}
		text := shape(&Result{Connections: []*jwtbearer.Connection{conn}, Notes: notes}, nil)
		if strings.Contains(text, "PLANTED") || strings.Contains(text, "${file:") {
			t.Errorf("%s: the import shows what is secret: %s", tt.doc, text)
		}
	}
}

func TestCeligoAddressesHoldNoSecrets(t *testing.T) {
	for _, tt := range []struct{ base, ping, wantBase, wantPing string }{
		{"https://user:PLANTED@api.example.com/v1", "/me?api_key=PLANTED", "https://api.example.com/v1", "/me?api_key={{.Secrets.api_key}}"},
		{"https://api.example.com/v1?access_token=PLANTED&x=1", "/me?a=1&token=PLANTED&b=2",
			"https://api.example.com/v1?access_token={{.Secrets.access_token}}&x=1", "/me?a=1&token={{.Secrets.token}}&b=2"},
		{"https://api.example.com/@v1", "/me?key={{connection.http.encrypted.k}}&u={{connection.http.unencrypted.user}}&pwd=PLANTED",
			"https://api.example.com/@v1", "/me?key={{.Secrets.k}}&u={{.Fields.user}}&pwd={{.Secrets.pwd}}"},
		{"https://api.example.com", "/token=x/me?token&token=", "https://api.example.com", "/token=x/me?token&token="},
		{"https://api.example.com", `/me?api%5Fsecret=PLANTED&pwd=\{{PLANTED`, "https://api.example.com", "/me?api%5Fsecret={{.Secrets.api_secret}}&pwd={{.Secrets.pwd}}"},
		{"https://api.example.com", "/me?bad%zztoken=PLANTED#x", "https://api.example.com", "/me?bad%zztoken={{.Secrets.x}}#x"},
	} {
		doc := strings.Replace(celigoDoc(fmt.Sprintf(`"ping":{"relativeURI":%q},`, tt.ping), ""), "https://api.example.com", tt.base, 1)
		conn, notes := importOne(t, Celigo, doc)
		if conn.BaseURI != tt.wantBase || conn.Ping.RelativeURI != tt.wantPing {
			t.Errorf("%s %s became %s %s, want %s %s", tt.base, tt.ping, conn.BaseURI, conn.Ping.RelativeURI, tt.wantBase, tt.wantPing)
		}
		if text := shape(&Result{Connections: []*jwtbearer.Connection{conn}, Notes: notes}, nil); strings.Contains(text, "PLANTED") {
			t.Errorf("%s %s: the import shows what is secret: %s", tt.base, tt.ping, text)
		}
		mint(t, conn, nil)
	}
}

func TestCeligoBaseURIWithoutTLSIsTold(t *testing.T) {
	for address, told := range map[string]bool{"http://10.0.0.1/x": true, "https://api.example.com": false, "": true, "http://localhost:3000": false,
		"http://127.0.0.1:80/v1": false, "http://[::1]/v1": false, "http://localhost.example.com": true} {
		doc := strings.Replace(celigoDoc("", ""), "https://api.example.com", address, 1)
		conn, notes := importOne(t, Celigo, doc)
		if conn.BaseURI != address || conn.AllowPlainHTTP || (hasNote(notes, "http.baseURI", NoteChanged) || hasNote(notes, "http.baseURI", NoteDropped)) != told {
			t.Errorf("base %q: %q, plain HTTP allowed %v, notes %v", address, conn.BaseURI, conn.AllowPlainHTTP, notes)
		}
	}
}
