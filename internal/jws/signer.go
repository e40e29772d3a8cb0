package jws

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/seed-363d07a3/jwtbearer/internal/problem"
)

// A Signer makes the tokens of one key and one method. It prints without its key, and is safe for concurrent use, as far as its
// crypto.Signer is.
type Signer struct {
	Method
	pub  crypto.PublicKey // nil for HMAC
	held bool             // the key is in memory, in a type of the standard library
	macs *sync.Pool       // of *mac; nil but for HMAC

	// key gives the private key. It is a function because fmt follows a pointer, and prints what an interface holds, for a
	// verb that does not fit, such as %s.
	key func() crypto.Signer

	last atomic.Pointer[checkedHeader] // of Head: most callers have one header for all tokens
}

// checkedHeader is a header that checkHeader has passed, and the first part of the token that it makes.
type checkedHeader struct{ header, head []byte }

// A mac is a keyed HMAC state: its key schedule is worth more than the hash of a token.
type mac struct {
	hash.Hash
	sum [sha512.Size]byte
}

// New makes a Signer of a method and its key: a []byte for HMAC, else a crypto.Signer. Where weak is set, it takes HMAC secrets
// shorter than RFC 7518, section 3.2, wants, and RSA keys from 1024 bits. It signs nothing: see Check. The error is a *problem.Error.
func New(a Method, key any, weak bool) (*Signer, error) {
	var s *Signer
	var e *problem.Error
	if a.family == familyHMAC {
		s, e = newHMAC(a, key, weak)
	} else {
		s, e = newAsymmetric(a, key, weak)
	}
	if e != nil {
		return nil, e
	}
	return s, nil
}

func newHMAC(a Method, key any, weak bool) (*Signer, *problem.Error) {
	secret, ok := key.([]byte)
	if !ok {
		return nil, notASecret(a, key)
	}
	size := a.hash.Size()
	if len(secret) == 0 {
		return nil, &problem.Error{Problem: "the secret is empty", Hint: fmt.Sprintf("%s wants at least %d bytes", a.Name, size)}
	}
	if len(secret) < size && !weak {
		const found = "the secret has %d bytes, and %s wants at least %d (RFC 7518, section 3.2)"
		return nil, &problem.Error{Problem: fmt.Sprintf(found, len(secret), a.Name, size),
			Hint: "use a longer secret, or set AllowWeakKey of the Connection"}
	}
	secret = bytes.Clone(secret)
	return &Signer{Method: a, macs: &sync.Pool{New: func() any {
		return &mac{Hash: hmac.New(a.hash.New, secret)}
	}}}, nil
}

func notASecret(a Method, key any) *problem.Error {
	if k, e := privateKey(a, key); e == nil {
		return a.misfit(k.Public())
	}
	return &problem.Error{Problem: fmt.Sprintf("%s with a key of type %T", a.Name, key),
		Hint: "pass the secret as []byte, decoded where it is written in hex or base64"}
}

func newAsymmetric(a Method, key any, weak bool) (*Signer, *problem.Error) {
	k, e := privateKey(a, key)
	if e != nil {
		return nil, e
	}
	pub := k.Public()
	if e := a.accepts(pub, weak); e != nil {
		return nil, e
	}
	return &Signer{Method: a, pub: pub, held: inMemory(k), key: func() crypto.Signer { return k }}, nil
}

// privateKey returns key as a crypto.Signer whose methods can be called.
func privateKey(a Method, key any) (crypto.Signer, *problem.Error) {
	if v := reflect.ValueOf(key); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, &problem.Error{Problem: "the key is nil", Hint: fmt.Sprintf("%s wants a private key", a.Name)}
	}
	if k, ok := key.(*ed25519.PrivateKey); ok {
		key = *k
	}
	const hint = "pass a crypto.Signer, such as the one that ParsePrivateKey returns"
	k, ok := key.(crypto.Signer)
	if !ok {
		return nil, &problem.Error{Problem: fmt.Sprintf("%s with a key of type %T", a.Name, key), Hint: hint}
	}
	if !isComplete(k) {
		return nil, &problem.Error{Problem: fmt.Sprintf("the %T is incomplete", key), Hint: hint}
	}
	return k, nil
}

// isComplete reports whether k has the parts without which the standard library would panic.
func isComplete(k crypto.Signer) bool {
	switch k := k.(type) {
	case *rsa.PrivateKey:
		return k.N != nil && k.D != nil
	case *ecdsa.PrivateKey:
		//lint:ignore SA1019 the fields are only compared with nil
		return k.Curve != nil && k.X != nil && k.Y != nil && k.D != nil
	case ed25519.PrivateKey:
		return len(k) == ed25519.PrivateKeySize
	}
	return true
}

func inMemory(k crypto.Signer) bool {
	switch k.(type) {
	case *rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey:
		return true
	}
	return false
}

// Public returns the public half of the key; nil: it is an HMAC secret.
func (s *Signer) Public() crypto.PublicKey { return s.pub }

// InMemory reports whether the key is a private key in memory, which signs without asking anybody.
func (s *Signer) InMemory() bool { return s.held }

// Head checks a header, which is a JSON object that names no member twice and has the alg of the method, and returns the first part
// of its tokens. It remembers the last one.
func (s *Signer) Head(header []byte) ([]byte, error) {
	if last := s.last.Load(); last != nil && bytes.Equal(last.header, header) {
		return last.head, nil
	}
	if err := checkHeader(header, s.Name); err != nil {
		return nil, err
	}
	head := AppendHead(nil, header)
	s.last.Store(&checkedHeader{bytes.Clone(header), head})
	return head, nil
}

// Check signs once with a key that is in memory and verifies the signature with the public half, which may be foreign. Of
// any other key only the type, the curve and the size are known, since a signature may cost money or a touch. The error is
// a *problem.Error.
func (s *Signer) Check() error {
	if !s.held {
		return nil
	}
	const input = "trial"
	sig, err := s.jwt.Sign(input, s.key())
	if err == nil {
		err = s.Verify(input, sig, s.pub)
	}
	if err != nil {
		return &problem.Error{Problem: "a trial signature failed: the private half of the key does not fit its public half",
			Hint: "export the key again from where it was made"}
	}
	return nil
}

// checkHeader reports whether header is a JOSE header with that alg.
func checkHeader(header []byte, alg string) error {
	if !utf8.Valid(header) || !json.Valid(header) {
		return errors.New("not JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(header))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return errors.New("not a JSON object")
	}
	var names []string
	for dec.More() {
		name, value, err := member(dec)
		if err != nil {
			return err
		}
		if slices.Contains(names, name) {
			return fmt.Errorf("the member %q occurs twice", name)
		}
		if name == "alg" && !isString(value, alg) {
			return fmt.Errorf("its alg is not %s, the method of the Signer", alg)
		}
		names = append(names, name)
	}
	if !slices.Contains(names, "alg") {
		return fmt.Errorf("it has no alg; it must be %s", alg)
	}
	return nil
}

// member reads the next member of an object.
func member(dec *json.Decoder) (name string, value json.RawMessage, err error) {
	t, err := dec.Token()
	if err != nil {
		return "", nil, err
	}
	name, _ = t.(string)
	return name, value, dec.Decode(&value)
}

// isString reports whether the JSON value is the string s, however it is escaped.
func isString(value json.RawMessage, s string) bool {
	var got *string
	return json.Unmarshal(value, &got) == nil && got != nil && *got == s
}

// AppendHead appends the first part of a token, with its dot. What does not change from token to token is encoded once.
func AppendHead(dst, header []byte) []byte {
	return append(base64.RawURLEncoding.AppendEncode(dst, header), '.')
}

// Append appends a token to dst. head is what Head returned, or what AppendHead made of a header with the alg of the method.
func (s *Signer) Append(dst, head, payload []byte) ([]byte, error) {
	enc := base64.RawURLEncoding
	start := len(dst)
	dst = slices.Grow(dst, len(head)+enc.EncodedLen(len(payload))+1+enc.EncodedLen(s.signatureSize()))
	dst = enc.AppendEncode(append(dst, head...), payload)
	return s.appendSignature(dst, dst[start:])
}

// signatureSize is how long a signature may be.
func (s *Signer) signatureSize() int {
	switch pub := s.pub.(type) {
	case *rsa.PublicKey:
		return pub.Size()
	case *ecdsa.PublicKey:
		return 2 * s.coordinateSize()
	case ed25519.PublicKey:
		return ed25519.SignatureSize
	}
	return s.hash.Size()
}

// coordinateSize is the length of r and of s in an ECDSA signature: 32, 48 or 66 octets (RFC 7518, section 3.4).
func (s *Signer) coordinateSize() int { return (s.curve().Params().BitSize + 7) / 8 }

// appendSignature appends a dot and the signature of input, which may be a part of dst.
func (s *Signer) appendSignature(dst, input []byte) ([]byte, error) {
	if s.family == familyHMAC {
		m := s.macs.Get().(*mac)
		defer s.macs.Put(m)
		m.Reset()
		m.Write(input)
		return base64.RawURLEncoding.AppendEncode(append(dst, '.'), m.Sum(m.sum[:0])), nil
	}
	sig, err := s.sign(input)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	return base64.RawURLEncoding.AppendEncode(append(dst, '.'), sig), nil
}

func (s *Signer) sign(input []byte) ([]byte, error) {
	if s.held {
		return s.jwt.Sign(string(input), s.key())
	}
	sig, err := crypto.SignMessage(s.key(), rand.Reader, input, s.options())
	if err != nil {
		return nil, err
	}
	if s.family == familyECDSA {
		return rawSignature(sig, s.coordinateSize())
	}
	if got, want := len(sig), s.signatureSize(); got != want {
		return nil, fmt.Errorf("the key gave a signature of %d bytes instead of %d", got, want)
	}
	return sig, nil
}

// options say how a crypto.Signer is to sign.
func (s *Signer) options() crypto.SignerOpts {
	if s.family == familyPSS {
		return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: s.hash} // RFC 7518, section 3.5
	}
	return s.hash
}

// rawSignature turns the ECDSA signature of a crypto.Signer, the DER of SEQUENCE { r, s INTEGER }, into r‖s with size octets
// each.
func rawSignature(der []byte, size int) ([]byte, error) {
	var r, s []byte
	input := cryptobyte.String(der)
	var seq cryptobyte.String
	if !input.ReadASN1(&seq, asn1.SEQUENCE) || !input.Empty() ||
		!seq.ReadASN1Integer(&r) || !seq.ReadASN1Integer(&s) || !seq.Empty() {
		return nil, fmt.Errorf("the key gave %d bytes that are not an ECDSA signature in ASN.1 DER, which crypto.Signer wants",
			len(der))
	}
	if len(r) > size || len(s) > size || isZero(r) || isZero(s) {
		return nil, errors.New("the key gave an ECDSA signature that is out of the range of its curve")
	}
	raw := make([]byte, 2*size)
	copy(raw[size-len(r):], r)
	copy(raw[2*size-len(s):], s)
	return raw, nil
}

func isZero(n []byte) bool { return len(n) == 1 && n[0] == 0 }
