package jwtbearer

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"text/template"
)

func TestSecretDoesNotPrint(t *testing.T) {
	type holder struct {
		S  Secret            `xml:"s,attr"`
		P  *Secret           `xml:"-"`
		L  []Secret          `xml:"l"`
		M  map[string]Secret `xml:"-"`
		K  map[Secret]int    `xml:"-" json:"-"`
		In any               `xml:"-"`
	}
	s := Secret("hunter2")
	h := holder{s, &s, []Secret{s}, map[string]Secret{"a": s}, map[Secret]int{s: 1}, s}
	for _, value := range []any{s, &s, []Secret{s}, [1]Secret{s}, map[string]Secret{"a": s}, map[Secret]int{s: 1}, h, &h, []any{h, &s}} {
		for _, verb := range "vsqxXdtbcoOUeEfFgGTz!" {
			for _, flags := range []string{"", "+", "#", " ", "-", "0", "40", "-40", ".2", "+#x"} {
				format := "%" + flags + string(verb)
				checkRedacted(t, fmt.Sprintf("%s of %T", format, value), fmt.Sprintf(format, value))
			}
		}
		checkRedacted(t, fmt.Sprintf("Sprint of %T", value), fmt.Sprint(value))
	}
	for _, value := range []any{s, &s, h.L, h.M, h, &h, []any{h, &s}} {
		text, err := json.Marshal(value)
		if err != nil {
			t.Errorf("json.Marshal of %T: %v", value, err)
		}
		checkRedacted(t, fmt.Sprintf("json.Marshal of %T", value), string(text))
	}
	text, err := xml.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	checkRedacted(t, "xml.Marshal", string(text))
	var b strings.Builder
	if err := template.Must(template.New("").Parse(`{{.S}} {{.L}} {{.M}} {{printf "%s %x" .S .S}}`)).Execute(&b, h); err != nil {
		t.Fatal(err)
	}
	checkRedacted(t, "text/template", b.String())
	checkLogs(t, "s", s, "p", &s, "h", h, "l", h.L)
}

// checkLogs fails where a handler of log/slog shows a secret in args.
func checkLogs(t *testing.T, args ...any) {
	t.Helper()
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("text", args...)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("json", args...)
	checkRedacted(t, "slog", log.String())
}

func TestSecretPrintsWhetherItIsSet(t *testing.T) {
	for s, want := range map[Secret]string{"": "", "hunter2": "******", "${env:X}": "${env:X}", "${env:X}hunter2": "******"} {
		if got := fmt.Sprint(s); got != want {
			t.Errorf("Sprint is %q; want %q", got, want)
		}
		if got := fmt.Sprintf("%#v", s); got != `"`+want+`"` {
			t.Errorf("%%#v is %s; want %q in quotes", got, want)
		}
	}
}

func TestSecretIsReadFromJSON(t *testing.T) {
	var c Connection
	if err := json.Unmarshal([]byte(`{"secret":"hunter2","secrets":{"a":"b"}}`), &c); err != nil {
		t.Fatal(err)
	}
	if string(c.Secret) != "hunter2" || string(c.Secrets["a"]) != "b" {
		t.Errorf("the secrets read are %q and %q", string(c.Secret), string(c.Secrets["a"]))
	}
}

func TestConnectionDoesNotPrintItsSecrets(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	copy(key, "hunter2")
	c := Connection{Name: "n", BaseURI: "https://h", Key: key, Secret: "hunter2", PrivateKey: "hunter2", Passphrase: "hunter2",
		Token: "hunter2", Secrets: map[string]Secret{"a": "hunter2"}, TLS: TLS{PrivateKey: "hunter2", PFX: "hunter2", Passphrase: "hunter2"},
		Payload: `{"a":"b"}`}
	for _, value := range []any{c, &c, []Connection{c}, []*Connection{&c}, map[string]Connection{"a": c}, struct{ C Connection }{c}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%X", "%q", "%t", "%40v", "%-+8v"} {
			checkRedacted(t, fmt.Sprintf("%s of %T", verb, value), fmt.Sprintf(verb, value))
		}
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatalf("json.Marshal of %T: %v", value, err)
		}
		checkRedacted(t, fmt.Sprintf("json.Marshal of %T", value), string(text))
	}
	checkLogs(t, "c", c, "p", &c, "any", slog.AnyValue(&c), "list", []Connection{c})
	if text := fmt.Sprintf("%+v", c); !strings.Contains(text, "BaseURI:https://h") || !strings.Contains(text, "ed25519.PrivateKey(******)") {
		t.Errorf("%%+v of a Connection tells too little: %s", text)
	}
	var none *Connection
	if got := fmt.Sprintf("%v", none); got != "<nil>" {
		t.Errorf("a nil *Connection prints %s; want <nil>", got)
	}
}

func TestClientDoesNotPrintItsSecrets(t *testing.T) {
	c := validConnection()
	c.BaseURI, c.Secrets = "https://h/{{.Secrets.a}}?k={{.Secrets.a}}", map[string]Secret{"a": "hunter2-too"}
	client := must(NewClient(c))
	for _, value := range []any{client, *client, []*Client{client}, struct{ C *Client }{client}, &Token{Value: "hunter2"}, Token{Value: "hunter2"}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
			checkRedacted(t, fmt.Sprintf("%s of %T", verb, value), fmt.Sprintf(verb, value))
		}
	}
	checkLogs(t, "client", client, "token", &Token{Value: "hunter2"})
}
