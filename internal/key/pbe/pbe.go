// Package pbe opens what password-based schemes have encrypted: PBES1 and PBES2 (RFC 8018) and those of PKCS#12 (RFC 7292,
// appendix C). It must never know what it decrypts, nor start a derivation whose cost a sealed.Meter has not accepted.
package pbe

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

// Passphrase is one passphrase in the two encodings that the schemes ask for.
type Passphrase struct {
	Text []byte // as given: PBES1, PBES2
	BMP  []byte // UTF-16, big endian, with a final zero: the schemes of PKCS#12
}

// opener decrypts one kind of ciphertext with a key that has been derived already.
type opener func(data []byte) ([]byte, error)

// Open decrypts data by the scheme that algorithm names, after meter has agreed to its cost. It takes padding to be no proof
// of the right passphrase and leaves it in place.
//
// The error is a *sealed.UnsupportedError, a *sealed.CostError, a *sealed.MalformedError or, with an authenticated cipher,
// sealed.ErrPassphrase.
func Open(algorithm pkix.AlgorithmIdentifier, data []byte, pass Passphrase, meter *sealed.Meter) ([]byte, error) {
	oid := algorithm.Algorithm.String()
	if oid == oidPBES2 {
		open, err := pbes2(algorithm.Parameters.FullBytes, pass.Text, meter)
		if err != nil {
			return nil, err
		}
		return open(data)
	}
	scheme, ok := pbes1Schemes[oid]
	if !ok {
		return nil, sealed.Unsupported("encryption scheme " + algorithmName(oid))
	}
	open, err := scheme.opener(algorithm.Parameters.FullBytes, pass, meter)
	if err != nil {
		return nil, err
	}
	return open(data)
}

// UsesBMP reports whether Open takes the BMP form of a passphrase for algorithm, so that its encodings differ in result.
func UsesBMP(algorithm pkix.AlgorithmIdentifier) bool {
	return pbes1Schemes[algorithm.Algorithm.String()].pkcs12
}

// unmarshal reads a whole DER value. What it is for an error to be about is named by what.
func unmarshal(der []byte, into any, what string) error {
	if rest, err := asn1.Unmarshal(der, into); err != nil || len(rest) > 0 {
		return sealed.Malformed("the " + what + " cannot be read")
	}
	return nil
}

// Encodings returns the encodings of a passphrase that are worth trying, the most likely first. Text is always exactly what
// was given. UTF-16 is made of UTF-8 where the passphrase is UTF-8, and of single bytes where that makes a difference: OpenSSL
// before 1.1 did so.
func Encodings(passphrase []byte) []Passphrase {
	single := Passphrase{Text: passphrase, BMP: bmpOfBytes(passphrase)}
	isASCII := !slices.ContainsFunc(passphrase, func(b byte) bool { return b >= utf8.RuneSelf })
	if isASCII || !utf8.Valid(passphrase) {
		return []Passphrase{single}
	}
	return []Passphrase{{Text: passphrase, BMP: bmpOfText(string(passphrase))}, single}
}

func bmpOfText(s string) []byte {
	var out []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		out = binary.BigEndian.AppendUint16(out, unit)
	}
	return append(out, 0, 0)
}

func bmpOfBytes(s []byte) []byte {
	out := make([]byte, 0, 2*len(s)+2)
	for _, b := range s {
		out = append(out, 0, b)
	}
	return append(out, 0, 0)
}
