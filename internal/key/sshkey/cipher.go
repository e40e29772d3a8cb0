package sshkey

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/sha512"
	"encoding/binary"

	//lint:ignore SA1019 bcrypt is made of it
	"golang.org/x/crypto/blowfish"
	"golang.org/x/crypto/chacha20"
	//lint:ignore SA1019 the construction of OpenSSH is older than RFC 8439 and differs from it
	"golang.org/x/crypto/poly1305"

	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

// bcryptBlock is the output size of one run of bcrypt_pbkdf's hash.
const bcryptBlock = 32

// method is one cipher that ssh-keygen -Z offers.
type method struct {
	keyLen, ivLen, blockLen, tagLen int
	open                            func(key, iv, private, tag []byte) ([]byte, error)
}

var methods = map[string]method{
	"aes256-ctr":                    {32, 16, 16, 0, aesCTR},
	"aes256-cbc":                    {32, 16, 16, 0, aesCBC},
	"aes192-ctr":                    {24, 16, 16, 0, aesCTR},
	"aes192-cbc":                    {24, 16, 16, 0, aesCBC},
	"aes128-ctr":                    {16, 16, 16, 0, aesCTR},
	"aes128-cbc":                    {16, 16, 16, 0, aesCBC},
	"3des-cbc":                      {24, 8, 8, 0, tripleDES},
	"aes128-gcm@openssh.com":        {16, 12, 16, 16, aesGCM},
	"aes256-gcm@openssh.com":        {32, 12, 16, 16, aesGCM},
	"chacha20-poly1305@openssh.com": {64, 0, 8, poly1305.TagSize, chachaPoly},
}

// method finds the cipher and checks the lengths that ciphers panic at.
func (c *container) method() (method, error) {
	m, ok := methods[c.cipher]
	switch {
	case !ok:
		return m, sealed.Unsupported("OpenSSH key under a cipher other than AES, 3des-cbc and chacha20-poly1305")
	case c.kdf != "bcrypt":
		return m, sealed.Unsupported("OpenSSH key with a key derivation other than bcrypt")
	case len(c.private) == 0 || len(c.private)%m.blockLen != 0:
		return m, sealed.Truncated("the private section is not a multiple of the block of its cipher")
	case len(c.tag) < m.tagLen:
		return m, sealed.Truncated("the tag of the cipher is missing")
	}
	return m, nil
}

func (m method) keyBlocks() int { return (m.keyLen + m.ivLen + bcryptBlock - 1) / bcryptBlock }

func aesCTR(key, iv, private, _ []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(private))
	cipher.NewCTR(block, iv).XORKeyStream(plain, private)
	return plain, nil
}

func aesCBC(key, iv, private, _ []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	return decryptCBC(block, err, iv, private)
}

func tripleDES(key, iv, private, _ []byte) ([]byte, error) {
	block, err := des.NewTripleDESCipher(key)
	return decryptCBC(block, err, iv, private)
}

func decryptCBC(block cipher.Block, err error, iv, private []byte) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(private))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, private)
	return plain, nil
}

func aesGCM(key, iv, private, tag []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, iv, append(private, tag[:gcm.Overhead()]...), nil)
	if err != nil {
		return nil, sealed.ErrPassphrase
	}
	return plain, nil
}

// chachaPoly is PROTOCOL.chacha20poly1305 of OpenSSH for packet 0 without a length field: the first half of the key only. The
// first block of the stream keys the authenticator, the second begins the text.
func chachaPoly(key, _, private, tag []byte) ([]byte, error) {
	stream, err := chacha20.NewUnauthenticatedCipher(key[:chacha20.KeySize], make([]byte, chacha20.NonceSize))
	if err != nil {
		return nil, err
	}
	var authKey [32]byte
	stream.XORKeyStream(authKey[:], authKey[:])
	if !poly1305.Verify((*[poly1305.TagSize]byte)(tag), private, &authKey) {
		return nil, sealed.ErrPassphrase
	}
	stream.SetCounter(1)
	plain := make([]byte, len(private))
	stream.XORKeyStream(plain, private)
	return plain, nil
}

// bcryptPBKDF is bcrypt_pbkdf of OpenBSD, which x/crypto keeps to itself: PBKDF2 with bcrypt for its function, and output that
// is spread over all parts of the key so that no part costs less.
func bcryptPBKDF(passphrase, salt []byte, rounds, size int) []byte {
	blocks := (size + bcryptBlock - 1) / bcryptBlock
	key := make([]byte, blocks*bcryptBlock)
	pass := sha512.Sum512(passphrase)
	for n := range blocks {
		seed := sha512.Sum512(binary.BigEndian.AppendUint32(append([]byte(nil), salt...), uint32(n+1)))
		last := bcryptHash(pass[:], seed[:])
		sum := last
		for range rounds - 1 {
			seed = sha512.Sum512(last[:])
			last = bcryptHash(pass[:], seed[:])
			for i, b := range last {
				sum[i] ^= b
			}
		}
		for i, b := range sum {
			key[i*blocks+n] = b
		}
	}
	return key[:size]
}

// bcryptHash is bcrypt with a cost of 2^6, a salt of 64 bytes and words in the order of little-endian machines.
func bcryptHash(pass, salt []byte) (out [bcryptBlock]byte) {
	c, err := blowfish.NewSaltedCipher(pass, salt)
	if err != nil {
		panic("jwtbearer: internal error: " + err.Error()) // the key has 64 bytes, always
	}
	for range 64 {
		blowfish.ExpandKey(salt, c)
		blowfish.ExpandKey(pass, c)
	}
	copy(out[:], "OxychromaticBlowfishSwatDynamite")
	for i := 0; i < len(out); i += blowfish.BlockSize {
		for range 64 {
			c.Encrypt(out[i:], out[i:])
		}
	}
	for i := 0; i < len(out); i += 4 {
		binary.LittleEndian.PutUint32(out[i:], binary.BigEndian.Uint32(out[i:]))
	}
	return out
}
