package text

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
)

// openSSHMagic begins every key in the format of OpenSSH (PROTOCOL.key).
const openSSHMagic = "openssh-key-v1\x00"

// maxHeader is how many bytes at the start of a key are looked at to learn its length. OpenSSH states it behind the public
// half, which takes about 2 KiB for RSA of 16384 bits.
const maxHeader = 6 << 10

// stated returns the number of base64 letters, without padding, that a key says it has. Indefinite is true for BER, which
// states none. This number is what everything else in this package leans on: it tells a blank that was a plus sign from
// one that was nothing, a stray n from a letter, and a truncated key from a whole one.
func stated(letters []byte) (n int, known, indefinite bool) {
	head := decodeHead(letters)
	size, known, indefinite := statedBytes(head)
	return (size*4 + 2) / 3, known, indefinite
}

func decodeHead(letters []byte) []byte {
	letters = letters[:min(len(letters), maxHeader/3*4)]
	head := make([]byte, base64.RawStdEncoding.DecodedLen(len(letters)))
	n, _ := base64.RawStdEncoding.Decode(head, letters)
	return head[:n]
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
	header, content, ok := tlv(head)
	return header + content, ok && content > 0, false
}

// tlv reads the header of a definite-length DER element.
func tlv(b []byte) (header, content int, ok bool) {
	if len(b) < 2 {
		return 0, 0, false
	}
	n := int(b[1])
	if n < 0x80 {
		return 2, n, true
	}
	n &= 0x7f
	if n == 0 || n > 4 || len(b) < 2+n {
		return 0, 0, false
	}
	for _, c := range b[2 : 2+n] {
		content = content<<8 | int(c)
	}
	return 2 + n, content, content >= 0 && content < 1<<31
}

// openSSHSize walks the fields of PROTOCOL.key: cipher, kdf and its options, the number of keys, the public halves, the rest.
func openSSHSize(b []byte) (int, bool) {
	at := len(openSSHMagic)
	field := func() (string, bool) {
		if at+4 > len(b) {
			return "", false
		}
		n := int(binary.BigEndian.Uint32(b[at:]))
		start := at + 4
		if n < 0 || n > 1<<20 {
			return "", false
		}
		at = start + n
		return string(b[min(start, len(b)):min(at, len(b))]), true
	}
	cipher, ok := field()
	for range 2 {
		if ok {
			_, ok = field()
		}
	}
	if !ok || at+4 > len(b) {
		return 0, false
	}
	keys := binary.BigEndian.Uint32(b[at:])
	at += 4
	if keys == 0 || keys > 16 {
		return 0, false
	}
	for range keys + 1 {
		if _, ok = field(); !ok {
			return 0, false
		}
	}
	if bytes.Contains([]byte(cipher), []byte("gcm")) || bytes.Contains([]byte(cipher), []byte("poly1305")) {
		at += 16 // the authentication tag stands behind the last field
	}
	return at, true
}
