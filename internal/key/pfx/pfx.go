// Package pfx reads PKCS#12 files (RFC 7292), in DER and in the BER that Firefox, Java and others write. It must never know of
// the text around a file, nor which of its certificates is of use.
//
// The bags are opened one by one with package pbe rather than by software.sslmate.com/src/go-pkcs12, which the tests use as
// the other side: a key bag within an encrypted safe shows its cost only once that safe has been opened, so that no look from
// outside can bound what go-pkcs12 will do in its one call.
package pfx

import (
	"crypto"
	"crypto/x509"
	"errors"

	"github.com/seed-363d07a3/jwtbearer/internal/key/pbe"
	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

const (
	maxSize       = 1 << 20
	maxPassphrase = 4 << 10 // hashed once for each safe, of which a file may have thousands
	maxKeys       = 4       // checked one by one, at up to a second each for the largest RSA keys
)

// Bundle is what a PKCS#12 file holds: one private key and certificates.
type Bundle struct {
	Key          crypto.Signer
	Certificates []*x509.Certificate // each once, in the order of the file
	Unneeded     bool                // a passphrase was given, and the file has none, or an empty one
}

var (
	// ErrSeveralKeys says that a file holds several different private keys.
	ErrSeveralKeys = errors.New("the PKCS#12 file holds two or more different private keys")

	// ErrNoKey says that a file holds no private key.
	ErrNoKey = errors.New("the PKCS#12 file holds no private key, only certificates")
)

// Parse reads a PKCS#12 file. A nil or empty passphrase stands for no password and for the empty one, both of which are
// tried; if neither opens the file, the error is sealed.ErrNoPassphrase. Both are tried after a passphrase that is wrong, too.
//
// Several keys are refused with ErrSeveralKeys unless they are the same; none, with ErrNoKey.
func Parse(der, passphrase []byte) (*Bundle, error) {
	return parse(der, passphrase, new(sealed.Meter))
}

func parse(der, passphrase []byte, meter *sealed.Meter) (*Bundle, error) {
	if len(der) > maxSize {
		return nil, sealed.Malformed("a PKCS#12 file of more than 1 MiB")
	}
	if len(passphrase) > maxPassphrase {
		return nil, sealed.Malformed("a passphrase of more than 4096 bytes")
	}
	f, err := read(der)
	if err != nil {
		return nil, err
	}
	o, err := f.openAny(passwords(passphrase), meter)
	switch {
	case err == nil:
		return o.bundle()
	case !errors.Is(err, sealed.ErrPassphrase):
		return nil, err
	case len(passphrase) == 0:
		return nil, sealed.ErrNoPassphrase
	}
	if o, empty := f.openAny(passwords(nil), meter); empty == nil {
		o.unneeded = true
		return o.bundle()
	}
	return nil, err // what the empty one ends in, the cost of trying it, say, is of no interest
}

// openAny opens the file with the first passphrase that is not wrong.
func (f *file) openAny(all []pbe.Passphrase, meter *sealed.Meter) (o *opener, err error) {
	for _, p := range all {
		if o, err = f.open(p, meter); !errors.Is(err, sealed.ErrPassphrase) {
			break
		}
	}
	return o, err
}

// passwords are the forms of a passphrase to try. No password at all is nothing in some writers and an empty string, which
// ends in a zero, in others.
func passwords(passphrase []byte) []pbe.Passphrase {
	all := pbe.Encodings(passphrase)
	if len(passphrase) == 0 {
		all = append(all, pbe.Passphrase{})
	}
	return all
}

// open verifies the MAC, if there is one, and opens all bags.
func (f *file) open(pass pbe.Passphrase, meter *sealed.Meter) (*opener, error) {
	if err := f.verify(pass, meter); err != nil {
		return nil, err
	}
	o := &opener{pass: pass, meter: meter, seen: map[string]bool{}}
	for _, safe := range f.safes {
		if err := o.safe(safe); err != nil {
			return nil, err
		}
	}
	return o, nil
}

func (o *opener) bundle() (*Bundle, error) {
	if o.key == nil {
		return nil, ErrNoKey
	}
	return &Bundle{Key: o.key, Certificates: o.certificates, Unneeded: o.unneeded}, nil
}
