// Package importer makes connections (jwtbearer.Connection) of what other platforms export: it knows the documents of Celigo's
// integrator.io and of Postman, and which settings and templates say the same here. It must never take over a secret, guess at
// what it does not know, or leave something out without a note.
//
//	result, err := importer.Postman(collection)
//	if err != nil {
//		log.Fatal(err)
//	}
//	for _, note := range result.Notes {
//		fmt.Fprintln(os.Stderr, note)
//	}
//	file, err := connfile.Marshal(result.Connections[0])
//
// Expressions that have no counterpart among the functions of templates (arithmetic, hashes, random values and whatever else
// is not named at Celigo and Postman) become fields that are not set, so that NewClient refuses the connection and names the
// place.
package importer

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/internal/foreign"
	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

// Result is what was made of a document.
type Result struct {
	// Connections are in the order of the document. Each has a name of its own. No secret is in them: where the document has
	// or hides one, there is a reference such as ${env:ACME_API_SECRET}.
	Connections []*jwtbearer.Connection

	// Notes hold all that a person should know of it, in the order in which it was found.
	Notes []Note
}

// Note is something that a person should know of an import. It never shows a value that may be a secret.
type Note struct {
	Path string   // where in the foreign document, such as http.rateLimit.limit; empty: all of it
	Kind NoteKind // what happened to it
	Text string   // what to know and what to do, as a sentence without a full stop
}

// String gives the note on one line, whatever the names in the document hold.
func (n Note) String() string {
	text := n.Text
	if n.Path != "" {
		text = n.Path + ": " + n.Text
	}
	return strings.Map(func(r rune) rune {
		if r != ' ' && !unicode.IsGraphic(r) || unicode.Is(unicode.Zs, r) {
			return ' '
		}
		return r
	}, string(n.Kind)+": "+text)
}

// NoteKind says what happened to a part of a foreign document.
type NoteKind string

const (
	NoteDropped NoteKind = "dropped" // it is not in the connection
	NoteChanged NoteKind = "changed" // it is in the connection, in another form
	NoteAssumed NoteKind = "assumed" // the document or its documentation leaves open what it means
	NoteSecret  NoteKind = "secret"  // a value that has to be provided
)

// maxSize bounds a foreign document: collections of requests with sample responses grow large.
const maxSize = 8 << 20

// importing gathers what an importer finds in one document.
type importing struct {
	notes    []Note
	prefixes uniqueNames // of environment variables, one a connection
	names    uniqueNames // of connections
}

func newImporting() *importing {
	return &importing{prefixes: make(uniqueNames), names: make(uniqueNames)}
}

// uniqueNames are names that are taken, each with the number that the next of its like gets.
type uniqueNames map[string]int

// unique returns name, or name, separator and a number where name is taken.
func (taken uniqueNames) unique(name, separator string) string {
	unique := name
	for taken[unique] > 0 {
		taken[name]++
		unique = fmt.Sprintf("%s%s%d", name, separator, taken[name])
	}
	taken[unique] = 1
	return unique
}

func (im *importing) note(kind NoteKind, path, format string, args ...any) {
	im.notes = append(im.notes, Note{Path: path, Kind: kind, Text: fmt.Sprintf(format, args...)})
}

func (im *importing) dropped(path, format string, args ...any) {
	im.note(NoteDropped, path, format, args...)
}
func (im *importing) changed(path, format string, args ...any) {
	im.note(NoteChanged, path, format, args...)
}
func (im *importing) assumed(path, format string, args ...any) {
	im.note(NoteAssumed, path, format, args...)
}

// readDocument reads data, a document of the named platform.
func readDocument(data []byte, platform string) (jsontext.Value, error) {
	if len(data) > maxSize {
		return jsontext.Value{}, fmt.Errorf("importer: %s: the document has %d bytes, and %d are read: export less at once",
			platform, len(data), maxSize)
	}
	if doc, ok := foreign.Recognise(data); ok && doc.Tool != platform {
		return jsontext.Value{}, fmt.Errorf("importer: %s: this is %s: %s", platform, doc.What, doc.Advice())
	}
	v, err := jsontext.Parse(strings.TrimPrefix(string(data), "\ufeff"))
	if bad, ok := errors.AsType[*jsontext.SyntaxError](err); ok {
		// The problem itself may show the name of a member, and this may not even be the document that was meant.
		problem, _, _ := strings.Cut(bad.Problem, `"`)
		return v, fmt.Errorf("importer: %s: not JSON: line %d, column %d: "+
			"%s", platform, bad.Line, bad.Column, strings.TrimSpace(problem))
	}
	return v, nil
}

// result is what was imported.
func (im *importing) result(conns []*connection) *Result {
	out := &Result{Notes: im.notes}
	for _, c := range conns {
		c.Fields, c.Secrets = orNil(c.Fields), orNil(c.Secrets)
		c.HTTPHeaders, c.Ping.Headers = orNil(c.HTTPHeaders), orNil(c.Ping.Headers)
		out.Connections = append(out.Connections, c.Connection)
	}
	return out
}

// orNil is m, or nil where it is empty.
func orNil[V any](m map[string]V) map[string]V {
	if len(m) == 0 {
		return nil
	}
	return m
}

const looksLikeReference = "looks like a reference of a connection file; ignored: write it yourself if you mean it"

// isReference reports whether a connection would take s for a reference, and not for what it says: all that is wholly ${…} is one.
func isReference(s string) bool {
	return strings.HasPrefix(s, "${") && strings.HasSuffix(s, "}")
}
