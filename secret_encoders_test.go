package jwtbearer

import (
	"bytes"
	sqldriver "database/sql/driver"
	encoders "encoding"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"flag"
	"fmt"
	html "html/template"
	"io"
	"log/slog"
	"net"
	"net/rpc"
	"reflect"
	"strings"
	"testing"
	"text/template"
)

// secretHolders are values that hold the secret hunter2 in every position in which an encoder may meet it.
func secretHolders() map[string]any {
	s := Secret("hunter2")
	return map[string]any{
		"Secret":         s,
		"pointer":        &s,
		"field":          struct{ S Secret }{s},
		"field by value": &struct{ S Secret }{s},
		"pointer field":  struct{ S *Secret }{&s},
		"list":           []Secret{s},
		"array":          [1]Secret{s},
		"map":            map[string]Secret{"k": s},
		"nested":         struct{ A []map[string]*Secret }{[]map[string]*Secret{{"k": &s}}},
		"embedded":       base64Secret{s},
		"TLS":            TLS{PrivateKey: s, PFX: s, Passphrase: s},
		"Token":          &Token{Value: s, Type: "Bearer"},
		"reference":      struct{ S Secret }{"${env:X}hunter2"},
	}
}

func TestGobAndRPCRefuseASecret(t *testing.T) {
	holders := secretHolders()
	holders["map key"] = map[Secret]int{"hunter2": 1}
	holders["empty in a list"] = []Secret{""} // refused alike, so that the first test of a program fails
	for name, value := range holders {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			err := gob.NewEncoder(&b).Encode(value)
			if err == nil || !strings.Contains(err.Error(), "string(s)") {
				t.Errorf("gob gave %v; want an error that says to convert", err)
			}
			checkRedacted(t, "gob", b.String()+fmt.Sprint(err))
			checkRedacted(t, "the call of net/rpc", sentByRPC(t, value))
		})
	}
}

// sentByRPC is what a call of net/rpc with that argument writes, and its error.
func sentByRPC(t *testing.T, value any) string {
	t.Helper()
	here, there := net.Pipe()
	sent := make(chan string)
	go func() {
		data, _ := io.ReadAll(there)
		sent <- string(data)
	}()
	client := rpc.NewClient(here)
	err := client.Call("Queue.Add", value, new(int))
	client.Close()
	if err == nil {
		t.Error("net/rpc took a Secret")
	}
	return <-sent + fmt.Sprint(err)
}

func TestGobReadsASecretFromAString(t *testing.T) {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(struct{ S, None string }{"hunter2", ""}); err != nil {
		t.Fatal(err)
	}
	var got struct{ S, None Secret }
	if err := gob.NewDecoder(&b).Decode(&got); err != nil || string(got.S) != "hunter2" {
		t.Errorf("gob read %q, %v; want the text that was written", string(got.S), err)
	}
}

func TestBinaryEncodersAndDatabasesRefuseASecret(t *testing.T) {
	s := Secret("hunter2")
	for _, value := range []any{s, &s} {
		data, err := value.(encoders.BinaryMarshaler).MarshalBinary()
		checkRedacted(t, "MarshalBinary", string(data)+fmt.Sprint(err))
		if err == nil {
			t.Error("MarshalBinary gave no error")
		}
		got, err := sqldriver.DefaultParameterConverter.ConvertValue(value)
		checkRedacted(t, "database/sql", fmt.Sprint(got, err))
		if err == nil {
			t.Errorf("database/sql takes %v of a %T", got, value)
		}
	}
}

// Encoders write redacted what is in every position; what they read again is no secret.
func TestTextEncodersRedactASecretEverywhere(t *testing.T) {
	for name, value := range secretHolders() {
		text, err := json.Marshal(value)
		if err != nil {
			t.Errorf("%s: json.Marshal: %v", name, err)
		}
		checkRedacted(t, "json.Marshal of "+name, string(text))
		text, err = xml.Marshal(value)
		checkRedacted(t, "xml.Marshal of "+name, string(text)+fmt.Sprint(err))
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%08.3f", "% x", "%T%[1]v"} {
			checkRedacted(t, verb+" of "+name, fmt.Sprintf(verb, value))
			checkRedacted(t, verb+" of a pointer to "+name, fmt.Sprintf(verb, &value))
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("text", "v", value, slog.Group("g", "v", value))
		slog.New(slog.NewJSONHandler(&log, nil)).With("w", value).Info("json", "v", value)
		checkRedacted(t, "slog of "+name, log.String())
	}
}

func TestXMLRedactsASecretInEveryKindOfField(t *testing.T) {
	text, err := xml.Marshal(struct {
		XMLName xml.Name `xml:"x"`
		Attr    Secret   `xml:"a,attr"`
		Text    Secret   `xml:",chardata"`
		Inner   Secret   `xml:",innerxml"`
		Deep    Secret   `xml:"b>c"`
		Any     Secret   `xml:",any"`
	}{Attr: "hunter2", Text: "hunter2", Inner: "hunter2", Deep: "hunter2", Any: "hunter2"})
	if err != nil || !strings.Contains(string(text), `a="******"`) {
		t.Errorf("xml.Marshal gave %s, %v", text, err)
	}
	checkRedacted(t, "xml.Marshal", string(text))
	text, err = xml.Marshal(struct {
		XMLName xml.Name `xml:"x"`
		Data    Secret   `xml:",cdata"`
	}{Data: "hunter2"})
	checkRedacted(t, "xml.Marshal of cdata", string(text)+fmt.Sprint(err))
}

func TestTemplatesRedactASecret(t *testing.T) {
	data := struct {
		S Secret
		P *Secret
		M map[string]Secret
	}{"hunter2", new(Secret("hunter2")), map[string]Secret{"k": "hunter2"}}
	const actions = `{{.S}} {{.P}} {{.M}} {{.M.k}} {{print .S}} {{printf "%s %d %x %q" .S .S .S .S}} {{println .S}} {{html .S}} {{js .S}} {{urlquery .S}}` +
		` {{slice .S 0 7}} {{with $x := .S}}{{$x}}{{end}}`
	var b strings.Builder
	if err := template.Must(template.New("").Parse(actions)).Execute(&b, data); err != nil {
		t.Fatal(err)
	}
	const page = `<p id="{{.S}}" style="color:{{.S}}" onclick="f({{.S}}, {{.M}})">{{.S}}</p><a href="/?q={{.S}}">{{.P}}</a><script>var x = {{.S}}, y = {{.P}}, z = {{.M}};</script>`
	if err := html.Must(html.New("").Parse(page)).Execute(&b, data); err != nil {
		t.Fatal(err)
	}
	checkRedacted(t, "a template", b.String())
}

func TestFlagsRedactTheDefaultOfASecret(t *testing.T) {
	var b bytes.Buffer
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.SetOutput(&b)
	flags.TextVar(new(base64Secret), "s", base64Secret{"hunter2"}, "a secret")
	flags.PrintDefaults()
	if !strings.Contains(b.String(), redacted) {
		t.Errorf("the default is not shown redacted: %s", b.String())
	}
	checkRedacted(t, "flag", b.String())
}

// base64Secret is a flag of a program that reads its Secret as base64.
type base64Secret struct{ Secret }

func (s *base64Secret) UnmarshalText(text []byte) error {
	data, err := base64.StdEncoding.DecodeString(string(text))
	s.Secret = Secret(data)
	return err
}

// What Secret's own documentation says that it cannot prevent must not be in the types of this package: a Secret as the key of a
// map, which encoding/json writes, and one in an unexported field, which fmt prints.
func TestNoTypeOfThePackageHoldsASecretWhereItPrints(t *testing.T) {
	for _, root := range []any{Connection{}, Token{}, Report{}, Client{}, Signer{}, Stats{}, ConfigError{}, KeyError{}, AuthError{}, TokenError{},
		ThrottledError{}, ResponseError{}} {
		walkTypes(reflect.TypeOf(root), map[reflect.Type]bool{}, func(typ reflect.Type) {
			secret := reflect.TypeFor[Secret]()
			if typ.Kind() == reflect.Map {
				t.Errorf("%T holds a %v", root, typ)
				return
			}
			for f := range typ.Fields() {
				if !f.IsExported() && f.Type == secret {
					t.Errorf("%T holds a Secret in the unexported field %s of %v", root, f.Name, typ)
				}
			}
		})
	}
}

// walkTypes visits the structs of this package and the maps that a type is made of.
func walkTypes(typ reflect.Type, seen map[reflect.Type]bool, visit func(reflect.Type)) {
	if seen[typ] {
		return
	}
	seen[typ] = true
	switch typ.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		walkTypes(typ.Elem(), seen, visit)
	case reflect.Map:
		if typ.Key() == reflect.TypeFor[Secret]() {
			visit(typ)
		}
		walkTypes(typ.Elem(), seen, visit)
	case reflect.Struct:
		if !strings.Contains(typ.PkgPath(), "jwtbearer") {
			return
		}
		visit(typ)
		for f := range typ.Fields() {
			walkTypes(f.Type, seen, visit)
		}
	}
}

// checkRedacted fails where text shows hunter2 in any common spelling.
func checkRedacted(t *testing.T, how, text string) {
	t.Helper()
	secret := []byte("hunter2")
	for _, piece := range []string{"hunter2", hex.EncodeToString(secret), strings.ToUpper(hex.EncodeToString(secret)),
		base64.StdEncoding.EncodeToString(secret)[:8], strings.Trim(fmt.Sprint(secret), "[]"), "h, u, n", "68 75 6e"} {
		if strings.Contains(text, piece) {
			t.Errorf("%s shows the secret: %s", how, text)
		}
	}
}
