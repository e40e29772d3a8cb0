package text

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// archive names a binary format that is no key but may have one in it.
func archive(b []byte) string {
	for _, m := range magics {
		if bytes.HasPrefix(b, []byte(m.magic)) {
			return m.name
		}
	}
	return ""
}

// unpack is how to get the key out of an archive.
func unpack(archive string) string {
	if strings.HasPrefix(archive, "Java keystore") {
		return "convert it: keytool -importkeystore -srckeystore FILE -destkeystore key.p12 -deststoretype PKCS12"
	}
	return "unpack it and give the key file in it"
}

var magics = [...]struct{ magic, name string }{
	{"PK\x03\x04", "ZIP archive (compressed)"},
	{"PK\x05\x06", "empty ZIP archive"},
	{"\x1f\x8b", "gzip-compressed file"},
	{"BZh9", "bzip2-compressed file"},
	{"\xfd7zXZ\x00", "xz-compressed file"},
	{"7z\xbc\xaf\x27\x1c", "7-Zip archive (compressed)"},
	{"\x28\xb5\x2f\xfd", "zstd-compressed file"},
	{"Rar!\x1a", "RAR archive (compressed)"},
	{"\xfe\xed\xfe\xed", "Java keystore (JKS)"},
	{"\xce\xce\xce\xce", "Java keystore (JCEKS)"},
	{"%PDF-", "PDF file"},
	{"\x89PNG", "PNG image"},
	{"\xff\xd8\xff", "JPEG image"},
	{"\x7fELF", "program (ELF)"},
	{"\x3f\x6f\xf9\xeb", "ssh.com private key (binary)"},
	{"SQLite format 3\x00", "SQLite database"},
}

// foreignArmour refuses labels of other formats.
func foreignArmour(label string) *Fault {
	has := func(part string) bool { return strings.Contains(label, part) }
	switch {
	case has("PGP"):
		return &Fault{Found: "PGP (GPG) block", Problem: "a PGP key is no key for JSON web tokens",
			Hint: "create a key of the API's kind, for instance: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem", Private: true}
	case has("SSH2") && has("PUBLIC"):
		return sshPublic()
	case has("SSH2"):
		return &Fault{Found: "ssh.com (SSH2) private key", Problem: "unsupported format",
			Hint: "convert it: ssh-keygen -i -f FILE > key, or with PuTTYgen: Conversions, Export OpenSSH key", Private: true}
	case has("AGE ENCRYPTED"):
		return &Fault{Found: "age-encrypted file", Problem: "not a private key", Hint: "decrypt it first: age -d", Private: true}
	case has("MESSAGE") || has("SIGNATURE"):
		return &Fault{Found: "signed or encrypted message", Problem: "not a private key", Hint: "paste the private key"}
	}
	return nil
}

func sshPublic() *Fault {
	return &Fault{Found: "SSH public key", Problem: "the public key was given instead of the private key",
		Hint: "give the other file of the pair, the one whose name has no .pub at its end"}
}

func truncated(shape Shape, line int) *Fault {
	return &Fault{Found: shapeName(shape), Problem: "it is truncated or damaged: by its own length, a part of it is missing",
		Hint: "copy it whole, from the BEGIN line to the END line; some input fields cut long text", Line: line,
		Private: shape.Private() || shape == Unknown}
}

func shapeName(shape Shape) string {
	if name := shape.String(); name != "" {
		return name
	}
	return "private key"
}

// bodyFault tells why a body between BEGIN and END lines is no key, or nil.
func bodyFault(b body, shape Shape, label string, line int) *Fault {
	private := label == "" || strings.Contains(label, "PRIV") || shape.Private() || !strings.Contains(label, "PUBLIC") && !strings.Contains(label, "CERT") && !strings.Contains(label, "PARAM")
	fault := &Fault{Found: shapeName(shape), Line: line, Private: private, Hint: "copy the key again from where it came from"}
	if shape == Unknown {
		fault.Found = labelName(label)
	}
	switch {
	case b.few && b.dek == "" && shape == Unknown:
		fault.Found = "BEGIN and END lines"
		fault.Problem = "the body between them is empty, too short or a placeholder (...): there is no key"
		fault.Hint = "paste the key itself"
	case !b.known && b.alien > 0:
		fault.Problem = "it is damaged: " + count(b.alien, "character") + " in it that base64 does not have, and letters are missing"
	case b.dek != "" && !b.known:
		fault.Found = "encrypted private key"
		fault.Problem = "it is truncated or damaged: its length is no whole number of cipher blocks"
	case b.long:
		fault.Problem = "it is damaged: by its own length, there are more letters than it has"
	case !b.known && shape != Unknown:
		return truncatedAs(fault, shape)
	case b.cut:
		fault.Problem = "it is truncated or damaged: letters are missing"
	case !b.known || shape == Unknown && b.dek == "":
		fault.Problem = "it is damaged, or its first line is missing: it does not have the structure of a key"
	default:
		return nil
	}
	return fault
}

func truncatedAs(fault *Fault, shape Shape) *Fault {
	cut := truncated(shape, fault.Line)
	cut.Private = fault.Private
	return cut
}

func labelName(label string) string {
	switch {
	case strings.Contains(label, "PUBLIC"):
		return "public key"
	case strings.Contains(label, "CERT"):
		return "certificate"
	}
	return "private key"
}

func count(n int, noun string) string {
	if n == 1 {
		return "there is 1 " + noun
	}
	return fmt.Sprintf("there are %d %ss", n, noun)
}

// diagnosis is one thing that people paste instead of a key.
type diagnosis struct {
	pattern *regexp.Regexp
	fault   Fault
}

const (
	noServiceAccount = "there is no private key in it: it is not the file of a service account"
	serviceAccount   = "create a key of a service account in the Google Cloud console and download its JSON file"
)

// diagnoses are tried in order on the beginning of a text. All patterns are anchored or bounded.
var diagnoses = []diagnosis{
	{regexp.MustCompile(`^(?i:null|nil|none|undefined|nan|false|true|\[object Object\]|"")$`), Fault{"empty value (null or the like)", "no private key was given",
		"find out why the program that should fill in the key has none", 0, true}},
	{regexp.MustCompile(`^[*•●∙·.xX#_\-]{3,}$`), Fault{"masked or hidden value (asterisks, dots)", "not a private key: a placeholder stands for the secret",
		"copy the real value; pages that mask it often show it only once", 0, true}},
	{regexp.MustCompile(`(?s)^["']?(\$\{[^}]*\}|\$\(.*\)|\$[A-Za-z_]\w*|%[A-Za-z_]\w*%|\{\{.*\}\}|#\{[^}]*\}|<%.*%>|@[A-Za-z.]+\(.*\))["']?$`), Fault{"unresolved variable or template placeholder",
		"it was not replaced by its value (not expanded)", "set the variable, or see to it that the program which substitutes it runs", 0, true}},
	{regexp.MustCompile(`^(?i:op|vault|arn|ref\+\w+|secretref|ssm|gcp-?sm|akv|projects/[\w-]+/secrets)[:/]`), Fault{"reference to a secret store", "the placeholder was not replaced by the secret itself",
		"resolve the reference before the key is used", 0, true}},
	{regexp.MustCompile(`^(?i:file:)`), Fault{"file URL", "the path of a file was given instead of its content", "give the content of the file, or ${file:PATH} in a connection file", 0, true}},
	{regexp.MustCompile(`^(?i:https?|ftp|s3|gs)://`), Fault{"URL", "the address of a file was given instead of its content", "download the file and give its content", 0, true}},
	{regexp.MustCompile(`^["']?([A-Za-z]:[\\/]|\\\\|~?/|\.{1,2}[\\/]|@[./~\w])[^\n<>]{0,400}$`), Fault{"path of a file", "the file name was given instead of the file's content",
		"give the content of the file, or ${file:PATH} in a connection file", 0, true}},
	{regexp.MustCompile(`^["']?[\w .()\\/-]{1,200}\.(?i:pem|key|p8|p12|pfx|ppk|json|der|txt|crt|cer|pub|jwk|asc)["']?$`), Fault{"name of a file", "the file name was given instead of the file's content",
		"give the content of the file, or ${file:PATH} in a connection file", 0, true}},
	{regexp.MustCompile(`(?:^|[\s"'])(?:sk-)?(?:ssh-(?:rsa|dss|ed25519|ed448)|ecdsa-sha2-nistp\d+|sk-ssh-ed25519@openssh\.com|sk-ecdsa-sha2-nistp256@openssh\.com)(?:-cert-v01@openssh\.com)? AAAA`), *sshPublic()},
	{regexp.MustCompile(`^(?:\d+ )?(?:SHA256:|MD5:)|^(?:[0-9A-Fa-f]{2}:){9,}[0-9A-Fa-f]{2}$|^(?i:sha-?256 fingerprint|sha1 fingerprint)`), Fault{"fingerprint of a key", "not a private key", "give the private key itself", 0, true}},
	{regexp.MustCompile(`^(?i:bearer )?eyJ[\w-]*\.[\w-]*\.[\w-]*$`), Fault{"JSON web token (JWT)", "not a private key: it is what a key signs", "give the key; a ready-made token goes into Token", 0, true}},
	{regexp.MustCompile(`^eyJ[\w-]*\.[\w-]*\.[\w-]*\.[\w-]*\.[\w-]*$`), Fault{"encrypted JWK or token (JWE)", "unsupported", "decrypt it first and give the key in it", 0, true}},
	{regexp.MustCompile(`(?i)^(?:<\?xml[^>]*>\s*)?(?:<!doctype html|<html|<head|<body)`), Fault{"HTML page", "not a private key: perhaps a sign-in or error page was saved in its place (web page)", "download the key again while signed in", 0, true}},
	{regexp.MustCompile(`(?i)^<(?:\?xml|[a-z])[^>]*>\s*<`), Fault{"XML text", "no private key was found in it", "convert the key to PEM", 0, true}},
	{regexp.MustCompile(`(?i)^["'<\[(]?\s*(?:your|my|the|insert|paste|enter|put|add|replace|change|todo|redacted|dummy|example|sample|secret|placeholder)\b.{0,80}(?:key|here|redacted|me|secret|placeholder)`), Fault{"placeholder", "not a private key", "put the real key in its place", 0, true}},
	{regexp.MustCompile(`(?i)^["'<\[(]?(?:redacted|changeme|change_me|placeholder|todo|xxx+|removed|hidden|masked)["'>\])]?$`), Fault{"placeholder", "not a private key: a redacted or masked value", "put the real key in its place", 0, true}},
	{regexp.MustCompile(`^\{(?s:.*)"type"\s*:\s*"authorized_user"`), Fault{"user credentials of gcloud (authorized_user)", noServiceAccount, serviceAccount, 0, true}},
	{regexp.MustCompile(`^\{(?s:.*)"type"\s*:\s*"external_account"`), Fault{"workload identity federation (external_account)", noServiceAccount, serviceAccount, 0, true}},
	{regexp.MustCompile(`^\{\s*"(?:installed|web)"\s*:\s*\{`), Fault{"OAuth client (client ID and client secret)", noServiceAccount, serviceAccount, 0, true}},
	{regexp.MustCompile(`^(?:0x)?30[0-9A-Fa-f:,\s]{60,}$`), Fault{"hexadecimal digits", "unsupported: it may be a key in DER", "convert it: xxd -r -p FILE > key.der", 0, true}},
	{regexp.MustCompile(`^[{\[]`), Fault{"JSON", "no private key was found in it", "give the file that has a private_key, privateKey or a JWK with its private part d", 0, true}},
	{regexp.MustCompile(`(?i)^-{1,5} ?BEGIN|PRIVATE KEY`), Fault{"text about a private key", "there is no private key in it that could be read", "give the key itself, from the BEGIN line to the END line", 0, true}},
}

var beginsAsJSON = regexp.MustCompile(`^(?:\{\s*"|\[\s*["{])`)

// diagnose tells what a text is that has no key in it.
func diagnose(data []byte) *Fault {
	b := data
	if wide, ok := fromUTF16(b); ok {
		b = wide
	}
	t := characters(&text{b: b[:min(len(b), 4096)], line: 1})
	s := strings.TrimSpace(string(t.b))
	if bare := strings.Trim(s, "\"'` "); bare == "" || strings.Trim(bare, `\nrt`) == "" && strings.Contains(bare, `\`) {
		if len(b) <= 4096 {
			return &Fault{Found: "empty input", Problem: "it is empty, or white space only: there is no private key", Hint: "see to it that the variable or file has the key in it", Private: true}
		}
	}
	if beginsAsJSON.MatchString(s) && !json.Valid(bytes.TrimSpace(b)) {
		return &Fault{Found: "JSON", Problem: "it is truncated or damaged: no private key could be read from it", Hint: "copy the file whole and unchanged", Private: true}
	}
	for _, d := range diagnoses {
		if d.pattern.MatchString(s) {
			return new(d.fault)
		}
	}
	if !isText(b) || bytes.IndexByte(b[:min(len(b), 4096)], 0) >= 0 {
		return &Fault{Found: "binary data", Problem: "not a private key in a format that is known, or a damaged one",
			Hint: "give the key as PEM, DER, PKCS#12, OpenSSH, PPK or JWK", Private: true}
	}
	return &Fault{Found: "text", Problem: "not a private key, and no key in it",
		Hint: "give the private key itself; a shared secret for HS256 goes into Secret", Private: true}
}
