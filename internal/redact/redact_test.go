package redact

import (
	"strings"
	"testing"
)

func TestCensorTakesOutEverySpelling(t *testing.T) {
	for _, test := range []struct{ secret, text, want string }{
		{"Tangerine7", "lookup tangerine7.shop.example: no such host", "lookup ******.shop.example: no such host"},
		{"tangerine7", "TANGERINE7 and Tangerine7, not tangerine", "****** and ******, not tangerine"},
		{"tangerine7", "https://%74angerine%37.shop.example/%54ANGERINE7%2e", "https://******.shop.example/******%2e"},
		{"a/b c?", "/x/a%2Fb%20c%3F/y, a%2fb+c%3f, a/b c?", "/x/******/y, ******, ******"},
		{`say "no"`, `{"a":"say \"no\""} and "say \"no\""`, `{"a":"******"} and "******"`},
		{"line\none", `{"a":"line\none"} "line\none"`, `{"a":"******"} "******"`},
		{" hunter2\n", "no user hunter2 here", "no user ****** here"},
		{"bücher-kunde.example", "lookup xn--bcher-kunde-thb.example, b%C3%BCcher-kunde.example, bücher-KUNDE.example", "lookup ******, ******, ******"},
		{"kunde.example.", "lookup kunde.example.: no; not kunde.example", "lookup ******: no; not ******"},
		{"https://Kunde.example:8443/very/secret/v1", "dial Kunde.example:8443: valid for kunde.example, GET /very/secret/v1/me", "dial ******: valid for ******, GET ******/me"},
		{"100%", "at 100%25 and 100% of it", "at ******25 and ****** of it"},
		{"0000", "%0000% and %30%3000", "%******% and ******"},
		{"%zz%4", "a %ZZ%4 b %", "a ****** b %"},
		{"four", "FOURfourFo ur", "************Fo ur"},
		{"abc", "abc is too short to be told from other text", "abc is too short to be told from other text"},
	} {
		if got := New(map[string]string{"k": test.secret}).Hide(test.text); got != test.want {
			t.Errorf("without %q, %q is %q; want %q", test.secret, test.text, got, test.want)
		}
	}
	both := New(map[string]string{"a": "tangerine", "b": "tangerine-and-more"})
	if got := both.Hide("Tangerine-and-more, tangerine-and-less"); got != "******, ******-and-less" {
		t.Errorf("of two secrets where one begins with the other: %q", got)
	}
	if got := (*Censor)(nil).Hide("anything"); got != "anything" {
		t.Errorf("no censor gave %q", got)
	}
}

func FuzzCensorLeavesNoSecret(f *testing.F) {
	f.Add("Tangerine7", "a%54angerine7%")
	f.Add("%%%%", "%25%25%25%25%%%%")
	f.Add("0000", "%0000%")
	f.Fuzz(func(t *testing.T, secret, text string) {
		c := New(map[string]string{"k": secret})
		hidden := c.Hide(text + secret + text)
		if len(secret) >= leastSecret && !strings.ContainsAny(secret, "*") && strings.Contains(hidden, secret) {
			t.Errorf("%q is left in %q", secret, hidden)
		}
		if short := New(map[string]string{"k": "abc"}).Hide(text); short != text {
			t.Errorf("%q became %q without a secret", text, short)
		}
	})
}
