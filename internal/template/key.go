package template

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/problem"
)

// A Key is what templates see of the key, all of it public.
type Key struct {
	public      bool // there is a public key, so that the next three are set
	fingerprint expr // SHA256: and base64 of the digest of the SPKI, as Snowflake and ssh-keygen write it
	thumbprint  expr // RFC 7638, as base64url
	jwk         expr // RFC 7517: kty, then crv, x, y or n, e

	named bool // the key came with an ID, so that the next is set
	id    expr // kid of a JWK, private_key_id of a service account

	certified bool // there is a certificate, so that the next three are set
	x5t       expr // RFC 7515, section 4.1.7; as base64url, and the bytes of the digest for hex and base64
	x5tS256   expr // section 4.1.8
	x5c       expr // section 4.1.6
}

// UnknownKey stands for a key that could not be read: templates that look at it compile, and render nothing of use.
func UnknownKey() *Key { return &Key{public: true, named: true, certified: true} }

// NewKey describes the public half of a key, nil for HMAC, and its certificates, of which the first is the key's own.
func NewKey(pub crypto.PublicKey, certs []*x509.Certificate) (*Key, error) {
	k := &Key{}
	if pub != nil {
		if err := k.describe(pub); err != nil {
			return nil, err
		}
	}
	if len(certs) > 0 {
		k.certify(certs)
	}
	return k, nil
}

// Name notes the ID that came with the key; "": there is none.
func (k *Key) Name(id string) {
	k.named, k.id = id != "", fixedText(id)
}

func (k *Key) describe(pub crypto.PublicKey) error {
	spki, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return undescribed(pub)
	}
	members, err := jwkMembers(pub)
	if err != nil {
		return err
	}
	k.public = true
	sum := sha256.Sum256(spki)
	k.fingerprint = fixedText("SHA256:" + base64.StdEncoding.EncodeToString(sum[:]))
	k.jwk = fixedJSON(members.object())
	// RFC 7638, section 3.2 and RFC 8037, section 2: exactly these members, in the order of their names.
	slices.SortFunc(members, func(a, b jwkMember) int { return strings.Compare(a.name, b.name) })
	sum = sha256.Sum256([]byte(members.object()))
	k.thumbprint = fixedBytes(sum[:])
	return nil
}

func (k *Key) certify(certs []*x509.Certificate) {
	k.certified = true
	old, sum := sha1.Sum(certs[0].Raw), sha256.Sum256(certs[0].Raw)
	k.x5t, k.x5tS256 = fixedBytes(old[:]), fixedBytes(sum[:])
	chain := make([]string, len(certs))
	for i, c := range certs {
		chain[i] = `"` + base64.StdEncoding.EncodeToString(c.Raw) + `"`
	}
	k.x5c = fixedJSON("[" + strings.Join(chain, ",") + "]")
}

// fixedBytes is a thumbprint, which prints as base64url.
func fixedBytes(b []byte) expr {
	return expr{kind: kindBytes, form: asBase64URL, fixed: true, value: string(b)}
}

type jwkMember struct{ name, value string }

type jwkText []jwkMember

func (m jwkText) object() string {
	var b strings.Builder
	for i, member := range m {
		b.WriteByte("{,"[min(i, 1)])
		fmt.Fprintf(&b, "%q:%q", member.name, member.value) // all of them are plain ASCII
	}
	return b.String() + "}"
}

// jwkMembers are the members that make the public key (RFC 7518, sections 6.2.1 and 6.3.1; RFC 8037, section 2).
func jwkMembers(pub crypto.PublicKey) (jwkText, error) {
	encode := base64.RawURLEncoding.EncodeToString
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		return jwkText{{"kty", "RSA"}, {"n", encode(pub.N.Bytes())}, {"e", encode(big.NewInt(int64(pub.E)).Bytes())}}, nil
	case *ecdsa.PublicKey:
		point, err := pub.Bytes() // 4, x, y (SEC 1, section 2.3.3)
		if err != nil {
			return nil, &problem.Error{Problem: "an EC public key that is not on its curve", Hint: "look at what made the key"}
		}
		x, y := point[1:1+len(point)/2], point[1+len(point)/2:]
		return jwkText{{"kty", "EC"}, {"crv", pub.Curve.Params().Name}, {"x", encode(x)}, {"y", encode(y)}}, nil
	case ed25519.PublicKey:
		return jwkText{{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", encode(pub)}}, nil
	}
	return nil, undescribed(pub)
}

func undescribed(pub crypto.PublicKey) *problem.Error {
	return &problem.Error{Problem: fmt.Sprintf("a public key of type %T cannot be described", pub), Hint: "use an RSA, EC or Ed25519 key"}
}
