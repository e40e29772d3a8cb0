package verify

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/internal/jws"
)

// PEMList is the keys that are published at url as Trello does it: {"keys": ["-----BEGIN PUBLIC KEY-----…", …]}. None
// has a kid, so each is tried. The address must be https, or on this machine. A nil client is one of the package's own;
// the timeout of each fetch is ten seconds in any case.
func PEMList(url string, client *http.Client) KeySet {
	return newRemote("PEMList", url, client, readPEMList)
}

// JWKS is the keys that are published at url as a JSON Web Key Set (RFC 7517, section 5). Those that are not for
// signatures (use, key_ops, alg), or are of a kind that no method here verifies with, are left out. The address must be
// https, or on this machine. A nil client is one of the package's own; the timeout of each fetch is ten seconds in any
// case.
func JWKS(url string, client *http.Client) KeySet { return newRemote("JWKS", url, client, readJWKS) }

func readPEMList(body []byte) ([]key, error) {
	return readSet(body, func(item json.RawMessage) ([]key, error) {
		var text string
		if err := json.Unmarshal(item, &text); err != nil {
			return nil, errors.New("an entry is not a string")
		}
		return parsePEM(text)
	})
}

func readJWKS(body []byte) ([]key, error) { return readSet(body, readJWK) }

// readSet reads the list of keys that both forms have. A key that cannot be used is passed over, since the others can.
func readSet(body []byte, read func(json.RawMessage) ([]key, error)) ([]key, error) {
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(body, &set); err != nil || set.Keys == nil {
		return nil, errors.New(`the answer is not JSON with a list "keys"`)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("the answer has %d keys, more than %d", len(set.Keys), maxKeys)
	}
	var keys []key
	var bad error
	for _, item := range set.Keys {
		more, err := read(item)
		if err != nil {
			bad = err
		}
		keys = append(keys, more...)
	}
	switch {
	case len(keys) > maxKeys:
		return nil, fmt.Errorf("the answer has more than %d keys", maxKeys)
	case len(keys) == 0 && bad != nil:
		return nil, fmt.Errorf("the answer has no key that can be used: %w", bad)
	case len(keys) == 0:
		return nil, errors.New("the answer has no keys")
	}
	return keys, nil
}

// A jwk is what a JSON Web Key says of its use, and the members of the public keys that are known here. The
// certificates in it (x5c) are not asked, so that a damaged one costs no key.
type jwk struct {
	Use string                    `json:"use,omitzero"`
	Ops []string                  `json:"key_ops,omitzero"`
	Alg jwtbearer.SignatureMethod `json:"alg,omitzero"`
	ID  string                    `json:"kid,omitzero"`

	publicJWK
	D json.RawMessage `json:"d,omitzero"`
}

type publicJWK struct {
	Type  string `json:"kty"`
	Curve string `json:"crv,omitzero"`
	X     string `json:"x,omitzero"`
	Y     string `json:"y,omitzero"`
	N     string `json:"n,omitzero"`
	E     string `json:"e,omitzero"`
}

func readJWK(item json.RawMessage) ([]key, error) {
	var k jwk
	if err := json.Unmarshal(item, &k); err != nil {
		return nil, errors.New("a JWK has a member of the wrong type")
	}
	switch {
	case k.Type == "oct":
		return nil, errors.New("a secret (kty oct) that is published is none")
	case k.D != nil:
		return nil, errors.New("a private key that is published is nobody's")
	case k.Use != "" && k.Use != "sig", k.Ops != nil && !slices.Contains(k.Ops, "verify"): // RFC 7517, sections 4.2 and 4.3
		return nil, errors.New("a JWK is not for signatures")
	}
	bare, err := json.Marshal(k.publicJWK)
	if err != nil {
		return nil, errors.New("a JWK cannot be read")
	}
	var parsed jose.JSONWebKey
	if err := parsed.UnmarshalJSON(bare); err != nil {
		return nil, errors.New("a JWK is damaged, or of a kind that is not known")
	}
	if err := usable(parsed.Key); err != nil {
		return nil, err
	}
	if m, known := jws.Exactly(string(k.Alg)); k.Alg != "" && (!known || !m.Fits(parsed.Key)) {
		return nil, errors.New("the alg of a JWK is not a signature method of its kind")
	}
	return []key{{id: k.ID, alg: k.Alg, public: parsed.Key}}, nil
}
