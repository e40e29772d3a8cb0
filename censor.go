package jwtbearer

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
	"golang.org/x/net/idna"
)

const leastSecret = 4 // bytes: less cannot be told from other text

// A censor takes secrets out of texts: in whatever case of letters, since hosts are written in lower case, percent-encoded in
// whatever way, in the ASCII form of a host (RFC 5891), and as JSON and Go quote them. It is immutable; nil takes nothing out.
type censor struct {
	plain   []string // in lower case, the longest first
	decoded []string // the same without percent-encoding
}

// newCensor makes the censor of these secrets.
func newCensor(secrets map[string]string) *censor {
	c := new(censor)
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
	if len(strings.Trim(u.Path, "/")) >= leastPiece { // a whole address is secret, and its parts are shown apart
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

// hide returns text with ****** in the place of each secret. It looks at the text as it is, too, since a percent sign may stand
// before a secret by chance.
func (c *censor) hide(text string) string {
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
		b.WriteString(text[at[from]:at[next[best]]] + redacted)
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

// hideIn is hide for the texts within a JSON value: the names of members, strings, and numbers, which become strings.
func (c *censor) hideIn(v jsontext.Value) jsontext.Value {
	switch v.Kind {
	case jsontext.String:
		v.Text = c.hide(v.Text)
	case jsontext.Number:
		if text := c.hide(v.Text); text != v.Text {
			v = jsontext.Value{Kind: jsontext.String, Text: text}
		}
	}
	for i := range v.Elems {
		v.Elems[i] = c.hideIn(v.Elems[i])
	}
	for i, m := range v.Members {
		v.Members[i] = jsontext.Member{Name: c.hide(m.Name), Value: c.hideIn(m.Value)}
	}
	return v
}

// censor takes the token and the values of Secrets out of what an API said.
func (c *core) censor(text, token string) string { return c.hide(scrubText(text, token)) }

// hide takes the values of Secrets out of a text that may have been made from them.
func (c *core) hide(text string) string { return c.secrets.hide(text) }

// hide takes the values of Secrets out of all that a report shows, whoever said it: a name server, a certificate, the API, a claim
// that is made of the host.
func (r *Report) hide(c *core) {
	for i := range r.Steps {
		s := &r.Steps[i]
		s.Detail, s.Hint = c.hide(s.Detail), c.hide(s.Hint)
	}
	for _, part := range []*JSON{&r.Header, &r.Claims} {
		if v, err := jsontext.Parse(string(*part)); err == nil && *part != "" {
			*part = JSON(c.secrets.hideIn(v).Append(nil))
		}
	}
}
