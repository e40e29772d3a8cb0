package body

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// How much of a body is read that the caller did not ask for, and for how long.
const (
	KeepBytes = 256 << 10             // of a response that nobody wants; a longer one costs its connection
	KeepTime  = 50 * time.Millisecond // for reading them
	TextTime  = 5 * time.Second       // for reading what a refused response says, and the beginning of any other that a rule looks at
)

// ErrDropped ends the body of a response that was dropped for another attempt, which then could not be made.
var ErrDropped = errors.New("jwtbearer: the rest of this answer was dropped for another attempt, which could not be made")

// Keep reads what is left of a response before another attempt is made, so that the connection serves again, and the response can be
// returned if no other one comes.
func Keep(resp *http.Response) {
	if resp.Body == http.NoBody {
		return
	}
	var kept bytes.Buffer
	_, err := ReadWithin(&kept, resp.Body, KeepBytes+1, KeepTime)
	resp.Body.Close()
	if _, slow := errors.AsType[*SlowError](err); slow || err == nil { // nil: it is longer than KeepBytes
		err = ErrDropped
	}
	resp.Body = io.NopCloser(io.MultiReader(&kept, errReader{err}))
}

// Finish reads what is left of a body that is not long and comes at once, so that the connection serves again, and closes it.
func Finish(body io.ReadCloser) {
	if b, ok := body.(*Answer); !ok || !b.ended.Load() {
		_, _ = ReadWithin(io.Discard, body, KeepBytes, KeepTime) // nobody wants it: how it ends does not matter
	}
	body.Close()
}

// ReadWithin copies up to most bytes of body to dst, as io.CopyN does, but goes on for no longer than limit, however slowly a server
// sends them. Then it closes body, which ends a Read that blocks, and returns a *SlowError after what came.
func ReadWithin(dst io.Writer, body io.ReadCloser, most int64, limit time.Duration) (int64, error) {
	closed := make(chan struct{})
	timer := time.AfterFunc(limit, func() {
		defer close(closed)
		body.Close()
	})
	n, err := io.CopyN(dst, &timedReader{body, time.Now().Add(limit), limit}, most)
	if !timer.Stop() {
		<-closed // so that all that the body held is free
	}
	return n, err
}

// A timedReader gives nothing after a time.
type timedReader struct {
	io.Reader
	until time.Time
	limit time.Duration // that began before until, for the error
}

func (r *timedReader) Read(p []byte) (int, error) {
	if !time.Now().Before(r.until) {
		return 0, &SlowError{r.limit}
	}
	n, err := r.Reader.Read(p)
	if err != nil && err != io.EOF && !time.Now().Before(r.until) {
		err = &SlowError{r.limit} // it was closed for that
	}
	return n, err
}

// A SlowError says that a body did not come in the time that it is worth. It is a net.Error.
type SlowError struct{ Limit time.Duration } // how long it was waited for

func (e *SlowError) Error() string {
	return fmt.Sprintf("jwtbearer: the body of the response did not end within %s", e.Limit)
}
func (e *SlowError) Timeout() bool   { return true }
func (e *SlowError) Temporary() bool { return true }

// Rejoin returns a body that gives again what was read of rest, and then the error that ended that, or else what is left.
func Rejoin(read io.Reader, rest io.ReadCloser, err error) io.ReadCloser {
	left := io.Reader(rest)
	if err != nil {
		left = errReader{err}
	}
	return rejoined{io.MultiReader(read, left), rest}
}

// A rejoined closes another body than it reads.
type rejoined struct {
	io.Reader
	io.Closer
}

// An errReader gives an error.
type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }
