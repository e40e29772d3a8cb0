package connfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/seed-363d07a3/jwtbearer"
)

// write makes a folder of files, and returns its path.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// names are those of connections, in their order.
func names(conns []*jwtbearer.Connection) string {
	var all []string
	for _, c := range conns {
		all = append(all, c.Name)
	}
	return strings.Join(all, " ")
}

func TestParseReadsSeveralConnections(t *testing.T) {
	tests := []struct{ text, want string }{
		{"name: a\n---\nname: b\n---\n- name: c\n- name: d\n", "a b c d"},
		{"---\n# nothing\n---\nname: a\n...\n---\nname: b\n---\n", "a b"},
		{`[{"name":"a"},{"name":"b"}]`, "a b"},
		{"{\"name\":\"a\"}\n---\n{name: b}\n--- # c\n[{\"name\":\"c\"}]\n", "a b c"},
		{"baseURI: https://a.example.com\n", ""},
		{"- baseURI: https://a.example.com\n", ""},
		{"{}", ""},
		{"name: |\n  -----BEGIN\n  ---x\n", "-----BEGIN\n---x\n"},
	}
	for _, tt := range tests {
		conns, err := Parse([]byte(tt.text))
		if err != nil || len(conns) != max(1, len(strings.Fields(tt.want))) && !strings.Contains(tt.text, "|") || names(conns) != tt.want {
			t.Errorf("%q: got %d connections %q, %v; want %q", tt.text, len(conns), names(conns), err, tt.want)
		}
		for _, c := range conns {
			if c.Lookup != nil {
				t.Errorf("%q: Lookup is set", tt.text)
			}
		}
	}
}

func TestParseRefusesNamesThatTellNothingApart(t *testing.T) {
	_, err := Parse([]byte("name: a\n---\nbaseURI: x\n---\nname: a\n"))
	want := "connfile: line 3, column 1: name: is not set, and this connection is not the only one; give each its own\n" +
		`connfile: line 5, column 1: name: "a" is that of another connection, too; give each its own; the other begins at line 1`
	if fmt.Sprint(err) != want {
		t.Errorf("got %v; want %s", err, want)
	}
}

func TestLoadNamesTheConnectionsOfAFolder(t *testing.T) {
	folder := write(t, map[string]string{
		"b.yaml": "baseURI: https://b.example.com", "a.json": `{"name":"first"}`, "c.YML": "name: c1\n---\nname: c2",
		".hidden.yaml": "broken: [", "notes.txt": "broken: [", "sub.yaml/x": "", "sub/d.yaml": "name: d",
	})
	conns, err := Load(folder)
	if got, want := names(conns), "first b c1 c2"; got != want || err != nil {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	conns, err = Load(filepath.Join(folder, "b.yaml"))
	if len(conns) != 1 || conns[0].Name != "" || err != nil {
		t.Errorf("a file alone gives %q, %v; want one connection without a name", names(conns), err)
	}
}

func TestLoadTellsTheFileOfEachProblem(t *testing.T) {
	folder := write(t, map[string]string{
		"a.yaml": "basURI: x", "b.yaml": "secret: [1", "c.yaml": "name: d", "d.json": "\n {}", "e.yaml": "name: x\n---\n{}",
		"f.yaml": "", "g.yaml": "\xff",
	})
	_, err := Load(folder)
	want := strings.ReplaceAll(`F/a.yaml:1:1: unknown key "basURI"; did you mean "baseURI"?
	basURI: …
F/b.yaml:1:9: a bracket or brace that is never closed, or a comma that is missing; close it; if it is text, put it in quotes
F/f.yaml: is empty; if a program is writing it, wait for that; else write lines such as baseURI: https://api.example.com
F/g.yaml:1:1: a control character, or not UTF-8; save the file as UTF-8 text
F/d.json:2:2: name: "d" is that of another connection, too; give each its own; the other begins at F/c.yaml:1
F/e.yaml:3:1: name: is not set, and this connection is not the only one; give each its own`, "F/", folder+string(filepath.Separator))
	if fmt.Sprint(err) != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestLoadTellsWhatCannotBeRead(t *testing.T) {
	folder := write(t, map[string]string{"long.yaml": "name: " + strings.Repeat("x", maxSize)})
	_, err := Load(filepath.Join(folder, "none.yaml"))
	if e, ok := errors.AsType[*Error](err); !ok || e.File != filepath.Join(folder, "none.yaml") || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file gives %v; want an *Error that is fs.ErrNotExist", err)
	}
	if _, err := Load(filepath.Join(folder, "long.yaml")); err == nil || !strings.Contains(err.Error(), "is longer than 256 KiB") {
		t.Errorf("a long file gives %v; want that it is too long", err)
	}
	if _, err := Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "holds no connection file") {
		t.Errorf("an empty folder gives %v; want that it holds no connection file", err)
	}
}

func TestThePackageDocumentationShowsAFileThatLoads(t *testing.T) {
	source, err := os.ReadFile("connfile.go")
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile(`(?m)^//\t`).ReplaceAllString(strings.SplitN(string(source), "\n//\n", 3)[1], "")
	if shown+"\n" != string(file) {
		t.Errorf("the documentation shows\n%s\nwhich is not testdata/shop.yaml", shown)
	}
	conns, err := Load("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := conns[0].Validate(); err != nil {
		t.Errorf("testdata/shop.yaml is not valid: %v", err)
	}
}
