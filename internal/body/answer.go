package body

import (
	"io"
	"net/http"
	"sync/atomic"
)

// An Answer is the body of a response. It frees the attempt's slot and context when it is read to its end or closed. Its zero value is
// that of an attempt without a response. Read and Close may be called at the same time, as net/http lets its own.
type Answer struct {
	body  io.ReadCloser // nil: no response came
	watch *Watch
	slot  Releaser // nil: none
	ended atomic.Bool
}

// A Releaser is what the end of a response frees, such as the slot of its attempt.
type Releaser interface {
	// Release is called once, in the goroutine that reads or closes the body.
	Release()
}

// Take returns what takes the place of resp.Body: b, unless there is no body or it is a connection. slot may be nil. It is called
// once.
func (b *Answer) Take(resp *http.Response, w *Watch, s Releaser) io.ReadCloser {
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

func (b *Answer) Read(p []byte) (int, error) {
	b.watch.Reading()
	n, err := b.body.Read(p)
	b.watch.Paused()
	if err != nil {
		if err != io.EOF {
			err = Cause(b.watch.Context(), err)
		}
		b.end()
	}
	return n, err
}

// Close closes the body. It does nothing where no response came.
func (b *Answer) Close() error {
	if b.body == nil {
		return nil
	}
	err := b.body.Close()
	b.end()
	return err
}

// end frees the attempt's slot and context, the first time.
func (b *Answer) end() {
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
	answer *Answer
}

func (b *upgradedBody) Close() error { return b.answer.Close() }
