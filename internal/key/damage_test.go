package key

import (
	"bytes"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"html"
	"math/rand/v2"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// damage is one thing that happens to text on its way.
type damage struct {
	name    string
	do      func(string) string
	explain string // what Fixes must say; "" where nothing must be said
	pem     bool   // happens to PEM only
}

func replaced(old, with string) func(string) string {
	return func(s string) string { return strings.ReplaceAll(s, old, with) }
}

func eachLine(before, after string) func(string) string {
	return func(s string) string {
		return before + strings.Join(strings.Split(strings.TrimSuffix(s, "\n"), "\n"), after+"\n"+before) + after + "\n"
	}
}

func pattern(expr, with string) func(string) string {
	re := regexp.MustCompile(expr)
	return func(s string) string { return re.ReplaceAllString(s, with) }
}

func inside(before, after string) func(string) string {
	return func(s string) string { return before + strings.TrimSuffix(s, "\n") + after }
}

func jsonString(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func utf16Text(s string) string {
	var b bytes.Buffer
	b.WriteString("\xff\xfe")
	for _, u := range utf16.Encode([]rune(s)) {
		b.Write([]byte{byte(u), byte(u >> 8)})
	}
	return b.String()
}

func numbered(format func(int) string) func(string) string {
	return func(s string) string {
		lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
		for i := range lines {
			lines[i] = format(i+1) + lines[i]
		}
		return strings.Join(lines, "\n") + "\n"
	}
}

func base64Text(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func wrapped(s string, width int) string {
	var b strings.Builder
	for ; len(s) > width; s = s[width:] {
		b.WriteString(s[:width] + "\n")
	}
	return b.String() + s + "\n"
}

// wrappedLines breaks what is longer than a narrow terminal, as it does: the BEGIN line too.
func wrappedLines(width int) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for line := range strings.Lines(s) {
			b.WriteString(wrapped(strings.TrimSuffix(line, "\n"), width))
		}
		return b.String()
	}
}

// aroundBody joins all lines, with what is left of the newlines above and below the body.
func aroundBody(residue string) func(string) string {
	return func(s string) string {
		if strings.Contains(s, "DEK-Info") { // encrypted, it states no length that would prove them
			return s
		}
		return strings.NewReplacer("-----\n", "-----"+residue, "\n-----", residue+"-----", "\n", "").Replace(s)
	}
}

const bodyLine = `(?m)^([A-Za-z0-9+/]{20,}=*)$`

var damages = []damage{
	{"nothing", func(s string) string { return s }, "", false},
	{"CRLF", replaced("\n", "\r\n"), "", false},
	{"CR", replaced("\n", "\r"), "newline", false},
	{"no final newline", strings.TrimSpace, "", false},
	{"literal n", replaced("\n", `\n`), "newline", false},
	{"literal rn", replaced("\n", `\r\n`), "newline", false},
	{"literal r", replaced("\n", `\r`), "newline", false},
	{"literal n twice", replaced("\n", `\\n`), "newline", false},
	{"literal n and newlines", replaced("\n", "\\n\n"), "newline", false},
	{"literal u000a", replaced("\n", `\u000a`), "newline", false},
	{"literal x0a", replaced("\n", `\x0a`), "newline", false},
	{"spaces for newlines", replaced("\n", " "), "newline", false},
	{"tabs for newlines", replaced("\n", "\t"), "newline", false},
	{"two spaces for newlines", replaced("\n", "  "), "newline", false},
	{"no newlines", replaced("\n", ""), "newline", true},
	{"no white space", pattern(`\s`, ""), "newline", true},
	{"bare n", replaced("\n", "n"), "newline", true},
	{"slash n", replaced("\n", "/n"), "newline", true},
	{"slash n around the body alone", aroundBody("/n"), "newline", true},
	{"bare n around the body alone", aroundBody("n"), "newline", true},
	{"bare rn around the body alone", aroundBody("rn"), "newline", true},
	{"slash r slash n around the body alone", aroundBody("/r/n"), "newline", true},
	{"bare n and newlines", replaced("\n", "n\n"), "", true},
	{"bare rn", replaced("\n", "rn"), "newline", true},
	{"slash r slash n", replaced("\n", "/r/n"), "newline", true},
	{"line separators", replaced("\n", "\u2028"), "newline", false},
	{"form feeds", replaced("\n", "\v"), "newline", false},
	{"blank lines", replaced("\n", "\n\n"), "empty line", true},
	{"two blank lines", replaced("\n", "\n\n\n"), "empty line", true},
	{"blank lines of spaces", replaced("\n", "\n \t\n"), "empty line", true},
	{"blank lines of CRLF", replaced("\n", "\r\n\r\n"), "empty line", true},
	{"blank line above END", replaced("\n-----END", "\n\n-----END"), "empty line", true},
	{"blank line within", func(s string) string {
		i := strings.LastIndex(strings.TrimSpace(s), "\n")
		i = strings.LastIndex(s[:i], "\n")
		if strings.HasPrefix(s[:i+1], "-----") && !strings.Contains(s[:i], "\n") {
			return s // there is but one line
		}
		return s[:i] + "\n" + s[i:]
	}, "empty line", true},
	{"no empty line after DEK-Info", replaced("\n\n", "\n"), "empty line", true},
	{"wrapped at 24", wrappedLines(24), "BEGIN", true},
	{"wrapped at 16", wrappedLines(16), "BEGIN", true},
	{"wrapped at 9", wrappedLines(9), "BEGIN", true},
	{"wrapped at the spaces of the BEGIN line", pattern(`(?m)^(-----.*) (KEY-----)$`, "$1\n$2"), "BEGIN", true},
	{"wrapped and indented", func(s string) string { return eachLine("  ", "")(wrappedLines(24)(s)) }, "BEGIN", true},
	{"indented", eachLine("    ", ""), "indent", true},
	{"indented by a tab", eachLine("\t", ""), "indent", true},
	{"trailing blanks", eachLine("", "  "), "", false},
	{"padded to 80 columns", func(s string) string {
		return regexp.MustCompile(`(?m)^.{1,79}$`).ReplaceAllStringFunc(s, func(l string) string { return l + strings.Repeat(" ", 80-len(l)) })
	}, "", false},
	{"trailing tabs", eachLine("", "\t"), "", false},
	{"quoted mail", eachLine("> ", ""), "prefix", true},
	{"commented", eachLine("# ", ""), "prefix", true},
	{"slash comment", eachLine("// ", ""), "prefix", true},
	{"star comment", eachLine(" * ", ""), "prefix", true},
	{"diff", eachLine("+", ""), "prefix", true},
	{"grep", eachLine("key.pem:", ""), "prefix", true},
	{"line numbers", numbered(func(i int) string { return strings.Repeat(" ", 5) + string(rune('0'+i%10)) + "\t" }), "prefix", true},
	{"pipes", eachLine("| ", " |"), "", true},
	{"double quotes", inside(`"`, `"`), "quot", false},
	{"single quotes", inside(`'`, `'`), "quot", false},
	{"backticks", inside("`", "`"), "quot", true},
	{"guillemets", inside("«", "»"), "quot", true},
	{"low quotes", inside("„", "“"), "quot", true},
	{"C string", eachLine(`"`, `\n"`), "quot", true},
	{"JavaScript", eachLine(`  '`, `\n' +`), "quot", true},
	{"PHP", eachLine(`  "`, `\n" .`), "quot", true},
	{"VB", eachLine(`k = k & "`, `" & vbCrLf`), "", true},
	{"Go slice", eachLine(`	"`, `",`), "quot", true},
	{"line continuation", eachLine("", `\`), "", true},
	{"literal n and continuation", eachLine("", `\n\`), "newline", true},
	{"JSON string", jsonString, "newline", false},
	{"JSON string twice", func(s string) string { return jsonString(jsonString(s)) }, "newline", true},
	{"JSON member", func(s string) string { return `{"privateKey":` + jsonString(s) + `}` }, "", true},
	{"JSON in JSON", func(s string) string { return `{"data":` + jsonString(`{"private_key":`+jsonString(s)+`}`) + `}` }, "", true},
	{"env", func(s string) string { return "APP_KEY=" + jsonString(s) }, "", false},
	{"export", func(s string) string { return "export APP_KEY='" + s + "'" }, "quot", true},
	{"env unquoted literal n", func(s string) string { return "KEY=" + strings.ReplaceAll(s, "\n", `\n`) }, "newline", false},
	{"YAML", func(s string) string { return "key: |\n" + eachLine("  ", "")(s) + "other: 1\n" }, "indent", true},
	{"YAML quoted", func(s string) string { return "key: " + jsonString(s) }, "quot", false},
	{"YAML list", eachLine("  - ", ""), "", true},
	{"TOML", func(s string) string { return "key = \"\"\"\n" + s + "\"\"\"\n" }, "", true},
	{"XML", func(s string) string { return "<config><key>" + s + "</key></config>" }, "", true},
	{"HTML lines", eachLine("", "<br>"), "HTML", true},
	{"HTML paragraph", eachLine("<p>", "</p>"), "HTML", true},
	{"entities", func(s string) string {
		return html.EscapeString(strings.NewReplacer("\n", "&#xA;", "+", "&#43;", "/", "&#x2F;", "=", "&#61;").Replace(s))
	}, "entit", true},
	{"percent", func(s string) string { return url.PathEscape(s) }, "URL", false},
	{"percent all", func(s string) string { return url.QueryEscape(s) }, "URL", true},
	{"percent twice", func(s string) string { return url.PathEscape(url.PathEscape(s)) }, "URL", false},
	{"form", func(s string) string { return "a=b&key=" + url.QueryEscape(s) + "&c=d" }, "URL", true},
	{"quoted-printable", func(s string) string {
		return pattern(`(?m)^([A-Za-z0-9+/]{40})(.+)$`, "$1=\n$2")(strings.ReplaceAll(s, "=", "=3D"))
	}, "", true},
	{"quoted-printable plus signs", replaced("+", "=2B"), "", true},
	{"source listing", numbered(func(i int) string { return "  " + string(rune('0'+i%10)) + " | " }), "prefix", true},
	{"BOM", inside("\ufeff", ""), "byte order", false},
	{"mojibake BOM", inside("ï»¿", ""), "byte order", false},
	{"UTF-16", utf16Text, "UTF-16", false},
	{"zero width", func(s string) string { return pattern(bodyLine, "\u200b$1\u200b")(s) }, "invisible", true},
	{"no-break spaces", func(s string) string { return strings.ReplaceAll(s, " ", "\u00a0") }, "space", true},
	{"no-break spaces for newlines", replaced("\n", "\u00a0"), "", false},
	{"figure spaces", func(s string) string { return strings.ReplaceAll(s, " ", "\u2007") }, "space", true},
	{"em dashes", replaced("-----", "——-"), "dash", true},
	{"en dashes", replaced("-----", "–––––"), "dash", true},
	{"minus signs", replaced("-----", "−−−−−"), "dash", true},
	{"cp1252 dashes", replaced("-----", "\x97\x97-"), "dash", true},
	{"box drawing", replaced("-----", "─────"), "dash", true},
	{"one em dash", replaced("-----", "—"), "dash", true},
	{"four dashes", replaced("-----", "----"), "dash", true},
	{"six dashes", replaced("-----", "------"), "dash", true},
	{"two dashes", replaced("-----", "--"), "dash", true},
	{"spaced dashes", replaced("-----", "- - - - -"), "dash", true},
	{"no dashes", replaced("-----", ""), "dash", true},
	{"no dashes before", pattern(`(?m)^-----`, ""), "dash", true},
	{"escaped dashes", replaced("-----", `\-\-\-\-\-`), "", true},
	{"no BEGIN", pattern(`-----BEGIN.*\n`, ""), "BEGIN", true},
	{"no END", pattern(`-----END.*\n?`, ""), "END", true},
	{"no armour", pattern(`-----.*\n?`, ""), "BEGIN", true},
	{"no armour, one line", func(s string) string { return strings.ReplaceAll(pattern(`-----.*\n?`, "")(s), "\n", "") }, "", true},
	{"no armour, spaces", func(s string) string { return strings.ReplaceAll(pattern(`-----.*\n?`, "")(s), "\n", " ") }, "", true},
	{"double armour", inside("-----BEGIN PRIVATE KEY-----\n", "\n-----END PRIVATE KEY-----\n"), "", true},
	{"text on the BEGIN line", inside("my key: ", ""), "", true},
	{"text after END", inside("", " thanks, Bob"), "", true},
	{"letters around", inside("Dear all,\n\nhere is the key:\n\n", "\n\nRegards,\nBob\n"), "", false},
	{"wrong label", pattern(`(BEGIN|END) [A-Z0-9 ]+`, "$1 CERTIFICATE"), "label", true},
	{"invented label", pattern(`(BEGIN|END) [A-Z0-9 ]+`, "$1 SECRET PRIVATE KEY"), "label", true},
	{"label without KEY", pattern(` PRIVATE KEY`, " PRIVATE"), "label", true},
	{"label joined", pattern(` (RSA |EC |OPENSSH |ENCRYPTED )?PRIVATE KEY`, " PRIVATEKEY"), "label", true},
	{"lower-case label", func(s string) string {
		return regexp.MustCompile(`(?m)^-----.*$`).ReplaceAllStringFunc(s, strings.ToLower)
	}, "case", true},
	{"END label differs", pattern(`END [A-Z0-9 ]+`, "END X PRIVATE KEY"), "END", true},
	{"base64url", func(s string) string {
		return regexp.MustCompile(bodyLine).ReplaceAllStringFunc(s, func(l string) string { return strings.NewReplacer("+", "-", "/", "_").Replace(l) })
	}, "", true},
	{"no padding", pattern(`(?m)=+$`, ""), "", true},
	{"doubled padding", pattern(`(?m)=+$`, "===="), "", true},
	{"half of the padding", pattern(`([^=])==\n`, "$1=\n"), "padding", true},
	{"three of the padding", pattern(`(?m)([^=])={1,2}$`, "$1==="), "padding", true},
	{"padding where none belongs", pattern(`([A-Za-z0-9+/])\n-----END`, "$1=\n-----END"), "padding", true},
	{"one line", func(s string) string {
		return pattern(`([A-Za-z0-9+/=])\n([A-Za-z0-9+/])`, "$1$2")(pattern(`([A-Za-z0-9+/=])\n([A-Za-z0-9+/])`, "$1$2")(s))
	}, "", true},
	{"groups of eight", func(s string) string {
		return regexp.MustCompile(bodyLine).ReplaceAllStringFunc(s, func(l string) string { return pattern(`(.{8})`, "$1 ")(l) })
	}, "space", true},
	{"plus as space", func(s string) string {
		return regexp.MustCompile(bodyLine).ReplaceAllStringFunc(s, replaced("+", " "))
	}, "", true},
	{"plus as space in one line", func(s string) string { return strings.NewReplacer("+", " ", "\n", "").Replace(s) }, "", true},
	{"plus and newline as space", func(s string) string { return strings.NewReplacer("+", " ", "\n", " ").Replace(s) }, "", true},
	{"JSON slashes", func(s string) string { return strings.NewReplacer("/", `\/`, "\n", `\n`).Replace(s) }, "newline", false},
	{"u002b", func(s string) string { return strings.NewReplacer("+", `\u002B`, "/", `\u002F`, "\n", `\n`).Replace(s) }, "newline", false},
	{"pilcrows", eachLine("", "¶"), "", true},
	{"cat -A", eachLine("", "^M$"), "", true},
	{"ANSI", eachLine("\x1b[32m", "\x1b[0m"), "terminal", false},
	{"bracketed paste", inside("\x1b[200~", "\x1b[201~"), "terminal", false},
	{"NUL", inside("", "\x00"), "control", false},
	{"base64", base64Text, "base64", false},
	{"base64 wrapped", func(s string) string { return wrapped(base64Text(s), 76) }, "base64", false},
	{"base64 twice", func(s string) string { return base64Text(base64Text(s)) }, "base64", false},
	{"base64url of PEM", func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }, "base64", false},
	{"base64 of CRLF", func(s string) string { return base64Text(strings.ReplaceAll(s, "\n", "\r\n")) }, "base64", false},
	{"base64 of literal n", func(s string) string { return base64Text(strings.ReplaceAll(s, "\n", `\n`)) }, "base64", false},
	{"base64 of UTF-16", func(s string) string { return base64Text(utf16Text(s)) }, "base64", false},
	{"base64 in env", func(s string) string { return "KEY_BASE64=" + base64Text(s) }, "base64", false},
	{"base64 in quotes", func(s string) string { return `"` + base64Text(s) + `"` }, "base64", false},
	{"base64 in JSON", func(s string) string { return `{"privateKey":"` + base64Text(s) + `"}` }, "base64", false},
	{"base64 in YAML", func(s string) string { return "data:\n  tls.key: " + base64Text(s) + "\n" }, "base64", false},
	{"base64 in YAML block", func(s string) string { return "data:\n  key: |\n" + eachLine("    ", "")(wrapped(base64Text(s), 76)) }, "base64", false},
	{"base64 in armour", func(s string) string { return armour("PRIVATE KEY", []byte(s)) }, "", false},
	{"data URI", func(s string) string { return "data:application/octet-stream;base64," + base64Text(s) }, "base64", false},
	{"percent-encoded base64", func(s string) string { return url.QueryEscape(base64Text(s)) }, "base64", false},
	{"literal n in quotes in base64", func(s string) string { return base64Text(jsonString(s)) }, "base64", false},
	{"heredoc", inside("cat > k.pem <<EOF\n", "\nEOF\nchmod 600 k.pem\n"), "", false},
}

// beyondRepair is what happens to keys and is not repaired, since one reading of it is as good as another.
var beyondRepair = []damage{
	{"PowerShell", replaced("\n", "`n"), "", true},
	{"diff removed", eachLine("-", ""), "", true},
	{"log", numbered(func(i int) string { return "2026-01-02T03:04:0" + string(rune('0'+i%10)) + "Z host app[1]: " }), "", true},
	{"Latin-1 no-break spaces", func(s string) string { return strings.ReplaceAll(s, " ", "\xa0") }, "", true},
	{"Latin-1 of Windows", replaced("-----", "\xad\x96\x97"), "", true},
	{"UTF-8 decoded twice", replaced(" ", "Â\u00a0"), "", true},
	{"the blanks at line ends lost that were plus signs", func(s string) string {
		return pattern(`(?m) +$`, "")(strings.ReplaceAll(s, "+", " "))
	}, "", true},
	{"hexadecimal digits", func(s string) string {
		if block, _ := pem.Decode([]byte(s)); block != nil {
			return hex.EncodeToString(block.Bytes)
		}
		return s
	}, "", true},
}

func TestLoadGivesNoOtherKeyForWhatIsBeyondRepair(t *testing.T) {
	for _, s := range samples(t) {
		for _, d := range beyondRepair {
			key, err := Load([]byte(d.do(s.text)), s.pass, Options{})
			if e, ok := errors.AsType[*Error](err); err != nil && (!ok || e.Hint == "") {
				t.Errorf("%s, %s: error %v, want an *Error with a hint", s.name, d.name, err)
			}
			if err == nil && !Same(key.Signer.Public(), s.key) {
				t.Errorf("%s, %s: another key", s.name, d.name)
			}
		}
	}
}

func TestLoadUndoesDamage(t *testing.T) {
	for _, s := range samples(t) {
		isPEM := strings.HasPrefix(s.text, "-----")
		for _, d := range damages {
			if d.pem && !isPEM {
				continue
			}
			t.Run(s.name+"/"+d.name, func(t *testing.T) {
				t.Parallel()
				damaged := d.do(s.text)
				key, err := Load([]byte(damaged), s.pass, Options{})
				if err != nil {
					t.Fatalf("error %q, want the key", err)
				}
				if !Same(key.Signer.Public(), s.key) {
					t.Fatal("another key")
				}
				if fixes := strings.Join(key.Fixes, "; "); d.explain != "" && !strings.Contains(strings.ToLower(fixes), strings.ToLower(d.explain)) && damaged != s.text {
					t.Errorf("fixes %q do not say %q", fixes, d.explain)
				}
			})
		}
	}
}

// Any key with a public half survives whatever happens to its plus signs. A short one whose last letter may have been any is
// refused; none is ever read as another key.
func TestLoadUndoesDamageToPlusSignsOfAnyKey(t *testing.T) {
	random := rand.NewChaCha8([32]byte([]byte("the seed of many a TESTING KEY  ")))
	scalar := make([]byte, 32)
	for range 300 {
		random.Read(scalar)
		ec, ed := scalarKey(t, elliptic.P256(), scalar), ed25519.NewKeyFromSeed(scalar)
		for _, s := range []sample{pkcs8Sample(t, "P-256", ec), pkcs8Sample(t, "Ed25519", ed)} {
			before, _, last := strings.Cut(s.text, "+\n")
			short := s.name == "Ed25519" && last && !strings.Contains(strings.TrimRight(before, "+"), "+")
			for _, d := range damages {
				if !strings.Contains(d.name, "plus") {
					continue
				}
				key, err := Load([]byte(d.do(s.text)), "", Options{})
				if err != nil && !short {
					t.Errorf("%s, %s: error %v, want the key", s.name, d.name, err)
				}
				if err == nil && !Same(key.Signer.Public(), s.key) {
					t.Errorf("%s, %s: another key", s.name, d.name)
				}
			}
		}
	}
}

// Spaces behind the comment of a PuTTY file alone may belong to it or not: its MAC shows which.
func TestLoadTakesSpacesOffThePuTTYComment(t *testing.T) {
	for _, s := range samples(t) {
		if !strings.HasPrefix(s.text, "PuTTY") {
			continue
		}
		for _, spaces := range []string{" ", "   ", "\t"} {
			key, err := Load([]byte(pattern(`(?m)^(Comment:.*)$`, "${1}"+spaces)(s.text)), s.pass, Options{})
			if err != nil {
				t.Errorf("%s, %q: %v", s.name, spaces, err)
			} else if !Same(key.Signer.Public(), s.key) || !slices.Contains(key.Fixes, noteComment) {
				t.Errorf("%s, %q: fixes %q, want the spaces named", s.name, spaces, key.Fixes)
			}
		}
		if _, err := Load([]byte(pattern(`(?m)^(Comment:.*)$`, "${1}x")(s.text)), s.pass, Options{}); err == nil {
			t.Errorf("%s with another comment: no error, want one about the MAC", s.name)
		}
	}
}

// Some tools leave the padding of a decrypted file behind the DER of a key. It is ignored, as OpenSSL does, where the public half
// shows that the key is whole.
func TestLoadIgnoresBytesBehindTheDER(t *testing.T) {
	for _, s := range samples(t) {
		block, _ := pem.Decode([]byte(s.text))
		if s.pass != "" || block == nil || s.name == "PKCS#8 Ed25519" || strings.Contains(s.name, "openssh") {
			continue
		}
		for _, rest := range []string{"\a\a\a\a\a\a\a", "\n", "\x00\x00"} {
			data := append(bytes.Clone(block.Bytes), rest...)
			for form, text := range map[string][]byte{"PEM": []byte(armour(block.Type, data)), "base64": []byte(base64.StdEncoding.EncodeToString(data)), "DER": data} {
				key, err := Load(text, "", Options{})
				if err != nil || !Same(key.Signer.Public(), s.key) {
					t.Errorf("%s, %s, %q behind it: error %v, want the key", s.name, form, rest, err)
				}
			}
		}
	}
}
