package text

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
)

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
	{maskedText, masked},
	{unresolvedText, unresolved},
	{regexp.MustCompile(`^(?i:op|vault|arn|ref\+\w+|secretref|ssm|sm|gcp-?sm|akv|awssm|berglas|conjur|doppler|infisical|bw|projects/[\w-]+/secrets)[:/]`), Fault{"reference to a secret store", "the placeholder was not replaced by the secret itself",
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
	{googleType(`impersonated_service_account`), Fault{"impersonated service account of gcloud (impersonated_service_account)", noServiceAccount, serviceAccount, 0, true}},
	{googleType(`external_account_authorized_user`), Fault{"user credentials of workforce identity federation (external_account_authorized_user)", noServiceAccount, serviceAccount, 0, true}},
	{googleType(`gdch_service_account`), Fault{"service identity of Google Distributed Cloud (gdch_service_account)", noServiceAccount, serviceAccount, 0, true}},
	{googleType(`authorized_user`), Fault{"user credentials of gcloud (authorized_user)", noServiceAccount, serviceAccount, 0, true}},
	{googleType(`external_account`), Fault{"workload identity federation (external_account)", noServiceAccount, serviceAccount, 0, true}},
	{regexp.MustCompile(`^\{(?s:.*)"(?:installed|web)"\s*:\s*\{|^\{(?s:.*)"client_secret"\s*:(?s:.*)"redirect_uris"`), Fault{"OAuth client (client ID and client secret)", noServiceAccount, serviceAccount, 0, true}},
	{regexp.MustCompile(`^\{(?s:.*)"(?:client_secret|clientSecret)"\s*:`), Fault{"client ID and client secret", "there is no private key in it", "give the private key itself; a client secret goes into Exchange.Params or Secrets, where the API takes one", 0, true}},
	{regexp.MustCompile(`^\$ANSIBLE_VAULT;|^ENC\[AES256_GCM,|"sops"\s*:\s*\{`), Fault{"encrypted value (Ansible Vault or SOPS)", "not a private key before it is decrypted", "decrypt it: ansible-vault decrypt FILE, or sops --decrypt FILE", 0, true}},
	{regexp.MustCompile(`^(?i:AGE-SECRET-KEY-1|age1)[0-9a-z]+$`), Fault{"key of age", "not for signatures", "give the private key that the API has the public half of", 0, true}},
	{regexp.MustCompile(`^(?:0x)?30[0-9A-Fa-f:,\s]{60,}$`), Fault{"hexadecimal digits", "unsupported: it may be a key in DER", "convert it: xxd -r -p FILE > key.der", 0, true}},
	{regexp.MustCompile(`^[{\[]`), Fault{"JSON", "no private key was found in it", "give the file that has a private_key, privateKey or a JWK with its private part d", 0, true}},
	{regexp.MustCompile(`(?i)^-{1,5} ?BEGIN|PRIVATE KEY`), Fault{"text about a private key", "there is no private key in it that could be read", "give the key itself, from the BEGIN line to the END line", 0, true}},
}

var beginsAsJSON = regexp.MustCompile(`^(?:\{\s*"|\[\s*["{])`)

// googleType finds a file of Google's client libraries by its member type.
func googleType(name string) *regexp.Regexp {
	return regexp.MustCompile(`^\{(?s:.*)"type"\s*:\s*"` + name + `"`)
}

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
	if inner, ok := wrappedJSON(s); ok {
		s = inner
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

// wrappedJSON returns the JSON object that is in a JSON string, or in base64.
func wrappedJSON(s string) (string, bool) {
	var inner string
	if json.Unmarshal([]byte(s), &inner) == nil {
		inner = strings.TrimSpace(inner)
		return inner, strings.HasPrefix(inner, "{")
	}
	data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(s), ""))
	inner = strings.TrimSpace(string(data))
	return inner, err == nil && strings.HasPrefix(inner, "{") && json.Valid(data)
}

var (
	maskedText = regexp.MustCompile(`^[*•●∙·.xX#_\-\s]{3,}$|^(?i)[(<\[]?(?:sensitive|sensitive value|known after apply|hidden|masked|redacted|(?:redacted[\s_-]*){2,})[)>\]]?$`)
	masked     = Fault{"masked, hidden or redacted value (asterisks, dots)", "not a private key: a placeholder stands for the secret",
		"copy the real value; pages that mask it often show it only once", 0, true}

	unresolvedText = regexp.MustCompile(`(?s)^["']?(\$\{\{.*\}\}|\$\{[^}]*\}|\$\(.*\)|\$[A-Za-z_]\w*|%[A-Za-z_]\w*%|\{\{.*\}\}|#\{[^}]*\}|<%.*%>|<<.*>>|@[A-Za-z.]+\(.*\))["']?$`)
	unresolved     = Fault{"unresolved variable or template placeholder",
		"it was not replaced by its value (not expanded)", "set the variable, or see to it that the program which substitutes it runs", 0, true}
)

// placeholder tells what stands in the place of a key, between BEGIN and END lines or in a member of a file; nil: none that is known.
func placeholder(b []byte) *Fault {
	s := strings.TrimSpace(string(b[:min(len(b), 4096)]))
	switch {
	case maskedText.MatchString(s):
		return new(masked)
	case unresolvedText.MatchString(s):
		return new(unresolved)
	}
	return nil
}

// maskedLine is a line of a key of which nothing is shown.
var maskedLine = regexp.MustCompile(`(?m)^\s*[*•●∙·]{4,}\s*$|[*•●∙]{8,}`)
