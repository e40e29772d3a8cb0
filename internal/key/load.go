package key

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/key/check"
	"github.com/seed-363d07a3/jwtbearer/internal/key/jwk"
	"github.com/seed-363d07a3/jwtbearer/internal/key/pfx"
	"github.com/seed-363d07a3/jwtbearer/internal/key/pkcs8"
	"github.com/seed-363d07a3/jwtbearer/internal/key/ppk"
	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
	"github.com/seed-363d07a3/jwtbearer/internal/key/sshkey"
	"github.com/seed-363d07a3/jwtbearer/internal/key/text"
)

const (
	minRSABits  = 2048 // RFC 7518, section 3.3
	minWeakBits = 1024
	maxKeys     = 24 // private keys that are looked at in one input
	maxSealed   = 4  // of these, encrypted ones: each may take seconds
	maxCerts    = 512
)

// Notes that are no repairs of text; the user should know of them all the same.
const (
	noteTrimmed     = "white space or quotation marks around the passphrase removed"
	noteComment     = "spaces at the end of the comment of the PPK file removed"
	noteUnneeded    = "the passphrase was not needed: that of the PKCS#12 file is empty"
	noteForeignCert = "warning: the certificate in the file belongs to another key"
	noteLeftOut     = "warning: another private key in the file could not be read and was left out"
)

func Load(data []byte, passphrase string, opt Options) (*Key, error) {
	items, fault := text.Find(data)
	if fault != nil {
		return nil, faultError(fault)
	}
	l := loader{opt: opt, passphrase: passphrase, seen: make(map[[sha256.Size]byte]bool)}
	for i := range pick(items, opt.KeyID) {
		if err := l.item(&items[i]); err != nil {
			return nil, err
		}
	}
	return l.result()
}

// pick yields the items, without those keys of a JWK set that have another kid than the one asked for.
func pick(items []text.Item, kid string) func(func(int) bool) {
	named := kid != "" && slices.ContainsFunc(items, func(item text.Item) bool { return item.KeyID == kid })
	return func(yield func(int) bool) {
		for i := range items {
			if named && items[i].Kind == text.JWK && items[i].KeyID != kid {
				continue
			}
			if !yield(i) {
				return
			}
		}
	}
}

// loader makes one private key of what was found, or the error that tells most.
type loader struct {
	opt        Options
	passphrase string
	params     []byte // of the EC PARAMETERS block before
	seen       map[[sha256.Size]byte]bool
	keys, shut int // private keys looked at; of these, encrypted

	found *Key
	certs []*x509.Certificate
	lost  bool // a private key could not be read

	failed error       // of the first private key that could not be read
	fault  *text.Fault // the same, of the text
	other  *text.Item  // the first thing that is no private key
}

// item takes one thing that was found. It returns an error only where nothing that follows could change the outcome.
func (l *loader) item(item *text.Item) error {
	switch {
	case item.Fault != nil:
		if l.fault == nil || item.Fault.Private && !l.fault.Private {
			l.fault = item.Fault
		}
		l.lost = l.lost || item.Fault.Private
		return nil
	case item.Shape == text.Certificate && len(l.certs) < maxCerts:
		if cert, err := x509.ParseCertificate(item.Data); err == nil {
			l.certs = append(l.certs, cert)
		}
	case item.Shape == text.Parameters:
		l.params = item.Data
	}
	if !item.Private() {
		if l.other == nil || l.other.Shape == text.Parameters {
			l.other = item
		}
		return nil
	}
	return l.private(item)
}

func (l *loader) private(item *text.Item) error {
	sum := sha256.Sum256(item.Data)
	if l.seen[sum] {
		return nil
	}
	l.seen[sum] = true
	if l.keys++; l.keys > maxKeys {
		return &Error{Found: "many private keys", Problem: "more than are looked at in one input", Hint: "give the one that is meant, alone"}
	}
	key, err := l.open(item)
	if err != nil {
		l.lost = true
		l.failed = firstError(l.failed, err)
		return nil
	}
	if l.found == nil {
		l.found = key
		return nil
	}
	if !Same(l.found.Signer.Public(), key.Signer.Public()) {
		return &Error{Found: "two different private keys", Problem: "it is not clear which one is meant", Line: item.Line,
			Hint: "give only one of them; of a JWK set, name the key by its kid"}
	}
	return nil
}

// firstError keeps the error that says most: a JWK which is public, or a shared secret, is only what stands beside the key.
func firstError(have, next error) error {
	if have == nil {
		return next
	}
	if k, ok := have.(*Error); ok && (k.Found == foundPublicJWK || k.Found == foundSecretJWK) {
		return next
	}
	return have
}

// open reads one key, with the passphrase as it was given first.
func (l *loader) open(item *text.Item) (*Key, error) {
	given, own := l.passphrase, false
	if given == "" && item.Passphrase != "" {
		given, own = item.Passphrase, true
	}
	key := &Key{Format: formatOf(item), Fixes: item.Fixes(), KeyID: item.KeyID,
		ClientID: item.Client.ID, ClientEmail: item.Client.Email}
	err := l.decode(key, item, given)
	if err == sealed.ErrPassphrase && !own {
		for _, trimmed := range trimmedPassphrases(given) {
			if err = l.decode(key, item, trimmed); err != sealed.ErrPassphrase {
				key.Fixes = append(key.Fixes, noteTrimmed)
				break
			}
		}
	}
	if err != nil {
		return nil, keyProblem(item, err)
	}
	if restricted, ok := key.Signer.(*check.PSSKey); ok {
		key.Signer, key.PSS = restricted.PrivateKey, restricted.PSS
	}
	return key, l.strong(key.Signer, item)
}

// trimmedPassphrases are what a passphrase may be without what came with it by accident.
func trimmedPassphrases(given string) []string {
	var all []string
	if bare := strings.TrimSpace(given); bare != given && bare != "" {
		all = append(all, bare)
		given = bare
	}
	if n := len(given); n > 2 && given[0] == given[n-1] && (given[0] == '"' || given[0] == '\'') {
		all = append(all, given[1:n-1])
	}
	return all
}

// decode hands an item to the reader of its format.
func (l *loader) decode(key *Key, item *text.Item, passphrase string) (err error) {
	var pass []byte
	if passphrase != "" {
		pass = []byte(passphrase)
	}
	switch {
	case item.Kind == text.PPK:
		err = l.putty(key, item, pass)
	case item.Kind == text.JWK:
		key.Signer, err = jwk.Parse(item.Data)
	case item.Kind == text.Raw:
		key.Signer, err = rawEd25519(item.Data)
	case item.DEK != "":
		var der []byte
		if der, err = pkcs8.DecryptPEM(item.DEK, item.Data, pass); err == nil {
			shape := text.ShapeOf(der)
			key.Signer, err = l.plain(shape, der)
			if shape.Label() != item.Label && shape != text.PKCS8 {
				key.Fixes = append(key.Fixes, text.WrongLabel.String())
			}
		}
	case item.Shape == text.OpenSSH:
		key.Signer, err = sshkey.Parse(item.Data, pass)
	case item.Shape == text.EncryptedPKCS8:
		if l.shut++; l.shut > maxSealed {
			return errManySealed
		}
		var der []byte
		if der, err = pkcs8.Decrypt(item.Data, pass); err == nil {
			key.Signer, err = l.plain(text.ShapeOf(der), der)
		}
	case item.Shape == text.PKCS12:
		var bundle *pfx.Bundle
		if bundle, err = pfx.Parse(item.Data, pass); err == nil {
			key.Signer = bundle.Key
			l.certs = append(l.certs, bundle.Certificates...)
			if bundle.Unneeded {
				key.Fixes = append(key.Fixes, noteUnneeded)
			}
		}
	default:
		key.Signer, err = l.plain(item.Shape, item.Data)
	}
	return err
}

// putty reads a PuTTY key. Its MAC covers the comment, and shows whether spaces at the end of that belong to it or were added.
func (l *loader) putty(key *Key, item *text.Item, pass []byte) (err error) {
	key.Signer, err = ppk.Parse(item.Data, pass)
	if _, altered := errors.AsType[*sealed.MalformedError](err); !altered {
		return err
	}
	bare := trailingSpaces.ReplaceAll(item.Data, []byte("$1"))
	signer, bareErr := ppk.Parse(bare, pass)
	if bareErr == nil {
		key.Signer, key.Fixes = signer, append(key.Fixes, noteComment)
		return nil
	}
	return err
}

// trailingSpaces are those at the end of the comment of a PuTTY key.
var trailingSpaces = regexp.MustCompile(`(?m)^(Comment:.*?)[ \t]+$`)

func (l *loader) plain(shape text.Shape, der []byte) (crypto.Signer, error) {
	switch shape {
	case text.PKCS8:
		return check.PKCS8(der)
	case text.PKCS1:
		return check.PKCS1(der)
	case text.SEC1:
		return check.SEC1(der, l.params)
	case text.DSAPrivate:
		return nil, sealed.UnsupportedKey("DSA: no method of JSON web tokens uses it")
	}
	return nil, sealed.Malformed("it does not have the structure of a private key")
}

// rawEd25519 takes 64 bytes that are seed and public half (RFC 8032, section 5.1.5).
func rawEd25519(data []byte) (crypto.Signer, error) {
	if len(data) != ed25519.PrivateKeySize {
		return nil, errBareSeed
	}
	key, err := check.Ed25519(data[:ed25519.SeedSize], data[ed25519.SeedSize:])
	if err != nil {
		return nil, errNotEd25519
	}
	return key, nil
}

// strong refuses RSA keys that are too short.
func (l *loader) strong(key crypto.Signer, item *text.Item) error {
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil
	}
	least := minRSABits
	if l.opt.AllowWeak {
		least = minWeakBits
	}
	if bits := private.N.BitLen(); bits < least {
		return weakKey(bits, least, item.Line)
	}
	return nil
}

// result puts the key and its certificates together, or picks the error.
func (l *loader) result() (*Key, error) {
	if l.found == nil {
		return nil, l.failure()
	}
	if l.lost {
		l.found.Fixes = append(l.found.Fixes, noteLeftOut)
	}
	chain, rest := Chain(l.certs, l.found.Signer.Public(), time.Now())
	if chain == nil && len(rest) > 0 {
		l.found.Fixes = append(l.found.Fixes, noteForeignCert)
	}
	l.found.Certificates = append(chain, rest...)
	return l.found, nil
}

func (l *loader) failure() error {
	switch {
	case l.failed != nil:
		return l.failed
	case l.fault != nil && (l.fault.Private || l.other == nil):
		return faultError(l.fault)
	case l.other != nil:
		return notPrivate(l.other)
	}
	return &Error{Found: "text", Problem: "not a private key, and no key in it", Hint: "give the private key itself"}
}

// formatOf names what a key is kept in.
func formatOf(item *text.Item) string {
	switch {
	case item.Source != "":
		return item.Source
	case item.Kind == text.PPK:
		return "PPK " + string(bytes.TrimPrefix(item.Data, []byte("PuTTY-User-Key-File-"))[:1])
	case item.Kind == text.JWK:
		return "JWK"
	case item.Kind == text.Raw:
		return "Ed25519"
	case item.DEK != "":
		return "encrypted PEM"
	}
	return formats[item.Shape]
}

var formats = map[text.Shape]string{
	text.PKCS8: "PKCS#8", text.EncryptedPKCS8: "encrypted PKCS#8", text.PKCS1: "PKCS#1", text.SEC1: "SEC1",
	text.OpenSSH: "OpenSSH", text.PKCS12: "PKCS#12", text.DSAPrivate: "DSA",
}
