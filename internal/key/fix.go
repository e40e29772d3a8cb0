package key

import (
	"bytes"
	"crypto/ed25519"
	"encoding/pem"
	"slices"

	"github.com/seed-363d07a3/jwtbearer/internal/key/text"
)

// Fix repairs the text of a private key, and of certificates beside it. It decrypts nothing, is pure, idempotent and linear in
// its input. What is in order comes back as it is, with no fixes. The error is an *Error.
func Fix(data []byte) (fixed []byte, fixes []string, err error) {
	items, fault := text.Find(data)
	if fault != nil {
		return nil, nil, faultError(fault)
	}
	var whole []text.Item
	for _, item := range items {
		if item.Fault == nil {
			whole = append(whole, item)
		} else if fault == nil || item.Fault.Private && !fault.Private {
			fault = item.Fault
		}
		fixes = append(fixes, item.Fixes()...)
	}
	if len(whole) == 0 || fault != nil && fault.Private && !slices.ContainsFunc(whole, func(item text.Item) bool { return item.Private() }) {
		return nil, nil, faultError(fault)
	}
	slices.Sort(fixes)
	fixes = slices.Compact(fixes)
	if len(fixes) == 0 {
		return data, nil, nil
	}
	return render(whole), fixes, nil
}

// render writes items as clean text.
func render(items []text.Item) []byte {
	var out bytes.Buffer
	for i, item := range items {
		switch {
		case item.Kind == text.PPK, item.Kind == text.JWK && len(items) == 1:
			out.Write(item.Data)
		case item.Kind == text.Binary && item.Shape == text.PKCS12 && len(items) == 1:
			return item.Data
		case item.Kind == text.JWK:
			// several: a set
			out.WriteString(map[bool]string{true: `{"keys":[`, false: ","}[i == 0])
			out.Write(item.Data)
			if i == len(items)-1 {
				out.WriteString("]}")
			}
		case item.Kind == text.Raw:
			block := pem.Block{Type: "PRIVATE KEY", Bytes: append(bytes.Clone(seedPrefix), item.Data[:ed25519.SeedSize]...)}
			out.Write(pem.EncodeToMemory(&block))
		default:
			block := pem.Block{Type: item.Label, Bytes: item.Data}
			if item.DEK != "" {
				block.Headers = map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": item.DEK}
			}
			out.Write(pem.EncodeToMemory(&block))
		}
	}
	return out.Bytes()
}

// seedPrefix stands before the 32 bytes of an Ed25519 seed in PKCS#8 (RFC 8410, section 7).
var seedPrefix = []byte{0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20}
