package text

import (
	"encoding/base64"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf16"
)

// wide writes a text as UTF-16.
func wide(s string, mark, big bool) string {
	units := utf16.Encode([]rune(s))
	if mark {
		units = append([]uint16{0xfeff}, units...)
	}
	var b strings.Builder
	for _, u := range units {
		low, high := byte(u), byte(u>>8)
		if big {
			low, high = high, low
		}
		b.WriteByte(low)
		b.WriteByte(high)
	}
	return b.String()
}

func TestSecretDoubtsSeeWhatIsNotMeant(t *testing.T) {
	const good = "a good secret of thirty-two bytes"
	for secret, want := range map[string]string{
		good + "\n": "ends with a line break", good + "\r\n": "ends with a line break", good + " ": "ends with a space", good + "\t": "ends with a space or tab",
		good + `\n`: "ends with a backslash and a letter", good + `\r\n`: "ends with a backslash", "\n" + good: "begins with a space", "  " + good: "begins with a space",
		`"` + good + `"`: "quotation marks", "'" + good + "'\n": "quotation marks", "“" + good + "”": "quotation marks", "`" + good + "`": "quotation marks",
		"\ufeff" + good: "byte order mark", doubleBOM + good: "byte order mark", wide(good+"\r\n", true, false): "UTF-16", wide(good, true, true): "UTF-16",
		wide(good, false, false): "UTF-16", wide(good, false, true): "UTF-16", "a\u200bgood secret of thirty-two bytes": "invisible",
		"a\u00a0good secret of thirty-two bytes": "a space that is none", "a good\x00secret of thirty-two bytes": "control character", " \n": "white space only",
		"@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/s/1)": "an unresolved variable", "op://Prod/api/secret-of-the-api": "reference to a secret store",
		"arn:aws:secretsmanager:eu-west-1:123456789012:secret:jwt": "reference to a secret store", "projects/p-1/secrets/jwt/versions/1": "reference to a secret store",
		"vault:secret/data/api#key": "reference to a secret store", "$API_SECRET": "unresolved variable", "{{ .Values.secret }}": "unresolved variable", "%API_SECRET%": "unresolved variable",
		strings.Repeat("*", 32): "masked", strings.Repeat("•", 16): "masked", "your-256-bit-secret": "placeholder", "<your secret here>": "placeholder", "undefined": "empty value",
		"changeme": "placeholder", "/run/secrets/jwt-secret": "path of a file", "./secret.txt": "path of a file", "secret.pem": "name of a file", "https://vault.example.com/secret": "a URL",
		`{"kty":"oct","k":"c2VjcmV0"}`: "is a JWK", `{"secret":"abc"}`: "looks like a JSON", "eyJhbGciOiJIUzI1NiJ9.e30.c2ln": "a JSON web token",
		"ssh-rsa AAAAB3NzaC1yc2E": "an SSH public key", "<html><body>Sign in</body></html>": "an HTML page",
	} {
		var all []string
		for _, d := range SecretDoubts([]byte(secret)) {
			all = append(all, d.Problem)
			if d.Hint == "" || strings.Contains(d.Problem+d.Hint, "good secret") {
				t.Errorf("%q: %+v; want a hint, and nothing of the secret", secret, d)
			}
		}
		if !strings.Contains(strings.Join(all, "; "), want) {
			t.Errorf("%q: got %q; want one that says %q", secret, all, want)
		}
	}
}

func TestSecretDoubtsPassOverWhatSecretsAre(t *testing.T) {
	check := func(secret string) {
		if all := SecretDoubts([]byte(secret)); len(all) > 0 {
			t.Errorf("%q gives %+v; want no doubt", secret, all)
		}
	}
	for _, secret := range []string{"", "hunter2", "correct horse battery staple", "everybody knows it: Grüße, 秘密, пароль", "p@ssw0rd!$%&/()=?", "it's a \"quoted\" word",
		"Zx9-kd_lQ.p+q/r=s", "6489e0d4a1b2c3d4e5f60718:a1b2c3d4e5f60718293a4b5c6d7e8f90"} {
		check(secret)
	}
	random := rand.New(rand.NewPCG(7518, 32))
	for n := 16; n <= 64; n++ { // of the sizes that secrets have, the ends of which may be of any value
		raw := make([]byte, n)
		for i := range raw {
			raw[i] = byte(random.Uint32())
		}
		raw[0], raw[n-1] = 0x80|raw[0]&0x7e, 0xc1
		check(base64.StdEncoding.EncodeToString(append([]byte{0xfc}, raw...)))
		check(base64.RawURLEncoding.EncodeToString(raw))
		check(hex.EncodeToString(append([]byte{0x30, 0x82}, raw...)))
		check(string(raw[:n:n]))
	}
}

func TestSecretDoubtsKnowKeysFromPlaceholdersAndForms(t *testing.T) {
	for secret, want := range map[string]Doubt{"x\n": {Form: true}, "****": {Placeholder: true}, "./x.pem": {}} {
		all := SecretDoubts([]byte(secret))
		if len(all) != 1 || all[0].Form != want.Form || all[0].Placeholder != want.Placeholder {
			t.Errorf("%q gives %+v; want one, Form %t, Placeholder %t", secret, all, want.Form, want.Placeholder)
		}
	}
}
