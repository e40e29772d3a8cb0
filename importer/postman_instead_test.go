package importer

import (
	"fmt"
	"strings"
	"testing"
)

// scripted is a collection whose requests have that auth and header, with a script that sets {{jwt}}.
func scripted(auth, header string) string {
	return `{"info":{"name":"x"},"event":[{"listen":"prerequest","script":{"exec":["const t = KJUR.jws.JWS.sign('RS256', h, p, key);","pm.environment.set(\"jwt\", t);"]}}],` +
		`"item":[{"name":"a","request":{` + auth + `"method":"GET","header":[` + header + `],"url":"https://api.example.com/a"}}]}`
}

func TestCollectionsThatSignInAScriptAreExplained(t *testing.T) {
	for name, doc := range map[string]string{
		"auth of a request":   scripted(`"auth":{"type":"bearer","bearer":[{"key":"token","value":"{{jwt}}"}]},`, ""),
		"auth as an object":   scripted(`"auth":{"type":"bearer","bearer":{"token":"{{ jwt }}"}},`, ""),
		"a header":            scripted("", `{"key":"Authorization","value":"Bearer {{jwt}}"}`),
		"a header of its own": scripted("", `{"key":"X-Token","value":"{{jwt}}"}`),
		"an API key":          scripted(`"auth":{"type":"apikey","apikey":[{"key":"value","value":"JWT {{jwt}}"},{"key":"key","value":"Authorization"}]},`, ""),
	} {
		_, err := Postman([]byte(doc))
		if err == nil || !strings.Contains(err.Error(), "{{jwt}}") || !strings.Contains(err.Error(), "script (event[0])") || !strings.Contains(err.Error(), "choose JWT Bearer") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v; want an error that names {{jwt}}, the script, and what to do", name, err)
		}
	}
}

func TestCollectionsWithOtherAuthSayWhatTheyHave(t *testing.T) {
	for auth, want := range map[string]string{
		`"auth":{"type":"oauth2","oauth2":[]},`:                                              "auth of type oauth2",
		`"auth":{"type":"bearer","bearer":[{"key":"token","value":"eyJhbGciOiJub25lIn0"}]},`: "auth of type bearer",
		`"auth":{"type":"bearer","bearer":[{"key":"token","value":"{{elsewhere}}"}]},`:       "{{elsewhere}}",
	} {
		_, err := Postman([]byte(scripted(auth, "")))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "choose JWT Bearer") || strings.Contains(err.Error(), "eyJ") {
			t.Errorf("%s: %v; want an error that says %q, and what to do", auth, err, want)
		}
	}
}

func TestAcceptEncodingOfAnotherClientIsLeftOut(t *testing.T) {
	header := `"header":[{"key":"accept-encoding","value":"gzip, br"}],`
	conn, notes := importOne(t, Postman, postmanDoc("", "", strings.Replace(postmanGET("x", "https://api.example.com/v1"), `"method"`, header+`"method"`, 1)))
	if len(conn.HTTPHeaders) > 0 || len(conn.Ping.Headers) > 0 || !strings.Contains(fmt.Sprint(notes), "Accept-Encoding") {
		t.Errorf("Postman: the headers are %v and %v, with the notes %v; want none, and a note", conn.HTTPHeaders, conn.Ping.Headers, notes)
	}
	conn, notes = importOne(t, Celigo, celigoDoc(`"headers":[{"name":"Accept-Encoding","value":"gzip"}],`, ""))
	if len(conn.HTTPHeaders) > 0 || !hasNote(notes, "http.headers[0]", NoteDropped) {
		t.Errorf("Celigo: the headers are %v, with the notes %v; want none, and a note", conn.HTTPHeaders, notes)
	}
}
