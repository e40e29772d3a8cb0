package jwtbearer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
	"github.com/seed-363d07a3/jwtbearer/internal/pace"
)

const (
	keepBytes = 256 << 10             // of an answer that nobody wants; a longer one costs its connection
	keepTime  = 50 * time.Millisecond // for reading them
	textTime  = 5 * time.Second       // for reading what a refused answer says, and the beginning of any other that a rule looks at
)

// errAnswerDropped ends the body of an answer that was dropped for another attempt, which then could not be made.
var errAnswerDropped = errors.New("jwtbearer: the rest of this answer was dropped for another attempt, which could not be made")

// An answerBody is the body of an answer. It frees the attempt's slot and context when it is read to its end or closed.
type answerBody struct {
	body  io.ReadCloser
	watch *body.Watch
	slot  *pace.Slot // nil: none
	ended atomic.Bool
}

// take returns what takes the place of resp.Body: b, in nearly all cases.
func (b *answerBody) take(resp *http.Response, w *body.Watch, s *pace.Slot) io.ReadCloser {
	b.body, b.watch, b.slot = resp.Body, w, s
	switch upgraded, ok := resp.Body.(io.ReadWriteCloser); {
	case resp.Body == nil || resp.Body == http.NoBody:
		b.end()
		return http.NoBody
	case ok && resp.StatusCode == http.StatusSwitchingProtocols:
		return &upgradedBody{ReadWriteCloser: upgraded, answer: b}
	}
	return b
}

func (b *answerBody) Read(p []byte) (int, error) {
	b.watch.Reading()
	n, err := b.body.Read(p)
	b.watch.Paused()
	if err != nil {
		if err != io.EOF {
			err = cause(b.watch.Context(), err)
		}
		b.end()
	}
	return n, err
}

func (b *answerBody) Close() error {
	err := b.body.Close()
	b.end()
	return err
}

func (b *answerBody) end() {
	if b.ended.Swap(true) {
		return
	}
	b.watch.End()
	if b.slot != nil {
		b.slot.Release()
	}
}

// An upgradedBody is the connection after 101 Switching Protocols. No silence on it is too long.
type upgradedBody struct {
	io.ReadWriteCloser
	answer *answerBody
}

func (b *upgradedBody) Close() error { return b.answer.Close() }

// keepAnswer reads what is left of an answer before another attempt is made, so that the connection serves again, and the
// answer can be handed on if no other one comes.
func keepAnswer(resp *http.Response) {
	if resp.Body == http.NoBody {
		return
	}
	var kept bytes.Buffer
	_, err := readWithin(&kept, resp.Body, keepBytes+1, keepTime)
	resp.Body.Close()
	if _, slow := errors.AsType[*slowBodyError](err); slow || err == nil { // nil: it is longer than keepBytes
		err = errAnswerDropped
	}
	resp.Body = io.NopCloser(io.MultiReader(&kept, errReader{err}))
}

// finish reads what is left of a body that is not long and comes at once, so that the connection serves again, and closes it.
func finish(body io.ReadCloser) {
	if b, ok := body.(*answerBody); !ok || !b.ended.Load() {
		_, _ = readWithin(io.Discard, body, keepBytes, keepTime) // nobody wants it: how it ends does not matter
	}
	body.Close()
}

// readWithin copies up to most bytes of body to dst, as io.CopyN does, but goes on for no longer than limit, however slowly a server
// sends them. Then it closes body, which ends a Read that blocks, and returns a *slowBodyError after what came.
func readWithin(dst io.Writer, body io.ReadCloser, most int64, limit time.Duration) (int64, error) {
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

// A timedReader gives nothing any more after a time.
type timedReader struct {
	io.Reader
	until time.Time
	limit time.Duration // that began before until, for the error
}

func (r *timedReader) Read(p []byte) (int, error) {
	if !time.Now().Before(r.until) {
		return 0, &slowBodyError{r.limit}
	}
	n, err := r.Reader.Read(p)
	if err != nil && err != io.EOF && !time.Now().Before(r.until) {
		err = &slowBodyError{r.limit} // it was closed for that
	}
	return n, err
}

// A slowBodyError says that a body did not come in the time that it is worth. It is a net.Error.
type slowBodyError struct{ limit time.Duration }

func (e *slowBodyError) Error() string {
	return fmt.Sprintf("jwtbearer: the body of the response did not end within %s", e.limit)
}
func (e *slowBodyError) Timeout() bool   { return true }
func (e *slowBodyError) Temporary() bool { return true }

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }
