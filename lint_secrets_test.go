package jwtbearer

import (
	"cmp"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
)

func TestSecretsThatAreSomethingElseAreWarnedOf(t *testing.T) {
	const good = "a good secret of thirty-two bytes"
	key := string(privatePEM(t, newECKey(t, elliptic.P256())))
	for name, test := range map[string]struct {
		secret   string
		encoding SecretEncoding
		say      string
	}{
		"a line break":                 {good + "\n", "", "ends with a line break"},
		"a line break within base64":   {base64.StdEncoding.EncodeToString([]byte(good + "\n")), SecretBase64, "ends with a line break"},
		"a line break within hex":      {hex.EncodeToString([]byte(good + "\r\n")), SecretHex, "ends with a line break"},
		"a line break behind base64":   {base64.StdEncoding.EncodeToString([]byte(good)) + "\n", SecretBase64, ""},
		"random bytes in base64":       {base64.StdEncoding.EncodeToString([]byte("\xff\xfe\xfd0123456789abcdefghijklmnopqrstuv\n")), SecretBase64, ""},
		"a private key":                {key, "", "looks like a private key"},
		"a private key within base64":  {base64.StdEncoding.EncodeToString([]byte(key)), SecretBase64, "looks like a private key"},
		"a reference to a store":       {"op://Production/api/secret-of-it", "", "reference to a secret store"},
		"a mask that base64url can be": {strings.Repeat("-", 44), SecretBase64URL, "masked"},
	} {
		c := validConnection()
		c.Secret, c.SecretEncoding = Secret(test.secret), test.encoding
		client, err := NewClient(c)
		if err != nil {
			t.Errorf("%s: %v; want the secret taken as it is", name, err)
			continue
		}
		decoded, _ := decodeSecret(test.secret, cmp.Or(test.encoding, SecretUTF8))
		if token := must(client.Mint(t.Context(), nil)); !signedByHMAC(token, decoded) {
			t.Errorf("%s: the token is not signed with the secret as it is", name)
		}
		var said []string
		for _, w := range c.Lint() {
			if w.Field == "Secret" {
				said = append(said, w.Problem)
			}
		}
		if all := strings.Join(said, "; "); !strings.Contains(all, test.say) || test.say == "" && strings.Contains(all, "line break") {
			t.Errorf("%s: Lint says %q of Secret; want %q", name, said, test.say)
		}
	}
}

func TestOtherSecretsAreLookedAtForWhatNobodyMeans(t *testing.T) {
	c := validConnection()
	c.Secrets = map[string]Secret{"break": "hunter2\n", "mask": "********", "pem": privatePEM(t, newECKey(t, elliptic.P256())), "plain": "hunter2", "file": "./x.pem"}
	said := map[string]string{}
	for _, w := range c.Lint() {
		said[w.Field] += w.Problem
	}
	for field, want := range map[string]string{"Secrets[break]": "ends with a line break", "Secrets[mask]": "masked", "Secrets[pem]": "", "Secrets[plain]": "", "Secrets[file]": ""} {
		if got := said[field]; want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("Lint says %q of %s; want %q", got, field, want)
		}
	}
}

func TestTestTellsWhatLintSaysOfASecret(t *testing.T) {
	c := validConnection()
	c.BaseURI, c.Secret = "http://127.0.0.1:9", "a good secret of thirty-two bytes\n"
	report, _ := c.Test(t.Context())
	for _, s := range report.Steps {
		if s.Status == StatusWarning && strings.Contains(s.Detail, "ends with a line break") {
			return
		}
	}
	t.Errorf("the steps are %+v; want a warning of the line break", report.Steps)
}

// signedByHMAC reports whether a token is signed with the secret by HS256.
func signedByHMAC(token string, secret []byte) bool {
	i := strings.LastIndexByte(token, '.')
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(token[:max(i, 0)]))
	return token[i+1:] == base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
