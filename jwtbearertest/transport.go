package jwtbearertest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/seed-363d07a3/jwtbearer/internal/httpfield"
)

// memory is an http.RoundTripper that carries requests to handlers without sockets, each in a goroutine of its own. Bodies
// stream, and whoever leaves is noticed by the other side, as on a network. It is safe for concurrent use.
type memory struct {
	hosts map[string]http.Handler // by host and port
	ctx   context.Context
	stop  context.CancelCauseFunc

	mu     sync.Mutex
	closed bool
	calls  sync.WaitGroup
}

var errClosed = errors.New("the server is closed")

func newMemory() *memory {
	m := new(memory)
	m.ctx, m.stop = context.WithCancelCause(context.Background())
	return m
}

// close ends all calls and waits for their handlers.
func (m *memory) close() {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.stop(errClosed)
	m.calls.Wait()
}

// RoundTrip implements http.RoundTripper.
func (m *memory) RoundTrip(req *http.Request) (*http.Response, error) {
	x, err := m.dial(req)
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	go x.serve()
	select {
	case <-x.answered:
		return x.resp, x.err
	case <-req.Context().Done():
		x.hangUp(context.Cause(req.Context()))
		return nil, context.Cause(req.Context())
	}
}

// CloseIdleConnections does nothing: there are none.
func (m *memory) CloseIdleConnections() {}

// dial begins a call, for which serve must follow.
func (m *memory) dial(req *http.Request) (*exchange, error) {
	if err := req.Context().Err(); err != nil {
		return nil, context.Cause(req.Context())
	}
	handler, ok := m.hosts[req.URL.Host]
	if !ok {
		return nil, &net.OpError{Op: "dial", Net: "memory",
			Err: &net.DNSError{Err: "no such host in memory", Name: req.URL.Host, IsNotFound: true}}
	}
	arrived, err := received(req)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, &net.OpError{Op: "dial", Net: "memory", Err: errClosed}
	}
	m.calls.Add(1)
	x := &exchange{memory: m, handler: handler, sent: req, answered: make(chan struct{}), status: http.StatusOK, left: -1}
	x.ctx, x.hangUp = context.WithCancelCause(m.ctx)
	x.body = &sentBody{ReadCloser: arrived.Body, ctx: x.ctx}
	if arrived.Body != http.NoBody {
		arrived.Body = x.body
	}
	x.arrived = arrived.WithContext(x.ctx)
	return x, nil
}

// received is a request as a server gets it.
func received(req *http.Request) (*http.Request, error) {
	uri := req.URL.RequestURI()
	u, err := url.ParseRequestURI(uri)
	if err != nil {
		return nil, err
	}
	fields, err := receivedFields(req.Header)
	if err != nil {
		return nil, err
	}
	in := &http.Request{
		Method: cmp.Or(req.Method, http.MethodGet), URL: u, RequestURI: uri, Host: cmp.Or(req.Host, req.URL.Host),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: fields, Body: http.NoBody,
		RemoteAddr: "192.0.2.1:1234", // RFC 5737
	}
	if in.Header.Values("User-Agent") == nil {
		in.Header.Set("User-Agent", "Go-http-client/1.1")
	}
	if req.URL.Scheme == "https" {
		in.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true, ServerName: req.URL.Hostname()}
	}
	if req.Body != nil && req.Body != http.NoBody {
		in.Body, in.ContentLength = req.Body, req.ContentLength
		if in.ContentLength == 0 { // as http.Request has it: not known
			in.ContentLength = -1
			in.TransferEncoding = []string{"chunked"}
		}
	}
	return in, nil
}

// receivedFields are the fields of a request as a server gets them, with their canonical names. What net/http does not send is an
// error here too.
func receivedFields(sent http.Header) (http.Header, error) {
	fields := http.Header{}
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		if !httpfield.IsToken(name) {
			return nil, fmt.Errorf("invalid header field name %q", name)
		}
		for _, value := range sent[name] {
			if httpfield.IsBrokenValue(value) {
				return nil, fmt.Errorf("invalid header field value for %q", name)
			}
			fields.Add(name, strings.Trim(value, " \t"))
		}
	}
	return fields, nil
}

// A sentBody is the body of a request as the server reads it: until the call ends.
type sentBody struct {
	io.ReadCloser
	ctx context.Context
}

func (b *sentBody) Read(p []byte) (int, error) {
	if b.ctx.Err() != nil {
		return 0, context.Cause(b.ctx)
	}
	return b.ReadCloser.Read(p)
}

// Close leaves the body of the client to the end of the call.
func (b *sentBody) Close() error { return nil }

// An exchange is one request and the http.ResponseWriter of its answer, which only the goroutine of the handler uses.
type exchange struct {
	memory  *memory
	handler http.Handler
	sent    *http.Request
	arrived *http.Request
	body    *sentBody
	ctx     context.Context         // ends with the call
	hangUp  context.CancelCauseFunc // the client leaves, or the handler is done

	header http.Header
	fixed  http.Header // header at the time of WriteHeader; nil: that was not called
	status int
	left   int64 // of the Content-Length that was promised; negative: none was
	held   bytes.Buffer
	pipe   *io.PipeWriter // nil: the head was not sent

	answered chan struct{} // closed when resp or err is set
	resp     *http.Response
	err      error
}

// heldBytes is how much of an answer is held back to learn its length.
const heldBytes = 2048

// serve runs the handler.
func (x *exchange) serve() {
	defer x.memory.calls.Done()
	defer x.closeBody()
	defer x.hangUp(nil)
	defer func() {
		switch v := recover(); v {
		case nil:
			x.finish()
		case http.ErrAbortHandler:
			x.abort()
		default:
			x.abort()
			panic(v)
		}
	}()
	x.header = http.Header{}
	x.handler.ServeHTTP(x, x.arrived)
}

// closeBody closes the client's body, as who carries a request must.
func (x *exchange) closeBody() {
	if x.sent.Body != nil {
		x.sent.Body.Close()
	}
}

// Header implements http.ResponseWriter.
func (x *exchange) Header() http.Header { return x.header }

// WriteHeader implements http.ResponseWriter.
func (x *exchange) WriteHeader(status int) {
	if x.fixed != nil || status < 200 {
		return
	}
	x.status, x.fixed = status, x.header.Clone()
	if n, err := strconv.ParseInt(x.fixed.Get("Content-Length"), 10, 64); err == nil {
		x.left = n
	}
}

// Write implements http.ResponseWriter.
func (x *exchange) Write(p []byte) (int, error) {
	x.WriteHeader(http.StatusOK)
	switch {
	case x.bodyless():
		return 0, http.ErrBodyNotAllowed
	case x.arrived.Method == http.MethodHead:
		return len(p), nil
	case x.left >= 0 && int64(len(p)) > x.left:
		return 0, http.ErrContentLength
	case x.left >= 0:
		x.left -= int64(len(p))
	}
	switch {
	case len(p) == 0: // which a pipe would hand on
		return 0, nil
	case x.pipe != nil:
		return x.pipe.Write(p)
	}
	x.held.Write(p)
	if x.held.Len() > heldBytes {
		x.Flush()
	}
	return len(p), nil
}

// bodyless reports whether an answer of that status has no body (RFC 9110, section 6.4.1).
func (x *exchange) bodyless() bool {
	return x.status == http.StatusNoContent || x.status == http.StatusNotModified
}

// Flush implements http.Flusher.
func (x *exchange) Flush() {
	x.WriteHeader(http.StatusOK)
	if x.pipe != nil {
		return
	}
	r, w := io.Pipe()
	x.pipe = w
	context.AfterFunc(x.ctx, func() { w.CloseWithError(context.Cause(x.ctx)) }) // after finish that changes nothing
	x.answer(r, max(-1, x.declared()))
	if x.held.Len() > 0 {
		w.Write(x.held.Bytes()) // what fails here is the client, and then it does not listen
	}
}

// declared is the Content-Length that the handler promised; -1: none.
func (x *exchange) declared() int64 {
	n, err := strconv.ParseInt(x.fixed.Get("Content-Length"), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// finish ends an answer whose handler returned.
func (x *exchange) finish() {
	x.WriteHeader(http.StatusOK)
	isHead := x.arrived.Method == http.MethodHead
	switch {
	case x.left > 0 && !isHead && !x.bodyless(): // less than was promised
		x.abort()
	case x.pipe != nil:
		x.pipe.Close()
	case isHead:
		x.answer(http.NoBody, x.declared())
	default:
		if !x.bodyless() {
			x.fixed.Set("Content-Length", strconv.Itoa(x.held.Len()))
		}
		x.answer(&x.held, int64(x.held.Len()))
	}
}

// abort breaks the connection.
func (x *exchange) abort() {
	if x.pipe != nil {
		x.pipe.CloseWithError(io.ErrUnexpectedEOF)
		return
	}
	x.err = &net.OpError{Op: "read", Net: "memory", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	close(x.answered)
}

// answer sends the head of the answer.
func (x *exchange) answer(body io.Reader, length int64) {
	if x.fixed.Get("Content-Type") == "" && x.held.Len() > 0 {
		x.fixed.Set("Content-Type", http.DetectContentType(x.held.Bytes()))
	}
	resp := &http.Response{
		Status: strconv.Itoa(x.status) + " " + http.StatusText(x.status), StatusCode: x.status, Proto: "HTTP/1.1", ProtoMajor: 1,
		ProtoMinor: 1, Header: maps.Clone(x.fixed), ContentLength: length, Request: x.sent, TLS: x.arrived.TLS,
	}
	if length < 0 {
		resp.TransferEncoding = []string{"chunked"}
	}
	answer := &answerBody{Reader: body, x: x}
	answer.unwatch = context.AfterFunc(x.sent.Context(), func() { x.hangUp(context.Cause(x.sent.Context())) })
	resp.Body = answer
	x.resp = resp
	close(x.answered)
}

// An answerBody is the body of an answer as the client reads it.
type answerBody struct {
	io.Reader
	x       *exchange
	unwatch func() bool
	closed  atomic.Bool
}

func (b *answerBody) Read(p []byte) (int, error) {
	switch {
	case b.closed.Load():
		return 0, http.ErrBodyReadAfterClose
	case b.x.sent.Context().Err() != nil:
		return 0, context.Cause(b.x.sent.Context())
	}
	n, err := b.Reader.Read(p)
	if err != nil {
		b.unwatch()
	}
	return n, err
}

func (b *answerBody) Close() error {
	b.closed.Store(true)
	b.unwatch()
	b.x.hangUp(http.ErrBodyReadAfterClose)
	return nil
}
