package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"reflect"
	"regexp"
	"strings"
)

// source is what the Go files tell besides what reflection shows.
type source struct {
	comments  map[string]string   // by type, or type and field: Connection.BaseURI
	constants map[string][]string // the texts of a type's constants, in their order
}

// readSource reads the files that declare the types of a connection.
func readSource(module fs.FS, names ...string) (*source, error) {
	s := &source{comments: make(map[string]string), constants: make(map[string][]string)}
	set := token.NewFileSet()
	for _, name := range names {
		text, err := fs.ReadFile(module, name)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(set, name, text, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Decls {
			if d, ok := d.(*ast.GenDecl); ok {
				s.readDecl(set, d)
			}
		}
	}
	return s, nil
}

func (s *source) readDecl(set *token.FileSet, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			s.comments[spec.Name.Name] = oneLine(d.Doc)
			if st, ok := spec.Type.(*ast.StructType); ok {
				s.readFields(set, spec.Name.Name, st)
			}
		case *ast.ValueSpec:
			s.readConstant(spec)
		}
	}
}

// readFields notes the comments of the fields of a struct. A field without one shares that of the field on the line above.
func (s *source) readFields(set *token.FileSet, name string, st *ast.StructType) {
	var above string
	var last int
	for _, field := range st.Fields.List {
		text := oneLine(field.Doc)
		if text == "" {
			text = oneLine(field.Comment)
		}
		if text == "" && set.Position(field.Pos()).Line == last+1 {
			text = above
		}
		for _, id := range field.Names {
			s.comments[name+"."+id.Name] = text
		}
		above, last = text, set.Position(field.End()).Line
	}
}

func (s *source) readConstant(spec *ast.ValueSpec) {
	typ, ok := spec.Type.(*ast.Ident)
	if !ok {
		return
	}
	for _, value := range spec.Values {
		if lit, ok := value.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			s.constants[typ.Name] = append(s.constants[typ.Name], strings.Trim(lit.Value, `"`))
		}
	}
}

func oneLine(c *ast.CommentGroup) string { return strings.Join(strings.Fields(c.Text()), " ") }

var (
	sentenceEnd = regexp.MustCompile(`[.] [A-Z]`)
	identifier  = regexp.MustCompile(`[-.]?\b[A-Z]\w*(?:[.][A-Z]\w*|-\w+)*`)
)

// describe is the comment of a field as the reader of a file needs it: fields are called by their keys there, and sentences
// about fields that no file has are left out.
func (s *source) describe(t reflect.Type, f reflect.StructField) string {
	text := strings.ReplaceAll(s.comments[t.Name()+"."+f.Name], " or Key", "") // a crypto.Signer
	var kept []string
	for _, sentence := range sentences(text) {
		concerns := true
		sentence = identifier.ReplaceAllStringFunc(sentence, func(name string) string {
			if connection, ok := connectionType.FieldByName(name); ok && connection.Tag.Get("json") == "-" {
				concerns = false
			}
			return keyOf(t, name)
		})
		if concerns {
			kept = append(kept, sentence)
		}
	}
	return strings.Join(kept, " ")
}

func sentences(text string) []string {
	var all []string
	for {
		at := sentenceEnd.FindStringIndex(text)
		if at == nil {
			return append(all, text)
		}
		all, text = append(all, text[:at[0]+1]), text[at[0]+2:]
	}
}

// keyOf is how a file writes what a comment in the struct t calls by a Go name. A word that is no name of a field stays, as do
// headers and what is in a template: Retry-After, .Fields.name. A lone word is a field of t itself, or of Connection, if no
// English word looks like it and t is not that field.
func keyOf(t reflect.Type, name string) string {
	first, rest, qualified := strings.Cut(name, ".")
	switch {
	case name == "Nil":
		return "Empty"
	case first == "" || strings.Contains(name, "-"):
		return name
	case qualified:
		return lowerFirst(first) + "." + lowerFirst(rest)
	}
	if f, ok := t.FieldByName(name); ok {
		return key(f)
	}
	if f, ok := connectionType.FieldByName(name); ok && f.Type != t && strings.ToLower(name[1:]) != name[1:] {
		return key(f)
	}
	return name
}

func lowerFirst(name string) string { return strings.ToLower(name[:1]) + name[1:] }

// key is the name of a field in files.
func key(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}
