package body

import (
	"io"
	"net/http"
	"testing"
)

func TestSourceTakesOverFromAnAttemptThatStillReads(t *testing.T) {
	r, w := io.Pipe()
	s := NewSource(&http.Request{Body: r}, 100)
	first, _ := s.Next()
	read := make(chan struct{})
	go func() {
		defer close(read)
		io.ReadAll(first)
	}()
	w.Write([]byte("abc"))
	second, err := s.Next()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		w.Write([]byte("def"))
		w.Close()
	}()
	if got, err := io.ReadAll(second); string(got) != "abcdef" || err != nil {
		t.Errorf("the second attempt read %q, %v, want abcdef", got, err)
	}
	<-read
	if n, err := first.Read(make([]byte, 1)); n != 0 || err != errClosed {
		t.Errorf("the first attempt read %d, %v, want %v", n, err, errClosed)
	}
}
