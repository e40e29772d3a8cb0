package jwtbearer

import (
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/response"
	"software.sslmate.com/src/go-pkcs12"
)

// lookup gives each reference a value that would mean something as a template.
func lookup(ref string) (string, error) {
	values := map[string]string{
		"env:SECRET": string(testSecret), "env:LITERAL": "{{uuid}}", "file:iss": "i{{now}}", "env:METHOD": "HS256",
		"env:BASE": "https://api.example.com/{{x}}", "env:STATUS": "E1", "env:HOST": "h.example.com",
	}
	value, ok := values[ref]
	if !ok {
		return "", fmt.Errorf("%s: %w", ref, fs.ErrNotExist)
	}
	return value, nil
}

func TestReferencesAreResolvedInValuesOfEveryKind(t *testing.T) {
	c := &Connection{
		BaseURI: "https://{{.Fields.host}}/v1", SignatureMethod: "${env:METHOD}", Secret: "${env:SECRET}",
		Payload: `{"iss":"${file:iss}","deep":[{"x":"${env:LITERAL}"}],"field":"{{.Fields.f}}","secret":"{{.Secrets.s}}"}`,
		Fields:  map[string]string{"f": "${env:LITERAL}", "host": "${env:HOST}"}, Secrets: map[string]Secret{"s": "${env:LITERAL}"},
		HTTPHeaders: map[string]string{"X-A": "${env:LITERAL}"},
		AuthFailure: []Rule{{Header: "X-E", Values: []string{"${env:STATUS}"}}},
		Ping:        Ping{Body: "${env:LITERAL}", Headers: map[string]string{"X-P": "${env:LITERAL}"}},
		Lookup:      lookup,
	}
	client, err := NewClient(c)
	if err != nil {
		t.Fatal(err)
	}
	k := client.core
	claims := payloadOf(t, must(client.Mint(t.Context(), nil)))
	want := `{"iss":"i{{now}}","deep":[{"x":"{{uuid}}"}],"field":"{{uuid}}","secret":"{{uuid}}"}`
	if claims != want {
		t.Errorf("the claims are %s; want %s", claims, want)
	}
	header, _ := k.headers[0].value.Constant()
	body, _ := k.ping.body.Constant()
	pinged, _ := k.ping.headers[0].value.Constant()
	for what, got := range map[string]string{"HTTPHeaders": header, "Ping.Body": body, "Ping.Headers": pinged} {
		if got != "{{uuid}}" {
			t.Errorf("%s is %q; want the value of the reference as it is", what, got)
		}
	}
	if k.authFailure.Match(response.New(fakeReply(400, "", "X-E", "E1"), "", time.Now())) != 0 {
		t.Error("AuthFailure does not know X-E: E1")
	}
	if k.address.Load().Origin.Host != "h.example.com" {
		t.Errorf("the host is %q; want h.example.com", k.address.Load().Origin.Host)
	}
	if c.Secret != "${env:SECRET}" || c.Fields["f"] != "${env:LITERAL}" || c.AuthFailure[0].Values[0] != "${env:STATUS}" {
		t.Errorf("NewClient changed the references of the Connection: %+v", c)
	}
	if text := fmt.Sprintf("%+v", c); !strings.Contains(text, "${env:SECRET}") || strings.Contains(text, "hunter2") {
		t.Errorf("the Connection prints as %s; want its references", text)
	}
}

func TestABaseFromAReferenceIsLiteral(t *testing.T) {
	c := validConnection()
	c.BaseURI, c.Lookup = "${env:BASE}", lookup
	client := must(NewClient(c))
	if got := client.core.address.Load().Base.Path; got != "/{{x}}" {
		t.Errorf("the base path is %q; want the reference's value as it is", got)
	}
}

func TestReferencesThatCannotBeHadNameTheirField(t *testing.T) {
	for field, change := range map[string]func(*Connection){
		"Secret":                   func(c *Connection) { c.Secret = "${env:NONE}" },
		"BaseURI":                  func(c *Connection) { c.BaseURI = "${env:NONE}" },
		"Payload":                  func(c *Connection) { c.Payload = `{"a":"${env:NONE}"}` },
		"Fields[x]":                func(c *Connection) { c.Fields = map[string]string{"x": "${env:NONE}"} },
		"HTTPHeaders[X-A]":         func(c *Connection) { c.HTTPHeaders = map[string]string{"X-A": "${env:NONE}"} },
		"TLS.CA":                   func(c *Connection) { c.TLS.CA = "${env:NONE}" },
		"AuthFailure[0].Values[1]": func(c *Connection) { c.AuthFailure = []Rule{{Header: "X", Values: []string{"", "${env:NONE}"}}} },
	} {
		for _, look := range []func(string) (string, error){nil, lookup} {
			c := validConnection()
			c.Lookup = look
			change(c)
			p := problemOf(c.Validate(), field)
			if p == nil || !strings.Contains(p.Problem, "env:NONE") || p.Hint == "" {
				t.Errorf("%s = ${env:NONE} gave %v; want a problem that names both", field, c.Validate())
			} else if look != nil && field == "Secret" && !errors.Is(p, fs.ErrNotExist) {
				t.Errorf("%v hides the error of Lookup", p)
			}
		}
	}
}

// fullConnections set every text that is not a JSON text, in connections that are valid.
func fullConnections(t *testing.T) []*Connection {
	key := newECKey(t, elliptic.P256())
	chain := certificateOf(t, key)
	block, _ := pem.Decode([]byte(chain))
	pfx := Secret(base64.StdEncoding.EncodeToString(must(pkcs12.Modern.Encode(key, must(x509.ParseCertificate(block.Bytes)), nil, "hunter2"))))
	rules := func() []Rule {
		return []Rule{{Header: "X-Reason", Path: "error.code", Values: []string{"17"}, Match: "^1", Class: "overload"}}
	}
	extract := Extract{Header: "X-Wait", Match: `(\d+)`, As: "int"}
	limits := func() RateLimit {
		return RateLimit{Profile: "github", Rules: rules(), Wait: []Extract{extract, {Path: "wait", As: "millis"}}, Combine: "longest",
			Quota: []Quota{{Limit: extract, Remaining: extract, Used: extract, Reset: extract}}}
	}
	exchange := func(next *Exchange) *Exchange {
		return &Exchange{TokenURL: "https://login.example.com/{{.Fields.account}}/token", Method: "POST", Encoding: "json", Grant: "jwt-bearer",
			Params: `{"account":"{{int .Fields.number}}"}`, Headers: map[string]string{"X-A": "b"}, TokenPath: "t", TokenTypePath: "k",
			ExpiresInPath: "i", ExpiresAtPath: "a", RateLimit: limits(), Next: next}
	}
	return []*Connection{
		{
			Name: "all", BaseURI: "https://{{.Fields.account}}.example.com/{{.Secrets.path}}", MediaType: MediaXML, SuccessMediaType: MediaCSV, ErrorMediaType: MediaJSON,
			HTTPHeaders: map[string]string{"X-N": "{{int .Fields.number}}"}, SignatureMethod: HS256, Secret: Secret(strings.Repeat("0a", 32)), SecretEncoding: SecretHex,
			Payload: `{"n":"{{int .Fields.number}}"}`, JWTHeaders: `{"kid":"{{.Fields.account}}"}`, Exchange: exchange(exchange(nil)),
			Fields: map[string]string{"account": "a7", "number": "7"}, Secrets: map[string]Secret{"path": "hunter2"},
			Placement: []Placement{{In: "header", Name: "X-T", Scheme: "JWT"}, {In: "query", Name: "jwt"}}, AuthFailure: rules(), RateLimit: limits(),
			Ping:           Ping{RelativeURI: "/{{int .Fields.number}}", Method: "PUT", Body: "x", Headers: map[string]string{"X-P": "q"}, Success: rules(), Fail: rules(), ErrorPath: "e"},
			TLS:            TLS{CA: chain, Certificate: chain, PrivateKey: pfx, Passphrase: "hunter2", ServerName: "h", MinVersion: "1.3"},
			TrustedOrigins: []string{"https://files.example.com"},
		},
		{
			BaseURI: "https://api.example.com", SignatureMethod: ES256, PrivateKey: pfx, Passphrase: "hunter2", Certificate: chain,
			Payload: `{"x5t":"{{x5t}}"}`, TLS: TLS{PFX: pfx, Passphrase: "hunter2"},
		},
		{BaseURI: "https://api.example.com", Token: "hunter2"},
		{BaseURI: "{{.Fields.base}}/v2", Token: "hunter2", Fields: map[string]string{"base": "https://api.example.com"}},
		{
			SignatureMethod: ES256, PrivateKey: privatePEM(t, key), Exchange: &Exchange{TokenURL: "https://login.example.com", Grant: "jwt-bearer", BaseURIPath: "u"},
		},
	}
}

// eachText visits the texts below v, which can be set, but not JSON texts, and puts each in turn to what instead is.
func eachText(path string, v reflect.Value, instead string, visit func(path string)) {
	switch {
	case v.Kind() == reflect.String && v.Type() != reflect.TypeFor[JSON]() && v.String() != "":
		old := v.String()
		v.SetString(instead)
		visit(path)
		v.SetString(old)
	case v.Kind() == reflect.Struct:
		for f, value := range v.Fields() {
			eachText(strings.TrimPrefix(path+"."+f.Name, "."), value, instead, visit)
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			eachText(fmt.Sprintf("%s[%d]", path, i), v.Index(i), instead, visit)
		}
	case v.Kind() == reflect.Pointer && v.Type() == reflect.TypeFor[*Exchange]() && !v.IsNil():
		eachText(path, v.Elem(), instead, visit)
	case v.Kind() == reflect.Map:
		for key, old := range v.Seq2() {
			v.SetMapIndex(key, reflect.ValueOf(instead).Convert(v.Type().Elem()))
			visit(fmt.Sprintf("%s[%s]", path, key))
			v.SetMapIndex(key, old)
		}
	}
}

func TestAReferenceThatCannotBeHadIsOneProblem(t *testing.T) {
	visited := 0
	for i, c := range fullConnections(t) {
		c.Lookup = lookup
		if err := c.Validate(); err != nil {
			t.Fatalf("connection %d is not valid: %v", i, err)
		}
		eachText("", reflect.ValueOf(c).Elem(), "${env:NONE}", func(path string) {
			visited++
			problems := configErrors(c.Validate())
			if len(problems) != 1 || problems[0].Field != path || !strings.Contains(problems[0].Problem, "env:NONE") {
				t.Errorf("connection %d without %s: got the problems %v; want one, of that field", i, path, problems)
			}
		})
	}
	if visited < 100 {
		t.Errorf("%d texts were tried; want 100 and more", visited)
	}
}

func TestAReferenceThatCannotBeHadHidesNoOtherProblem(t *testing.T) {
	c := validConnection()
	c.Secret, c.BaseURI, c.Ping.Method, c.RateLimit.Profile = "${env:NONE}", "ftp://h", "G ET", "githob"
	var fields []string
	for _, p := range configErrors(c.Validate()) {
		fields = append(fields, p.Field)
	}
	slices.Sort(fields)
	if want := []string{"BaseURI", "Ping.Method", "RateLimit.Profile", "Secret"}; !slices.Equal(fields, want) {
		t.Errorf("the problems are of %v; want %v", fields, want)
	}
}

func TestErrorsOfLookupShowNoValue(t *testing.T) {
	c := validConnection()
	c.Secret, c.Payload = "${env:X}", `{"a":"${env:X}"}`
	c.Lookup = func(string) (string, error) { return "hunter2", errors.New("hunter2 is too short") }
	if err := c.Validate(); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("Validate gave %v; want an error without the value", err)
	}
}

func TestOnlyWholeStringsAreReferences(t *testing.T) {
	for text, want := range map[string]bool{
		"${env:A}": true, "${file:/run/secrets/x}": true, "${file:a b}": true,
		"${vault:secret/data/app#key}": true, "${op://Vault/item/field}": true, "${API_KEY}": true, "${ENV:API_KEY}": true,
		"": false, "${}": false, "${env:}": false, "${:x}": false, "${{ secrets.KEY }}": false, " ${env:A}": false, "${env:A} ": false,
		"a${env:A}": false, "${env:A}${env:B}": false, "${env:${env:B}}": false, "${env:A\n}": false, "$env:A": false, "{env:A}": false,
	} {
		if got := isReference(text); got != want {
			t.Errorf("isReference(%q) is %t; want %t", text, got, want)
		}
	}
}

func TestReferencesOfAnySchemeGoToLookup(t *testing.T) {
	c := validConnection()
	c.Secret, c.Fields = "${vault:secret/data/app#hmac}", map[string]string{"issuer": "${ISSUER}"}
	c.Payload = `{"iss":"{{.Fields.issuer}}","aud":"${ssm:/api/audience}"}`
	var asked []string
	c.Lookup = func(ref string) (string, error) {
		asked = append(asked, ref)
		return "{{a value of thirty-two bytes, or more}}", nil
	}
	client, err := NewClient(c)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(asked)
	if want := []string{"ISSUER", "ssm:/api/audience", "vault:secret/data/app#hmac"}; !slices.Equal(asked, want) {
		t.Errorf("Lookup was asked for %q; want %q", asked, want)
	}
	const value = `{"iss":"{{a value of thirty-two bytes, or more}}","aud":"{{a value of thirty-two bytes, or more}}"}`
	if claims := payloadOf(t, must(client.Mint(t.Context(), nil))); claims != value {
		t.Errorf("the claims are %s; want the values of Lookup as they are", claims)
	}
}

// The text of a reference is known to whoever sees the file, so it must never become a key.
func TestAPlaceholderIsNoSecret(t *testing.T) {
	literal := func(string) (string, error) { return "${ANOTHER_VARIABLE_THAT_NOBODY_RESOLVED}", nil }
	for _, text := range []Secret{"${API_SECRET_OF_THE_PRODUCTION_SYSTEM}", "${{ secrets.API_SECRET_OF_PRODUCTION }}", "${env:}",
		"${env:A}${env:B}${env:C}${env:D}${env:E}", "${API_SECRET:-changeme-changeme-changeme-ch}", "${}"} {
		for what, lookup := range map[string]func(string) (string, error){"no Lookup": nil, "a Lookup that gives another": literal} {
			for field, change := range map[string]func(*Connection){
				"Secret":     func(c *Connection) { c.Secret = text },
				"Secrets[x]": func(c *Connection) { c.Secrets = map[string]Secret{"x": text} },
			} {
				c := validConnection()
				c.Lookup = lookup
				change(c)
				if p := problemOf(c.Validate(), field); p == nil || p.Hint == "" {
					t.Errorf("%s = %s with %s: got %v; want a problem of it, with a hint", field, string(text), what, c.Validate())
				} else if strings.Contains(p.Error(), "changeme") {
					t.Errorf("%v shows a default value, which may be the secret", p)
				}
			}
		}
	}
}

func TestASecretPrintsNoDefaultValue(t *testing.T) {
	for text, want := range map[Secret]string{
		"${API_SECRET:-hunter2}": redacted, "${API_SECRET-hunter2}": redacted, "${env:API_SECRET:=hunter2}": redacted,
		"${vault:secret/app-1#key}": "${vault:secret/app-1#key}", "${my-name}": "${my-name}",
	} {
		if got := text.String(); got != want {
			t.Errorf("%s prints as %s; want %s", string(text), got, want)
		}
	}
}

func TestReferencesInsideLongerTextsAreTold(t *testing.T) {
	for field, change := range map[string]func(c *Connection, ref string){
		"Name":                  func(c *Connection, ref string) { c.Name = "shop of " + ref },
		"BaseURI":               func(c *Connection, ref string) { c.BaseURI += "/" + ref },
		"HTTPHeaders[X-Tenant]": func(c *Connection, ref string) { c.HTTPHeaders = map[string]string{"X-Tenant": "t-" + ref} },
		"Fields[host]":          func(c *Connection, ref string) { c.Fields = map[string]string{"host": ref + ".example.com"} },
		"Payload":               func(c *Connection, ref string) { c.Payload = JSON(`{"deep":[{"iss":"https://` + ref + `/"}]}`) },
		"JWTHeaders":            func(c *Connection, ref string) { c.JWTHeaders = JSON(`{"https://` + ref + `/x":1}`) },
		"Ping.Body":             func(c *Connection, ref string) { c.Ping.Body = `{"a": "` + ref + `"}` },
		"RateLimit.Rules[0].Path": func(c *Connection, ref string) {
			c.RateLimit.Rules = []Rule{{Path: `$["` + ref + `"]`}}
		},
	} {
		for _, ref := range []string{"${env:TENANT}", "${file:tenant.txt}"} {
			c := validConnection()
			c.Lookup = lookup
			change(c, ref)
			if p := problemOf(c.Validate(), field); p == nil || !strings.Contains(p.Problem, "inside a longer text") || !strings.Contains(p.Hint, "{{.Fields.x}}") {
				t.Errorf("%s in %s: got %v; want an error of it that says how to write it", ref, field, c.Validate())
			}
		}
		for _, ref := range []string{"${TENANT}", "${vault:tenant}", "${{TENANT}}"} {
			if field == "BaseURI" {
				continue // braces are no part of a path
			}
			c := validConnection()
			change(c, ref)
			warned := slices.ContainsFunc(c.Lint(), func(w Warning) bool { return w.Field == field && strings.Contains(w.Problem, "looks like a variable") })
			if !warned && !strings.Contains(ref, "{{") {
				t.Errorf("%s in %s: Lint says %v (%v); want a warning of it", ref, field, c.Lint(), c.Validate())
			}
		}
	}
}

func TestAReferenceInAStringOfATemplateIsText(t *testing.T) {
	c := validConnection()
	c.Payload = `{"a":"{{\"${env:HOME}\"}}","b":"x{{\"${file:\"}}y} {{\"${VAR}\"}}"}`
	client, err := NewClient(c)
	if err != nil {
		t.Fatal(err)
	}
	if claims := payloadOf(t, must(client.Mint(t.Context(), nil))); claims != `{"a":"${env:HOME}","b":"x${file:y} ${VAR}"}` {
		t.Errorf("the claims are %s; want the strings as they are", claims)
	}
	for _, w := range c.Lint() {
		if strings.Contains(w.Problem, "variable") {
			t.Errorf("Lint says %v of a string that says what it is", w)
		}
	}
}

func TestSecretsThatHoldAReferenceAreRefused(t *testing.T) {
	c := validConnection()
	c.Secret = "id-of-the-client:${env:SECRET}-and-more-of-it"
	if p := problemOf(c.Validate(), "Secret"); p == nil || !strings.Contains(p.Problem, "${env:…}") {
		t.Errorf("got %v; want a problem of Secret", c.Validate())
	}
}

func TestAReferenceWithSpacesOrQuotesIsRefused(t *testing.T) {
	for _, text := range []string{" ${env:SECRET}", "${env:SECRET}\n", `"${file:key.pem}"`} {
		c := validConnection()
		c.Secret, c.Lookup = Secret(text), lookup
		if p := problemOf(c.Validate(), "Secret"); p == nil || !strings.Contains(p.Hint, "remove what stands around it") {
			t.Errorf("%q: got %v; want an error that says to remove what stands around the reference", text, c.Validate())
		}
	}
}

func TestHintsOfReferencesFitWhatIsMissing(t *testing.T) {
	missing := func(string) (string, error) { return "", fs.ErrNotExist }
	for _, test := range []struct {
		change func(*Connection)
		field  string
		hint   string
	}{
		{func(c *Connection) { c.Secret = "${env:X}" }, "Secret", "set Lookup"},
		{func(c *Connection) { c.Secret, c.Lookup = "${env:X}", missing }, "Secret", "set it, or write another reference"},
		{func(c *Connection) { c.Name, c.Lookup = "${env:X}", missing }, "Name", "put the value itself here"},
	} {
		c := validConnection()
		test.change(c)
		if p := problemOf(c.Validate(), test.field); p == nil || !strings.Contains(p.Hint, test.hint) {
			t.Errorf("got %v; want a hint of %s that says %q", c.Validate(), test.field, test.hint)
		}
	}
}
