package ppk

import (
	"encoding/binary"
	"math/bits"

	"golang.org/x/crypto/blake2b"
)

// x/crypto/argon2 has Argon2i and Argon2id only, and PuTTYgen offers all three. This is the third, of RFC 9106, one lane after
// the other; the two others are left to x/crypto.

const (
	argonSlices  = 4
	argonVersion = 0x13
)

// argonBlock is 1 KiB of memory.
type argonBlock [128]uint64

// argonMemory is the matrix of RFC 9106, section 3.2: lane after lane.
type argonMemory struct {
	blocks        []argonBlock
	lanes, length int // length of one lane
}

// argon2d has the signature of argon2.Key. Its parameters are those that sealed.Meter has let pass.
func argon2d(passphrase, salt []byte, time, memory uint32, threads uint8, size uint32) []byte {
	lanes := int(threads)
	length := int(memory) / (argonSlices * lanes) * argonSlices
	m := &argonMemory{make([]argonBlock, lanes*length), lanes, length}
	m.seed(argonHash0(passphrase, salt, time, memory, uint32(threads), size))
	for pass := range int(time) {
		for slice := range argonSlices {
			for lane := range lanes {
				m.fillSegment(pass, slice, lane)
			}
		}
	}
	last := m.blocks[length-1]
	for lane := 1; lane < lanes; lane++ {
		last.xor(&m.blocks[(lane+1)*length-1])
	}
	return argonHash(last.bytes(), int(size))
}

// argonHash0 is H_0, without secret and associated data.
func argonHash0(passphrase, salt []byte, time, memory, lanes, size uint32) []byte {
	const variantD = 0
	var in []byte
	for _, n := range []uint32{lanes, size, memory, time, argonVersion, variantD} {
		in = binary.LittleEndian.AppendUint32(in, n)
	}
	for _, s := range [][]byte{passphrase, salt, nil, nil} {
		in = append(binary.LittleEndian.AppendUint32(in, uint32(len(s))), s...)
	}
	h := blake2b.Sum512(in)
	return h[:]
}

// argonHash is H', BLAKE2b of any length (RFC 9106, section 3.3).
func argonHash(in []byte, size int) (out []byte) {
	in = append(binary.LittleEndian.AppendUint32(nil, uint32(size)), in...)
	for size-len(out) > blake2b.Size {
		h := blake2b.Sum512(in)
		in = h[:]
		out = append(out, h[:blake2b.Size/2]...)
	}
	h, err := blake2b.New(size-len(out), nil)
	if err != nil {
		panic("jwtbearer: internal error: " + err.Error()) // the size is between 1 and 64, always
	}
	h.Write(in)
	return h.Sum(out)
}

// seed fills the first two blocks of every lane.
func (m *argonMemory) seed(h0 []byte) {
	for lane := range m.lanes {
		for i := range 2 {
			in := binary.LittleEndian.AppendUint32(h0[:len(h0):len(h0)], uint32(i))
			in = binary.LittleEndian.AppendUint32(in, uint32(lane))
			raw := argonHash(in, 1024)
			for w := range 128 {
				m.blocks[lane*m.length+i][w] = binary.LittleEndian.Uint64(raw[8*w:])
			}
		}
	}
}

// fillSegment fills a quarter of a lane (RFC 9106, section 3.4).
func (m *argonMemory) fillSegment(pass, slice, lane int) {
	segment := m.length / argonSlices
	first := 0
	if pass == 0 && slice == 0 {
		first = 2
	}
	for i := first; i < segment; i++ {
		at := slice*segment + i
		previous := &m.blocks[lane*m.length+(at+m.length-1)%m.length]
		block := &m.blocks[lane*m.length+at]
		block.compress(previous, m.reference(previous[0], pass, slice, lane, i), pass > 0)
	}
}

// reference picks the block that the pseudo-random word points at (RFC 9106, section 3.4.2).
func (m *argonMemory) reference(word uint64, pass, slice, lane, i int) *argonBlock {
	segment := m.length / argonSlices
	from := int(word>>32) % m.lanes
	if pass == 0 && slice == 0 {
		from = lane
	}
	area, start := m.length-segment, (slice+1)%argonSlices*segment
	if pass == 0 {
		area, start = slice*segment, 0
	}
	switch {
	case from == lane:
		area += i - 1
	case i == 0:
		area--
	}
	x := (word & 0xffffffff) * (word & 0xffffffff) >> 32
	z := area - 1 - int(uint64(area)*x>>32)
	return &m.blocks[from*m.length+(start+z)%m.length]
}

// compress sets the block to G(x, y), or adds that to it (RFC 9106, section 3.5).
func (b *argonBlock) compress(x, y *argonBlock, add bool) {
	r := *x
	r.xor(y)
	q := r
	for i := 0; i < 128; i += 16 {
		permute(&q, i, 2)
	}
	for i := 0; i < 16; i += 2 {
		permute(&q, i, 16)
	}
	q.xor(&r)
	if add {
		b.xor(&q)
	} else {
		*b = q
	}
}

// permute is P (RFC 9106, section 3.6) on eight pairs of words: the pairs begin at start and are step words apart.
func permute(b *argonBlock, start, step int) {
	var v [16]uint64
	for i := range 8 {
		v[2*i], v[2*i+1] = b[start+i*step], b[start+i*step+1]
	}
	for i := range 4 {
		mix(&v[i], &v[4+i], &v[8+i], &v[12+i])
	}
	for i := range 4 {
		mix(&v[i], &v[4+(i+1)%4], &v[8+(i+2)%4], &v[12+(i+3)%4])
	}
	for i := range 8 {
		b[start+i*step], b[start+i*step+1] = v[2*i], v[2*i+1]
	}
}

// mix is the function GB of RFC 9106, section 3.6.
func mix(a, b, c, d *uint64) {
	*a, *d = mixHalf(*a, *b, *d, 32)
	*c, *b = mixHalf(*c, *d, *b, 24)
	*a, *d = mixHalf(*a, *b, *d, 16)
	*c, *b = mixHalf(*c, *d, *b, 63)
}

func mixHalf(x, y, z uint64, rotation int) (sum, rotated uint64) {
	sum = x + y + 2*(x&0xffffffff)*(y&0xffffffff)
	return sum, bits.RotateLeft64(z^sum, -rotation)
}

func (b *argonBlock) xor(other *argonBlock) {
	for i, w := range other {
		b[i] ^= w
	}
}

func (b *argonBlock) bytes() []byte {
	out := make([]byte, 0, 1024)
	for _, w := range b {
		out = binary.LittleEndian.AppendUint64(out, w)
	}
	return out
}
