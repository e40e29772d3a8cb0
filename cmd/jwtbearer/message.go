package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-363d07a3/jwtbearer"
)

// messageFlags describe a request, in the words of curl.
type messageFlags struct {
	method, data string
	headers      []string
}

func (f *messageFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.method, "method", "X", "", "HTTP `method`; GET, or POST with -d")
	cmd.Flags().StringVarP(&f.data, "data", "d", "", "the `body` as it is, or @FILE, or @- for standard input")
	cmd.Flags().StringArrayVarP(&f.headers, "header", "H", nil, "a `header`, 'Name: value'; wins over the connection's, though not over the token; may be repeated")
	cmd.RegisterFlagCompletionFunc("method", cobra.FixedCompletions(
		[]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}, cobra.ShellCompDirectiveNoFileComp))
}

// A message is what messageFlags describe. Any number of requests can be made of it.
type message struct {
	method  string
	headers [][2]string
	text    []byte // the body, unless it is in a file; nil: none
	file    string
}

// message reads the flags.
func (f *messageFlags) message(cmd *cobra.Command) (*message, error) {
	m := &message{method: f.method}
	for _, header := range f.headers {
		name, value, ok := strings.Cut(header, ":")
		value = strings.TrimSpace(value)
		switch { // what the header has may be a secret
		case !ok || !isFieldName(name):
			return nil, misuse(cmd, "-H wants 'Name: value', with a name of letters, digits and hyphens")
		case strings.ContainsFunc(value, isControl):
			return nil, misuse(cmd, "-H has a line break or another control character in its value")
		}
		m.headers = append(m.headers, [2]string{name, value})
	}
	hasData := cmd.Flags().Changed("data")
	if m.method == "" {
		m.method = http.MethodGet
		if hasData {
			m.method = http.MethodPost
		}
	}
	if !hasData {
		return m, nil
	}
	return m, m.readBody(cmd, f.data)
}

// isFieldName reports whether name can be that of a header (RFC 9110, section 5.1).
func isFieldName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// isControl reports whether no header value can hold r (RFC 9110, section 5.5).
func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// readBody takes the body from where -d says. A file is left where it is, so that it may be of any length.
func (m *message) readBody(cmd *cobra.Command, data string) (err error) {
	name, isFile := strings.CutPrefix(data, "@")
	if !isFile {
		m.text = []byte(data)
		return nil
	}
	if info, err := os.Stat(name); name != "-" && err == nil && info.Mode().IsRegular() {
		m.file = name
		return nil
	}
	m.text, err = readInput(cmd, name) // also a pipe, which can be read only once
	return err
}

// request makes a request to ref.
func (m *message) request(ctx context.Context, client *jwtbearer.Client, ref string) (*http.Request, error) {
	if _, err := client.BaseURI(ctx); err != nil { // which the token endpoint may have to tell
		return nil, refused(err)
	}
	var body any
	if m.text != nil {
		body = m.text
	}
	if m.file != "" {
		body = http.NoBody
	}
	req, err := client.NewRequest(ctx, m.method, ref, body)
	if err != nil {
		return nil, err
	}
	for _, h := range m.headers {
		req.Header.Del(h[0])
	}
	for _, h := range m.headers {
		if strings.EqualFold(h[0], "Host") { // net/http takes it from there alone
			req.Host = h[1]
		}
		req.Header.Add(h[0], h[1])
	}
	if m.file != "" {
		return req, m.attach(req)
	}
	return req, nil
}

// attach makes the file the body of req.
func (m *message) attach(req *http.Request) error {
	info, err := os.Stat(m.file)
	if err != nil {
		return fmt.Errorf("jwtbearer: -d: %w", err)
	}
	if info.Size() == 0 {
		return nil
	}
	req.ContentLength = info.Size()
	req.GetBody = func() (io.ReadCloser, error) { return os.Open(m.file) }
	req.Body, err = req.GetBody()
	if err != nil {
		return fmt.Errorf("jwtbearer: -d: %w", err)
	}
	return nil
}

// writeHead prints status and headers as HTTP/1.1 has them.
func writeHead(w io.Writer, resp *http.Response) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s\n", resp.Proto, resp.Status)
	if err := resp.Header.Write(&b); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%s\n", bytes.ReplaceAll(b.Bytes(), []byte("\r\n"), []byte("\n")))
	return err
}
