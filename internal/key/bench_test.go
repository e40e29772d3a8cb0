package key

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// hostile are texts of one size that repeat what a reader might stumble over.
func hostile(size int) map[string]string {
	fill := func(unit string) string { return strings.Repeat(unit, size/len(unit)) }
	noise := make([]byte, size)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	all := map[string]string{"noise": string(noise), "after an opening": "-----BEGIN PRIVATE KEY-----\n" + fill("MIIEvwIBADANBgkqhkiG9w0BAQEFAASC\n")[:size-100]}
	for _, unit := range []string{
		"-----BEGIN PRIVATE KEY-----\n", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----\n", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END X KEY-----\n",
		"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIKI917pT1ZR/9M+UsPr343xomssnAXHKeBASwbXx+Pn3\n", "BEGIN ", "END", "-", "- ", "\\", "\\n", "\\u", "{", "[", `{"a":`,
		`{"kty":"EC"},`, `"`, `"'`, "`n", "A", "MIIE", "MC4C\n", "0", "30", " ", "\n", "\r", "\t", "=", "==\n", "%", "%25", "%0A", "&", "&#10;", "&amp;", "<br>", "<",
		"\u200b", "\ufeff", "\u00a0", "—", "â€”", "\x00", "\x1b[0m", "\x1b[", "PuTTY-User-Key-File-2: ", "Private-Lines: 9\n", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n",
		"DEK-Info:", "X-A: b\n", "a: b\\\n", "ssh-rsa AAAA", "A A ", "MIIEvwIBADANBgkq+n", "0\x80", "0\x82\xff\xff", "openssh-key-v1\x00", "b3BlbnNzaC1rZXktdjEA", "<RSAKeyValue>",
		"LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t", "\"MIIE\" +\n", "# MIIE\n", "a=MIIEvwIBADANBgkqhkiG9w0BAQEFAASCBKkwggSlAgEAAoIBAQDV2Muzf\n",
	} {
		all[unit] = fill(unit)
	}
	return all
}

// What is not linear does not end here before the tests' own limit; BenchmarkHostile measures the rest.
func TestLoadRefusesHostileTexts(t *testing.T) {
	for name, text := range hostile(1 << 17) {
		if key, err := Load([]byte(text), "x", Options{}); err == nil && name[0] != '-' {
			t.Errorf("%.20q: got %v, want an error", name, key)
		}
		if fixed, _, err := Fix([]byte(text)); err == nil && len(fixed) == 0 {
			t.Errorf("Fix(%.20q): got nothing and no error", name)
		}
	}
}

// BenchmarkHostile reads 1 MiB, the most that is read at all.
func BenchmarkHostile(b *testing.B) {
	for name, text := range hostile(1 << 20) {
		data := []byte(text)
		b.Run(fmt.Sprintf("Load/%.24q", name), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if key, err := Load(data, "x", Options{}); key == nil && err == nil {
					b.Fatal("neither a key nor an error")
				}
			}
		})
		b.Run(fmt.Sprintf("Fix/%.24q", name), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if fixed, _, err := Fix(data); fixed == nil && err == nil {
					b.Fatal("neither text nor an error")
				}
			}
		})
	}
}

// BenchmarkLoadWithinLimits reads the samples that are bounded in time and memory: 5 s and 64 MiB, unless the
// manifest says otherwise.
func BenchmarkLoadWithinLimits(b *testing.B) {
	for _, c := range keyCases(b) {
		if c.Limits == nil {
			continue
		}
		b.Run(c.ID, func(b *testing.B) {
			b.ReportAllocs()
			input := c.input(b)
			for b.Loop() {
				if key, err := Load(input, c.Passphrase, Options{}); key == nil && err == nil {
					b.Fatal("neither a key nor an error")
				}
			}
		})
	}
}
