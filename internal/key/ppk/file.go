package ppk

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

// file is a PuTTY key as it is written, before any decryption.
type file struct {
	version    int
	algorithm  string
	encryption string
	comment    []byte
	public     []byte
	argon2     argon2Params // version 3, encrypted
	private    []byte
	mac        []byte
}

type argon2Params struct {
	variant               string
	memory, passes, lanes uint64
	salt                  []byte
}

func (f *file) encrypted() bool { return f.encryption != "none" }

// scanner takes a file apart. After the first error it returns zero values.
type scanner struct {
	text []byte
	err  error
}

// read reads the lines in the order in which PuTTY writes them.
func read(text []byte) (*file, error) {
	s := &scanner{text: text}
	f, err := s.first()
	if err != nil {
		return nil, err
	}
	f.encryption = string(s.header("Encryption"))
	if s.err == nil && f.encryption != "none" && f.encryption != "aes256-cbc" {
		return nil, sealed.Unsupported("PuTTY key under a cipher other than aes256-cbc")
	}
	f.comment = s.header("Comment")
	f.public = s.blob("Public-Lines")
	if f.version == 3 && f.encrypted() {
		f.argon2 = s.argon2()
	}
	f.private = s.blob("Private-Lines")
	f.mac = s.hex(lastLine)
	if s.err != nil {
		return nil, s.err
	}
	return f, f.check()
}

// first reads the line that names version and type.
func (s *scanner) first() (*file, error) {
	line, _ := bytes.CutPrefix(s.line(), []byte(prefix))
	version, algorithm, ok := bytes.Cut(line, []byte(": "))
	if s.err == nil && (!ok || len(s.text) == 0) {
		s.err = sealed.Truncated("the first line of the PuTTY key is all there is")
	}
	if s.err != nil {
		return nil, s.err
	}
	f := &file{algorithm: string(algorithm)}
	switch string(version) {
	case "2":
		f.version = 2
	case "3":
		f.version = 3
	case "1":
		return nil, sealed.Unsupported("PuTTY key file of the old version 1")
	default:
		return nil, sealed.Unsupported("PuTTY key file of a version other than 2 and 3")
	}
	return f, nil
}

// check looks at lengths, so that a truncated file is refused before anybody is asked for a passphrase.
func (f *file) check() error {
	macLen := map[int]int{2: 20, 3: 32}[f.version]
	if len(f.mac) < macLen {
		return sealed.Truncated(fmt.Sprintf("the MAC has %d of %d bytes", len(f.mac), macLen))
	}
	if f.encrypted() && (len(f.private) == 0 || len(f.private)%16 != 0) {
		return sealed.Truncated("the private section is not a multiple of the block of its cipher")
	}
	return sealed.NewReader(f.public).Strings()
}

func (s *scanner) argon2() (p argon2Params) {
	p.variant = string(s.header("Key-Derivation"))
	p.memory = s.number("Argon2-Memory")
	p.passes = s.number("Argon2-Passes")
	p.lanes = s.number("Argon2-Parallelism")
	p.salt = s.hex("Argon2-Salt")
	return p
}

// line takes a line off that ends in LF, CRLF or CR, or with the text.
func (s *scanner) line() []byte {
	if s.err != nil {
		return nil
	}
	if len(s.text) == 0 {
		s.err = sealed.Truncated("lines of the PuTTY key are missing")
		return nil
	}
	end := bytes.IndexAny(s.text, "\r\n")
	if end < 0 {
		end = len(s.text)
	}
	line := s.text[:end]
	switch {
	case bytes.HasPrefix(s.text[end:], []byte("\r\n")):
		end += 2
	case end < len(s.text):
		end++
	}
	s.text = s.text[end:]
	return line
}

// lastLine names the line after which a file may end.
const lastLine = "Private-MAC"

// header reads the line "name: value".
func (s *scanner) header(name string) []byte {
	line := s.line()
	if s.err != nil {
		return nil
	}
	value, ok := bytes.CutPrefix(line, []byte(name+":"))
	switch {
	case len(s.text) == 0 && (name != lastLine || bytes.HasPrefix([]byte(name+":"), line)):
		s.err = sealed.Truncated("the text ends with the line " + called(name))
	case ok:
		return bytes.TrimPrefix(value, []byte(" "))
	default:
		s.err = sealed.Malformed("the line " + called(name) + " is not where it belongs in the PuTTY key")
	}
	return nil
}

// called is what errors call a line: they repeat no long piece of a file, be it only the name of a line.
func called(name string) string { return strings.TrimPrefix(name, "Argon2-") }

func (s *scanner) number(name string) uint64 {
	n, err := strconv.ParseUint(string(s.header(name)), 10, 64)
	if err != nil && s.err == nil {
		s.err = sealed.Malformed("the parameter " + called(name) + " is not a number that can be used")
	}
	return n
}

func (s *scanner) hex(name string) []byte {
	value := bytes.TrimSpace(s.header(name))
	if s.err == nil && len(value)%2 != 0 {
		s.err = sealed.Truncated("the line " + name + " has an odd number of digits")
	}
	out, err := hex.AppendDecode(nil, value)
	if err != nil && s.err == nil {
		s.err = sealed.Malformed("the line " + name + " is not hexadecimal")
	}
	return out
}

// blob reads a number of lines and then as many lines of base64.
func (s *scanner) blob(name string) []byte {
	var letters []byte
	for range s.number(name) {
		line := s.line()
		if s.err != nil {
			return nil
		}
		letters = append(letters, bytes.TrimSpace(line)...)
	}
	if s.err == nil && len(letters)%4 != 0 {
		s.err = sealed.Truncated("letters are missing from the base64 under " + name)
	}
	out, err := base64.StdEncoding.AppendDecode(nil, letters)
	if err != nil && s.err == nil {
		s.err = sealed.Malformed("the lines under " + name + " are not base64")
	}
	return out
}
