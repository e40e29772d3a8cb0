// Package sshkey reads private keys in the format of OpenSSH (PROTOCOL.key of OpenSSH): it bounds the cost, decrypts, and has
// golang.org/x/crypto/ssh read what is plain then. It must never trust the halves of a key: x/crypto/ssh takes an Ed25519 key
// whose public half is foreign.
package sshkey

import (
	"bytes"
	"crypto"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/seed-363d07a3/jwtbearer/internal/key/check"
	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

const (
	magic   = "openssh-key-v1\x00"
	maxSize = 128 << 10
)

// container is the outside of a key file.
type container struct {
	cipher, kdf     string
	salt            []byte
	rounds          uint32
	public, private []byte
	tag             []byte // what follows the private section: the tag of an authenticated cipher
}

// Parse reads the decoded body of an OPENSSH PRIVATE KEY block and checks that the halves of the key fit each other. A nil or
// empty passphrase means none was given; one is not looked at where the key is plain.
func Parse(body, passphrase []byte) (crypto.Signer, error) {
	c, err := read(body)
	if err != nil {
		return nil, err
	}
	if err := checkType(c.public); err != nil {
		return nil, err
	}
	key, err := c.open(passphrase)
	if err != nil {
		return nil, err
	}
	signer, err := check.Signer(key)
	if err != nil {
		return nil, err
	}
	if err := c.checkPublic(signer); err != nil {
		return nil, err
	}
	return signer, nil
}

// read reads the outside and says what is missing from it.
func read(body []byte) (*container, error) {
	if !bytes.HasPrefix(body, []byte(magic)) {
		return nil, sealed.Malformed("it does not begin as an OpenSSH private key does")
	}
	if len(body) > maxSize {
		return nil, sealed.Malformed("an OpenSSH private key of more than 128 KiB")
	}
	r := sealed.NewReader(body[len(magic):])
	c := &container{cipher: string(r.String()), kdf: string(r.String())}
	options := r.String()
	if keys := r.Uint32(); r.Err() == nil && keys != 1 {
		return nil, sealed.Unsupported(fmt.Sprintf("OpenSSH file of %d keys", keys))
	}
	c.public, c.private, c.tag = r.String(), r.String(), r.Rest()
	if err := r.Err(); err != nil {
		return nil, err
	}
	if c.kdf == "bcrypt" {
		o := sealed.NewReader(options)
		c.salt, c.rounds = o.String(), o.Uint32()
		if o.Err() != nil || len(c.salt) == 0 {
			return nil, sealed.Malformed("the bcrypt parameters of the OpenSSH key")
		}
	}
	return c, nil
}

// checkType refuses by name the types that are no use here.
func checkType(public []byte) error {
	r := sealed.NewReader(public)
	name := string(r.String())
	switch {
	case r.Err() != nil:
		return sealed.Malformed("the public half of the OpenSSH key")
	case strings.HasPrefix(name, "sk-") || strings.HasPrefix(name, "webauthn-sk-"):
		return sealed.UnsupportedKey("key of a hardware security key (FIDO), which holds the private half itself")
	case strings.Contains(name, "-cert-v01@"):
		return sealed.UnsupportedKey("OpenSSH certificate")
	case name == "ssh-dss":
		return sealed.UnsupportedKey("DSA key")
	case name == "ssh-ed448":
		return sealed.UnsupportedKey("Ed448 key")
	case name == "ssh-xmss@openssh.com":
		return sealed.UnsupportedKey("XMSS key")
	case name == ssh.KeyAlgoRSA, name == ssh.KeyAlgoED25519, strings.HasPrefix(name, "ecdsa-sha2-nistp"):
		return nil
	}
	return sealed.UnsupportedKey("OpenSSH key of an unknown type")
}

// open decrypts the private section, if need be, and has x/crypto/ssh read it.
func (c *container) open(passphrase []byte) (any, error) {
	if c.cipher == "none" && c.kdf == "none" {
		return parsePlain(c.plain(c.private))
	}
	method, err := c.method()
	if err != nil {
		return nil, err
	}
	if len(passphrase) == 0 {
		return nil, sealed.ErrNoPassphrase
	}
	var meter sealed.Meter
	if err := meter.Bcrypt(c.rounds, method.keyBlocks()); err != nil {
		return nil, err
	}
	key := bcryptPBKDF(passphrase, c.salt, int(c.rounds), method.keyLen+method.ivLen)
	private, err := method.open(key[:method.keyLen], key[method.keyLen:], c.private, c.tag)
	if err != nil {
		return nil, err
	}
	if len(private) < 8 || !bytes.Equal(private[:4], private[4:8]) {
		return nil, sealed.ErrPassphrase
	}
	return parsePlain(c.plain(private))
}

// plain is the container with its private section decrypted.
func (c *container) plain(private []byte) []byte {
	out := []byte(magic)
	for _, s := range []string{"none", "none", ""} {
		out = appendString(out, []byte(s))
	}
	out = binary.BigEndian.AppendUint32(out, 1)
	return appendString(appendString(out, c.public), private)
}

func appendString(out, s []byte) []byte {
	return append(binary.BigEndian.AppendUint32(out, uint32(len(s))), s...)
}

func parsePlain(body []byte) (any, error) {
	key, err := ssh.ParseRawPrivateKey(armour(body))
	if err != nil {
		return nil, sealed.Malformed("the private section of the OpenSSH key")
	}
	return key, nil
}

// armour makes PEM, which is all that x/crypto/ssh takes.
func armour(body []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "OPENSSH PRIVATE KEY", Bytes: body})
}

// checkPublic compares the key with the public half that stands unencrypted in front of it.
func (c *container) checkPublic(signer crypto.Signer) error {
	public, err := ssh.NewPublicKey(signer.Public())
	if err != nil || !bytes.Equal(public.Marshal(), c.public) {
		return &check.MismatchError{What: "the public half in front of the OpenSSH key is that of another key"}
	}
	return nil
}
