package connfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestLookupReadsTheEnvironmentAndFilesOfTheFolder(t *testing.T) {
	t.Setenv("CONNFILE_SECRET", " from the environment\n")
	folder := write(t, map[string]string{
		"conns/a.yaml": "name: a", "conns/plain": "secret", "conns/unix": "secret\n", "conns/dos": "secret\r\n", "conns/two": "secret\n\n",
		"conns/cr": "secret\r", "conns/der": "\x30\x82\x00\n", "conns/keys/deep/a.pem": "deep", "conns/..odd": "odd",
	})
	conns, err := Load(filepath.Join(folder, "conns", "a.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	tests := []struct{ ref, want string }{
		{"env:CONNFILE_SECRET", " from the environment\n"},
		{"file:plain", "secret"},
		{"file:unix", "secret"},
		{"file:dos", "secret"},
		{"file:two", "secret\n"},
		{"file:cr", "secret\r"},
		{"file:der", "\x30\x82\x00\n"},
		{"file:keys/deep/a.pem", "deep"},
		{"file:./keys/../plain", "secret"},
		{"file:..odd", "odd"},
	}
	for _, tt := range tests {
		if got, err := conns[0].Lookup(tt.ref); got != tt.want || err != nil {
			t.Errorf("%s gives %q, %v; want %q", tt.ref, got, err, tt.want)
		}
	}
}

func TestLookupRefusesWhatIsNotThereOrOutside(t *testing.T) {
	t.Setenv("CONNFILE_EMPTY", "")
	folder := write(t, map[string]string{
		"outside.pem": planted, "conns/a.yaml": "name: a", "conns/empty": "", "conns/newline": "\n", "conns/sub/x": "x",
		"conns/long": strings.Repeat("x", maxReferenced+1),
	})
	conns := filepath.Join(folder, "conns")
	for name, target := range map[string]string{
		"up.pem": "../outside.pem", "absolute.pem": filepath.Join(folder, "outside.pem"), "sub/up.pem": "../../outside.pem", "folder": "..",
	} {
		if err := os.Symlink(target, filepath.Join(conns, name)); err != nil {
			noLink(t, err)
		}
	}
	all, err := Load(conns)
	if err != nil {
		t.Fatal(err)
	}
	const outside = "is outside the folder of the connection file"
	tests := []struct{ ref, want string }{
		{"env:CONNFILE_UNSET", "the environment variable CONNFILE_UNSET is not set"},
		{"env:CONNFILE_EMPTY", "the environment variable CONNFILE_EMPTY is empty"},
		{"file:none.pem", "there is no file none.pem in the folder of the connection file"},
		{"file:empty", "the file empty is empty"},
		{"file:newline", "the file newline is empty"},
		{"file:long", "it is longer than 1024 KiB"},
		{"file:sub", "it is no regular file"},
		{"file:../outside.pem", outside},
		{"file:sub/../../outside.pem", outside},
		{"file:" + filepath.Join(folder, "outside.pem"), outside},
		{"file:up.pem", "path escapes from parent"},
		{"file:absolute.pem", "path escapes from parent"},
		{"file:sub/up.pem", "path escapes from parent"},
		{"file:folder/outside.pem", "path escapes from parent"},
		{"vault:x", `"vault" is neither env nor file; a connection file can refer to ${env:NAME} and ${file:path}`},
		{"API_SECRET", "write ${env:API_SECRET} if that is an environment variable"},
		{"ENV:API_SECRET", "write env in lower case"},
		{"env :API_SECRET", "write env in lower case, without spaces"},
		{"op://Vault/item", `"op" is neither env nor file`},
		{"a b", "can refer to ${env:NAME} and ${file:path}"},
		{"env:API_SECRET:-hunter2", "no default value, as shells have it: write ${env:API_SECRET}"},
	}
	for _, tt := range tests {
		got, err := all[0].Lookup(tt.ref)
		if got != "" || err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s gives %.20q, %v; want an error with %q", tt.ref, got, err, tt.want)
		}
	}
	if _, err := all[0].Lookup("file:none.pem"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file gives %v; want fs.ErrNotExist", err)
	}
}

func TestLookupFollowsLinksWithinTheFolder(t *testing.T) {
	folder := write(t, map[string]string{"a.yaml": "secret: ${file:key}", "..data/key": "linked"}) // as Kubernetes mounts secrets
	if err := os.Symlink(filepath.Join("..data", "key"), filepath.Join(folder, "key")); err != nil {
		noLink(t, err)
	}
	conns, err := Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := conns[0].Lookup("file:key"); got != "linked" || err != nil {
		t.Errorf("file:key gives %q, %v; want what the link leads to", got, err)
	}
}

// noLink ends a test that needs a symbolic link. Only Windows may refuse to make one.
func noLink(t *testing.T, err error) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip(err)
	}
	t.Fatal(err)
}
