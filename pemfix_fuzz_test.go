package jwtbearer

import (
	"bytes"
	"errors"
	"testing"
)

func addSamples(f *testing.F, add func(data []byte, passphrase string)) {
	f.Helper()
	for _, c := range keyCases(f) {
		if data := c.input(f); len(data) < 8<<10 {
			add(data, c.Passphrase)
		}
	}
	for _, s := range samples(f)[5:7] {
		for _, d := range damages {
			add([]byte(d.do(s.text)), s.pass)
		}
	}
}

func FuzzFixPEM(f *testing.F) {
	addSamples(f, func(data []byte, _ string) { f.Add(data) })
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		fixed, fixes, err := FixPEM(data)
		if !bytes.Equal(data, before) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			if _, ok := errors.AsType[*KeyError](err); !ok || fixed != nil || fixes != nil {
				t.Fatalf("error %v beside %d bytes and %q", err, len(fixed), fixes)
			}
			return
		}
		if len(fixes) == 0 {
			if !bytes.Equal(fixed, data) {
				t.Fatal("changed without a fix")
			}
			return
		}
		again, more, err := FixPEM(fixed)
		if err != nil || len(more) != 0 || !bytes.Equal(again, fixed) {
			t.Fatalf("not idempotent: %v, fixes %q after %q\n%q\n%q", err, more, fixes, fixed, again)
		}
	})
}

func FuzzParsePrivateKey(f *testing.F) {
	addSamples(f, func(data []byte, passphrase string) { f.Add(data, passphrase) })
	f.Fuzz(func(t *testing.T, data []byte, passphrase string) {
		before := bytes.Clone(data)
		key, err := ParsePrivateKey(data, passphrase)
		if !bytes.Equal(data, before) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			if _, ok := errors.AsType[*KeyError](err); !ok || key != nil {
				t.Fatalf("error %T %v beside %v", err, err, key)
			}
			return
		}
		if key == nil || key.Signer == nil || key.Format == "" {
			t.Fatalf("got %v without an error", key)
		}
		fixed, _, err := FixPEM(data)
		if err != nil {
			t.Fatalf("FixPEM: %v for what loads as %v", err, key)
		}
		if len(key.Fixes) > 0 {
			return // a passphrase beside the key, or a kid, may be gone from what is fixed
		}
		if !bytes.Equal(fixed, data) {
			t.Fatalf("FixPEM changes what loads without repairs: %v", key)
		}
	})
}
