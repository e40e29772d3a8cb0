package importer

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/connfile"
	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

// testSecret is a TESTING KEY, for HMAC; in base64 it is one for HMAC, too.
const testSecret = "VEVTVElORyBLRVkgVEVTVElORyBLRVkgVEVTVElORyBLRVk="

func testData(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// importOne returns the only connection of an import.
func importOne(t *testing.T, from func([]byte) (*Result, error), doc string) (*jwtbearer.Connection, []Note) {
	t.Helper()
	out, err := from([]byte(doc))
	if err != nil {
		t.Fatalf("import of %s: %v", doc, err)
	}
	if len(out.Connections) != 1 {
		t.Fatalf("import of %s: %d connections, want 1", doc, len(out.Connections))
	}
	return out.Connections[0], out.Notes
}

// mint returns header and claims of a token of conn, whose references all give testSecret but those in known.
func mint(t *testing.T, conn *jwtbearer.Connection, known map[string]string) (header, claims map[string]any) {
	t.Helper()
	conn.Lookup = func(ref string) (string, error) {
		if value, ok := known[ref]; ok {
			return value, nil
		}
		return testSecret, nil
	}
	client, err := jwtbearer.NewClient(conn)
	if err != nil {
		t.Fatalf("NewClient: %v", err)
	}
	defer client.CloseIdleConnections()
	token, err := client.Mint(t.Context(), nil)
	if err != nil {
		t.Fatalf("Mint: %v", err)
	}
	parsed, err := jwt.NewParser(jwt.WithJSONNumber(), jwt.WithoutClaimsValidation()).Parse(token, func(token *jwt.Token) (any, error) {
		if key, ok := known["key"]; ok {
			return []byte(key), nil
		}
		return []byte(testSecret), nil
	})
	if err != nil {
		t.Fatalf("token %s: %v", token, err)
	}
	return parsed.Header, parsed.Claims.(jwt.MapClaims)
}

// nearNow reports whether a claim is the present plus offset, in a unit of which there are so many in a second.
func nearNow(claim any, offset, perSecond int64) bool {
	n, ok := claim.(json.Number)
	if !ok {
		return false
	}
	value, err := n.Int64()
	now := time.Now().UnixMilli() * perSecond / 1000
	return err == nil && value <= now+offset*perSecond+perSecond && value >= now+offset*perSecond-5*perSecond
}

func hasNote(notes []Note, path string, kind NoteKind) bool {
	return slices.ContainsFunc(notes, func(n Note) bool { return n.Path == path && n.Kind == kind })
}

// shape is all that an import says, to compare it.
func shape(out *Result, err error) string {
	if err != nil {
		return "error: " + err.Error()
	}
	var b strings.Builder
	for _, c := range out.Connections {
		text, err := json.Marshal(c)
		fmt.Fprintf(&b, "%s %v\n", text, err)
	}
	for _, n := range out.Notes {
		fmt.Fprintln(&b, n)
	}
	return b.String()
}

// mutations calls visit for every member and element of v that is no array or object, with a function that gives the text of
// the whole with that value changed; and for every object, with one more member.
func mutations(root *jsontext.Value, visit func(path string, mutated string, added bool)) {
	var walk func(path string, v *jsontext.Value)
	walk = func(path string, v *jsontext.Value) {
		switch v.Kind {
		case jsontext.Object:
			plain := v.Members
			v.Members = append(slices.Clone(plain), jsontext.Member{Name: "zzAdded", Value: jsontext.Value{Kind: jsontext.Number, Text: "7"}})
			visit(joinPath(path, "zzAdded"), string(root.Append(nil)), true)
			v.Members = plain
			for i := range v.Members {
				walk(joinPath(path, v.Members[i].Name), &v.Members[i].Value)
			}
		case jsontext.Array:
			for i := range v.Elems {
				walk(fmt.Sprintf("%s[%d]", path, i), &v.Elems[i])
			}
		default:
			plain := *v
			for _, changed := range changes(plain) {
				*v = changed
				visit(path, string(root.Append(nil)), false)
			}
			*v = plain
		}
	}
	walk("", root)
}

// changes are other values of the same kind, and one of another.
func changes(v jsontext.Value) []jsontext.Value {
	other := jsontext.Value{Kind: jsontext.Array, Elems: []jsontext.Value{{Kind: jsontext.Object,
		Members: []jsontext.Member{{Name: "zz", Value: jsontext.Value{Kind: jsontext.Number, Text: "1"}}}}}}
	switch v.Kind {
	case jsontext.String:
		return []jsontext.Value{jsonString(v.Text + "zz"), other}
	case jsontext.Number:
		return []jsontext.Value{{Kind: jsontext.Number, Text: v.Text + "1"}, other}
	}
	flipped := map[string]string{"true": "false", "false": "true", "null": "7"}
	return []jsontext.Value{{Text: flipped[v.Text]}, other}
}

// testEveryMemberIsToldOrCarried changes every single value of a document, and adds a member to every object: unless it is one of
// passed, which may end in a star, the import must differ, and an added member must have a note of its own.
func testEveryMemberIsToldOrCarried(t *testing.T, from func([]byte) (*Result, error), doc []byte, passed ...string) {
	t.Helper()
	root, err := jsontext.Parse(string(doc))
	if err != nil {
		t.Fatal(err)
	}
	out, err := from(doc)
	if err != nil {
		t.Fatal(err)
	}
	before := shape(out, nil)
	isPassed := func(path string) bool {
		return slices.ContainsFunc(passed, func(p string) bool {
			prefix, star := strings.CutSuffix(p, "*")
			return path == p || star && strings.HasPrefix(path, prefix)
		})
	}
	used := make(map[string]bool)
	visited := 0
	mutations(&root, func(path, mutated string, added bool) {
		visited++
		out, err := from([]byte(mutated))
		if isPassed(path) {
			used[path] = true
			return
		}
		told := err != nil || slices.ContainsFunc(out.Notes, func(n Note) bool {
			return n.Path == path || n.Kind == NoteDropped && n.Path != "" && strings.HasPrefix(path, n.Path+".")
		})
		switch {
		case shape(out, err) == before && !told:
			t.Errorf("%s was changed, and the import is the same: it is neither carried over nor told\n%s", path, mutated)
		case added && !told && !holdsText(out, "zzAdded"):
			t.Errorf("%s was added, and no note tells of it", path)
		}
	})
	if visited < 50 || len(used) == 0 {
		t.Errorf("%d changes were tried, %v of them passed over: the document says too little", visited, slices.Sorted(maps.Keys(used)))
	}
}

// holdsText reports whether a connection holds a text anywhere.
func holdsText(out *Result, text string) bool {
	return strings.Contains(shape(&Result{Connections: out.Connections}, nil), text)
}

func TestNotesPrintOnOneLine(t *testing.T) {
	for _, tt := range []struct {
		note Note
		want string
	}{
		{Note{"http.rateLimit.limit", NoteAssumed, "taken for milliseconds"}, "assumed: http.rateLimit.limit: taken for milliseconds"},
		{Note{"", NoteDropped, "nothing"}, "dropped: nothing"},
		{Note{"a\r\nb", NoteDropped, "of\tseveral\u2028lines \x1b[31m"}, "dropped: a  b: of several lines  [31m"},
	} {
		if got := tt.note.String(); got != tt.want {
			t.Errorf("%#v.String() = %q, want %q", tt.note, got, tt.want)
		}
	}
}

func TestImportersRefuseWhatIsNoDocument(t *testing.T) {
	huge := strings.Repeat(" ", maxSize) + "{}"
	for name, from := range map[string]func([]byte) (*Result, error){"Celigo": Celigo, "Postman": Postman} {
		for _, tt := range []struct{ doc, want string }{
			{"", "line 1, column 1: expected a value"},
			{"name: x", "not JSON"},
			{`{"a": 1, "a": 2}`, "column 10: the name"},
			{strings.Repeat("[", 600), "nested too deep"},
			{huge, "8388610 bytes"},
			{"5", "the document is n"},
			{`"text"`, "the document is n"},
		} {
			out, err := from([]byte(tt.doc))
			if err == nil || out != nil || !strings.HasPrefix(err.Error(), "importer: "+name+": ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("import %s of %.30q: %v, %v; want an error with %q", name, tt.doc, out, err, tt.want)
			}
		}
	}
}

func TestEnvironmentVariablesAreNamedForWhatTheyHold(t *testing.T) {
	for name, want := range map[string]string{
		"Acme API": "ACME_API", "apiKey": "API_KEY", "jwt_secret": "JWT_SECRET", "  x--y  ": "X_Y", "": "CONNECTION", "42": "CONNECTION_42",
		"Überfluß": "BERFLU", "HTTPServer": "HTTPSERVER", "a.b.c": "A_B_C", strings.Repeat("n", 200): strings.Repeat("N", longestEnv),
	} {
		if got := envName(name); got != want {
			t.Errorf("envName(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestNamesOfSecretsAreKnown(t *testing.T) {
	for _, name := range []string{"Authorization", "X-Api-Key", "apikey", "client_secret", "clientSecret", "password", "X-Auth-Token", "key", "Cookie"} {
		if !namesSecret(name) {
			t.Errorf("namesSecret(%q) = false", name)
		}
	}
	for _, name := range []string{"Accept", "keyId", "kid", "tenant", "token_url", "X-Tokens-Left", "monkey", "secretary", ""} {
		if namesSecret(name) {
			t.Errorf("namesSecret(%q) = true", name)
		}
	}
}

func TestNotesAreOneLineEach(t *testing.T) {
	docs := map[string]func([]byte) (*Result, error){
		celigoDoc("", `,"payload":{"exp":"{{connection.http.unencrypted.user}}","iat":3600,"nbf":"{{timestamp}}"}`):                  Celigo,
		postmanDoc(`,"payload":"{\"exp\": {{life}}, \"iat\": 3600, \"nbf\": \"1\"}"`, "", `{"request":{"url":"api.example.com/x"}}`): Postman,
	}
	for _, name := range []string{"celigo", "postman"} {
		docs[string(testData(t, name+"/acme.json"))] = map[string]func([]byte) (*Result, error){"celigo": Celigo, "postman": Postman}[name]
	}
	for doc, from := range docs {
		out, err := from([]byte(doc))
		if err != nil || len(out.Notes) < 3 {
			t.Errorf("import of %.100s: %v, %v, want notes", doc, out, err)
			continue
		}
		for _, n := range out.Notes {
			if line := n.String(); strings.ContainsAny(line, "\n\r\t") || line != strings.TrimSpace(line) {
				t.Errorf("import of %.100s: the note %q is more than a line", doc, line)
			}
		}
	}
}

func TestLiteralTextIsNoTemplate(t *testing.T) {
	for _, tt := range []struct {
		pieces []piece
		want   string
	}{
		{[]piece{{"a", false}, {"now", true}}, "a{{now}}"},
		{[]piece{{"{{now}}", false}}, `{{"{{"}}now}}`},
		{[]piece{{"{", false}, {"{now}}", false}}, `{{"{{"}}now}}`},
		{[]piece{{"{", false}, {"now", true}, {"}", false}}, `{{"{"}}{{now}}}`},
		{[]piece{{"${env:HOME}", false}}, `{{"${env:HOME}"}}`},
		{[]piece{{"${env:", false}, {"HOME}", false}}, `{{"${env:HOME}"}}`},
		{[]piece{{"at ${env:HOME} and ${file:x}", false}}, `at {{"${"}}env:HOME} and {{"${"}}file:x}`},
		{[]piece{{"${vault:x}", false}}, `{{"${vault:x}"}}`},
	} {
		got := value{pieces: tt.pieces}.template()
		if got != tt.want {
			t.Errorf("template of %v = %s, want %s", tt.pieces, got, tt.want)
			continue
		}
		conn := &jwtbearer.Connection{BaseURI: "https://api.example.com", SignatureMethod: jwtbearer.HS256, Secret: testSecret,
			Payload: jwtbearer.JSON(jsontext.Value{Kind: jsontext.Object,
				Members: []jsontext.Member{{Name: "x", Value: jsonString(strings.ReplaceAll(got, "{{now}}", `{{"now"}}`))}}}.Append(nil))}
		var plain strings.Builder
		for _, p := range tt.pieces {
			plain.WriteString(p.text)
		}
		if _, claims := mint(t, conn, nil); claims["x"] != plain.String() {
			t.Errorf("template %s gives %v, want %q", got, claims["x"], plain.String())
		}
	}
}

func TestImportedConnectionsAreEqualEachTime(t *testing.T) {
	for name, from := range map[string]func([]byte) (*Result, error){"celigo/acme.json": Celigo, "postman/acme.json": Postman} {
		data := testData(t, name)
		first, err := from(data)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if again, err := from(data); err != nil || !reflect.DeepEqual(first, again) {
				t.Fatalf("%s: a second import differs: %v\n%s\n%s", name, err, shape(first, nil), shape(again, err))
			}
		}
	}
}

// sameConnections compares what files can say of connections.
func sameConnections(a, b []*jwtbearer.Connection) bool {
	return shape(&Result{Connections: a}, nil) == shape(&Result{Connections: b}, nil)
}

func TestImportsAreMarshalledAndParsedAgain(t *testing.T) {
	for name, from := range map[string]func([]byte) (*Result, error){"celigo/acme.json": Celigo, "postman/acme.json": Postman} {
		out, err := from(testData(t, name))
		if err != nil {
			t.Fatal(err)
		}
		var file []byte
		for _, c := range out.Connections {
			text, err := connfile.Marshal(c)
			if err != nil {
				t.Fatalf("%s: Marshal: %v", name, err)
			}
			file = append(append(file, "---\n"...), text...)
		}
		again, err := connfile.Parse(file)
		if err != nil {
			t.Fatalf("%s: Parse of what Marshal gave: %v\n%s", name, err, file)
		}
		if !sameConnections(out.Connections, again) {
			t.Errorf("%s: got  %s\nwant %s", name, shape(&Result{Connections: again}, nil), shape(&Result{Connections: out.Connections}, nil))
		}
		if strings.Contains(string(file), "PLANTED") || strings.Contains(string(file), "******") {
			t.Errorf("%s: the file holds a secret, or what stands for one:\n%s", name, file)
		}
	}
}

// Foreign documents may be hostile: each of these would take hours, or more memory than there is, if the work grew faster than they do.
func TestImportersTakeNoLongerThanDocumentsAreLong(t *testing.T) {
	const size = 1 << 20
	repeat := func(text string) string { return strings.Repeat(text, size/len(text)) }
	numbered := func(format string) string {
		var b strings.Builder
		for i := 0; b.Len() < size; i++ {
			fmt.Fprintf(&b, format, i, strings.Repeat("-", i%50))
		}
		return strings.TrimSuffix(b.String(), ",")
	}
	deep := strings.Repeat(`{"`+strings.Repeat("n", 1000)+`":`, 450) + "[" + repeat("1,") + "1]" + strings.Repeat("}", 450)
	const request = `{"request":{"url":"https://api.example.com/x"}}`
	celigo := map[string]string{
		"comments":           celigoDoc("", `,"payload":{"x":"`+repeat("a{{!}}")+`"}`),
		"escapes":            celigoDoc("", `,"payload":{"x":"`+repeat(`\\{{`)+`"}`),
		"constants":          celigoDoc("", `,"payload":{"x":"`+repeat("{{add 1 1}}")+`"}`),
		"names":              strings.Replace(celigoDoc("", `,"payload":{"x":"`+repeat("{{connection.name}}")+`"}`), "Acme", strings.Repeat("n", size), 1),
		"separators":         celigoDoc("", `,"payload":{"x":"{{join '`+strings.Repeat("n", size)+`'`+repeat(" 1")+`}}"}`),
		"unclosed":           celigoDoc("", `,"payload":{"x":"`+repeat("{{(")+`"}`),
		"members":            celigoDoc("", `,"payload":{`+numbered(`"m%d%s":1,`)+`}`),
		"unknown":            celigoDoc(numbered(`"m%d%s":1,`)+`,`, ""),
		"names that clash":   celigoDoc(`"encrypted":{`+numbered(`"%d%s":1,`)+`},`, ""),
		"headers":            celigoDoc(`"headers":[`+numbered(`{"name":"h%d%s","value":"v"},`)+`],`, ""),
		"deep names":         celigoDoc("", `,"payload":`+deep),
		"private characters": celigoDoc("", `,"payload":"`+repeat("x")+strings.Repeat("\U000f0000\U000f0001", 1000)+`{{a}}"`),
		"names of one list":  "[" + repeat(celigoDoc("", "")+",") + celigoDoc("", "") + "]",
	}
	postman := map[string]string{
		"attributes":      `{"auth":{"type":"jwt","jwt":[` + numbered(`{"key":"k%d%s","value":1},`) + `]},"item":[` + request + `]}`,
		"origins":         postmanDoc("", "", numbered(`{"request":{"url":"https://h%d.example.com/%s"}},`)),
		"variables":       postmanDoc(`,"payload":"{\"x\": \"`+repeat("{{v}}")+`\"}"`, `{"key":"v","value":"{{n}}{{n}}"},{"key":"n","value":"`+strings.Repeat("n", 20000)+`"}`, request),
		"short variables": postmanDoc("", `{"key":"v","value":"n"}`, `{"request":{"url":"https://api.example.com/`+repeat("{{v}}")+`"}}`),
		"folders":         postmanDoc("", "", strings.Repeat(`{"name":"`+strings.Repeat("n", 1000)+`","item":[`, 200)+repeat(request+",")+request+strings.Repeat("]}", 200)),
		"requests":        postmanDoc(`,"payload":"{}"`, "", repeat(request+",")+request),
		"braces":          postmanDoc(`,"payload":"`+repeat("{")+`"`, "", request),
	}
	limit := timeFactor * 5 * time.Second // each takes some ms to a second
	for name, doc := range celigo {
		testQuick(t, "Celigo: "+name, Celigo, doc, limit)
	}
	for name, doc := range postman {
		testQuick(t, "Postman: "+name, Postman, doc, limit)
	}
}

func testQuick(t *testing.T, name string, from func([]byte) (*Result, error), doc string, limit time.Duration) {
	t.Helper()
	start := time.Now()
	out, err := from([]byte(doc))
	took := time.Since(start)
	if err != nil || len(out.Connections) == 0 {
		t.Errorf("%s: %v", name, err)
		return
	}
	longest := 0
	for _, c := range out.Connections {
		longest = max(longest, len(c.Payload)+len(c.BaseURI)+len(c.Ping.RelativeURI))
	}
	if took > limit || longest > 10*len(doc)+maxSize {
		t.Errorf("%s: took %v, and the longest result has %d bytes of %d", name, took, longest, len(doc))
	}
	if testing.Verbose() {
		t.Logf("%s: %v, %d bytes of %d, %d notes", name, took, longest, len(doc), len(out.Notes))
	}
}
