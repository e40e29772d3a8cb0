// Package sshkey reads private keys in the format of OpenSSH (PROTOCOL.key of OpenSSH).
package sshkey

import (
	"crypto"

	"github.com/seed-363d07a3/jwtbearer/internal/sealed"
)

// Is reports whether body begins as the decoded body of an OPENSSH PRIVATE KEY block does.
func Is(body []byte) bool { return false }

// Parse reads the decoded body of an OPENSSH PRIVATE KEY block and checks that the halves of the key fit each other. A nil or
// empty passphrase means none was given; one is not looked at where the key is plain.
func Parse(body, passphrase []byte) (crypto.Signer, error) {
	return nil, &sealed.UnsupportedError{What: "pending"}
}
