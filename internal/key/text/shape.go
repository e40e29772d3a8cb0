package text

import (
	"bytes"

	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

// Shape is what binary data is, by the way it begins.
type Shape uint8

// The shapes that are told apart.
const (
	Unknown Shape = iota
	PKCS8
	EncryptedPKCS8
	PKCS1
	SEC1
	DSAPrivate
	PKCS12
	OpenSSH
	Certificate
	CertificateRequest
	RevocationList
	PublicKey
	RSAPublicKey
	Parameters
	PKCS7
)

var shapeLabels = map[Shape]string{
	PKCS8: "PRIVATE KEY", EncryptedPKCS8: "ENCRYPTED PRIVATE KEY", PKCS1: "RSA PRIVATE KEY", SEC1: "EC PRIVATE KEY",
	DSAPrivate: "DSA PRIVATE KEY", PKCS12: "PKCS12", OpenSSH: "OPENSSH PRIVATE KEY", Certificate: "CERTIFICATE",
	CertificateRequest: "CERTIFICATE REQUEST", RevocationList: "X509 CRL", PublicKey: "PUBLIC KEY",
	RSAPublicKey: "RSA PUBLIC KEY", PKCS7: "PKCS7",
}

var shapeNames = map[Shape]string{
	PKCS8: "PKCS#8 private key", EncryptedPKCS8: "encrypted PKCS#8 private key", PKCS1: "PKCS#1 private key",
	SEC1: "SEC1 private key", DSAPrivate: "DSA private key", PKCS12: "PKCS#12 file", OpenSSH: "OpenSSH private key",
	Certificate: "certificate", CertificateRequest: "certificate request", RevocationList: "certificate revocation list",
	PublicKey: "public key", RSAPublicKey: "RSA public key", Parameters: "key parameters", PKCS7: "PKCS#7 certificate bundle",
}

func (s Shape) String() string { return shapeNames[s] }

// Label is what stands in the BEGIN line above data of this shape.
func (s Shape) Label() string { return shapeLabels[s] }

// Private reports whether data of this shape may hold a private key.
func (s Shape) Private() bool { return s >= PKCS8 && s <= OpenSSH }

// element is one DER element, of which the end may be missing.
type element struct {
	tag  byte
	size int // as stated
	body []byte
}

// elements reads the first elements of b, as far as they go.
func elements(b []byte, most int) []element {
	var all []element
	for len(b) > 1 && len(all) < most {
		tag := b[0]
		header, size, ok := sealed.Header(b)
		if b[1] == 0x80 {
			header, size, ok = 2, len(b)-2, true
		}
		if !ok {
			break
		}
		end := min(len(b), header+size)
		all = append(all, element{tag, size, b[header:max(header, end)]})
		b = b[end:]
	}
	return all
}

const (
	tagInteger  = 0x02
	tagBits     = 0x03
	tagOctets   = 0x04
	tagOID      = 0x06
	tagSequence = 0x30
)

// ShapeOf tells what b is. It looks at the outermost elements only, and b may be cut.
func ShapeOf(b []byte) Shape {
	if bytes.HasPrefix(b, []byte(openSSHMagic)) {
		return OpenSSH
	}
	outer := elements(b, 1)
	if len(outer) == 0 {
		return Unknown
	}
	if outer[0].tag == tagOID {
		return Parameters
	}
	if outer[0].tag != tagSequence {
		return Unknown
	}
	in := elements(outer[0].body, 10)
	if len(in) == 0 {
		return Unknown
	}
	switch in[0].tag {
	case tagInteger:
		return shapeOfNumbered(in)
	case tagSequence:
		return shapeOfSigned(in)
	case tagOID:
		if bytes.HasPrefix(in[0].body, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07}) {
			return PKCS7
		}
	}
	return Unknown
}

// shapeOfNumbered tells apart what begins with an integer: a version, or the first of several numbers.
func shapeOfNumbered(in []element) Shape {
	if len(in) < 2 {
		return Unknown
	}
	version := in[0].size == 1 && len(in[0].body) == 1 && in[0].body[0] <= 3
	switch {
	case version && in[1].tag == tagOctets:
		return SEC1
	case version && in[1].tag == tagSequence && in[0].body[0] == 3:
		return PKCS12
	case version && in[1].tag == tagSequence:
		return PKCS8
	case in[1].tag != tagInteger:
		return Unknown
	case len(in) == 2 || in[0].size > 1 && len(in) == 3 && in[2].size < 4:
		return shapeOfPair(in)
	case version && len(in) >= 4 && in[2].size <= 8 && in[2].size < in[1].size:
		return PKCS1 // version, n and the short e; a DSA key has the long q in that place
	case version && len(in) <= 6 && len(in) > 3:
		return DSAPrivate
	case version:
		return PKCS1
	case in[0].size < 32:
		return Unknown // p of Diffie-Hellman or DSA takes 64 bytes at least
	}
	return Parameters
}

// shapeOfPair tells an RSA public key, n and an odd e, from Diffie-Hellman parameters, p and the generator 2 or 5.
func shapeOfPair(in []element) Shape {
	if in[0].size <= 1 {
		return PKCS1 // cut after the modulus
	}
	e := in[1].body
	if in[1].size == 1 && len(e) == 1 && (e[0] == 2 || e[0] == 5) {
		return Parameters
	}
	return RSAPublicKey
}

// shapeOfSigned tells apart what begins with a sequence: an algorithm, or what a signature covers.
func shapeOfSigned(in []element) Shape {
	inner := elements(in[0].body, 8)
	if len(inner) == 0 {
		return Unknown
	}
	if inner[0].tag == tagOID {
		if len(in) > 1 && in[1].tag == tagBits {
			return PublicKey
		}
		if len(in) > 1 && in[1].tag == tagOctets {
			return EncryptedPKCS8
		}
		return Unknown
	}
	return shapeOfCertificate(inner)
}

func shapeOfCertificate(inner []element) Shape {
	tags := make([]byte, 0, 8)
	for _, e := range inner {
		tags = append(tags, e.tag)
	}
	switch {
	case tags[0] == 0xa0: // version
		return Certificate
	case bytes.HasPrefix(tags, []byte{tagInteger, tagSequence, tagSequence, tagSequence}):
		return Certificate // version 1: serial number, algorithm, issuer, validity, subject
	case bytes.HasPrefix(tags, []byte{tagInteger, tagSequence, tagSequence, 0x17}), bytes.HasPrefix(tags, []byte{tagSequence, tagSequence, 0x17}):
		return RevocationList
	case bytes.HasPrefix(tags, []byte{tagInteger, tagSequence, tagSequence}):
		return CertificateRequest
	}
	return Unknown
}
