package sealed

import (
	"bytes"
	"crypto"
	"errors"
	"math"
	"strings"
	"testing"
)

func TestMeterLetsPassWhatPeopleUse(t *testing.T) {
	for name, spend := range map[string]func(*Meter) error{
		"OWASP's PBKDF2":       func(m *Meter) error { return m.Hash("PBKDF2", crypto.SHA256, 600_000, 1) },
		"OWASP's, with SHA-1":  func(m *Meter) error { return m.Hash("PBKDF2", crypto.SHA1, 1_300_000, 2) },
		"PuTTY, 8 MiB x 13":    func(m *Meter) error { return m.Argon2(8192, 13, 1) },
		"PuTTY, a slow choice": func(m *Meter) error { return m.Argon2(8192, 100, 4) },
		"OpenSSL's scrypt":     func(m *Meter) error { return m.Scrypt(1<<14, 8, 1) },
		"32 MiB of scrypt":     func(m *Meter) error { return m.Scrypt(1<<15, 8, 1) },
		"ssh-keygen":           func(m *Meter) error { return m.Bcrypt(24, 2) },
		"ssh-keygen -a 256":    func(m *Meter) error { return m.Bcrypt(256, 2) },
	} {
		if err := spend(new(Meter)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMeterRefusesByNameAndBound(t *testing.T) {
	for _, row := range []struct {
		want string
		err  error
	}{
		{"PBKDF2 with 5000001 iterations; the limit is 5000000 iterations", new(Meter).Hash("PBKDF2", crypto.SHA1, 5_000_001, 1)},
		{"the limit is 2500000 iterations", new(Meter).Hash("PBKDF2", crypto.SHA512, math.MaxInt, 1)},
		{"32 MiB", new(Meter).Scrypt(1<<16, 8, 1)},
		{"32 MiB", new(Meter).Scrypt(1<<62, math.MaxInt, math.MaxInt)},
		{"32 MiB", new(Meter).Scrypt(2, math.MaxInt, 1)},
		{"scrypt with N 32768, r 8, p 20", new(Meter).Scrypt(1<<15, 8, 20)},
		{"32 MiB", new(Meter).Argon2(1<<20, 1, 1)},
		{"Argon2 with over 1000000000000 KiB", new(Meter).Argon2(math.MaxUint64, math.MaxUint64, 1)},
		{"Argon2 with 8192 KiB", new(Meter).Argon2(8192, math.MaxUint64, 1)},
		{"bcrypt_pbkdf with 4294967295 rounds; the limit is 277 rounds", new(Meter).Bcrypt(math.MaxUint32, 2)},
	} {
		if _, ok := errors.AsType[*CostError](row.err); !ok || !strings.Contains(row.err.Error(), row.want) {
			t.Errorf("%v, want a CostError with %q", row.err, row.want)
		}
	}
}

func TestMeterRefusesNonsense(t *testing.T) {
	for name, err := range map[string]error{
		"no iterations":       new(Meter).Hash("PBKDF2", crypto.SHA1, 0, 1),
		"negative iterations": new(Meter).Hash("PBKDF2", crypto.SHA1, math.MinInt, 1),
		"scrypt N of 1":       new(Meter).Scrypt(1, 8, 1),
		"scrypt N of 6":       new(Meter).Scrypt(6, 8, 1),
		"scrypt r":            new(Meter).Scrypt(2, 0, 1),
		"scrypt p":            new(Meter).Scrypt(2, 1, -1),
		"Argon2 passes":       new(Meter).Argon2(8192, 0, 1),
		"Argon2 lanes":        new(Meter).Argon2(8192, 1, 0),
		"Argon2 many lanes":   new(Meter).Argon2(8192, 1, 256),
		"Argon2 memory":       new(Meter).Argon2(7, 1, 1),
		"bcrypt rounds":       new(Meter).Bcrypt(0, 1),
	} {
		if _, ok := errors.AsType[*MalformedError](err); !ok {
			t.Errorf("%s: %v, want a MalformedError", name, err)
		}
	}
}

func TestWhole(t *testing.T) {
	for _, row := range []struct {
		name, want string // of the error; "" for none
		in         []byte
		size       int
	}{
		{"whole", "", []byte{0x30, 1, 5}, 3},
		{"with a tail", "", []byte{0x30, 1, 5, '\n'}, 3},
		{"long form", "", append([]byte{0x30, 0x81, 0x80}, make([]byte, 0x80)...), 0x83},
		{"nothing", "truncated", nil, 0},
		{"a tag", "truncated", []byte{0x30}, 0},
		{"half a length", "truncated", []byte{0x30, 0x82, 1}, 0},
		{"a byte short", "truncated: 3 of 4 bytes", []byte{0x30, 2, 5}, 0},
		{"four gigabytes", "truncated", []byte{0x30, 0x84, 255, 255, 255, 255, 0}, 0},
		{"indefinite", "damaged", []byte{0x30, 0x80, 5, 0, 0, 0, 0}, 0},
		{"length of nine bytes", "damaged", []byte{0x30, 0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 0},
	} {
		got, err := Whole(row.in)
		if len(got) != row.size || (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
			t.Errorf("Whole(%s) = %d bytes, %v, want %d, %q", row.name, len(got), err, row.size, row.want)
		}
	}
}

func TestReaderKeepsItsFirstError(t *testing.T) {
	r := NewReader([]byte{0, 0, 0, 1, 7, 0, 0, 0, 1, 0x80, 0, 0, 0, 2, 1})
	if got := r.Number(); got.Int64() != 7 || r.Err() != nil {
		t.Errorf("Number() = %v, %v, want 7", got, r.Err())
	}
	r.Number()
	first := r.Err()
	if m, ok := errors.AsType[*MalformedError](first); !ok || m.Truncated {
		t.Errorf("Number() of a negative number: %v, want a MalformedError", first)
	}
	if s := r.String(); s != nil || r.Err() != first {
		t.Errorf("String() after an error = %x, %v, want nothing and %v", s, r.Err(), first)
	}
	cut := NewReader([]byte{0, 0, 0, 2, 1})
	cut.String()
	if m, ok := errors.AsType[*MalformedError](cut.Err()); !ok || !m.Truncated {
		t.Errorf("String() of too little: %v, want it to say truncated", cut.Err())
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 7, 0, 0, 0, 1, 0x80, 0, 0, 0, 2, 1})
	f.Add([]byte{0x30, 0x84, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, data []byte) {
		whole, err := Whole(data)
		if err == nil && !bytes.HasPrefix(data, whole) {
			t.Errorf("Whole(%x) = %x", data, whole)
		}
		r := NewReader(data)
		for r.Err() == nil {
			r.Number()
			r.Uint32()
		}
	})
}
