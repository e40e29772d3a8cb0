// Package connfile reads and writes connections (jwtbearer.Connection) as YAML or JSON files: it knows how settings are
// written, and where in a file a mistake is. It must never know what the settings mean, nor show the value of one.
//
//	name: shop
//	baseURI: https://api.example.com/v1
//	signatureMethod: ES256
//	privateKey: ${file:shop.pem} # beside this file
//	payload:
//	  iss: "{{.Fields.issuer}}"
//	  aud: https://api.example.com
//	fields:
//	  issuer: 69a6de70-03db-47e3-e053-5b8c7c11a4d1
//	lifetime: 20m
//	rateLimit:
//	  limits:
//	    - requests: 300
//	      per: 1m
//	authFailure:
//	  - status: [401, 403]
//	ping:
//	  relativeURI: /me
//
// Load it and make a Client of it:
//
//	conns, err := connfile.Load("shop.yaml")
//	if err != nil {
//		log.Fatal(err)
//	}
//	client, err := jwtbearer.NewClient(conns[0])
//
// # Settings
//
// The keys are those of the JSON of a Connection, and a JSON file reads the same. A key that is unknown or there twice is an
// error, and so is a value of the wrong type; whether values make sense is checked by Connection.Validate. A key without a
// value, or with null, is as if it were not there. The key $schema, with which JSON files name their schema to editors, is
// ignored.
//
// Durations are written with their units: 1m30s, 500ms. Claims (payload), jwtHeaders and exchange.params are written as nested
// mappings, whose order and numbers are kept as they are written. Text that begins with {{ needs quotes.
//
// Several connections stand in one file as a list, or with a line --- between them, or in one folder. Each needs a name then.
//
// # YAML
//
// Files are read as YAML 1.2, with these differences. Anchors, aliases, merge keys, tags, directives and keys marked by ? are
// errors. So are, in double quotes, \/ and surrogate pairs, which JSON files may have. A number that JSON does not know
// (octal, hexadecimal, with leading zeros, underscores or a plus sign, infinite) is an error, and wants quotes where it is
// text; where text is expected, any other number is taken as it is written, and yes, no, on and off are text everywhere. A
// closing bracket may stand at the column of its key. Files have at most 256 KiB, 5000 keys and list entries, and 100 levels.
//
// # Secrets
//
// Best keep secrets out of connection files: write ${env:NAME} for an environment variable, or ${file:path} for a file in the
// folder of the connection file or below; no .., absolute path or symbolic link leads elsewhere. Load sets Connection.Lookup
// to resolve them; Parse does not. Every text that is wholly ${…} is a reference, and one with another scheme an error here, as is a
// reference inside a longer text. A file that is text loses the line break at its end, if it has one; anything else, such as
// a DER key, is taken as it is. An empty variable or file is an error.
//
// No error of this package shows a value, and Marshal writes no Secret.
package connfile

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/internal/foreign"
)

// Load reads the connections of a file, or of all files *.yaml, *.yml and *.json of a folder, but for hidden ones, in the
// order of their names. It sets Lookup on each, but does not validate them: NewClient does.
//
// Where there are several connections, each needs a name of its own. In a folder, the only connection of a file has the file's
// name, without its extension, if it has none.
func Load(path string) ([]*jwtbearer.Connection, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	if !info.IsDir() {
		return finish(loadFile(path))
	}
	files, err := filesOf(path)
	if err != nil {
		return nil, err
	}
	var all []loaded
	var errs []*Error
	for _, file := range files {
		conns, bad := loadFile(file)
		if len(conns) == 1 {
			conns[0].conn.Name = cmp.Or(conns[0].conn.Name, strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)))
		}
		all, errs = append(all, conns...), append(errs, bad...)
	}
	return finish(all, errs)
}

// Parse reads the connections of a file. Lookup is nil in each, so that a reference is an error of NewClient until the caller
// sets it. As Load, it does not validate them.
func Parse(data []byte) ([]*jwtbearer.Connection, error) {
	return finish(parse("", data))
}

// loaded is a connection and where it was found.
type loaded struct {
	conn *jwtbearer.Connection
	file string
	at   position
}

// finish returns the connections if nothing is wrong with any.
func finish(all []loaded, errs []*Error) ([]*jwtbearer.Connection, error) {
	if errs = append(errs, checkNames(all)...); len(errs) > 0 {
		return nil, joined(errs)
	}
	conns := make([]*jwtbearer.Connection, len(all))
	for i, l := range all {
		conns[i] = l.conn
	}
	return conns, nil
}

// checkNames sees to it that each of several connections has a name of its own.
func checkNames(all []loaded) []*Error {
	if len(all) == 1 {
		return nil
	}
	var errs []*Error
	first := make(map[string]loaded)
	for _, l := range all {
		e := &Error{File: l.file, Line: l.at.line, Column: l.at.column, Field: "name"}
		other, taken := first[l.conn.Name]
		switch {
		case l.conn.Name == "":
			e.Problem, e.Hint = "is not set, and this connection is not the only one", "give each its own"
		case taken:
			e.Problem = showKey(l.conn.Name) + " is that of another connection, too"
			e.Hint = fmt.Sprintf("give each its own; the other begins at %s", other.place())
		default:
			first[l.conn.Name] = l
			continue
		}
		errs = append(errs, e)
	}
	return errs
}

// place is where a connection begins.
func (l loaded) place() string {
	if l.file == "" {
		return fmt.Sprintf("line %d", l.at.line)
	}
	return fmt.Sprintf("%s:%d", l.file, l.at.line)
}

// filesOf returns the connection files of a folder.
func filesOf(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fileError(folder, err)
	}
	var files []string
	for _, entry := range entries {
		ext := strings.ToLower(filepath.Ext(entry.Name()))
		if strings.HasPrefix(entry.Name(), ".") || ext != ".yaml" && ext != ".yml" && ext != ".json" {
			continue
		}
		path := filepath.Join(folder, entry.Name())
		if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
			continue
		}
		files = append(files, path)
	}
	if len(files) == 0 {
		return nil, &Error{File: folder, Problem: "holds no connection file", Hint: "name connection files *.yaml, *.yml or *.json"}
	}
	return files, nil
}

func loadFile(path string) ([]loaded, []*Error) {
	folder, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, []*Error{fileError(path, err)}
	}
	data, err := readFile(path)
	if err != nil {
		return nil, []*Error{fileError(path, err)}
	}
	conns, errs := parse(path, data)
	for _, l := range conns {
		l.conn.Lookup = lookupIn(folder)
	}
	return conns, errs
}

// readFile reads a connection file, or the beginning of one that is too long.
func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readUpTo(file, maxSize)
}

// fileError is the error of a file that cannot be read.
func fileError(path string, err error) *Error {
	return &Error{File: path, Problem: "cannot be read: " + withoutPath(err).Error(), cause: err}
}

// parse reads the connections of a file. With an error it returns those that it could read in part. A document of another tool is
// one error, and not one for each of its keys.
func parse(file string, data []byte) ([]loaded, []*Error) {
	all, errs := parseDocuments(file, data)
	if len(errs) == 0 {
		return all, nil
	}
	if doc, ok := foreign.Recognise(data); ok {
		return nil, []*Error{{File: file, Problem: "is " + doc.What + ", not a connection file", Hint: doc.Advice()}}
	}
	return all, errs
}

func parseDocuments(file string, data []byte) ([]loaded, []*Error) {
	docs, bad := documents(data)
	if bad != nil {
		bad.File = file
		return nil, []*Error{bad}
	}
	var all []loaded
	d := new(decoder)
	for _, doc := range docs {
		n, bad := doc.read()
		if bad != nil {
			d.errs = append(d.errs, bad)
			continue
		}
		for _, n := range connectionsOf(n) {
			if len(all) == maxConnections {
				d.fail(n.at, "", fmt.Sprintf("more than %d connections", maxConnections), "split the file")
				break
			}
			all = append(all, loaded{conn: d.connection(n), file: file, at: n.at})
		}
	}
	switch {
	case len(all) > 0 || len(d.errs) > 0:
	case strings.Trim(string(data), " \t\r\n\ufeff") == "":
		d.errs = append(d.errs, &Error{Problem: "is empty", Hint: "if a program is writing it, wait for that; else write lines such as baseURI: https://api.example.com"})
	default:
		d.errs = append(d.errs, &Error{Problem: "holds no connection", Hint: "write lines such as baseURI: https://api.example.com"})
	}
	for _, e := range d.errs {
		e.File = file
	}
	return all, d.errs
}

// connectionsOf returns the connections in a document: none, one, or a list of them.
func connectionsOf(n node) []node {
	switch n.kind {
	case kindNull:
		return nil
	case kindSequence:
		return n.elems
	}
	return []node{n}
}
