package body

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
)

var (
	// ErrNotReplayable is the sentinel for a body of which a repetition was due and could not be made.
	ErrNotReplayable = errors.New("jwtbearer: the request body cannot be sent again: set GetBody, or raise Retry.BufferLimit")

	// errClosed is what a body gives that belongs to an attempt that has ended.
	errClosed = errors.New("jwtbearer: read of a request body after its attempt ended")

	// ErrTooLong says that a body cannot be held in memory, where a template or a placement needs it before it is sent.
	ErrTooLong = errors.New("jwtbearer: the request body is longer than Retry.BufferLimit, but has to be read before it is sent")
)

// A Source gives the body of one request to each of its attempts: from the caller's GetBody, or from what it kept of the
// caller's Body while that streamed. It closes the caller's Body once, when no attempt can need it any more.
type Source struct {
	getBody func() (io.ReadCloser, error) // the caller's; nil: what is read from body is kept
	length  int64                         // Content-Length; zero or less: not known
	limit   int64                         // how much is kept

	mu       sync.Mutex
	idle     sync.Cond     // signals that busy or current changed
	busy     bool          // a Read of body is under way
	body     io.ReadCloser // the caller's Body
	kept     []byte        // what was read from it so far
	readErr  error         // how reading it ended
	overflow bool          // more was read than may be kept: no attempt can begin anew
	used     bool          // body was given to an attempt
	current  *attemptBody  // the only attempt that may read from body
	ended    bool          // no further attempt will come
	closed   bool
}

// NewSource returns the Source of req's body; nil where there is none.
func NewSource(req *http.Request, limit int64) *Source {
	if req.Body == nil || req.Body == http.NoBody { // which net/http knows and sends with Content-Length: 0
		return nil
	}
	s := &Source{getBody: req.GetBody, length: req.ContentLength, limit: limit, body: req.Body}
	s.idle.L = &s.mu
	return s
}

// FromGetBody returns the Source of a body that the caller can open anew.
func FromGetBody(getBody func() (io.ReadCloser, error)) *Source { return &Source{getBody: getBody} }

// Replayable reports whether a further attempt can send the body from its beginning.
func (s *Source) Replayable() bool {
	if s == nil || s.getBody != nil {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.overflow
}

// Next returns the body of the next attempt, which takes it from the one before.
func (s *Source) Next() (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used && s.getBody != nil {
		return s.getBody()
	}
	if s.overflow {
		return nil, ErrNotReplayable
	}
	s.used = true
	s.current = &attemptBody{source: s}
	s.idle.Broadcast()
	return s.current, nil
}

// Peek returns the body to be read before it is sent: of any length where there is a GetBody, else up to the limit.
func (s *Source) Peek() (io.ReadCloser, error) {
	if s == nil {
		return http.NoBody, nil
	}
	if s.getBody != nil {
		return s.getBody()
	}
	body, err := s.Next()
	if err != nil {
		return nil, err
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, s.limit+1))
	if err == nil && int64(len(data)) > s.limit {
		err = ErrTooLong
	}
	return io.NopCloser(bytes.NewReader(data)), err
}

// Interrupt ends a Read that blocks, when nobody wants the call any more: whoever reads for an attempt closes the attempt's body
// alone.
func (s *Source) Interrupt() { s.close() }

// End says that no further attempt will come. An attempt that still sends the body, as HTTP allows after the answer came,
// may go on unless abort.
func (s *Source) End(abort bool) {
	if s == nil {
		return
	}
	s.mu.Lock()
	s.ended = true
	done := abort || s.current == nil
	s.mu.Unlock()
	if done {
		s.close()
	}
}

// close closes the caller's body, the first time.
func (s *Source) close() error {
	s.mu.Lock()
	first := !s.closed
	s.closed, s.kept = true, nil
	s.idle.Broadcast()
	s.mu.Unlock()
	if !first {
		return nil
	}
	return s.body.Close()
}

// An attemptBody is the body of one attempt: what is kept, then what the caller's body still holds.
type attemptBody struct {
	source *Source
	offset int
}

// Read does not hold the lock while it reads from the caller's body, so that Close can interrupt it.
func (b *attemptBody) Read(p []byte) (int, error) {
	s := b.source
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.busy && s.current == b && !s.closed {
		s.idle.Wait() // the attempt before this one is still reading; what it reads is kept for this one
	}
	switch {
	case s.current != b || s.closed:
		return 0, errClosed
	case b.offset < len(s.kept):
		n := copy(p, s.kept[b.offset:])
		b.offset += n
		return n, nil
	case s.overflow && b.offset == 0:
		return 0, ErrNotReplayable
	case s.readErr != nil:
		return 0, s.readErr
	}
	s.busy = true
	s.mu.Unlock()
	n, err := s.body.Read(p)
	s.mu.Lock()
	s.busy, s.readErr = false, err
	s.keep(p[:n])
	b.offset += n
	s.idle.Broadcast()
	return n, err
}

// keep remembers what was read, as long as that is needed and within the limit.
func (s *Source) keep(p []byte) {
	switch {
	case s.overflow || s.getBody != nil || s.ended || len(p) == 0:
	case int64(len(s.kept)+len(p)) > s.limit || s.length > s.limit:
		s.overflow, s.kept = true, nil
	default:
		s.kept = append(s.kept, p...)
	}
}

// Close ends the attempt's use of the body. The caller's body stays open while a further attempt may need the rest of it.
func (b *attemptBody) Close() error {
	s := b.source
	s.mu.Lock()
	done := s.current == b && (s.ended || s.getBody != nil)
	if s.current == b {
		s.current = nil
		s.idle.Broadcast()
	}
	s.mu.Unlock()
	if !done {
		return nil
	}
	return s.close()
}
