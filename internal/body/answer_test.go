package body

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// countedSlot counts how often it is released.
type countedSlot int

func (s *countedSlot) Release() { *s++ }

// answered is what Take returns for a body, with the slot that it frees and the context that it ends.
func answered(t *testing.T, body io.ReadCloser, status int) (io.ReadCloser, *countedSlot, context.Context) {
	t.Helper()
	w, slot := new(Watch), new(countedSlot)
	w.Begin(t.Context(), 0)
	return new(Answer).Take(&http.Response{StatusCode: status, Body: body}, w, slot), slot, w.Context()
}

func TestTheEndOfABodyFreesTheAttemptOnce(t *testing.T) {
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		body io.Reader
		end  func(io.ReadCloser) error
		want error
	}{
		"read to its end": {strings.NewReader("x"), func(b io.ReadCloser) error { _, err := io.ReadAll(b); return err }, nil},
		"broken off":      {iotest.ErrReader(broken), func(b io.ReadCloser) error { _, err := io.ReadAll(b); return err }, broken},
		"closed":          {strings.NewReader("x"), io.ReadCloser.Close, nil},
		"dropped":         {strings.NewReader("x"), func(b io.ReadCloser) error { Finish(b); return nil }, nil},
	} {
		b, slot, ctx := answered(t, io.NopCloser(test.body), 200)
		if *slot != 0 || ctx.Err() != nil {
			t.Errorf("%s: the slot was released %d times before that, and the context ended with %v", name, *slot, ctx.Err())
		}
		if err := test.end(b); err != test.want {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
		b.Close()
		if *slot != 1 || ctx.Err() == nil {
			t.Errorf("%s: the slot was released %d times, want once; the context ended with %v", name, *slot, ctx.Err())
		}
	}
}

func TestAResponseWithoutABodyFreesTheAttemptAtOnce(t *testing.T) {
	for name, body := range map[string]io.ReadCloser{"nil": nil, "NoBody": http.NoBody} {
		b, slot, ctx := answered(t, body, 204)
		if b != http.NoBody || *slot != 1 || ctx.Err() == nil {
			t.Errorf("%s became %v, released %d times, context %v; want http.NoBody and the attempt ended", name, b, *slot, ctx.Err())
		}
	}
}

// A duplex is a connection that was upgraded.
type duplex struct{ bytes.Buffer }

func (*duplex) Close() error { return nil }

func TestAnUpgradedConnectionCanBeWrittenTo(t *testing.T) {
	b, slot, _ := answered(t, new(duplex), http.StatusSwitchingProtocols)
	if _, ok := b.(io.Writer); !ok {
		t.Fatalf("the body of 101 is a %T, which cannot be written to", b)
	}
	if b.Close(); *slot != 1 {
		t.Errorf("the slot was released %d times at its end, want once", *slot)
	}
	if b, _, _ := answered(t, new(duplex), 200); b != nil {
		if _, ok := b.(*Answer); !ok {
			t.Errorf("the body of 200 is a %T, want an *Answer", b)
		}
	}
}

func TestAnAnswerThatDidNotComeCloses(t *testing.T) {
	if err := new(Answer).Close(); err != nil {
		t.Error(err)
	}
}

func TestABodyThatAWatchEndedSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := new(Watch)
		w.Begin(t.Context(), time.Minute)
		w.Start(time.Now())
		w.Responded()
		r, _ := io.Pipe()
		context.AfterFunc(w.Context(), func() { r.CloseWithError(w.Context().Err()) })
		b := new(Answer).Take(&http.Response{StatusCode: 200, Body: r}, w, nil)
		began := time.Now()
		_, err := b.Read(make([]byte, 1))
		if _, ok := errors.AsType[*TimeoutError](err); !ok || time.Since(began) != time.Minute {
			t.Errorf("a silent body ended with %v after %s, want a *TimeoutError after a minute", err, time.Since(began))
		}
	})
}

// An Answer stands in its attempt by value, and its slot is there already.
func TestTakeAllocatesNothing(t *testing.T) {
	a, w, slot := new(Answer), new(Watch), new(countedSlot)
	w.Begin(t.Context(), 0)
	resp := &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(""))}
	if got := testing.AllocsPerRun(100, func() { a.Take(resp, w, slot) }); got != 0 {
		t.Errorf("Take makes %v allocations, want none", got)
	}
}

func TestReadWithin(t *testing.T) {
	const limit = time.Second
	for name, test := range map[string]struct {
		every time.Duration // between two bytes
		text  string
		most  int64
		want  string
		slow  bool
		err   error
	}{
		"short":               {0, "abc", 10, "abc", false, io.EOF},
		"longer":              {0, "abc", 2, "ab", false, nil},
		"as long":             {0, "abc", 3, "abc", false, nil},
		"slow":                {400 * time.Millisecond, "abcdef", 10, "ab", true, nil},
		"slow, but in time":   {400 * time.Millisecond, "ab", 2, "ab", false, nil},
		"silent for too long": {time.Hour, "abc", 10, "", true, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			r, w := io.Pipe()
			done := make(chan struct{})
			go func() {
				defer close(done)
				for i := range test.text {
					time.Sleep(test.every)
					if _, err := w.Write([]byte(test.text[i : i+1])); err != nil {
						return
					}
				}
				w.Close()
			}()
			var got bytes.Buffer
			began := time.Now()
			n, err := ReadWithin(&got, r, test.most, limit)
			slow, isSlow := errors.AsType[*SlowError](err)
			if got.String() != test.want || n != int64(got.Len()) || isSlow != test.slow || !isSlow && err != test.err {
				t.Errorf("%s: %q, %d, %v; want %q, slow: %t, %v", name, got.String(), n, err, test.want, test.slow, test.err)
			}
			if isSlow && (slow.Limit != limit || !slow.Timeout() || time.Since(began) != limit) {
				t.Errorf("%s: %v, a timeout: %t, after %s; want %s", name, slow, slow.Timeout(), time.Since(began), limit)
			}
			r.Close()
			<-done
		})
	}
}

func TestRejoinGivesWhatWasReadAndThenTheRestOrTheError(t *testing.T) {
	broken := errors.New("broken")
	for _, test := range []struct {
		err, want error
		text      string
	}{{nil, nil, "ab"}, {io.EOF, nil, "a"}, {broken, broken, "a"}} {
		closed := false
		rest := struct {
			io.Reader
			io.Closer
		}{strings.NewReader("b"), closerFunc(func() error { closed = true; return nil })}
		b := Rejoin(strings.NewReader("a"), rest, test.err)
		if text, err := io.ReadAll(b); string(text) != test.text || err != test.want {
			t.Errorf("after %v it gives %q, %v; want %q, %v", test.err, text, err, test.text, test.want)
		}
		if b.Close(); !closed {
			t.Errorf("after %v the rest is not closed", test.err)
		}
	}
}

type closerFunc func() error

func (f closerFunc) Close() error { return f() }
