// Package ppk reads the private-key files of PuTTY, versions 2 and 3 (PuTTY manual, appendix C), whose lines are in order. It must
// never know of damaged text: package text repairs that before.
package ppk

import (
	"crypto"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"

	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

const (
	prefix  = "PuTTY-User-Key-File-"
	maxSize = 256 << 10 // an RSA key of 16384 bits takes 13 KiB; comments may be long
)

// Parse reads a PuTTY private key, checks its MAC and that its halves fit each other. Lines may end in LF, CRLF or CR; text
// after the last line is ignored. A nil or empty passphrase means none was given; one is not looked at where the key is plain.
func Parse(text, passphrase []byte) (crypto.Signer, error) {
	if len(text) > maxSize {
		return nil, sealed.Malformed("a PuTTY key of more than 256 KiB")
	}
	f, err := read(text)
	if err != nil {
		return nil, err
	}
	if err := checkType(f.algorithm); err != nil {
		return nil, err
	}
	if !f.encrypted() {
		return f.finish(f.private, keys{})
	}
	if len(passphrase) == 0 {
		return nil, sealed.ErrNoPassphrase
	}
	k, err := f.derive(passphrase)
	if err != nil {
		return nil, err
	}
	private, err := k.decrypt(f.private)
	if err != nil {
		return nil, err
	}
	return f.finish(private, k)
}

// checkType refuses by name the types that are no use here.
func checkType(algorithm string) error {
	switch algorithm {
	case "ssh-rsa", "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521":
		return nil
	case "ssh-dss":
		return sealed.UnsupportedKey("DSA key")
	case "ssh-ed448":
		return sealed.UnsupportedKey("Ed448 key")
	}
	return sealed.UnsupportedKey("PuTTY key of an unknown type")
}

// finish checks the MAC of a decrypted file and makes the key. Where the MAC is wrong and yet the halves of the key fit each
// other, the passphrase cannot be what is wrong: the comment or something else under the MAC has been edited.
func (f *file) finish(private []byte, k keys) (crypto.Signer, error) {
	authentic := hmac.Equal(f.computeMAC(private, k), f.mac)
	if !authentic && f.encrypted() {
		if _, err := f.key(private); err != nil {
			return nil, sealed.ErrPassphrase
		}
	}
	if !authentic {
		return nil, sealed.Malformed("the MAC does not match: the file, its comment included, has been altered since PuTTY wrote it")
	}
	key, err := f.key(private)
	if _, ok := errors.AsType[*sealed.MalformedError](err); ok {
		return nil, sealed.Malformed("the PuTTY key is authentic, and yet its numbers cannot be read")
	}
	return key, err
}

// computeMAC is the MAC over all that a file says, decrypted.
func (f *file) computeMAC(private []byte, k keys) []byte {
	var mac hash.Hash
	switch {
	case f.version == 3:
		mac = hmac.New(sha256.New, k.mac)
	default:
		key := sha1.Sum(append([]byte("putty-private-key-file-mac-key"), k.passphrase...))
		mac = hmac.New(sha1.New, key[:])
	}
	for _, part := range [][]byte{[]byte(f.algorithm), []byte(f.encryption), f.comment, f.public, private} {
		mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		mac.Write(part)
	}
	return mac.Sum(nil)
}

// key makes the key and checks it.
func (f *file) key(private []byte) (crypto.Signer, error) {
	public, secret := sealed.NewReader(f.public), sealed.NewReader(private)
	if string(public.String()) != f.algorithm {
		return nil, sealed.Malformed("the first line of the PuTTY key names another type than its public half")
	}
	switch f.algorithm {
	case "ssh-rsa":
		return rsaKey(public, secret)
	case "ssh-ed25519":
		return ed25519Key(public, secret)
	default:
		return ecdsaKey(public, secret)
	}
}
