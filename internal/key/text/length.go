package text

import (
	"bytes"

	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

// openSSHMagic begins every key in the format of OpenSSH (PROTOCOL.key).
const openSSHMagic = "openssh-key-v1\x00"

// maxHeader is how many bytes at the start of a key are looked at to learn its length. OpenSSH states it behind the public
// half, which takes about 2 KiB for RSA of 16384 bits.
const maxHeader = 6 << 10

// stated returns the number of base64 letters, without padding, that a key says it has. Indefinite is true for BER, which
// states none. This number is what everything else in this package leans on: it tells a space that was a plus sign from
// one that was nothing, a stray n from a letter, and a truncated key from a whole one.
func stated(letters []byte) (n int, known, indefinite bool) {
	head, _ := decode(letters[:min(len(letters), maxHeader/3*4)])
	size, known, indefinite := statedBytes(head)
	return (size*4 + 2) / 3, known, indefinite
}

// statedBytes returns the length that the beginning of a DER or OpenSSH encoding states for the whole of it.
func statedBytes(head []byte) (size int, known, indefinite bool) {
	if bytes.HasPrefix(head, []byte(openSSHMagic)) {
		size, known = openSSHSize(head)
		return size, known, false
	}
	if len(head) < 4 || head[0] != tagSequence && head[0] != tagOID {
		return 0, false, false
	}
	if head[1] == 0x80 {
		return 0, head[2] == 0x02 || head[2] == 0x30, true
	}
	header, content, ok := sealed.Header(head)
	return header + content, ok && content > 0, false
}

// openSSHSize walks the fields of PROTOCOL.key: cipher, kdf and its options, the number of keys, the public halves, the rest.
func openSSHSize(b []byte) (int, bool) {
	r := sealed.NewReader(b[len(openSSHMagic):])
	cipher := r.String()
	for range 2 {
		r.String()
	}
	keys := r.Uint32()
	if keys == 0 || keys > 16 {
		return 0, false
	}
	for range keys {
		r.String()
	}
	rest := r.Uint32()
	if r.Err() != nil || rest > 1<<20 {
		return 0, false
	}
	size := len(b) - len(r.Rest()) + int(rest)
	if bytes.Contains(cipher, []byte("gcm")) || bytes.Contains(cipher, []byte("poly1305")) {
		size += 16 // the authentication tag stands behind the last field
	}
	return size, true
}
