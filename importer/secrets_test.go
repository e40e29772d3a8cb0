package importer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer/connfile"
)

func TestSecretsThatAreWrittenOutAreNotCarriedOver(t *testing.T) {
	celigo := func(member, value string) string {
		return fmt.Sprintf(`{"type":"http","name":"acme","http":{"baseURI":"https://api.example.com",%q:%s,
			"auth":{"type":"jwtbearer","jwt":{"signatureMethod":"hmac-sha256",%s"secret":"******"}}}}`, member, value, `"payload":{"exp":"{{timestamp \"X\"}}"},`)
	}
	ping := func(body string) string { return celigo("ping", fmt.Sprintf(`{"method":"POST","body":%q}`, body)) }
	claims := func(members string) string {
		return strings.Replace(celigo("ping", `{}`), `"exp":`, members+`,"exp":`, 1)
	}
	for _, tt := range []struct{ doc, want string }{
		{claims(`"password":"PLANTED"`), `password: "{{.Secrets.payload_password}}"`},
		{claims(`"a":{"password":"PLANTED"},"b":{"password":"PLANTED"}`), `password: "{{.Secrets.payload_b_password}}"`},
		{claims(`"password":"{{connection.http.encrypted.x}}"`), `password: "{{.Secrets.x}}"`},
		{ping(`{"password" : "PLANTED", "n":1}`), `body: '{"password" : "{{.Secrets.ping_body_password}}", "n":1}'`},
		{ping(`a=b&client_secret=PLANTED&c=d`), `body: "a=b&client_secret={{.Secrets.ping_body_client_secret}}&c=d"`},
		{ping(`<a><password>PLANTED</password></a>`), `body: "<a><password>{{.Secrets.ping_body_password}}</password></a>"`},
		{ping(`{"password":"{{connection.http.encrypted.x}}"}`), `body: '{"password":"{{.Secrets.x}}"}'`},
		{ping(`{"note":"a password=5"}`), `body: '{"note":"a password=5"}'`},
		{celigo("headers", `[{"name":"x-functions-key","value":"PLANTED"}]`), `x-functions-key: "{{.Secrets.x_functions_key}}"`},
	} {
		out, err := Celigo([]byte(tt.doc))
		if err != nil {
			t.Errorf("%s: %v", tt.doc, err)
			continue
		}
		got, err := connfile.Marshal(out.Connections[0])
		if text := string(got) + fmt.Sprint(out.Notes); err != nil || strings.Contains(text, "PLANTED") || !strings.Contains(text, tt.want) {
			t.Errorf("%s became\n%s\n%v, %v\nwant %s", tt.doc, got, out.Notes, err, tt.want)
		}
	}
}

func TestVaultOfPostmanIsSecret(t *testing.T) {
	out, err := Postman([]byte(`{"request":{"url":"https://api.example.com/me","auth":{"type":"jwt","jwt":[{"key":"algorithm","value":"HS256"},
		{"key":"payload","value":"{\"sub\":\"{{vault:subject}}\",\"password\":\"PLANTED\"}"}]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	conn := out.Connections[0]
	if got, want := string(conn.Payload), `{"sub":"{{.Secrets.vault_subject}}","password":"{{.Secrets.payload_password}}"}`; got != want || len(conn.Fields) > 0 {
		t.Errorf("payload %s and fields %v, want %s and none", got, conn.Fields, want)
	}
}

func TestCeligoMethodsHaveTheirShortNamesToo(t *testing.T) {
	for name, want := range map[string]string{"hmac-sha384": "HS384", "HS256": "HS256", "RS512": "RS512", "rsa-sha256": "RS256", "ES256": "ES256", "ps384": "PS384"} {
		out, err := Celigo(fmt.Appendf(nil, `{"type":"http","http":{"baseURI":"https://api.example.com","auth":{"type":"jwtbearer",
			"jwt":{"signatureMethod":%q,"payload":{}}}}}`, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		conn := out.Connections[0]
		if got := string(conn.SignatureMethod); got != want || (conn.Secret != "") != strings.HasPrefix(want, "HS") || (conn.Secret == "") == (conn.PrivateKey == "") {
			t.Errorf("signatureMethod %s became %s, with secret %v and key %v; want %s", name, got, conn.Secret != "", conn.PrivateKey != "", want)
		}
	}
}
