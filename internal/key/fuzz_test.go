package key

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

// addSamples seeds a fuzz target. PKCS#12 files are left out: they are opened without a passphrase too, at a cost that a
// mutation raises to seconds. Their package has a target of its own.
func addSamples(f *testing.F) {
	f.Helper()
	for _, c := range keyCases(f) {
		if data := c.input(f); len(data) < 8<<10 && !strings.Contains(c.ID, "pfx") {
			f.Add(data)
		}
	}
	for _, s := range samples(f)[5:7] {
		for _, d := range damages {
			f.Add([]byte(d.do(s.text)))
		}
	}
}

func FuzzFix(f *testing.F) {
	addSamples(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		fixed, fixes, err := Fix(data)
		if !bytes.Equal(data, before) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok || fixed != nil || fixes != nil {
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
		again, more, err := Fix(fixed)
		if err != nil || len(more) != 0 || !bytes.Equal(again, fixed) {
			t.Fatalf("not idempotent: %v, fixes %q after %q\n%q\n%q", err, more, fixes, fixed, again)
		}
	})
}

func FuzzLoad(f *testing.F) {
	addSamples(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		start := time.Now()
		key, err := Load(data, "", Options{})
		if took := time.Since(start); took > 2*time.Second {
			t.Fatalf("%d bytes took %s", len(data), took)
		}
		if !bytes.Equal(data, before) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok || key != nil {
				t.Fatalf("error %T %v beside %v", err, err, key)
			}
			return
		}
		if key == nil || key.Signer == nil || key.Format == "" {
			t.Fatalf("got %v without an error", key)
		}
		fixed, _, err := Fix(data)
		if err != nil {
			t.Fatalf("Fix: %v for what loads as %v", err, key)
		}
		again, err := Load(fixed, "", Options{})
		switch {
		case err == nil && !Same(key.Signer.Public(), again.Signer.Public()):
			t.Fatalf("Fix makes another key of %v", key)
		case err != nil && !strings.Contains(key.Format, "J"): // a passphrase or kid that stood beside it may be gone
			t.Fatalf("%v in what Fix makes of %v", err, key)
		}
	})
}
