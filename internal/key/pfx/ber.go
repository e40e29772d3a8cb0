package pfx

import (
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/seed-363d07a3/jwtbearer/internal/key/sealed"
)

const (
	maxDepth = 32 // of BER; real files have half as much

	tagOctetString   = 0x04
	constructed      = 0x20
	indefiniteLength = 0x80
)

// toDER converts the BER value at the beginning of in (X.690, section 8) as far as PKCS#12 files need it: indefinite lengths
// become definite, lengths become as short as they can be, and octet strings in pieces become whole. What an octet string
// holds is not looked into.
func toDER(in []byte) ([]byte, error) {
	out, _, err := convert(in, 0)
	return out, err
}

func convert(in []byte, depth int) (out, rest []byte, err error) {
	if depth > maxDepth {
		return nil, nil, sealed.Malformed("ASN.1 that is nested too deeply")
	}
	if len(in) < 2 {
		return nil, nil, sealed.Truncated("it ends where another ASN.1 value is due")
	}
	tag := in[0]
	if tag&0x1f == 0x1f {
		return nil, nil, sealed.Malformed("an ASN.1 tag that no PKCS#12 file has")
	}
	if in[1] == indefiniteLength {
		return convertIndefinite(in, depth)
	}
	size, length, ok := sealed.Header(in)
	if !ok && len(in) < 6 {
		return nil, nil, sealed.Truncated("it ends within an ASN.1 length")
	}
	if !ok {
		return nil, nil, sealed.Malformed("an ASN.1 length that cannot be read")
	}
	if length > len(in)-size {
		return nil, nil, sealed.Truncated(fmt.Sprintf("an ASN.1 value ends %d bytes too early", length-(len(in)-size)))
	}
	body, rest := in[size:size+length], in[size+length:]
	if tag&constructed == 0 {
		return encode(tag, body), rest, nil
	}
	var children []byte
	for len(body) > 0 {
		var child []byte
		if child, body, err = convert(body, depth+1); err != nil {
			return nil, nil, err
		}
		if children, err = join(children, tag, child); err != nil {
			return nil, nil, err
		}
	}
	return encode(whole(tag), children), rest, nil
}

// convertIndefinite reads values until one that is empty in every respect, the end of contents.
func convertIndefinite(in []byte, depth int) (out, rest []byte, err error) {
	tag := in[0]
	if tag&constructed == 0 {
		return nil, nil, sealed.Malformed("an ASN.1 length that only constructed values may have")
	}
	rest = in[2:]
	var children []byte
	for len(rest) < 2 || rest[0] != 0 || rest[1] != 0 {
		var child []byte
		if child, rest, err = convert(rest, depth+1); err != nil {
			return nil, nil, err
		}
		if children, err = join(children, tag, child); err != nil {
			return nil, nil, err
		}
	}
	return encode(whole(tag), children), rest[2:], nil
}

// join adds a child to what is in a constructed value: all of it, or of the pieces of an octet string what they hold.
func join(children []byte, tag byte, child []byte) ([]byte, error) {
	if tag != tagOctetString|constructed {
		return append(children, child...), nil
	}
	size, _, ok := sealed.Header(child)
	if !ok || child[0] != tagOctetString {
		return nil, sealed.Malformed("an octet string that is made of something else")
	}
	return append(children, child[size:]...), nil
}

// whole is the tag that a value has in DER.
func whole(tag byte) byte {
	if tag == tagOctetString|constructed {
		return tagOctetString
	}
	return tag
}

func encode(tag byte, body []byte) []byte {
	b := cryptobyte.NewBuilder(make([]byte, 0, len(body)+6))
	b.AddASN1(asn1.Tag(tag), func(b *cryptobyte.Builder) { b.AddBytes(body) })
	return b.BytesOrPanic() // it fails for tags alone that convert has refused
}
