package sealed

import "fmt"

// Whole cuts what follows the outermost DER value off, as its own length says, and fails with a *MalformedError where less
// came than that. It looks at the header only.
func Whole(der []byte) ([]byte, error) {
	size, length, ok := Header(der)
	switch {
	case !ok && len(der) < 6:
		return nil, Truncated("it ends within its first length")
	case !ok:
		return nil, Malformed("it does not begin with a DER length")
	case length > len(der)-size:
		return nil, Truncated(fmt.Sprintf("%d of %d bytes are there", len(der), size+length))
	}
	return der[:size+length], nil
}

// Header reads a tag of one byte and a definite length of up to four bytes. The length is not compared with what is there.
func Header(der []byte) (size, length int, ok bool) {
	if len(der) < 2 {
		return 0, 0, false
	}
	n := int(der[1])
	if n < 0x80 {
		return 2, n, true
	}
	n &= 0x7f
	if n == 0 || n > 4 || len(der) < 2+n {
		return 0, 0, false
	}
	var l int64
	for _, b := range der[2 : 2+n] {
		l = l<<8 | int64(b)
	}
	if l > 1<<31-1-6 { // so that header and length together fit an int everywhere
		l = 1<<31 - 1 - 6
	}
	return 2 + n, int(l), true
}
