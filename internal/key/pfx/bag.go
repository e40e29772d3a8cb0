package pfx

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"

	"github.com/seed-363d07a3/jwtbearer/internal/key/check"
	"github.com/seed-363d07a3/jwtbearer/internal/key/pbe"
	"github.com/seed-363d07a3/jwtbearer/internal/key/pkcs8"
	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

const (
	oidKeyBag          = "1.2.840.113549.1.12.10.1.1"
	oidShroudedKeyBag  = "1.2.840.113549.1.12.10.1.2"
	oidCertBag         = "1.2.840.113549.1.12.10.1.3"
	oidSafeContentsBag = "1.2.840.113549.1.12.10.1.6"
	oidX509Certificate = "1.2.840.113549.1.9.22.1"

	maxNesting = 4 // of safes within safes
)

// encryptedData is RFC 5652, section 8, of which the contents are [0] IMPLICIT OCTET STRING: constructed in BER, so that what
// toDER leaves are the pieces of the octet string.
type encryptedData struct {
	Version int
	Info    struct {
		Type      asn1.ObjectIdentifier
		Algorithm pkix.AlgorithmIdentifier
		Content   asn1.RawValue `asn1:"optional,tag:0"`
	}
}

type safeBag struct {
	ID         asn1.ObjectIdentifier
	Value      asn1.RawValue `asn1:"explicit,tag:0"`
	Attributes asn1.RawValue `asn1:"optional"`
}

type certBag struct {
	Type asn1.ObjectIdentifier
	Data []byte `asn1:"explicit,tag:0"`
}

// opener collects what the bags hold.
type opener struct {
	pass         pbe.Passphrase
	meter        *sealed.Meter
	key          crypto.Signer
	keyDER       []byte // the last one
	keys         int    // how many have been checked
	unneeded     bool
	certificates []*x509.Certificate
	seen         map[string]bool // certificates, by their DER
}

// safe opens one of the parts of the file.
func (o *opener) safe(c contentInfo) error {
	switch c.Type.String() {
	case oidData:
		var contents []byte
		if _, err := asn1.Unmarshal(c.Content.Bytes, &contents); err != nil {
			return sealed.Malformed("a safe of the PKCS#12 file")
		}
		return o.bags(contents, 0)
	case oidEncryptedData:
		return o.encryptedSafe(c.Content.Bytes)
	case oidEnvelopedData:
		return sealed.Unsupported("PKCS#12 file that is encrypted for a certificate rather than with a password")
	}
	return sealed.Unsupported("PKCS#12 file with contents of an unknown type")
}

func (o *opener) encryptedSafe(der []byte) error {
	var e encryptedData
	if _, err := asn1.Unmarshal(der, &e); err != nil {
		return sealed.Malformed("an encrypted safe of the PKCS#12 file")
	}
	ciphertext, err := implicitOctets(e.Info.Content)
	if err != nil {
		return err
	}
	contents, err := pbe.Open(e.Info.Algorithm, ciphertext, o.pass, o.meter)
	if err != nil {
		return err
	}
	if _, err := toDER(contents); err != nil || contents[0] != 0x30 {
		return sealed.ErrPassphrase
	}
	return o.bags(contents, 0)
}

// implicitOctets joins the pieces of an octet string whose own tag has been replaced.
func implicitOctets(raw asn1.RawValue) ([]byte, error) {
	if !raw.IsCompound {
		return raw.Bytes, nil
	}
	var out []byte
	for rest := raw.Bytes; len(rest) > 0; {
		var piece []byte
		var err error
		if rest, err = asn1.Unmarshal(rest, &piece); err != nil {
			return nil, sealed.Malformed("the encrypted contents of the PKCS#12 file")
		}
		out = append(out, piece...)
	}
	return out, nil
}

// bags opens SafeContents (RFC 7292, section 4.2). Lists of revoked certificates and secrets are ignored.
func (o *opener) bags(contents []byte, nesting int) error {
	if nesting > maxNesting {
		return sealed.Malformed("safes of the PKCS#12 file are nested too deeply")
	}
	var bags []safeBag
	if err := unmarshalBER(contents, &bags, "list of bags"); err != nil {
		return err
	}
	for _, bag := range bags {
		var err error
		switch bag.ID.String() {
		case oidKeyBag:
			err = o.addKey(bag.Value.Bytes)
		case oidShroudedKeyBag:
			err = o.shroudedKey(bag.Value.Bytes)
		case oidCertBag:
			err = o.certificate(bag.Value.Bytes)
		case oidSafeContentsBag:
			err = o.bags(bag.Value.Bytes, nesting+1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (o *opener) shroudedKey(der []byte) error {
	info, err := pkcs8.Parse(der)
	if err != nil {
		return err
	}
	plain, err := info.Open(o.pass, o.meter)
	if err != nil {
		return err
	}
	return o.addKey(plain)
}

// addKey reads a key and refuses a second one that differs. The same key in other words counts towards maxKeys.
func (o *opener) addKey(der []byte) error {
	if bytes.Equal(der, o.keyDER) {
		return nil
	}
	if o.keys++; o.keys > maxKeys {
		return ErrSeveralKeys
	}
	key, err := check.PKCS8(der)
	if err != nil {
		return err
	}
	if o.key != nil && !o.key.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(key.Public()) {
		return ErrSeveralKeys
	}
	o.key, o.keyDER = key, der
	return nil
}

// certificate keeps an X.509 certificate. One that crypto/x509 cannot read is no reason to refuse the key beside it.
func (o *opener) certificate(der []byte) error {
	var bag certBag
	if _, err := asn1.Unmarshal(der, &bag); err != nil {
		return sealed.Malformed("a certificate bag of the PKCS#12 file")
	}
	if bag.Type.String() != oidX509Certificate || o.seen[string(bag.Data)] {
		return nil
	}
	o.seen[string(bag.Data)] = true
	if c, err := x509.ParseCertificate(bag.Data); err == nil {
		o.certificates = append(o.certificates, c)
	}
	return nil
}
