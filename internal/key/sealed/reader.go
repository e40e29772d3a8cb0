package sealed

import (
	"encoding/binary"
	"fmt"
	"math/big"
)

// Reader reads the data types of RFC 4251, section 5, of which OpenSSH and PuTTY make their key files. After the first error
// all methods return zero values; Err tells which it was.
type Reader struct {
	data []byte
	err  error
}

// NewReader reads data, which it does not copy.
func NewReader(data []byte) *Reader { return &Reader{data: data} }

// Err is the first error.
func (r *Reader) Err() error { return r.err }

// Rest is what has not been read.
func (r *Reader) Rest() []byte { return r.data }

// Uint32 reads a number of four bytes.
func (r *Reader) Uint32() uint32 {
	b := r.take(4)
	if b == nil {
		return 0
	}
	return binary.BigEndian.Uint32(b)
}

// String reads a length and as many bytes.
func (r *Reader) String() []byte { return r.take(uint64(r.Uint32())) }

// Number reads an mpint that is not negative.
func (r *Reader) Number() *big.Int {
	b := r.String()
	if len(b) > 0 && b[0]&0x80 != 0 && r.err == nil {
		r.err = Malformed("a number in the key is negative")
	}
	return new(big.Int).SetBytes(b)
}

// Strings reads strings until nothing is left.
func (r *Reader) Strings() error {
	for r.err == nil && len(r.data) > 0 {
		r.String()
	}
	return r.err
}

func (r *Reader) take(n uint64) []byte {
	if r.err != nil {
		return nil
	}
	if n > uint64(len(r.data)) {
		r.err = Truncated(fmt.Sprintf("%d bytes are missing", n-uint64(len(r.data))))
		return nil
	}
	b := r.data[:n:n]
	r.data = r.data[n:]
	return b
}
