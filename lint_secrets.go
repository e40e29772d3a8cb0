package jwtbearer

import (
	"encoding/base64"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	keytext "github.com/seed-363d07a3/jwtbearer/internal/key/text"
)

// secrets looks at what is given as a secret with the same eyes as at a private key. All of it is legal, so nothing is refused.
func (l *linter) secrets() {
	if l.core.minter.signer != nil {
		for _, d := range l.secretDoubts() {
			l.warn("Secret", d.Problem, d.Hint)
		}
	}
	others := map[string]Secret{"Passphrase": l.conn.Passphrase, "Token": l.conn.Token, "TLS.Passphrase": l.conn.TLS.Passphrase}
	// whose ends are trimmed or refused elsewhere; those of Secrets are sent as they are
	for name, value := range l.conn.Secrets {
		others["Secrets["+name+"]"] = value
	}
	for _, field := range slices.Sorted(maps.Keys(others)) {
		for _, d := range keytext.SecretDoubts([]byte(others[field])) {
			if d.Placeholder || d.Form && strings.HasPrefix(field, "Secrets[") && !strings.Contains(string(others[field]), "-----BEGIN") {
				l.warn(field, d.Problem, d.Hint)
			}
		}
	}
}

// secretDoubts looks at the HMAC secret as it is written and, where that is another text, as it is signed with.
func (l *linter) secretDoubts() []keytext.Doubt {
	given := []byte(l.conn.Secret)
	doubts := keytext.SecretDoubts(given)
	if e := l.conn.SecretEncoding; e == "" || e == SecretUTF8 {
		return doubts
	}
	doubts = slices.DeleteFunc(doubts, func(d keytext.Doubt) bool { return !d.Placeholder })
	if secret, ok := decodeSecret(string(given), l.conn.SecretEncoding); ok && utf8.Valid(secret) {
		doubts = append(doubts, keytext.SecretDoubts(secret)...)
	}
	return doubts
}

// secretForm looks for secrets whose form is not the one that SecretEncoding says. A secret of plain letters and digits tells
// nothing: it is legal in all forms.
func (l *linter) secretForm() {
	text := strings.TrimSpace(string(l.conn.Secret))
	switch l.conn.SecretEncoding {
	case "", SecretUTF8:
		_, last, pair := strings.Cut(text, ":")
		switch {
		case pair && isHex(last):
			l.warn("Secret", "looks like a name, a colon and a secret in hex", "set Secret to what follows the colon, SecretEncoding to hex, and kid in JWTHeaders to the name")
		case isHex(text):
			l.warn("Secret", "looks like hex", "set SecretEncoding to hex if the API decodes it")
		case isBase64(text):
			l.warn("Secret", "looks like base64", "set SecretEncoding to base64 if the API decodes it")
		}
	case SecretBase64, SecretBase64URL:
		if isHex(text) {
			l.warn("Secret", "looks like hex", "set SecretEncoding to hex")
		} else if text != "" && (strings.ToLower(text) == text || strings.ToUpper(text) == text) {
			l.warn("Secret", "has letters of one case only, which random bytes in base64 do not give", "set SecretEncoding to utf8 if it is to be used as it is")
		}
	}
}

// isHex reports whether a text is 16 bytes or more in hex, with digits and letters.
func isHex(text string) bool {
	_, err := hex.DecodeString(text)
	return err == nil && len(text) >= 32 && strings.ContainsFunc(text, unicode.IsLetter) && strings.ContainsFunc(text, unicode.IsDigit)
}

// isBase64 reports whether a text is 16 random bytes or more in base64, by its padding or its special characters.
func isBase64(text string) bool {
	raw, err := base64.StdEncoding.DecodeString(text)
	return err == nil && len(raw) >= 16 && strings.ContainsAny(text, "=+/") && !utf8.Valid(raw)
}
