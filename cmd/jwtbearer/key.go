package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/seed-363d07a3/jwtbearer"
)

// passphraseVariable is the environment variable that holds a passphrase.
const passphraseVariable = "JWTBEARER_PASSPHRASE"

type keyCommand struct {
	passphraseFile string
	out            string
	json           bool
}

func newKeyCommand() *cobra.Command {
	var c keyCommand
	cmd := &cobra.Command{
		Use:   "key FILE|-",
		Short: "Inspect, repair or convert a private key",
		Long: `Reads a private key in any form that jwtbearer understands, from FILE or, for -, from standard input, and tells
what it is and what had to be repaired; or writes it in another form.

The passphrase of an encrypted key comes from --passphrase-file, from the environment variable ` + passphraseVariable + `,
or is asked for on a terminal. It is never an argument, since other users of the machine can see those.

Exit status: 0 fine, 1 the key cannot be used, 2 wrong usage.`,
		Example: `  jwtbearer key key.pem
  pbpaste | jwtbearer key - --out pkcs8 > key.pem
  jwtbearer key key.p12 --passphrase-file pass.txt --out public`,
		Args: arguments("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd, args[0]) },
	}
	cmd.Flags().StringVar(&c.passphraseFile, "passphrase-file", "", "read the passphrase from this `file`")
	cmd.Flags().StringVar(&c.out, "out", "", "write the key as `pkcs8` (PEM), jwk or public (PEM) instead of inspecting it")
	cmd.Flags().BoolVar(&c.json, "json", false, "inspect as JSON: format, type, fingerprint (SHA-256 of the SPKI; hex, and base64), kid, client, fixes")
	cmd.MarkFlagsMutuallyExclusive("out", "json")
	cmd.RegisterFlagCompletionFunc("out", cobra.FixedCompletions(
		[]string{"pkcs8\tPEM", "jwk\tJSON Web Key", "public\tthe public half, PEM"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (c *keyCommand) run(cmd *cobra.Command, name string) error {
	write, ok := map[string]func(io.Writer, *jwtbearer.PrivateKey) error{
		"": writeTable, "pkcs8": writePKCS8, "jwk": writeJWK, "public": writePublic,
	}[c.out]
	if !ok {
		return misuse(cmd, "--out takes pkcs8, jwk or public")
	}
	if c.json {
		write = writeJSON
	}
	data, err := readInput(cmd, name)
	if err != nil {
		return err
	}
	key, err := c.parse(cmd, data, name)
	if err != nil {
		return err
	}
	if c.out != "" {
		for _, fix := range key.Fixes {
			fmt.Fprintln(cmd.ErrOrStderr(), "repaired:", fix)
		}
		if key.PSS != nil {
			fmt.Fprintln(cmd.ErrOrStderr(), "note: the key signs by "+pssMethods(key)+", which what is written does not say")
		}
	}
	return write(cmd.OutOrStdout(), key)
}

// parse reads the key, and asks for its passphrase where it needs one that was not given.
func (c *keyCommand) parse(cmd *cobra.Command, data []byte, name string) (*jwtbearer.PrivateKey, error) {
	passphrase, given, err := c.passphrase()
	if err != nil {
		return nil, err
	}
	key, err := jwtbearer.ParsePrivateKey(data, passphrase)
	if err != nil && !given && name != "-" && needsPassphrase(err) {
		if typed, ok := prompt(cmd.InOrStdin(), cmd.ErrOrStderr()); ok {
			key, err = jwtbearer.ParsePrivateKey(data, typed)
		}
	}
	switch {
	case err == nil:
		return key, nil
	case needsPassphrase(err):
		err = fmt.Errorf("%w\n%s: the passphrase is read from --passphrase-file, or from the environment variable %s",
			err, cmd.CommandPath(), passphraseVariable)
	}
	return nil, refused(err)
}

func (c *keyCommand) passphrase() (passphrase string, given bool, err error) {
	if c.passphraseFile == "" {
		passphrase, given = os.LookupEnv(passphraseVariable)
		return passphrase, given, nil
	}
	data, err := os.ReadFile(c.passphraseFile)
	if err != nil {
		return "", false, fmt.Errorf("jwtbearer key: %w", err)
	}
	// The final newline is the editor's, not a part of the passphrase.
	return strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r"), true, nil
}

// needsPassphrase reports whether a key was refused for want of a passphrase alone.
func needsPassphrase(err error) bool {
	e, ok := errors.AsType[*jwtbearer.KeyError](err)
	return ok && strings.Contains(e.Problem, "no passphrase was given")
}

// prompt asks for the passphrase without echo, if stdin is a terminal.
func prompt(stdin io.Reader, stderr io.Writer) (string, bool) {
	f, ok := stdin.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return "", false
	}
	fmt.Fprint(stderr, "Passphrase: ")
	typed, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(stderr)
	return string(typed), err == nil
}

// writeTable tells people what a key is.
func writeTable(w io.Writer, key *jwtbearer.PrivateKey) error {
	sum, err := fingerprint(key)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "Format:\t%s\nType:\t%s\n", key.Format, keyType(key.Signer.Public()))
	if key.PSS != nil {
		fmt.Fprintf(t, "Signs by:\t%s\n", pssMethods(key))
	}
	for _, row := range [][2]string{{"Key ID (kid)", key.KeyID}, {"Client ID", key.ClientID}, {"Client e-mail", key.ClientEmail}} {
		if row[1] != "" {
			fmt.Fprintf(t, "%s:\t%q\n", row[0], row[1])
		}
	}
	fmt.Fprintf(t, "Fingerprint:\t%x\n\tSHA256:%s\n", sum, base64.StdEncoding.EncodeToString(sum))
	for _, cert := range key.Certificates {
		fmt.Fprintf(t, "Certificate:\t%q, until %s\n", cert.Subject.String(), cert.NotAfter.UTC().Format(time.DateOnly))
	}
	if len(key.Fixes) == 0 {
		fmt.Fprintf(t, "Repaired:\tnothing\n")
	}
	for _, fix := range key.Fixes {
		fmt.Fprintf(t, "Repaired:\t%s\n", fix)
	}
	return t.Flush()
}

func writeJSON(w io.Writer, key *jwtbearer.PrivateKey) error {
	sum, err := fingerprint(key)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(struct {
		Format      string   `json:"format"`
		Type        string   `json:"type"`
		Fingerprint string   `json:"fingerprint"`
		SHA256      string   `json:"fingerprintSHA256"`
		KeyID       string   `json:"kid,omitzero"`
		ClientID    string   `json:"clientID,omitzero"`
		ClientEmail string   `json:"clientEmail,omitzero"`
		Methods     string   `json:"methods,omitzero"`
		Fixes       []string `json:"fixes"`
	}{key.Format, keyType(key.Signer.Public()), hex.EncodeToString(sum), "SHA256:" + base64.StdEncoding.EncodeToString(sum),
		key.KeyID, key.ClientID, key.ClientEmail, pssMethods(key), append([]string{}, key.Fixes...)})
}

// pssMethods lists the methods of a key that is for RSASSA-PSS alone; "" for any other.
func pssMethods(key *jwtbearer.PrivateKey) string {
	if key.PSS == nil {
		return ""
	}
	var all []string
	for _, method := range []jwtbearer.SignatureMethod{jwtbearer.PS256, jwtbearer.PS384, jwtbearer.PS512} {
		if _, err := jwtbearer.NewSigner(method, key); err == nil {
			all = append(all, string(method))
		}
	}
	if len(all) == 0 {
		return "no method of JSON web tokens"
	}
	return strings.Join(all, ", ") + " alone"
}

// fingerprint is the SHA-256 of the SubjectPublicKeyInfo. The table has it in hexadecimal digits and, as {{keyFingerprint}} and
// Snowflake write it, in base64.
func fingerprint(key *jwtbearer.PrivateKey) ([]byte, error) {
	spki, err := x509.MarshalPKIXPublicKey(key.Signer.Public())
	if err != nil {
		return nil, fmt.Errorf("jwtbearer key: write the public key: %w", err)
	}
	sum := sha256.Sum256(spki)
	return sum[:], nil
}

func keyType(public crypto.PublicKey) string {
	switch public := public.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", public.N.BitLen())
	case *ecdsa.PublicKey:
		return "EC " + public.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return fmt.Sprintf("%T", public)
}

func writePKCS8(w io.Writer, key *jwtbearer.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(key.Signer)
	if err != nil {
		return fmt.Errorf("jwtbearer key: write PKCS#8: %w", err)
	}
	return pem.Encode(w, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func writePublic(w io.Writer, key *jwtbearer.PrivateKey) error {
	der, err := x509.MarshalPKIXPublicKey(key.Signer.Public())
	if err != nil {
		return fmt.Errorf("jwtbearer key: write the public key: %w", err)
	}
	return pem.Encode(w, &pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func writeJWK(w io.Writer, key *jwtbearer.PrivateKey) error {
	data, err := json.MarshalIndent(jose.JSONWebKey{Key: key.Signer, KeyID: key.KeyID}, "", "  ")
	if err != nil {
		return fmt.Errorf("jwtbearer key: write JWK: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s\n", data)
	return err
}
