package ppk

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"

	"golang.org/x/crypto/argon2"

	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

// keys are what a passphrase gives.
type keys struct {
	cipher, iv, mac []byte // mac: version 3
	passphrase      []byte // version 2, which keys its MAC with the passphrase
}

func (f *file) derive(passphrase []byte) (keys, error) {
	if f.version == 3 {
		return f.argon2.derive(passphrase)
	}
	// Two hashes of a counter and the passphrase, cut to the 32 bytes of the key; the initialisation vector is zero.
	var key []byte
	for counter := range byte(2) {
		h := sha1.Sum(append([]byte{0, 0, 0, counter}, passphrase...))
		key = append(key, h[:]...)
	}
	return keys{cipher: key[:32], iv: make([]byte, aes.BlockSize), passphrase: passphrase}, nil
}

// saveAgain is how to replace a key derivation that PuTTYgen offers and x/crypto/argon2 does not.
const saveAgain = "save it again with Argon2id: puttygen FILE -O private -o new.ppk --ppk-param kdf=argon2id, or in PuTTYgen: " +
	"Key, Parameters for saving key files"

// derive runs Argon2, if its cost allows, for the key, the initialisation vector and the key of the MAC.
func (p argon2Params) derive(passphrase []byte) (keys, error) {
	var run func(password, salt []byte, time, memory uint32, threads uint8, size uint32) []byte
	switch p.variant {
	case "Argon2id":
		run = argon2.IDKey
	case "Argon2i":
		run = argon2.Key
	case "Argon2d":
		return keys{}, &sealed.UnsupportedError{What: "PuTTY key with the key derivation Argon2d", Hint: saveAgain}
	default:
		return keys{}, sealed.Unsupported("PuTTY key with a key derivation other than Argon2")
	}
	var meter sealed.Meter
	if err := meter.Argon2(p.memory, p.passes, p.lanes); err != nil {
		return keys{}, err
	}
	out := run(passphrase, p.salt, uint32(p.passes), uint32(p.memory), uint8(p.lanes), 32+16+32)
	return keys{cipher: out[:32], iv: out[32:48], mac: out[48:]}, nil
}

func (k keys) decrypt(private []byte) ([]byte, error) {
	block, err := aes.NewCipher(k.cipher)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(private))
	cipher.NewCBCDecrypter(block, k.iv).CryptBlocks(plain, private)
	return plain, nil
}
