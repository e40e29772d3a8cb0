//go:build !race

package jwtbearer

import (
	"bytes"
	"testing"
)

// The race detector makes a sync.Pool forget at random, hence the build constraint.
func TestAppendTokenWithHMACAllocatesNothingButItsBuffer(t *testing.T) {
	s := must(NewSigner(HS256, keyFor(HS256)))
	head, payload := appendHead(nil, []byte(`{"alg":"HS256","typ":"JWT"}`)), bytes.Repeat([]byte("p"), 200)
	buffer := make([]byte, 0, 1024)
	for want, dst := range map[float64][]byte{0: buffer, 1: nil} {
		if got := testing.AllocsPerRun(100, func() { must(s.s.appendToken(dst, head, payload)) }); got > want {
			t.Errorf("appendToken to a buffer of %d bytes: %v allocations, want %v", cap(dst), got, want)
		}
	}
}
