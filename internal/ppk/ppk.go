// Package ppk reads the private-key files of PuTTY, versions 2 and 3 (PuTTY manual, appendix C).
package ppk

import (
	"crypto"

	"github.com/seed-363d07a3/jwtbearer/internal/sealed"
)

// Is reports whether text begins as a PuTTY private key of any version does.
func Is(text []byte) bool { return false }

// Parse reads a PuTTY private key, checks its MAC and that its halves fit each other. Lines may end in LF, CRLF or CR; text
// after the last line is ignored. A nil or empty passphrase means none was given; one is not looked at where the key is plain.
func Parse(text, passphrase []byte) (crypto.Signer, error) {
	return nil, &sealed.UnsupportedError{What: "pending"}
}
