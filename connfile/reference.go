package connfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"
)

// maxReferenced is the longest file that a reference may lead to.
const maxReferenced = 1 << 20

// lookupIn returns the Connection.Lookup of the connection files in a folder: env:NAME gives an environment variable and
// file:path a file in that folder or below. Neither may be empty. Anything else is an error that says what can be referred to.
func lookupIn(folder string) func(ref string) (string, error) {
	return func(ref string) (string, error) {
		kind, name, _ := strings.Cut(ref, ":")
		switch kind {
		case "env":
			return lookupEnv(name)
		case "file":
			return lookupFile(folder, name)
		}
		return "", unknownScheme(ref, kind)
	}
}

// envName matches the name of an environment variable, as POSIX has it and shells take it.
var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// unknownScheme says what can be referred to, and what was probably meant.
func unknownScheme(ref, kind string) error {
	const known = "a connection file can refer to ${env:NAME} and ${file:path}, a program to more by Connection.Lookup"
	switch lower := strings.ToLower(strings.TrimSpace(kind)); {
	case kind == ref && envName.MatchString(ref):
		return fmt.Errorf("write ${env:%s} if that is an environment variable; %s", ref, known)
	case lower == "env" || lower == "file":
		return fmt.Errorf("write %s in lower case, without spaces; %s", lower, known)
	case envName.MatchString(kind) && kind != ref:
		return fmt.Errorf("%q is neither env nor file; %s", kind, known)
	}
	return errors.New(known)
}

func lookupEnv(name string) (string, error) {
	if before, _, ok := strings.Cut(name, ":"); ok && envName.MatchString(before) { // what follows may be the secret itself
		return "", fmt.Errorf("a reference has no default value, as shells have it: write ${env:%s}", before)
	}
	value, ok := os.LookupEnv(name)
	if !ok {
		return "", fmt.Errorf("the environment variable %s is not set", name)
	}
	if value == "" {
		return "", fmt.Errorf("the environment variable %s is empty", name)
	}
	return value, nil
}

// lookupFile reads a file without the line break that ends it if it is text: editors add one, and an HMAC secret has none.
func lookupFile(folder, name string) (string, error) {
	name = filepath.FromSlash(name)
	if !filepath.IsLocal(name) {
		return "", fmt.Errorf("%s is outside the folder of the connection file: mount or copy it below that folder and write its path "+
			"from there, or put its content into an environment variable, ${env:NAME}", name)
	}
	data, err := readBelow(folder, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("there is no file %s in the folder of the connection file: %w", name, fs.ErrNotExist)
	case err != nil:
		return "", fmt.Errorf("the file %s cannot be read from the folder of the connection file: %w", name, withoutPath(err))
	}
	if utf8.Valid(data) {
		data = trimLineBreak(data)
	}
	if len(data) == 0 {
		return "", fmt.Errorf("the file %s is empty", name)
	}
	return string(data), nil
}

// withoutPath takes the operation and the path off an error of the file system.
func withoutPath(err error) error {
	if bad, ok := errors.AsType[*fs.PathError](err); ok {
		return bad.Err
	}
	return err
}

// trimLineBreak takes off one line break.
func trimLineBreak(text []byte) []byte {
	if line, ok := bytes.CutSuffix(text, []byte("\n")); ok {
		return bytes.TrimSuffix(line, []byte("\r"))
	}
	return text
}

// readBelow reads a file in a folder, which no part of its name leaves: not by way of a symbolic link either.
func readBelow(folder, name string) ([]byte, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	info, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // opening a pipe would block
		return nil, errors.New("it is no regular file")
	}
	file, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := readUpTo(file, maxReferenced)
	if len(data) > maxReferenced {
		return nil, fmt.Errorf("it is longer than %d KiB", maxReferenced>>10)
	}
	return data, err
}

// readUpTo reads so much that it shows if r holds more than limit.
func readUpTo(r io.Reader, limit int64) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, limit+1))
}
