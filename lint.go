package jwtbearer

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	keytext "github.com/seed-363d07a3/jwtbearer/internal/key/text"

	"github.com/seed-363d07a3/jwtbearer/internal/diagnose"
	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
	"github.com/seed-363d07a3/jwtbearer/internal/origin"
	"github.com/seed-363d07a3/jwtbearer/internal/template"
	"github.com/seed-363d07a3/jwtbearer/internal/waits"
)

// A linter looks at a Connection that is legal for what is probably not meant.
type linter struct {
	*setup
	vendor vendor
	now    time.Time
	claims map[string]claim // those of the token, as they would be now
	header map[string]claim
}

// A claim is a member of claims or header.
type claim struct {
	value jsontext.Value
	fixed bool // the same in every token
}

// lintRules are the checks, in the order of their warnings.
var lintRules = []func(*linter){
	(*linter).missingExp, (*linter).fixedExp, (*linter).swappedTimes, (*linter).millis, (*linter).longLife, (*linter).audience,
	(*linter).claimTypes, (*linter).missingTyp, (*linter).thumbprint, (*linter).reuse, (*linter).secrets, (*linter).secretForm, (*linter).pingPath,
	(*linter).tokenPaths, (*linter).millisWaits, (*linter).attempts, (*linter).readyToken,
}

// lint adds its warnings to those that were found on the way.
func (b *setup) lint() {
	l := &linter{setup: b, now: time.Unix(time.Now().Unix(), 0)} // tokens have whole seconds
	if m := b.core.minter; m.signer != nil {
		e := &template.Env{Now: l.now}
		l.claims, l.header = l.members(m.payload, e), l.members(m.header, e)
	}
	l.vendor = l.findVendor()
	for _, w := range b.p.doubts {
		l.warn(w.Field, w.Problem, w.Hint)
	}
	for _, rule := range lintRules {
		rule(l)
	}
}

// warn is setup.warn without what Secrets hold.
func (l *linter) warn(field, problem, hint string) { l.setup.warn(field, l.core.hide(problem), hint) }

// members renders each member by itself. One that looks at the request has no value yet.
func (l *linter) members(object *template.Object, e *template.Env) map[string]claim {
	all := make(map[string]claim, len(object.Members()))
	for _, m := range object.Members() {
		_, fixed := m.Constant()
		c := claim{fixed: fixed}
		if m.Needs()&template.NeedRequest == 0 {
			if text, err := m.Render(nil, e); err == nil {
				c.value, _ = jsontext.Parse(string(text)) // what a template makes is JSON
			}
		}
		all[m.Name] = c
	}
	return all
}

// findVendor looks at the hosts of the connection, in as far as they are known before anything is sent.
func (l *linter) findVendor() vendor {
	hosts, aud, params := []string{l.core.apiBase().Hostname()}, l.claims["aud"].value, ""
	for x := l.conn.Exchange; x != nil; x = x.Next {
		hosts, params = append(hosts, hostOf(x.TokenURL)), params+string(x.Params)
	}
	for _, a := range append([]jsontext.Value{aud}, aud.Elems...) {
		hosts = append(hosts, hostOf(a.Text), a.Text)
	}
	if l.conn.RateLimit.Profile == "apns" {
		hosts = append(hosts, "push.apple.com")
	}
	return vendorOf(hosts, aud.Text, params)
}

func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// date is a claim that is a time, in whatever unit; zero: there is none, or it is not known yet.
func (l *linter) date(name string) time.Time { return waits.NumericDate(l.claims[name].value.Text) }

// lifetimeField is the setting that exp comes from.
func (l *linter) lifetimeField() string {
	if l.conn.Lifetime > 0 && !payloadHas(l.conn.Payload, "exp") {
		return "Lifetime"
	}
	return "Payload"
}

func payloadHas(payload JSON, name string) bool {
	v, err := jsontext.Parse(string(payload))
	return err == nil && slices.ContainsFunc(v.Members, func(m jsontext.Member) bool { return m.Name == name })
}

func (l *linter) missingExp() {
	if _, has := l.claims["exp"]; l.claims != nil && !has && !l.vendor.noExp {
		l.warn("Payload", "has no exp: whoever gets hold of a token can use it for ever", "set Lifetime, or add exp to Payload, where the API takes it")
	}
}

// aDuration is what nobody means as a time: the first day of 1970.
const aDuration = 100_000

func (l *linter) fixedExp() {
	exp, date := l.claims["exp"], l.date("exp")
	switch {
	case date.IsZero():
	case date.Unix() < aDuration:
		l.warn("Payload", fmt.Sprintf("exp is %s, a time in the year 1970", exp.value.Text), `exp is a time, not a duration: write "{{now 300}}", or set Lifetime`)
	case exp.fixed:
		l.warn("Payload", "exp is a literal: no token will be valid after "+date.UTC().Format(time.DateTime)+" UTC", `write "{{now 300}}", or set Lifetime`)
	}
}

func (l *linter) swappedTimes() {
	exp := l.date("exp")
	for _, name := range []string{"iat", "nbf"} {
		begin := l.date(name)
		if exp.IsZero() || begin.IsZero() || exp.Unix() < aDuration || exp.After(begin) {
			continue
		}
		l.warn("Payload", fmt.Sprintf("exp is not after %s: no token would ever be valid", name), "swap the two, or raise exp")
	}
}

func (l *linter) millis() {
	if l.vendor.millis {
		return
	}
	for _, name := range []string{"exp", "iat", "nbf"} {
		if text := l.claims[name].value.Text; !l.date(name).IsZero() && len(text) >= 12 && !strings.ContainsAny(text, ".eE") {
			l.warn("Payload", name+" is in milliseconds", "a NumericDate is in seconds (RFC 7519, section 2): write now instead of nowMillis, unless the API says otherwise")
		}
	}
}

// longLife knows the caps of some vendors. App Store Connect takes more from tokens that are for one resource.
func (l *linter) longLife() {
	exp := l.date("exp")
	_, scoped := l.claims["scope"]
	if l.vendor.longest == 0 || exp.IsZero() || l.claims["exp"].fixed || l.vendor.name == "App Store Connect" && scoped {
		return
	}
	if life := exp.Sub(l.now).Round(time.Second); life > l.vendor.longest {
		l.warn(l.lifetimeField(), fmt.Sprintf("lets a token live %s, but %s refuses more than %s", life, l.vendor.name, l.vendor.longest),
			"lower it ("+l.vendor.source+")")
	}
}

func (l *linter) audience() {
	if l.vendor.oneAud && l.claims["aud"].value.Kind == jsontext.Array {
		l.warn("Payload", "aud is a list, but "+l.vendor.name+" wants a string", "write it without the brackets ("+l.vendor.source+")")
	}
}

func (l *linter) missingTyp() {
	if _, has := l.header["typ"]; l.header != nil && l.vendor.typ && !has {
		l.warn("JWTHeaders", "has no typ, but "+l.vendor.name+" wants it", `take "typ": null out (`+l.vendor.source+`)`)
	}
}

// thumbprint knows who finds the certificate of a client by its hash alone.
func (l *linter) thumbprint() {
	if !l.vendor.thumb || l.header == nil || l.core.minter.signer.Public() == nil {
		return
	}
	_, sha1 := l.header["x5t"]
	if _, sha256 := l.header["x5t#S256"]; !sha1 && !sha256 {
		l.warn("JWTHeaders", "has no thumbprint of the certificate, but "+l.vendor.name+" wants it",
			`set Certificate, and write "x5t#S256": "{{x5tS256}}" (`+l.vendor.source+`)`)
	}
}

func (l *linter) reuse() {
	reuse := l.conn.TokenReuse
	_, identified := l.claims["jti"]
	switch {
	case l.vendor.name == "APNs" && l.claims != nil && (reuse < 20*time.Minute || reuse > time.Hour):
		l.warn("TokenReuse", fmt.Sprintf("is %s, but APNs wants a token to be renewed after 20 to 60 minutes, and throttles who renews it sooner", reuse),
			"set it to 50 minutes")
	case reuse > 0 && identified && l.vendor.once:
		l.warn("TokenReuse", "is set beside the claim jti, but "+l.vendor.name+" takes each token once", "set it to zero")
	}
}

func (l *linter) attempts() {
	r := l.conn.RateLimit
	if l.conn.Retry.MaxAttempts == 1 && l.conn.Retry.MaxElapsed == 0 && (r.Profile != "" || len(r.Rules) > 0) {
		l.warn("Retry.MaxAttempts", "is 1, but does not count throttled answers, which RateLimit describes: they are sent again for up to 10 minutes",
			"bound that by Retry.MaxElapsed or RateLimit.MaxWait")
	}
}

func (l *linter) readyToken() {
	if exp := expiryOf(string(l.conn.Token)); !exp.IsZero() && exp.Before(l.now) {
		l.warn("Token", "has expired at "+exp.UTC().Format(time.DateTime)+" UTC", "get a new one, or describe how to sign it")
	}
}

// pingPath looks at where BaseURI and Ping.RelativeURI meet.
func (l *linter) pingPath() {
	if ref, fixed := l.core.ping.ref.Constant(); fixed && !l.conn.Exchange.tellsBase() {
		l.joint("Ping.RelativeURI", ref)
	}
}

// tokenPaths looks at token endpoints that are written as paths after BaseURI.
func (l *linter) tokenPaths() {
	field := "Exchange"
	for x := l.conn.Exchange; x != nil && !l.conn.Exchange.tellsBase(); x = x.Next {
		if text, err := l.templates.URI(x.TokenURL); err == nil {
			l.joint(field+".TokenURL", text)
		}
		field += ".Next"
	}
}

// joint looks at what is appended to BaseURI byte for byte: a path that is there twice, or a slash too many or too few.
func (l *linter) joint(field, ref string) {
	path := l.core.apiBase().EscapedPath()
	base := strings.TrimRight(path, "/")
	ref, _, _ = strings.Cut(ref, "?")
	last, _ := utf8.DecodeLastRuneInString(path)
	first, _ := utf8.DecodeRuneInString(ref)
	switch isWord := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }; {
	case ref == "" || origin.IsAbsolute(ref):
	case diagnose.RepeatedPath(base, ref) != "" && first == '/':
		l.warn(field, fmt.Sprintf("begins with %s, with which BaseURI ends: the request would go to %s", diagnose.RepeatedPath(base, ref), base+ref), "take it out of one of the two")
	case first == '/' && last == '/':
		l.warn(field, "begins with a slash, with which BaseURI ends: the request would go to "+path+ref, "take one of the two slashes out")
	case isWord(first) && isWord(last):
		l.warn(field, "begins without a slash, and BaseURI ends without one: the request would go to "+path+ref, "begin it with a slash")
	}
}

// inMillis matches the name of a field or member whose number is told in milliseconds: Retry-After-Ms, retryAfterMs, wait_millis.
var inMillis = regexp.MustCompile(`(?:(?:^|[-_.\s])[mM][sS]|[a-z0-9]M[sS]|(?i:milli(?:s|secs?|seconds?)))$`)

// millisWaits looks for waits whose name says milliseconds, and whose unit is left to their magnitude.
func (l *linter) millisWaits() {
	l.millisOf("RateLimit", l.conn.RateLimit)
	field := "Exchange"
	for x := l.conn.Exchange; x != nil; x = x.Next {
		l.millisOf(field+".RateLimit", x.RateLimit)
		field += ".Next"
	}
}

func (l *linter) millisOf(field string, r RateLimit) {
	for i, e := range r.Wait {
		l.millisName(fmt.Sprintf("%s.Wait[%d]", field, i), e)
	}
	for i, q := range r.Quota {
		l.millisName(fmt.Sprintf("%s.Quota[%d].Reset", field, i), q.Reset)
	}
}

func (l *linter) millisName(field string, e Extract) {
	name := e.Header + strings.TrimRight(e.Path, `'"] `)
	if (e.As == "" || e.As == "auto") && inMillis.MatchString(name) {
		l.warn(field+".As", "is not set, but the name says milliseconds: 14000 would be taken for seconds", "set it to millis, or to epochMillis where it tells a time")
	}
}

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
