package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/schema"
)

func TestTheSchemaIsCurrent(t *testing.T) {
	want, err := generate(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	if got := schema.JSON(); !bytes.Equal(got, want) {
		t.Errorf("schema/connection.schema.json (%d bytes) is not what the Go types and their comments give (%d bytes): run go generate ./schema",
			len(got), len(want))
	}
}

func TestGenerateRefusesFactsAboutFieldsThatAreNotThere(t *testing.T) {
	g := &generator{source: &source{}, facts: map[string]fact{"Connection.Colour": {}}, used: make(map[string]bool)}
	g.define(connectionType)
	if err := g.allUsed(); err == nil || !strings.Contains(err.Error(), "Connection.Colour") {
		t.Errorf("a fact about Connection.Colour: got the error %v, want one that names it", err)
	}
}

func TestGenerateNeedsTheSource(t *testing.T) {
	if _, err := generate(fstest.MapFS{}); err == nil {
		t.Error("generate in an empty folder gives no error")
	}
}

// A loaded schema is one as a validator sees it.
type loaded struct {
	Pattern     string
	Description string
	Enum        []any
	AnyOf       []loaded
	AllOf       []loaded
	Properties  map[string]loaded
	Defs        map[string]loaded `json:"$defs"`
}

func load(t *testing.T) map[string]loaded {
	t.Helper()
	var s loaded
	if err := json.Unmarshal(schema.JSON(), &s); err != nil {
		t.Fatal(err)
	}
	return s.Defs
}

// TestClosedSetsAreThoseOfTheLibrary holds each enum to what the library takes, and to the list that its refusal tells.
func TestClosedSetsAreThoseOfTheLibrary(t *testing.T) {
	defs := load(t)
	for _, row := range closedSets {
		t.Run(row.def+"."+row.property, func(t *testing.T) {
			enum := texts(defs[row.def].Properties[row.property].AnyOf[0].Enum)
			if len(enum) < 2 {
				t.Fatalf("the schema lists %q", enum)
			}
			for _, value := range enum {
				if p := problemOf(row, value); p != nil {
					t.Errorf("the schema offers %q, and the library refuses it: %v", value, p)
				}
			}
			p := problemOf(row, "nonsense")
			if p == nil {
				t.Fatal("the library takes nonsense")
			}
			if told := named(p.Hint); row.property != "profile" && !slices.Equal(told, enum) {
				t.Errorf("the schema offers %q, and the library's hint %q", enum, told)
			}
		})
	}
}

type closedSet struct {
	def, property string
	field         string // as the library calls it
	set           func(c *jwtbearer.Connection, value string)
}

var closedSets = []closedSet{
	{"Connection", "mediaType", "MediaType", func(c *jwtbearer.Connection, v string) { c.MediaType = jwtbearer.MediaType(v) }},
	{"Connection", "successMediaType", "SuccessMediaType", func(c *jwtbearer.Connection, v string) { c.SuccessMediaType = jwtbearer.MediaType(v) }},
	{"Connection", "errorMediaType", "ErrorMediaType", func(c *jwtbearer.Connection, v string) { c.ErrorMediaType = jwtbearer.MediaType(v) }},
	{"Connection", "secretEncoding", "SecretEncoding", func(c *jwtbearer.Connection, v string) { c.SecretEncoding = jwtbearer.SecretEncoding(v) }},
	{"Connection", "signatureMethod", "SignatureMethod", func(c *jwtbearer.Connection, v string) { c.SignatureMethod = jwtbearer.SignatureMethod(v) }},
	{"Placement", "in", "Placement[0].In", func(c *jwtbearer.Connection, v string) { c.Placement = []jwtbearer.Placement{{In: v, Name: "jwt"}} }},
	{"RateLimit", "profile", "RateLimit.Profile", func(c *jwtbearer.Connection, v string) { c.RateLimit.Profile = v }},
	{"RateLimit", "combine", "RateLimit.Combine", func(c *jwtbearer.Connection, v string) { c.RateLimit.Combine = v }},
	{"Rule", "class", "RateLimit.Rules[0].Class", func(c *jwtbearer.Connection, v string) {
		c.RateLimit.Rules = []jwtbearer.Rule{{Status: []int{429}, Class: v}}
	}},
	{"Extract", "as", "RateLimit.Wait[0].As", func(c *jwtbearer.Connection, v string) { c.RateLimit.Wait = []jwtbearer.Extract{{As: v}} }},
	{"TLS", "minVersion", "TLS.MinVersion", func(c *jwtbearer.Connection, v string) { c.TLS.MinVersion = v }},
	{"Exchange", "encoding", "Exchange.Encoding", func(c *jwtbearer.Connection, v string) { c.Exchange = &jwtbearer.Exchange{Encoding: v} }},
}

// problemOf is what the library says of the field with that value, or nil.
func problemOf(row closedSet, value string) *jwtbearer.ConfigError {
	conn := new(jwtbearer.Connection)
	row.set(conn, value)
	joined, _ := conn.Validate().(interface{ Unwrap() []error })
	if joined == nil {
		return nil
	}
	for _, err := range joined.Unwrap() {
		if p, ok := errors.AsType[*jwtbearer.ConfigError](err); ok && p.Field == row.field {
			return p
		}
	}
	return nil
}

// named are the values that a hint lists.
func named(hint string) []string {
	words := strings.FieldsFunc(hint, func(r rune) bool { return r == ',' || r == ' ' })
	return slices.DeleteFunc(words, func(w string) bool { return w == "use" || w == "one" || w == "of" || w == "or" })
}

// texts are those among the values: 1.2 in YAML is a number, but stands for a text that is there too.
func texts(values []any) []string {
	var all []string
	for _, v := range values {
		if text, ok := v.(string); ok {
			all = append(all, text)
		}
	}
	return all
}

func TestTheNamesOfMethodsAreThoseThatTheLibraryTakes(t *testing.T) {
	pattern := regexp.MustCompile(load(t)["Connection"].Properties["signatureMethod"].AnyOf[1].Pattern)
	row := closedSets[slices.IndexFunc(closedSets, func(row closedSet) bool { return row.property == "signatureMethod" })]
	for _, kind := range []string{"hs", "rs", "ps", "es", "hmac-sha", "rsa-sha", "RSA-PSS-SHA", "rsapss-sha", "Rsassa-Pss-sha", "ecdsa-SHA", "dsa-sha", "hmac", "rs-"} {
		for _, size := range []string{"", "1", "256", "384", "512", "256 ", "256x"} {
			for _, name := range []string{kind + size, " " + strings.ToUpper(kind) + size} {
				taken := problemOf(row, name) == nil
				if got := pattern.MatchString(name); got != taken {
					t.Errorf("signatureMethod %q: the schema takes it: %t, the library: %t", name, got, taken)
				}
			}
		}
	}
	for name, want := range map[string]bool{"eddsa": true, "ED25519": true, "Ed448": false, "none": false} {
		if got := pattern.MatchString(name); got != want {
			t.Errorf("signatureMethod %q: the schema takes it: %t, want %t", name, got, want)
		}
	}
}

func TestDurationsAreWrittenAsGoReadsThem(t *testing.T) {
	defs := load(t)
	unsigned := regexp.MustCompile(defs["duration"].AnyOf[0].Pattern)
	signed := regexp.MustCompile(defs["durationOrNone"].AnyOf[0].Pattern)
	for _, text := range []string{"0", "0s", "1m30s", "250ms", "1.5h", ".5s", "1.s", "5us", "5µs", "5μs", "9ns", "+3s", "-1s", "-1m30s",
		"", "5", "1 m", "1d", "s", "1m-3s", "1e3s", ".s", "-", "1h30", "90 seconds"} {
		d, err := time.ParseDuration(text)
		if got, want := signed.MatchString(text), err == nil; got != want {
			t.Errorf("a duration or none, %q: the schema takes it: %t, time.ParseDuration: %t", text, got, want)
		}
		if got, want := unsigned.MatchString(text), err == nil && d >= 0; got != want {
			t.Errorf("a duration, %q: the schema takes it: %t, want %t", text, got, want)
		}
	}
}

func TestEveryFieldIsDescribedInTheWordsOfFiles(t *testing.T) {
	goNames := regexp.MustCompile(`\b(BaseURI|HTTPHeaders|JWTHeaders|PrivateKey|SignatureMethod|SecretEncoding|[A-Z]\w*MediaType|TokenReuse|` +
		`Allow\w+|TokenURL|Transport|Lookup|Nil)\b`)
	for name, def := range load(t) {
		for property, s := range def.Properties {
			if s.Description == "" {
				t.Errorf("%s.%s has no description", name, property)
			}
			if found := goNames.FindString(s.Description); found != "" {
				t.Errorf("the description of %s.%s speaks of %s: %s", name, property, found, s.Description)
			}
		}
	}
}

func TestDescribe(t *testing.T) {
	type Limit struct {
		Per int `json:"per,omitzero"`
	}
	for _, row := range []struct{ comment, want string }{
		{"Per is the time.", "per is the time."},
		{"Person is no field.", "Person is no field."},
		{"Per of Limit.Requests, as {{.Fields.Per}} and X-Per.", "per of limit.requests, as {{.Fields.Per}} and X-Per."},
		{"Unless BaseURI. Name is a word.", "Unless baseURI. Name is a word."},
		{"Used so. It cannot be combined with Transport. Or so.", "Used so. Or so."},
		{"Nil means none.", "Empty means none."},
	} {
		s := &source{comments: map[string]string{"Limit.Per": row.comment}}
		typ := reflect.TypeFor[Limit]()
		if got := s.describe(typ, typ.Field(0)); got != row.want {
			t.Errorf("describe(%q) = %q, want %q", row.comment, got, row.want)
		}
	}
}
