package text

import (
	"bytes"
	"fmt"
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
	const keytool = "convert it: keytool -importkeystore -srckeystore FILE -destkeystore key.p12 -deststoretype PKCS12"
	switch archive {
	case jks:
		return keytool
	case jceks:
		return keytool + " -srcstoretype JCEKS"
	case bks:
		return keytool + " -srcstoretype BKS -providerclass org.bouncycastle.jce.provider.BouncyCastleProvider -providerpath bcprov.jar"
	}
	return "unpack it and give the key file in it"
}

const (
	jks   = "Java keystore (JKS)"
	jceks = "Java keystore (JCEKS)"
	bks   = "Java keystore of Bouncy Castle (BKS)" // its version, and a salt of 20 bytes
)

var magics = [...]struct{ magic, name string }{
	{"PK\x03\x04", "ZIP archive (compressed)"},
	{"PK\x05\x06", "empty ZIP archive"},
	{"\x1f\x8b", "gzip-compressed file"},
	{"BZh9", "bzip2-compressed file"},
	{"\xfd7zXZ\x00", "xz-compressed file"},
	{"7z\xbc\xaf\x27\x1c", "7-Zip archive (compressed)"},
	{"\x28\xb5\x2f\xfd", "zstd-compressed file"},
	{"Rar!\x1a", "RAR archive (compressed)"},
	{"\xfe\xed\xfe\xed", jks},
	{"\xce\xce\xce\xce", jceks},
	{"\x00\x00\x00\x01\x00\x00\x00\x14", bks},
	{"\x00\x00\x00\x02\x00\x00\x00\x14", bks},
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

// standIn tells what stands between BEGIN and END lines in place of a key, or of a part of it; nil: nothing that is known.
func standIn(b body, raw []byte) *Fault {
	if b.known {
		return nil
	}
	fault := placeholder(raw)
	switch {
	case fault != nil:
		fault.Found += " between BEGIN and END lines"
	case maskedLine.Match(raw):
		fault = new(masked)
		fault.Found, fault.Problem = "private key that is masked in part (asterisks, dots)", "the letters that it needs are hidden"
	}
	return fault
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
