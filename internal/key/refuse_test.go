package key

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestLoadTellsATruncatedKeyWhereverItIsCut(t *testing.T) {
	for _, s := range samples(t) {
		for _, percent := range []int{99, 97, 90, 75, 50, 30} {
			body := strings.TrimRight(s.text, "\n")
			if i := strings.Index(body, "\n-----END"); i > 0 {
				body = strings.TrimRight(body[:i], "=\n")
			}
			cut := body[:len(body)*percent/100]
			if strings.HasPrefix(s.name, "031") && percent > 90 {
				continue // a ciphertext has no length of its own: a cut at a block's end reads as damage
			}
			for name, text := range map[string]string{"plain": cut, "END": cut + "\n" + s.text[max(strings.LastIndex(s.text, "-----END"), 0):],
				"literal n": strings.ReplaceAll(cut, "\n", `\n`), "JSON": `{"private_key": ` + strings.TrimSuffix(jsonString(cut), `"`)} {
				if name == "END" && !strings.Contains(s.text, "-----END") {
					continue
				}
				_, err := Load([]byte(text), s.pass, Options{})
				if err == nil || !mentions(err.Error(), []string{"truncat", "incomplete", "missing", "too short"}) {
					t.Errorf("%s, %s, %d %%: error %v, want one about truncation", s.name, name, percent, err)
				}
			}
		}
	}
}

func TestLoadSaysWhatWasPasted(t *testing.T) {
	for _, test := range []struct {
		input string
		want  []string
	}{
		{"", []string{"empty"}}, {" \n\t", []string{"empty"}}, {"\ufeff", []string{"empty"}}, {`""`, []string{"empty"}}, {`\n`, []string{"empty"}}, {"\x00", []string{"empty"}},
		{"null", []string{"null"}}, {"undefined", []string{"empty", "null"}}, {"None", []string{"empty"}},
		{"/etc/ssl/key.pem", []string{"path"}}, {"~/.ssh/id_rsa", []string{"path"}}, {"./key.p8", []string{"path"}}, {"../a/b", []string{"path"}}, {`C:\Users\me\new.pem`, []string{"path"}},
		{`\\server\share\key`, []string{"path"}}, {"key.pem", []string{"file"}}, {"AuthKey_ABC.p8", []string{"file"}}, {`"private key.pem"`, []string{"file"}}, {"file:///a", []string{"file"}},
		{"https://example.com/key.pem", []string{"URL"}}, {"@key.pem", []string{"file", "path"}},
		{"${env:KEY}", []string{"variable"}}, {"${KEY}", []string{"variable"}}, {"$KEY", []string{"variable"}}, {"%KEY%", []string{"variable"}}, {"{{ .Values.key }}", []string{"placeholder"}},
		{"$(cat key.pem)", []string{"placeholder"}}, {"<%= ENV['KEY'] %>", []string{"placeholder"}}, {"#{KEY}#", []string{"not a private key", "placeholder"}},
		{"******", []string{"mask"}}, {"••••••••", []string{"mask", "hidden"}}, {"xxxxxxxx", []string{"placeholder"}}, {"<your private key here>", []string{"placeholder"}}, {"[REDACTED]", []string{"mask", "redact"}},
		{"REDACTED", []string{"redact"}}, {"changeme", []string{"placeholder"}},
		{"op://vault/item/key", []string{"secret store", "placeholder"}}, {"arn:aws:secretsmanager:eu:1:secret:x", []string{"secret store"}},
		{"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----", []string{"empty"}}, {"-----BEGIN RSA PRIVATE KEY-----\n<your key>\n-----END RSA PRIVATE KEY-----", []string{"placeholder"}},
		{"-----BEGIN PRIVATE KEY-----\nMIIEvg...\n-----END PRIVATE KEY-----", []string{"placeholder"}}, {"-----BEGIN PRIVATE KEY-----", []string{"empty", "placeholder"}},
		{"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQO+\n-----END PGP PRIVATE KEY BLOCK-----", []string{"PGP"}}, {"-----BEGIN PGP MESSAGE-----\nhQ\n-----END PGP MESSAGE-----", []string{"PGP"}},
		{"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nP2/56wAAA\n---- END SSH2 ENCRYPTED PRIVATE KEY ----", []string{"ssh.com"}},
		{"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDV2MuzfgUE me@x", []string{"public key"}}, {"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY= x", []string{"public key"}},
		{"SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDfEaQb5bJ4xz9lRgM", []string{"fingerprint"}}, {"2048 SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDfEaQb5bJ4xz9lRgM x (RSA)", []string{"fingerprint"}},
		{"70:0f:9c:ea:f4:a4:f4:60:a0:71:5d:87:ac:5b:19:9f:d8:e9:e7:1f", []string{"fingerprint"}}, {"MD5:70:0f:9c:ea:f4:a4:f4:60:a0:71:5d:87:ac:5b:19:9f", []string{"fingerprint"}},
		{"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", []string{"JWT", "token"}},
		{"<!DOCTYPE html><html></html>", []string{"HTML"}}, {"<html><body>x</body></html>", []string{"HTML"}}, {"<?xml version=\"1.0\"?><a><b/></a>", []string{"XML"}},
		{`{"type":"service_account","private_key":""}`, []string{"private_key", "empty"}}, {`{"installed":{"client_id":"x"}}`, []string{"no private key"}}, {"[]", []string{"no private key"}},
		{`{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcD`, []string{"truncated"}}, {`{"kty":"EC","crv":"P-256",}`, []string{"damaged"}},
		{`{"kty":"RSA","n":"AQAB","e":"AQAB"}`, []string{"public"}}, {`{"kty":"oct","k":"AAAA"}`, []string{"secret"}}, {`{"keys":[]}`, []string{"no private key"}},
		{`{"kty":"OKP","crv":"X25519","d":"AAAA","x":"AAAA"}`, []string{"X25519"}}, {`{"kty":"EC","crv":"secp256k1","d":"AAAA"}`, []string{"secp256k1"}}, {`{"kty":"OKP","crv":"Ed448","d":"AAAA"}`, []string{"Ed448"}},
		{`{"type":"authorized_user","client_secret":"x","refresh_token":"1//x"}`, []string{"authorized_user"}}, {`{"installed":{"client_id":"x"}}`, []string{"OAuth client"}},
		{`{"audience":"//iam.googleapis.com/x","type": "external_account"}`, []string{"external_account"}}, {`{"web":{"client_secret":"x"}}`, []string{"service account"}},
		{"@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/k/)", []string{"unresolved"}},
		{"-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CFB,00112233445566778899AABBCCDDEEFF\n\n" + strings.Repeat("QUJD", 11) + "QQ==\n-----END EC PRIVATE KEY-----", []string{"unsupported"}},
		{"\xce\xce\xce\xce\x00\x00", []string{"-srcstoretype JCEKS"}}, {"\x00\x00\x00\x02\x00\x00\x00\x14" + strings.Repeat("s", 20), []string{"-srcstoretype BKS"}},
		{base64.StdEncoding.EncodeToString([]byte("\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x01\x00\x06mykey")), []string{"base64 --decode"}},
		{"${{ secrets.KEY }}", []string{"unresolved"}}, {"'${{secrets.KEY}}'", []string{"unresolved"}}, {"<< pipeline.parameters.key >>", []string{"unresolved"}},
		{"-----BEGIN PRIVATE KEY-----\n${{ secrets.KEY }}\n-----END PRIVATE KEY-----", []string{"unresolved"}}, {`{"private_key": "${{ secrets.KEY }}"}`, []string{"unresolved"}},
		{"***\n***\n***", []string{"mask"}}, {"-----BEGIN PRIVATE KEY-----\n" + strings.Repeat("*", 64) + "\n-----END PRIVATE KEY-----\n", []string{"mask"}},
		{"-----BEGIN PRIVATE KEY-----\n" + strings.Repeat("•", 12) + "\n-----END PRIVATE KEY-----\n", []string{"mask"}}, {`{"client_email":"a@b.example","private_key":"***"}`, []string{"mask"}},
		{"-----BEGIN PRIVATE KEY-----\n[REDACTED]\n-----END PRIVATE KEY-----", []string{"mask"}}, {"-----BEGIN PRIVATE KEY-----\n" + strings.Repeat("REDACTED", 6) + "\n-----END PRIVATE KEY-----", []string{"mask"}},
		{"-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n" + strings.Repeat("*", 64) + "\n-----END PRIVATE KEY-----", []string{"masked in part"}},
		{"(sensitive value)", []string{"mask"}}, {"(known after apply)", []string{"mask"}},
		{base64.StdEncoding.EncodeToString([]byte(`{"type":"authorized_user","client_id":"x","refresh_token":"1//x"}`)), []string{"authorized_user"}}, {`"{\"type\":\"authorized_user\"}"`, []string{"authorized_user"}},
		{`{"type":"impersonated_service_account","source_credentials":{"type":"authorized_user"}}`, []string{"impersonated"}}, {`{"type":"external_account_authorized_user"}`, []string{"workforce"}},
		{`{"client_id":"x","client_secret":"y","redirect_uris":[]}`, []string{"OAuth client"}}, {`{"clientId":"x","clientSecret":"y","tenantId":"t"}`, []string{"client secret"}},
		{"$ANSIBLE_VAULT;1.1;AES256\n6638643965323633", []string{"decrypt"}}, {"ENC[AES256_GCM,data:abc,iv:x,tag:y,type:str]", []string{"decrypt"}},
		{"PK\x03\x04\x14\x00", []string{"ZIP"}}, {"\x1f\x8b\x08\x00", []string{"gzip"}}, {"\xfe\xed\xfe\xed\x00\x00", []string{"keystore"}},
		{base64.StdEncoding.EncodeToString([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03 and more of it, much more")), []string{"gzip"}},
		{"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", []string{"32"}}, {"Hello, here is nothing.", []string{"not a private key"}}, {"secret", []string{"not a private key"}},
		{"PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\n", []string{"truncat"}},
		{strings.Repeat("A", 1<<20+1), []string{"1 MiB"}},
	} {
		_, err := Load([]byte(test.input), "pass", Options{})
		e, ok := errors.AsType[*Error](err)
		if !ok || !mentions(err.Error(), test.want) {
			t.Errorf("%.40q: error %v, want a word of %q", test.input, err, test.want)
			continue
		}
		if e.Found == "" || e.Problem == "" || e.Hint == "" {
			t.Errorf("%.40q: %#v says too little", test.input, e)
		}
	}
}

// What can be converted is told how; a key of an unsupported kind stays what it is in any container.
func TestLoadHintsAtWhatHelps(t *testing.T) {
	for _, test := range []struct{ file, pass, problem, hint string }{
		{"088-ppk3-argon2d.txt", "correct-Horse7", "Argon2d", "--ppk-param kdf=argon2id"},
		{"498-ppk-version-1.txt", "", "version 1", "puttygen FILE"},
		{"486-secp256k1-sec1.txt", "", "secp256k1", "openssl genpkey"},
		{"493-dsa-pkcs8.txt", "", "DSA", "openssl genpkey"},
		{"497-ed448.txt", "", "Ed448", "openssl genpkey"},
		{"448-openssh-security-key.txt", "", "security key", "openssl genpkey"},
	} {
		_, err := Load((&keyCase{File: "cases/" + test.file}).input(t), test.pass, Options{})
		e, ok := errors.AsType[*Error](err)
		if !ok || !strings.Contains(e.Problem, test.problem) || !strings.Contains(e.Hint, test.hint) {
			t.Errorf("%s: error %v, want one about %s with the hint %s", test.file, err, test.problem, test.hint)
		}
	}
	for name, oid := range map[string]string{"Diffie-Hellman": "06092a864886f70d010301", "unknown": "06062b0601040163"} {
		der, _ := hex.DecodeString("30" + fmt.Sprintf("%02x", 3+2+len(oid)/2+5) + "020100" + "30" + fmt.Sprintf("%02x", len(oid)/2) + oid + "0403020106")
		_, err := Load(der, "", Options{})
		if e, ok := errors.AsType[*Error](err); !ok || strings.Contains(e.Hint, "convert") {
			t.Errorf("%s: error %v, want one with no hint to convert it", name, err)
		}
	}
}

func TestLoadTellsTheLine(t *testing.T) {
	input := "one\ntwo\n" + `{"a": 1}` + "\n\n-----BEGIN PRIVATE KEY-----\nMIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQ\n"
	for name, text := range map[string]string{"LF": input, "CRLF": strings.ReplaceAll(input, "\n", "\r\n"), "dashes": strings.ReplaceAll(input, "-----", "———")} {
		_, err := Load([]byte(text), "", Options{})
		if e, ok := errors.AsType[*Error](err); !ok || e.Line != 5 {
			t.Errorf("%s: error %#v, want line 5", name, err)
		}
	}
}

func TestLoadWithTwoKeysRefusesUnlessTheyAreTheSame(t *testing.T) {
	all := samples(t)
	for i, a := range all[:8] {
		for _, mangle := range []func(string) string{func(s string) string { return s }, func(s string) string { return strings.ReplaceAll(s, "\n", `\n`) }, base64Text} {
			b := all[(i+1)%8]
			same := Same(a.key, b.key)
			text := mangle(a.text) + "\n" + mangle(b.text)
			key, err := Load([]byte(text), "", Options{})
			if same && err != nil || !same && (err == nil || !mentions(err.Error(), []string{"two"})) {
				t.Errorf("%s and %s: got %v and error %v", a.name, b.name, key, err)
			}
			if _, err = Load([]byte(mangle(a.text)+"\n"+mangle(a.text)), "", Options{}); err != nil {
				t.Errorf("%s twice: %v", a.name, err)
			}
		}
	}
}

func TestLoadPicksFromASetByKeyID(t *testing.T) {
	set := []byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
		{"kty":"OKP","crv":"Ed25519","kid":"b","d":"TM0Imyj_ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U-4pvs","x":"PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw"},
		{"kty":"oct","kid":"c","k":"AAAA"}]}`)
	if _, err := Load(set, "", Options{}); err == nil || !strings.Contains(err.Error(), "kid") {
		t.Errorf("without a kid: error %v, want one that tells to name it", err)
	}
	for _, kid := range []string{"a", "b"} {
		key, err := Load(set, "", Options{KeyID: kid})
		if err != nil || key.KeyID != kid || key.Format != "JWK set" {
			t.Errorf("kid %s: got %v and error %v", kid, key, err)
		}
	}
}

func TestLoadLetsWeakRSAPassOnlyWhereAllowed(t *testing.T) {
	for _, test := range []struct {
		file       string
		weak, pass bool
	}{{"490-rsa1024-pkcs8.txt", false, false}, {"490-rsa1024-pkcs8.txt", true, true}, {"492-rsa512.txt", true, false}} {
		data := (&keyCase{File: "cases/" + test.file}).input(t)
		if _, err := Load(data, "", Options{AllowWeak: test.weak}); (err == nil) != test.pass {
			t.Errorf("%s with weak %t: error %v", test.file, test.weak, err)
		}
	}
}

func TestFixGivesCleanPEM(t *testing.T) {
	for _, s := range samples(t) {
		for _, d := range damages {
			isPEM := strings.HasPrefix(s.text, "-----")
			if d.pem && !isPEM {
				continue
			}
			damaged := []byte(d.do(s.text))
			before := bytes.Clone(damaged)
			fixed, fixes, err := Fix(damaged)
			if err != nil {
				t.Errorf("%s, %s: %v", s.name, d.name, err)
				continue
			}
			if !bytes.Equal(damaged, before) {
				t.Errorf("%s, %s: the input was changed", s.name, d.name)
			}
			if len(fixes) == 0 && !bytes.Equal(fixed, damaged) {
				t.Errorf("%s, %s: changed without a fix", s.name, d.name)
			}
			again, more, err := Fix(fixed)
			if err != nil || len(more) > 0 || !bytes.Equal(again, fixed) {
				t.Errorf("%s, %s: not idempotent: %q, %v", s.name, d.name, more, err)
			}
			if block, _ := pem.Decode(fixed); isPEM && len(fixes) > 0 && block == nil {
				t.Errorf("%s, %s: encoding/pem finds no block in what is fixed", s.name, d.name)
			}
			if key, err := Load(fixed, s.pass, Options{}); err != nil || !Same(key.Signer.Public(), s.key) {
				t.Errorf("%s, %s: what is fixed does not load: %v", s.name, d.name, err)
			} else if left := slices.DeleteFunc(key.Fixes, func(fix string) bool { return strings.HasPrefix(fix, "label") }); len(left) > 0 {
				t.Errorf("%s, %s: what is fixed has more to repair: %q", s.name, d.name, left)
			}
		}
	}
}

// The wrong passphrase is tried as it is first, and a trimmed one is told.
func TestLoadTrimsThePassphraseLast(t *testing.T) {
	data := (&keyCase{File: "cases/036-pbes2-aes-256-cbc-sha1-p256.txt"}).input(t)
	for _, given := range []string{"correct-Horse7", "correct-Horse7\n", " correct-Horse7 ", `"correct-Horse7"`, "'correct-Horse7'\n"} {
		key, err := Load(data, given, Options{})
		if err != nil {
			t.Errorf("%q: %v", given, err)
			continue
		}
		if got, want := slices.Contains(key.Fixes, noteTrimmed), given != "correct-Horse7"; got != want {
			t.Errorf("%q: fixes %q", given, key.Fixes)
		}
	}
	if _, err := Load(data, "wrong", Options{}); err == nil || strings.Contains(err.Error(), "wrong;") || !strings.Contains(err.Error(), "wrong passphrase") {
		t.Errorf("error %v, want one about the passphrase, without it", err)
	}
}
