package jwtbearer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
)

const (
	keepBytes = 256 << 10             // of an answer that is dropped for a retry; a longer one costs its connection
	keepTime  = 50 * time.Millisecond // for reading them
)

// errAnswerDropped ends the body of an answer that was dropped for another attempt, which then could not be made.
var errAnswerDropped = errors.New("jwtbearer: the rest of this answer was dropped for another attempt, which could not be made")

// An answerBody is the body of an answer. It frees the attempt's slot and context when it is read to its end or closed.
type answerBody struct {
	body  io.ReadCloser
	watch *body.Watch
	slot  *slot // nil: none
	ended atomic.Bool
}

// take returns what takes the place of resp.Body: b, in nearly all cases.
func (b *answerBody) take(resp *http.Response, w *body.Watch, s *slot) io.ReadCloser {
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
		b.slot.release()
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
func keepAnswer(resp *http.Response, w *body.Watch) {
	if resp.Body == http.NoBody {
		return
	}
	timer := time.AfterFunc(keepTime, func() { w.EndWith(errAnswerDropped) })
	var kept bytes.Buffer
	n, err := io.CopyN(&kept, resp.Body, keepBytes+1)
	timer.Stop()
	resp.Body.Close()
	switch {
	case n > keepBytes || context.Cause(w.Context()) == errAnswerDropped && err != io.EOF:
		err = errAnswerDropped
	case err == nil:
		err = io.EOF
	}
	resp.Body = io.NopCloser(io.MultiReader(&kept, errReader{err}))
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }
