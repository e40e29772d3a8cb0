// Package sealed holds what the decoders of private-key containers share: the ways in which they refuse, the lengths of DER and
// the fields of SSH, and the bounds of what a key derivation may cost. It must never know a key, and its errors hold no part of a
// key, of a passphrase or of the input, other than numbers and names of algorithms.
package sealed

import "errors"

var (
	// ErrPassphrase says that the passphrase does not open the container. A decoder returns it only where every other cause
	// that it can tell has been ruled out.
	ErrPassphrase = errors.New("wrong passphrase")

	// ErrNoPassphrase says that the container is encrypted and that no passphrase came with it.
	ErrNoPassphrase = errors.New("the key is encrypted and no passphrase was given")
)

// UnsupportedError names a cipher, a key derivation, a key type or a version that is not read.
type UnsupportedError struct {
	What string // "cipher Camellia-256-CBC"
	Key  bool   // it is the key itself that is unsupported, so that no other container helps
	Hint string // what to do, if What does not tell; else ""
}

func (e *UnsupportedError) Error() string { return "unsupported: " + e.What }

// Unsupported is an UnsupportedError about a container: converted, the key in it can be read.
func Unsupported(what string) error { return &UnsupportedError{What: what} }

// UnsupportedKey is an UnsupportedError about a key, which stays what it is in any container.
func UnsupportedKey(what string) error { return &UnsupportedError{What: what, Key: true} }

// MalformedError says in what way a container is not what its format asks for.
type MalformedError struct {
	What      string // "the initialisation vector has 7 bytes, not 16"
	Truncated bool   // less came than the container says that it holds
}

func (e *MalformedError) Error() string {
	if e.Truncated {
		return "truncated: " + e.What
	}
	return "damaged: " + e.What
}

// Malformed is a MalformedError about something other than a missing part.
func Malformed(what string) error { return &MalformedError{What: what} }

// Truncated is a MalformedError about a missing part.
func Truncated(what string) error { return &MalformedError{What: what, Truncated: true} }

// CostError says that a container asks for more work, or more memory, than a decoder spends on any input.
type CostError struct {
	Cost  string // "PBKDF2 with 2000000000 iterations"
	Bound string // "3000000 iterations"
}

func (e *CostError) Error() string {
	return "the cost of its key derivation is too high: " + e.Cost + "; the limit is " + e.Bound
}
