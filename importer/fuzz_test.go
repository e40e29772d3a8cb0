package importer

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer/connfile"
	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

// planted is put where documents hold secrets, to see that it comes out nowhere.
const planted = "PLANTED-7f3a-SECRET"

// plant replaces the texts at secret places of a document.
func plant(v *jsontext.Value, path string, isSecret func(path string, v *jsontext.Value) *jsontext.Value) {
	if found := isSecret(path, v); found != nil && found.Kind == jsontext.String {
		found.Text = planted
	}
	for i := range v.Members {
		plant(&v.Members[i].Value, path+"."+v.Members[i].Name, isSecret)
	}
	for i := range v.Elems {
		plant(&v.Elems[i], path, isSecret)
	}
}

// celigoSecret finds what Celigo keeps secret.
func celigoSecret(path string, v *jsontext.Value) *jsontext.Value {
	for _, end := range []string{".http.auth.jwt.secret", ".http.auth.jwt.privateKey", ".http.auth.jwt.token", ".http.auth.token.token",
		".http.encrypted.apiKey", ".http.clientCertificates.key", ".http.clientCertificates.pfx", ".http.clientCertificates.passphrase"} {
		if strings.HasSuffix(path, end) {
			return v
		}
	}
	return nil
}

// postmanSecret finds what signs in auth of type jwt, in either form.
func postmanSecret(path string, v *jsontext.Value) *jsontext.Value {
	names := []string{"secret", "privateKey", "passphrase"}
	if name, ok := strings.CutPrefix(path[strings.LastIndex(path, ".auth")+1:], "auth.jwt."); ok && slices.Contains(names, name) {
		return v
	}
	if !strings.HasSuffix(path, ".auth.jwt") || v.Kind != jsontext.Object {
		return nil
	}
	var value *jsontext.Value
	secret := false
	for i, m := range v.Members {
		secret = secret || m.Name == "key" && slices.Contains(names, m.Value.Text)
		if m.Name == "value" {
			value = &v.Members[i].Value
		}
	}
	if !secret {
		return nil
	}
	return value
}

// fuzzImport holds an importer to what is true of every document: it does not panic, gives the same each time, shows no secret, and
// what it gives can be checked and, where it is text that YAML can carry, marshalled and parsed again.
// A document is doc, or, where that is empty, what with makes of text, which then stands where expressions are.
func fuzzImport(f *testing.F, from func([]byte) (*Result, error), with func(text string) string,
	isSecret func(string, *jsontext.Value) *jsontext.Value) {
	f.Fuzz(func(t *testing.T, doc, text string) {
		if doc == "" {
			doc = with(string(jsontext.AppendString(nil, text)))
		}
		if strings.Contains(doc, planted) || len(doc) > 1<<16 {
			t.Skip()
		}
		if v, err := jsontext.Parse(doc); err == nil {
			plant(&v, "", isSecret)
			doc = string(v.Append(nil))
		}
		out, err := from([]byte(doc))
		if shape := shape(out, nilImport(out, err)); strings.Contains(shape, planted) {
			t.Fatalf("import of %s shows the secret: %s", doc, shape)
		}
		if err != nil {
			return
		}
		again, err := from([]byte(doc))
		if a, b := shape(out, nil), shape(again, err); a != b {
			t.Fatalf("import of %s gives %s, then %s", doc, a, b)
		}
		for _, c := range out.Connections {
			c.Lookup = func(ref string) (string, error) { return "", fmt.Errorf("no %s", ref) }
			if c.Validate() != nil && strings.Contains(c.Validate().Error(), planted) {
				t.Fatalf("import of %s: Validate shows the secret: %v", doc, c.Validate())
			}
			file, err := connfile.Marshal(c)
			if err != nil {
				continue
			}
			c.Lookup = nil
			if back, err := connfile.Parse(file); err == nil && !sameConnections(back, append(back[:0:0], c)) {
				t.Fatalf("import of %s: what was marshalled reads otherwise:\n%s", doc, file)
			}
		}
	})
}

// nilImport is err, which stands for out where there is none.
func nilImport(out *Result, err error) error {
	if out != nil {
		return nil
	}
	return err
}

func FuzzCeligo(f *testing.F) {
	f.Add(string(testData(f, "celigo/acme.json")), "")
	f.Add(celigoDoc(`"encrypted":{"apiKey":"x"},"clientCertificates":{"pfx":"x","cert":"-----BEGIN PRIVATE KEY-----"},`, ""), "")
	f.Add(`{"connections":[{"type":"http","http":{"auth":{"type":"jwtbearer","jwt":{"token":"x"}}}}]}`, "")
	for _, text := range []string{`{"x": {{add 1 2}}, "y": "{{dateAdd (timestamp) "5"}}"}`, `{"exp": "{{hmac \"a\" (b c) [d e].f}}"}`, `\{{a}} {{{{b}}}} {{#c}}`,
		`{{!-- x --}}{{uppercase 'y'}}`, `{{dateFormat "x" (subtract (timestamp "X") 1.5)}}`} {
		f.Add("", text)
	}
	fuzzImport(f, Celigo, func(text string) string {
		return celigoDoc(fmt.Sprintf(`"headers":[{"name":"h","value":%[1]s}],"ping":{"body":%[1]s,"relativeURI":%[1]s},"retryHeader":%[1]s,`, text),
			fmt.Sprintf(`,"payload":%[1]s,"headers":{"kid":%[1]s,"iat":%[1]s}`, text))
	}, celigoSecret)
}

func FuzzPostman(f *testing.F) {
	f.Add(string(testData(f, "postman/acme.json")), "")
	f.Add(`{"name":"a","auth":{"type":"jwt","jwt":[{"key":"secret","value":"x"},{"key":"algorithm","value":"HS256"}]},"url":{"host":["a"],"path":["b"]}}`, "")
	for _, text := range []string{`{"x": {{v}}, "exp": "{{$timestamp}}"}`, `https://{{h}}/v1/:id?x={{v}}#y`, `{{v}}/x?api_key=1`, `{{{v}}}{{w}}`, `{{$guid}}`} {
		f.Add("", text)
	}
	fuzzImport(f, Postman, func(text string) string {
		return postmanDoc(fmt.Sprintf(`,"payload":%[1]s,"header":{"kid":%[1]s},"headerPrefix":%[1]s,"queryParamKey":%[1]s`, text),
			fmt.Sprintf(`{"key":"v","value":%[1]s},{"key":"w","value":"{{v}}{{v}}"}`, text),
			fmt.Sprintf(`{"name":%[1]s,"request":{"url":%[1]s,"header":[{"key":"h","value":%[1]s}]}},{"request":{"url":%[1]s}},%[2]s`, text,
				postmanGET("b", "{{base}}/x")))
	}, postmanSecret)
}
