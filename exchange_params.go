package jwtbearer

import (
	"net/url"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
	"github.com/seed-363d07a3/jwtbearer/internal/media"
)

// The grant types and assertion types of RFC 7523, sections 2.1 and 2.2.
const (
	grantJWTBearer         = "jwt-bearer"
	grantClientCredentials = "client-credentials"
	jwtBearerType          = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	clientAssertionType    = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
)

// grantParams are the parameters of a grant. A grant of another type sends the JWT as the assertion framework does (RFC 7521,
// section 4.1), unless it is placed elsewhere.
func grantParams(name string, placed bool) JSON {
	switch name {
	case "":
		return ""
	case grantJWTBearer, jwtBearerType:
		return `{"grant_type":"` + jwtBearerType + `","assertion":"{{.Token}}"}`
	case grantClientCredentials, "client_credentials":
		if placed && name != grantClientCredentials {
			return `{"grant_type":"client_credentials"}`
		}
		return `{"grant_type":"client_credentials","client_assertion_type":"` + clientAssertionType + `","client_assertion":"{{.Token}}"}`
	}
	text, _ := media.Marshal(`{{"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"}}`) // literally
	if placed {
		return JSON(`{"grant_type":` + string(text) + `}`)
	}
	return JSON(`{"grant_type":` + string(text) + `,"assertion":"{{.Token}}"}`)
}

// formOf writes a JSON object as a form, in its order. A list becomes several fields of one name.
func formOf(object []byte) ([]byte, error) {
	v, err := jsontext.Parse(string(object))
	if err != nil {
		return nil, err
	}
	var form []byte
	add := func(name string, value jsontext.Value) {
		text := value.Text
		if value.Kind != jsontext.String {
			text = string(value.Append(nil))
		}
		if len(form) > 0 {
			form = append(form, '&')
		}
		form = append(append(append(form, url.QueryEscape(name)...), '='), url.QueryEscape(text)...)
	}
	for _, m := range v.Members {
		if m.Value.Kind != jsontext.Array {
			add(m.Name, m.Value)
			continue
		}
		for _, e := range m.Value.Elems {
			add(m.Name, e)
		}
	}
	return form, nil
}
