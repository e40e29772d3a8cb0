// Package schema holds the JSON Schema (draft 2020-12) of connection files, by which editors complete and check them.
//
// It is made from the Go types and their doc comments by go generate; a test of the generator fails where it is not current.
package schema

import _ "embed"

//go:generate go run ../internal/schemagen -o connection.schema.json ..

//go:embed connection.schema.json
var text string

// JSON returns the schema.
func JSON() []byte { return []byte(text) }
