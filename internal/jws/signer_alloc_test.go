//go:build !race

package jws

import (
	"bytes"
	"testing"

	"github.com/seed-363d07a3/jwtbearer/internal/key/keytest"
)

// The race detector makes a sync.Pool forget at random, hence the build constraint.
func TestAppendTokenWithHMACAllocatesNothingButItsBuffer(t *testing.T) {
	s := newSigner(t, "HS256", keytest.For("HS256"))
	head, payload := AppendHead(nil, []byte(`{"alg":"HS256","typ":"JWT"}`)), bytes.Repeat([]byte("p"), 200)
	buffer := make([]byte, 0, 1024)
	for want, dst := range map[float64][]byte{0: buffer, 1: nil} {
		if got := testing.AllocsPerRun(100, func() { must(s.Append(dst, head, payload)) }); got > want {
			t.Errorf("Append to a buffer of %d bytes: %v allocations, want %v", cap(dst), got, want)
		}
	}
}
