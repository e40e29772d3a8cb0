package pbe

import (
	"crypto"
	"hash"
	"slices"

	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

// scheme is one of the older schemes, in which one name stands for hash and cipher.
type scheme struct {
	name   string
	hash   crypto.Hash
	pkcs12 bool   // RFC 7292, appendix B, rather than PBKDF1
	cipher Cipher // the zero value: RC4
	rc4Len int
	twoKey bool // triple DES whose third key is the first
}

// pbes1Schemes are those of RFC 8018, appendix A.3, and of RFC 7292, appendix C. MD2 is left out: Go has none.
var pbes1Schemes = map[string]scheme{
	"1.2.840.113549.1.5.3":    {name: "pbeWithMD5AndDES-CBC", hash: crypto.MD5, cipher: singleDES},
	"1.2.840.113549.1.5.6":    {name: "pbeWithMD5AndRC2-CBC", hash: crypto.MD5, cipher: rc2CBC(8, 64)},
	"1.2.840.113549.1.5.10":   {name: "pbeWithSHA1AndDES-CBC", hash: crypto.SHA1, cipher: singleDES},
	"1.2.840.113549.1.5.11":   {name: "pbeWithSHA1AndRC2-CBC", hash: crypto.SHA1, cipher: rc2CBC(8, 64)},
	"1.2.840.113549.1.12.1.1": {name: "pbeWithSHAAnd128BitRC4", hash: crypto.SHA1, pkcs12: true, rc4Len: 16},
	"1.2.840.113549.1.12.1.2": {name: "pbeWithSHAAnd40BitRC4", hash: crypto.SHA1, pkcs12: true, rc4Len: 5},
	"1.2.840.113549.1.12.1.3": {name: "pbeWithSHAAnd3-KeyTripleDES-CBC", hash: crypto.SHA1, pkcs12: true, cipher: tripleDES},
	"1.2.840.113549.1.12.1.4": {
		name: "pbeWithSHAAnd2-KeyTripleDES-CBC", hash: crypto.SHA1, pkcs12: true, cipher: tripleDES, twoKey: true,
	},
	"1.2.840.113549.1.12.1.5": {name: "pbeWithSHAAnd128BitRC2-CBC", hash: crypto.SHA1, pkcs12: true, cipher: rc2CBC(16, 128)},
	"1.2.840.113549.1.12.1.6": {name: "pbeWithSHAAnd40BitRC2-CBC", hash: crypto.SHA1, pkcs12: true, cipher: rc2CBC(5, 40)},
}

type pbes1Params struct {
	Salt       []byte
	Iterations int
}

// opener derives key and initialisation vector.
func (s scheme) opener(params []byte, pass Passphrase, meter *sealed.Meter) (opener, error) {
	var p pbes1Params
	if err := unmarshal(params, &p, "parameters of "+s.name); err != nil {
		return nil, err
	}
	if s.pkcs12 {
		return s.openerPKCS12(p, pass.BMP, meter)
	}
	if err := meter.Hash(s.name, s.hash, p.Iterations, 1); err != nil {
		return nil, err
	}
	derived := pbkdf1(s.hash, pass.Text, p.Salt, p.Iterations)
	return func(data []byte) ([]byte, error) { return s.cipher.Open(derived[:8], derived[8:16], data) }, nil
}

func (s scheme) openerPKCS12(p pbes1Params, bmp []byte, meter *sealed.Meter) (opener, error) {
	keyLen := s.cipher.keyLen
	switch {
	case s.rc4Len > 0:
		keyLen = s.rc4Len
	case s.twoKey:
		keyLen = 16
	}
	key, err := DerivePKCS12(s.name, s.hash, bmp, p.Salt, ForKey, p.Iterations, keyLen, meter)
	if err != nil {
		return nil, err
	}
	if s.rc4Len > 0 {
		return func(data []byte) ([]byte, error) { return decryptRC4(key, data) }, nil
	}
	if s.twoKey {
		key = append(key, key[:8]...)
	}
	iv, err := DerivePKCS12(s.name, s.hash, bmp, p.Salt, forIV, p.Iterations, s.cipher.ivLen, meter)
	if err != nil {
		return nil, err
	}
	return func(data []byte) ([]byte, error) { return s.cipher.Open(key, iv, data) }, nil
}

// pbkdf1 is RFC 8018, section 5.1, for as many bytes as the hash has.
func pbkdf1(h crypto.Hash, passphrase, salt []byte, iterations int) []byte {
	return iterate(h.New(), slices.Concat(passphrase, salt), iterations)
}

// iterate hashes in, and then each digest in its turn.
func iterate(h hash.Hash, in []byte, iterations int) []byte {
	h.Reset()
	h.Write(in)
	digest := h.Sum(nil)
	for range iterations - 1 {
		h.Reset()
		h.Write(digest)
		digest = h.Sum(digest[:0])
	}
	return digest
}

// Purpose is the diversifier of RFC 7292, appendix B.3.
type Purpose byte

// The purposes that a derivation may serve.
const (
	ForKey Purpose = 1
	forIV  Purpose = 2
	ForMAC Purpose = 3
)

// DerivePKCS12 derives size bytes as RFC 7292, appendix B.2, says. The name is for errors.
func DerivePKCS12(name string, algorithm crypto.Hash, bmp, salt []byte, purpose Purpose, iterations, size int,
	meter *sealed.Meter) ([]byte, error) {
	h := algorithm.New()
	u, v := h.Size(), h.BlockSize()
	if err := meter.Hash(name, algorithm, iterations, (size+u-1)/u); err != nil {
		return nil, err
	}
	diversifier := make([]byte, v)
	for i := range diversifier {
		diversifier[i] = byte(purpose)
	}
	input := append(repeat(salt, v), repeat(bmp, v)...)
	var out []byte
	for {
		a := iterate(h, append(diversifier[:v:v], input...), iterations)
		out = append(out, a...)
		if len(out) >= size {
			return out[:size], nil
		}
		b := repeat(a, v)[:v]
		for i := 0; i < len(input); i += v {
			addOne(input[i:i+v], b)
		}
	}
}

// repeat fills whole blocks of v bytes with s over and over. Nothing stays nothing.
func repeat(s []byte, v int) []byte {
	if len(s) == 0 {
		return nil
	}
	out := make([]byte, (len(s)+v-1)/v*v)
	for i := range out {
		out[i] = s[i%len(s)]
	}
	return out
}

// addOne sets block to block + b + 1, both being numbers of the same length, and drops the carry.
func addOne(block, b []byte) {
	carry := 1
	for i := len(block) - 1; i >= 0; i-- {
		carry += int(block[i]) + int(b[i])
		block[i] = byte(carry)
		carry >>= 8
	}
}
