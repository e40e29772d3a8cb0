package jwtbearer

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/jws"
	"github.com/seed-363d07a3/jwtbearer/internal/key"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
	"github.com/seed-363d07a3/jwtbearer/internal/redact"
	"github.com/seed-363d07a3/jwtbearer/internal/template"
)

// buildValues gathers what templates may see besides the key.
func (b *setup) buildValues() {
	b.templates.Fields, b.templates.Resolve = b.conn.Fields, referencesBy(b.conn.Lookup)
	b.templates.Secrets = make(map[string]string, len(b.conn.Secrets))
	for name, secret := range b.conn.Secrets {
		b.templates.Secrets[name] = string(secret)
	}
	b.core.secrets = redact.New(b.templates.Secrets)
}

// buildKey reads the key and makes the signer.
func (b *setup) buildKey() {
	encoding := oneOf(b.p, "SecretEncoding", cmp.Or(b.conn.SecretEncoding, SecretUTF8),
		SecretUTF8, SecretHex, SecretBase64, SecretBase64URL)
	if b.conn.Token != "" {
		b.checkReadyToken()
		return
	}
	b.templates.Key = template.UnknownKey() // until it is known: a bad key is one problem, not several
	method, err := jws.Parse(string(b.conn.SignatureMethod))
	if err != nil {
		b.p.addError("SignatureMethod", err)
		if b.conn.PrivateKey != "" {
			b.privateKey() // for its own problems
		}
		return
	}
	b.method = SignatureMethod(method.Name)
	key, field := b.signingKey(b.method, encoding)
	if key == nil {
		return
	}
	signer, err := jws.New(method, key, b.conn.AllowWeakKey)
	if err == nil && b.key != nil {
		err = method.AllowedBy(b.key.PSS)
	}
	if err != nil {
		b.p.addError(field, err)
		return
	}
	b.signer = signer
	b.warnOfWeakness(field, method, key)
	known := b.p.found.Len()
	certs := b.certificates()
	if b.p.found.Len() > known {
		return // a bad certificate is one problem, too
	}
	facts, err := template.NewKey(signer.Public(), certs)
	if err != nil {
		b.p.addError(field, err)
		return
	}
	if b.key != nil {
		facts.Name(b.key.KeyID)
	}
	b.templates.Key = facts
}

// warnOfWeakness warns of a key that only AllowWeakKey lets pass.
func (b *setup) warnOfWeakness(field string, method jws.Method, key any) {
	if !b.conn.AllowWeakKey {
		return
	}
	_, err := jws.New(method, key, false)
	if weak, ok := errors.AsType[*problem.Error](err); ok {
		b.warn(field, weak.Problem, "use a stronger one where the API allows it")
	}
}

// checkReadyToken refuses all that describes signing beside a ready-made token.
func (b *setup) checkReadyToken() {
	c := b.conn
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"SignatureMethod", c.SignatureMethod != ""}, {"Secret", c.Secret != ""}, {"PrivateKey", c.PrivateKey != ""},
		{"Passphrase", c.Passphrase != ""}, {"Certificate", c.Certificate != ""}, {"Key", c.Key != nil},
		{"Payload", c.Payload != ""}, {"JWTHeaders", c.JWTHeaders != ""}, {"Lifetime", c.Lifetime != 0},
		{"TokenReuse", c.TokenReuse != 0},
	} {
		if f.set {
			b.p.add(f.name, "describes a token that is signed, but Token is a ready-made one", "remove one of the two")
		}
	}
	if strings.ContainsFunc(string(c.Token), func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		b.p.add("Token", "holds a space or another character that no header may carry", "paste the token alone, in one line")
	}
}

// signingKey returns the key for a method, for NewSigner, and the field that it is from. It is nil where there is none.
func (b *setup) signingKey(method SignatureMethod, encoding SecretEncoding) (key any, field string) {
	c := b.conn
	if strings.HasPrefix(string(method), "HS") {
		if c.PrivateKey != "" || c.Key != nil {
			b.p.add("SignatureMethod", string(method)+" is an HMAC with a Secret, but there is a private key",
				"use a method that fits the key, or set Secret instead")
			if c.PrivateKey != "" {
				b.privateKey() // for its own problems
			}
			if c.Secret == "" {
				return nil, ""
			}
		}
		return b.secret(method, encoding)
	}
	if c.Secret != "" {
		b.p.add("Secret", "is set, but "+string(method)+" needs a private key",
			"put the key into PrivateKey, or use HS256, HS384 or HS512")
	}
	switch {
	case c.Secret != "" && c.PrivateKey == "" && c.Key == nil:
	case c.PrivateKey != "" && c.Key != nil:
		b.p.add("Key", "is set beside PrivateKey", "remove one of the two")
	case c.Key != nil:
		return c.Key, "Key"
	case c.PrivateKey == "":
		b.p.add("PrivateKey", "is empty", string(method)+" needs a private key: set PrivateKey or Key")
	default:
		return b.privateKey()
	}
	return nil, ""
}

// secret decodes the HMAC secret.
func (b *setup) secret(method SignatureMethod, encoding SecretEncoding) (any, string) {
	if b.conn.Secret == "" {
		b.p.add("Secret", "is empty", string(method)+" needs a secret")
		return nil, ""
	}
	secret, ok := decodeSecret(string(b.conn.Secret), encoding)
	if !ok {
		b.p.add("Secret", "is not "+string(encoding), encodingHint(string(b.conn.Secret), encoding))
		return nil, ""
	}
	return secret, "Secret"
}

// encodingHint is what to do about a secret that is not written in its encoding.
func encodingHint(secret string, encoding SecretEncoding) string {
	for _, mark := range []string{":", "."} {
		id, rest, ok := strings.Cut(strings.TrimSpace(secret), mark)
		if _, decodes := decodeSecret(rest, encoding); ok && id != "" && rest != "" && decodes {
			name := map[string]string{":": "a colon", ".": "a dot"}[mark]
			return "it looks like two parts with " + name + " between them: set Secret to what is after the " + name[2:] + ", and kid in JWTHeaders to what is before it"
		}
	}
	return "paste it as it was given, or change SecretEncoding"
}

// decodeSecret decodes a secret. Blanks around it and missing padding are harmless, except in utf8, where all counts.
func decodeSecret(text string, encoding SecretEncoding) ([]byte, bool) {
	if encoding == SecretUTF8 {
		return []byte(text), true
	}
	text = strings.TrimSpace(text)
	var secret []byte
	var err error
	switch encoding {
	case SecretHex:
		secret, err = hex.DecodeString(text)
	case SecretBase64:
		secret, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	default:
		secret, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	}
	return secret, err == nil
}

// privateKey reads PrivateKey.
func (b *setup) privateKey() (any, string) {
	options := key.Options{AllowWeak: b.conn.AllowWeakKey, KeyID: literalMember(b.conn.JWTHeaders, "kid")}
	found, err := loadKey([]byte(b.conn.PrivateKey), string(b.conn.Passphrase), options)
	if err != nil {
		entry := keyEntry("PrivateKey", err)
		options.AllowWeak = true
		if _, err := loadKey([]byte(b.conn.PrivateKey), string(b.conn.Passphrase), options); err == nil {
			entry.Hint += ", or set AllowWeakKey"
		}
		b.p.found.AddEntry(entry)
		return nil, ""
	}
	b.key = found
	for _, fix := range found.Fixes {
		b.warn("PrivateKey", "was repaired: "+fix, "fix it at the source")
	}
	return found.Signer, "PrivateKey"
}

// keyEntry says what is wrong with the private key in a field. The *KeyError is behind it.
func keyEntry(field string, err error) problem.Entry {
	e := problem.Entry{Field: field, Problem: err.Error(), Cause: err}
	if k, ok := errors.AsType[*KeyError](err); ok {
		e.Problem, e.Hint = problem.Sentence(k.subject(), k.Problem, ""), k.Hint
	}
	return e
}

// buildToken compiles what a token is made of.
func (b *setup) buildToken() {
	m := &minter{signer: b.signer, skew: &b.core.skew, stats: &b.core.stats, reuse: b.conn.TokenReuse}
	if scheme := b.core.scheme(new(minted)); scheme != "" {
		m.before = scheme + " "
	}
	m.ready = &minted{value: string(b.conn.Token), field: m.before + string(b.conn.Token)}
	b.core.minter = m
	b.core.claims, b.core.header = b.conn.Payload, b.conn.JWTHeaders
	problem.NotNegative(b.p.add, "Lifetime", b.conn.Lifetime)
	problem.NotNegative(b.p.add, "TokenReuse", b.conn.TokenReuse)
	if b.conn.Lifetime > 0 && b.conn.Lifetime < time.Second {
		b.p.add("Lifetime", fmt.Sprintf("%s is less than a second", b.conn.Lifetime), "iat and exp are in whole seconds")
	}
	if b.conn.Token != "" {
		return
	}
	m.payload = b.compilePayload()
	header, err := b.compileHeader()
	if err != nil {
		b.p.addError("JWTHeaders", err)
		return
	}
	checkJOSEHeader(header, b.p)
	if b.signer == nil {
		return // a problem is noted
	}
	m.header = header
	if text, ok := header.Constant(); ok {
		m.head = jws.AppendHead(nil, []byte(text))
	}
	if m.payload != nil {
		b.checkReuse(m)
	}
}

// compileHeader compiles the JOSE header, as far as that can be had without knowing the method.
func (b *setup) compileHeader() (*template.Object, error) {
	if b.method == "" {
		return b.templates.Object(string(b.conn.JWTHeaders), template.ScopeToken)
	}
	return b.templates.Header(string(b.conn.JWTHeaders), string(b.method))
}

// checkReuse refuses to reuse what differs from request to request.
func (b *setup) checkReuse(m *minter) {
	switch {
	case m.reuse == 0:
	case m.needs()&template.NeedRequest != 0:
		b.p.add("TokenReuse", "is set, but the token depends on the request", "set it to zero: each request needs its own token")
	case b.conn.Exchange != nil:
		b.p.add("TokenReuse", "is set beside Exchange", "set it to zero: it is the access token that is reused")
	}
}

// compilePayload compiles Payload, with iat and exp at its end where Lifetime asks for them and they are missing.
func (b *setup) compilePayload() *template.Object {
	claims, err := b.templates.Object(string(b.conn.Payload), template.ScopeToken)
	if err != nil {
		b.p.addError("Payload", err)
		return nil
	}
	seconds := int64(b.conn.Lifetime / time.Second)
	if seconds <= 0 {
		return claims
	}
	times, err := b.templates.Object(fmt.Sprintf(`{"iat":"{{now}}","exp":"{{now %d}}"}`, seconds), template.ScopeToken)
	if err != nil {
		b.p.addError("Lifetime", err)
		return nil
	}
	return template.Join(claims, times.Without(claims))
}

// literalMember returns the text of a member that is a string.
func literalMember(object JSON, name string) string {
	var members map[string]json.RawMessage
	var text string
	if json.NewDecoder(bytes.NewReader([]byte(object))).Decode(&members) == nil {
		_ = json.Unmarshal(members[name], &text) // no string: there is none
	}
	return text
}

func (b *setup) warn(field, problem, hint string) {
	b.core.warnings = append(b.core.warnings, Warning{Field: field, Problem: problem, Hint: hint})
}
