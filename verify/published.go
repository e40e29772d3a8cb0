package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// PEMList is the keys that are published at url as Trello does it: {"keys": ["-----BEGIN PUBLIC KEY-----…", …]}. None
// has a kid, so each is tried. It reads as well what Google has for tokens of Firebase, an object with a certificate for each
// kid: {"6f8e1…": "-----BEGIN CERTIFICATE-----…", …}. The address must be https, or on this machine. A nil client is one of the
// package's own; the timeout of each fetch is ten seconds in any case.
func PEMList(url string, client *http.Client) KeySet {
	return newRemote("PEMList", url, client, readPEMList)
}

// JWKS is the keys that are published at url as a JSON Web Key Set (RFC 7517, section 5). Those that are not for
// signatures (use, key_ops, alg), or are of a kind that no method here verifies with, are left out. An object with a certificate for
// each kid is read as [PEMList] reads it. The address must be https, or on this machine. A nil client is one of the package's own; the
// timeout of each fetch is ten seconds in any case.
//
// The address of an OpenID configuration, a single key, PEM and whatever else is no set is an error that says what it is.
func JWKS(url string, client *http.Client) KeySet { return newRemote("JWKS", url, client, readJWKS) }

func readPEMList(body []byte) (*keyring, error) {
	return readSet(body, func(item json.RawMessage) (string, []key, error) {
		var text string
		if err := json.Unmarshal(item, &text); err != nil {
			if isJWK(item) {
				return "", nil, errors.New("an entry is a JWK: see JWKS")
			}
			return "", nil, errors.New("an entry is not a string")
		}
		keys, err := parsePEM(text)
		return "", keys, err
	})
}

func readJWKS(body []byte) (*keyring, error) {
	return readSet(body, func(item json.RawMessage) (string, []key, error) {
		if bytes.Contains(item, []byte("-----BEGIN")) && item[0] == '"' {
			return "", nil, errors.New("an entry is PEM and no JWK: see PEMList")
		}
		id, k, err := readJWK(item)
		return id, []key{k}, err
	})
}

// isJWK reports whether an object has a kty, which each JWK has (RFC 7517, section 4.1).
func isJWK(item json.RawMessage) bool {
	var k struct{ Kty *string }
	return json.Unmarshal(item, &k) == nil && k.Kty != nil
}

// readSet reads the list of keys that both forms have. A key that cannot be used is passed over, since the others can.
func readSet(body []byte, read func(json.RawMessage) (kid string, keys []key, err error)) (*keyring, error) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil || members == nil {
		return nil, noObject(body)
	}
	var list []json.RawMessage
	if json.Unmarshal(members["keys"], &list) != nil || list == nil {
		if isMap(members) {
			return readMap(members)
		}
		return nil, noSet(members)
	}
	if len(list) > maxKeys {
		return nil, fmt.Errorf("the response has %d keys, more than %d", len(list), maxKeys)
	}
	ring := &keyring{unused: map[string]string{}}
	var bad error
	for _, item := range list {
		kid, more, err := read(item)
		if err != nil {
			bad, ring.unused[kid] = err, err.Error()
			continue
		}
		ring.keys = append(ring.keys, more...)
	}
	return ring.filled(bad)
}

// filled refuses a ring that has no keys, or too many. bad is why one of them cannot be used.
func (r *keyring) filled(bad error) (*keyring, error) {
	switch {
	case len(r.keys) > maxKeys:
		return nil, fmt.Errorf("the response has more than %d keys", maxKeys)
	case len(r.keys) == 0 && bad != nil:
		return nil, fmt.Errorf("the response has no key that can be used: %w", bad)
	case len(r.keys) == 0:
		return nil, errors.New("the response has no keys")
	}
	return r, nil
}

// isMap reports whether an object has a PEM for each kid.
func isMap(members map[string]json.RawMessage) bool {
	for _, value := range members {
		var text string
		if json.Unmarshal(value, &text) != nil || !strings.Contains(text, "-----BEGIN") {
			return false
		}
	}
	return len(members) > 0
}

// readMap reads an object with a certificate or public key in PEM for each kid.
func readMap(members map[string]json.RawMessage) (*keyring, error) {
	if len(members) > maxKeys {
		return nil, fmt.Errorf("the response has %d keys, more than %d", len(members), maxKeys)
	}
	ring := &keyring{unused: map[string]string{}}
	var bad error
	for _, kid := range slices.Sorted(maps.Keys(members)) {
		var text string
		if err := json.Unmarshal(members[kid], &text); err != nil {
			return nil, err
		}
		keys, err := parsePEM(text)
		if err != nil {
			bad, ring.unused[kid] = err, err.Error()
		}
		for _, k := range keys {
			k.id = kid
			ring.keys = append(ring.keys, k)
		}
	}
	return ring.filled(bad)
}

// noSet says what an object is that has no list of keys.
func noSet(members map[string]json.RawMessage) error {
	var address string
	_, hasKeys := members["keys"]
	switch {
	case json.Unmarshal(members["jwks_uri"], &address) == nil && address != "":
		return errors.New("the response is a configuration (OpenID Connect Discovery, section 3), and not the keys, which are at its jwks_uri" + shown(address))
	case members["kty"] != nil:
		return errors.New(`the response is a single JWK, and not a set, which has its keys in a list "keys" (RFC 7517, section 5): ` +
			"ask for the address of the set, or give the key as PEM to StaticPEM")
	case hasKeys:
		return errors.New(`the "keys" of the response are not a list`)
	case members["jwks"] != nil:
		return errors.New(`the response has its set in the member "jwks", and is no set itself (RFC 7517, section 5): ask for the address of the set`)
	case members["error"] != nil:
		return errors.New(`the response is JSON with an "error", and not with a list "keys"`)
	}
	return errors.New(`the response is not JSON with a list "keys"`)
}

// shown is an address for an error, without its query; "": it is none.
func shown(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || len(address) > 300 {
		return ""
	}
	return ": " + (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// noObject says what a text is that is no JSON object.
func noObject(body []byte) error {
	has := func(start string) bool { return bytes.HasPrefix(body, []byte(start)) }
	switch {
	case len(body) == 0:
		return errors.New("the response is empty")
	case has("[") && json.Valid(body):
		return errors.New(`the response is a bare list, and not a set, which is an object with a list "keys" (RFC 7517, section 5)`)
	case bytes.Contains(body, []byte("-----BEGIN")):
		return errors.New("the response is PEM, and not a set of keys: give the PEM to StaticPEM or, where each key has an address of its own by its kid, " +
			"implement KeySet")
	case has("<"):
		return errors.New("the response is a page in HTML or XML: it is not the address of the keys")
	case has("eyJ") && bytes.Count(body, []byte(".")) == 2:
		return errors.New("the response is a token, and not a set of keys")
	}
	return errors.New(`the response is not JSON with a list "keys"`)
}
