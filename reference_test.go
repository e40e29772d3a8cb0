package jwtbearer

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
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
		Payload: `{"iss":"${file:iss}","deep":[{"x":"${env:LITERAL}"}],"field":"{{.Fields.f}}","secret":"{{.Secrets.s}}","part":"a ${env:LITERAL}"}`,
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
	claims, _ := k.minter.payload.constant()
	want := `"iss":"i{{now}}","deep":[{"x":"{{uuid}}"}],"field":"{{uuid}}","secret":"{{uuid}}","part":"a ${env:LITERAL}"`
	if claims != want {
		t.Errorf("the claims are %s; want %s", claims, want)
	}
	header, _ := k.headers[0].value.constant()
	body, _ := k.ping.body.constant()
	pinged, _ := k.ping.headers[0].value.constant()
	for what, got := range map[string]string{"HTTPHeaders": header, "Ping.Body": body, "Ping.Headers": pinged} {
		if got != "{{uuid}}" {
			t.Errorf("%s is %q; want the value of the reference as it is", what, got)
		}
	}
	if got := k.authFailure[0].values[0]; got != "E1" {
		t.Errorf("AuthFailure compares with %q; want E1", got)
	}
	if k.address.Load().origin.host != "h.example.com" {
		t.Errorf("the host is %q; want h.example.com", k.address.Load().origin.host)
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
	if got := client.core.address.Load().base.Path; got != "/{{x}}" {
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
		"": false, "${}": false, "${env:}": false, "${env}": false, "${vault:x}": false, " ${env:A}": false, "${env:A} ": false,
		"a${env:A}": false, "${env:A}${env:B}": false, "${env:${env:B}}": false, "${env:A\n}": false, "$env:A": false, "{env:A}": false,
	} {
		if got := isReference(text); got != want {
			t.Errorf("isReference(%q) is %t; want %t", text, got, want)
		}
	}
}
