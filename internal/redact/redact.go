// Package redact knows how secrets and tokens are written in texts, and takes them out. It must never know what a text is for, nor
// which settings hold secrets.
package redact

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
	"golang.org/x/net/idna"
)

// Mark stands in the place of what is taken out.
const Mark = "******"

const (
	leastSecret = 4 // bytes: less cannot be told from other text
	LeastPiece  = 8 // bytes of a token that are worth hiding
)

// A Censor takes secrets out of texts: in whatever case of letters, since hosts are written in lower case, percent-encoded in
// whatever way, in the ASCII form of a host (RFC 5891), and as JSON and Go quote them. It is immutable; nil takes nothing out.
type Censor struct {
	plain   []string // in lower case, the longest first
	decoded []string // the same without percent-encoding
}

// New makes the Censor of these secrets.
func New(secrets map[string]string) *Censor {
	c := new(Censor)
	for _, secret := range secrets {
		for _, form := range formsOf(secret) {
			plain, _ := normalize(form, false)
			decoded, _ := normalize(form, true)
			c.plain, c.decoded = append(c.plain, plain), append(c.decoded, decoded)
		}
	}
	for _, forms := range []*[]string{&c.plain, &c.decoded} {
		*forms = slices.DeleteFunc(*forms, func(form string) bool { return len(form) < leastSecret })
		slices.SortFunc(*forms, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b)) })
		*forms = slices.Compact(*forms)
	}
	return c
}

// formsOf lists how a secret may be written, but for case and percent-encoding.
func formsOf(secret string) []string {
	trimmed := strings.TrimSpace(secret)
	quoted := strconv.Quote(secret)
	forms := []string{secret, trimmed, strings.ReplaceAll(secret, " ", "+"), string(jsontext.AppendEscaped(nil, secret)), quoted[1 : len(quoted)-1]}
	forms = append(forms, hostForms(trimmed)...)
	u, err := url.Parse(trimmed)
	if err != nil || u.Host == "" {
		return forms
	}
	if len(strings.Trim(u.Path, "/")) >= LeastPiece { // a whole address is secret, and its parts are shown apart
		forms = append(forms, strings.TrimRight(u.Path, "/"))
	}
	return append(append(forms, u.Host), hostForms(u.Hostname())...)
}

// hostForms lists how a secret is written that is a host or a part of one: as DNS and TLS have it.
func hostForms(host string) []string {
	if host == "" || strings.ContainsAny(host, "/ \t\r\n") {
		return nil
	}
	forms := []string{host, strings.TrimSuffix(host, ".")}
	for _, convert := range []func(string) (string, error){idna.Lookup.ToASCII, idna.Punycode.ToASCII} {
		if ascii, err := convert(host); err == nil {
			forms = append(forms, strings.TrimSuffix(ascii, "."))
		}
	}
	return forms
}

// Hide returns text with ****** in the place of each secret. It looks at the text as it is, too, since a percent sign may stand
// before a secret by chance.
func (c *Censor) Hide(text string) string {
	if c == nil || len(text) < leastSecret {
		return text
	}
	text = hideForms(text, c.plain, false)
	if strings.Contains(text, "%") {
		text = hideForms(text, c.decoded, true)
	}
	return text
}

// hideForms replaces what is one of forms when it is normalized. Of several that begin at one place the first counts.
func hideForms(text string, forms []string, decode bool) string {
	plain, at := normalize(text, decode)
	next := make([]int, len(forms)) // where each form stands next; -1: nowhere
	for i := range next {
		next[i] = strings.Index(plain, forms[i])
	}
	var b strings.Builder
	from := 0 // in plain
	for {
		best := -1
		for i, form := range forms {
			if next[i] >= 0 && next[i] < from {
				if next[i] = strings.Index(plain[from:], form); next[i] >= 0 {
					next[i] += from
				}
			}
			if next[i] >= 0 && (best < 0 || next[i] < next[best]) {
				best = i
			}
		}
		if best < 0 {
			return b.String() + text[at[from]:]
		}
		b.WriteString(text[at[from]:at[next[best]]] + Mark)
		from = next[best] + len(forms[best])
	}
}

// normalize returns text with its ASCII letters in lower case and, where that is wanted, its percent-encoding decoded, and the
// offset in text of each byte of that and of its end.
func normalize(text string, decode bool) (plain string, at []int) {
	out, at := make([]byte, 0, len(text)), make([]int, 0, len(text)+1)
	for i := 0; i < len(text); i++ {
		at = append(at, i)
		b := text[i]
		if decode && b == '%' && i+2 < len(text) {
			if n, err := strconv.ParseUint(text[i+1:i+3], 16, 8); err == nil {
				b = byte(n)
				i += 2
			}
		}
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		out = append(out, b)
	}
	return string(out), append(at, len(text))
}

// HideIn is Hide for the texts within a JSON value: the names of members, strings, and numbers, which become strings.
func (c *Censor) HideIn(v jsontext.Value) jsontext.Value {
	switch v.Kind {
	case jsontext.String:
		v.Text = c.Hide(v.Text)
	case jsontext.Number:
		if text := c.Hide(v.Text); text != v.Text {
			v = jsontext.Value{Kind: jsontext.String, Text: text}
		}
	}
	for i := range v.Elems {
		v.Elems[i] = c.HideIn(v.Elems[i])
	}
	for i, m := range v.Members {
		v.Members[i] = jsontext.Member{Name: c.Hide(m.Name), Value: c.HideIn(m.Value)}
	}
	return v
}

// Token takes the token out of a text, also where the text was cut off within it.
func Token(text, token string) string {
	if token == "" {
		return text
	}
	text = strings.ReplaceAll(text, token, Mark)
	cut, wasCut := strings.CutSuffix(text, "…")
	for n := min(len(token), len(cut)); n >= LeastPiece; n-- {
		if strings.HasSuffix(cut, token[:n]) {
			text = cut[:len(cut)-n] + Mark
			if wasCut {
				text += "…"
			}
			break
		}
	}
	return text
}
