package text

import (
	"encoding/base64"
	"strings"
	"testing"
)

// An Ed25519 TESTING KEY: openssl genpkey -algorithm ED25519
const ed25519Body = "MC4CAQAwBQYDK2VwBCIEIKI917pT1ZR/9M+UsPr343xomssnAXHKeBASwbXx+Pn3"

func TestStatedIsTheNumberOfLettersThatAKeySays(t *testing.T) {
	for _, test := range []struct {
		letters string
		n       int
		known   bool
	}{
		{ed25519Body, 64, true},
		{ed25519Body[:20], 64, true},
		{"MIIEvwIBADANBgkqhkiG9w0", 1626, true},
		{"MIHcAgEBBEIB", 298, true},
		{"MIAwgAYJKoZI", 0, true}, // BER: of indefinite length
		{"AAAA", 0, false},
		{"M", 0, false},
		{"", 0, false},
	} {
		n, known, _ := stated([]byte(test.letters))
		if n != test.n && test.n > 0 || known != test.known {
			t.Errorf("stated(%.12q) = %d, %t, want %d, %t", test.letters, n, known, test.n, test.known)
		}
	}
}

func TestShapeOfTellsCutDataToo(t *testing.T) {
	for letters, want := range map[string]Shape{
		ed25519Body:                    PKCS8,
		ed25519Body[:24]:               PKCS8,
		"MIIEpQIBAAKCAQEA1djLs34FBHgL": PKCS1,
		"MHcCAQEEIMT16psE66R1zEfg":     SEC1,
		"MCowBQYDK2VwAyEAl2YSvhSZnbI":  PublicKey,
		"MIIFLTBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQIapfaUXMyQkECAggAMAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEqBBBAeG22KbWCN8JgWj+MG4t1BIIE0Hc": EncryptedPKCS8,
		"MIIICEDCCAbYCAU0wCgYIKoZIzj0EAwIw": Unknown,
		"BggqhkjOPQMBBw==":                  Parameters,
		"b3BlbnNzaC1rZXktdjEAAAAABG5vbmU=":  OpenSSH,
	} {
		data, _ := decode([]byte(strings.TrimRight(letters, "=")))
		if got := ShapeOf(data); got != want {
			t.Errorf("ShapeOf(%.20q) = %v, want %v", letters, got, want)
		}
	}
}

func TestBlanksAreReadByTheStatedLength(t *testing.T) {
	for name, raw := range map[string]string{
		"nothing":           ed25519Body,
		"spaces as nothing": ed25519Body[:30] + " " + ed25519Body[30:],
		"spaces as plus":    strings.ReplaceAll(ed25519Body, "+", " "),
		"alien":             ed25519Body[:30] + "•" + ed25519Body[30:],
	} {
		b := readBody([]byte(raw), nil)
		want, _ := base64.StdEncoding.DecodeString(ed25519Body)
		if !b.known || string(b.data) != string(want) {
			t.Errorf("%s: read %d bytes, known %t", name, len(b.data), b.known)
		}
	}
	for name, raw := range map[string]string{"a letter less": ed25519Body[1:], "the last letter less": ed25519Body[:63], "a letter more": ed25519Body[:30] + "A" + ed25519Body[30:]} {
		if b := readBody([]byte(raw), nil); b.known {
			t.Errorf("%s: read as whole", name)
		}
	}
}

func TestReadJSONKnowsWhereValuesStandAndStopsAtItsBounds(t *testing.T) {
	n, end, ok := readJSON([]byte("see: {\n\"A\": \"x\\n\", \"b\":\n[1, true, null]} and more"), 5)
	if !ok || end != 40 || n.member("a").string() != "x\n" || n.member("a").at != 17 || n.member("B").values[2].kind != nodeNull {
		t.Errorf("read %+v up to %d, ok %t", n, end, ok)
	}
	for _, text := range []string{
		"", "[", `{"a":"x"`, `{'a':'x'}`, `{"a":"x",}`, `{a:"x"}`, `{"a" "b"}`, `{"a":}`, `{{x}}`, `{"a":1}`[:6] + strings.Repeat("[", 100),
		strings.Repeat("[", maxJSONDepth+2) + strings.Repeat("]", maxJSONDepth+2), "[" + strings.Repeat("1,", maxJSONNodes) + "1]",
	} {
		if n, _, ok := readJSON([]byte(text), 0); ok {
			t.Errorf("%.20s: read as %+v, want a refusal", text, n)
		}
	}
}

func TestOnlyFixesThatTouchedTheKeyAreTold(t *testing.T) {
	clean := "-----BEGIN PRIVATE KEY-----\n" + ed25519Body + "\n-----END PRIVATE KEY-----\n"
	items, fault := Find([]byte("“Hello” — see C:\\new &amp; %20 50\u00a0%\n\n" + clean + "\nBye…\\n"))
	if fault != nil || len(items) != 1 || len(items[0].Fixes()) != 0 || items[0].Line != 3 {
		t.Errorf("got %d items, fault %v: %q", len(items), fault, items[0].Fixes())
	}
}
